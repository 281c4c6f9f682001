/**
 * Between a third-party persistence and the sink: a document that it hands over is JSON, as VALUE.SET has had it, and
 * compact, as the store keeps it; else it would be found out by whoever reads the key, or never. The scan takes as long as
 * all the rest of a load, so the built-in persistences are spared: a checksum or a grammar of their own covers each
 * document.
 */
import { KvdbError } from "../errors.ts";
import type { LoadSink, StoredEntry } from "../plugin.ts";
import { JsonScanner } from "../store/json-text.ts";
import { shownKey } from "../store/shown-key.ts";

const scanner = new JsonScanner();
// What comes from a file was stored once, by the rules of its time.
scanner.allowsDuplicates = true;

export function checkDocuments(sink: LoadSink): LoadSink {
  return {
    entry: (entry) => {
      if (entry.type === "json") requireDocument(entry);
      sink.entry(entry);
    },
    records: (batch) => sink.records(batch),
    progress: (done, total) => sink.progress(done, total),
  };
}

function requireDocument(entry: Readonly<StoredEntry>): void {
  const { valueBytes, valueStart, valueEnd } = entry;
  // Only read, as all that a scanner does.
  if (!scanner.scan(valueBytes as Buffer, valueStart, valueEnd)) {
    throw noDocument(
      entry,
      `no JSON, ${scanner.problem} at byte ${scanner.problemAt - valueStart}`,
    );
  }
  if (scanner.compactSize < valueEnd - valueStart) throw noDocument(entry, "not compact");
}

function noDocument(entry: Readonly<StoredEntry>, reason: string): KvdbError {
  const key = shownKey(entry.keyBytes, entry.keyStart, entry.keyEnd);
  return new KvdbError("DAMAGE", `database ${entry.database}, key ${key}: a document is ${reason}`);
}
