/**
 * Users, as commands, sessions and the gate ask about them. Who they are and what they may do is src/auth's.
 *
 * Rules, patterns and descriptions are text of bytes: U+0000 to U+00FF, a character for each. Names of users are UTF-8.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Command } from "../commands/command.ts";
import type { Session } from "./session.ts";

/** A command to be judged: `args` from argument `start` on. */
export interface PermissionRequest {
  readonly command: Command;
  readonly args: Arguments;
  readonly start: number;
}

/** What stands in the way of a command. */
export interface Refusal {
  readonly reason: "command" | "key" | "channel";
  /** Which argument it is about; that of the name for the command itself. */
  readonly argument: number;
}

export interface SelectorDescription {
  readonly commands: string;
  readonly keys: string;
  readonly channels: string;
}

export interface AccountDescription {
  readonly flags: readonly string[];
  /** Hex text of their SHA-256. */
  readonly passwords: readonly string[];
  /** The user's own rules, and then those in parentheses. */
  readonly selectors: readonly SelectorDescription[];
}

/** Something that was refused, or several such things of one kind. */
export interface AccessLogEntry {
  readonly count: number;
  readonly reason: Refusal["reason"] | "auth";
  readonly context: AccessContext;
  /** The command, the key, the channel. */
  readonly object: Uint8Array;
  readonly user: string;
  /** When the last one was, in milliseconds since 1970. */
  readonly timeMs: number;
  /** The line of CLIENT LIST then. */
  readonly client: string;
}

/** Where it was refused: by itself, or as part of a transaction. */
export type AccessContext = "toplevel" | "multi";

export interface AccessLog {
  /** From the newest on. */
  readonly entries: readonly AccessLogEntry[];
  clear(): void;
}

export interface Accounts {
  readonly log: AccessLog;
  /** Of the default user, whom a connection is without a word. */
  readonly needsPassword: boolean;
  /** False: there is no such user, it is disabled, or the password is wrong. `word`: the command, for the log. */
  logIn(session: Session, user: string, password: Uint8Array, word: string): boolean;
  /** Whether the session gave a password, or needed none. */
  isAdmitted(session: Session): boolean;
  /** Back to how a new connection begins. */
  dismiss(session: Session): void;
  /** Throws NOPERM, and logs it, when the session's user may not run the command. */
  requirePermission(session: Session, request: PermissionRequest): void;
  /** Whether a command of the session may look at any key, since it finds some that nobody has named. */
  mayReadAllKeys(session: Session, request: PermissionRequest): boolean;

  // ---- administration ----

  /** In the order of their bytes. */
  readonly names: readonly string[];
  /** A line for each, as a file of users has it. */
  readonly lines: readonly Uint8Array[];
  describe(user: string): AccountDescription | undefined;
  /**
   * Makes or changes a user by all the rules or, throwing a CommandError, by none. Connections that subscribe to what it may
   * not any more are closed.
   */
  set(user: string, rules: readonly string[], caller: Session): void;
  /** How many there were; their connections are closed. `caller` gets its reply first. */
  remove(users: readonly string[], caller: Session): number;
  /** Undefined: there is no such user. Null: he may. */
  refusalOf(user: string, request: PermissionRequest): Refusal | null | undefined;
  /** From and to the file of users. They reject with a CommandError; one that does not load changes nothing. */
  load(): Promise<void>;
  save(): Promise<void>;
}
