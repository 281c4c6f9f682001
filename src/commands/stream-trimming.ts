/**
 * The options of XADD and XTRIM that say how much of a stream is to stay: MAXLEN or MINID, exact or by whole nodes, and how much
 * is deleted at once. One object, filled for each command.
 */
import type { Session } from "../session/session.ts";
import { StreamId } from "../store/stream-id.ts";
import type { TrimOptions } from "../store/streams.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { integerAt, readId, readNewId } from "./stream-value.ts";

/** Redis bounds what one command deletes by whole nodes to a hundred of them, whatever their size. */
const NODES_AT_ONCE = 100;
const LIMIT_WITHOUT_NODE_SIZE = 10_000;
const MOST_AT_ONCE = 1_000_000;

export class StreamTrimming implements TrimOptions {
  /** Whether there is anything to trim. */
  isGiven = false;
  length = -1;
  readonly leastId = new StreamId();
  isApproximate = false;
  limit = 0;
  /** XADD: the ID of the new entry, the argument where it stands, and what of it is to be chosen. */
  readonly id = new StreamId();
  idIndex = 0;
  isAutomatic = false;
  isSequenceOpen = false;
  makesStream = true;

  /** Reads what stands before the fields of XADD. */
  readForAdd(session: Session, args: Arguments): void {
    this.#clear();
    const { buffer, start, end } = args;
    for (let i = 2; ; i++) {
      if (i === args.count) {
        this.idIndex = i;
        break;
      }
      if (end[i] - start[i] === 1 && buffer[start[i]] === 42) {
        this.idIndex = i;
        this.isAutomatic = true;
        break;
      }
      const next = this.#readOption(args, i);
      if (next > i) i = next - 1;
      else if (args.is(i, "NOMKSTREAM")) this.makesStream = false;
      else {
        this.isSequenceOpen = readNewId(args, i, this.id);
        this.idIndex = i;
        break;
      }
    }
    this.#settle(session);
  }

  /** Reads the options of XTRIM. */
  readForTrim(session: Session, args: Arguments): void {
    this.#clear();
    for (let i = 2; i < args.count; ) {
      const next = this.#readOption(args, i);
      if (next === i) throw syntaxError();
      i = next;
    }
    if (!this.isGiven && this.limit === 0) {
      throw syntax("XTRIM must be called with a trimming strategy");
    }
    this.#settle(session);
  }

  #clear(): void {
    this.isGiven = false;
    this.length = -1;
    this.isApproximate = false;
    this.limit = 0;
    this.#isLimited = false;
    this.isAutomatic = false;
    this.isSequenceOpen = false;
    this.makesStream = true;
  }

  #isLimited = false;

  /** Where the option at `index` ends; `index` when there is none. */
  #readOption(args: Arguments, index: number): number {
    const more = args.count - 1 - index;
    if (more === 0) return index;
    const isLength = args.is(index, "MAXLEN");
    if (isLength || args.is(index, "MINID")) {
      if (this.isGiven)
        throw syntax("MAXLEN and MINID options at the same time are not compatible");
      this.isGiven = true;
      this.isApproximate = more >= 2 && args.is(index + 1, "~");
      const at =
        more >= 2 && (this.isApproximate || args.is(index + 1, "=")) ? index + 2 : index + 1;
      if (isLength) this.length = natural(args, at, "MAXLEN");
      else readId(args, at, this.leastId);
      return at + 1;
    }
    if (!args.is(index, "LIMIT")) return index;
    this.limit = natural(args, index + 1, "LIMIT");
    this.#isLimited = true;
    return index + 2;
  }

  #settle(session: Session): void {
    if (this.limit !== 0 && !this.isGiven) {
      throw syntax("LIMIT cannot be used without specifying a trimming strategy");
    }
    if (session.origin === "replay" || session.origin === "replica") {
      this.limit = 0;
      return;
    }
    if (this.#isLimited) {
      if (!this.isApproximate) throw syntax("LIMIT cannot be used without the special ~ option");
      return;
    }
    if (!this.isApproximate) return;
    const { streamNodeEntries } = session.database.keyspace.collections.limits;
    const limit = NODES_AT_ONCE * streamNodeEntries;
    this.limit = limit === 0 ? LIMIT_WITHOUT_NODE_SIZE : Math.min(limit, MOST_AT_ONCE);
  }
}

function natural(args: Arguments, index: number, name: string): number {
  const value = integerAt(args, index);
  if (value < 0) throw new CommandError("ERR", `The ${name} argument must be >= 0.`);
  return value;
}

function syntax(text: string): CommandError {
  return new CommandError("ERR", `syntax error, ${text}`);
}
