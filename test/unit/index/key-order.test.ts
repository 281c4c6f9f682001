/**
 * Keys in byte order out of an index of keys, against a sorted array: VALUE.KEYS in both directions and between any bounds,
 * KEYS and SCAN with the same answers as without the index; and none but the keys that are asked for are looked at.
 */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** Deterministic: mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const createIndex = (db: EngineHarness, ...more: string[]) =>
  db.run("INDEX", "CREATE", "keys", "USING", "ordered", "FIELD", "@key", ...more);

function examined(db: EngineHarness): number {
  return db.engine.keyspace.statistics.examined;
}

/** Short keys of few letters, among them bytes that the index writes as two; sometimes one that it cuts. */
function keyOf(random: (below: number) => number): Buffer {
  const alphabet = [0x00, 0x01, 0x02, 0x61, 0x62, 0xff];
  const pick = () => alphabet[random(alphabet.length)] as number;
  const size = random(5);
  const tail = Buffer.from(Array.from({ length: size }, pick));
  if (random(4) > 0) return tail;
  return Buffer.concat([Buffer.alloc(1015 + random(12), 0x61), tail]);
}

const hex = (keys: readonly Uint8Array[]) => keys.map((key) => Buffer.from(key).toString("hex"));

/** All that VALUE.KEYS answers, in the order it comes; `between` runs between two steps. */
function walk(
  db: EngineHarness,
  words: readonly (string | number | Uint8Array)[],
  between = () => {},
) {
  const all: Buffer[] = [];
  for (let cursor = "0"; ; between()) {
    const [next, keys] = db.run("VALUE.KEYS", "CURSOR", cursor, ...words) as [string, string[]];
    all.push(...keys.map((key) => Buffer.from(key)));
    cursor = next;
    if (cursor === "0") return all;
  }
}

describe.each([1, 2, 3, 4])("seed %d", (seed) => {
  test("answers between all bounds are those of a sorted array", () => {
    const random = randomOf(seed);
    const db = new EngineHarness({ auditEvery: 0 });
    const model = new Map<string, Buffer>();
    createIndex(db);
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 30; i++) {
        const key = keyOf(random);
        if (random(3) === 0) {
          db.run("DEL", key);
          model.delete(key.toString("hex"));
        } else {
          db.run("SET", key, "1");
          model.set(key.toString("hex"), key);
        }
      }
      const sorted = [...model.values()].sort(Buffer.compare);
      const [low, high, prefix] = [
        keyOf(random),
        keyOf(random),
        keyOf(random).subarray(0, 1 + random(3)),
      ];
      const [from, to] = [random(2) === 0, random(2) === 0];
      const fits = (key: Buffer) => {
        const [above, below] = [Buffer.compare(key, low), Buffer.compare(key, high)];
        if (!key.subarray(0, prefix.length).equals(prefix)) return false;
        return (from ? above >= 0 : above > 0) && (to ? below <= 0 : below < 0);
      };
      const first = 1 + random(20);
      const words = [from ? "FROM" : "AFTER", low, to ? "UPTO" : "BEFORE", high, "PREFIX", prefix];
      const matching = sorted.filter(fits);
      const before = examined(db);
      expect(hex(walk(db, [...words, "FIRST", first]))).toEqual(hex(matching.slice(0, first)));
      expect(hex(walk(db, [...words, "REV", "FIRST", first]))).toEqual(
        hex(matching.reverse().slice(0, first)),
      );
      // Of the keys that the index has cut all are looked at that begin alike.
      const cut = sorted.filter(({ length }) => length >= 1000).length;
      expect(examined(db) - before).toBeLessThanOrEqual(
        2 * (Math.min(first, matching.length) + cut + 1),
      );
      expect(hex(walk(db, ["FROM", ""]))).toEqual(hex(sorted));
    }
  });

  test("KEYS and SCAN find the same with the index and without it", () => {
    const random = randomOf(seed);
    const bare = new EngineHarness({ auditEvery: 0 });
    const indexed = new EngineHarness({ auditEvery: 0 });
    createIndex(indexed);
    for (let i = 0; i < 2000; i++) {
      const key = ["user:", "us*r:", "u", "usé:"][random(4)] + String(random(500));
      const words = random(4) === 0 ? ["DEL", key] : ["SET", key, "1"];
      bare.run(...(words as [string]));
      indexed.run(...(words as [string]));
    }
    const patterns = [
      "user:1*",
      "us\\*r:*",
      "us*r:1?",
      "us[e]r:2*",
      "user:?",
      "u*",
      "user:12",
      "usé:*",
      "user:\\1*",
      "nobody*",
      "us\\",
    ];
    for (const pattern of patterns) {
      const expected = (bare.run("KEYS", pattern) as string[]).sort();
      expect(indexed.run("KEYS", pattern)).toEqual(expected);
      const scanned: string[] = [];
      for (let cursor = "0"; ; ) {
        const [next, keys] = indexed.run("SCAN", cursor, "MATCH", pattern) as [string, string[]];
        scanned.push(...keys);
        cursor = next;
        if (cursor === "0") break;
      }
      expect(scanned.sort()).toEqual(expected);
    }
  });
});

function withUsers(count: number): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0 });
  for (let i = 0; i < count; i++) db.run("SET", `user:${String(i).padStart(5, "0")}`, "1");
  return db;
}

test("KEYS with a literal prefix looks at the matches alone", () => {
  const db = withUsers(5000);
  expect(db.run("KEYS", "user:0001*")).toHaveLength(10);
  expect(examined(db)).toBe(5000);
  createIndex(db);
  const before = examined(db);
  expect(db.run("KEYS", "user:0001*")).toEqual(
    Array.from({ length: 10 }, (_, i) => `user:0001${i}`),
  );
  expect(examined(db) - before).toBe(10);
  expect(db.run("INFO", "stats")).toContain(`keys_examined:${before + 10}\r\n`);
});

test("SCAN has few matches in one reply, and many in steps", () => {
  const db = withUsers(5000);
  createIndex(db);
  const few = db.run("SCAN", 0, "MATCH", "user:000*", "COUNT", 10) as [string, string[]];
  expect([few[0], few[1].length]).toEqual(["0", 100]);
  expect(examined(db)).toBe(100);
  const many = db.run("SCAN", 0, "MATCH", "user:0*", "COUNT", 10) as [string, string[]];
  expect(many[0]).not.toBe("0");
  expect(many[1].length).toBeLessThan(1000);
  const counted = db.run("SCAN", 0, "MATCH", "user:0*", "COUNT", 5000) as [string, string[]];
  expect([counted[0], counted[1].length]).toEqual(["0", 5000]);
  const typed = db.run("SCAN", 0, "MATCH", "user:000*", "TYPE", "list");
  expect(typed).toEqual(["0", []]);
});

test("a page of VALUE.KEYS looks at its keys alone", () => {
  const db = withUsers(5000);
  createIndex(db);
  const page = db.run("VALUE.KEYS", "PREFIX", "user:", "AFTER", "user:00041", "FIRST", 2);
  expect(page).toEqual(["0", ["user:00042", "user:00043"]]);
  expect(examined(db)).toBe(2);
});

test("a pattern that matches little goes on behind the last key that was looked at", () => {
  const db = withUsers(20_000);
  createIndex(db);
  const steps: number[] = [];
  let before = examined(db);
  const found = walk(db, ["PREFIX", "user:", "MATCH", "*9999"], () => {
    steps.push(examined(db) - before);
    before = examined(db);
    db.run("DEL", "user:08191");
  });
  expect(String(found)).toBe("user:09999,user:19999");
  expect(steps).toEqual([8192, 8192]);
});

test("a walk in order goes on when its index is gone", () => {
  const db = withUsers(20_000);
  createIndex(db);
  const found = walk(db, ["PREFIX", "user:"], () => db.run("INDEX", "DROP", "keys"));
  expect(found.map(String).sort()).toEqual(walk(db, ["PREFIX", "user:"]).map(String).sort());
  expect(new Set(found.map(String)).size).toBe(20_000);
});

test("an index of keys with a prefix serves what lies behind that prefix", () => {
  const db = withUsers(100);
  db.run("SET", "other", "1");
  createIndex(db, "PREFIX", "user:");
  expect(db.run("KEYS", "user:0001*")).toHaveLength(10);
  expect(examined(db)).toBe(10);
  expect(db.run("KEYS", "use*")).toHaveLength(100);
  expect(examined(db)).toBe(10 + 101);
  const inside = ["VALUE.KEYS", "FROM", "user:00098", "BEFORE", "user:z"] as const;
  expect(db.run(...inside)).toEqual(["0", ["user:00098", "user:00099"]]);
  expect(examined(db)).toBe(10 + 101 + 2);
  expect(
    (db.run("VALUE.KEYS", "FROM", "user:00098", "UPTO", "v") as [string, string[]])[1].length,
  ).toBe(2);
  expect(examined(db)).toBe(10 + 101 + 2 + 101);
});

test("keys that are over are left out, and those of another database", () => {
  const db = new EngineHarness({ background: false });
  createIndex(db);
  db.run("SET", "a:1", "1", "PX", 10);
  db.run("SET", "a:2", "1");
  db.advance(20);
  expect(db.run("KEYS", "a:*")).toEqual(["a:2"]);
  expect(db.run("SCAN", 0, "MATCH", "a:*")).toEqual(["0", ["a:2"]]);
  db.run("SELECT", 1);
  expect(db.run("KEYS", "a:*")).toEqual([]);
});

test("an index that has failed is not asked", () => {
  const db = withUsers(50);
  createIndex(db);
  const index = db.engine.indexes.all.named(db.session.database, "keys");
  index?.fail("for the test");
  expect(db.run("KEYS", "user:0001*")).toHaveLength(10);
  expect(examined(db)).toBe(50);
});
