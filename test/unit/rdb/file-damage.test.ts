// Files with one value of each kind, cut at every byte and with every byte changed: an error with the offset. Where there is no
// checksum, a changed byte may make another value, but never a crash, a defect or much memory.
import { describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import { readRdb } from "../../../src/rdb/index.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { fileOf, openBytes, rdb, readInto } from "./file-support.ts";
import { bytes, double, short, uint } from "./support.ts";

const ziplist = (tail: number, count: number, ...entries: (number | string | Uint8Array)[]) => {
  const content = bytes(...entries);
  return short(bytes(uint(content.length + 11, 4), uint(tail, 4), uint(count, 2), content, 0xff));
};
const listpack = (count: number, ...entries: (number | string | Uint8Array)[]) => {
  const content = bytes(...entries);
  return short(bytes(uint(content.length + 7, 4), uint(count, 2), content, 0xff));
};

const PAIR = ziplist(13, 2, 0, 1, "a", 3, 0xf2);
const PACK = listpack(2, 0x81, "a", 2, 0x07, 1);
const LZF = bytes(0xc3, 5, 12, 0, "a", 0xe0, 2, 0);

/** What servers of all times wrote. */
const written: readonly (readonly [string, Buffer])[] = [
  ["string", rdb(10, 0, short("k"), short("value"))],
  ["integer", rdb(10, 0, short("k"), 0xc1, 0, 1)],
  ["compressed string", rdb(10, 0, short("k"), LZF)],
  ["compressed key", rdb(10, 0, LZF, short("v"))],
  ["list", rdb(10, 1, short("k"), 2, short("a"), short("b"))],
  ["ziplist", rdb(10, 10, short("k"), PAIR)],
  ["quicklist", rdb(10, 14, short("k"), 2, PAIR, PAIR)],
  ["quicklist of listpacks", rdb(10, 18, short("k"), 2, 2, PACK, 1, short("plain"))],
  ["set", rdb(10, 2, short("k"), 2, short("a"), short("b"))],
  ["intset", rdb(10, 11, short("k"), short(bytes(uint(2, 4), uint(2, 4), uint(4, 2), uint(5, 2))))],
  ["set in a listpack", rdb(11, 20, short("k"), PACK)],
  ["sorted set with texts", rdb(10, 3, short("k"), 2, short("a"), short("1.5"), short("b"), 254)],
  ["sorted set", rdb(10, 5, short("k"), 1, short("a"), double(1.5))],
  ["sorted set in a ziplist", rdb(10, 12, short("k"), PAIR)],
  ["sorted set in a listpack", rdb(10, 17, short("k"), PACK)],
  ["hash", rdb(10, 4, short("k"), 1, short("a"), short("b"))],
  ["zipmap", rdb(10, 9, short("k"), short(bytes(1, 1, "a", 2, 1, "bc", "x", 0xff)))],
  ["hash in a ziplist", rdb(10, 13, short("k"), PAIR)],
  ["hash in a listpack", rdb(10, 16, short("k"), PACK)],
  ["hash with deadlines", rdb(12, 24, short("k"), uint(9, 6), 0, 0, 1, 1, short("a"), short("1"))],
  [
    "deadlines, idle, frequency, sizes",
    rdb(
      10,
      0xfe,
      1,
      0xfb,
      1,
      1,
      0xfc,
      uint(9, 6),
      0,
      0,
      0xf8,
      3,
      0xf9,
      3,
      0,
      short("k"),
      short("v"),
    ),
  ],
  ["function", rdb(10, 0xf5, short("code"), 0, short("k"), short("v"))],
];

async function byKvdb(): Promise<Buffer> {
  const db = new EngineHarness({ auditEvery: 0 });
  db.run("VALUE.SET", "d", '{"a":1}', "PX", 1000);
  db.run("HSET", "h", "a", 1, "b", 2);
  db.run("HPEXPIRE", "h", 500, "FIELDS", 1, "b");
  db.run("INDEX", "CREATE", "by_a", "USING", "hash", "FIELD", "a");
  return fileOf(db);
}

async function streamFile(): Promise<Buffer> {
  const db = new EngineHarness({ auditEvery: 0 });
  for (const id of ["1-1", "2-1", "3-0"]) db.run("XADD", "s", id, "f", "v", "g", "12");
  db.run("XDEL", "s", "2-1");
  db.run("XGROUP", "CREATE", "s", "g", "0");
  db.run("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "STREAMS", "s", ">");
  return fileOf(db);
}

/** Reads into a keyspace that is used for nothing else; answers what was wrong, empty: nothing. */
class Reader {
  #db = new EngineHarness({ auditEvery: 0, background: false });
  #sink = this.#db.engine.loadSink;

  async problem(file: Buffer): Promise<string> {
    try {
      await readRdb({
        file: await openBytes(file),
        entry: (entry) => this.#sink.entry(entry),
        progress: () => {},
      });
      return "";
    } catch (error) {
      // A database beyond those that are configured is no damage.
      const isExpected = error instanceof KvdbError && /DAMAGE|CONFIG/.test(error.code);
      if (!isExpected) throw error;
      this.#sink = this.#db.engine.loadSink;
      return error.message;
    }
  }
}

async function cutEverywhere(name: string, file: Buffer): Promise<void> {
  const reader = new Reader();
  for (let size = 0; size < file.length; size++) {
    const problem = await reader.problem(file.subarray(0, size));
    expect([name, size, problem]).toEqual([
      name,
      size,
      expect.stringMatching(/the RDB at offset \d+/),
    ]);
  }
}

/** `masks`: the bits that are changed together. */
async function flipEverywhere(name: string, file: Buffer, masks: readonly number[]): Promise<void> {
  const reader = new Reader();
  for (let at = 0; at < file.length; at++) {
    for (const mask of masks) {
      const flipped = Buffer.from(file);
      flipped[at] = (flipped[at] as number) ^ mask;
      const problem = await reader.problem(flipped);
      // The version may become one without a checksum, as this one is.
      const isOld = /^REDIS000[0-4]/.test(flipped.toString("latin1", 0, 9));
      if (problem === "" && !isOld)
        throw new Error(`${name}, byte ${at}, bits ${mask}: it was read`);
      if (problem !== "") expect(problem).toMatch(/the RDB at offset \d+/);
    }
  }
}

const EACH_BIT = [1, 2, 4, 8, 16, 32, 64, 128];

describe("cut, and with a byte changed:", () => {
  test.each(written)("%s", async (name, file) => {
    await readInto(file);
    await cutEverywhere(name, file);
    await flipEverywhere(name, file, name.includes("listpack") ? [...EACH_BIT, 255] : EACH_BIT);
  });

  test("of kvdb", async () => {
    for (const file of [await byKvdb(), await streamFile()]) {
      await readInto(file);
      await cutEverywhere("kvdb", file);
      await flipEverywhere("kvdb", file, [1, 128]);
    }
  }, 60_000);
});

describe("changed without a checksum: a value or an error:", () => {
  test.each(written)("%s", (name, file) => changeUnseen(name, file));

  test("of kvdb", async () => {
    for (const file of [await byKvdb(), await streamFile()]) await changeUnseen("kvdb", file);
  }, 60_000);
});

async function changeUnseen(name: string, file: Buffer): Promise<void> {
  const reader = new Reader();
  const before = process.memoryUsage().rss;
  for (let at = 9; at < file.length - 8; at++) {
    for (const mask of [...EACH_BIT, 255]) {
      const changed = Buffer.from(file).fill(0, file.length - 8);
      changed[at] = (changed[at] as number) ^ mask;
      await reader.problem(changed);
    }
  }
  // A length that says gigabytes takes none.
  expect([name, process.memoryUsage().rss - before < 2 ** 29]).toEqual([name, true]);
}

test("lengths that say more than there is take no memory, and no time", async () => {
  const huge = [0x81, bytes(0, 0, 1, 0, 0, 0, 0, 0)] as const;
  for (const type of [
    0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 24, 25,
  ]) {
    for (const length of [huge, [0x80, bytes(0x1f, 0xff, 0xff, 0xff)]] as const) {
      const file = rdb(12, type, short("k"), ...length, ...(type > 23 ? length : []));
      const error: unknown = await readInto(file).catch((error) => error);
      expect(error).toMatchObject({ code: "DAMAGE" });
    }
  }
});
