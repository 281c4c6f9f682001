/**
 * Where backups lie: the contract that a folder (folder-storage.ts) and S3-compatible storage
 * (s3-storage.ts) keep alike. A storage knows names and bytes and nothing of what is in them. What it
 * lists is whole and durable: a write that was cut off, however, is never seen under a name.
 *
 * Every failure is a KvdbError that names the storage and the file and never a secret: PERMISSION
 * (credentials, modes), CONFIG (no such bucket), UNAVAILABLE (the service cannot be reached, or
 * answers only with failures), IO (everything else, a missing file included).
 */
import { KvdbError } from "../errors.ts";

export interface BackupStorage {
  /** For people: `./backups`, `s3://bucket/prefix`. Never with secrets. */
  readonly title: string;
  /**
   * The finished files, sorted by name: strangers' too, when their names are possible here. Empty when
   * the place is not there yet.
   */
  list(): Promise<readonly StoredFile[]>;
  /**
   * Begins a file. It appears under its name, also over an older one, when `finish` resolves: whole and
   * durable, or not at all. Two sinks of one name at once are the caller's mistake.
   */
  create(name: string): Promise<BackupSink>;
  open(name: string): Promise<BackupSource>;
  /** A small file, replaced atomically; durable when it resolves. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** The bytes of a small file; undefined when there is none. */
  get(name: string): Promise<Buffer | undefined>;
  /** Harmless when there is none. */
  remove(name: string): Promise<void>;
  /**
   * Removes what writes that were cut off left behind under names that are ours: a bucket or a folder
   * may be shared with strangers. Only while nothing is being written: it cannot tell what is left
   * from what is growing.
   */
  clean(isOurs: (name: string) => boolean): Promise<void>;
}

/** Without a time: whoever copies files to another place changes theirs, so a backup's name holds it. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
}

/** Exactly one of `finish` and `abandon` ends it; after a failed `write` or `finish` it is `abandon`. */
export interface BackupSink {
  /**
   * Appends bytes[start, end). They may be changed when it has resolved, which it may put off until
   * the storage has room for more.
   */
  write(bytes: Uint8Array, start: number, end: number): Promise<void>;
  finish(): Promise<void>;
  /**
   * Nothing of it stays. Allowed after any failure, and a second time; after a failed `finish`, which
   * may have put the file in place, nothing stays under the name at all. When it rejects, `clean`
   * removes the rest one day; what made the caller give up is the error to report.
   */
  abandon(): Promise<void>;
}

export interface BackupSource {
  readonly size: number;
  /**
   * Fills target[offset, offset + length) from `position` on. Resolves to the count read: less only at
   * the end.
   */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  close(): Promise<void>;
}

/** What ISO file systems, S3 and shells all take without quoting; 200 leaves room for suffixes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/**
 * Refuses a name that could lead out of the storage or means something to it: slashes, a dot in
 * front. Names come from people too (`BACKUP DELETE ../../x`).
 */
export function checkName(name: string): void {
  if (isName(name)) return;
  throw new KvdbError(
    "USAGE",
    `${JSON.stringify(name)} is no name of a backup: letters, digits, ".", "_" and "-", at most 200`,
  );
}

export function isName(name: string): boolean {
  return NAME.test(name);
}
