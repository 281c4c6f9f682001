/**
 * All changes as lines of JSON in one file, to be read with any tool:
 *
 *   {"firstRevision":1,"count":1,"timeMs":1767225600000,"crc":912559,"records":"…$3\r\nSET\r\n…"}
 *   {"clean":true}     the last line, after an orderly stop
 *
 * Each flush replaces the whole file, durably: what cannot be read is damage. For some MB of changes.
 */
import { join } from "node:path";
import { type Dropped, definePlugin, type Files, KvdbError, type RecordBatch } from "kvdb";

const CLEAN = '{"clean":true}';

export default definePlugin({
  name: "json-lines",
  apiVersion: 1,
  persistence(_options, { files, folder, purpose }) {
    const path = join(folder, "changes.jsonl");
    const lines: string[] = [];
    /** So many of the lines are in the file, and whether this run has written it. */
    let [savedCount, hasWritten, lastFlush] = [0, false, Promise.resolve() as Promise<unknown>];

    async function save(...ending: readonly string[]): Promise<void> {
      const count = lines.length;
      await files.replace(path, Buffer.from([...lines, ...ending, ""].join("\n")));
      [savedCount, hasWritten] = [count, true];
    }

    return {
      supports: { records: true, checkpoints: false },
      durability: "always",
      async open() {},
      async load(sink) {
        const bytes = await readAll(path, files);
        const found = bytes.length === 0 ? [CLEAN] : bytes.toString().trimEnd().split("\n");
        const clean = found.at(-1) === CLEAN;
        if (clean) found.pop();
        const dropped: Dropped[] = [];
        let [records, lastRevision] = [0, 0];
        for (const [index, line] of found.entries()) {
          const batch = decode(line);
          if (batch === undefined && purpose.kind !== "recover") {
            throw new KvdbError("DAMAGE", `${path}: line ${index + 1} is damaged; see --recover`);
          } else if (batch === undefined) {
            const keptIn = `${path}.damaged-${index + 1}`;
            await files.replace(keptIn, Buffer.from(line));
            const place = { file: path, offset: bytes.indexOf(line), bytes: line.length };
            dropped.push({ ...place, kind: "damage", reason: "a damaged line", keptIn });
            continue;
          }
          sink.records(batch);
          lines.push(line);
          records += batch.count;
          lastRevision = batch.firstRevision + batch.count - 1;
          await new Promise(setImmediate); // clients are told LOADING meanwhile
        }
        savedCount = lines.length;
        return { records, bytes: bytes.length, lastRevision, clean, dropped };
      },
      append: (batch) => void lines.push(encode(batch)),
      /** One after the other. What one could not write, the next one does. */
      flush() {
        const flushed = lastFlush.then(() => (savedCount === lines.length ? undefined : save()));
        lastFlush = Promise.allSettled([flushed]);
        return flushed;
      },
      async close() {
        if (hasWritten) await save(CLEAN);
      },
    };
  },
});

async function readAll(path: string, files: Files): Promise<Buffer> {
  if (!(await files.exists(path))) return Buffer.alloc(0);
  const file = await files.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0, bytes.length, 0).finally(() => file.close());
  return bytes;
}

function encode({ firstRevision, count, timeMs, bytes, start, end }: RecordBatch): string {
  const crc = Bun.hash.crc32(bytes.subarray(start, end));
  const records = bytes.toString("latin1", start, end);
  return JSON.stringify({ firstRevision, count, timeMs, crc, records });
}

/** Undefined when it is not what `encode` made. */
function decode(line: string): RecordBatch | undefined {
  try {
    const { crc, records, ...batch } = JSON.parse(line);
    const bytes = Buffer.from(records, "latin1");
    const isWhole = Bun.hash.crc32(bytes) === crc;
    return isWhole ? { ...batch, bytes, start: 0, end: bytes.length } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
