/**
 * The record of one database in the arena: 8 units, in a table in chunk 0 (keyspace.ts), or in a grave once flushed.
 *
 *   i0-3  root of its dictionary (dictionary.ts)    i4 entries with a deadline    i5 expiry wheel, 0: none yet
 *   i6    next grave                                i7 kind of the grave (graves.ts)
 *   d4    units in use by the database: the arena counts what is allocated on its account
 *   i10   hashes with a field that has a deadline    i11 definitions of indexes, 0: none (index-definitions.ts)
 *   d6    sum of the deadlines of entries in ms since 1970, as exact as a double is, for INFO    d7  free
 */
export const RECORD_UNITS = 8;
export const I_EXPIRES = 4;
export const I_WHEEL = 5;
export const I_NEXT_GRAVE = 6;
export const I_GRAVE_KIND = 7;
export const D_ACCOUNT = 4;
export const D_DEADLINES = 6;
export const I_TIMED_HASHES = 10;
export const I_DEFINITIONS = 11;
