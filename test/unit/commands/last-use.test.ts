/** When a key was used last, and how often: OBJECT IDLETIME and FREQ, TOUCH, RESTORE's options, which commands use a key. */
import { describe, expect, test } from "bun:test";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";

function idle(db: EngineHarness, key = "a"): number {
  return db.run("OBJECT", "IDLETIME", key) as number;
}

function counting(): EngineHarness {
  const db = new EngineHarness();
  db.engine.keyspace.access.countsFrequency = true;
  return db;
}

const freq = (db: EngineHarness) => db.run("OBJECT", "FREQ", "a") as number;

describe("OBJECT IDLETIME", () => {
  test("counts the seconds since a key was used", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    expect(idle(db)).toBe(0);
    db.advance(42_000);
    expect(idle(db)).toBe(42);
    db.run("GET", "a");
    expect(idle(db)).toBe(0);
  });

  test("begins anew after 194 days, as in Redis", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.clock.setWall(db.now() + 1000 * (2 ** 24 + 7));
    expect(idle(db)).toBe(7);
  });

  test.each<readonly Argument[]>([
    ["GET", "a"],
    ["STRLEN", "a"],
    ["APPEND", "a", "x"],
    ["EXPIRE", "a", 1000],
    ["TOUCH", "a"],
    ["DUMP", "a"],
    ["SET", "a", "2"],
    ["SET", "a", "a much longer value than the one before, in another block"],
    ["SET", "a", "1", "EX", 1000],
    ["COPY", "a", "b"],
  ])("is zero after %p", (...command) => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.advance(10_000);
    db.run(...command);
    expect(idle(db)).toBe(0);
  });

  test.each<readonly Argument[]>([
    ["EXISTS", "a"],
    ["TYPE", "a"],
    ["TTL", "a"],
    ["PEXPIRETIME", "a"],
    ["OBJECT", "ENCODING", "a"],
    ["MEMORY", "USAGE", "a"],
    ["SCAN", "0", "TYPE", "string"],
    ["KEYS", "*"],
    ["RANDOMKEY"],
  ])("goes on over %p", (...command) => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.advance(10_000);
    db.run(...command);
    expect(idle(db)).toBe(10);
  });

  test("goes on while somebody takes a snapshot, in which reading must write nothing", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.advance(10_000);
    db.engine.keyspace.access.rest();
    db.run("GET", "a");
    db.engine.keyspace.access.resume();
    expect(idle(db)).toBe(10);
  });

  test("stays with a value that gets another deadline or another name", () => {
    const db = counting();
    db.engine.keyspace.access.logFactor = 0;
    db.run("SET", "b", "1");
    for (let i = 0; i < 3; i++) db.run("GET", "b");
    db.run("EXPIRE", "b", 100);
    db.run("PERSIST", "b");
    db.run("RENAME", "b", "a");
    expect(freq(db)).toBeGreaterThanOrEqual(8);
  });
});

describe("CLIENT NO-TOUCH", () => {
  test("what the session looks up does not count as used, but for TOUCH", () => {
    const db = new EngineHarness();
    const other = db.connect();
    db.run("SET", "a", "1");
    db.advance(10_000);
    db.run("CLIENT", "NO-TOUCH", "ON");
    db.run("GET", "a");
    db.run("STRLEN", "a");
    expect(idle(db)).toBe(10);
    db.runIn(other, "GET", "a");
    expect(idle(db)).toBe(0);
    db.advance(10_000);
    db.run("TOUCH", "a");
    expect(idle(db)).toBe(0);
    db.advance(10_000);
    db.run("CLIENT", "NO-TOUCH", "OFF");
    db.run("GET", "a");
    expect(idle(db)).toBe(0);
  });

  test("ends with the session", () => {
    const db = new EngineHarness();
    const other = db.connect();
    db.runIn(other, "CLIENT", "NO-TOUCH", "ON");
    db.engine.disconnect(other);
    db.run("SET", "a", "1");
    db.advance(10_000);
    db.run("GET", "a");
    expect(idle(db)).toBe(0);
  });
});

describe("OBJECT FREQ", () => {
  test("begins at 5, grows ever more slowly, and loses one a minute", () => {
    const db = counting();
    db.run("SET", "a", "1");
    expect(freq(db)).toBe(5);
    for (let i = 0; i < 300; i++) db.run("GET", "a");
    const used = freq(db);
    // 1 + 11 + 21 + … looks for one more each: about 300 for 8 of them.
    expect(used).toBeGreaterThan(9);
    expect(used).toBeLessThan(30);
    db.advance(3 * 60_000);
    expect(freq(db)).toBe(used - 3);
    db.advance(1000 * 60_000);
    expect(freq(db)).toBe(0);
  });

  test("ends at 255", () => {
    const db = counting();
    db.engine.keyspace.access.logFactor = 0;
    db.run("SET", "a", "1");
    for (let i = 0; i < 300; i++) db.run("GET", "a");
    expect(freq(db)).toBe(255);
  });

  test("loses nothing when lfu-decay-time is 0", () => {
    const db = counting();
    db.engine.keyspace.access.decayMinutes = 0;
    db.run("SET", "a", "1");
    db.advance(100 * 60_000);
    expect(freq(db)).toBe(5);
  });

  test("counts each of the neighbours in a pipeline", () => {
    const db = counting();
    db.engine.keyspace.access.logFactor = 0;
    db.run("SET", "a", "1");
    db.run("MGET", "a", "a", "a");
    expect(freq(db)).toBe(8);
  });

  test("answers for frequency or for idle time, never for both", () => {
    const recency = new EngineHarness();
    recency.run("SET", "a", "1");
    expect(recency.run("OBJECT", "FREQ", "a")).toMatchObject({
      error: expect.stringMatching(/^ERR An LFU maxmemory policy is not selected/),
    });
    const frequency = counting();
    frequency.run("SET", "a", "1");
    expect(frequency.run("OBJECT", "IDLETIME", "a")).toMatchObject({
      error: expect.stringMatching(/^ERR An LFU maxmemory policy is selected/),
    });
  });
});

describe("RESTORE", () => {
  test("IDLETIME and FREQ say how a key was used, where that is what counts", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    const payload = db.run("DUMP", "a") as string;
    const bytes = Buffer.from(payload, "latin1");
    db.run("RESTORE", "a", 0, bytes, "REPLACE", "IDLETIME", 500);
    expect(idle(db)).toBe(500);
    db.run("RESTORE", "a", 0, bytes, "REPLACE", "FREQ", 200);
    expect(idle(db)).toBe(0);
    db.engine.keyspace.access.countsFrequency = true;
    db.run("RESTORE", "a", 0, bytes, "REPLACE", "FREQ", 200);
    expect(freq(db)).toBe(200);
    db.run("RESTORE", "a", 0, bytes, "REPLACE", "IDLETIME", 500);
    expect(freq(db)).toBe(5);
  });
});
