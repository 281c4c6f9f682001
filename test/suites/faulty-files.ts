/**
 * Wraps a `Files` so that operation N fails, for a test that tries every N. An operation is any
 * call that may touch the disk. A write that fails has written its first half, as on a disk that
 * ran full. What `once` failed works again at the next call; `lasting` fails from N on until
 * `heal`, like a disk that is full or gone.
 */
import { replaceFile } from "../../src/platform/atomic-file.ts";
import { type Files, failure, type OpenFile } from "../../src/platform/files.ts";

export interface Fault {
  /** The operation that fails, counted from 1. */
  readonly at: number;
  readonly kind: "once" | "lasting";
  /** Default: ENOSPC. */
  readonly errno?: string;
}

export interface FaultyFiles {
  readonly files: Files;
  /** Operations so far: the largest N worth trying. */
  readonly operationCount: number;
  /** Whether the fault has struck. */
  readonly struck: boolean;
  /** The next operation of this kind fails, once, whatever its number. */
  failNext(what: OperationKind): void;
  /** From here on everything works. */
  heal(): void;
}

export interface OperationKind {
  readonly operation: "writing" | "syncing" | "renaming" | "syncing folder" | "truncating";
  readonly path?: RegExp;
  /** Of a write: only one with more bytes. */
  readonly longerThan?: number;
}

export interface FaultHooks {
  /**
   * Called before each operation with its number: the disk is as a crash at this moment would find
   * it.
   */
  readonly beforeOperation?: (count: number) => void;
  /**
   * Called when a sync was made to fail: real disks lose what it should have written
   * (MemoryDisk.poison).
   */
  readonly afterFailedSync?: (path: string) => void;
}

/** Without a fault it only counts. */
export function createFaultyFiles(
  below: Files,
  fault?: Fault,
  hooks: FaultHooks = {},
): FaultyFiles {
  const counter = new FaultCounter(fault, hooks);
  const files: Files = {
    async open(path, mode, options) {
      counter.check("opening", path);
      return faultyFile(await below.open(path, mode, options), counter);
    },
    async makeFolder(path, options) {
      counter.check("making folder", path);
      await below.makeFolder(path, options);
    },
    async list(path) {
      counter.check("listing", path);
      return below.list(path);
    },
    async exists(path) {
      counter.check("looking for", path);
      return below.exists(path);
    },
    async remove(path) {
      counter.check("removing", path);
      await below.remove(path);
    },
    async rename(from, to) {
      counter.check("renaming", from);
      await below.rename(from, to);
    },
    async syncFolder(path) {
      counter.check("syncing folder", path);
      await below.syncFolder(path);
    },
    // Through the wrapped operations, so that each of its steps can fail.
    replace: (path, bytes, options) => replaceFile(files, path, bytes, options),
    async map(path, start, length) {
      counter.check("mapping", path);
      return below.map(path, start, length);
    },
    async freeBytes(folder) {
      counter.check("asking the free space of", folder);
      return below.freeBytes(folder);
    },
  };
  return {
    files,
    get operationCount() {
      return counter.count;
    },
    get struck() {
      return counter.struck;
    },
    failNext: (what) => counter.failNext(what),
    heal: () => counter.heal(),
  };
}

class FaultCounter {
  count = 0;
  struck = false;
  readonly hooks: FaultHooks;
  #fault: Fault | undefined;
  #next: OperationKind | undefined;

  constructor(fault: Fault | undefined, hooks: FaultHooks) {
    this.#fault = fault;
    this.hooks = hooks;
  }

  heal(): void {
    this.#fault = undefined;
    this.#next = undefined;
  }

  failNext(what: OperationKind): void {
    this.#next = what;
  }

  /** Counts an operation; true when it is one that fails. */
  strikes(doing: string, path: string, length = 0): boolean {
    this.count++;
    this.hooks.beforeOperation?.(this.count);
    if (this.#isNext(doing, path, length)) {
      this.#next = undefined;
      this.struck = true;
      return true;
    }
    const fault = this.#fault;
    if (fault === undefined || this.count < fault.at) return false;
    if (fault.kind === "once" && this.count > fault.at) return false;
    this.struck = true;
    return true;
  }

  check(doing: string, path: string): void {
    if (this.strikes(doing, path)) throw this.error(doing, path);
  }

  #isNext(doing: string, path: string, length: number): boolean {
    const next = this.#next;
    if (next === undefined || next.operation !== doing) return false;
    return (next.path?.test(path) ?? true) && length > (next.longerThan ?? -1);
  }

  error(doing: string, path: string): Error {
    const code = this.#fault?.errno ?? "ENOSPC";
    return failure(doing, path, Object.assign(new Error(`${code}: made to fail`), { code }));
  }
}

function faultyFile(below: OpenFile, counter: FaultCounter): OpenFile {
  const { path } = below;
  return {
    path,
    async size() {
      counter.check("asking the size of", path);
      return below.size();
    },
    async read(target, offset, length, position) {
      counter.check("reading", path);
      return below.read(target, offset, length, position);
    },
    readNow(target, offset, length, position) {
      counter.check("reading", path);
      return below.readNow(target, offset, length, position);
    },
    async write(bytes, start, end, position) {
      if (!counter.strikes("writing", path, end - start))
        return below.write(bytes, start, end, position);
      await below.write(bytes, start, start + ((end - start) >> 1), position);
      throw counter.error("writing", path);
    },
    writeNow(bytes, start, end, position) {
      if (!counter.strikes("writing", path, end - start))
        return below.writeNow(bytes, start, end, position);
      below.writeNow(bytes, start, start + ((end - start) >> 1), position);
      throw counter.error("writing", path);
    },
    async sync() {
      if (counter.strikes("syncing", path)) {
        counter.hooks.afterFailedSync?.(path);
        throw counter.error("syncing", path);
      }
      await below.sync();
    },
    async truncate(size) {
      counter.check("truncating", path);
      await below.truncate(size);
    },
    lock: () => below.lock(),
    async close() {
      // The descriptor is gone also when close reports an error: so it is with close(2).
      const fails = counter.strikes("closing", path);
      await below.close();
      if (fails) throw counter.error("closing", path);
    },
  };
}
