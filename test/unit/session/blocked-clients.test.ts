/** Who waits for keys, whatever the type: order, time, what makes a key ready, what each leaves in the journal. */
import { describe, expect, test } from "bun:test";
import { CommandError } from "../../../src/commands/command-error.ts";
import type { WriteReply } from "../../../src/session/later-reply.ts";
import type { Session } from "../../../src/session/session.ts";
import { STRING } from "../../../src/store/entry.ts";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";

/** `TAKE timeout key…` waits for a string and removes it; `KEEP key` waits until there is none. */
function createHarness(): EngineHarness {
  const db = new EngineHarness();
  const flags = ["write", "blocking"] as const;
  db.addCoreCommand(
    "TAKE",
    (session, args) => {
      const keys = Array.from({ length: args.count - 2 }, (_, index) => args.bytes(index + 2));
      session.server.blockedClients.wait({
        session,
        type: STRING,
        keys,
        timeoutMs: args.integer(1),
        serve: (key) => take(session, key),
        onTimeout: (reply) => reply.null(),
      });
    },
    { flags },
  );
  db.addCoreCommand(
    "KEEP",
    (session, args) => {
      session.server.blockedClients.wait({
        session,
        type: STRING,
        keys: [args.bytes(1)],
        timeoutMs: 0,
        serve: () => null,
        missing: () => {
          throw new CommandError("GONE", "it is gone");
        },
        onTimeout: (reply) => reply.null(),
      });
    },
    { flags },
  );
  return db;
}

function take(session: Session, key: Buffer): WriteReply {
  const { database, server } = session;
  database.remove(database.find(key, 0, key.length));
  server.effects.command(2);
  server.effects.text("DEL");
  server.effects.bytes(key, 0, key.length);
  return (reply) => reply.bulk(key, 0, key.length);
}

interface Waiting {
  readonly session: Session;
  answer: unknown;
}

const NOTHING = "nothing yet";

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

describe("order", () => {
  test("first come, first served; each element goes to one", async () => {
    const db = createHarness();
    const [first, second] = [await wait(db, "TAKE", 0, "a"), await wait(db, "TAKE", 0, "a", "a")];
    await run(db, "SET", "b", "1");
    expect([first.answer, second.answer]).toEqual([NOTHING, NOTHING]);
    await run(db, "SET", "a", "1");
    expect([first.answer, second.answer]).toEqual(["a", NOTHING]);
    expect(db.run("EXISTS", "a")).toBe(0);
    await run(db, "SET", "a", "2");
    expect(second.answer).toBe("a");
    await run(db, "SET", "a", "3");
    expect(db.run("EXISTS", "a")).toBe(1);
    expect(db.engine.keyspace.keyListener).toBeNull();
  });

  test("of keys that become ready in one command, the one that became it first", async () => {
    const db = createHarness();
    const both = await wait(db, "TAKE", 0, "a", "b");
    await run(db, "MSET", "b", "1", "a", "2");
    expect(both.answer).toBe("b");
    expect(db.run("EXISTS", "a", "b")).toBe(1);
  });

  test("one waits in its own database alone", async () => {
    const db = createHarness();
    const one = await wait(db, "TAKE", 0, "a");
    await run(db, "SELECT", 1);
    await run(db, "SET", "a", "1");
    expect(one.answer).toBe(NOTHING);
    await run(db, "SWAPDB", 0, 1);
    expect(one.answer).toBe("a");
  });
});

test.each([
  { words: ["RENAME", "other", "a"] },
  { words: ["COPY", "other", "a"] },
  { words: ["SETRANGE", "a", "0", "x"] },
])("makes a key ready: $words", async ({ words }) => {
  const db = createHarness();
  await run(db, "SET", "other", "1");
  const one = await wait(db, "TAKE", 0, "a");
  await run(db, ...words);
  expect(one.answer).toBe("a");
});

test("MOVE makes a key ready in the other database", async () => {
  const db = createHarness();
  const session = db.connect();
  db.runIn(session, "SELECT", 3);
  let answer: unknown = NOTHING;
  void db.askIn(session, "TAKE", 0, "a").then((value) => {
    answer = value;
  });
  await run(db, "SET", "a", "1");
  await run(db, "MOVE", "a", 3);
  expect(answer).toBe("a");
});

test("a value of another type does not wake anybody", async () => {
  const db = createHarness();
  const one = await wait(db, "TAKE", 0, "a");
  await run(db, "VALUE.SET", "a", "{}");
  expect(one.answer).toBe(NOTHING);
});

test("what is served is a record of its own, behind the one that made it possible", async () => {
  const db = createHarness();
  await wait(db, "TAKE", 0, "a");
  db.records();
  await run(db, "SET", "a", "1");
  expect(db.records().map(({ commands }) => commands)).toEqual([["SET a 1"], ["DEL a"]]);
  expect(db.replayed().run("EXISTS", "a")).toBe(0);
});

describe("ends without being served", () => {
  test("when the time is over", async () => {
    const db = createHarness();
    const one = await wait(db, "TAKE", 50, "a");
    db.advance(49);
    await settled();
    expect(one.answer).toBe(NOTHING);
    db.advance(1);
    await settled();
    expect(one.answer).toBeNull();
    await run(db, "SET", "a", "1");
    expect(db.run("EXISTS", "a")).toBe(1);
  });

  test("when the client goes: nobody takes what comes, and no timer is left", async () => {
    const db = createHarness();
    const timers = db.clock.pendingCount;
    const one = await wait(db, "TAKE", 50, "a");
    db.engine.disconnect(one.session);
    expect(db.clock.pendingCount).toBe(timers);
    await run(db, "SET", "a", "1");
    expect(db.run("EXISTS", "a")).toBe(1);
    expect(db.engine.keyspace.keyListener).toBeNull();
  });

  test("by CLIENT UNBLOCK", async () => {
    const db = createHarness();
    const [one, two] = [await wait(db, "TAKE", 0, "a"), await wait(db, "TAKE", 0, "a")];
    expect(await run(db, "CLIENT", "UNBLOCK", one.session.id)).toBe(1);
    expect(one.answer).toBeNull();
    expect(await run(db, "CLIENT", "UNBLOCK", one.session.id, "timeout")).toBe(0);
    expect(await run(db, "CLIENT", "UNBLOCK", two.session.id, "ERROR")).toBe(1);
    expect(two.answer).toEqual({ error: "UNBLOCKED client unblocked via CLIENT UNBLOCK" });
    expect(await run(db, "CLIENT", "UNBLOCK", 12345)).toBe(0);
    expect(await run(db, "CLIENT", "UNBLOCK", 1, "NOW")).toEqual({
      error: "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
    });
    expect(db.engine.keyspace.keyListener).toBeNull();
  });

  test("when what it wants more of is gone, by whatever way", async () => {
    for (const way of [["DEL", "a"], ["FLUSHALL"], ["FLUSHDB"], ["VALUE.SET", "a", "12"]]) {
      const db = createHarness();
      await run(db, "SET", "a", "1");
      const one = await wait(db, "KEEP", "a");
      await run(db, ...way);
      expect(one.answer).toEqual({ error: "GONE it is gone" });
    }
  });

  test("also when that is its time to live", async () => {
    const db = createHarness();
    await run(db, "SET", "a", "1", "PX", 50);
    const one = await wait(db, "KEEP", "a");
    db.advance(100);
    await settled();
    expect(one.answer).toEqual({ error: "GONE it is gone" });
  });
});

test("thousands wait for one key: an element costs one of them", async () => {
  const db = new EngineHarness({ auditEvery: 0 });
  let asked = 0;
  db.addCoreCommand("TAKE", (session, args) => {
    session.server.blockedClients.wait({
      session,
      type: STRING,
      keys: [args.bytes(1)],
      timeoutMs: 0,
      serve: (key) => {
        asked++;
        return take(session, key);
      },
      onTimeout: (reply) => reply.null(),
    });
  });
  for (let i = 0; i < 2000; i++) void db.askIn(db.connect(), "TAKE", "a");
  for (let i = 0; i < 100; i++) db.run("SET", "a", "1");
  expect(asked).toBe(100);
  expect(db.run("INFO", "clients")).toContain("blocked_clients:1900");
});
