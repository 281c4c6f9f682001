/**
 * The types of values in an RDB, as redis-server's rdb.h has them: of each of Redis's types there are several, by the way in
 * which the server that wrote it kept the value. All but modules are read; those of which the comment says so are written.
 */

/** A DUMP of Redis 7.0 says that it has this version of RDB, and takes none above it. */
export const RDB_VERSION = 10;
/** Of Redis 7.4: what has deadlines at the fields of a hash. Also the last one that is read here. */
export const RDB_VERSION_TIMED = 12;

/** Written. */
export const RDB_STRING = 0;
/** Written: every Redis reads it, and keeps the list as it would keep any. The same holds for those below. */
export const RDB_LIST = 1;
/** Written. */
export const RDB_SET = 2;
/** Scores as text. */
export const RDB_ZSET = 3;
/** Written. */
export const RDB_HASH = 4;
/** Written: scores as doubles. */
export const RDB_ZSET_2 = 5;
export const RDB_HASH_ZIPMAP = 9;
export const RDB_LIST_ZIPLIST = 10;
export const RDB_SET_INTSET = 11;
export const RDB_ZSET_ZIPLIST = 12;
export const RDB_HASH_ZIPLIST = 13;
export const RDB_LIST_QUICKLIST = 14;
/** Without what 7.0 added: the first ID, the greatest deleted one, how many entries there ever were. */
export const RDB_STREAM = 15;
export const RDB_HASH_LISTPACK = 16;
export const RDB_ZSET_LISTPACK = 17;
export const RDB_LIST_QUICKLIST_2 = 18;
/** Written. */
export const RDB_STREAM_2 = 19;
export const RDB_SET_LISTPACK = 20;
/** With the time when a consumer was active last. */
export const RDB_STREAM_3 = 21;
/** Written: fields with deadlines. */
export const RDB_HASH_TIMED = 24;
export const RDB_HASH_LISTPACK_TIMED = 25;

/** Nodes of RDB_LIST_QUICKLIST_2. */
export const NODE_PLAIN = 1;
export const NODE_PACKED = 2;

/** Values of modules: the first of before Redis 4.0 was done. Not read. */
export const RDB_MODULE = 6;
export const RDB_MODULE_2 = 7;

// ---- what may stand instead of a type (rdb-file.ts draws each) ----

export const RDB_SLOT_INFO = 244;
export const RDB_FUNCTION = 245;
/** Of a preview of Redis 7.0. */
export const RDB_FUNCTION_PREVIEW = 246;
export const RDB_MODULE_AUX = 247;
export const RDB_IDLE = 248;
export const RDB_FREQUENCY = 249;
/** A note, which readers skip that do not know it: two strings follow. */
export const RDB_AUX = 250;
export const RDB_SIZES = 251;
export const RDB_EXPIRES_MS = 252;
export const RDB_EXPIRES_S = 253;
export const RDB_DATABASE = 254;
export const RDB_END = 255;
