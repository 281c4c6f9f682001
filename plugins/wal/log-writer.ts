/**
 * Writes the log: gathers what was appended into one group a flush, makes it durable, begins a new
 * segment when one is full or the disk refused. It knows the queue and the order of things; bytes
 * are group-buffer.ts's, segments segment-chain.ts's. The invariant: a batch leaves memory only
 * when it is durable (in mode `no`: written).
 *
 * A durable flush is one write through a descriptor with O_DSYNC; `#writeSynced` says why. No call
 * waits for the disk on this thread: a file system that is frozen, or busy for seconds, holds up
 * whoever writes and nobody else.
 */
import type { Log, RecordBatch, Revision } from "kvdb";
import { GROUP_HEADER_BYTES } from "./group.ts";
import {
  GroupBuffer,
  type GroupPlace,
  LONG_BATCH_FRONT_BYTES,
  MAX_GATHERED_BYTES,
} from "./group-buffer.ts";
import { PendingBatches } from "./pending-batches.ts";
import { readBack } from "./read-back.ts";
import { type ActiveSegment, SEGMENT_HEADER_BYTES } from "./segment.ts";
import type { SegmentChain } from "./segment-chain.ts";
import { lengthWithZeros } from "./zeros-ahead.ts";

const DONE: Promise<void> = Promise.resolve();

export interface WriterOptions {
  readonly chain: SegmentChain;
  readonly log: Log;
  readonly segmentBytes: number;
  /** The last revision that was read back, or 0. */
  readonly lastRevision: Revision;
  /**
   * Whether written batches are kept until they are durable. Not in mode `no`, where nobody asks
   * for a sync.
   */
  readonly keepsUntilDurable: () => boolean;
  /** Called after each group that was written. */
  readonly onGrown: () => void;
  /** Called when a segment was begun, and the one before sealed. */
  readonly onSealed: () => void;
}

export class LogWriter {
  readonly #options: WriterOptions;
  readonly #chain: SegmentChain;

  readonly #pending: PendingBatches;
  /** Of the batches at the front: covered by the sync that runs. */
  #syncingCount = 0;
  /**
   * In the active segment, up to here records were written that are in memory no more, though not
   * durable.
   */
  #releasedEnd = 0;
  #coveredRevision: Revision = 0;
  /** The log is not as it was found: it must end with a closing group of this instance. */
  #isTouched = false;

  /** Bytes are on their way to the active segment, or another one begins. */
  #isWriting = false;
  /** Only a sync runs; bytes may be written behind it meanwhile. */
  #isSyncing = false;
  #failed = false;
  /**
   * A group of this instance is durable, so the next start does not take the last closing group for
   * the end.
   */
  #marked = false;
  #next: PromiseWithResolvers<void> | undefined;
  #nextDurable = false;

  readonly #buffer = new GroupBuffer();

  readonly counters = { groups: 0, writes: 0, syncs: 0 };
  /** Of the last record that was appended; 0: none was, since the log was opened. */
  lastRevision: Revision = 0;
  lastError: unknown;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#chain = options.chain;
    this.#pending = new PendingBatches(options.lastRevision);
  }

  get #active(): ActiveSegment {
    return this.#chain.active;
  }

  get hasFailed(): boolean {
    return this.#failed;
  }

  get isSyncing(): boolean {
    return this.#isSyncing;
  }

  get #isIdle(): boolean {
    return !this.#isWriting && !this.#isSyncing;
  }

  /** Bytes appended and not durable. */
  get pendingBytes(): number {
    return this.#pending.bytes;
  }

  /** Bytes appended that the operating system does not have: the end of this process would lose them. */
  get unwrittenBytes(): number {
    return this.#pending.unwrittenBytes;
  }

  append(batch: RecordBatch): void {
    this.#pending.push(batch);
    this.lastRevision = batch.firstRevision + batch.count - 1;
  }

  flush(durable: boolean): Promise<void> {
    if (this.#isIdle) return this.#begin(durable);
    if (!durable && this.#mayWriteBehindSync()) {
      this.#pending.plan();
      if (this.#pending.planCount === 0) return DONE;
      if (this.#planIsSimple()) return this.#write();
    }
    this.#next ??= Promise.withResolvers<void>();
    this.#nextDurable ||= durable;
    return this.#next.promise;
  }

  /**
   * Ends the segment behind `revision`, the last that was appended; resolves when the next one is
   * begun. When the disk refuses it is done as soon as that is over: nothing is lost, only the space
   * is given back later.
   */
  async splitBehind(revision: Revision): Promise<void> {
    this.#pending.boundary = revision;
    try {
      await this.flush(true);
    } catch (error) {
      const fields = { revision, error: String(error) };
      this.#options.log.warn("the log cannot be cut at a checkpoint now", fields);
    }
  }

  /**
   * Everything up to `revision` counts in a checkpoint: it need not be written any more. What could
   * not be cut before is cut now, if the disk lets it be.
   */
  async cover(revision: Revision): Promise<void> {
    this.#coveredRevision = revision;
    this.#isTouched = true;
    if (this.#pending.boundary !== 0) await this.splitBehind(this.#pending.boundary);
  }

  /** Ends the log in order when all is durable. Releases its files in any case. */
  async close(): Promise<void> {
    try {
      await this.#settled();
      const nothingLost = !this.#failed && this.#pending.count === 0;
      if (nothingLost && this.#isTouched) await this.#writeClosingGroup();
    } finally {
      await this.#chain.close();
    }
  }

  // ---- a flush: the usual ways first ----

  #begin(durable: boolean): Promise<void> {
    const sync = durable || !this.#marked;
    this.#pending.plan();
    if (this.#failed || !this.#planIsSimple()) return this.#writeAll(sync);
    if (this.#pending.planCount === 0) return durable ? this.#sync() : DONE;
    if (!sync) return this.#write();
    if (this.#active.end === this.#active.durableEnd) return this.#writeSynced();
    return this.#writeAll(sync);
  }

  /**
   * Not in mode `no` when the sync covers batches: resolving would say that none of them is needed
   * any more.
   */
  #mayWriteBehindSync(): boolean {
    if (!this.#isSyncing || this.#isWriting || this.#failed || !this.#marked) return false;
    return this.#syncingCount === 0 || this.#options.keepsUntilDurable();
  }

  /** All that waits is one group, it is gathered, and it fits in the segment. */
  #planIsSimple(): boolean {
    const { planIsAll, planCount, boundary } = this.#pending;
    if (planCount > 0 && this.#active.foundClosing !== undefined) return false;
    return planIsAll && boundary === 0 && this.#planFits();
  }

  #planFits(): boolean {
    // A group longer than a segment has one to itself.
    if (this.#active.end === SEGMENT_HEADER_BYTES) return true;
    const end = this.#active.end + GROUP_HEADER_BYTES + this.#pending.planBytes;
    return end <= this.#options.segmentBytes;
  }

  /**
   * Measured, ext4 on a virtual disk, Bun 1.4.5, median of 2000, in microseconds; "ahead": into
   * zeros that were written before, which spares the commit of the file system's journal that a
   * longer file needs.
   *
   *                                         2 KiB   2 KiB ahead   64 KiB   64 KiB ahead
   *   writeSync, then fdatasync on a thread   170           121      285            159
   *   one write on a thread, O_DSYNC          158           113      209            142
   *
   * Zeros leave with a group, behind it, every 256 KiB: groups of 2 KiB then reach 7 400 a second
   * instead of 4 900.
   */
  #writeSynced(): Promise<void> {
    const active = this.#active;
    const length = this.#gather();
    this.#isWriting = true;
    return active.synced.write(this.#buffer.bytes, 0, length, active.end).then(
      () => {
        this.counters.syncs++;
        this.#written(length);
        active.durableEnd = active.end;
        this.#pending.release(this.#pending.writtenCount);
        this.#marked = true;
        this.#isWriting = false;
        this.#finished();
      },
      (error) => this.#refusedWrite(error),
    );
  }

  /** What a sync covers that runs meanwhile is not this; when it fails, this counts as little. */
  #write(): Promise<void> {
    const active = this.#active;
    const length = this.#gather();
    this.#isWriting = true;
    return active.plain.write(this.#buffer.bytes, 0, length, active.end).then(
      () => {
        if (this.#failed) return this.#refused(this.lastError);
        this.#written(length);
        this.#releaseWritten();
        this.#isWriting = false;
        this.#finished();
      },
      (error) => this.#refusedWrite(error),
    );
  }

  #sync(): Promise<void> {
    const active = this.#active;
    if (active.end === active.durableEnd) return DONE;
    this.#isSyncing = true;
    return this.#syncActive().then(
      () => {
        this.#isSyncing = false;
        this.#finished();
      },
      (error) => {
        this.#isSyncing = false;
        this.#markFailed(error);
        this.#goOn();
        throw error;
      },
    );
  }

  /** Covers what was written before the call, and nothing that is written while it runs. */
  async #syncActive(): Promise<void> {
    const active = this.#active;
    const { end } = active;
    this.#syncingCount = this.#pending.writtenCount;
    try {
      await active.plain.sync();
      this.counters.syncs++;
      active.durableEnd = end;
      this.#pending.release(this.#syncingCount);
      this.#marked = true;
    } finally {
      this.#syncingCount = 0;
    }
  }

  // ---- a flush: many groups, a full segment, a disk that refused ----

  async #writeAll(sync: boolean): Promise<void> {
    this.#isWriting = true;
    try {
      if (this.#failed) await this.#giveUpSegment();
      // What is appended from here on waits for the next flush: each flush ends.
      let left = this.#pending.unwrittenCount;
      await this.#writeFoundClosing();
      while (left > 0) {
        await this.#heedBoundary();
        this.#pending.plan();
        if (!this.#planFits()) await this.#rotate();
        const count = Math.min(this.#pending.planCount, left);
        await this.#writeGroup();
        left -= count;
      }
      await this.#heedBoundary();
    } catch (error) {
      return this.#refusedWrite(error);
    }
    this.#isWriting = false;
    if (sync && this.#active.end !== this.#active.durableEnd) return this.#sync();
    this.#releaseWritten();
    this.#finished();
  }

  /** From here on it is as little known to be durable as what follows it. */
  async #writeFoundClosing(): Promise<void> {
    const active = this.#active;
    const { plain, end, foundClosing } = active;
    if (foundClosing === undefined) return;
    active.durableEnd = end - foundClosing.length;
    await plain.write(foundClosing, 0, foundClosing.length, active.durableEnd);
    active.foundClosing = undefined;
  }

  async #writeGroup(): Promise<void> {
    const { plain, end } = this.#active;
    if (this.#pending.planBytes <= MAX_GATHERED_BYTES) {
      const length = this.#gather();
      await plain.write(this.#buffer.bytes, 0, length, end);
      this.#written(length);
      return;
    }
    // One long batch: its bytes are written from where they are.
    const range = this.#pending.range();
    const batch = range.batches[range.first];
    this.#buffer.encodeFront(range, this.#place());
    await plain.write(this.#buffer.bytes, 0, LONG_BATCH_FRONT_BYTES, end);
    await plain.write(batch.bytes, batch.start, batch.end, end + LONG_BATCH_FRONT_BYTES);
    this.counters.writes++;
    this.#written(GROUP_HEADER_BYTES + this.#pending.planBytes);
  }

  /**
   * The segment is full. All of it is durable before the manifest says how many bytes of it count.
   */
  async #rotate(): Promise<void> {
    if (this.#active.end !== this.#active.durableEnd) await this.#syncActive();
    await this.#beginSegment(this.#active.durableEnd);
  }

  /** Everything up to the boundary ends with the segment. */
  async #heedBoundary(): Promise<void> {
    const pending = this.#pending;
    if (pending.boundary === 0 || !pending.isPastBoundary) return;
    if (this.#active.end > SEGMENT_HEADER_BYTES) {
      if (this.#active.end !== this.#active.durableEnd) await this.#syncActive();
      pending.keptRevision = Math.max(pending.keptRevision, pending.boundary);
      await this.#beginSegment(this.#active.durableEnd);
    }
    pending.boundary = 0;
  }

  /**
   * A write or a sync failed: after it nobody knows what of the segment is on disk, and a second
   * sync would not tell (the system forgets that pages failed). What is not known durable is
   * written again, in a new segment.
   */
  async #giveUpSegment(): Promise<void> {
    const active = this.#active;
    let sealedBytes = active.durableEnd;
    this.#pending.releaseUpTo(this.#coveredRevision);
    if (this.#releasedEnd > sealedBytes && !(await this.#takeBack(active))) {
      sealedBytes = this.#releasedEnd;
    }
    await this.#beginSegment(sealedBytes);
    this.#failed = false;
  }

  async #beginSegment(sealedBytes: number): Promise<void> {
    await this.#chain.begin(sealedBytes, this.#pending.keptRevision);
    this.#releasedEnd = 0;
    this.#isTouched = true;
    this.#options.onSealed();
  }

  /**
   * Mode `no`: records that were written and left memory, but may not reach the disk, are read back
   * from the file to be written again with the others. When that fails they count where they are,
   * so a later start calls their loss damage.
   */
  async #takeBack(active: ActiveSegment): Promise<boolean> {
    let batches: RecordBatch[];
    try {
      batches = await readBack(active, this.#releasedEnd);
    } catch (error) {
      const fields = { file: active.path, error: String(error) };
      this.#options.log.error("records written without a sync cannot be read back", fields);
      return false;
    }
    this.#pending.takeBack(batches);
    this.#releasedEnd = 0;
    return true;
  }

  // ---- groups ----

  /**
   * Puts the planned group into the buffer, with zeros ahead when it is their turn. Returns the
   * length to write.
   */
  #gather(): number {
    const size = GROUP_HEADER_BYTES + this.#pending.planBytes;
    const length = lengthWithZeros(this.#active, size, this.#options.segmentBytes);
    this.#buffer.encode(this.#pending.range(), this.#place(), length);
    return length;
  }

  #place(): GroupPlace {
    const { end, durableEnd, salt } = this.#active;
    return { offset: end, durable: durableEnd, salt };
  }

  /** So that the next start knows that nothing is missing. Behind it the file ends. */
  async #writeClosingGroup(): Promise<void> {
    const { plain, end } = this.#active;
    this.#buffer.encodeClosing(this.#pending.keptRevision + 1, this.#place());
    try {
      await plain.write(this.#buffer.bytes, 0, GROUP_HEADER_BYTES, end);
      await plain.truncate(end + GROUP_HEADER_BYTES);
      await plain.sync();
    } catch (error) {
      await plain.truncate(end); // what may not be durable must not look like a stop in order
      throw error;
    }
  }

  // ---- what was written, what is durable ----

  /** The planned group stands in the file, and zeros behind it when `length` is longer. */
  #written(length: number): void {
    const active = this.#active;
    active.preparedEnd = Math.max(active.preparedEnd, active.end + length);
    active.end += GROUP_HEADER_BYTES + this.#pending.planBytes;
    active.groupCount++;
    this.#isTouched = true;
    this.#pending.writtenCount += this.#pending.planCount;
    this.counters.groups++;
    this.counters.writes++;
    this.#options.onGrown();
  }

  /**
   * Mode `no`: what is written need not be kept. While a sync runs it still counts batches at the
   * front.
   */
  #releaseWritten(): void {
    if (this.#options.keepsUntilDurable() || this.#syncingCount > 0) return;
    this.#releasedEnd = this.#active.end;
    this.#pending.release(this.#pending.writtenCount);
  }

  #markFailed(error: unknown): void {
    this.#failed = true;
    this.#pending.writtenCount = 0;
    this.lastError = error;
  }

  /**
   * Cuts what does not count: zeros ahead, and what the write has left. On a full disk it is the room
   * for the next segment's header and for a checkpoint.
   */
  async #refusedWrite(error: unknown): Promise<never> {
    const active = this.#active;
    try {
      await active.plain.truncate(active.end);
      active.preparedEnd = active.end;
    } catch (failure) {
      const fields = { file: active.path, error: String(failure) };
      this.#options.log.warn("unused bytes of a segment stay on disk", fields);
    }
    return this.#refused(error);
  }

  /** The end of a write, or of a write and the sync behind it, that failed. */
  #refused(error: unknown): never {
    this.#markFailed(error);
    this.#isWriting = false;
    this.#goOn();
    throw error;
  }

  #finished(): void {
    if (!this.#failed) this.lastError = undefined;
    this.#goOn();
  }

  /** Begins the flush that was asked for while others ran, when none does any more. */
  #goOn(): void {
    const next = this.#next;
    if (next === undefined || !this.#isIdle) return;
    const durable = this.#nextDurable;
    this.#next = undefined;
    this.#nextDurable = false;
    this.#begin(durable).then(next.resolve, next.reject);
  }

  /** Resolves when nothing runs any more, whether it succeeded or not. */
  async #settled(): Promise<void> {
    while (!this.#isIdle) {
      this.#next ??= Promise.withResolvers<void>();
      await Promise.allSettled([this.#next.promise]);
    }
  }
}
