/**
 * The main thread's side of a snapshot: from the cut on, each page is copied before it is first written, unless the worker
 * (image-writer.ts) has it already. It knows nothing of entries: a snapshot is a copy of the arena's pages at one instant.
 *
 *   keyspace.noteRevision();                      at the end of a turn: the cut is between commands
 *   const snapshot = Snapshot.cut(arena, ring);   `snapshot.capture` goes to the worker
 *   … each turn: commands until `turnIsFull`; `endTurn()`; no writers in while `isRunningLow` …
 *   snapshot.finish();                            the worker says that it has all pages; or `cancel()`, at any time
 *
 * A page is tracked by its number only as long as the chunk of this number is the one of the cut. What is made later is not
 * in the snapshot, and what is gone (a giant released, everything flushed) is not written any more: the worker alone holds
 * it, and goes on reading.
 *
 * While `arena.tracker` is set, nothing may be written that can as well wait: each first write to a page is a copy of
 * 8 KiB. Reads write nothing (an eviction clock rests meanwhile), and nothing is moved only to defragment.
 */
import { assert } from "../assert.ts";
import {
  type Arena,
  CHUNK_BYTES,
  CHUNK_SHIFT,
  MAX_CHUNKS,
  PAGE_BYTES,
  PAGE_SHIFT,
} from "./arena.ts";
import { eachFreeRun } from "./free-pages.ts";
import {
  CANCELLED,
  CAPTURED,
  type CaptureRing,
  createControl,
  DONE,
  FAILED,
  OUTCOME,
  type PageCapture,
  pushPage,
  ringRoom,
  TAKEN,
} from "./page-capture.ts";
import { PageOverflow } from "./page-overflow.ts";
import { attachTracker, detachTracker, type PageTracker } from "./page-tracker.ts";

/** Pages that a turn copies before it should end: some 100 µs, and 1 MiB. */
export const TURN_PAGES = 128;
const CHUNK_PAGE_SHIFT = CHUNK_SHIFT - PAGE_SHIFT;
const PAGES_OF_CHUNK = 1 << CHUNK_PAGE_SHIFT;
const MAX_PAGES = MAX_CHUNKS * PAGES_OF_CHUNK;

export class Snapshot implements PageTracker {
  readonly capture: PageCapture;
  readonly #arena: Arena;
  /**
   * By page number: 1 if it must be looked at before it is written. Kept apart from the shared states so that the usual
   * case is one load, of memory that no other core writes. As long as page numbers go, so that none is out of its bounds.
   */
  readonly #pending = new Uint8Array(MAX_PAGES);
  readonly #overflow = new PageOverflow();
  #isOver = false;
  #takenInTurn = 0;
  /** Pages that the main thread copied, and most that waited outside the ring. */
  takenPages = 0;
  mostOverflow = 0;

  /** Begins at this instant, between two commands. */
  static cut(arena: Arena, ring: CaptureRing): Snapshot {
    return new Snapshot(arena, ring);
  }

  private constructor(arena: Arena, ring: CaptureRing) {
    this.#arena = arena;
    const pageCount = arena.bytes.length * PAGES_OF_CHUNK;
    const states = new Uint8Array(new SharedArrayBuffer(pageCount));
    const freePages = this.#leaveOutFree(states);
    this.capture = {
      ring: ring.ring,
      ringPages: ring.ringPages,
      chunks: arena.bytes.map(chunkMemory),
      pageCount,
      usedBytes: arena.usedBytes,
      imageBytes: (pageCount - freePages) * PAGE_BYTES,
      states,
      control: createControl(),
    };
    attachTracker(arena, this);
  }

  /** What is free at the cut is as good as captured; answers how many pages. */
  #leaveOutFree(states: Uint8Array): number {
    let total = 0;
    this.#pending.fill(1, 0, states.length);
    eachFreeRun(this.#arena, (first, count) => {
      states.fill(DONE, first, first + count);
      this.#pending.fill(0, first, first + count);
      total += count;
    });
    return total;
  }

  // ---- what the arena tells ----

  touch(firstPage: number, lastPage: number): void {
    const pending = this.#pending;
    for (let page = firstPage; page <= lastPage; page++) if (pending[page] !== 0) this.#take(page);
  }

  #take(page: number): void {
    this.#pending[page] = 0;
    if (Atomics.exchange(this.capture.states, page, TAKEN) === DONE) return;
    this.#takenInTurn++;
    this.takenPages++;
    const bytes = this.#arena.bytes[page >>> CHUNK_PAGE_SHIFT];
    const at = (page & (PAGES_OF_CHUNK - 1)) * PAGE_BYTES;
    if (pushPage(this.capture, page, bytes, at)) return;
    this.#overflow.push(page, bytes, at);
    if (this.#overflow.count > this.mostOverflow) this.mostOverflow = this.#overflow.count;
  }

  released(firstChunk: number, count: number): void {
    this.#pending.fill(0, firstChunk * PAGES_OF_CHUNK, (firstChunk + count) * PAGES_OF_CHUNK);
  }

  reset(): void {
    detachTracker(this.#arena, this);
  }

  /** Bytes of pages that wait outside the ring. */
  get overflowBytes(): number {
    return this.#overflow.count * PAGE_BYTES;
  }

  // ---- what the turn asks ----

  /** The turn has copied enough: what else there is to do waits for the next one. */
  get turnIsFull(): boolean {
    return this.#takenInTurn >= TURN_PAGES;
  }

  /** The worker does not keep pace: who would write is to wait, who reads goes on. */
  get isRunningLow(): boolean {
    if (this.#isOver) return false;
    return this.#overflow.count > 0 || ringRoom(this.capture) < this.capture.ringPages.length / 4;
  }

  /**
   * True while it is running low: then call again in a millisecond or so, also when nothing else happens, for pages may wait
   * outside the ring, and writers for an end of it. Not at once: the worker needs the processor more.
   */
  endTurn(): boolean {
    this.#takenInTurn = 0;
    if (this.#isOver) return false;
    const outcome = Atomics.load(this.capture.control, OUTCOME);
    if (outcome === CAPTURED || outcome === FAILED) this.#detach();
    else this.#overflow.flush(this.capture);
    return this.isRunningLow;
  }

  // ---- the end ----

  /** The worker has all pages. Not needed after an `endTurn` since then, which sees it as well. */
  finish(): void {
    assert(this.#overflow.count === 0, "the worker has every page that was taken");
    this.#detach();
  }

  /** The image is of no use any more; the worker stops at its next step. Harmless when it is over. */
  cancel(): void {
    Atomics.store(this.capture.control, CANCELLED, 1);
    this.#detach();
  }

  /** After a failure of the worker as after the end: nobody waits for the pages any more. */
  #detach(): void {
    this.#isOver = true;
    this.#overflow.clear();
    detachTracker(this.#arena, this);
  }
}

/** The memory of one chunk number alone: views of a giant reach from their chunk to its end. */
function chunkMemory(bytes: { readonly length: number }): Uint8Array | null {
  if (bytes.length === 0) return null;
  const { buffer, byteOffset, length } = bytes as unknown as Uint8Array;
  return new Uint8Array(buffer, byteOffset, Math.min(length, CHUNK_BYTES));
}
