/**
 * A whole state, handed to a persistence that has none yet, and read back: what a conversion and a restore have in common.
 * Nobody is served meanwhile.
 */
import { KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import { silentLog } from "../platform/log.ts";
import type { CheckpointReport, EntryReader, LoadSink, Revision } from "../plugin.ts";
import type { CheckpointedEngine } from "./checkpoint-writer.ts";
import { Checkpoints } from "./checkpoints.ts";
import { closingAfter } from "./combined-error.ts";
import type { Kernel } from "./kernel.ts";
import type { Selected } from "./loader.ts";
import { compareFolder } from "./store-comparison.ts";

export interface StateWriting {
  /** Has the state. */
  readonly engine: CheckpointedEngine;
  /** Has been prepared with these files, and not started. */
  readonly target: Pick<Kernel, "persistence" | "chosen">;
  readonly folder: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly reason: string;
}

/** Opens it, has it write a checkpoint, and closes it. */
export function writeState(writing: StateWriting): Promise<CheckpointReport> {
  const { engine, target, folder, files, clock, reason } = writing;
  const { persistence, chosen } = target;
  const { plugin, source, options } = chosen;
  const { name, writeCheckpoint } = plugin;
  const checkpoints = new Checkpoints({
    engine,
    persistence,
    plugin: { name, source, options, writeCheckpoint },
    folder,
    files,
    clock,
    log: silentLog, // a failure is the caller's to tell
    worker: undefined,
  });
  const write = async () => {
    await persistence.open();
    await persistence.load(emptySink(name));
    checkpoints.start();
    return checkpoints.request(reason, "now");
  };
  return closingAfter(write, () => persistence.close());
}

export interface StateReading {
  readonly chosen: Selected;
  readonly folder: string;
  readonly databases: number;
  readonly revision: Revision;
  readonly files: Files;
  readonly clock: Clock;
}

/** Loads it anew, with nothing but what is on disk, and compares it entry by entry. Rejects when anything differs. */
export async function requireState(state: EntryReader, reading: StateReading): Promise<void> {
  const { chosen, revision } = reading;
  const { report, problems } = await compareFolder(state, {
    ...reading,
    plugin: chosen.plugin,
    options: chosen.options,
    compares: true,
    proceed: () => {}, // nobody can ask for an end but by ending the process
  });
  const found = [...problems];
  if (report !== undefined && report.lastRevision < revision) {
    found.push(`the last revision is ${report.lastRevision}, and not ${revision}`);
  }
  if (found.length === 0) return;
  const what = `persistence "${chosen.plugin.name}" does not give back what it was given`;
  throw new KvdbError("INTERNAL", `${what}: ${found.join("; ")}`);
}

/** Of a persistence that is to be empty. */
function emptySink(persistence: string): LoadSink {
  const refuse = () => {
    throw new KvdbError(
      "INTERNAL",
      `persistence "${persistence}" has data before it was given any`,
    );
  };
  return { entry: refuse, records: refuse, progress: () => {} };
}
