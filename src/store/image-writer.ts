/**
 * The worker's side of a snapshot: writes the pages of an arena, as they were at the cut, to an image, each at its own
 * offset (page number * 8192), so that the file is the arena. It knows nothing of what is in them.
 *
 * Pages come two ways: from the arena itself, in order, those that the main thread has not written to yet; and through the
 * ring, those that it copied before it wrote to them (page-capture.ts). These come in any order, and single pages written
 * here and there cost four times as much as neighbours do: so they are written one after the other behind the image at
 * first, as fast as they come, and put in their places when the main thread has nothing more to copy (`placePages`).
 *
 * Pages are written right out of the arena, many at once. One that the main thread takes while this goes on lands in the
 * image half old, half new, and is overwritten when it is put in its place.
 *
 * The work is a generator: the worker runs it to its end (`captureImage`), and a test stops it anywhere.
 */
import { assert } from "../assert.ts";
import type { OpenFile } from "../platform/files.ts";
import { CHUNK_SHIFT, PAGE_BYTES, PAGE_SHIFT } from "./arena.ts";
import {
  CANCELLED,
  CAPTURED,
  CLAIMED,
  DONE,
  FAILED,
  HEAD,
  OUTCOME,
  type PageCapture,
  TAIL,
  TAKEN,
  UNTOUCHED,
} from "./page-capture.ts";

/** Pages of one write: beyond 512 KiB a write gets no faster, and the ring waits meanwhile. */
const RUN_PAGES = 64;
/** Pages that are passed over at most, holes or taken ones, before the ring is looked at again. */
const LOOKED_AT_PAGES = 4096;
/** How long the worker sleeps when it has nothing to do but wait for the main thread. */
const WAIT_MS = 1;
const PAGES_OF_CHUNK = 1 << (CHUNK_SHIFT - PAGE_SHIFT);

export type ImageFile = Pick<OpenFile, "writeNow">;

/** `waiting`: nothing can be done until the main thread puts pages into the ring. */
type Step = "working" | "waiting";

export interface ImageReport {
  /** False: it was cancelled. */
  isComplete: boolean;
  /** Pages that came from the arena itself. */
  walkedPages: number;
  /** Pages that came through the ring. */
  ringPages: number;
  /** Pages written in vain, because the main thread took them meanwhile. */
  voidPages: number;
}

/** What is in the file when all pages are: the image, but for those that stand behind it. */
export interface CapturedImage {
  readonly report: ImageReport;
  /** For each page: which one it is of those behind the image, counted from 1; 0: it is in its place. */
  readonly order: Int32Array;
}

/** Brings all pages to the file, on the thread of a worker: it waits. A failed write is thrown. */
export function captureImage(capture: PageCapture, file: ImageFile): CapturedImage {
  const { control } = capture;
  const steps = captureSteps(capture, file);
  for (;;) {
    const head = Atomics.load(control, HEAD);
    const step = steps.next();
    if (step.done) return step.value;
    if (step.value === "waiting") Atomics.wait(control, HEAD, head, WAIT_MS);
  }
}

export function* captureSteps(
  capture: PageCapture,
  file: ImageFile,
): Generator<Step, CapturedImage> {
  const writer = new CaptureWriter(capture, file);
  try {
    yield* writer.run();
  } catch (error) {
    // Nobody empties the ring any more: the main thread is to stop filling it.
    Atomics.store(capture.control, OUTCOME, FAILED);
    throw error;
  }
  return writer;
}

/**
 * Puts the pages behind the image in their places; `behind` are the bytes of the file from the end of the image on. True
 * when it is done, false when it was cancelled.
 */
export function placePages(
  capture: PageCapture,
  { order }: CapturedImage,
  behind: Uint8Array,
  file: ImageFile,
): boolean {
  const gathered = new Uint8Array(RUN_PAGES * PAGE_BYTES);
  for (let page = 0; page < order.length; ) {
    let count = 0;
    for (; count < RUN_PAGES && order[page + count] > 0; count++) {
      const from = (order[page + count] - 1) * PAGE_BYTES;
      gathered.set(behind.subarray(from, from + PAGE_BYTES), count * PAGE_BYTES);
    }
    if (count === 0) {
      page++;
      continue;
    }
    if (isCancelled(capture)) return false;
    file.writeNow(gathered, 0, count * PAGE_BYTES, page * PAGE_BYTES);
    page += count;
  }
  return true;
}

function isCancelled({ control }: PageCapture): boolean {
  return Atomics.load(control, CANCELLED) === 1;
}

class CaptureWriter implements CapturedImage {
  readonly report: ImageReport = { isComplete: false, walkedPages: 0, ringPages: 0, voidPages: 0 };
  readonly order: Int32Array;
  readonly #capture: PageCapture;
  readonly #file: ImageFile;
  /** Pages met as TAKEN, when they should be claimed or when they had been written: they come through the ring. */
  #takenPages = 0;

  constructor(capture: PageCapture, file: ImageFile) {
    this.#capture = capture;
    this.#file = file;
    this.order = new Int32Array(capture.pageCount);
  }

  *run(): Generator<Step> {
    const { control, pageCount } = this.#capture;
    for (let page = 0; page < pageCount; ) {
      if (isCancelled(this.#capture)) return;
      yield* this.#drain();
      page = yield* this.#writeRun(page);
    }
    while (this.report.ringPages < this.#takenPages) {
      if (isCancelled(this.#capture)) return;
      if (Atomics.load(control, HEAD) === this.report.ringPages) yield "waiting";
      else yield* this.#drain();
    }
    assert(this.report.ringPages === this.#takenPages, "what was taken comes through the ring");
    this.report.isComplete = true;
    Atomics.store(control, OUTCOME, CAPTURED);
  }

  // ---- from the arena ----

  /** Writes the next untouched pages from `page` on, neighbours of one chunk; answers where to go on. */
  *#writeRun(page: number): Generator<Step, number> {
    const limit = Math.min(page + LOOKED_AT_PAGES, this.#capture.pageCount);
    let first = page;
    while (first < limit && !this.#claim(first)) first++;
    if (first === limit) return limit;
    const chunk = Math.floor(first / PAGES_OF_CHUNK);
    const bound = Math.min(first + RUN_PAGES, (chunk + 1) * PAGES_OF_CHUNK);
    let end = first + 1;
    while (end < bound && this.#claim(end)) end++;
    yield "working";
    this.#writePages(this.#capture.chunks[chunk], first % PAGES_OF_CHUNK, end - first, first);
    yield "working";
    this.#settle(first, end);
    // The page at `end` was asked for already, unless the run ended before it.
    return end < bound ? end + 1 : end;
  }

  #claim(page: number): boolean {
    const was = Atomics.compareExchange(this.#capture.states, page, UNTOUCHED, CLAIMED);
    if (was === TAKEN) this.#takenPages++;
    return was === UNTOUCHED;
  }

  #settle(first: number, end: number): void {
    const { states } = this.#capture;
    let voids = 0;
    for (let page = first; page < end; page++) {
      if (Atomics.compareExchange(states, page, CLAIMED, DONE) !== CLAIMED) voids++;
    }
    this.report.walkedPages += end - first - voids;
    this.report.voidPages += voids;
    this.#takenPages += voids;
  }

  // ---- through the ring ----

  /** Writes what is in the ring at this moment, behind the image. */
  *#drain(): Generator<Step> {
    const { control, pageCount, ring, ringPages } = this.#capture;
    const head = Atomics.load(control, HEAD);
    while (this.report.ringPages < head) {
      const tail = this.report.ringPages;
      const slot = tail & (ringPages.length - 1);
      const count = Math.min(head - tail, ringPages.length - slot, RUN_PAGES);
      this.#writePages(ring, slot, count, pageCount + tail);
      for (let i = 0; i < count; i++) this.order[ringPages[slot + i]] = tail + i + 1;
      this.report.ringPages += count;
      Atomics.store(control, TAIL, tail + count);
      yield "working";
    }
  }

  /** Writes `count` pages of `source`, from its page `from` on, as those from the page `page` of the file on. */
  #writePages(source: Uint8Array | null, from: number, count: number, page: number): void {
    assert(source !== null, "a page that is written belongs to a chunk");
    const start = from * PAGE_BYTES;
    this.#file.writeNow(source, start, start + count * PAGE_BYTES, page * PAGE_BYTES);
  }
}
