/** The files of the persistence `wal`, as far as a test must know them to cut and damage them (plugins/wal draws them). */
import { cp, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";

export const SEGMENT_HEADER_BYTES = 32;
const GROUP_HEADER_BYTES = 40;
const GROUP_MAGIC = "KVG1";

/** Where each group of a segment begins, and at the end where the last one ends. */
export function groupOffsets(segment: Buffer): number[] {
  const offsets = [SEGMENT_HEADER_BYTES];
  let at = SEGMENT_HEADER_BYTES;
  while (segment.toString("latin1", at, at + 4) === GROUP_MAGIC) {
    at += GROUP_HEADER_BYTES + segment.readUInt32LE(at + 4);
    offsets.push(at);
  }
  return offsets;
}

/** A copy of a data folder with one file changed; undefined: removed. */
export async function copyWith(
  from: string,
  to: string,
  name: string,
  change: (bytes: Buffer) => Buffer | undefined,
): Promise<void> {
  const content = change(await readFile(`${from}/${name}`));
  await cp(from, to, {
    recursive: true,
    filter: (path) => basename(path) !== name && !path.endsWith(".sock"),
  });
  if (content !== undefined) await writeFile(`${to}/${name}`, content);
}

/** One bit turned over. */
export function flipped(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset] = (copy[offset] ?? 0) ^ 0x10;
  return copy;
}
