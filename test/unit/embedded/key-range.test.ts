/** Going through keys in order in a program, with an index of the keys and without one. */
import { describe, expect, test } from "bun:test";
import type { Database, RangeOptions } from "../../../src/plugin.ts";
import { failureOf, openInMemory } from "./opened.ts";

const KEY_INDEX = { use: "ordered", field: "@key" } as const;

async function withNumbers(isIndexed: boolean, count: number): Promise<Database<number>> {
  const db = await openInMemory<number>(isIndexed ? { indexes: { keys: KEY_INDEX } } : {});
  const pairs = Array.from(
    { length: count },
    (_, i) => [`n:${String(i).padStart(6, "0")}`, i] as const,
  );
  // Not in their order.
  pairs.sort(([, one], [, other]) => ((one * 7919) % count) - ((other * 7919) % count));
  await Promise.all(pairs.map(([key, value]) => db.set(key, value)));
  return db;
}

async function examinedBy(db: Database<number>, act: () => void): Promise<number> {
  const read = async () =>
    Number(/keys_examined:(\d+)/.exec(await db.call<string>("INFO", "stats"))?.[1]);
  const before = await read();
  act();
  return (await read()) - before;
}

describe.each([true, false])("with an index of the keys: %p", (isIndexed) => {
  test("K16: ranges, prefixes, both directions and limits are those of a sorted array", async () => {
    await using db = await openInMemory<number>(isIndexed ? { indexes: { keys: KEY_INDEX } } : {});
    const model = new Map<string, number>();
    const put = (key: string, value: number) => {
      model.set(key, value);
      return db.set(key, value);
    };
    const letters = ["", "a", "b", "ä", "\u{1f680}", "\0", "\x01"];
    for (const one of letters) {
      for (const two of letters)
        for (const three of letters) await put(one + two + three, model.size);
    }
    for (const key of ["a", "ab", "bb", "ää"]) {
      await db.delete(key);
      model.delete(key);
    }
    const order = (one: string, other: string) =>
      Buffer.compare(Buffer.from(one), Buffer.from(other));
    const sorted = [...model].sort(([one], [other]) => order(one, other));
    const cases: RangeOptions[] = [
      {},
      { reverse: true },
      { prefix: "a" },
      { prefix: "\u{1f680}", reverse: true },
      { gte: "ab", lt: "b" },
      { gt: "ba", lte: "ä" },
      { gte: "b", lte: "b" },
      { gt: "b", lt: "a" },
      { gt: "a", gte: "a" },
      { gte: "a", limit: 3 },
      { lt: "b", reverse: true, limit: 5 },
      { prefix: "b", gt: "ba", reverse: true, limit: 2 },
      { limit: 0 },
      { prefix: "nobody" },
    ];
    for (const options of cases) {
      const { prefix = "", gte, gt, lte, lt, reverse, limit } = options;
      let expected = sorted.filter(
        ([key]) =>
          key.startsWith(prefix) &&
          (gte === undefined || order(key, String(gte)) >= 0) &&
          (gt === undefined || order(key, String(gt)) > 0) &&
          (lte === undefined || order(key, String(lte)) <= 0) &&
          (lt === undefined || order(key, String(lt)) < 0),
      );
      if (reverse) expected.reverse();
      expected = expected.slice(0, limit);
      expect([options, [...db.iterate(options)]]).toEqual([options, expected]);
      expect([...db.keys(options)]).toEqual(expected.map(([key]) => key));
      expect([...db.values(options)]).toEqual(expected.map(([, value]) => value));
      const inside = db.prefix<number>("a").iterate(options);
      expect([...inside].every(([key]) => model.has(`a${key}`))).toBe(true);
    }
  });

  test("thousands of keys come page by page, once each", async () => {
    await using db = await withNumbers(isIndexed, 20_000);
    const all = [...db.values()];
    expect(all).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
    expect([...db.values({ reverse: true })]).toEqual(all.toReversed());
  });

  test("writes go on meanwhile: what is behind the place is met, and what is gone is not", async () => {
    await using db = await withNumbers(isIndexed, 3000);
    const seen: number[] = [];
    for (const [key, value] of db.iterate()) {
      seen.push(value);
      if (value === 0) {
        await db.delete("n:000001", "n:002999");
        await db.set("n:002000", -1);
        await db.set("a", -2);
      }
      expect(db.has(key)).toBe(true);
    }
    expect(seen.length).toBe(2998);
    expect(seen).toContain(-1);
    expect(seen).not.toContain(2999);
    expect(seen).not.toContain(-2);
  });

  test("`list` finds the same, prefix and pattern and limit", async () => {
    await using db = await withNumbers(isIndexed, 20_000);
    await db.set("other", 1);
    const listed = [...db.list({ prefix: "n:" })];
    expect([listed.length, new Set(listed).size]).toEqual([20_000, 20_000]);
    expect([...db.list({ prefix: "n:0", pattern: "*9999" })].sort()).toEqual([
      "n:009999",
      "n:019999",
    ]);
    expect([...db.list({ prefix: "n:00001", limit: 20 })].sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `n:00001${i}`),
    );
  });

  test("a store with a prefix goes through its own keys", async () => {
    await using db = await withNumbers(isIndexed, 100);
    await db.set("m", -1);
    await db.set("o", -1);
    const numbers = db.prefix<number>("n:");
    expect([...numbers.keys({ gte: "000098" })]).toEqual(["000098", "000099"]);
    expect([...numbers.values({ reverse: true, limit: 1 })]).toEqual([99]);
    expect([...numbers.prefix<number>("00009").keys({ lt: "2" })]).toEqual(["0", "1"]);
  });
});

test("with an index the pairs alone are looked at, whatever else there is", async () => {
  await using db = await withNumbers(true, 20_000);
  expect(await examinedBy(db, () => [...db.iterate({ prefix: "n:00012" })])).toBe(10);
  expect(await examinedBy(db, () => [...db.keys({ reverse: true, limit: 3 })])).toBe(3);
  expect(await examinedBy(db, () => [...db.keys({ gte: "n:000100", lt: "n:000105" })])).toBe(5);
  await db.index.drop("keys");
  expect(await examinedBy(db, () => [...db.keys({ prefix: "n:00012" })])).toBeGreaterThanOrEqual(
    20_000,
  );
});

test("a value of another kind throws with its key, and `keys` has it", async () => {
  await using db = await openInMemory<string>();
  await db.set("a", "1");
  await db.call("RPUSH", "b", "x");
  expect([...db.keys()]).toEqual(["a", "b"]);
  const failure = await failureOf(() => [...db.iterate()]);
  expect([failure.code, failure.message]).toEqual([
    "COMMAND",
    expect.stringContaining('key "b": WRONGTYPE'),
  ]);
});

test.each([
  [{ gte: 5 }, "options.gte: expected a string"],
  [{ lt: "\ud800" }, "options.lt: expected a string that has a UTF-8"],
  [{ limit: -1 }, "options.limit: expected an integer above 0, found -1"],
  [{ reverse: 1 }, "options.reverse: expected true or false"],
  [{ prefix: 1 }, "options.prefix: expected a string"],
  [{ gt3: "a" }, "options.gt3"],
])("%j is refused when it is said, not at the first step", async (options, message) => {
  await using db = await openInMemory();
  const failure = await failureOf(() => db.iterate(options as RangeOptions));
  expect([failure.code, failure.message]).toEqual(["USAGE", expect.stringContaining(message)]);
});

test("bounds may be bytes", async () => {
  await using db = await openInMemory<string>();
  await db.set("a", "1");
  await db.set("é", "2");
  expect([...db.keys({ gt: new Uint8Array([0xc3]) })]).toEqual(["é"]);
});
