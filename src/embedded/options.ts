/**
 * What a program may say to `open`, and how it becomes a configuration: the keys of a configuration
 * file under the same rules, and what only a program has: plugins as objects, and a function that
 * takes the lines of the log.
 */
import type { KvdbError } from "../errors.ts";
import { issuesError } from "../kernel/config-issues.ts";
import { unknownKey } from "../kernel/validation.ts";
import type { LogLevel } from "../platform/log.ts";
import type { Plugin } from "../plugin.ts";
import type { IndexOptions } from "./store-types.ts";

/** Options of the built-in write-ahead log. */
export interface WalOptions {
  readonly use: "wal";
  /**
   * `always` (the default): a write resolves when it is on disk. `everysec`: at most the last
   * second is lost. `no`: the operating system decides.
   */
  readonly fsync?: "always" | "everysec" | "no";
  /** Length at which a new file of the log is begun, in bytes. */
  readonly segmentBytes?: number;
  /**
   * Seconds and changes, `"3600 1 300 100"`: a checkpoint is written after so many seconds, if so many changes came.
   * Default: none, for the log keeps each change.
   */
  readonly save?: string | readonly string[];
  /**
   * How much of the log is kept behind a checkpoint, for `changes`: bytes, a size such as `"1gb"`, a time
   * such as `"12h"`. Default: nothing until somebody asks for changes, then `"64mb"`.
   */
  readonly keep?: number | string;
  /** When the log is replaced by a checkpoint, in the background: whichever comes first. */
  readonly compaction?: {
    /** When it is so many times as long as the last checkpoint; 0: never for that. Default: 1. */
    readonly ratio?: number;
    /** A shorter log is left alone by the ratio. Default: 524288. */
    readonly minBytes?: number;
    /** When it is so long, whatever the ratio. */
    readonly maxBytes?: number;
    /** So long after the last checkpoint, when anything was changed. */
    readonly everySeconds?: number;
    /** A cron expression, for when anything was changed: minute hour day month weekday. */
    readonly schedule?: string;
    /** Of the schedule, such as `"Europe/Zurich"`. Default: the system's. */
    readonly timeZone?: string;
  };
  /** Levels of zstd, 0: none. Files of every kind are read. */
  readonly compression?: {
    /** Default: 1. */
    readonly checkpoints?: number;
    /** Of files of the log that are full and are going to stay. Default: 1. */
    readonly segments?: number;
  };
}

/** Options of the built-in file of JSON that is written as a whole. */
export interface JsonSnapshotOptions {
  readonly use: "json-snapshot";
  /** The file. Default: `database.json` in the folder of the data. */
  readonly file?: string;
  /**
   * When it is saved besides at `close`: pairs of seconds and changes, as Redis has them, such as
   * `"60 1000"`; empty: never. Default: `"3600 1 300 100 60 10000"`.
   */
  readonly save?: string | readonly string[];
  /** Seconds after which it is saved, if anything has changed. */
  readonly every?: number;
}

/** Options of the built-in persistence that has Redis's own files. */
export interface AofOptions {
  readonly use: "aof";
  /** Each change is kept; false: only what is saved, as an RDB. Default: true. */
  readonly appendonly?: boolean;
  /** As of the write-ahead log. Default: `always`. */
  readonly fsync?: "always" | "everysec" | "no";
  /**
   * When an RDB is saved: pairs of seconds and changes, such as `"3600 1 300 100"`; empty: only when
   * asked for. Default: none with `appendonly`, else Redis's `"3600 1 300 100 60 10000"`.
   */
  readonly save?: string | readonly string[];
  /** Default: `dump.rdb`. */
  readonly dbfilename?: string;
  /** Default: `appendonlydir`. */
  readonly appenddirname?: string;
  /** Default: `appendonly.aof`. */
  readonly appendfilename?: string;
  /** The base of the append-only file is an RDB; false: commands. Default: true. */
  readonly "aof-use-rdb-preamble"?: boolean;
  /** Redis's annotations with the time. Default: false. */
  readonly "aof-timestamp-enabled"?: boolean;
  /** As of the write-ahead log. */
  readonly keep?: number | string;
  /** When the append-only file is rewritten; as of the write-ahead log. */
  readonly compaction?: WalOptions["compaction"];
  /** Level of zstd for files of the log that are full and are going to stay; 0, the default: none. */
  readonly compression?: number;
  /** Length at which a new file of the log is begun, in bytes. */
  readonly segmentBytes?: number;
}

/** A plugin by name, path or package, or the plugin itself, with its options beside it. */
export interface PluginUse {
  readonly use: string | Plugin<never>;
  readonly [option: string]: unknown;
}

/**
 * The keys of `kvdb.config.json`, and a few that only a program has. No configuration file is
 * looked for and no environment variable is read: nothing around a program changes what it opens.
 */
export interface OpenOptions {
  /** Folder of the data, relative to the current folder; made when missing. Default: `.kvdb`. */
  readonly dir?: string;
  /**
   * `"wal"` (the default) is a write-ahead log, `"aof"` Redis's own files, `"json-snapshot"` a file of
   * JSON that is saved as a whole, `"none"` keeps nothing and needs no folder. A plugin that brings a persistence is named
   * here and listed in `plugins`.
   */
  readonly persistence?:
    | "wal"
    | "aof"
    | "json-snapshot"
    | "none"
    | (string & {})
    | WalOptions
    | AofOptions
    | JsonSnapshotOptions
    | PersistenceUse;
  readonly memory?: {
    /** Bound on used memory: bytes, or a size like `"512mb"`. Default: none. */
    readonly max?: number | string;
    /** Which keys make room for a write that does not fit, as Redis has it. Default: `"noeviction"`. */
    readonly policy?:
      | "noeviction"
      | "allkeys-lru"
      | "allkeys-lfu"
      | "allkeys-random"
      | "volatile-lru"
      | "volatile-lfu"
      | "volatile-random"
      | "volatile-ttl";
    /** Keys that are drawn to choose one from. Default: 5. */
    readonly samples?: number;
    /** How much more rarely the counter of a key's use grows the higher it stands. Default: 10. */
    readonly lfuLogFactor?: number;
    /** Minutes without use that cost the counter one. Default: 1. */
    readonly lfuDecayTime?: number;
  };
  /** Parameters of CONFIG SET that no other option stands for: `{ "hash-max-listpack-entries": 128 }`. */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /**
   * Indexes of the documents by name, made at the start if they are not there yet, as `index.create`
   * makes them. Those of another database than 0 say its number as `database`.
   */
  readonly indexes?: Readonly<Record<string, IndexOptions>>;
  /** Number of databases that `select` can choose from. Default: 16. */
  readonly databases?: number;
  /** Commands and persistences of others: plugin objects, paths, or names of packages. */
  readonly plugins?: readonly (string | Plugin<never> | PluginUse)[];
  /** What kvdb has to tell goes to `write`, a line with its newline at a time. Default: nowhere. */
  readonly log?: {
    readonly level?: LogLevel;
    readonly write?: (line: string) => void;
  };
  /**
   * A configuration file to take the other keys from; those that are given here win. Its frontends
   * are not started: nobody is let in but this program.
   */
  readonly config?: string;
  /** Keep every intact record of a damaged folder instead of refusing it. */
  readonly recover?: boolean;
}

export interface PersistenceUse {
  readonly use: string & {};
  readonly [option: string]: unknown;
}

export interface ReadOptions {
  /** The keys of a configuration file; plugins that are objects are named. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The plugins behind these names. */
  readonly givenPlugins: ReadonlyMap<string, unknown>;
  readonly configFile: string | undefined;
  readonly recover: boolean;
  writeLog(line: string): void;
}

const KEYS: readonly (keyof OpenOptions)[] = [
  "dir",
  "persistence",
  "memory",
  "databases",
  "indexes",
  "parameters",
  "plugins",
  "log",
  "config",
  "recover",
];

/** Judges what no schema does: the rest is the configuration's to judge. */
export function readOptions(given: string | OpenOptions): ReadOptions {
  if (typeof given === "string") given = { dir: given };
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw fault("", `expected a folder or an object of options, found ${kindOf(given)}`);
  }
  const unknown = Object.keys(given).filter((key) => !(KEYS as readonly string[]).includes(key));
  if (unknown.length > 0) {
    throw issuesError(
      unknown.map((key) => ({ place: PLACE, path: key, message: unknownKey(key, KEYS) })),
    );
  }
  const { config, recover, log, plugins, ...rest } = given;
  const givenPlugins = new Map<string, unknown>();
  const options: Record<string, unknown> = withoutUndefined(rest);
  if (plugins !== undefined) options["plugins"] = namePlugins(plugins, givenPlugins);
  const { write, ...logOptions } = isObject(log) ? log : {};
  if (log !== undefined) options["log"] = isObject(log) ? withoutUndefined(logOptions) : log;
  return {
    options,
    givenPlugins,
    configFile: checked("config", config, "a string", typeof config === "string"),
    recover: checked("recover", recover, "true or false", typeof recover === "boolean") ?? false,
    writeLog: checked("log.write", write, "a function", typeof write === "function") ?? (() => {}),
  };
}

const PLACE = "open()";

function fault(path: string, message: string): KvdbError {
  return issuesError([{ place: PLACE, path, message }]);
}

function checked<Value>(path: string, value: Value, expected: string, isRight: boolean): Value {
  if (value === undefined || isRight) return value;
  throw fault(path, `expected ${expected}, found ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;
}

/** For a program `{ dir: undefined }` says nothing; for a schema it would be a wrong value. */
function withoutUndefined(options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Puts a name in the place of each plugin that is an object: a configuration is JSON. */
function namePlugins(plugins: unknown, given: Map<string, unknown>): unknown {
  if (!Array.isArray(plugins)) return plugins; // the schema says what is wrong with it
  return plugins.map((entry, index) => {
    if (!isObject(entry)) return entry;
    if (!("use" in entry)) return nameOf(entry, index, given);
    const { use } = entry;
    return isObject(use) ? { ...entry, use: nameOf(use, index, given) } : entry;
  });
}

/** No package and no path is called so. */
function nameOf(plugin: object, index: number, given: Map<string, unknown>): string {
  const own = (plugin as { name?: unknown }).name;
  const name = `${typeof own === "string" ? own : "unnamed"} (object ${index})`;
  given.set(name, plugin);
  return name;
}

function isObject<Value>(value: Value): value is Value & object {
  return typeof value === "object" && value !== null;
}
