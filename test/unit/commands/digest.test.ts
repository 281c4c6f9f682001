// The digests are those that redis-server 7.0.15 answers for the same data.

import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

const NOTHING = "0".repeat(40);

describe("DEBUG DIGEST", () => {
  test("of nothing", () => {
    const db = new EngineHarness();
    expect(db.run("DEBUG", "DIGEST")).toBe(NOTHING);
  });

  test("of strings in several databases, some expiring", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "1");
    db.run("SET", "k", "hello", "PX", 100_000);
    db.run("SELECT", 3);
    db.run("SET", "k", "hello");
    db.run("SELECT", 9);
    db.run("SET", Buffer.from([0, 255]), "");
    db.run("SET", "x".repeat(300), "y".repeat(5000));
    expect(db.run("DEBUG", "DIGEST")).toBe("2d1b50b17015f47590a433569e33e182bfae6034");
  });

  test("does not depend on the order of changes, nor on how long a key lives", () => {
    const one = new EngineHarness({ auditEvery: 100 });
    const other = new EngineHarness({ seed: 2, auditEvery: 100 });
    for (let i = 0; i < 1000; i++) one.run("SET", `key:${i}`, i, "PX", 50_000 + i);
    for (let i = 999; i >= 0; i--) other.run("SET", `key:${i}`, i, "EX", 100);
    expect(one.run("DEBUG", "DIGEST")).toBe(other.run("DEBUG", "DIGEST"));
    other.run("PERSIST", "key:500");
    expect(one.run("DEBUG", "DIGEST")).not.toBe(other.run("DEBUG", "DIGEST"));
  });

  test("counts a key whose time is over until it is removed, as Redis does", () => {
    const db = new EngineHarness({ background: false });
    db.run("SET", "a", "1", "PX", 10);
    const digest = db.run("DEBUG", "DIGEST");
    db.advance(1000);
    expect(db.run("DEBUG", "DIGEST")).toBe(digest);
    expect(db.run("GET", "a")).toBeNull();
    expect(db.run("DEBUG", "DIGEST")).toBe(NOTHING);
  });
});

test("DEBUG DIGEST-VALUE", () => {
  const db = new EngineHarness();
  db.run("SET", "k", "hello");
  db.run("SET", "e", "hello", "PX", 100_000);
  expect(db.run("DEBUG", "DIGEST-VALUE", "k", "missing", "e")).toEqual([
    "36b23a1456b2dce2c3ed252c456761301dba8060",
    NOTHING,
    "d037c4eb8a8b36b602fbced4000daeab0714c1e3",
  ]);
});
