/**
 * What a program is given: the embedded API as types, with its documentation. Types alone: nothing
 * here exists at run time. `open` is in ../plugin.ts, the implementation beside this file.
 *
 * The examples run: a test takes each block marked `ts` out of these comments, type-checks it and
 * runs it in an empty folder.
 */

import type { Questions } from "./find-types.ts";
import type {
  Batch,
  BatchOperation,
  Change,
  ChangesOptions,
  IndexAdministration,
  RangeOptions,
  Snapshot,
  Transaction,
} from "./store-types.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";

/** A key. Keys are bytes; a string stands for its UTF-8. */
export type Key = string | Uint8Array;

/** What JSON can say. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** One part of a command: its name or an argument. Numbers are sent as their decimal text. */
export type CommandPart = string | number | bigint | Uint8Array;

/**
 * What a command answers, as JavaScript has it: a string of bytes is a `string` when it is UTF-8
 * and a `Uint8Array` when it is not, so that nothing is lost; an integer beyond 2^53 is a `bigint`;
 * a map is a `Map`; an error within an array is a `KvdbError`.
 */
export type CommandResult =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Error
  | readonly CommandResult[]
  | ReadonlyMap<CommandResult, CommandResult>;

/** How long a key lives. At most one of these; with none of them it lives until it is deleted. */
export interface SetOptions {
  /** Milliseconds from now, an integer above 0. */
  readonly ttlMs?: number | undefined;
  /** The moment in milliseconds since 1970. One that has passed deletes the key. */
  readonly expiresAtMs?: number | undefined;
  /** Leaves the moment at which the key expires as it is. */
  readonly keepTtl?: boolean | undefined;
}

/** A write that is done only if nobody has changed the key since. */
export interface ConditionalSetOptions extends SetOptions {
  /** What `version` told of the key; 0: there must be no such key. */
  readonly ifVersion: number;
}

/** Which keys are listed; all conditions hold together. */
export interface ListOptions {
  /** Keys that begin with this text. No character of it is special. */
  readonly prefix?: string | undefined;
  /**
   * Keys that match this pattern, as Redis has them: `*` any text, `?` one byte, `[a-z]` one of
   * these, `\` takes the next one as it is.
   */
  readonly pattern?: string | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
}

/**
 * Keys and their values. Reading is synchronous, from memory. Writing changes what is read at once,
 * and its promise resolves when the change is as durable as the persistence promises (by default:
 * on disk). Every failure is a `KvdbError` with a `code`: reading throws it, writing rejects with
 * it. `IO` for a write says that the disk refuses: the change is applied, and not durable unless the
 * disk works again.
 *
 * Between a read and a write without `await` in between, nothing else happens: no transaction is
 * needed to decide on a write by what was read.
 *
 * ```ts
 * import { open } from "kvdb";
 *
 * await using db = await open<{ name: string; age: number }>("./people");
 * await db.set("ada", { name: "Ada", age: 36 });
 * const ada = db.get("ada");
 * if (ada !== undefined) await db.set("ada", { ...ada, age: ada.age + 1 });
 * console.assert(db.get("ada")?.age === 37);
 * ```
 *
 * @typeParam Value What the values are. It is taken on trust: kvdb does not look whether what is
 * stored fits it.
 */
export interface Store<Value = Json> extends Questions<Value> {
  /**
   * The value of a key, `undefined` when there is none. A JSON document is parsed anew at each
   * call, so what you get is yours to change; a string that a Redis client stored is a string.
   *
   * Numbers are JavaScript's: beyond 2^53 they are rounded. Their exact text is what `getBytes`
   * gives. A string that is no UTF-8 throws; `getBytes` reads it.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open("./example");
   * await db.set("user", { name: "Ada", langs: ["en", "fr"] });
   * const user = db.get<{ name: string; langs: string[] }>("user");
   * console.assert(user?.langs[1] === "fr");
   * console.assert(db.get("nobody") === undefined);
   * ```
   */
  get<Result = Value>(key: Key): Result | undefined;

  /**
   * The bytes of a string, or the text of a JSON document as it is stored; `undefined` when there
   * is no such key. A copy: yours to keep.
   */
  getBytes(key: Key): Uint8Array | undefined;

  /** Whether there is such a key. */
  has(key: Key): boolean;

  /**
   * Gives a key a value, whatever it had before. A string is stored as a string, everything else as
   * a JSON document.
   *
   * What JSON cannot say is refused and changes nothing: `undefined`, functions, symbols, `bigint`,
   * `NaN` and infinities, circles, and objects such as a `Map`, a `Uint8Array` or a promise that
   * was not awaited. As with `JSON.stringify`, properties that are `undefined` are left out,
   * `toJSON` is heeded (a `Date` comes back as a string), and -0 becomes 0.
   *
   * Many writes without `await` in between share one sync of the disk:
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<number>("./squares");
   * await Promise.all(Array.from({ length: 1000 }, (_, i) => db.set(`${i}`, i * i)));
   * console.assert(db.get("30") === 900);
   *
   * await db.set("soon gone", 1, { ttlMs: 60_000 });
   * ```
   */
  set<Input = Value>(key: Key, value: NoInfer<Input>, options?: SetOptions): Promise<void>;

  /**
   * The same on a condition: resolves to whether the key had that version, and was written. Of two
   * writers with one version exactly one succeeds, also when the other is a client of a server.
   */
  set<Input = Value>(
    key: Key,
    value: NoInfer<Input>,
    options: ConditionalSetOptions,
  ): Promise<boolean>;

  /**
   * The version of a key: the revision of its last change, its time to live included; `undefined`
   * when there is no such key. It only grows.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ stock: number }>("./example");
   * await db.set("book", { stock: 3 });
   *
   * async function sell(key: string): Promise<void> {
   *   for (;;) {
   *     const [version, book] = [db.version(key), db.get(key)];
   *     if (version === undefined || book === undefined) throw new Error("no such book");
   *     await Promise.resolve(); // asks a service, meanwhile others write
   *     const sold = { stock: book.stock - 1 };
   *     if (await db.set(key, sold, { ifVersion: version })) return;
   *   }
   * }
   *
   * await Promise.all([sell("book"), sell("book")]);
   * console.assert(db.get("book")?.stock === 1);
   * ```
   */
  version(key: Key): number | undefined;

  /**
   * Gives a key a string of these bytes, whatever it had before. `getBytes` reads it.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open("./example");
   * await db.setBytes("pixel", new Uint8Array([255, 0, 127]));
   * console.assert(db.getBytes("pixel")?.[2] === 127);
   * ```
   */
  setBytes(key: Key, bytes: Uint8Array, options?: SetOptions): Promise<void>;

  /** Deletes keys, and resolves to how many of them there were. */
  delete(...keys: Key[]): Promise<number>;

  /**
   * The keys, in no particular order. A key that is there from the first to the last step is listed
   * once; one that comes or goes meanwhile may be listed. A key that is no UTF-8 throws:
   * `listBytes` lists such keys.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open("./example");
   * await db.set("user:1", "Ada");
   * await db.set("user:2", "Grace");
   * for (const key of db.list({ prefix: "user:" })) await db.delete(key);
   * console.assert([...db.list({ prefix: "user:", limit: 10 })].length === 0);
   * ```
   */
  list(options?: ListOptions): IteratorObject<string, undefined>;

  /** `list` with the bytes of each key. */
  listBytes(options?: ListOptions): IteratorObject<Uint8Array, undefined>;

  /**
   * Keys with their values, in the byte order of the keys. Reading goes along with writing: a value
   * is the one that its key has at its turn, and keys that come and go meanwhile may be met or not.
   * A snapshot stands still.
   *
   * With an index of the keys the first pair is there at once, and nothing but the pairs is looked
   * at: `await db.index.create("keys", { use: "ordered", field: "@key" })`, once. Without it the
   * order is made by looking at all keys, some 1 µs for each, once for every 65 536 pairs.
   *
   * A value that is no string and no JSON, such as a list of a Redis client, throws as `get` does.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<number>("./example");
   * await db.index.create("keys", { use: "ordered", field: "@key" });
   * for (const day of ["2026-01-31", "2026-02-01", "2026-02-28"]) await db.set(day, day.length);
   * const february = [...db.iterate({ gte: "2026-02", lt: "2026-03" })];
   * console.assert(february.length === 2 && february[0]?.[0] === "2026-02-01");
   * const [latest] = db.keys({ prefix: "2026", reverse: true, limit: 1 });
   * console.assert(latest === "2026-02-28");
   * ```
   */
  iterate(options?: RangeOptions): IteratorObject<[key: string, value: Value], undefined>;

  /** The keys of `iterate`, whatever their values are. */
  keys(options?: RangeOptions): IteratorObject<string, undefined>;

  /** The values of `iterate`. */
  values(options?: RangeOptions): IteratorObject<Value, undefined>;

  /**
   * Puts and deletes keys as one change: all of it or nothing, also when something is refused (by
   * `memory.max`, by a unique index) and after a crash. The last change of a key counts. Without
   * operations it answers a batch to be put together call by call.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ balance: number }>("./accounts");
   * await db.batch([
   *   { type: "put", key: "ada", value: { balance: 70 } },
   *   { type: "put", key: "bob", value: { balance: 30 } },
   *   { type: "del", key: "transfer:1" },
   * ]);
   * await db.batch().put("ada", { balance: 60 }).put("bob", { balance: 40 }).write();
   * console.assert(db.get("ada")?.balance === 60);
   * ```
   */
  batch(operations: readonly BatchOperation<Value>[]): Promise<void>;
  batch(): Batch<Value>;

  /**
   * Runs a function that reads and writes, as one change: all of it or nothing, also after a crash.
   * The function is synchronous and runs at once, within the call; nothing else runs in between.
   * When it throws, everything that it wrote is undone, and the promise rejects with what it threw;
   * a function that returns a promise is undone as well. Otherwise the promise resolves to what it
   * returned, when the change is as durable as the persistence promises.
   *
   * What it changes may take 64 MiB in memory; beyond that it is undone. It uses what it is given:
   * the database itself refuses to read and write meanwhile. What is not in the data (`INDEX`,
   * `CONFIG`, `PUBLISH`) cannot be called in it.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ balance: number }>("./accounts");
   * await db.batch().put("ada", { balance: 70 }).put("bob", { balance: 30 }).write();
   *
   * const transfer = (from: string, to: string, amount: number) =>
   *   db.transaction((tx) => {
   *     const [payer, payee] = [tx.get(from), tx.get(to)];
   *     if (payer === undefined || payee === undefined) throw new Error("no such account");
   *     tx.set(to, { balance: payee.balance + amount });
   *     tx.set(from, { balance: payer.balance - amount });
   *     if (payer.balance < amount) throw new Error("not enough");
   *     return payer.balance - amount;
   *   });
   *
   * console.assert((await transfer("ada", "bob", 50)) === 20);
   * const failure = await transfer("ada", "bob", 50).catch((error) => error.message);
   * console.assert(failure === "not enough" && db.get("bob")?.balance === 80);
   * ```
   */
  transaction<Result>(act: (transaction: Transaction<Value>) => Result): Promise<Result>;

  /**
   * The keys that begin with `prefix`, as a store of their own with a type of their own. In it they
   * go without the prefix.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * interface Session {
   *   user: string;
   * }
   *
   * await using db = await open("./example");
   * const sessions = db.prefix<Session>("session:");
   * await sessions.set("x1", { user: "ada" });
   * console.assert(sessions.get("x1")?.user === "ada");
   * console.assert(db.has("session:x1"));
   * ```
   */
  prefix<Inner = Value>(prefix: string): Store<Inner>;
}

/** One of the numbered databases, which share a data folder and nothing else. */
export interface NumberedDatabase<Value = Json> extends Store<Value> {
  /** How many keys there are; those that expired a moment ago may still count. */
  readonly size: number;

  /** Makes indexes and looks after them. */
  readonly index: IndexAdministration;

  /**
   * All keys and values as they are at the end of this turn, to be read as long as it is open while
   * writes go on. It is an image of all databases on disk, mapped into memory: it takes as much disk
   * space as kvdb takes memory, needs twice that to be free when it is taken, and grows no more.
   * Without the space it rejects with `IO`; with `persistence: "none"` there is no disk, and it
   * rejects with `UNAVAILABLE`, as beyond eight that are open at once.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<number>("./example");
   * await db.set("a", 1);
   * {
   *   await using snapshot = await db.snapshot();
   *   await db.batch().put("a", 2).put("b", 3).write();
   *   console.assert(snapshot.get("a") === 1 && !snapshot.has("b"));
   *   console.assert([...snapshot.iterate()].length === 1);
   * }
   * console.assert(db.get("a") === 2);
   * ```
   */
  snapshot(): Promise<Snapshot<Value>>;

  /**
   * Runs any command of kvdb, and resolves to its answer when that is as durable as promised. An
   * error reply rejects with a `KvdbError` of code `COMMAND`, whose `reply` is the reply's first
   * word.
   *
   * Commands run at once, in the order of the calls, on a connection of their own: `SELECT` and its
   * like concern later calls alone. Behind a command that takes its time, such as `WAITAOF`, they
   * wait for its answer. `SHUTDOWN` closes the database.
   *
   * ```ts
   * import { KvdbError, open } from "kvdb";
   *
   * await using db = await open("./example");
   * await db.call("DEL", "visits");
   * console.assert((await db.call("INCRBY", "visits", 2)) === 2);
   *
   * try {
   *   await db.call("SETRANGE", "visits", -1, "x");
   * } catch (error) {
   *   if (!(error instanceof KvdbError)) throw error;
   *   console.assert(error.code === "COMMAND" && error.reply === "ERR");
   * }
   * ```
   *
   * @typeParam Result What the answer is, taken on trust.
   */
  call<Result = CommandResult>(
    ...command: readonly [name: string, ...parts: CommandPart[]]
  ): Promise<Result>;
}

/**
 * An open data folder. It is closed by `close`, or at the end of the block that opened it with
 * `await using`. Its values are those of database 0.
 */
export interface Database<Value = Json> extends NumberedDatabase<Value>, AsyncDisposable {
  /**
   * Another of the numbered databases. It is closed with this one.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open("./example");
   * await db.select(1).set("key", "in database 1");
   * console.assert(db.select(1).get("key") === "in database 1");
   * ```
   */
  select<Other = Value>(index: number): NumberedDatabase<Other>;

  /**
   * Listens to channels, and to those that fit `patterns`, from the call on. Messages come from this
   * program (`publish`) and from whoever else reaches the folder; channels belong to no numbered
   * database. They are kept until they are asked for: the iterator rejects with `UNAVAILABLE` when
   * more wait than `client-output-buffer-limit` lets a subscriber have (32 MiB), and ends when the
   * database is closed.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open("./example");
   * const messages = db.subscribe("news", { patterns: ["user:*"] });
   * console.assert((await db.publish("news", "hello")) === 1);
   * await db.publish("user:ada", "logged in");
   * for await (const { channel, text } of messages) {
   *   console.assert(text === (channel === "news" ? "hello" : "logged in"));
   *   if (channel === "user:ada") break;
   * }
   * ```
   */
  subscribe(channels: string | readonly string[], options?: SubscribeOptions): Subscription;

  /**
   * Sends a message to who listens to the channel, and resolves to how many did. It is kept for
   * nobody else.
   */
  publish(channel: string, message: string | Uint8Array): Promise<number>;

  /**
   * What is changed, in all databases, one change after the other in their order, each once it is as
   * durable as promised; it waits for more. Whoever keeps the revision of the last one that he has
   * dealt with, and begins behind it at the next start, misses nothing, also after a crash. A program
   * that takes its time holds up nobody.
   *
   * The log reaches back as far as `keep` of the persistence says; with `"json-snapshot"` and `"none"`,
   * which have none, to the first call, within 16 MiB. What is older rejects with a `KvdbError` whose
   * `reply` is `LOGGAP`: then all data is to be read anew, from a revision taken before.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open("./example");
   * const changes = db.changes({ prefix: "user:" });
   * await db.set("user:1", "Ada");
   * for await (const { revision, key, event, command } of changes) {
   *   console.assert(revision > 0 && key === "user:1" && event === "set");
   *   console.assert(command?.[2] === "Ada");
   *   break;
   * }
   * ```
   */
  changes(options?: ChangesOptions): AsyncGenerator<Change, void, undefined>;

  /**
   * Makes everything durable and gives the folder back. From the call on, reading and writing fail
   * with a `KvdbError` of code `UNAVAILABLE`. Harmless when called again.
   *
   * Rejects when the last changes could not be made durable; the promises of their writes then
   * reject too.
   */
  close(): Promise<void>;
}
