/**
 * Writes a sealed increment once more, compressed, into a file beside it (packed-frame.ts). Only what
 * was found intact is compressed: an increment in which a group cannot be read stays as it is, for a
 * start to judge. Compression runs on another thread. Durable, its name included, when it resolves;
 * when it rejects no file is left.
 */
import { type Files, KvdbError, type OpenFile } from "kvdb";
import { plainSource, randomSalt } from "kvdb/persistence";
import { IncrementReader } from "./increment-reader.ts";
import type { FileNames, IncrementEntry, OwnIncrement } from "./manifest.ts";
import { encodeFront, MAX_CONTENT_BYTES } from "./packed-frame.ts";

export interface Packing {
  readonly files: Files;
  readonly names: FileNames;
  /** Of an increment of kvdb that is sealed and not compressed. */
  readonly entry: IncrementEntry;
  /** Of zstd. */
  readonly level: number;
  /** Throws when it is not wanted any more. */
  proceed(): void;
}

/** Resolves to the length of the compressed file. */
export async function packIncrement(packing: Packing): Promise<number> {
  const { files, names, entry } = packing;
  const path = names.path(names.packed(entry.sequence));
  const plain = await files.open(names.path(entry.name), "read");
  try {
    const bytes = await writeFile(packing, plain, path);
    await files.syncFolder(names.folder);
    return bytes;
  } catch (error) {
    await Promise.allSettled([files.remove(path)]); // the next start removes what stays
    throw error;
  } finally {
    await plain.close();
  }
}

async function writeFile(packing: Packing, plain: OpenFile, path: string): Promise<number> {
  await requireIntact(packing, plain);
  const file = await packing.files.open(path, "replace");
  try {
    const bytes = await pack(packing, plain, file);
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

async function requireIntact({ entry, proceed }: Packing, plain: OpenFile): Promise<void> {
  const { salt, bytes = 0 } = entry.own as OwnIncrement;
  const reader = new IncrementReader(plainSource(plain), bytes);
  const head = await reader.head();
  if (head === undefined || head.salt !== salt) throw unreadable(plain, 0);
  reader.salt = salt;
  for (let offset = head.lineBytes; offset < bytes; ) {
    proceed();
    const group = await reader.groupAt(offset);
    if (group === undefined) throw unreadable(plain, offset);
    offset = group.end;
  }
}

async function pack(packing: Packing, plain: OpenFile, file: OpenFile): Promise<number> {
  const { bytes = 0 } = packing.entry.own as OwnIncrement;
  const salt = randomSalt();
  let offset = 0;
  for (let start = 0; start < bytes; start += MAX_CONTENT_BYTES) {
    packing.proceed();
    const length = Math.min(MAX_CONTENT_BYTES, bytes - start);
    const content = Buffer.allocUnsafeSlow(length);
    const count = await plain.read(content, 0, length, start);
    if (count < length) throw unreadable(plain, start + count);
    const frame = await Bun.zstdCompress(content, { level: packing.level });
    const front = encodeFront({
      ...{ contentOffset: start, contentBytes: length, salt, offset },
      ...{ frameBytes: frame.length, frameCrc: Bun.hash.crc32(frame) },
    });
    await file.write(front, 0, front.length, offset);
    await file.write(frame, 0, frame.length, offset + front.length);
    offset += front.length + frame.length;
  }
  return offset;
}

function unreadable({ path }: OpenFile, offset: number): KvdbError {
  return new KvdbError("DAMAGE", `${path}: cannot be read at offset ${offset}`);
}
