/**
 * A walk over the entries of a stream within bounds, forwards or backwards, while the stream does not change. Several
 * may be under way at once.
 *
 *   cursor.begin(root, from, to, false);
 *   while (cursor.next()) … cursor.entry …
 */
import { IdTree } from "./id-tree.ts";
import { compareIds, StreamId } from "./stream-id.ts";
import { NodeEntry } from "./stream-node.ts";
import type { Streams } from "./streams.ts";

/** Where a cursor may go on, as long as the stream does not change. */
export interface StreamPlace {
  readonly leaf: number;
  readonly index: number;
  readonly offset: number;
}

export class StreamCursor {
  readonly #streams: Streams;
  readonly #tree: IdTree;
  /** The entry in hand. */
  readonly entry = new NodeEntry();
  readonly #from = new StreamId();
  readonly #to = new StreamId();
  readonly #nodeId = new StreamId();
  #isReverse = false;
  /** The node in hand; 0: there are no more. */
  #node = 0;
  #offset = 0;
  /** Backwards: offsets of the entries of the node, those that are still to come being the first `#left`. */
  #offsets = new Int32Array(128);
  #left = 0;

  constructor(streams: Streams) {
    this.#streams = streams;
    this.#tree = new IdTree(streams.arena, 1);
  }

  /** The entry that `count` met first. */
  #firstLeaf = 0;
  #firstIndex = 0;
  #firstOffset = 0;

  /** Both bounds belong to it; backwards, it begins at `to`. */
  begin(root: number, from: StreamId, to: StreamId, isReverse: boolean): void {
    const tree = this.#streams.tree(root);
    this.#from.copy(from);
    this.#to.copy(to);
    this.#isReverse = isReverse;
    const is = isReverse
      ? this.#tree.seekBack(tree, to)
      : this.#tree.seekBack(tree, from) || this.#tree.first(tree);
    this.#enter(is);
  }

  #enter(is: boolean): void {
    this.#node = is ? this.#tree.word(0) : 0;
    if (!is) return;
    this.#offset = this.#streams.nodes.firstOffset(this.#node);
    if (this.#isReverse) this.#collect();
  }

  /** Goes to the next entry; false: there are no more. */
  next(): boolean {
    while (this.#node !== 0) {
      if (this.#isReverse ? this.#previousOfNode() : this.#nextOfNode()) return true;
    }
    return false;
  }

  #nextOfNode(): boolean {
    const { nodes } = this.#streams;
    const { entry } = this;
    const used = nodes.usedBytes(this.#node);
    while (this.#offset < used) {
      nodes.read(this.#node, this.#offset, entry);
      this.#offset = entry.next;
      if (entry.isDeleted || compareIds(entry.id, this.#from) < 0) continue;
      if (compareIds(entry.id, this.#to) > 0) {
        this.#node = 0;
        return false;
      }
      return true;
    }
    this.#enter(this.#tree.next());
    return false;
  }

  #previousOfNode(): boolean {
    if (this.#left === 0) {
      this.#enter(this.#tree.previous());
      return false;
    }
    this.#streams.nodes.read(this.#node, this.#offsets[--this.#left], this.entry);
    if (compareIds(this.entry.id, this.#from) >= 0) return true;
    this.#node = 0;
    return false;
  }

  /** Entries can only be read forwards: where those of the node begin that are not above the bound. */
  #collect(): void {
    const { nodes } = this.#streams;
    const { entry } = this;
    const node = this.#node;
    const used = nodes.usedBytes(node);
    const isWhole = this.#isUpTo(node);
    this.#left = 0;
    for (let offset = this.#offset; offset < used; offset = entry.next) {
      if (isWhole) nodes.pass(node, offset, entry);
      else {
        nodes.read(node, offset, entry);
        if (compareIds(entry.id, this.#to) > 0) break;
      }
      if (entry.isDeleted) continue;
      if (this.#left === this.#offsets.length) this.#offsets = grown(this.#offsets);
      this.#offsets[this.#left++] = offset;
    }
  }

  /** Whether no entry of the node is above the upper bound. */
  #isUpTo(node: number): boolean {
    const { nodes } = this.#streams;
    nodes.read(node, nodes.lastOffset(node), this.entry);
    return compareIds(this.entry.id, this.#to) <= 0;
  }

  /** Finds the pairs of the entry in hand. */
  open(): void {
    this.#streams.nodes.open(this.#node, this.entry);
  }

  /** Where the first entry is that `count` has just counted. */
  get firstPlace(): StreamPlace {
    return { leaf: this.#firstLeaf, index: this.#firstIndex, offset: this.#firstOffset };
  }

  /** The entry at this place comes next; there is no bound behind it. */
  beginAt({ leaf, index, offset }: StreamPlace): void {
    this.#from.setLeast();
    this.#to.setGreatest();
    this.#isReverse = false;
    this.#tree.leaf = leaf;
    this.#tree.index = index;
    this.#node = this.#tree.word(0);
    this.#offset = offset;
  }

  /** How many entries are within the bounds, up to `most`: nodes between the bounds' are not walked. */
  count(root: number, from: StreamId, to: StreamId, most: number): number {
    const { nodes } = this.#streams;
    this.begin(root, from, to, false);
    let count = 0;
    while (this.#node !== 0 && count < most) {
      const node = this.#node;
      if (count === 0) {
        this.#firstLeaf = this.#tree.leaf;
        this.#firstIndex = this.#tree.index;
        this.#firstOffset = nodes.firstOffset(node);
      }
      const isInside = compareIds(nodes.readId(node, this.#nodeId), from) >= 0;
      const isUpTo = this.#isUpTo(node);
      if (isInside && isUpTo) count += nodes.live(node);
      else count += this.#countWithin(node, most - count, count === 0);
      this.#node = isUpTo && this.#tree.next() ? this.#tree.word(0) : 0;
    }
    return Math.min(count, most);
  }

  #countWithin(node: number, most: number, isFirst: boolean): number {
    const { nodes } = this.#streams;
    const { entry } = this;
    const used = nodes.usedBytes(node);
    let count = 0;
    for (let at = nodes.firstOffset(node); at < used && count < most; at = entry.next) {
      nodes.read(node, at, entry);
      if (compareIds(entry.id, this.#to) > 0) break;
      if (entry.isDeleted || compareIds(entry.id, this.#from) < 0) continue;
      if (isFirst && count === 0) this.#firstOffset = at;
      count++;
    }
    return count;
  }
}

function grown(offsets: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * offsets.length);
  larger.set(offsets);
  return larger;
}
