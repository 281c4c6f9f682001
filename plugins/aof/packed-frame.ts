/**
 * A compressed increment: one file `appendonly.aof.1.incr.aof.zst` of plain zstd frames, so that
 * `zstd -dc` gives the increment back. In front of each frame stands one that zstd skips, and that
 * says what follows. All integers are little endian.
 *
 *   offset  0   u32      0x184d2a5b, the magic of a frame to be skipped
 *           4   u32      32: what follows of it
 *           8   u48      offset in the increment of what the next frame holds
 *          14   u32      length of that
 *          18   u32      length of the next frame
 *          22   u32      CRC-32 of the next frame
 *          26   u32      salt: random, the same in the whole file
 *          30   u48      offset of this frame in the file
 *          36   u32      CRC-32 of bytes 0 to 35
 *          40   the frame
 *
 * The offset in the file and the salt keep what users have stored from passing for such a front.
 */
export const FRONT_BYTES = 40;
/** An increment is compressed in pieces of at most so many bytes. */
export const MAX_CONTENT_BYTES = 1 << 20;

const MAGIC = 0x184d2a5b;
const SKIPPED_BYTES = 32;

export const FRONT_MAGIC = Buffer.from([0x5b, 0x2a, 0x4d, 0x18, SKIPPED_BYTES, 0, 0, 0]);

export interface FrameFront {
  readonly contentOffset: number;
  readonly contentBytes: number;
  readonly frameBytes: number;
  readonly frameCrc: number;
  readonly salt: number;
  /** Of the front in its file. */
  readonly offset: number;
}

export function encodeFront(front: FrameFront): Buffer {
  const bytes = Buffer.alloc(FRONT_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(SKIPPED_BYTES, 4);
  bytes.writeUIntLE(front.contentOffset, 8, 6);
  bytes.writeUInt32LE(front.contentBytes, 14);
  bytes.writeUInt32LE(front.frameBytes, 18);
  bytes.writeUInt32LE(front.frameCrc, 22);
  bytes.writeUInt32LE(front.salt, 26);
  bytes.writeUIntLE(front.offset, 30, 6);
  bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(0, 36)), 36);
  return bytes;
}

/** undefined when bytes[at, at + FRONT_BYTES) are no front that stands at `offset`. */
export function decodeFront(bytes: Buffer, at: number, offset: number): FrameFront | undefined {
  if (bytes.length - at < FRONT_BYTES || bytes.readUInt32LE(at) !== MAGIC) return undefined;
  const crc = Bun.hash.crc32(bytes.subarray(at, at + 36));
  if (crc !== bytes.readUInt32LE(at + 36) || bytes.readUIntLE(at + 30, 6) !== offset) {
    return undefined;
  }
  return {
    contentOffset: bytes.readUIntLE(at + 8, 6),
    contentBytes: bytes.readUInt32LE(at + 14),
    frameBytes: bytes.readUInt32LE(at + 18),
    frameCrc: bytes.readUInt32LE(at + 22),
    salt: bytes.readUInt32LE(at + 26),
    offset,
  };
}
