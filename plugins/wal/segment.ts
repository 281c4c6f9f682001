/**
 * A segment: one file `wal-00000001.log` of the log, a header and then groups (group.ts) to the
 * end. What follows the last group may be zeros: space prepared ahead, see zeros-ahead.ts. All
 * integers are little endian.
 *
 *   offset  0   8 bytes  magic "kvdb-wal"
 *           8   u16      version of this format, 1
 *          10   u16      0
 *          12   u32      number of the segment, as in its name
 *          16   u48      revisions below it are in earlier segments, others from here on
 *          22   u16      0
 *          24   u32      salt: random, begins the CRC of every group header of this file
 *          28   u32      CRC-32 of bytes 0 to 27
 *
 * The manifest holds number, first revision and salt too: either can be read without the other.
 */
import { join } from "node:path";
import type { Files, OpenFile, Revision } from "kvdb";
import { closeAll, type LogFile, randomSalt, type Stretch } from "kvdb/persistence";
import { beginHeader, type HeaderForm, hasIntactHeader, sealHeader } from "./file-header.ts";

export const SEGMENT_HEADER_BYTES = 32;
const HEADER: HeaderForm = { magic: "kvdb-wal", version: 1, length: SEGMENT_HEADER_BYTES };

/** What names a segment: the same in its header and in the manifest. */
export interface SegmentIdentity {
  readonly number: number;
  readonly salt: number;
  readonly firstRevision: Revision;
}

/** The segment that is being written. */
export interface ActiveSegment extends SegmentIdentity, LogFile {
  /** Stretches that a repair put aside: every later manifest must go on naming them. */
  readonly damaged: readonly Stretch[];
}

export function segmentName(number: number): string {
  return `wal-${String(number).padStart(8, "0")}.log`;
}

/** The number in a segment's name; undefined for any other name. */
export function segmentNumber(name: string): number | undefined {
  const digits = /^wal-(\d{8,10})\.log$/.exec(name)?.[1];
  return digits !== undefined && segmentName(Number(digits)) === name ? Number(digits) : undefined;
}

export function createIdentity(number: number, firstRevision: Revision): SegmentIdentity {
  return { number, salt: randomSalt(), firstRevision };
}

/** Makes a segment with its header, durable but for its name: the caller syncs the folder. */
export async function createSegment(
  files: Files,
  folder: string,
  identity: SegmentIdentity,
): Promise<ActiveSegment> {
  const path = join(folder, segmentName(identity.number));
  const plain = await files.open(path, "replace");
  try {
    await plain.write(encodeSegmentHeader(identity), 0, SEGMENT_HEADER_BYTES, 0);
    await plain.sync();
    return await activateSegment(files, identity, plain, {
      end: SEGMENT_HEADER_BYTES,
      damaged: [],
    });
  } catch (error) {
    await closeAll([plain]);
    throw error;
  }
}

/** A segment whose first `end` bytes are durable, ready to be written on. */
export async function activateSegment(
  files: Files,
  identity: SegmentIdentity,
  plain: OpenFile,
  { end, damaged }: { readonly end: number; readonly damaged: readonly Stretch[] },
): Promise<ActiveSegment> {
  const { path } = plain;
  const synced = await files.open(path, "update", { synced: true });
  const ends = { end, durableEnd: end, preparedEnd: end };
  const headBytes = SEGMENT_HEADER_BYTES;
  const rest = { damaged, headBytes, foundClosing: undefined, groupCount: 0 };
  const { number, salt, firstRevision } = identity;
  return { number, salt, firstRevision, path, plain, synced, ...ends, ...rest };
}

export function encodeSegmentHeader(identity: SegmentIdentity): Buffer {
  const bytes = beginHeader(HEADER);
  bytes.writeUInt32LE(identity.number, 12);
  bytes.writeUIntLE(identity.firstRevision, 16, 6);
  bytes.writeUInt32LE(identity.salt, 24);
  return sealHeader(bytes);
}

/**
 * undefined when the bytes are no intact header. Throws for a version that this kvdb does not know.
 */
export function decodeSegmentHeader(bytes: Buffer, path: string): SegmentIdentity | undefined {
  if (!hasIntactHeader(bytes, HEADER, path)) return undefined;
  return {
    number: bytes.readUInt32LE(12),
    firstRevision: bytes.readUIntLE(16, 6),
    salt: bytes.readUInt32LE(24),
  };
}
