/**
 * The files that a manifest names, found and measured before any is read: the base and the
 * increments. At rest each is opened when its turn comes; of a folder that another instance writes
 * to all are opened at once, for that one may remove any of them at any time.
 */
import { KvdbError, type OpenFile, type Revision } from "kvdb";
import { closeAll, damageError, type FolderOptions, sizeOf } from "kvdb/persistence";
import {
  type BaseEntry,
  type FileNames,
  type IncrementEntry,
  type LiveFiles,
  readManifest,
} from "./manifest.ts";

export interface FilePart<Entry> {
  readonly entry: Entry;
  readonly path: string;
  /** undefined: the manifest names it, but it is gone. */
  readonly size: number | undefined;
  /** The caller closes it. */
  open(): Promise<OpenFile>;
}

export interface FolderParts {
  readonly base: FilePart<BaseEntry> | undefined;
  readonly increments: readonly FilePart<IncrementEntry>[];
  /** Of all that is to be read. */
  readonly bytes: number;
}

export interface AofFolder extends FolderOptions {
  readonly names: FileNames;
  /** A base that lies elsewhere still: where. */
  readonly basePath?: string;
}

export async function findParts(options: AofFolder, live: LiveFiles): Promise<FolderParts> {
  const { files, purpose } = options;
  const mode = purpose.kind === "check" ? "read" : "update";
  return collect(options, live, async (path) => {
    const size = (await files.exists(path)) ? await sizeOf(files, path) : undefined;
    return { path, size, open: () => files.open(path, mode) };
  });
}

/** So often a folder may change while it is being opened: each time takes a rewrite. */
const ATTEMPTS = 5;

/**
 * The parts of a folder that is being written to, as they were at one moment. What is missing is
 * damage, unless the manifest has changed meanwhile.
 */
export class HeldFolder {
  readonly #options: AofFolder;
  /** Opened, and nobody's yet. */
  readonly #held = new Set<OpenFile>();

  constructor(options: AofFolder) {
    this.#options = options;
  }

  async open(upTo: Revision): Promise<FolderParts> {
    let live = await this.#readLive();
    for (let attempt = 1; ; attempt++) {
      const parts = await this.#hold(live);
      const now = isWhole(parts) ? live : await this.#readLive();
      if (attempt === ATTEMPTS || JSON.stringify(now) === JSON.stringify(live)) {
        if ((live.base?.own?.revision ?? 0) > upTo) throw isTooNew(upTo);
        return parts;
      }
      await this.close();
      live = now;
    }
  }

  async close(): Promise<void> {
    await closeAll([...this.#held]);
    this.#held.clear();
  }

  #hold(live: LiveFiles): Promise<FolderParts> {
    return collect(this.#options, live, async (path) => {
      const file = await this.#openUnlessGone(path);
      if (file === undefined) return { path, size: undefined, open: () => this.#take(undefined) };
      this.#held.add(file);
      return { path, size: await file.size(), open: () => this.#take(file) };
    });
  }

  async #openUnlessGone(path: string): Promise<OpenFile | undefined> {
    const { files } = this.#options;
    try {
      return await files.open(path, "read");
    } catch (error) {
      if (await files.exists(path)) throw error;
      return undefined;
    }
  }

  async #take(file: OpenFile | undefined): Promise<OpenFile> {
    if (file === undefined) throw new KvdbError("INTERNAL", "aof: a missing file was to be read");
    this.#held.delete(file);
    return file;
  }

  /** It is replaced atomically: whenever it is read, it is one or the other. */
  async #readLive(): Promise<LiveFiles> {
    const { files, names } = this.#options;
    const manifest = await readManifest(files, names.manifestPath);
    if (manifest.kind === "intact") return manifest.live;
    throw damageError(`${names.manifestPath} cannot be read`);
  }
}

function isTooNew(upTo: Revision): KvdbError {
  const message = `a rewrite has replaced what the folder held at revision ${upTo}; try again`;
  return new KvdbError("UNAVAILABLE", message);
}

function isWhole({ base, increments }: FolderParts): boolean {
  const isThere = ({ size }: { readonly size: number | undefined }) => size !== undefined;
  return increments.every(isThere) && (base === undefined || isThere(base));
}

type Find = (path: string) => Promise<Omit<FilePart<unknown>, "entry">>;

async function collect(
  { names, basePath }: AofFolder,
  live: LiveFiles,
  find: Find,
): Promise<FolderParts> {
  const increments: FilePart<IncrementEntry>[] = [];
  let bytes = 0;
  for (const entry of live.increments) {
    const found = await find(names.path(entry.name));
    bytes += entry.own?.bytes ?? found.size ?? 0;
    increments.push({ entry, ...found });
  }
  if (live.base === undefined) return { base: undefined, increments, bytes };
  const found = await find(basePath ?? names.path(live.base.name));
  bytes += found.size ?? 0;
  return { base: { entry: live.base, ...found }, increments, bytes };
}
