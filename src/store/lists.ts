/**
 * Lists: a short one is a packed run in its entry, a longer one a chain of nodes (list-chain.ts). One set of operations over
 * both; a walk through the elements is list-cursor.ts.
 *
 * Operations take the entry that `database.find` answered last and answer where it is now, 0 when the list is gone with its
 * last element. Bytes that are given to be added must not lie in the arena: blocks move.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes } from "./arena.ts";
import type { CollectionHost, CollectionLimits } from "./collections.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import type { ElementPart } from "./element-part.ts";
import {
  encodingOf,
  LIST,
  PACKED,
  runBytes,
  runCount,
  STRUCTURE,
  valueAt,
  valueWord,
} from "./entry.ts";
import { I_HEAD, I_TAIL, ListBlocks } from "./list-blocks.ts";
import { ListChain } from "./list-chain.ts";
import { ListCursor } from "./list-cursor.ts";
import { ListMiddle } from "./list-middle.ts";
import { I_NEXT, I_PREVIOUS, NodeReader, nodeWord } from "./list-node.ts";
import {
  afterString,
  contentAt,
  findInRun,
  lengthAt,
  stringSpan,
  writeString,
} from "./packed-run.ts";
import type { Elements, InlineValue, ValueType } from "./value-types.ts";

const PACKED_LIST = LIST | (PACKED << 4);
const CHAINED_LIST = LIST | (STRUCTURE << 4);
/**
 * How long a packed run gets. A push at the head moves all of it and a pop at the tail walks through it: at 256 bytes either
 * takes less than the way to the entry. A chain takes 88 bytes more than a run.
 */
const MAX_PACKED_BYTES = 256;
const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

export class Lists implements ValueType {
  readonly #arena: Arena;
  readonly #limits: CollectionLimits;
  readonly #chain: ListChain;
  readonly #middle: ListMiddle;
  readonly #reader: NodeReader;
  /** For one walk at a time. */
  readonly cursor: ListCursor;
  /** The element that `peek` found is bytes[start, end). */
  bytes: ReadonlyBytes = NO_BYTES;
  start = 0;
  end = 0;
  /** In front of it in a packed run. */
  #offset = 0;

  constructor({ arena, limits }: CollectionHost) {
    this.#arena = arena;
    this.#limits = limits;
    const blocks = new ListBlocks(arena, limits);
    this.#chain = new ListChain(arena, blocks);
    this.#middle = new ListMiddle(arena, blocks);
    this.#reader = new NodeReader(arena);
    this.cursor = new ListCursor(arena);
  }

  count(entry: number): number {
    const word = valueWord(this.#arena, entry);
    return this.#isPacked(entry) ? runCount(word) : this.#chain.count(word);
  }

  #isPacked(entry: number): boolean {
    return encodingOf(this.#arena, entry) === PACKED;
  }

  // ---- the ends ----

  /** Makes an empty list for the key that `find` has just missed: it must be given an element at once. */
  create(database: Database, key: ReadonlyBytes, start: number, end: number): number {
    return database.create(key, start, end, PACKED_LIST, 0, 0);
  }

  /** Adds the element b[start, end) at an end. */
  push(
    database: Database,
    entry: number,
    atHead: boolean,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const arena = this.#arena;
    if (this.#isPacked(entry)) {
      const word = valueWord(arena, entry);
      const at = atHead ? 0 : runBytes(word);
      if (this.#staysPacked(word, end - start))
        return this.#insertPacked(database, entry, at, b, start, end);
      entry = this.#convert(database, entry);
    }
    const root = valueWord(arena, entry);
    this.#chain.push(database.record + D_ACCOUNT, root, atHead, b, start, end);
    database.touch(entry);
    return entry;
  }

  /** Whether a packed list with this word, that gets an element of so many bytes, is still short. */
  #staysPacked(word: number, length: number): boolean {
    if (runBytes(word) + stringSpan(length) > MAX_PACKED_BYTES) return false;
    const { listSize } = this.#limits;
    return listSize < 0 || runCount(word) < listSize;
  }

  #insertPacked(
    database: Database,
    entry: number,
    at: number,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const count = runCount(valueWord(this.#arena, entry)) + 1;
    const moved = database.splice(entry, PACKED_LIST, at, 0, stringSpan(end - start), count);
    writeString(this.#arena.edit(moved, 1), database.valueStart + at, b, start, end);
    return moved;
  }

  #convert(database: Database, entry: number): number {
    const arena = this.#arena;
    const at = valueAt(arena, entry);
    const end = at + runBytes(valueWord(arena, entry));
    const run = arena.bytes[entry >>> CHUNK_SHIFT];
    const root = this.#chain.create(database.record + D_ACCOUNT, run, at, end);
    return database.setStructure(entry, CHAINED_LIST, root);
  }

  /** Finds the element at an end: `bytes`, `start`, `end`. */
  peek(entry: number, atHead: boolean): void {
    const word = valueWord(this.#arena, entry);
    if (!this.#isPacked(entry)) {
      const chain = this.#chain;
      chain.peek(word, atHead);
      this.bytes = chain.bytes;
      this.start = chain.start;
      this.end = chain.end;
      return;
    }
    const bytes = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const base = valueAt(this.#arena, entry);
    let at = base;
    if (!atHead) for (let i = runCount(word) - 1; i > 0; i--) at = afterString(bytes, at);
    this.#offset = at - base;
    this.bytes = bytes;
    this.start = contentAt(bytes, at);
    this.end = this.start + lengthAt(bytes, at);
  }

  /** Removes the element that `peek` has just found at this end. */
  drop(database: Database, entry: number, atHead: boolean): number {
    if (this.count(entry) === 1) {
      database.remove(entry);
      return 0;
    }
    const word = valueWord(this.#arena, entry);
    if (this.#isPacked(entry)) {
      const span = stringSpan(this.end - this.start);
      return database.splice(entry, PACKED_LIST, this.#offset, span, 0, runCount(word) - 1);
    }
    this.#chain.drop(database.record + D_ACCOUNT, word, atHead);
    database.touch(entry);
    return entry;
  }

  /** Keeps the elements with the numbers `first` to `last` alone: none, when `last` is before `first`. */
  trim(database: Database, entry: number, first: number, last: number): number {
    const count = this.count(entry);
    if (last < first) {
      database.remove(entry);
      return 0;
    }
    const behind = count - 1 - last;
    if (first === 0 && behind === 0) return entry;
    if (this.#isPacked(entry)) return this.#trimPacked(database, entry, first, behind);
    const root = valueWord(this.#arena, entry);
    this.#chain.trim(database.record + D_ACCOUNT, root, true, first);
    this.#chain.trim(database.record + D_ACCOUNT, root, false, behind);
    database.touch(entry);
    return entry;
  }

  #trimPacked(database: Database, entry: number, before: number, behind: number): number {
    const word = valueWord(this.#arena, entry);
    const kept = runCount(word) - before - behind;
    const bytes = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const base = valueAt(this.#arena, entry);
    let from = base;
    for (let i = 0; i < before; i++) from = afterString(bytes, from);
    let to = from;
    for (let i = 0; i < kept; i++) to = afterString(bytes, to);
    const tail = base + runBytes(word) - to;
    const moved = database.splice(entry, PACKED_LIST, to - base, tail, 0, before + kept);
    return database.splice(moved, PACKED_LIST, 0, from - base, 0, kept);
  }

  // ---- the middle ----

  /** Gives the element with this number, which there is, another value. */
  set(
    database: Database,
    entry: number,
    index: number,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    return this.#replace(database, entry, index, 1, b, start, end);
  }

  /** Adds an element before the one with this number, which there is. */
  insert(
    database: Database,
    entry: number,
    index: number,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    return this.#replace(database, entry, index, 0, b, start, end);
  }

  #replace(
    database: Database,
    entry: number,
    index: number,
    removed: 0 | 1,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const arena = this.#arena;
    const { cursor } = this;
    if (this.#isPacked(entry)) {
      const word = valueWord(arena, entry);
      cursor.seek(entry, index);
      cursor.next();
      if (this.#staysPacked(word, end - start)) {
        const span = removed === 0 ? 0 : cursor.offsetAfter - cursor.offset;
        const at = cursor.offset;
        const count = runCount(word) + 1 - removed;
        const added = stringSpan(end - start);
        const moved = database.splice(entry, PACKED_LIST, at, span, added, count);
        writeString(arena.edit(moved, 1), database.valueStart + at, b, start, end);
        return moved;
      }
      entry = this.#convert(database, entry);
    }
    const root = valueWord(arena, entry);
    cursor.seek(entry, index);
    cursor.next();
    const run = Buffer.allocUnsafe(stringSpan(end - start));
    writeString(run, 0, b, start, end);
    const place = { node: cursor.node, index: cursor.indexInNode, removed };
    const by = { run, at: 0, end: run.length };
    this.#middle.replace(database.record + D_ACCOUNT, root, place, by);
    database.touch(entry);
    return entry;
  }

  /** How many elements `removeEqual` has removed. */
  removedCount = 0;

  /** Removes at most `most` elements equal to b[start, end), counted from an end. */
  removeEqual(
    database: Database,
    entry: number,
    most: number,
    fromHead: boolean,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    this.removedCount = 0;
    const left = this.#isPacked(entry)
      ? this.#removePacked(database, entry, most, fromHead, b, start, end)
      : this.#removeChained(database, entry, most, fromHead, b, start, end);
    if (this.count(left) > 0) return left;
    database.remove(left);
    return 0;
  }

  #removePacked(
    database: Database,
    entry: number,
    most: number,
    fromHead: boolean,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const span = stringSpan(end - start);
    while (this.removedCount < most) {
      const at = this.#findPacked(entry, fromHead, b, start, end);
      if (at < 0) break;
      const count = runCount(valueWord(this.#arena, entry)) - 1;
      entry = database.splice(entry, PACKED_LIST, at, span, 0, count);
      this.removedCount++;
    }
    return entry;
  }

  /** Bytes before the first, or the last, element that is equal; -1: there is none. */
  #findPacked(
    entry: number,
    fromHead: boolean,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const bytes = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    const base = valueAt(this.#arena, entry);
    const limit = base + runBytes(valueWord(this.#arena, entry));
    let found = findInRun(bytes, base, limit, 1, 0, b, start, end);
    if (found < 0) return -1;
    for (let next = found; next >= 0 && !fromHead; ) {
      found = next;
      next = findInRun(bytes, afterString(bytes, next), limit, 1, 0, b, start, end);
    }
    return found - base;
  }

  #removeChained(
    database: Database,
    entry: number,
    most: number,
    fromHead: boolean,
    b: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const arena = this.#arena;
    const middle = this.#middle;
    const root = valueWord(arena, entry);
    const account = database.record + D_ACCOUNT;
    let node = nodeWord(arena, root, fromHead ? I_HEAD : I_TAIL);
    while (node !== 0 && this.removedCount < most) {
      // What is joined when this node gets smaller is behind the walk.
      const next = nodeWord(arena, node, fromHead ? I_NEXT : I_PREVIOUS);
      const found = middle.countEqual(node, b, start, end);
      const taken = Math.min(found, most - this.removedCount);
      if (taken > 0) {
        const first = fromHead ? 0 : found - taken;
        const equal = { node, first, last: first + taken - 1, isForward: fromHead };
        middle.removeEqual(account, root, equal, b, start, end);
        this.removedCount += taken;
      }
      node = next;
    }
    if (this.removedCount > 0) database.touch(entry);
    return entry;
  }

  // ---- ValueType ----

  reap(root: number): boolean {
    return this.#chain.reap(root);
  }

  writePart(entry: number, part: ElementPart): boolean {
    const arena = this.#arena;
    const word = valueWord(arena, entry);
    if (this.#isPacked(entry)) {
      const at = valueAt(arena, entry);
      part.borrow(arena.bytes[entry >>> CHUNK_SHIFT] as Buffer, at, at + runBytes(word));
      return true;
    }
    const reader = this.#reader;
    let node = part.place === 0 ? nodeWord(arena, word, I_HEAD) : part.place;
    while (node !== 0 && !part.isFull) {
      reader.enterFront(node);
      while (reader.left > 0) {
        reader.next();
        part.string(reader.bytes, reader.start, reader.end);
      }
      node = nodeWord(arena, node, I_NEXT);
    }
    part.place = node;
    return node === 0;
  }

  toInline(elements: Elements, value: InlineValue): boolean {
    const { run, at, end } = elements;
    const count = countStrings(run, at, end);
    const { listSize } = this.#limits;
    if (end - at > MAX_PACKED_BYTES || (listSize >= 0 && count > listSize)) return false;
    value.setRun(PACKED_LIST, count, elements);
    return true;
  }

  readPart(database: Database, entry: number, { run, at, end }: Elements): number {
    const added = countStrings(run, at, end);
    const arena = this.#arena;
    const word = valueWord(arena, entry);
    if (this.#isPacked(entry)) {
      const size = runBytes(word);
      const { listSize } = this.#limits;
      const count = runCount(word) + added;
      if (size + end - at <= MAX_PACKED_BYTES && (listSize < 0 || count <= listSize)) {
        const moved = database.splice(entry, PACKED_LIST, size, 0, end - at, count);
        copyBytes(run, at, arena.edit(moved, 1), database.valueStart + size, end - at);
        return moved;
      }
      entry = this.#convert(database, entry);
    }
    const root = valueWord(arena, entry);
    for (let from = at; from < end; from = afterString(run, from)) {
      const start = contentAt(run, from);
      const length = lengthAt(run, from);
      this.#chain.push(database.record + D_ACCOUNT, root, false, run, start, start + length);
    }
    database.touch(entry);
    return entry;
  }
}

/** Throws a RangeError unless run[at, end) is strings, one at least. */
function countStrings(run: ReadonlyBytes, at: number, end: number): number {
  let count = 0;
  for (; at < end; at = afterString(run, at)) count++;
  if (at !== end) throw new RangeError("a string is longer than its run");
  if (count === 0) throw new RangeError("a list without elements");
  return count;
}
