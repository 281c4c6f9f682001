/**
 * One entry of the keyspace: the key and, inline, a string, a JSON text or a packed run of elements; or the address of a
 * big structure (structure.ts).
 *
 *   byte  0     key length; 255: long, then a 32-bit length stands where the key would be and the key follows it
 *   byte  1     type (low four bits) | encoding (high four bits)
 *   byte  2     flags: 1 a deadline stands between header and key, 2 mark of the expiry wheel's sweep, 4 a hash with a field
 *               that has a deadline, 8 mark of the sweep for the reminder of its fields
 *   byte  3     when it was used last, or how often: the low 8 of 24 bits (access-clock.ts)
 *   bytes 4-9   version: the revision of the entry's last change, little endian
 *   bytes 10-11 the high 16 of those 24 bits
 *   i3          string, JSON: length in bytes · packed run: bytes | elements << 20 · otherwise the structure's address
 *  [d2          deadline in ms since 1970, when flag 1 is set]
 *   then        key, value, without padding in between
 *
 *   Example: key "k", string "hi", version 7, no deadline: 3 units
 *   01 00 00 00  07 00 00 00  00 00 00 00  02 00 00 00  6b 68 69 …
 *
 * The first three bytes are what the dictionary reads (key length, deadline flag); change it there too.
 */
import type { EntryType } from "../plugin.ts";
import { type Arena, CHUNK_SHIFT, copyBytes, UNIT_MASK } from "./arena.ts";

export const HEADER_BYTES = 16;
export const DEADLINE_BYTES = 8;
export const LONG_KEY = 255;

/** Types as stored: Redis's own numbers (DEBUG DIGEST needs them), a document being a module's type there. */
export const STRING = 0;
export const LIST = 1;
export const SET = 2;
export const ZSET = 3;
export const HASH = 4;
export const JSON_TEXT = 5;
export const STREAM = 6;
/** No entry's type: what the contents of an index are, where structures of all types are freed. */
export const INDEX_TREE = 15;
/** Redis's answers to TYPE, by type. */
export const TYPE_NAMES = ["string", "list", "set", "zset", "hash", "ReJSON-RL", "stream"] as const;

/** The same for who is outside (plugin.ts), by type. */
export const ENTRY_TYPES: readonly EntryType[] = [
  "string",
  "list",
  "set",
  "zset",
  "hash",
  "json",
  "stream",
];

/**
 * Encoding nibble of a string, for OBJECT ENCODING: the content says which (int, embstr, raw); raw because it was edited
 * in place; never int because it is the result of INCRBYFLOAT.
 */
export const PLAIN = 0;
export const RAW = 1;
export const FLOAT = 2;

/**
 * Encoding nibble of a collection. PACKED: the run is inline (packed-run.ts); STRUCTURE: the word is the structure's
 * address; TIMED: a packed run of a hash with a deadline at each field; INTEGERS: a packed set of integers.
 */
export const PACKED = 0;
export const STRUCTURE = 1;
export const TIMED = 2;
export const INTEGERS = 3;
/** What the word of an entry can say of a packed run. */
export const MAX_RUN_BYTES = 0xfffff;
export const MAX_RUN_COUNT = 0xfff;

export const FLAG_DEADLINE = 1;
export const FLAG_SWEPT = 2;
export const FLAG_FIELDS = 4;
export const FLAG_FIELDS_SWEPT = 8;

/** Types whose value is text, inline and whole: their word is its length. */
export function isText(type: number): boolean {
  return type === STRING || type === JSON_TEXT;
}

/** Type and encoding, as `Database.put` takes them. */
export function kindOf(arena: Arena, entry: number): number {
  return arena.bytes[entry >>> CHUNK_SHIFT][((entry & UNIT_MASK) << 3) + 1];
}

/** Whether the value is a structure of its own, outside the entry. */
export function hasStructure(kind: number): boolean {
  return kind >>> 4 === STRUCTURE && !isText(kind & 15);
}

export function runWord(bytes: number, count: number): number {
  return bytes | (count << 20);
}

export function runBytes(word: number): number {
  return word & MAX_RUN_BYTES;
}

/** Elements of the run; of a hash its fields, of a sorted set its members. */
export function runCount(word: number): number {
  return word >>> 20;
}

export function typeOf(arena: Arena, entry: number): number {
  return arena.bytes[entry >>> CHUNK_SHIFT][((entry & UNIT_MASK) << 3) + 1] & 15;
}

export function encodingOf(arena: Arena, entry: number): number {
  return arena.bytes[entry >>> CHUNK_SHIFT][((entry & UNIT_MASK) << 3) + 1] >>> 4;
}

export function flagsOf(arena: Arena, entry: number): number {
  return arena.bytes[entry >>> CHUNK_SHIFT][((entry & UNIT_MASK) << 3) + 2];
}

/** The length of an inline value, or the address of a structure. */
export function valueWord(arena: Arena, entry: number): number {
  return arena.ints[entry >>> CHUNK_SHIFT][((entry & UNIT_MASK) << 1) + 3];
}

/** The revision of the last change. */
export function versionOf(arena: Arena, entry: number): number {
  const ints = arena.ints[entry >>> CHUNK_SHIFT];
  const at = (entry & UNIT_MASK) << 1;
  return (ints[at + 2] & 0xffff) * 2 ** 32 + (ints[at + 1] >>> 0);
}

/** The 24 bits of its last use (access-clock.ts), from two words of the header. */
export function clockIn(first: number, third: number): number {
  return (first >>> 24) | ((third >>> 16) << 8);
}

export function clockOf(arena: Arena, entry: number): number {
  const ints = arena.ints[entry >>> CHUNK_SHIFT];
  const at = (entry & UNIT_MASK) << 1;
  return clockIn(ints[at], ints[at + 2]);
}

export function setClock(arena: Arena, entry: number, bits: number): void {
  const ints = arena.editInts(entry, HEADER_BYTES >> 3);
  const at = (entry & UNIT_MASK) << 1;
  ints[at] = (ints[at] & 0xffffff) | (bits << 24);
  ints[at + 2] = (ints[at + 2] & 0xffff) | ((bits >>> 8) << 16);
}

/** Milliseconds since 1970, or 0 when the entry does not expire. */
export function deadlineOf(arena: Arena, entry: number): number {
  if ((flagsOf(arena, entry) & FLAG_DEADLINE) === 0) return 0;
  return arena.doubles[entry >>> CHUNK_SHIFT][(entry & UNIT_MASK) + 2];
}

export function keySize(arena: Arena, entry: number): number {
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT];
  const at = (entry & UNIT_MASK) << 3;
  if (bytes[at] !== LONG_KEY) return bytes[at];
  return arena.ints[entry >>> CHUNK_SHIFT][(at + keyField(bytes[at + 2])) >> 2];
}

/** Offset of the key (or of its long length) from the entry's first byte. */
function keyField(flags: number): number {
  return (flags & FLAG_DEADLINE) === 0 ? HEADER_BYTES : HEADER_BYTES + DEADLINE_BYTES;
}

/** Offset of the key's first byte within the chunk of the entry. */
export function keyAt(arena: Arena, entry: number): number {
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT];
  const at = (entry & UNIT_MASK) << 3;
  return at + keyField(bytes[at + 2]) + (bytes[at] === LONG_KEY ? 4 : 0);
}

/** The key, as bytes of their own. */
export function keyCopy(arena: Arena, entry: number): Buffer {
  const from = keyAt(arena, entry);
  const key = Buffer.allocUnsafe(keySize(arena, entry));
  copyBytes(arena.bytes[entry >>> CHUNK_SHIFT], from, key, 0, key.length);
  return key;
}

/** Offset of the value's first byte within the chunk of the entry. */
export function valueAt(arena: Arena, entry: number): number {
  return keyAt(arena, entry) + keySize(arena, entry);
}

/** Bytes before the value of an entry with such a key. */
export function bytesBeforeValue(keyBytes: number, hasDeadline: boolean): number {
  return (
    HEADER_BYTES + (hasDeadline ? DEADLINE_BYTES : 0) + (keyBytes >= LONG_KEY ? 4 : 0) + keyBytes
  );
}

/** Bytes of the value that are inline: it has the whole of a string or a document, and a packed run. */
export function inlineSize(arena: Arena, entry: number): number {
  const ints = arena.ints[entry >>> CHUNK_SHIFT];
  const at = (entry & UNIT_MASK) << 1;
  const kind = (ints[at] >>> 8) & 255;
  if (isText(kind & 15)) return ints[at + 3];
  return kind >>> 4 === STRUCTURE ? 0 : runBytes(ints[at + 3]);
}

/** Units that the entry was allocated with. */
export function entryUnits(arena: Arena, entry: number): number {
  const before = bytesBeforeValue(
    keySize(arena, entry),
    (flagsOf(arena, entry) & FLAG_DEADLINE) !== 0,
  );
  return (before + inlineSize(arena, entry) + 7) >>> 3;
}
