/**
 * What lies in the folder, before any of it is read: the manifest, the files that it names, and
 * leftovers of a stop. The order in which files are made and named (file made, folder synced,
 * manifest replaced, only then used or removed) is what makes each leftover harmless: what the
 * manifest does not name was not used yet, or is not needed any more. Leftovers are only listed
 * here; they are removed when the folder was read and its names are durable.
 */
import { join } from "node:path";
import { type Dropped, KvdbError } from "kvdb";
import { FolderDamage, type FolderOptions, sizeOf } from "kvdb/persistence";
import { checkpointNumber } from "./checkpoint.ts";
import {
  type LiveFiles,
  MANIFEST_NAME,
  PERSISTENCE_NAME,
  readManifest,
  segmentFileName,
} from "./manifest.ts";
import { rebuildManifest } from "./manifest-rebuild.ts";
import { packedNumber } from "./packed-segment.ts";
import { SEGMENT_HEADER_BYTES, segmentNumber } from "./segment.ts";

export interface Inventory {
  /** Without segments: a new folder, or nothing could be kept. */
  readonly live: LiveFiles;
  /**
   * The manifest was lost and was made up from the files' own headers: it must be written, and
   * `bytes` of the segments is not known.
   */
  readonly rebuilt: boolean;
  /** New files must have numbers above these. */
  readonly highest: { readonly segment: number; readonly checkpoint: number };
  readonly dropped: readonly Dropped[];
  /** Paths of files that may go. */
  readonly leftovers: readonly string[];
}

export interface NumberedFile {
  readonly number: number;
  readonly path: string;
}

/** By number, each in order. */
export interface FoundFiles {
  readonly segments: readonly NumberedFile[];
  readonly packed: readonly NumberedFile[];
  readonly checkpoints: readonly NumberedFile[];
}

export async function takeInventory(options: FolderOptions): Promise<Inventory> {
  const { files, folder } = options;
  const names = await files.list(folder);
  const found: FoundFiles = {
    segments: numbered(folder, names, segmentNumber),
    packed: numbered(folder, names, packedNumber),
    checkpoints: numbered(folder, names, checkpointNumber),
  };
  const unfinished = `${MANIFEST_NAME}.new`;
  const taking = new InventoryTaking(options, found);
  if (names.includes(unfinished)) taking.leftovers.push(join(folder, unfinished));
  return taking.run();
}

const ALL_GONE = "the manifest, which every start leaves, is gone, and with it all data";

class InventoryTaking {
  readonly leftovers: string[] = [];
  readonly #options: FolderOptions;
  readonly #found: FoundFiles;
  readonly #damage: FolderDamage;

  constructor(options: FolderOptions, found: FoundFiles) {
    this.#options = options;
    this.#found = found;
    this.#damage = new FolderDamage(options, options.folder);
  }

  async run(): Promise<Inventory> {
    const { files, folder } = this.#options;
    const manifest = await readManifest(files, folder);
    const isEmpty = Object.values(this.#found).every((files) => files.length === 0);
    if (manifest.kind === "foreign" && (manifest.isIntact || isEmpty)) {
      throw foreignError(folder, manifest.persistence);
    }
    if (manifest.kind === "intact") {
      await this.#checkAgainst(manifest.live);
      return this.#inventory(manifest.live, false);
    }
    const path = join(folder, MANIFEST_NAME);
    if (manifest.kind === "missing") {
      if (!(await this.#someHoldData())) return this.#startAfresh();
      const what = `${path} is missing, and without it the order of the segments`;
      this.#damage.refuse(what);
      this.#damage.report(path, 0, "the manifest is missing");
    } else {
      this.#damage.refuse(`${path} cannot be read: its checksum does not fit`);
      await this.#damage.putAside(path, "the manifest cannot be read");
    }
    const { live, unreadable } = await rebuildManifest(files, this.#found);
    for (const file of unreadable)
      await this.#damage.putAside(file.path, "its header cannot be read");
    return this.#inventory(live, true);
  }

  #inventory(live: LiveFiles, rebuilt: boolean): Inventory {
    const { segments, packed, checkpoints } = this.#found;
    const named = live.checkpoint === undefined ? [] : [live.checkpoint];
    return {
      live,
      rebuilt,
      highest: {
        segment: highest([...segments, ...packed, ...live.segments]),
        checkpoint: highest([...checkpoints, ...named]),
      },
      dropped: this.#damage.dropped,
      leftovers: this.leftovers,
    };
  }

  /** The manifest is intact: what it does not name is a leftover or was put here by somebody. */
  async #checkAgainst({ checkpoint, segments, kept = [] }: LiveFiles): Promise<void> {
    const { folder } = this.#options;
    const named = new Set(
      [...kept, ...segments].map((segment) => join(folder, segmentFileName(segment))),
    );
    const lastNumber = segments.at(-1)?.number ?? 0;
    for (const file of [...this.#found.segments, ...this.#found.packed]) {
      if (named.has(file.path)) continue;
      // Up to the last one: given up after a failed write, forgotten, packed or not packed whole,
      // and the manifest says so by not naming it.
      const isOutdated = file.number <= lastNumber;
      if (isOutdated || !(await this.#holdsGroups(file))) this.leftovers.push(file.path);
      else {
        this.#damage.refuse(`${file.path} holds records, but the manifest does not name it`);
        await this.#damage.putAside(file.path, "not named by the manifest");
      }
    }
    // One that was given up, or that a later one has replaced.
    for (const file of this.#found.checkpoints) {
      if (file.number !== checkpoint?.number) this.leftovers.push(file.path);
    }
  }

  /** No manifest was ever durable: a stop during the first start. Or all files are gone, which only a later one can know. */
  #startAfresh(): Inventory {
    const { folder, isNewFolder } = this.#options;
    if (!isNewFolder) this.#damage.report(join(folder, MANIFEST_NAME), 0, ALL_GONE);
    // Their numbers are not used again: they are removed when new files are there already.
    this.leftovers.push(...this.#found.segments.map(({ path }) => path));
    return this.#inventory({ segments: [] }, false);
  }

  /** Neither a checkpoint nor a packed segment is begun before there is a manifest. */
  async #someHoldData(): Promise<boolean> {
    if (this.#found.checkpoints.length + this.#found.packed.length > 0) return true;
    for (const file of this.#found.segments) if (await this.#holdsGroups(file)) return true;
    return false;
  }

  /**
   * Anything but a header, whole or half written, is taken for records: better refused than
   * removed.
   */
  async #holdsGroups({ path }: NumberedFile): Promise<boolean> {
    return (await sizeOf(this.#options.files, path)) > SEGMENT_HEADER_BYTES;
  }
}

function numbered(
  folder: string,
  names: readonly string[],
  numberOf: (name: string) => number | undefined,
): NumberedFile[] {
  const found: NumberedFile[] = [];
  for (const name of names) {
    const number = numberOf(name);
    if (number !== undefined) found.push({ number, path: join(folder, name) });
  }
  return found.sort((a, b) => a.number - b.number);
}

function highest(files: readonly { readonly number: number }[]): number {
  return Math.max(0, ...files.map(({ number }) => number));
}

function foreignError(folder: string, persistence: string): KvdbError {
  const message = `${folder} holds data of persistence "${persistence}", not "${PERSISTENCE_NAME}"`;
  return new KvdbError("CONFIG", message);
}
