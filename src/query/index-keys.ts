/**
 * The keys under which an index holds a document, such that MongoDB's conditions can be answered
 * from them:
 *
 * - each value that the path leads to; of an array at its end each element, or "[]" if it has none;
 *   every key once
 * - null for a field that is missing, and "nothing" where the path leads to no value at all
 *   ({"a":[1]} for a.b), so that each document is in the index. A sparse index leaves out a
 *   document that has none of its fields.
 * - in a compound index, a key for each element of an array, with the values of the other paths.
 *   Paths may go through the same array, and then each key is of one element; different arrays
 *   would need a key for each pair, which MongoDB refuses too.
 *
 * The keys are in ascending order, so that what a write changes is found by going along two lists.
 */
import { KvdbError } from "../errors.ts";
import { MAX_INDEX_KEY_BYTES } from "../limits.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { FieldPath } from "./field-path.ts";
import { FieldReader, IN_ARRAY, MISSING } from "./field-reader.ts";
import { EMPTY_ARRAY_TAG, IndexKeyWriter, NOTHING_TAG, NULL_TAG } from "./index-key.ts";
import { nextValue, skipValue } from "./json-walk.ts";
import { findField, type PathName, PathWalk, pathNames } from "./path-walk.ts";
import { QueryError } from "./query-error.ts";

const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_ARRAY = 0x5d;

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

export interface IndexShape {
  readonly paths: readonly FieldPath[];
  readonly isSparse: boolean;
}

/** What is wrong with the shape, as an error; nothing when an index can have it. */
export function requireIndexShape({ paths }: IndexShape): void {
  const texts = paths.map(({ text }) => text);
  const text = texts.join(",");
  for (const [index, path] of paths.entries()) {
    const at = texts.slice(0, index).join(",").length + Math.min(index, 1);
    if (texts.indexOf(path.text) < index) throw new QueryError("the same path twice", text, at);
    if (paths.length > 1 && pathNames(path).some(({ position }) => position >= 0)) {
      const problem = "a compound index has no paths with positions in arrays";
      throw new QueryError(problem, text, at);
    }
  }
}

/**
 * Instead of where a value starts, as MISSING: the path leads to no value, and to an empty array.
 */
const NOTHING = -2;
const EMPTY = -3;

/** How far along one path of a compound index is: at a value, with names left or not. */
interface Progress {
  readonly path: FieldPath;
  readonly names: readonly PathName[];
  readonly next: number;
  readonly start: number;
  readonly end: number;
  /**
   * An element of an array at the end of the path, which is not gone into if it is an array itself.
   */
  readonly isElement: boolean;
}

export class IndexKeys {
  /** Key number i is bytes[offsets[i], offsets[i + 1]); there are `count`. */
  count = 0;
  bytes: Buffer = Buffer.alloc(256);
  offsets: number[] = [0];
  /** A key was longer than keys may be: the index is inexact for the document. */
  isCut = false;

  readonly #shape: IndexShape;
  readonly #reader: FieldReader;
  readonly #walk: PathWalk | null;
  readonly #writer = new IndexKeyWriter(MAX_INDEX_KEY_BYTES);
  readonly #ways: readonly { readonly path: FieldPath; readonly names: readonly PathName[] }[];
  #hasField = false;
  #bytes: ReadonlyBytes = NO_BYTES;
  #key: ReadonlyBytes = NO_BYTES;
  #keyStart = 0;
  #keyEnd = 0;

  constructor(shape: IndexShape) {
    requireIndexShape(shape);
    this.#shape = shape;
    this.#reader = new FieldReader(shape.paths);
    this.#ways = shape.paths.map((path) => ({ path, names: pathNames(path) }));
    const [path] = shape.paths;
    const isSimple = shape.paths.length === 1 && !path.isKey;
    this.#walk = isSimple ? new PathWalk(path, "whole only", this.#collect) : null;
  }

  key(index: number): Buffer {
    return this.bytes.subarray(this.offsets[index], this.offsets[index + 1]);
  }

  /** Copies, which stay when the next document is read. */
  copies(): Buffer[] {
    const found: Buffer[] = [];
    for (let index = 0; index < this.count; index++) found.push(this.#copy(index));
    return found;
  }

  #copy(index: number): Buffer {
    const { bytes, offsets } = this;
    const from = offsets[index];
    const size = offsets[index + 1] - from;
    const copy = Buffer.allocUnsafe(size);
    // As a rule they are short: a call would cost more than the bytes.
    for (let i = 0; i < size; i++) copy[i] = bytes[from + i];
    return copy;
  }

  /**
   * Finds the keys of the document bytes[start, end), stored under key[keyStart, keyEnd). A
   * KvdbError when two paths go through different arrays: the write is refused.
   */
  read(
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
  ): void {
    this.count = 0;
    this.isCut = false;
    this.#hasField = false;
    this.#bytes = bytes;
    this.#key = key;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    if (this.#walk !== null) this.#readSimple(this.#walk, bytes, start, end);
    else {
      this.#reader.read(bytes, start, end);
      if (!this.#addSingleKey()) {
        this.#fanOut(this.#ways.map((way) => ({ ...way, next: 0, start, end, isElement: false })));
      }
    }
    if (this.#shape.isSparse && !this.#hasField) this.count = 0;
    if (this.count > 1) this.#sort();
  }

  // ---- one path ----

  #readSimple(walk: PathWalk, bytes: ReadonlyBytes, start: number, end: number): void {
    this.#reader.read(bytes, start, end);
    this.#reader.some(0, walk);
    if (this.count === 0) this.#addTag(NOTHING_TAG);
  }

  /** A value at the end of the path: a look that never ends the walk. */
  readonly #collect = (bytes: ReadonlyBytes, start: number, end: number): boolean => {
    if (start < 0) this.#addTag(NULL_TAG);
    else {
      this.#hasField = true;
      if (bytes[start] === OPEN_ARRAY) this.#addElements(bytes, start, end);
      else this.#addJson(bytes, start, end);
    }
    return false;
  };

  #addElements(bytes: ReadonlyBytes, start: number, end: number): void {
    if (bytes[start + 1] === CLOSE_ARRAY) this.#addTag(EMPTY_ARRAY_TAG);
    for (let at = start + 1; at < end; ) {
      const elementEnd = skipValue(bytes, at, end);
      if (elementEnd === at) break;
      this.#addJson(bytes, at, elementEnd);
      at = nextValue(bytes, elementEnd, end);
    }
  }

  #addTag(tag: number): void {
    this.#writer.begin();
    this.#writer.tag(tag);
    this.#add();
  }

  #addJson(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#writer.begin();
    this.#writer.json(bytes, start, end);
    this.#add();
  }

  #add(): void {
    const { bytes, size, isCut } = this.#writer;
    const from = this.offsets[this.count];
    if (from + size > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(this.bytes.length * 2, from + size));
      larger.set(this.bytes.subarray(0, from));
      this.bytes = larger;
    }
    bytes.copy(this.bytes, from, 0, size);
    this.offsets[++this.count] = from + size;
    if (isCut) this.isCut = true;
  }
  // ---- several paths, or the key ----

  /** The usual case, without a path through an array: false if it is not. */
  #addSingleKey(): boolean {
    const writer = this.#writer;
    const reader = this.#reader;
    writer.begin();
    for (let index = 0; index < this.#ways.length; index++) {
      if (this.#ways[index].path.isKey) {
        this.#hasField = true;
        writer.text(this.#key, this.#keyStart, this.#keyEnd);
        continue;
      }
      const start = reader.find(index);
      if (start === IN_ARRAY || (start >= 0 && this.#bytes[start] === OPEN_ARRAY)) return false;
      if (start >= 0) this.#hasField = true;
      if (start === MISSING) writer.tag(NULL_TAG);
      else writer.json(this.#bytes, start, reader.end);
    }
    this.#add();
    return true;
  }

  /** One key when no path has come to an array, else one for each of its elements. */
  #fanOut(from: readonly Progress[]): void {
    const states = from.map((state) => this.#stepThroughObjects(state));
    const arrays = states.filter((state) => this.#isAtArray(state));
    if (arrays.length === 0) {
      this.#addParts(states);
      return;
    }
    const [{ start, end }] = arrays;
    const other = arrays.find((state) => state.start !== start);
    if (other !== undefined) throw parallelArrays(arrays[0].path, other.path);
    let at = this.#bytes[start + 1] === CLOSE_ARRAY ? end : start + 1;
    if (at === end) this.#fanOut(states.map((state) => this.#inEmpty(state)));
    while (at < end) {
      const elementEnd = skipValue(this.#bytes, at, end);
      if (elementEnd === at) return;
      const [elementStart, elementStop] = [at, elementEnd];
      this.#fanOut(states.map((state) => this.#inElement(state, elementStart, elementStop)));
      at = nextValue(this.#bytes, elementEnd, end);
    }
  }

  #stepThroughObjects(state: Progress): Progress {
    const bytes = this.#bytes;
    let { next, start, end } = state;
    for (; start >= 0 && next < state.names.length; next++) {
      if (bytes[start] === OPEN_ARRAY) break;
      const isObject = bytes[start] === OPEN_OBJECT;
      start = isObject ? findField(bytes, start, end, state.names[next]) : MISSING;
      if (start >= 0) end = skipValue(bytes, start, end);
    }
    return { ...state, next, start, end };
  }

  #isAtArray({ path, start, isElement }: Progress): boolean {
    return start >= 0 && !isElement && !path.isKey && this.#bytes[start] === OPEN_ARRAY;
  }

  #inEmpty(state: Progress): Progress {
    if (!this.#isAtArray(state)) return state;
    return { ...state, start: state.next === state.names.length ? EMPTY : NOTHING };
  }

  #inElement(state: Progress, start: number, end: number): Progress {
    if (!this.#isAtArray(state)) return state;
    if (state.next === state.names.length) return { ...state, start, end, isElement: true };
    return { ...state, start: this.#bytes[start] === OPEN_OBJECT ? start : NOTHING, end };
  }

  #addParts(states: readonly Progress[]): void {
    const writer = this.#writer;
    writer.begin();
    for (const { path, start, end } of states) {
      if (path.isKey || start >= 0 || start === EMPTY) this.#hasField = true;
      if (path.isKey) writer.text(this.#key, this.#keyStart, this.#keyEnd);
      else if (start === MISSING) writer.tag(NULL_TAG);
      else if (start === NOTHING) writer.tag(NOTHING_TAG);
      else if (start === EMPTY) writer.tag(EMPTY_ARRAY_TAG);
      else writer.json(this.#bytes, start, end);
    }
    this.#add();
  }

  // ---- order ----

  #isAscending(): boolean {
    const { bytes, offsets } = this;
    for (let index = 1; index < this.count; index++) {
      const [one, other, end] = [offsets[index - 1], offsets[index], offsets[index + 1]];
      if (bytes.compare(bytes, other, end, one, other) >= 0) return false;
    }
    return true;
  }

  #sort(): void {
    if (this.#isAscending()) return;
    const keys = Array.from({ length: this.count }, (_, index) => this.key(index));
    keys.sort(Buffer.compare);
    const different = keys.filter((key, index) => index === 0 || !key.equals(keys[index - 1]));
    this.bytes = Buffer.concat(different);
    this.count = 0;
    for (const key of different) {
      this.offsets[this.count + 1] = this.offsets[this.count] + key.length;
      this.count++;
    }
  }
}

function parallelArrays(one: FieldPath, other: FieldPath): KvdbError {
  const message = `a compound index cannot hold two arrays: ${one.text} and ${other.text}`;
  return new KvdbError("COMMAND", message, { reply: "ERR" });
}
