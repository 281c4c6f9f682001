/**
 * Writes a stream as redis-server 7.0 does (RDB_STREAM_2): its entries in listpacks of a hundred, by ID, then its state, then
 * its groups. IDs that are keys there have 16 bytes, big endian.
 *
 *   count · (ID, listpack)* · entries · last ID · first ID · greatest deleted ID · entries ever
 *   groups · (name · last ID · entries read · pending · (ID, i64 when, count)* · consumers · (name, i64 seen, pending, ID*)*)*
 *
 *   listpack   entries · deleted · fields · field* · 0 · entry*
 *   entry      flags · ms and sequence above those of the key · [fields · (field, value)* or value*] · items before this one
 *
 * It takes the stream item by item (stream-elements.ts), in the order in which streams are kept, so that one of any length
 * passes; only its groups gather, whose number stands in front of them.
 */
import {
  STREAM_CONSUMER,
  STREAM_ENTRY,
  STREAM_GROUP,
  STREAM_HEAD,
  type StreamReader,
} from "../store/stream-reader.ts";
import { ListpackWriter } from "./listpack-writer.ts";
import { RdbOutput } from "./rdb-output.ts";

/** Redis's own limit of a node, by default. */
const ENTRIES_PER_PACK = 100;
const SAME_FIELDS = 2n;

interface Id {
  readonly ms: bigint;
  readonly sequence: bigint;
}

const NO_ID: Id = { ms: 0n, sequence: 0n };

function idAt(reader: StreamReader, offset: number): Id {
  return { ms: reader.milliseconds(offset), sequence: reader.sequence(offset) };
}

function key({ ms, sequence }: Id): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(ms);
  bytes.writeBigUInt64BE(sequence, 8);
  return bytes;
}

export class StreamEncoder {
  readonly #output: RdbOutput;
  readonly #packs: EntryPacks;
  readonly #groups = new StreamGroups();
  #entryCount = 0;
  /** Entries that are still to come. */
  #left = 0;
  #last = NO_ID;
  #first = NO_ID;
  #deleted = NO_ID;
  #added = 0;

  constructor(output: RdbOutput) {
    this.#output = output;
    this.#packs = new EntryPacks(output);
  }

  /** The items of a stream with so many entries follow. */
  begin(entryCount: number): void {
    this.#output.length(Math.ceil(entryCount / ENTRIES_PER_PACK));
    this.#entryCount = entryCount;
    this.#left = entryCount;
    this.#first = NO_ID;
    this.#groups.clear();
  }

  /** The item that the reader is at, and the strings that belong to it. */
  add(reader: StreamReader): void {
    if (reader.tag === STREAM_HEAD) {
      this.#last = idAt(reader, 0);
      this.#deleted = idAt(reader, 16);
      this.#added = reader.double(32);
    } else if (reader.tag === STREAM_ENTRY) {
      if (this.#left === this.#entryCount) this.#first = idAt(reader, 0);
      this.#packs.add(reader, this.#left--);
    } else this.#groups.add(reader);
  }

  /** Entries that were announced and have not come. */
  get missing(): number {
    return this.#left;
  }

  /** Writes what stands behind the entries, and in front of the groups; answers the groups, which are still to be written. */
  end(): RdbOutput {
    const output = this.#output;
    output.length(this.#entryCount);
    for (const { ms, sequence } of [this.#last, this.#first, this.#deleted]) {
      output.length64(ms);
      output.length64(sequence);
    }
    output.length(this.#added);
    this.#groups.end();
    output.length(this.#groups.count);
    return this.#groups.output;
  }
}

/** Entries on their way into listpacks. */
class EntryPacks {
  readonly #output: RdbOutput;
  readonly #pack = new ListpackWriter();
  #master: Id = NO_ID;
  #fields: Buffer[] = [];
  #left = 0;

  constructor(output: RdbOutput) {
    this.#output = output;
  }

  /** The entry that the reader is at, when `left` are left with it. */
  add(reader: StreamReader, left: number): void {
    const id = idAt(reader, 0);
    const texts = Array.from({ length: 2 * reader.uint32(16) }, () => {
      reader.string();
      return Buffer.from(reader.bytes.subarray(reader.start, reader.end));
    });
    if (this.#left === 0) this.#begin(id, texts, Math.min(left, ENTRIES_PER_PACK));
    this.#addEntry(id, texts);
    if (--this.#left > 0) return;
    this.#pack.seal();
    this.#output.string(key(this.#master), 0, 16);
    this.#output.string(this.#pack.bytes, 0, this.#pack.end);
  }

  #begin(id: Id, texts: readonly Buffer[], count: number): void {
    const pack = this.#pack;
    this.#master = id;
    this.#fields = texts.filter((_, index) => index % 2 === 0);
    this.#left = count;
    pack.clear();
    for (const number of [count, 0, this.#fields.length]) pack.integer(BigInt(number));
    for (const field of this.#fields) pack.string(field, 0, field.length);
    pack.integer(0n);
  }

  #addEntry(id: Id, texts: readonly Buffer[]): void {
    const pack = this.#pack;
    const fields = this.#fields;
    const count = texts.length / 2;
    const isSame =
      fields.length === count && fields.every((field, i) => field.equals(texts[2 * i]));
    pack.integer(isSame ? SAME_FIELDS : 0n);
    pack.integer(BigInt.asIntN(64, id.ms - this.#master.ms));
    pack.integer(BigInt.asIntN(64, id.sequence - this.#master.sequence));
    if (!isSame) pack.integer(BigInt(count));
    for (const [index, text] of texts.entries()) {
      if (!isSame || index % 2 === 1) pack.string(text, 0, text.length);
    }
    pack.integer(BigInt(isSame ? count + 3 : 2 * count + 4));
  }
}

/** The pending entries of a consumer, by ID. */
interface Consumer {
  readonly name: Buffer;
  readonly seenMs: number;
  readonly ids: RdbOutput;
  count: number;
}

/** Groups as they will be written. */
class StreamGroups {
  readonly output = new RdbOutput();
  count = 0;
  /** Of the group in hand: what is pending, and who has it. */
  readonly #pending = new RdbOutput();
  #pendingCount = 0;
  #consumers: Consumer[] = [];

  clear(): void {
    this.output.end = 0;
    this.count = 0;
  }

  add(reader: StreamReader): void {
    if (reader.tag === STREAM_GROUP) this.#begin(reader);
    else if (reader.tag === STREAM_CONSUMER) this.#addConsumer(reader);
    else this.#addPending(reader);
  }

  #begin(reader: StreamReader): void {
    this.end();
    const { output } = this;
    const { ms, sequence } = idAt(reader, 0);
    const entriesRead = reader.double(16);
    reader.string();
    output.string(reader.bytes, reader.start, reader.end);
    output.length64(ms);
    output.length64(sequence);
    output.length64(BigInt.asUintN(64, BigInt(entriesRead)));
    this.count++;
    this.#consumers = [];
    this.#pending.end = 0;
    this.#pendingCount = 0;
  }

  #addConsumer(reader: StreamReader): void {
    const seenMs = reader.double(0);
    reader.string();
    const name = Buffer.from(reader.bytes.subarray(reader.start, reader.end));
    this.#consumers.push({ name, seenMs, ids: new RdbOutput(), count: 0 });
  }

  #addPending(reader: StreamReader): void {
    const id = key(idAt(reader, 0));
    const owner = this.#consumers[reader.uint32(16)];
    owner.ids.raw(id);
    owner.count++;
    this.#pending.raw(id);
    this.#pending.moment(reader.double(20));
    this.#pending.length(reader.double(28));
    this.#pendingCount++;
  }

  /** Ends the group in hand, if there is one. */
  end(): void {
    if (this.count === 0) return;
    const { output } = this;
    output.length(this.#pendingCount);
    output.append(this.#pending);
    output.length(this.#consumers.length);
    for (const { name, seenMs, count, ids } of this.#consumers) {
      output.string(name, 0, name.length);
      output.moment(seenMs);
      output.length(count);
      output.append(ids);
    }
  }
}
