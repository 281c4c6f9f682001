/** Eviction through commands: each policy keeps used memory within its bound, chooses as it says, and tells of what goes. */
import { describe, expect, test } from "bun:test";
import { EVICTION_POLICIES } from "../../../src/store/eviction.ts";
import { EngineHarness, type HarnessOptions } from "../../suites/engine-harness.ts";

const MAX = 2_000_000;
const OOM = { error: "OOM command not allowed when used memory > 'maxmemory'." };
const policies = EVICTION_POLICIES.map(({ name }) => name);
const evicting = policies.filter((name) => name !== "noeviction");

function harness(policy: string, options: HarnessOptions = {}): EngineHarness {
  const db = new EngineHarness({ maxMemoryBytes: MAX, auditEvery: 997, ...options });
  db.run("CONFIG", "SET", "maxmemory-policy", policy);
  return db;
}

const evicted = (db: EngineHarness) => db.engine.keyspace.statistics.evicted;

describe.each(evicting)("%s", (policy) => {
  test("used memory stays within 5 % of the bound, whatever is written", () => {
    const db = harness(policy);
    for (let i = 0; i < 4000; i++) {
      const key = `key:${i % 3000}`;
      const size = i % 50 === 0 ? 40_000 : i % 700;
      expect(db.run("SET", key, "x".repeat(size), "PX", 100_000 + (i % 977))).toBe("OK");
      if (i % 7 === 0) db.run("HSET", `hash:${i % 100}`, `field:${i}`, "y".repeat(i % 90));
      if (i % 7 === 0) db.run("EXPIRE", `hash:${i % 100}`, 1000);
      expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(MAX * 1.05);
    }
    expect(evicted(db)).toBeGreaterThan(1000);
    expect(db.run("DBSIZE")).toBeGreaterThan(500);
  });

  test("a replay of the records comes to the same keys", () => {
    const db = harness(policy);
    for (let i = 0; i < 900; i++) {
      db.run("SELECT", i % 3);
      db.run("SET", `key:${i}`, "x".repeat(5000), "EX", 1000);
    }
    expect(evicted(db)).toBeGreaterThan(300);
    // The last command may have passed the bound; the next turn begins with that.
    db.run("PING");
    const copy = db.replayed();
    expect(copy.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
    // What was replayed had been evicted then, and nothing is because of the bound of today.
    expect(evicted(copy)).toBe(0);
  });
});

describe.each(policies.filter((name) => name.startsWith("volatile") || name === "noeviction"))(
  "%s without a key that may go",
  (policy) => {
    test("refuses what needs memory, serves the rest, and loses nothing", () => {
      const db = harness(policy);
      let stored = 0;
      while (db.run("SET", `key:${stored}`, "x".repeat(10_000)) === "OK") stored++;
      expect(db.run("SET", "more", "x".repeat(10_000))).toEqual(OOM);
      expect(db.run("DBSIZE")).toBe(stored);
      expect(db.run("GET", "key:0")).toBe("x".repeat(10_000));
      expect(db.run("DEL", "key:0", "key:1", "key:2", "key:3", "key:4", "key:5")).toBe(6);
      expect(db.run("SET", "more", "x")).toBe("OK");
      expect(evicted(db)).toBe(0);
    });
  },
);

test("volatile policies let keys without a deadline stay, however few the others are", () => {
  for (const policy of policies.filter((name) => name.startsWith("volatile"))) {
    const db = harness(policy, { auditEvery: 0 });
    for (let i = 0; i < 8000; i++) db.run("SET", `stays:${i}`, "x".repeat(100));
    // One of a thousand and more: found by their reminders.
    for (let i = 0; i < 6; i++) db.run("SET", `goes:${i}`, "x".repeat(60_000), "EX", 1000 + i);
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      if (db.run("SET", `new:${i}`, "x".repeat(20_000)) !== "OK") refused++;
    }
    expect(evicted(db)).toBe(6);
    expect(refused).toBeGreaterThan(0);
    expect(db.run("EXISTS", ...Array.from({ length: 8000 }, (_, i) => `stays:${i}`))).toBe(8000);
  }
});

describe("what goes", () => {
  test("allkeys-lru: what was not used for longest", () => {
    const db = harness("allkeys-lru", { auditEvery: 0 });
    for (let i = 0; i < 180; i++) db.run("SET", `key:${i}`, "x".repeat(10_000));
    db.advance(10_000);
    for (let i = 0; i < 90; i++) db.run("GET", `key:${i}`);
    for (let i = 0; i < 60; i++) db.run("SET", `new:${i}`, "x".repeat(10_000));
    const used = Array.from({ length: 90 }, (_, i) => `key:${i}`);
    expect(db.run("EXISTS", ...used)).toBeGreaterThanOrEqual(88);
  });

  test("allkeys-lfu: what was used least, however recently", () => {
    const db = harness("allkeys-lfu", { auditEvery: 0 });
    for (let i = 0; i < 180; i++) db.run("SET", `key:${i}`, "x".repeat(10_000));
    for (let n = 0; n < 50; n++) for (let i = 0; i < 90; i++) db.run("GET", `key:${i}`);
    db.advance(5000);
    for (let i = 90; i < 180; i++) db.run("GET", `key:${i}`);
    for (let i = 0; i < 60; i++) db.run("SET", `new:${i}`, "x".repeat(10_000));
    const used = Array.from({ length: 90 }, (_, i) => `key:${i}`);
    expect(db.run("EXISTS", ...used)).toBeGreaterThanOrEqual(88);
  });

  test("volatile-ttl: what is due first", () => {
    const db = harness("volatile-ttl", { auditEvery: 0 });
    for (let i = 0; i < 180; i++) db.run("SET", `key:${i}`, "x".repeat(10_000), "EX", 1000 + i);
    for (let i = 0; i < 60; i++) db.run("SET", `new:${i}`, "x".repeat(10_000), "EX", 5000);
    const late = Array.from({ length: 90 }, (_, i) => `key:${90 + i}`);
    expect(db.run("EXISTS", ...late)).toBeGreaterThanOrEqual(85);
  });

  test("allkeys-random: of every database", () => {
    const db = harness("allkeys-random", { auditEvery: 0 });
    for (let i = 0; i < 180; i++) {
      db.run("SELECT", i % 2);
      db.run("SET", `key:${i}`, "x".repeat(10_000));
    }
    db.run("SELECT", 2);
    for (let i = 0; i < 60; i++) db.run("SET", `new:${i}`, "x".repeat(10_000));
    const sizes = db.engine.keyspace.databases.slice(0, 2).map(({ size }) => size);
    for (const size of sizes) expect(size).toBeLessThan(85);
  });

  test("a candidate that is used before its turn stays", () => {
    const db = harness("allkeys-lru", { auditEvery: 0, maxMemoryBytes: 0 });
    for (let i = 0; i < 16; i++) db.run("SET", `old:${i}`, "x");
    db.advance(10_000);
    for (let i = 0; i < 4; i++) db.run("SET", `new:${i}`, "x");
    const { eviction } = db.engine.memory;
    eviction.samples = 64;
    // All are in the pool now.
    expect(eviction.evictOne()).toBe(true);
    const [kept] = (db.run("KEYS", "old:*") as string[]).sort() as [string];
    db.advance(10_000);
    db.run("GET", kept);
    for (let i = 0; i < 18; i++) expect(eviction.evictOne()).toBe(true);
    expect(db.run("KEYS", "*")).toEqual([kept]);
    expect(eviction.evictOne()).toBe(true);
    expect(eviction.evictOne()).toBe(false);
  });
});

describe("a huge command", () => {
  test("that could never fit evicts nothing", () => {
    const db = harness("allkeys-lru");
    db.run("SET", "a", "1");
    expect(db.run("SET", "huge", "x".repeat(MAX * 2))).toEqual(OOM);
    expect(db.run("GET", "a")).toBe("1");
  });

  test("that fits gets room, of as many keys as it takes", () => {
    const db = harness("allkeys-lru", { auditEvery: 0 });
    for (let i = 0; i < 5000; i++) db.run("SET", `key:${i}`, "x".repeat(400));
    expect(db.run("SET", "huge", "x".repeat(1_000_000))).toBe("OK");
    expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(MAX * 1.05);
    expect(db.run("STRLEN", "huge")).toBe(1_000_000);
  });

  test("that grows what it found is refused once, and finds room when it comes again", async () => {
    const db = harness("allkeys-lru", { auditEvery: 0 });
    for (let i = 0; i < 5000; i++) db.run("SET", `key:${i}`, "x".repeat(400));
    expect(db.run("SETRANGE", "grown", 900_000, "x")).toEqual(OOM);
    await Bun.sleep(0);
    while (db.engine.memory.usedBytes > MAX - 800_000) {
      db.endTurn();
      await Bun.sleep(0);
    }
    expect(db.run("SETRANGE", "grown", 900_000, "x")).toBe(900_001);
  });
});

test("room that takes too long to make is made in slices, and the command is refused meanwhile", async () => {
  const db = harness("allkeys-lru", { auditEvery: 0 });
  for (let i = 0; i < 12_000; i++) db.run("SET", `key:${i}`, "x".repeat(100));
  // A slow machine: each look at the clock is half a millisecond later.
  let nowMs = db.clock.monotonicMs();
  db.clock.monotonicMs = () => {
    nowMs += 0.5;
    return nowMs;
  };
  const before = evicted(db);
  expect(db.run("SET", "huge", "x".repeat(1_200_000))).toEqual(OOM);
  expect(evicted(db) - before).toBeLessThan(4000);
  // What is small is served.
  expect(db.run("SET", "small", "1")).toBe("OK");
  for (let turns = 0; db.engine.memory.usedBytes > MAX * 1.05 - 1_340_000; turns++) {
    expect(turns).toBeLessThan(5000);
    await Bun.sleep(0);
    db.endTurn();
  }
  expect(db.run("SET", "huge", "x".repeat(1_200_000))).toBe("OK");
}, 20_000);

test("a limit that is lowered is reached in turns of its own, while writers go on", async () => {
  const db = harness("allkeys-lru", { auditEvery: 0, maxMemoryBytes: 20_000_000 });
  for (let i = 0; i < 18_000; i++) db.run("SET", `key:${i}`, "x".repeat(900));
  const before = db.engine.memory.usedBytes;
  db.engine.maxMemoryBytes = MAX;
  expect(db.run("SET", "a", "1")).toBe("OK");
  while (db.engine.memory.usedBytes > MAX) {
    await Bun.sleep(0);
    db.endTurn();
  }
  expect(before).toBeGreaterThan(15_000_000);
  expect(evicted(db)).toBeGreaterThan(10_000);
  expect(db.replayed().run("DBSIZE")).toBe(db.run("DBSIZE"));
});

test("what goes is recorded before the command it makes room for, as what nobody asked for", () => {
  const db = harness("allkeys-random");
  while (evicted(db) === 0) {
    db.records();
    db.run("SET", `key:${db.run("DBSIZE")}`, "x".repeat(100_000));
  }
  const [gone, set] = db.records();
  expect(gone?.commands[1]).toMatch(/^DEL key:\d+$/);
  expect(set?.commands[0]).toMatch(/^SET key:/);
});

test("a document that goes leaves its indexes", () => {
  const db = harness("allkeys-lru", { auditEvery: 97 });
  db.run("INDEX", "CREATE", "by_n", "USING", "ordered", "FIELD", "n");
  for (let i = 0; i < 3000; i++) {
    db.run("VALUE.SET", `doc:${i}`, JSON.stringify({ n: i, text: "x".repeat(900) }));
  }
  expect(evicted(db)).toBeGreaterThan(500);
  const size = db.run("DBSIZE") as number;
  expect(db.run("FIND", "n >= 0", "COUNT")).toBe(size);
  expect((db.run("INDEX", "INFO", "by_n") as Map<string, unknown>).get("documents")).toBe(size);
});

test("within a command of a plugin nothing goes: it is refused instead", () => {
  const db = harness("allkeys-lru");
  for (let i = 0; i < 190; i++) db.run("SET", `key:${i}`, "x".repeat(10_000));
  let before = 0;
  let after = 0;
  db.addCommand("FILL", (session, _args, reply) => {
    before = evicted(db);
    try {
      for (let i = 0; i < 100; i++) session.call("SET", `filled:${i}`, "x".repeat(10_000));
      reply.ok();
    } finally {
      after = evicted(db);
    }
  });
  expect(db.run("FILL")).toEqual(OOM);
  expect(after).toBe(before);
  // What FILL has filled goes as the next turn begins.
  db.run("PING");
  expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
});

test("within a command of a plugin the second call has what is left of the 5 %, and then room is made", () => {
  const db = harness("allkeys-lru", { auditEvery: 0 });
  db.addCommand(
    "PAIR",
    (session, args, reply) => {
      const key = args.text(1);
      session.call("SET", `${key}:a`, "x".repeat(5000));
      session.call("SET", `${key}:b`, "x".repeat(5000));
      reply.ok();
    },
    { flags: ["write", "denyoom"] },
  );
  for (let i = 0; i < 1000; i++) {
    expect([i, db.run("PAIR", `pair:${i}`)]).toEqual([i, "OK"]);
    expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(MAX * 1.05);
  }
  expect(evicted(db)).toBeGreaterThan(1000);
  db.run("PING");
  expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(MAX);
});

describe("a transaction", () => {
  test("gets room for all of it before it runs, and nothing goes while it does", () => {
    const db = harness("allkeys-lru", { auditEvery: 0 });
    for (let i = 0; i < 185; i++) db.run("SET", `key:${i}`, "x".repeat(10_000));
    db.run("MULTI");
    for (let i = 0; i < 60; i++) db.run("SET", `new:${i}`, "x".repeat(10_000));
    const before = evicted(db);
    expect(db.run("EXEC")).toEqual(Array.from({ length: 60 }, () => "OK"));
    expect(evicted(db)).toBeGreaterThan(before);
    expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(MAX * 1.05);
    const names = Array.from({ length: 60 }, (_, i) => `new:${i}`);
    expect(db.run("EXISTS", ...names)).toBe(60);
    db.run("PING");
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("is refused as a whole when there is no room", () => {
    const db = harness("noeviction");
    db.run("MULTI");
    for (let i = 0; i < 30; i++) db.run("SET", `new:${i}`, "x".repeat(100_000));
    expect(db.run("EXEC")).toMatchObject({ error: expect.stringMatching(/^EXECABORT .*OOM /) });
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("does nothing when a key that it watches has made room", () => {
    const db = harness("allkeys-random", { auditEvery: 0 });
    const other = db.connect();
    db.run("SET", "watched", "x".repeat(10_000));
    db.run("WATCH", "watched");
    for (let i = 0; db.run("EXISTS", "watched") === 1; i++) {
      db.runIn(other, "SET", `key:${i}`, "x".repeat(10_000));
    }
    db.run("MULTI");
    db.run("SET", "done", "1");
    expect(db.run("EXEC")).toBeNull();
    expect(db.run("EXISTS", "done")).toBe(0);
  });
});

test("CONFIG GET and SET", () => {
  const db = new EngineHarness();
  const set = (name: string, value: string | number) => db.run("CONFIG", "SET", name, value);
  const get = (name: string) => (db.run("CONFIG", "GET", name) as Map<string, string>).get(name);
  for (const [name, good, bad] of [
    ["maxmemory-policy", "volatile-ttl", "lru"],
    ["maxmemory-samples", "10", "0"],
    ["maxmemory-eviction-tenacity", "100", "101"],
    ["lfu-log-factor", "0", "-1"],
    ["lfu-decay-time", "0", "x"],
    ["maxmemory-clients", "5%", "101%"],
    ["maxmemory-clients", "1000", "-5"],
    ["lazyfree-lazy-eviction", "yes", "no"],
  ] as const) {
    expect(set(name, good)).toBe("OK");
    expect(get(name)).toBe(good);
    expect(set(name, bad)).toMatchObject({ error: expect.stringContaining(name) });
    expect(get(name)).toBe(good);
  }
});
