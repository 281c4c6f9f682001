/**
 * The batches that were appended and are not known to be durable, oldest first, and which of them
 * make up the next group. It knows nothing of files. The invariant: a batch leaves it only when it
 * is durable (in mode `no`: written), and `keptRevision` is the last one that left.
 */
import type { RecordBatch, Revision } from "../plugin.ts";

/**
 * Batches are gathered up to this size, of their frames; a longer flush is several groups, a longer
 * batch a group of its own.
 */
const MAX_GATHERED_BYTES = 1 << 20;

/** Some batches of a list, in order, with revisions that follow on each other. */
export interface BatchRange {
  readonly batches: readonly RecordBatch[];
  readonly first: number;
  readonly count: number;
  /** Length of their frames, and of what stands around each batch. */
  readonly payloadBytes: number;
}

export class PendingBatches {
  readonly #batches: RecordBatch[] = [];
  readonly #aroundBytes: number;
  /** Of the batches at the front: in the file. */
  writtenCount = 0;
  /** Of all batches: length of their frames. */
  bytes = 0;
  /** The last revision that left. */
  keptRevision: Revision;

  /** No group has revisions of both sides of it; 0: none is asked for. */
  boundary: Revision = 0;

  /** What one group is made of, as `plan` found it. */
  planCount = 0;
  planBytes = 0;

  /** `aroundBytes`: what a batch takes beside its frames. */
  constructor(keptRevision: Revision, aroundBytes: number) {
    this.#aroundBytes = aroundBytes;
    this.keptRevision = keptRevision;
  }

  get count(): number {
    return this.#batches.length;
  }

  get unwrittenCount(): number {
    return this.#batches.length - this.writtenCount;
  }

  get unwrittenBytes(): number {
    let bytes = 0;
    for (let index = this.writtenCount; index < this.#batches.length; index++) {
      bytes += this.#batches[index].end - this.#batches[index].start;
    }
    return bytes;
  }

  push(batch: RecordBatch): void {
    this.#batches.push(batch);
    this.bytes += batch.end - batch.start;
  }

  /** Puts batches in front that had left; nothing counts as written any more. */
  takeBack(batches: readonly RecordBatch[]): void {
    this.keptRevision = batches[0].firstRevision - 1;
    this.#batches.unshift(...batches);
    for (const batch of batches) this.bytes += batch.end - batch.start;
    this.writtenCount = 0;
  }

  /**
   * Finds the batches of the next group: revisions that follow on each other, up to the size that
   * is gathered.
   */
  plan(): void {
    const batches = this.#batches;
    let index = this.writtenCount;
    let bytes = 0;
    const firstRevision = index < batches.length ? batches[index].firstRevision : 0;
    let revision = firstRevision;
    for (; index < batches.length; index++) {
      const batch = batches[index] as RecordBatch;
      const size = this.#aroundBytes + batch.end - batch.start;
      const isFirst = index === this.writtenCount;
      if (batch.firstRevision !== revision) break;
      if (batch.firstRevision > this.boundary && firstRevision <= this.boundary) break;
      if (!isFirst && bytes + size > MAX_GATHERED_BYTES) break;
      bytes += size;
      revision += batch.count;
    }
    this.planCount = index - this.writtenCount;
    this.planBytes = bytes;
  }

  /** All that waits is one group, and it is gathered. */
  get planIsAll(): boolean {
    const isAll = this.writtenCount + this.planCount === this.#batches.length;
    return isAll && this.planBytes <= MAX_GATHERED_BYTES;
  }

  /** Everything up to the boundary is written. */
  get isPastBoundary(): boolean {
    const next = this.#batches[this.writtenCount];
    return next === undefined || next.firstRevision > this.boundary;
  }

  /** The planned batches. */
  range(): BatchRange {
    return {
      batches: this.#batches,
      first: this.writtenCount,
      count: this.planCount,
      payloadBytes: this.planBytes,
    };
  }

  /** Forgets what is up to `revision`: it is durable elsewhere. Nothing counts as written. */
  releaseUpTo(revision: Revision): void {
    const isBehind = ({ firstRevision }: RecordBatch) => firstRevision > revision;
    const first = this.#batches.findIndex(isBehind);
    this.writtenCount = 0;
    this.release(first < 0 ? this.#batches.length : first);
    this.keptRevision = Math.max(this.keptRevision, revision);
  }

  /** Forgets the first `count` batches. */
  release(count: number): void {
    if (count === 0) return;
    const batches = this.#batches;
    for (let index = 0; index < count; index++) {
      this.bytes -= batches[index].end - batches[index].start;
    }
    const last = batches[count - 1];
    this.keptRevision = last.firstRevision + last.count - 1;
    if (count === batches.length) batches.length = 0;
    else batches.splice(0, count);
    this.writtenCount = Math.max(0, this.writtenCount - count);
  }
}
