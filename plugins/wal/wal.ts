/**
 * The persistence `wal`: a write-ahead log in segments. This file is the life cycle and what the
 * operator sees; reading is recovery.ts, writing is log-writer.ts, every byte on disk is drawn in
 * FORMAT.md.
 */
import {
  type CheckpointReport,
  CommandError,
  type Durability,
  KvdbError,
  type LoadReport,
  type LoadSink,
  type Parameter,
  type Persistence,
  type PersistenceContext,
  type RecordBatch,
  type Revision,
} from "kvdb";
import type { CheckpointTask, WrittenFile } from "./checkpoint.ts";
import { type Inventory, takeInventory } from "./inventory.ts";
import { LogWriter } from "./log-writer.ts";
import { recoverLog } from "./recovery.ts";
import { randomSalt } from "./segment.ts";
import { SegmentChain } from "./segment-chain.ts";

export type Fsync = Exclude<Durability, "none">;

export interface WalOptions {
  readonly fsync?: Fsync;
  /** A segment is closed before it grows past it. Tests take it small. */
  readonly segmentBytes?: number;
  readonly compression?: CompressionOptions;
}

/** Levels of zstd, 0: none. */
export interface CompressionOptions {
  readonly checkpoints?: number;
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

/** In the order in which Redis names them in its error. */
const FSYNC_MODES: readonly Fsync[] = ["everysec", "always", "no"];

export class Wal implements Persistence {
  readonly #context: PersistenceContext;
  readonly #segmentBytes: number;
  readonly #checkpointLevel: number;
  #fsync: Fsync;
  #inventory: Inventory | undefined;
  #chain: SegmentChain | undefined;
  #writer: LogWriter | undefined;

  constructor(options: WalOptions, context: PersistenceContext) {
    this.#context = context;
    this.#fsync = options.fsync ?? "always";
    this.#segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    this.#checkpointLevel = options.compression?.checkpoints ?? DEFAULT_LEVEL;
    context.addParameter(this.#appendfsync());
    context.addInfo("persistence", () => this.#info());
  }

  readonly supports = { records: true, checkpoints: true };

  get durability(): Fsync {
    return this.#fsync;
  }

  async open(): Promise<void> {
    this.#inventory = await takeInventory(this.#context);
  }

  async load(sink: LoadSink): Promise<LoadReport> {
    const recovered = await recoverLog(this.#context, this.#openInventory(), sink);
    const { report } = recovered;
    this.#chain = new SegmentChain(this.#context, recovered);
    this.#writer = new LogWriter({
      chain: this.#chain,
      log: this.#context.log,
      segmentBytes: this.#segmentBytes,
      lastRevision: report.lastRevision,
      keepsUntilDurable: () => this.#fsync !== "no",
    });
    return report;
  }

  append(batch: RecordBatch): void {
    (this.#writer as LogWriter).append(batch);
  }

  flush(durable: boolean): Promise<void> {
    return (this.#writer as LogWriter).flush(durable);
  }

  async beginCheckpoint(revision: Revision): Promise<CheckpointTask> {
    await (this.#writer as LogWriter).splitBehind(revision);
    const number = await (this.#chain as SegmentChain).reserveCheckpoint();
    return { number, salt: randomSalt(), revision, level: this.#checkpointLevel };
  }

  async checkpointed({ bytes, detail }: CheckpointReport): Promise<void> {
    const written = detail as WrittenFile;
    await (this.#chain as SegmentChain).adopt({ ...written, bytes });
    await (this.#writer as LogWriter).cover(written.revision);
  }

  async close(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close();
  }

  #openInventory(): Inventory {
    if (this.#inventory === undefined) throw new KvdbError("INTERNAL", "wal: load before open");
    return this.#inventory;
  }

  #appendfsync(): Parameter {
    return {
      name: "appendfsync",
      get: () => this.#fsync,
      set: (value) => {
        const mode = FSYNC_MODES.find((known) => known === value.toLowerCase());
        if (mode === undefined) {
          const names = FSYNC_MODES.join(", ");
          throw new CommandError("ERR", `argument must be one of the following: ${names}`);
        }
        this.#fsync = mode;
      },
    };
  }

  /** Redis's names where it has them, so that dashboards find what they know. */
  #info(): Record<string, string | number> {
    const writer = this.#writer;
    return {
      aof_enabled: 1,
      aof_last_write_status: writer?.hasFailed === true ? "err" : "ok",
      aof_current_size: this.#chain?.size ?? 0,
      aof_buffer_length: writer?.pendingBytes ?? 0,
      aof_pending_bio_fsync: writer?.isSyncing === true ? 1 : 0,
      wal_segments: this.#chain?.segmentCount ?? 0,
      wal_groups: writer?.counters.groups ?? 0,
      wal_writes: writer?.counters.writes ?? 0,
      wal_syncs: writer?.counters.syncs ?? 0,
    };
  }
}
