/**
 * What a snapshot in progress shares between the main thread, which goes on writing to the arena, and the worker, which
 * writes the arena as it was at the cut to an image: plain views of shared memory, to be posted as they are.
 *
 *   states      one byte for each page of the arena at the cut
 *                 0 UNTOUCHED  as it was at the cut
 *                 1 CLAIMED    the worker is writing it to the image
 *                 2 DONE       it is in the file; or it held nothing at the cut, and is a hole there
 *                 3 TAKEN      the main thread copied it, because it was about to write to it: it comes through the ring
 *   ring        2^n pages; the page at position p is in slot p & (2^n - 1)
 *   ringPages   the page number for each slot
 *   control     i0 head: pages put into the ring, by the main thread   i1 tail: pages taken out, by the worker
 *               i2 1: cancelled, by the main thread                    i3 1: all pages are in the file, 2: it failed
 *
 * One exchange of a state decides who copies a page: the worker claims UNTOUCHED pages and makes them DONE unless they are
 * TAKEN by then; the main thread makes any page TAKEN before it first writes to it, and copies it unless it was DONE. So
 * it never waits. What the worker wrote of a page taken meanwhile is void, and overwritten later. All pages are in the file
 * when as many came through the ring as the worker met TAKEN.
 */
import type { ReadonlyBytes } from "./arena.ts";
import { PAGE_BYTES } from "./arena.ts";

export const UNTOUCHED = 0;
export const CLAIMED = 1;
export const DONE = 2;
export const TAKEN = 3;

export const HEAD = 0;
export const TAIL = 1;
export const CANCELLED = 2;
export const OUTCOME = 3;
const CONTROL_WORDS = 4;
export const CAPTURED = 1;
export const FAILED = 2;

/**
 * 8 MiB. What the main thread copies in 8 turns at most: a worker that waits for the disk for so long is met with pauses
 * for those who write.
 */
const RING_PAGES = 1024;

/** Kept from one snapshot to the next, of which there is one at a time: its memory is made once. */
export interface CaptureRing {
  readonly ring: Uint8Array;
  readonly ringPages: Int32Array;
}

export interface PageCapture extends CaptureRing {
  /** By chunk number: all of it, or the part of a giant that lies there; null: no such chunk at the cut. */
  readonly chunks: readonly (Uint8Array | null)[];
  readonly pageCount: number;
  /** Bytes in use at the cut, and bytes that the image will take on the disk. */
  readonly usedBytes: number;
  readonly imageBytes: number;
  readonly states: Uint8Array;
  readonly control: Int32Array;
}

/** `pages` is a power of two; other than the default only in tests. */
export function createRing(pages = RING_PAGES): CaptureRing {
  return {
    ring: new Uint8Array(new SharedArrayBuffer(pages * PAGE_BYTES)),
    ringPages: new Int32Array(new SharedArrayBuffer(pages * 4)),
  };
}

export function createControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
}

// ---- the main thread's end of the ring ----

/** Copies the page at bytes[at, at + 8192) into the ring; false: there is no room. */
export function pushPage(
  capture: PageCapture,
  page: number,
  bytes: ReadonlyBytes,
  at: number,
): boolean {
  const { ring, ringPages, control } = capture;
  const head = control[HEAD];
  if (head - Atomics.load(control, TAIL) >= ringPages.length) return false;
  const slot = head & (ringPages.length - 1);
  bytes.copy(ring, slot * PAGE_BYTES, at, at + PAGE_BYTES);
  ringPages[slot] = page;
  Atomics.store(control, HEAD, head + 1);
  return true;
}

/** Slots without a page. */
export function ringRoom({ ringPages, control }: PageCapture): number {
  return ringPages.length - (control[HEAD] - Atomics.load(control, TAIL));
}
