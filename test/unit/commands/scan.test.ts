import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";
import type { Value } from "../../suites/value-reply.ts";

/** All keys that SCAN answers, from cursor 0 to 0. */
function scanAll(db: EngineHarness, ...options: (string | number)[]): string[] {
  const keys: string[] = [];
  let cursor = "0";
  do {
    const [next, page] = db.run("SCAN", cursor, ...options) as [string, string[]];
    keys.push(...page);
    cursor = next;
  } while (cursor !== "0");
  return keys;
}

function sorted(keys: Value): string[] {
  return [...(keys as string[])].sort();
}

function withKeys(count: number): EngineHarness {
  const db = new EngineHarness({ auditEvery: 1000 });
  for (let i = 0; i < count; i++) db.run("SET", `key:${i}`, "1");
  return db;
}

describe("SCAN", () => {
  test.each([1, 7, 10, 1000, 2 ** 40])("COUNT %d finds every key once", (count) => {
    const db = withKeys(3000);
    const keys = scanAll(db, "COUNT", count);
    expect(sorted(keys)).toEqual(sorted(Array.from({ length: 3000 }, (_, i) => `key:${i}`)));
  });

  test("MATCH and TYPE filter", () => {
    const db = withKeys(500);
    db.run("VALUE.SET", "key:json", "{}");
    expect(sorted(scanAll(db, "MATCH", "key:4?"))).toEqual(
      Array.from({ length: 10 }, (_, i) => `key:4${i}`),
    );
    expect(scanAll(db, "TYPE", "rejson-rl")).toEqual(["key:json"]);
    expect(scanAll(db, "TYPE", "STRING").length).toBe(500);
    expect(scanAll(db, "TYPE", "hash")).toEqual([]);
    expect(scanAll(db, "MATCH", "*", "TYPE", "ReJSON-RL", "COUNT", 3)).toEqual(["key:json"]);
  });

  test("keys that are over are left out", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1", "PX", 10);
    db.run("SET", "b", "1");
    db.advance(10);
    expect(scanAll(db)).toEqual(["b"]);
    expect(db.run("KEYS", "*")).toEqual(["b"]);
  });

  test("any number is a cursor", () => {
    const db = withKeys(10);
    for (const cursor of ["4294967295", "4294967296", "18446744073709551615", "-1"]) {
      const [next, keys] = db.run("SCAN", cursor) as [string, string[]];
      expect(next).toBe("0");
      expect(keys.length).toBeLessThanOrEqual(1);
    }
    expect(db.run("SCAN", "18446744073709551616")).toEqual({ error: "ERR invalid cursor" });
  });
});

describe("KEYS", () => {
  test("matches as Redis does, and a literal pattern finds its key alone", () => {
    const db = withKeys(200);
    db.run("SET", "", "empty");
    db.run("SET", "a*b", "1");
    expect(sorted(db.run("KEYS", "key:1?"))).toEqual(
      Array.from({ length: 10 }, (_, i) => `key:1${i}`),
    );
    expect(db.run("KEYS", "key:17")).toEqual(["key:17"]);
    expect(db.run("KEYS", "key:")).toEqual([]);
    expect(db.run("KEYS", "")).toEqual([""]);
    expect(db.run("KEYS", "a\\*b")).toEqual(["a*b"]);
    expect((db.run("KEYS", "*") as string[]).length).toBe(202);
    expect(db.engine.keyspace.statistics).toMatchObject({ hits: 0, misses: 0 });
  });
});

describe("RANDOMKEY", () => {
  test("answers every key sooner or later, and null when there is none", () => {
    const db = withKeys(5);
    const seen = new Set(Array.from({ length: 200 }, () => db.run("RANDOMKEY")));
    expect(seen.size).toBe(5);
    db.run("FLUSHALL");
    expect(db.run("RANDOMKEY")).toBeNull();
  });

  test("removes what is over on the way, which is recorded", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1", "PX", 10);
    db.records();
    db.advance(10);
    expect(db.run("RANDOMKEY")).toBeNull();
    expect(db.records()).toEqual([{ database: 0, commands: ["SELECT 0", "DEL a"] }]);
  });
});

test.each(["KEYS *", "KEYS a", "SCAN 0", "RANDOMKEY"])(
  "%s does not show what may vanish: it waits for the latest record",
  (command) => {
    const db = new EngineHarness({ durability: "always" });
    db.persistence.holdsSyncs = true;
    db.run("SET", "a", "1");
    const reader = db.connect();
    db.runIn(reader, ...command.split(" "));
    expect(reader.hold).toBe(db.session.hold);
    expect(reader.hold).toBeGreaterThan(0);
  },
);
