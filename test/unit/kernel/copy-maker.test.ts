/**
 * Copies for replicas: made when nothing else takes an image, read while they are written, and whatever happens no file of
 * theirs stays behind. The worker's half runs here in the same thread, over a disk in memory.
 */
import { beforeEach, describe, expect, test } from "bun:test";
import { KvdbError } from "../../../src/errors.ts";
import { ImageCopies } from "../../../src/kernel/copy-maker.ts";
import { removeLeftovers } from "../../../src/kernel/leftovers.ts";
import { COPY_NAME, type CopyTask, writeCopy } from "../../../src/replication/copy-task.ts";
import { FullCopy } from "../../../src/replication/full-copy.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { MemoryDisk } from "../../suites/memory-files.ts";

const CUT = { revision: 7, id: "a".repeat(40), offset: 42, database: 3 };
const FOLDER = "/data";

let disk: MemoryDisk;
let db: EngineHarness;
let phase: string;
let cancelled: number;
let openFolders: number;
/** What becomes of the task. */
let work: (task: CopyTask, grown: (bytes: number) => void) => Promise<number>;

beforeEach(async () => {
  disk = new MemoryDisk();
  await disk.files.makeFolder(FOLDER);
  db = new EngineHarness({ auditEvery: 0 });
  phase = "";
  cancelled = 0;
  openFolders = 0;
  work = (task, grown) =>
    writeCopy(new EntryWalk(db.engine.keyspace.arena), task, {
      ...{ files: disk.files, proceed: () => {}, grown },
    });
});

function copies(): ImageCopies {
  const run = async (
    begin: (revision: number, end: Promise<unknown>) => Promise<unknown>,
    { onProgress = () => {} }: { onProgress?: (share: number) => void } = {},
  ) => work((await begin(7, Promise.resolve())) as CopyTask, onProgress);
  return new ImageCopies({
    snapshots: { run: run as never, cancel: () => void cancelled++ },
    checkpoints: {
      exclusively: (act) => act(),
      get phase() {
        return phase;
      },
    },
    ...{ files: disk.files, cut: () => CUT },
    openFolder: async () => {
      openFolders++;
      return { path: FOLDER, close: async () => void openFolders-- };
    },
  });
}

/** Orders one, and collects what comes. */
async function order(isWanted = true): Promise<{ copy: FullCopy | null; grown: number[] }> {
  let copy: FullCopy | null = null;
  const grown: number[] = [];
  const bytes = await copies().make({
    begun: (cut, file) => {
      copy = new FullCopy(cut, file, () => {});
      copy.hold();
    },
    grown: (now) => void grown.push(now),
    isWanted,
  });
  (copy as FullCopy | null)?.finish(bytes);
  return { copy, grown };
}

describe("a copy for replicas", () => {
  test("is an RDB with the place in the stream that it stands for", async () => {
    db.run("SET", "key", "value");
    const { copy } = await order();
    const whole = Buffer.alloc(copy?.totalBytes ?? 0);
    expect(await copy?.read(whole, 0)).toBe(whole.length);
    const text = whole.toString("latin1");
    expect(text).toStartWith("REDIS0010");
    // Strings of an RDB: small numbers are numbers there.
    expect(text).toContain("\xfa\x0erepl-stream-db\xc0\x03");
    expect(text).toContain(`\xfa\x07repl-id\x28${CUT.id}`);
    expect(text).toContain("\xfa\x0brepl-offset\xc0\x2a");
    expect(text).toContain("key\x05value");
    expect(await disk.files.exists(`${FOLDER}/${COPY_NAME}`)).toBe(false);
    expect(openFolders).toBe(0);
  });

  test("is told of while it grows", async () => {
    for (let i = 0; i < 40; i++) db.run("SET", `key:${i}`, `${i} `.repeat(50_000));
    const { copy, grown } = await order();
    expect(grown.length).toBeGreaterThan(2);
    expect(grown).toEqual([...grown].sort((one, other) => one - other));
    expect(grown.at(-1)).toBeLessThanOrEqual(copy?.totalBytes ?? 0);
  });

  test("that fails leaves no file", async () => {
    work = async () => {
      expect(await disk.files.exists(`${FOLDER}/${COPY_NAME}`)).toBe(true);
      expect(openFolders).toBe(1);
      throw new KvdbError("IO", "the disk is full");
    };
    await expect(order()).rejects.toThrow("the disk is full");
    expect(await disk.files.exists(`${FOLDER}/${COPY_NAME}`)).toBe(false);
    expect(openFolders).toBe(0);
  });

  test("is not begun when nobody waits for it any more, or kvdb does something else", async () => {
    work = async () => {
      throw new Error("it was begun");
    };
    await expect(order(false)).rejects.toThrow("nobody waits for it");
    phase = "kvdb is stopping";
    await expect(order()).rejects.toThrow("kvdb is stopping");
  });

  test("is given up alone: what else takes an image goes on", async () => {
    const made = copies();
    made.cancel();
    expect(cancelled).toBe(0);
    work = async () => {
      made.cancel();
      return 0;
    };
    await made.make({ begun: () => {}, grown: () => {}, isWanted: true });
    expect(cancelled).toBe(1);
  });

  test("that a crash has left is removed by the next start", async () => {
    const file = await disk.files.open(`${FOLDER}/${COPY_NAME}`, "replace");
    await file.close();
    await removeLeftovers(disk.files, FOLDER, []);
    expect(await disk.files.list(FOLDER)).toEqual([]);
  });
});
