import { describe, expect, test } from "bun:test";
import { formatEventFlags, parseEventFlags } from "../../../src/pubsub/event-flags.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { RecordedEvents } from "./recorded-events.ts";

describe("notify-keyspace-events", () => {
  test.each([
    // As redis-server 7.0.15 answers CONFIG GET after CONFIG SET …
    ["", ""],
    ["K", "K"],
    ["KK", "K"],
    ["KEA", "AKE"],
    ["AKEm", "AKEm"],
    ["KEgA", "AKE"],
    ["gKmE", "gKEm"],
    ["Kn", "nK"],
    ["A", "A"],
    ["g$lshzxetdK", "AK"],
    ["tzhK", "hztK"],
    // … but for this, which it forgets.
    ["KEAn", "AnKE"],
  ])("%j reads back as %j", (given, canonical) => {
    expect(formatEventFlags(parseEventFlags(given) ?? -1)).toBe(canonical);
    expect(parseEventFlags(canonical)).toBe(parseEventFlags(given) as number);
  });

  test.each(["Q", "KEq", "K E", "é"])("%j is refused", (given) => {
    expect(parseEventFlags(given)).toBeUndefined();
  });
});

describe("keyspace events", () => {
  test("go to both channels, that of the key first, with its bytes as they are", () => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events);
    db.engine.events.setFlags("KEA");
    db.run("SELECT", 3);
    db.run("SET", new Uint8Array([0, 0xff, 10]), "1");
    expect(events.messages.map(({ channel, message }) => [channel, message])).toEqual([
      ["__keyspace@3__:\x00\xff\n", "set"],
      ["__keyevent@3__:set", "\x00\xff\n"],
    ]);
  });

  test.each([
    ["K$", ["__keyspace@0__:a"]],
    ["E$", ["__keyevent@0__:set"]],
    ["$", []],
    ["KEl", []],
    ["E$g", ["__keyevent@0__:set", "__keyevent@0__:expire"]],
    ["En", ["__keyevent@0__:new"]],
  ] as const)("%s of SET a 1 PX 5", (flags, channels) => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events);
    db.engine.events.setFlags(flags);
    db.run("SET", "a", "1", "PX", 5);
    expect(events.messages.map(({ channel }) => channel)).toEqual([...channels]);
  });

  test("are not even made while nobody subscribes", () => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events);
    events.hasSubscribers = false;
    db.run("SET", "a", "1");
    events.hasSubscribers = true;
    db.run("APPEND", "a", "2");
    expect(events.take()).toEqual(["append a"]);
  });

  test("leave with the revision of their record, and as it promises", () => {
    for (const [durability, holds] of [
      ["always", true],
      ["everysec", false],
      ["none", false],
    ] as const) {
      const db = new EngineHarness({ durability });
      const events = new RecordedEvents(db.engine.events);
      db.run("SET", "a", "1");
      db.run("LPUSH", "l", "1", "2");
      const revision = db.engine.journal.disk.lastRevision;
      const expected = holds ? [revision - 1, revision - 1, revision, revision] : [0, 0, 0, 0];
      expect(events.messages.map(({ hold }) => hold)).toEqual(expected);
    }
  });

  test("a key that somebody finds expired is told before what he does", () => {
    const db = new EngineHarness({ background: false });
    const events = new RecordedEvents(db.engine.events);
    db.run("SET", "a", "1", "PX", 5);
    db.run("SET", "b", "1", "PX", 5);
    events.take();
    db.advance(5);
    db.run("GET", "a");
    db.run("SET", "b", "2");
    expect(events.take()).toEqual(["expired a", "keymiss a", "expired b", "new b", "set b"]);
  });

  test("keys expire on time, and tell of it: 20 000 due in the same 100 ms within 100 ms", () => {
    const db = new EngineHarness({ auditEvery: 0 });
    const events = new RecordedEvents(db.engine.events, "x");
    const keys = 20_000;
    for (let i = 0; i < keys; i++) db.run("SET", `k${i}`, "1", "PX", 1000 + (i % 100));
    db.advance(999);
    expect(events.take()).toEqual([]);
    db.advance(1 + 100 + 100);
    const told = events.take();
    expect(told.length).toBe(keys);
    expect(new Set(told).size).toBe(keys);
    expect(told).toContain("expired k0");
  });

  test("fields that expire tell once of their hash, and of its end", () => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events);
    db.run("HSET", "h", "a", "1", "b", "2", "c", "3");
    db.run("HPEXPIRE", "h", 5, "FIELDS", 2, "a", "b");
    db.run("HPEXPIRE", "h", 500, "FIELDS", 1, "c");
    expect(events.take()).toEqual(["new h", "hset h", "hexpire h", "hexpire h"]);
    db.advance(200);
    expect(events.take()).toEqual(["hexpired h"]);
    db.advance(500);
    expect(events.take()).toEqual(["hexpired h", "del h"]);
  });

  test("what is loaded is no news, nor what is replayed", () => {
    const db = new EngineHarness();
    db.run("RPUSH", "l", "1");
    db.run("SET", "a", "1");
    db.engine.endTurn();
    const again = new EngineHarness();
    const events = new RecordedEvents(again.engine.events);
    const sink = again.engine.loadSink;
    for (const entries = db.engine.readEntries(); entries.next(); ) sink.entry(entries.entry);
    for (const batch of db.persistence.batches) sink.records(batch);
    again.engine.finishReplay();
    again.engine.keyspace.expiring = true;
    expect(again.run("LLEN", "l")).toBe(2);
    expect(events.take()).toEqual([]);
  });

  test("of the commands that a plugin's command calls leave together behind its one record", () => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events);
    let meanwhile = -1;
    db.addCommand("BOTH", (session, _args, reply) => {
      session.call("SET", "a", "1");
      session.call("GET", "none");
      session.call("LPUSH", "l", "1");
      meanwhile = events.messages.length;
      reply.ok();
    });
    expect(db.run("BOTH")).toBe("OK");
    expect(meanwhile).toBe(0);
    const [first] = events.messages;
    expect(first?.hold).toBe(db.engine.journal.disk.lastRevision);
    expect(events.take()).toEqual(["new a", "set a", "keymiss none", "new l", "lpush l"]);
  });

  test("of a transaction leave behind it, with its record", () => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events, "A");
    for (const words of [["MULTI"], ["SET", "a", "1"], ["LPUSH", "l", "1"], ["LPOP", "l"]]) {
      db.run(...words);
    }
    expect(events.messages).toEqual([]);
    db.run("EXEC");
    const { lastRevision } = db.engine.journal.disk;
    expect(new Set(events.messages.map(({ hold }) => hold))).toEqual(new Set([lastRevision]));
    expect(events.take()).toEqual(["set a", "lpush l", "lpop l", "del l"]);
  });

  test("of a transaction that was undone are none", () => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events);
    db.run("SET", "text", "x");
    events.take();
    for (const words of [
      ["MULTI", "ROLLBACK"],
      ["SET", "a", "1"],
      ["INCR", "text"],
    ]) {
      db.run(...words);
    }
    expect(db.run("EXEC")).toEqual({ error: expect.any(String) });
    expect(events.take()).toEqual([]);
    db.run("SET", "b", "1");
    expect(events.take()).toEqual(["new b", "set b"]);
    expect(db.run("EXISTS", "a")).toBe(0);
  });

  test("of a key that makes room", () => {
    const db = new EngineHarness({ maxMemoryBytes: 1_000_000 });
    db.run("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
    for (let i = 0; i < 100; i++) db.run("SET", `k${i}`, "x".repeat(10_000));
    const events = new RecordedEvents(db.engine.events, "e$");
    for (let i = 0; i < 10; i++) expect(db.run("SET", `n${i}`, "x".repeat(10_000))).toBe("OK");
    const told = events.take();
    expect(told.filter((event) => /^evicted [kn]\d+$/.test(event)).length).toBeGreaterThan(5);
    // Room is made before the command that needs it.
    expect(told.indexOf("set n9")).toBe(told.length - 1);
    expect(told.filter((event) => event.startsWith("set ")).length).toBe(10);
  });

  test("each is told once, when a listener runs a command at once", () => {
    const db = new EngineHarness();
    const events = new RecordedEvents(db.engine.events);
    const listener = db.connect();
    const { publish } = events;
    events.publish = (channel, message, hold) => {
      publish.call(events, channel, message, hold);
      if (Buffer.from(message).toString() === "a") void db.askIn(listener, "APPEND", "c", "3");
      return 1;
    };
    db.run("MSET", "a", "1", "b", "2");
    expect(events.take().sort()).toEqual([
      "append c",
      "append c",
      "new a",
      "new b",
      "new c",
      "set a",
      "set b",
    ]);
  });
});
