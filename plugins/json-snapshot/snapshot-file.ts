/** What writer and life cycle tell each other, and where the file is. */
import { join } from "node:path";
import type { Revision } from "kvdb";
import type { FileIdentity } from "./file-checksum.ts";

const DEFAULT_NAME = "database.json";

export interface SnapshotOptions {
  /** The file; an absolute path. */
  readonly file?: string;
  /** Seconds and changes, as Redis writes them, one rule or several. */
  readonly save?: string | readonly string[];
  /** Seconds between saves, if anything has changed. */
  readonly every?: number;
}

export function snapshotPath({ file }: SnapshotOptions, folder: string): string {
  return file ?? join(folder, DEFAULT_NAME);
}

/** What a checkpoint begins with: goes to the worker that writes it. */
export interface SnapshotTask {
  /** The file as it was read or written last; undefined: there was none. */
  readonly known: FileIdentity | undefined;
  /**
   * An intact file of this revision or a later one is of an earlier attempt, which failed after the file
   * was in its place; undefined: there was none.
   */
  readonly attemptedFrom: Revision | undefined;
}

/** What a written checkpoint is told with. */
export interface SnapshotDetail {
  readonly identity: FileIdentity;
  /** Where a version of the file is kept that somebody else had put in its place. */
  readonly keptIn?: string;
}
