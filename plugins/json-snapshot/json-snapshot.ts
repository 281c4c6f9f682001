/**
 * The persistence `json-snapshot`: the life cycle and what the operator sees. Reading is
 * snapshot-reader.ts, writing snapshot-writer.ts (in a worker), when to save save-schedule.ts; the
 * file is described in FORMAT.md.
 */
import { basename, dirname, relative } from "node:path";
import {
  type CheckpointReport,
  type Dropped,
  KvdbError,
  type LoadReport,
  type LoadSink,
  type OpenFile,
  type Persistence,
  type PersistenceContext,
  type Revision,
} from "kvdb";
import { rulesOf, SaveSchedule, saveParameter } from "kvdb/persistence";
import { keepAside, UNFINISHED_SUFFIX } from "./aside-copy.ts";
import { type FileIdentity, type FileMeasure, measureFile } from "./file-checksum.ts";
import {
  type SnapshotDetail,
  type SnapshotOptions,
  type SnapshotTask,
  snapshotPath,
} from "./snapshot-file.ts";
import { FORMAT } from "./snapshot-head.ts";
import { readSnapshot } from "./snapshot-reader.ts";

const DAMAGED_SUFFIX = ".damaged";

const NO_FILE: LoadReport = { records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] };

export class JsonSnapshot implements Persistence {
  readonly supports = { records: false, checkpoints: true };
  readonly durability = "none";

  readonly #context: PersistenceContext;
  readonly #path: string;
  readonly #schedule: SaveSchedule;
  /** The file as it was read or written last. */
  #known: FileIdentity | undefined;
  #savedRevision: Revision = 0;
  /** Of the first attempt to save since one succeeded. */
  #attemptedFrom: Revision | undefined;

  constructor(options: SnapshotOptions, context: PersistenceContext) {
    this.#context = context;
    this.#path = snapshotPath(options, context.folder);
    this.#schedule = new SaveSchedule({
      rules: rulesOf(options),
      clock: context.clock,
      log: context.log,
      unsavedChanges: () => context.unsavedChanges,
      requestCheckpoint: (reason) => context.requestCheckpoint(reason),
    });
    this.#addParameters();
    context.addInfo("persistence", () => this.#info());
  }

  async open(): Promise<void> {
    const { files, folder, purpose } = this.#context;
    if (purpose.kind === "check") return;
    const parent = dirname(this.#path);
    if (parent !== folder) await files.makeFolder(parent);
    await this.#removeUnfinished();
  }

  async load(sink: LoadSink): Promise<LoadReport> {
    const { files } = this.#context;
    const report = (await files.exists(this.#path)) ? await this.#read(sink) : NO_FILE;
    this.#savedRevision = report.lastRevision;
    if (this.#context.purpose.kind !== "check") this.#schedule.start();
    return report;
  }

  /** Never called: a change alone is not kept. */
  append(): void {}

  async flush(): Promise<void> {}

  async beginCheckpoint(revision: Revision): Promise<SnapshotTask> {
    await this.#removeUnfinished();
    const task = { known: this.#known, attemptedFrom: this.#attemptedFrom };
    this.#attemptedFrom ??= revision;
    return task;
  }

  async checkpointed(report: CheckpointReport): Promise<void> {
    const { identity, keptIn } = report.detail as SnapshotDetail;
    this.#known = identity;
    this.#savedRevision = report.revision;
    this.#attemptedFrom = undefined;
    this.#schedule.saved();
    if (keptIn === undefined) return;
    const message = "somebody else had changed the file since it was read or saved; it was kept";
    this.#context.log.warn(message, { file: this.#path, keptIn });
  }

  async close(): Promise<void> {
    this.#schedule.stop();
  }

  // ---- reading ----

  async #read(sink: LoadSink): Promise<LoadReport> {
    const file = await this.#context.files.open(this.#path, "read");
    try {
      const measure = await measureFile(file, () => {});
      this.#known = { bytes: measure.bytes, crc32: measure.crc32 };
      this.#requireKnownFormat(measure);
      if (this.#isTooNew(measure)) return this.#notRead(measure);
      return await this.#readInto(sink, file, measure);
    } finally {
      await file.close();
    }
  }

  async #readInto(sink: LoadSink, file: OpenFile, measure: FileMeasure): Promise<LoadReport> {
    const { purpose, lastRevision } = this.#context;
    const isLenient = purpose.kind !== "use";
    const read = await readSnapshot({ file, measure, sink, isLenient, lastRevision });
    const changed = read.hasChecksum && !measure.isIntact ? [this.#changedByHand()] : [];
    return {
      records: 0,
      bytes: measure.bytes,
      lastRevision: read.revision,
      // A file that never was of kvdb is like a new folder.
      clean: !read.hasRevision && read.dropped.length === 0,
      dropped: [...(await this.#keptAside(read.dropped)), ...changed],
    };
  }

  /** Where much of a file cannot be read, it was not kvdb of this version that wrote it. */
  #requireKnownFormat({ isIntact, head }: FileMeasure): void {
    if (!isIntact || head === undefined || head.format === FORMAT) return;
    const message = `${this.#path} has format ${head.format}; this kvdb reads ${FORMAT}`;
    throw new KvdbError("CONFIG", message);
  }

  /** Another instance has saved since whoever asks looked. */
  #isTooNew({ head }: FileMeasure): boolean {
    const { purpose } = this.#context;
    const upTo = purpose.kind === "check" ? purpose.upTo : undefined;
    return upTo !== undefined && head !== undefined && head.revision > upTo;
  }

  #notRead({ bytes }: FileMeasure): LoadReport {
    const reason = "was saved anew meanwhile, so it was not read";
    const dropped: Dropped = { kind: "note", file: this.#path, offset: 0, bytes: 0, reason };
    return { records: 0, bytes, lastRevision: 0, clean: false, dropped: [dropped] };
  }

  /** Whoever asks for a check wants to know of everything; for a start it is no trouble. */
  #changedByHand(): Dropped {
    const name = basename(this.#path);
    return {
      kind: this.#context.purpose.kind === "check" ? "damage" : "note",
      file: this.#path,
      offset: 0,
      bytes: 0,
      reason:
        `${name} was changed since kvdb wrote it: by hand, or damaged; ` +
        "if it was you, `kvdb save` makes its checksum fit again",
    };
  }

  async #keptAside(dropped: readonly Dropped[]): Promise<readonly Dropped[]> {
    if (dropped.length === 0 || this.#context.purpose.kind !== "recover") return dropped;
    const keptIn = await keepAside(this.#context.files, this.#path, DAMAGED_SUFFIX);
    return dropped.map((one) => ({ ...one, keptIn }));
  }

  // ---- saving ----

  async #removeUnfinished(): Promise<void> {
    const { files, log } = this.#context;
    const unfinished = this.#path + UNFINISHED_SUFFIX;
    if (!(await files.exists(unfinished))) return;
    await files.remove(unfinished);
    log.info("removed what a save that was cut off left behind", { file: unfinished });
  }

  // ---- what the operator sees ----

  #addParameters(): void {
    const context = this.#context;
    context.addParameter(saveParameter(this.#schedule));
    // Tools look for the file at `dir`/`dbfilename`.
    context.addParameter({ name: "dbfilename", get: () => relative(context.folder, this.#path) });
  }

  #info(): Record<string, string | number> {
    return {
      json_file: this.#path,
      json_file_bytes: this.#known?.bytes ?? 0,
      json_saved_revision: this.#savedRevision,
      json_save_failures: this.#schedule.failures,
    };
  }
}
