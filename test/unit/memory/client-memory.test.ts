/** maxmemory-clients: the clients with the largest buffers are closed, and buffers count as used memory. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

class Buffers {
  input = 0;
  output = 0;
  closed = false;
  readonly client = {
    inputBytes: () => this.input,
    outputBytes: () => this.output,
    close: () => {
      this.closed = true;
    },
  };
}

function connected(db: EngineHarness, ...sizes: readonly number[]): Buffers[] {
  return sizes.map((size) => {
    const buffers = new Buffers();
    buffers.input = size;
    db.connect(buffers.client);
    return buffers;
  });
}

/** Time for clients to be counted, and a turn. */
function pass(db: EngineHarness): void {
  db.advance(1000);
  db.run("PING");
}

const closed = (clients: readonly Buffers[]) => clients.map((one) => one.closed);

describe("maxmemory-clients", () => {
  test("closes those with the largest buffers, no more than it takes", () => {
    const db = new EngineHarness();
    const clients = connected(db, 10_000, 50_000, 30_000, 20_000);
    db.run("CONFIG", "SET", "maxmemory-clients", 40_000);
    pass(db);
    expect(closed(clients)).toEqual([false, true, true, false]);
    expect(String(db.run("INFO", "stats"))).toContain("evicted_clients:2\r\n");
    expect(db.run("CONFIG", "RESETSTAT")).toBe("OK");
    expect(String(db.run("INFO", "stats"))).toContain("evicted_clients:0\r\n");
  });

  test("lets those stay that said CLIENT NO-EVICT", () => {
    const db = new EngineHarness();
    const kept = new Buffers();
    kept.output = 100_000;
    db.runIn(db.connect(kept.client), "CLIENT", "NO-EVICT", "ON");
    const [other] = connected(db, 1000) as [Buffers];
    db.run("CONFIG", "SET", "maxmemory-clients", 50_000);
    pass(db);
    expect(kept.closed).toBe(false);
    expect(other.closed).toBe(true);
  });

  test("lets replicas stay, and tells of theirs apart", () => {
    const db = new EngineHarness();
    const kept = new Buffers();
    kept.output = 100_000;
    db.connect(kept.client).isReplica = true;
    const [other] = connected(db, 1000) as [Buffers];
    db.run("CONFIG", "SET", "maxmemory-clients", 50_000);
    pass(db);
    expect(kept.closed).toBe(false);
    expect(other.closed).toBe(true);
    const memory = String(db.run("INFO", "memory"));
    expect(memory).toContain("mem_clients_slaves:100000\r\n");
    expect(memory).toContain("mem_clients_normal:0\r\n");
  });

  test("as a share of maxmemory, which may change", () => {
    const db = new EngineHarness({ maxMemoryBytes: 10_000_000 });
    db.run("CONFIG", "SET", "maxmemory-clients", "5%");
    const clients = connected(db, 300_000, 100_000);
    pass(db);
    expect(closed(clients)).toEqual([false, false]);
    db.engine.maxMemoryBytes = 5_000_000;
    pass(db);
    expect(closed(clients)).toEqual([true, false]);
  });

  test("0 is no bound", () => {
    const db = new EngineHarness();
    const clients = connected(db, 1e9);
    db.run("CONFIG", "SET", "maxmemory-clients", 0);
    pass(db);
    expect(closed(clients)).toEqual([false]);
  });
});

test("keys make room for what clients send", () => {
  const db = new EngineHarness({ maxMemoryBytes: 2_000_000, auditEvery: 0 });
  db.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
  for (let i = 0; i < 180; i++) db.run("SET", `key:${i}`, "x".repeat(10_000));
  expect(db.engine.keyspace.statistics.evicted).toBe(0);
  connected(db, 1_000_000);
  db.advance(1000);
  db.run("PING");
  expect(db.engine.memory.usedBytes).toBeLessThanOrEqual(2_000_000);
  expect(db.engine.keyspace.statistics.evicted).toBeGreaterThan(80);
});

test("more clients than are counted in one turn are counted in several", () => {
  const db = new EngineHarness({ maxMemoryBytes: 50_000_000, auditEvery: 0 });
  const clients = connected(db, ...Array.from({ length: 500 }, () => 1000));
  const { memory } = db.engine;
  for (let i = 0; i < 10; i++) db.run("PING");
  expect(memory.clientBytes).toBe(500_000);
  for (const one of clients) one.input = 0;
  db.run("PING");
  expect(memory.clientBytes).toBeGreaterThan(400_000);
  for (let i = 0; i < 10; i++) db.run("PING");
  expect(memory.clientBytes).toBe(0);
});
