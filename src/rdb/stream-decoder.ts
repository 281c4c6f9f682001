/**
 * Reads a stream (stream-encoder.ts draws it) and tells of it in the items of stream-elements.ts: its entries, its head, its
 * groups. What is not in order, or names what is not there, is RdbDamage.
 */
import { STREAM } from "../store/entry.ts";
import { ListpackCursor } from "./listpack.ts";
import { RdbDamage } from "./rdb-damage.ts";
import { type RdbInput, type Span, wholeOf } from "./rdb-input.ts";
import type { ValueVisitor } from "./value-visitor.ts";

/** 1: of Redis before 7.0; 2: of 7.0; 3: of 7.2. */
type Version = 1 | 2 | 3;

/** As one number, which compares: milliseconds above 64 bits of sequence. */
type Id = bigint;

const MASK = 2n ** 64n - 1n;
const IS_DELETED = 1;
const HAS_SAME_FIELDS = 2;
/** Whoever says more has no room for them in a listpack. */
const MOST_FIELDS = 0xffff_ffff;
const ENTRY_ITEM_BYTES = 1 + 16 + 4;

const pack = new ListpackCursor();

/** In steps, as value-decoder.ts has them: pack by pack, group by group. */
export function* decodeStream(
  input: RdbInput,
  visitor: ValueVisitor,
  version: Version,
): Generator<void, void> {
  visitor.begin(STREAM, false);
  const entries = new EntryReader(visitor);
  for (let left = input.length(); left > 0; left--) {
    const key = keyIn(input.string());
    input.readString();
    pack.begin(input.text, input.from, input.to);
    entries.readPack(key);
    yield;
  }
  const count = input.length();
  const last = idOf(input);
  if (version > 1) idOf(input); // the first one's, which the entries tell
  const deleted = version > 1 ? idOf(input) : 0n;
  const added = version > 1 ? input.length() : count;
  require(count === entries.count && entries.last <= last && added >= count, "counts that differ");
  visitor.streamHead(wholeOf(item("S", idBytes(last), idBytes(deleted), double(added))));
  let before: Buffer | undefined;
  for (let left = input.length(); left > 0; left--) {
    before = readGroup(input, visitor, { version, before });
    yield;
  }
}

function idOf(input: RdbInput): Id {
  const ms = input.length64();
  return (ms << 64n) | input.length64();
}

function keyIn({ bytes, start, end }: Span): Id {
  require(end - start === 16, "an ID of another length");
  return (bytes.readBigUInt64BE(start) << 64n) | bytes.readBigUInt64BE(start + 8);
}

function rawId(input: RdbInput): Id {
  return keyIn(input.span(16));
}

/** The entries of listpacks, in order. */
class EntryReader {
  readonly #visitor: ValueVisitor;
  count = 0;
  /** The last ID; no entry has 0-0. */
  #lastMs = 0n;
  #lastSequence = 0n;
  /** The key of the pack, which the IDs of its entries are counted from. */
  #keyMs = 0n;
  #keySequence = 0n;
  /** Names of the fields that most entries of the pack have. */
  #fields: Buffer[] = [];
  readonly #item = Buffer.alloc(ENTRY_ITEM_BYTES, "E");

  constructor(visitor: ValueVisitor) {
    this.#visitor = visitor;
  }

  /** ID of the last one; 0: there is none. */
  get last(): Id {
    return (this.#lastMs << 64n) | this.#lastSequence;
  }

  /** Of the pack that the cursor stands before. */
  readPack(key: Id): void {
    const [live, deleted, fieldCount] = [this.#number(), this.#number(), this.#number()];
    this.#fields = [];
    for (let left = fieldCount; left > 0; left--) this.#fields.push(this.#copy());
    require(fieldCount >= 0 && this.#number() === 0, "a node of another form");
    this.#keyMs = key >> 64n;
    this.#keySequence = key & MASK;
    let [liveFound, deletedFound] = [0, 0];
    while (pack.next()) {
      if (this.#readEntry(Number(pack.int64()))) liveFound++;
      else deletedFound++;
    }
    require(live === liveFound && deleted === deletedFound, "another number of entries");
  }

  /** False: it is deleted. */
  #readEntry(flags: number): boolean {
    require(flags >= 0 && flags <= (IS_DELETED | HAS_SAME_FIELDS), "flags that are none");
    const ms = this.#above(this.#keyMs);
    const sequence = this.#above(this.#keySequence);
    const isSame = (flags & HAS_SAME_FIELDS) !== 0;
    const isDeleted = (flags & IS_DELETED) !== 0;
    const count = isSame ? this.#fields.length : this.#number();
    if (!isDeleted) this.#tellHead(ms, sequence, count);
    for (let i = 0; i < count; i++) {
      if (!isSame) this.#tell(isDeleted);
      else if (!isDeleted) this.#visitor.string(this.#fields[i], 0, this.#fields[i].length);
      this.#tell(isDeleted);
    }
    require(count >= 0, "an entry with such a number of fields");
    const items = isSame ? 3 + count : 4 + 2 * count;
    require(this.#number() === items, "an entry of another length");
    if (!isDeleted) this.#visitor.endElement();
    return !isDeleted;
  }

  #tellHead(ms: bigint, sequence: bigint, count: number): void {
    const isAbove = ms > this.#lastMs || (ms === this.#lastMs && sequence > this.#lastSequence);
    require(isAbove, "entries that are not in order");
    require(count > 0 && count <= MOST_FIELDS, "an entry with such a number of fields");
    this.#lastMs = ms;
    this.#lastSequence = sequence;
    this.count++;
    this.#item.writeBigUInt64LE(ms, 1);
    this.#item.writeBigUInt64LE(sequence, 9);
    this.#item.writeUInt32LE(count, 17);
    this.#visitor.string(this.#item, 0, ENTRY_ITEM_BYTES);
  }

  #next(): void {
    require(pack.next(), "a node that is cut");
  }

  #tell(isDeleted: boolean): void {
    this.#next();
    if (!isDeleted) pack.tell(this.#visitor);
  }

  /** A count or flags: what is no safe integer is none of them, and fits nothing. */
  #number(): number {
    this.#next();
    return pack.isInteger ? pack.integer : Number(pack.int64());
  }

  /** Half of an ID, as so much above the key's. */
  #above(base: bigint): bigint {
    this.#next();
    const isSame = pack.isInteger && pack.integer === 0;
    return isSame ? base : (base + pack.int64()) & MASK;
  }

  #copy(): Buffer {
    this.#next();
    if (pack.isInteger) return Buffer.from(String(pack.integer), "latin1");
    return Buffer.from(pack.text.subarray(pack.from, pack.to));
  }
}

interface GroupContext {
  readonly version: Version;
  /** Name of the group before. */
  readonly before: Buffer | undefined;
}

/** Answers its name. */
function readGroup(input: RdbInput, visitor: ValueVisitor, context: GroupContext): Buffer {
  const { version, before } = context;
  const name = copyOf(input.string());
  require(before === undefined || Buffer.compare(before, name) < 0, "groups that are not in order");
  const last = idOf(input);
  const read = version > 1 ? Number(BigInt.asIntN(64, input.length64())) : -1;
  require(read >= -1 && Number.isSafeInteger(read), "a count that is none");
  tell(visitor, item("G", idBytes(last), double(read)), name);
  const pending = readPending(input);
  const owners = readConsumers(input, visitor, version);
  require(pending.size === owners.size, "pending entries that nobody has");
  for (const [id, { whenMs, count }] of pending) {
    const owner = owners.get(id);
    if (owner === undefined) throw new RdbDamage("a stream has pending entries that nobody has");
    tell(visitor, item("P", idBytes(id), uint32(owner), double(whenMs), double(count)));
  }
  return name;
}

function readPending(input: RdbInput): Map<Id, { whenMs: number; count: number }> {
  const pending = new Map<Id, { whenMs: number; count: number }>();
  let before = -1n;
  for (let left = input.length(); left > 0; left--) {
    const id = rawId(input);
    require(id > before, "pending entries that are not in order");
    before = id;
    pending.set(id, { whenMs: input.moment(), count: input.length() });
  }
  return pending;
}

/** Tells of them; answers for each pending entry the place of the consumer that has it. */
function readConsumers(input: RdbInput, visitor: ValueVisitor, version: Version): Map<Id, number> {
  const owners = new Map<Id, number>();
  const count = input.length();
  let before: Buffer | undefined;
  for (let index = 0; index < count; index++) {
    const name = copyOf(input.string());
    require(!before || Buffer.compare(before, name) < 0, "consumers that are not in order");
    before = name;
    const seenMs = input.moment();
    if (version > 2) input.moment();
    tell(visitor, item("C", double(seenMs)), name);
    for (let left = input.length(); left > 0; left--) {
      const id = rawId(input);
      require(!owners.has(id), "a pending entry that two have");
      owners.set(id, index);
    }
  }
  return owners;
}

function copyOf({ bytes, start, end }: Span): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}

// ---- items ----

function item(tag: string, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(tag), ...parts]);
}

/** Tells of an item and the strings that belong to it. */
function tell(visitor: ValueVisitor, ...strings: readonly Buffer[]): void {
  for (const string of strings) visitor.string(string, 0, string.length);
  visitor.endElement();
}

function idBytes(id: Id): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(id >> 64n);
  bytes.writeBigUInt64LE(id & MASK, 8);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new RdbDamage(`a stream has ${what}`);
}
