/**
 * What `import … from "kvdb"` gives: `open` to a program, and to a plugin the public contract. A plugin is a plain
 * object that contributes any of commands, kinds of indexes, a persistence, a frontend; the kernel's host wraps it.
 * Built-in plugins use nothing but this file, `kvdb/resp`, `kvdb/rdb` and `kvdb/shell`, so the contract is proved every day.
 *
 * This file is longer than usual: it is the whole contract, but for kinds of indexes (index/contract.ts).
 *
 * Life cycle of an instance: the factory acquires nothing, `open` acquires, `close` releases exactly once, also after
 * a half-failed `open`. Instances open in the order persistence, frontends; they close in reverse.
 */
import type { Link, LinkClient, LinkMessages, Part } from "./client/link.ts";
import type { Arguments } from "./commands/arguments.ts";
import type { CommandInfo } from "./commands/command.ts";
import type { Reply } from "./commands/reply.ts";
import type { CommandPart, Database, Json } from "./embedded/database.ts";
import type { OpenOptions } from "./embedded/options.ts";
import type { IndexKind } from "./index/contract.ts";
import type { Clock } from "./platform/clock.ts";
import type { Files, OpenFile } from "./platform/files.ts";
import type { Log } from "./platform/log.ts";
import type { Answer } from "./resp/answer.ts";
import type { LaterReply, WriteReply } from "./session/later-reply.ts";
import type { OutputLimit } from "./session/output-limits.ts";
import type { Statistics } from "./session/server.ts";
import type { Session } from "./session/session.ts";
import type { ReadonlyBytes } from "./store/arena.ts";

export { Arguments } from "./commands/arguments.ts";
export { CommandError } from "./commands/command-error.ts";
export { notDurable } from "./commands/not-durable.ts";
export { readMemorySize, readWholeNumber, readYesNo } from "./commands/parameter-values.ts";
export type {
  CommandPart,
  CommandResult,
  ConditionalSetOptions,
  Database,
  Json,
  Key,
  ListOptions,
  NumberedDatabase,
  SetOptions,
  Store,
} from "./embedded/database.ts";
export type {
  AggregateOptions,
  Explanation,
  FieldCondition,
  FieldList,
  FieldPath,
  Filter,
  FindEachOptions,
  FindOptions,
  FoundRow,
  GroupRow,
  Operators,
  PartOf,
  PartOptions,
  QuestionOptions,
  Questions,
  Row,
  SortOrder,
  TypeName,
  ValueAt,
} from "./embedded/find-types.ts";
export type {
  AofOptions,
  JsonSnapshotOptions,
  OpenOptions,
  PersistenceUse,
  PluginUse,
  WalOptions,
} from "./embedded/options.ts";
export type {
  Batch,
  BatchLifetime,
  BatchOperation,
  Change,
  ChangesOptions,
  IndexAdministration,
  IndexInfo,
  IndexOptions,
  RangeOptions,
  Snapshot,
  Transaction,
} from "./embedded/store-types.ts";
export type { Message, SubscribeOptions, Subscription } from "./embedded/subscription.ts";
export { KvdbError, logGap } from "./errors.ts";
export type {
  DocumentChange,
  Index,
  IndexAbilities,
  IndexAnswer,
  IndexCursor,
  IndexHost,
  IndexKind,
  IndexOption,
  IndexQuestion,
  KeyChange,
  Multimap,
  OrderedMap,
} from "./index/contract.ts";
export { createIndexWords } from "./index/definition.ts";
export { ALL_KEYS } from "./index/structures.ts";
export { requireUnique } from "./index/unique.ts";
export { readCronSchedule, type Schedule } from "./platform/cron-schedule.ts";
export type { KeyRange } from "./query/bounds.ts";
export type { Condition } from "./query/filter.ts";
export type { Value } from "./query/value.ts";
export { integerOf, textOf } from "./resp/answer.ts";
export { momentText, readMilliseconds, readMoment, readMomentBytes } from "./store/moment-text.ts";
export { PREFETCH_KEYS as LOOK_AHEAD } from "./store/prefetch.ts";
export { streamItemAt, streamStrings } from "./store/stream-text.ts";
export type {
  Answer,
  Clock,
  CommandInfo,
  Files,
  LaterReply,
  Link,
  LinkClient,
  LinkMessages,
  Log,
  OpenFile,
  OutputLimit,
  Part,
  Reply,
  Session,
  Statistics,
  WriteReply,
};

/**
 * Opens a data folder within this program: the same engine, files and promises as the server's.
 *
 * Rejects with a `KvdbError`: `HELD` when another process (or this one) has the folder open, `CONFIG`
 * for a wrong option, `DAMAGE` when the data cannot be read, `PERMISSION` and `IO` for what the system
 * refuses. While a program holds the folder, `kvdb get` and its like from a terminal reach it there.
 *
 * ```ts
 * import { open } from "kvdb";
 *
 * await using db = await open("./data");
 * await db.set("name", "Ada");
 * console.assert(db.get("name") === "Ada");
 *
 * await using cache = await open<string>({ persistence: "none", memory: { max: "64mb" } });
 * await cache.set("page", "<html>", { ttlMs: 1000 });
 * console.assert(cache.has("page"));
 * ```
 *
 * @param options The folder, or more options. Default: `./.kvdb`.
 * @typeParam Value What the values are, taken on trust. Default: anything that JSON can say.
 */
export async function open<Value = Json>(
  options: string | OpenOptions = {},
): Promise<Database<Value>> {
  // Only here, so that a plugin's import of the contract does not load the kernel.
  const { openDatabase } = await import("./embedded/open.ts");
  return openDatabase<Value>(options);
}

/** The version of this contract. A plugin that states another one is refused. */
export const API_VERSION = 1;

/** A number that only grows: each record of the journal has one. Exact up to 2^48. */
export type Revision = number;

/** What is promised before a reply to a write leaves: SPEC.md, Promises. `none`: nothing is kept at all. */
export type Durability = "always" | "everysec" | "no" | "none";

/**
 * What a plugin may contribute. Where it goes wrong, it is named, and as little as possible suffers:
 *
 * - Wrong in itself (a name that is taken, a malformed command), or it throws when it is imported, made or opened, or takes
 *   over 30 s for it: kvdb does not start, or stops what it has opened (exit codes 78 and 70).
 * - `run` of a command throws, returns a promise or writes no reply: an error for its client.
 * - A listener, a timer of `context.clock`, lines of INFO, a parameter or a `Client` throws: a line in the log.
 * - Its own timers, sockets and promises throw what nobody catches: a line in the log.
 * - `append` of a persistence throws: writes are refused from then on, reads go on.
 * - `close` throws or hangs: the others are closed all the same, within 10 s; exit code 70.
 *
 * What kvdb cannot help is code that never returns: it runs in the one thread that serves everybody.
 */
export interface Plugin<Options = never> {
  readonly name: string;
  readonly apiVersion: typeof API_VERSION;
  /** JSON Schema of the options in the config; without one, any option is refused. */
  readonly schema?: object;
  readonly commands?: (options: Options, context: PluginContext) => readonly Command[];
  readonly persistence?: (options: Options, context: PersistenceContext) => Persistence;
  /** Of a persistence that supports checkpoints: writes one, in a worker. */
  readonly writeCheckpoint?: WriteCheckpoint<Options>;
  readonly frontend?: (options: Options, context: FrontendContext) => Frontend;
  /** Kinds of indexes. */
  readonly indexes?: (options: Options, context: PluginContext) => readonly IndexKind[];
}

/** Gives a plugin its types; returns what it was given. */
export function definePlugin<Options>(plugin: Plugin<Options>): Plugin<Options> {
  return plugin;
}

// ---- what every plugin is handed ----

export interface PluginContext {
  /** The plugin's own logger: lines carry its name. */
  readonly log: Log;
  readonly clock: Clock;
  readonly files: Files;
  /** Makes a setting visible to CONFIG GET, and to CONFIG SET when it has `set`. */
  addParameter(parameter: Parameter): void;
  /** Adds lines to a section of INFO, asked for at each INFO. */
  addInfo(section: string, lines: () => Record<string, string | number>): void;
  /**
   * Called when kvdb was told to read its configuration again (SIGHUP), for files that it only names, such as certificates.
   * What it throws, or rejects with, is logged. Returns the function that ends the subscription.
   */
  onReload(listener: () => void | Promise<void>): () => void;
}

/** One name of CONFIG GET / SET. `set` throws a CommandError when the value is not acceptable. */
export interface Parameter {
  readonly name: string;
  get(): string;
  set?(value: string): void;
  /**
   * Of parameters that take effect together: the same function for all of them, called once when all that change are set.
   * Throws a CommandError, with everything in effect as before, when they do not fit; they are then set back.
   */
  readonly apply?: () => void;
}

// ---- commands ----

/**
 * A command of a plugin: data, which COMMAND, help and completion show, and a function.
 *
 * `flags` are promises that replicas and permissions rely on: one that calls commands which write says `write`, one that
 * only reads says `readonly`; `denyoom` when it may need memory, `fast` when it takes about as long as a GET. `keys` says
 * which arguments are keys: `[1, 1, 1]` is the first one, `[1, -1, 1]` all of them.
 *
 * `run` is synchronous. It writes exactly one reply before it returns; `args` and `reply` belong to others afterwards. A
 * CommandError that it throws is its reply; anything else that it throws, a promise that it returns and a reply that is
 * missing are faults: the client is told of them in an error that names the plugin, and they are logged.
 */
export interface Command extends CommandInfo {
  /** Absent for a container, whose subcommands (`NAME|SUBCOMMAND`) are commands of their own. */
  readonly run?: (session: CommandSession, args: Arguments, reply: CommandReply) => void;
}

/**
 * A reply that is counted: one that would be a second one, or a value that the protocol cannot carry (`integer(1.5)`, a
 * status of two lines), throws before anything is written.
 */
export interface CommandReply extends Reply {
  /** A string: bytes[start, end), all of them by default; copied before the call returns. */
  bulk(bytes: Uint8Array | ReadonlyBytes, start?: number, end?: number): void;
  /** The text of a JSON value, in the same way. */
  json(bytes: Uint8Array | ReadonlyBytes, start?: number, end?: number): void;
  /** Writes an answer as it is: `reply.answer(session.call("GET", key))`. */
  answer(answer: Answer): void;
}

/**
 * The client that a command runs for, and the way to the data: a plugin's command reads and writes keys by calling other
 * commands.
 *
 *   const count = integerOf(session.call("INCR", key));
 *   if (count === 1) session.call("PEXPIRE", key, 60_000);
 *
 * - A called command runs at once, as the client: in its database and with its permissions. A bound on memory and a disk
 *   that refuses writes hold for it as well.
 * - Everything that one run changes is one record of the journal, of the called commands alone: after a restart and on a
 *   replica it is there whole or not at all, and neither needs the plugin. No other client's command runs in between.
 * - What was changed stays changed when the command then throws, as with Redis's scripts: check arguments first.
 * - A command without the flag `write` cannot call one that has it.
 * - Commands about the connection or the server (AUTH, HELLO, CLIENT, CONFIG, SHUTDOWN: those that COMMAND INFO shows as
 *   `noscript`), that wait or must be alone cannot be called. SELECT can; it holds until `run` returns.
 * - Commands of plugins can be called too, 16 deep.
 * - Arguments are text, bytes or numbers, each of at most 512 MiB.
 * - It works until `run` returns, for this run alone: `call` throws afterwards.
 */
export interface CommandSession {
  /** As CLIENT ID answers it. */
  readonly id: number;
  /** As CLIENT SETNAME gave it; empty: none. */
  readonly name: string;
  readonly user: string;
  /** `host:port` of the client, or whatever its frontend says of it. */
  readonly address: string;
  readonly protocol: 2 | 3;
  /** Number of the database that is selected. */
  readonly database: number;
  /** Milliseconds since 1970. The same for all that this run calls: times to live are counted from it. */
  readonly nowMs: number;
  /**
   * Runs a command, its name first, a subcommand as a word of its own. Throws a CommandError when it answers an error;
   * nobody needs to catch it: then it is the reply of the caller.
   */
  call(...parts: readonly [name: string, ...args: CommandPart[]]): Answer;
  /** The same, but an error is an answer. */
  tryCall(...parts: readonly [name: string, ...args: CommandPart[]]): Answer;
}

// ---- persistence ----

export interface PersistenceContext extends PluginContext {
  /** Absolute path of the data folder; it exists and is locked by this process when `open` is called. */
  readonly folder: string;
  readonly purpose: OpenPurpose;
  /**
   * From `open` on. False: a persistence of this name has loaded the folder before, so what it makes at its first start must
   * be there. True: nobody knows of that.
   */
  readonly isNewFolder: boolean;
  /**
   * The revision of the last change so far. Before the data is loaded, of a persistence without records: none of an
   * earlier run was higher, or nobody knows (0).
   */
  readonly lastRevision: Revision;
  /** Changes since the last checkpoint of kind `save`, or since the data was loaded; 0 before. */
  readonly unsavedChanges: number;
  /**
   * Asks for a checkpoint. Resolves when it is durable, after `checkpointed`; rejects when none came about (the disk is
   * full, kvdb stops), which is no damage: whatever was there before counts. One is written at a time; who asks
   * meanwhile shares the next one of its kind. `reason` is for the log. Default: `compact`.
   */
  requestCheckpoint(reason: string, kind?: CheckpointKind): Promise<CheckpointReport>;
}

/**
 * What a folder is opened for.
 *
 * - `use`: to work with it. Damage is refused.
 * - `recover`: the same, but every intact record of a damaged folder is kept and the damaged bytes are put aside.
 * - `check`: nothing on disk may be changed. `load` goes on behind damage, as `recover` would, and reports all of it.
 *   With `upTo`: another instance is writing to the folder, and only what is not newer is to be read.
 */
export type OpenPurpose =
  | { readonly kind: "use" }
  | { readonly kind: "recover" }
  | { readonly kind: "check"; readonly upTo?: Revision };

/** What the kernel may ask of a persistence, and which tests of the suite apply to it. */
export interface PersistenceAbilities {
  /**
   * Each change can be kept: `append` and `flush` are called. Without it they never are, `durability` is `none`, and what
   * was changed since the last checkpoint is lost with the process, unless it stops in order.
   */
  readonly records: boolean;
  /** The whole state can be kept at once: the plugin has `writeCheckpoint`. */
  readonly checkpoints: boolean;
  /**
   * Beside the checkpoints that stand for the records before them it writes others. Without it both kinds are one: `compact`
   * for who keeps records, `save` for who does not.
   */
  readonly saves?: boolean;
  /**
   * What is written is for redis-server too: records are to be in words that version 7.0 knows, with the lines drawn in
   * journal/annotations.ts, which it skips, for what has no such word. A change of a document is then its whole new text.
   * May change at run time; the records of a turn are in the words that were asked for when it began.
   */
  readonly redisWords?: boolean;
}

/**
 * What a checkpoint is for. `compact`: older records need not be kept. `save`: a file of its own for whoever wants one
 * (SAVE, BGSAVE, save points); the records stay as they are.
 */
export type CheckpointKind = "compact" | "save";

/**
 * What a persistence plugin returns. One journal calls it. Calls do not overlap, except that `append`, `beginCheckpoint` and
 * `checkpointed` may come while a flush is under way, and a flush of the one kind while one of the other kind is.
 */
export interface Persistence {
  readonly supports: PersistenceAbilities;
  /** What it promises now; may change at run time (CONFIG SET appendfsync). `none`: append is never called. */
  readonly durability: Durability;
  open(): Promise<void>;
  /**
   * Brings everything back, in slices that leave the loop free: the entries of the last checkpoint, then the records behind it,
   * in order. Called once, after `open`.
   */
  load(sink: LoadSink): Promise<LoadReport>;
  /**
   * Hands over; must not throw and must not block. The order is the journal's. `batch.bytes` stays unchanged until a
   * `flush(true)` that was called after this append resolves; with durability `no`, which never syncs, until such a
   * `flush(false)` resolves: who must write the records again after a failure reads them back from the file.
   */
  append(batch: RecordBatch): void;
  /**
   * Resolves when everything appended before the call is written to the file (`durable`: and synced). Rejects when
   * the disk refused; everything not known durable is kept and is written again, in a new file, by the next flush.
   */
  flush(durable: boolean): Promise<void>;
  /**
   * A checkpoint of everything up to `revision` is about to be written; all of it has been appended, and nothing later
   * yet. Answers what `writeCheckpoint` is to be given as `task`: anything that can be posted to a worker. What an earlier
   * attempt left behind may be removed now.
   */
  beginCheckpoint?(revision: Revision, kind: CheckpointKind): Promise<unknown>;
  /** The checkpoint is durable. From now on it may count, and, of kind `compact`, older records may be forgotten. */
  checkpointed?(report: CheckpointReport): Promise<void>;
  /**
   * The records from `from` on, in order, up to the last one that is as durable as promised when it is reached: for the feed
   * of changes and for replicas. Whole batches, so the first may begin before `from`, and one may begin again with records
   * that the one before had. Each is good until the next is asked for.
   *
   * Any number of them may be under way while records are appended and checkpoints made, each at its own place and in
   * bounded memory, and none holds up the event loop for more than a millisecond or two. `from` is at least `readableFrom`;
   * where the log does not reach back any more, or cannot be read, it rejects: with `logGap`, or with a KvdbError("DAMAGE").
   */
  read?(from: Revision): AsyncIterable<RecordBatch>;
  /**
   * With `read`, once loaded: somebody follows the changes, so from now on, in later lives too, some of the log is worth
   * keeping behind a checkpoint, for who comes back after a while. How much is the persistence's to say.
   */
  keepForReaders?(): void;
  /** With `read`, once loaded: every record from this revision on can be read. It only grows. */
  readonly readableFrom?: Revision;
  /** Releases everything; after a failed `open` too. The journal has flushed before. */
  close(): Promise<void>;
}

/**
 * Writes a checkpoint; durable when it resolves. Runs in a worker, where the plugin's module is loaded anew, and at times
 * (at a stop, when data is converted) beside everything else: it has no state but what it is given. It may not wait for
 * anything but files.
 */
export type WriteCheckpoint<Options = unknown> = (
  entries: EntryReader,
  target: CheckpointTarget<Options>,
) => Promise<WrittenCheckpoint>;

export interface CheckpointTarget<Options = unknown> {
  readonly files: Files;
  /** Absolute path of the data folder. */
  readonly folder: string;
  /** As the factory of the persistence got them. */
  readonly options: Options;
  /** What `beginCheckpoint` answered. */
  readonly task: unknown;
  /** To be asked now and then (each MiB, say): throws when the checkpoint is no longer wanted. */
  proceed(): void;
}

export interface WrittenCheckpoint {
  /** Bytes on disk. */
  readonly bytes: number;
  /** For `checkpointed`: anything that can be posted between workers. */
  readonly detail?: unknown;
}

export interface CheckpointReport extends WrittenCheckpoint {
  readonly kind: CheckpointKind;
  /** All data was replaced: no record before it leads to what is in it. */
  readonly replacesAll?: boolean;
  /** Everything up to this revision is in it, and nothing later. */
  readonly revision: Revision;
  readonly entries: number;
  readonly durationMs: number;
}

/**
 * The state of all databases at one moment, one entry after the other, in no order but by database, and in each the
 * definitions of its indexes before its keys.
 */
export interface EntryReader {
  /** Everything up to this revision is in it, and nothing later. */
  readonly revision: Revision;
  /**
   * When it was taken, in milliseconds since 1970. Entries that were over by then are left out, but not where
   * only a record deletes them: one of the server that is followed, or one for those that follow.
   */
  readonly timeMs: number;
  /** How many entries there are, those left out included; a collection in several entries counts once. */
  readonly entryCount: number;
  /** How many of them are keys, and no definitions of indexes. */
  readonly keyCount: number;
  readonly entry: StoredEntry;
  /**
   * How many elements the value in `entry` has, in all of its entries together: of a stream the entries that it has itself. 0 for
   * what has none: a string, a document, a definition.
   */
  readonly elementCount: number;
  /** Puts the next one into `entry`; false: that was the last. */
  next(): boolean;
}

/**
 * One key with its value, or with a part of it; or the definition of an index, which has a name instead of a key: an index and
 * a key of the same name are two things. The elements of a long collection come in several entries, one behind the
 * other, that differ in their elements alone. It is used again for the next one: copy what is to stay.
 *
 * The value is valueBytes[valueStart, valueEnd): the string; the text of the document, compact; else elements, in which a string
 * is its length in a byte, then its bytes, and from 255 bytes on the byte 255, the length as u32, then its bytes:
 *
 *   list, set   element*
 *   hash        (field value)*; `isTimed`: (field value f64)*, the field's deadline in milliseconds since 1970, 0: none
 *   zset        (member f64)*, the score
 *   stream      as src/store/stream-elements.ts draws it
 *
 * Of an index it is its definition, the compact text of a JSON object; without a deadline, and its version is 0.
 *
 * Integers and f64 are little endian.
 */
export interface StoredEntry {
  database: number;
  type: EntryType;
  /** The key is keyBytes[keyStart, keyEnd). */
  keyBytes: ReadonlyBytes;
  keyStart: number;
  keyEnd: number;
  valueBytes: ReadonlyBytes;
  valueStart: number;
  valueEnd: number;
  /** Milliseconds since 1970; 0: it stays. */
  deadlineMs: number;
  /** Revision of its last change. */
  version: Revision;
  /** The fields of the hash have deadlines. Of a value in several entries it may be true of some of them. */
  isTimed: boolean;
  /** The next entry has further elements of the same key. */
  isContinued: boolean;
}

export type EntryType = "string" | "json" | "list" | "set" | "zset" | "hash" | "stream" | "index";

/**
 * Records handed over together: those of one turn. `bytes[start, end)` holds `count` frames, one after the other, as
 * drawn in journal/record.ts; their revisions are firstRevision, firstRevision + 1, …
 */
export interface RecordBatch {
  readonly firstRevision: Revision;
  readonly count: number;
  /** Milliseconds since 1970 when the first record was made; each frame holds its offset from it. */
  readonly timeMs: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Loaded from what a Redis has written, and read as Redis does. */
  readonly ofRedis?: RedisWrote;
}

/**
 * Records that a Redis has written. A document that one of their commands takes for a string becomes one: that is what it
 * was in Redis. And a command that does not fit the data is passed over, as redis-server does that loads it.
 */
export interface RedisWrote {
  /** Told of each that was passed over, with its error. */
  passedOver(failure: string): void;
}

/** Where `load` puts what it reads. */
export interface LoadSink {
  /**
   * Puts in an entry of a checkpoint; all of them come before the first record. Throws a KvdbError("DAMAGE") for what
   * cannot be (a document that is no JSON), a KvdbError("CONFIG") for a database beyond the configured ones.
   */
  entry(entry: Readonly<StoredEntry>): void;
  /** Replays a batch. Throws a KvdbError("DAMAGE") with the offset within the batch when a record is not applicable. */
  records(batch: RecordBatch): void;
  /** For the loading state's progress, in bytes. */
  progress(done: number, total: number): void;
}

export interface LoadReport {
  /** Without the entries of a checkpoint. */
  readonly records: number;
  /** Read from disk. */
  readonly bytes: number;
  /** Highest revision ever read, 0 for an empty folder. What was changed by hand has one of its own (context.lastRevision). */
  readonly lastRevision: Revision;
  /**
   * Whether the last stop was clean (nothing cut, closed in order): else revisions go on 2^24 above. Who keeps no records
   * cannot know: where the lock file says it, that counts instead.
   */
  readonly clean: boolean;
  /** What was not kept: an unsynced tail that was cut; damage, when the purpose was not `use`. */
  readonly dropped: readonly Dropped[];
}

export interface Dropped {
  /**
   * `tail`: never acknowledged as durable, cut after a crash. `damage`: was durable, and is lost. `note`: nothing is lost,
   * but somebody should know (a file that was edited by hand).
   */
  readonly kind: "tail" | "damage" | "note";
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
  /** Path of the copy of the bytes when they were put aside. */
  readonly keptIn?: string;
}

// ---- frontends ----

/** What a frontend needs that talks to a person; `kvdb shell` hands the same to the shell for data far away. */
export interface ShellContext extends PluginContext {
  /** The terminal that kvdb was started from; undefined when there is none. */
  readonly terminal: Terminal | undefined;
  readonly place: Place;
  /** A way to run one command at a time. */
  openLink(client: LinkClient): Promise<Link>;
  /** The command table of whoever answers. */
  commands(): Promise<readonly CommandInfo[]>;
  /** Asks the kernel to stop in order (SHUTDOWN, a signal, `exit`). */
  requestStop(): void;
}

/** Where the data is, in words for a prompt. */
export interface Place {
  /** The data folder as the user would write it, or `host:port`. */
  readonly name: string;
  /**
   * Who holds the data when it is not this process: `pid 4711`; undefined for a server far away, too.
   * Read it anew when it is shown: after a link was opened again it may be another process.
   */
  readonly holder?: string;
  /** Whether `name` is a server reached through a network. */
  readonly isRemote: boolean;
  /** The database to begin with; 0 when it is not said. */
  readonly database?: number;
}

export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  /** Takes lines of the log that come while a line is being edited; undefined: they go to standard error. */
  onLogLine: ((line: string) => void) | undefined;
  /** Takes SIGINT, which otherwise stops kvdb: at a terminal it means the line, or a program that has the terminal. */
  onInterrupt: (() => void) | undefined;
}

export interface FrontendContext extends ShellContext {
  /** Opens a session for a client. Throws when the server has no room for it. */
  connect(client: Client): Session;
  /** The client is gone. A reply that it waited for is abandoned. */
  disconnect(session: Session): void;
  /**
   * Runs the command in `args` and writes exactly one reply; `session.hold` then says what the reply waits for.
   *
   * A command that answers later has written nothing: `session.later` is not null then, and no other command of the session
   * may run until the client was told by `replyReady` and the reply was written. Only for clients that have `replyReady`.
   */
  dispatch(session: Session, args: Arguments, reply: Reply): void;
  /**
   * Tells that batch[0, count), at most LOOK_AHEAD of them, will be dispatched next for this session, so that what they
   * need is loaded ahead. Changes no result; a frontend that has one command at a time need not call it.
   */
  lookAhead(session: Session, batch: readonly Arguments[], count: number): void;
  /** Counters that INFO shows; a frontend adds to those of its traffic. */
  readonly statistics: Statistics;
  /** Sessions that are open now, of all frontends. */
  readonly sessionCount: number;
  /** Connections that a frontend may have: so many files may be open, and kvdb needs some of them itself. */
  readonly maxConnections: number;
  /** Everything up to here is as durable as promised: replies that wait for this revision or a lower one may leave. */
  readonly durableRevision: Revision;
  /** Called each time durableRevision grew. Returns the function that ends the subscription. */
  onDurable(listener: () => void): () => void;
  /**
   * Why nothing becomes durable at present, because the disk refuses; null: it does, or it only takes long. While it is there,
   * each reply that waits for a revision above durableRevision is replaced by the error `notDurable(isChange)`, and what
   * waits behind it leaves. Whether the reply was to a change: `session.hasWritten`, false before `dispatch`, is then true.
   */
  readonly diskFailure: Error | null;
  /** Called when diskFailure begins, and again at each attempt that failed. Returns the function that ends the subscription. */
  onDiskFailure(listener: () => void): () => void;
  /**
   * Called at the end of each turn in which a command ran, after the journal was written: now replies that wait for
   * nothing may leave. Returns the function that ends the subscription.
   */
  onTurnEnd(listener: () => void): () => void;
  /** Asks for the end of the turn although no command ran. */
  endTurnSoon(): void;
  /** False while so much is unsynced (64 MiB) that reading from clients must pause. */
  readonly acceptsInput: boolean;
  /**
   * False while sessions that write must pause: one whose `session.hasWritten` is true is not read from until this is true
   * again, which is at the end of a turn; who only reads goes on.
   */
  readonly acceptsWrites: boolean;
  /**
   * The turn has done as much as one may: after the command in hand the rest of what came waits for the next one, and whoever
   * waits goes first then. False again when the listeners of onTurnEnd are called.
   */
  readonly turnIsFull: boolean;
  /** How many bytes of output may wait for the client of a session to read; it changes with what the session does. */
  outputLimit(session: Session): OutputLimit;
  /** True when a password is set: without one a frontend must refuse clients from other machines. */
  readonly protectedByPassword: boolean;
}

/** What a frontend tells of the one behind a session, and what can be done to it. */
export interface Client {
  readonly address: string;
  readonly localAddress: string;
  /**
   * The operating system has decided who may come this way (the data folder's own socket, the terminal): no password is
   * asked for.
   */
  readonly trusted?: boolean;
  /** Bytes waiting to be parsed, and bytes waiting to be sent: counted as used memory, shown by CLIENT LIST. */
  inputBytes(): number;
  outputBytes(): number;
  /** How often something came from it, were it an empty line: a replica that is busy lives as long as this grows. */
  readonly inputCount?: number;
  /** Ends the connection: at once, or after what was replied has left. */
  close(when: "now" | "afterReplies"): void;
  /**
   * The reply that the session waits for is there, and the turn is about to end: `session.later.write(reply)` writes it,
   * `session.hold` then says what it waits for, and the session's next command may run; but while `session.later` is not null
   * again (the command was kept waiting by CLIENT PAUSE, and now waits by itself), nothing was written. A client without this method
   * cannot wait: commands that answer later answer an error instead.
   *
   * While it waits, what it sends is kept, within bounds. Should it send nothing more and `later.outlivesInput` be false, it
   * is taken for gone: `later.abandon()`, and its connection ends. No time out is to be had for a client that waits.
   */
  replyReady?(): void;
  /**
   * Something that answers no command of this client: a message, an invalidation. It leaves behind the replies to the
   * commands that have run, the one in hand included, and never within one. `hold` is what it waits for, as a reply does;
   * but when the disk refuses it goes on waiting, while the replies behind it leave.
   *
   * `write` writes the same to every client of a protocol, so it may be called once for all of them. CLIENT REPLY does not
   * silence it. A client without this method cannot subscribe.
   *
   * What waits is not bounded by pausing anybody: a client that has more of it than `FrontendContext.outputLimit` allows is
   * disconnected.
   */
  push?(write: WriteReply, hold: Revision): void;
  /**
   * From now on bytes are sent that are neither replies nor messages: what a replica is fed with. Answers the function that
   * sends them; `onSent` is called as often as all that waited has left. A client without this method can be no replica.
   */
  beginStream?(onSent: () => void): SendBytes;
}

/**
 * Sends bytes[start, end), which wait for nothing, behind all that was replied and sent so far; nothing when the client is
 * gone. They must not change until the client's `outputBytes` is 0. Not to be called while a command of this client runs.
 */
export type SendBytes = (bytes: Buffer, start: number, end: number) => void;

export interface Frontend {
  open(): Promise<void>;
  /** Stops accepting, lets replies leave, closes what it opened. `deadlineMs`: give up politeness after this time. */
  close(deadlineMs: number): Promise<void>;
}
