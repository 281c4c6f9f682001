/** Waiting for sorted sets: at once, later, in order of coming; what is recorded. How waiting itself works: session/. */
import { expect, test } from "bun:test";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";

const NOTHING = "nothing yet";
const WRONG = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };

async function settled(): Promise<void> {
  for (let step = 0; step < 5; step++) await Promise.resolve();
}

async function wait(db: EngineHarness, ...words: readonly Argument[]) {
  const waiting: { answer: unknown } = { answer: NOTHING };
  void db.askIn(db.connect(), ...words).then((value) => {
    waiting.answer = value;
  });
  await settled();
  return waiting;
}

const commandsOf = (db: EngineHarness) => db.records().flatMap(({ commands }) => commands);

test("at once, from the first key that has a sorted set", async () => {
  const db = new EngineHarness();
  db.run("ZADD", "y", 1, "a", 2, "b", 3, "c", 4, "d");
  db.records();
  expect(await db.ask("BZPOPMIN", "x", "y", 0)).toEqual(["y", "a", 1]);
  expect(await db.ask("BZPOPMAX", "x", "y", 0)).toEqual(["y", "d", 4]);
  expect(await db.ask("BZMPOP", 0, 2, "x", "y", "MAX", "COUNT", 9)).toEqual([
    "y",
    [
      ["c", 3],
      ["b", 2],
    ],
  ]);
  expect(commandsOf(db)).toEqual(["ZREM y a", "ZREM y d", "ZREM y c b"]);
  expect(db.replayed().run("DBSIZE")).toBe(0);
});

test("later, in the order they came, as many as one command adds", async () => {
  const db = new EngineHarness();
  const one = await wait(db, "BZPOPMIN", "x", "y", 0);
  const two = await wait(db, "BZPOPMAX", "y", 0);
  const three = await wait(db, "BZMPOP", 0, 1, "y", "MIN", "COUNT", 5);
  const four = await wait(db, "BZPOPMIN", "y", 0);
  db.run("SADD", "y", "no sorted set");
  db.run("DEL", "y");
  db.records();
  expect(db.run("ZADD", "y", 1, "a", 2, "b", 3, "c", 4, "d")).toBe(4);
  await settled();
  expect(one.answer).toEqual(["y", "a", 1]);
  expect(two.answer).toEqual(["y", "d", 4]);
  expect(three.answer).toEqual([
    "y",
    [
      ["b", 2],
      ["c", 3],
    ],
  ]);
  expect(four.answer).toBe(NOTHING);
  expect(commandsOf(db)).toEqual([
    ...["ZADD y 1 a 2 b 3 c 4 d", "ZREM y a", "ZREM y d", "ZREM y b c"],
  ]);
  expect(db.replayed().run("DBSIZE")).toBe(0);
});

test.each([
  ["ZUNIONSTORE y 1 source", ["y", "b", 2]],
  ["ZRANGESTORE y source 0 -1", ["y", "b", 2]],
  ["RENAME source y", ["y", "b", 2]],
  ["COPY source y", ["y", "b", 2]],
  ["ZINCRBY y 7 m", ["y", "m", 7]],
  ["GEOADD y 0 0 m", ["y", "m", 3377699720527872]],
])("%s makes a key ready", async (command, answer) => {
  const db = new EngineHarness();
  db.run("ZADD", "source", 1, "a", 2, "b");
  const one = await wait(db, "BZPOPMAX", "y", 0);
  db.run(...command.split(" "));
  await settled();
  expect(one.answer).toEqual(answer);
  expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
});

test("who cannot wait, and whose time is over, gets nothing", async () => {
  const db = new EngineHarness();
  expect(db.run("BZPOPMIN", "x", 0)).toBeNull();
  expect(db.run("BZMPOP", 0, 1, "x", "MIN")).toBeNull();
  const one = await wait(db, "BZPOPMIN", "x", "0.03");
  db.advance(31);
  await settled();
  expect(one.answer).toBeNull();
});

test("a key of another type, a wrong time, wrong words are refused", async () => {
  const db = new EngineHarness();
  db.run("SET", "s", "v");
  expect(await db.ask("BZPOPMIN", "x", "s", 0)).toEqual(WRONG);
  expect(await db.ask("BZMPOP", 0, 2, "x", "s", "MIN")).toEqual(WRONG);
  expect(await db.ask("BZPOPMIN", "x", -1)).toEqual({ error: "ERR timeout is negative" });
  expect(await db.ask("BZMPOP", 0, 1, "x", "LOW")).toEqual({ error: "ERR syntax error" });
  expect(await db.ask("BZMPOP", 0, 0, "x", "MIN")).toEqual({
    error: "ERR numkeys should be greater than 0",
  });
  // The time is looked at last.
  expect(await db.ask("BZMPOP", -1, 0, "x", "MIN")).toEqual({
    error: "ERR numkeys should be greater than 0",
  });
  expect(await db.ask("BZMPOP", "soon", 1, "x", "LOW")).toEqual({ error: "ERR syntax error" });
  expect(await db.ask("BZMPOP", -1, 1, "x", "MIN")).toEqual({ error: "ERR timeout is negative" });
});
