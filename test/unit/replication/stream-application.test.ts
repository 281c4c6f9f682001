// The stream of a primary, done to the data of an engine and recorded as it came.
import { describe, expect, test } from "bun:test";
import { LOADING } from "../../../src/kernel/gate-steps.ts";
import { NOBODY } from "../../../src/kernel/nobody.ts";
import type { EntryReader } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

function command(...words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}

function keysOf(entries: EntryReader): string[] {
  const keys: string[] = [];
  while (entries.next()) {
    const { keyBytes, keyStart, keyEnd } = entries.entry;
    keys.push((keyBytes as Buffer).toString("latin1", keyStart, keyEnd));
  }
  return keys.sort();
}

const PRIMARY = { id: "a".repeat(40), offset: 1000, database: 0 };

async function replica() {
  const db = new EngineHarness();
  const { engine } = db;
  await engine.stream.follow();
  await engine.stream.adopt({ ...PRIMARY, revision: engine.disk.lastRevision });
  engine.following.duties.begin();
  const failures: string[] = [];
  const problems: string[] = [];
  const application = engine.following.createApplication(
    {
      onRoom: () => {},
      onApplied: () => {},
      onProblem: (problem) => problems.push(problem),
      onFailure: (name, failure) => failures.push(`${name}: ${failure}`),
    },
    NOBODY,
  );
  const say = (text: string, pieceBytes = text.length) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      application.push(Buffer.from(bytes.subarray(at, at + pieceBytes)));
    }
  };
  return { db, engine, say, failures, problems, application };
}

const STREAM = [
  command("SET", "a", "1"),
  command("SELECT", "2") + command("SADD", "s", "x", "y"),
  command("MULTI") + command("INCR", "n") + command("SELECT", "0") + command("INCR", "a"),
  command("EXEC"),
  command("PING"),
  command("PING", "#kvdb-json") + command("SET", "doc", '{"a":1.50}'),
  command("PING", "#kvdb-do HPEXPIREAT h 1 FIELDS 1 f"),
  command("PING", "#kvdb-expired") + command("DEL", "none"),
  command("SET", "over", "1", "PXAT", "1000"),
].join("");

describe("the stream", () => {
  test.each([1, 7, STREAM.length])(
    "in pieces of %d bytes is done and counted",
    async (pieceBytes) => {
      const { db, engine, say, failures, problems, application } = await replica();
      say(STREAM, pieceBytes);
      expect({ failures, problems }).toEqual({ failures: [], problems: [] });
      expect(engine.stream.offset).toBe(PRIMARY.offset + STREAM.length);
      expect(application.waitingBytes).toBe(0);
      expect(db.run("GET", "a")).toBe("2");
      expect(db.run("GET", "doc")).toBe('{"a":1.50}');
      // What has expired is there, and is not found.
      expect(db.run("GET", "over")).toBeNull();
      expect(db.run("DBSIZE")).toBe(3);
      db.run("SELECT", 2);
      expect(db.run("SMEMBERS", "s")).toEqual(new Set(["x", "y"]));
      expect(db.run("GET", "n")).toBe("1");
      expect(db.run("SET", "a", "3")).toEqual({
        error: "READONLY You can't write against a read only replica.",
      });
    },
  );

  test("a command that fails here is told and passed over, and so it is when the log is read", async () => {
    const { db, engine, say, failures } = await replica();
    const unknown = command("FUNCTION", "LOAD", "#!lua name=x");
    say(command("SET", "a", "1") + unknown + command("SET", "b", "2"));
    expect(failures).toHaveLength(1);
    expect(db.run("GET", "b")).toBe("2");
    expect(engine.stream.offset - PRIMARY.offset).toBe(
      (command("SET", "a", "1") + unknown + command("SET", "b", "2")).length,
    );
    engine.endTurn();
    const again = new EngineHarness({}, db);
    expect(again.run("MGET", "a", "b")).toEqual(["1", "2"]);
  });

  test("of a transaction the rest is done, also when the log is read", async () => {
    const { db, say, failures } = await replica();
    const unknown = command("FUNCTION", "LOAD", "#!lua name=x");
    say(command("MULTI") + command("SET", "a", "1") + unknown + command("SET", "b", "2"));
    expect(db.run("GET", "a")).toBeNull();
    say(command("EXEC"));
    expect(failures).toHaveLength(1);
    expect(db.run("MGET", "a", "b")).toEqual(["1", "2"]);
    db.engine.endTurn();
    expect(new EngineHarness({}, db).run("MGET", "a", "b")).toEqual(["1", "2"]);
  });

  test("a document that was a string there becomes one", async () => {
    const { db, say, failures } = await replica();
    say(
      command("PING", "#kvdb-json") + command("SET", "doc", "[1]") + command("APPEND", "doc", "x"),
    );
    expect(failures).toEqual([]);
    expect(db.run("GET", "doc")).toBe("[1]x");
    db.engine.endTurn();
    expect(new EngineHarness({}, db).run("GET", "doc")).toBe("[1]x");
  });

  test("what waits can be forgotten, and comes again", async () => {
    const { db, engine, say, application } = await replica();
    const increments = command("INCR", "n").repeat(3);
    const half = command("INCR", "n").length / 2;
    engine.gate.setActive(LOADING, true);
    say(increments);
    application.forgetWaiting();
    expect(application.waitingBytes).toBe(0);
    engine.gate.setActive(LOADING, false);
    say(increments + increments.slice(0, half));
    application.forgetWaiting();
    say(increments);
    expect(db.run("GET", "n")).toBe("6");
    expect(engine.stream.offset - PRIMARY.offset).toBe(2 * increments.length);
  });

  test("what is over, and is not deleted by the primary, is part of a checkpoint, but not of a backup", async () => {
    const { db, engine, say } = await replica();
    const overMs = db.now() + 100;
    say(command("SET", "a", "1", "PXAT", String(overMs)) + command("SET", "b", "1"));
    db.advance(1000);
    // A command that is refused is one that writes, nevertheless.
    Object.assign(engine.replication, { following: { primary: PRIMARY } });
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    db.run("PFCOUNT", "none");
    db.run("SET", "b", "2");
    expect(keysOf(engine.readEntries("stored"))).toEqual(["a", "b"]);
    expect(keysOf(engine.readEntries())).toEqual(["b"]);
    // The primary was quicker.
    say(command("PERSIST", "a"));
    expect(keysOf(engine.readEntries())).toEqual(["a", "b"]);
  });

  test("what a client that may write is given of it is recorded behind it", async () => {
    const { db, say } = await replica();
    db.run("CONFIG", "SET", "replica-read-only", "no");
    const [first, other] = [db.connect(), db.connect()];
    const answers = [
      db.askIn(first, "BLPOP", "q", 0),
      db.askIn(other, "BLMOVE", "q", "mine", "LEFT", "RIGHT", 0),
    ];
    const push = command("MULTI") + command("RPUSH", "q", "a", "b", "c") + command("INCR", "n");
    say(push + command("EXEC"));
    db.endTurn();
    expect(await Promise.all(answers)).toEqual([["q", "a"], "b"]);
    const state = () => [db.run("LRANGE", "q", 0, -1), db.run("LRANGE", "mine", 0, -1)];
    expect(state()).toEqual([["c"], ["b"]]);
    const again = db.replayed();
    expect([again.run("LRANGE", "q", 0, -1), again.run("LRANGE", "mine", 0, -1)]).toEqual(state());
  });

  test("what a client that may write moves to a key that is over makes that one anew", async () => {
    const { db, say } = await replica();
    db.run("CONFIG", "SET", "replica-read-only", "no");
    say(command("RPUSH", "mine", "old") + command("PEXPIREAT", "mine", String(db.now() + 100)));
    say(command("RPUSH", "kept", "old") + command("PEXPIREAT", "kept", String(db.now() + 100)));
    db.advance(1000);
    const moved = db.askIn(db.connect(), "BLMOVE", "q", "mine", "LEFT", "RIGHT", 0);
    say(command("RPUSH", "q", "a"));
    db.endTurn();
    expect(await moved).toBe("a");
    expect(db.run("LRANGE", "mine", 0, -1)).toEqual(["a"]);
    // "mine", and "kept", of which the primary has not said yet that it is over.
    expect(db.run("DBSIZE")).toBe(2);
    const again = db.replayed();
    expect(again.run("LRANGE", "mine", 0, -1)).toEqual(["a"]);
  });

  test("what is no stream is told, and nothing behind it is done", async () => {
    const { db, say, problems } = await replica();
    say(`${command("SET", "a", "1")}hello\r\n${command("SET", "a", "2")}`);
    expect(problems).toHaveLength(1);
    expect(db.run("GET", "a")).toBe("1");
  });
});
