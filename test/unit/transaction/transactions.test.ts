/** MULTI, EXEC, DISCARD: what is queued and what is refused, what a transaction is for the journal and for who waits. */
import { describe, expect, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import { OpenTransaction } from "../../../src/transaction/open-transaction.ts";
import { type Argument, EngineHarness, type HarnessOptions } from "../../suites/engine-harness.ts";
import type { Value } from "../../suites/value-reply.ts";

const ABORTED = { error: "EXECABORT Transaction discarded because of previous errors." };
const WRONGTYPE = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };

type Words = readonly Argument[];

/** The answer of EXEC to a transaction of these commands, each of which is queued. */
function transact(db: EngineHarness, ...commands: readonly Words[]): Value {
  expect(db.run("MULTI")).toBe("OK");
  for (const words of commands) expect(db.run(...words)).toBe("QUEUED");
  return db.run("EXEC");
}

describe("EXEC", () => {
  test("runs what was queued, and what fails stops nothing", () => {
    const db = new EngineHarness();
    expect(
      transact(db, ["SET", "k", "v"], ["INCR", "k"], ["LPUSH", "k", "x"], ["GET", "k"]),
    ).toEqual(["OK", { error: "ERR value is not an integer or out of range" }, WRONGTYPE, "v"]);
    expect(db.run("EXEC")).toEqual({ error: "ERR EXEC without MULTI" });
  });

  test("runs nothing that has not run when its connection began anew, was discarded, or is gone", () => {
    const db = new EngineHarness();
    for (const end of ["RESET", "DISCARD"]) {
      db.run("MULTI");
      db.run("SET", "k", "v");
      db.run(end);
      expect(db.run("EXEC")).toEqual({ error: "ERR EXEC without MULTI" });
      expect(db.run("GET", "k")).toBeNull();
    }
    expect(db.run("DISCARD")).toEqual({ error: "ERR DISCARD without MULTI" });
  });

  test("is empty without commands", () => {
    const db = new EngineHarness();
    expect(transact(db)).toEqual([]);
    expect(db.records()).toEqual([]);
  });

  test("answers a command that writes no reply, so that every command has one", () => {
    const db = new EngineHarness();
    expect(transact(db, ["SET", "k", "1"], ["CLIENT", "REPLY", "OFF"], ["GET", "k"])).toEqual([
      ...["OK", "OK", "1"],
    ]);
    expect(db.session.replyMode).toBe("off");
  });

  test("lets what would wait answer at once, as if the time were over", async () => {
    const db = new EngineHarness();
    for (const words of [
      ["MULTI"],
      ["BLPOP", "none", 0],
      ["BZPOPMIN", "none", 0],
      ["XREAD", "BLOCK", 0, "STREAMS", "none", "$"],
      ["WAITAOF", 0, 0, 0],
      ["FIND", "a = 1"],
    ]) {
      await db.ask(...words);
    }
    const answer = (await db.ask("EXEC")) as Value[];
    expect(answer.slice(0, 3)).toEqual([null, null, null]);
    expect(answer).toHaveLength(5);
    expect(await db.ask("PING")).toBe("PONG");
    db.session.mayWait = true;
    const waiting = db.ask("BLPOP", "list", 0);
    db.runIn(db.connect(), "RPUSH", "list", "x");
    expect(await waiting).toEqual(["list", "x"]);
  });
});

describe("what cannot be queued makes EXEC refuse all", () => {
  test.each([
    [["NOPE"], "ERR unknown command 'NOPE', with args beginning with: "],
    [["GET"], "ERR wrong number of arguments for 'get' command"],
    [["CONFIG", "NOPE"], "ERR unknown subcommand 'NOPE'. Try CONFIG HELP."],
    [["SAVE"], "ERR Command not allowed inside a transaction"],
    [["SHUTDOWN"], "ERR Command not allowed inside a transaction"],
    [["MULTI", "x"], "ERR wrong number of arguments for 'multi' command"],
  ] as const)("%j", (words, error) => {
    const db = new EngineHarness();
    db.run("MULTI");
    db.run("SET", "k", "v");
    expect(db.run(...words)).toEqual({ error });
    expect(db.run("SET", "k", "v")).toBe("QUEUED");
    expect(db.run("EXEC")).toEqual(ABORTED);
    expect(db.run("GET", "k")).toBeNull();
  });

  test("an EXEC with an argument, which ends it", () => {
    const db = new EngineHarness();
    db.run("MULTI");
    db.run("SET", "k", "v");
    const reason = "wrong number of arguments for 'exec' command";
    const discarded = { error: `EXECABORT Transaction discarded because of: ${reason}` };
    expect(db.run("EXEC", "x")).toEqual(discarded);
    expect(db.run("GET", "k")).toBeNull();
    expect(db.run("EXEC")).toEqual({ error: "ERR EXEC without MULTI" });
  });

  test("but MULTI and WATCH inside are errors of their own alone", () => {
    const db = new EngineHarness();
    db.run("MULTI");
    expect(db.run("MULTI")).toEqual({ error: "ERR MULTI calls can not be nested" });
    expect(db.run("WATCH", "k")).toEqual({ error: "ERR WATCH inside MULTI is not allowed" });
    expect(db.run("EXEC")).toEqual([]);
  });

  test("a password that was not given", () => {
    const db = new EngineHarness({ password: "secret" });
    expect(db.run("MULTI")).toEqual({ error: "NOAUTH Authentication required." });
  });

  test("memory: nothing is queued beyond the limit, and EXEC asks for all of it once more", () => {
    const db = new EngineHarness({ maxMemoryBytes: 64 * 2 ** 20 });
    const large = Buffer.alloc(2 * 2 ** 20, "x");
    db.run("MULTI");
    for (let i = 0; i < 10; i++) expect(db.run("SET", `k${i}`, large)).toBe("QUEUED");
    db.engine.maxMemoryBytes = 16 * 2 ** 20;
    const oom = "OOM command not allowed when used memory > 'maxmemory'.";
    expect(db.run("GET", "k")).toEqual({ error: oom });
    expect(db.run("EXEC")).toEqual({
      error: `EXECABORT Transaction discarded because of: ${oom}`,
    });
    expect(db.run("DBSIZE")).toBe(0);
    expect(db.run("SET", "k", "v")).toBe("OK");
  });

  test("a transaction whose record would be too long", () => {
    const transaction = new OpenTransaction(false, 1000);
    const args = new Arguments();
    args.assign(["SET", "k", "x".repeat(450)]);
    transaction.add(args, 0);
    expect(() => transaction.add(args, 0)).toThrow("a transaction has at most");
    expect(transaction.count).toBe(1);
  });
});

describe("for the journal a transaction is one record", () => {
  const recordsOf = (commands: readonly Words[], options: HarnessOptions = {}) => {
    const db = new EngineHarness(options);
    db.run("SET", "old", "1", "PX", 10);
    db.run("SELECT", 2);
    db.records();
    const answer = transact(db, ...commands);
    const records = db.records();
    const replayed = db.replayed();
    expect(replayed.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
    return { db, answer, records };
  };

  test("of what changed something, each in its database, from the one where it began", () => {
    const { db, records } = recordsOf([
      ...[
        ["SET", "a", "1"],
        ["GET", "a"],
        ["SELECT", 5],
        ["INCR", "a"],
        ["INCR", "a"],
      ],
      ...[
        ["SELECT", 2],
        ["DEL", "none"],
        ["EXPIRE", "a", 10],
        ["SELECT", 7],
      ],
    ]);
    const until = db.now() + 10_000;
    expect(records).toEqual([
      {
        database: 2,
        commands: [
          ...["SET a 1", "SELECT 5", "INCR a", "INCR a", "SELECT 2", `PEXPIREAT a ${until}`],
        ],
      },
    ]);
    expect(db.session.database.index).toBe(7);
  });

  test("with keys that are found expired on the way", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "old", "1", "PX", 10);
    db.records();
    db.advance(20);
    transact(db, ["SET", "a", "1"], ["GET", "old"], ["SET", "b", "1"]);
    expect(db.records()).toEqual([
      { database: 0, commands: ["SET a 1", "SELECT 0", "DEL old", "SET b 1"] },
    ]);
  });

  test("none when nothing changes; and it changes under one revision", () => {
    const { records } = recordsOf([["GET", "a"], ["PING"]]);
    expect(records).toEqual([]);
    const { db } = recordsOf([
      ["SET", "a", "1"],
      ["SET", "b", "1"],
    ]);
    expect(db.session.written).toBe(2);
  });

  test("which its reply waits for, once for all of it", () => {
    const db = new EngineHarness({ durability: "always" });
    transact(db, ["SET", "a", "1"], ["SET", "b", "1"]);
    expect([db.session.hold, db.session.hasWritten]).toEqual([1, true]);
    db.session.hold = 0;
    transact(db, ["GET", "none"], ["PING"]);
    expect(db.session.hold).toBeLessThanOrEqual(1);
  });

  test("in Redis's words where those are wanted", () => {
    const { records } = recordsOf(
      [
        ["JSON.SET", "doc", "$", "[1]"],
        ["INCRBYFLOAT", "n", "1.5"],
      ],
      { redisWords: true },
    );
    expect(records).toEqual([
      { database: 2, commands: ["#kvdb-json", "SET doc [1]", "SET n 1.5 KEEPTTL"] },
    ]);
  });

  test("a command of a plugin within it belongs to it", () => {
    const db = new EngineHarness();
    db.addCommand("TWICE", (session, args, reply) => {
      session.call("SELECT", 3);
      session.call("INCR", args.text(1));
      session.call("INCR", args.text(1));
      reply.integer(session.tryCall("MULTI").kind === "error" ? 1 : 0);
    });
    expect(transact(db, ["SET", "a", "1"], ["TWICE", "n"], ["SET", "b", "2"])).toEqual([
      ...["OK", 1, "OK"],
    ]);
    expect(db.records()).toEqual([
      {
        database: 0,
        commands: ["SET a 1", "SELECT 3", "INCR n", "INCR n", "SELECT 0", "SET b 2"],
      },
    ]);
    expect(db.run("TWICE", "n")).toBe(1);
    expect(db.records()).toEqual([{ database: 0, commands: ["SELECT 3", "INCR n", "INCR n"] }]);
  });
});

describe("others", () => {
  test("see nothing of it before EXEC, and are served when all of it is over", async () => {
    const db = new EngineHarness();
    const waiting = db.connect();
    const popped = db.askIn(waiting, "BLPOP", "list", 0);
    db.run("MULTI");
    db.run("RPUSH", "list", "first");
    db.run("LPUSH", "list", "second");
    expect(db.runIn(db.connect(), "EXISTS", "list")).toBe(0);
    db.run("EXEC");
    expect(await popped).toEqual(["list", "second"]);
    expect(db.records().map(({ commands }) => commands)).toEqual([
      ["RPUSH list first", "LPUSH list second"],
      ["LPOP list"],
    ]);
  });

  test("who waits gets nothing of what comes and goes within it", async () => {
    const db = new EngineHarness();
    const waiting = db.connect();
    const popped = db.askIn(waiting, "BLPOP", "list", 0);
    transact(db, ["RPUSH", "list", "x"], ["DEL", "list"]);
    db.run("RPUSH", "list", "later");
    expect(await popped).toEqual(["list", "later"]);
  });
});

describe("what is queued counts as memory of its client", () => {
  test("in CLIENT LIST, and until the end", () => {
    const db = new EngineHarness();
    const fields = () =>
      Object.fromEntries(
        String(db.runIn(other, "CLIENT", "LIST", "ID", db.session.id))
          .trim()
          .split(" ")
          .map((pair) => pair.split("=")),
      );
    const other = db.connect();
    const before = db.engine.memory.usedBytes;
    expect(fields()).toMatchObject({ multi: "-1", "multi-mem": "0", flags: "N" });
    db.run("MULTI");
    db.run("SET", "k", Buffer.alloc(100_000, "x"));
    expect(fields()).toMatchObject({ multi: "1", flags: "x" });
    expect(Number(fields()["multi-mem"])).toBeGreaterThan(100_000);
    expect(Number(fields()["tot-mem"])).toBeGreaterThan(100_000);
    expect(db.engine.memory.usedBytes).toBeGreaterThan(before + 100_000);
    db.run("DISCARD");
    expect(db.engine.memory.usedBytes).toBe(before);
  });

  test("commands of all sizes come back whole and in order, and take little more than their bytes", () => {
    const sizes = [10, 300_000, 700_000, 20, 3_000_000, 1, 1_100_000, 500_000, 500_000, 1_048_500];
    const transaction = new OpenTransaction(false);
    const args = new Arguments();
    let bytes = 0;
    for (let round = 0; round < 4; round++) {
      for (const [i, size] of sizes.entries()) {
        args.assign(["SET", `k${round}-${i}`, String(i).repeat(size)]);
        transaction.add(args, 0);
        bytes += size;
        expect(transaction.bytes).toBeLessThan(bytes * 1.15 + 2 ** 20);
      }
    }
    const seen: string[] = [];
    transaction.each((command) => {
      seen.push(`${command.text(1)} ${command.size(2)} ${command.text(2)[0]}`);
      return true;
    });
    const expected = [0, 1, 2, 3].flatMap((round) =>
      sizes.map((size, i) => `k${round}-${i} ${size} ${i}`),
    );
    expect(seen).toEqual(expected);
    expect(transaction.whole.size(0)).toBeGreaterThan(bytes);
  });

  test("a queue that is within maxmemory-clients does not close its client", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    let closed = false;
    const session = db.connect({
      close: () => {
        closed = true;
      },
    });
    db.run("CONFIG", "SET", "maxmemory-clients", "50mb");
    db.runIn(session, "MULTI");
    const value = Buffer.alloc(1_000_000, "x");
    const queue = (count: number) => {
      for (let i = 0; i < count; i++) db.runIn(session, "SET", `k${i}`, value);
      db.advance(1000);
    };
    queue(48);
    expect(closed).toBe(false);
    queue(6);
    expect(closed).toBe(true);
  });

  test("a million commands are few pages", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    db.run("MULTI");
    const transaction = db.session.transaction as OpenTransaction;
    const args = new Arguments();
    args.assign(["INCR", "n"]);
    for (let i = 0; i < 1_000_000; i++) transaction.add(args, 0);
    expect(transaction.bytes).toBeLessThanOrEqual(32 * 2 ** 20);
    const answer = db.run("EXEC") as number[];
    expect(answer).toHaveLength(1_000_000);
    expect(answer.at(-1)).toBe(1_000_000);
    const records = db.records();
    expect(records).toHaveLength(1);
  });
});
