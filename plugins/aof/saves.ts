/**
 * The RDB that is saved: by SAVE and BGSAVE, by the rules of `save`, and where the AOF is off at a
 * stop. Where the AOF is on it is a file for whoever wants one; where it is off it is the data.
 */
import type {
  CheckpointReport,
  Dropped,
  LoadReport,
  LoadSink,
  Parameter,
  PersistenceContext,
} from "kvdb";
import {
  RecoveryAccount,
  rulesOf,
  type SaveRule,
  SaveSchedule,
  saveParameter,
} from "kvdb/persistence";
import { type AofTask, UNFINISHED_SUFFIX } from "./checkpoint-writer.ts";
import type { Settings } from "./options.ts";
import { readRdbInto } from "./rdb-reading.ts";

export class Saves {
  readonly #context: PersistenceContext;
  readonly #settings: Settings;
  readonly #schedule: SaveSchedule;
  /** Length of the file as it was read or saved last. */
  #bytes = 0;

  constructor(context: PersistenceContext, settings: Settings) {
    this.#context = context;
    this.#settings = settings;
    this.#schedule = new SaveSchedule({
      rules: rulesIn(settings),
      clock: context.clock,
      log: context.log,
      unsavedChanges: () => context.unsavedChanges,
      requestCheckpoint: (reason) => context.requestCheckpoint(reason, "save"),
    });
  }

  get failures(): number {
    return this.#schedule.failures;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The file as the data. */
  async load(sink: LoadSink): Promise<LoadReport> {
    const { files } = this.#context;
    const path = this.#settings.rdbPath;
    const account = new RecoveryAccount(this.#context, { dropped: [], rebuilt: false }, sink);
    if (!(await files.exists(path))) return account.report();
    const file = await files.open(path, "read");
    try {
      const size = await file.size();
      this.#bytes = size;
      account.totalBytes = size;
      const report = await readRdbInto(account, file, account.beginPart(size));
      if (report === undefined) return account.report();
      account.raiseRevision(report.revision);
      if (report.end < size) account.dropped.push(this.#behind(report.end, size));
      // A file that never was of kvdb is like a new folder.
      account.closed = report.revision === 0;
      return account.report();
    } finally {
      await file.close();
    }
  }

  /** Begins to look whether it is time. */
  start(): void {
    this.#schedule.start();
  }

  stop(): void {
    this.#schedule.stop();
  }

  async begin(): Promise<AofTask> {
    await this.removeUnfinished();
    return { kind: "save", path: this.#settings.rdbPath };
  }

  saved({ bytes }: CheckpointReport): void {
    this.#bytes = bytes;
    this.#schedule.saved();
  }

  async removeUnfinished(): Promise<void> {
    const { files, log } = this.#context;
    const unfinished = this.#settings.rdbPath + UNFINISHED_SUFFIX;
    if (!(await files.exists(unfinished))) return;
    await files.remove(unfinished);
    log.info("removed what a save that was cut off left behind", { file: unfinished });
  }

  parameter(): Parameter {
    return saveParameter(this.#schedule);
  }

  #behind(offset: number, size: number): Dropped {
    const file = this.#settings.rdbPath;
    const reason = "bytes behind the end of the RDB; they are no part of it";
    return { kind: "note", file, offset, bytes: size - offset, reason };
  }
}

/** Where an AOF keeps each change, nobody needs saves who does not ask for them. */
function rulesIn({ options }: Settings): readonly SaveRule[] {
  const { save, appendonly = true } = options;
  if (save === undefined && appendonly) return [];
  return rulesOf(save === undefined ? {} : { save });
}
