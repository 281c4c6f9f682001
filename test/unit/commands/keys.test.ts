import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

describe("DEL and UNLINK", () => {
  test.each(["DEL", "UNLINK"])("%s removes keys of every type and counts each once", (name) => {
    const db = new EngineHarness();
    db.run("MSET", "a", "1", "b", "2");
    db.run("VALUE.SET", "j", "[1,2]");
    db.records();
    expect(db.run(name, "a", "a", "j", "none")).toBe(2);
    expect(db.run("EXISTS", "a", "b", "j")).toBe(1);
    expect(db.records()).toEqual([{ database: 0, commands: [`${name} a a j none`] }]);
  });

  test("nothing removed leaves no record", () => {
    const db = new EngineHarness();
    expect(db.run("DEL", "none")).toBe(0);
    expect(db.records()).toEqual([]);
  });

  test("a key that is over counts as none, and its deletion is recorded", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1", "PX", 100);
    db.run("SET", "b", "1");
    db.records();
    db.advance(100);
    expect(db.run("DEL", "a", "b")).toBe(1);
    expect(db.records()).toEqual([{ database: 0, commands: ["SELECT 0", "DEL a", "DEL a b"] }]);
  });

  test("all memory comes back", () => {
    const db = new EngineHarness({ auditEvery: 100 });
    const start = db.usedBytes;
    for (let i = 0; i < 2000; i++) db.run("SET", `k${i}`, "x".repeat(i));
    for (let i = 0; i < 2000; i++) db.run("DEL", `k${i}`);
    expect(db.usedBytes).toBe(start);
  });
});

describe("EXISTS, TOUCH, TYPE", () => {
  test.each(["EXISTS", "TOUCH"])("%s counts a key as often as it is named", (name) => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    expect(db.run(name, "a", "a", "none")).toBe(2);
    expect(db.engine.keyspace.statistics).toMatchObject({ hits: 2, misses: 1 });
  });

  test("TYPE answers Redis's names", () => {
    const db = new EngineHarness();
    db.run("SET", "s", "1");
    db.run("VALUE.SET", "j", "1");
    expect(["s", "j", "none"].map((key) => db.run("TYPE", key))).toEqual([
      "string",
      "ReJSON-RL",
      "none",
    ]);
  });
});
