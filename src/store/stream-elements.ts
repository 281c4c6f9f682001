/**
 * The elements of a stream where they leave the engine (plugin.ts, StoredEntry): items of one string that begins with a tag,
 * with plain strings behind it. A string is as packed-run.ts draws it; integers and f64 are little endian.
 *
 *   stream     "S" id last given, id greatest deleted (0-0: none), f64 entries ever added
 *   entry      "E" id, u32 pairs                        then (field value)*
 *   group      "G" id last delivered, f64 entries read  then its name       (-1: not known)
 *   consumer   "C" f64 when it was seen last            then its name
 *   pending    "P" id, u32 consumer, f64 when it was delivered last, f64 how often
 *   id         u64 milliseconds, u64 sequence
 *
 * One S, then the entries by ID, then the groups by name, each with its consumers by name and then what is pending, by ID; a
 * P names its consumer by the place among the group's, from 0 on. Times are in ms since 1970. An item is never cut in two.
 *
 *   Example: a stream that has given the ID 5-1, with one entry ever (len and strings in hex, ids as they are meant):
 *   29 "S" 5-1 0-0 1.0    15 "E" 5-1 01 00 00 00  01 61  01 31
 */
import type { ReadonlyBytes } from "./arena.ts";
import { CHUNK_SHIFT } from "./arena.ts";
import type { ElementPart } from "./element-part.ts";
import { IdTree } from "./id-tree.ts";
import { afterString, contentAt, lengthAt, numberAt } from "./packed-run.ts";
import { PendingWalk } from "./stream-groups.ts";
import { compareIds, StreamId } from "./stream-id.ts";
import { nameAt, nameSize } from "./stream-names.ts";
import { NodeEntry } from "./stream-node.ts";
import type { Streams } from "./streams.ts";
import type { Elements } from "./value-types.ts";

const [HEAD, ENTRY, GROUP, CONSUMER, PENDING] = [..."SEGCP"].map((tag) => tag.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
];
const HEAD_BYTES = 1 + 16 + 16 + 8;
const ENTRY_BYTES = 1 + 16 + 4;
const GROUP_BYTES = 1 + 16 + 8;
const CONSUMER_BYTES = 1 + 8;
const PENDING_BYTES = 1 + 16 + 4 + 8 + 8;

/** The stages of writing: `subplace` is the stage, plus four times what says where in it. */
const IN_ENTRIES = 1;
const IN_CONSUMERS = 2;
const IN_PENDING = 3;
/** A leaf's address and the index in it, as one number. */
const INDEX_ROOM = 64;

export class StreamElements {
  readonly #streams: Streams;
  readonly #tree: IdTree;
  readonly #pending: PendingWalk;
  readonly #item = Buffer.alloc(HEAD_BYTES);
  readonly #id = new StreamId();
  readonly #other = new StreamId();
  readonly #entry = new NodeEntry();
  /** Of the entry in hand. */
  #start = new Int32Array(64);
  #end = new Int32Array(64);

  constructor(streams: Streams) {
    this.#streams = streams;
    this.#tree = new IdTree(streams.arena, 1);
    this.#pending = new PendingWalk(streams.arena, "groups");
  }

  // ---- writing ----

  /** As ValueType.writePart. */
  write(root: number, part: ElementPart): boolean {
    if (part.subplace === 0) this.#begin(root, part);
    if (part.subplace % 4 === IN_ENTRIES && !this.#writeEntries(root, part)) return false;
    return this.#writeGroups(root, part);
  }

  #begin(root: number, part: ElementPart): void {
    const item = this.#item;
    item[0] = HEAD;
    writeId(item, 1, this.#streams.readLastId(root, this.#id));
    writeId(item, 17, this.#streams.readDeletedId(root, this.#id));
    item.writeDoubleLE(this.#streams.entriesAdded(root), 33);
    part.string(item, 0, HEAD_BYTES);
    this.#tree.first(this.#streams.tree(root));
    part.place = this.#tree.leaf;
    part.subplace = part.place === 0 ? IN_CONSUMERS : IN_ENTRIES;
  }

  /** Node by node; false: the part is full. */
  #writeEntries(root: number, part: ElementPart): boolean {
    const tree = this.#tree;
    tree.first(this.#streams.tree(root));
    tree.leaf = part.place;
    tree.index = (part.subplace - IN_ENTRIES) / 4;
    while (tree.leaf !== 0) {
      if (part.isFull) {
        part.place = tree.leaf;
        part.subplace = IN_ENTRIES + 4 * tree.index;
        return false;
      }
      this.#writeNode(tree.word(0), part);
      tree.next();
    }
    part.place = 0;
    part.subplace = IN_CONSUMERS;
    return true;
  }

  #writeNode(node: number, part: ElementPart): void {
    const { nodes } = this.#streams;
    const entry = this.#entry;
    const used = nodes.usedBytes(node);
    for (let at = nodes.firstOffset(node); at < used; at = entry.next) {
      nodes.read(node, at, entry);
      if (entry.isDeleted) continue;
      nodes.open(node, entry);
      const item = this.#item;
      item[0] = ENTRY;
      writeId(item, 1, entry.id);
      item.writeUInt32LE(entry.fieldCount, 17);
      part.string(item, 0, ENTRY_BYTES);
      for (let left = entry.fieldCount; left > 0; left--) {
        writeString(part, entry.bytes, entry.fieldAt);
        writeString(part, entry.bytes, entry.valueAt);
        if (left > 1) entry.nextPair();
      }
    }
  }

  #writeGroups(root: number, part: ElementPart): boolean {
    const { names } = this.#streams.groups;
    for (; part.place < names.count(root); part.place++) {
      const group = names.block(root, part.place);
      if (part.subplace % 4 === IN_CONSUMERS && !this.#writeConsumers(group, part)) return false;
      if (!this.#writePending(group, part)) return false;
      part.subplace = IN_CONSUMERS;
    }
    return true;
  }

  #writeConsumers(group: number, part: ElementPart): boolean {
    const { groups } = this.#streams;
    const item = this.#item;
    let index = (part.subplace - IN_CONSUMERS) / 4;
    if (index === 0) {
      item[0] = GROUP;
      writeId(item, 1, groups.readLastId(group, this.#id));
      item.writeDoubleLE(groups.entriesRead(group), 17);
      part.string(item, 0, GROUP_BYTES);
      this.#writeName(group, part);
    }
    for (; index < groups.consumers.count(group); index++) {
      if (part.isFull && index > 0) {
        part.subplace = IN_CONSUMERS + 4 * index;
        return false;
      }
      const consumer = groups.consumers.block(group, index);
      item[0] = CONSUMER;
      item.writeDoubleLE(groups.seen(consumer), 1);
      part.string(item, 0, CONSUMER_BYTES);
      this.#writeName(consumer, part);
    }
    this.#pending.begin(groups.pendingTree(group), this.#id.setLeast());
    part.subplace = this.#pendingPlace();
    return true;
  }

  #writeName(block: number, part: ElementPart): void {
    const { arena } = this.#streams;
    const at = nameAt(arena, block);
    part.string(arena.bytes[block >>> CHUNK_SHIFT], at, at + nameSize(arena, block));
  }

  #pendingPlace(): number {
    const { leaf, index } = this.#pending.tree;
    return IN_PENDING + 4 * ((leaf >>> 0) * INDEX_ROOM + index);
  }

  #writePending(group: number, part: ElementPart): boolean {
    const walk = this.#pending;
    const code = (part.subplace - IN_PENDING) / 4;
    walk.tree.leaf = Math.floor(code / INDEX_ROOM) | 0;
    walk.tree.index = code % INDEX_ROOM;
    for (; walk.tree.leaf !== 0; walk.tree.next()) {
      if (part.isFull) {
        part.subplace = this.#pendingPlace();
        return false;
      }
      const item = this.#item;
      item[0] = PENDING;
      writeId(item, 1, walk.tree.readId(this.#id));
      item.writeUInt32LE(this.#indexOf(group, walk.owner), 17);
      item.writeDoubleLE(walk.deliveredMs, 21);
      item.writeDoubleLE(walk.deliveryCount, 29);
      part.string(item, 0, PENDING_BYTES);
    }
    return true;
  }

  #indexOf(group: number, consumer: number): number {
    const { arena, groups } = this.#streams;
    const at = nameAt(arena, consumer);
    const bytes = arena.bytes[consumer >>> CHUNK_SHIFT];
    return groups.consumers.lowerBound(group, bytes, at, at + nameSize(arena, consumer));
  }

  // ---- reading ----

  /** Adds elements to the stream. Throws a RangeError when the run is none, or not in order. */
  read(root: number, { run, at, end }: Elements): void {
    while (at < end) {
      const from = contentAt(run, at);
      const size = lengthAt(run, at);
      at = within(run, at, end);
      const tag = size === 0 ? 0 : run[from];
      if (tag === HEAD && size === HEAD_BYTES) this.#readHead(root, run, from);
      else if (tag === ENTRY && size === ENTRY_BYTES) at = this.#readEntry(root, run, from, end);
      else if (tag === GROUP && size === GROUP_BYTES) at = this.#readGroup(root, run, from, end);
      else if (tag === CONSUMER && size === CONSUMER_BYTES) {
        at = this.#readConsumer(root, run, from, end);
      } else if (tag === PENDING && size === PENDING_BYTES) this.#readPending(root, run, from);
      else throw new RangeError("an element of a stream that is none");
    }
  }

  #readHead(root: number, run: ReadonlyBytes, at: number): void {
    const streams = this.#streams;
    streams.setLastId(root, readId(run, at + 1, this.#id));
    streams.setDeletedId(root, readId(run, at + 17, this.#id));
    streams.setEntriesAdded(root, numberAt(run, at + 33));
  }

  #readEntry(root: number, run: ReadonlyBytes, at: number, end: number): number {
    const id = readId(run, at + 1, this.#id);
    const strings = 2 * readUInt32(run, at + 17);
    if (strings === 0 || strings > end - at)
      throw new RangeError("an entry with such a number of fields");
    if (this.#start.length < strings) {
      this.#start = new Int32Array(2 * strings);
      this.#end = new Int32Array(2 * strings);
    }
    let next = at + ENTRY_BYTES;
    for (let i = 0; i < strings; i++) {
      const after = within(run, next, end);
      this.#start[i] = contentAt(run, next);
      this.#end[i] = after;
      next = after;
    }
    this.#append(root, id, run, strings / 2);
    return next;
  }

  /** The state that the head has set stays: only the entry is new. */
  #append(root: number, id: StreamId, run: ReadonlyBytes, pairs: number): void {
    const streams = this.#streams;
    const last = streams.readLastId(root, this.#other);
    const added = streams.entriesAdded(root);
    if (compareIds(id, last) > 0) throw new RangeError("an entry above the last ID of its stream");
    if (!streams.follows(root, id)) throw new RangeError("entries that are not in order");
    streams.append(root, id, { buffer: run, start: this.#start, end: this.#end }, 0, pairs);
    streams.setLastId(root, last);
    streams.setEntriesAdded(root, added);
  }

  #readGroup(root: number, run: ReadonlyBytes, at: number, end: number): number {
    const { groups } = this.#streams;
    const nameStart = at + GROUP_BYTES;
    const next = within(run, nameStart, end);
    const from = contentAt(run, nameStart);
    if (groups.names.lowerBound(root, run, from, next) < groups.names.count(root)) {
      throw new RangeError("groups that are not in order");
    }
    const group = groups.create(root, run, from, next, readId(run, at + 1, this.#id));
    groups.setEntriesRead(group, numberAt(run, at + 17));
    return next;
  }

  #lastGroup(root: number): number {
    const { names } = this.#streams.groups;
    const count = names.count(root);
    if (count === 0) throw new RangeError("a consumer without a group");
    return names.block(root, count - 1);
  }

  #readConsumer(root: number, run: ReadonlyBytes, at: number, end: number): number {
    const { groups } = this.#streams;
    const group = this.#lastGroup(root);
    const nameStart = at + CONSUMER_BYTES;
    const next = within(run, nameStart, end);
    const from = contentAt(run, nameStart);
    if (groups.consumers.lowerBound(group, run, from, next) < groups.consumers.count(group)) {
      throw new RangeError("consumers that are not in order");
    }
    groups.createConsumer(group, run, from, next, numberAt(run, at + 1));
    return next;
  }

  #readPending(root: number, run: ReadonlyBytes, at: number): void {
    const { groups } = this.#streams;
    const group = this.#lastGroup(root);
    const index = readUInt32(run, at + 17);
    if (index >= groups.consumers.count(group)) throw new RangeError("no such consumer");
    const id = readId(run, at + 1, this.#id);
    const consumer = groups.consumers.block(group, index);
    groups.assign(group, consumer, id, numberAt(run, at + 21), numberAt(run, at + 29));
  }
}

/** Where the string ends that begins at `at`, which is not behind `end`. */
function within(run: ReadonlyBytes, at: number, end: number): number {
  const after = at < end ? afterString(run, at) : Number.POSITIVE_INFINITY;
  if (after <= end) return after;
  throw new RangeError("a string is longer than its run");
}

function writeString(part: ElementPart, bytes: ReadonlyBytes, at: number): void {
  const from = contentAt(bytes, at);
  part.string(bytes, from, from + lengthAt(bytes, at));
}

function writeId(target: Buffer, at: number, id: StreamId): void {
  target.writeInt32LE(id.msLow, at);
  target.writeInt32LE(id.msHigh, at + 4);
  target.writeInt32LE(id.seqLow, at + 8);
  target.writeInt32LE(id.seqHigh, at + 12);
}

function readId(bytes: ReadonlyBytes, at: number, into: StreamId): StreamId {
  const low = readUInt32(bytes, at) | 0;
  const seqLow = readUInt32(bytes, at + 8) | 0;
  return into.set(readUInt32(bytes, at + 4) | 0, low, readUInt32(bytes, at + 12) | 0, seqLow);
}

function readUInt32(bytes: ReadonlyBytes, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}
