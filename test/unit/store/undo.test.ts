/**
 * Undoing while a snapshot is being taken: changes that stand and changes that are undone between the steps of its writer,
 * giants among them; the image is the arena as it was at the cut, the arena is as it was before each change that was undone.
 */
import { describe, expect, test } from "bun:test";
import { type Arena, CHUNK_BYTES, copyBytes, PAGE_BYTES } from "../../../src/store/arena.ts";
import { entryUnits, STRING } from "../../../src/store/entry.ts";
import { eachFreeRun } from "../../../src/store/free-pages.ts";
import { captureSteps, placePages } from "../../../src/store/image-writer.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { createRing } from "../../../src/store/page-capture.ts";
import { Snapshot } from "../../../src/store/snapshot.ts";
import { Undo } from "../../../src/store/undo.ts";
import { Random } from "../../oracle/random.ts";
import { seeds } from "../../suites/seeds.ts";
import { copyImage } from "./stored-entries.ts";

const KEYS = 400;
const GIANT_BYTES = CHUNK_BYTES / 2 + 9999;

class Changes {
  readonly random: Random;
  readonly keyspace: Keyspace;

  constructor(seed: number) {
    this.random = new Random(seed);
    const below = (bound: number) => this.random.integer(0, bound - 1);
    this.keyspace = new Keyspace({
      databases: 2,
      hashKey: [seed, 2],
      random: { below },
      nowMs: 1_000_000,
    });
  }

  make(count: number): void {
    for (let i = 0; i < count; i++) this.#makeOne();
  }

  #makeOne(): void {
    const { random, keyspace } = this;
    const draw = random.integer(0, 99);
    const database = keyspace.databases[random.integer(0, 1)] as Keyspace["databases"][0];
    if (draw === 0) keyspace.flush(database.index);
    else if (draw === 1) keyspace.swap(0, 1);
    else if (draw < 25) {
      const entry = database.find(...this.#key());
      if (entry !== 0) database.remove(entry);
    } else this.#put(database, draw === 99 ? GIANT_BYTES : random.integer(1, 3000));
    keyspace.changes = 0;
    keyspace.advanceRevision();
  }

  #key(): [Buffer, number, number] {
    const bytes = Buffer.from(`key ${this.random.integer(1, KEYS)}`);
    return [bytes, 0, bytes.length];
  }

  #put(database: Keyspace["databases"][0], size: number): void {
    const key = this.#key();
    const deadline = this.random.chance(0.3) ? 1_000_000 + this.random.integer(1, 1e6) : 0;
    const entry = database.put(database.find(...key), ...key, STRING, size, deadline);
    const { arena } = database;
    const value = Buffer.alloc(size, this.random.integer(0, 255));
    copyBytes(value, 0, arena.edit(entry, entryUnits(arena, entry)), database.valueStart, size);
  }

  /** Some changes that never were. */
  undo(count: number): void {
    const before = hashesOf(this.keyspace.arena);
    const { nextRevision, lastDeletion, lastSwap } = this.keyspace;
    const undo = Undo.begin(this.keyspace);
    this.make(count);
    if (count > 20) expect(undo.bytes).toBeGreaterThan(0);
    undo.undo();
    this.keyspace.setNextRevision(nextRevision);
    expect(hashesOf(this.keyspace.arena)).toEqual(before);
    expect(this.keyspace).toMatchObject({ lastDeletion, lastSwap });
  }

  /** Some that might have been undone, and stand. */
  keep(count: number): void {
    const undo = Undo.begin(this.keyspace);
    this.make(count);
    undo.keep();
  }
}

function hashesOf(arena: Arena): readonly (string | number)[] {
  const chunks = arena.bytes.map((bytes) => String(Bun.hash(bytes as unknown as Uint8Array)));
  return [arena.usedBytes, arena.pageCount, ...chunks];
}

describe("undoing while a snapshot is taken", () => {
  test.each(seeds(4))(
    "neither notices the other: seed %d",
    (seed) => {
      const changes = new Changes(seed);
      const { random, keyspace } = changes;
      changes.make(600);
      keyspace.noteRevision();
      const atCut = copyImage(keyspace.arena);
      const free = new Set<number>();
      eachFreeRun(keyspace.arena, (first, count) => {
        for (let page = first; page < first + count; page++) free.add(page);
      });
      const snapshot = Snapshot.cut(keyspace.arena, createRing(16));
      const file = new Uint8Array(2 * atCut.length);
      const writeNow = (bytes: Uint8Array, start: number, end: number, position: number) =>
        file.set(bytes.subarray(start, end), position);
      const steps = captureSteps(snapshot.capture, { writeNow });
      for (;;) {
        const { done, value } = steps.next();
        if (done) {
          expect(value.report.isComplete).toBe(true);
          placePages(snapshot.capture, value, file.subarray(atCut.length), { writeNow });
          break;
        }
        const draw = random.integer(0, 9);
        if (draw < 3) changes.undo(random.integer(1, 30));
        else if (draw < 5) changes.keep(random.integer(1, 10));
        else if (draw < 6) changes.make(3);
        snapshot.endTurn();
      }
      snapshot.finish();
      for (let page = 0; page * PAGE_BYTES < atCut.length; page++) {
        if (free.has(page)) continue;
        const at = page * PAGE_BYTES;
        const [image, cut] = [file, atCut].map((bytes) =>
          Buffer.from(bytes.buffer, at, PAGE_BYTES),
        );
        expect([page, image?.equals(cut as Buffer)]).toEqual([page, true]);
      }
      changes.undo(50);
      expect(keyspace.arena.tracker).toBeNull();
    },
    60_000,
  );
});

describe("what is kept for undoing", () => {
  test("is bounded by what is asked of it, and nothing of it lasts", () => {
    const changes = new Changes(1);
    changes.make(2000);
    const undo = Undo.begin(changes.keyspace, 10 * PAGE_BYTES);
    expect(undo.isFull).toBe(false);
    changes.make(500);
    expect([undo.isFull, undo.bytes > 10 * PAGE_BYTES]).toEqual([true, true]);
    undo.undo();
    expect(changes.keyspace.arena.isHolding).toBe(false);
  });

  test("a giant that goes stays until the change stands", () => {
    const { keyspace } = new Changes(1);
    const [database] = keyspace.databases as [Keyspace["databases"][0]];
    const key = Buffer.from("giant");
    const find = () => database.find(key, 0, key.length);
    const put = () => database.put(find(), key, 0, key.length, STRING, GIANT_BYTES, 0);
    put();
    const used = keyspace.arena.usedBytes;
    for (const isKept of [false, true]) {
      const undo = Undo.begin(keyspace);
      database.remove(find());
      expect(keyspace.arena.usedBytes).toBeGreaterThan(GIANT_BYTES);
      if (isKept) undo.keep();
      else undo.undo();
      expect(keyspace.arena.usedBytes < GIANT_BYTES).toBe(isKept);
      expect(find() === 0).toBe(isKept);
    }
    put();
    expect(keyspace.arena.usedBytes).toBe(used);
  });
});
