/**
 * 80-bit floats: fixed cases, and thousands of INCRBYFLOAT pairs put to redis-server from a printed
 * seed.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  addLongDouble,
  formatLongDouble,
  type LongDouble,
  parseLongDouble,
} from "../../../src/commands/long-double.ts";
import { toBytes } from "../../oracle/byte-text.ts";
import { Random } from "../../oracle/random.ts";
import { RespClient } from "../../oracle/resp-client.ts";
import { readReply } from "../../oracle/resp-reply.ts";
import { findRedisServer, type RunningServer, startRedisServer } from "../../oracle/servers.ts";
import { encodeArray } from "../../oracle/step.ts";

const seed = Number(Bun.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);

type Pair = readonly [value: string, increment: string];

function parse(text: string): LongDouble {
  const value = parseLongDouble(text);
  if (value === null) throw new Error(`refused: ${text}`);
  return value;
}

/** What INCRBYFLOAT replies, null for an error: the text is refused, or the sum is not finite. */
function increment([value, by]: Pair): string | null {
  const first = parseLongDouble(value);
  const second = parseLongDouble(by);
  if (first === null || second === null) return null;
  const sum = addLongDouble(first, second);
  return sum.kind === "finite" ? formatLongDouble(sum) : null;
}

const PRINTED: readonly Pair[] = [
  ...([
    ["0", "0"],
    ["-0", "0"],
    ["3.0", "3"],
    ["5.", "5"],
    [".5", "0.5"],
    ["+5", "5"],
  ] as const),
  ...([
    ["0.1", "0.1"],
    ["-0.1", "-0.1"],
    ["1e-7", "0.0000001"],
    ["1e5", "100000"],
  ] as const),
  ...([
    ["1e21", "1000000000000000000000"],
    ["123456789012345680", "123456789012345680"],
  ] as const),
  ...([
    ["2.98023223876953125e-8", "0.00000002980232239"],
    ["1000.1", "1000.09999999999999998"],
  ] as const),
  ...([
    ["0x10", "16"],
    ["-0X1.8P-1", "-0.75"],
    ["0x1p-1080", "0"],
    ["-1e-18", "0"],
  ] as const),
  ...([
    ["5e-18", "0"],
    ["5.1e-18", "0.00000000000000001"],
    ["1e-4950", "0"],
    ["0e9999999", "0"],
  ] as const),
  ...([
    ["18446744073709551617", "18446744073709551616"],
    [`18446744073709551617.${"0".repeat(30)}1`, "18446744073709551618"],
  ] as const),
  ...([["18446744073709551619", "18446744073709551620"]] as const),
  ...([
    ["inf", "inf"],
    ["-Infinity", "-inf"],
  ] as const),
];

const REFUSED = [
  ...["", " 1", "1 ", "abc", "nan", "-nan", "1e", "0x", "1e5000", "-1e4933", "1e-4951", "-1e-9999"],
  ...["1e999999999999999999999", "0x1p16384", "0x1p-16447", "0".repeat(5120)],
];

test("texts are read into 80 bits and printed with at most 17 places", () => {
  for (const [text, printed] of PRINTED) expect(formatLongDouble(parse(text))).toBe(printed);
});

test("texts that Redis refuses are refused", () => {
  for (const text of REFUSED) expect(parseLongDouble(text)).toBeNull();
});

test("the largest and the smallest value are read, and nothing beyond", () => {
  expect(parse("0x1.fffffffffffffffep16383")).toMatchObject({ kind: "finite" });
  expect(parseLongDouble("0x1.ffffffffffffffffp16383")).toBeNull();
  expect(parse("0x1p-16445")).toEqual({ kind: "finite", mantissa: 1n, exponent: -16445 });
  expect(parseLongDouble("0x1p-16446")).toBeNull();
  expect(parse(`${"0".repeat(5118)}1`)).toMatchObject({ mantissa: 1n });
});

test(`a decimal is the nearest value of 64 bits, though no print shows it (seed ${seed})`, () => {
  const random = new Random(seed);
  for (let index = 0; index < 5000; index++) {
    const numerator = BigInt(digits(random, random.integer(1, 22))) + 1n;
    const places = random.integer(20, 60);
    const value = parse(`${numerator}e-${places}`);
    if (value.kind !== "finite") throw new Error("not finite");
    // |mantissa × 2^exponent − numerator / 10^places| is at most half of 2^exponent.
    const divisor = 10n ** BigInt(places);
    const twiceError = 2n * (value.mantissa * divisor - (numerator << BigInt(-value.exponent)));
    expect(twiceError <= divisor && -twiceError <= divisor).toBe(true);
    expect(value.mantissa).toBeGreaterThanOrEqual(2n ** 63n);
    expect(value.mantissa).toBeLessThanOrEqual(2n ** 64n);
  }
});

test("a sum is rounded once to 64 bits", () => {
  const cases: readonly (readonly [Pair, string])[] = [
    [["0.1", "0.2"], "0.3"],
    [["1.1", "-1.1"], "0"],
    [["3.0e3", "200"], "3200"],
    [["18446744073709551616", "1"], "18446744073709551616"],
    [["18446744073709551616", "3"], "18446744073709551620"],
    [["-1e-30", "-1e-30"], "0"],
    [["1e4000", "1"], formatLongDouble(parse("1e4000"))],
  ];
  for (const [pair, sum] of cases) expect(increment(pair)).toBe(sum);
});

test("a sum may leave the numbers, for the command to refuse", () => {
  const infinity = parse("inf");
  expect(addLongDouble(parse("1e4932"), parse("1e4932"))).toEqual({
    kind: "infinity",
    negative: false,
  });
  expect(addLongDouble(parse("-1e4932"), parse("-1e4932"))).toEqual({
    kind: "infinity",
    negative: true,
  });
  expect(addLongDouble(infinity, parse("-1"))).toEqual(infinity);
  expect(addLongDouble(infinity, infinity)).toEqual(infinity);
  expect(addLongDouble(infinity, parse("-inf"))).toEqual({ kind: "nan" });
  expect(formatLongDouble(addLongDouble(parse("-inf"), infinity))).toBe("nan");
});

describe.skipIf(findRedisServer() === null)("against redis-server", () => {
  let server: RunningServer;
  let client: RespClient;
  beforeAll(async () => {
    server = await startRedisServer(findRedisServer() ?? "");
    client = await RespClient.open(server.port);
  });
  afterAll(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  });

  async function compare(pairs: readonly Pair[]): Promise<void> {
    const requests = pairs.flatMap(([value, by]) => [
      encodeArray(["SET", "k", value]),
      encodeArray(["INCRBYFLOAT", "k", by]),
    ]);
    const { replies, ending } = await client.exchange(requests.map(toBytes));
    expect(ending).toBe("open");
    expect(replies).toHaveLength(requests.length);
    for (const [index, pair] of pairs.entries()) {
      const reply = readReply(replies[2 * index + 1] ?? new Uint8Array(0), 0);
      const answer = reply?.type === "-" ? null : (reply?.text ?? null);
      expect([pair, increment(pair)]).toEqual([pair, answer]);
    }
  }

  test("the fixed cases are Redis's", async () => {
    const texts = [...PRINTED.map(([text]) => text), ...REFUSED];
    await compare(texts.map((text) => [text, "0"]));
    await compare(texts.map((text) => ["0", text]));
    await compare(texts.map((text) => [text, "-inf"]));
  });

  for (const [name, make] of Object.entries(PAIRS)) {
    test(`${name} (seed ${seed})`, async () => {
      const random = new Random(seed);
      // Redis needs over a millisecond for the longest: in batches, so that the client's patience
      // is enough for each.
      for (let batch = 0; batch < 10; batch++) {
        await compare(Array.from({ length: 100 }, () => make(random)));
      }
    });
  }
});

const PAIRS: Record<string, (random: Random) => Pair> = {
  "money and counters": (random) => [money(random), money(random)],
  "many digits": (random) => [decimal(random, 25, 25), decimal(random, 25, 25)],
  "exponents of any size": (random) => {
    const most = random.pick([20, 300, 4950]);
    return [scientific(random, -most, most), scientific(random, -most, most)];
  },
  "nearly equal numbers of opposite sign": (random) => {
    const value = decimal(random, 12, 20).replace(/^[-+]/, "");
    const at = random.below(value.length);
    const other = value.slice(0, at) + random.below(10) + value.slice(at + 1);
    return [value, `-${other}`];
  },
  "ties at the last printed place": (random) => {
    const odd = 2n * BigInt(random.below(2 ** 31)) + 1n;
    const hex = `0x${odd.toString(16)}p-18`;
    return [hex, random.pick(["0", "1", "-1", "0.5", "-1000"])];
  },
  "ties at the last bit": (random) => {
    const low = 2n ** 63n + BigInt(random.below(2 ** 31));
    const odd = 2n * low + 1n;
    const scale = random.integer(-1, 3);
    const tail = random.pick(["", `.${"0".repeat(30)}1`]);
    const text = scale < 0 ? `0x${odd.toString(16)}p-10` : String(odd << BigInt(scale)) + tail;
    return [text, random.pick(["0", "1", "-1", "1e-300", "-1e-300", text])];
  },
  "the ends of the format": (random) => [
    `${randomSign(random)}0x${hex(random)}.8p${random.integer(16330, 16354)}`,
    `${randomSign(random)}0x${hex(random)}p${random.pick([16340, 16352, -16445, -16470])}`,
  ],
  "texts with a mistake": (random) => [spoiled(random), random.chance(0.5) ? "1" : spoiled(random)],
};

function randomSign(random: Random): string {
  return random.pick(["", "", "-", "+"]);
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => String(random.below(10))).join("");
}

function hex(random: Random): string {
  return random.below(2 ** 32).toString(16);
}

function decimal(random: Random, most: number, mostPlaces: number): string {
  const places = random.below(mostPlaces + 1);
  const fraction = places === 0 ? "" : `.${digits(random, places)}`;
  return randomSign(random) + digits(random, random.integer(1, most)) + fraction;
}

function money(random: Random): string {
  const whole = random.below(10 ** random.integer(1, 7));
  return `${random.pick(["", "-"])}${whole}.${digits(random, random.integer(1, 4))}`;
}

function scientific(random: Random, least: number, most: number): string {
  return `${decimal(random, 3, 22)}${random.pick(["e", "E"])}${random.integer(least, most)}`;
}

function spoiled(random: Random): string {
  const text = random.chance(0.5)
    ? scientific(random, -20, 20)
    : `${randomSign(random)}0x${digits(random, 4)}.8p3`;
  const at = random.below(text.length + 1);
  return (
    text.slice(0, at) + random.pick([..." +-.eExXpPinfa_0"]) + text.slice(at + random.below(2))
  );
}
