/** The options of the plugin with their defaults, and where they say that files are. */
import { join } from "node:path";
import { KvdbError } from "kvdb";
import type { CompactionOptions, Fsync } from "kvdb/persistence";
import { FileNames } from "./manifest.ts";

/** As a configuration has them; the names are Redis's where it has the same. */
export interface AofOptions {
  readonly appendonly?: boolean;
  readonly fsync?: Fsync;
  readonly appenddirname?: string;
  readonly appendfilename?: string;
  readonly dbfilename?: string;
  readonly save?: string | readonly string[];
  readonly "aof-use-rdb-preamble"?: boolean;
  readonly "aof-timestamp-enabled"?: boolean;
  readonly compaction?: CompactionOptions;
  /** How much of the log stays behind a rewrite: a size, a time, or 0. */
  readonly keep?: string | number;
  /** Level of zstd for increments that were sealed and are going to stay; 0: none. */
  readonly compression?: number;
  /** An increment is closed before it grows past it. */
  readonly segmentBytes?: number;
}

/** Redis's file is one until it is rewritten; one of kvdb's is begun when it is worth compressing. */
const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;

/** The options, none absent but the rules for saves. */
export class Settings {
  readonly options: AofOptions;
  readonly folder: string;
  readonly names: FileNames;
  readonly fileName: string;
  readonly folderName: string;
  readonly rdbName: string;
  readonly segmentBytes: number;
  readonly level: number;

  constructor(options: AofOptions, folder: string) {
    this.options = options;
    this.folder = folder;
    this.fileName = options.appendfilename ?? "appendonly.aof";
    this.folderName = options.appenddirname ?? "appendonlydir";
    this.rdbName = options.dbfilename ?? "dump.rdb";
    this.names = new FileNames(join(folder, this.folderName), this.fileName);
    this.segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    this.level = options.compression ?? 0;
    if (this.rdbPath !== this.oldPath) return;
    // One would be taken for the other, and removed.
    const message = `dbfilename and appendfilename are both ${JSON.stringify(this.rdbName)}`;
    throw new KvdbError("CONFIG", `${message}: two files need two names`);
  }

  /** Of an AOF as Redis had it before version 7. */
  get oldPath(): string {
    return join(this.folder, this.fileName);
  }

  get rdbPath(): string {
    return join(this.folder, this.rdbName);
  }
}
