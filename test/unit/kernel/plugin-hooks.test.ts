/**
 * Functions that a third-party plugin handed to kvdb and that throw: named in the log, noticed by nobody else. Those of
 * kvdb's own plugins throw through.
 */
import { describe, expect, test } from "bun:test";
import type { Config } from "../../../src/kernel/config.ts";
import { frontendContext } from "../../../src/kernel/context.ts";
import { FaultLog } from "../../../src/kernel/fault-log.ts";
import { GuardedPersistence } from "../../../src/kernel/guarded-persistence.ts";
import { createLog } from "../../../src/platform/log.ts";
import { type Client, CommandError, type FrontendContext } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { MemoryDisk } from "../../suites/memory-files.ts";
import { RecordingPersistence } from "../../suites/recording-persistence.ts";
import { createEntryReader } from "../../suites/stored-entries.ts";
import { settle } from "./kernel-harness.ts";

interface Surroundings {
  readonly db: EngineHarness;
  readonly context: FrontendContext;
  readonly faults: FaultLog;
  readonly lines: string[];
}

function surround(plugin = "strange"): Surroundings {
  const db = new EngineHarness();
  const lines: string[] = [];
  const log = createLog({
    clock: db.clock,
    level: () => "debug",
    write: (line) => lines.push(line),
  });
  const faults = new FaultLog(log, db.clock);
  const context = frontendContext(
    {
      placeOf: () => "",
      config: {} as Config, // a frontend's context takes nothing from it
      engine: db.engine,
      clock: db.clock,
      files: new MemoryDisk().files,
      log,
      purpose: { kind: "use" },
      faults,
      isBuiltin: (name) => name === "resp",
      parameters: new Map(),
      reloadListeners: new Set(),
      pastRevision: 0,
      isNewFolder: true,
      terminal: undefined,
      place: { name: "/data", isRemote: false },
      requestStop: () => {},
      requestCheckpoint: () => Promise.reject(new Error("nobody takes checkpoints here")),
    },
    plugin,
  );
  return { db, context, faults, lines };
}

const fail = (): never => {
  throw new Error("not today");
};

const client = (parts: Partial<Client> = {}): Client => ({
  ...{ address: "a:1", localAddress: "b:2", inputBytes: () => 0, outputBytes: () => 0 },
  close: () => {},
  ...parts,
});

/** A parameter that can be read and set. */
function setting(context: FrontendContext, name: string): { value: string } {
  const holder = { value: "1" };
  const set = (value: string) => {
    holder.value = value;
  };
  context.addParameter({ name, get: () => holder.value, set });
  return holder;
}

/** The lines that name the plugin and what failed. */
function expectNamed(lines: readonly string[], what: string): void {
  const named = lines.filter((line) => line.includes(`plugin "strange": ${what}`));
  expect(named.length).toBeGreaterThan(0);
  expect(named[0]).toContain("not today");
}

test("a listener that throws keeps no other from its turn", () => {
  const { db, context, lines } = surround();
  let turns = 0;
  context.onTurnEnd(fail);
  context.onTurnEnd(() => turns++);
  db.run("SET", "a", "1");
  db.run("SET", "a", "2");
  expect(turns).toBe(2);
  expectNamed(lines, "an onTurnEnd listener threw");
});

test("one of onDurable neither, and no flush fails for it", async () => {
  const { db, context, lines } = surround();
  let told = 0;
  context.onDurable(fail);
  context.onDurable(() => told++);
  db.run("SET", "a", "1");
  await settle();
  expect(told).toBe(1);
  expect(db.engine.disk.failure).toBe(null);
  expectNamed(lines, "an onDurable listener threw");
});

test("one that is async may reject", async () => {
  const { db, context, lines } = surround();
  context.onTurnEnd(async () => fail());
  db.run("PING");
  await settle();
  expectNamed(lines, "an onTurnEnd listener was rejected");
});

test("a timer that throws", () => {
  const { db, context, lines } = surround();
  let ran = 0;
  context.clock.after(10, fail);
  context.clock.after(10, () => ran++);
  context.clock.after(5, () => ran++).cancel();
  db.advance(20);
  expect(ran).toBe(1);
  expectNamed(lines, "a timer threw");
});

describe("INFO", () => {
  test("leaves out lines that cannot be told", () => {
    const { db, context, lines } = surround();
    context.addInfo("strange", fail);
    context.addInfo("strange", () => ({ good: 1 }));
    context.addInfo("odd", () => undefined as never);
    const text = String(db.run("INFO", "everything"));
    expect(text).toContain("# Strange\r\ngood:1\r\n");
    expect(text).toContain("# Odd\r\n");
    expectNamed(lines, 'the lines for section "strange" of INFO threw');
  });
});

describe("parameters", () => {
  test("that cannot be read are left out, and cannot be set with others", () => {
    const { db, context, lines } = surround();
    const good = setting(context, "good");
    context.addParameter({ name: "bad", get: fail, set: () => {} });
    context.addParameter({ name: "number", get: () => 5 as never });
    const answer = db.run("CONFIG", "GET", "*", "good") as Map<string, string>;
    const names = ["good", "bad", "number"];
    expect(new Map([...answer].filter(([name]) => names.includes(name)))).toEqual(
      new Map([
        ["good", "1"],
        ["number", "5"],
      ]),
    );
    expectNamed(lines, 'get of the parameter "bad" threw');
    expect(db.run("CONFIG", "SET", "good", "2", "bad", "1")).toEqual({
      error: expect.stringContaining("'bad') - its value cannot be read"),
    });
    expect(good.value).toBe("1");
  });

  test("whose set throws: the client is told whose, and what was set before is put back", () => {
    const { db, context, lines } = surround();
    const good = setting(context, "good");
    context.addParameter({ name: "bad", get: () => "", set: fail });
    expect(db.run("CONFIG", "SET", "good", "2", "bad", "1")).toEqual({
      error: expect.stringContaining(
        'plugin "strange": set of the parameter "bad" threw: not today',
      ),
    });
    expect(good.value).toBe("1");
    expectNamed(lines, 'set of the parameter "bad" threw');
  });

  test("whose set refuses a value say so themselves", () => {
    const { db, context, lines } = surround();
    const set = () => {
      throw new CommandError("ERR", "must be blue");
    };
    context.addParameter({ name: "colour", get: () => "red", set });
    expect(db.run("CONFIG", "SET", "colour", "green")).toEqual({
      error: expect.stringContaining("'colour') - must be blue"),
    });
    expect(lines).toEqual([]);
  });
});

test("a client that cannot be asked counts as empty, and CLIENT KILL goes on", () => {
  const { db, context, lines } = surround();
  let closed = 0;
  context.connect(client({ outputBytes: fail, inputBytes: () => Number.NaN, close: fail }));
  context.connect(client({ close: () => void closed++ }));
  const used = db.engine.memory.usedBytes;
  expect(used).toBe(db.engine.keyspace.arena.usedBytes);
  expect(String(db.run("CLIENT", "LIST"))).toContain("addr=a:1");
  expect(db.run("CLIENT", "KILL", "ADDR", "a:1")).toBe(2);
  expect(closed).toBe(1);
  expectNamed(lines, "outputBytes of a client threw");
  expectNamed(lines, "close of a client threw");
});

test("a client is told that its reply is ready, and one that throws then costs nobody the turn", async () => {
  const { db, context, lines } = surround();
  db.addCoreCommand("SLOW", (session) => session.answerLater().settle((reply) => reply.ok()));
  const told: string[] = [];
  context.connect(client()); // cannot wait
  const sessions = [fail, () => void told.push("good")].map((replyReady) =>
    context.connect(client({ replyReady })),
  );
  for (const session of sessions) void db.askIn(session, "SLOW");
  db.endTurn();
  expect(told).toEqual(["good"]);
  expectNamed(lines, "replyReady of a client threw");
  const [, unable] = [...db.engine.sessions.values()];
  expect(unable?.mayWait).toBe(false);
  expect(sessions.map(({ mayWait }) => mayWait)).toEqual([true, true]);
});

test("a plugin of kvdb throws through: that is a defect of kvdb", () => {
  const { db, context, lines } = surround("resp");
  const unsubscribe = context.onTurnEnd(fail);
  expect(() => db.run("PING")).toThrow("not today");
  unsubscribe();
  expect(lines).toEqual([]);
});

describe("a persistence", () => {
  test("whose append throws can promise nothing from then on", async () => {
    const { faults, lines } = surround();
    const persistence = new RecordingPersistence("always");
    const guarded = new GuardedPersistence(persistence, "strange", faults);
    const batch = {
      firstRevision: 1,
      count: 1,
      timeMs: 0,
      bytes: Buffer.alloc(8),
      start: 0,
      end: 8,
    };
    guarded.append(batch);
    await guarded.flush(true);
    const { append } = persistence;
    persistence.append = fail;
    guarded.append({ ...batch, firstRevision: 2 });
    persistence.append = append; // it would take the next one, behind a gap that nobody notices
    guarded.append({ ...batch, firstRevision: 3 });
    expectNamed(lines, "append threw, records are lost");
    for (let i = 0; i < 2; i++) {
      await expect(guarded.flush(true)).rejects.toThrow('plugin "strange": append threw');
    }
    expect(persistence.batches.map(({ firstRevision }) => firstRevision)).toEqual([1]);
    await guarded.close();
  });

  test.each([
    ["nothing", undefined],
    ["a part of one", { lastRevision: 0, clean: true }],
    ["a revision that is none", { lastRevision: "0", clean: true, dropped: [] }],
  ])("whose load reports %s", async (_, report) => {
    const { db, faults } = surround();
    const persistence = new RecordingPersistence("always");
    persistence.load = async () => report as never;
    const guarded = new GuardedPersistence(persistence, "strange", faults);
    await expect(guarded.load(db.engine.loadSink)).rejects.toThrow("no report");
  });

  test.each([
    ['{"name":"Ada"', "unexpected end at byte 13"],
    ["", "unexpected end at byte 0"],
    ["Ada", "at byte 0"],
    ["{} {}", "unexpected text behind the value at byte 3"],
    ['{"name": "Ada"}', "not compact"],
  ])("whose document is none: %j", async (document, reason) => {
    const { db, faults } = surround();
    const persistence = new RecordingPersistence("always");
    const handOver = (value: string) => {
      const reader = createEntryReader({
        revision: 1,
        entries: [{ key: "user:1", value, database: 3, type: "json" }],
      });
      persistence.load = async (sink) => {
        while (reader.next()) sink.entry(reader.entry);
        return { records: 0, bytes: 1, lastRevision: 1, clean: true, dropped: [] };
      };
      const guarded = new GuardedPersistence(persistence, "strange", faults);
      return guarded.load(db.engine.loadSink);
    };
    const error = await handOver(document).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "DAMAGE" });
    for (const part of ["database 3", '"user:1"', reason]) expect(String(error)).toContain(part);
    expect(await handOver('{"name":"Ada"}')).toMatchObject({ lastRevision: 1 });
    // A key that comes twice was stored when that was right.
    expect(await handOver('{"a":1,"a":2}')).toMatchObject({ lastRevision: 1 });
  });

  test("whose methods are not async is taken as it is", async () => {
    const { faults } = surround();
    const persistence = new RecordingPersistence("always");
    persistence.flush = (() => undefined) as never;
    const guarded = new GuardedPersistence(persistence, "strange", faults);
    await guarded.flush(true);
    persistence.flush = fail;
    await expect(guarded.flush(true)).rejects.toThrow("not today");
  });
});
