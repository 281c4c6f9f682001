import { describe, expect, test } from "bun:test";
import { Arguments } from "../../../src/commands/arguments.ts";
import { RespEncoder } from "../../../src/resp/encoder.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** An engine with commands that take as many milliseconds as their argument says: SLOW is not flagged `fast`, QUICK is. */
function timedHarness(): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0 });
  const take = (ms: number) => db.clock.advance(ms);
  for (const name of ["SLOW", "QUICK", "LONG"]) {
    const flags = name === "SLOW" ? (["readonly"] as const) : (["readonly", "fast"] as const);
    db.addCoreCommand(
      name,
      (_session, args, reply) => {
        take(args.float(1));
        if (name === "LONG") reply.text("x".repeat(5000));
        else reply.ok();
      },
      { flags },
    );
  }
  return db;
}

/** `calls=1,usec=2000,…` of a command as an object. */
function statistics(db: EngineHarness, name: string): Record<string, number> {
  const line = new RegExp(`cmdstat_${name}:(.*)\r`).exec(String(db.run("INFO", "commandstats")));
  return Object.fromEntries(
    (line?.[1] ?? "").split(",").map((field) => {
      const [key = "", value] = field.split("=");
      return [key, Number(value)];
    }),
  );
}

const errorOf = (value: unknown) => (value as { readonly error: string }).error;
const logged = (db: EngineHarness) => db.run("SLOWLOG", "LEN");

describe("what is timed", () => {
  test("each call of a command that is not fast", () => {
    const db = timedHarness();
    for (const ms of [2, 4, 6]) db.run("SLOW", ms);
    expect(statistics(db, "slow")).toEqual({
      ...{ calls: 3, usec: 12_000, usec_per_call: 4000, rejected_calls: 0, failed_calls: 0 },
    });
  });

  test("a fast one in samples, which stand for the calls between them", () => {
    const db = timedHarness();
    for (let i = 0; i < 1000; i++) db.run("QUICK", 2);
    expect(statistics(db, "quick")).toMatchObject({ calls: 1000, usec: 2_000_000 });
    // At irregular distances, so that one in two of a pipeline is not always, or never, the one that is timed.
    for (let i = 0; i < 4000; i++) db.run("QUICK", i % 2 === 0 ? 0 : 2);
    const { usec } = statistics(db, "quick");
    expect(usec).toBeGreaterThan(5_000_000);
    expect(usec).toBeLessThan(7_000_000);
  });

  test("a slow call of a fast command is mostly not seen", () => {
    const db = timedHarness();
    for (let i = 0; i < 100; i++) db.run("QUICK", 0);
    for (let i = 0; i < 16; i++) db.run("QUICK", 20);
    expect(Number(logged(db))).toBeLessThan(5);
  });

  test("each fast one with long arguments", () => {
    const db = timedHarness();
    for (let i = 0; i < 20; i++) db.run("QUICK", 0);
    for (let i = 0; i < 5; i++) db.run("QUICK", 20, "x".repeat(5000));
    expect(logged(db)).toBe(5);
    expect(statistics(db, "quick")["calls"]).toBe(25);
  });

  test("each fast one behind one with a long reply, until they are short again", () => {
    const db = timedHarness();
    const args = new Arguments();
    const encoder = new RespEncoder();
    const run = (...words: string[]) => {
      args.assign(words);
      encoder.begin(db.session);
      db.engine.dispatch(db.session, args, encoder);
      db.endTurn();
    };
    // The first is timed as a sample, the second is seen to be long.
    for (let i = 0; i < 2; i++) run("LONG", "0");
    for (let i = 0; i < 5; i++) run("LONG", "20");
    expect(logged(db)).toBe(5);
  });

  test("each while single ones of less than a millisecond are asked for", () => {
    const db = timedHarness();
    for (let i = 0; i < 20; i++) db.run("QUICK", 0);
    db.run("CONFIG", "SET", "slowlog-log-slower-than", 999);
    for (let i = 0; i < 20; i++) db.run("QUICK", 1);
    expect(logged(db)).toBe(20);
  });

  test("each while latency is monitored", () => {
    const db = timedHarness();
    for (let i = 0; i < 20; i++) db.run("QUICK", 0);
    db.run("CONFIG", "SET", "latency-monitor-threshold", 100);
    for (let i = 0; i < 20; i++) db.run("QUICK", 150);
    expect(db.run("LATENCY", "HISTORY", "fast-command")).toHaveLength(4);
  });

  test("what fails too", () => {
    const db = new EngineHarness();
    db.addCoreCommand(
      "FAIL",
      () => {
        db.clock.advance(30);
        throw new Error("broken");
      },
      { flags: ["readonly"] },
    );
    db.run("FAIL");
    expect(statistics(db, "fail")).toMatchObject({ calls: 1, usec: 30_000, failed_calls: 1 });
    expect(logged(db)).toBe(1);
  });
});

describe("counts", () => {
  test("errors by code, failed and refused calls by command", () => {
    const db = new EngineHarness();
    db.run("LPUSH", "list", "a");
    db.run("GET", "list");
    db.run("GET");
    db.run("NOPE");
    db.run("CONFIG", "NOPE");
    db.run("INCR", "list", "b");
    expect(statistics(db, "get")).toMatchObject({ calls: 1, failed_calls: 1, rejected_calls: 1 });
    expect(statistics(db, "incr")).toMatchObject({ calls: 0, failed_calls: 0, rejected_calls: 1 });
    const errors = "# Errorstats\r\nerrorstat_ERR:count=4\r\nerrorstat_WRONGTYPE:count=1\r\n";
    expect(db.run("INFO", "errorstats")).toBe(errors);
    expect(String(db.run("INFO", "stats"))).toContain("total_error_replies:5\r\n");
  });

  test("a step of the gate refuses", () => {
    const db = new EngineHarness({ password: "secret" });
    db.runIn(db.connect(), "GET", "a");
    db.run("AUTH", "secret");
    expect(statistics(db, "get")).toMatchObject({ calls: 0, rejected_calls: 1 });
    expect(String(db.run("INFO", "errorstats"))).toContain("errorstat_NOAUTH:count=1\r\n");
  });

  test("a command that answers later, with an error", async () => {
    const db = new EngineHarness();
    const waiting = db.connect();
    const answer = db.askIn(waiting, "BLPOP", "list", 0);
    db.run("CLIENT", "UNBLOCK", waiting.id, "ERROR");
    await answer;
    expect(statistics(db, "blpop")).toMatchObject({ calls: 1, failed_calls: 1 });
    expect(String(db.run("INFO", "errorstats"))).toContain("errorstat_UNBLOCKED:count=1\r\n");
  });

  test("what is replayed does not count", () => {
    const db = new EngineHarness();
    for (let i = 0; i < 40; i++) db.run("SET", `key${i}`, "x".repeat(5000));
    const again = db.replayed();
    expect(again.run("GET", "key3")).toHaveLength(5000);
    expect(statistics(again, "set")).toEqual({ "": Number.NaN });
    expect(String(again.run("INFO", "stats"))).toContain("total_commands_processed:2\r\n");
  });

  test("CONFIG RESETSTAT forgets all of it", () => {
    const db = timedHarness();
    db.run("SLOW", 5);
    db.run("SLOW");
    db.run("NOPE");
    db.run("CONFIG", "RESETSTAT");
    const text = String(db.run("INFO", "everything"));
    expect(text).not.toContain("cmdstat_slow");
    expect(text).not.toContain("usec_slow");
    expect(text).not.toContain("errorstat_ERR");
  });
});

describe("percentiles", () => {
  test("INFO latencystats", () => {
    const db = timedHarness();
    for (let i = 0; i < 98; i++) db.run("SLOW", 1);
    db.run("SLOW", 10);
    db.run("SLOW", 10);
    const line = /usec_slow:p50=([\d.]+),p99=([\d.]+),p99.9=([\d.]+)\r/;
    const [, p50, p99, p999] = line.exec(String(db.run("INFO", "latencystats"))) ?? [];
    expect(Number(p50)).toBe(1015.807);
    expect(Number(p99)).toBe(10_223.615);
    expect(p999).toBe(p99 as string);
  });

  test("latency-tracking-info-percentiles", () => {
    const db = timedHarness();
    const set = (value: string) =>
      db.run("CONFIG", "SET", "latency-tracking-info-percentiles", value);
    expect(set("0 50.0 1e2")).toBe("OK");
    expect(db.run("CONFIG", "GET", "latency-tracking-info-percentiles")).toEqual(
      new Map([["latency-tracking-info-percentiles", "0 50 100"]]),
    );
    db.run("SLOW", 1);
    expect(String(db.run("INFO", "latencystats"))).toMatch(/usec_slow:p0=\d+\.\d{3},p50=.*,p100=/);
    expect(errorOf(set("101"))).toContain("should sit between [0.0,100.0]");
    expect(errorOf(set("50x"))).toContain("Invalid latency-tracking-info-percentiles");
  });

  test("none are kept while latency-tracking is off", () => {
    const db = timedHarness();
    const refused = db.run("CONFIG", "SET", "latency-tracking", "maybe");
    expect(errorOf(refused)).toContain("'yes' or 'no'");
    db.run("CONFIG", "SET", "latency-tracking", "no");
    db.run("SLOW", 1);
    expect(String(db.run("INFO", "latencystats"))).not.toContain("usec_slow");
    expect(statistics(db, "slow")["usec"]).toBe(1000);
  });

  test("LATENCY HISTOGRAM, of containers too", () => {
    const db = timedHarness();
    db.run("SLOW", 0.0015);
    for (const ms of [1, 1, 40]) db.run("SLOW", ms);
    db.run("CONFIG", "GET", "port");
    const all = db.run("LATENCY", "HISTOGRAM", "slow", "nope", "config") as Map<string, unknown>;
    expect([...all.keys()]).toEqual(["slow", "config|get"]);
    expect(all.get("slow")).toEqual(
      new Map<string, unknown>([
        ["calls", 4],
        [
          "histogram_usec",
          new Map([
            [2, 1],
            [1056, 3],
            [67633, 4],
          ]),
        ],
      ]),
    );
  });
});
