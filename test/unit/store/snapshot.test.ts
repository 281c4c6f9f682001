/**
 * Snapshots without a worker: the writer of the image is stepped by hand between commands, with a ring of a few pages, so
 * that pages are taken while they are written out, the ring is full and overflows all the time. Every page of the image
 * is compared with the arena at the cut, every entry with the model. Then: cancelled at each step, failed at each write.
 */
import { describe, expect, test } from "bun:test";
import { Arena, CHUNK_BYTES, CHUNK_UNITS, PAGE_BYTES } from "../../../src/store/arena.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { eachFreeRun } from "../../../src/store/free-pages.ts";
import {
  type CapturedImage,
  captureSteps,
  type ImageReport,
  placePages,
} from "../../../src/store/image-writer.ts";
import { type CaptureRing, createRing, ringRoom } from "../../../src/store/page-capture.ts";
import { Snapshot, TURN_PAGES } from "../../../src/store/snapshot.ts";
import { seeds } from "../../suites/seeds.ts";
import { KeyspacePlay } from "./keyspace-play.ts";
import {
  copyImage,
  readEntries,
  requireSameEntries,
  type StoredEntries,
} from "./stored-entries.ts";

const NOTHING = Buffer.alloc(PAGE_BYTES);
/** More than half a chunk: it has a chunk number of its own. */
const GIANT_BYTES = CHUNK_BYTES / 2 + 9999;

/** An image in memory, written by hand, and what it must hold in the end. */
class Rehearsal {
  readonly play: KeyspacePlay;
  readonly snapshot: Snapshot;
  readonly expected: StoredEntries;
  readonly image: Uint8Array;
  writes = 0;
  onWrite: (start: number, end: number) => void = () => {};
  report: ImageReport | null = null;
  readonly #atCut: Uint8Array;
  readonly #freePages = new Set<number>();
  readonly #place: (captured: CapturedImage) => boolean;
  readonly #steps: Generator<"working" | "waiting", CapturedImage>;

  constructor(play: KeyspacePlay, ring: number | CaptureRing) {
    this.play = play;
    const { keyspace } = play.model;
    keyspace.noteRevision();
    this.expected = play.model.stored();
    this.#atCut = copyImage(keyspace.arena);
    eachFreeRun(keyspace.arena, (first, count) => {
      for (let page = first; page < first + count; page++) this.#noteFree(page);
    });
    this.snapshot = Snapshot.cut(
      keyspace.arena,
      typeof ring === "number" ? createRing(ring) : ring,
    );
    // The pages of the ring stand behind the image at first, and are as many at most.
    const file = new Uint8Array(2 * this.#atCut.length);
    this.image = file.subarray(0, this.#atCut.length);
    const writeNow = (bytes: Uint8Array, start: number, end: number, position: number) => {
      this.writes++;
      this.onWrite(position, position + end - start);
      file.set(bytes.subarray(start, end), position);
    };
    const { capture } = this.snapshot;
    this.#steps = captureSteps(capture, { writeNow });
    this.#place = (captured) =>
      placePages(capture, captured, file.subarray(this.#atCut.length), { writeNow });
  }

  #noteFree(page: number): void {
    if (this.#freePages.has(page)) throw new Error(`page ${page} is free twice`);
    this.#freePages.add(page);
  }

  /** One step of the writer. */
  step(): "working" | "waiting" | "over" {
    const { done, value } = this.#steps.next();
    if (!done) return value;
    this.report = value.report;
    if (this.report.isComplete && !this.#place(value)) throw new Error("nobody cancelled it");
    return "over";
  }

  /** Lets the writer come to its end, with nothing but the ends of turns in between. */
  complete(): void {
    while (this.step() !== "over") this.snapshot.endTurn();
    this.snapshot.finish();
  }

  requireImage(): void {
    expect(this.report?.isComplete).toBe(true);
    this.#requirePages();
    requireSameEntries(readEntries(new EntryWalk(Arena.open([this.image]))), this.expected);
  }

  #requirePages(): void {
    const image = Buffer.from(this.image.buffer, 0, this.image.length);
    for (let page = 0; page * PAGE_BYTES < image.length; page++) {
      const start = page * PAGE_BYTES;
      const bytes = image.subarray(start, start + PAGE_BYTES);
      const old = Buffer.from(this.#atCut.buffer, start, PAGE_BYTES);
      if (bytes.equals(old) || (this.#freePages.has(page) && bytes.equals(NOTHING))) continue;
      throw new Error(`page ${page} is not as it was at the cut`);
    }
  }
}

/** A keyspace with a past, so that there are free blocks, graves and reminders. */
function playWithPast(seed: number, changes = 1000): KeyspacePlay {
  const play = new KeyspacePlay(seed);
  for (let i = 0; i < changes; i++) play.change();
  play.pass(play.jump());
  return play;
}

function growMuch(play: KeyspacePlay, keys: number): void {
  const index = play.index();
  for (let i = 0; i < keys; i++) play.model.put(index, `much${i}`, Buffer.alloc(20, i), 0);
}

function shrinkMuch(play: KeyspacePlay, keys: number): void {
  for (let index = 0; index < play.model.maps.length; index++) {
    for (let i = 0; i < keys; i++) play.model.remove(index, `much${i}`);
  }
}

/** A command or two; seldom one that changes everything. */
function change(play: KeyspacePlay): void {
  const draw = play.below(1000);
  if (draw < 960) play.change();
  else if (draw < 980) play.pass(play.jump());
  else if (draw < 984) growMuch(play, 400);
  else if (draw < 988) shrinkMuch(play, 400);
  else if (draw < 992) play.model.put(play.index(), "giant", Buffer.alloc(GIANT_BYTES, draw), 0);
  else if (draw < 996) play.model.remove(play.index(), "giant");
  else if (draw === 996) play.model.flushAll();
  else play.model.reap();
}

/** Steps of the writer at which something happens, evenly spread. */
const TRIED_STEPS = 7;

describe("an image is the arena at the cut", () => {
  test.each(seeds(12))("whatever is written meanwhile, seed %d", (seed) => {
    const play = playWithPast(seed);
    for (let round = 0; round < 5; round++) {
      const rehearsal = new Rehearsal(play, play.pick([2, 4]));
      const changesPerStep = play.pick([1, 3, 10]);
      for (let outcome = ""; outcome !== "over"; outcome = rehearsal.step()) {
        for (let i = 0; i < changesPerStep && play.below(3) > 0; i++) change(play);
        if (play.below(3) === 0 || outcome === "waiting") rehearsal.snapshot.endTurn();
      }
      rehearsal.snapshot.finish();
      rehearsal.requireImage();
      play.model.requireSame();
      expect(rehearsal.report?.ringPages).toBe(rehearsal.snapshot.takenPages);
    }
  });

  test.each<[string, (play: KeyspacePlay) => void]>([
    ["FLUSHALL", ({ model }) => model.flushAll()],
    [
      "FLUSHALL two times",
      ({ model }) => {
        model.flushAll();
        model.put(0, "giant", Buffer.alloc(GIANT_BYTES, 1), 0);
        model.flushAll();
      },
    ],
    [
      "FLUSHDB, all of it freed",
      ({ model }) => {
        model.flush(0);
        model.reap();
      },
    ],
    ["SWAPDB", ({ model }) => model.swap(0, 1)],
    ["a giant that goes", ({ model }) => model.remove(0, "giant")],
    [
      "a giant whose number is used again",
      ({ model }) => {
        model.remove(0, "giant");
        for (let i = 0; i < 9; i++) model.put(0, `new${i}`, Buffer.alloc(4_000_000, 1), 0);
      },
    ],
    [
      "a giant written in place",
      ({ model }) => model.put(0, "giant", Buffer.alloc(GIANT_BYTES, "other"), 0),
    ],
    ["a giant that grows", ({ model }) => model.resize(0, "giant", CHUNK_BYTES)],
    ["a new giant", ({ model }) => model.put(1, "new", Buffer.alloc(2 * CHUNK_BYTES, 1), 0)],
    ["many new keys", (play) => growMuch(play, 20_000)],
    [
      "everything expires",
      ({ model }) => {
        model.keyspace.nowMs += 3e13;
        while (!model.expireDue());
      },
    ],
  ])("with %s at any step", (_, act) => {
    for (let at = 0, steps = 1; at < steps; at += Math.ceil(steps / TRIED_STEPS)) {
      const play = playWithPast(1);
      play.model.put(0, "giant", Buffer.alloc(GIANT_BYTES, "giant"), 0);
      play.model.put(1, "after", Buffer.alloc(10, "after"), 0);
      const rehearsal = new Rehearsal(play, 4);
      steps = 0;
      for (let outcome = ""; outcome !== "over"; outcome = rehearsal.step()) {
        if (steps++ === at) act(play);
        else rehearsal.snapshot.endTurn();
      }
      rehearsal.snapshot.finish();
      rehearsal.requireImage();
      play.model.requireSame();
    }
  });

  test("also where the worker wrote a page while the main thread took it", () => {
    const play = playWithPast(1, 100);
    play.model.put(0, "long", Buffer.alloc(100_000, "old"), 0);
    const rehearsal = new Rehearsal(play, 64);
    // The write finds the new value there: half of the page is of the one, half of the other.
    rehearsal.onWrite = () => play.model.put(0, "long", Buffer.alloc(100_000, "new"), 0);
    rehearsal.complete();
    expect(rehearsal.report?.voidPages).toBeGreaterThan(10);
    rehearsal.requireImage();
  });

  test("leaves out what is free, in the middle of it too", () => {
    const play = playWithPast(1, 100);
    for (let i = 0; i < 12; i++) play.model.put(0, `k${i}`, Buffer.alloc(1_000_000, 1), 0);
    for (let i = 0; i < 12; i += 2) play.model.remove(0, `k${i}`);
    const rehearsal = new Rehearsal(play, 4);
    rehearsal.complete();
    rehearsal.requireImage();
    const pages = rehearsal.report?.walkedPages as number;
    expect(pages * PAGE_BYTES).toBeGreaterThan(6_000_000);
    expect(pages * PAGE_BYTES).toBeLessThan(7_500_000);
  });
});

describe("the main thread", () => {
  test("copies a page once, and one that is written out not at all", () => {
    const play = playWithPast(1, 100);
    const rehearsal = new Rehearsal(play, 64);
    const { arena } = play.model.keyspace;
    arena.edit(0, 1);
    arena.edit(0, 1);
    expect(rehearsal.snapshot.takenPages).toBe(1);
    rehearsal.complete();
    const taken = rehearsal.snapshot.takenPages;
    growMuch(play, 1000);
    expect(rehearsal.snapshot.takenPages).toBe(taken);
    rehearsal.requireImage();
  });

  test("does not copy what it had when the walk was over, before it is told of the end", () => {
    const play = playWithPast(1, 100);
    const rehearsal = new Rehearsal(play, 64);
    while (rehearsal.step() !== "over");
    growMuch(play, 1000);
    expect(rehearsal.snapshot.takenPages).toBe(0);
    expect(rehearsal.snapshot.endTurn()).toBe(false);
    expect(play.model.keyspace.arena.tracker).toBe(play.model.audit.tracker);
    rehearsal.requireImage();
  });

  test("hears that the turn is full, that the worker lags, and that it has caught up", () => {
    const play = playWithPast(1, 100);
    const { arena } = play.model.keyspace;
    const blocks = Array.from({ length: TURN_PAGES }, () => arena.allocate(1500));
    const { snapshot } = new Rehearsal(play, 256);
    const steps = captureSteps(snapshot.capture, { writeNow: () => {} });
    expect(snapshot.turnIsFull).toBe(false);
    for (const block of blocks.slice(0, 60)) arena.edit(block, 1500);
    expect(snapshot.turnIsFull).toBe(false);
    expect(snapshot.isRunningLow).toBe(false);
    for (const block of blocks) arena.edit(block, 1500);
    expect(snapshot.takenPages).toBeGreaterThan(192);
    expect(snapshot.turnIsFull).toBe(true);
    expect(snapshot.isRunningLow).toBe(true);
    expect(snapshot.endTurn()).toBe(true);
    expect(snapshot.turnIsFull).toBe(false);
    steps.next();
    while (snapshot.isRunningLow) steps.next();
    expect(ringRoom(snapshot.capture)).toBeGreaterThanOrEqual(64);
    expect(snapshot.endTurn()).toBe(false);
  });

  test("keeps beside a full ring what a single command takes, and says when to come again", () => {
    const play = playWithPast(1, 100);
    play.model.put(0, "giant", Buffer.alloc(CHUNK_BYTES, "giant"), 0);
    const rehearsal = new Rehearsal(play, 4);
    const { snapshot } = rehearsal;
    play.model.put(0, "giant", Buffer.alloc(CHUNK_BYTES, "other"), 0);
    expect(snapshot.mostOverflow).toBeGreaterThan(2000);
    expect(snapshot.isRunningLow).toBe(true);
    expect(snapshot.endTurn()).toBe(true);
    let turns = 0;
    for (let waits = true; waits; turns++) {
      for (let i = 0; i < 4; i++) rehearsal.step();
      waits = snapshot.endTurn();
    }
    expect(turns).toBeGreaterThan(500);
    rehearsal.complete();
    rehearsal.requireImage();
  });
});

describe("an image that comes to nothing", () => {
  /** The store must not notice. */
  function requireAlive(rehearsal: Rehearsal): void {
    const { model } = rehearsal.play;
    expect(model.keyspace.arena.tracker).toBe(model.audit.tracker);
    const taken = rehearsal.snapshot.takenPages;
    for (let i = 0; i < 50; i++) change(rehearsal.play);
    expect(rehearsal.snapshot.takenPages).toBe(taken);
    expect(rehearsal.snapshot.isRunningLow).toBe(false);
    expect(rehearsal.snapshot.endTurn()).toBe(false);
    model.requireSame();
  }

  test("cancelled at any step, it stops at the next", () => {
    for (let at = 0, isOver = false; !isOver; at++) {
      const rehearsal = new Rehearsal(playWithPast(at % 5, 200), 4);
      for (let step = 0; step < at && !isOver; step++) {
        rehearsal.play.change();
        if (step % 3 === 0) rehearsal.snapshot.endTurn();
        isOver = rehearsal.step() === "over";
      }
      if (isOver) break;
      rehearsal.snapshot.cancel();
      rehearsal.snapshot.cancel();
      let steps = 0;
      while (rehearsal.step() !== "over") steps++;
      // A run that was begun is written and settled; what is in the ring by then as well.
      expect(steps).toBeLessThanOrEqual(2 + 4);
      expect(rehearsal.report?.isComplete).toBe(false);
      requireAlive(rehearsal);
    }
  });

  test("failed at any write, it ends with the error, and the writers go on", () => {
    for (let at = 1, isOver = false; !isOver; at++) {
      const rehearsal = new Rehearsal(playWithPast(at % 5, 200), 2);
      rehearsal.onWrite = () => {
        if (rehearsal.writes === at) throw new Error("the disk is full");
      };
      const run = () => {
        for (let step = 0; !isOver; step++) {
          rehearsal.play.change();
          if (step % 3 === 0) rehearsal.snapshot.endTurn();
          isOver = rehearsal.step() === "over";
        }
      };
      if (at > 200) throw new Error("it never gets through");
      try {
        run();
      } catch (error) {
        expect(String(error)).toContain("the disk is full");
        rehearsal.snapshot.endTurn();
        requireAlive(rehearsal);
      }
    }
  });
});

test("snapshots follow one another, with the ring of the first", () => {
  const play = playWithPast(3);
  const { arena } = play.model.keyspace;
  const ring = createRing(4);
  for (let round = 0; round < 3; round++) {
    const rehearsal = new Rehearsal(play, ring);
    while (rehearsal.step() !== "over") {
      play.change();
      rehearsal.snapshot.endTurn();
    }
    rehearsal.snapshot.finish();
    rehearsal.requireImage();
  }
  expect(arena.allocate(CHUNK_UNITS)).not.toBe(0);
});
