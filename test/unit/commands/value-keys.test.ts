/** VALUE.KEYS: steps over all keys, each key once, whatever comes and goes meanwhile. */
import { expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

function withKeys(count: number): EngineHarness {
  const db = new EngineHarness({ auditEvery: 1000 });
  for (let i = 0; i < count; i++) db.run("SET", `key:${i}`, "1");
  return db;
}

type Words = readonly (string | number)[];

/** All pages, from the first cursor to 0; `between` runs after each. */
function pages(db: EngineHarness, words: Words, between = () => {}): string[][] {
  const all: string[][] = [];
  let cursor = "0";
  do {
    const answer = db.run("VALUE.KEYS", ...words, "CURSOR", cursor) as [string, string[]];
    all.push(answer[1]);
    cursor = answer[0];
    between();
  } while (cursor !== "0");
  return all;
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `key:${i}`).sort();

test("every key once, in steps of a bounded size", () => {
  const db = withKeys(30_000);
  const all = pages(db, []);
  expect(all.flat().sort()).toEqual(names(30_000));
  expect(all.length).toBeGreaterThan(2);
});

test.each([1, 10, 600])("FIRST %d: of each step the first keys in order", (first) => {
  const db = withKeys(20_000);
  const all = pages(db, ["FIRST", first]);
  for (const page of all) {
    expect(page.length).toBeLessThanOrEqual(first);
    expect(page).toEqual([...page].sort());
  }
  expect(all.flat().sort().slice(0, first)).toEqual(names(20_000).slice(0, first));
});

test("AFTER: keys behind the given one alone, which need not be there", () => {
  const db = withKeys(100);
  expect(pages(db, ["AFTER", "key:97"]).flat().sort()).toEqual(["key:98", "key:99"]);
  expect(pages(db, ["AFTER", "key:970"]).flat().sort()).toEqual(["key:98", "key:99"]);
  expect(pages(db, ["AFTER", "key:98", "FIRST", 1, "PREFIX", "key:9"]).flat()).toEqual(["key:99"]);
});

test("MATCH is a pattern, PREFIX takes every character as it is", () => {
  const db = withKeys(200);
  db.run("SET", "a*b", "1");
  db.run("SET", "a*c", "1");
  db.run("SET", "aXb", "1");
  expect(pages(db, ["MATCH", "key:1?"]).flat().sort()).toEqual(
    names(200).filter((name) => /^key:1\d$/.test(name)),
  );
  expect(pages(db, ["PREFIX", "a*"]).flat().sort()).toEqual(["a*b", "a*c"]);
  expect(pages(db, ["PREFIX", "a*", "MATCH", "*b"]).flat()).toEqual(["a*b"]);
  expect(pages(db, ["PREFIX", "key:199-longer-than-any"]).flat()).toEqual([]);
});

test("a pattern that matches little looks at a bounded number of keys", () => {
  const db = withKeys(30_000);
  const all = pages(db, ["MATCH", "key:29999"]);
  expect(all.flat()).toEqual(["key:29999"]);
  expect(all.length).toBeGreaterThan(2);
});

test("keys that stay are found once while others come and go", () => {
  const db = withKeys(20_000);
  let turn = 0;
  const all = pages(db, ["PREFIX", "key:"], () => {
    for (let i = 0; i < 50; i++) db.run("SET", `more:${turn}:${i}`, "1");
    db.run("DEL", `more:${turn - 1}:0`);
    turn++;
  });
  expect(turn).toBeGreaterThan(2);
  expect(all.flat().sort()).toEqual(names(20_000));
});

test("keys that are over are left out", () => {
  const db = new EngineHarness({ background: false });
  db.run("SET", "a", "1", "PX", 10);
  db.run("SET", "b", "1");
  db.advance(10);
  expect(db.run("VALUE.KEYS")).toEqual(["0", ["b"]]);
});

test.each([
  [["FIRST", 0], "ERR FIRST must be at least 1"],
  [["FIRST", "x"], "ERR value is not an integer or out of range"],
  [["CURSOR", "-1"], "ERR invalid cursor"],
  [["CURSOR", 2 ** 32], "ERR invalid cursor"],
  [["CURSOR"], "ERR syntax error"],
  [["key:*"], "ERR syntax error"],
])("%p is refused", (words, error) => {
  expect(new EngineHarness().run("VALUE.KEYS", ...(words as string[]))).toEqual({ error });
});
