/**
 * What a backup says of itself, at its very end, so that it is found without reading the rest:
 *
 *   frames      zstd frames, one behind the other: each up to 1 MiB of the RDB, with a checksum of its content
 *   u32         0x184D2A5B: a frame that every reader of zstd skips
 *   u32         length of what follows
 *   manifest    JSON, UTF-8
 *   u32         length of the manifest
 *   u32         CRC-32 of the manifest and its length
 *   8 bytes     "KVDBBAK1"
 *
 * So `zstd -d` makes an RDB of it that redis-server loads. Numbers are little endian. `frames` of the manifest has the length
 * of each frame and the CRC-32 of its bytes; with that a reader notices damage before it unpacks it, and can say where.
 *
 * Example of a manifest (one line in the file):
 *
 *   {"format":1,"version":"0.1.0","revision":42,"timeMs":1795664117000,"keys":{"0":3},"entries":4,
 *    "indexes":[{"database":0,"name":"city"}],"digest":"…","rawBytes":512,"bytes":300,"sha256":"…","frames":[[300,2774923]]}
 */
import { KvdbError } from "../errors.ts";
import type { Revision } from "../plugin.ts";
import type { ContentSummary } from "./content-account.ts";
import type { BackupSource } from "./storage.ts";

export const BACKUP_FORMAT = 1;
/** Of the RDB in one frame. */
export const FRAME_BYTES = 1 << 20;
/** A frame of what cannot be compressed is a little longer than its content. */
export const MAX_PACKED_BYTES = FRAME_BYTES + (1 << 16);

const SKIPPABLE_MAGIC = 0x184d2a5b;
const HEAD_BYTES = 8;
const MAGIC = Buffer.from("KVDBBAK1");
const TAIL_BYTES = 16;
const RDB_MAGIC = Buffer.from("REDIS");
/** An arena has at most 32 GiB, so 32 768 frames of some 20 bytes each: more is no manifest. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
/** What is read of the end at first: most manifests are shorter. */
const LIKELY_BYTES = 64 * 1024;

export interface BackupManifest extends ContentSummary {
  readonly format: number;
  /** Of kvdb. */
  readonly version: string;
  readonly revision: Revision;
  /** When its image was taken, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Of the RDB. */
  readonly rawBytes: number;
  /** Of all frames. */
  readonly bytes: number;
  /** Of all frames. */
  readonly sha256: string;
  readonly frames: readonly (readonly [bytes: number, crc32: number])[];
}

/** What stands behind the frames. */
export function encodeManifest(manifest: BackupManifest): Buffer {
  const text = Buffer.from(JSON.stringify(manifest));
  const whole = Buffer.alloc(HEAD_BYTES + text.length + TAIL_BYTES);
  whole.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  whole.writeUInt32LE(text.length + TAIL_BYTES, 4);
  text.copy(whole, HEAD_BYTES);
  const tailAt = HEAD_BYTES + text.length;
  whole.writeUInt32LE(text.length, tailAt);
  whole.writeUInt32LE(Bun.hash.crc32(whole.subarray(HEAD_BYTES, tailAt + 4)), tailAt + 4);
  MAGIC.copy(whole, tailAt + 8);
  return whole;
}

/** Throws a KvdbError("DAMAGE") with the offset when there is none; `name` is for messages. */
export async function readManifest(source: BackupSource, name: string): Promise<BackupManifest> {
  const { size } = source;
  const end = await readEnd(source, Math.min(size, LIKELY_BYTES), name);
  if (end.length < HEAD_BYTES + TAIL_BYTES || !end.subarray(-MAGIC.length).equals(MAGIC)) {
    await requireNoRdb(source, name);
    const reason = "it does not end as a backup does: is it cut, or no backup of kvdb at all?";
    throw damaged(name, Math.max(0, size - MAGIC.length), reason);
  }
  const length = end.readUInt32LE(end.length - TAIL_BYTES);
  const wholeBytes = HEAD_BYTES + length + TAIL_BYTES;
  if (length > MAX_MANIFEST_BYTES || wholeBytes > size) {
    throw damaged(name, size - TAIL_BYTES, `a manifest of ${length} bytes does not fit in it`);
  }
  const whole =
    wholeBytes <= end.length
      ? end.subarray(end.length - wholeBytes)
      : await readEnd(source, wholeBytes, name);
  requireWhole(whole, length, { name, offset: size - wholeBytes });
  const written: unknown = JSON.parse(whole.toString("utf8", HEAD_BYTES, HEAD_BYTES + length));
  // Before anything else of it: what another format has there is not for us to judge.
  requireFormat(written, name);
  if (isManifest(written) && written.bytes === size - wholeBytes) return written;
  throw damaged(name, size - wholeBytes, "its manifest does not describe it");
}

function requireFormat(written: unknown, name: string): void {
  const format = (written as BackupManifest | null)?.format;
  if (!isCount(format) || format === BACKUP_FORMAT) return;
  const message = `backup ${name} has format ${format}, this kvdb reads ${BACKUP_FORMAT}`;
  throw new KvdbError("CONFIG", message);
}

/** Who has a file of Redis is told what takes it. */
async function requireNoRdb(source: BackupSource, name: string): Promise<void> {
  const head = Buffer.alloc(RDB_MAGIC.length);
  await source.read(head, 0, head.length, 0);
  if (!head.equals(RDB_MAGIC)) return;
  throw new KvdbError("COMMAND", `${name} is no backup but an RDB file: \`kvdb import\` takes it`);
}

async function readEnd(source: BackupSource, bytes: number, name: string): Promise<Buffer> {
  const end = Buffer.alloc(bytes);
  const count = await source.read(end, 0, bytes, source.size - bytes);
  if (count === bytes) return end;
  throw damaged(name, source.size - bytes + count, "it ends before its end");
}

function requireWhole(
  whole: Buffer,
  length: number,
  { name, offset }: { name: string; offset: number },
): void {
  const tailAt = HEAD_BYTES + length;
  const isHead =
    whole.readUInt32LE(0) === SKIPPABLE_MAGIC && whole.readUInt32LE(4) === length + TAIL_BYTES;
  if (!isHead) throw damaged(name, offset, "there is no frame of a manifest");
  const crc = Bun.hash.crc32(whole.subarray(HEAD_BYTES, tailAt + 4));
  if (crc !== whole.readUInt32LE(tailAt + 4)) {
    throw damaged(name, offset + HEAD_BYTES, "the manifest fails its checksum");
  }
}

/** Its checksum is right, so only another program can have written what is wrong. */
function isManifest(value: unknown): value is BackupManifest {
  const manifest = value as BackupManifest;
  return (
    typeof value === "object" &&
    value !== null &&
    [manifest.format, manifest.revision, manifest.timeMs, manifest.entries].every(isCount) &&
    [manifest.rawBytes, manifest.bytes].every(isCount) &&
    [manifest.digest, manifest.sha256, manifest.version].every((one) => typeof one === "string") &&
    typeof manifest.keys === "object" &&
    Array.isArray(manifest.indexes) &&
    areFrames(manifest)
  );
}

/** All of them, and nothing between. */
function areFrames({ frames, bytes, rawBytes }: BackupManifest): boolean {
  if (!Array.isArray(frames) || frames.length !== Math.ceil(rawBytes / FRAME_BYTES)) return false;
  const sizes = frames.map(([size]) => size);
  const areSizes = sizes.every((size) => isCount(size) && size <= MAX_PACKED_BYTES);
  return areSizes && sizes.reduce((sum, size) => sum + size, 0) === bytes;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Of a backup, at an offset of its file. */
export function damaged(name: string, offset: number, reason: string): KvdbError {
  return new KvdbError("DAMAGE", `backup ${name} is damaged at offset ${offset}: ${reason}`);
}
