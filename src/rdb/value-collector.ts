/**
 * Takes a value that is read from an RDB into memory, in the form in which elements go into the engine (packed-run.ts): for
 * whoever must know that all of it is right before anything changes. A value with an element twice, or without any, is
 * RdbDamage. Sorted sets come in any order and are put in theirs.
 */

import { HASH, SET, STREAM, STRING, ZSET } from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";
import {
  contentAt,
  lengthAt,
  NUMBER_BYTES,
  numberAt,
  stringSpan,
  writeString,
} from "../store/packed-run.ts";
import { stringsBehind } from "../store/stream-reader.ts";
import { RdbDamage } from "./rdb-damage.ts";
import { type Span, wholeOf } from "./rdb-input.ts";
import { RunWriter } from "./run-writer.ts";
import type { ValueVisitor } from "./value-visitor.ts";

/** A part that goes into the engine at once has at least so many bytes, but for the last. */
const PART_BYTES = 1 << 16;
const FIRST_BYTES = 256;

export class ValueCollector extends RunWriter implements ValueVisitor {
  /** As entries store it. */
  type = STRING;
  /** Of a string its bytes. */
  plain: Span = wholeOf(Buffer.alloc(0));
  isTimed = false;
  count = 0;
  /** Where the element in hand begins. */
  #elementAt = 0;
  /** Of a set, a sorted set, a hash: its members or fields. */
  readonly #names: NameTable;

  /** `hashKey`: 64 secret bits, so that nobody can choose elements that collide. */
  constructor(hashKey: readonly [number, number]) {
    super(FIRST_BYTES);
    this.#names = new NameTable(this, hashKey);
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.plain = wholeOf(Buffer.from(bytes.subarray(start, end)));
  }

  begin(type: number, isTimed: boolean): void {
    this.type = type;
    this.isTimed = isTimed;
  }

  endElement(): void {
    const { type } = this;
    const hasName = type === SET || type === ZSET || type === HASH;
    if (hasName && !this.#names.add(this.#elementAt)) {
      throw new RdbDamage("an element comes twice");
    }
    this.#elementAt = this.size;
    this.count++;
  }

  streamHead(head: Span): void {
    const size = stringSpan(head.end - head.start);
    this.reserve(size);
    this.run.copyWithin(size, 0, this.size);
    writeString(this.run, 0, head.bytes, head.start, head.end);
    this.size += size;
    this.#elementAt = this.size;
    this.count++;
  }

  /** Nothing follows. */
  end(): void {
    if (this.type === STRING) return;
    if (this.count === 0) throw new RdbDamage("a value has no elements");
    if (this.type === ZSET) this.#sort();
  }

  /** Calls `visit` for stretches of whole elements, in order. */
  eachPart(visit: (at: number, end: number) => void): void {
    let begin = 0;
    for (let at = 0; at < this.size; ) {
      at = this.#after(at);
      if (at - begin < PART_BYTES && at < this.size) continue;
      visit(begin, at);
      begin = at;
    }
  }

  /** Where the element ends that begins at `at`. */
  #after(at: number): number {
    const { run, type, isTimed } = this;
    let end = contentAt(run, at) + lengthAt(run, at);
    if (type === STREAM) {
      for (let left = stringsBehind(run, contentAt(run, at)); left > 0; left--) {
        end = contentAt(run, end) + lengthAt(run, end);
      }
      return end;
    }
    if (type === HASH) end = contentAt(run, end) + lengthAt(run, end);
    return end + (type === ZSET || isTimed ? NUMBER_BYTES : 0);
  }

  /** By score, then by bytes of the member. */
  #sort(): void {
    const { run } = this;
    const places: number[] = [];
    for (let at = 0; at < this.size; at = this.#after(at)) places.push(at);
    const scoreAt = (at: number) => numberAt(run, contentAt(run, at) + lengthAt(run, at));
    const compare = (a: number, b: number) => {
      const [first, second] = [scoreAt(a), scoreAt(b)];
      return first === second ? this.#compareNames(a, b) : first < second ? -1 : 1;
    };
    if (places.every((at, i) => i === 0 || compare(places[i - 1] as number, at) < 0)) return;
    places.sort(compare);
    const sorted = Buffer.allocUnsafe(this.size);
    let to = 0;
    for (const at of places) to += run.copy(sorted, to, at, this.#after(at));
    this.run = sorted;
  }

  #compareNames(a: number, b: number): number {
    const { run } = this;
    const [from, other] = [contentAt(run, a), contentAt(run, b)];
    const [end, otherEnd] = [from + lengthAt(run, a), other + lengthAt(run, b)];
    return run.compare(run, other, otherEnd, from, end);
  }
}

/** The strings of a run that begin at places that were added: an open table of places, half full at most. */
class NameTable {
  readonly #owner: { readonly run: Buffer };
  readonly #hashKey: readonly [number, number];
  /** Places and one more; 0: free. */
  #slots = new Int32Array(16);
  #count = 0;

  constructor(owner: { readonly run: Buffer }, hashKey: readonly [number, number]) {
    this.#owner = owner;
    this.#hashKey = hashKey;
  }

  /** False: an equal string was added before. */
  add(at: number): boolean {
    if (2 * ++this.#count > this.#slots.length) this.#grow();
    const slot = this.#slotOf(at);
    if (this.#slots[slot] !== 0) return false;
    this.#slots[slot] = at + 1;
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    for (const place of old) if (place !== 0) this.#slots[this.#slotOf(place - 1)] = place;
  }

  /** Where an equal string is, or would be. */
  #slotOf(at: number): number {
    const { run } = this.#owner;
    const start = contentAt(run, at);
    const end = start + lengthAt(run, at);
    const mask = this.#slots.length - 1;
    const [key0, key1] = this.#hashKey;
    for (let slot = hashBytes(key0, key1, run, start, end) & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot];
      if (place === 0) return slot;
      const other = contentAt(run, place - 1);
      if (run.compare(run, other, other + lengthAt(run, place - 1), start, end) === 0) return slot;
    }
  }
}
