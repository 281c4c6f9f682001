/**
 * A copy without data, for who has asked for Redis's functions alone (`redis-cli --functions-rdb`): an RDB that has a head and
 * an end. It lies in memory.
 */
import type { EntryReader, StoredEntry } from "../plugin.ts";
import { writeRdb } from "../rdb/file-writer.ts";
import { auxOf } from "./copy-task.ts";
import { FullCopy } from "./full-copy.ts";
import type { StreamCut } from "./stream.ts";

const NOTHING = Buffer.alloc(0);

const NO_ENTRY: StoredEntry = {
  ...{ database: 0, type: "string", keyBytes: NOTHING, keyStart: 0, keyEnd: 0 },
  ...{ valueBytes: NOTHING, valueStart: 0, valueEnd: 0, deadlineMs: 0, version: 0 },
  ...{ isContinued: false, isTimed: false },
};

/** It is held by whoever asked for it. */
export async function emptyCopy(cut: StreamCut, timeMs: number): Promise<FullCopy> {
  const parts: Buffer[] = [];
  const write = (bytes: Buffer, start: number, end: number): void => {
    parts.push(Buffer.from(bytes.subarray(start, end)));
  };
  const entries: EntryReader = {
    ...{ revision: cut.revision, timeMs, entryCount: 0, keyCount: 0, elementCount: 0 },
    entry: NO_ENTRY,
    next: () => false,
  };
  await writeRdb(entries, { write }, { aux: auxOf(cut), proceed: () => {} });
  const whole = Buffer.concat(parts);
  const read = async (target: Uint8Array, offset: number, length: number, position: number) =>
    whole.copy(target, offset, position, position + length);
  const copy = new FullCopy(cut, { read, close: async () => {} }, () => {});
  copy.hold();
  copy.finish(whole.length);
  return copy;
}
