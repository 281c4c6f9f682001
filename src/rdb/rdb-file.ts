/**
 * A whole file of RDB, as redis-server has it, and what kvdb adds to it. rdb-input.ts draws lengths and strings; value-decoder.ts
 * reads the values. Integers are little endian.
 *
 *   "REDIS" version in 4 digits · part* · ff · u64 CRC-64 of all before it (from version 5 on; 0: none was made)
 *
 *   type string value          a key and its value (rdb-types.ts)
 *   fa string string           AUX: a note's name and what it says
 *   fe length                  the database of the keys that follow
 *   fb length length           how many keys it has, and how many with a deadline: a hint
 *   fc i64 · fd i32            the next key's deadline, in ms · in s since 1970
 *   f8 length · f9 u8          how long the next key was idle, in s · how often it was used: of no use here
 *   f5 string                  a library of functions
 *   f6 string string length [string] string      the same in previews of Redis 7.0
 *   f7 length64 …              what a module has kept, by the module's ID
 *   f4 length length length    a slot of a cluster and its sizes: hints
 *
 * What Redis has no word for stands in AUX fields, which Redis goes over and kvdb reads again:
 *
 *   kvdb-ver       the kvdb that wrote the file
 *   kvdb-revision  digits: everything up to this revision is in the file, nothing later; each entry gets it
 *   kvdb-index     behind the number of its database: the index's name, a space, its definition (a JSON object)
 *   kvdb-entry     before a key: "json" when the string that follows is the text of a document
 *   kvdb-fields    behind a hash, once or several times in a row: the deadlines of its fields, in the order in which they stand
 *                  there; for each field with one:
 *                    varint  fields without one between the field before that has one and this one
 *                    i64     its deadline in ms since 1970
 *
 * A varint has seven bits a byte, the lowest first, and the top bit set in all bytes but its last.
 *
 *   Example: the string "hi" under the key "k" in database 0, made by kvdb at revision 7, some notes left out:
 *   52 45 44 49 53 30 30 31 30   fa 0d "kvdb-revision" c0 07   fe 00  fb 01 00   00 01 6b 02 68 69   ff <crc>
 *
 *   Example: the hash a → 1, b → 2, of which b goes at 1000: 04 01 6b 02 01 61 c0 01 01 62 c0 02
 *                                                            fa 0b "kvdb-fields" 09 01 e8 03 00 00 00 00 00 00
 */

export const AUX_VERSION = "kvdb-ver";
export const AUX_REVISION = "kvdb-revision";
export const AUX_INDEX = "kvdb-index";
export const AUX_ENTRY = "kvdb-entry";
export const AUX_FIELDS = "kvdb-fields";
/** What AUX_ENTRY says of a document. */
export const ENTRY_DOCUMENT = "json";

export const MAGIC = "REDIS";
export const VERSION_DIGITS = 4;
/** The first version with a checksum at its end. */
export const CHECKSUM_SINCE = 5;
export const CHECKSUM_BYTES = 8;
/** Databases have numbers of 16 bits in kvdb; Redis itself has 16 of them unless told otherwise. */
export const MAX_DATABASE = 0xffff;
/** Revisions are exact up to here (plugin.ts). */
export const MAX_REVISION = 2 ** 48;
