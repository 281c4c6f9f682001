/**
 * Emptying chunks of an arena, so that their memory goes back. Who knows what refers to a block moves it (defragmentation.ts);
 * here is only what keeps new blocks out meanwhile. A free block of such a chunk is parked: it goes into a list of the chunk
 * instead of the one of its size.
 *
 *   parked block (1 unit at least)   i0 next parked block of the chunk   i1 its size class
 *
 * The lists of free blocks lead through all chunks. So each is set aside as a whole, and its blocks are put back one by one, a
 * few per call, those of the chunks in question parked; who needs a block meanwhile has one put back first.
 *
 * Invariant: no list of the arena leads to a chunk that is dropped; what is not dropped gets back all its free blocks.
 */
import {
  type Arena,
  CHUNK_SHIFT,
  CLASS_COUNT,
  type Evacuating,
  type FreeLists,
  I_FREE,
  UNIT_MASK,
} from "./arena.ts";

/** Blocks between two looks at the clock: some microseconds. */
const BLOCKS_PER_STEP = 64;

export class Evacuation implements Evacuating {
  readonly chunks: readonly number[];
  readonly #arena: Arena;
  readonly #lists: FreeLists;
  /** By chunk: 1 + its place in `chunks`. */
  readonly #places = new Int32Array(1 << (32 - CHUNK_SHIFT));
  /** First parked block of each of `chunks`. */
  readonly #parked: Int32Array;
  /** By size class: the rest of the list that is set aside. */
  readonly #aside = new Int32Array(CLASS_COUNT);
  #index = 0;
  /** The chunks are let go of: nothing is parked any more. */
  #isOver = false;

  private constructor(arena: Arena, lists: FreeLists, chunks: readonly number[]) {
    this.chunks = chunks;
    this.#arena = arena;
    this.#lists = lists;
    this.#parked = new Int32Array(chunks.length);
    chunks.forEach((chunk, place) => {
      this.#places[chunk] = place + 1;
    });
    const head = arena.editInts(0, (I_FREE + CLASS_COUNT) >> 1);
    for (let index = 0; index < CLASS_COUNT; index++) {
      this.#aside[index] = head[I_FREE + index];
      head[I_FREE + index] = 0;
    }
  }

  /** Of ordinary chunks (Arena.ordinaryChunks): nothing new comes into them from now on. */
  static begin(arena: Arena, chunks: readonly number[]): Evacuation {
    return arena.beginEvacuation((lists) => new Evacuation(arena, lists, chunks));
  }

  /** Its chunks have not been judged yet: `finish` was not called. */
  get isUnfinished(): boolean {
    return !this.#isOver;
  }

  /** Whether the block is to move. */
  holds(address: number): boolean {
    return this.#places[address >>> CHUNK_SHIFT] !== 0;
  }

  // ---- what the arena asks ----

  /** Sees that the list of the size has a block, if one is found soon that is in none of the chunks. */
  freeHead(index: number): void {
    const head = this.#arena.ints[0];
    for (let left = BLOCKS_PER_STEP; left > 0 && head[I_FREE + index] === 0; left--) {
      if (this.#aside[index] === 0) return;
      this.#putBack(index);
    }
  }

  /** True: the free block was parked. */
  park(address: number, index: number): boolean {
    const place = this.#places[address >>> CHUNK_SHIFT];
    if (place === 0 || this.#isOver) return false;
    const words = this.#arena.editInts(address, 1);
    const at = (address & UNIT_MASK) << 1;
    words[at] = this.#parked[place - 1];
    words[at + 1] = index;
    this.#parked[place - 1] = address;
    return true;
  }

  /** Where its lists begin: what is in them lies in the arena. */
  memorize(): () => void {
    const parked = this.#parked.slice();
    const aside = this.#aside.slice();
    return () => {
      this.#parked.set(parked);
      this.#aside.set(aside);
    };
  }

  /** The first block that is set aside goes where it belongs. */
  #putBack(index: number): void {
    const address = this.#aside[index];
    const { ints } = this.#arena;
    this.#aside[index] = ints[address >>> CHUNK_SHIFT][(address & UNIT_MASK) << 1];
    if (!this.park(address, index)) this.#lists.link(address, index);
  }

  // ---- in slices ----

  /** Puts back some of what is set aside. True when nothing is left: no list leads to the chunks any more. */
  sort(): boolean {
    for (let i = 0; i < BLOCKS_PER_STEP; i++) {
      while (this.#index < CLASS_COUNT && this.#aside[this.#index] === 0) this.#index++;
      if (this.#index === CLASS_COUNT) return true;
      this.#putBack(this.#index);
    }
    return false;
  }

  /**
   * Ends it: chunks in which nothing is in use go, the others get their free blocks back, a few per call. True when that is
   * done. `sort` has answered true.
   */
  finish(): boolean {
    if (!this.#isOver) this.#dropEmpty();
    this.#isOver = true;
    for (let left = BLOCKS_PER_STEP; left > 0; left--) {
      const place = this.#parked.findIndex((address) => address !== 0);
      if (place < 0) {
        this.#lists.end();
        return true;
      }
      this.#unpark(place);
    }
    return false;
  }

  #dropEmpty(): void {
    const { live } = this.#arena;
    this.chunks.forEach((chunk, place) => {
      if (live[chunk] !== 0) return;
      this.#parked[place] = 0;
      this.#lists.drop(chunk);
    });
  }

  #unpark(place: number): void {
    const address = this.#parked[place] as number;
    const words = this.#arena.ints[address >>> CHUNK_SHIFT];
    const at = (address & UNIT_MASK) << 1;
    this.#parked[place] = words[at];
    this.#lists.link(address, words[at + 1]);
  }
}
