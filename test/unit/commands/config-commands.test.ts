import { describe, expect, test } from "bun:test";
import { CommandError } from "../../../src/commands/command-error.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** A server with two settings that take numbers and one that cannot change. */
function configured() {
  const db = new EngineHarness();
  const values: Record<string, string> = { first: "1", second: "2" };
  for (const name of Object.keys(values)) {
    db.engine.addParameter({
      name,
      get: () => values[name],
      set: (value) => {
        if (!/^\d+$/.test(value)) throw new CommandError("ERR", "argument must be a number");
        values[name] = value;
      },
    });
  }
  db.engine.addParameter({ name: "fixed", get: () => "yes" });
  return { db, values };
}

describe("CONFIG GET", () => {
  test("takes names and patterns in any case, answers each setting once, leaves out the unknown", () => {
    const { db } = configured();
    const all = new Map(Object.entries({ first: "1", second: "2", fixed: "yes" }));
    const answered = db.run("CONFIG", "GET", "*") as Map<string, string>;
    expect(new Map([...answered].filter(([name]) => all.has(name)))).toEqual(all);
    expect(db.run("CONFIG", "GET", "FI*", "first", "save")).toEqual(
      new Map(Object.entries({ first: "1", fixed: "yes" })),
    );
    expect(db.run("CONFIG", "GET", "nothing")).toEqual(new Map());
  });
});

describe("CONFIG SET", () => {
  test("changes all", () => {
    const { db, values } = configured();
    expect(db.run("CONFIG", "SET", "first", 10, "SECOND", 20)).toBe("OK");
    expect(values).toEqual({ first: "10", second: "20" });
  });

  test.each([
    [["first", "10", "second", "x"], "second') - argument must be a number"],
    [["first", "10", "fixed", "no"], "fixed') - can't set immutable config"],
    [["first", "10", "First", "11"], "First') - duplicate parameter"],
  ])("%p changes nothing", (words, reason) => {
    const { db, values } = configured();
    expect(db.run("CONFIG", "SET", ...words)).toEqual({
      error: `ERR CONFIG SET failed (possibly related to argument '${reason}`,
    });
    expect(values).toEqual({ first: "1", second: "2" });
  });

  test("puts back what a value does not say, where somebody keeps it", () => {
    const { db } = configured();
    let kept = ["a", "b"];
    db.engine.addParameter({
      name: "list",
      get: () => kept[0],
      set: (value) => {
        kept = [value];
      },
      keep: () => {
        const before = kept;
        return () => {
          kept = before;
        };
      },
    });
    db.run("CONFIG", "SET", "list", "c", "first", "x");
    expect(kept).toEqual(["a", "b"]);
  });

  test("names the first unknown setting, before anything else that is wrong", () => {
    const { db, values } = configured();
    expect(db.run("CONFIG", "SET", "fixed", "no", "nope", "1")).toEqual({
      error: "ERR Unknown option or number of arguments for CONFIG SET - 'nope'",
    });
    expect(db.run("CONFIG", "SET", "first", "10", "second")).toEqual({ error: "ERR syntax error" });
    expect(values).toEqual({ first: "1", second: "2" });
  });

  test("a defect of a setting is no error of the user", () => {
    const { db } = configured();
    db.engine.addParameter({
      name: "broken",
      get: () => "",
      set: () => {
        throw new TypeError("oops");
      },
    });
    expect(db.run("CONFIG", "SET", "broken", "1")).toEqual({
      error: "ERR internal error in 'config|set': oops",
    });
  });
});

test("CONFIG RESETSTAT lets the counters begin anew", () => {
  const { db } = configured();
  db.run("GET", "a");
  db.run("CONFIG", "RESETSTAT");
  const text = String(db.run("INFO", "stats", "commandstats"));
  expect(text).toContain("keyspace_misses:0\r\n");
  expect(text).toContain("total_connections_received:0\r\n");
  expect(text).not.toContain("cmdstat_get");
});
