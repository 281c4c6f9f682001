/** The files that a manifest names, for who finds and opens them (kvdb/persistence). */
import type { NamedFiles } from "kvdb/persistence";
import type { BaseEntry, FileNames, IncrementEntry, LiveFiles } from "./manifest.ts";

/** `basePath`: where the base is, when it is not in its place yet. */
export function namedFiles(
  names: FileNames,
  { base, increments }: LiveFiles,
  basePath?: string,
): NamedFiles<BaseEntry, IncrementEntry> {
  return {
    checkpoint: base && {
      entry: base,
      path: basePath ?? names.path(base.name),
      bytes: undefined,
      mode: "update",
    },
    revision: base?.own?.revision ?? 0,
    log: increments.map((entry) => {
      const path = names.path(entry.name);
      return { entry, path, bytes: entry.own?.bytes, mode: "update" };
    }),
  };
}
