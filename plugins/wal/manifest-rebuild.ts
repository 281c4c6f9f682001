/**
 * Makes up a manifest that was lost from the headers of the files themselves. They say all that it
 * said but how many bytes of a segment count, unless it was packed; so the end of each is judged like
 * that of the last one. Only for who asked for every intact record.
 */
import type { Files, OpenFile } from "kvdb";
import { readFront, withFile } from "kvdb/persistence";
import { BLOCK_HEADER_BYTES, decodeBlockHeader, KIND_END } from "./block.ts";
import {
  CHECKPOINT_HEADER_BYTES,
  type CheckpointIdentity,
  decodeCheckpointHeader,
} from "./checkpoint.ts";
import type { FoundFiles, NumberedFile } from "./inventory.ts";
import type { CheckpointEntry, LiveFiles, SegmentEntry } from "./manifest.ts";
import { decodePackedHeader, PACKED_HEADER_BYTES } from "./packed-segment.ts";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES } from "./segment.ts";

export interface RebuiltManifest {
  readonly live: LiveFiles;
  readonly unreadable: readonly NumberedFile[];
}

export async function rebuildManifest(files: Files, found: FoundFiles): Promise<RebuiltManifest> {
  const segments: SegmentEntry[] = [];
  const unreadable: NumberedFile[] = [];
  for (const file of found.segments) {
    const identity = await withFile(files, file.path, async (open) =>
      decodeSegmentHeader(await readFront(open, SEGMENT_HEADER_BYTES), open.path),
    );
    if (identity?.number === file.number) segments.push(identity);
    else unreadable.push(file);
  }
  for (const file of found.packed) {
    const packed = await withFile(files, file.path, readPacked);
    // Beside the segment that it was made of it was not finished, or is not needed yet.
    if (segments.some(({ number }) => number === file.number)) continue;
    if (packed?.number === file.number) segments.push(packed);
    else unreadable.push(file);
  }
  segments.sort((a, b) => a.number - b.number);
  const checkpoints: CheckpointEntry[] = [];
  for (const file of found.checkpoints) {
    const checkpoint = await withFile(files, file.path, readEnds);
    if (checkpoint?.number === file.number) checkpoints.push(checkpoint);
    else unreadable.push(file);
  }
  const checkpoint = chooseCheckpoint(checkpoints, segments);
  return { live: { ...(checkpoint && { checkpoint }), segments }, unreadable };
}

/**
 * The last one that is whole and that the log goes on from. Without one, a log that begins at the
 * first revision needs none: what is there was not finished. Otherwise one was in use and is
 * damaged.
 */
function chooseCheckpoint(
  checkpoints: readonly CheckpointEntry[],
  segments: readonly SegmentEntry[],
): CheckpointEntry | undefined {
  const begins = segments[0]?.firstRevision ?? 0;
  const fits = checkpoints.filter(({ revision }) => revision + 1 >= begins);
  const whole = fits.findLast(({ entries }) => entries !== undefined);
  if (whole !== undefined) return whole;
  return begins === 1 ? undefined : fits.at(-1);
}

/** What a checkpoint says of itself at its beginning and its end. */
async function readEnds(file: OpenFile): Promise<CheckpointEntry | undefined> {
  const identity = decodeCheckpointHeader(
    await readFront(file, CHECKPOINT_HEADER_BYTES),
    file.path,
  );
  if (identity === undefined) return undefined;
  const bytes = await file.size();
  const entries = await readEntryCount(file, bytes, identity);
  return { ...identity, bytes, ...(entries !== undefined && { entries }) };
}

async function readPacked(file: OpenFile): Promise<SegmentEntry | undefined> {
  const identity = decodePackedHeader(await readFront(file, PACKED_HEADER_BYTES), file.path);
  if (identity === undefined) return undefined;
  const { packedSalt: salt, ...segment } = identity;
  return { ...segment, packed: { salt, bytes: await file.size() } };
}

async function readEntryCount(
  file: OpenFile,
  size: number,
  { salt }: CheckpointIdentity,
): Promise<number | undefined> {
  const offset = size - BLOCK_HEADER_BYTES;
  if (offset < CHECKPOINT_HEADER_BYTES) return undefined;
  const bytes = Buffer.alloc(BLOCK_HEADER_BYTES);
  await file.read(bytes, 0, bytes.length, offset);
  const end = decodeBlockHeader(bytes, 0, { offset, salt });
  return end?.kind === KIND_END ? end.to : undefined;
}
