/** The files that a manifest names, for who finds and opens them (kvdb/persistence). */
import { join } from "node:path";
import type { NamedFiles } from "kvdb/persistence";
import { checkpointName } from "./checkpoint.ts";
import {
  type CheckpointEntry,
  type LiveFiles,
  type SegmentEntry,
  segmentFileName,
} from "./manifest.ts";

export function namedFiles(
  folder: string,
  { checkpoint, segments }: LiveFiles,
): NamedFiles<CheckpointEntry, SegmentEntry> {
  return {
    checkpoint: checkpoint && {
      entry: checkpoint,
      path: join(folder, checkpointName(checkpoint.number)),
      bytes: checkpoint.bytes,
      mode: "read",
    },
    revision: checkpoint?.revision ?? 0,
    log: segments.map((entry) => {
      const path = join(folder, segmentFileName(entry));
      return { entry, path, bytes: entry.bytes, mode: "update" };
    }),
  };
}
