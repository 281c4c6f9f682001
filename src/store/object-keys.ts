/**
 * The keys of the objects that a scan is within, to find one that comes twice: no reader agrees with the next on which of
 * the two counts. Keys are compared as what they mean, so "a" and "\u0061" are the same.
 *
 * Small objects are nearly all there are: their keys are compared one by one, as bytes where they lie. An object with more
 * of them, or with escapes in a key, gets a Set.
 */
import { MAX_JSON_DEPTH } from "../limits.ts";

/** Up to so many keys comparing each with each is faster than to make strings of them. */
const MOST_COMPARED = 12;
const FIRST_CAPACITY = 256;

export class ObjectKeys {
  /** Where the keys begin and end, those of all levels behind one another; without their quotes. */
  #spans = new Int32Array(2 * FIRST_CAPACITY);
  #count = 0;
  /** By depth: the number of the level's first key. */
  readonly #first = new Int32Array(MAX_JSON_DEPTH + 1);
  /** By depth: the level's keys, when they are kept as strings. */
  readonly #sets: (Set<string> | null)[] = [];
  #bytes: Buffer = Buffer.alloc(0);

  begin(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#count = 0;
  }

  /** An object begins at this depth. */
  open(depth: number): void {
    this.#first[depth] = this.#count;
    this.#sets[depth] = null;
  }

  close(depth: number): void {
    this.#count = this.#first[depth];
    this.#sets[depth] = null;
  }

  /** Forgets the bytes, which are somebody's buffer. */
  end(): void {
    this.#bytes = Buffer.alloc(0);
  }

  /** Notes the key bytes[start, end) of the object at this depth; false when it has been there. */
  add(depth: number, start: number, end: number, hasEscape: boolean): boolean {
    const first = this.#first[depth];
    let set = this.#sets[depth];
    if (set === null && (hasEscape || this.#count - first >= MOST_COMPARED)) {
      set = this.#collect(first);
      this.#sets[depth] = set;
    }
    if (set !== null) {
      const size = set.size;
      return set.add(this.#key(start, end, hasEscape)).size > size;
    }
    for (let i = first; i < this.#count; i++) if (this.#isSame(i, start, end)) return false;
    this.#push(start, end);
    return true;
  }

  #isSame(index: number, start: number, end: number): boolean {
    const from = this.#spans[2 * index];
    if (this.#spans[2 * index + 1] - from !== end - start) return false;
    const bytes = this.#bytes;
    for (let i = end - start - 1; i >= 0; i--)
      if (bytes[from + i] !== bytes[start + i]) return false;
    return true;
  }

  /** The keys of the level from number `first` on, none of which has an escape. */
  #collect(first: number): Set<string> {
    const set = new Set<string>();
    for (let i = first; i < this.#count; i++) {
      set.add(this.#key(this.#spans[2 * i], this.#spans[2 * i + 1], false));
    }
    this.#count = first;
    return set;
  }

  #key(start: number, end: number, hasEscape: boolean): string {
    const text = this.#bytes.toString("utf8", start, end);
    return hasEscape ? JSON.parse(`"${text}"`) : text;
  }

  #push(start: number, end: number): void {
    const at = 2 * this.#count++;
    if (at === this.#spans.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#spans);
      this.#spans = larger;
    }
    this.#spans[at] = start;
    this.#spans[at + 1] = end;
  }
}
