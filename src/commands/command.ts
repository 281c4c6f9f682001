/**
 * A command is data plus one synchronous function. The table of all commands feeds the gate (arity, permission, state),
 * COMMAND and its kin, help and completion, and the README's table. See table.ts for the look-up by bytes.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Reply } from "./reply.ts";

/** Redis's flags, as COMMAND answers them. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "fast"
  | "loading"
  | "stale"
  | "noauth"
  | "noscript"
  | "no_multi"
  | "no_async_loading"
  | "blocking"
  | "allow_busy"
  | "skip_slowlog"
  | "movablekeys"
  | "pubsub";

export type CommandGroup =
  | "string"
  | "bitmap"
  | "list"
  | "set"
  | "hash"
  | "sorted-set"
  | "geo"
  | "hyperloglog"
  | "stream"
  | "json"
  | "generic"
  | "transactions"
  | "pubsub"
  | "connection"
  | "server"
  | "value"
  | "index"
  | "plugin";

/** Where the keys stand: first, last (negative: from the end), step. */
export type KeyPositions = readonly [first: number, last: number, step: number];

/** Options whose value is a key that is written: `STORE destination`. The other keys are only read then. */
export interface KeyAfter {
  /** Each has its own key: the argument behind the first such word that is not the last argument. */
  readonly words: readonly string[];
  /** The index from which on they are looked for. */
  readonly from: number;
  /**
   * Other options, with the number of their values, where a value may be one of the words (`BY store`): these are passed
   * over, and the last key counts.
   */
  readonly passing?: Readonly<Record<string, number>>;
}

/** An option with a value; it becomes two arguments behind all others: `--ttl 2s` becomes `PX 2000`. */
export interface CommandOption {
  /** `ttl` for `--ttl`. */
  readonly name: string;
  /** A duration is written `500ms`, `2s`, `5m`, `12h`, `7d` and sent in milliseconds. */
  readonly value: "duration";
  /** The word that the command takes. */
  readonly sends: string;
  readonly summary: string;
}

/** What is known of a command: all but what it does. */
export interface CommandInfo {
  /** In upper case; a subcommand is `CLIENT|KILL`. */
  readonly name: string;
  /** How many arguments, the name included (and the subcommand's); negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly group: CommandGroup;
  readonly keys?: KeyPositions;
  /** Index of an argument that says how many keys follow it. */
  readonly keysCountedAt?: number;
  /** From this index on a word is looked for; the first half of what follows it are keys. */
  readonly keysBehind?: { readonly word: string; readonly from: number };
  readonly keyAfter?: KeyAfter;
  /** Options make names of keys out of the content of others: no argument tells them. */
  readonly keysByContent?: true;
  /** Redis's version that brought it; kvdb's own commands say `kvdb 0.1.0`. */
  readonly since: string;
  readonly summary: string;
  /**
   * What follows the name, in the notation of Redis's documentation: `key value [NX | XX] [GET] [EX seconds | KEEPTTL]`,
   * `key [key ...]`. Help, hints and COMMAND DOCS are made of it.
   */
  readonly syntax: string;
  /** Options for people (command line, script, shell), beside the command's own words: `--ttl 2s`. */
  readonly options?: readonly CommandOption[];
  /** What a person is asked before it runs, because it takes away more than one key: `Delete all keys …?`. */
  readonly asks?: string;
}

export type Run = (session: Session, args: Arguments, reply: Reply) => void;

/** Where a command reads values of keys that none of its arguments names. */
export interface ReadPrefix {
  /** What all of them begin with; empty: it may be any key. */
  readonly bytes: Uint8Array;
  /** The argument that says so, or the command's name: what a refusal is about. */
  readonly argument: number;
}

export interface Command extends CommandInfo {
  /**
   * Of one that reads values of keys which no argument names: what they begin with, in a command whose name is argument
   * `start`. A user that may not read all those keys may not run it. Undefined: there are none.
   */
  readonly readsUnder?: (args: Arguments, start: number) => ReadPrefix | undefined;
  /** It may answer later where `session.mayWait`, and answers at once where nobody can wait. */
  readonly mayAnswerLater?: true;
  /** Absent for a container, whose subcommands are commands of their own; COMMAND alone has both. */
  readonly run?: Run;
}
