/** WATCH: what makes an EXEC do nothing, and what does not. */
import { describe, expect, test } from "bun:test";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";

type Words = readonly Argument[];

/** Whether an EXEC runs when `between` happened, in other sessions, after the watching. */
function runs(
  options: { before?: readonly Words[]; watch?: Words },
  ...between: readonly (Words | number)[]
): boolean {
  const db = new EngineHarness();
  const other = db.connect();
  for (const words of options.before ?? []) db.runIn(other, ...words);
  db.runIn(other, "SELECT", 0);
  expect(db.run("WATCH", ...(options.watch ?? ["k"]))).toBe("OK");
  for (const step of between) {
    if (typeof step === "number") db.advance(step);
    else expect(db.runIn(other, ...step)).not.toHaveProperty("error");
  }
  db.run("MULTI");
  db.run("SET", "done", "1");
  const answer = db.run("EXEC");
  expect(answer === null || Array.isArray(answer)).toBe(true);
  // Nothing is watched any more, and nobody listens.
  expect(db.engine.keyspace.changeListener).toBeNull();
  return answer !== null;
}

const THERE = { before: [["SET", "k", "1"]] };

describe("aborts", () => {
  test.each<[string, Words[], Words[]]>([
    ["a key that gets another value", [["SET", "k", "1"]], [["SET", "k", "2"]]],
    ["the same value again", [["SET", "k", "1"]], [["SET", "k", "1"]]],
    ["a key that comes", [], [["RPUSH", "k", "a"]]],
    [
      "one that comes and goes",
      [],
      [
        ["SET", "k", "1"],
        ["DEL", "k"],
      ],
    ],
    ["one that goes", [["SET", "k", "1"]], [["DEL", "k"]]],
    ["a deadline", [["SET", "k", "1"]], [["EXPIRE", "k", "100"]]],
    ["an element", [["SADD", "k", "a"]], [["SADD", "k", "b"]]],
    ["a rename to it", [["SET", "x", "1"]], [["RENAME", "x", "k"]]],
    ["a rename of it", [["SET", "k", "1"]], [["RENAME", "k", "x"]]],
    ["FLUSHDB", [["SET", "k", "1"]], [["FLUSHDB"]]],
    ["FLUSHALL", [["SET", "k", "1"]], [["FLUSHALL"]]],
    ["SWAPDB that takes it away", [["SET", "k", "1"]], [["SWAPDB", 0, 1]]],
    [
      "SWAPDB that brings it",
      [
        ["SELECT", 1],
        ["SET", "k", "1"],
      ],
      [["SWAPDB", 0, 1]],
    ],
  ])("%s", (_name, before, between) => {
    expect(runs({ before }, ...between)).toBe(false);
  });

  test("a key whose time ends in between, whether it is removed then or found later", () => {
    const before = [["SET", "k", "1", "PX", 50]];
    expect(runs({ before }, 100)).toBe(false);
    expect(runs({ before }, ["DEBUG", "SET-ACTIVE-EXPIRE", 0], 100)).toBe(false);
    expect(runs({ before }, ["DEBUG", "SET-ACTIVE-EXPIRE", 0], 100, ["GET", "k"])).toBe(false);
  });

  test("a key whose time ends in between, also where it stays because nothing goes by itself", () => {
    const db = new EngineHarness();
    db.run("SET", "k", "1", "PX", 50);
    db.run("WATCH", "k");
    db.run("CLIENT", "PAUSE", 1000, "WRITE");
    db.advance(100);
    db.run("MULTI");
    db.run("GET", "k");
    expect(db.run("EXEC")).toBeNull();
  });

  test("one of several keys", () => {
    expect(runs({ watch: ["a", "b", "c"] }, ["SET", "b", "1"])).toBe(false);
  });
});

describe("does not abort", () => {
  test.each<[string, Words[], Words[]]>([
    [
      "reading",
      [["SET", "k", "1"]],
      [
        ["GET", "k"],
        ["TYPE", "k"],
      ],
    ],
    [
      "what changes nothing",
      [["SET", "k", "1"]],
      [
        ["SETNX", "k", "2"],
        ["PERSIST", "k"],
      ],
    ],
    [
      "the key of another database",
      [],
      [
        ["SELECT", 1],
        ["SET", "k", "1"],
      ],
    ],
    ["other keys", [], [["SET", "other", "1"]]],
    ["FLUSHALL of a key that is not there", [["SET", "x", "1"]], [["FLUSHALL"]]],
    ["SWAPDB of databases that have it both not", [["SET", "x", "1"]], [["SWAPDB", 0, 1]]],
    ["SWAPDB of others", [["SET", "k", "1"]], [["SWAPDB", 2, 1]]],
  ])("%s", (_name, before, between) => {
    expect(runs({ before }, ...between)).toBe(true);
  });

  test("a key whose time was over before it was watched", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "k", "1", "PX", 50);
    db.advance(100);
    db.run("WATCH", "k");
    db.run("MULTI");
    db.run("PING");
    expect(db.run("EXEC")).toEqual(["PONG"]);
  });

  test("the same while nothing goes by itself, whether it goes afterwards or is made anew", () => {
    const comesAndGoes = [
      ["SET", "k", "2"],
      ["DEL", "k"],
    ];
    for (const between of [[], comesAndGoes.slice(0, 1), comesAndGoes]) {
      const db = new EngineHarness();
      db.run("SET", "k", "1", "PX", 50);
      db.run("CLIENT", "PAUSE", 1000, "WRITE");
      db.advance(100);
      expect(db.run("WATCH", "k")).toBe("OK");
      db.run("CLIENT", "UNPAUSE");
      db.advance(100);
      expect(db.run("DBSIZE")).toBe(0);
      for (const words of between) db.runIn(db.connect(), ...words);
      db.run("MULTI");
      expect(db.run("EXEC")).toEqual(between.length === 0 ? [] : null);
    }
  });

  test("after UNWATCH, an EXEC, a DISCARD, a RESET", () => {
    for (const end of [["UNWATCH"], ["MULTI", "EXEC"], ["MULTI", "DISCARD"], ["RESET"]]) {
      const db = new EngineHarness();
      db.run("WATCH", "k");
      for (const command of end) db.run(command);
      db.runIn(db.connect(), "SET", "k", "1");
      db.run("MULTI");
      expect(db.run("EXEC")).toEqual([]);
    }
  });
});

describe("watching", () => {
  test("one's own change counts, before MULTI and not within", () => {
    const db = new EngineHarness();
    db.run("WATCH", "k");
    db.run("SET", "k", "1");
    db.run("MULTI");
    expect(db.run("EXEC")).toBeNull();
    db.run("WATCH", "k");
    db.run("MULTI");
    db.run("SET", "k", "2");
    expect(db.run("EXEC")).toEqual(["OK"]);
  });

  test("a key is of the database where it was watched, wherever the session goes", () => {
    const db = new EngineHarness();
    db.run("SELECT", 3);
    db.run("WATCH", "k");
    db.run("SELECT", 0);
    const other = db.connect();
    db.runIn(other, "SELECT", 3);
    db.runIn(other, "SET", "k", "1");
    db.run("MULTI");
    expect(db.run("EXEC")).toBeNull();
  });

  test("an aborted queue leaves nothing; UNWATCH within it is queued", () => {
    const db = new EngineHarness();
    db.run("WATCH", "k");
    db.runIn(db.connect(), "SET", "k", "1");
    db.run("MULTI");
    db.run("UNWATCH");
    expect(db.run("EXEC")).toBeNull();
    expect(db.run("EXEC")).toEqual({ error: "ERR EXEC without MULTI" });
  });

  test("many sessions of one key: the first EXEC wins", () => {
    const db = new EngineHarness();
    const sessions = Array.from({ length: 10 }, () => db.connect());
    for (const session of sessions) {
      db.runIn(session, "WATCH", "k");
      db.runIn(session, "MULTI");
      db.runIn(session, "INCR", "k");
    }
    const answers = sessions.map((session) => db.runIn(session, "EXEC"));
    expect(answers).toEqual([[1], ...Array.from({ length: 9 }, () => null)]);
  });

  test("costs memory until it ends, also when the client goes", () => {
    const db = new EngineHarness();
    const session = db.connect();
    const before = db.engine.memory.usedBytes;
    db.runIn(session, "WATCH", "k".repeat(10_000), "j");
    expect(db.engine.memory.usedBytes).toBeGreaterThan(before + 10_000);
    db.engine.disconnect(session);
    expect(db.engine.memory.usedBytes).toBe(before);
    expect(db.engine.keyspace.changeListener).toBeNull();
  });

  test("a session that was touched says so in CLIENT LIST", () => {
    const db = new EngineHarness();
    db.run("WATCH", "k");
    db.run("SET", "k", "1");
    expect(db.run("CLIENT", "INFO")).toContain(" flags=d ");
    expect(runs(THERE)).toBe(true);
  });
});
