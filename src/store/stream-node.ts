/**
 * The nodes of a stream: runs of entries, up to some 4 KiB or 100 entries each. The ID of an entry is a difference to the
 * node's own, and names of fields are there once as long as all entries have the same.
 *
 *   node    i0 units of the block           i1 bytes of it that are used
 *           i2 entries                      i3 entries ever added to it, deleted ones included
 *           i4-i7 the node's ID: that of the first entry ever added
 *           i8 offset of the first entry that is not deleted; i1 when there is none    i9 offset of the last entry
 *           then the fields of the first entry: v their number, strings
 *           then the entries
 *   entry   u8 flags: 1 deleted, 2 the fields are those of the node
 *           v milliseconds above the node's
 *           v sequence, above the node's if the milliseconds are equal
 *           v size of the rest
 *           the rest: values (flag 2); else v their number, (field value)*
 *
 *   string  as in packed-run.ts
 *   v       an unsigned number of up to 64 bits, seven bits a byte, low ones first, the eighth says that more follow
 *
 *   Example: the entry 5-1 (temp 20) of a node whose ID is 5-0 and whose fields are (temp):   02 00 01 03  02 32 30
 *
 * A deleted entry is marked; those at the front are passed over by i8, and when more are deleted than are left, the others move
 * together. i3 counts on, so that a node is full when Redis's would be.
 *
 * Invariant: entries are in order of their IDs; the last one ever added stays, deleted or not, until the node goes.
 */
import {
  type Arena,
  CHUNK_SHIFT,
  copyBytes,
  type ReadonlyBytes,
  roundUnits,
  sameBytes,
  UNIT_MASK,
} from "./arena.ts";
import { afterString, contentAt, lengthAt, stringSpan, writeString } from "./packed-run.ts";
import { StreamId } from "./stream-id.ts";

/** Spans of strings over a buffer, as Arguments has them. */
export interface Spans {
  readonly buffer: ReadonlyBytes;
  readonly start: ArrayLike<number>;
  readonly end: ArrayLike<number>;
}

const HEADER_UNITS = 5;
const HEADER_BYTES = 40;
/** Flags, and three numbers as long as can be. */
const MOST_ENTRY_HEADER_BYTES = 1 + 10 + 10 + 5;
const FIRST_BYTES = 128;

const DELETED = 1;
const SAME_FIELDS = 2;

// ---- numbers ----

/** What `readNumber` read. */
let readHigh = 0;
let readLow = 0;

/** Reads a number; answers where it ended. */
function readNumber(bytes: ReadonlyBytes, at: number): number {
  let byte = bytes[at++];
  readLow = byte & 127;
  readHigh = 0;
  for (let shift = 7; byte > 127; shift += 7) {
    byte = bytes[at++];
    const bits = byte & 127;
    if (shift < 32) readLow |= bits << shift;
    if (shift === 28) readHigh = bits >>> 4;
    else if (shift > 28) readHigh |= bits << (shift - 32);
  }
  return at;
}

function writeNumber(target: Uint8Array, at: number, high: number, low: number): number {
  while (high !== 0 || (low & ~127) !== 0) {
    target[at++] = (low & 127) | 128;
    low = (low >>> 7) | (high << 25);
    high >>>= 7;
  }
  target[at++] = low;
  return at;
}

function numberSpan(value: number): number {
  let span = 1;
  for (let rest = value >>> 7; rest !== 0; rest >>>= 7) span++;
  return span;
}

// ---- reading entries ----

/** An entry as it lies in its node. */
export class NodeEntry {
  readonly id = new StreamId();
  /** Offsets within the chunk of the node. */
  bytes: ReadonlyBytes = Buffer.alloc(0);
  at = 0;
  bodyAt = 0;
  next = 0;
  isDeleted = false;
  hasSameFields = false;
  /** How many pairs; where the first field and the first value stand. Filled by `StreamNodes.open`. */
  fieldCount = 0;
  fieldAt = 0;
  valueAt = 0;

  /** Goes from one pair to the next. */
  nextPair(): void {
    const afterValue = afterString(this.bytes, this.valueAt);
    if (this.hasSameFields) {
      this.fieldAt = afterString(this.bytes, this.fieldAt);
      this.valueAt = afterValue;
    } else {
      this.fieldAt = afterValue;
      this.valueAt = afterString(this.bytes, afterValue);
    }
  }
}

export class StreamNodes {
  readonly #arena: Arena;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  #word(node: number, index: number): number {
    return this.#arena.ints[node >>> CHUNK_SHIFT][((node & UNIT_MASK) << 1) + index];
  }

  /** Entries that are not deleted. */
  live(node: number): number {
    return this.#word(node, 2);
  }

  /** Entries ever added. */
  added(node: number): number {
    return this.#word(node, 3);
  }

  usedBytes(node: number): number {
    return this.#word(node, 1);
  }

  units(node: number): number {
    return this.#word(node, 0);
  }

  readId(node: number, into: StreamId): StreamId {
    const words = this.#arena.ints[node >>> CHUNK_SHIFT];
    const at = ((node & UNIT_MASK) << 1) + 4;
    return into.set(words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  // ---- reading ----

  /** Where the node begins in its chunk: entries are at offsets from here. */
  base(node: number): number {
    return (node & UNIT_MASK) << 3;
  }

  bytes(node: number): ReadonlyBytes {
    return this.#arena.bytes[node >>> CHUNK_SHIFT];
  }

  /** Offset of the first entry that is not deleted; `usedBytes` when there is none. */
  firstOffset(node: number): number {
    return this.#word(node, 8);
  }

  lastOffset(node: number): number {
    return this.#word(node, 9);
  }

  /** Reads the head of the entry at this offset. */
  read(node: number, offset: number, entry: NodeEntry): void {
    const bytes = this.#arena.bytes[node >>> CHUNK_SHIFT];
    const words = this.#arena.ints[node >>> CHUNK_SHIFT];
    const own = ((node & UNIT_MASK) << 1) + 4;
    let at = ((node & UNIT_MASK) << 3) + offset;
    entry.bytes = bytes;
    entry.at = at;
    const flags = bytes[at++];
    entry.isDeleted = (flags & DELETED) !== 0;
    entry.hasSameFields = (flags & SAME_FIELDS) !== 0;
    at = readNumber(bytes, at);
    const { id } = entry;
    const isSameMs = (readHigh | readLow) === 0;
    id.msLow = (words[own + 1] + readLow) | 0;
    const carry = id.msLow >>> 0 < readLow >>> 0 ? 1 : 0;
    id.msHigh = (words[own] + readHigh + carry) | 0;
    at = readNumber(bytes, at);
    if (isSameMs) {
      id.seqLow = (words[own + 3] + readLow) | 0;
      const seqCarry = id.seqLow >>> 0 < readLow >>> 0 ? 1 : 0;
      id.seqHigh = (words[own + 2] + readHigh + seqCarry) | 0;
    } else {
      id.seqLow = readLow;
      id.seqHigh = readHigh;
    }
    at = readNumber(bytes, at);
    entry.bodyAt = at;
    entry.next = at + readLow - ((node & UNIT_MASK) << 3);
  }

  /** Reads of the entry at this offset whether it is deleted, and where the next one is. */
  pass(node: number, offset: number, entry: NodeEntry): void {
    const bytes = this.#arena.bytes[node >>> CHUNK_SHIFT];
    const base = (node & UNIT_MASK) << 3;
    let at = base + offset;
    entry.isDeleted = (bytes[at++] & DELETED) !== 0;
    while (bytes[at++] > 127);
    while (bytes[at++] > 127);
    at = readNumber(bytes, at);
    entry.next = at + readLow - base;
  }

  /** Finds the pairs of the entry that was read. */
  open(node: number, entry: NodeEntry): void {
    const { bytes } = entry;
    if (entry.hasSameFields) {
      entry.fieldAt = readNumber(bytes, this.base(node) + HEADER_BYTES);
      entry.fieldCount = readLow;
      entry.valueAt = entry.bodyAt;
    } else {
      entry.fieldAt = readNumber(bytes, entry.bodyAt);
      entry.fieldCount = readLow;
      entry.valueAt = readLow === 0 ? 0 : afterString(bytes, entry.fieldAt);
    }
  }

  // ---- adding ----

  /** A node without entries, for this one to be the first: its ID, and the `count` pairs from spans[first] on. */
  create(id: StreamId, spans: Spans, first: number, count: number): number {
    let fieldBytes = numberSpan(count);
    for (let i = 0; i < count; i++) fieldBytes += stringSpan(size(spans, first + 2 * i));
    const head = HEADER_BYTES + fieldBytes;
    let body = 0;
    for (let i = 0; i < count; i++) body += stringSpan(size(spans, first + 2 * i + 1));
    const units = unitsFor(Math.max(head + MOST_ENTRY_HEADER_BYTES + body, FIRST_BYTES));
    const node = this.#arena.allocate(units);
    const words = this.#arena.editInts(node, units);
    const at = (node & UNIT_MASK) << 1;
    words[at] = units;
    words[at + 1] = head;
    words[at + 2] = 0;
    words[at + 3] = 0;
    words[at + 4] = id.msHigh;
    words[at + 5] = id.msLow;
    words[at + 6] = id.seqHigh;
    words[at + 7] = id.seqLow;
    words[at + 8] = head;
    words[at + 9] = head;
    const bytes = this.#arena.edit(node, units);
    let to = writeNumber(bytes, this.base(node) + HEADER_BYTES, 0, count);
    for (let i = 0; i < count; i++) to = put(bytes, to, spans, first + 2 * i);
    return node;
  }

  /** Adds an entry, whose ID is above all others of the node. Answers the node, perhaps moved. */
  append(node: number, id: StreamId, spans: Spans, first: number, count: number): number {
    const isSame = this.#hasFields(node, spans, first, count);
    let body = isSame ? 0 : numberSpan(count);
    for (let i = 0; i < count; i++) {
      if (!isSame) body += stringSpan(size(spans, first + 2 * i));
      body += stringSpan(size(spans, first + 2 * i + 1));
    }
    const used = this.usedBytes(node);
    const needed = used + MOST_ENTRY_HEADER_BYTES + body;
    const target = needed > this.units(node) << 3 ? this.#enlarge(node, needed) : node;
    const from = used >>> 3;
    const bytes = this.#arena.edit((target + from) | 0, ((needed + 7) >>> 3) - from);
    const start = this.base(target) + used;
    let at = this.#writeHead(bytes, start, target, id, isSame);
    at = writeNumber(bytes, at, 0, body);
    if (!isSame) at = writeNumber(bytes, at, 0, count);
    for (let i = 0; i < count; i++) {
      if (!isSame) at = put(bytes, at, spans, first + 2 * i);
      at = put(bytes, at, spans, first + 2 * i + 1);
    }
    const words = this.#arena.editInts(target, HEADER_UNITS);
    const head = (target & UNIT_MASK) << 1;
    words[head + 1] = at - this.base(target);
    words[head + 2]++;
    words[head + 3]++;
    words[head + 9] = used;
    return target;
  }

  #hasFields(node: number, spans: Spans, first: number, count: number): boolean {
    const bytes = this.bytes(node);
    let at = readNumber(bytes, this.base(node) + HEADER_BYTES);
    if (readLow !== count) return false;
    for (let i = 0; i < count; i++) {
      const start = spans.start[first + 2 * i];
      const length = spans.end[first + 2 * i] - start;
      if (lengthAt(bytes, at) !== length) return false;
      if (!sameBytes(bytes, contentAt(bytes, at), spans.buffer, start, length)) return false;
      at = afterString(bytes, at);
    }
    return true;
  }

  #writeHead(bytes: Buffer, at: number, node: number, id: StreamId, isSame: boolean): number {
    const msLow = this.#word(node, 5);
    const low = (id.msLow - msLow) | 0;
    const high = (id.msHigh - this.#word(node, 4) - (id.msLow >>> 0 < msLow >>> 0 ? 1 : 0)) | 0;
    bytes[at++] = isSame ? SAME_FIELDS : 0;
    at = writeNumber(bytes, at, high, low);
    if ((low | high) !== 0) return writeNumber(bytes, at, id.seqHigh, id.seqLow);
    const seqLow = this.#word(node, 7);
    const borrow = id.seqLow >>> 0 < seqLow >>> 0 ? 1 : 0;
    const seqHigh = (id.seqHigh - this.#word(node, 6) - borrow) | 0;
    return writeNumber(bytes, at, seqHigh, (id.seqLow - seqLow) | 0);
  }

  #enlarge(node: number, neededBytes: number): number {
    return this.#move(node, unitsFor(Math.max(neededBytes, this.units(node) << 4)));
  }

  /** No more is added to the node: it needs only the memory that it uses. Answers the node, perhaps moved. */
  seal(node: number): number {
    const units = unitsFor(this.usedBytes(node));
    return units < this.units(node) ? this.#move(node, units) : node;
  }

  #move(node: number, units: number): number {
    const arena = this.#arena;
    const target = arena.allocate(units);
    const bytes = arena.edit(target, units);
    copyBytes(this.bytes(node), this.base(node), bytes, this.base(target), this.usedBytes(node));
    arena.editInts(target, 1)[(target & UNIT_MASK) << 1] = units;
    this.free(node);
    return target;
  }

  free(node: number): void {
    this.#arena.release(node, this.units(node));
  }

  // ---- deleting ----

  readonly #scanned = new NodeEntry();

  /** Marks the entry at this offset, which is not deleted. `compact` may move what is left. */
  mark(node: number, offset: number): void {
    const bytes = this.#arena.edit((node + (offset >>> 3)) | 0, 1);
    bytes[this.base(node) + offset] |= DELETED;
    const words = this.#arena.editInts(node, HEADER_UNITS);
    const head = (node & UNIT_MASK) << 1;
    words[head + 2]--;
    if (offset === words[head + 8]) words[head + 8] = this.#nextLive(node, offset);
  }

  #nextLive(node: number, offset: number): number {
    const used = this.usedBytes(node);
    const entry = this.#scanned;
    for (let at = offset; at < used; at = entry.next) {
      this.read(node, at, entry);
      if (!entry.isDeleted) return at;
    }
    return used;
  }

  /** Lets the entries that are left move together, when they are fewer than the deleted ones. */
  compact(node: number): void {
    const used = this.usedBytes(node);
    const last = this.lastOffset(node);
    const entry = this.#scanned;
    const base = this.base(node);
    let at = readNumber(this.bytes(node), base + HEADER_BYTES);
    for (let fields = readLow; fields > 0; fields--) at = afterString(this.bytes(node), at);
    const start = at - base;
    if (this.#countDeleted(node, start) <= this.live(node)) return;
    const bytes = this.#arena.edit(node, this.units(node));
    let to = start;
    let lastTo = start;
    for (let offset = start; offset < used; ) {
      this.read(node, offset, entry);
      const { next } = entry;
      if (!entry.isDeleted || offset === last) {
        lastTo = to;
        bytes.copyWithin(base + to, base + offset, base + next);
        to += next - offset;
      }
      offset = next;
    }
    const words = this.#arena.editInts(node, HEADER_UNITS);
    const head = (node & UNIT_MASK) << 1;
    words[head + 1] = to;
    words[head + 9] = lastTo;
    words[head + 8] = this.#nextLive(node, start);
  }

  /** Entries that are marked and still take room. */
  #countDeleted(node: number, start: number): number {
    const used = this.usedBytes(node);
    let count = 0;
    for (let at = start; at < used; at = this.#scanned.next) {
      this.read(node, at, this.#scanned);
      if (this.#scanned.isDeleted) count++;
    }
    return count;
  }
}

function size(spans: Spans, index: number): number {
  return spans.end[index] - spans.start[index];
}

function put(target: Buffer, at: number, spans: Spans, index: number): number {
  return writeString(target, at, spans.buffer, spans.start[index], spans.end[index]);
}

function unitsFor(bytes: number): number {
  return roundUnits((bytes + 7) >>> 3);
}
