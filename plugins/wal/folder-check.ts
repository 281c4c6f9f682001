/** How the folder of this persistence is read by who changes nothing of it (kvdb/persistence). */
import { join } from "node:path";
import { type CheckForm, damageError, type FolderOptions } from "kvdb/persistence";
import { takeInventory } from "./inventory.ts";
import { LogReading } from "./log-reading.ts";
import {
  type CheckpointEntry,
  MANIFEST_NAME,
  readManifest,
  type SegmentEntry,
} from "./manifest.ts";
import { namedFiles } from "./named-files.ts";

export function checkForm(options: FolderOptions): CheckForm<CheckpointEntry, SegmentEntry> {
  const { files, folder } = options;
  return {
    takeInventory: async () => {
      const found = await takeInventory(options);
      return { found, named: namedFiles(folder, found.live), leftovers: found.leftovers };
    },
    readNamed: async () => {
      const manifest = await readManifest(files, folder);
      if (manifest.kind === "intact") return namedFiles(folder, manifest.live);
      throw damageError(`${join(folder, MANIFEST_NAME)} cannot be read`);
    },
    readAll: async (account, parts) => {
      const reading = new LogReading(account, parts);
      await reading.readCheckpoint();
      await reading.readSegments(({ recovery }) => recovery.part.reader.source.close());
    },
  };
}
