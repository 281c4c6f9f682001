/**
 * A group: what one flush writes, in one write. Its header says where it stands and how far the
 * segment was known to be durable when it was written; that is what tells an unsynced tail from
 * damage after a crash (FORMAT.md). All integers are little endian.
 *
 *   offset  0   4 bytes  magic "KVG1"
 *           4   u32      payload length in bytes
 *           8   u32      records in the payload; 0 in a closing group
 *          12   u48      first revision; of a closing group: the one that would have come next
 *          18   u48      offset of this group in its file
 *          24   u48      the file was durable up to this offset when the group was written
 *          30   u8       kind: 1 records, 2 closing (written last, by a stop in order)
 *          31   u8       0
 *          32   u32      CRC-32 of the payload
 *          36   u32      CRC-32 of bytes 0 to 35, begun with the segment's salt
 *          40   payload: batches, one after the other
 *
 *   batch   0   f64      milliseconds since 1970 of its first record
 *           8   u32      records in it
 *          12   u32      length of its frames in bytes
 *          16   frames, as the journal made them
 *
 * Revisions in a group are consecutive. The salt is random and known to no client, so bytes of a
 * user's value never pass for a group when a torn stretch is searched.
 *
 * Example: closing group at offset 32 of a segment with salt 0, durable up to 32, next revision 1:
 *   4b564731 00000000 00000000 010000000000 200000000000 200000000000 02 00 00000000 <crc>
 */
import type { RecordBatch, Revision } from "kvdb";

export const GROUP_HEADER_BYTES = 40;
export const BATCH_HEADER_BYTES = 16;

export const GROUP_MAGIC = Buffer.from("KVG1");
export const KIND_RECORDS = 1;
export const KIND_CLOSING = 2;

const CHECKED_HEADER_BYTES = 36;
const TWO_32 = 2 ** 32;

/** What the header of a group says. */
export interface GroupHeader {
  readonly payloadLength: number;
  readonly count: number;
  readonly firstRevision: Revision;
  readonly offset: number;
  readonly durable: number;
  readonly kind: number;
  readonly payloadCrc: number;
}

/**
 * A group that was read and found intact. Its batches point into a buffer that the next read
 * reuses.
 */
export interface Group extends GroupHeader {
  /** Where it ends in its file. */
  readonly end: number;
  readonly batches: readonly RecordBatch[];
}

/** Writes a header to the front of `target`. */
export function encodeGroupHeader(
  target: Buffer,
  view: DataView,
  header: GroupHeader,
  salt: number,
): void {
  GROUP_MAGIC.copy(target, 0);
  view.setUint32(4, header.payloadLength, true);
  view.setUint32(8, header.count, true);
  setUint48(view, 12, header.firstRevision);
  setUint48(view, 18, header.offset);
  setUint48(view, 24, header.durable);
  view.setUint16(30, header.kind, true);
  view.setUint32(32, header.payloadCrc, true);
  view.setUint32(36, Bun.hash.crc32(target.subarray(0, CHECKED_HEADER_BYTES), salt), true);
}

/**
 * The header at `at`, or undefined when the bytes are none, or not of this place in this segment.
 */
export function decodeGroupHeader(
  bytes: Buffer,
  at: number,
  place: { offset: number; salt: number },
): GroupHeader | undefined {
  if (bytes.readUInt32LE(at) !== GROUP_MAGIC.readUInt32LE(0)) return undefined;
  const checked = bytes.subarray(at, at + CHECKED_HEADER_BYTES);
  const crc = Bun.hash.crc32(checked, place.salt);
  if (crc !== bytes.readUInt32LE(at + 36)) return undefined;
  const offset = bytes.readUIntLE(at + 18, 6);
  if (offset !== place.offset) return undefined;
  return {
    payloadLength: bytes.readUInt32LE(at + 4),
    count: bytes.readUInt32LE(at + 8),
    firstRevision: bytes.readUIntLE(at + 12, 6),
    offset,
    durable: bytes.readUIntLE(at + 24, 6),
    kind: bytes.readUInt16LE(at + 30),
    payloadCrc: bytes.readUInt32LE(at + 32),
  };
}

export function encodeBatchHeader(view: DataView, at: number, batch: RecordBatch): void {
  view.setFloat64(at, batch.timeMs, true);
  view.setUint32(at + 8, batch.count, true);
  view.setUint32(at + 12, batch.end - batch.start, true);
}

/**
 * The batches of a payload at bytes[start, …), or undefined when it is not what its header says.
 */
export function decodePayload(
  bytes: Buffer,
  start: number,
  header: GroupHeader,
): readonly RecordBatch[] | undefined {
  const end = start + header.payloadLength;
  if (Bun.hash.crc32(bytes.subarray(start, end)) !== header.payloadCrc) return undefined;
  const batches: RecordBatch[] = [];
  let firstRevision = header.firstRevision;
  let at = start;
  while (at < end) {
    if (end - at < BATCH_HEADER_BYTES) return undefined;
    const count = bytes.readUInt32LE(at + 8);
    const framesStart = at + BATCH_HEADER_BYTES;
    const framesEnd = framesStart + bytes.readUInt32LE(at + 12);
    if (framesEnd > end) return undefined;
    const timeMs = bytes.readDoubleLE(at);
    batches.push({ firstRevision, count, timeMs, bytes, start: framesStart, end: framesEnd });
    firstRevision += count;
    at = framesEnd;
  }
  return firstRevision - header.firstRevision === header.count ? batches : undefined;
}

function setUint48(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true); // takes the low 32 bits by itself
  view.setUint16(at + 4, value / TWO_32, true);
}
