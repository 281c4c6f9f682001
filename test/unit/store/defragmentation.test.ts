/**
 * Defragmentation against the naive keyspace: whatever is changed between two of its steps, everything is still there, no
 * page is written untouched, no byte of the account is lost, and chunks go back.
 */
import { describe, expect, test } from "bun:test";
import { CHUNK_BYTES } from "../../../src/store/arena.ts";
import { Defragmentation } from "../../../src/store/defragmentation.ts";
import { Undo } from "../../../src/store/undo.ts";
import { seeds } from "../../suites/seeds.ts";
import { KeyspaceModel } from "./keyspace-model.ts";

/** The account of what belongs to no database. */
const D_SHARED = 10;
const DAY = 24 * 3_600_000;

class Play {
  readonly model: KeyspaceModel;
  readonly defragmentation: Defragmentation;

  constructor(seed: number, databases = 2) {
    this.model = new KeyspaceModel(seed, databases);
    this.defragmentation = new Defragmentation(this.model.keyspace);
  }

  below(bound: number): number {
    return this.model.random.below(bound);
  }

  put(size: number, keys: number): void {
    const { model } = this;
    const deadline = this.below(2) === 0 ? 0 : model.keyspace.nowMs + 1 + this.below(30 * DAY);
    const value = Buffer.alloc(size, this.below(256));
    model.put(this.below(model.maps.length), `k${this.below(keys)}`, value, deadline);
  }

  /** Some of all that can be done, of sizes that leave holes. */
  change(keys: number): void {
    const { model } = this;
    const index = this.below(model.maps.length);
    const key = `k${this.below(keys)}`;
    const what = this.below(8);
    if (what === 0) model.remove(index, key);
    else if (what === 1) model.resize(index, key, this.below(40_000));
    else if (what === 2) {
      model.setDeadline(index, key, this.below(2) * (model.keyspace.nowMs + DAY));
    } else if (what === 3) {
      model.transfer(index, key, 0, `k${this.below(keys)}`, this.below(2) === 0);
    } else this.put(this.below(10) === 0 ? this.below(60_000) : this.below(9000), keys);
  }

  steps(count: number): boolean {
    let left = count;
    return this.defragmentation.advance(() => --left < 0);
  }

  /** Passes until no chunk is worth it. */
  settle(): void {
    for (let i = 0; i < 40 && this.defragmentation.begin(); i++) {
      while (!this.steps(100));
    }
    this.model.requireSame();
  }

  get chunks(): number {
    return this.model.keyspace.arena.reservedBytes / CHUNK_BYTES;
  }
}

describe("between its steps", () => {
  test.each(seeds(4))("everything may change: seed %d", (seed) => {
    const play = new Play(seed);
    for (let i = 0; i < 9000; i++) play.put(play.below(10_000), 8000);
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 2000; i++) play.model.remove(play.below(2), `k${play.below(8000)}`);
      play.defragmentation.begin();
      for (let i = 0; i < 60 && !play.steps(play.below(40)); i++) {
        for (let n = play.below(30); n > 0; n--) play.change(8000);
        play.model.keyspace.nowMs += play.below(3_600_000);
        play.model.expireDue(play.below(50));
        if (play.below(20) === 0) play.model.swap(0, 1);
      }
      while (!play.steps(100));
      play.model.requireSame();
    }
    expect(play.defragmentation.moved).toBeGreaterThan(100);
  });

  test.each(seeds(3))("what was changed may be undone: seed %d", (seed) => {
    const play = new Play(seed, 1);
    const { model } = play;
    const { keyspace } = model;
    for (let i = 0; i < 9000; i++) {
      play.put(play.below(20_000), 8000);
      // Chunks that have one of these stay, and their free blocks with them.
      keyspace.arena.account = D_SHARED;
      if (i % 3000 === 1500) keyspace.arena.allocate(100);
    }
    for (let i = 0; i < 9000; i++) model.remove(0, `k${play.below(8000)}`);
    expect(play.defragmentation.begin()).toBe(true);
    let stored = 0;
    while (!play.steps(play.below(30))) {
      const undo = Undo.begin(keyspace);
      const live = keyspace.arena.live.slice();
      for (let n = play.below(30); n > 0; n--) {
        const key = Buffer.from(`k${play.below(8000)}`);
        const [database] = keyspace.databases;
        const entry = database?.find(key, 0, key.length) ?? 0;
        if (entry !== 0 && play.below(2) === 0) database?.remove(entry);
        else database?.put(entry, key, 0, key.length, 0, play.below(9000), 0);
        stored++;
      }
      undo.undo();
      expect(keyspace.arena.live).toEqual(live);
      for (let n = play.below(10); n > 0; n--) play.change(8000);
    }
    expect(stored).toBeGreaterThan(10);
    play.settle();
    for (let i = 0; i < 8000; i++) play.put(play.below(10_000), 8000);
    play.settle();
  });

  test("everything may be flushed", () => {
    const play = new Play(1);
    for (let i = 0; i < 9000; i++) play.put(5000, 8000);
    for (let i = 0; i < 7000; i++) play.model.remove(play.below(2), `k${i}`);
    expect(play.defragmentation.begin()).toBe(true);
    expect(play.steps(3)).toBe(false);
    play.model.flushAll();
    for (let i = 0; i < 9000; i++) play.put(5000, 8000);
    play.settle();
    expect(play.model.keyspace.arena.usedBytes).toBeGreaterThan(2 * CHUNK_BYTES);
  });

  test("one database may be flushed, and its memory be freed meanwhile", () => {
    const play = new Play(2);
    for (let i = 0; i < 9000; i++) play.put(8000, 8000);
    play.model.flush(0);
    for (let i = 0; i < 7500; i++) play.model.remove(1, `k${i}`);
    expect(play.defragmentation.begin()).toBe(true);
    for (let i = 0; i < 2000 && !play.steps(1); i++) {
      play.model.keyspace.reapSlice();
      if (i % 5 === 0) play.put(100, 8000);
    }
    play.model.reap();
    play.settle();
  });
});

describe("memory goes back", () => {
  test("when nine of ten keys went, and values of another size came", () => {
    const play = new Play(3, 1);
    for (let i = 0; i < 9000; i++) play.model.put(0, `k${i}`, Buffer.alloc(9000, i), 0);
    const full = play.chunks;
    for (let i = 0; i < 9000; i++) if (i % 10 !== 0) play.model.remove(0, `k${i}`);
    expect(play.chunks).toBe(full);
    play.settle();
    expect(full).toBeGreaterThan(4);
    expect(play.chunks).toBeLessThanOrEqual(3);
    for (let i = 0; i < 2000; i++) play.model.put(0, `n${i}`, Buffer.alloc(15_000, i), 0);
    play.model.requireSame();
    expect(play.chunks).toBeLessThan(full);
  });

  test("small keys with deadlines, with their table and their reminders", () => {
    const play = new Play(4, 1);
    const { model } = play;
    const { nowMs } = model.keyspace;
    for (let i = 0; i < 200_000; i++) {
      model.put(0, `key:${i}`, Buffer.alloc(250, i), i % 50 === 0 ? nowMs + DAY + i : 0);
    }
    const full = play.chunks;
    for (let i = 0; i < 200_000; i++) if (i % 20 !== 0) model.remove(0, `key:${i}`);
    while (!model.expireDue(1000));
    play.settle();
    expect(full).toBeGreaterThanOrEqual(2);
    expect(play.chunks).toBeLessThan(full);
    model.keyspace.nowMs += 2 * DAY;
    while (!model.expireDue());
    // One of five of those that are left.
    expect(model.database(0).expires).toBe(0);
    expect(model.database(0).size).toBe(8000);
  }, 60_000);

  test("a chunk with what cannot move stays, gets its free blocks back, and is left alone", () => {
    const play = new Play(5, 1);
    const { keyspace } = play.model;
    for (let i = 0; i < 2500; i++) play.model.put(0, `k${i}`, Buffer.alloc(9000, i), 0);
    // Of nobody whom defragmentation knows.
    keyspace.arena.account = D_SHARED;
    const block = keyspace.arena.allocate(1000);
    for (let i = 2500; i < 6000; i++) play.model.put(0, `k${i}`, Buffer.alloc(9000, i), 0);
    for (let i = 0; i < 6000; i++) if (i % 10 !== 0) play.model.remove(0, `k${i}`);
    const { bytes } = keyspace.arena;
    const chunk = block >>> 21;
    play.settle();
    expect(play.defragmentation.keptChunks).toBe(1);
    expect(bytes[chunk]?.length).toBe(CHUNK_BYTES);
    // The hole that the chunk has is filled before memory is taken.
    const before = play.chunks;
    for (let i = 0; i < 900; i++) play.model.put(0, `new${i}`, Buffer.alloc(9000, i), 0);
    expect(play.chunks).toBe(before);
    keyspace.arena.account = D_SHARED;
    keyspace.arena.release(block, 1000);
    play.settle();
  });
});
