/**
 * The consumer groups of streams: which entries were delivered to which consumer and not acknowledged yet. Pending entries
 * are in two trees: the group's has what is known of each, the consumer's has IDs alone, to go through them in order.
 *
 *   group      i0-i2 as stream-names.ts    i3 tree of pending entries    i4 how many    i5-i7 its consumers
 *              i8-i11 the ID delivered last    d6 entries read; -1: not known    then the name
 *   consumer   i0-i2 as stream-names.ts    i3 tree of its pending entries    i4 how many    d3 when it was seen last, in ms
 *              since 1970    then the name
 *   pending    the consumer's address, f64 when it was delivered last, f64 how often
 *
 * Invariant: the IDs of the consumers' trees are those of the group's, each with the one consumer that its item names.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { IdTree } from "./id-tree.ts";
import { StreamId } from "./stream-id.ts";
import { StreamNames } from "./stream-names.ts";
import { R_GROUPS } from "./stream-root.ts";

const GROUP_BYTES = 56;
const CONSUMER_BYTES = 32;
const I_PENDING = 3;
const I_PENDING_COUNT = 4;
const I_CONSUMERS = 5;
const I_LAST_ID = 8;
const D_ENTRIES_READ = 6;
const D_SEEN = 3;
const PENDING_WORDS = 5;
/** Entries read are not known. */
export const UNKNOWN = -1;

const float = new Float64Array(1);
const floatWords = new Int32Array(float.buffer);

export class StreamGroups {
  readonly #arena: Arena;
  /** Of the owner: a stream's root. */
  readonly names: StreamNames;
  /** Of the owner: a group. */
  readonly consumers: StreamNames;
  /** For whoever needs one that is not under way elsewhere: over what is pending for a group, for a consumer. */
  readonly groupWalk: PendingWalk;
  readonly consumerWalk: PendingWalk;
  readonly #pending: IdTree;
  readonly #owned: IdTree;
  readonly #id = new StreamId();

  constructor(arena: Arena) {
    this.#arena = arena;
    this.names = new StreamNames(arena, R_GROUPS);
    this.consumers = new StreamNames(arena, I_CONSUMERS);
    this.groupWalk = new PendingWalk(arena, "groups");
    this.consumerWalk = new PendingWalk(arena, "consumers");
    this.#pending = new IdTree(arena, PENDING_WORDS);
    this.#owned = new IdTree(arena, 0);
  }

  #word(block: number, index: number): number {
    return this.#arena.ints[block >>> CHUNK_SHIFT][((block & UNIT_MASK) << 1) + index];
  }

  #setWord(block: number, index: number, value: number): void {
    const words = this.#arena.editInts((block + (index >>> 1)) | 0, 1);
    words[((block & UNIT_MASK) << 1) + index] = value;
  }

  #double(block: number, index: number): number {
    return this.#arena.doubles[block >>> CHUNK_SHIFT][(block & UNIT_MASK) + index];
  }

  #setDouble(block: number, index: number, value: number): void {
    this.#arena.editDoubles((block + index) | 0, 1)[(block & UNIT_MASK) + index] = value;
  }

  // ---- groups ----

  /** Adds a group whose name is not there. */
  create(root: number, bytes: ReadonlyBytes, start: number, end: number, lastId: StreamId): number {
    const group = this.names.insert(root, bytes, start, end, GROUP_BYTES);
    this.setLastId(group, lastId);
    this.setEntriesRead(group, UNKNOWN);
    return group;
  }

  /** Removes the group with its consumers and all that is pending. */
  destroy(root: number, group: number): void {
    while (!this.reapGroup(group));
    this.names.remove(root, group);
  }

  readLastId(group: number, into: StreamId): StreamId {
    const words = this.#arena.ints[group >>> CHUNK_SHIFT];
    const at = ((group & UNIT_MASK) << 1) + I_LAST_ID;
    return into.set(words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  setLastId(group: number, id: StreamId): void {
    const words = this.#arena.editInts((group + I_LAST_ID / 2) | 0, 2);
    const at = ((group & UNIT_MASK) << 1) + I_LAST_ID;
    words[at] = id.msHigh;
    words[at + 1] = id.msLow;
    words[at + 2] = id.seqHigh;
    words[at + 3] = id.seqLow;
  }

  entriesRead(group: number): number {
    return this.#double(group, D_ENTRIES_READ);
  }

  setEntriesRead(group: number, count: number): void {
    this.#setDouble(group, D_ENTRIES_READ, count);
  }

  // ---- consumers ----

  createConsumer(
    group: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    seenMs: number,
  ): number {
    const consumer = this.consumers.insert(group, bytes, start, end, CONSUMER_BYTES);
    this.setSeen(consumer, seenMs);
    return consumer;
  }

  seen(consumer: number): number {
    return this.#double(consumer, D_SEEN);
  }

  setSeen(consumer: number, ms: number): void {
    this.#setDouble(consumer, D_SEEN, ms);
  }

  /** Removes the consumer, and what is pending for it from the group. */
  deleteConsumer(group: number, consumer: number): void {
    const pending = this.#pending;
    const visit = () => {
      this.#owned.readId(this.#id);
      if (pending.seek(this.pendingTree(group), this.#id)) this.#drop(group);
    };
    for (let tree = this.pendingTree(consumer); tree !== 0; ) tree = this.#owned.reap(tree, visit);
    this.consumers.remove(group, consumer);
  }

  // ---- pending entries ----

  /** Entries pending for the group, or for the consumer. */
  pendingCount(holder: number): number {
    return this.#word(holder, I_PENDING_COUNT);
  }

  /** Their tree, to walk: items of a group have a payload, those of a consumer have none. */
  pendingTree(holder: number): number {
    return this.#word(holder, I_PENDING);
  }

  #setTree(holder: number, tree: number, change: number): void {
    if (tree !== this.pendingTree(holder)) this.#setWord(holder, I_PENDING, tree);
    if (change !== 0) this.#setWord(holder, I_PENDING_COUNT, this.pendingCount(holder) + change);
  }

  /** Looks for an entry among those pending for the group; what follows is about the one that was found. */
  findPending(group: number, id: StreamId): boolean {
    return this.#pending.seek(this.pendingTree(group), id);
  }

  get owner(): number {
    return this.#pending.word(0);
  }

  get deliveredMs(): number {
    return this.#payloadNumber(1);
  }

  get deliveryCount(): number {
    return this.#payloadNumber(3);
  }

  #payloadNumber(at: number): number {
    return readFloat(this.#pending.word(at), this.#pending.word(at + 1));
  }

  /** The entry becomes pending for this consumer, wherever it was before. */
  assign(
    group: number,
    consumer: number,
    id: StreamId,
    deliveredMs: number,
    deliveryCount: number,
  ): void {
    const isOld = this.findPending(group, id);
    const before = isOld ? this.owner : 0;
    if (!isOld) this.#setTree(group, this.#pending.insert(this.pendingTree(group), id), 1);
    this.#write(consumer, deliveredMs, deliveryCount);
    if (before === consumer) return;
    if (before !== 0) this.#disown(before, id);
    this.#setTree(consumer, this.#owned.insert(this.pendingTree(consumer), id), 1);
  }

  #write(consumer: number, deliveredMs: number, deliveryCount: number): void {
    const words = this.#pending.editPayload();
    const at = this.#pending.payloadAt;
    words[at] = consumer;
    float[0] = deliveredMs;
    words[at + 1] = floatWords[0];
    words[at + 2] = floatWords[1];
    float[0] = deliveryCount;
    words[at + 3] = floatWords[0];
    words[at + 4] = floatWords[1];
  }

  #disown(consumer: number, id: StreamId): void {
    if (!this.#owned.seek(this.pendingTree(consumer), id)) return;
    this.#setTree(consumer, this.#owned.remove(this.pendingTree(consumer)), -1);
  }

  /** The entry is not pending any more; false: it was not. */
  acknowledge(group: number, id: StreamId): boolean {
    if (!this.findPending(group, id)) return false;
    this.#disown(this.owner, id);
    this.#drop(group);
    return true;
  }

  /** Takes the found entry from those of the group. */
  #drop(group: number): void {
    this.#setTree(group, this.#pending.remove(this.pendingTree(group)), -1);
  }

  // ---- freeing ----

  /** Frees a little of what the group has; true when nothing but the group itself is left. */
  reapGroup(group: number): boolean {
    const tree = this.pendingTree(group);
    if (tree !== 0) {
      this.#setWord(group, I_PENDING, this.#pending.reap(tree, ignore));
      return false;
    }
    const count = this.consumers.count(group);
    if (count === 0) return true;
    const consumer = this.consumers.block(group, count - 1);
    const owned = this.pendingTree(consumer);
    if (owned !== 0) this.#setWord(consumer, I_PENDING, this.#owned.reap(owned, ignore));
    else this.consumers.remove(group, consumer);
    return false;
  }

  /** Units of all groups of a stream with all they have. For tests and checks: it walks everything. */
  unitsOf(root: number): number {
    let units = this.names.unitsOf(root);
    for (let i = 0; i < this.names.count(root); i++) {
      const group = this.names.block(root, i);
      units += this.consumers.unitsOf(group) + this.#pending.unitsOf(this.pendingTree(group));
      for (let j = 0; j < this.consumers.count(group); j++) {
        units += this.#owned.unitsOf(this.pendingTree(this.consumers.block(group, j)));
      }
    }
    return units;
  }
}

/** A walk over pending entries, while nothing changes. */
export class PendingWalk {
  readonly tree: IdTree;
  readonly id = new StreamId();

  /** Of groups, whose items have a payload, or of consumers. */
  constructor(arena: Arena, of: "groups" | "consumers") {
    this.tree = new IdTree(arena, of === "groups" ? PENDING_WORDS : 0);
  }

  /** Goes to the first that is not below `from`; false: there is none. */
  begin(root: number, from: StreamId): boolean {
    this.tree.seek(root, from);
    return this.#read();
  }

  next(): boolean {
    this.tree.next();
    return this.#read();
  }

  #read(): boolean {
    if (this.tree.leaf === 0) return false;
    this.tree.readId(this.id);
    return true;
  }

  get owner(): number {
    return this.tree.word(0);
  }

  get deliveredMs(): number {
    return readFloat(this.tree.word(1), this.tree.word(2));
  }

  get deliveryCount(): number {
    return readFloat(this.tree.word(3), this.tree.word(4));
  }
}

function readFloat(low: number, high: number): number {
  floatWords[0] = low;
  floatWords[1] = high;
  return float[0];
}

const ignore = () => {};
