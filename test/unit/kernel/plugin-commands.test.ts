/**
 * Commands of plugins that read and write keys by calling other commands: what they may call, what is recorded, and what
 * becomes of their errors. That any sequence of them replays to the same data is in journal/joined-replay.test.ts.
 */
import { describe, expect, test } from "bun:test";
import {
  type Answer,
  CommandError,
  type CommandSession,
  integerOf,
  textOf,
} from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** One byte more than an argument may have; its pages are never touched. */
const HALF_A_GIGABYTE = Buffer.alloc(512 * 1024 * 1024 + 1);

/** The commands of each record since the last look. */
const recorded = (db: EngineHarness) => db.records().map(({ commands }) => commands);

/** Arguments of a command after its name, as text. */
function wordsOf(args: { readonly count: number; text(index: number): string }): string[] {
  return Array.from({ length: args.count - 1 }, (_, index) => args.text(index + 1));
}

/** CALL word…: calls the command of these words and answers what it answered. */
function addCall(db: EngineHarness, parts = {}): void {
  db.addCommand(
    "CALL",
    (session, args, reply) => {
      const [name = "", ...rest] = wordsOf(args);
      reply.answer(session.call(name, ...rest));
    },
    parts,
  );
}

describe("arguments", () => {
  test("that were not given cannot be read, whatever an earlier command left there", () => {
    const db = new EngineHarness();
    const reads = ["size", "integer", "int64", "float", "text", "latin", "bytes"] as const;
    db.addCommand("READ", (_session, args, reply) => {
      const read = reads[args.integer(1)];
      if (read === undefined) args.is(2, "X");
      else args[read](2);
      reply.ok();
    });
    for (let read = 0; read <= reads.length; read++) {
      expect(db.run("READ", read, "secret")).toBe("OK");
      expect(db.run("READ", read)).toEqual({ error: expect.stringContaining("no argument 2") });
    }
  });

  test("that are kept are gone when the command has ended", () => {
    const db = new EngineHarness();
    let kept: { text(index: number): string } | undefined;
    db.addCommand("KEEP", (_session, args, reply) => {
      kept = args;
      reply.ok();
    });
    db.run("KEEP", "secret");
    expect(() => kept?.text(1)).toThrow(RangeError);
  });

  test("stay those of a caller while what it calls runs", () => {
    const db = new EngineHarness();
    db.addCommand("OUTER", (session, args, reply) => {
      const inner = args.count > 2 ? textOf(session.call("OUTER", "inner")) : "";
      reply.text(`${args.text(1)} ${inner}`.trim());
    });
    expect(db.run("OUTER", "outer", "again")).toBe("outer inner");
  });
});

describe("a command that calls others", () => {
  test("reads and writes keys; its record is what the called ones changed", () => {
    const db = new EngineHarness();
    db.addCommand("LIMIT", (session, args, reply) => {
      const key = args.bytes(1);
      const count = integerOf(session.call("INCR", key));
      if (count === 1) session.call("PEXPIRE", key, args.integer(3));
      reply.integer(count <= args.integer(2) ? 0 : integerOf(session.call("PTTL", key)));
    });
    const answers = [1, 2, 3].map(() => db.run("LIMIT", "user", 2, 1000));
    expect(answers).toEqual([0, 0, 1000]);
    const until = db.now() + 1000;
    expect(recorded(db)).toEqual([
      ["INCR user", `PEXPIREAT user ${until}`],
      ["INCR user"],
      ["INCR user"],
    ]);
    db.advance(1001);
    expect(db.run("LIMIT", "user", 2, 1000)).toBe(0);
  });

  test("takes text, bytes and numbers, and gets every kind of answer", () => {
    const db = new EngineHarness();
    const answers: Answer[] = [];
    db.addCommand("TRY", (session, _args, reply) => {
      answers.push(session.call("set", "text", "žluť"));
      answers.push(session.call("SET", Buffer.from("bytes"), new Uint8Array([0, 255])));
      answers.push(session.call("INCRBY", "number", 2n ** 62n));
      answers.push(session.call("INCRBYFLOAT", "float", 0.5));
      answers.push(session.call("MGET", "text", "bytes", "missing"));
      answers.push(session.tryCall("INCR", "text"));
      answers.push(session.call("OBJECT", "ENCODING", "number"));
      reply.ok();
    });
    expect(db.run("TRY")).toBe("OK");
    expect(answers).toEqual([
      { kind: "status", text: "OK" },
      { kind: "status", text: "OK" },
      { kind: "integer", value: 2n ** 62n },
      { kind: "bulk", bytes: Buffer.from("0.5") },
      {
        kind: "array",
        items: [
          { kind: "bulk", bytes: Buffer.from("žluť") },
          { kind: "bulk", bytes: Buffer.from([0, 255]) },
          { kind: "null" },
        ],
      },
      { kind: "error", code: "ERR", text: "value is not an integer or out of range" },
      { kind: "bulk", bytes: Buffer.from("int") },
    ]);
  });

  test("answers on as they are, in the client's protocol", () => {
    const db = new EngineHarness();
    addCall(db);
    db.run("MSET", "a", "1", "b", "2");
    for (const words of [
      ["MGET", "a", "b", "c"],
      ["GET", "c"],
      ["INCR", "a"],
      ["SET", "a", "3"],
    ]) {
      const expected = new EngineHarness();
      expected.run("MSET", "a", "1", "b", "2");
      expect(db.run("CALL", ...words)).toEqual(expected.run(...words));
    }
    expect(db.run("CALL", "COMMAND", "DOCS", "get")).toEqual(db.run("COMMAND", "DOCS", "get"));
  });

  test("that only reads leaves no record, and finds what expired", () => {
    const db = new EngineHarness({ background: false });
    addCall(db, { flags: ["readonly"] });
    db.run("SET", "gone", "1", "PX", 10);
    db.run("SET", "here", "1");
    db.records();
    db.advance(20);
    expect(db.run("CALL", "GET", "here")).toBe("1");
    expect(recorded(db)).toEqual([]);
    expect(db.run("CALL", "GET", "gone")).toBe(null);
    expect(recorded(db)).toEqual([["SELECT 0", "DEL gone"]]);
  });

  test("records what expired before what was then written, each in its database", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1", "PX", 10);
    db.run("SELECT", 2);
    db.run("SET", "b", "1", "PX", 10);
    db.run("SELECT", 1);
    db.records();
    db.advance(20);
    db.addCommand("WALK", (session, _args, reply) => {
      session.call("SET", "first", "1");
      session.call("SELECT", 2);
      session.call("APPEND", "b", "x");
      session.call("GET", "missing");
      session.call("SELECT", 0);
      session.call("GET", "a");
      session.call("SET", "a", "2", "EX", 1);
      expect(session.database).toBe(0);
      reply.integer(integerOf(session.call("DBSIZE")));
    });
    expect(db.run("WALK")).toBe(1);
    expect(db.session.database.index).toBe(1);
    const [record, ...others] = db.records();
    expect(others).toEqual([]);
    expect(record).toEqual({
      database: 1,
      commands: [
        ...["SET first 1", "SELECT 2", "DEL b", "APPEND b x", "SELECT 0", "DEL a"],
        `SET a 2 PXAT ${db.now() + 1000}`,
      ],
    });
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("records what expired in another database than the call's", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1");
    db.run("COPY", "a", "b", "DB", 2);
    db.run("SELECT", 2);
    db.run("PEXPIRE", "b", 10);
    db.run("SELECT", 0);
    db.records();
    db.advance(20);
    addCall(db);
    expect(db.run("CALL", "COPY", "a", "b", "DB", "2")).toBe(1);
    expect(recorded(db)).toEqual([["SELECT 2", "DEL b", "SELECT 0", "COPY a b DB 2"]]);
  });

  test("sees its client", () => {
    const db = new EngineHarness();
    const seen: unknown[] = [];
    db.addCommand("WHO", ({ id, name, user, address, protocol, database, nowMs }, _args, reply) => {
      seen.push({ id, name, user, address, protocol, database, nowMs });
      reply.ok();
    });
    const session = db.connect({ address: "10.0.0.7:1234" });
    db.runIn(session, "HELLO", 3, "SETNAME", "worker");
    db.runIn(session, "SELECT", 5);
    db.runIn(session, "WHO");
    expect(seen).toEqual([
      {
        ...{ id: session.id, name: "worker", user: "default", address: "10.0.0.7:1234" },
        ...{ protocol: 3, database: 5, nowMs: db.now() },
      },
    ]);
  });

  test("counts as one command of its client, what it calls as calls", () => {
    const db = new EngineHarness();
    addCall(db);
    const before = db.engine.commandsProcessed;
    db.run("CALL", "SET", "a", "1");
    expect(db.engine.commandsProcessed - before).toBe(2);
    expect(db.session.lastCommand).toBe("CALL");
    const calls = [...db.engine.commands.entries()].filter(({ name }) => name === "SET");
    expect(calls.map((entry) => entry.calls)).toEqual([1]);
  });

  test("waits for the sync of what it wrote, and of what it read", () => {
    const db = new EngineHarness();
    addCall(db);
    db.persistence.holdsSyncs = true;
    db.run("CALL", "SET", "a", "1");
    const written = db.session.hold;
    expect(written).toBe(db.engine.keyspace.nextRevision - 1);
    const reader = db.connect();
    db.runIn(reader, "CALL", "GET", "a");
    expect(reader.hold).toBe(written);
    const stranger = db.connect();
    db.runIn(stranger, "CALL", "PING");
    expect(stranger.hold).toBe(0);
  });
});

describe("errors", () => {
  test("of a called command are the reply, when nobody catches them", () => {
    const db = new EngineHarness();
    addCall(db);
    db.run("SET", "a", "text");
    expect(db.run("CALL", "INCR", "a")).toEqual(db.run("INCR", "a"));
    expect(db.run("CALL", "NONE")).toEqual(db.run("NONE"));
    expect(db.run("CALL", "GET")).toEqual(db.run("GET"));
    expect(db.run("CALL", "OBJECT", "NONE", "a")).toEqual(db.run("OBJECT", "NONE", "a"));
  });

  test("may be caught, or asked for as answers", () => {
    const db = new EngineHarness();
    db.addCommand("CAREFUL", (session, _args, reply) => {
      reply.array(2);
      try {
        session.call("INCR", "a");
      } catch (error) {
        reply.text((error as CommandError).code);
      }
      reply.answer(session.tryCall("INCR", "a"));
    });
    db.run("SET", "a", "text");
    const error = { error: "ERR value is not an integer or out of range" };
    expect(db.run("CAREFUL")).toEqual(["ERR", error]);
  });

  test("half way: what was changed stays, and is recorded", () => {
    const db = new EngineHarness();
    db.addCommand("HALF", (session, _args, reply) => {
      session.call("SET", "a", "1");
      reply.array(3);
      reply.integer(1);
      session.call("SELECT", 4);
      session.call("SET", "b", "1");
      throw new Error("not\r\ntoday");
    });
    expect(db.run("HALF")).toEqual({ error: 'ERR plugin "test": command HALF threw: not today' });
    expect(recorded(db)).toEqual([["SET a 1", "SELECT 4", "SET b 1"]]);
    expect(db.run("GET", "a")).toBe("1");
    expect(db.session.database.index).toBe(0);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each([
    ["undefined", [undefined], "argument 1 of GET is undefined"],
    ["null", [null], "argument 1 of GET is null"],
    ["an object", [{}], "argument 1 of GET is object"],
    ["no number", [Number.NaN], "argument 1 of GET is NaN"],
    ["half a character", ["\ud83d"], "argument 1 of GET is text with half of a surrogate pair"],
    ["what no client could send", [HALF_A_GIGABYTE], "argument 1 of GET is longer than 536870912"],
    ["so much together", Array(3).fill(HALF_A_GIGABYTE.subarray(1)), "have over 1073741824 bytes"],
  ])("%s as an argument is refused by name", (_, args, named) => {
    const db = new EngineHarness();
    db.addCommand("WRONG", (session, _args, reply) =>
      reply.answer(session.call("GET", ...(args as string[]))),
    );
    expect(db.run("WRONG")).toEqual({ error: expect.stringContaining(named) });
  });

  test.each([
    ["a string", "text"],
    ["nothing at all", undefined],
    ["an object without a prototype", Object.create(null)],
    ["a symbol", Symbol("odd")],
  ])("%s may be thrown", (_, thrown) => {
    const db = new EngineHarness();
    db.addCommand("THROW", () => {
      throw thrown;
    });
    const error = expect.stringContaining('plugin "test": command THROW threw');
    expect(db.run("THROW")).toEqual({ error });
    expect(db.run("PING")).toBe("PONG");
  });

  test("answers of another kind than the one asked for", () => {
    const db = new EngineHarness();
    db.addCommand("TEXT", (session, _args, reply) => {
      reply.text(textOf(session.call("GET", "a")) ?? "nothing");
    });
    db.addCommand("NUMBER", (session, _args, reply) => {
      reply.integer(integerOf(session.call("GET", "a")));
    });
    expect(db.run("TEXT")).toBe("nothing");
    db.run("SET", "a", "7");
    expect(db.run("TEXT")).toBe("7");
    expect(db.run("NUMBER")).toEqual({ error: expect.stringContaining("expected an integer") });
  });
});

describe("what may not be called", () => {
  test("every command about the connection or the server, every one that waits or must be alone", () => {
    const db = new EngineHarness();
    addCall(db);
    const kept = db.engine.commands
      .all()
      .filter(
        ({ flags, run }) => run && flags.some((one) => /^(noscript|no_multi|blocking)$/.test(one)),
      );
    const names = kept.map(({ name }) => name);
    for (const name of [
      "AUTH",
      "HELLO",
      "RESET",
      "QUIT",
      "SHUTDOWN",
      "CLIENT|REPLY",
      "CONFIG|SET",
    ]) {
      expect(names).toContain(name);
    }
    for (const { name, arity } of kept) {
      const words = name.split("|");
      while (words.length < Math.abs(arity)) words.push("1");
      expect(db.run("CALL", ...words)).toEqual({
        error: `ERR ${name} cannot be called from within a command`,
      });
    }
  });

  test.each([[["readonly"]], [["fast"]], [[]]])(
    "a command that writes, by one flagged %j",
    (flags) => {
      const db = new EngineHarness();
      addCall(db, { flags });
      expect(db.run("CALL", "SET", "a", "1")).toEqual({
        error: 'ERR CALL is not flagged "write", so it cannot call SET',
      });
      expect(db.run("CALL", "GET", "a")).toBe(null);
      expect(recorded(db)).toEqual([]);
    },
  );

  test("nor through another command of a plugin", () => {
    const db = new EngineHarness();
    addCall(db, { flags: ["readonly"] });
    db.addCommand("PUT", (session, args, reply) =>
      reply.answer(session.call("SET", args.bytes(1), args.bytes(2))),
    );
    expect(db.run("CALL", "PUT", "a", "1")).toEqual({
      error: 'ERR CALL is not flagged "write", so it cannot call PUT',
    });
    expect(db.run("PUT", "a", "1")).toBe("OK");
  });

  test("itself without end", () => {
    const db = new EngineHarness();
    db.addCommand("AGAIN", (session, _args, reply) => reply.answer(session.call("AGAIN")));
    expect(db.run("AGAIN")).toEqual({ error: expect.stringContaining("over 16 deep") });
    expect(db.run("PING")).toBe("PONG");
  });

  test("what the client may not", () => {
    const db = new EngineHarness({ password: "secret" });
    addCall(db, { flags: ["noauth", "write"] });
    expect(db.run("CALL", "GET", "a")).toEqual({ error: "NOAUTH Authentication required." });
    db.run("AUTH", "secret");
    expect(db.run("CALL", "GET", "a")).toBe(null);
  });

  test("more than the bound on memory allows", () => {
    const db = new EngineHarness({ maxMemoryBytes: 20_000_000 });
    db.addCommand("FILL", (session, _args, reply) => {
      for (let i = 0; i < 100; i++) session.call("SET", `key:${i}`, "x".repeat(1_000_000));
      reply.ok();
    });
    expect(db.run("FILL")).toEqual({ error: expect.stringMatching(/^OOM /) });
    const [record] = recorded(db);
    expect(record?.length).toBe(db.run("DBSIZE") as number);
    expect(record?.length).toBeGreaterThan(0);
  });

  test("more writes than one record can hold", () => {
    const db = new EngineHarness();
    let full = false;
    Object.defineProperty(db.engine.journal, "isFull", { get: () => full });
    db.addCommand("MANY", (session, _args, reply) => {
      session.call("SET", "a", "1");
      full = true;
      reply.answer(session.call("GET", "a"));
      session.call("SET", "b", "1");
    });
    expect(db.run("MANY")).toEqual({
      error: "ERR MANY has changed too much at once to change more",
    });
    expect(recorded(db)).toEqual([["SET a 1"]]);
  });

  test("a write that the disk would not take", async () => {
    const db = new EngineHarness();
    addCall(db);
    db.engine.disk.onHealth(new Error("disk full"));
    expect(db.run("CALL", "SET", "a", "1")).toEqual({ error: expect.stringMatching(/^MISCONF /) });
    db.engine.disk.onHealth(null);
    expect(db.run("CALL", "SET", "a", "1")).toBe("OK");
  });
});

describe("a command within another", () => {
  test("joins the record of the outermost, and keeps its own database to itself", () => {
    const db = new EngineHarness();
    db.addCommand("INNER", (session, _args, reply) => {
      session.call("SELECT", 3);
      session.call("INCR", "n");
      reply.integer(session.database);
    });
    db.addCommand("OUTER", (session, _args, reply) => {
      session.call("INCR", "n");
      reply.answer(session.call("INNER"));
      session.call("INCR", "n");
    });
    expect(db.run("OUTER")).toBe(3);
    expect(db.records()).toEqual([
      { database: 0, commands: ["INCR n", "SELECT 3", "INCR n", "SELECT 0", "INCR n"] },
    ]);
    expect(db.run("GET", "n")).toBe("2");
  });

  test("may fail without the outer one", () => {
    const db = new EngineHarness();
    db.addCommand("INNER", (session) => {
      session.call("INCR", "n");
      throw new CommandError("NOPE", "not today");
    });
    db.addCommand("OUTER", (session, _args, reply) => {
      reply.answer(session.tryCall("INNER"));
      session.call("SET", "after", "1");
    });
    expect(db.run("OUTER")).toEqual({ error: "NOPE not today" });
    expect(recorded(db)).toEqual([["INCR n", "SET after 1"]]);
  });

  test("only by its own session, and only until run returns", () => {
    const db = new EngineHarness();
    const kept: CommandSession[] = [];
    db.addCommand("KEEP", (session, _args, reply) => {
      const [first] = kept;
      kept.push(session);
      if (first !== undefined) first.call("SET", "a", "1");
      reply.ok();
    });
    expect(db.run("KEEP")).toBe("OK");
    expect(() => kept[0]?.call("SET", "a", "1")).toThrow("until run returns");
    expect(db.run("KEEP")).toEqual({ error: expect.stringContaining("until run returns") });
    expect(db.run("GET", "a")).toBe(null);
  });

  test("nothing else runs in between, whoever asks", () => {
    const db = new EngineHarness();
    const other = db.connect();
    db.addCommand("REENTER", (session, _args, reply) => {
      session.call("SET", "a", "1");
      const between = db.runIn(other, "SET", "a", "2");
      session.call("APPEND", "a", "!");
      reply.text(JSON.stringify(between));
    });
    expect(db.run("REENTER")).toContain("ERR other commands are running as one");
    expect(recorded(db)).toEqual([["SET a 1", "APPEND a !"]]);
    expect(db.runIn(other, "GET", "a")).toBe("1!");
  });
});
