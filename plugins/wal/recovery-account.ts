/**
 * What a load has found so far: counts, the last revision, what was dropped. Shared by whoever
 * reads a part of the folder, and the one place that knows what the purpose makes of damage:
 * refuse it, or put the bytes aside and go on.
 */
import { type Dropped, KvdbError, type LoadReport, type LoadSink, type Revision } from "kvdb";
import { damageError, type FolderOptions, type Inventory } from "./inventory.ts";
import type { Stretch } from "./manifest.ts";
import type { OpenFile } from "./segment.ts";

/** Bytes that were durable and cannot be read. */
export interface Damage {
  readonly file: string;
  readonly stretch: Stretch;
  readonly reason: string;
  /** Copies the stretch to the front of another file. */
  copyTo(target: OpenFile): Promise<void>;
}

export class RecoveryAccount {
  readonly options: FolderOptions;
  readonly sink: LoadSink;
  readonly dropped: Dropped[];
  records = 0;
  bytes = 0;
  lastRevision: Revision = 0;
  /** Whether the last thing in the log is a closing group. */
  closed = true;
  /** Of all that is to be read, for the progress. */
  totalBytes = 0;
  /** The manifest on disk is not what must be there. */
  manifestChanged: boolean;
  #doneBytes = 0;

  constructor(options: FolderOptions, inventory: Inventory, sink: LoadSink) {
    this.options = options;
    this.sink = sink;
    this.dropped = [...inventory.dropped];
    this.manifestChanged = inventory.rebuilt;
  }

  /** A part of so many bytes is about to be read; what is returned takes how far it got. */
  beginPart(bytes: number): (done: number) => void {
    const before = this.#doneBytes;
    this.#doneBytes += bytes;
    return (done) => this.sink.progress(before + done, this.totalBytes);
  }

  /** Nothing below is in what follows. */
  raiseRevision(revision: Revision): void {
    this.lastRevision = Math.max(this.lastRevision, revision);
  }

  /** Throws, or notes what is lost when its copy is durable. */
  async reportDamage({ file, stretch, reason, copyTo }: Damage): Promise<void> {
    const [start, end] = stretch;
    const bytes = end - start;
    if (this.options.purpose.kind === "use") {
      throw damageError(`${file}: ${bytes} bytes at offset ${start}: ${reason}`);
    }
    const keptIn = await this.#putAside(`${file}.damaged-${start}`, copyTo);
    this.dropped.push({ kind: "damage", file, offset: start, bytes, reason, keptIn });
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

  /** A failure of the sink, with the place in front. */
  placed(error: unknown, place: string): unknown {
    return error instanceof KvdbError ? error.prefix(place) : error;
  }

  report(): LoadReport {
    return {
      records: this.records,
      bytes: this.bytes,
      lastRevision: this.lastRevision,
      clean: this.closed && this.dropped.length === 0,
      dropped: this.dropped,
    };
  }

  /** Durable before the manifest lets the stretch be skipped. */
  async #putAside(path: string, copyTo: Damage["copyTo"]): Promise<string> {
    const { files, folder } = this.options;
    const copy = await files.open(path, "replace");
    try {
      await copyTo(copy);
      await copy.sync();
    } finally {
      await copy.close();
    }
    await files.syncFolder(folder);
    return path;
  }
}
