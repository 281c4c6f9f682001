/**
 * Readers of the log that stopped somewhere and may go on: who asks for changes page by page is given his own again, so the
 * log is read once and not from the beginning of a file for each page. A few are kept, and none for long.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { RecordBatch, Revision } from "../plugin.ts";
import { frameBytes } from "./recent-records.ts";

/** Each has a file open, and a buffer of a MiB or two. Whoever comes beyond that waits for his turn. */
const MOST_OPEN = 32;
/** Of these, for who may come back. */
const MOST_KEPT = 8;
/** Who has not come back by then has to begin anew. */
const KEPT_MS = 10_000;

/** A batch that is being gone through, record by record. */
export class BatchPlace {
  readonly batch: RecordBatch;
  /** Of the next record: its frame, and its revision. */
  at: number;
  revision: Revision;

  constructor(batch: RecordBatch) {
    this.batch = batch;
    this.at = batch.start;
    this.revision = batch.firstRevision;
  }

  /** All records of it that there are by now were passed. */
  get isOver(): boolean {
    return this.at >= this.batch.end;
  }

  pass(): void {
    this.at += frameBytes(this.batch.bytes, this.at);
    this.revision++;
  }
}

/** One way through the log. */
export class LogCursor {
  readonly #batches: AsyncIterator<RecordBatch>;
  /** What was read last, and is good until the next is read. */
  place: BatchPlace | undefined;

  constructor(batches: AsyncIterable<RecordBatch>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** Reads on; false: the log has no more for now. */
  async advance(): Promise<boolean> {
    this.place = undefined;
    const { done, value } = await this.#batches.next();
    if (done === true) return false;
    this.place = new BatchPlace(value);
    return true;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

interface Kept {
  readonly cursor: LogCursor;
  readonly next: Revision;
  readonly untilMs: number;
}

export class LogCursors {
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;
  #kept: readonly Kept[] = [];
  #openCount = 0;
  /** Who waits for one to be closed. */
  readonly #queue: (() => void)[] = [];
  #timer: Timer | null = null;

  /** `onFailure` is told when one cannot be closed. */
  constructor(clock: Clock, onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** One that stands before `next`: one that was kept, or a new one over `read()`. Whoever has it ends or keeps it. */
  async open(next: Revision, read: () => AsyncIterable<RecordBatch>): Promise<LogCursor> {
    const found = this.#kept.find((kept) => kept.next === next);
    if (found !== undefined) {
      this.#kept = this.#kept.filter((kept) => kept !== found);
      return found.cursor;
    }
    while (this.#openCount >= MOST_OPEN) await this.#oneIsClosed();
    const cursor = new LogCursor(read());
    this.#openCount++;
    return cursor;
  }

  #oneIsClosed(): Promise<void> {
    const [oldest] = this.#kept;
    if (oldest !== undefined) this.#drop([oldest]);
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  /** Whoever asks from `next` on may go on with it. */
  keep(cursor: LogCursor, next: Revision): void {
    if (this.#queue.length > 0) {
      this.end(cursor);
      return;
    }
    const untilMs = this.#clock.monotonicMs() + KEPT_MS;
    this.#kept = [...this.#kept, { cursor, next, untilMs }];
    const [oldest] = this.#kept;
    if (this.#kept.length > MOST_KEPT && oldest !== undefined) this.#drop([oldest]);
    this.#watch();
  }

  /** Drops a cursor that is of no more use to anybody. */
  end(cursor: LogCursor): void {
    void this.#close(cursor);
  }

  async #close(cursor: LogCursor): Promise<void> {
    try {
      await cursor.close();
    } catch (error) {
      this.#onFailure(error);
    }
    this.#openCount--;
    this.#queue.shift()?.();
  }

  /** Resolves when all are closed. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    const kept = this.#kept;
    this.#kept = [];
    await Promise.all(kept.map(({ cursor }) => this.#close(cursor)));
  }

  #drop(dropped: readonly Kept[]): void {
    this.#kept = this.#kept.filter((kept) => !dropped.includes(kept));
    for (const { cursor } of dropped) this.end(cursor);
  }

  #watch(): void {
    const [oldest] = this.#kept;
    if (this.#timer !== null || oldest === undefined) return;
    const waitMs = Math.max(0, oldest.untilMs - this.#clock.monotonicMs());
    this.#timer = this.#clock.after(waitMs, () => {
      this.#timer = null;
      const nowMs = this.#clock.monotonicMs();
      this.#drop(this.#kept.filter(({ untilMs }) => untilMs <= nowMs));
      this.#watch();
    });
  }
}
