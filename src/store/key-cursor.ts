/**
 * Walks a key tree both ways. A cursor stands between two pairs; a change of the tree makes it invalid until it is sought again.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { KeyPath } from "./key-path.ts";
import { HEADER_WORDS, KeyNodes, MAX_KEY_BYTES, recordWords, VARYING } from "./key-tree-nodes.ts";

export class KeyCursor {
  readonly #arena: Arena;
  readonly #nodes: KeyNodes;
  readonly #path: KeyPath;
  /** Of the leaf it is in: its entries, words of a record, length of each rest, word of the first record, byte of the prefix. */
  #count = 0;
  #words = 1;
  #stride = 0;
  #records = 0;
  #prefixAt = 0;
  #prefix = 0;
  #chunk = 0;
  /** The pair ahead: `next` answers it. */
  #index = 0;
  /** Of the pair that the last step passed. Its key is bytes[start, end), good until the next call. */
  number = 0;
  readonly #key = Buffer.alloc(MAX_KEY_BYTES);
  readonly bytes: Uint8Array & ReadonlyBytes = this.#key;
  readonly start = 0;
  end = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#nodes = new KeyNodes(arena);
    this.#path = new KeyPath(arena);
  }

  /** Stands before the first pair that is not before this key with this number. */
  seek(root: number, bytes: ReadonlyBytes, start: number, end: number, number = 0): void {
    this.#path.aim(bytes, start, end, number);
    this.#index = this.#path.descend(root, false);
    this.#enter();
  }

  /** Stands before the pair of this rank; behind the last one when there are fewer. */
  seekRank(root: number, rank: number): void {
    this.#index = this.#path.descendToRank(root, rank);
    this.#enter();
  }

  /** Stands behind the last pair. */
  seekEnd(root: number): void {
    this.seekRank(root, Number.POSITIVE_INFINITY);
  }

  /** Passes the pair ahead; false: there is none. */
  next(): boolean {
    if (this.#index === this.#count) {
      if (!this.#path.nextLeaf()) return false;
      this.#enter();
      this.#index = 0;
    }
    this.#read(this.#index++);
    return true;
  }

  /** Passes the pair behind, towards the first one. */
  previous(): boolean {
    if (this.#index === 0) {
      if (!this.#path.previousLeaf()) return false;
      this.#enter();
      this.#index = this.#count;
    }
    this.#read(--this.#index);
    return true;
  }

  #enter(): void {
    const { leaf } = this.#path;
    const nodes = this.#nodes;
    this.#count = nodes.count(leaf);
    this.#stride = nodes.stride(leaf);
    this.#words = recordWords(0, this.#stride);
    this.#records = ((leaf & UNIT_MASK) << 1) + HEADER_WORDS;
    this.#prefixAt = nodes.prefixAt(leaf);
    this.#prefix = nodes.prefix(leaf);
    this.#chunk = leaf >>> CHUNK_SHIFT;
    const bytes = this.#arena.bytes[this.#chunk];
    copyBytes(bytes, this.#prefixAt, this.#key, 0, this.#prefix);
  }

  #read(index: number): void {
    const ints = this.#arena.ints[this.#chunk];
    const record = this.#records + index * this.#words;
    let length = this.#stride;
    let from = this.#prefixAt - (index + 1) * length;
    if (length === VARYING) {
      const end = ints[record + 1];
      length = index === 0 ? end : end - ints[record - 1];
      from = this.#prefixAt - end;
    }
    this.number = ints[record] >>> 0;
    copyBytes(this.#arena.bytes[this.#chunk], from, this.#key, this.#prefix, length);
    this.end = this.#prefix + length;
  }
}
