import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

test("TIME is the clock's", () => {
  const db = new EngineHarness();
  const [seconds, microseconds] = db.run("TIME") as string[];
  expect(Number(seconds) * 1000 + Number(microseconds) / 1000).toBe(db.now());
});

describe("SHUTDOWN", () => {
  test.each([[], ["NOSAVE"], ["save", "NOW", "FORCE"]])("stops in order (%p)", (...words) => {
    const db = new EngineHarness();
    let stops = 0;
    db.engine.onStopRequest = () => stops++;
    expect(() => db.run("SHUTDOWN", ...words)).toThrow("no reply");
    expect(stops).toBe(1);
  });

  test.each([
    [["SAVE", "NOSAVE"], "ERR syntax error"],
    [["ABORT", "NOW"], "ERR syntax error"],
    [["SOON"], "ERR syntax error"],
    [["ABORT"], "ERR No shutdown in progress."],
  ])("%p stops nothing: %s", (words, error) => {
    const db = new EngineHarness();
    let stops = 0;
    db.engine.onStopRequest = () => stops++;
    expect(db.run("SHUTDOWN", ...words)).toEqual({ error });
    expect(stops).toBe(0);
  });
});

describe("DEBUG", () => {
  test("SET-ACTIVE-EXPIRE 0 leaves expiry to those who look", () => {
    const db = new EngineHarness();
    db.run("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    db.run("SET", "a", "1", "PX", 10);
    db.advance(1000);
    expect(db.run("DBSIZE")).toBe(1);
    db.run("DEBUG", "SET-ACTIVE-EXPIRE", 1);
    db.advance(1000);
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("OBJECT tells of a value", () => {
    const db = new EngineHarness();
    db.run("SET", "a", "123");
    expect(db.run("DEBUG", "OBJECT", "a")).toMatch(
      /^Value at:0x[0-9a-f]+ refcount:1 encoding:int serializedlength:3 lru:0 /,
    );
    expect(db.run("DEBUG", "OBJECT", "nope")).toEqual({ error: "ERR no such key" });
  });

  test("names what it does not know, and HELP what it does", () => {
    const db = new EngineHarness();
    expect(db.run("DEBUG", "segfault")).toEqual({
      error: "ERR unknown subcommand or wrong number of arguments for 'segfault'. Try DEBUG HELP.",
    });
    expect(db.run("DEBUG", "HELP")).toContain("DIGEST-VALUE key [key ...]");
  });
});
