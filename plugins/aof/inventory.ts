/**
 * What lies in the folder, before any of it is read: the manifest, the files that it names, what
 * Redis of another version or another configuration has left, and leftovers of a stop. The order in
 * which files are made and named (file made, folder synced, manifest replaced, only then used or
 * removed) is what makes each leftover harmless: what the manifest does not name was not used yet,
 * or is not needed any more. Leftovers are only listed here; they are removed when the folder was
 * read and its names are durable.
 */
import { basename, dirname } from "node:path";
import { type Dropped, type Files, KvdbError } from "kvdb";
import { FolderDamage, type FolderOptions, readFront, sizeOf, withFile } from "kvdb/persistence";
import { MAX_LINE_BYTES, readFileLine } from "./group-line.ts";
import {
  type FileNames,
  type LiveFiles,
  MANIFEST_SUFFIX,
  type NamedFile,
  readManifest,
} from "./manifest.ts";
import { rebuildLive } from "./manifest-rebuild.ts";

export interface Inventory {
  /** Without files: a new folder, or nothing could be kept. */
  readonly live: LiveFiles;
  /** What names the files is not on disk as it must be. */
  readonly rebuilt: boolean;
  /** Where the base is, when it is not in its place yet. */
  readonly adopted?: Adopted;
  /** New files must have sequence numbers above these. */
  readonly highest: { readonly base: number; readonly increment: number };
  readonly dropped: readonly Dropped[];
  /** Paths of files that may go. */
  readonly leftovers: readonly string[];
}

/**
 * A base that is taken over. `old`: the AOF of a Redis before 7; `rdb`: what stays its owner's. Both are
 * copied, under a name of their own until the manifest names them; `copy`: a stop came behind that.
 */
export interface Adopted {
  readonly path: string;
  readonly kind: "old" | "rdb" | "copy";
}

/** Ends the name of a base that is being copied. */
export const COPY_SUFFIX = ".new";

export interface InventoryOptions extends FolderOptions {
  readonly names: FileNames;
  /** Path of an AOF as Redis had it before version 7. */
  readonly oldPath: string;
  /** Path of the RDB that is loaded when there is no AOF. */
  readonly rdbPath: string;
}

export async function takeInventory(options: InventoryOptions): Promise<Inventory> {
  const { files, names } = options;
  const found = (await files.exists(names.folder)) ? await files.list(names.folder) : [];
  return new InventoryTaking(options, found).run();
}

/** The highest sequence numbers of files in the folder, which is made when there is none. */
export async function highestIn(
  files: Files,
  names: FileNames,
): Promise<Pick<Inventory, "highest">> {
  if (!(await files.exists(names.folder))) {
    await files.makeFolder(names.folder);
    await files.syncFolder(dirname(names.folder));
  }
  const found = (await files.list(names.folder)).map((name) => names.parse(name));
  const of = (kind: NamedFile["kind"]) =>
    highest(found.filter((file) => file !== undefined).filter((file) => file.kind === kind));
  return { highest: { base: of("base"), increment: of("increment") } };
}

const ALL_GONE = "the manifest, which every start leaves, is gone, and with it all data";

class InventoryTaking {
  readonly #options: InventoryOptions;
  readonly #found: readonly NamedFile[];
  readonly #leftovers: string[];
  /** Manifests of other names: somebody's data. */
  readonly #others: readonly string[];
  readonly #damage: FolderDamage;

  constructor(options: InventoryOptions, found: readonly string[]) {
    this.#options = options;
    const { names } = options;
    this.#damage = new FolderDamage(options, names.folder);
    this.#found = found.map((name) => names.parse(name)).filter((file) => file !== undefined);
    const ownManifest = basename(names.manifestPath);
    const isOther = (name: string) => name.endsWith(MANIFEST_SUFFIX) && name !== ownManifest;
    this.#others = found.filter(isOther);
    const isUnfinished = (name: string) => name.endsWith(COPY_SUFFIX);
    this.#leftovers = found.filter(isUnfinished).map((name) => names.path(name));
  }

  async run(): Promise<Inventory> {
    const { files, names } = this.#options;
    const path = names.manifestPath;
    const manifest = await readManifest(files, path);
    if (manifest.kind === "intact" && manifest.live.standing === "off") return this.#replaced();
    if (manifest.kind === "intact" && manifest.live.standing === "new")
      return this.#adoptOrStart(false);
    if (manifest.kind === "intact") {
      await this.#checkAgainst(manifest.live);
      const copied = await this.#copied(manifest.live);
      return { ...this.#inventory(manifest.live, false), ...copied };
    }
    if (manifest.kind === "missing" && this.#others.length > 0) throw this.#isCalledOtherwise();
    if (manifest.kind === "missing") {
      if (!(await this.#someHoldData())) return this.#adoptOrStart(!this.#options.isNewFolder);
      this.#damage.refuse(`${path} is missing, and without it the order of the files`);
      this.#damage.report(path, 0, "the manifest is missing");
    } else {
      this.#damage.refuse(`${path} cannot be read: ${manifest.reason}`);
      await this.#damage.putAside(path, `the manifest cannot be read: ${manifest.reason}`);
    }
    const { live, unreadable } = await rebuildLive(files, this.#found);
    for (const file of unreadable)
      await this.#damage.putAside(file.path, "its head cannot be read");
    return this.#inventory(live, true);
  }

  #inventory(live: LiveFiles, rebuilt: boolean): Inventory {
    const { base } = live;
    const bases = this.#found.filter(({ kind }) => kind === "base");
    const increments = this.#found.filter(({ kind }) => kind === "increment");
    return {
      live,
      rebuilt,
      highest: {
        base: highest([...bases, ...(base === undefined ? [] : [base])]),
        increment: highest([...increments, ...live.increments]),
      },
      dropped: this.#damage.dropped,
      leftovers: this.#leftovers,
    };
  }

  /** The manifest is intact: what it does not name is a leftover or was put here by somebody. */
  async #checkAgainst({ base, increments, history, kept = [] }: LiveFiles): Promise<void> {
    const { files, names } = this.#options;
    const named = new Set([base?.name, ...[...kept, ...increments].map(({ name }) => name)]);
    const lastSequence = increments.at(-1)?.sequence ?? 0;
    for (const file of this.#found) {
      if (named.has(file.name)) continue;
      // Up to the last one: given up after a failed write, forgotten, packed or not packed whole,
      // and the manifest says so by not naming it.
      // In the history: of an append-only file that was to be switched on.
      const isOutdated =
        file.kind === "base" || file.sequence <= lastSequence || history.includes(file.name);
      if (isOutdated || !(await this.#holdsGroups(file))) this.#leftovers.push(file.path);
      else {
        this.#damage.refuse(`${file.path} holds records, but the manifest does not name it`);
        await this.#damage.putAside(file.path, "not named by the manifest");
      }
    }
    const known = new Set(this.#leftovers);
    for (const name of history) {
      const path = names.path(name);
      if (!known.has(path) && (await files.exists(path))) this.#leftovers.push(path);
    }
  }

  /** A base that was taken over: whole under another name still, or in its place, but the old one stays. */
  async #copied({ base }: LiveFiles): Promise<Pick<Inventory, "adopted">> {
    const { files, names, oldPath } = this.#options;
    if (base === undefined) return {};
    const path = names.path(base.name) + COPY_SUFFIX;
    if (!(await files.exists(names.path(base.name)))) {
      const at = this.#leftovers.indexOf(path);
      if (at < 0) return {};
      this.#leftovers.splice(at, 1);
      return { adopted: { path, kind: "copy" } };
    }
    if (base.name === basename(oldPath) && (await files.exists(oldPath))) {
      this.#leftovers.push(oldPath);
    }
    return {};
  }

  /** An RDB has taken the place of all that is named here. */
  async #replaced(): Promise<Inventory> {
    const { rdbPath, names } = this.#options;
    const adopted = await this.#adoptOrStart(false);
    if (adopted.adopted?.kind === "rdb") return adopted;
    const what = `${rdbPath} is gone, which has taken the place of the append-only file`;
    this.#damage.refuse(what);
    this.#damage.report(rdbPath, 0, "the file is gone; all that was in it is lost");
    const manifest = await readManifest(this.#options.files, names.manifestPath);
    const { base, increments, history } = manifest.kind === "intact" ? manifest.live : adopted.live;
    return this.#inventory({ ...(base && { base }), increments, history }, true);
  }

  /** No manifest counts: another Redis has left its files, or it is the first start. */
  async #adoptOrStart(isGone: boolean): Promise<Inventory> {
    const { files, names, oldPath, rdbPath } = this.#options;
    // Their numbers are not used again: they are removed when new files are there already.
    this.#leftovers.push(...this.#found.map(({ path }) => path));
    const none = this.#inventory({ increments: [], history: [] }, false);
    const sequence = none.highest.base + 1;
    for (const { path, kind, name } of [
      { path: oldPath, kind: "old", name: basename(oldPath) } as const,
      { path: rdbPath, kind: "rdb", name: names.base(sequence, true) } as const,
    ]) {
      if (!(await files.exists(path)) || (await sizeOf(files, path)) === 0) continue;
      const live = { ...none.live, base: { name, sequence } };
      return { ...none, live, rebuilt: true, adopted: { path, kind } };
    }
    if (isGone) this.#damage.report(names.manifestPath, 0, ALL_GONE);
    return none;
  }

  /** A base is not begun before there is a manifest. */
  async #someHoldData(): Promise<boolean> {
    for (const file of this.#found) {
      if (file.kind === "base" || (await this.#holdsGroups(file))) return true;
    }
    return false;
  }

  /**
   * Anything but a head, whole or half written, is taken for records: better refused than removed.
   */
  async #holdsGroups({ path }: NamedFile): Promise<boolean> {
    return withFile(this.#options.files, path, async (file) => {
      const front = await readFront(file, MAX_LINE_BYTES);
      const head = readFileLine(front, 0, front.length);
      return (await file.size()) > (head?.lineBytes ?? MAX_LINE_BYTES);
    });
  }

  /** Better refused than begun anew beside it. */
  #isCalledOtherwise(): KvdbError {
    const { names } = this.#options;
    const name = (this.#others[0] as string).slice(0, -MANIFEST_SUFFIX.length);
    const message = `${names.folder} has an append-only file "${name}": name it as "appendfilename", or move it away`;
    return new KvdbError("CONFIG", message);
  }
}

function highest(files: readonly { readonly sequence: number }[]): number {
  return Math.max(0, ...files.map(({ sequence }) => sequence));
}
