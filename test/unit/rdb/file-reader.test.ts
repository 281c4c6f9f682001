// Everything that may stand in a file besides keys, byte by byte as redis-server's sources draw it; what is refused; and that
// the loop has its turn.
import { expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import type { StoredEntry } from "../../../src/plugin.ts";
import { readRdb } from "../../../src/rdb/index.ts";
import { copyEntry, elementRun } from "../../suites/stored-entries.ts";
import { openBytes, rdb, readInto } from "./file-support.ts";
import { bytes, double, short, uint } from "./support.ts";

const note = (name: string, text: string) => bytes(0xfa, short(name), short(text));
const key = (name: string, value = "v") => bytes(0, short(name), short(value));

interface Shown {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  readonly database: number;
  readonly deadlineMs: number;
  readonly version: number;
}

/** Entries in short: text where it is text. */
async function entriesOf(file: Buffer, revision?: number): Promise<Shown[]> {
  const entries: Shown[] = [];
  await readRdb({
    file: await openBytes(file),
    progress: () => {},
    ...(revision !== undefined && { revision }),
    entry: (entry) => {
      const { type, database, deadlineMs, version } = entry;
      const name = entry.keyBytes.toString("latin1", entry.keyStart, entry.keyEnd);
      const value = entry.valueBytes.toString("latin1", entry.valueStart, entry.valueEnd);
      entries.push({ name, type, value, database, deadlineMs, version });
    },
  });
  return entries;
}

const plain = { type: "string", value: "v", database: 0, deadlineMs: 0, version: 1 };

test("databases, deadlines and hints", async () => {
  const idle = bytes(0xf8, 0x80, uint(0, 3), 9);
  const file = rdb(
    ...[11, bytes(0xfe, 0, 0xfb, 0x40, 0x80, 3), key("a")],
    ...[
      bytes(
        0xfc,
        uint(1_700_000_000_123 % 2 ** 32, 4),
        uint(Math.floor(1_700_000_000_123 / 2 ** 32), 4),
      ),
    ],
    ...[idle, key("b"), 0xfd, uint(1_700_000_000, 4), 0xf9, 7, key("c"), key("d")],
    ...[0xfe, 0x41, 0x00, 0xf4, 1, 2, 3, key("e"), 0xfe, 0x80, 0, 0, 0xff, 0xff, key("f")],
    ...[0xfc, Buffer.alloc(8, 0xff), key("stays"), 0xfd, uint(0, 4), key("over since long")],
  );
  expect(await entriesOf(file)).toEqual([
    { ...plain, name: "a" },
    { ...plain, name: "b", deadlineMs: 1_700_000_000_123 },
    { ...plain, name: "c", deadlineMs: 1_700_000_000_000 },
    { ...plain, name: "d" },
    { ...plain, name: "e", database: 256 },
    { ...plain, name: "f", database: 65_535 },
    { ...plain, name: "stays", database: 65_535 },
    { ...plain, name: "over since long", database: 65_535, deadlineMs: 1 },
  ]);
});

test("keys that are compressed or integers", async () => {
  const compressed = bytes(0xc3, 5, 12, 0, "a", 0xe0, 2, 0);
  const file = rdb(9, 0, compressed, compressed, 0, 0xc0, 0xfe, 0xc1, 0, 1, 0, compressed, 0xc0, 7);
  const [a12, text] = ["a".repeat(12), plain];
  expect(await entriesOf(file)).toEqual([
    { ...text, name: a12, value: a12 },
    { ...text, name: "-2", value: "256" },
    { ...text, name: a12, value: "7" },
  ]);
});

test("notes, revision and time", async () => {
  const ctime = note("ctime", "1700000000");
  const file = rdb(10, note("redis-ver", "7.0.15"), ctime, note("kvdb-revision", "77"), key("a"));
  const { aux, ...report } = await readInto(file);
  expect(report).toEqual({
    version: 10,
    end: file.length,
    keys: 1,
    revision: 77,
    timeMs: 1_700_000_000_000,
    notes: [],
    hasChecksum: true,
  });
  expect([...aux]).toEqual([
    ["redis-ver", "7.0.15"],
    ["ctime", "1700000000"],
    ["kvdb-revision", "77"],
  ]);
  expect(await entriesOf(file, 5)).toEqual([{ ...plain, name: "a", version: 77 }]);
  expect(await entriesOf(rdb(10, key("a")), 5)).toEqual([{ ...plain, name: "a", version: 5 }]);
});

test("documents, deadlines of fields and definitions are what they were", async () => {
  const text = '{"a":1}';
  const fields = bytes(4, short("h"), 3, ...["a", "1", "b", "2", "c", "3"].map(short));
  const deadline = (gap: number, ms: number) => bytes(gap, uint(ms, 6), 0, 0);
  const file = rdb(
    ...[10, note("kvdb-ver", "0.1.0"), 0xfe, 2, note("kvdb-index", 'by_a {"use":"hash"}')],
    ...[
      note("kvdb-entry", "json"),
      0xfc,
      uint(5000, 6),
      0,
      0,
      key("document", text),
      key("text", text),
    ],
    ...[fields, 0xfa, short("kvdb-fields"), short(deadline(1, 1000)), key("between")],
    ...[fields, 0xfa, short("kvdb-fields"), short(deadline(0, 1)), 0xfa, short("kvdb-fields")],
    ...[short(deadline(1, 2)), fields, note("other", "note")],
  );
  const entries: ReturnType<typeof copyEntry>[] = [];
  await readInto(file, (entry) => entries.push(copyEntry(entry)));
  const hash = (...deadlines: readonly number[]) => {
    const parts = ["a", "b", "c"].flatMap((name, i) => [name, String(i + 1), deadlines[i] ?? 0]);
    return {
      type: "hash",
      key: hex("h"),
      value: elementRun(...parts).toString("hex"),
      isTimed: true,
    };
  };
  const common = { database: 2, deadlineMs: 0, version: 1 };
  expect(entries as unknown[]).toEqual([
    { ...common, version: 0, type: "index", key: hex("by_a"), value: hex('{"use":"hash"}') },
    { ...common, type: "json", key: hex("document"), value: hex(text), deadlineMs: 5000 },
    { ...common, type: "string", key: hex("text"), value: hex(text) },
    { ...common, ...hash(0, 1000, 0) },
    { ...common, type: "string", key: hex("between"), value: hex("v") },
    { ...common, ...hash(1, 0, 2) },
    {
      ...common,
      type: "hash",
      key: hex("h"),
      value: elementRun("a", "1", "b", "2", "c", "3").toString("hex"),
    },
  ]);
});

const hex = (text: string) => Buffer.from(text).toString("hex");

test("functions and keys without elements are left out, and it is said where", async () => {
  const preview = bytes(0xf6, short("name"), short("LUA"), 1, short("what for"), short("code"));
  const plainPreview = bytes(0xf6, short("name"), short("LUA"), 0, short("code"));
  const empty = bytes(2, short("set"), 0, 5, short("zset"), 0);
  const file = rdb(
    10,
    0xf5,
    short("#!lua name=a"),
    preview,
    plainPreview,
    key("a"),
    empty,
    key("b"),
  );
  const { notes, keys } = await readInto(file);
  expect(keys).toBe(2);
  expect(notes).toHaveLength(2);
  expect(notes[0]).toMatch(/^3 .*offset 9$/);
  expect(notes[1]).toMatch(new RegExp(`^2 .*offset ${file.indexOf(empty)}$`));
});

test.each([1, 2, 3, 4])("version %p has no checksum", async (version) => {
  const file = rdb(version, 0xfe, 0, key("a"));
  const report = await readInto(file);
  expect(report).toMatchObject({ version, hasChecksum: false, end: file.length, keys: 1 });
});

test("a checksum of zero is none; one that differs is damage", async () => {
  const file = rdb(10, key("a"));
  const without = Buffer.from(file).fill(0, file.length - 8);
  expect(await readInto(without)).toMatchObject({ hasChecksum: false, keys: 1 });
  const other = Buffer.from(file);
  other[file.length - 1] = (other[file.length - 1] as number) ^ 1;
  expect(await messageOf(other)).toMatch(/^\/dump\.rdb: the RDB at offset 14/);
});

test("a version of the future is read as far as its types are known", async () => {
  expect(await readInto(rdb(99, key("a")))).toMatchObject({ version: 99, keys: 1 });
});

test("an RDB that another file begins with, and one within a file", async () => {
  const inner = rdb(10, key("a"));
  const file = Buffer.concat([Buffer.from("front"), inner, Buffer.from("*1\r\n$4\r\nPING\r\n")]);
  const keys: string[] = [];
  const told: [number, number][] = [];
  const report = await readRdb({
    file: await openBytes(file),
    start: 5,
    entry: (entry) => keys.push(copyEntry(entry).key),
    progress: (done, total) => void told.push([done, total]),
  });
  expect(report.end).toBe(5 + inner.length);
  expect(keys).toEqual([hex("a")]);
  const cut = readRdb({
    file: await openBytes(file),
    start: 5,
    end: 5 + inner.length - 1,
    entry: () => {},
    progress: () => {},
  });
  await expect(cut).rejects.toThrow("/dump.rdb: the RDB at offset");
});

test.each<[string, Buffer, RegExp]>([
  ["no RDB", Buffer.from("RESP0010 something else"), /offset 0/],
  ["version 0", rdb(0, key("a")), /offset 0/],
  ["a file that is too short", Buffer.from("REDIS"), /offset 0/],
  ["an empty file", Buffer.alloc(0), /offset 0/],
  ["a database beyond all", rdb(10, 0xfe, 0x80, 0, 1, 0, 0), /offset 9.*65536/],
  ["a type that nobody knows", rdb(10, 99, short("a"), 1), /offset 9.*99/],
  ["a mark that nobody knows", rdb(10, 243, short("a"), 1), /offset 9.*243/],
  ["a value of a module", rdb(10, 7, short("a"), 0x81, moduleId()), /offset 9.*"ReJSON-RL"/],
  ["data of a module", rdb(10, 0xf7, 0x81, moduleId(), 2, 1), /offset 9.*"ReJSON-RL"/],
  [
    "a document that is no string",
    rdb(10, note("kvdb-entry", "json"), 2, short("s"), 1, short("a")),
    /offset 26/,
  ],
  [
    "an entry of a kind of the future",
    rdb(10, note("kvdb-entry", "graph"), key("a")),
    /offset 9.*graph/,
  ],
  ["deadlines behind no hash", rdb(10, key("a"), note("kvdb-fields", "x")), /offset 14/],
  ["an index without a definition", rdb(10, note("kvdb-index", "by_a")), /offset 9/],
  ["a revision that is none", rdb(10, note("kvdb-revision", "x1")), /offset 9/],
  ["a revision beyond all", rdb(10, note("kvdb-revision", "281474976710657")), /offset 9/],
  [
    "more deadlines than fields",
    rdb(
      ...[10, note("kvdb-ver", "1"), 4, short("h"), 1, short("a"), short("1")],
      ...[0xfa, short("kvdb-fields"), short(bytes(1, double(1)))],
    ),
    /offset/,
  ],
])("%s is refused", async (_, file, message) => {
  expect(await messageOf(file)).toMatch(message);
});

function moduleId(): Buffer {
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let id = 0n;
  for (const character of "ReJSON-RL") id = (id << 6n) | BigInt(characters.indexOf(character));
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE((id << 10n) | 3n);
  return buffer;
}

async function messageOf(file: Buffer): Promise<string> {
  const error: unknown = await readInto(file).catch((error) => error);
  if (!(error instanceof KvdbError)) throw new Error("it was read", { cause: error });
  expect(error.code).toBe("DAMAGE");
  return error.message;
}

test("what the taker refuses names the place; other failures stay as they are", async () => {
  const file = rdb(10, key("a"), key("b"));
  const failing = (failure: Error) => (entry: Readonly<StoredEntry>) => {
    if (entry.keyBytes.toString("latin1", entry.keyStart, entry.keyEnd) === "b") throw failure;
  };
  const config = readInto(file, failing(new KvdbError("CONFIG", "no such database")));
  await expect(config).rejects.toMatchObject({
    code: "CONFIG",
    message: "/dump.rdb: the RDB at offset 14: no such database",
  });
  const stop = new Error("stop");
  expect(await readInto(file, failing(stop)).catch((error) => error)).toBe(stop);
});

test("a long value passes in parts, with turns for the loop in between, and its key stays", async () => {
  const elements = Array.from({ length: 60_000 }, (_, i) => `element number ${i}`);
  const name = "name ".repeat(10);
  for (const type of [1, 2, 18]) {
    const node = (text: string) => (type === 18 ? bytes(1, short(text)) : short(text));
    const count = bytes(0x80, 0, 0, 60_000 >> 8, 60_000 & 255);
    const file = rdb(10, type, short(name), count, ...elements.map(node), key("next"));
    const parts: { length: number; isContinued: boolean }[] = [];
    const read: Buffer[] = [];
    let told = 0;
    let turns = 0;
    await readRdb({
      file: await openBytes(file),
      sliceBytes: 20_000,
      entry: (entry) => {
        const { keyStart, keyEnd, valueStart, valueEnd, isContinued } = entry;
        const found = entry.keyBytes.toString("latin1", keyStart, keyEnd);
        if (entry.type === "string") {
          expect(found).toBe("next");
          return;
        }
        expect(found).toBe(name);
        parts.push({ length: valueEnd - valueStart, isContinued });
        read.push(Buffer.from((entry.valueBytes as Buffer).subarray(valueStart, valueEnd)));
      },
      progress: (done) => {
        expect(done - told).toBeLessThan(131_072 + 20_000);
        told = done;
        turns++;
      },
    });
    expect(parts.every(({ isContinued }, i) => isContinued === i < parts.length - 1)).toBe(true);
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(66_000);
    expect(Buffer.concat(read).equals(elementRun(...elements))).toBe(true);
    expect(turns).toBeGreaterThanOrEqual(Math.floor(file.length / 152_000));
  }
});

test("the loop has its turn each 128 KiB, and who is told can let it wait", async () => {
  const value = "x".repeat(60);
  const file = rdb(10, ...Array.from({ length: 10_000 }, (_, i) => key(`k${i}`, value)));
  const told: number[] = [];
  let isWaiting = false;
  await readRdb({
    file: await openBytes(file),
    entry: () => expect(isWaiting).toBe(false),
    progress: async (done, total) => {
      expect(total).toBe(file.length);
      told.push(done);
      isWaiting = true;
      await Promise.resolve();
      isWaiting = false;
    },
  });
  const steps = told.map((done, i) => done - (told[i - 1] ?? 0));
  expect(told.length).toBeGreaterThanOrEqual(Math.floor(file.length / (1.1 * 131_072)));
  expect(Math.max(...steps)).toBeLessThan(131_072 + 1000);
});
