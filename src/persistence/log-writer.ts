/**
 * Writes a log: gathers what was appended into one group a flush, makes it durable, begins a new
 * file when one is full or the disk refused. It knows the queue and the order of things; what a group
 * looks like is its form's, which files there are its chain's: a persistence hands in both. The
 * invariant: a batch leaves memory only when it is durable (in mode `no`: written).
 *
 * A durable flush is one write through a descriptor with O_DSYNC; `#writeSynced` says why. No call
 * waits for the disk on this thread: a file system that is frozen, or busy for seconds, holds up
 * whoever writes and nobody else.
 */
import type { OpenFile } from "../platform/files.ts";
import type { Log } from "../platform/log.ts";
import type { RecordBatch, Revision } from "../plugin.ts";
import { type BatchRange, PendingBatches } from "./pending-batches.ts";

const DONE: Promise<void> = Promise.resolve();

/** The file that is being written. Offsets in bytes. */
export interface LogFile {
  readonly path: string;
  /** Of its header, which is durable. */
  readonly headBytes: number;
  /** Writes end in the page cache; its `sync` makes the whole file durable. */
  readonly plain: OpenFile;
  /** A write to it is durable when it resolves, but says nothing of what went through `plain`. */
  readonly synced: OpenFile;
  /** Where the next group goes. */
  end: number;
  /** Everything before it is durable. */
  durableEnd: number;
  /**
   * The closing group before `end` that a life before wrote. Its sync may have failed, after which
   * the system takes it for written: it is written once more before anything follows it.
   */
  foundClosing: Buffer | undefined;
  /** Everything from `end` to here was prepared by writing zeros; `end`: nothing was. */
  preparedEnd: number;
  /** Groups written to it by this instance. */
  groupCount: number;
}

/** The files of the log, of which one is written. */
export interface LogChain<File extends LogFile> {
  readonly active: File;
  /**
   * Seals the active file at `sealedBytes` and begins the next; it repeats what came after
   * `keptRevision`.
   */
  begin(sealedBytes: number, keptRevision: Revision): Promise<void>;
  /** The active file is for records that may have this revision, as far as it says itself, or a lower one. */
  beginsUpTo(revision: Revision): boolean;
  /** Some records up to this revision are in no file, and in a checkpoint alone. */
  skipTo(revision: Revision): void;
  /** Releases the active file; what counts was synced before. */
  close(): Promise<void>;
}

/** bytes[start, end), to be written one behind the other. */
export interface Piece {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A group as it goes to the file; good until the next one is encoded. */
export interface EncodedGroup {
  readonly pieces: readonly Piece[];
  /** Length of the group; what the pieces have behind it prepares room. */
  readonly groupBytes: number;
}

/** What groups look like. */
export interface LogForm<File extends LogFile> {
  /** What a batch takes beside its frames. */
  readonly batchBytes: number;
  /** Whether a group of batches with so many bytes still goes into the file. */
  fits(file: File, payloadBytes: number): boolean;
  /** The group for the end of the file. */
  encode(range: BatchRange, file: File): EncodedGroup;
  /** Says that the log was closed in order; `nextRevision` would have come next. */
  encodeClosing(nextRevision: Revision, file: File): Buffer;
  /** The records between `durableEnd` and `end`, from the file. Rejects when one cannot be read. */
  readBack(file: File, end: number): Promise<RecordBatch[]>;
}

export interface LogWriterOptions<File extends LogFile> {
  readonly chain: LogChain<File>;
  readonly form: LogForm<File>;
  readonly log: Log;
  /** The last revision that was read back, or 0. */
  readonly lastRevision: Revision;
  /**
   * Whether written batches are kept until they are durable. Not in mode `no`, where nobody asks
   * for a sync.
   */
  readonly keepsUntilDurable: () => boolean;
  /** Called after each group that was written. */
  readonly onGrown: () => void;
  /** Called when a file was begun, and the one before sealed. */
  readonly onSealed: () => void;
}

export class LogWriter<File extends LogFile> {
  readonly #options: LogWriterOptions<File>;
  readonly #chain: LogChain<File>;
  readonly #form: LogForm<File>;

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

  readonly counters = { groups: 0, writes: 0, syncs: 0 };
  /** Of the last record that was appended; 0: none was, since the log was opened. */
  lastRevision: Revision = 0;
  lastError: unknown;

  constructor(options: LogWriterOptions<File>) {
    this.#options = options;
    this.#chain = options.chain;
    this.#form = options.form;
    this.#pending = new PendingBatches(options.lastRevision, options.form.batchBytes);
  }

  get #active(): File {
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

  /** Up to here what is in the active file is as durable as was promised. */
  get promisedEnd(): number {
    return Math.max(this.#active.durableEnd, this.#releasedEnd);
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
    // A group longer than a file has one to itself.
    const isEmpty = this.#active.end === this.#active.headBytes;
    return isEmpty || this.#form.fits(this.#active, this.#pending.planBytes);
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
    const group = this.#encode();
    this.#isWriting = true;
    return writePieces(active.synced, group.pieces, active.end).then(
      () => {
        this.counters.syncs++;
        this.#written(group);
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
    const group = this.#encode();
    this.#isWriting = true;
    return writePieces(active.plain, group.pieces, active.end).then(
      () => {
        if (this.#failed) return this.#refused(this.lastError);
        this.#written(group);
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
    const group = this.#encode();
    await writePieces(plain, group.pieces, end);
    this.#written(group);
  }

  /**
   * The segment is full. All of it is durable before the manifest says how many bytes of it count.
   */
  async #rotate(): Promise<void> {
    if (this.#active.end !== this.#active.durableEnd) await this.#syncActive();
    await this.#beginSegment(this.#active.durableEnd);
  }

  /**
   * Everything up to the boundary ends with the segment. One that is still empty goes when it says that it begins before: after
   * a copy of all data it would be one that does not have all from its first revision on, and nobody could read it later.
   */
  async #heedBoundary(): Promise<void> {
    const pending = this.#pending;
    if (pending.boundary === 0 || !pending.isPastBoundary) return;
    const isEmpty = this.#active.end <= this.#active.headBytes;
    if (!isEmpty || this.#chain.beginsUpTo(pending.boundary)) {
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
    if (this.#pending.keptRevision < this.#coveredRevision) {
      this.#chain.skipTo(this.#coveredRevision);
    }
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
  async #takeBack(active: File): Promise<boolean> {
    let batches: RecordBatch[];
    try {
      batches = await this.#form.readBack(active, this.#releasedEnd);
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

  /** The planned group. */
  #encode(): EncodedGroup {
    return this.#form.encode(this.#pending.range(), this.#active);
  }

  /** So that the next start knows that nothing is missing. Behind it the file ends. */
  async #writeClosingGroup(): Promise<void> {
    const { plain, end } = this.#active;
    const closing = this.#form.encodeClosing(this.#pending.keptRevision + 1, this.#active);
    try {
      await plain.write(closing, 0, closing.length, end);
      await plain.truncate(end + closing.length);
      await plain.sync();
    } catch (error) {
      await plain.truncate(end); // what may not be durable must not look like a stop in order
      throw error;
    }
  }

  // ---- what was written, what is durable ----

  /** The planned group stands in the file, and behind it what prepares room. */
  #written({ pieces, groupBytes }: EncodedGroup): void {
    const active = this.#active;
    active.preparedEnd = Math.max(active.preparedEnd, active.end + lengthOf(pieces));
    active.end += groupBytes;
    active.groupCount++;
    this.#isTouched = true;
    this.#pending.writtenCount += this.#pending.planCount;
    this.counters.groups++;
    this.counters.writes += pieces.length;
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

/** One call of the system when there is one piece, as there nearly always is. */
function writePieces(file: OpenFile, pieces: readonly Piece[], position: number): Promise<void> {
  const [first] = pieces as readonly [Piece];
  if (pieces.length > 1) return writeMany(file, pieces, position);
  return file.write(first.bytes, first.start, first.end, position);
}

async function writeMany(
  file: OpenFile,
  pieces: readonly Piece[],
  position: number,
): Promise<void> {
  let at = position;
  for (const { bytes, start, end } of pieces) {
    await file.write(bytes, start, end, at);
    at += end - start;
  }
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { start, end }) => sum + end - start, 0);
}
