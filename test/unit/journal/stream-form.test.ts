/**
 * Records while the stream of replication is in use: what each of them is, byte for byte, that all of them together are what a
 * Redis is sent, and that they replay as any others.
 */
import { describe, expect, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import { RECORD_HEADER_BYTES } from "../../../src/journal/record.ts";
import { Decoder } from "../../../src/resp/decoder.ts";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";
import { ValueReply } from "../../suites/value-reply.ts";

function streaming(options = {}): EngineHarness {
  const db = new EngineHarness({ background: false, ...options });
  db.engine.journal.useStream({ offset: 0, database: 0, isFollowing: false });
  return db;
}

/** Frames of all records: database and payload. */
function payloads(db: EngineHarness): { database: number; text: string }[] {
  db.endTurn();
  return db.persistence.batches.flatMap(({ bytes, start, end }) => {
    const found = [];
    for (let at = start; at < end; ) {
      const from = at + RECORD_HEADER_BYTES;
      const next = from + bytes.readUInt32LE(at);
      found.push({
        database: bytes.readUInt16LE(at + 4),
        text: bytes.toString("latin1", from, next),
      });
      at = next;
    }
    return found;
  });
}

/** Lets flushes and slices come about. */
async function turns(db: EngineHarness): Promise<void> {
  for (let i = 0; i < 6; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    db.endTurn();
  }
}

function resp(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

function inStream(...commands: string[]): string {
  const text = commands.join("");
  return `#kvdb-stream ${text.length}\r\n${text}`;
}

const only = (db: EngineHarness) => payloads(db).map(({ text }) => text);

describe("on a primary", () => {
  test("one command in the database of the stream is its own stretch", () => {
    const db = streaming();
    db.run("SET", "k", "1");
    db.run("INCR", "k");
    expect(only(db)).toEqual([resp("SET", "k", "1"), resp("INCR", "k")]);
  });

  test("SELECT goes in front where the database changes, and nowhere else", () => {
    const db = streaming();
    db.run("SELECT", 3);
    db.run("SET", "a", "1");
    db.run("SET", "b", "1");
    db.run("SELECT", 0);
    db.run("SET", "c", "1");
    expect(payloads(db)).toEqual([
      { database: 0, text: inStream(resp("SELECT", "3"), resp("SET", "a", "1")) },
      { database: 3, text: resp("SET", "b", "1") },
      { database: 3, text: inStream(resp("SELECT", "0"), resp("SET", "c", "1")) },
    ]);
    expectReplays(db);
  });

  test("several commands stand between MULTI and EXEC", () => {
    const db = streaming();
    for (const words of [
      ["MULTI"],
      ["SET", "a", "1"],
      ["SELECT", 2],
      ["SET", "b", "2"],
      ["EXEC"],
    ]) {
      db.run(...(words as [string, ...Argument[]]));
    }
    expect(only(db)).toEqual([
      inStream(
        resp("MULTI"),
        resp("SET", "a", "1"),
        resp("SELECT", "2"),
        resp("SET", "b", "2"),
        resp("EXEC"),
      ),
    ]);
    expectReplays(db);
  });

  test("a document is the SET of its text behind a PING that says so", () => {
    const db = streaming();
    db.run("JSON.SET", "d", "$", '{"a":[1]}');
    expect(only(db)).toEqual([inStream(resp("PING", "#kvdb-json"), resp("SET", "d", '{"a":[1]}'))]);
    expect(db.replayed().run("JSON.GET", "d")).toBe('{"a":[1]}');
  });

  test("what Redis has no word for is a PING alone, however long it is", () => {
    const db = streaming();
    db.run("HSET", "h", "f".repeat(300), "1", "g g", "2");
    db.run("HPEXPIREAT", "h", db.now() + 5000, "FIELDS", 2, "f".repeat(300), "g g");
    const command = `HPEXPIREAT h ${db.now() + 5000} FIELDS 2 ${"f".repeat(300)} "g g"`;
    expect(only(db)[1]).toBe(resp("PING", `#kvdb-do ${command}`));
    expect(db.replayed().run("HPTTL", "h", "FIELDS", 1, "g g")).toEqual([5000]);
  });

  test("what was found expired goes before the command that found it, and says why", () => {
    const db = streaming();
    db.run("SET", "gone", "1", "PX", 10);
    db.advance(20);
    db.run("INCR", "gone");
    expect(only(db).slice(1)).toEqual([
      inStream(
        resp("MULTI"),
        resp("PING", "#kvdb-expired"),
        resp("DEL", "gone"),
        resp("INCR", "gone"),
        resp("EXEC"),
      ),
    ]);
    expectReplays(db);
  });

  test("a key that expired alone", () => {
    const db = streaming();
    db.run("SELECT", 1);
    db.run("SET", "gone", "1", "PX", 10);
    db.advance(20);
    db.run("GET", "gone");
    expect(payloads(db).slice(1)).toEqual([
      { database: 1, text: inStream(resp("PING", "#kvdb-expired"), resp("DEL", "gone")) },
    ]);
  });

  test("the feed of changes tells what it would tell without the stream", async () => {
    const told = await Promise.all(
      [true, false].map(async (isStreaming) => {
        const options = { background: false, durability: "none" } as const;
        const db = isStreaming ? streaming(options) : new EngineHarness(options);
        await db.ask("CHANGES", "FROM", "$");
        db.run("SELECT", 3);
        db.run("JSON.SET", "d", "$", '{"a":1}');
        db.run("SET", "gone", "1", "PX", 10);
        db.advance(20);
        db.run("MULTI");
        db.run("DEL", "gone", "d");
        db.run("SET", "k", "1");
        db.run("EXEC");
        if (isStreaming) db.engine.journal.commitNote(Buffer.from(resp("PING")));
        await turns(db);
        const changes: unknown[][] = [];
        for (let from = 1; from <= db.engine.disk.lastRevision; ) {
          const page = (await db.ask("CHANGES", "FROM", from)) as unknown as [number, unknown[][]];
          expect(page[0]).toBeGreaterThan(from);
          changes.push(...page[1]);
          from = page[0];
        }
        return changes.map(([revision, , database, key, event]) => [
          ...[revision, database, key],
          // A document is its whole text in the words of Redis.
          event === "json.set" ? "value.set" : event,
        ]);
      }),
    );
    expect(told[0]).toEqual(told[1] as never);
    expect(told[0]?.length).toBeGreaterThan(3);
  });

  test("what comes first selects a database, also what changes nothing", () => {
    const db = new EngineHarness({ background: false });
    db.engine.journal.useStream({ offset: 0, database: -1, isFollowing: false });
    db.engine.journal.commitNote(Buffer.from(resp("PING")));
    db.run("SET", "k", "1");
    expect(payloads(db)).toEqual([
      { database: 0, text: inStream(resp("SELECT", "0"), resp("PING")) },
      { database: 0, text: resp("SET", "k", "1") },
    ]);
    expectReplays(db);
  });

  test("words that are no RESP array, and what changes nothing", () => {
    const db = streaming();
    const args = new Arguments();
    args.assign(["SET", "k", "1"]);
    db.engine.dispatch(db.session, args, new ValueReply());
    expect(only(db)).toEqual([resp("SET", "k", "1")]);
    db.engine.journal.commitNote(Buffer.from(resp("PING")));
    expect(only(db).at(-1)).toBe(resp("PING"));
    expectReplays(db);
  });
});

describe("on a replica", () => {
  function following(): { db: EngineHarness; apply(...commands: string[]): void } {
    const db = new EngineHarness({ background: false });
    const { journal } = db.engine;
    const form = journal.useStream({ offset: 100, database: 0, isFollowing: true });
    const session = db.engine.connect(db.session.client, "replica");
    const apply = (...commands: string[]) => {
      const bytes = Buffer.from(commands.join(""), "latin1");
      const database = form.database;
      for (const command of commands) {
        const args = new Arguments();
        new Decoder().decode(args, Buffer.from(command, "latin1"), 0, command.length);
        db.engine.dispatch(session, args, new ValueReply());
      }
      journal.commitStretch(bytes, 0, bytes.length, database);
    };
    return { db, apply };
  }

  test("what the primary sent is recorded as it was sent, whatever it is", () => {
    const { db, apply } = following();
    apply(resp("set", "k", "1"));
    apply(resp("SELECT", "3"), resp("SET", "k", "2"));
    apply(resp("PING"));
    apply(resp("SELECT", "4"));
    expect(payloads(db)).toEqual([
      { database: 0, text: resp("set", "k", "1") },
      { database: 0, text: inStream(resp("SELECT", "3"), resp("SET", "k", "2")) },
      { database: 3, text: resp("PING") },
      { database: 3, text: inStream(resp("SELECT", "4")) },
    ]);
    expect(db.engine.disk.lastRevision).toBe(4);
    expectReplays(db);
  });

  test("what could not run is counted, and does not run when it is replayed", () => {
    const { db } = following();
    const { journal } = db.engine;
    const bytes = Buffer.from(resp("FUNCTION", "LOAD", "x"));
    journal.commitStretch(bytes, 0, bytes.length, 0, true);
    expect(only(db)).toEqual([`#kvdb-passed ${bytes.length}\r\n${bytes}`]);
    expectReplays(db);
  });

  test("what it changes itself is no part of the stream, and is replayed", () => {
    const { db } = following();
    db.run("SET", "k", "1");
    expect(only(db)).toEqual([`#kvdb-beside\r\n${resp("SET", "k", "1")}`]);
    expectReplays(db);
  });
});

function expectReplays(db: EngineHarness): void {
  const after = db.replayed();
  for (const database of db.engine.keyspace.databases.keys()) {
    db.run("SELECT", database);
    after.run("SELECT", database);
    const keys = (db.run("KEYS", "*") as string[]).sort();
    expect((after.run("KEYS", "*") as string[]).sort()).toEqual(keys);
    for (const key of keys) expect(after.run("DUMP", key)).toEqual(db.run("DUMP", key));
  }
}
