/**
 * The simplest persistence that keeps checkpoints and no records: the whole state as lines of JSON
 * in one file, replaced atomically. It shows that the suite asks for nothing but what the contract
 * says.
 */
import { join } from "node:path";
import { definePlugin, type EntryReader, type Files, KvdbError } from "kvdb";
import { createEntryReader, type EntryShape, type State } from "kvdb/testing";

const NAME = "state.jsonl";

export const naiveCheckpoints = definePlugin<Record<string, never>>({
  name: "naive-checkpoints",
  apiVersion: 1,
  persistence: (_options, { files, folder }) => ({
    supports: { records: false, checkpoints: true },
    durability: "none",
    async open() {},
    async load(sink) {
      const { revision, entries, bytes } = await readState(files, join(folder, NAME));
      const reader = createEntryReader({ revision, entries });
      while (reader.next()) sink.entry(reader.entry);
      return { records: 0, bytes, lastRevision: revision, clean: revision === 0, dropped: [] };
    },
    append() {
      throw new KvdbError("INTERNAL", "no record was to be appended");
    },
    async flush() {},
    async close() {},
  }),
  async writeCheckpoint(entries, { files, folder, proceed }) {
    const bytes = encode(entries, proceed);
    await files.replace(join(folder, NAME), bytes);
    return { bytes: bytes.length };
  },
});

function encode(reader: EntryReader, proceed: () => void): Buffer {
  const lines = [JSON.stringify(reader.revision)];
  while (reader.next()) {
    proceed();
    const { entry } = reader;
    const { database, type, deadlineMs, version } = entry;
    const key = entry.keyBytes.toString("base64", entry.keyStart, entry.keyEnd);
    const value = entry.valueBytes.toString("base64", entry.valueStart, entry.valueEnd);
    lines.push(JSON.stringify({ database, type, key, value, deadlineMs, version }));
  }
  return Buffer.from(lines.join("\n"));
}

async function readState(files: Files, path: string): Promise<State & { bytes: number }> {
  if (!(await files.exists(path))) return { revision: 0, entries: [], bytes: 0 };
  const file = await files.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0, bytes.length, 0).finally(() => file.close());
  const [revision = "", ...lines] = bytes.toString().split("\n");
  const entries = lines.map((line): EntryShape => {
    const { key, value, ...rest } = JSON.parse(line);
    return { ...rest, key: Buffer.from(key, "base64"), value: Buffer.from(value, "base64") };
  });
  return { revision: JSON.parse(revision), entries, bytes: bytes.length };
}
