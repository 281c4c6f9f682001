/**
 * What all indexes are made of: an ordered multiset of pairs (key: 0 to 1024 bytes, number: 32 bits) in the arena, by the
 * bytes of the key (a key before those that go on behind it), then by the number, unsigned. Equal pairs are there as often as
 * they were inserted. A B+ tree, which knows how many pairs are below each child, so that a rank costs one way down.
 *
 * key-path.ts draws the root, key-tree-nodes.ts the nodes. Invariants: no node but the topmost is empty; all leaves are at one
 * level; the units of the root are those of all blocks. A node grows to NODE_UNITS before it splits, and beyond while it has
 * less than FEW entries. The last of its level that splits because of its own end stays full, so ascending inserts fill the
 * nodes; neighbours merge when one is under a quarter and both fit in three.
 */
import { assert } from "../assert.ts";
import {
  type Arena,
  CHUNK_SHIFT,
  copyBytes,
  type ReadonlyBytes,
  UNIT_BYTES,
  UNIT_MASK,
} from "./arena.ts";
import { KeyCursor } from "./key-cursor.ts";
import { KeyDraft } from "./key-draft.ts";
import { KeyPath, ROOT_NODE, ROOT_UNITS } from "./key-path.ts";
import {
  BELOW,
  CHILD,
  KeyNodes,
  type KeyProbe,
  MAX_KEY_BYTES,
  NODE_UNITS,
  NUMBER,
} from "./key-tree-nodes.ts";
import { StructureEdit } from "./structure.ts";

/** Of the leaf of a new tree: four digests. */
const FIRST_BYTES = 64;
const NODE_BYTES = NODE_UNITS * UNIT_BYTES;
/** With less entries than this a node grows instead of splitting: keys are long. */
const FEW = 8;
/**
 * Up to how much of its block the entries of a node may take without the part of the prefix that a new one has not: so they
 * can be split, and each half fits again. Else the new one stays apart.
 */
const MOST_SPREAD = 1.5;
/** Leaves that `reap` frees a call: some 10 µs. */
const REAPED_LEAVES = 64;

/** The key by which the node above will know a node. */
class Separator implements KeyProbe {
  readonly bytes = Buffer.alloc(MAX_KEY_BYTES);
  readonly start = 0;
  end = 0;
  number = 0;
}

export class KeyTree {
  readonly #arena: Arena;
  readonly #nodes: KeyNodes;
  readonly #path: KeyPath;
  /** Large, and only for whoever has an index. */
  #madeDraft: KeyDraft | undefined;
  readonly #edit: StructureEdit;
  readonly #separator = new Separator();
  readonly #before = Buffer.alloc(MAX_KEY_BYTES);

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#nodes = new KeyNodes(arena);
    this.#path = new KeyPath(arena);
    this.#edit = new StructureEdit(arena);
  }

  get #draft(): KeyDraft {
    this.#madeDraft ??= new KeyDraft(this.#arena, this.#nodes);
    return this.#madeDraft;
  }

  /** A new empty tree; answers its root. */
  create(account: number): number {
    this.#edit.begin(account);
    const root = this.#arena.allocate(ROOT_UNITS);
    this.#arena.editDoubles(root, 1)[root & UNIT_MASK] = 0;
    this.#setTop(root, this.#nodes.create(0, FIRST_BYTES));
    this.#edit.end(root);
    return root;
  }

  #setTop(root: number, node: number): void {
    const words = this.#arena.editInts((root + 1) | 0, 1);
    const at = ((root & UNIT_MASK) << 1) + ROOT_NODE;
    words[at] = node;
    words[at + 1] = 0;
  }

  // ---- reading ----

  /** How many pairs there are. */
  size(root: number): number {
    return this.#nodes.pairs(this.#path.top(root));
  }

  has(root: number, bytes: ReadonlyBytes, start: number, end: number, number: number): boolean {
    return this.#find(root, bytes, start, end, number) >= 0;
  }

  /** Goes to the first such pair; answers its index in the leaf, or -1. */
  #find(root: number, bytes: ReadonlyBytes, start: number, end: number, number: number): number {
    const path = this.#path;
    path.aim(bytes, start, end, number);
    let index = path.descend(root, false);
    if (index === this.#nodes.count(path.leaf)) {
      if (!path.nextLeaf()) return -1;
      index = 0;
    }
    return this.#nodes.isProbe(path.leaf, index, path) ? index : -1;
  }

  /** How many pairs have a key before this one; `included`: or this one. */
  rank(root: number, bytes: ReadonlyBytes, start: number, end: number, included: boolean): number {
    this.#path.aim(bytes, start, end, included ? 0xffffffff : 0);
    return this.#path.countBefore(root, included);
  }

  /** Over any tree of this arena. */
  createCursor(): KeyCursor {
    return new KeyCursor(this.#arena);
  }

  // ---- inserting ----

  insert(
    root: number,
    account: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    number: number,
  ): void {
    assert(end - start <= MAX_KEY_BYTES, "a key of an index has at most 1024 bytes");
    const path = this.#path;
    this.#edit.begin(account);
    path.aim(bytes, start, end, number);
    const index = path.descend(root, true);
    path.addBelow(1);
    this.#put(root, 0, index, path, 0, 0);
    this.#edit.end(root);
  }

  /** Puts an entry into the path's node at `level`, whatever becomes of that. */
  #put(
    root: number,
    level: number,
    index: number,
    probe: KeyProbe,
    child: number,
    below: number,
  ): void {
    const nodes = this.#nodes;
    const draft = this.#draft;
    const node = this.#path.nodes[level];
    if (nodes.put(node, index, probe, child, below)) return;
    const count = nodes.count(node);
    const capacity = nodes.capacity(node);
    const { bytes, start, end, number } = probe;
    const shared = nodes.sharedPrefix(node, bytes, start, end);
    const longer = (nodes.prefix(node) - shared) * count;
    if (count >= FEW && nodes.usedBytes(node) + longer > MOST_SPREAD * capacity) {
      this.#putApart(root, level, index, probe, child, below);
      return;
    }
    draft.begin(level, bytes, start, shared);
    draft.addFrom(node, 0, index);
    draft.add(bytes, start + shared, end, number);
    draft.setChild(child, below);
    draft.addFrom(node, index, count);
    const size = draft.measure(0, count + 1);
    if (size <= capacity) draft.write(node, 0, count + 1);
    else if (capacity < NODE_BYTES && size <= NODE_BYTES) {
      this.#rewrite(root, level, count + 1, Math.min(NODE_BYTES, Math.max(size, 2 * capacity)));
    } else if (count < FEW) this.#rewrite(root, level, count + 1, size);
    else this.#split(root, level, index);
  }

  /** Makes the first `count` entries of the draft the path's node at `level`, in another block of at least `size` bytes. */
  #rewrite(root: number, level: number, count: number, size: number): void {
    const node = this.#nodes.create(level, size);
    this.#draft.write(node, 0, count);
    this.#nodes.free(this.#path.nodes[level]);
    this.#replace(root, level, node);
  }

  /** Another block takes the place of the path's node at `level`. */
  #replace(root: number, level: number, node: number): void {
    const path = this.#path;
    path.nodes[level] = node;
    if (level === path.height) this.#setTop(root, node);
    else this.#nodes.set(path.nodes[level + 1], path.taken[level + 1], CHILD, node);
  }

  /** The draft is the path's node at `level` with one more at `index`: it becomes two nodes. */
  #split(root: number, level: number, index: number): void {
    const draft = this.#draft;
    const nodes = this.#nodes;
    const { count } = draft;
    const isEnd = index === count - 1 && this.#path.isLast(level);
    const kept = isEnd ? index : draft.middle();
    const right = nodes.create(level, Math.max(NODE_BYTES, draft.measure(kept, count)));
    draft.write(right, kept, count);
    const separator = this.#separator;
    const before = draft.copyKey(kept - 1, this.#before);
    separator.end = draft.copyKey(kept, separator.bytes);
    separator.number = draft.number(kept);
    if (level === 0) this.#shorten(before);
    const left = this.#path.nodes[level];
    const size = draft.measure(0, kept);
    const capacity = nodes.capacity(left);
    const isFit = size <= capacity && (capacity === NODE_BYTES || size > NODE_BYTES);
    if (isFit) draft.write(left, 0, kept);
    else this.#rewrite(root, level, kept, Math.max(NODE_BYTES, size));
    this.#adopt(root, level, right);
  }

  /** The separator is a key: what is left of it suffices to be behind the one in `#before`, of `length` bytes. */
  #shorten(length: number): void {
    const separator = this.#separator;
    let shared = 0;
    while (shared < length && separator.bytes[shared] === this.#before[shared]) shared++;
    if (shared === separator.end) return;
    separator.end = shared + 1;
    separator.number = 0;
  }

  /**
   * Puts an entry that is before or behind all others of the path's node at `level` into a node of its own: what those have in
   * common, and it has not, is so long that it has to stay in common.
   */
  #putApart(
    root: number,
    level: number,
    index: number,
    probe: KeyProbe,
    child: number,
    below: number,
  ): void {
    const nodes = this.#nodes;
    const draft = this.#draft;
    const separator = this.#separator;
    const node = this.#path.nodes[level];
    const { bytes, start, end, number } = probe;
    const isBehind = index === nodes.count(node);
    draft.begin(level, bytes, start, 0);
    if (!isBehind && level > 0) {
      draft.add(bytes, start, end, number);
      draft.setChild(nodes.get(node, 0, CHILD), nodes.get(node, 0, BELOW));
      nodes.take(node, 0);
    }
    draft.add(bytes, start, end, number);
    draft.setChild(child, below);
    const apart = nodes.create(level, Math.max(NODE_BYTES, draft.measure(0, draft.count)));
    draft.write(apart, 0, draft.count);
    let before = end - start;
    if (isBehind) {
      before = nodes.copyKey(node, index - 1, this.#before);
      separator.end = draft.copyKey(0, separator.bytes);
      separator.number = number;
    } else {
      copyBytes(bytes, start, this.#before, 0, before);
      separator.end = nodes.copyKey(node, 0, separator.bytes);
      separator.number = nodes.get(node, 0, NUMBER);
      this.#replace(root, level, apart);
    }
    if (level === 0) this.#shorten(before);
    this.#adopt(root, level, isBehind ? apart : node);
  }

  /** `right` goes behind the path's node at `level`; it is known by the separator. */
  #adopt(root: number, level: number, right: number): void {
    const path = this.#path;
    const nodes = this.#nodes;
    const draft = this.#draft;
    const separator = this.#separator;
    const left = path.nodes[level];
    if (level < path.height) {
      const above = path.nodes[level + 1];
      const index = path.taken[level + 1];
      nodes.set(above, index, BELOW, nodes.pairs(left));
      this.#put(root, level + 1, index + 1, separator, right, nodes.pairs(right));
      return;
    }
    draft.begin(level + 1, separator.bytes, 0, separator.end);
    draft.add(separator.bytes, 0, 0, 0);
    draft.setChild(left, nodes.pairs(left));
    draft.add(separator.bytes, 0, 0, separator.number);
    draft.setChild(right, nodes.pairs(right));
    const top = nodes.create(level + 1, Math.max(NODE_BYTES, draft.measure(0, 2)));
    draft.write(top, 0, 2);
    this.#setTop(root, top);
  }

  // ---- removing ----

  /** Removes one such pair; false: there is none. */
  remove(
    root: number,
    account: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    number: number,
  ): boolean {
    const index = this.#find(root, bytes, start, end, number);
    if (index < 0) return false;
    this.#edit.begin(account);
    this.#path.addBelow(-1);
    this.#take(root, 0, index);
    this.#edit.end(root);
    return true;
  }

  /** Takes an entry out of the path's node at `level`. */
  #take(root: number, level: number, index: number): void {
    const nodes = this.#nodes;
    const path = this.#path;
    const node = path.nodes[level];
    nodes.take(node, index);
    if (level === path.height) {
      this.#lower(root);
      return;
    }
    if (nodes.count(node) === 0) {
      nodes.free(node);
      this.#take(root, level + 1, path.taken[level + 1]);
      return;
    }
    const capacity = nodes.capacity(node);
    if (nodes.usedBytes(node) * 4 >= capacity) return;
    const taken = path.taken[level + 1];
    if (this.#merge(root, level, taken) || this.#merge(root, level, taken - 1)) return;
    if (capacity <= NODE_BYTES) return;
    const bytes = this.#arena.bytes[node >>> CHUNK_SHIFT];
    const count = nodes.count(node);
    this.#draft.begin(level, bytes, nodes.prefixAt(node), nodes.prefix(node));
    this.#draft.addFrom(node, 0, count);
    this.#rewrite(root, level, count, Math.max(NODE_BYTES, this.#draft.measure(0, count)));
  }

  /** As long as the topmost node is an inner node of one child, that takes its place. */
  #lower(root: number): void {
    const nodes = this.#nodes;
    let top = this.#path.top(root);
    while (nodes.level(top) > 0 && nodes.count(top) === 1) {
      const child = nodes.get(top, 0, CHILD);
      nodes.free(top);
      this.#setTop(root, child);
      top = child;
    }
  }

  /**
   * Merges children `index` and `index + 1` of the path's node above `level`, if there are both and they leave a quarter of
   * the first one's block free.
   */
  #merge(root: number, level: number, index: number): boolean {
    const nodes = this.#nodes;
    const draft = this.#draft;
    const separator = this.#separator;
    const above = this.#path.nodes[level + 1];
    if (index < 0 || index + 1 >= nodes.count(above)) return false;
    const left = nodes.get(above, index, CHILD);
    const right = nodes.get(above, index + 1, CHILD);
    const most = nodes.capacity(left) * 0.75;
    if (nodes.usedBytes(left) + nodes.usedBytes(right) > most + MAX_KEY_BYTES) return false;
    const bytes = this.#arena.bytes[right >>> CHUNK_SHIFT];
    const at = nodes.prefixAt(right);
    let shared = nodes.sharedPrefix(left, bytes, at, at + nodes.prefix(right));
    if (level > 0) {
      separator.end = nodes.copyKey(above, index + 1, separator.bytes);
      shared = Math.min(shared, nodes.sharedPrefix(left, separator.bytes, 0, separator.end));
    }
    const longer =
      (nodes.prefix(left) - shared) * nodes.count(left) +
      (nodes.prefix(right) - shared) * nodes.count(right);
    if (longer > most) return false;
    draft.begin(level, bytes, at, shared);
    draft.addFrom(left, 0, nodes.count(left));
    if (level > 0) {
      // The first child of the right node gets one ahead of it: now its key counts.
      draft.add(separator.bytes, shared, separator.end, nodes.get(above, index + 1, NUMBER));
      draft.setChild(nodes.get(right, 0, CHILD), nodes.get(right, 0, BELOW));
    }
    draft.addFrom(right, level > 0 ? 1 : 0, nodes.count(right));
    if (draft.measure(0, draft.count) > most) return false;
    draft.write(left, 0, draft.count);
    nodes.free(right);
    nodes.set(above, index, BELOW, nodes.pairs(left));
    this.#take(root, level + 1, index + 1);
    return true;
  }

  // ---- freeing ----

  /** As ValueType.reap: from the end of the tree, on the arena's account. */
  reap(root: number): boolean {
    for (let i = 0; i < REAPED_LEAVES; i++) {
      if (this.#path.top(root) === 0) {
        this.#arena.release(root, ROOT_UNITS);
        return true;
      }
      this.#reapNode(root);
    }
    return false;
  }

  #reapNode(root: number): void {
    const nodes = this.#nodes;
    let node = this.#path.top(root);
    let above = 0;
    while (nodes.level(node) > 0 && nodes.count(node) > 0) {
      above = node;
      node = nodes.get(node, nodes.count(node) - 1, CHILD);
    }
    nodes.free(node);
    if (above === 0) this.#setTop(root, 0);
    else nodes.setCount(above, nodes.count(above) - 1);
  }
}
