/**
 * A full copy of a primary that takes the place of all data, over a disk in memory that fails: a later start finds the place in
 * the stream that belongs to the data that it finds, or none.
 */
import { expect, test } from "bun:test";
import aof from "../../../plugins/aof/index.ts";
import type { AnyPlugin } from "../../../src/kernel/builtins.ts";
import type { Engine } from "../../../src/kernel/engine.ts";
import { takeCopy } from "../../../src/kernel/following-host.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { writeRdb } from "../../../src/rdb/index.ts";
import { createFaultyFiles, MemoryDisk } from "../../suites/index.ts";
import { type Call, DIR, inFolder as inFolderOf, plugins } from "./conversion-harness.ts";

const FILE = `${DIR}/copy.rdb`;
const ALL = { ...plugins, aof: aof as AnyPlugin };

const PERSISTENCES = ["wal", "aof", "json-snapshot"];
const BEFORE = { id: "a".repeat(40), offset: 1000 };
const COPIED = { id: "b".repeat(40), offset: 5000 };
const OLD = ["old", BEFORE.id, BEFORE.offset].join(" ");
const NEW = ["new", COPIED.id, COPIED.offset].join(" ");

function inFolder(
  persistence: string,
  { files }: Pick<MemoryDisk, "files">,
  run: (call: Call, kernel: Kernel) => Promise<void>,
): Promise<void> {
  const options = persistence === "aof" ? { appendonly: true, appendfsync: "always" } : {};
  // Nobody is there.
  const replicaOf = "127.0.0.1 1";
  return inFolderOf(persistence, { files, plugins: ALL, options, replicaOf }, run);
}

/** The data of a replica, and a copy that has come in. */
async function replicaDisk(persistence: string, selected = 0): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const parts: Buffer[] = [];
  await inFolderOf("none", new MemoryDisk(), async (call, { engine }) => {
    await call("SET", "data", "new");
    const write = (bytes: Buffer, start: number, end: number) =>
      void parts.push(Buffer.from(bytes.subarray(start, end)));
    const aux = { "repl-stream-db": String(selected) };
    await writeRdb(engine.readEntries(), { write }, { aux, proceed: () => {} });
  });
  await inFolder(persistence, disk, async (call, { engine }) => {
    (engine as Engine).following.duties.end();
    await call("SET", "data", "old");
    const { lastRevision: revision } = engine.disk;
    await (engine as Engine).stream.adopt({ ...BEFORE, database: 0, revision });
  });
  disk.put(FILE, Buffer.concat(parts));
  return disk;
}

async function take({ engine, replacements }: Kernel): Promise<void> {
  const host = { engine, config: { databases: 16 } };
  await takeCopy(FILE, COPIED, { host, replacements } as never, () => false);
}

async function found(persistence: string, { files }: MemoryDisk): Promise<string> {
  let what = "";
  await inFolder(persistence, { files }, async (call, { engine }) => {
    const { id, offset } = (engine as Engine).stream;
    const answer = await call("GET", "data");
    const data = answer.kind === "bulk" ? answer.bytes.toString() : answer.kind;
    what = offset === 0 ? `${data} anew` : [data, id, offset].join(" ");
  });
  return what;
}

test.each(PERSISTENCES)("%s: it is taken", async (persistence) => {
  const disk = await replicaDisk(persistence);
  expect(await found(persistence, disk)).toBe(OLD);
  await inFolder(persistence, disk, (_call, kernel) => take(kernel));
  expect(await found(persistence, disk)).toBe(NEW);
});

test("it is not taken when the stream behind it is in a database that is not here", async () => {
  const disk = await replicaDisk("wal", 16);
  await inFolder("wal", disk, async (_call, kernel) => {
    const message = expect.stringContaining("database 16");
    await expect(take(kernel)).rejects.toMatchObject({ code: "CONFIG", message });
  });
  expect(await found("wal", disk)).toBe(OLD);
});

const CASES = PERSISTENCES.flatMap((persistence) => [
  [persistence, "once"] as const,
  [persistence, "lasting"] as const,
]);

test.each(CASES)("%s: operation N fails %s, for every N", async (persistence, kind) => {
  const filled = await replicaDisk(persistence);
  const seen = new Set<string>();
  for (let at = 1, struck = true; struck; at++) {
    const disk = filled.copy();
    let faulty = createFaultyFiles(disk.files);
    let isArmed = false;
    const files = new Proxy(disk.files, {
      get: (target, property) => Reflect.get(isArmed ? faulty.files : target, property),
    });
    const running = inFolder(persistence, { files }, async (_call, kernel) => {
      faulty = createFaultyFiles(disk.files, { at, kind });
      isArmed = true;
      await Promise.allSettled([take(kernel)]);
      struck = faulty.struck;
    });
    await Promise.allSettled([running]);
    for (const end of ["kill", "crash"] as const) {
      const copy = disk.copy();
      copy[end]();
      const what = await found(persistence, copy);
      seen.add(what);
    }
  }
  const known = [OLD, NEW, "old anew", "new anew"];
  expect([...seen].filter((what) => !known.includes(what))).toEqual([]);
  expect(seen.has(OLD)).toBe(true);
});
