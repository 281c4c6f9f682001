/**
 * Entries on their way into a node of a key tree, on the heap: whatever does not go in place (a shorter prefix, a split, two
 * nodes becoming one) is drafted here in a plain form, and written from here in the form that key-tree-nodes.ts draws.
 */
import { assert } from "../assert.ts";
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import {
  BELOW,
  CHILD,
  COUNT,
  HEADER_BYTES,
  HEADER_WORDS,
  type KeyNodes,
  MAX_KEY_BYTES,
  NUMBER,
  PREFIX,
  recordWords,
  SHAPE,
  STRIDE,
  VARYING,
} from "./key-tree-nodes.ts";

/** More than two nodes of the largest size hold, of entries and of bytes of their rests. */
const MAX_ENTRIES = 1 << 13;
const MAX_RESTS = 1 << 16;
const WORDS = 3;

export class KeyDraft {
  readonly #arena: Arena;
  readonly #nodes: KeyNodes;
  #level = 0;
  count = 0;
  /** What all keys of the draft begin with, and that they may share more. */
  readonly #prefix = Buffer.alloc(MAX_KEY_BYTES);
  #prefixLength = 0;
  readonly #rests = Buffer.alloc(MAX_RESTS);
  /** Where each rest ends; one more ahead of them, always 0. */
  readonly #ends = new Int32Array(MAX_ENTRIES + 1);
  readonly #words = new Int32Array(WORDS * MAX_ENTRIES);
  /** Of the part that was measured last: the entry whose key is the first that counts, bytes that the rests share, their length then. */
  #first = 0;
  #shared = 0;
  #stride = 0;

  constructor(arena: Arena, nodes: KeyNodes) {
    this.#arena = arena;
    this.#nodes = nodes;
  }

  /** Empties it. All keys that are added begin with these bytes. */
  begin(level: number, bytes: ReadonlyBytes, start: number, prefixLength: number): void {
    this.#level = level;
    this.count = 0;
    this.#prefixLength = prefixLength;
    copyBytes(bytes, start, this.#prefix, 0, prefixLength);
  }

  /** Adds an entry behind the others; the key is the prefix and bytes[start, end). */
  add(bytes: ReadonlyBytes, start: number, end: number, number: number): void {
    const at = this.#open(end - start);
    copyBytes(bytes, start, this.#rests, at, end - start);
    this.#words[this.count * WORDS + NUMBER] = number;
    this.count++;
  }

  /** What the entry added last has for a child. */
  setChild(child: number, below: number): void {
    const word = (this.count - 1) * WORDS;
    this.#words[word + CHILD] = child;
    this.#words[word + BELOW] = below;
  }

  /** Adds entries [from, to) of a node, whose prefix begins with that of the draft. */
  addFrom(node: number, from: number, to: number): void {
    const nodes = this.#nodes;
    const bytes = this.#arena.bytes[node >>> CHUNK_SHIFT];
    const prefixAt = nodes.prefixAt(node);
    const more = nodes.prefix(node) - this.#prefixLength;
    for (let i = from; i < to; i++) {
      const end = nodes.restsBefore(node, i + 1);
      const length = end - nodes.restsBefore(node, i);
      const at = this.#open(more + length);
      copyBytes(bytes, prefixAt + this.#prefixLength, this.#rests, at, more);
      copyBytes(bytes, prefixAt - end, this.#rests, at + more, length);
      const words = this.#level === 0 ? 1 : WORDS;
      for (let word = 0; word < words; word++) {
        this.#words[this.count * WORDS + word] = nodes.get(node, i, word);
      }
      this.count++;
    }
  }

  /** Room for a rest of the next entry; answers where. */
  #open(length: number): number {
    const at = this.#ends[this.count];
    assert(this.count < MAX_ENTRIES && at + length <= MAX_RESTS, "a draft of two nodes at most");
    this.#ends[this.count + 1] = at + length;
    return at;
  }

  #length(index: number): number {
    return this.#ends[index + 1] - this.#ends[index];
  }

  number(index: number): number {
    return this.#words[index * WORDS + NUMBER];
  }

  /** Writes the key of an entry; answers its length. */
  copyKey(index: number, target: Buffer): number {
    copyBytes(this.#prefix, 0, target, 0, this.#prefixLength);
    const length = this.#length(index);
    copyBytes(this.#rests, this.#ends[index], target, this.#prefixLength, length);
    return this.#prefixLength + length;
  }

  /** The index behind which about half of the bytes are; neither side is empty. */
  middle(): number {
    const { count } = this;
    const each = 4 * recordWords(this.#level, 0);
    const half = (this.#ends[count] + count * each) / 2;
    let index = 1;
    while (index < count - 1 && this.#ends[index] + index * each < half) index++;
    return index;
  }

  /** Bytes of a node with entries [from, to). */
  measure(from: number, to: number): number {
    // What a key of an inner node's first child is means nothing; it gets that of the second.
    const first = this.#level > 0 && to - from > 1 ? from + 1 : from;
    const shared = this.#sharedBy(first, to - 1);
    const length = this.#length(first);
    let isVarying = false;
    for (let i = first + 1; i < to; i++) isVarying ||= this.#length(i) !== length;
    const rests = this.#ends[to] - this.#ends[first] + (first > from ? length : 0);
    this.#first = first;
    this.#shared = shared;
    this.#stride = isVarying ? VARYING : length - shared;
    const records = 4 * (to - from) * recordWords(this.#level, this.#stride);
    return HEADER_BYTES + records + rests - (to - from) * shared + this.#prefixLength + shared;
  }

  /** Bytes that two rests begin with, and so all rests in between. */
  #sharedBy(low: number, high: number): number {
    const most = Math.min(this.#length(low), this.#length(high));
    const lowAt = this.#ends[low];
    const highAt = this.#ends[high];
    let shared = 0;
    while (shared < most && this.#rests[lowAt + shared] === this.#rests[highAt + shared]) shared++;
    return shared;
  }

  /** Makes entries [from, to) the content of the node, which has room for it; nothing of what it held is kept. */
  write(node: number, from: number, to: number): void {
    const size = this.measure(from, to);
    assert(size <= this.#nodes.capacity(node), "a node has room for what is written to it");
    const units = this.#nodes.unitsOf(node);
    const ints = this.#arena.editInts(node, units);
    const bytes = this.#arena.edit(node, units);
    const at = (node & UNIT_MASK) << 1;
    const shared = this.#shared;
    const stride = this.#stride;
    const prefix = this.#prefixLength + shared;
    ints[at + COUNT] = to - from;
    ints[at + PREFIX] = prefix;
    ints[at + STRIDE] = stride;
    ints[at + SHAPE] = this.#level | (units << 8);
    const base = (at << 2) + units * 8 - prefix;
    copyBytes(this.#prefix, 0, bytes, base, this.#prefixLength);
    const firstAt = this.#ends[this.#first];
    copyBytes(this.#rests, firstAt, bytes, base + this.#prefixLength, shared);
    const words = recordWords(this.#level, stride);
    let record = at + HEADER_WORDS;
    let end = 0;
    for (let i = from; i < to; i++, record += words) {
      const source = Math.max(i, this.#first);
      const length = this.#length(source) - shared;
      end += length;
      copyBytes(this.#rests, this.#ends[source] + shared, bytes, base - end, length);
      ints[record + NUMBER] = this.#words[i * WORDS + NUMBER];
      if (this.#level > 0) {
        ints[record + CHILD] = this.#words[i * WORDS + CHILD];
        ints[record + BELOW] = this.#words[i * WORDS + BELOW];
      }
      if (stride === VARYING) ints[record + words - 1] = end;
    }
  }
}
