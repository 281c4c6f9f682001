/** How the folder of this persistence is read by who changes nothing of it (kvdb/persistence). */
import { type CheckForm, damageError } from "kvdb/persistence";
import { type InventoryOptions, takeInventory } from "./inventory.ts";
import { LogReading } from "./log-reading.ts";
import { type BaseEntry, type IncrementEntry, readManifest } from "./manifest.ts";
import { namedFiles } from "./named-files.ts";

export function checkForm(options: InventoryOptions): CheckForm<BaseEntry, IncrementEntry> {
  const { files, names } = options;
  return {
    takeInventory: async () => {
      const found = await takeInventory(options);
      const named = namedFiles(names, found.live, found.adopted?.path);
      return { found, named, leftovers: found.leftovers };
    },
    readNamed: async () => {
      const manifest = await readManifest(files, names.manifestPath);
      if (manifest.kind === "intact") return namedFiles(names, manifest.live);
      throw damageError(`${names.manifestPath} cannot be read`);
    },
    readAll: async (account, parts) => {
      const reading = new LogReading(account, parts);
      await reading.readBase(async () => {});
      await reading.readIncrements(({ recovery }) => recovery.part.reader.source.close());
    },
  };
}
