/** The append-only file is being switched on, and a stop comes in between: only what counted before is there. */
import { describe, expect, test } from "bun:test";
import type { AofTask } from "../../../plugins/aof/checkpoint-writer.ts";
import aof from "../../../plugins/aof/index.ts";
import type { CheckpointKind, CheckpointReport } from "../../../src/plugin.ts";
import { createEntryReader, type MemoryDisk, type State } from "../../suites/index.ts";
import { emptyDisk, FOLDER, type Found, look, rewrite, start, write } from "./support.ts";

const OFF = { appendonly: false, save: "" } as const;
const entries = [
  { key: "a", value: "1" },
  { key: "b", value: "2", database: 3 },
];
const never = new Promise<never>(() => {});
const options = (appendonly: boolean) => ({ options: { appendonly, save: "" } });

/** Begun, with what was written since: nothing of it counts. */
async function begin(disk: MemoryDisk, firstRevision: number): Promise<Found> {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const requestCheckpoint = (_reason: string, kind?: CheckpointKind) => {
    if (kind === "compact") resolve();
    return never;
  };
  const running = await start(disk, { options: OFF, requestCheckpoint });
  running.context.parameters.get("appendonly")?.set?.("yes");
  await asked;
  await running.instance.beginCheckpoint?.(firstRevision - 1, "compact");
  for (let i = 0; i < 3; i++) await write(running, firstRevision + i, 300);
  return running;
}

/** A base that is whole, and that no manifest names yet. */
async function writeBase(disk: MemoryDisk, running: Found, state: State): Promise<AofTask> {
  const task = (await running.instance.beginCheckpoint?.(state.revision, "compact")) as AofTask;
  const target = { files: disk.files, folder: FOLDER, options: {}, task, proceed: () => {} };
  await aof.writeCheckpoint?.(createEntryReader(state), target as never);
  return task;
}

describe.each([true, false])("appendonly %p at the next start", (appendonly) => {
  test("a new folder: it is empty", async () => {
    const disk = await emptyDisk();
    const running = await begin(disk, 1);
    await writeBase(disk, running, { revision: 1, entries });
    disk.kill();
    const found = await look(disk, options(appendonly));
    expect([found.entries, found.read, found.report.dropped]).toEqual([[], [], []]);
  });

  test("one that was on before: that one counts", async () => {
    const disk = await emptyDisk();
    const before = await start(disk);
    const record = await write(before, 1, 20);
    await before.instance.close();
    await begin(disk, 2 ** 25);
    disk.kill();
    const found = await look(disk, options(appendonly));
    const lost = found.report.dropped.filter(({ kind }) => kind !== "note");
    expect([found.read, lost]).toEqual([[record], []]);
  });

  test("a save that came in between is newer than the one that was on before", async () => {
    const disk = await emptyDisk();
    const before = await start(disk);
    await write(before, 1, 20);
    await before.instance.close();
    const running = await begin(disk, 2 ** 25);
    const state = { revision: 2 ** 25 + 9, entries };
    await save(disk, running, state);
    disk.kill();
    const found = await look(disk, options(appendonly));
    expect([found.entries.length, found.read]).toEqual([state.entries.length, []]);
  });
});

test("the next start writes on, and from then on each file counts again", async () => {
  const disk = await emptyDisk();
  const before = await start(disk);
  const record = await write(before, 1, 20);
  await before.instance.close();
  await begin(disk, 2 ** 25);
  disk.kill();
  const running = await start(disk, { options: { segmentBytes: 1000 } });
  const later = [];
  for (let i = 0; i < 9; i++) later.push(await write(running, 2 ** 26 + i, 400));
  await running.instance.close();
  expect((await look(disk)).read).toEqual([record, ...later]);
});

test("its first rewrite is there: it counts", async () => {
  const disk = await emptyDisk();
  const running = await begin(disk, 1);
  const state = { revision: 9, entries };
  await rewrite(running, disk, state);
  const record = await write(running, 10, 20);
  disk.kill();
  const found = await look(disk);
  expect([found.entries.length, found.read]).toEqual([state.entries.length, [record]]);
});

test("a save from before it was switched off does not take its place: it has not all of it", async () => {
  const disk = await emptyDisk();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const requestCheckpoint = () => {
    resolve();
    return never;
  };
  const running = await start(disk, { requestCheckpoint });
  const records = [await write(running, 1, 20)];
  const written = await writeSave(disk, running, { revision: 1, entries });
  records.push(await write(running, 2, 20));
  running.context.parameters.get("appendonly")?.set?.("no");
  await asked;
  await running.instance.checkpointed?.(written);
  expect((await look(disk.copy())).read).toEqual(records);
  await save(disk, running, { revision: 2, entries });
  disk.kill();
  expect((await look(disk)).entries).toHaveLength(entries.length);
});

async function save(disk: MemoryDisk, running: Found, state: State): Promise<void> {
  await running.instance.checkpointed?.(await writeSave(disk, running, state));
}

/** It is on disk, and the instance is still to be told. */
async function writeSave(
  disk: MemoryDisk,
  { instance }: Found,
  state: State,
): Promise<CheckpointReport> {
  const task = await instance.beginCheckpoint?.(state.revision, "save");
  const target = { files: disk.files, folder: FOLDER, options: {}, task, proceed: () => {} };
  const written = await aof.writeCheckpoint?.(createEntryReader(state), target as never);
  if (written === undefined) throw new Error("nothing was saved");
  const report = { revision: state.revision, entries: 20, durationMs: 1, kind: "save" } as const;
  return { ...written, ...report };
}

test("a save is there just when it is being made ready: the manifest has both", async () => {
  const disk = await emptyDisk();
  const before = await start(disk);
  await write(before, 1, 20);
  await before.instance.close();
  const state = { revision: 2 ** 25, entries };
  for (let turns = 0; turns < 40; turns++) {
    const copy = disk.copy();
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const requestCheckpoint = (_reason: string, kind?: CheckpointKind) => {
      if (kind === "compact") resolve();
      return never;
    };
    const running = await start(copy, { options: OFF, requestCheckpoint });
    const written = await writeSave(copy, running, state);
    running.context.parameters.get("appendonly")?.set?.("yes");
    for (let turn = 0; turn < turns; turn++) await null;
    await running.instance.checkpointed?.(written);
    await asked;
    copy.kill();
    const found = await look(copy);
    expect([turns, found.entries.length, found.read]).toEqual([turns, entries.length, []]);
  }
});
