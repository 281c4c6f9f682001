/**
 * A checkpoint: one file `checkpoint-00000001.kvc` that holds the state of all databases as it was
 * at one revision: a header, then blocks (block.ts) of entries (checkpoint-entry.ts), the last of
 * which says that it is the last. It counts once the manifest names it. All integers are little
 * endian.
 *
 *   offset  0   8 bytes  magic "kvdb-ckp"
 *           8   u16      version of this format, 1
 *          10   u16      0
 *          12   u32      number of the checkpoint, as in its name
 *          16   u48      revision: everything up to it is in here, and nothing later
 *          22   u16      0
 *          24   f64      when it was taken, in milliseconds since 1970
 *          32   u32      salt: random, begins the CRC of every block header of this file
 *          36   u32      CRC-32 of bytes 0 to 35
 */
import type { Revision } from "kvdb";
import { beginHeader, type HeaderForm, hasIntactHeader, sealHeader } from "./file-header.ts";

export const CHECKPOINT_HEADER_BYTES = 40;
const HEADER: HeaderForm = { magic: "kvdb-ckp", version: 1, length: CHECKPOINT_HEADER_BYTES };

/** What names a checkpoint: the same in its header and in the manifest. */
export interface CheckpointIdentity {
  readonly number: number;
  readonly salt: number;
  readonly revision: Revision;
}

/** What the worker is given, and hands back when it has written the file. */
export interface CheckpointTask extends CheckpointIdentity {
  /** Level of zstd; 0: no compression. */
  readonly level: number;
}

export interface WrittenFile extends CheckpointIdentity {
  readonly entries: number;
}

export function checkpointName(number: number): string {
  return `checkpoint-${String(number).padStart(8, "0")}.kvc`;
}

/** The number in a checkpoint's name; undefined for any other name. */
export function checkpointNumber(name: string): number | undefined {
  const digits = /^checkpoint-(\d{8,10})\.kvc$/.exec(name)?.[1];
  return digits !== undefined && checkpointName(Number(digits)) === name
    ? Number(digits)
    : undefined;
}

export function encodeCheckpointHeader(identity: CheckpointIdentity, timeMs: number): Buffer {
  const bytes = beginHeader(HEADER);
  bytes.writeUInt32LE(identity.number, 12);
  bytes.writeUIntLE(identity.revision, 16, 6);
  bytes.writeDoubleLE(timeMs, 24);
  bytes.writeUInt32LE(identity.salt, 32);
  return sealHeader(bytes);
}

/**
 * undefined when the bytes are no intact header. Throws for a version that this kvdb does not know.
 */
export function decodeCheckpointHeader(
  bytes: Buffer,
  path: string,
): CheckpointIdentity | undefined {
  if (!hasIntactHeader(bytes, HEADER, path)) return undefined;
  return {
    number: bytes.readUInt32LE(12),
    revision: bytes.readUIntLE(16, 6),
    salt: bytes.readUInt32LE(32),
  };
}
