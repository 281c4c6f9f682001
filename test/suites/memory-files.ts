/**
 * A disk in memory that forgets at a crash what was not synced: the bytes of files (fdatasync), and
 * the names in a folder (fsync of the folder). Two kinds of crash: `strict` keeps exactly what was
 * synced; `torn` also keeps, by chance, single sectors of 512 bytes, sizes and names that were
 * written and not synced, in any order: what real disks do at a power loss. What was synced is
 * never lost. After a failed sync no later one helps. A kill -9 is no crash in this sense: the disk
 * just stays as it is; `kill` only makes open files useless.
 */
import { dirname } from "node:path";
import type { KvdbError } from "../../src/errors.ts";
import { replaceFile } from "../../src/platform/atomic-file.ts";
import {
  type Files,
  failure,
  type LockResult,
  type OpenFile,
  type OpenMode,
} from "../../src/platform/files.ts";
import type { Random } from "../../src/platform/random.ts";

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

/** A file's bytes: as programs see them, and as they are on the platter. */
interface Node {
  seen: Buffer;
  durable: Buffer;
  locked: boolean;
  /**
   * Sectors that a failed sync did not write: the system takes them for written until a program
   * writes them again.
   */
  readonly forgotten: Set<number>;
}

type NameChange = { readonly path: string; readonly node: Node | undefined };

export class MemoryDisk {
  #names = new Map<string, Node>();
  #durableNames = new Map<string, Node>();
  #unsyncedNames: NameChange[] = [];
  #folders = new Set<string>(["/"]);
  /** Grows at each crash or kill: what was opened before is dead. */
  #epoch = 0;

  /** For one process: those that were had before a crash or a kill are dead, like their files. */
  files: Files = this.#createFiles();
  /**
   * Called while a write with `synced` is on its way: seen, but not durable. A good moment for a
   * copy.
   */
  onVolatileWrite: () => void = () => {};
  /** What `freeBytes` answers. A write beyond it works all the same. */
  freeBytes = Number.MAX_SAFE_INTEGER;

  /** Everything opened so far is dead; everything written stays, as after kill -9. */
  kill(): void {
    this.#epoch++;
    this.files = this.#createFiles();
    for (const node of this.#names.values()) node.locked = false;
  }

  /** Power loss. Without `torn` exactly what was synced stays. */
  crash(torn?: Random): void {
    this.kill();
    if (torn !== undefined) this.#keepSomeNames(torn);
    this.#unsyncedNames = [];
    this.#names = new Map(this.#durableNames);
    for (const node of new Set(this.#names.values())) {
      if (torn !== undefined) node.durable = tear(node, torn);
      node.seen = Buffer.from(node.durable);
      node.forgotten.clear();
    }
  }

  /** An independent copy, to try many endings of one history. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    const nodes = new Map<Node, Node>();
    const copyNode = (node: Node): Node => {
      const known = nodes.get(node);
      if (known !== undefined) return known;
      const made = createNode(node.seen, node.durable);
      for (const sector of node.forgotten) made.forgotten.add(sector);
      nodes.set(node, made);
      return made;
    };
    for (const [path, node] of this.#names) copy.#names.set(path, copyNode(node));
    for (const [path, node] of this.#durableNames) copy.#durableNames.set(path, copyNode(node));
    copy.#unsyncedNames = this.#unsyncedNames.map(({ path, node }) => ({
      path,
      node: node === undefined ? undefined : copyNode(node),
    }));
    copy.#folders = new Set(this.#folders);
    return copy;
  }

  /** Paths of all files, sorted. */
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** A copy of a file's bytes as programs see them. */
  contents(path: string): Buffer {
    return Buffer.from(this.#node("reading", path).seen);
  }

  /** Puts bytes in place, durable: how a test damages or makes a file. */
  put(path: string, bytes: Uint8Array): void {
    const node = createNode(bytes, bytes);
    this.#names.set(path, node);
    this.#durableNames.set(path, node);
  }

  /** Takes a file away, durably. */
  drop(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  /** What a failed sync does to a file: later syncs pass over what this one should have written. */
  poison(path: string): void {
    const node = this.#names.get(path);
    if (node === undefined) return;
    for (let start = 0; start < node.seen.length; start += SECTOR_BYTES) {
      const end = start + SECTOR_BYTES;
      const isDirty = !node.seen.subarray(start, end).equals(node.durable.subarray(start, end));
      if (isDirty) node.forgotten.add(start / SECTOR_BYTES);
    }
  }

  // ---- Files ----

  #createFiles(): Files {
    const epoch = this.#epoch;
    const check = (doing: string, path: string): void => {
      if (epoch !== this.#epoch) throw errno("EBADF", doing, path);
    };
    const files: Files = {
      open: async (path, mode, options) => {
        check("opening", path);
        return this.#open(path, mode, options?.synced === true);
      },
      makeFolder: async (path) => void this.#folders.add(path),
      list: async (path) => this.#list(path),
      exists: async (path) => this.#names.has(path) || this.#folders.has(path),
      remove: async (path) => {
        check("removing", path);
        if (this.#names.has(path)) this.#changeName(path, undefined);
      },
      rename: async (from, to) => {
        check("renaming", from);
        const node = this.#node("renaming", from);
        this.#changeName(to, node);
        this.#changeName(from, undefined);
      },
      syncFolder: async (path) => {
        check("syncing folder", path);
        this.#syncFolder(path);
      },
      replace: (path, bytes, options) => replaceFile(files, path, bytes, options),
      map: async (path, start, length) => this.#map(path, start, length),
      freeBytes: async (folder) => {
        if (!this.#folders.has(folder)) throw errno("ENOENT", "asking the free space of", folder);
        return this.freeBytes;
      },
    };
    return files;
  }

  /** A copy: unlike on a disk, what is written later does not show. */
  #map(path: string, start: number, length: number): Uint8Array {
    const { seen } = this.#node("mapping", path);
    if (start + length > seen.length) throw errno("EINVAL", "mapping", path);
    return new Uint8Array(seen.subarray(start, start + length));
  }

  #open(path: string, mode: OpenMode, synced: boolean): OpenFile {
    const known = this.#names.get(path);
    if (mode === "create" && known !== undefined) throw errno("EEXIST", "opening", path);
    if (mode === "read" || mode === "update") this.#node("opening", path);
    if (!this.#folders.has(dirname(path))) throw errno("ENOENT", "opening", path);
    if (known !== undefined) {
      if (mode === "replace") {
        known.seen = Buffer.alloc(0);
        known.forgotten.clear();
      }
      return this.#handle(path, known, synced);
    }
    const node = createNode(Buffer.alloc(0), Buffer.alloc(0));
    this.#changeName(path, node);
    return this.#handle(path, node, synced);
  }

  #handle(path: string, node: Node, synced: boolean): OpenFile {
    const epoch = this.#epoch;
    let open = true;
    let holdsLock = false;
    const check = (doing: string): void => {
      if (!open || epoch !== this.#epoch) throw errno("EBADF", doing, path);
    };
    const write = (bytes: Uint8Array, start: number, end: number, position: number): void => {
      check("writing");
      node.seen = withBytes(node.seen, bytes.subarray(start, end), position);
      remember(node, position, position + end - start);
      if (!synced) return;
      this.onVolatileWrite();
      // Only this write's own range: O_DSYNC promises nothing for bytes that came another way.
      node.durable = withBytes(node.durable, bytes.subarray(start, end), position);
    };
    const read: OpenFile["readNow"] = (target, offset, length, position) => {
      check("reading");
      const part = node.seen.subarray(position, position + length);
      target.set(part, offset);
      return part.length;
    };
    return {
      path,
      size: async () => {
        check("asking the size of");
        return node.seen.length;
      },
      read: async (target, offset, length, position) => read(target, offset, length, position),
      readNow: read,
      write: async (bytes, start, end, position) => write(bytes, start, end, position),
      writeNow: write,
      sync: async () => {
        check("syncing");
        node.durable = afterSync(node);
      },
      truncate: async (size) => {
        check("truncating");
        node.seen = resized(node.seen, size);
      },
      lock: (): LockResult => {
        check("locking");
        if (node.locked) return "held";
        node.locked = true;
        holdsLock = true;
        return "taken";
      },
      close: async () => {
        if (holdsLock && epoch === this.#epoch) node.locked = false;
        open = false;
      },
    };
  }

  // ---- names ----

  #node(doing: string, path: string): Node {
    const node = this.#names.get(path);
    if (node === undefined) throw errno("ENOENT", doing, path);
    return node;
  }

  #list(folder: string): string[] {
    if (!this.#folders.has(folder)) throw errno("ENOENT", "listing", folder);
    const paths = [...this.paths(), ...this.#folders].filter((path) => path !== folder);
    const inside = paths.filter((path) => dirname(path) === folder);
    return inside.map((path) => path.slice(folder.length + 1)).sort();
  }

  #changeName(path: string, node: Node | undefined): void {
    apply(this.#names, { path, node });
    this.#unsyncedNames.push({ path, node });
  }

  #syncFolder(folder: string): void {
    const inside = (change: NameChange): boolean => dirname(change.path) === folder;
    for (const change of this.#unsyncedNames.filter(inside)) apply(this.#durableNames, change);
    this.#unsyncedNames = this.#unsyncedNames.filter((change) => !inside(change));
  }

  /** Nothing is promised of names that were not synced, not even their order. */
  #keepSomeNames(random: Random): void {
    for (const change of this.#unsyncedNames) {
      if (random.below(2) === 0) apply(this.#durableNames, change);
    }
  }
}

function createNode(seen: Uint8Array, durable: Uint8Array): Node {
  return {
    seen: Buffer.from(seen),
    durable: Buffer.from(durable),
    locked: false,
    forgotten: new Set(),
  };
}

function apply(names: Map<string, Node>, { path, node }: NameChange): void {
  if (node === undefined) names.delete(path);
  else names.set(path, node);
}

/**
 * What a successful sync makes durable: all but the sectors that an earlier one failed to write.
 */
function afterSync(node: Node): Buffer {
  const result = Buffer.from(node.seen);
  for (const sector of node.forgotten) {
    const start = sector * SECTOR_BYTES;
    const end = Math.min(start + SECTOR_BYTES, result.length);
    if (start >= end) continue; // it was cut off meanwhile
    result.fill(0, start, end);
    if (start < node.durable.length) node.durable.copy(result, start, start, end);
  }
  return result;
}

/** A write makes its sectors dirty again: the next sync writes them. */
function remember(node: Node, start: number, end: number): void {
  for (const sector of node.forgotten) {
    const sectorStart = sector * SECTOR_BYTES;
    if (sectorStart < end && sectorStart + SECTOR_BYTES > start) node.forgotten.delete(sector);
  }
}

/** Sectors in which the two states differ come from either, by chance; so does the size. */
function tear(node: Node, random: Random): Buffer {
  const size = random.below(2) === 0 ? node.durable.length : node.seen.length;
  const result = resized(node.durable, size);
  // What was cut off and not synced has nothing that could come in its place.
  const seenSize = Math.min(size, node.seen.length);
  for (let start = 0; start < seenSize; start += SECTOR_BYTES) {
    if (random.below(2) === 0) continue;
    node.seen.copy(result, start, start, Math.min(start + SECTOR_BYTES, seenSize));
  }
  return result;
}

function resized(bytes: Buffer, size: number): Buffer {
  const result = Buffer.alloc(size);
  bytes.copy(result, 0, 0, size);
  return result;
}

function withBytes(bytes: Buffer, part: Uint8Array, position: number): Buffer {
  const end = position + part.length;
  const result = bytes.length >= end ? bytes : resized(bytes, end);
  result.set(part, position);
  return result;
}

function errno(code: string, doing: string, path: string): KvdbError {
  return failure(doing, path, Object.assign(new Error(`${code}: on the disk in memory`), { code }));
}
