/**
 * A packed segment: one file `wal-00000001.logz` that holds the bytes of a sealed segment, its
 * header included, in blocks (block.ts). Put one after the other, their contents are the file
 * `wal-00000001.log` as far as it counted, so groups keep their offsets. A block holds whole groups;
 * one that is longer than a block has blocks of its own. All integers are little endian.
 *
 *   offset  0   8 bytes  magic "kvdb-wlz"
 *           8   u16      version of this format, 1
 *          10   u16      0
 *          12   u32      number of the segment, as in its name
 *          16   u48      first revision of the segment
 *          22   u48      length of the segment in bytes
 *          28   u32      salt of the segment
 *          32   u32      salt of this file: random, begins the CRC of every block header in it
 *          36   u32      CRC-32 of bytes 0 to 35
 *
 *   kind 5 of a block: bytes of a segment, with the first and the last revision of its groups in
 *   `from` and `to`. The last block has kind 4, no content, and those of the whole segment.
 */
import { beginHeader, type HeaderForm, hasIntactHeader, sealHeader } from "./file-header.ts";
import type { SegmentIdentity } from "./segment.ts";

export const PACKED_HEADER_BYTES = 40;
const HEADER: HeaderForm = { magic: "kvdb-wlz", version: 1, length: PACKED_HEADER_BYTES };

/** What names a packed segment: the same in its header and in the manifest. */
export interface PackedIdentity extends SegmentIdentity {
  /** Length of the segment that it was. */
  readonly bytes: number;
  readonly packedSalt: number;
}

export function packedName(number: number): string {
  return `wal-${String(number).padStart(8, "0")}.logz`;
}

/** The number in a packed segment's name; undefined for any other name. */
export function packedNumber(name: string): number | undefined {
  const digits = /^wal-(\d{8,10})\.logz$/.exec(name)?.[1];
  return digits !== undefined && packedName(Number(digits)) === name ? Number(digits) : undefined;
}

export function encodePackedHeader(identity: PackedIdentity): Buffer {
  const bytes = beginHeader(HEADER);
  bytes.writeUInt32LE(identity.number, 12);
  bytes.writeUIntLE(identity.firstRevision, 16, 6);
  bytes.writeUIntLE(identity.bytes, 22, 6);
  bytes.writeUInt32LE(identity.salt, 28);
  bytes.writeUInt32LE(identity.packedSalt, 32);
  return sealHeader(bytes);
}

/**
 * undefined when the bytes are no intact header. Throws for a version that this kvdb does not know.
 */
export function decodePackedHeader(bytes: Buffer, path: string): PackedIdentity | undefined {
  if (!hasIntactHeader(bytes, HEADER, path)) return undefined;
  return {
    number: bytes.readUInt32LE(12),
    firstRevision: bytes.readUIntLE(16, 6),
    bytes: bytes.readUIntLE(22, 6),
    salt: bytes.readUInt32LE(28),
    packedSalt: bytes.readUInt32LE(32),
  };
}
