/**
 * The persistence `wal`: a write-ahead log in segments. This file is the life cycle and what the
 * operator sees; reading is recovery.ts, writing is kvdb/persistence's, in the form of log-form.ts,
 * every byte on disk is drawn in FORMAT.md.
 */
import {
  type CheckpointReport,
  KvdbError,
  type LoadReport,
  type LoadSink,
  type Parameter,
  type Persistence,
  type PersistenceContext,
  type RecordBatch,
  type Revision,
} from "kvdb";
import {
  appendfsyncParameter,
  Compaction,
  CompactionLimits,
  type CompactionOptions,
  checkFolder,
  FileChain,
  type Fsync,
  LogKeeping,
  LogPacker,
  LogWriter,
  randomSalt,
  readRecords,
  rulesOf,
  SaveSchedule,
  type SealedFile,
  saveParameter,
} from "kvdb/persistence";
import { chainForm, type WalChain } from "./chain-form.ts";
import { type CheckpointTask, checkpointName, type WrittenFile } from "./checkpoint.ts";
import { checkForm } from "./folder-check.ts";
import { type Inventory, takeInventory } from "./inventory.ts";
import { WalForm } from "./log-form.ts";
import type { SegmentEntry } from "./manifest.ts";
import { packSegment } from "./packed-writer.ts";
import { READING_FORM } from "./record-reading.ts";
import { recoverLog } from "./recovery.ts";
import { type ActiveSegment, segmentName } from "./segment.ts";

export interface WalOptions {
  readonly fsync?: Fsync;
  /** A segment is closed before it grows past it. Tests take it small. */
  readonly segmentBytes?: number;
  /** Redis's rules: the log is compacted by them as well. None, unless somebody asks for them. */
  readonly save?: string | readonly string[];
  readonly compaction?: CompactionOptions;
  readonly compression?: CompressionOptions;
  /** How much of the log stays behind a checkpoint: a size, a time, or 0. */
  readonly keep?: string | number;
}

/** Levels of zstd, 0: none. */
export interface CompressionOptions {
  readonly checkpoints?: number;
  /** Of segments that were sealed and are going to stay. */
  readonly segments?: number;
}

/**
 * Long enough that the five syncs of a rotation vanish, short enough that a checkpoint frees space
 * soon.
 */
const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Measured, checkpoints of documents and of random text: higher levels take longer and give hardly a
 * byte less. A start reads both at the same speed.
 */
const DEFAULT_LEVEL = 1;

/**
 * A segment is packed while the log is at most half as long as it may become: then the next
 * checkpoint is as far away as the last one.
 */
const LONG_LIVED = 2;

export class Wal implements Persistence {
  readonly #context: PersistenceContext;
  readonly #segmentBytes: number;
  readonly #levels: Required<CompressionOptions>;
  readonly #limits: CompactionLimits;
  readonly #compaction: Compaction;
  readonly #saves: SaveSchedule;
  readonly #keeping: LogKeeping;
  #fsync: Fsync;
  #inventory: Inventory | undefined;
  #chain: WalChain | undefined;
  #writer: LogWriter<ActiveSegment> | undefined;
  #packer: LogPacker<SegmentEntry> | undefined;
  /** Behind the checkpoint that was loaded, if that is the last one. */
  #recordsLoaded = 0;

  constructor(options: WalOptions, context: PersistenceContext) {
    this.#context = context;
    this.#fsync = options.fsync ?? "always";
    this.#segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    const { checkpoints = DEFAULT_LEVEL, segments = DEFAULT_LEVEL } = options.compression ?? {};
    this.#levels = { checkpoints, segments };
    this.#limits = new CompactionLimits(options.compaction ?? {}, context.clock.now());
    this.#compaction = this.#createCompaction();
    this.#saves = new SaveSchedule({
      rules: rulesOf({ save: options.save ?? [] }),
      ...{ clock: context.clock, log: context.log },
      unsavedChanges: () => context.unsavedChanges,
      requestCheckpoint: (reason) => context.requestCheckpoint(reason),
    });
    this.#keeping = new LogKeeping(options.keep, context.clock);
    context.addParameter(this.#keeping.parameter());
    context.addParameter(this.#appendfsync());
    context.addParameter(saveParameter(this.#saves));
    for (const parameter of this.#limits.parameters()) context.addParameter(parameter);
    context.addInfo("persistence", () => this.#info());
  }

  readonly supports = { records: true, checkpoints: true };

  get durability(): Fsync {
    return this.#fsync;
  }

  async open(): Promise<void> {
    if (this.#isCheck) return;
    this.#inventory = await takeInventory(this.#context);
  }

  async load(sink: LoadSink): Promise<LoadReport> {
    if (this.#isCheck) return checkFolder(this.#context, checkForm(this.#context), sink);
    const recovered = await recoverLog(this.#context, this.#openInventory(), sink);
    const { report } = recovered;
    this.#recordsLoaded = report.records;
    const { files, folder, log } = this.#context;
    const chain = new FileChain(
      { form: chainForm(files, folder), files, folder, log, keeping: this.#keeping },
      recovered,
    );
    this.#chain = chain;
    this.#keeping.isFollowed = recovered.followed;
    this.#packer = this.#createPacker(chain);
    this.#writer = new LogWriter({
      chain,
      log: this.#context.log,
      form: new WalForm(this.#segmentBytes),
      lastRevision: report.lastRevision,
      keepsUntilDurable: () => this.#fsync !== "no",
      onGrown: () => this.#compaction.grown(),
      onSealed: () => this.#packer?.consider(),
    });
    this.#compaction.start();
    this.#saves.start();
    this.#packer.consider();
    return report;
  }

  append(batch: RecordBatch): void {
    (this.#writer as LogWriter<ActiveSegment>).append(batch);
  }

  flush(durable: boolean): Promise<void> {
    return (this.#writer as LogWriter<ActiveSegment>).flush(durable);
  }

  async beginCheckpoint(revision: Revision): Promise<CheckpointTask> {
    const chain = this.#chain as WalChain;
    await (this.#writer as LogWriter<ActiveSegment>).splitBehind(revision);
    await this.#packer?.passOver(chain.active.number);
    const number = await chain.reserveCheckpoint(checkpointName);
    return { number, salt: randomSalt(), revision, level: this.#levels.checkpoints };
  }

  async checkpointed(report: CheckpointReport): Promise<void> {
    const { bytes, detail, durationMs, replacesAll = false } = report;
    const written = detail as WrittenFile;
    await (this.#chain as WalChain).adopt({ ...written, bytes }, replacesAll);
    await (this.#writer as LogWriter<ActiveSegment>).cover(written.revision);
    this.#recordsLoaded = 0;
    this.#compaction.checkpointed(durationMs);
    this.#saves.saved();
    this.#packer?.consider();
  }

  read(from: Revision): AsyncIterable<RecordBatch> {
    const { files, folder, clock } = this.#context;
    const chain = this.#chain as WalChain;
    const promisedEnd = () => this.#writer?.promisedEnd ?? 0;
    return readRecords({ files, folder, clock, chain, form: READING_FORM, promisedEnd }, from);
  }

  keepForReaders(): void {
    this.#keeping.isFollowed = true;
    void this.#chain?.follow();
  }

  get readableFrom(): Revision {
    return this.#chain?.readableFrom ?? 1;
  }

  async close(): Promise<void> {
    this.#compaction.stop();
    this.#saves.stop();
    await this.#packer?.stop();
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close();
  }

  #createPacker(chain: WalChain): LogPacker<SegmentEntry> {
    const { files, folder, clock, log } = this.#context;
    const level = this.#levels.segments;
    return new LogPacker({
      ...{ clock, log, level },
      sealed: () => chain.sealed,
      describe: sealedFileOf,
      isLongLived: () =>
        chain.fileBytes * LONG_LIVED < this.#limits.longestLog(chain.checkpoint?.bytes ?? 0),
      pack: async (entry, proceed) => {
        const packed = await packSegment({ files, folder, entry, level, proceed });
        await chain.repack(entry.number, (plain) => ({ ...plain, packed }));
      },
    });
  }

  #createCompaction(): Compaction {
    const { clock, log } = this.#context;
    const limits = this.#limits;
    const state = {
      logBytes: () => this.#chain?.fileBytes ?? 0,
      checkpointBytes: () => this.#chain?.checkpoint?.bytes ?? 0,
      hasChanged: () => this.#recordsLoaded > 0 || this.#hasAppended(),
    };
    const requestCheckpoint = (reason: string) => this.#context.requestCheckpoint(reason);
    return new Compaction({ limits, clock, log, state, requestCheckpoint });
  }

  #hasAppended(): boolean {
    return (this.#writer?.lastRevision ?? 0) > (this.#chain?.checkpoint?.revision ?? 0);
  }

  get #isCheck(): boolean {
    return this.#context.purpose.kind === "check";
  }

  #openInventory(): Inventory {
    if (this.#inventory === undefined) throw new KvdbError("INTERNAL", "wal: load before open");
    return this.#inventory;
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
    const writer = this.#writer;
    const checkpoint = this.#chain?.checkpoint;
    const logBytes = this.#chain?.fileBytes ?? 0;
    const { count, failuresInRow } = this.#compaction.counters;
    return {
      aof_current_size: logBytes + (checkpoint?.bytes ?? 0),
      aof_base_size: checkpoint?.bytes ?? 0,
      aof_pending_bio_fsync: writer?.isSyncing === true ? 1 : 0,
      wal_checkpoint_revision: checkpoint?.revision ?? 0,
      wal_checkpoint_entries: checkpoint?.entries ?? 0,
      wal_log_bytes: logBytes,
      wal_segments: this.#chain?.fileCount ?? 0,
      wal_kept_segments: this.#chain?.kept.length ?? 0,
      wal_packed_segments: this.#chain?.sealed.filter(isPacked).length ?? 0,
      wal_packing_in_progress: this.#packer?.isWorking === true ? 1 : 0,
      wal_pending_bytes: writer?.pendingBytes ?? 0,
      wal_unwritten_bytes: writer?.unwrittenBytes ?? 0,
      wal_groups: writer?.counters.groups ?? 0,
      wal_writes: writer?.counters.writes ?? 0,
      wal_syncs: writer?.counters.syncs ?? 0,
      wal_last_write_status: writer?.hasFailed === true ? "err" : "ok",
      wal_compactions: count,
      wal_compaction_failures_in_row: failuresInRow,
    };
  }
}

function isPacked({ packed }: SegmentEntry): boolean {
  return packed !== undefined;
}

/** One with a group that cannot be read stays as it is. */
function sealedFileOf({ number, bytes = 0, damaged = [], packed }: SegmentEntry): SealedFile {
  const isPackable = packed === undefined && damaged.length === 0;
  return { number, name: segmentName(number), bytes, isPackable };
}
