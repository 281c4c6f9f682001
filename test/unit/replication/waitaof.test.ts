/** WAITAOF: what it waits for and for how long, in each mode, and that it makes the wait short. */
import { describe, expect, test } from "bun:test";
import type { Durability } from "../../../src/plugin.ts";
import type { Session } from "../../../src/session/session.ts";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";

interface Waiting {
  readonly db: EngineHarness;
  readonly session: Session;
  /** What the client gets: null until it is there. */
  answer(): unknown;
}

/** A client that has written something, and then waits. */
async function writeAndWait(durability: Durability, ...words: readonly Argument[]) {
  const db = new EngineHarness({ durability, background: false });
  db.persistence.holdsSyncs = true;
  return waitAfter(db, "k", words);
}

async function waitAfter(
  db: EngineHarness,
  key: string,
  words: readonly Argument[],
): Promise<Waiting> {
  let answer: unknown = null;
  const session = db.connect();
  db.runIn(session, "SET", key, "1");
  void db.askIn(session, ...words).then((value) => {
    answer = value;
  });
  await settled(db);
  return { db, session, answer: () => answer };
}

/** Lets what the disk has answered take its way. */
async function settled(db: EngineHarness): Promise<void> {
  for (let step = 0; step < 10; step++) await Promise.resolve();
  db.endTurn();
}

async function sync(db: EngineHarness): Promise<void> {
  db.persistence.sync();
  await settled(db);
}

async function pass(db: EngineHarness, ms: number): Promise<void> {
  db.advance(ms);
  await settled(db);
}

test.each<Durability>(["always", "everysec", "no"])("mode %s: waits for the sync", async (mode) => {
  const { db, answer } = await writeAndWait(mode, "WAITAOF", 1, 0, 0);
  expect(answer()).toBeNull();
  while (db.persistence.waiting > 0) await sync(db);
  expect(answer()).toEqual([1, 0]);
  expect(db.clock.monotonicMs()).toBe(0); // no timer was waited for
});

test.each<Durability>(["everysec", "no"])(
  "mode %s: a sync that began before the write does not do",
  async (mode) => {
    const db = new EngineHarness({ durability: mode, background: false });
    db.persistence.holdsSyncs = true;
    const first = await waitAfter(db, "a", ["WAITAOF", 1, 0, 0]);
    const second = await waitAfter(db, "b", ["WAITAOF", 1, 0, 0]);
    expect(db.persistence.durableFlushes).toBe(1);
    await sync(db);
    expect([first.answer(), second.answer()]).toEqual([[1, 0], null]);
    expect(db.persistence.durableFlushes).toBe(2);
    await sync(db);
    expect(second.answer()).toEqual([1, 0]);
  },
);

test("who has written nothing, or waits for nothing, is answered at once", async () => {
  const db = new EngineHarness();
  db.persistence.holdsSyncs = true;
  db.runIn(db.connect(), "SET", "k", "1");
  expect(await db.ask("WAITAOF", 1, 0, 0)).toEqual([1, 0]);
  expect((await writeAndWait("always", "WAITAOF", 0, 0, 0)).answer()).toEqual([0, 0]);
});

test("when the time is over, it answers what has come about", async () => {
  const { db, answer } = await writeAndWait("always", "WAITAOF", 1, 0, 50);
  await pass(db, 49);
  expect(answer()).toBeNull();
  await pass(db, 1);
  expect(answer()).toEqual([0, 0]);
  await sync(db);
  await pass(db, 1000);
  expect(answer()).toEqual([0, 0]);
});

test("no replica ever answers: only the time out ends that, or the client", async () => {
  const { db, answer } = await writeAndWait("always", "WAITAOF", 1, 1, 50);
  await sync(db);
  expect(answer()).toBeNull();
  await pass(db, 50);
  expect(answer()).toEqual([1, 0]);

  const forever = await writeAndWait("always", "WAITAOF", 0, 1, 0);
  await pass(forever.db, 1e9);
  expect(forever.answer()).toBeNull();
});

test("a client that is gone leaves neither a timer nor a listener behind", async () => {
  const { db, session, answer } = await writeAndWait("always", "WAITAOF", 1, 0, 50);
  expect(db.clock.pendingCount).toBe(1);
  db.engine.disconnect(session);
  expect(db.clock.pendingCount).toBe(0);
  await sync(db);
  expect(answer()).toBeNull();
});

test("a disk that refuses is waited for until it works again", async () => {
  const { db, answer } = await writeAndWait("always", "WAITAOF", 1, 0, 0);
  db.persistence.refuse(new Error("no space left"));
  await settled(db);
  expect(answer()).toBeNull();
  await pass(db, 1000);
  await sync(db);
  expect(answer()).toEqual([1, 0]);
});

test("where nobody can wait, it answers at once how things are", () => {
  const db = new EngineHarness();
  db.persistence.holdsSyncs = true;
  db.run("SET", "k", "1");
  expect(db.run("WAITAOF", 1, 0, 0)).toEqual([0, 0]);
});

describe("errors are Redis's", () => {
  test("without records there is nothing to wait for", async () => {
    const db = new EngineHarness({ durability: "none" });
    expect(await db.ask("WAITAOF", 1, 0, 0)).toEqual({
      error: "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
    });
    expect(await db.ask("WAITAOF", 0, 0, 0)).toEqual([0, 0]);
  });

  test.each([
    [["x", 0, 0], "value is not an integer or out of range"],
    [[2, 0, 0], "value is out of range, value must between 0 and 1"],
    [[-1, 0, 0], "value is out of range, value must between 0 and 1"],
    [[1, "x", 0], "value is out of range, must be positive"],
    [[1, -1, 0], "value is out of range, must be positive"],
    [[1, 0, "x"], "timeout is not an integer or out of range"],
    [[1, 0, 1.5], "timeout is not an integer or out of range"],
    [[1, 0, "9223372036854775808"], "timeout is not an integer or out of range"],
    [[1, 0, "9223372036854775807"], "timeout is out of range"],
    [[1, 0, -1], "timeout is negative"],
  ])("%p", async (words, text) => {
    const db = new EngineHarness();
    expect(await db.ask("WAITAOF", ...words)).toEqual({ error: `ERR ${text}` });
  });
});
