/**
 * What lies in the folder, before any group is read: the manifest, the segments it names, and
 * leftovers of a stop in the middle of a rotation. The order of a rotation (segment made, folder
 * synced, manifest replaced, only then the first group) is what makes each leftover harmless: a
 * segment that the manifest does not name has no group.
 */
import { join } from "node:path";
import { type Dropped, type Files, KvdbError, type Log, type OpenPurpose } from "kvdb";
import { MANIFEST_NAME, PERSISTENCE_NAME, readManifest, type SegmentEntry } from "./manifest.ts";
import {
  closeAll,
  decodeSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentIdentity,
  segmentNumber,
} from "./segment.ts";

export interface Inventory {
  /** In order. Empty: a new folder, or nothing could be kept. */
  readonly segments: readonly SegmentEntry[];
  /**
   * The manifest was lost and was made up from the segments' headers: it must be written, and
   * `bytes` is not known.
   */
  readonly rebuilt: boolean;
  /** A new segment must have a number above it. */
  readonly highestNumber: number;
  readonly dropped: readonly Dropped[];
}

export interface FolderOptions {
  readonly files: Files;
  readonly folder: string;
  readonly purpose: OpenPurpose;
  readonly log: Log;
}

interface SegmentFile {
  readonly number: number;
  readonly path: string;
}

export async function takeInventory(options: FolderOptions): Promise<Inventory> {
  const { files, folder, purpose } = options;
  const recover = purpose.kind === "recover";
  const names = await files.list(folder);
  await removeUnfinishedManifest(options, names);
  const found = findSegments(folder, names);
  const manifest = await readManifest(files, folder);
  if (manifest.kind === "foreign" && (manifest.isIntact || found.length === 0)) {
    throw foreignError(options, manifest);
  }
  if (manifest.kind === "intact") return checkAgainst(options, manifest.segments, found);
  const path = join(folder, MANIFEST_NAME);
  if (manifest.kind === "missing") {
    if (!(await someHoldGroups(files, found))) return startAfresh(options, found);
    if (!recover) throw damageError(`${path} is missing, and without it the order of the segments`);
    return rebuild(options, found, []);
  }
  if (!recover) throw damageError(`${path} cannot be read: its checksum does not fit`);
  const dropped = await putAside(options, path, "the manifest cannot be read");
  return rebuild(options, found, [dropped]);
}

export function damageError(what: string): KvdbError {
  return new KvdbError("DAMAGE", `${what}; --recover keeps every intact record`);
}

/** The manifest is intact: what it does not name is a leftover or was put here by somebody. */
async function checkAgainst(
  options: FolderOptions,
  segments: readonly SegmentEntry[],
  found: readonly SegmentFile[],
): Promise<Inventory> {
  const named = new Set(segments.map((segment) => segment.number));
  const lastNumber = segments.at(-1)?.number ?? 0;
  const dropped: Dropped[] = [];
  for (const file of found) {
    if (named.has(file.number)) continue;
    // Below the last one: given up after a failed write, or forgotten, and the manifest says so by
    // not naming it.
    const outdated = file.number < lastNumber;
    if (outdated || !(await holdsGroups(options.files, file))) {
      await removeLeftover(options, file.path);
    } else if (options.purpose.kind === "recover") {
      dropped.push(await putAside(options, file.path, "not named by the manifest"));
    } else throw damageError(`${file.path} holds records, but the manifest does not name it`);
  }
  return { segments, rebuilt: false, highestNumber: highest(segments, found), dropped };
}

/** No manifest was ever durable: a stop during the first start. */
async function startAfresh(
  options: FolderOptions,
  found: readonly SegmentFile[],
): Promise<Inventory> {
  for (const file of found) await removeLeftover(options, file.path);
  return { segments: [], rebuilt: false, highestNumber: 0, dropped: [] };
}

/** The segments' own headers say what the manifest said, but for the bytes that count. */
async function rebuild(
  options: FolderOptions,
  found: readonly SegmentFile[],
  dropped: readonly Dropped[],
): Promise<Inventory> {
  const segments: SegmentEntry[] = [];
  const lost: Dropped[] = [...dropped];
  for (const file of found) {
    const identity = await readIdentity(options.files, file);
    if (identity?.number === file.number) segments.push(identity);
    else lost.push(await putAside(options, file.path, "its header cannot be read"));
  }
  return { segments, rebuilt: true, highestNumber: highest(segments, found), dropped: lost };
}

function findSegments(folder: string, names: readonly string[]): SegmentFile[] {
  const found: SegmentFile[] = [];
  for (const name of names) {
    const number = segmentNumber(name);
    if (number !== undefined) found.push({ number, path: join(folder, name) });
  }
  return found.sort((a, b) => a.number - b.number);
}

function highest(segments: readonly SegmentEntry[], found: readonly SegmentFile[]): number {
  return Math.max(0, ...segments.map(({ number }) => number), ...found.map(({ number }) => number));
}

async function someHoldGroups(files: Files, found: readonly SegmentFile[]): Promise<boolean> {
  for (const file of found) if (await holdsGroups(files, file)) return true;
  return false;
}

/**
 * Anything but a header, whole or half written, is taken for records: better refused than removed.
 */
async function holdsGroups(files: Files, { path }: SegmentFile): Promise<boolean> {
  const file = await files.open(path, "read");
  try {
    return (await file.size()) > SEGMENT_HEADER_BYTES;
  } finally {
    await file.close();
  }
}

async function readIdentity(
  files: Files,
  { path }: SegmentFile,
): Promise<SegmentIdentity | undefined> {
  const file = await files.open(path, "read");
  try {
    const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const count = await file.read(bytes, 0, bytes.length, 0);
    return decodeSegmentHeader(bytes.subarray(0, count), path);
  } finally {
    await closeAll([file]);
  }
}

async function removeUnfinishedManifest(
  { files, folder, log }: FolderOptions,
  names: readonly string[],
): Promise<void> {
  const name = `${MANIFEST_NAME}.new`;
  if (!names.includes(name)) return;
  await files.remove(join(folder, name));
  log.info("removed what a stop left behind", { file: name });
}

async function removeLeftover({ files, log }: FolderOptions, path: string): Promise<void> {
  await files.remove(path);
  log.info("removed a segment that is no part of the log", { file: path });
}

/** Takes a file out of the log without losing a byte of it. */
async function putAside(
  { files, folder }: FolderOptions,
  path: string,
  reason: string,
): Promise<Dropped> {
  const file = await files.open(path, "read");
  const bytes = await file.size().finally(() => file.close());
  const keptIn = `${path}.damaged-0`;
  await files.rename(path, keptIn);
  await files.syncFolder(folder);
  return { kind: "damage", file: path, offset: 0, bytes, reason, keptIn };
}

function foreignError(
  { folder }: FolderOptions,
  { persistence }: { readonly persistence: string },
): KvdbError {
  const message = `${folder} holds data of persistence "${persistence}", not "${PERSISTENCE_NAME}"`;
  return new KvdbError("CONFIG", message);
}
