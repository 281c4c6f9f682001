/** The commands on hashes: what they answer, what they record, when fields expire, that random picks are fair. */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

const WRONG_TYPE = {
  error: "WRONGTYPE Operation against a key holding the wrong kind of value",
};
const HOUR_MS = 3_600_000;

function recorded(db: EngineHarness): string[] {
  return db.records().flatMap((record) => record.commands);
}

function run(db: EngineHarness, command: string) {
  return db.run(...command.split(" "));
}

/** A small hash `s` (a 1, b 2, t 3 for two hours) and a big one `g` of 700 fields, of which t has two hours too. */
function createHashes(options: ConstructorParameters<typeof EngineHarness>[0] = {}): EngineHarness {
  const db = new EngineHarness({ auditEvery: 50, ...options });
  db.run("HSET", "s", "a", 1, "b", 2, "t", 3);
  for (let i = 0; i < 700; i++) db.run("HSET", "g", `f${i}`, i);
  db.run("HSET", "g", "a", 1, "b", 2, "t", 3);
  for (const key of ["s", "g"]) {
    db.run("HPEXPIREAT", key, db.now() + 2 * HOUR_MS, "FIELDS", 1, "t");
  }
  db.records();
  return db;
}

function fieldsOf(db: EngineHarness, key: string): Map<string, string> {
  return new Map([...(db.run("HGETALL", key) as Map<string, string>)].sort());
}

describe("what is recorded", () => {
  test.each([
    ["HSET s a 9 c 4", "HSET s a 9 c 4"],
    ["HSET new a 1", "HSET new a 1"],
    ["HMSET s a 9", "HMSET s a 9"],
    ["HSET s t 4", "HSET s t 4"],
    ["HSETNX s c 4", "HSETNX s c 4"],
    ["HDEL g a zz", "HDEL g a zz"],
    ["HDEL s a b t", "HDEL s a b t"],
    ["HINCRBY s a 5", "HINCRBY s a 5"],
    ["HINCRBY s t 5", "HINCRBY s t 5"],
    ["HINCRBYFLOAT g a 0.5", "HSET g a 1.5"],
    ["HINCRBYFLOAT s t 0.5", "HSETEX s KEEPTTL FIELDS 1 t 3.5"],
    ["HINCRBYFLOAT new x 3.0e3", "HSET new x 3000"],
    ["HEXPIRE s 3600 FIELDS 3 a zz b", "HPEXPIREAT s <hour> FIELDS 2 a b"],
    ["HEXPIRE g 3600 NX FIELDS 2 t a", "HPEXPIREAT g <hour> FIELDS 1 a"],
    ["HPEXPIRE g 3600000 LT FIELDS 2 t a", "HPEXPIREAT g <hour> FIELDS 2 t a"],
    ["HEXPIREAT s 1 FIELDS 2 a zz", "HDEL s a"],
    ["HPEXPIRE s 0 FIELDS 3 a b t", "HDEL s a b t"],
    ["HPERSIST g FIELDS 3 a t zz", "HPERSIST g FIELDS 1 t"],
    ["HGETDEL s FIELDS 2 a zz", "HDEL s a"],
    ["HGETEX s EX 3600 FIELDS 2 a zz", "HPEXPIREAT s <hour> FIELDS 1 a"],
    ["HGETEX s PERSIST FIELDS 2 a t", "HPERSIST s FIELDS 1 t"],
    ["HGETEX s EXAT 1 FIELDS 1 a", "HDEL s a"],
    ["HSETEX s FIELDS 1 a 9", "HSET s a 9"],
    ["HSETEX s FXX KEEPTTL FIELDS 1 t 9", "HSETEX s KEEPTTL FIELDS 1 t 9"],
    ["HSETEX new FNX EX 3600 FIELDS 2 a 1 b 2", "HSETEX new PXAT <hour> FIELDS 2 a 1 b 2"],
    ["HSETEX s PXAT 1 FIELDS 2 a 1 zz 2", "HDEL s a"],
  ])("%s", (command, expected) => {
    const db = createHashes();
    const before = db.run("DEBUG", "DIGEST");
    run(db, command);
    expect(recorded(db)).toEqual([expected.replace("<hour>", String(db.now() + HOUR_MS))]);
    expect(db.run("DEBUG", "DIGEST")).not.toBe(before);
    const replayed = db.replayed();
    expect(replayed.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
    for (const key of ["s", "g", "new"]) {
      const ask = ["HPEXPIRETIME", key, "FIELDS", 4, "a", "b", "t", "c"] as const;
      expect(replayed.run(...ask)).toEqual(db.run(...ask));
    }
  });

  test.each([
    "HSETNX s a 9",
    "HDEL s zz",
    "HDEL none a",
    "HEXPIRE s 3600 FIELDS 1 zz",
    "HEXPIRE s 3600 XX FIELDS 1 a",
    "HEXPIRE none 3600 FIELDS 1 a",
    "HPERSIST s FIELDS 1 a",
    "HGETDEL none FIELDS 1 a",
    "HGETEX s FIELDS 1 a",
    "HGETEX s PERSIST FIELDS 1 a",
    "HSETEX s FNX FIELDS 2 c 1 a 2",
    "HSETEX s FXX FIELDS 2 c 1 a 2",
    "HSETEX none FXX FIELDS 1 a 1",
    "HSETEX none PXAT 1 FIELDS 1 a 1",
    "HINCRBY s a x",
    "HSET s a 1 b",
  ])("%s changes nothing and leaves no record", (command) => {
    const db = createHashes();
    const before = db.run("DEBUG", "DIGEST");
    run(db, command);
    expect(db.run("DEBUG", "DIGEST")).toBe(before);
    expect(recorded(db)).toEqual([]);
  });
});

describe("fields and values", () => {
  test.each(["s", "g"])("are set, read and removed: %s", (key) => {
    const db = createHashes();
    expect(db.run("HSET", key, "a", "new", "c", "")).toBe(1);
    expect(db.run("HMGET", key, "a", "zz", "c")).toEqual(["new", null, ""]);
    expect(db.run("HGET", key, "a")).toBe("new");
    expect(db.run("HGET", key, "zz")).toBeNull();
    expect(db.run("HEXISTS", key, "c")).toBe(1);
    expect(db.run("HSTRLEN", key, "a")).toBe(3);
    expect(db.run("HSTRLEN", key, "zz")).toBe(0);
    const count = db.run("HLEN", key) as number;
    expect(db.run("HDEL", key, "a", "a", "zz", "c")).toBe(2);
    expect(db.run("HLEN", key)).toBe(count - 2);
    expect((db.run("HGETALL", key) as Map<string, string>).size).toBe(count - 2);
    expect(db.run("HKEYS", key)).toHaveLength(count - 2);
    expect(db.run("HVALS", key)).toHaveLength(count - 2);
  });

  test("the key goes with its last field", () => {
    const db = new EngineHarness();
    db.run("HSET", "h", "a", 1, "b", 2);
    expect(db.run("HDEL", "h", "a", "b", "c")).toBe(2);
    expect(db.run("EXISTS", "h")).toBe(0);
    expect(db.run("HGETALL", "h")).toEqual(new Map());
  });

  test("names and values are bytes of any length", () => {
    const db = new EngineHarness();
    const long = Buffer.alloc(70_000, 0xfe);
    const name = Buffer.from([0, 255, 13, 10]);
    db.run("HSET", "h", name, "x", "", "empty", long, long);
    expect(db.run("HGET", "h", name)).toBe("x");
    expect(db.run("HGET", "h", "")).toBe("empty");
    expect(db.run("HGET", "h", long)).toEqual(long);
    expect(db.run("OBJECT", "ENCODING", "h")).toBe("hashtable");
  });

  test.each([
    ["hash-max-listpack-entries", 3, "c", "1", "d", "hashtable"],
    ["hash-max-listpack-value", 4, "longer", "1", "d", "hashtable"],
    ["hash-max-ziplist-value", 4, "c", "longer", "d", "hashtable"],
    ["hash-max-ziplist-entries", 10, "c", "1", "d", "listpack"],
  ])("%s %d: encoding", (parameter, limit, field, value, other, encoding) => {
    const db = new EngineHarness();
    expect(db.run("CONFIG", "SET", parameter, limit)).toBe("OK");
    db.run("HSET", "h", "a", 1, "b", 2);
    expect(db.run("OBJECT", "ENCODING", "h")).toBe("listpack");
    db.run("HSET", "h", field, value, other, 1);
    expect(db.run("OBJECT", "ENCODING", "h")).toBe(encoding);
    // It never goes back, and everything is still there.
    db.run("HDEL", "h", other, field);
    expect(db.run("OBJECT", "ENCODING", "h")).toBe(encoding);
    expect(fieldsOf(db, "h")).toEqual(
      new Map([...["a", "b"].map((f, i) => [f, String(i + 1)])] as never),
    );
  });

  test.each([
    ["hash-max-listpack-entries", 1],
    ["hash-max-listpack-value", 2],
  ])("%s is lowered: the next write of a field makes it big", (parameter, limit) => {
    const db = new EngineHarness();
    db.run("HSET", "h", "a", "one", "b", "two");
    db.run("CONFIG", "SET", parameter, limit);
    expect(db.run("OBJECT", "ENCODING", "h")).toBe("listpack");
    db.run("HSET", "h", "a", "ONE");
    expect(db.run("OBJECT", "ENCODING", "h")).toBe("hashtable");
    expect(db.run("HMGET", "h", "a", "b")).toEqual(["ONE", "two"]);
  });

  test.each([
    "HSET str a 1",
    "HSETNX str a 1",
    "HGET str a",
    "HMGET str a",
    "HGETALL str",
    "HDEL str a",
    "HLEN str",
    "HSCAN str 0",
    "HRANDFIELD str",
    "HRANDFIELD str 1",
    "HINCRBY str a 1",
    "HINCRBYFLOAT str a 1",
    "HEXPIRE str 1 FIELDS 1 a",
    "HTTL str FIELDS 1 a",
    "HPERSIST str FIELDS 1 a",
    "HGETDEL str FIELDS 1 a",
    "HGETEX str FIELDS 1 a",
    "HSETEX str FIELDS 1 a 1",
  ])("%s: wrong type", (command) => {
    const db = new EngineHarness();
    db.run("SET", "str", "x");
    expect(run(db, command)).toEqual(WRONG_TYPE);
  });

  test.each([
    ["HSET h a", "ERR wrong number of arguments for 'hset' command"],
    ["HSET h a 1 b", "ERR wrong number of arguments for 'hset' command"],
    ["HMSET h a 1 b", "ERR wrong number of arguments for 'hmset' command"],
    ["HINCRBY h n x", "ERR value is not an integer or out of range"],
    ["HINCRBY h text 1", "ERR hash value is not an integer"],
    ["HINCRBY h max 1", "ERR increment or decrement would overflow"],
    ["HINCRBYFLOAT h n x", "ERR value is not a valid float"],
    ["HINCRBYFLOAT h n inf", "ERR value is NaN or Infinity"],
    ["HINCRBYFLOAT h text 1", "ERR hash value is not a float"],
    ["HSCAN h x", "ERR invalid cursor"],
    ["HSCAN h 0 COUNT 0", "ERR syntax error"],
    ["HSCAN h 0 MATCH", "ERR syntax error"],
    ["HRANDFIELD h x", "ERR value is not an integer or out of range"],
    ["HRANDFIELD h 1 WITH", "ERR syntax error"],
    ["HEXPIRE h x FIELDS 1 n", "ERR value is not an integer or out of range"],
    ["HEXPIRE h -1 FIELDS 1 n", "ERR invalid expire time, must be >= 0"],
    ["HEXPIRE h 70368744177664 FIELDS 1 n", "ERR invalid expire time in 'hexpire' command"],
    ["HPEXPIREAT h 70368744177664 FIELDS 1 n", "ERR invalid expire time in 'hpexpireat' command"],
    ["HEXPIRE h 1 FIELDS 0 n", "ERR Parameter `numFields` should be greater than 0"],
    ["HEXPIRE h 1 FIELDS x n", "ERR Parameter `numFields` should be greater than 0"],
    ["HEXPIRE h 1 FIELDS 2 n", "ERR The `numfields` parameter must match the number of arguments"],
    [
      "HEXPIRE h 1 NX XX FIELDS n",
      "ERR Mandatory argument FIELDS is missing or not at the right position",
    ],
    ["HTTL h FIELDS 0 n", "ERR Number of fields must be a positive integer"],
    ["HTTL h FIELD 1 n", "ERR Mandatory argument FIELDS is missing or not at the right position"],
    ["HPERSIST h FIELDS 2 n", "ERR The `numfields` parameter must match the number of arguments"],
    ["HGETDEL h FIELDS 0 n", "ERR Number of fields must be a positive integer"],
    ["HGETEX h EX x FIELDS 1 n", "ERR value is not an integer or out of range"],
    [
      "HGETEX h EX 1 PERSIST FIELDS 1 n",
      "ERR Mandatory argument FIELDS is missing or not at the right position",
    ],
    ["HSETEX h FIELDS 0 n 1", "ERR invalid number of fields"],
    ["HSETEX h FIELDS 2 n 1", "ERR wrong number of arguments for 'hsetex' command"],
    ["HSETEX h BOGUS FIELDS 1 n 1", "ERR unknown argument: BOGUS"],
    ["HSETEX h FNX FXX FIELDS 1 n 1", "ERR Only one of FXX or FNX arguments can be specified"],
    [
      "HSETEX h EX 1 KEEPTTL FIELDS 1 n 1",
      "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
    ],
  ])("%s: %s", (command, error) => {
    const db = new EngineHarness();
    db.run("HSET", "h", "n", 1, "text", "x", "max", "9223372036854775807");
    const before = db.run("DEBUG", "DIGEST");
    expect(run(db, command)).toEqual({ error });
    expect(db.run("DEBUG", "DIGEST")).toBe(before);
  });

  test("numbers beyond what a double holds are added exactly", () => {
    const db = new EngineHarness();
    db.run("HSET", "h", "n", "9007199254740993");
    expect(db.run("HINCRBY", "h", "n", 2)).toBe(9007199254740995n);
    expect(db.run("HINCRBY", "h", "m", "-9223372036854775808")).toBe(-(2n ** 63n));
    expect(db.run("HGET", "h", "m")).toBe("-9223372036854775808");
    expect(db.run("HINCRBYFLOAT", "h", "f", "10.50")).toBe("10.5");
    expect(db.run("HINCRBYFLOAT", "h", "f", "-5e3")).toBe("-4989.5");
  });
});

describe("deadlines of fields", () => {
  test.each(["s", "g"])("are told, moved and dropped: %s", (key) => {
    const db = createHashes();
    const ask = (command: string) => db.run(command, key, "FIELDS", 3, "a", "t", "zz");
    expect(ask("HTTL")).toEqual([-1, 7200, -2]);
    expect(ask("HPTTL")).toEqual([-1, 2 * HOUR_MS, -2]);
    expect(ask("HPEXPIRETIME")).toEqual([-1, db.now() + 2 * HOUR_MS, -2]);
    db.advance(1);
    // Rounded up.
    expect(ask("HTTL")).toEqual([-1, 7200, -2]);
    const expire = (...words: string[]) => db.run("HEXPIRE", key, ...words, "FIELDS", 2, "a", "t");
    expect(expire("9000", "XX")).toEqual([0, 1]);
    expect(expire("8000", "GT")).toEqual([0, 0]);
    expect(expire("9001", "GT")).toEqual([0, 1]);
    expect(expire("8000", "LT")).toEqual([1, 1]);
    expect(expire("8000", "NX")).toEqual([0, 0]);
    expect(ask("HPERSIST")).toEqual([1, 1, -2]);
    expect(ask("HPERSIST")).toEqual([-1, -1, -2]);
    expect(expire("0")).toEqual([2, 2]);
    expect(ask("HTTL")).toEqual([-2, -2, -2]);
  });

  test.each(["s", "g"])("HSET drops it, HINCRBY and KEEPTTL keep it: %s", (key) => {
    const db = createHashes();
    const ttl = () => (db.run("HTTL", key, "FIELDS", 1, "t") as number[])[0];
    db.run("HINCRBY", key, "t", 1);
    db.run("HINCRBYFLOAT", key, "t", "1.5");
    db.run("HSETEX", key, "KEEPTTL", "FIELDS", 1, "t", "a longer value than before");
    expect(ttl()).toBe(7200);
    db.run("HSET", key, "t", 1);
    expect(ttl()).toBe(-1);
  });

  test("on time: the record says which fields, the key goes with the last", () => {
    const db = new EngineHarness();
    db.run("HSET", "h", "a", 1, "b", 2, "c", 3);
    db.run("HPEXPIRE", "h", 1000, "FIELDS", 1, "a");
    db.run("HPEXPIRE", "h", 3000, "FIELDS", 2, "b", "c");
    db.records();
    db.advance(1500);
    expect(recorded(db)).toEqual(["SELECT 0", "HDEL h a"]);
    expect(db.run("HGETALL", "h")).toEqual(
      new Map([
        ["b", "2"],
        ["c", "3"],
      ]),
    );
    db.advance(1600);
    expect(recorded(db).slice(1)).toEqual(["HDEL h b", "HDEL h c"]);
    expect(db.run("EXISTS", "h")).toBe(0);
    expect(db.replayed().run("DBSIZE")).toBe(0);
  });

  test("INFO counts them", () => {
    const db = createHashes();
    const expired = () => /expired_subkeys:(\d+)/.exec(db.run("INFO", "stats") as string)?.[1];
    db.run("HPEXPIRE", "s", 10, "FIELDS", 2, "a", "b");
    expect(expired()).toBe("0");
    db.advance(50);
    expect(expired()).toBe("2");
    db.run("CONFIG", "RESETSTAT");
    expect(expired()).toBe("0");
  });

  test.each(["s", "g"])("at access, when nothing expires by itself: %s", (key) => {
    const db = createHashes({ background: false });
    db.advance(2 * HOUR_MS + 20);
    expect(db.run("HGET", key, "t")).toBeNull();
    expect(recorded(db)).toEqual(["SELECT 0", `HDEL ${key} t`]);
    expect(db.run("HEXISTS", key, "t")).toBe(0);
    expect(recorded(db)).toEqual([]);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each([
    ["HSET h t new", "HSET h t new", "new"],
    ["HINCRBY h t 5", "HINCRBY h t 5", "5"],
    ["HSETNX h t 5", "HSETNX h t 5", "5"],
    ["HINCRBYFLOAT h t 5", "HSET h t 5", "5"],
    ["HSETEX h FNX FIELDS 1 t 5", "HSET h t 5", "5"],
  ])("a write meets a field that is over: %s", (command, expected, value) => {
    const db = new EngineHarness({ background: false });
    db.run("HSET", "h", "a", 1, "t", 7);
    db.run("HPEXPIRE", "h", 10, "FIELDS", 1, "t");
    db.records();
    db.advance(20);
    run(db, command);
    expect(recorded(db)).toEqual(["SELECT 0", "HDEL h t", expected]);
    expect(db.run("HGET", "h", "t")).toBe(value);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test("fields by the thousand that are over at once are seen by nobody, and go a few at a time", () => {
    const db = new EngineHarness({ background: false, auditEvery: 1000 });
    for (let i = 0; i < 3000; i++) {
      db.run("HSETEX", "h", "PX", 100, "FIELDS", 1, `f${i}`, i);
    }
    db.run("HSET", "h", "stays", 1);
    db.records();
    db.advance(200);
    expect(db.run("HGETALL", "h")).toEqual(new Map([["stays", "1"]]));
    const gone = recorded(db).length;
    expect(gone).toBeGreaterThan(1);
    expect(gone).toBeLessThan(200);
    expect(db.run("HRANDFIELD", "h")).toBe("stays");
    expect(db.run("HRANDFIELD", "h", 5)).toEqual(["stays"]);
    expect(db.run("HRANDFIELD", "h", -2)).toEqual(["stays", "stays"]);
    expect(db.run("HSCAN", "h", 0, "COUNT", 10000)).toEqual(["0", ["stays", "1"]]);
    expect(db.run("HMGET", "h", "f2999", "f1500")).toEqual([null, null]);
    expect(db.run("HTTL", "h", "FIELDS", 1, "f2999")).toEqual([-2]);
    db.run("HINCRBY", "h", "f2999", 1);
    expect(db.run("HGET", "h", "f2999")).toBe("1");
    expect(db.replayed().run("HGET", "h", "f2999")).toBe("1");
    while (db.run("HLEN", "h") !== 2);
    expect(db.replayed().run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
  });

  test.each(["RENAME h to", "COPY h to", "MOVE h 1"])("go along with %s", (command) => {
    for (const count of [3, 700]) {
      const db = new EngineHarness({ auditEvery: 100 });
      for (let i = 0; i < count; i++) db.run("HSET", "h", `f${i}`, i);
      db.run("HPEXPIRE", "h", 1000, "FIELDS", 1, "f1");
      run(db, command);
      if (command.startsWith("MOVE")) db.run("SELECT", 1);
      const key = command.startsWith("MOVE") ? "h" : "to";
      db.records();
      expect(db.run("HPTTL", key, "FIELDS", 1, "f1")).toEqual([1000]);
      db.advance(1100);
      expect(recorded(db)).toContain(`HDEL ${key} f1`);
      expect(db.run("HLEN", key)).toBe(count - 1);
    }
  });

  test("a string in the place of a hash is not touched by the hash's deadlines", () => {
    const db = new EngineHarness();
    db.run("HSET", "h", "a", 1);
    db.run("HPEXPIRE", "h", 1000, "FIELDS", 1, "a");
    db.run("SET", "h", "x");
    db.advance(2000);
    expect(db.run("GET", "h")).toBe("x");
    db.run("DEL", "h");
    db.run("HSET", "h", "a", 1, "b", 2);
    db.run("EXPIRE", "h", 100);
    db.run("HPEXPIRE", "h", 1000, "FIELDS", 1, "a");
    db.run("PERSIST", "h");
    db.advance(2000);
    expect(db.run("HKEYS", "h")).toEqual(["b"]);
  });
});

describe("HSCAN", () => {
  test("every field that stays is met, whatever comes and goes meanwhile", () => {
    const db = createHashes({ auditEvery: 1000 });
    const seen = new Set<string>();
    let cursor = "0";
    let added = 0;
    do {
      const [next, found] = db.run("HSCAN", "g", cursor, "COUNT", 7) as [string, string[]];
      for (let i = 0; i < found.length; i += 2) seen.add(found[i] as string);
      cursor = next;
      for (let i = 0; i < 30; i++) db.run("HSET", "g", `new${added++}`, 1);
    } while (cursor !== "0");
    for (let i = 0; i < 700; i++) expect(seen.has(`f${i}`)).toBe(true);
  });

  test("MATCH, COUNT and NOVALUES", () => {
    const db = createHashes();
    expect(db.run("HSCAN", "s", 0, "MATCH", "[ab]")).toEqual(["0", ["a", "1", "b", "2"]]);
    expect(db.run("HSCAN", "s", 77, "COUNT", 1, "NOVALUES")).toEqual(["0", ["a", "b", "t"]]);
    const [, found] = db.run("HSCAN", "g", 0, "COUNT", 1000, "MATCH", "f69?", "NOVALUES") as [
      string,
      string[],
    ];
    expect(found.sort()).toEqual(Array.from({ length: 10 }, (_, i) => `f69${i}`));
    expect(db.run("HSCAN", "none", 5)).toEqual(["0", []]);
  });
});

describe("HRANDFIELD", () => {
  test.each(seeds(3))("each field is as likely as any other: seed %d", (seed) => {
    const db = createHashes({ seed, auditEvery: 0 });
    db.run("CONFIG", "SET", "hash-max-listpack-entries", 4);
    for (let i = 0; i < 40; i++) db.run("HSET", "m", `f${i}`, i);
    for (let i = 0; i < 4; i++) db.run("HSET", "few", `f${i}`, i);
    for (const [key, size] of [
      ["m", 40],
      ["few", 4],
    ] as const) {
      for (const words of [[], [1], [-3], [3], [Math.floor(size / 2)]]) {
        const counts = new Map<string, number>();
        let total = 0;
        while (total < size * 400) {
          const answer = db.run("HRANDFIELD", key, ...words);
          const fields = (Array.isArray(answer) ? answer : [answer]) as string[];
          total += fields.length;
          for (const field of fields) counts.set(field, (counts.get(field) ?? 0) + 1);
        }
        expect(counts.size).toBe(size);
        // Five standard deviations of 400.
        for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(105);
      }
    }
  });

  test.each(["s", "g"])("counts: %s", (key) => {
    const db = createHashes();
    const size = db.run("HLEN", key) as number;
    const all = db.run("HRANDFIELD", key, 10_000) as string[];
    expect(new Set(all).size).toBe(size);
    expect(db.run("HRANDFIELD", key, 0)).toEqual([]);
    expect(db.run("HRANDFIELD", key, -1000)).toHaveLength(1000);
    for (const count of [1, 2, size - 1]) {
      const fields = db.run("HRANDFIELD", key, count) as string[];
      expect(new Set(fields).size).toBe(count);
    }
    const pairs = db.run("HRANDFIELD", key, 2, "WITHVALUES") as string[];
    expect(pairs).toHaveLength(4);
    expect(db.run("HGET", key, pairs[0] as string)).toBe(pairs[1] as string);
    db.run("HELLO", 3);
    const nested = db.run("HRANDFIELD", key, 2, "WITHVALUES") as string[][];
    expect(nested.map((pair) => pair.length)).toEqual([2, 2]);
    expect(db.run("HRANDFIELD", "none")).toBeNull();
    expect(db.run("HRANDFIELD", "none", 3)).toEqual([]);
  });
});

test("a hash that begins anew where its last field has run out leaves its neighbours alone", () => {
  // Tables of a few keys, so that most of them stand where another one has pushed them.
  for (let round = 0; round < 200; round++) {
    const db = new EngineHarness({ auditEvery: 0, background: false });
    const others = Array.from({ length: 5 }, (_, index) => `other ${round} ${index}`);
    db.run("HSETEX", "h", "PX", 1, "FIELDS", 1, "f", "1");
    for (const key of others) db.run("SET", key, key);
    db.advance(5);
    db.run("HSET", "h", "f", "2");
    expect(db.run("MGET", ...others)).toEqual(others);
    expect(db.run("HGETALL", "h")).toEqual(new Map([["f", "2"]]));
    expect((db.run("KEYS", "*") as string[]).length).toBe(6);
  }
});

test.each([
  ["HSET h a new b new", 5_000, ["a", "b"]],
  // For a moment only: the wheel has not come to them.
  ["HSET h a new b new", 9_999, ["a", "b"]],
  ["HINCRBY h a 1", 9_999, ["a"]],
  ["HSETEX h KEEPTTL FIELDS 1 a new", 5_000, ["a"]],
])(
  "a big hash of which the last fields are over and set anew, %s, %d ms, begins anew in the log",
  (command, overMs, last) => {
    const db = new EngineHarness({ auditEvery: 0, background: false });
    const early = Array.from({ length: 50 }, (_, index) => `early ${index}`);
    // It is big, and stays so: few fields expire at a time then, and those first whose time was over first.
    for (let index = 0; index < 600; index++) db.run("HSET", "h", `f${index}`, 1);
    db.run("HSET", "h", ...[...early, ...last].flatMap((field) => [field, 1]));
    for (let index = 0; index < 600; index++) db.run("HDEL", "h", `f${index}`);
    db.run("PEXPIRE", "h", HOUR_MS);
    db.run("HPEXPIRE", "h", 10, "FIELDS", early.length, ...early);
    db.run("HPEXPIRE", "h", overMs, "FIELDS", last.length, ...last);
    db.advance(10_000);
    run(db, command);
    const replayed = db.replayed();
    expect(replayed.run("HGETALL", "h")).toEqual(db.run("HGETALL", "h"));
    expect(replayed.run("PTTL", "h")).toBe(db.run("PTTL", "h"));
  },
);
