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
 * Indexes and types are 32 bits, big endian. A JSON document counts as its type's number and its text.
 *
 * Bun.SHA1.hash takes 71 ns for 20 bytes; node:crypto's hash 173 ns, a reused Bun.CryptoHasher 194 ns, plain
 * JavaScript 312 ns.
 */
import { CHUNK_SHIFT, type ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import {
  FLAG_DEADLINE,
  flagsOf,
  keyAt,
  keySize,
  typeOf,
  valueAt,
  valueWord,
} from "../store/entry.ts";
import type { Keyspace } from "../store/keyspace.ts";

const SIZE = 20;
const EXPIRES = Buffer.from("!!expire!!");

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
    database.eachStored((entry) => {
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
  digest.mixNumber(typeOf(arena, entry));
  const at = valueAt(arena, entry);
  digest.mix(slice(arena.bytes[entry >>> CHUNK_SHIFT], at, valueWord(arena, entry)));
  if ((flagsOf(arena, entry) & FLAG_DEADLINE) !== 0) digest.xor(EXPIRES);
}

/** A view: SHA-1 reads it at once, nothing keeps it. */
function slice(bytes: ReadonlyBytes, at: number, size: number): Uint8Array {
  return (bytes as Buffer).subarray(at, at + size);
}
