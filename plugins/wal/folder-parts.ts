/**
 * The files that a manifest names, found and measured before any is read: the checkpoint and the
 * segments. At rest each is opened when its turn comes; of a folder that another instance writes to
 * all are opened at once, for that one may remove any of them at any time.
 */
import { join } from "node:path";
import { KvdbError, type OpenFile, type Revision } from "kvdb";
import { closeAll, damageError, type FolderOptions, sizeOf } from "kvdb/persistence";
import { checkpointName } from "./checkpoint.ts";
import {
  type CheckpointEntry,
  type LiveFiles,
  MANIFEST_NAME,
  readManifest,
  type SegmentEntry,
  segmentFileName,
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
  readonly checkpoint: FilePart<CheckpointEntry> | undefined;
  readonly segments: readonly FilePart<SegmentEntry>[];
  /** Of all that is to be read. */
  readonly bytes: number;
}

export async function findParts(options: FolderOptions, live: LiveFiles): Promise<FolderParts> {
  const { files, purpose } = options;
  return collect(options, live, async (path, mode) => {
    const size = (await files.exists(path)) ? await sizeOf(files, path) : undefined;
    return { path, size, open: () => files.open(path, purpose.kind === "check" ? "read" : mode) };
  });
}

/** So often a folder may change while it is being opened: each time takes a compaction. */
const ATTEMPTS = 5;

/**
 * The parts of a folder that is being written to, as they were at one moment. What is missing is
 * damage, unless the manifest has changed meanwhile.
 */
export class HeldFolder {
  readonly #options: FolderOptions;
  /** Opened, and nobody's yet. */
  readonly #held = new Set<OpenFile>();

  constructor(options: FolderOptions) {
    this.#options = options;
  }

  async open(upTo: Revision): Promise<FolderParts> {
    let live = await this.#readLive();
    for (let attempt = 1; ; attempt++) {
      const parts = await this.#hold(live);
      const now = isWhole(parts) ? live : await this.#readLive();
      if (attempt === ATTEMPTS || JSON.stringify(now) === JSON.stringify(live)) {
        if ((live.checkpoint?.revision ?? 0) > upTo) throw isTooNew(upTo);
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
    if (file === undefined) throw new KvdbError("INTERNAL", "wal: a missing file was to be read");
    this.#held.delete(file);
    return file;
  }

  /** It is replaced atomically: whenever it is read, it is one or the other. */
  async #readLive(): Promise<LiveFiles> {
    const { files, folder } = this.#options;
    const manifest = await readManifest(files, folder);
    if (manifest.kind === "intact") return manifest.live;
    throw damageError(`${join(folder, MANIFEST_NAME)} cannot be read`);
  }
}

function isTooNew(upTo: Revision): KvdbError {
  const message = `a checkpoint has replaced what the folder held at revision ${upTo}; try again`;
  return new KvdbError("UNAVAILABLE", message);
}

function isWhole({ checkpoint, segments }: FolderParts): boolean {
  const isThere = ({ size }: { readonly size: number | undefined }) => size !== undefined;
  return segments.every(isThere) && (checkpoint === undefined || isThere(checkpoint));
}

/** `update`: it may be the one that is written on. */
type Find = (path: string, mode: "read" | "update") => Promise<Omit<FilePart<unknown>, "entry">>;

async function collect(
  { folder }: FolderOptions,
  live: LiveFiles,
  find: Find,
): Promise<FolderParts> {
  const segments: FilePart<SegmentEntry>[] = [];
  let bytes = live.checkpoint?.bytes ?? 0;
  for (const entry of live.segments) {
    const found = await find(join(folder, segmentFileName(entry)), "update");
    bytes += entry.bytes ?? found.size ?? 0;
    segments.push({ entry, ...found });
  }
  const { checkpoint: entry } = live;
  if (entry === undefined) return { checkpoint: undefined, segments, bytes };
  const found = await find(join(folder, checkpointName(entry.number)), "read");
  return { checkpoint: { entry, ...found }, segments, bytes };
}
