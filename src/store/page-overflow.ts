/**
 * Pages that found no room in the ring of a snapshot: copies in ordinary memory, first in first out, until there is room.
 * They lie in slabs of 1 MiB, of which a few are kept for the next time.
 */
import { PAGE_BYTES, type ReadonlyBytes } from "./arena.ts";
import { type PageCapture, pushPage } from "./page-capture.ts";

/** What a turn copies at most, as a rule: one slab then. */
const SLAB_PAGES = 128;
/** Beyond it, empty slabs go: one command that rewrites a giant fills hundreds. */
const SPARE_SLABS = 4;

interface Slab {
  readonly bytes: Buffer;
  readonly pages: Int32Array;
}

export class PageOverflow {
  /** The first one is taken from, the last one is filled. */
  #slabs: Slab[] = [];
  #spares: Slab[] = [];
  /** Where the first slab is taken from and the last one is filled. */
  #first = 0;
  #last = 0;
  count = 0;

  push(page: number, bytes: ReadonlyBytes, at: number): void {
    if (this.#slabs.length === 0 || this.#last === SLAB_PAGES) {
      this.#slabs.push(this.#spares.pop() ?? createSlab());
      this.#last = 0;
    }
    const slab = this.#slabs[this.#slabs.length - 1];
    bytes.copy(slab.bytes, this.#last * PAGE_BYTES, at, at + PAGE_BYTES);
    slab.pages[this.#last++] = page;
    this.count++;
  }

  /** Puts into the ring what fits. */
  flush(capture: PageCapture): void {
    while (this.count > 0) {
      const slab = this.#slabs[0];
      if (!pushPage(capture, slab.pages[this.#first], slab.bytes, this.#first * PAGE_BYTES)) return;
      this.count--;
      this.#first++;
      if (this.#first === SLAB_PAGES || this.count === 0) this.#dropFirst(slab);
    }
  }

  #dropFirst(slab: Slab): void {
    this.#slabs.shift();
    if (this.#spares.length < SPARE_SLABS) this.#spares.push(slab);
    this.#first = 0;
  }

  clear(): void {
    this.#slabs = [];
    this.#spares = [];
    this.#first = 0;
    this.count = 0;
  }
}

function createSlab(): Slab {
  return { bytes: Buffer.alloc(SLAB_PAGES * PAGE_BYTES), pages: new Int32Array(SLAB_PAGES) };
}
