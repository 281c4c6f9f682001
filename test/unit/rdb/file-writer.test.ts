// The bytes of a small file; that what is long passes without being gathered; whom it asks and waits for.
import { expect, test } from "bun:test";
import { REDIS_VERSION } from "../../../src/commands/identity.ts";
import { REDIS_OF_FILES } from "../../../src/rdb/file-writer.ts";
import { type RdbTarget, readRdb, writeRdb } from "../../../src/rdb/index.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { createEntryReader, elementRun } from "../../suites/stored-entries.ts";
import { fileOf, load, rdb, readInto } from "./file-support.ts";
import { bytes, double, short, uint } from "./support.ts";

const PROCEED = { proceed: () => {} };

function memory() {
  const writes: Buffer[] = [];
  const target: RdbTarget = {
    write: (from, start, end) => void writes.push(Buffer.from(from.subarray(start, end))),
  };
  return { target, writes, file: () => Buffer.concat(writes) };
}

test("a small file, byte by byte", async () => {
  const { target, file } = memory();
  const entries = createEntryReader({
    revision: 300,
    entries: [
      { key: "by_a", type: "index", value: '{"use":"hash"}' },
      { key: "s", value: "12", deadlineMs: 1000 },
      { key: "d", type: "json", value: "[1]" },
      { key: "h", type: "hash", value: elementRun("a", "1", 0, "b", "x", 2000), isTimed: true },
      { key: "z", type: "zset", value: elementRun("m", 1.5), database: 300 },
    ],
  });
  const written = await writeRdb(entries, target, { ...PROCEED, aux: { more: "notes" } });
  const note = (name: string, ...text: (number | string | Uint8Array)[]) =>
    bytes(0xfa, short(name), ...text);
  const report = await readInto(file());
  const expected = rdb(
    10,
    note("redis-ver", short("7.0.15")),
    note("redis-bits", 0xc0, 64),
    note("ctime", 0xc2, uint(Math.floor(entries.timeMs / 1000), 4)),
    note("aof-base", 0xc0, 0),
    note("kvdb-ver", short(report.aux.get("kvdb-ver") as string)),
    note("kvdb-revision", 0xc1, uint(300, 2)),
    note("more", short("notes")),
    ...[0xfe, 0, note("kvdb-index", short('by_a {"use":"hash"}'))],
    ...[0xfc, uint(1000, 6), 0, 0, 0, short("s"), 0xc0, 12],
    ...[note("kvdb-entry", short("json")), 0, short("d"), short("[1]")],
    ...[4, short("h"), 2, short("a"), 0xc0, 1, short("b"), short("x")],
    note("kvdb-fields", short(bytes(1, uint(2000, 6), 0, 0))),
    ...[0xfe, 0x41, 300 - 256, 5, short("z"), 1, short("m"), double(1.5)],
  );
  expect(file().toString("hex")).toBe(expected.toString("hex"));
  expect(written).toEqual({ bytes: expected.length, keys: 4 });
  expect(report).toMatchObject({
    revision: 300,
    keys: 4,
    timeMs: entries.timeMs - (entries.timeMs % 1000),
  });
});

test("the base of an AOF says so", async () => {
  const file = await fileOf(new EngineHarness(), { isPreamble: true });
  expect((await readInto(file)).aux.get("aof-base")).toBe("1");
});

test("tools are told of the redis-server that kvdb is like", () => {
  expect(REDIS_OF_FILES).toBe(REDIS_VERSION);
});

test("an element that is longer than a buffer is written from where it lies", async () => {
  const db = new EngineHarness({ auditEvery: 0 });
  const long = "x".repeat(3_000_000);
  db.run("SET", "string", long);
  db.run("RPUSH", "list", "a", long, "b");
  db.run("HSET", "hash", long, long);
  db.endTurn();
  const { target, writes, file } = memory();
  let asked = 0;
  const proceed = () => asked++;
  await writeRdb(new EntryWalk(db.engine.keyspace.arena), target, { proceed });
  const longest = Math.max(...writes.map(({ length }) => length));
  expect(longest).toBeLessThanOrEqual(1 << 20);
  expect(asked).toBeGreaterThanOrEqual(8);
  const { db: loaded } = await load(file(), { nowMs: db.now() });
  expect(loaded.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
});

test("a stream of many entries passes in pieces", async () => {
  const db = new EngineHarness({ auditEvery: 0 });
  const text = "y".repeat(1000);
  for (let i = 1; i <= 3000; i++) db.run("XADD", "s", `${i}-1`, "field", text);
  db.endTurn();
  const { target, writes, file } = memory();
  await writeRdb(new EntryWalk(db.engine.keyspace.arena), target, PROCEED);
  // A listpack of a hundred entries and what is gathered before it is written.
  expect(Math.max(...writes.map(({ length }) => length))).toBeLessThan(400_000);
  const { db: loaded } = await load(file(), { nowMs: db.now() });
  expect(loaded.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
});

test("a target that takes its time is waited for; what it got does not change meanwhile", async () => {
  const db = new EngineHarness({ auditEvery: 0 });
  for (let i = 0; i < 20_000; i++) db.run("SET", `key ${i}`, `value ${i}`);
  db.endTurn();
  let isWriting = false;
  const parts: Buffer[] = [];
  const target: RdbTarget = {
    write: async (from, start, end) => {
      expect(isWriting).toBe(false);
      isWriting = true;
      const before = Bun.hash(from.subarray(start, end));
      await new Promise((resolve) => setImmediate(resolve));
      expect(Bun.hash(from.subarray(start, end))).toBe(before);
      parts.push(Buffer.from(from.subarray(start, end)));
      isWriting = false;
    },
  };
  await writeRdb(new EntryWalk(db.engine.keyspace.arena), target, PROCEED);
  expect((await readInto(Buffer.concat(parts))).keys).toBe(20_000);
});

test("what is not wanted any more ends; a target that fails is heard", async () => {
  const db = new EngineHarness({ auditEvery: 0 });
  db.run("SET", "k", "x".repeat(5_000_000));
  db.endTurn();
  const entries = () => new EntryWalk(db.engine.keyspace.arena);
  const unwanted = new Error("not wanted");
  const { target, file } = memory();
  const stopped = writeRdb(entries(), target, {
    proceed: () => {
      throw unwanted;
    },
  });
  expect(await stopped.catch((error) => error)).toBe(unwanted);
  expect(file().length).toBeLessThan(2_200_000);
  const full = new Error("disk full");
  const failing: RdbTarget = { write: () => Promise.reject(full) };
  expect(await writeRdb(entries(), failing, PROCEED).catch((error) => error)).toBe(full);
});

test("keys whose time is over are loaded as they are", async () => {
  const db = new EngineHarness();
  db.run("SET", "k", "v", "PX", 1000);
  const file = await fileOf(db);
  const seen: number[] = [];
  await readInto(file, ({ deadlineMs }) => seen.push(deadlineMs));
  expect(seen).toEqual([db.now() + 1000]);
  const { db: loaded, report } = await load(file, { nowMs: db.now() + 5000 });
  expect([report.keys, loaded.run("EXISTS", "k")]).toEqual([1, 0]);
});

test("a file that has become shorter than it was is damage", async () => {
  const file = rdb(10, 0, short("k"), short("v"));
  const lying = {
    path: "/gone.rdb",
    size: async () => file.length + 100,
    read: async (into: Uint8Array, offset: number, length: number, position: number) =>
      file.subarray(0, -3).copy(into, offset, position, Math.min(position + length, file.length)),
    readNow: () => 0,
  };
  const reading = readRdb({ file: lying as never, entry: () => {}, progress: () => {} });
  await expect(reading).rejects.toThrow("/gone.rdb: the RDB at offset");
});
