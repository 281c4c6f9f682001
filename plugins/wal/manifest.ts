/**
 * `manifest.json`: the checkpoint to begin with, and which segments are the log behind it, in
 * order. It is the truth about what is live: a file that it does not name is a leftover, one that it
 * names and that is gone is damage. Replaced atomically, and only when it changes: at the first
 * start, at a rotation, at a checkpoint, at a repair. Never on the hot path.
 *
 *   {
 *     "persistence": "wal",
 *     "format": 2,
 *     "checkpoint": {
 *       "number": 3, "salt": 1093822157, "revision": 50310, "bytes": 4718592, "entries": 40960
 *     },
 *     "segments": [
 *       { "number": 7, "salt": 2774829083, "firstRevision": 50311, "bytes": 67108200,
 *         "packed": { "salt": 3209128231, "bytes": 7340032 } },
 *       { "number": 8, "salt": 905338161, "firstRevision": 61234 }
 *     ],
 *     "checksum": "9b2c01fe"
 *   }
 *
 * `kept`, where there are any: segments before these that the checkpoint covers, for who reads the log; as the others, with
 * `coveredMs`, since when. What is wrong with them costs no data. An earlier kvdb takes them for leftovers.
 *
 * `followed`, where it is true: somebody has followed the changes, so some segments are to be kept.
 *
 * `checkpoint` is absent until there is one. `bytes` of a segment (all but the last): the first so
 * many bytes were durable when the next segment was begun; nothing behind them counts. `packed`: they
 * are in the file `wal-00000007.logz`. `damaged`: stretches that a repair put aside, skipped when
 * reading. `checksum`: CRC-32 in hex of the whole as JSON without it, without white space. Format 1 is
 * the same without checkpoints and packed segments.
 */
import { join } from "node:path";
import { type Files, KvdbError } from "kvdb";
import type { Stretch } from "kvdb/persistence";
import type { CheckpointIdentity } from "./checkpoint.ts";
import { packedName } from "./packed-segment.ts";
import { type SegmentIdentity, segmentName } from "./segment.ts";

export const MANIFEST_NAME = "manifest.json";
export const PERSISTENCE_NAME = "wal";
const FORMAT_VERSION = 2;
/** Folders of every earlier version are read for ever; the next manifest is of this version. */
const READ_VERSIONS: readonly unknown[] = [1, FORMAT_VERSION];

/** What counts, as the manifest says. */
export interface LiveFiles {
  readonly checkpoint?: CheckpointEntry;
  readonly segments: readonly SegmentEntry[];
  /** Older ones, which are covered by the checkpoint. */
  readonly kept?: readonly KeptEntry[];
  /** Somebody has followed the changes. */
  readonly followed?: boolean;
}

export interface CheckpointEntry extends CheckpointIdentity {
  /** Length of the file. */
  readonly bytes: number;
  /** Absent when nobody knows: the manifest was made up and the checkpoint's end is lost. */
  readonly entries?: number;
  readonly damaged?: readonly Stretch[];
}

export interface SegmentEntry extends SegmentIdentity {
  /** How many bytes of it count; absent for the last segment, which is still written. */
  readonly bytes?: number;
  readonly damaged?: readonly Stretch[];
  /** Its bytes are in a packed file; offsets above are those of the segment all the same. */
  readonly packed?: PackedEntry;
}

export interface KeptEntry extends SegmentEntry {
  /** In milliseconds since 1970. */
  readonly coveredMs: number;
}

/** The file of a packed segment (packed-segment.ts). */
export interface PackedEntry {
  readonly salt: number;
  /** Length of the file. */
  readonly bytes: number;
  /** Stretches of the file that cannot be read and hold nothing of the segment. */
  readonly damaged?: readonly Stretch[];
}

/** Of the file that a segment's bytes are in. */
export function segmentFileName({ number, packed }: SegmentEntry): string {
  return packed === undefined ? segmentName(number) : packedName(number);
}

export type ReadManifest =
  | { readonly kind: "missing" }
  | { readonly kind: "damaged"; readonly bytes: number }
  /** Of another persistence. `isIntact`: its checksum fits, so it is no manifest of ours with a flipped bit. */
  | { readonly kind: "foreign"; readonly persistence: string; readonly isIntact: boolean }
  | { readonly kind: "intact"; readonly live: LiveFiles };

export async function readManifest(files: Files, folder: string): Promise<ReadManifest> {
  const path = join(folder, MANIFEST_NAME);
  if (!(await files.exists(path))) return { kind: "missing" };
  const text = await readText(files, path);
  const content = parseObject(text);
  if (content === undefined) return { kind: "damaged", bytes: text.length };
  const { checksum, ...rest } = content;
  const isIntact = checksum === checksumOf(rest);
  const persistence = content["persistence"];
  if (typeof persistence === "string" && persistence !== PERSISTENCE_NAME) {
    // A manifest of ours with a flipped bit may name anything: whose it is, the caller finds out
    // from the other files.
    return { kind: "foreign", persistence, isIntact };
  }
  if (!isIntact) return { kind: "damaged", bytes: text.length };
  if (!READ_VERSIONS.includes(rest["format"])) {
    const known = READ_VERSIONS.join(" and ");
    const message = `${path}: format version ${rest["format"]}, this kvdb reads ${known}`;
    throw new KvdbError("CONFIG", message);
  }
  // The checksum fits: these are the fields that `writeManifest` wrote.
  return { kind: "intact", live: rest as unknown as LiveFiles };
}

/** Durable when it resolves. */
export async function writeManifest(files: Files, folder: string, live: LiveFiles): Promise<void> {
  await files.replace(join(folder, MANIFEST_NAME), Buffer.from(manifestText(live)));
}

/** The same for the same files, whichever wider objects they are handed in by. */
export function manifestText({ checkpoint, segments, kept = [], followed }: LiveFiles): string {
  const rest = {
    persistence: PERSISTENCE_NAME,
    format: FORMAT_VERSION,
    ...(checkpoint === undefined ? {} : { checkpoint: checkpointToJson(checkpoint) }),
    ...(followed === true ? { followed } : {}),
    ...(kept.length === 0 ? {} : { kept: kept.map(keptToJson) }),
    segments: segments.map(segmentToJson),
  };
  return `${JSON.stringify({ ...rest, checksum: checksumOf(rest) }, null, 2)}\n`;
}

// Only these fields, in this order: callers hand in wider objects, and the checksum is one of the
// text.

function checkpointToJson(entry: CheckpointEntry): CheckpointEntry {
  const { number, salt, revision, bytes, entries, damaged } = entry;
  const counted = entries === undefined ? {} : { entries };
  return { number, salt, revision, bytes, ...counted, ...damagedToJson(damaged) };
}

function segmentToJson({
  number,
  salt,
  firstRevision,
  bytes,
  damaged,
  packed,
}: SegmentEntry): SegmentEntry {
  const sealed = bytes === undefined ? {} : { bytes };
  const file = packed === undefined ? {} : { packed: packedToJson(packed) };
  return { number, salt, firstRevision, ...sealed, ...damagedToJson(damaged), ...file };
}

function keptToJson(entry: KeptEntry): KeptEntry {
  return { ...segmentToJson(entry), coveredMs: entry.coveredMs };
}

function packedToJson({ salt, bytes, damaged }: PackedEntry): PackedEntry {
  return { salt, bytes, ...damagedToJson(damaged) };
}

function damagedToJson(damaged: readonly Stretch[] = []): { damaged?: readonly Stretch[] } {
  return damaged.length === 0 ? {} : { damaged };
}

function checksumOf(content: object): string {
  return Bun.hash.crc32(JSON.stringify(content)).toString(16).padStart(8, "0");
}

async function readText(files: Files, path: string): Promise<string> {
  const file = await files.open(path, "read");
  try {
    const bytes = Buffer.alloc(await file.size());
    const count = await file.read(bytes, 0, bytes.length, 0);
    return bytes.toString("utf8", 0, count);
  } finally {
    await file.close();
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // No JSON: the caller calls it damage and says where.
    return undefined;
  }
}
