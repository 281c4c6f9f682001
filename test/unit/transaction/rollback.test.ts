/**
 * MULTI ROLLBACK: an error undoes all. Generated transactions over data of every type, with indexes, deadlines, giants and
 * flushes: one that is undone leaves every byte of the arena as it was, one that stands leaves what MULTI leaves.
 */
import { describe, expect, test } from "bun:test";
import { toBytes } from "../../oracle/byte-text.ts";
import { documents } from "../../oracle/generate/documents.ts";
import { GROUPS, sequence } from "../../oracle/generate/sequence.ts";
import { Random } from "../../oracle/random.ts";
import { commandsOf } from "../../oracle/step.ts";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import type { Value } from "../../suites/value-reply.ts";

type Words = readonly Argument[];

const DATA_GROUPS = [
  ...GROUPS.filter(({ name }) => !/^(connection|unknown)$/.test(name)),
  documents,
];
const TIMEOUT_MS = 120_000;

/** Every byte of the arena, and how much of it is in use. */
function imageOf({ engine }: EngineHarness): readonly (string | number)[] {
  const { arena } = engine.keyspace;
  const chunks = arena.bytes.map((bytes) => String(Bun.hash(bytes as unknown as Uint8Array)));
  return [arena.usedBytes, arena.pageCount, ...chunks];
}

function generated(seed: number, count: number): Words[] {
  return sequence(seed, count, DATA_GROUPS)
    .flatMap(commandsOf)
    .filter(({ words, wire }) => wire === undefined && words.length > 0)
    .map(({ words }) => words.map(toBytes));
}

function transact(db: EngineHarness, ...commands: readonly Words[]): Value {
  expect(db.run("MULTI", "ROLLBACK")).toBe("OK");
  for (const words of commands) db.run(...words);
  return db.run("EXEC");
}

/** Commands that may stand in a transaction, as far as their names, arguments and flags go. */
function queueable(db: EngineHarness, commands: readonly Words[]): Words[] {
  return commands.filter((words) => {
    db.run("MULTI", "ROLLBACK");
    const answer = db.run(...words);
    db.run("DISCARD");
    return answer === "QUEUED";
  });
}

const EXTRA: readonly ((random: Random) => Words)[] = [
  () => ["FLUSHALL"],
  () => ["FLUSHDB"],
  () => ["SWAPDB", 0, 1],
  (random) => ["SELECT", random.integer(0, 3)],
  (random) => ["SET", random.pick(["a", "b", "big"]), Buffer.alloc(9 * 2 ** 20, "x")],
  () => ["DEL", "big", "a"],
  (random) => ["JSON.SET", random.pick(["a", "doc"]), "$", `{"n":${random.integer(0, 9)}}`],
];

test.each(seeds(3))(
  "what is undone leaves every byte as it was: seed %d",
  (seed) => {
    let undone = 0;
    for (let round = 0; round < 3; round++) {
      const number = seed * 1000 + round;
      const random = new Random(number);
      const db = new EngineHarness({ databases: 4, auditEvery: 1, background: false });
      if (random.chance(0.7)) {
        db.run("INDEX", "CREATE", "n", "USING", "hash", "FIELD", "n");
        db.run("INDEX", "CREATE", "keys", "USING", "ordered", "FIELD", "@key");
      }
      db.run("SET", "big", Buffer.alloc(9 * 2 ** 20, "y"));
      const all = queueable(db, generated(number, 60));
      for (const words of all.slice(0, 20)) db.run(...words);
      for (let i = 20; i + 8 <= all.length; i += 8) {
        const inside = all
          .slice(i, i + 8)
          .flatMap((words): Words[] =>
            random.chance(0.25) ? [words, random.pick(EXTRA)(random)] : [words],
          );
        if (random.chance(0.3)) db.advance(random.pick([10, 100_000]));
        db.run("TOUCH", "a", "b", "c", "d");
        const before = [imageOf(db), db.run("DEBUG", "DIGEST"), db.session.database.index];
        const statistics = { ...db.engine.keyspace.statistics };
        db.records();
        const answer = transact(db, ...inside, ["SELECT", 99]);
        expect(answer).toHaveProperty("error", expect.stringContaining("EXECABORT"));
        const after = [imageOf(db), db.run("DEBUG", "DIGEST"), db.session.database.index];
        expect([number, i, after]).toEqual([number, i, before]);
        expect(db.records()).toEqual([]);
        expect(db.engine.keyspace.statistics).toEqual(statistics);
        undone++;
        // And what follows is what it would have been.
        for (const words of inside.slice(0, 2)) db.run(...words);
      }
      checkIndexes(db);
      expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
    }
    expect(undone).toBeGreaterThan(6);
  },
  TIMEOUT_MS,
);

function checkIndexes(db: EngineHarness): void {
  for (const index of [0, 1]) {
    db.run("SELECT", index);
    for (const name of db.run("INDEX", "LIST") as Value[]) {
      const named = Array.isArray(name) ? name[0] : name;
      const answer = db.run("INDEX", "CHECK", String(named)) as Map<string, unknown>;
      expect([named, answer.get("status")]).toEqual([named, "ok"]);
    }
  }
  db.run("SELECT", 0);
}

test.each(seeds(2))(
  "what stands is what MULTI leaves: seed %d",
  (seed) => {
    for (let round = 0; round < 10; round++) {
      const number = seed * 1000 + round;
      const [one, other] = [
        new EngineHarness({ auditEvery: 0 }),
        new EngineHarness({ auditEvery: 0 }),
      ];
      // Chance, and the order of hashes, are not the same in two engines.
      const commands = queueable(one, generated(number, 50)).filter(
        ([name]) => !/POP|RAND|STORE|XADD|MOVE/i.test(String(name)),
      );
      for (const words of commands) {
        if (Array.isArray(transact(one, words))) other.run(...words);
      }
      expect(one.run("DEBUG", "DIGEST")).toBe(other.run("DEBUG", "DIGEST"));
    }
  },
  TIMEOUT_MS,
);

describe("MULTI ROLLBACK", () => {
  test("says which command failed and how; nothing behind it runs", () => {
    const db = new EngineHarness();
    db.run("SET", "text", "x");
    expect(transact(db, ["SET", "a", "1"], ["INCR", "text"], ["SET", "b", "1"])).toEqual({
      error:
        "EXECABORT Transaction undone, because command 2 ('incr') answered: ERR value is not an integer or out of range",
    });
    expect(db.run("EXISTS", "a", "b")).toBe(0);
    expect(db.run("EXEC")).toEqual({ error: "ERR EXEC without MULTI" });
  });

  test("answers what MULTI answers when nothing fails", () => {
    const db = new EngineHarness();
    expect(transact(db, ["SET", "a", "1"], ["INCR", "a"], ["GET", "a"])).toEqual(["OK", 2, "2"]);
    expect(db.records()).toEqual([{ database: 0, commands: ["SET a 1", "INCR a"] }]);
  });

  test("takes nothing that cannot be undone", () => {
    const db = new EngineHarness();
    for (const words of [
      ["CONFIG", "SET", "maxmemory", "0"],
      ["INDEX", "CREATE", "i", "USING", "hash", "FIELD", "a"],
      ["CLIENT", "SETNAME", "x"],
    ]) {
      db.run("MULTI", "ROLLBACK");
      expect(db.run(...words)).toHaveProperty("error");
      expect(db.run("EXEC")).toHaveProperty("error", expect.stringContaining("EXECABORT"));
    }
    expect(db.run("MULTI", "ROLLBACK", "x")).toEqual({ error: "ERR syntax error" });
  });

  test("leaves who watches a key alone when it is undone, and not when it stands", () => {
    for (const [last, isTouched] of [
      ["a", false],
      ["1", true],
    ] as const) {
      const db = new EngineHarness();
      const watcher = db.connect();
      db.runIn(watcher, "WATCH", "k");
      transact(db, ["SET", "k", last], ["INCR", "k"]);
      db.runIn(watcher, "MULTI");
      expect(db.runIn(watcher, "EXEC")).toEqual(isTouched ? null : []);
    }
  });

  test("a value that an index refuses undoes what came before", () => {
    const db = new EngineHarness();
    db.run("INDEX", "CREATE", "n", "USING", "hash", "FIELD", "n", "UNIQUE");
    db.run("JSON.SET", "one", "$", '{"n":1}');
    const answer = transact(
      db,
      ["JSON.SET", "two", "$", '{"n":2}'],
      ["JSON.SET", "three", "$", '{"n":1}'],
    );
    expect(answer).toHaveProperty("error", expect.stringContaining("DUPLICATE"));
    expect(db.run("EXISTS", "two")).toBe(0);
    expect(db.run("JSON.SET", "four", "$", '{"n":2}')).toBe("OK");
    expect(db.run("FIND", "n = 2", "COUNT")).toBe(1);
  });

  test("what a client waits for does not come of what is undone", async () => {
    const db = new EngineHarness();
    const popped = db.askIn(db.connect(), "BLPOP", "list", 0);
    transact(db, ["RPUSH", "list", "never"], ["INCR", "list"]);
    db.run("RPUSH", "list", "later");
    expect(await popped).toEqual(["list", "later"]);
  });

  test("a command of a plugin is undone with the others, and fails as one", () => {
    const db = new EngineHarness();
    db.addCommand("SETS", (session, args, reply) => {
      session.call("SET", args.text(1), "1");
      session.call("INCR", args.text(2));
      reply.ok();
    });
    db.run("SET", "text", "x");
    expect(transact(db, ["SETS", "a", "n"], ["SETS", "b", "text"])).toHaveProperty("error");
    expect(db.run("EXISTS", "a", "b", "n")).toBe(0);
    expect(db.records().length).toBe(1);
    expect(transact(db, ["SETS", "a", "n"])).toEqual(["OK"]);
  });

  test("new memory is no matter of what can be undone, and is bounded as data is", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const { arena } = db.engine.keyspace;
    const before = arena.reservedBytes;
    const values = (count: number): Words[] =>
      Array.from({ length: count }, (_, i) => ["SETRANGE", `k${i}`, 10_000_000, "x"]);
    const fails: Words = ["INCR", "k0"];
    expect(transact(db, ...values(20), fails)).toHaveProperty("error");
    expect([arena.reservedBytes, db.run("DBSIZE")]).toEqual([before, 0]);
    expect(transact(db, ...values(20))).toHaveLength(20);
    db.run("FLUSHALL");
    db.engine.maxMemoryBytes = 100_000_000;
    expect(transact(db, ...values(20))).toHaveProperty("error", expect.stringContaining("OOM"));
    expect(db.run("DBSIZE")).toBe(0);
    expect(db.engine.memory.usedBytes).toBeLessThan(1_000_000);
  });

  test("memory that is made and given back within it goes at once", () => {
    const db = new EngineHarness({ auditEvery: 0, maxMemoryBytes: 40_000_000 });
    db.run("SETRANGE", "old", 9_000_000, "x");
    const digest = db.run("DEBUG", "DIGEST");
    const steps = Array.from({ length: 20 }, (): Words[] => [
      ["SETRANGE", "new", 9_000_000, "x"],
      ["DEL", "new"],
    ]).flat();
    expect(transact(db, ["DEL", "old"], ...steps, ["SET", "a", "x"], ["INCR", "a"])).toHaveProperty(
      "error",
      expect.stringContaining("'incr'"),
    );
    expect(db.run("DEBUG", "DIGEST")).toBe(digest);
    expect(transact(db, ["DEL", "old"], ...steps)).toHaveLength(41);
    expect(db.engine.memory.usedBytes).toBeLessThan(1_000_000);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("is undone when it changes more than can be", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    // Some 80 MiB in blocks that a change of the same length writes to.
    const value = Buffer.alloc(8000, "a");
    for (let i = 0; i < 10_000; i++) db.run("SET", `k${i}`, value);
    const digest = db.run("DEBUG", "DIGEST");
    const other = Buffer.alloc(8000, "b");
    const commands = Array.from({ length: 10_000 }, (_, i): Words => ["SET", `k${i}`, other]);
    expect(transact(db, ...commands)).toHaveProperty(
      "error",
      expect.stringContaining("changes more than can be undone"),
    );
    expect(db.run("DEBUG", "DIGEST")).toBe(digest);
    expect(transact(db, ...commands.slice(0, 1000))).toHaveLength(1000);
  }, 60_000);
});
