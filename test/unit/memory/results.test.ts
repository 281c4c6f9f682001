/** Results that are longer than the command that asks for them: they pass the limit no more than anything else does. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const MAX = 4_000_000;
const MEMBERS = 8000;
const TABLE_BYTES = 16_384;
const OOM = { error: "OOM command not allowed when used memory > 'maxmemory'." };

/** Two sets, two sorted sets, a list and points on earth, each of half a megabyte to a whole one. */
function filled(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0 });
  const numbers = Array.from({ length: MEMBERS }, (_, i) => i);
  const member = (i: number) => `member number ${i}`;
  db.run("SADD", "s1", ...numbers.map(member));
  db.run("SADD", "s2", ...numbers.map((i) => member(i + MEMBERS / 2)));
  db.run("SADD", "few", ...numbers.slice(0, 50).map(member));
  db.run("ZADD", "z1", ...numbers.flatMap((i) => [i, member(i)]));
  db.run("ZADD", "z2", ...numbers.flatMap((i) => [i, member(i + MEMBERS / 2)]));
  db.run("RPUSH", "l", ...numbers.map((i) => `${i} ${"x".repeat(80)}`));
  db.run("GEOADD", "g", ...numbers.flatMap((i) => [i / 1000, i / 1000, member(i)]));
  return db;
}

const commands: readonly (readonly (string | number)[])[] = [
  ["SUNIONSTORE", "to", "s1", "s2"],
  ["SINTERSTORE", "to", "s1", "s2"],
  ["SDIFFSTORE", "to", "s1", "s2"],
  ["SDIFFSTORE", "to", "s1", "few"],
  ["ZUNIONSTORE", "to", 2, "z1", "z2"],
  ["ZINTERSTORE", "to", 2, "z1", "s2"],
  ["ZDIFFSTORE", "to", 2, "z1", "z2"],
  ["ZRANGESTORE", "to", "z1", 0, -1],
  ["GEOSEARCHSTORE", "to", "g", "FROMLONLAT", 0, 0, "BYRADIUS", 9000, "km"],
  ["GEORADIUS", "g", 0, 0, 9000, "km", "STORE", "to"],
  ["SORT", "l", "GET", "#", "GET", "l:*", "ALPHA", "STORE", "to"],
  ["COPY", "z1", "to"],
];

describe.each(commands.map((words) => [words.join(" "), words] as const))("%s", (_name, words) => {
  const to = (key: string) => words.map((word) => (word === "to" ? key : word));

  test("is refused before it passes the limit, and changes nothing then", () => {
    const db = filled();
    db.engine.maxMemoryBytes = db.engine.memory.usedBytes + MAX;
    const most = db.engine.maxMemoryBytes * 1.05;
    let peak = 0;
    const { arena } = db.engine.keyspace;
    const watch = { touch: () => (peak = Math.max(peak, arena.usedBytes)) };
    const idle = { released: () => {}, reset: () => {} };
    arena.tracker = { ...watch, ...idle };
    let stored = 0;
    while (stored < 1000) {
      const digest = db.run("DEBUG", "DIGEST");
      const before = db.engine.memory.usedBytes;
      const answer = db.run(...to(`to:${stored}`));
      expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(most);
      if (Bun.deepEquals(answer, OOM)) {
        expect(db.run("DEBUG", "DIGEST")).toBe(digest);
        expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(before + 1000);
        break;
      }
      expect(answer).toBeGreaterThan(0);
      stored++;
    }
    expect(stored).toBeGreaterThan(1);
    expect(stored).toBeLessThan(1000);
    // In the middle of the command as well, but for the table that splits for its last member.
    expect(peak).toBeLessThanOrEqual(most + TABLE_BYTES);
    arena.tracker = null;
    // What was there is no better place for it.
    const old = db.run("DUMP", "to:0");
    expect(db.run(...to("to:0"))).toEqual(OOM);
    expect(db.run("DUMP", "to:0")).toEqual(old);
    const copy = db.replayed();
    expect(copy.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });
});

test.each(["SADD", "ZADD", "HSET"])(
  "a value of %s that is restored is more than its payload",
  (name) => {
    const db = new EngineHarness({ auditEvery: 0 });
    const numbers = Array.from({ length: 50_000 }, (_, i) => i);
    db.run(name, "big", ...numbers.flatMap((i) => (name === "SADD" ? [i] : [i, i])));
    const payload = db.run("VALUE.EXPORT", "big") as [[string, number, string]];
    const dump = Buffer.from(payload[0][2], "latin1");
    db.engine.maxMemoryBytes = db.engine.memory.usedBytes + 3 * dump.length;
    for (let i = 0; i < 10; i++) {
      db.run("RESTORE", `restored:${i}`, 0, dump);
      db.run("VALUE.IMPORT", `imported:${i}`, "DUMP", 0, dump);
      expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(db.engine.maxMemoryBytes * 1.05);
    }
    expect(db.run("RESTORE", "more", 0, dump)).toEqual(OOM);
    expect(db.run("VALUE.IMPORT", "more", "DUMP", 0, dump)).toEqual(OOM);
    db.engine.maxMemoryBytes += 20 * dump.length;
    expect(db.run("RESTORE", "more", 0, dump)).toBe("OK");
  },
);

test("a result that is short is stored, however long what it is made of", () => {
  const db = filled();
  db.engine.maxMemoryBytes = db.engine.memory.usedBytes + 100_000;
  expect(db.run("SINTERSTORE", "to", "s1", "few")).toBe(50);
  expect(db.run("SDIFFSTORE", "to", "few", "s2")).toBe(50);
  expect(db.run("SADD", "most", ...(db.run("SMEMBERS", "few") as string[]))).toBe(50);
  expect(db.run("ZINTERSTORE", "to", 2, "z1", "few")).toBe(50);
  expect(db.run("ZRANGESTORE", "to", "z1", 0, 9)).toBe(10);
  expect(db.run("SUNIONSTORE", "s2", "s2", "few")).toEqual(OOM);
});

test("with a policy one that was refused finds room when it comes again", async () => {
  const db = filled();
  for (let i = 0; i < 2000; i++) db.run("SET", `key:${i}`, "x".repeat(900), "EX", 1000);
  db.run("CONFIG", "SET", "maxmemory-policy", "volatile-lru");
  db.engine.maxMemoryBytes = db.engine.memory.usedBytes;
  const command = ["SUNIONSTORE", "to", "s1", "s2"];
  expect(db.run(...command)).toEqual(OOM);
  for (let turns = 0; turns < 100; turns++) {
    await Bun.sleep(0);
    db.endTurn();
  }
  expect(db.run(...command)).toBe(MEMBERS * 1.5);
  expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(db.engine.maxMemoryBytes * 1.05);
});

test("what could not fit if all keys went makes no key go", async () => {
  const db = new EngineHarness({ maxMemoryBytes: 2_000_000, auditEvery: 0 });
  db.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  for (let i = 0; i < 100; i++) db.run("SET", `key:${i}`, "x");
  expect(db.run("SETRANGE", "grown", 3_000_000, "x")).toEqual(OOM);
  for (let turns = 0; turns < 100; turns++) {
    await Bun.sleep(0);
    db.endTurn();
  }
  expect(db.run("DBSIZE")).toBe(100);
});
