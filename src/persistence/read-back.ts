/**
 * Reads records back that left memory before they were durable, as they do in mode `no`: after a
 * failure they are written again with the others.
 */
import type { RecordBatch } from "../plugin.ts";

/** A group, good until the next is read. */
interface ReadGroup {
  /** Where it ends in its file. */
  readonly end: number;
  readonly batches: readonly RecordBatch[];
}

interface GroupReader {
  groupAt(offset: number): ReadGroup | undefined | Promise<ReadGroup | undefined>;
}

/** The records of the groups in [start, end). Rejects when one of them cannot be read. */
export async function readBack(
  reader: GroupReader,
  start: number,
  end: number,
): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for (let offset = start; offset < end; ) {
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
