/**
 * Files, handed in: the only place of kvdb that imports node:fs. Whoever touches the disk takes a
 * `Files`, so that tests put a disk underneath that forgets what was not synced
 * (test/suites/memory-files.ts) or fails at operation N (test/suites/faulty-files.ts). Every
 * failure is a KvdbError that names the path and the errno and keeps its cause.
 */
import * as fs from "node:fs";
import { type ErrorCode, KvdbError } from "../errors.ts";
import { replaceFile } from "./atomic-file.ts";
import { type LockResult, lockDescriptor, unlockDescriptor } from "./flock.ts";

export type { LockResult };

/**
 * `read`: must exist. All others read and write: `update` must exist, `create` must not exist,
 * `keep` is made when missing, `replace` is made when missing and emptied when not. What is made
 * gets mode 0600, for the data is its owner's, unless the options say otherwise.
 */
export type OpenMode = "read" | "update" | "create" | "keep" | "replace";

/** How a file or folder is made that was missing. */
export interface MakeOptions {
  /**
   * With the mode that the umask leaves, as editors and compilers make files: for sources, which are
   * no data.
   */
  readonly shared?: boolean;
}

export interface OpenOptions extends MakeOptions {
  /**
   * A write resolves when the bytes of this write are durable (O_DSYNC): no `sync` needed, which
   * saves a system call. It says nothing of bytes written before through another open file.
   */
  readonly synced?: boolean;
}

/**
 * Paths are absolute or relative to the current folder. Nothing is durable before `sync` or
 * `syncFolder` resolved.
 */
export interface Files {
  open(path: string, mode: OpenMode, options?: OpenOptions): Promise<OpenFile>;
  /** With its parents, each mode 0700 unless the options say otherwise. Harmless when it exists. */
  makeFolder(path: string, options?: MakeOptions): Promise<void>;
  /** Names in a folder, without `.` and `..`, sorted. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  /** Removes a file. Harmless when there is none. Durable after `syncFolder`. */
  remove(path: string): Promise<void>;
  /** Atomic, also over an existing `to`. Durable after `syncFolder`. */
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a folder durable: files that were made, renamed or removed. */
  syncFolder(path: string): Promise<void>;
  /**
   * Writes a whole file so that a crash leaves the old or the new one; durable when it resolves.
   */
  replace(path: string, bytes: Uint8Array, options?: MakeOptions): Promise<void>;
  /**
   * The bytes of a file from `start` on, for reading only: mapped, so they are the page cache's memory
   * and not the process's, and are read from the disk when they are looked at. At most 4 GiB; `start`
   * is a multiple of 64 KiB. The bytes stay there after `remove`, until nobody holds them; but in a
   * file that was cut shorter meanwhile, a look beyond its end is the end of the process.
   */
  map(path: string, start: number, length: number): Promise<Uint8Array>;
  /** Bytes that may still be written to the disk that a folder is on. */
  freeBytes(folder: string): Promise<number>;
}

/** Number of the user that a folder belongs to; undefined where users have no numbers. */
export async function ownerOf(folder: string): Promise<number | undefined> {
  const { uid } = await attempt("looking at", folder, () => fs.promises.stat(folder));
  return process.getuid === undefined ? undefined : uid;
}

/** A folder itself, and no link to one, that belongs to this process's user, where users have numbers. */
export async function isOwnFolder(path: string): Promise<boolean> {
  try {
    const stats = await fs.promises.lstat(path);
    return stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw failure("looking at", path, error);
  }
}

/** Removes a folder with nothing in it. Harmless when there is none. */
export async function removeFolder(path: string): Promise<void> {
  try {
    await fs.promises.rmdir(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw failure("removing", path, error);
  }
}

/** An open file. Positions and lengths in bytes; no call may be made after `close`. */
export interface OpenFile {
  readonly path: string;
  size(): Promise<number>;
  /**
   * Fills target[offset, offset + length) from `position` on. Resolves to the count read: less only
   * at the end.
   */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** The same at once, on this thread: for workers, and for a little more of what was begun to be read. */
  readNow(target: Uint8Array, offset: number, length: number, position: number): number;
  /** Writes all of bytes[start, end) at `position`. The bytes must not change until it resolves. */
  write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void>;
  /** The same at once, on this thread: for small writes that end in the page cache. */
  writeNow(bytes: Uint8Array, start: number, end: number, position: number): void;
  /** Makes what was written durable (fdatasync), on another thread. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  /**
   * Takes an exclusive lock, at once or not at all; `close` and the end of the process release it.
   */
  lock(): LockResult;
  close(): Promise<void>;
}

const OWN_FILE_MODE = 0o600;
const OWN_FOLDER_MODE = 0o700;
/** What the umask then takes from. */
const SHARED_FILE_MODE = 0o666;
const SHARED_FOLDER_MODE = 0o777;

const openFlags = {
  read: fs.constants.O_RDONLY,
  update: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
  keep: fs.constants.O_RDWR | fs.constants.O_CREAT,
  replace: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_TRUNC,
} as const satisfies Record<OpenMode, number>;

/**
 * Zero where the system has none (Windows): there each write of a synced file is followed by a
 * sync.
 */
const SYNCED_FLAG = fs.constants.O_DSYNC ?? 0;

/** The disk itself. */
export const systemFiles: Files = {
  async open(path, mode, options) {
    const synced = options?.synced === true;
    const flags = openFlags[mode] | (synced ? SYNCED_FLAG : 0);
    const fileMode = options?.shared === true ? SHARED_FILE_MODE : OWN_FILE_MODE;
    const descriptor = await attempt("opening", path, () => openDescriptor(path, flags, fileMode));
    return new SystemFile(path, descriptor, synced && SYNCED_FLAG === 0);
  },
  async makeFolder(path, options) {
    const mode = options?.shared === true ? SHARED_FOLDER_MODE : OWN_FOLDER_MODE;
    await attempt("making folder", path, () => makeFolder(path, mode));
  },
  async list(path) {
    return (await attempt("listing", path, () => fs.promises.readdir(path))).sort();
  },
  exists: (path) => attempt("looking for", path, () => pathExists(path)),
  remove: (path) => attempt("removing", path, () => unlinkIfThere(path)),
  rename: (from, to) => attempt("renaming", `${from} to ${to}`, () => fs.promises.rename(from, to)),
  syncFolder: (path) => attempt("syncing folder", path, () => syncFolder(path)),
  replace: (path, bytes, options) => replaceFile(systemFiles, path, bytes, options),
  map: (path, start, length) => attempt("mapping", path, async () => mapFile(path, start, length)),
  freeBytes: (folder) => attempt("asking the free space of", folder, () => freeBytes(folder)),
};

type Settle<Result> = (error: Error | null, result: Result) => void;

class SystemFile implements OpenFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #syncsItself: boolean;
  #isLocked = false;

  constructor(path: string, descriptor: number, syncsItself: boolean) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#syncsItself = syncsItself;
  }

  size(): Promise<number> {
    return this.#call<fs.Stats>("asking the size of", (settle) =>
      fs.fstat(this.#descriptor, settle),
    ).then((stats) => stats.size);
  }

  async read(
    target: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<number> {
    let done = 0;
    while (done < length) {
      const count = await this.#call<number>("reading", (settle) =>
        fs.read(this.#descriptor, target, offset + done, length - done, position + done, settle),
      );
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  readNow(target: Uint8Array, offset: number, length: number, position: number): number {
    try {
      let done = 0;
      while (done < length) {
        const at = position + done;
        const count = fs.readSync(this.#descriptor, target, offset + done, length - done, at);
        if (count === 0) break;
        done += count;
      }
      return done;
    } catch (error) {
      throw failure("reading", this.path, error);
    }
  }

  // The hot path of the journal: one promise and one callback when the system takes all at once, as
  // it nearly always does.
  write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void> {
    const all = this.#call<number>("writing", (settle) =>
      fs.write(this.#descriptor, bytes, start, end - start, position, settle),
    ).then((count) => {
      if (count === end - start) return this.#syncsItself ? this.sync() : undefined;
      if (count === 0) throw failure("writing", this.path, new Error("nothing was taken"));
      return this.write(bytes, start + count, end, position + count);
    });
    return all;
  }

  writeNow(bytes: Uint8Array, start: number, end: number, position: number): void {
    try {
      while (start < end) {
        const count = fs.writeSync(this.#descriptor, bytes, start, end - start, position);
        if (count === 0) throw new Error("nothing was taken");
        start += count;
        position += count;
      }
      if (this.#syncsItself) fs.fdatasyncSync(this.#descriptor);
    } catch (error) {
      throw failure("writing", this.path, error);
    }
  }

  sync(): Promise<void> {
    return this.#call("syncing", (settle) => fs.fdatasync(this.#descriptor, ignoreResult(settle)));
  }

  truncate(size: number): Promise<void> {
    return this.#call("truncating", (settle) =>
      fs.ftruncate(this.#descriptor, size, ignoreResult(settle)),
    );
  }

  lock(): LockResult {
    const result = lockDescriptor(this.#descriptor);
    if (result === "taken") this.#isLocked = true;
    return result;
  }

  close(): Promise<void> {
    if (this.#isLocked) unlockDescriptor(this.#descriptor);
    return this.#call("closing", (settle) => fs.close(this.#descriptor, ignoreResult(settle)));
  }

  #call<Result>(doing: string, begin: (settle: Settle<Result>) => void): Promise<Result> {
    return new Promise((resolve, reject) => {
      begin((error, result) => {
        // Bun calls back with undefined, Node with null.
        if (error) reject(failure(doing, this.path, error));
        else resolve(result);
      });
    });
  }
}

function ignoreResult(settle: Settle<void>): (error?: Error | null) => void {
  return (error) => settle(error ?? null, undefined);
}

/**
 * The errno of a failure ("ENOSPC"), wherever in the chain of causes it stands; undefined for other
 * failures.
 */
export function errnoOf(thrown: unknown): string | undefined {
  // A chain of causes is a few links; the bound only keeps a chain that bites its tail from hanging
  // kvdb.
  for (let depth = 0; depth < 16 && thrown instanceof Error; depth++) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (!(thrown instanceof KvdbError) && typeof code === "string") return code;
    thrown = thrown.cause;
  }
  return undefined;
}

/**
 * A failure of the operating system as a KvdbError: permission is told apart, because the remedy is
 * another one.
 */
export function failure(doing: string, path: string, thrown: unknown): KvdbError {
  const errno = errnoOf(thrown);
  const denied = errno === "EACCES" || errno === "EPERM" || errno === "EROFS";
  const code: ErrorCode = denied ? "PERMISSION" : "IO";
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new KvdbError(code, `${doing} ${path}: ${reason}`, { cause: thrown });
}

/** Says of what fails what was being done, and to which file. */
export async function attempt<Result>(
  doing: string,
  path: string,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw failure(doing, path, error);
  }
}

function openDescriptor(path: string, flags: number, fileMode: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, fileMode, (error, descriptor) =>
      error ? reject(error) : resolve(descriptor),
    );
  });
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await fs.promises.mkdir(path, { recursive: true, mode });
  } catch (error) {
    // It is a file, or it cannot be looked at because its disk is gone: then this says so.
    if (errnoOf(error) === "EEXIST") await fs.promises.stat(path);
    throw error;
  }
}

/** Not `fs.rm`: Bun's says EFAULT whatever the system said (1.4.5), so nobody would learn why. */
async function unlinkIfThere(path: string): Promise<void> {
  try {
    await fs.promises.unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

async function pathExists(path: string): Promise<boolean> {
  try {
    await fs.promises.stat(path);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return false;
    throw error;
  }
}

function mapFile(path: string, start: number, length: number): Uint8Array {
  const bytes = Bun.mmap(path, { offset: start, size: length, shared: true });
  if (bytes.length < length) throw new Error(`only ${bytes.length} of ${length} bytes are there`);
  return bytes;
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await fs.promises.statfs(folder);
  return bavail * bsize;
}

/** What was renamed in it is durable then. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await fs.promises.open(path, fs.constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
