/**
 * The options of SET and GETEX: when to write, what to answer, how long the key lives. One object is filled again for
 * each command, so that SET … EX allocates nothing; what it says holds until the next command.
 *
 * Redis's rules (parseExtendedStringArgumentsOrReply): of NX, XX, IFEQ, IFVERSION one may stand, of EX, PX, EXAT, PXAT, KEEPTTL,
 * PERSIST one; the same one twice is allowed, and the last time counts. IFTOKEN may stand beside all of them.
 */
import { MAX_DEADLINE_MS } from "../limits.ts";
import type { Session } from "../session/session.ts";
import { type Database, KEEP_DEADLINE } from "../store/database.ts";
import { versionOf } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";

/** Conditions. */
export const ALWAYS = 0;
export const IF_MISSING = 1;
export const IF_PRESENT = 2;
export const IF_EQUAL = 3;
export const IF_VERSION = 4;

/** What is said of the deadline: nothing, KEEPTTL, PERSIST, or a time; bits of a time say how it is counted. */
const NOTHING = 0;
const KEEP = 1;
const PERSIST = 2;
const TIME = 4;
export const IN_SECONDS = TIME | 8;
export const IN_MILLISECONDS = TIME;
const AT_SECONDS = TIME | 8 | 16;
export const AT_MILLISECONDS = TIME | 16;

export class StringOptions {
  condition = ALWAYS;
  /** Argument to compare with, for IF_EQUAL and IF_VERSION. */
  comparison = 0;
  /** Argument with the token of the lock that must be held; 0: none need be. */
  token = 0;
  /** Answer the old value. */
  get = false;
  #lifetime = NOTHING;
  /** Argument that holds the time. */
  #time = 0;

  /** Reads SET's options, from argument 3 on. */
  readForSet(args: Arguments): void {
    this.#clear();
    for (let i = 3; i < args.count; i++) {
      if (args.is(i, "NX")) this.#setCondition(IF_MISSING);
      else if (args.is(i, "XX")) this.#setCondition(IF_PRESENT);
      else if (args.is(i, "GET")) this.get = true;
      else if (args.is(i, "KEEPTTL")) this.#setLifetime(KEEP);
      else if (args.is(i, "IFEQ") && i + 1 < args.count && this.condition === ALWAYS) {
        this.condition = IF_EQUAL;
        this.comparison = ++i;
      } else if (this.#readOwn(args, i)) i++;
      else i = this.#readTime(args, i);
    }
  }

  /** kvdb's own conditions, with their argument behind them. False: argument i is none. */
  #readOwn(args: Arguments, i: number): boolean {
    if (i + 1 === args.count) return false;
    if (args.is(i, "IFTOKEN") && this.token === 0) {
      this.token = i + 1;
      return true;
    }
    if (!args.is(i, "IFVERSION") || this.condition !== ALWAYS) return false;
    const version = args.integer(i + 1);
    if (Number.isNaN(version) || version < 0) throw notAnInteger();
    this.condition = IF_VERSION;
    this.comparison = i + 1;
    return true;
  }

  /** Reads GETEX's options, from argument 2 on. */
  readForGetex(args: Arguments): void {
    this.#clear();
    for (let i = 2; i < args.count; i++) {
      if (args.is(i, "PERSIST")) this.#setLifetime(PERSIST);
      else i = this.#readTime(args, i);
    }
  }

  /** Reads those of VALUE.SET, from argument 3 on: SET's without GET and IFEQ, which are about bytes. */
  readForValue(args: Arguments): void {
    this.#clear();
    for (let i = 3; i < args.count; i++) {
      if (args.is(i, "NX")) this.#setCondition(IF_MISSING);
      else if (args.is(i, "XX")) this.#setCondition(IF_PRESENT);
      else if (args.is(i, "KEEPTTL")) this.#setLifetime(KEEP);
      else if (this.#readOwn(args, i)) i++;
      else i = this.#readTime(args, i);
    }
  }

  /** What is recorded must not ask again: the outcome is recorded in the place of the arguments. */
  get hasOwnCondition(): boolean {
    return this.condition === IF_VERSION || this.token !== 0;
  }

  /** Whether the condition about the revision of the last change holds for the entry (0: none, which is revision 0). */
  fitsVersion({ arena }: Database, args: Arguments, entry: number): boolean {
    return args.integer(this.comparison) === (entry === 0 ? 0 : versionOf(arena, entry));
  }

  #clear(): void {
    this.condition = ALWAYS;
    this.token = 0;
    this.get = false;
    this.#lifetime = NOTHING;
  }

  #setCondition(condition: number): void {
    if (this.condition !== ALWAYS && this.condition !== condition) throw syntaxError();
    this.condition = condition;
  }

  #setLifetime(lifetime: number): void {
    if (this.#lifetime !== NOTHING && this.#lifetime !== lifetime) throw syntaxError();
    this.#lifetime = lifetime;
  }

  /** EX, PX, EXAT or PXAT at argument i, with its time behind it. Answers the time's place. */
  #readTime(args: Arguments, i: number): number {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "EX")) this.#setLifetime(IN_SECONDS);
    else if (args.is(i, "PX")) this.#setLifetime(IN_MILLISECONDS);
    else if (args.is(i, "EXAT")) this.#setLifetime(AT_SECONDS);
    else if (args.is(i, "PXAT")) this.#setLifetime(AT_MILLISECONDS);
    else throw syntaxError();
    this.#time = i + 1;
    return i + 1;
  }

  get keepsDeadline(): boolean {
    return this.#lifetime === KEEP;
  }

  get persists(): boolean {
    return this.#lifetime === PERSIST;
  }

  get hasTime(): boolean {
    return (this.#lifetime & TIME) !== 0;
  }

  /** The deadline for `put`: 0 none, KEEP_DEADLINE, or milliseconds since 1970. `command` is named in the error. */
  deadline(session: Session, args: Arguments, command: string): number {
    if (this.#lifetime === KEEP) return KEEP_DEADLINE;
    if ((this.#lifetime & TIME) === 0) return 0;
    return deadlineFrom(session, args, this.#time, this.#lifetime, command);
  }
}

/** Milliseconds since 1970 that argument `index` means; Redis takes nothing that is not positive. */
export function deadlineFrom(
  session: Session,
  args: Arguments,
  index: number,
  lifetime: number,
  command: string,
): number {
  const time = args.integer(index);
  if (Number.isNaN(time)) throw notAnInteger();
  const isAbsolute = (lifetime & 16) !== 0;
  const timeMs = (lifetime & 8) !== 0 ? time * 1000 : time;
  const deadlineMs = isAbsolute ? timeMs : timeMs + session.server.keyspace.nowMs;
  if (time <= 0 || deadlineMs > MAX_DEADLINE_MS) {
    throw new CommandError("ERR", `invalid expire time in '${command}' command`);
  }
  return deadlineMs;
}
