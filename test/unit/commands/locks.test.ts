/** Versions of keys and locks on them: who was slow is refused. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

describe("VERSION and IFVERSION", () => {
  test("each change gives a key another, later version; reading does not", () => {
    const db = new EngineHarness();
    expect(db.run("VERSION", "k")).toBeNull();
    const versions = [
      ["SET", "k", "1"],
      ["INCR", "k"],
      ["EXPIRE", "k", "100"],
      ["PERSIST", "k"],
      ["APPEND", "k", "x"],
    ].map((words) => {
      db.run(...words);
      const version = db.run("VERSION", "k") as number;
      db.run("GET", "k");
      expect(db.run("VERSION", "k")).toBe(version);
      return version;
    });
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  test("sets what has not changed since, and nothing else", () => {
    const db = new EngineHarness();
    db.run("SET", "k", "1");
    const version = db.run("VERSION", "k") as number;
    expect(db.run("SET", "k", "2", "IFVERSION", version)).toBe("OK");
    expect(db.run("SET", "k", "3", "IFVERSION", version)).toBeNull();
    expect(db.run("SET", "k", "3", "IFVERSION", version, "GET")).toBe("2");
    expect(db.run("GET", "k")).toBe("2");
    expect(db.run("SET", "none", "1", "IFVERSION", version)).toBeNull();
  });

  test("0 is the version of what is not there", () => {
    const db = new EngineHarness();
    expect(db.run("SET", "k", "1", "IFVERSION", 0)).toBe("OK");
    expect(db.run("SET", "k", "2", "IFVERSION", 0)).toBeNull();
    expect(db.run("VALUE.SET", "doc", "[1]", "IFVERSION", 0)).toBe("OK");
    expect(db.run("VALUE.SET", "doc", "[2]", "IFVERSION", 0)).toBeNull();
    expect(db.run("VALUE.SET", "doc", "[2]", "IFVERSION", db.run("VERSION", "doc") as number)).toBe(
      "OK",
    );
  });

  test("is the same after a replay, and the record asks nothing", () => {
    const db = new EngineHarness();
    db.run("SET", "k", "1");
    db.run("SET", "k", "2", "IFVERSION", db.run("VERSION", "k") as number, "EX", 100);
    const replayed = db.replayed();
    expect(replayed.run("VERSION", "k")).toBe(db.run("VERSION", "k"));
    expect(replayed.run("GET", "k")).toBe("2");
  });

  test.each([
    [["IFVERSION"], "ERR syntax error"],
    [["IFVERSION", "x"], "ERR value is not an integer or out of range"],
    [["IFVERSION", "-1"], "ERR value is not an integer or out of range"],
    [["NX", "IFVERSION", "0"], "ERR syntax error"],
    [["IFVERSION", "0", "IFEQ", "x"], "ERR syntax error"],
    [["IFTOKEN"], "ERR syntax error"],
    [["IFTOKEN", "1", "IFTOKEN", "2"], "ERR syntax error"],
  ])("SET k v %j", (options, error) => {
    expect(new EngineHarness().run("SET", "k", "v", ...options)).toEqual({ error });
  });
});

describe("LOCK", () => {
  test("is had by one at a time, with a token that grows", () => {
    const db = new EngineHarness();
    const first = db.run("LOCK", "k", "PX", 1000) as number;
    expect(first).toBeGreaterThan(0);
    expect(db.run("LOCK", "k", "PX", 1000)).toBeNull();
    expect(db.run("UNLOCK", "k", first + 1)).toBe(0);
    expect(db.run("UNLOCK", "k", first)).toBe(1);
    expect(db.run("UNLOCK", "k", first)).toBe(0);
    expect(db.run("LOCK", "k", "PX", 1000)).toBeGreaterThan(first);
  });

  test("ends by itself; the token of who was slow writes nothing any more", () => {
    const db = new EngineHarness();
    const slow = db.run("LOCK", "k", "PX", 1000) as number;
    expect(db.run("SET", "k", "1", "IFTOKEN", slow)).toBe("OK");
    db.advance(1100);
    expect(db.run("SET", "k", "2", "IFTOKEN", slow)).toBeNull();
    const next = db.run("LOCK", "k", "PX", 1000) as number;
    expect(next).toBeGreaterThan(slow);
    expect(db.run("SET", "k", "2", "IFTOKEN", slow)).toBeNull();
    expect(db.run("UNLOCK", "k", slow)).toBe(0);
    expect(db.run("SET", "k", "3", "IFTOKEN", next)).toBe("OK");
    expect(db.run("GET", "k")).toBe("3");
  });

  test("is an ordinary key that is seen, recorded and replayed, of its database", () => {
    const db = new EngineHarness();
    const token = db.run("LOCK", "k", "PX", 1000);
    expect(db.run("GET", "lock:k")).toBe(String(token));
    expect(db.run("PTTL", "lock:k")).toBe(1000);
    expect(db.records()).toEqual([
      { database: 0, commands: [`SET lock:k ${token} PXAT ${db.now() + 1000}`] },
    ]);
    expect(db.replayed().run("LOCK", "k", "PX", 1000)).toBeNull();
    db.run("SELECT", 1);
    expect(db.run("LOCK", "k", "PX", 1000)).toBeGreaterThan(0);
  });

  test("together with a version, both must hold", () => {
    const db = new EngineHarness();
    const token = db.run("LOCK", "k", "PX", 1000) as number;
    expect(db.run("SET", "k", "1", "IFVERSION", 0, "IFTOKEN", token)).toBe("OK");
    expect(db.run("SET", "k", "2", "IFVERSION", 0, "IFTOKEN", token)).toBeNull();
    const version = db.run("VERSION", "k") as number;
    expect(db.run("SET", "k", "2", "IFVERSION", version, "IFTOKEN", token + 1)).toBeNull();
    expect(db.run("VALUE.SET", "k", "{}", "IFTOKEN", token + 1)).toBeNull();
    expect(db.run("SET", "k", "2", "IFVERSION", version, "IFTOKEN", token)).toBe("OK");
  });

  test.each([
    [["UNLOCK", "k", "mine"], "ERR value is not an integer or out of range"],
    [["UNLOCK", "k", "-1"], "ERR value is not an integer or out of range"],
    [["UNLOCK", "k", "1.0"], "ERR value is not an integer or out of range"],
    [["SET", "k", "v", "IFTOKEN", "mine"], "ERR value is not an integer or out of range"],
    [["VALUE.SET", "k", "1", "IFTOKEN", ""], "ERR value is not an integer or out of range"],
    [["SET", "k", "v", "IFVERSION", "x"], "ERR value is not an integer or out of range"],
    [["LOCK", "k", "EX", "5"], "ERR syntax error"],
    [["LOCK", "k", "PX", "x"], "ERR value is not an integer or out of range"],
    [["LOCK", "k", "PX", "0"], "ERR invalid expire time in 'lock' command"],
    [["LOCK", "k", "PXAT", "5"], "ERR invalid expire time in 'lock' command"],
  ])("%j", (words, error) => {
    const db = new EngineHarness();
    expect(db.run(...words)).toEqual({ error });
    expect(db.run("DBSIZE")).toBe(0);
  });

  test("a key of another type in its place is held by nobody, and cannot be had, which is told", () => {
    const db = new EngineHarness();
    db.run("RPUSH", "lock:k", "1");
    expect(db.run("LOCK", "k", "PX", 1000)).toEqual({
      error: "WRONGTYPE Operation against a key holding the wrong kind of value",
    });
    expect(db.run("UNLOCK", "k", "1")).toBe(0);
    expect(db.run("SET", "k", "1", "IFTOKEN", "1")).toBeNull();
  });
});
