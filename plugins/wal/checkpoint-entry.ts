/**
 * An entry of a checkpoint as bytes: small in front of short values, and decoded without making an
 * object. All integers are little endian; a varint has seven bits a byte, the lowest first, and the
 * top bit set in all bytes but its last.
 *
 *   u8       type (low four bits: 1 string, 2 JSON document, 3 list, 4 set, 5 sorted set, 6 hash,
 *            7 stream, 8 index) | 16: it has a deadline | 32: its database is not 0
 *            | 64: further elements follow, in the next entry | 128: the hash's fields have deadlines
 *  [u16      database]
 *   varint   length of the key in bytes
 *   varint   length of the value in bytes
 *   u48      revision of its last change
 *  [f64      deadline in milliseconds since 1970]
 *   bytes    key, then value: the string, the document's text, or elements as src/plugin.ts draws
 *            them at StoredEntry; of an index its name, then its definition, a JSON object
 *
 * Example: key "k" with the string "hi" in database 0, last changed by revision 7, without a
 * deadline:
 *   01 01 02 070000000000 6b 6869
 */
import { type EntryType, KvdbError, type StoredEntry } from "kvdb";
import { newStoredEntry } from "kvdb/persistence";

type Bytes = StoredEntry["keyBytes"];

/** Type, database, two varints of at most five bytes, version, deadline. */
export const MAX_FRONT_BYTES = 1 + 2 + 5 + 5 + 6 + 8;

/** A key and a value of 512 MiB each: no writer makes more. */
export const MAX_ENTRY_BYTES = MAX_FRONT_BYTES + 2 ** 30;

const TYPE_BITS = 15;
const HAS_DEADLINE = 16;
const HAS_DATABASE = 32;
const IS_CONTINUED = 64;
const IS_TIMED = 128;

const TYPE_OF: readonly (EntryType | undefined)[] = [
  undefined,
  "string",
  "json",
  "list",
  "set",
  "zset",
  "hash",
  "stream",
  "index",
];
const CODE_OF = Object.fromEntries(TYPE_OF.map((type, code) => [type, code])) as Record<
  EntryType,
  number
>;

const TWO_32 = 2 ** 32;
/** Up to this length a loop is faster than a call. */
const SHORT_BYTES = 64;

/** Length of what `encodeEntry` writes, at most. */
export function entryBound(entry: Readonly<StoredEntry>): number {
  return MAX_FRONT_BYTES + entry.keyEnd - entry.keyStart + entry.valueEnd - entry.valueStart;
}

/** Writes all but key and value at `at`; answers where it ended. */
export function encodeFront(target: Buffer, at: number, entry: Readonly<StoredEntry>): number {
  const { type, database, deadlineMs, version } = entry;
  let flags = (deadlineMs > 0 ? HAS_DEADLINE : 0) | (database > 0 ? HAS_DATABASE : 0);
  if (entry.isContinued) flags |= IS_CONTINUED;
  if (entry.isTimed) flags |= IS_TIMED;
  target[at++] = CODE_OF[type] | flags;
  if (database > 0) at = target.writeUInt16LE(database, at);
  at = writeVarint(target, at, entry.keyEnd - entry.keyStart);
  at = writeVarint(target, at, entry.valueEnd - entry.valueStart);
  at = target.writeUIntLE(version, at, 6);
  return deadlineMs > 0 ? target.writeDoubleLE(deadlineMs, at) : at;
}

/** Writes an entry at `at`, where `entryBound` says that there is room; answers where it ended. */
export function encodeEntry(target: Buffer, at: number, entry: Readonly<StoredEntry>): number {
  at = encodeFront(target, at, entry);
  at = copy(entry.keyBytes, entry.keyStart, entry.keyEnd, target, at);
  return copy(entry.valueBytes, entry.valueStart, entry.valueEnd, target, at);
}

/** Reads one entry after the other into the same object. */
export class EntryDecoder {
  readonly entry = newStoredEntry();
  /** Where the last varint ended. */
  #at = 0;

  /** Puts the entry at bytes[at, end) into `entry`; answers where it ends, -1 when it is none. */
  decode(bytes: Buffer, at: number, end: number): number {
    const { entry } = this;
    const valueEnd = this.decodeFront(bytes, at);
    // What lies behind the end of the block was read for a length or not: it is no entry then.
    if (!(valueEnd <= end)) return -1;
    entry.keyBytes = bytes;
    entry.valueBytes = bytes;
    return valueEnd;
  }

  /**
   * Puts all but the bytes of key and value into `entry`; answers where the value would end, NaN or
   * -1 when it is no entry.
   */
  decodeFront(bytes: Buffer, at: number): number {
    const { entry } = this;
    const first = bytes[at];
    const type = TYPE_OF[first & TYPE_BITS];
    if (type === undefined) return notAnEntry(first & TYPE_BITS);
    this.#at = at + 1;
    entry.type = type;
    entry.isContinued = (first & IS_CONTINUED) !== 0;
    entry.isTimed = (first & IS_TIMED) !== 0;
    entry.database = 0;
    if ((first & HAS_DATABASE) !== 0) {
      entry.database = bytes[this.#at] | (bytes[this.#at + 1] << 8);
      this.#at += 2;
    }
    const keyLength = this.#varint(bytes);
    const valueLength = this.#varint(bytes);
    entry.version = readUint48(bytes, this.#at);
    let start = this.#at + 6;
    entry.deadlineMs = 0;
    if ((first & HAS_DEADLINE) !== 0) {
      if (start + 8 > bytes.length) return -1;
      entry.deadlineMs = bytes.readDoubleLE(start);
      start += 8;
    }
    entry.keyStart = start;
    entry.keyEnd = start + keyLength;
    entry.valueStart = entry.keyEnd;
    entry.valueEnd = entry.keyEnd + valueLength;
    return entry.valueEnd;
  }

  #varint(bytes: Buffer): number {
    let byte = bytes[this.#at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let factor = 128; byte >= 128; factor *= 128) {
      byte = bytes[this.#at++];
      value += (byte & 127) * factor;
      if (factor > TWO_32) return Number.NaN;
    }
    return value;
  }
}

/** A later kvdb may know more types; none has the code 0. */
function notAnEntry(code: number): -1 {
  if (code === 0) return -1;
  throw new KvdbError("CONFIG", `an entry of type ${code}, which this kvdb does not know`);
}

function writeVarint(target: Buffer, at: number, value: number): number {
  while (value >= 128) {
    target[at++] = (value & 127) | 128;
    value = Math.floor(value / 128);
  }
  target[at] = value;
  return at + 1;
}

function readUint48(bytes: Buffer, at: number): number {
  const low = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
  return (low >>> 0) + (bytes[at + 4] | (bytes[at + 5] << 8)) * TWO_32;
}

function copy(from: Bytes, start: number, end: number, target: Buffer, at: number): number {
  if (end - start > SHORT_BYTES) return at + from.copy(target, at, start, end);
  while (start < end) target[at++] = from[start++];
  return at;
}
