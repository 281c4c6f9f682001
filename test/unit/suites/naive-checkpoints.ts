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
    const { database, type, deadlineMs, version, isTimed, isContinued } = entry;
    const key = entry.keyBytes.toString("base64", entry.keyStart, entry.keyEnd);
    const value = entry.valueBytes.toString("base64", entry.valueStart, entry.valueEnd);
    const numbers = { database, type, deadlineMs, version, isTimed, isContinued };
    lines.push(JSON.stringify({ ...numbers, key, value }));
  }
  return Buffer.from(lines.join("\n"));
}

async function readState(files: Files, path: string): Promise<State & { bytes: number }> {
  if (!(await files.exists(path))) return { revision: 0, entries: [], bytes: 0 };
  const file = await files.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0, bytes.length, 0).finally(() => file.close());
  const [revision = "", ...lines] = bytes.toString().split("\n");
  return { revision: JSON.parse(revision), entries: shapesOf(lines), bytes: bytes.length };
}

/** Parts of a value are lines of their own. */
function shapesOf(lines: readonly string[]): EntryShape[] {
  const shapes: EntryShape[] = [];
  let wasContinued = false;
  for (const line of lines) {
    const { key, value, isContinued, ...rest } = JSON.parse(line);
    const bytes = Buffer.from(value, "base64");
    if (wasContinued) {
      const first = shapes.pop() as EntryShape;
      shapes.push({ ...first, furtherParts: [...(first.furtherParts ?? []), bytes] });
    } else shapes.push({ ...rest, key: Buffer.from(key, "base64"), value: bytes });
    wasContinued = isContinued;
  }
  return shapes;
}
