/**
 * Reads a stream (stream-encoder.ts draws it) and tells of it in the items of stream-elements.ts: its entries, its head, its
 * groups. What is not in order, or names what is not there, is RdbDamage.
 */
import { STREAM } from "../store/entry.ts";
import { eachOfListpack } from "./listpack.ts";
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

export function decodeStream(input: RdbInput, visitor: ValueVisitor, version: Version): void {
  visitor.begin(STREAM, false);
  const entries = new EntryReader(visitor);
  for (let left = input.length(); left > 0; left--) {
    const key = keyIn(input.string());
    entries.readPack(key, input.string());
  }
  const count = input.length();
  const last = idOf(input);
  if (version > 1) idOf(input); // the first one's, which the entries tell
  const deleted = version > 1 ? idOf(input) : 0n;
  const added = version > 1 ? input.length() : count;
  require(count === entries.count && entries.last <= last && added >= count, "counts that differ");
  visitor.streamHead(item("S", idBytes(last), idBytes(deleted), double(added)));
  let before: Buffer | undefined;
  for (let left = input.length(); left > 0; left--) {
    before = readGroup(input, visitor, { version, before });
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
  #spans: Span[] = [];
  #at = 0;

  constructor(visitor: ValueVisitor) {
    this.#visitor = visitor;
  }

  readPack(key: Id, pack: Span): void {
    this.#spans = [];
    this.#at = 0;
    eachOfListpack(pack, (entry) => this.#spans.push(entry));
    const [live, deleted, fieldCount] = [this.#number(), this.#number(), this.#number()];
    const fields = Array.from({ length: this.#fitting(fieldCount) }, () => this.#next());
    require(this.#number() === 0n, "a node of another form");
    let [liveFound, deletedFound] = [0n, 0n];
    while (this.#at < this.#spans.length) {
      if (this.#readEntry(key, fields)) liveFound++;
      else deletedFound++;
    }
    require(live === liveFound && deleted === deletedFound, "another number of entries");
  }

  /** False: it is deleted. */
  #readEntry(key: Id, fields: readonly Span[]): boolean {
    const begin = this.#at;
    const flags = this.#number();
    require((flags & ~(IS_DELETED | HAS_SAME_FIELDS)) === 0n, "flags that are none");
    const ms = ((key >> 64n) + this.#number()) & MASK;
    const id = (ms << 64n) | (((key & MASK) + this.#number()) & MASK);
    const isSame = (flags & HAS_SAME_FIELDS) !== 0n;
    const count = isSame ? fields.length : this.#fitting(this.#number());
    const strings: Span[] = [];
    for (let i = 0; i < count; i++) strings.push(isSame ? fields[i] : this.#next(), this.#next());
    require(this.#number() === BigInt(this.#at - 1 - begin), "an entry of another length");
    if ((flags & IS_DELETED) !== 0n) return false;
    require(id > this.last && id > 0n && count > 0, "entries that are not in order");
    this.last = id;
    this.count++;
    this.#visitor.element(item("E", idBytes(id), uint32(count)));
    for (const string of strings) this.#visitor.element(string);
    return true;
  }

  #next(): Span {
    const span = this.#spans[this.#at++];
    if (span === undefined) throw new RdbDamage("a stream has a node that is cut");
    return span;
  }

  #number(): bigint {
    const { bytes, start, end } = this.#next();
    const text = end - start > 20 ? "" : bytes.toString("latin1", start, end);
    require(/^-?\d+$/.test(text), "text where a number stands");
    return BigInt(text);
  }

  /** A count of what is still to come. */
  #fitting(count: bigint): number {
    require(count >= 0n && count <= BigInt(this.#spans.length - this.#at), "too many fields");
    return Number(count);
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
  visitor.element(item("G", idBytes(last), double(read)));
  visitor.element(wholeOf(name));
  const pending = readPending(input);
  const owners = readConsumers(input, visitor, version);
  require(pending.size === owners.size, "pending entries that nobody has");
  for (const [id, { whenMs, count }] of pending) {
    const owner = owners.get(id);
    if (owner === undefined) throw new RdbDamage("a stream has pending entries that nobody has");
    const parts = [idBytes(id), uint32(owner), double(whenMs), double(count)];
    visitor.element(item("P", ...parts));
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
    visitor.element(item("C", double(seenMs)));
    visitor.element(wholeOf(name));
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

function item(tag: string, ...parts: readonly Buffer[]): Span {
  return wholeOf(Buffer.concat([Buffer.from(tag), ...parts]));
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
