/** Waiting for lists: who gets which element, chains of BLMOVE, what is recorded. How waiting itself works: session/. */
import { describe, expect, test } from "bun:test";
import type { Session } from "../../../src/session/session.ts";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";

const NOTHING = "nothing yet";
const WRONG = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };

interface Waiting {
  readonly session: Session;
  answer: unknown;
}

async function wait(db: EngineHarness, ...words: readonly Argument[]): Promise<Waiting> {
  const waiting: Waiting = { session: db.connect(), answer: NOTHING };
  void db.askIn(waiting.session, ...words).then((value) => {
    waiting.answer = value;
  });
  await settled();
  return waiting;
}

async function settled(): Promise<void> {
  for (let step = 0; step < 5; step++) await Promise.resolve();
}

async function run(db: EngineHarness, ...words: readonly Argument[]): Promise<unknown> {
  const value = db.run(...words);
  await settled();
  return value;
}

const commandsOf = (db: EngineHarness) => db.records().flatMap(({ commands }) => commands);

describe("at once, when there is an element", () => {
  test("from the first key in the order given, whatever the time", async () => {
    const db = new EngineHarness();
    db.run("RPUSH", "b", "1", "2");
    db.run("RPUSH", "c", "3", "4");
    expect(await db.ask("BLPOP", "a", "b", "c", 0)).toEqual(["b", "1"]);
    expect(await db.ask("BRPOP", "a", "c", "b", 0)).toEqual(["c", "4"]);
    expect(await db.ask("BLMOVE", "b", "a", "LEFT", "RIGHT", 0)).toBe("2");
    expect(await db.ask("BRPOPLPUSH", "c", "a", 0)).toBe("3");
    expect(await db.ask("BLMPOP", 0, 2, "b", "a", "LEFT", "COUNT", 9)).toEqual(["a", ["3", "2"]]);
    expect(commandsOf(db).slice(2)).toEqual([
      "LPOP b",
      "RPOP c",
      "LMOVE b a LEFT RIGHT",
      "LMOVE c a RIGHT LEFT",
      "LPOP a 2",
    ]);
    expect(db.replayed().run("DBSIZE")).toBe(0);
  });

  test("a key of another type is an error before a later one is looked at", async () => {
    const db = new EngineHarness();
    db.run("SET", "s", "1");
    db.run("RPUSH", "l", "1");
    expect(await db.ask("BLPOP", "none", "s", "l", 0)).toEqual(WRONG);
    expect(await db.ask("BLMOVE", "s", "l", "LEFT", "LEFT", 0)).toEqual(WRONG);
    expect(await db.ask("BLMOVE", "l", "s", "LEFT", "LEFT", 0)).toEqual(WRONG);
    expect(db.run("LLEN", "l")).toBe(1);
  });
});

test("who cannot wait is answered as when the time is over", () => {
  const db = new EngineHarness();
  expect(db.run("BLPOP", "l", 0)).toBeNull();
  expect(db.run("BLMPOP", 0, 1, "l", "LEFT")).toBeNull();
  expect(db.run("BLMOVE", "l", "m", "LEFT", "LEFT", 0)).toBeNull();
});

test("times", async () => {
  const db = new EngineHarness();
  const texts: Readonly<Record<string, string>> = {
    x: "timeout is not a float or out of range",
    nan: "timeout is not a float or out of range",
    "-1": "timeout is negative",
    1e30: "timeout is out of range",
    inf: "timeout is out of range",
  };
  for (const [time, text] of Object.entries(texts)) {
    expect(db.run("BLPOP", "l", time)).toEqual({ error: `ERR ${text}` });
    expect(db.run("BLMPOP", time, 1, "l", "LEFT")).toEqual({ error: `ERR ${text}` });
  }
  const one = await wait(db, "BLPOP", "l", "0.0301");
  db.advance(30);
  await settled();
  expect(one.answer).toBe(NOTHING);
  db.advance(1);
  await settled();
  expect(one.answer).toBeNull();
});

describe("one push", () => {
  test("serves as many as it has elements, each from its end, in the order they came", async () => {
    const db = new EngineHarness();
    const [one, two, three] = [
      await wait(db, "BLPOP", "l", 0),
      await wait(db, "BRPOP", "x", "l", 0),
      await wait(db, "BLPOP", "l", 0),
    ];
    expect(await run(db, "RPUSH", "l", "a", "b", "c")).toBe(3);
    expect([one.answer, two.answer, three.answer]).toEqual([
      ["l", "a"],
      ["l", "c"],
      ["l", "b"],
    ]);
    expect(commandsOf(db)).toEqual(["RPUSH l a b c", "LPOP l", "RPOP l", "LPOP l"]);
    expect(db.replayed().run("EXISTS", "l")).toBe(0);
  });

  test("an LPUSH of several shows the state when it is over", async () => {
    const db = new EngineHarness();
    const one = await wait(db, "BLPOP", "l", 0);
    await run(db, "LPUSH", "l", "a", "b", "c");
    expect(one.answer).toEqual(["l", "c"]);
    expect(db.run("LRANGE", "l", 0, -1)).toEqual(["b", "a"]);
  });

  test("BLMPOP takes up to its count", async () => {
    const db = new EngineHarness();
    const one = await wait(db, "BLMPOP", 0, 2, "k", "l", "RIGHT", "COUNT", 2);
    await run(db, "RPUSH", "l", "a", "b", "c");
    expect(one.answer).toEqual(["l", ["c", "b"]]);
    expect(commandsOf(db)).toEqual(["RPUSH l a b c", "RPOP l 2"]);
  });
});

describe("BLMOVE", () => {
  test("passes an element on to who waits for the other list, and so on", async () => {
    const db = new EngineHarness();
    const last = await wait(db, "BLPOP", "c", 0);
    const second = await wait(db, "BLMOVE", "b", "c", "LEFT", "RIGHT", 0);
    const first = await wait(db, "BRPOPLPUSH", "a", "b", 0);
    await run(db, "RPUSH", "a", "x");
    expect([first.answer, second.answer, last.answer]).toEqual(["x", "x", ["c", "x"]]);
    expect(commandsOf(db)).toEqual([
      "RPUSH a x",
      "LMOVE a b RIGHT LEFT",
      "LMOVE b c LEFT RIGHT",
      "LPOP c",
    ]);
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("to the list it waits for serves the next", async () => {
    const db = new EngineHarness();
    const moves = await wait(db, "BLMOVE", "l", "l", "LEFT", "RIGHT", 0);
    const takes = await wait(db, "BLPOP", "l", 0);
    await run(db, "RPUSH", "l", "x");
    expect([moves.answer, takes.answer]).toEqual(["x", ["l", "x"]]);
  });

  test("to a key of another type is an error for who waits, and the element stays for the next", async () => {
    const db = new EngineHarness();
    db.run("SET", "s", "1");
    const moves = await wait(db, "BLMOVE", "l", "s", "LEFT", "RIGHT", 0);
    const takes = await wait(db, "BLPOP", "l", 0);
    await run(db, "RPUSH", "l", "x");
    expect([moves.answer, takes.answer]).toEqual([WRONG, ["l", "x"]]);
    expect(commandsOf(db)).toEqual(["SET s 1", "RPUSH l x", "LPOP l"]);
  });
});

test("what is served waits for the disk like any other write", async () => {
  const db = new EngineHarness({ durability: "always" });
  const one = await wait(db, "BLPOP", "l", 0);
  one.session.hold = 0;
  await run(db, "RPUSH", "l", "a");
  expect(one.session.hold).toBe(2);
  expect(one.session.hasWritten).toBe(true);
});

test.each([
  { way: ["RENAME", "m", "l"] },
  { way: ["COPY", "m", "l"] },
  { way: ["LMOVE", "m", "l", "LEFT", "LEFT"] },
  { way: ["LINSERT", "m", "AFTER", "a", "b"], wakes: false },
])("is woken by $way", async ({ way, wakes = true }) => {
  const db = new EngineHarness();
  db.run("RPUSH", "m", "a");
  const one = await wait(db, "BLPOP", "l", 0);
  await run(db, ...way);
  expect(one.answer).toEqual(wakes ? ["l", "a"] : NOTHING);
});

test("DUMP and RESTORE wake as well", async () => {
  const db = new EngineHarness();
  db.run("RPUSH", "m", "a");
  const payload = db.run("DUMP", "m") as Buffer;
  const one = await wait(db, "BLPOP", "l", 0);
  await run(db, "RESTORE", "l", 0, payload);
  expect(one.answer).toEqual(["l", "a"]);
});
