/**
 * What the files of this log are, for who keeps them while it is written (kvdb/persistence): increments, bases, and the
 * manifest that names them. While it is being switched on nothing of it counts, and the manifest goes on saying what did.
 */
import type { Files } from "kvdb";
import type { ChainForm, FileChain, LiveLog } from "kvdb/persistence";
import { type ActiveIncrement, createHead, createIncrement, entryOf } from "./increment.ts";
import {
  type BaseEntry,
  type FileNames,
  type IncrementEntry,
  type KeptIncrement,
  type LiveFiles,
  manifestText,
  type OwnIncrement,
  readManifest,
  writeManifest,
} from "./manifest.ts";

export type AofChain = FileChain<IncrementEntry, BaseEntry, ActiveIncrement>;
export type AofChainForm = ChainForm<IncrementEntry, BaseEntry, ActiveIncrement>;
type AofLiveLog = LiveLog<IncrementEntry, BaseEntry>;

/** `standing` answers what the manifest says of all else while there is no base, and nothing counts; undefined: of no other. */
export function chainForm(
  files: Files,
  names: FileNames,
  standing: () => LiveFiles | undefined,
): AofChainForm {
  const liveFiles = (live: AofLiveLog): LiveFiles => {
    const before = live.checkpoint === undefined ? standing() : undefined;
    return before === undefined ? liveFilesOf(live) : pending(before, live);
  };
  return {
    numberOf: ({ sequence }) => sequence,
    nameOf: ({ name }) => name,
    packedNameOf: (sequence) => names.packed(sequence),
    bytesOf: ({ own, size = 0 }) => own?.packedBytes ?? own?.bytes ?? size,
    firstRevisionOf: ({ own }) => own?.firstRevision,
    entryOf,
    sealedEntryOf: (active, bytes) => {
      const entry = entryOf(active);
      return { ...entry, own: { ...(entry.own as OwnIncrement), bytes } };
    },
    create: (sequence, first) => createIncrement(files, names, createHead(sequence, first)),
    checkpointNameOf: ({ name }) => name,
    coveredRevision: (base) => base?.own?.revision,
    readManifest: async () => {
      const manifest = await readManifest(files, names.manifestPath);
      if (manifest.kind !== "intact") return undefined;
      return { live: liveLogOf(manifest.live), text: manifestText(manifest.live) };
    },
    writeManifest: (live) => writeManifest(files, names.manifestPath, liveFiles(live)),
    manifestText: (live) => manifestText(liveFiles(live)),
  };
}

/** Of a sealed increment that is compressed: in which file it is, and how long that is. */
export function packedEntry(
  entry: IncrementEntry,
  name: string,
  packedBytes: number,
): IncrementEntry {
  return { ...entry, name, own: { ...(entry.own as OwnIncrement), packedBytes } };
}

export function isPacked({ own }: IncrementEntry): boolean {
  return own?.packedBytes !== undefined;
}

/** Length of the base on disk. */
export function baseBytes(base: BaseEntry | undefined): number {
  return base?.own?.bytes ?? base?.size ?? 0;
}

function liveLogOf({ base, increments, kept = [], followed = false }: LiveFiles): AofLiveLog {
  return { checkpoint: base, files: increments, kept, isFollowed: followed };
}

/** What a Redis has written is never kept. */
function liveFilesOf({ checkpoint, files, kept, isFollowed }: AofLiveLog): LiveFiles {
  const base = checkpoint && { base: checkpoint };
  const own = kept as readonly KeptIncrement[];
  return { ...base, increments: files, history: [], kept: own, followed: isFollowed };
}

/** The increments are there, and that is all. */
function pending(before: LiveFiles, { files }: AofLiveLog): LiveFiles {
  return { ...before, history: [...before.history, ...files.map(({ name }) => name)] };
}
