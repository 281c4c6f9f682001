/** Images on the disk in memory: what is left behind, whatever fails; room on the disk; parts of a mapping; the end. */
import { expect, test } from "bun:test";
import { errnoOf } from "../../../src/platform/files.ts";
import { Arena, CHUNK_BYTES, PAGE_BYTES } from "../../../src/store/arena.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { mapImage, takeImage } from "../../../src/store/image.ts";
import { createRing } from "../../../src/store/page-capture.ts";
import { Snapshot } from "../../../src/store/snapshot.ts";
import { createFaultyFiles, MemoryDisk } from "../../suites/index.ts";
import { KeyspacePlay } from "./keyspace-play.ts";
import { copyImage, readEntries, requireSameEntries } from "./stored-entries.ts";

const PATH = "/data/image";

async function createDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.files.makeFolder("/data");
  return disk;
}

function smallKeyspace(): KeyspacePlay {
  const play = new KeyspacePlay(1);
  for (let i = 0; i < 300; i++) play.change();
  play.model.keyspace.noteRevision();
  return play;
}

test("an image is read, its name is gone, its blocks go when it is closed", async () => {
  const disk = await createDisk();
  const { model } = smallKeyspace();
  const snapshot = Snapshot.cut(model.keyspace.arena, createRing(4));
  const image = await takeImage(disk.files, PATH, snapshot.capture);
  snapshot.finish();
  if (image === null) throw new Error("it was not cancelled");
  expect(disk.paths()).toEqual([]);
  const walk = new EntryWalk(image.arena);
  requireSameEntries(readEntries(walk), model.stored());
  expect(walk.revision).toBe(model.keyspace.nextRevision - 1);
  await image.close();
  expect(() => new EntryWalk(image.arena).next()).toThrow();
});

test("whichever operation fails, it is told, nothing is left behind, and the store goes on", async () => {
  // Without a failure first, to know how many operations there are.
  for (let at = 0, operations = 1; at <= operations; at++) {
    const disk = await createDisk();
    const fault = { at, kind: "once", errno: "EIO" } as const;
    const faulty = createFaultyFiles(disk.files, at === 0 ? undefined : fault);
    const play = smallKeyspace();
    const { arena } = play.model.keyspace;
    const snapshot = Snapshot.cut(arena, createRing(4));
    const taking = takeImage(faulty.files, PATH, snapshot.capture).then((image) => image?.close());
    const error = await taking.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (at === 0) operations = faulty.operationCount;
    expect(operations).toBeGreaterThan(8);
    expect(errnoOf(error)).toBe(at === 0 ? undefined : "EIO");
    expect(disk.paths()).toEqual([]);
    snapshot.endTurn();
    expect(arena.tracker).toBe(play.model.audit.tracker);
    for (let i = 0; i < 50; i++) play.change();
    play.model.requireSame();
  }
});

test("a failure whose remains cannot be removed tells both", async () => {
  const disk = await createDisk();
  const faulty = createFaultyFiles(disk.files, { at: 4, kind: "lasting" });
  const snapshot = Snapshot.cut(smallKeyspace().model.keyspace.arena, createRing(4));
  const error = await takeImage(faulty.files, PATH, snapshot.capture).then(
    () => null,
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ code: "IO" });
  expect(error?.message).toMatch(/taking an image: writing .*ENOSPC.*; then removing .*ENOSPC/);
});

test("a cancelled one is none", async () => {
  const disk = await createDisk();
  const { model } = smallKeyspace();
  const snapshot = Snapshot.cut(model.keyspace.arena, createRing(4));
  snapshot.cancel();
  expect(await takeImage(disk.files, PATH, snapshot.capture)).toBe(null);
  expect(disk.paths()).toEqual([]);
});

test("room for the image and for what is made of it is asked for before anything is written", async () => {
  const disk = await createDisk();
  const { model } = smallKeyspace();
  const { arena } = model.keyspace;
  const snapshot = Snapshot.cut(arena, createRing(4));
  const { imageBytes, usedBytes } = snapshot.capture;
  expect(usedBytes).toBe(arena.usedBytes);
  disk.freeBytes = imageBytes + usedBytes - 1;
  const faulty = createFaultyFiles(disk.files);
  const refused = takeImage(faulty.files, PATH, snapshot.capture);
  await expect(refused).rejects.toMatchObject({ code: "IO" });
  expect(faulty.operationCount).toBe(1);
  expect(snapshot.endTurn()).toBe(false);
  disk.freeBytes++;
  const next = Snapshot.cut(arena, createRing(4));
  const image = await takeImage(disk.files, PATH, next.capture);
  const { walkedPages, ringPages } = image?.report ?? { walkedPages: 0, ringPages: 0 };
  expect((walkedPages + ringPages) * PAGE_BYTES).toBe(next.capture.imageBytes);
  await image?.close();
});

test("the parts of a mapping are as large as they may be, and cut no giant", async () => {
  const { model } = new KeyspacePlay(1);
  // Chunk 0 is too short for them: each has one of its own.
  for (let i = 0; i < 2; i++) model.put(0, `k${i}`, Buffer.alloc(8_000_000, i), 0);
  model.put(1, "giant", Buffer.alloc(CHUNK_BYTES + 5, "giant"), 0);
  model.put(1, "giant at the end", Buffer.alloc(CHUNK_BYTES, "giant"), 0);
  const disk = await createDisk();
  disk.put(PATH, copyImage(model.keyspace.arena));
  for (const [mostChunks, chunks] of [
    [1, [1, 1, 1, 2, 2]],
    [2, [2, 1, 2, 2]],
    [3, [3, 2, 2]],
    [5, [5, 2]],
    [7, [7]],
  ] as const) {
    const parts = await mapImage(disk.files, PATH, mostChunks * CHUNK_BYTES);
    expect(parts.map((part) => part.length / CHUNK_BYTES)).toEqual([...chunks]);
    requireSameEntries(readEntries(new EntryWalk(Arena.open(parts))), model.stored());
  }
});
