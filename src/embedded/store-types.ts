/**
 * What methods of a store take and answer besides keys and values: ranges of keys, batches, indexes,
 * snapshots. Types alone, with their documentation, as database.ts.
 */
import type { CommandPart, CommandResult, Key, SetOptions, Store } from "./database.ts";

/** Which keys are gone through, in which direction; all conditions hold together. */
export interface RangeOptions {
  /** Keys that begin with this text. */
  readonly prefix?: string | undefined;
  /** From this key on. */
  readonly gte?: Key | undefined;
  /** Behind this key. */
  readonly gt?: Key | undefined;
  /** Up to this key. */
  readonly lte?: Key | undefined;
  /** Before this key. */
  readonly lt?: Key | undefined;
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
}

/** How long a key of a batch lives: at most one of these. With none of them until it is deleted. */
export interface BatchLifetime {
  /** Milliseconds from now, an integer above 0. */
  readonly ttlMs?: number | undefined;
  /** The moment in milliseconds since 1970. One that has passed deletes the key. */
  readonly expiresAtMs?: number | undefined;
}

/** One change of a batch. A value is stored as `set` stores it. */
export type BatchOperation<Value> =
  | ({ readonly type: "put"; readonly key: Key; readonly value: Value } & BatchLifetime)
  | { readonly type: "del"; readonly key: Key };

/** A batch that is put together call by call. It can be written once. */
export interface Batch<Value> {
  /** How many changes it has. */
  readonly length: number;
  put(key: Key, value: Value, lifetime?: BatchLifetime): this;
  del(key: Key): this;
  /** Begins anew. */
  clear(): this;
  write(): Promise<void>;
}

/**
 * The keys and values as a transaction reads and writes them: at once, within its function. An error
 * of a command is thrown; what the function does with it is its own matter.
 */
export interface Transaction<Value>
  extends Pick<
    Store<Value>,
    "get" | "getBytes" | "has" | "version" | "list" | "listBytes" | "iterate" | "keys" | "values"
  > {
  set<Input = Value>(key: Key, value: NoInfer<Input>, options?: SetOptions): void;
  setBytes(key: Key, bytes: Uint8Array, options?: SetOptions): void;
  /** Answers how many of the keys there were. */
  delete(...keys: Key[]): number;
  /**
   * Runs a command that reads or writes data. Its keys go without the prefix of a store. `SELECT`
   * concerns the rest of the function.
   */
  call<Result = CommandResult>(
    ...command: readonly [name: string, ...parts: CommandPart[]]
  ): Result;
  prefix<Inner = Value>(prefix: string): Transaction<Inner>;
}

/** What an index is of; the words are those of `INDEX CREATE` and of the configuration. */
export interface IndexOptions {
  /** `"hash"` for equality, `"ordered"` for ranges and order too, or a kind that a plugin brings. */
  readonly use: "hash" | "ordered" | (string & {});
  /** A path such as `"address.city"` or `"tags[*]"`; `"@key"` are the keys themselves. */
  readonly field?: string;
  /** Several paths as one, instead of `field`. */
  readonly fields?: readonly string[];
  /** Only documents under keys that begin so. */
  readonly prefix?: string;
  /** A write that gives a second document the same value fails, and changes nothing. */
  readonly unique?: boolean;
  /** Documents without the field are left out. */
  readonly sparse?: boolean;
  /** Only documents that fulfil this filter: `'age >= 30'`. */
  readonly where?: string;
  /** Options of the kind. */
  readonly [option: string]: unknown;
}

/** What is known of an index. */
export interface IndexInfo {
  readonly name: string;
  readonly kind: string;
  /** `unusable`: kept, but its kind is not there, or its definition is wrong; `failure` says which. */
  readonly state: "building" | "ready" | "failed" | "unusable";
  /** Pairs of value and document. */
  readonly entries: number;
  readonly documents: number;
  readonly bytes: number;
  /** All other lines of `INDEX INFO`. */
  readonly [line: string]: string | number;
}

/** The indexes of one numbered database. */
export interface IndexAdministration {
  /**
   * Makes an index and resolves, when it is complete and durable, to how many entries it has. Others
   * read and write meanwhile. Again with the same options is harmless; with others it is an error.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ email: string }>("./people");
   * await db.index.create("email", { use: "hash", field: "email", unique: true });
   * await db.set("ada", { email: "ada@example.org" });
   * const refused = await db.set("bob", { email: "ada@example.org" }).catch((error) => error.reply);
   * console.assert(refused === "DUPLICATE" && !db.has("bob"));
   * console.assert(db.index.info("email").entries === 1);
   * ```
   */
  create(name: string, options: IndexOptions): Promise<number>;
  /** Removes an index; the documents stay. */
  drop(name: string): Promise<void>;
  /** The names of all. */
  list(): readonly string[];
  info(name: string): IndexInfo;
}

/** From where changes are followed, and which. */
export interface ChangesOptions {
  /**
   * A revision: that of the change seen last, plus 1. `"now"` (the default): what is changed from the
   * call on. `"oldest"`: everything that can still be told.
   */
  readonly from?: number | "now" | "oldest" | undefined;
  /** Only keys that begin with this text; what concerns whole databases is told all the same. */
  readonly prefix?: string | undefined;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
}

/** What happened to a key. */
export interface Change {
  /** It only grows. Changes of one command, or of one transaction, have the same. */
  readonly revision: number;
  /** When, in milliseconds since 1970. */
  readonly timeMs: number;
  /** The number of the database. */
  readonly database: number;
  /** Bytes where it is no UTF-8; undefined when a whole database is concerned (`flushdb`), or an index. */
  readonly key: string | Uint8Array | undefined;
  /** The command in lower case; `expired`, `hexpired` and `evicted` for what no command did. */
  readonly event: string;
  /**
   * What was done, as a command with its outcome fixed (a moment in place of a time to live). Of a
   * command that changes several keys together (`RENAME`) it stands with the first alone.
   */
  readonly command: readonly (string | Uint8Array)[] | undefined;
}

/**
 * All keys and values of one numbered database as they were at one moment, whatever is written
 * since. What had expired by then is not in it; what expires later stays.
 */
export interface Snapshot<Value>
  extends Pick<Store<Value>, "get" | "getBytes" | "has" | "iterate" | "keys" | "values">,
    AsyncDisposable {
  /** How many keys there are. */
  readonly size: number;
  /** Gives its disk space back; reading from it fails from then on. Harmless when called again. */
  close(): Promise<void>;
}
