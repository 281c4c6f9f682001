/**
 * The one table of failures that are the user's or the disk's, with their exit codes, and the error that carries
 * them. A broken invariant is not here: that is `assert`, and the process ends. README's error table is kept equal to
 * this one by a test.
 */

/** What went wrong, how the process exits on it (sysexits.h where it has a word), and what the user can do. */
export const errorTable = {
  COMMAND: {
    exit: 1,
    meaning: "a command answered with an error",
    remedy: "read the message; nothing was changed",
  },
  USAGE: {
    exit: 2,
    meaning: "unknown command or option, wrong number of arguments",
    remedy: "`kvdb --help`",
  },
  DAMAGE: {
    exit: 65,
    meaning: "data that was durable cannot be read any more",
    remedy: "`kvdb check` tells all of it; `kvdb check --repair` keeps every intact record",
  },
  UNAVAILABLE: {
    exit: 69,
    meaning: "a port or socket is taken, or a server cannot be reached",
    remedy: "choose another port; check address and server",
  },
  INTERNAL: {
    exit: 70,
    meaning: "a defect of kvdb or of a plugin",
    remedy: "please report it with the message",
  },
  IO: {
    exit: 74,
    meaning: "the disk or the operating system refused",
    remedy: "see the cause in the message",
  },
  HELD: {
    exit: 75,
    meaning: "another process holds the data folder",
    remedy: "the message names its pid",
  },
  PERMISSION: {
    exit: 77,
    meaning: "no permission for the data folder",
    remedy: "check owner and mode",
  },
  CONFIG: {
    exit: 78,
    meaning:
      "the configuration is wrong, a plugin is missing or the folder belongs to another persistence",
    remedy:
      "the message names file, key, what was expected and the nearest valid name; " +
      "`kvdb convert` changes the persistence",
  },
} as const satisfies Record<string, { exit: number; meaning: string; remedy: string }>;

export type ErrorCode = keyof typeof errorTable;

/** A failure that a user can act on. `cause` keeps what was below; `prefix` says on the way up where it happened. */
export class KvdbError extends Error {
  readonly code: ErrorCode;
  /** With code COMMAND: the word that the command's error reply begins with, such as `WRONGTYPE`. */
  declare readonly reply?: string;
  /** Of a filter, a path or an order that is wrong: which character of it, from 1. */
  declare readonly column?: number;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; reply?: string }) {
    super(message, options);
    this.name = "KvdbError";
    this.code = code;
    if (options?.reply !== undefined) this.reply = options.reply;
  }

  /** The same failure with the place put in front: `opening persistence "wal": …`. */
  prefix(place: string): KvdbError {
    const message = `${place}: ${this.message}`;
    const reply = this.reply === undefined ? {} : { reply: this.reply };
    return new KvdbError(this.code, message, { cause: this, ...reply });
  }
}

/**
 * Records from `from` on were asked for, and those before `oldest` are gone: whoever follows the changes must begin anew,
 * with all data.
 */
export function logGap(from: number, oldest: number): KvdbError {
  const message = `the log does not reach back to revision ${from}: the oldest that can be asked for is ${oldest}`;
  return new KvdbError("COMMAND", message, { reply: "LOGGAP" });
}

/** Anything thrown, as a KvdbError: a stranger's exception becomes INTERNAL with its message and cause. */
export function asKvdbError(thrown: unknown, code: ErrorCode = "INTERNAL"): KvdbError {
  if (thrown instanceof KvdbError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new KvdbError(code, message, { cause: thrown });
}
