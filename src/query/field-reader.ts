/**
 * The values of several paths in the text of a document, found in one walk over it: what filters,
 * sort orders and indexes read. Not a parser: other fields are stepped over, and nothing is
 * allocated.
 *
 * `read` walks through objects alone and notes where each field of the paths stands; an array on
 * the way is gone through when it is asked for (path-walk.ts, where MongoDB's rules are told). It
 * never ends early: the same key may come again, and the last one counts.
 *
 * Invariant: what was noted holds until the next `read`, for the bytes that were given to it.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import type { FieldPath } from "./field-path.ts";
import { sameBytes, skipString, skipValue } from "./json-walk.ts";
import { isName, type PathName, type PathWalk, pathNames } from "./path-walk.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

/** Instead of where a value stands. */
export const MISSING = -1;
export const IN_ARRAY = -2;

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

/** A name in the tree of all paths. */
interface Place {
  readonly name: PathName;
  /** The number under which its value is noted. */
  readonly slot: number;
  readonly children: Place[];
}

export class FieldReader {
  readonly #roots: Place[] = [];
  /** The slots along each path. */
  readonly #ways: readonly (readonly number[])[];
  /** By slot, where its value stands; -1: nowhere. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  #bytes: ReadonlyBytes = NO_BYTES;
  #start = 0;
  #end = 0;
  #isElement = false;
  /** Behind the value that `find` has found. */
  end = 0;

  /** Paths are known by their place in the list from here on. */
  constructor(paths: readonly FieldPath[]) {
    let count = 0;
    this.#ways = paths.map((path) => {
      let places = this.#roots;
      return pathNames(path).map((name) => {
        let place = places.find(({ name: { text } }) => text === name.text);
        if (place === undefined) {
          place = { name, slot: count++, children: [] };
          places.push(place);
        }
        places = place.children;
        return place.slot;
      });
    });
    this.#starts = new Int32Array(count);
    this.#ends = new Int32Array(count);
  }

  /** Notes where the fields stand in the document bytes[start, end). */
  read(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#isElement = false;
    for (let slot = 0; slot < this.#starts.length; slot++) this.#starts[slot] = -1;
    if (bytes[start] === OPEN_OBJECT && start < end && this.#roots.length > 0) {
      this.#object(start + 1, this.#roots);
    }
  }

  /**
   * The same for an element of an array: if it is an array, its positions are the names of its
   * fields.
   */
  readElement(bytes: ReadonlyBytes, start: number, end: number): void {
    this.read(bytes, start, end);
    this.#isElement = bytes[start] === OPEN_ARRAY;
  }

  /** Goes `walk`, which must be along path number `index`, from where the values were noted. */
  some(index: number, walk: PathWalk): boolean {
    const way = this.#ways[index];
    const bytes = this.#bytes;
    let start = this.#start;
    let end = this.#end;
    for (let depth = 0; depth < way.length; depth++) {
      if (bytes[start] === OPEN_ARRAY) {
        if (depth === 0 && this.#isElement) return walk.fromPositions(bytes, start, end);
        return walk.throughArray(bytes, start, end, depth);
      }
      const slot = way[depth];
      start = this.#starts[slot];
      if (start < 0) return walk.missing(bytes);
      end = this.#ends[slot];
    }
    return walk.last(bytes, start, end);
  }

  /**
   * Where the value of path number `index` stands, with `end` behind it; MISSING, or IN_ARRAY when
   * only a walk can tell.
   */
  find(index: number): number {
    const way = this.#ways[index];
    let start = this.#start;
    this.end = this.#end;
    for (let depth = 0; depth < way.length; depth++) {
      if (this.#bytes[start] === OPEN_ARRAY) return IN_ARRAY;
      const slot = way[depth];
      start = this.#starts[slot];
      if (start < 0) return MISSING;
      this.end = this.#ends[slot];
    }
    return start;
  }

  /** The fields of an object, from behind its bracket; answers the offset behind it. */
  #object(at: number, places: readonly Place[]): number {
    const bytes = this.#bytes;
    const end = this.#end;
    for (;;) {
      if (at < end && bytes[at] === COMMA) at++;
      if (at >= end || bytes[at] !== QUOTE) return Math.min(at + 1, end);
      const key = at + 1;
      for (at = key; at < end; at++) {
        const byte = bytes[at];
        if (byte === QUOTE || byte === BACKSLASH) break;
      }
      const hasEscape = at < end && bytes[at] === BACKSLASH;
      if (hasEscape) at = skipString(bytes, key - 1, end) - 1;
      const keyEnd = at++;
      if (at < end && bytes[at] === COLON) at++;
      if (at >= end) return end;
      const place = findPlace(places, bytes, key, keyEnd, hasEscape);
      at = place === undefined ? skipValue(bytes, at, end) : this.#note(at, place);
    }
  }

  /** The value at `at` belongs to `place`; answers the offset behind it. */
  #note(at: number, place: Place): number {
    const { slot, children } = place;
    this.#starts[slot] = at;
    let end: number;
    if (children.length === 0) end = skipValue(this.#bytes, at, this.#end);
    else {
      this.#forget(children);
      const isObject = this.#bytes[at] === OPEN_OBJECT;
      end = isObject ? this.#object(at + 1, children) : skipValue(this.#bytes, at, this.#end);
    }
    this.#ends[slot] = end;
    return end;
  }

  /** What an earlier object of the same name held counts no more. */
  #forget(places: readonly Place[]): void {
    for (const { slot, children } of places) {
      this.#starts[slot] = -1;
      this.#forget(children);
    }
  }
}

function findPlace(
  places: readonly Place[],
  bytes: ReadonlyBytes,
  key: number,
  keyEnd: number,
  hasEscape: boolean,
): Place | undefined {
  const size = keyEnd - key;
  for (let index = 0; index < places.length; index++) {
    const { name } = places[index];
    if (hasEscape) {
      if (isName(bytes, key, keyEnd, name)) return places[index];
    } else if (size === name.bytes.length && sameBytes(bytes, key, name.bytes))
      return places[index];
  }
  return undefined;
}
