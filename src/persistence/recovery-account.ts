/**
 * What the load of a log has found so far: counts, the last revision, what was dropped. Shared by whoever
 * reads a part of the folder, and the one place that knows what the purpose makes of damage:
 * refuse it, or put the bytes aside and go on.
 */
import { KvdbError } from "../errors.ts";
import type { OpenFile } from "../platform/files.ts";
import type { Dropped, LoadReport, LoadSink, PersistenceContext, Revision } from "../plugin.ts";

/** What a load is done with. */
export type FolderOptions = Pick<
  PersistenceContext,
  "files" | "folder" | "purpose" | "isNewFolder" | "clock" | "log"
>;

/** From and up to which offset, in bytes. */
export type Stretch = readonly [start: number, end: number];

/** What was found before anything was read. */
export interface FoundFolder {
  readonly dropped: readonly Dropped[];
  /** What names the files was lost and made up: it must be written. */
  readonly rebuilt: boolean;
}

export function damageError(what: string): KvdbError {
  return new KvdbError("DAMAGE", `${what}; --recover keeps every intact record`);
}

/** Bytes that were durable and cannot be read. */
export interface Damage {
  /** Where they are. */
  readonly source: OpenFile;
  readonly stretch: Stretch;
  readonly reason: string;
}

/** So long a stretch of a start goes by before the event loop has its turn. */
const STRETCH_MS = 10;

/** One read of what is put aside. */
const COPY_BYTES = 1 << 20;

export class RecoveryAccount {
  readonly options: FolderOptions;
  readonly sink: LoadSink;
  readonly dropped: Dropped[];
  records = 0;
  bytes = 0;
  lastRevision: Revision = 0;
  /** Records up to it are in the checkpoint that was read: those in the log are skipped. */
  checkpointRevision: Revision = 0;
  /** Nothing newer is asked for. */
  readonly upTo: Revision;
  /** Something newer was there, so whatever follows is newer as well. */
  hasSeenNewer = false;
  /** Whether the last thing in the log is a closing group. */
  closed = true;
  /** Of all that is to be read, for the progress. */
  totalBytes = 0;
  /** The manifest on disk is not what must be there. */
  manifestChanged: boolean;
  #doneBytes = 0;
  #pausedMs: number;

  constructor(options: FolderOptions, found: FoundFolder, sink: LoadSink) {
    this.options = options;
    this.sink = sink;
    this.dropped = [...found.dropped];
    this.manifestChanged = found.rebuilt;
    this.#pausedMs = options.clock.monotonicMs();
    const { purpose } = options;
    const upTo = purpose.kind === "check" ? purpose.upTo : undefined;
    this.upTo = upTo ?? Number.POSITIVE_INFINITY;
  }

  /** Another instance is writing to the folder. */
  get isLive(): boolean {
    return this.upTo !== Number.POSITIVE_INFINITY;
  }

  /** All that was asked for was read. */
  get isDone(): boolean {
    return this.hasSeenNewer || this.lastRevision >= this.upTo;
  }

  /** A part of so many bytes is about to be read; what is returned takes how far it got. */
  beginPart(bytes: number): (done: number) => void {
    const before = this.#doneBytes;
    this.#doneBytes += bytes;
    return (done) => this.sink.progress(before + done, this.totalBytes);
  }

  /**
   * Lets the event loop have its turn when it is time. Awaiting a promise alone does not: while
   * other threads go on to hand in blocks, Bun takes those before timers and sockets.
   */
  async breathe(): Promise<void> {
    const { clock } = this.options;
    if (clock.monotonicMs() - this.#pausedMs < STRETCH_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#pausedMs = clock.monotonicMs();
  }

  wait(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.options.clock.after(delayMs, resolve);
    return promise;
  }

  /** Nothing below is in what follows. */
  raiseRevision(revision: Revision): void {
    this.lastRevision = Math.max(this.lastRevision, revision);
  }

  /** Throws, or notes what is lost: when its bytes were to be put aside, once that is durable. */
  async reportDamage({ source, stretch, reason }: Damage): Promise<void> {
    const { path: file } = source;
    const [start, end] = stretch;
    const bytes = end - start;
    if (this.options.purpose.kind === "use") {
      throw damageError(`${file}: ${bytes} bytes at offset ${start}: ${reason}`);
    }
    const recovers = this.options.purpose.kind === "recover";
    const kept = recovers ? { keptIn: await this.#putAside(source, stretch) } : {};
    this.dropped.push({ kind: "damage", file, offset: start, bytes, reason, ...kept });
    this.closed = false;
    this.manifestChanged = true;
  }

  reportMissing(file: string, bytes: number, lost: string): void {
    const reason = `the file is gone; ${lost}`;
    if (this.options.purpose.kind === "use") throw damageError(`${file}: ${reason}`);
    this.dropped.push({ kind: "damage", file, offset: 0, bytes, reason });
    this.closed = false;
    this.manifestChanged = true;
  }

  /** What was never promised to anybody. */
  reportTail(file: string, [start, end]: Stretch): void {
    const reason = "not synced when kvdb stopped, and not whole";
    this.dropped.push({ kind: "tail", file, offset: start, bytes: end - start, reason });
  }

  /** It costs nothing but its space. */
  reportLeftover(file: string, bytes: number): void {
    const reason = "left behind by a stop, and no part of the data; the next start removes it";
    this.dropped.push({ kind: "note", file, offset: 0, bytes, reason });
  }

  /** A failure of the sink, with the place in front. */
  placed(error: unknown, place: string): unknown {
    return error instanceof KvdbError ? error.prefix(place) : error;
  }

  report(): LoadReport {
    return {
      records: this.records,
      bytes: this.bytes,
      lastRevision: this.lastRevision,
      clean: this.closed && this.dropped.every(({ kind }) => kind === "note"),
      dropped: this.dropped,
    };
  }

  /** Durable before the manifest lets the stretch be skipped. */
  async #putAside(source: OpenFile, stretch: Stretch): Promise<string> {
    const { files, folder } = this.options;
    const path = `${source.path}.damaged-${stretch[0]}`;
    const copy = await files.open(path, "replace");
    try {
      await copyStretch(source, stretch, copy);
      await copy.sync();
    } finally {
      await copy.close();
    }
    await files.syncFolder(folder);
    return path;
  }
}

/** To the front of another file; what the file no longer has is left out. */
async function copyStretch(source: OpenFile, stretch: Stretch, target: OpenFile): Promise<void> {
  const [start, end] = stretch;
  const buffer = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, end - start));
  for (let offset = start; offset < end; ) {
    const count = await source.read(buffer, 0, Math.min(buffer.length, end - offset), offset);
    if (count === 0) return;
    await target.write(buffer, 0, count, offset - start);
    offset += count;
  }
}
