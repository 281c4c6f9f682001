/**
 * Folders of the plugin aof with what an engine has recorded, and engines with what such a folder
 * holds; and a redis-server that is started on one.
 */

import aof from "../../plugins/aof/index.ts";
import type { AofOptions } from "../../plugins/aof/options.ts";
import type { Replay } from "../../src/journal/replay.ts";
import { systemFiles } from "../../src/platform/files.ts";
import type { LoadReport, Persistence } from "../../src/plugin.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { createTestContext } from "../suites/index.ts";

export function makeAof(folder: string, options: AofOptions): Persistence {
  const context = createTestContext({ files: systemFiles, folder });
  return aof.persistence?.(options as never, context) as Persistence;
}

/** Writes all that the engine has recorded, a group for each turn. */
export async function writeRecords(
  db: EngineHarness,
  folder: string,
  options: AofOptions,
): Promise<void> {
  db.engine.endTurn();
  const instance = makeAof(folder, options);
  await instance.open();
  await instance.load({ entry() {}, records() {}, progress() {} });
  for (const batch of db.persistence.batches) {
    instance.append(batch);
    await instance.flush(false);
  }
  await instance.flush(true);
  await instance.close();
}

/** Rewrites what is there: a base takes the place of the increments. */
export async function rewrite(
  db: EngineHarness,
  folder: string,
  options: AofOptions,
): Promise<void> {
  const instance = makeAof(folder, options);
  await instance.open();
  await instance.load({ entry() {}, records() {}, progress() {} });
  const entries = db.engine.readEntries();
  const task = await instance.beginCheckpoint?.(entries.revision, "compact");
  const target = { files: systemFiles, folder, options, task, proceed: () => {} };
  const written = await aof.writeCheckpoint?.(entries, target as never);
  if (written === undefined) throw new Error("no checkpoint was written");
  const report = {
    revision: entries.revision,
    entries: 0,
    durationMs: 1,
    kind: "compact",
  } as const;
  await instance.checkpointed?.({ ...written, ...report });
  await instance.close();
}

export interface LoadedFolder {
  readonly db: EngineHarness;
  readonly report: LoadReport;
}

/** An engine with what the folder holds, at this time. */
export async function loadFolder(
  folder: string,
  nowMs: number,
  options: AofOptions = {},
): Promise<LoadedFolder> {
  const db = new EngineHarness({ auditEvery: 0, background: false });
  db.clock.setWall(nowMs);
  const instance = makeAof(folder, options);
  await instance.open();
  const sink = db.engine.loadSink as Replay;
  const report = await instance.load(sink);
  sink.finish();
  await instance.close();
  return { db, report };
}
