import { describe, expect, test } from "bun:test";
import { formatBytes } from "../../../src/commands/info-memory.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const titles = (reply: unknown): string[] => [
  ...(String(reply).match(/(?<=^# ).*(?=\r$)/gm) ?? []),
];
const DEFAULT = [
  ...["Server", "Clients", "Memory", "Persistence", "Backup", "Stats", "Replication", "CPU"],
  ...["Modules", "Errorstats", "Cluster", "Keyspace"],
];

describe("sections", () => {
  test.each([[], ["default"], ["foo", "DEFAULT"]])("by default (%p)", (...words) => {
    expect(titles(new EngineHarness().run("INFO", ...words))).toEqual(DEFAULT);
  });

  test.each(["all", "everything"])("%s", (word) => {
    const all = [...DEFAULT];
    all.splice(all.indexOf("Errorstats"), 1, "Commandstats", "Errorstats", "Latencystats");
    expect(titles(new EngineHarness().run("INFO", word))).toEqual(all);
  });

  test("by name, in the order of INFO", () => {
    const db = new EngineHarness();
    expect(titles(db.run("INFO", "keyspace", "cpu", "CPU", "nope"))).toEqual(["CPU", "Keyspace"]);
    expect(db.run("INFO", "nope")).toBe("");
  });

  test("debug only by its name", () => {
    expect(titles(new EngineHarness().run("INFO", "debug"))).toEqual(["Debug"]);
  });

  test("plugins add lines and sections", () => {
    const db = new EngineHarness();
    db.engine.addInfo("persistence", () => ({ wal_bytes: 5 }));
    db.engine.addInfo("persistence", () => ({ wal_files: 1 }));
    db.engine.addInfo("rateLimit", () => ({ refused: 3 }));
    const persistence = String(db.run("INFO", "persistence"));
    expect(persistence).toStartWith("# Persistence\r\nloading:0\r\n");
    expect(persistence).toEndWith("\r\nwal_bytes:5\r\nwal_files:1\r\n");
    expect(db.run("INFO", "RateLimit")).toBe("# Ratelimit\r\nrefused:3\r\n");
    expect(titles(db.run("INFO"))).toEqual([...DEFAULT, "Ratelimit"]);
  });
});

test("counts what happened", () => {
  const db = new EngineHarness();
  db.run("SET", "a", "1");
  db.run("SET", "b", "1", "PX", 1000);
  db.run("GET", "a");
  db.run("GET", "missing");
  db.run("SELECT", 2);
  db.run("SET", "c", "1");
  const text = String(db.run("INFO", "all"));
  expect(text).toContain("# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=1000\r\ndb2:keys=1,expires=0");
  expect(text).toContain("keyspace_hits:1\r\nkeyspace_misses:1\r\n");
  expect(text).toContain("cmdstat_set:calls=3,");
  // The command in hand is counted when it has run, as in Redis.
  expect(text).not.toContain("cmdstat_info");
  expect(text).toContain("total_commands_processed:6\r\n");
  expect(text).toContain("connected_clients:1\r\n");
  expect(text).toContain("redis_version:7.0.15\r\n");
  expect(text).toContain("\r\n\r\n# Clients\r\n");
});

test.each([
  [0, "0B"],
  [1023, "1023B"],
  [1024, "1.00K"],
  [1_572_864, "1.50M"],
  [2 ** 40 * 3, "3.00T"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
