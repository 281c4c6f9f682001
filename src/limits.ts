/** Limits with their reasons. Every queue and loop of kvdb has its bound here, so that a reader finds them together. */

/** Longest string value and longest bulk argument: Redis's proto-max-bulk-len, which clients rely on. */
export const MAX_BULK_BYTES = 512 * 1024 * 1024;

/** Most arguments of one command: Redis 7's limit for a multibulk header. What a client sends is bounded in bytes. */
export const MAX_ARGUMENTS = 2 ** 31 - 1;

/** Longest inline command and longest header line: Redis's PROTO_INLINE_MAX_SIZE. */
export const MAX_INLINE_BYTES = 64 * 1024;

/** Records not yet durable: beyond it, reading from clients pauses. A disk that stalls must not fill the memory. */
export const MAX_UNSYNCED_BYTES = 64 * 1024 * 1024;

/** Bytes that the commands called by one command may have put into its record before further writes are refused. */
export const MAX_JOINED_BYTES = 512 * 1024 * 1024;

/** Bytes of all arguments of a called command: what a client may send, since offsets into them have 31 bits. */
export const MAX_CALL_BYTES = 1024 * 1024 * 1024;

/** Commands of plugins that call one another, from the outermost in: beyond it, they call themselves without end. */
export const MAX_CALL_DEPTH = 16;

/** Pages of the arena as they were before a transaction that can be undone: beyond it, the transaction is undone. */
export const MAX_UNDO_BYTES = 64 * 1024 * 1024;

/** Databases a config may ask for; each costs 64 bytes when empty. */
export const MAX_DATABASES = 1024;

/** Largest deadline: exact in a double. Redis allows 2^63 ms, some 292 million years. */
export const MAX_DEADLINE_MS = Number.MAX_SAFE_INTEGER;

/** Largest deadline of a field of a hash: Redis's, in the year 4199. */
export const MAX_FIELD_DEADLINE_MS = 2 ** 46 - 1;

/** What one client may subscribe to, in bytes as they are counted: some 200 000 channels of usual names. */
export const MAX_SUBSCRIPTION_BYTES = 64 * 1024 * 1024;

/** Objects and arrays within one another in a JSON value: readers of documents may be recursive. SQLite's limit. */
export const MAX_JSON_DEPTH = 1000;

/** The definition of an index, as text: its length has two bytes in the arena. A filter of thousands of values fits in it. */
export const MAX_DEFINITION_BYTES = 65_535;

/** Longest path into a JSON document: a reader of paths is recursive, and a longer one is no path but an attack. */
export const MAX_JSON_PATH_BYTES = 8192;

/** Brackets and parentheses within one another in a JSONPath query, for the same reason. */
export const MAX_JSON_PATH_NESTING = 64;

/**
 * Places that one JSONPath query may pass, each counting as the steps from the root to it: `$..*..*..*` passes the cube of
 * what a deep document has. So much takes a second and 128 MiB.
 */
export const MAX_JSON_PATH_STEPS = 16_000_000;

/** Commands left out of a damaged log that are told one by one: one lost record may make each later one fail. */
export const MAX_TOLD_SKIPPED = 100;

/** Names in the path of a field: real ones have a handful, and readers of fields are recursive in them. */
export const MAX_PATH_NAMES = 64;

/** Characters of the path of a field. */
export const MAX_PATH_LENGTH = 1024;

/** Bytes of one key of an index, as in MongoDB: longer values are cut, and the index is inexact for them. */
export const MAX_INDEX_KEY_BYTES = 1024;

/** Characters of a filter: some 10 000 values in a list of `$in`. */
export const MAX_FILTER_LENGTH = 1024 * 1024;

/** Conditions within one another in a filter: parsers and matchers are recursive in them. */
export const MAX_FILTER_DEPTH = 100;

/** Characters of a regular expression. */
export const MAX_PATTERN_LENGTH = 1000;

/** Rows of one answer of FIND, which live on the heap until it has left: some four million small ones. */
export const MAX_FOUND_BYTES = 1024 * 1024 * 1024;

/** Groups of one aggregation, which live on the heap until it is answered. */
export const MAX_GROUPS = 100_000;
/** Fields of a compound index: MongoDB's limit. */
export const MAX_INDEX_FIELDS = 32;

/** Different values of one document in one index: each is a change of the index, all of them within one write. */
export const MAX_KEYS_OF_DOCUMENT = 10_000;

/** Indexes of a database: each makes every write of a document dearer. */
export const MAX_INDEXES = 64;
