/**
 * Writes a stream as redis-server 7.0 does (RDB_STREAM_2): its entries in listpacks of a hundred, by ID, then its state, then
 * its groups. IDs that are keys there have 16 bytes, big endian.
 *
 *   count · (ID, listpack)* · entries · last ID · first ID · greatest deleted ID · entries ever
 *   groups · (name · last ID · entries read · pending · (ID, i64 when, count)* · consumers · (name, i64 seen, pending, ID*)*)*
 *
 *   listpack   entries · deleted · fields · field* · 0 · entry*
 *   entry      flags · ms and sequence above those of the key · [fields · (field, value)* or value*] · items before this one
 */
import {
  STREAM_CONSUMER,
  STREAM_ENTRY,
  STREAM_GROUP,
  StreamReader,
} from "../store/stream-reader.ts";
import type { ValueTypes } from "../store/value-types.ts";
import { ListpackWriter } from "./listpack-writer.ts";
import type { RdbOutput } from "./rdb-output.ts";
import { RDB_STREAM_2 } from "./rdb-types.ts";

/** Redis's own limit of a node, by default. */
const ENTRIES_PER_PACK = 100;
const SAME_FIELDS = 2n;

export function encodeStream(types: ValueTypes, entry: number, output: RdbOutput): void {
  const reader = new StreamReader();
  const { entries, groups, first } = census(reader, types, entry);
  output.byte(RDB_STREAM_2);
  output.length(Math.ceil(entries / ENTRIES_PER_PACK));
  reader.begin(types, entry);
  reader.next(); // the head
  const [last, deleted, added] = [idAt(reader, 0), idAt(reader, 16), reader.double(32)];
  const packs = new EntryPacks(output);
  let hasNext = reader.next();
  for (let left = entries; left > 0; left--, hasNext = reader.next()) packs.add(reader, left);
  output.length(entries);
  for (const { ms, sequence } of [last, first, deleted]) {
    output.length64(ms);
    output.length64(sequence);
  }
  output.length(added);
  output.length(groups);
  while (hasNext) hasNext = writeGroup(reader, output);
}

interface Id {
  readonly ms: bigint;
  readonly sequence: bigint;
}

function idAt(reader: StreamReader, offset: number): Id {
  return { ms: reader.milliseconds(offset), sequence: reader.sequence(offset) };
}

function key({ ms, sequence }: Id): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64BE(ms);
  bytes.writeBigUInt64BE(sequence, 8);
  return bytes;
}

function census(reader: StreamReader, types: ValueTypes, entry: number) {
  let [entries, groups] = [0, 0];
  let first: Id = { ms: 0n, sequence: 0n };
  reader.begin(types, entry);
  while (reader.next()) {
    if (reader.tag === STREAM_ENTRY && entries++ === 0) first = idAt(reader, 0);
    if (reader.tag === STREAM_GROUP) groups++;
    reader.skipStrings();
  }
  return { entries, groups, first };
}

/** Entries on their way into listpacks. */
class EntryPacks {
  readonly #output: RdbOutput;
  readonly #pack = new ListpackWriter();
  #master: Id = { ms: 0n, sequence: 0n };
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

interface Consumer {
  readonly name: Buffer;
  readonly seenMs: number;
  readonly pending: Buffer[];
}

/** The group that the reader is at; false: none follows. */
function writeGroup(reader: StreamReader, output: RdbOutput): boolean {
  const { ms, sequence } = idAt(reader, 0);
  const entriesRead = reader.double(16);
  reader.string();
  output.string(reader.bytes, reader.start, reader.end);
  output.length64(ms);
  output.length64(sequence);
  output.length64(BigInt.asUintN(64, BigInt(entriesRead)));
  const consumers: Consumer[] = [];
  const pending: { id: Buffer; whenMs: number; count: number }[] = [];
  let hasNext = reader.next();
  for (; hasNext && reader.tag !== STREAM_GROUP; hasNext = reader.next()) {
    if (reader.tag === STREAM_CONSUMER) {
      const seenMs = reader.double(0);
      reader.string();
      const name = Buffer.from(reader.bytes.subarray(reader.start, reader.end));
      consumers.push({ name, seenMs, pending: [] });
      continue;
    }
    const id = key(idAt(reader, 0));
    consumers[reader.uint32(16)].pending.push(id);
    pending.push({ id, whenMs: reader.double(20), count: reader.double(28) });
  }
  output.length(pending.length);
  for (const { id, whenMs, count } of pending) {
    output.raw(id);
    output.moment(whenMs);
    output.length(count);
  }
  output.length(consumers.length);
  for (const consumer of consumers) {
    output.string(consumer.name, 0, consumer.name.length);
    output.moment(consumer.seenMs);
    output.length(consumer.pending.length);
    for (const id of consumer.pending) output.raw(id);
  }
  return hasNext;
}
