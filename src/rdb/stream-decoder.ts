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
const IS_DELETED = 1n;
const HAS_SAME_FIELDS = 2n;
/** Whoever says more has no room for them in a listpack. */
const MOST_FIELDS = 0xffff_ffffn;
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
  /** ID of the last one. */
  last = -1n;
  /** Names of the fields that most entries of the pack have. */
  #fields: Buffer[] = [];
  readonly #item = Buffer.alloc(ENTRY_ITEM_BYTES, "E");

  constructor(visitor: ValueVisitor) {
    this.#visitor = visitor;
  }

  /** Of the pack that the cursor stands before. */
  readPack(key: Id): void {
    const [live, deleted, fieldCount] = [this.#number(), this.#number(), this.#number()];
    this.#fields = [];
    for (let left = fieldCount; left > 0n; left--) this.#fields.push(this.#copy());
    require(fieldCount >= 0n && this.#number() === 0n, "a node of another form");
    let [liveFound, deletedFound] = [0n, 0n];
    while (pack.next()) {
      if (this.#readEntry(key, pack.int64())) liveFound++;
      else deletedFound++;
    }
    require(live === liveFound && deleted === deletedFound, "another number of entries");
  }

  /** False: it is deleted. */
  #readEntry(key: Id, flags: bigint): boolean {
    require((flags & ~(IS_DELETED | HAS_SAME_FIELDS)) === 0n, "flags that are none");
    const ms = ((key >> 64n) + this.#number()) & MASK;
    const sequence = ((key & MASK) + this.#number()) & MASK;
    const isSame = (flags & HAS_SAME_FIELDS) !== 0n;
    const isDeleted = (flags & IS_DELETED) !== 0n;
    const count = isSame ? BigInt(this.#fields.length) : this.#number();
    if (!isDeleted) this.#tellHead(ms, sequence, count);
    for (let i = 0; i < count; i++) {
      if (!isSame) this.#tell(isDeleted);
      else if (!isDeleted) this.#visitor.string(this.#fields[i], 0, this.#fields[i].length);
      this.#tell(isDeleted);
    }
    require(count >= 0n, "an entry with such a number of fields");
    const items = isSame ? 3n + count : 4n + 2n * count;
    require(this.#number() === items, "an entry of another length");
    if (!isDeleted) this.#visitor.endElement();
    return !isDeleted;
  }

  #tellHead(ms: bigint, sequence: bigint, count: bigint): void {
    const id = (ms << 64n) | sequence;
    require(id > this.last && id > 0n, "entries that are not in order");
    require(count > 0n && count <= MOST_FIELDS, "an entry with such a number of fields");
    this.last = id;
    this.count++;
    this.#item.writeBigUInt64LE(ms, 1);
    this.#item.writeBigUInt64LE(sequence, 9);
    this.#item.writeUInt32LE(Number(count), 17);
    this.#visitor.string(this.#item, 0, ENTRY_ITEM_BYTES);
  }

  #next(): void {
    require(pack.next(), "a node that is cut");
  }

  #tell(isDeleted: boolean): void {
    this.#next();
    if (!isDeleted) pack.tell(this.#visitor);
  }

  #number(): bigint {
    this.#next();
    return pack.int64();
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
