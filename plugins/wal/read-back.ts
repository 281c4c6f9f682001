/**
 * Reads records back that left memory before they were durable, as they do in mode `no`: after a
 * failure they are written again with the others. Rejects when one of them cannot be read.
 */
import type { RecordBatch } from "kvdb";
import type { ActiveSegment } from "./segment.ts";
import { SegmentReader } from "./segment-reader.ts";
import { plainSource } from "./segment-source.ts";

/** From what is durable up to `end`. */
export async function readBack(active: ActiveSegment, end: number): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  const reader = new SegmentReader(plainSource(active.plain), end, active.salt);
  for (let offset = active.durableEnd; offset < end; ) {
    const group = await reader.groupAt(offset);
    if (group === undefined) throw new Error(`no group at offset ${offset}`);
    batches.push(...group.batches.map(copyBatch));
    offset = group.end;
  }
  return batches;
}

/** The reader uses its buffer again. */
function copyBatch(batch: RecordBatch): RecordBatch {
  const bytes = Buffer.from(batch.bytes.subarray(batch.start, batch.end));
  return { ...batch, bytes, start: 0, end: bytes.length };
}
