/**
 * The persistence `aof`: Redis's persistence as a whole. With `appendonly` an append-only file
 * (append-log.ts), and an RDB when one is asked for; without it the RDB alone (saves.ts). This file is
 * the life cycle and what the operator sees; every byte on disk is drawn in FORMAT.md.
 */
import {
  type CheckpointKind,
  type CheckpointReport,
  CommandError,
  type Durability,
  type LoadReport,
  type LoadSink,
  logGap,
  type Parameter,
  type Persistence,
  type PersistenceAbilities,
  type PersistenceContext,
  type RecordBatch,
  type Revision,
  readYesNo,
} from "kvdb";
import { appendfsyncParameter, CompactionLimits, type Fsync, LogKeeping } from "kvdb/persistence";
import { AppendLog } from "./append-log.ts";
import { baseBytes, isPacked } from "./chain-form.ts";
import type { AofTask } from "./checkpoint-writer.ts";
import { type AofOptions, Settings } from "./options.ts";
import { Saves } from "./saves.ts";

const ON: PersistenceAbilities = {
  records: true,
  checkpoints: true,
  saves: true,
  redisWords: true,
};
const OFF: PersistenceAbilities = { records: false, checkpoints: true };
/** It is about to be on: a rewrite is another thing than a save already. */
const NEARLY_ON: PersistenceAbilities = { ...ON, records: false };

export class Aof implements Persistence {
  readonly #context: PersistenceContext;
  readonly #settings: Settings;
  readonly #limits: CompactionLimits;
  readonly #keeping: LogKeeping;
  readonly #saves: Saves;
  /** The append-only file while it is on. */
  #log: AppendLog | undefined;
  /** It is to be switched on. */
  #isBeginning = false;
  /** It is ready for that: the one that counts when its first rewrite is there. */
  #next: AppendLog | undefined;
  /** Records go into that one. */
  #isNextBegun = false;
  /** It is to be switched off, when what was handed over is durable. */
  #isEnding = false;
  /** One that was on lies in the folder, and counts until something is saved. */
  #hasOldLog = false;
  /** The last one that it has. */
  #oldLogRevision: Revision = 0;
  /** Settles with what is done to the manifest while no log is on. */
  #changing: Promise<unknown> = Promise.resolve();
  /** Said in this turn: whether it is to be on; undefined: it is as it was. */
  #isWanted: boolean | undefined;
  #fsync: Fsync;
  #isRdb: boolean;
  #hasStamps: boolean;

  constructor(options: AofOptions, context: PersistenceContext) {
    this.#context = context;
    this.#settings = new Settings(options, context.folder);
    this.#fsync = options.fsync ?? "always";
    this.#isRdb = options["aof-use-rdb-preamble"] ?? true;
    this.#hasStamps = options["aof-timestamp-enabled"] ?? false;
    this.#limits = new CompactionLimits(options.compaction ?? {}, context.clock.now());
    this.#keeping = new LogKeeping(options.keep, context.clock);
    this.#saves = new Saves(context, this.#settings);
    if (options.appendonly ?? true) this.#log = this.#createLog();
    for (const parameter of this.#parameters()) context.addParameter(parameter);
    context.addParameter(this.#keeping.parameter());
    for (const parameter of this.#limits.parameters()) context.addParameter(parameter);
    context.addInfo("persistence", () => this.#info());
  }

  get supports(): PersistenceAbilities {
    if (this.#log !== undefined || this.#isNextBegun) return ON;
    return this.#next === undefined ? OFF : NEARLY_ON;
  }

  get durability(): Durability {
    if (this.#log !== undefined) return this.#isEnding ? "no" : this.#fsync;
    // Until the first rewrite is there, what is appended is no use to anybody.
    return this.#isNextBegun ? "no" : "none";
  }

  async open(): Promise<void> {
    if (!this.#isCheck) await this.#saves.removeUnfinished();
    await this.#log?.open();
  }

  async load(sink: LoadSink): Promise<LoadReport> {
    const report = await this.#load(sink);
    if (this.#isCheck) return report;
    this.#saves.start();
    if (this.#hasOldLog) this.#request("the append-only file is off", "save");
    return report;
  }

  append(batch: RecordBatch): void {
    (this.#log ?? this.#next)?.append(batch);
  }

  async flush(durable: boolean): Promise<void> {
    const log = this.#log ?? (this.#isNextBegun ? this.#next : undefined);
    await log?.flush(durable);
  }

  async beginCheckpoint(revision: Revision, kind: CheckpointKind): Promise<AofTask> {
    const log = this.#log ?? this.#next;
    if (kind === "save" || log === undefined) return this.#saves.begin();
    if (this.#log === undefined) this.#isNextBegun = true;
    return log.beginRewrite(revision, this.#isRdb);
  }

  async checkpointed(report: CheckpointReport): Promise<void> {
    const { kind } = report.detail as AofTask;
    if (kind === "save") return this.#saved(report);
    await (this.#log ?? this.#next)?.rewritten(report);
    if (this.#next === undefined) return;
    this.#log = this.#next;
    this.#next = undefined;
    this.#isNextBegun = false;
    this.#context.log.info("the append-only file is on");
  }

  read(from: Revision): AsyncIterable<RecordBatch> {
    if (this.#log === undefined) throw logGap(from, this.readableFrom);
    return this.#log.readRecords(from);
  }

  keepForReaders(): void {
    this.#keeping.isFollowed = true;
    void this.#log?.chain?.follow();
  }

  /** While the append-only file is off, nothing can be read. */
  get readableFrom(): Revision {
    return this.#log?.chain?.readableFrom ?? Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#saves.stop();
    const logs = [this.#log, this.#next].filter((log) => log !== undefined);
    for (const log of logs) await log.close();
  }

  async #load(sink: LoadSink): Promise<LoadReport> {
    if (this.#log !== undefined) return this.#log.load(sink);
    const log = this.#createLog();
    this.#hasOldLog = await log.isThere();
    return this.#hasOldLog ? log.read(sink) : this.#saves.load(sink);
  }

  async #saved(report: CheckpointReport): Promise<void> {
    this.#saves.saved(report);
    // The trap of Redis: an old append-only file that wins over newer saves when it is on again.
    if (!this.#hasOldLog || this.#log !== undefined) return;
    // Begun before it was switched off: what came between is in the log alone.
    if (report.revision < this.#oldLogRevision) return;
    await this.#exclusively(() => (this.#next ?? this.#createLog()).retire());
    this.#hasOldLog = false;
  }

  /**
   * One after the other: logs that are being ended, taken the place of and begun know nothing of each
   * other, and all write the manifest.
   */
  #exclusively<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = this.#changing.then(change);
    this.#changing = Promise.allSettled([changed]);
    return changed;
  }

  // ---- switching at run time ----

  /** Not at once: a CONFIG SET of several settings may yet take it back, and what has begun cannot be. */
  #want(isOn: boolean): void {
    if (!isOn && this.#isBeginning) {
      const message = "the append-only file is being switched on: wait for its first rewrite";
      throw new CommandError("ERR", message);
    }
    if (this.#isWanted === undefined) queueMicrotask(() => this.#switch());
    this.#isWanted = isOn;
  }

  #switch(): void {
    const isOn = this.#isWanted === true;
    this.#isWanted = undefined;
    if (isOn && this.#log !== undefined) this.#isEnding = false;
    else if (isOn && !this.#isBeginning) void this.#begin();
    else if (!isOn && this.#log !== undefined && !this.#isEnding) void this.#end(this.#log);
  }

  get #isOn(): boolean {
    return (this.#log !== undefined && !this.#isEnding) || this.#isBeginning;
  }

  /** Changes count from the moment at which the first rewrite is taken, and are kept when that is durable. */
  async #begin(): Promise<void> {
    this.#isBeginning = true;
    const next = this.#createLog();
    try {
      await this.#exclusively(async () => {
        await next.prepare();
        this.#next = next;
      });
      await this.#context.requestCheckpoint("appendonly was switched on", "compact");
      // It is said to be on when all that was answered is durable, what was in this turn too: that did
      // not wait yet.
      await new Promise<void>((resolve) => setImmediate(resolve));
      await next.flush(true);
    } catch (error) {
      if (this.#log === next) return; // somebody else's rewrite has done it
      this.#next = undefined;
      this.#isNextBegun = false;
      this.#context.log.warn("the append-only file stays off", { error: String(error) });
      await Promise.allSettled([next.close()]); // what counts is elsewhere
    } finally {
      this.#isBeginning = false;
    }
  }

  /** What was promised is kept; what comes later is when it is saved. */
  async #end(log: AppendLog): Promise<void> {
    this.#isEnding = true;
    try {
      do await log.flush(true);
      while (this.#isEnding && (log.writer?.pendingBytes ?? 0) > 0);
    } catch (error) {
      this.#isEnding = false;
      this.#context.log.warn("the append-only file stays on", { error: String(error) });
      return;
    }
    if (!this.#isEnding || this.#log !== log) return;
    this.#isEnding = false;
    this.#log = undefined;
    this.#hasOldLog = true;
    this.#oldLogRevision = log.writer?.lastRevision ?? 0;
    this.#context.log.info("the append-only file is off");
    await this.#exclusively(() => Promise.allSettled([log.close()])); // all of it is durable
    this.#request("appendonly was switched off", "save");
  }

  #request(reason: string, kind: CheckpointKind): void {
    this.#context.requestCheckpoint(reason, kind).catch((error: unknown) => {
      const fields = { error: String(error) };
      this.#context.log.warn(
        "the append-only file that is off counts until a save succeeds",
        fields,
      );
    });
  }

  #createLog(): AppendLog {
    return new AppendLog({
      context: this.#context,
      settings: this.#settings,
      limits: this.#limits,
      keeping: this.#keeping,
      keepsUntilDurable: () => this.#fsync !== "no",
      hasStamps: () => this.#hasStamps,
    });
  }

  get #isCheck(): boolean {
    return this.#context.purpose.kind === "check";
  }

  // ---- what the operator sees ----

  #parameters(): Parameter[] {
    const { fileName, folderName, rdbName } = this.#settings;
    return [
      yesOrNo("appendonly", {
        get: () => this.#isWanted ?? this.#isOn,
        set: (isOn) => this.#want(isOn),
      }),
      this.#appendfsync(),
      this.#saves.parameter(),
      { name: "appendfilename", get: () => fileName },
      { name: "appenddirname", get: () => folderName },
      { name: "dbfilename", get: () => rdbName },
      // A tail that was never promised is cut, as ever; damage is another thing.
      { name: "aof-load-truncated", get: () => "yes" },
      yesOrNo("aof-use-rdb-preamble", {
        get: () => this.#isRdb,
        set: (isRdb) => {
          this.#isRdb = isRdb;
        },
      }),
      yesOrNo("aof-timestamp-enabled", {
        get: () => this.#hasStamps,
        set: (hasStamps) => {
          this.#hasStamps = hasStamps;
        },
      }),
    ];
  }

  #appendfsync(): Parameter {
    return appendfsyncParameter(
      () => this.#fsync,
      (mode) => {
        this.#fsync = mode;
      },
    );
  }

  /** Redis's names where it has them, so that dashboards find what they know. */
  #info(): Record<string, string | number> {
    const isPending = this.#isBeginning;
    const saved = {
      aof_pending_rewrite: isPending ? 1 : 0,
      rdb_file_bytes: this.#saves.bytes,
      rdb_save_failures: this.#saves.failures,
    };
    return { ...saved, ...(this.#log === undefined ? {} : this.#logInfo(this.#log)) };
  }

  #logInfo({ chain, writer, compactions, isPacking }: AppendLog): Record<string, string | number> {
    const base = chain?.checkpoint;
    const logBytes = chain?.fileBytes ?? 0;
    return {
      aof_current_size: logBytes + baseBytes(base),
      aof_base_size: baseBytes(base),
      aof_buffer_length: writer?.unwrittenBytes ?? 0,
      aof_pending_bio_fsync: writer?.isSyncing === true ? 1 : 0,
      aof_delayed_fsync: 0,
      aof_base_revision: base?.own?.revision ?? 0,
      aof_kept_increments: chain?.kept.length ?? 0,
      aof_increments: chain?.fileCount ?? 0,
      aof_packed_increments: chain?.sealed.filter(isPacked).length ?? 0,
      aof_packing_in_progress: isPacking ? 1 : 0,
      aof_pending_bytes: writer?.pendingBytes ?? 0,
      aof_groups: writer?.counters.groups ?? 0,
      aof_writes: writer?.counters.writes ?? 0,
      aof_syncs: writer?.counters.syncs ?? 0,
      aof_automatic_rewrites: compactions.count,
      aof_rewrite_failures_in_row: compactions.failuresInRow,
    };
  }
}

function yesOrNo(
  name: string,
  { get, set }: { readonly get: () => boolean; readonly set: (value: boolean) => void },
): Parameter {
  return {
    name,
    get: () => (get() ? "yes" : "no"),
    set: (value) => set(readYesNo(value)),
  };
}
