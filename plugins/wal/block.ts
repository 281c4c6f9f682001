/**
 * A block: up to 64 KiB of content, compressed or not, with all it takes to check it and to find it
 * without the ones before. Checkpoints consist of blocks, and so do segments that were compressed.
 * All integers are little endian.
 *
 *   offset  0   4 bytes  magic "KVB1"
 *           4   u32      length of the payload in bytes
 *           8   u32      length of the content in bytes, at most 65536
 *          12   u48      offset of this block in its file
 *          18   u48      bytes of content in the blocks before
 *          24   u48      from: what the content begins with (see kinds)
 *          30   u48      to: what it ends before or with
 *          36   u8       kind
 *          37   u8       codec: 0 the payload is the content, 1 zstd
 *          38   u16      0
 *          40   u32      CRC-32 of the payload
 *          44   u32      CRC-32 of bytes 0 to 43, begun with the salt of the file
 *          48   payload
 *
 *   kind    1  entries of a checkpoint: those from number `from` up to, not including, `to`
 *           2  the first part of one entry that is too long for a block: `from` is its number
 *           3  a further part of it, with the same `from` and `to`
 *           4  the end of the file, without content: all of it were `to` entries
 *           5  bytes of a segment (packed-segment.ts): `from` and `to` are the first and the last
 *              revision of the groups in it
 *
 * Like a group's, a block's header is taken for one only at its own offset and in its own file, so
 * that bytes in somebody's value never pass for a block when a damaged stretch is searched.
 *
 * Example: the end of an empty checkpoint, at offset 40, salt 0:
 *   4b564231 00000000 00000000 280000000000 000000000000 000000000000 000000000000 04 00 0000
 *   00000000 <crc>
 */
export const BLOCK_HEADER_BYTES = 48;
/**
 * Longest content: what is lost with one bad sector, and what a reader holds at once. Larger blocks
 * compress no better: documents to 10.4 % in blocks of 64 KiB, to 10.7 % in blocks of 1 MiB.
 */
export const MAX_CONTENT_BYTES = 64 * 1024;

export const BLOCK_MAGIC = Buffer.from("KVB1");

export const KIND_ENTRIES = 1;
export const KIND_LONG_BEGINS = 2;
export const KIND_LONG_GOES_ON = 3;
export const KIND_END = 4;
export const KIND_SEGMENT = 5;

export const CODEC_PLAIN = 0;
export const CODEC_ZSTD = 1;

const CHECKED_HEADER_BYTES = 44;
const TWO_32 = 2 ** 32;

export interface BlockHeader {
  readonly payloadLength: number;
  readonly contentLength: number;
  readonly offset: number;
  readonly contentBefore: number;
  readonly from: number;
  readonly to: number;
  readonly kind: number;
  readonly codec: number;
  readonly payloadCrc: number;
}

/** Writes a header to target[at, at + BLOCK_HEADER_BYTES). */
export function encodeBlockHeader(
  target: Buffer,
  at: number,
  header: BlockHeader,
  salt: number,
): void {
  BLOCK_MAGIC.copy(target, at);
  target.writeUInt32LE(header.payloadLength, at + 4);
  target.writeUInt32LE(header.contentLength, at + 8);
  target.writeUIntLE(header.offset, at + 12, 6);
  target.writeUIntLE(header.contentBefore, at + 18, 6);
  target.writeUIntLE(header.from, at + 24, 6);
  target.writeUIntLE(header.to, at + 30, 6);
  target.writeUInt32LE(header.kind + header.codec * 256, at + 36);
  target.writeUInt32LE(header.payloadCrc, at + 40);
  const crc = Bun.hash.crc32(target.subarray(at, at + CHECKED_HEADER_BYTES), salt);
  target.writeUInt32LE(crc, at + 44);
}

/** The header at `at`, or undefined when the bytes are none, or not of this place in this file. */
export function decodeBlockHeader(
  bytes: Buffer,
  at: number,
  place: { readonly offset: number; readonly salt: number },
): BlockHeader | undefined {
  if (bytes.readUInt32LE(at) !== BLOCK_MAGIC.readUInt32LE(0)) return undefined;
  const crc = Bun.hash.crc32(bytes.subarray(at, at + CHECKED_HEADER_BYTES), place.salt);
  if (crc !== bytes.readUInt32LE(at + 44)) return undefined;
  const offset = readUint48(bytes, at + 12);
  if (offset !== place.offset) return undefined;
  return {
    payloadLength: bytes.readUInt32LE(at + 4),
    contentLength: bytes.readUInt32LE(at + 8),
    offset,
    contentBefore: readUint48(bytes, at + 18),
    from: readUint48(bytes, at + 24),
    to: readUint48(bytes, at + 30),
    kind: bytes[at + 36],
    codec: bytes[at + 37],
    payloadCrc: bytes.readUInt32LE(at + 40),
  };
}

function readUint48(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt16LE(at + 4) * TWO_32;
}
