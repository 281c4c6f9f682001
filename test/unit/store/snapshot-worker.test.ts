/**
 * Snapshots with a real worker and a real file, under random writes of all kinds that go on meanwhile: each image is
 * compared with a copy of the state at its instant.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHUNK_BYTES } from "../../../src/store/arena.ts";
import { createRing } from "../../../src/store/page-capture.ts";
import { Snapshot } from "../../../src/store/snapshot.ts";
import { seeds } from "../../suites/seeds.ts";
import type { ImageAnswer, ImageJob } from "./image-worker.ts";
import { KeyspacePlay } from "./keyspace-play.ts";
import { digestEntries } from "./stored-entries.ts";

let folder = "";
let worker: Worker;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kvdb-image-"));
  worker = new Worker(new URL("./image-worker.ts", import.meta.url).href);
});
afterAll(() => {
  worker.terminate();
  rmSync(folder, { recursive: true, force: true });
});

/** A snapshot that the worker has begun to write. */
function begin(play: KeyspacePlay, ringPages: number, path = join(folder, "image")) {
  const { keyspace } = play.model;
  keyspace.noteRevision();
  const expected = digestEntries(play.model.stored());
  const revision = keyspace.nextRevision - 1;
  const snapshot = Snapshot.cut(keyspace.arena, createRing(ringPages));
  const answer = new Promise<ImageAnswer>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ImageAnswer>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  const job: ImageJob = { path, capture: snapshot.capture };
  worker.postMessage(job);
  return { snapshot, answer, expected, revision };
}

/** Turns of random commands, as the kernel has them, until the answer is there. */
async function playUntil<Result>(
  play: KeyspacePlay,
  snapshot: Snapshot,
  answer: Promise<Result>,
): Promise<Result> {
  let isThere = false;
  const settled = answer.finally(() => {
    isThere = true;
  });
  while (!isThere) {
    for (let i = 0; i < 200 && !snapshot.turnIsFull && !snapshot.isRunningLow; i++) change(play);
    snapshot.endTurn();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return settled;
}

const MANY_KEYS = 5000;

function change(play: KeyspacePlay): void {
  const { model } = play;
  const index = play.index();
  const draw = play.below(10_000);
  if (draw < 9000) play.change();
  else if (draw < 9900) model.put(index, `many${play.below(MANY_KEYS)}`, play.value(), 0);
  else if (draw < 9970) play.pass(play.jump());
  else if (draw < 9980) model.put(index, "giant", Buffer.alloc(giantBytes(play), draw), 0);
  else if (draw < 9990) model.resize(index, "giant", giantBytes(play));
  else if (draw < 9995) model.remove(index, "giant");
  else if (draw < 9998) shrink(play);
  else if (draw === 9998) model.flushAll();
  else model.reap();
}

function giantBytes(play: KeyspacePlay): number {
  return CHUNK_BYTES / 2 + play.below(CHUNK_BYTES);
}

function shrink({ model }: KeyspacePlay): void {
  for (let index = 0; index < model.maps.length; index++) {
    for (let i = 0; i < MANY_KEYS; i++) model.remove(index, `many${i}`);
  }
}

describe("images of a keyspace that is written to", () => {
  test.each(seeds(4))(
    "are as it was at their instant, seed %d",
    async (seed) => {
      const play = new KeyspacePlay(seed);
      for (let i = 0; i < 20_000; i++) change(play);
      for (let round = 0; round < 6; round++) {
        for (let i = play.below(500); i > 0; i--) change(play);
        const { snapshot, answer, expected, revision } = begin(play, play.pick([2, 16, 1024]));
        const image = await playUntil(play, snapshot, answer);
        snapshot.finish();
        expect(image.error).toBeUndefined();
        expect(image.entries).toEqual(expected);
        expect(image.revision).toBe(revision);
        expect(image.report?.ringPages).toBe(snapshot.takenPages);
        play.model.requireSame();
        expect(readdirSync(folder)).toEqual([]);
      }
    },
    30_000,
  );

  test("cancelled by chance, leave nothing behind", async () => {
    const play = new KeyspacePlay(7);
    for (let i = 0; i < 20_000; i++) change(play);
    let cancelled = 0;
    for (let round = 0; round < 20; round++) {
      const { snapshot, answer } = begin(play, 16);
      for (let turns = play.below(10); turns > 0; turns--) {
        change(play);
        await new Promise<void>((resolve) => setImmediate(resolve));
        snapshot.endTurn();
      }
      snapshot.cancel();
      const image = await answer;
      expect(image.error).toBeUndefined();
      if (image.entries === undefined) cancelled++;
      expect(readdirSync(folder)).toEqual([]);
    }
    expect(cancelled).toBeGreaterThan(0);
    play.model.requireSame();
  }, 30_000);

  test("that cannot be written end with the error, and the main thread knows", async () => {
    const play = new KeyspacePlay(8);
    const { snapshot, answer } = begin(play, 16, join(folder, "no", "image"));
    const { error } = await playUntil(play, snapshot, answer);
    expect(error).toContain("ENOENT");
    expect(snapshot.endTurn()).toBe(false);
    expect(play.model.keyspace.arena.tracker).toBe(play.model.audit.tracker);
    for (let i = 0; i < 100; i++) change(play);
    play.model.requireSame();
  });
});
