/**
 * Commands that are newer than Redis 7.0, so that no redis-server 7.0 can be asked about them: the examples of their
 * documentation (Redis 7.2, 7.4 and 8.0), and what it says of missing keys and fields. SINTERCARD is the newest of 7.0.
 */
import { describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

type Example = readonly [call: string, reply: unknown];

/** Runs the calls in order on an empty database; <now+n> is the clock's second, n seconds on. */
function check(examples: readonly Example[]): void {
  const db = new EngineHarness();
  const nowS = Math.floor(db.now() / 1000);
  for (const [call, reply] of examples) {
    const words = call
      .replace(/<now\+(\d+)>/, (_, seconds) => String(nowS + Number(seconds)))
      .split(" ");
    expect({ call, reply: db.run(...words) as unknown }).toEqual({ call, reply });
  }
}

const TWO_FIELDS: Example = ["HSET mykey field1 hello field2 world", 2];

describe("time to live of fields (7.4)", () => {
  test("HEXPIRE", () => {
    check([
      ["HEXPIRE no-key 20 NX FIELDS 2 field1 field2", [-2, -2]],
      TWO_FIELDS,
      ["HEXPIRE mykey 10 FIELDS 3 field1 field2 field3", [1, 1, -2]],
      ["HTTL mykey FIELDS 3 field1 field2 field3", [10, 10, -2]],
    ]);
  });

  test("HEXPIRE: the fields are gone when their time is over", () => {
    const db = new EngineHarness();
    db.run("HSET", "mykey", "field1", "hello", "field2", "world");
    expect(db.run("HEXPIRE", "mykey", 10, "FIELDS", 3, "field1", "field2", "field3")).toEqual([
      1, 1, -2,
    ]);
    db.advance(9_999);
    expect((db.run("HGETALL", "mykey") as Map<string, string>).size).toBe(2);
    db.advance(1);
    expect(db.run("HGETALL", "mykey")).toEqual(new Map());
  });

  test("HPEXPIRE", () => {
    check([
      ["HPEXPIRE no-key 2000 NX FIELDS 2 field1 field2", [-2, -2]],
      TWO_FIELDS,
      ["HPEXPIRE mykey 2000 FIELDS 2 field1 field2", [1, 1]],
      ["HPTTL mykey FIELDS 2 field1 field2", [2000, 2000]],
    ]);
  });

  test("HEXPIREAT", () => {
    check([
      TWO_FIELDS,
      ["HEXPIREAT mykey <now+567> FIELDS 2 field1 field2", [1, 1]],
      ["HTTL mykey FIELDS 2 field1 field2", [567, 567]],
      ["HEXPIREAT mykey 1 FIELDS 2 field1 field3", [2, -2]],
      ["HEXISTS mykey field1", 0],
    ]);
  });

  test("HPEXPIREAT", () => {
    check([
      TWO_FIELDS,
      ["HPEXPIREAT mykey <now+567>000 FIELDS 2 field1 field2", [1, 1]],
      ["HTTL mykey FIELDS 2 field1 field2", [567, 567]],
      ["HPEXPIREAT mykey 1 FIELDS 1 field2", [2]],
      ["HGETALL mykey", new Map([["field1", "hello"]])],
    ]);
  });

  test("HTTL", () => {
    check([
      ["HTTL no-key FIELDS 3 field1 field2 field3", [-2, -2, -2]],
      TWO_FIELDS,
      ["HEXPIRE mykey 300 FIELDS 2 field1 field3", [1, -2]],
      ["HTTL mykey FIELDS 3 field1 field2 field3", [300, -1, -2]],
      ["HPTTL no-key FIELDS 3 field1 field2 field3", [-2, -2, -2]],
      ["HPTTL mykey FIELDS 3 field1 field2 field3", [300_000, -1, -2]],
    ]);
  });

  test("HEXPIRETIME, HPEXPIRETIME", () => {
    const db = new EngineHarness();
    const fields = ["FIELDS", 3, "field1", "field2", "field3"] as const;
    expect(db.run("HEXPIRETIME", "no-key", ...fields)).toEqual([-2, -2, -2]);
    expect(db.run("HPEXPIRETIME", "no-key", ...fields)).toEqual([-2, -2, -2]);
    db.run("HSET", "mykey", "field1", "hello", "field2", "world");
    db.run("HPEXPIREAT", "mykey", 33_177_117_420_500, "FIELDS", 1, "field1");
    // To the second it is rounded up, as EXPIRETIME is.
    expect(db.run("HEXPIRETIME", "mykey", ...fields)).toEqual([33_177_117_421, -1, -2]);
    expect(db.run("HPEXPIRETIME", "mykey", ...fields)).toEqual([33_177_117_420_500, -1, -2]);
  });

  test("HPERSIST", () => {
    check([
      TWO_FIELDS,
      ["HEXPIRE mykey 300 FIELDS 2 field1 field2", [1, 1]],
      ["HTTL mykey FIELDS 2 field1 field2", [300, 300]],
      ["HPERSIST mykey FIELDS 1 field2", [1]],
      ["HTTL mykey FIELDS 2 field1 field2", [300, -1]],
      ["HPERSIST mykey FIELDS 2 field2 field3", [-1, -2]],
      ["HPERSIST no-key FIELDS 1 field1", [-2]],
    ]);
  });
});

describe("fields read and written with their time to live (8.0)", () => {
  test("HGETDEL", () => {
    check([
      ["HSET mykey field1 Hello field2 World field3 !", 3],
      ["HGETDEL mykey FIELDS 2 field3 field4", ["!", null]],
      ["HGETALL mykey", new Map(Object.entries({ field1: "Hello", field2: "World" }))],
      ["HGETDEL mykey FIELDS 2 field1 field2", ["Hello", "World"]],
      ["EXISTS mykey", 0],
      ["HGETDEL mykey FIELDS 2 field1 field2", [null, null]],
    ]);
  });

  test("HGETEX", () => {
    check([
      ["HSET mykey field1 Hello field2 World", 2],
      ["HGETEX mykey EX 120 FIELDS 1 field1", ["Hello"]],
      ["HGETEX mykey EX 100 FIELDS 1 field2", ["World"]],
      ["HTTL mykey FIELDS 2 field1 field2", [120, 100]],
      ["HGETEX mykey PX 5000 FIELDS 2 field1 field3", ["Hello", null]],
      ["HTTL mykey FIELDS 2 field1 field3", [5, -2]],
      ["HGETEX mykey EXAT <now+60> FIELDS 1 field2", ["World"]],
      ["HGETEX mykey PERSIST FIELDS 2 field1 field2", ["Hello", "World"]],
      ["HTTL mykey FIELDS 2 field1 field2", [-1, -1]],
      ["HGETEX mykey FIELDS 1 field1", ["Hello"]],
      ["HGETEX no-key EX 10 FIELDS 2 field1 field2", [null, null]],
    ]);
  });

  test("HSETEX", () => {
    check([
      ["HSETEX mykey EXAT <now+900> FIELDS 2 field1 Hello field2 World", 1],
      ["HSETEX mykey FNX EX 60 FIELDS 2 field1 no field2 no", 0],
      ["HMGET mykey field1 field2", ["Hello", "World"]],
      ["HSETEX mykey FXX EX 60 FIELDS 2 field1 hello field2 world", 1],
      ["HTTL mykey FIELDS 2 field1 field2", [60, 60]],
      ["HSETEX mykey FXX KEEPTTL FIELDS 2 field1 Hello field2 World", 1],
      ["HTTL mykey FIELDS 2 field1 field2", [60, 60]],
      ["HSETEX mykey FXX EX 60 FIELDS 2 field1 no field3 no", 0],
      ["HSETEX mykey FNX PX 7000 FIELDS 1 field3 !", 1],
      ["HTTL mykey FIELDS 1 field3", [7]],
      ["HSETEX mykey FIELDS 1 field1 again", 1],
      ["HTTL mykey FIELDS 2 field1 field2", [-1, 60]],
      ["HGET mykey field1", "again"],
    ]);
  });
});

describe("options", () => {
  test("ZRANK and ZREVRANK WITHSCORE (7.2)", () => {
    check([
      ["ZADD myzset 1 one 2 two 3 three", 3],
      ["ZRANK myzset three", 2],
      ["ZRANK myzset four", null],
      ["ZRANK myzset three WITHSCORE", [2, 3]],
      ["ZRANK myzset four WITHSCORE", null],
      ["ZREVRANK myzset one", 2],
      ["ZREVRANK myzset three WITHSCORE", [0, 3]],
      ["ZREVRANK myzset four WITHSCORE", null],
    ]);
  });

  test("HSCAN NOVALUES (7.4)", () => {
    check([
      TWO_FIELDS,
      ["HSCAN mykey 0 NOVALUES", ["0", ["field1", "field2"]]],
      ["HSCAN mykey 0", ["0", ["field1", "hello", "field2", "world"]]],
    ]);
  });

  test("CLIENT NO-TOUCH and SETINFO (7.2)", () => {
    check([
      ["CLIENT NO-TOUCH ON", "OK"],
      ["CLIENT NO-TOUCH OFF", "OK"],
      ["CLIENT SETINFO LIB-NAME mylib", "OK"],
      ["CLIENT SETINFO LIB-VER 1.2", "OK"],
      ["CLIENT INFO", expect.stringContaining(" lib-name=mylib lib-ver=1.2")],
    ]);
  });
});

test("SINTERCARD (7.0)", () => {
  check([
    ["SADD key1 a b c d", 4],
    ["SADD key2 c d e", 3],
    ["SINTER key1 key2", new Set(["c", "d"])],
    ["SINTERCARD 2 key1 key2", 2],
    ["SINTERCARD 2 key1 key2 LIMIT 1", 1],
    ["SINTERCARD 2 key1 key2 LIMIT 0", 2],
    ["SINTERCARD 2 key1 no-key", 0],
  ]);
});
