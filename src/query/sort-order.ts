/**
 * The order of rows, `-age,name`: by age, largest first, then by name. Rows get sort keys, bytes in
 * whose order they stand (index-key.ts; turned over for a descending field), so that comparing two
 * rows reads no document.
 *
 * As in MongoDB an array stands where its smallest element does, in a descending order where its
 * largest does; a missing field is null, an empty array comes before null. Rows with equal keys are
 * in no order of their own.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import { type FieldPath, parseFieldPath, splitPaths } from "./field-path.ts";
import { FieldReader } from "./field-reader.ts";
import { EMPTY_ARRAY_TAG, IndexKeyWriter, NOTHING_TAG, NULL_TAG } from "./index-key.ts";
import { nextValue, skipValue } from "./json-walk.ts";
import { PathWalk } from "./path-walk.ts";
import { QueryError } from "./query-error.ts";

const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

export interface SortField {
  readonly path: FieldPath;
  readonly isDescending: boolean;
}

/** A QueryError tells what is wrong at which column. */
export function parseSortOrder(text: string): SortField[] {
  const fields: SortField[] = [];
  for (const { part, at } of splitPaths(text)) {
    const sign = /^[+-]/.exec(part)?.[0] ?? "";
    const path = parseFieldPath(part.slice(sign.length), text, at + sign.length);
    if (fields.some((field) => field.path.text === path.text)) {
      throw new QueryError("the same field twice", text, at);
    }
    fields.push({ path, isDescending: sign === "-" });
  }
  return fields;
}

/**
 * How the keys of an index on `paths` must be read to give rows in the order, if they do: for an
 * index with one key for every row. Paths that are bound by single values are left out by the
 * caller.
 */
export function sortDirection(
  fields: readonly SortField[],
  paths: readonly FieldPath[],
): "forward" | "backward" | null {
  const isSame = fields.every(({ path }, index) => path.text === paths[index]?.text);
  const isDescending = fields[0]?.isDescending ?? false;
  if (!isSame || fields.some((field) => field.isDescending !== isDescending)) return null;
  return isDescending ? "backward" : "forward";
}

/** Makes sort keys, for one document after the other. */
export class SortKeys {
  readonly #fields: readonly SortField[];
  readonly #reader: FieldReader;
  readonly #walks: readonly PathWalk[];
  readonly #key = new IndexKeyWriter(Number.MAX_SAFE_INTEGER);
  #candidate = new IndexKeyWriter(Number.MAX_SAFE_INTEGER);
  #best = new IndexKeyWriter(Number.MAX_SAFE_INTEGER);
  #wantsLargest = false;

  constructor(fields: readonly SortField[]) {
    this.#fields = fields;
    this.#reader = new FieldReader(fields.map(({ path }) => path));
    this.#walks = fields.map(({ path }) => new PathWalk(path, "whole only", this.#consider));
  }

  /** The sort key of the document bytes[start, end), stored under key[keyStart, keyEnd). */
  of(
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
  ): Buffer {
    this.#reader.read(bytes, start, end);
    this.#key.begin();
    for (const [index, { path, isDescending }] of this.#fields.entries()) {
      this.#wantsLargest = isDescending;
      this.#best.begin();
      if (path.isKey) this.#best.text(key, keyStart, keyEnd);
      else this.#reader.some(index, this.#walks[index]);
      if (this.#best.size === 0) this.#best.tag(NOTHING_TAG);
      const turn = isDescending ? 0xff : 0;
      for (let at = 0; at < this.#best.size; at++) this.#key.tag(this.#best.bytes[at] ^ turn);
    }
    return this.#key.key();
  }

  /** A look that never ends the walk. */
  readonly #consider = (bytes: ReadonlyBytes, start: number, end: number): boolean => {
    if (start < 0) this.#considerTag(NULL_TAG);
    else if (bytes[start] !== OPEN_ARRAY) this.#considerJson(bytes, start, end);
    else if (bytes[start + 1] === CLOSE_ARRAY) this.#considerTag(EMPTY_ARRAY_TAG);
    else {
      for (let at = start + 1; at < end; ) {
        const elementEnd = skipValue(bytes, at, end);
        if (elementEnd === at) break;
        this.#considerJson(bytes, at, elementEnd);
        at = nextValue(bytes, elementEnd, end);
      }
    }
    return false;
  };

  #considerTag(tag: number): void {
    this.#candidate.begin();
    this.#candidate.tag(tag);
    this.#keepBest();
  }

  #considerJson(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#candidate.begin();
    this.#candidate.json(bytes, start, end);
    this.#keepBest();
  }

  #keepBest(): void {
    const [one, other] = [this.#candidate, this.#best];
    if (other.size > 0) {
      const apart = one.bytes.compare(other.bytes, 0, other.size, 0, one.size);
      if (this.#wantsLargest ? apart <= 0 : apart >= 0) return;
    }
    this.#candidate = other;
    this.#best = one;
  }
}
