import { describe, expect, test } from "bun:test";
import { LatencyEvents } from "../../../src/metrics/latency-events.ts";
import { latencyReport } from "../../../src/metrics/latency-report.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

describe("events", () => {
  test("the longest of each second, of the last 160 seconds in which there was one", () => {
    let nowMs = 1_000_000;
    const latency = new LatencyEvents(() => nowMs);
    latency.note("command", 500);
    expect(latency.events).toEqual([]);
    latency.thresholdMs = 100;
    for (const ms of [99.9, 150, 300, 200]) latency.note("command", ms);
    expect(latency.samples("command")).toEqual([{ time: 1000, ms: 300 }]);
    for (let i = 0; i < 200; i++) {
      nowMs += 1000;
      latency.note("command", 100 + (i % 7));
    }
    expect(latency.samples("command")).toHaveLength(160);
    expect(latency.samples("command").at(-1)?.time).toBe(1200);
    expect(latency.longestMs("command")).toBe(300);
    expect([latency.forget("command"), latency.forget("command")]).toEqual([true, false]);
  });

  test("the report has the figures of each, and what to do about it", () => {
    const latency = new LatencyEvents(() => 5000);
    expect(latencyReport(latency)).toContain("latency-monitor-threshold");
    latency.thresholdMs = 10;
    expect(latencyReport(latency)).toContain("10 milliseconds");
    latency.note("expire-cycle", 40);
    const text = latencyReport(latency);
    expect(text).toContain("expire-cycle: 1 latency spikes (average 40 ms, mean deviation 0 ms");
    expect(text).toContain("Worst all time: 40 ms");
    expect(text).toContain("- Many keys come to their end at once");
  });
});

describe("what is told", () => {
  /** An engine whose clock moves by a millisecond each time that somebody looks at it. */
  function slowHarness(options: { maxMemoryBytes?: number } = {}): EngineHarness {
    const db = new EngineHarness({ ...options, auditEvery: 0 });
    db.run("CONFIG", "SET", "latency-monitor-threshold", 1);
    let ms = db.clock.monotonicMs();
    db.clock.monotonicMs = () => ++ms;
    return db;
  }

  const events = (db: EngineHarness) =>
    (db.run("LATENCY", "LATEST") as unknown[][]).map(([event]) => event);

  test("commands, those flagged fast apart", () => {
    const db = slowHarness();
    db.run("GET", "a");
    db.run("SET", "a", "1");
    expect(events(db).sort()).toEqual(["command", "fast-command"]);
    expect(db.run("LATENCY", "RESET", "command")).toBe(1);
    expect(db.run("LATENCY", "HISTORY", "fast-command")).toEqual([[1_767_225_600, 1]]);
  });

  test("slices of expiry and of eviction, and syncs", () => {
    const db = slowHarness({ maxMemoryBytes: 1_000_000 });
    db.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    db.run("SET", "timed", "1", "PX", 10);
    for (let i = 0; i < 200; i++) db.run("SET", `key:${i}`, "x".repeat(10_000));
    db.advance(100);
    expect(events(db)).toContain("eviction-cycle");
    expect(events(db)).toContain("expire-cycle");
    db.engine.insight.syncTook(true, 5);
    db.engine.insight.syncTook(false, 5);
    expect(events(db)).toContain("aof-fsync-always");
    expect(events(db)).toContain("aof-fsync");
  });
});
