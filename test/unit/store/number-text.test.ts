/**
 * Numbers in text: fixed cases, round trips from a printed seed, and redis-server's own reading of
 * generated texts.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  formatDouble,
  integerLength,
  parseFloatText,
  parseInt64,
  parseInteger,
  roundBinary,
  shiftRightHalfEven,
  writeInteger,
} from "../../../src/store/number-text.ts";
import { toBytes } from "../../oracle/byte-text.ts";
import { Random } from "../../oracle/random.ts";
import { RespClient } from "../../oracle/resp-client.ts";
import { readReply } from "../../oracle/resp-reply.ts";
import { findRedisServer, type RunningServer, startRedisServer } from "../../oracle/servers.ts";
import { encodeArray } from "../../oracle/step.ts";

const seed = Number(Bun.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);

/** The text in the middle of other digits, so that a reader that leaves its bounds is noticed. */
function within<T>(text: string, read: (bytes: Uint8Array, start: number, end: number) => T): T {
  return read(toBytes(`77${text}77`), 2, 2 + text.length);
}

const integer = (text: string) => within(text, parseInteger);
const int64 = (text: string) => within(text, parseInt64);
const float = (text: string) => within(text, parseFloatText);

const NOT_INTEGERS = [
  ...["", "-", "+", "+5", "05", "00", "-0", "-05", " 5", "5 ", "1.0", "1e3", "0x1", "--1", "1-1"],
  ...["a", "123456789a", "12345678901a", "1234567890123456789a", "12345678901234567a89"],
  ...["9223372036854775808", "-9223372036854775809", "12345678901234567890", "1:", "1/"],
];

const INTEGERS = [
  ...["0", "1", "-1", "9", "10", "999999999", "-999999999", "1000000000", "2147483648"],
  ...["-2147483648", "9999999999", "123456789012345", "9007199254740991", "-9007199254740991"],
  ...["9007199254740993", "9223372036854775807", "-9223372036854775808"],
];

describe("integers", () => {
  test("are read when Redis reads them, beyond 2^53 as the nearest double", () => {
    for (const text of INTEGERS) {
      expect(integer(text)).toBe(Number(text));
      expect(int64(text)).toBe(BigInt(text));
    }
  });

  test("are refused in any other form", () => {
    for (const text of NOT_INTEGERS) {
      expect(integer(text)).toBeNaN();
      expect(int64(text)).toBeNull();
    }
  });

  test("are written as they are read", () => {
    for (const text of INTEGERS.filter((text) => Number.isSafeInteger(Number(text)))) {
      expect(written(Number(text))).toBe(text);
    }
    expect(written(-0)).toBe("0");
    expect(written(8_999_999_999_999_999)).toBe("8999999999999999");
  });

  test("that a double does not hold are written as one that is read as the same double", () => {
    for (const text of INTEGERS.filter((text) => !Number.isSafeInteger(Number(text)))) {
      expect(integer(written(Number(text)))).toBe(Number(text));
    }
    expect(written(2 ** 53)).toBe("9007199254740992");
    expect(written(2 ** 63)).toBe("9223372036854775807");
  });

  test(`of each length survive the round trip (seed ${seed})`, () => {
    const random = new Random(seed);
    for (let index = 0; index < 20_000; index++) {
      const digits = random.integer(1, 16);
      const value = Number(randomDigits(random, digits)) * (random.chance(0.5) ? -1 : 1);
      if (!Number.isSafeInteger(value)) continue;
      const text = String(BigInt(value));
      expect(written(value)).toBe(text);
      expect(integer(text)).toBe(Number(text));
    }
  });
});

function written(value: number): string {
  const target = new Uint8Array(32).fill(120);
  const end = writeInteger(target, 3, value);
  expect(end - 3).toBe(integerLength(value));
  expect(Buffer.from(target).toString().replaceAll("x", "")).toHaveLength(end - 3);
  return Buffer.from(target.subarray(3, end)).toString();
}

const FLOATS: readonly (readonly [text: string, value: number])[] = [
  ...([
    ["1", 1],
    ["-1.5", -1.5],
    ["+5", 5],
    ["5.", 5],
    [".5", 0.5],
    ["-.5", -0.5],
  ] as const),
  ...([
    ["-0", -0],
    ["0.000000000000000000000000000", 0],
    ["0e99999999999999999999", 0],
  ] as const),
  ...([
    ["0.1", 0.1],
    ["1e5", 1e5],
    ["1E-7", 1e-7],
    ["1.7976931348623157e308", 1.7976931348623157e308],
  ] as const),
  ...([
    ["9007199254740993", 9007199254740992],
    ["9007199254740991", 9007199254740991],
  ] as const),
  ...([
    ["0.30000000000000004", 0.1 + 0.2],
    ["1e-310", 1e-310],
    ["2.4703282292062328e-324", 5e-324],
  ] as const),
  ...([
    ["inf", Infinity],
    ["+INF", Infinity],
    ["-Infinity", -Infinity],
    ["iNfInItY", Infinity],
  ] as const),
  ...([
    ["0x10", 16],
    ["-0X1.8P-1", -0.75],
    ["0x.8", 0.5],
    ["0x8.", 8],
    ["0x1e5", 485],
  ] as const),
  ...([
    ["0x1p-1074", 5e-324],
    ["0x0p99999", 0],
    ["0x20000000000001p0", 2 ** 53],
  ] as const),
  ...([
    ["0x20000000000003p0", 2 ** 53 + 4],
    ["0x1.fffffffffffff7p1023", Number.MAX_VALUE],
  ] as const),
  [`0x20000000000001${"0".repeat(300)}1p-1204`, 2 ** 53 + 2],
];

const NOT_FLOATS = [
  ...[
    "",
    ".",
    "-",
    "+",
    "+-5",
    "--1",
    " 1",
    "1 ",
    "1\t",
    "\v1",
    "1\0",
    "1_0",
    "1,5",
    "1f",
    "1.2.3",
  ],
  ...[
    "1e",
    "1e+",
    "e5",
    "1e5.5",
    "0x",
    "0x.",
    "0x1p",
    "0xg",
    "0b1",
    "0o7",
    "infin",
    "infinit",
    "i",
  ],
  ...[
    "nan",
    "NaN",
    "-nan",
    "nan(1)",
    "1e400",
    "-1e400",
    "1e-400",
    "-1e-400",
    "0x1p1024",
    "0x1p-1080",
  ],
  ...["0x1.fffffffffffff8p1023", "2.4703282292062327e-324", "1e99999999999999999999", "٣"],
];

describe("floats", () => {
  test("are read as C's strtod reads the whole text", () => {
    for (const [text, value] of FLOATS) expect(float(text)).toBe(value);
  });

  test("are refused with anything around them, as NaN, or out of range", () => {
    for (const text of NOT_FLOATS) expect(float(text)).toBeNaN();
  });

  test("are read from shared memory too", () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(16), 4);
    bytes.set(toBytes("1e-3"), 1);
    expect(parseFloatText(bytes, 1, 5)).toBe(0.001);
    bytes.set(toBytes("-123"), 1);
    expect(parseInt64(bytes, 1, 5)).toBe(-123n);
  });

  test("a megabyte of digits costs one pass", () => {
    const digits = "1".repeat(1_000_000);
    expect(float(`${digits}x`)).toBeNaN();
    expect(float(`0.${digits}`)).toBe(1 / 9);
    expect(float(`0x0.${digits}`)).toBe(1 / 15);
    expect(float(`1${"0".repeat(1_000_000)}e-1000000`)).toBe(1);
  });
});

test("doubles are written as C's %.17g", () => {
  const cases: readonly (readonly [value: number, text: string])[] = [
    ...([
      [0, "0"],
      [-0, "-0"],
      [3, "3"],
      [-17, "-17"],
      [0.5, "0.5"],
      [1e16, "10000000000000000"],
    ] as const),
    ...([
      [0.1, "0.10000000000000001"],
      [-0.1, "-0.10000000000000001"],
      [1e17, "1e+17"],
    ] as const),
    ...([
      [1e21, "1e+21"],
      [1e-4, "0.0001"],
      [1e-5, "1.0000000000000001e-05"],
    ] as const),
    ...([
      [1e-7, "9.9999999999999995e-08"],
      [1.5e300, "1.5000000000000001e+300"],
    ] as const),
    ...([
      [12345678901234568, "12345678901234568"],
      [123456789012345680, "1.2345678901234568e+17"],
    ] as const),
    // 18 digits each, the last one a 5: to the even digit.
    ...([
      [2 ** -25, "2.9802322387695312e-08"],
      [3 * 2 ** -25, "8.9406967163085938e-08"],
    ] as const),
    ...([
      [5e-324, "4.9406564584124654e-324"],
      [Number.MAX_VALUE, "1.7976931348623157e+308"],
    ] as const),
    ...([
      [Infinity, "inf"],
      [-Infinity, "-inf"],
      [Number.NaN, "nan"],
    ] as const),
  ];
  for (const [value, text] of cases) expect(formatDouble(value)).toBe(text);
});

test("a binary is rounded half to even, once", () => {
  expect([5n, 6n, 7n, 2n, 1n, 3n].map((value) => shiftRightHalfEven(value, 2))).toEqual([
    1n,
    2n,
    2n,
    0n,
    0n,
    1n,
  ]);
  expect(shiftRightHalfEven(2n ** 70n, 72)).toBe(0n);
  expect(shiftRightHalfEven(3n, 1e12)).toBe(0n);
  expect(roundBinary({ mantissa: 0b1011n, exponent: 0 }, 2, 0)).toEqual({
    mantissa: 3n,
    exponent: 2,
  });
  expect(roundBinary({ mantissa: 0b1011n, exponent: 0 }, 9, 3)).toEqual({
    mantissa: 1n,
    exponent: 3,
  });
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

  /** For each text the reply to the last of its commands: its text, or null for an error. */
  async function ask(texts: readonly string[], last: (text: string) => string[]) {
    const requests = texts.flatMap((text) => [encodeArray(["DEL", "k"]), encodeArray(last(text))]);
    const { replies, ending } = await client.exchange(requests.map(toBytes));
    expect(ending).toBe("open");
    const answers = replies
      .map((reply) => readReply(reply, 0))
      .filter((_, index) => index % 2 === 1);
    expect(answers).toHaveLength(texts.length);
    return answers.map((answer) => (answer?.type === "-" ? null : (answer?.text ?? null)));
  }

  test(`floats are read and written alike (seed ${seed})`, async () => {
    const random = new Random(seed);
    const fixed = [...FLOATS.map(([text]) => text), ...NOT_FLOATS.map((text) => latin1(text))];
    const texts = [...fixed, ...Array.from({ length: 4000 }, () => randomFloatText(random))];
    const answers = await ask(texts, (text) => ["ZADD", "k", "INCR", text, "m"]);
    for (const [index, text] of texts.entries()) {
      const value = float(text);
      expect([text, Number.isNaN(value) ? null : formatDouble(value)]).toEqual([
        text,
        answers[index] ?? null,
      ]);
    }
  });

  test(`integers are read alike (seed ${seed})`, async () => {
    const random = new Random(seed);
    const texts = [...INTEGERS, ...NOT_INTEGERS];
    for (let index = 0; index < 3000; index++) {
      const digits = randomDigits(random, random.integer(1, 20));
      texts.push((random.chance(0.5) ? "-" : "") + digits + (random.chance(0.05) ? " " : ""));
    }
    const answers = await ask(texts, (text) => ["INCRBY", "k", text]);
    for (const [index, text] of texts.entries()) {
      expect([text, int64(text)?.toString() ?? null]).toEqual([text, answers[index] ?? null]);
    }
  });
});

function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function randomDigits(random: Random, count: number): string {
  return Array.from({ length: count }, () => String(random.below(10))).join("");
}

function randomHex(random: Random): string {
  return random.below(2 ** 32).toString(16);
}

function randomFloatText(random: Random): string {
  const sign = random.pick(["", "", "-", "+"]);
  switch (random.below(6)) {
    case 0: // any bits of a double
      return String(doubleOfBits(random.below(2 ** 32), random.below(2 ** 32)));
    case 1: // few binary places: ties of %.17g
      return String((random.below(2 ** 31) * 2 + 1) / 2 ** random.integer(10, 40));
    case 2: // big integers
      return String(BigInt(randomDigits(random, 17)) * 4n ** BigInt(random.below(12)) * 5n);
    case 3:
      return `${sign}0x${randomHex(random)}.${randomHex(random)}p${random.integer(-1140, 1040)}`;
    case 4: {
      const decimal = `${random.below(1000)}.${random.below(1000)}`;
      const text = `${sign}${decimal}e${random.integer(-330, 310)}`;
      const at = random.below(text.length + 1);
      return (
        text.slice(0, at) + random.pick([..." +-.eExXpinfa0"]) + text.slice(at + random.below(2))
      );
    }
    default: {
      const whole = randomDigits(random, random.below(20));
      return `${sign}${whole}.${randomDigits(random, random.below(25))}`;
    }
  }
}

function doubleOfBits(low: number, high: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, low);
  view.setUint32(4, high);
  const value = view.getFloat64(0);
  return Number.isNaN(value) ? 1.5 : value;
}
