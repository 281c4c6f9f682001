/**
 * Every byte of every file of a folder changed, and every file cut at every byte: a start finds what
 * was written, or all of it up to a tail that nobody was promised, or it refuses; never anything else.
 * With `recover` it goes on, and every record that is intact is there.
 */
import { describe, expect, test } from "bun:test";
import aof from "../../../plugins/aof/index.ts";
import type { AofOptions } from "../../../plugins/aof/options.ts";
import type { Replay } from "../../../src/journal/replay.ts";
import type { EntryReader, Persistence } from "../../../src/plugin.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import {
  createTestContext,
  type MemoryDisk,
  type ReadEntry,
  type ReadRecord,
} from "../../suites/index.ts";
import {
  emptyDisk,
  FOLDER,
  type Found,
  look,
  lookOrRefuse,
  rewrite,
  start,
  write,
} from "./support.ts";

interface History {
  readonly disk: MemoryDisk;
  readonly entries: readonly ReadEntry[];
  /** Of a base of commands. */
  readonly base: readonly ReadRecord[];
  readonly records: readonly ReadRecord[];
}

const state = {
  revision: 3,
  entries: [
    { key: "text", value: "a value" },
    { key: "document", value: '{"a":[1,2]}', type: "json" },
    { key: "later", value: "v", deadlineMs: Date.UTC(2050, 0, 1), database: 2 },
  ],
} as const;

/** A base, a sealed increment and one that is written; `isClosed`: by a stop in order. */
async function history(options: AofOptions, isClosed: boolean): Promise<History> {
  const disk = await emptyDisk();
  const running = await start(disk, { options: { ...options, segmentBytes: 4096 } });
  for (let revision = 1; revision <= 3; revision++) await write(running, revision, 20);
  const records: ReadRecord[] = [];
  const write4 = async () => records.push(await write(running, 4, 30));
  await rewrite(running, disk, state, write4);
  records.push(await write(running, 5, 4200));
  for (let revision = 6; revision <= 8; revision++) {
    records.push(await write(running, revision, 10 * revision));
  }
  if (isClosed) await running.instance.close();
  else disk.kill();
  const copy = disk.copy();
  const { entries, read } = await look(copy);
  // A base of commands comes as records of its revision.
  const base = read.filter(({ revision }) => revision <= state.revision);
  expect(read).toEqual([...base, ...records]);
  expect(base.length + entries.length).toBeGreaterThan(0);
  return { disk, entries, base, records: read };
}

const bases: readonly (readonly [string, AofOptions])[] = [
  ["RDB", {}],
  ["commands", { "aof-use-rdb-preamble": false }],
];

for (const [name, options] of bases) {
  for (const isClosed of [true, false]) {
    describe(`a base of ${name}, ${isClosed ? "stopped in order" : "killed"}`, () => {
      for (const change of ["flip", "cut"] as const) {
        test(`${change} at every byte: the same, or a prefix, or refused`, async () => {
          const told = await history(options, isClosed);
          let refusals = 0;
          for (const path of told.disk.paths()) {
            refusals += await changeEach(told, path, change);
          }
          expect(refusals).toBeGreaterThan(100);
        });
      }

      test("recover keeps each record that is intact", async () => {
        const told = await history(options, isClosed);
        const last = told.disk.paths().findLast((path) => path.endsWith(".incr.aof")) ?? "";
        const bytes = told.disk.contents(last);
        for (let offset = 0; offset < bytes.length; offset += 7) {
          const disk = told.disk.copy();
          const changed = Buffer.from(bytes);
          changed[offset] = (changed[offset] as number) ^ 0x10;
          disk.put(last, changed);
          const found = await look(disk, { purpose: { kind: "recover" } });
          expect([offset, found.read.length >= told.records.length - 2]).toEqual([offset, true]);
          for (const record of found.read) expect(told.records).toContainEqual(record);
          expect(found.report.dropped.length).toBeGreaterThan(0);
        }
      });
    });
  }
}

async function changeEach(told: History, path: string, change: "flip" | "cut"): Promise<number> {
  const bytes = told.disk.contents(path);
  let refusals = 0;
  for (let offset = 0; offset < bytes.length; offset++) {
    const changed = Buffer.from(change === "cut" ? bytes.subarray(0, offset) : bytes);
    if (change === "flip") changed[offset] = (changed[offset] as number) ^ (1 << (offset % 8));
    const disk = told.disk.copy();
    disk.put(path, changed);
    const found = await lookOrRefuse(disk);
    if (found === undefined) refusals++;
    else expectPrefix(told, found, `${change} ${path} at ${offset}`);
  }
  return refusals;
}

function expectPrefix(told: History, { entries, read, report }: Found, where: string): void {
  expect({ where, entries }).toEqual({ where, entries: told.entries });
  expect({ where, read }).toEqual({ where, read: told.records.slice(0, read.length) });
  expect([where, read.length >= told.base.length]).toEqual([where, true]);
  const isWhole = read.length === told.records.length;
  expect([where, isWhole || report.dropped.length > 0 || !report.clean]).toEqual([where, true]);
}

test("a base that is cut within a long value: recover goes on with the elements that are there", async () => {
  const disk = await emptyDisk();
  const db = new EngineHarness({ auditEvery: 0 });
  const elements = Array.from({ length: 3000 }, (_, i) => `${i} ${"x".repeat(200)}`);
  db.run("RPUSH", "list", ...elements);
  const running = await start(disk);
  await takeBase(running, disk, db.engine.readEntries());
  await running.instance.close();
  const path = disk.paths().find((name) => name.endsWith(".base.rdb")) ?? "";
  const bytes = disk.contents(path);
  for (const share of [0.3, 0.6, 0.9]) {
    const copy = disk.copy();
    copy.put(path, bytes.subarray(0, bytes.length * share));
    const { loaded, report } = await recoverInto(new EngineHarness({ auditEvery: 0 }), copy);
    const count = loaded.run("LLEN", "list") as number;
    expect([share, count > 0, count < elements.length]).toEqual([share, true, true]);
    expect(loaded.run("LRANGE", "list", 0, count)).toEqual(elements.slice(0, count));
    expect(report.dropped.some(({ kind }) => kind === "damage")).toBe(true);
  }
});

async function takeBase({ instance }: Found, disk: MemoryDisk, reader: EntryReader): Promise<void> {
  const { revision } = reader;
  const task = await instance.beginCheckpoint?.(revision, "compact");
  const target = { files: disk.files, folder: FOLDER, options: {}, task, proceed: () => {} };
  const written = await aof.writeCheckpoint?.(reader, target as never);
  if (written === undefined) throw new Error("no checkpoint was written");
  const report = { revision, entries: 1, durationMs: 1, kind: "compact" } as const;
  await instance.checkpointed?.({ ...written, ...report });
}

/** Into an engine, which takes no half of a value. */
async function recoverInto(loaded: EngineHarness, disk: MemoryDisk) {
  const context = createTestContext({
    files: disk.files,
    folder: FOLDER,
    purpose: { kind: "recover" },
    requestCheckpoint: () => new Promise<never>(() => {}),
  });
  const instance = aof.persistence?.({} as never, context) as Persistence;
  await instance.open();
  const sink = loaded.engine.loadSink as Replay;
  const report = await instance.load(sink);
  sink.finish();
  await instance.close();
  return { loaded, report };
}
