/**
 * The manifest was lost: what counts is made up from the files themselves. The latest base, and all
 * increments whose heads can be read, in the order of their numbers; records that the base has are
 * skipped by their revision. Where a file ended, nobody knows: all of it counts.
 */
import type { Files } from "kvdb";
import { frontOf } from "kvdb/persistence";
import { MAX_LINE_BYTES, readFileLine } from "./group-line.ts";
import type { IncrementEntry, LiveFiles, NamedFile } from "./manifest.ts";

export async function rebuildLive(
  files: Files,
  found: readonly NamedFile[],
): Promise<{ live: LiveFiles; unreadable: readonly NamedFile[] }> {
  const bySequence = [...found].sort((a, b) => a.sequence - b.sequence);
  const base = bySequence.findLast(({ kind }) => kind === "base");
  const increments: IncrementEntry[] = [];
  const unreadable: NamedFile[] = [];
  for (const file of bySequence) {
    if (file.kind !== "increment") continue;
    const { name, sequence } = file;
    // Whole beside its compressed form: a stop came in between, and either says the same.
    if (increments.at(-1)?.sequence === sequence) continue;
    const front = await frontOf(files, file.path, MAX_LINE_BYTES);
    const head = readFileLine(front, 0, front.length);
    if (head === undefined && front.length > 0 && isOwn(front)) unreadable.push(file);
    else increments.push({ name, sequence, ...(head && { own: { ...head } }) });
  }
  const named = base === undefined ? {} : { base: { name: base.name, sequence: base.sequence } };
  return { live: { ...named, increments, history: [] }, unreadable };
}

function isOwn(front: Buffer): boolean {
  return front.toString("latin1", 0, 2) === "#k";
}
