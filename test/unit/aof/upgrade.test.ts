/**
 * Files of another Redis become kvdb's: an append-only file from before Redis 7, and an RDB where there
 * is no append-only file. Whenever that is stopped, the next start has all of it.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { createFaultyFiles, type MemoryDisk } from "../../suites/index.ts";
import {
  emptyDisk,
  FOLDER,
  look,
  lookOrRefuse,
  MANIFEST,
  rewrite,
  start,
  write,
} from "./support.ts";

const OLD = `${FOLDER}/appendonly.aof`;
const RDB = `${FOLDER}/dump.rdb`;

const command = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;

const text = [
  command("SELECT", "0"),
  command("SET", "a", "1"),
  command("MULTI"),
  command("INCR", "a"),
  command("SELECT", "2"),
  command("SET", "b", "2"),
  command("EXEC"),
  "#TS:1700000000\r\n",
  command("SET", "c", "3"),
];

async function withOld(bytes: string | Buffer): Promise<MemoryDisk> {
  const disk = await emptyDisk();
  disk.put(OLD, Buffer.from(bytes));
  return disk;
}

const state = {
  revision: 3,
  entries: [
    { key: "text", value: "v" },
    { key: "x", value: "y" },
  ],
};

async function rdbBytes(): Promise<Buffer> {
  const disk = await emptyDisk();
  const running = await start(disk);
  await write(running, 1, 1);
  await rewrite(running, disk, { ...state });
  return disk.contents(`${FOLDER}/appendonlydir/appendonly.aof.1.base.rdb`);
}

describe("an append-only file of one part", () => {
  test("is moved into the folder, and read there ever after", async () => {
    const disk = await withOld(text.join(""));
    const { read, report } = await look(disk);
    expect(report.dropped).toEqual([]);
    expect(read.map(({ revision }) => revision)).toEqual([1, 2, 3]);
    expect(databasesOf(read)).toEqual([0, 0, 2]);
    expect(read[2]?.timeMs).toBe(1_700_000_000_000);
    expect(disk.paths()).not.toContain(OLD);
    const again = await start(disk);
    expect(again.read.map(({ frame }) => frame)).toEqual(read.map(({ frame }) => frame));
    await write(again, 100, 5);
    await again.instance.close();
    expect((await look(disk)).read.map(({ revision }) => revision)).toEqual([1, 2, 3, 100]);
  });

  test("a tail that is not whole is cut and told, an unfinished MULTI too", async () => {
    const whole = text.join("");
    for (let length = 1; length < whole.length; length++) {
      const disk = await withOld(whole.slice(0, length));
      const { read, report } = await look(disk);
      const isBetween = report.dropped.length === 0;
      const end = isBetween ? length : (report.dropped[0]?.offset ?? 0);
      expect(report.dropped.map(({ kind }) => kind)).toEqual(isBetween ? [] : ["tail"]);
      const commands = whole.slice(0, end);
      expect([length, commands.includes("MULTI"), commands.includes("EXEC")]).toEqual([
        length,
        commands.includes("EXEC"),
        commands.includes("EXEC"),
      ]);
      const again = await look(disk);
      expect(again.report.dropped).toEqual([]);
      expect(again.read.map(({ frame }) => frame)).toEqual(read.map(({ frame }) => frame));
    }
  });

  test("what is no command in the middle is damage, with its offset", async () => {
    const whole = text.join("");
    const at = whole.indexOf("*1");
    const disk = await withOld(`${whole.slice(0, at)}garbage${whole.slice(at)}`);
    expect(await lookOrRefuse(disk)).toBeUndefined();
    const { read, report } = await look(disk, { purpose: { kind: "check" } });
    expect(report.dropped).toMatchObject([{ kind: "damage", file: OLD, offset: at }]);
    expect(read).toHaveLength(1);
  });
});

for (const [name, path, make] of [
  ["an old append-only file", OLD, async () => Buffer.from(text.join(""))],
  ["an RDB", RDB, rdbBytes],
] as const) {
  describe(`${name}, stopped while it is taken over`, () => {
    test("whenever, and however: the next start has all of it", async () => {
      const bytes = await make();
      const disk = await emptyDisk();
      disk.put(path, bytes);
      const whole = await look(disk.copy());
      const moments: MemoryDisk[] = [];
      const keep = () => void moments.push(disk.copy());
      const { files } = createFaultyFiles(disk.files, undefined, { beforeOperation: keep });
      const faulty = Object.assign(Object.create(disk) as MemoryDisk, { files });
      await look(faulty);
      expect(moments.length).toBeGreaterThan(10);
      for (const [index, moment] of moments.entries()) {
        for (const seed of [undefined, index, index + 1000]) {
          const copy = moment.copy();
          copy.crash(seed === undefined ? undefined : seededRandom(seed));
          const found = await look(copy);
          const [frames, wanted] = [found, whole].map(({ read }) => read.map(({ frame }) => frame));
          expect({ index, seed, frames }).toEqual({ index, seed, frames: wanted as string[] });
          expect(found.entries).toEqual(whole.entries);
        }
      }
    });

    test("operation N fails, for every N: then a start has all of it", async () => {
      const bytes = await make();
      const disk = await emptyDisk();
      disk.put(path, bytes);
      const whole = await look(disk.copy());
      let struck = true;
      for (let at = 1; struck; at++) {
        const copy = disk.copy();
        const faulty = createFaultyFiles(copy.files, { at, kind: "once", errno: "EIO" });
        const failing = Object.assign(Object.create(copy) as MemoryDisk, { files: faulty.files });
        await Promise.allSettled([look(failing)]);
        struck = faulty.struck;
        copy.kill();
        const found = await look(copy);
        expect([at, found.entries.length]).toEqual([at, whole.entries.length]);
        expect(found.read.map(({ frame }) => frame)).toEqual(whole.read.map(({ frame }) => frame));
      }
    });
  });
}

test("an append-only file of another name is not passed over", async () => {
  const disk = await emptyDisk();
  await (await start(disk, { options: { appendfilename: "other.aof" } })).instance.close();
  expect(look(disk)).rejects.toThrow('append-only file "other.aof"');
  expect((await look(disk, { options: { appendfilename: "other.aof" } })).report.clean).toBe(true);
});

test("where both are there the append-only file counts, as in Redis", async () => {
  const disk = await withOld(text.join(""));
  disk.put(RDB, await rdbBytes());
  const { entries, read } = await look(disk);
  expect([entries.length, read.length]).toEqual([0, 3]);
  expect(disk.paths()).toContain(RDB);
  expect(disk.paths()).toContain(MANIFEST);
});

function databasesOf(read: readonly { readonly frame: string }[]): number[] {
  return read.map(({ frame }) => Buffer.from(frame, "hex").readUInt16LE(4));
}

test("an RDB and an append-only file of the same name are refused: one would be taken for the other", async () => {
  const options = { dbfilename: "data.rdb", appendfilename: "data.rdb" };
  const started = start(await emptyDisk(), { options });
  expect(started).rejects.toMatchObject({ code: "CONFIG" });
  await look(await emptyDisk(), { options: { ...options, appendfilename: "data.aof" } });
});
