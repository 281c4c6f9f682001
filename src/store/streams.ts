/**
 * Streams: entries in the order of their IDs, in a chain of nodes (stream-node.ts) that a tree finds by ID (id-tree.ts), with
 * consumer groups beside them (stream-groups.ts). A stream has its structure from the first entry on; stream-root.ts draws
 * its root, by whose address the operations know the stream.
 *
 * Who changes a stream does it between `begin` and `end`. Appending is O(1), finding O(log n) and a walk within one node.
 *
 * Invariant: no node is without entries; the length is the sum of the nodes'.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import type { CollectionHost, CollectionLimits } from "./collections.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import type { ElementPart } from "./element-part.ts";
import { hasStructure, kindOf, STREAM, STRUCTURE, valueWord } from "./entry.ts";
import { IdTree } from "./id-tree.ts";
import { StreamCursor } from "./stream-cursor.ts";
import { StreamElements } from "./stream-elements.ts";
import { StreamGroups } from "./stream-groups.ts";
import { compareIds, StreamId } from "./stream-id.ts";
import { NodeEntry, type Spans, StreamNodes } from "./stream-node.ts";
import {
  R_ADDED,
  R_DELETED_ID,
  R_LAST_ID,
  R_LENGTH,
  R_NODE_COUNT,
  R_NODES,
  R_TAIL,
  ROOT_UNITS,
} from "./stream-root.ts";
import { StructureEdit } from "./structure.ts";
import type { Elements, ValueType } from "./value-types.ts";

export const STREAM_KIND = STREAM | (STRUCTURE << 4);

/** A node is walked to find an entry in it, so it has a bound even where none is wanted. */
const MOST_NODE_BYTES = 1 << 20;

const LEAST = new StreamId();
const GREATEST = new StreamId().setGreatest();

export interface TrimOptions {
  /** Entries to keep; -1: those from `leastId` on. */
  readonly length: number;
  readonly leastId: StreamId;
  /** Whole nodes alone. */
  readonly isApproximate: boolean;
  /** Entries to delete at most; 0: all. */
  readonly limit: number;
}

export class Streams implements ValueType {
  readonly arena: Arena;
  readonly groups: StreamGroups;
  readonly nodes: StreamNodes;
  /** For whoever needs one that is not under way elsewhere. */
  readonly cursor: StreamCursor;
  readonly #limits: CollectionLimits;
  readonly #tree: IdTree;
  readonly #edit: StructureEdit;
  readonly #elements: StreamElements;
  readonly #entry = new NodeEntry();
  readonly #id = new StreamId();

  constructor(host: CollectionHost) {
    this.arena = host.arena;
    this.#limits = host.limits;
    this.groups = new StreamGroups(host.arena);
    this.nodes = new StreamNodes(host.arena);
    this.#tree = new IdTree(host.arena, 1);
    this.#edit = new StructureEdit(host.arena);
    this.cursor = new StreamCursor(this);
    this.#elements = new StreamElements(this);
  }

  // ---- the root ----

  word(root: number, index: number): number {
    return this.arena.ints[root >>> CHUNK_SHIFT][((root & UNIT_MASK) << 1) + index];
  }

  #setWord(root: number, index: number, value: number): void {
    const words = this.arena.editInts(root, ROOT_UNITS);
    words[((root & UNIT_MASK) << 1) + index] = value;
  }

  #double(root: number, index: number): number {
    return this.arena.doubles[root >>> CHUNK_SHIFT][(root & UNIT_MASK) + index];
  }

  #setDouble(root: number, index: number, value: number): void {
    this.arena.editDoubles(root, ROOT_UNITS)[(root & UNIT_MASK) + index] = value;
  }

  #readId(root: number, index: number, into: StreamId): StreamId {
    const words = this.arena.ints[root >>> CHUNK_SHIFT];
    const at = ((root & UNIT_MASK) << 1) + index;
    return into.set(words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  #setId(root: number, index: number, id: StreamId): void {
    const words = this.arena.editInts(root, ROOT_UNITS);
    const at = ((root & UNIT_MASK) << 1) + index;
    words[at] = id.msHigh;
    words[at + 1] = id.msLow;
    words[at + 2] = id.seqHigh;
    words[at + 3] = id.seqLow;
  }

  length(root: number): number {
    return this.#double(root, R_LENGTH);
  }

  entriesAdded(root: number): number {
    return this.#double(root, R_ADDED);
  }

  setEntriesAdded(root: number, count: number): void {
    this.#setDouble(root, R_ADDED, count);
  }

  readLastId(root: number, into: StreamId): StreamId {
    return this.#readId(root, R_LAST_ID, into);
  }

  setLastId(root: number, id: StreamId): void {
    this.#setId(root, R_LAST_ID, id);
  }

  /** The greatest ID that was deleted by itself; 0-0: none. */
  readDeletedId(root: number, into: StreamId): StreamId {
    return this.#readId(root, R_DELETED_ID, into);
  }

  setDeletedId(root: number, id: StreamId): void {
    this.#setId(root, R_DELETED_ID, id);
  }

  /** The tree of its nodes; 0: it has no entries. */
  tree(root: number): number {
    return this.word(root, R_NODES);
  }

  nodeCount(root: number): number {
    return this.word(root, R_NODE_COUNT);
  }

  /** The ID of the first entry, 0-0 when there is none. */
  readFirstId(root: number, into: StreamId): StreamId {
    if (!this.#tree.first(this.tree(root))) return into.setLeast();
    const node = this.#tree.word(0);
    this.nodes.read(node, this.nodes.firstOffset(node), this.#entry);
    return into.copy(this.#entry.id);
  }

  /** The ID of the last entry, 0-0 when there is none. */
  readTopId(root: number, into: StreamId): StreamId {
    this.cursor.begin(root, LEAST, GREATEST, true);
    return this.cursor.next() ? into.copy(this.cursor.entry.id) : into.setLeast();
  }

  // ---- changing ----

  /** Before the first change to a stream of this database. */
  begin(database: Database): void {
    this.#edit.begin(database.record + D_ACCOUNT);
  }

  /** After the last change; `entry` is the key's, as it was found last. */
  end(database: Database, entry: number, root: number): void {
    this.#edit.end(root);
    database.touch(entry);
  }

  /** Gives the key that `find` has just missed a stream without entries. Answers the entry. */
  create(database: Database, key: ReadonlyBytes, start: number, end: number): number {
    this.begin(database);
    const root = this.createRoot();
    this.#edit.end(root);
    return database.put(0, key, start, end, STREAM_KIND, 0, 0, root);
  }

  /** Between `begin` and `end`. */
  createRoot(): number {
    const root = this.arena.allocate(ROOT_UNITS);
    const words = this.arena.editInts(root, ROOT_UNITS);
    const at = (root & UNIT_MASK) << 1;
    words.fill(0, at, at + 2 * ROOT_UNITS);
    return root;
  }

  /** Appends an entry whose ID is above the last one: the `count` pairs from spans[first] on. */
  append(root: number, id: StreamId, spans: Spans, first: number, count: number): void {
    let node = this.word(root, R_TAIL);
    if (node !== 0 && this.#isFull(node, spans, first, count)) {
      this.#moved(root, node, this.nodes.seal(node));
      node = 0;
    }
    if (node === 0) {
      node = this.nodes.create(id, spans, first, count);
      const tree = this.#tree.insert(this.tree(root), id);
      this.#tree.editPayload()[this.#tree.payloadAt] = node;
      this.#setWord(root, R_NODES, tree);
      this.#setWord(root, R_TAIL, node);
      this.#setWord(root, R_NODE_COUNT, this.nodeCount(root) + 1);
    }
    this.#moved(root, node, this.nodes.append(node, id, spans, first, count));
    const doubles = this.arena.editDoubles(root, ROOT_UNITS);
    doubles[(root & UNIT_MASK) + R_LENGTH]++;
    doubles[(root & UNIT_MASK) + R_ADDED]++;
    this.setLastId(root, id);
  }

  #isFull(node: number, spans: Spans, first: number, count: number): boolean {
    const { streamNodeBytes, streamNodeEntries } = this.#limits;
    if (streamNodeEntries > 0 && this.nodes.added(node) >= streamNodeEntries) return true;
    let bytes = this.nodes.usedBytes(node);
    for (let i = first; i < first + 2 * count; i++) bytes += spans.end[i] - spans.start[i];
    const most = streamNodeBytes === 0 ? MOST_NODE_BYTES : streamNodeBytes;
    return bytes >= Math.min(most, MOST_NODE_BYTES);
  }

  /** The last node is at another address. */
  #moved(root: number, from: number, to: number): void {
    if (from === to) return;
    this.#tree.last(this.tree(root));
    this.#tree.editPayload()[this.#tree.payloadAt] = to;
    this.#setWord(root, R_TAIL, to);
  }

  /** Deletes the entry; false: there is none. */
  delete(root: number, id: StreamId): boolean {
    const offset = this.#find(root, id);
    if (offset < 0) return false;
    const node = this.#tree.word(0);
    this.nodes.mark(node, offset);
    if (this.nodes.live(node) > 0) this.nodes.compact(node);
    else {
      this.#tree.seek(this.tree(root), this.nodes.readId(node, this.#id));
      this.#removeNode(root, node);
    }
    this.#setDouble(root, R_LENGTH, this.length(root) - 1);
    if (compareIds(id, this.readDeletedId(root, this.#id)) > 0) this.setDeletedId(root, id);
    return true;
  }

  has(root: number, id: StreamId): boolean {
    return this.#find(root, id) >= 0;
  }

  /** Whether this ID is above those of all entries that ever were in the nodes there are: it can be appended. */
  follows(root: number, id: StreamId): boolean {
    const node = this.word(root, R_TAIL);
    if (node === 0) return true;
    this.nodes.read(node, this.nodes.lastOffset(node), this.#entry);
    return compareIds(this.#entry.id, id) < 0;
  }

  /** Offset of the entry in its node, at which the tree's position is then; -1: there is none. */
  #find(root: number, id: StreamId): number {
    if (!this.#tree.seekBack(this.tree(root), id)) return -1;
    const { nodes } = this;
    const node = this.#tree.word(0);
    const used = nodes.usedBytes(node);
    const entry = this.#entry;
    for (let offset = nodes.firstOffset(node); offset < used; offset = entry.next) {
      nodes.read(node, offset, entry);
      const order = compareIds(entry.id, id);
      if (order === 0) return entry.isDeleted ? -1 : offset;
      if (order > 0) return -1;
    }
    return -1;
  }

  /** Removes the node, at which the tree has just been found to be. */
  #removeNode(root: number, node: number): void {
    const tree = this.#tree.remove(this.tree(root));
    this.#setWord(root, R_NODES, tree);
    this.#setWord(root, R_NODE_COUNT, this.nodeCount(root) - 1);
    this.nodes.free(node);
    if (node !== this.word(root, R_TAIL)) return;
    this.#setWord(root, R_TAIL, this.#tree.last(tree) ? this.#tree.word(0) : 0);
  }

  /** Deletes from the front. Answers how many. */
  trim(root: number, options: TrimOptions): number {
    const { nodes } = this;
    let deleted = 0;
    while (this.#tree.first(this.tree(root))) {
      if (options.length >= 0 && this.length(root) <= options.length) break;
      const node = this.#tree.word(0);
      const live = nodes.live(node);
      if (options.limit > 0 && deleted + live > options.limit) break;
      if (this.#goesWhole(root, node, options)) {
        this.#removeNode(root, node);
        this.#setDouble(root, R_LENGTH, this.length(root) - live);
        deleted += live;
        continue;
      }
      if (!options.isApproximate) deleted += this.#trimNode(root, node, options);
      break;
    }
    return deleted;
  }

  #goesWhole(root: number, node: number, options: TrimOptions): boolean {
    if (options.length >= 0) return this.length(root) - this.nodes.live(node) >= options.length;
    this.nodes.read(node, this.nodes.lastOffset(node), this.#entry);
    return compareIds(this.#entry.id, options.leastId) < 0;
  }

  /** Deletes the first entries of a node that keeps others, or only one that was deleted before. */
  #trimNode(root: number, node: number, { length, leastId }: TrimOptions): number {
    const { nodes } = this;
    const excess = length >= 0 ? this.length(root) - length : nodes.live(node);
    let deleted = 0;
    while (deleted < excess) {
      const offset = nodes.firstOffset(node);
      nodes.read(node, offset, this.#entry);
      if (length < 0 && compareIds(this.#entry.id, leastId) >= 0) break;
      nodes.mark(node, offset);
      deleted++;
    }
    if (nodes.live(node) === 0) this.#removeNode(root, node);
    this.#setDouble(root, R_LENGTH, this.length(root) - deleted);
    return deleted;
  }

  // ---- what all values offer ----

  reap(root: number): boolean {
    const tree = this.tree(root);
    if (tree !== 0) {
      this.#setWord(root, R_NODES, this.#tree.reap(tree, this.#freeNode));
      return false;
    }
    const { names } = this.groups;
    const count = names.count(root);
    if (count > 0) {
      const group = names.block(root, count - 1);
      if (this.groups.reapGroup(group)) names.remove(root, group);
      return false;
    }
    this.arena.release(root, ROOT_UNITS);
    return true;
  }

  readonly #freeNode = () => this.nodes.free(this.#tree.word(0));

  count(entry: number): number {
    return this.length(valueWord(this.arena, entry));
  }

  writePart(entry: number, part: ElementPart): boolean {
    return this.#elements.write(valueWord(this.arena, entry), part);
  }

  readPart(database: Database, entry: number, elements: Elements): number {
    this.begin(database);
    const isNew = !hasStructure(kindOf(this.arena, entry));
    const root = isNew ? this.createRoot() : valueWord(this.arena, entry);
    try {
      this.#elements.read(root, elements);
    } finally {
      this.#edit.end(root);
      entry = isNew ? database.setStructure(entry, STREAM_KIND, root) : entry;
    }
    if (!isNew) database.touch(entry);
    return entry;
  }

  /** Units of the structure as they are counted by walking it. For tests and checks. */
  countUnits(root: number): number {
    let units = ROOT_UNITS + this.groups.unitsOf(root) + this.#tree.unitsOf(this.tree(root));
    for (let is = this.#tree.first(this.tree(root)); is; is = this.#tree.next()) {
      units += this.nodes.units(this.#tree.word(0));
    }
    return units;
  }
}
