/**
 * Values with elements in a checkpoint, those that come in several entries above all: whole, damaged at every byte, and
 * with any of their parts lost.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import {
  type EntryShape,
  expectEntries,
  type MemoryDisk,
  readEntryOf,
} from "../../suites/index.ts";
import { forEachChange, lookOrRefuse } from "./damage.ts";
import { checkpoint, checkpointPath, emptyDisk, look, start } from "./history.ts";

const part = (...elements: string[]) =>
  Buffer.concat(elements.map((text) => Buffer.from([text.length, ...Buffer.from(text)])));

const DEADLINE_MS = Date.UTC(2050, 0, 1);
const score = Buffer.alloc(8);
score.writeDoubleLE(1.5);

const short: readonly EntryShape[] = [
  { key: "before", value: "text" },
  { key: "list", type: "list", value: part("a", "b"), furtherParts: [part("c"), part()] },
  { key: "set", type: "set", value: part("a"), furtherParts: [part("b")], deadlineMs: DEADLINE_MS },
  { key: "zset", type: "zset", value: Buffer.concat([part("m"), score]), database: 3 },
  { key: "hash", type: "hash", value: part("f", "v"), database: 3 },
  {
    key: "timed",
    type: "hash",
    value: Buffer.concat([part("f", "v"), score]),
    isTimed: true,
    furtherParts: [Buffer.concat([part("g", "w"), score])],
    database: 3,
  },
];

/** No two parts are in one block. */
const long = "long";
const parts = ["a", "b", "c", "d"].map((letter) => longPart(letter));
const inBlocks: readonly EntryShape[] = [
  { key: "before", value: "text" },
  { key: long, type: "list", value: parts[0] as Buffer, furtherParts: parts.slice(1) },
  { key: "set", type: "set", value: parts[0] as Buffer, furtherParts: parts.slice(1, 3) },
];

function longPart(letter: string): Buffer {
  const random = seededRandom(letter.charCodeAt(0));
  return part(...Array.from({ length: 5000 }, () => letter + random.below(1e9)));
}

async function diskWith(entries: readonly EntryShape[], level = 0): Promise<MemoryDisk> {
  const options = { compression: { checkpoints: level } };
  const disk = await emptyDisk();
  const started = await start(disk.files, options);
  await checkpoint(started, 5, entries, options);
  await started.instance.close();
  return disk;
}

test.each([0, 3])("every type comes back, in parts and whole, at level %d", async (level) => {
  for (const entries of [short, inBlocks]) {
    const { entries: read, report } = await look((await diskWith(entries, level)).files);
    expectEntries(read, { revision: 5, entries });
    expect(report.dropped).toEqual([]);
  }
});

describe.each(["flip", "cut"] as const)("%s", (change) => {
  test("at every byte: DAMAGE; recover has only what was written", async () => {
    const disk = await diskWith(short);
    const known = new Map(short.map((shape) => [shape.key as string, readEntryOf(shape)]));
    await forEachChange(disk, checkpointPath(1), change, async (copy, where) => {
      if ((await lookOrRefuse(copy)) !== undefined) throw new Error(`${where}: not noticed`);
      const found = await look(copy.files, { recover: true });
      for (const entry of found.entries) {
        const written = known.get(Buffer.from(entry.key, "hex").toString());
        if (written?.value !== entry.value) throw new Error(`${where}: a value nobody wrote`);
      }
      expect((await look(copy.files)).entries).toEqual(found.entries);
    });
  });
});

test("of a value in several blocks, recover keeps the parts that are intact", async () => {
  const disk = await diskWith(inBlocks);
  const bytes = disk.contents(checkpointPath(1));
  const blocks: number[] = [];
  for (let at = bytes.indexOf("KVB1"); at >= 0; at = bytes.indexOf("KVB1", at + 1)) blocks.push(at);
  expect(blocks.length).toBe(8); // seven parts, the text with the first of them; the end
  for (const [lost, at] of blocks.slice(0, -1).entries()) {
    const copy = disk.copy();
    const changed = Buffer.from(bytes);
    changed[at + 60] ^= 1;
    copy.put(checkpointPath(1), changed);
    const { entries, report } = await look(copy.files, { recover: true });
    const values = new Map(
      entries.map(({ key, value }) => [Buffer.from(key, "hex").toString(), value]),
    );
    const left = (from: number, count: number) =>
      Buffer.concat(parts.slice(0, count).filter((_, index) => index + from !== lost)).toString(
        "hex",
      );
    expect(values.get("before") === undefined).toBe(lost === 0);
    expect(values.get(long)).toBe(left(0, 4));
    expect(values.get("set")).toBe(left(4, 3));
    expect(report.dropped[0]?.reason).toContain(`${lost === 0 ? 2 : 1} of its 8 entries`);
  }
});
