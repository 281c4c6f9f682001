/** What was saved is what is read: generated databases, and values and databases of every size. */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import type { EntryShape } from "../../suites/index.ts";
import { seeds } from "../../suites/seeds.ts";
import { diskWith, expectRead, fileOf, json, look, parse } from "./support.ts";

const PARTS: readonly (string | number[])[] = [
  ...[
    "",
    "a",
    "$",
    "$$",
    "$base64:",
    "$value",
    '"',
    "\\",
    "\n",
    "\0",
    "\x7f",
    "é",
    "世",
    "🎈",
    " ",
  ],
  ...[[0xff], [0xc3], [0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x8e]],
];

function anyBytes(random: Random, most: number): Buffer {
  const parts = Array.from({ length: random.below(most) }, () => {
    const part = PARTS[random.below(PARTS.length)] ?? "";
    return random.below(10) === 0 ? Buffer.from([random.below(256)]) : Buffer.from(part as string);
  });
  return Buffer.concat(parts);
}

const SCALARS = [
  "0",
  "-1.50e+3",
  "12345678901234567890",
  "true",
  "null",
  '""',
  '"\\u0024a"',
  '"$json"',
];
const NAMES = ["a", "", "$a", "\\u0024value", "$base64", "é", '\\"'];

/** Compact, as the store has documents. */
function anyDocument(random: Random, depth: number): string {
  const kind = random.below(depth > 3 ? 2 : 4);
  if (kind < 2) return SCALARS[random.below(SCALARS.length)] ?? "0";
  const parts = Array.from({ length: random.below(4) }, () => {
    const value = anyDocument(random, depth + 1);
    return kind === 2 ? value : `"${NAMES[random.below(NAMES.length)]}":${value}`;
  });
  return kind === 2 ? `[${parts.join()}]` : `{${parts.join()}}`;
}

function anyEntries(random: Random): EntryShape[] {
  const entries = new Map<string, EntryShape>();
  for (let i = random.below(60); i >= 0; i--) {
    const database = random.below(16);
    const key = anyBytes(random, 5);
    const deadlines = [0, 0, 1, Date.UTC(2026 + random.below(9000), 0), Number.MAX_SAFE_INTEGER];
    const more = { database, deadlineMs: deadlines[random.below(deadlines.length)] ?? 0 };
    const isJson = random.below(2) === 0;
    const value = isJson ? anyDocument(random, 0) : anyBytes(random, 8);
    entries.set(`${database} ${key.toString("hex")}`, {
      key,
      value,
      type: isJson ? "json" : "string",
      ...more,
    });
  }
  return [...entries.values()];
}

test.each(seeds(20))("generated databases, seed %d", async (seed) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 20; round++) {
    const entries = anyEntries(random);
    const file = await fileOf(entries, 1 + random.below(2 ** 31));
    const { report, entries: read } = await look((await diskWith(file)).files);
    expectRead(read, entries);
    expect(report.dropped).toEqual([]);
    expect(JSON.parse(file.toString())).toBeObject();
    const cuts = [random.below(file.length), file.length].sort((a, b) => a - b);
    expectRead(parse(file, cuts).entries, entries);
    expect((await fileOf(entries, 5)).equals(await fileOf([...entries].reverse(), 5))).toBe(true);
  }
});

/** Around the lengths of buffers and slices: 128 KiB are read, 1 MiB is written at once. */
const LENGTHS = [98_303, 98_304, 98_305, 131_072, 262_144, (1 << 20) - 9, (1 << 20) + 1, 3_500_000];

describe("values longer than what is read or written at once", () => {
  const kinds: readonly [string, (length: number) => EntryShape][] = [
    ["text", (length) => ({ key: `t${length}`, value: "t".repeat(length) })],
    ["text of several bytes", (length) => ({ key: `u${length}`, value: "€".repeat(length / 3) })],
    ["text with escapes", (length) => ({ key: `e${length}`, value: "\x01".repeat(length / 6) })],
    ["bytes", (length) => ({ key: `b${length}`, value: Buffer.alloc(length, 0xfe) })],
    ["documents", (length) => json(`d${length}`, `{"a":["${"$".repeat(length)}"]}`)],
    [
      "documents to be wrapped",
      (length) => json(`w${length}`, `{"a":"${"$".repeat(length)}","$b":1}`),
    ],
    ["keys", (length) => ({ key: "k".repeat(length), value: "x" })],
    ["keys of bytes", (length) => ({ key: Buffer.alloc(length, 0xfd), value: "x" })],
    [
      "with a moment",
      (length) => ({ key: `m${length}`, value: "m".repeat(length), deadlineMs: Date.UTC(2030, 0) }),
    ],
  ];
  for (const [name, make] of kinds) {
    test(name, async () => {
      const entries = LENGTHS.flatMap((length) => [
        make(length),
        { key: `behind ${length}`, value: "x" },
      ]);
      const file = await fileOf(entries);
      const { report, entries: read } = await look((await diskWith(file)).files);
      expectRead(read, entries);
      expect(report.dropped).toEqual([]);
    });
  }
});

test("databases too large to be sorted come whole, between those that are sorted", async () => {
  const value = "v".repeat(10_000);
  const large = Array.from({ length: 1800 }, (_, i) => ({
    key: `k${i * 7919}`,
    value,
    database: 1,
  }));
  const around = [0, 2].flatMap((database) =>
    ["c", "a", "b"].map((key) => ({ key, value: "x", database })),
  );
  const entries = [...around, ...large];
  const file = await fileOf(entries);
  const { report, entries: read } = await look((await diskWith(file)).files);
  expectRead(read, entries);
  expect(report.dropped).toEqual([]);
  const keysOf = (database: number) =>
    read.filter((one) => one.database === database).map(({ key }) => key);
  expect(keysOf(0)).toEqual(["61", "62", "63"]);
  expect(keysOf(2)).toEqual(["61", "62", "63"]);
  expect(keysOf(1)).not.toEqual(keysOf(1).toSorted());
});
