/**
 * What the headers of all files of wal have in common; what stands in between is drawn by whoever
 * owns the file.
 *
 *   offset       0   8 bytes  what kind of file it is, in letters
 *                8   u16      version of its format
 *   length - 4       u32      CRC-32 of all before it
 */
import { KvdbError } from "kvdb";

export interface HeaderForm {
  /** Eight letters. */
  readonly magic: string;
  readonly version: number;
  readonly length: number;
}

const CRC_BYTES = 4;

/** To be filled in, and then sealed. */
export function beginHeader({ magic, version, length }: HeaderForm): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.write(magic, "latin1");
  bytes.writeUInt16LE(version, 8);
  return bytes;
}

export function sealHeader(bytes: Buffer): Buffer {
  const end = bytes.length - CRC_BYTES;
  bytes.writeUInt32LE(Bun.hash.crc32(bytes.subarray(0, end)), end);
  return bytes;
}

/** Whether `bytes` begin with such a header. Throws for a version that this kvdb does not know. */
export function hasIntactHeader(bytes: Buffer, form: HeaderForm, path: string): boolean {
  if (bytes.length < form.length) return false;
  if (bytes.toString("latin1", 0, form.magic.length) !== form.magic) return false;
  const end = form.length - CRC_BYTES;
  if (Bun.hash.crc32(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) return false;
  const version = bytes.readUInt16LE(8);
  if (version === form.version) return true;
  const message = `${path}: format version ${version}, this kvdb reads ${form.version}`;
  throw new KvdbError("CONFIG", message);
}
