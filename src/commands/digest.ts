/**
 * DEBUG DIGEST: one number for all data, by the algorithm of redis-server 7.0 (debug.c, computeDatasetDigest), so that
 * both servers answer the same for the same data. The order of keys does not matter: each key gets a digest of its own,
 * and those are combined by XOR. Deadlines count only as being there.
 *
 *   xor(d, bytes)   d ^= SHA1(bytes)
 *   mix(d, bytes)   xor(d, bytes), then d = SHA1(d): order matters
 *
 *   whole   20 zero bytes; for each database that is not empty: mix(its index), then xor(digest of each key)
 *   key     20 zero bytes; mix(key), mix(type), mix(value), and xor("!!expire!!") if it has a deadline
 *
 *   list          mix(each element)
 *   set           xor(each member)
 *   sorted set    for each: 20 zero bytes; mix(member), mix(score as "%.17g"); then xor of those
 *   hash          for each: 20 zero bytes; mix(field), mix(value); then xor of those
 *
 * Indexes and types are 32 bits, big endian. A JSON document counts as its type's number and its text. A field's deadline
 * counts as in Redis 7.4: xor("!!hexpire!!") into the field's 20 bytes.
 *
 * Bun.SHA1.hash takes 71 ns for 20 bytes; node:crypto's hash 173 ns, a reused Bun.CryptoHasher 194 ns, plain
 * JavaScript 312 ns.
 */
import { CHUNK_SHIFT, type ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { eachStoredEntry } from "../store/database-walk.ts";
import { ElementReader } from "../store/element-reader.ts";
import {
  FLAG_DEADLINE,
  flagsOf,
  isText,
  keyAt,
  keySize,
  LIST,
  SET,
  STREAM,
  typeOf,
  valueAt,
  valueWord,
  ZSET,
} from "../store/entry.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { formatDouble } from "../store/number-text.ts";
import { contentAt, lengthAt } from "../store/packed-run.ts";
import { StreamId } from "../store/stream-id.ts";

const SIZE = 20;
const EXPIRES = Buffer.from("!!expire!!");
const FIELD_EXPIRES = Buffer.from("!!hexpire!!");

/** A digest in the making. */
export class Digest {
  readonly #bytes = Buffer.alloc(SIZE);
  readonly #hash = Buffer.alloc(SIZE);
  readonly #number = Buffer.alloc(4);

  clear(): void {
    this.#bytes.fill(0);
  }

  xor(part: Uint8Array): void {
    Bun.SHA1.hash(part, this.#hash);
    for (let i = 0; i < SIZE; i++) this.#bytes[i] ^= this.#hash[i];
  }

  mix(part: Uint8Array): void {
    this.xor(part);
    Bun.SHA1.hash(this.#bytes, this.#hash);
    this.#hash.copy(this.#bytes);
  }

  mixNumber(value: number): void {
    this.#number.writeUInt32BE(value);
    this.mix(this.#number);
  }

  xorDigest(other: Digest): void {
    this.xor(other.#bytes);
  }

  get hex(): string {
    return this.#bytes.toString("hex");
  }
}

/** The digest of all databases. */
export function keyspaceDigest(keyspace: Keyspace): string {
  const whole = new Digest();
  const own = new Digest();
  for (const database of keyspace.databases) {
    if (database.size === 0) continue;
    whole.mixNumber(database.index);
    eachStoredEntry(database, (entry) => {
      own.clear();
      mixKey(own, database, entry);
      mixValue(own, database, entry);
      whole.xorDigest(own);
    });
  }
  return whole.hex;
}

/** The digest of one value, without its key; 40 zeros when there is none. */
export function valueDigest(database: Database, entry: number): string {
  const digest = new Digest();
  if (entry !== 0) mixValue(digest, database, entry);
  return digest.hex;
}

function mixKey(digest: Digest, database: Database, entry: number): void {
  const { arena } = database;
  const at = keyAt(arena, entry);
  digest.mix(slice(arena.bytes[entry >>> CHUNK_SHIFT], at, keySize(arena, entry)));
}

function mixValue(digest: Digest, database: Database, entry: number): void {
  const { arena } = database;
  const type = typeOf(arena, entry);
  digest.mixNumber(type);
  if (isText(type)) {
    const at = valueAt(arena, entry);
    digest.mix(slice(arena.bytes[entry >>> CHUNK_SHIFT], at, valueWord(arena, entry)));
  } else if (type === STREAM) mixStream(digest, database, entry);
  else mixElements(digest, database, entry, type);
  if ((flagsOf(arena, entry) & FLAG_DEADLINE) !== 0) digest.xor(EXPIRES);
}

const reader = new ElementReader();
const pair = new Digest();

function mixElements(digest: Digest, database: Database, entry: number, type: number): void {
  reader.begin(database.keyspace.collections.types, database.arena, entry);
  while (reader.next()) {
    const { bytes, start, end } = reader;
    const element = slice(bytes, start, end - start);
    if (type === LIST) digest.mix(element);
    else if (type === SET) digest.xor(element);
    else {
      pair.clear();
      pair.mix(element);
      mixPartner(type);
      digest.xorDigest(pair);
    }
  }
}

/** What belongs to the member or the field that the reader is at. */
function mixPartner(type: number): void {
  if (type === ZSET) {
    pair.mix(Buffer.from(formatDouble(reader.number)));
    return;
  }
  pair.mix(slice(reader.bytes, reader.valueStart, reader.valueEnd - reader.valueStart));
  if (reader.number !== 0) pair.xor(FIELD_EXPIRES);
}

const LEAST = new StreamId();
const GREATEST = new StreamId().setGreatest();

/** Only the entries count, not the groups: Redis's way. */
function mixStream(digest: Digest, database: Database, entry: number): void {
  const { cursor } = database.keyspace.collections.streams;
  cursor.begin(valueWord(database.arena, entry), LEAST, GREATEST, false);
  while (cursor.next()) {
    cursor.open();
    const found = cursor.entry;
    digest.mix(Buffer.from(found.id.toString().replace("-", ".")));
    for (let left = found.fieldCount; left > 0; left--) {
      digest.mix(stringAt(found.bytes, found.fieldAt));
      digest.mix(stringAt(found.bytes, found.valueAt));
      if (left > 1) found.nextPair();
    }
  }
}

function stringAt(bytes: ReadonlyBytes, at: number): Uint8Array {
  return slice(bytes, contentAt(bytes, at), lengthAt(bytes, at));
}

/** A view: SHA-1 reads it at once, nothing keeps it. */
function slice(bytes: ReadonlyBytes, at: number, size: number): Uint8Array {
  return (bytes as Buffer).subarray(at, at + size);
}
