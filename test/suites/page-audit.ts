/**
 * The audit of the arena: every page that changed must have been touched through the tracker before it changed, for that
 * is how a snapshot is taken without fork. It keeps a shadow of all chunks (comparing is exact, and faster than hashing
 * 2048 pages) and looks for bytes that differ in pages nobody touched.
 */
import { type Arena, CHUNK_SHIFT, PAGE_BYTES, PAGE_SHIFT } from "../../src/store/arena.ts";
import { attachTracker, type PageTracker } from "../../src/store/page-tracker.ts";

const PAGES_OF_CHUNK = 1 << (CHUNK_SHIFT - PAGE_SHIFT);

interface Shadow {
  /** The chunk it is a copy of: another object means that the chunk went and its number was used again. */
  readonly of: Buffer;
  readonly copy: Buffer;
}

export class PageAudit {
  readonly #arena: Arena;
  #shadows: (Shadow | undefined)[] = [];
  #touched = new Set<number>();
  readonly tracker: PageTracker;

  constructor(arena: Arena) {
    this.#arena = arena;
    // A chunk that goes, alone or with all others, needs no word: its shadow is of another object then.
    this.tracker = {
      touch: (first, last) => this.#touch(first, last),
      released: () => {},
      reset: () => {},
    };
    attachTracker(arena, this.tracker);
    this.#refresh();
  }

  /** Throws when a page changed untouched since the last call. */
  check(): void {
    for (let chunk = 0; chunk < this.#arena.bytes.length; chunk++) this.#checkChunk(chunk);
    this.#refresh();
    this.#touched.clear();
  }

  #chunk(chunk: number): Buffer {
    return this.#arena.bytes[chunk] as unknown as Buffer;
  }

  #touch(first: number, last: number): void {
    for (let page = first; page <= last; page++) {
      if (this.#touched.has(page)) continue;
      this.#checkPages(Math.floor(page / PAGES_OF_CHUNK), page % PAGES_OF_CHUNK, 1);
      this.#touched.add(page);
    }
  }

  /** Compares the stretches between touched pages. */
  #checkChunk(chunk: number): void {
    const base = chunk * PAGES_OF_CHUNK;
    const touched = [...this.#touched].filter(
      (page) => Math.floor(page / PAGES_OF_CHUNK) === chunk,
    );
    let from = 0;
    for (const page of touched.sort((a, b) => a - b)) {
      this.#checkPages(chunk, from, page - base - from);
      from = page - base + 1;
    }
    this.#checkPages(chunk, from, PAGES_OF_CHUNK - from);
  }

  #checkPages(chunk: number, firstPage: number, count: number): void {
    const shadow = this.#shadows[chunk];
    const bytes = this.#chunk(chunk);
    // A chunk that is new: nobody can have captured it.
    if (shadow === undefined || shadow.of !== bytes) return;
    const start = firstPage * PAGE_BYTES;
    const end = Math.min(start + count * PAGE_BYTES, bytes.length);
    if (end <= start || bytes.compare(shadow.copy, start, end, start, end) === 0) return;
    let at = start;
    while (bytes[at] === shadow.copy[at]) at++;
    const page = chunk * PAGES_OF_CHUNK + Math.floor(at / PAGE_BYTES);
    throw new Error(`page ${page} changed untouched, first at byte ${at} of chunk ${chunk}`);
  }

  #refresh(): void {
    this.#shadows.length = this.#arena.bytes.length;
    for (let chunk = 0; chunk < this.#arena.bytes.length; chunk++) {
      if (this.#shadows[chunk]?.of !== this.#chunk(chunk)) this.#copyChunk(chunk);
    }
    for (const page of this.#touched) this.#copyPage(page);
  }

  /** Only the part of a chunk that belongs to it: the views of a giant overlap. */
  #copyChunk(chunk: number): void {
    const of = this.#chunk(chunk);
    const copy = Buffer.alloc(Math.min(of.length, PAGES_OF_CHUNK * PAGE_BYTES));
    of.copy(copy, 0, 0, copy.length);
    this.#shadows[chunk] = { of, copy };
  }

  #copyPage(page: number): void {
    const shadow = this.#shadows[Math.floor(page / PAGES_OF_CHUNK)];
    const at = (page % PAGES_OF_CHUNK) * PAGE_BYTES;
    if (shadow === undefined || at >= shadow.copy.length) return; // the chunk is gone
    shadow.of.copy(shadow.copy, at, at, Math.min(at + PAGE_BYTES, shadow.copy.length));
  }
}
