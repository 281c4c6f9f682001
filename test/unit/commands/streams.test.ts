/** Streams as a user sees them, what is recorded of them, and that replaying it gives the same. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import type { Value } from "../../suites/value-reply.ts";

function commandsOf(db: EngineHarness): string[] {
  return db.records().flatMap((record) => record.commands);
}

/** All that can be asked of the stream, clocks included, but for its nodes: their size is a setting. */
function everything(db: EngineHarness, key: string) {
  const info = db.run("XINFO", "STREAM", key, "FULL", "COUNT", 0);
  if (info instanceof Map) {
    for (const name of ["radix-tree-keys", "radix-tree-nodes"]) info.delete(name);
  }
  return [info, db.run("DEBUG", "DIGEST")];
}

function expectSameAfterReplay(db: EngineHarness, key: string): void {
  const expected = everything(db, key);
  expect(everything(db.replayed(), key)).toEqual(expected);
}

test("counts beyond 2^53 are refused no more than in Redis, shown as the nearest double, and recorded", () => {
  const db = new EngineHarness();
  const most = "9223372036854775807";
  db.run("XADD", "s", "1-1", "a", "1");
  db.run("XSETID", "s", "1-1", "ENTRIESADDED", most);
  db.run("XGROUP", "CREATE", "s", "g", "0", "ENTRIESREAD", most);
  db.run("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">");
  db.run("XCLAIM", "s", "g", "c", "0", "1-1", "RETRYCOUNT", most, "JUSTID");
  const info = db.run("XINFO", "STREAM", "s") as Map<Value, Value>;
  expect(info.get("entries-added")).toBe(2n ** 63n - 1n);
  const pending = db.run("XPENDING", "s", "g", "-", "+", "1");
  expect(pending).toEqual([["1-1", "c", 0, 2n ** 63n - 1n]]);
  expectSameAfterReplay(db, "s");
});

test("XGROUP takes no more options than there are", () => {
  const db = new EngineHarness();
  db.run("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM");
  const read = ["ENTRIESREAD", "1"];
  for (const words of [
    ["CREATE", "s", "h", "0", ...read, ...read],
    ["SETID", "s", "g", "0", ...read, ...read],
  ]) {
    const text = `unknown subcommand or wrong number of arguments for '${words[0]}'`;
    expect(db.run("XGROUP", ...words)).toEqual({ error: `ERR ${text}. Try XGROUP HELP.` });
  }
});

describe("XADD", () => {
  test("the ID that the clock gives is recorded", () => {
    const db = new EngineHarness();
    const now = db.now();
    expect(db.run("XADD", "s", "*", "a", "1")).toBe(`${now}-0`);
    expect(db.run("XADD", "s", "*", "a", "2")).toBe(`${now}-1`);
    expect(db.run("XADD", "s", `${now + 5}-*`, "a", "3")).toBe(`${now + 5}-0`);
    // The clock is behind the last ID.
    expect(db.run("XADD", "s", "*", "a", "4")).toBe(`${now + 5}-1`);
    expect(db.run("XADD", "s", `${now + 9}-3`, "a", "5")).toBe(`${now + 9}-3`);
    expect(commandsOf(db)).toEqual([
      `XADD s ${now}-0 a 1`,
      `XADD s ${now}-1 a 2`,
      `XADD s ${now + 5}-0 a 3`,
      `XADD s ${now + 5}-1 a 4`,
      `XADD s ${now + 9}-3 a 5`,
    ]);
    expectSameAfterReplay(db, "s");
  });

  test("what is trimmed by whole nodes is recorded by the length that it left", () => {
    const db = new EngineHarness();
    db.engine.keyspace.collections.limits.streamNodeEntries = 3;
    for (let i = 1; i <= 10; i++) db.run("XADD", "s", `${i}-0`, "a", i);
    db.records();
    expect(db.run("XADD", "s", "MAXLEN", "~", 6, "11-0", "a", "11")).toBe("11-0");
    expect(db.run("XLEN", "s")).toBe(8);
    expect(db.run("XTRIM", "s", "MINID", "~", "9")).toBe(3);
    expect(db.run("XTRIM", "s", "MINID", "~", "8")).toBe(0);
    expect(db.run("XTRIM", "s", "MAXLEN", "2")).toBe(3);
    expect(commandsOf(db)).toEqual([
      "XADD s MAXLEN = 8 11-0 a 11",
      "XTRIM s MAXLEN = 5",
      "XTRIM s MAXLEN 2",
    ]);
    expectSameAfterReplay(db, "s");
  });

  test("the last possible ID ends a stream", () => {
    const db = new EngineHarness();
    const last = "18446744073709551615-18446744073709551615";
    expect(db.run("XADD", "s", last, "a", "1")).toBe(last);
    expect(db.run("XADD", "s", "*", "a", "1")).toEqual({
      error: "ERR The stream has exhausted the last possible ID, unable to add more items",
    });
    expect(db.run("XRANGE", "s", last, "+")).toEqual([[last, ["a", "1"]]]);
  });

  test("what was refused leaves no stream behind", () => {
    const db = new EngineHarness();
    expect(db.run("XADD", "s", "0-0", "a", "1")).toEqual({
      error: "ERR The ID specified in XADD must be greater than 0-0",
    });
    expect(db.run("XADD", "s", "NOMKSTREAM", "1-1", "a", "1")).toBeNull();
    expect(db.run("XADD", "s", "1-1", "a")).toEqual({
      error: "ERR wrong number of arguments for 'xadd' command",
    });
    expect([db.run("EXISTS", "s"), db.records()]).toEqual([0, []]);
  });
});

test("a stream without entries stays, and remembers its last ID", () => {
  const db = new EngineHarness();
  db.run("XADD", "s", "5-1", "a", "1");
  expect(db.run("XDEL", "s", "5-1", "6-1")).toBe(1);
  expect([db.run("XLEN", "s"), db.run("TYPE", "s")]).toEqual([0, "stream"]);
  expect(db.run("XADD", "s", "5-1", "a", "1")).toHaveProperty("error");
  expect(db.run("OBJECT", "ENCODING", "s")).toBe("stream");
  expectSameAfterReplay(db, "s");
});

describe("groups", () => {
  test("what was delivered is recorded as claims and the group's position", () => {
    const db = new EngineHarness();
    const now = db.now();
    for (let i = 1; i <= 3; i++) db.run("XADD", "s", `${i}-0`, "a", i);
    db.run("XGROUP", "CREATE", "s", "g", 0);
    db.records();
    const entries = [1, 2, 3].map((i) => [`${i}-0`, ["a", String(i)]]);
    const read = ["XREADGROUP", "GROUP", "g", "alice", "COUNT", 2, "STREAMS", "s"];
    expect(db.run(...read, ">")).toEqual([["s", entries.slice(0, 2)]]);
    db.advance(50);
    expect(db.run(...read, "1-0")).toEqual([["s", entries.slice(1, 2)]]);
    expect(db.run("XREADGROUP", "GROUP", "g", "bob", "NOACK", "STREAMS", "s", ">")).toEqual([
      ["s", entries.slice(2)],
    ]);
    expect(db.run("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "s", ">")).toBeNull();
    expect(commandsOf(db)).toEqual([
      `XCLAIM s g alice 0 1-0 2-0 TIME ${now} RETRYCOUNT 1 FORCE JUSTID LASTID 2-0`,
      "XGROUP SETID s g 2-0 ENTRIESREAD 2",
      `XCLAIM s g alice 0 2-0 TIME ${now + 50} RETRYCOUNT 2 FORCE JUSTID LASTID 2-0`,
      "XGROUP CREATECONSUMER s g bob",
      "XGROUP SETID s g 3-0 ENTRIESREAD 3",
    ]);
    expectSameAfterReplay(db, "s");
    expect(db.run("XPENDING", "s", "g")).toEqual([2, "1-0", "2-0", [["alice", "2"]]]);
    expect(db.run("XPENDING", "s", "g", "IDLE", 20, "-", "+", 9)).toEqual([
      ["1-0", "alice", 50, 1],
    ]);
  });

  test("that a consumer was seen is recorded although nothing was pending for it", () => {
    const db = new EngineHarness();
    db.run("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
    const read = ["XREADGROUP", "GROUP", "g", "alice", "STREAMS", "s", 0];
    db.run(...read);
    db.advance(70);
    db.records();
    expect(db.run(...read)).toEqual([["s", []]]);
    expect(commandsOf(db)).toEqual(["XGROUP CREATECONSUMER s g alice"]);
    db.advance(10);
    expect(db.run("XINFO", "CONSUMERS", "s", "g")).toEqual([
      new Map<string, string | number>([
        ["name", "alice"],
        ["pending", 0],
        ["idle", 10],
      ]),
    ]);
    expectSameAfterReplay(db, "s");
  });

  test("claims are recorded with their moments; what is gone is acknowledged", () => {
    const db = new EngineHarness();
    for (let i = 1; i <= 4; i++) db.run("XADD", "s", `${i}-0`, "a", i);
    db.run("XGROUP", "CREATE", "s", "g", 0);
    db.run("XREADGROUP", "GROUP", "g", "alice", "STREAMS", "s", ">");
    db.run("XDEL", "s", "2-0");
    db.advance(100);
    db.records();
    const now = db.now();
    expect(db.run("XCLAIM", "s", "g", "bob", 200, "1-0")).toEqual([]);
    expect(db.run("XCLAIM", "s", "g", "bob", 100, "1-0", "2-0", "IDLE", 30, "JUSTID")).toEqual([
      "1-0",
    ]);
    expect(db.run("XAUTOCLAIM", "s", "g", "carol", 50, "-", "COUNT", 1)).toEqual([
      "4-0",
      [["3-0", ["a", "3"]]],
      [],
    ]);
    expect(commandsOf(db)).toEqual([
      "XACK s g 2-0",
      `XCLAIM s g bob 0 1-0 TIME ${now - 30} RETRYCOUNT 1 FORCE JUSTID LASTID 4-0`,
      `XCLAIM s g carol 0 3-0 TIME ${now} RETRYCOUNT 2 FORCE JUSTID LASTID 4-0`,
    ]);
    expectSameAfterReplay(db, "s");
  });
});

describe("waiting", () => {
  const entry = ["7-0", ["a", "1"]];

  test("XREAD gets the entry that comes, not those before", async () => {
    const db = new EngineHarness();
    db.run("XADD", "s", "3-0", "a", "0");
    const answer = db.ask("XREAD", "BLOCK", 0, "STREAMS", "other", "s", "0", "$");
    const writer = db.connect();
    db.runIn(writer, "XADD", "s", "7-0", "a", "1");
    expect(await answer).toEqual([["s", [entry]]]);
  });

  test("XREAD in RESP3 answers a map, and null when the time is over", async () => {
    const db = new EngineHarness();
    db.session.protocol = 3;
    const first = db.ask("XREAD", "BLOCK", 0, "STREAMS", "s", "0");
    db.runIn(db.connect(), "XADD", "s", "7-0", "a", "1");
    expect(await first).toEqual(new Map([["s", [entry]]]));
    const second = db.ask("XREAD", "BLOCK", 20, "STREAMS", "s", "7-0");
    db.advance(20);
    expect(await second).toBeNull();
  });

  test("one consumer of a group gets the entry, and it is recorded", async () => {
    const db = new EngineHarness();
    db.run("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
    const consumers = ["alice", "bob"].map((name) => ({ name, session: db.connect() }));
    const answers = consumers.map(({ name, session }) =>
      db.askIn(session, "XREADGROUP", "GROUP", "g", name, "BLOCK", 0, "STREAMS", "s", ">"),
    );
    const now = db.now();
    db.records();
    db.run("XADD", "s", "7-0", "a", "1");
    expect(await answers[0]).toEqual([["s", [entry]]]);
    expect(commandsOf(db)).toEqual([
      "XADD s 7-0 a 1",
      `XCLAIM s g alice 0 7-0 TIME ${now} RETRYCOUNT 1 FORCE JUSTID LASTID 7-0`,
      "XGROUP SETID s g 7-0 ENTRIESREAD 1",
    ]);
    db.run("XADD", "s", "8-0", "a", "2");
    expect(await answers[1]).toEqual([["s", [["8-0", ["a", "2"]]]]]);
    expectSameAfterReplay(db, "s");
  });

  test.each([
    [
      ["XGROUP", "DESTROY", "s", "g"],
      "NOGROUP the consumer group this client was blocked on no longer exists",
    ],
    [["DEL", "s"], "UNBLOCKED the stream key no longer exists"],
  ])("%p ends the wait of a consumer", async (words, error) => {
    const db = new EngineHarness();
    db.run("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
    const read = ["XREADGROUP", "GROUP", "g", "alice", "BLOCK", 0, "STREAMS", "s", ">"];
    const answer = db.ask(...read);
    db.runIn(db.connect(), ...words);
    expect(await answer).toEqual({ error });
  });
});

test.each(seeds(3))("seed %d: replaying gives the same stream", (seed) => {
  const random = seededRandom(seed);
  const db = new EngineHarness({ seed, auditEvery: 20 });
  db.engine.keyspace.collections.limits.streamNodeEntries = 5;
  const id = () => `${random.below(40)}-${random.below(2)}`;
  const consumer = () => `c${random.below(4)}`;
  const group = () => `g${random.below(2)}`;
  for (const name of ["g0", "g1"]) db.run("XGROUP", "CREATE", "s", name, "$", "MKSTREAM");
  const steps: readonly (() => readonly (string | number)[])[] = [
    () => ["XADD", "s", "*", "field", random.below(1000)],
    () => ["XADD", "s", "MAXLEN", "~", 20, "*", `field ${random.below(3)}`, "value"],
    () => ["XREADGROUP", "GROUP", group(), consumer(), "COUNT", 3, "STREAMS", "s", ">"],
    () => ["XREADGROUP", "GROUP", group(), consumer(), "NOACK", "COUNT", 1, "STREAMS", "s", ">"],
    () => ["XREADGROUP", "GROUP", group(), consumer(), "STREAMS", "s", 0],
    () => ["XAUTOCLAIM", "s", group(), consumer(), random.below(100), "-", "COUNT", 2],
    () => ["XCLAIM", "s", group(), consumer(), 0, id(), id(), "FORCE", "LASTID", id()],
    () => ["XGROUP", "DELCONSUMER", "s", group(), consumer()],
    () => ["XGROUP", "SETID", "s", group(), "$"],
    () => ["XTRIM", "s", "MINID", "~", db.now() - 200],
    () => ["XACK", "s", group(), `${db.now()}-0`, `${db.now() - 10}-0`],
    () => ["XDEL", "s", `${db.now()}-0`, `${db.now() - 10}-0`],
  ];
  for (let i = 0; i < 600; i++) {
    db.run(...(steps[random.below(steps.length)] as () => (string | number)[])());
    if (random.below(3) === 0) db.advance(10);
  }
  expect(db.run("XLEN", "s")).toBeGreaterThan(5);
  expectSameAfterReplay(db, "s");
});
