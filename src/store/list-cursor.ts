/**
 * A walk through the elements of a list, packed or big, from any element on, in one direction. The list must not change
 * meanwhile. It begins from the nearer end.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes } from "./arena.ts";
import { encodingOf, PACKED, runCount, valueAt, valueWord } from "./entry.ts";
import { I_ELEMENTS, I_HEAD, I_TAIL } from "./list-blocks.ts";
import { I_COUNT, I_NEXT, I_PREVIOUS, NodeReader, nodeWord } from "./list-node.ts";
import { afterString, contentAt, lengthAt } from "./packed-run.ts";

export class ListCursor {
  readonly #arena: Arena;
  readonly #reader: NodeReader;
  #isPacked = false;
  /** The element that was read last is bytes[start, end). */
  bytes: ReadonlyBytes = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** Of the packed run: where it begins, where the walk is, and where each element begins, for a walk backward. */
  #base = 0;
  #at = 0;
  #offsets = new Int32Array(256);
  /** Elements that are not read yet. */
  left = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#reader = new NodeReader(arena);
  }

  /** Of a big list: the node of the element that was read last. */
  get node(): number {
    return this.#reader.node;
  }

  /** The number of that element in its node, after `next`. */
  get indexInNode(): number {
    return nodeWord(this.#arena, this.#reader.node, I_COUNT) - this.#reader.left - 1;
  }

  /** Of a packed list: the bytes before the element that was read last, after `next`. */
  get offset(): number {
    return this.#offsets[0];
  }

  /** Of a packed list: the bytes before what follows the element that was read last, after `next`. */
  get offsetAfter(): number {
    return this.#at - this.#base;
  }

  /** `next` reads the element with this number, which there is, then those behind it. */
  seek(entry: number, index: number): void {
    const word = this.#begin(entry);
    if (!this.#isPacked) {
      this.#seekNode(word, index, true);
      this.left = nodeWord(this.#arena, word, I_ELEMENTS) - index;
      return;
    }
    for (let i = 0; i < index; i++) this.#at = afterString(this.bytes, this.#at);
    this.left = runCount(word) - index;
  }

  next(): void {
    this.left--;
    if (this.#isPacked) {
      const at = this.#at;
      this.#offsets[0] = at - this.#base;
      this.start = contentAt(this.bytes, at);
      this.end = this.start + lengthAt(this.bytes, at);
      this.#at = this.end;
      return;
    }
    const reader = this.#reader;
    if (reader.left === 0) {
      reader.enterFront(nodeWord(this.#arena, reader.node, I_NEXT));
      this.bytes = reader.bytes;
    }
    reader.next();
    this.start = reader.start;
    this.end = reader.end;
  }

  /**
   * Reads elements that lie in one buffer, `bytes`, up to `most`: puts where each begins and ends into `spans`. Answers how
   * many; 0: there are no more.
   */
  take(spans: Int32Array, most: number): number {
    let count = Math.min(most, this.left);
    if (this.#isPacked) {
      for (let i = 0; i < count; i++) {
        this.next();
        spans[2 * i] = this.start;
        spans[2 * i + 1] = this.end;
      }
      return count;
    }
    if (count === 0) return 0;
    const reader = this.#reader;
    if (reader.left === 0) {
      reader.enterFront(nodeWord(this.#arena, reader.node, I_NEXT));
      this.bytes = reader.bytes;
    }
    count = Math.min(count, reader.left);
    reader.take(spans, count);
    this.left -= count;
    return count;
  }

  /** `previous` reads the element with this number, which there is, then those before it. */
  seekBack(entry: number, index: number): void {
    const word = this.#begin(entry);
    this.left = index + 1;
    if (!this.#isPacked) {
      this.#seekNode(word, index, false);
      return;
    }
    if (index >= this.#offsets.length) this.#offsets = new Int32Array(2 * index);
    for (let i = 0; i <= index; i++) {
      this.#offsets[i] = this.#at;
      this.#at = afterString(this.bytes, this.#at);
    }
  }

  previous(): void {
    this.left--;
    if (this.#isPacked) {
      const at = this.#offsets[this.left];
      this.start = contentAt(this.bytes, at);
      this.end = this.start + lengthAt(this.bytes, at);
      return;
    }
    const reader = this.#reader;
    if (reader.left === 0) {
      reader.enterBack(nodeWord(this.#arena, reader.node, I_PREVIOUS));
      this.bytes = reader.bytes;
    }
    reader.previous();
    this.start = reader.start;
    this.end = reader.end;
  }

  #begin(entry: number): number {
    const word = valueWord(this.#arena, entry);
    this.#isPacked = encodingOf(this.#arena, entry) === PACKED;
    this.bytes = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    this.#base = valueAt(this.#arena, entry);
    this.#at = this.#base;
    return word;
  }

  /** Lets the reader stand before the element, or behind it. */
  #seekNode(root: number, index: number, isForward: boolean): void {
    const arena = this.#arena;
    const count = nodeWord(arena, root, I_ELEMENTS);
    let node: number;
    let before = 0;
    if (index < count >> 1) {
      node = nodeWord(arena, root, I_HEAD);
      for (let held = nodeWord(arena, node, I_COUNT); before + held <= index; ) {
        before += held;
        node = nodeWord(arena, node, I_NEXT);
        held = nodeWord(arena, node, I_COUNT);
      }
    } else {
      node = nodeWord(arena, root, I_TAIL);
      before = count - nodeWord(arena, node, I_COUNT);
      while (before > index) {
        node = nodeWord(arena, node, I_PREVIOUS);
        before -= nodeWord(arena, node, I_COUNT);
      }
    }
    const reader = this.#reader;
    if (isForward) {
      reader.enterFront(node);
      reader.skipNext(index - before);
    } else {
      reader.enterBack(node);
      reader.skipPrevious(reader.left - 1 - (index - before));
    }
    this.bytes = reader.bytes;
  }
}
