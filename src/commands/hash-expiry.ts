/**
 * The time that fields of a hash have to live: HEXPIRE and its kin, HTTL and its kin, HPERSIST. Each answers an array with a
 * number per field; a field that is not there, and any of a key that is not there, is -2.
 *
 * Records: the fields whose deadline changed, as HPEXPIREAT or HPERSIST, and those that were over at once as HDEL.
 */
import { MAX_FIELD_DEADLINE_MS } from "../limits.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger } from "./command-error.ts";
import {
  findHash,
  firstField,
  hasField,
  hashesOf,
  readHash,
  recordFieldDeadlines,
  recordRemovedFields,
  removeField,
  tellRemovedFields,
} from "./hash-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { isOver } from "./strings.ts";

const SECOND_MS = 1000;

/** Answers per field. */
const NO_FIELD = -2;
const NO_DEADLINE = -1;
const REFUSED = 0;
const DONE = 1;
const REMOVED = 2;

type Condition = "NX" | "XX" | "GT" | "LT";
const CONDITIONS: readonly Condition[] = ["NX", "XX", "GT", "LT"];

export interface TimeForm {
  readonly unitMs: number;
  readonly isRelative: boolean;
}

/** The moment that argument `index` means. `command` is named in the error. */
export function fieldDeadline(
  session: Session,
  args: Arguments,
  index: number,
  form: TimeForm,
  command: string,
): number {
  const time = args.integer(index);
  if (Number.isNaN(time)) throw notAnInteger();
  if (time < 0) throw new CommandError("ERR", "invalid expire time, must be >= 0");
  const baseMs = form.isRelative ? session.server.keyspace.nowMs : 0;
  const deadlineMs = time * form.unitMs + baseMs;
  if (deadlineMs > MAX_FIELD_DEADLINE_MS) {
    throw new CommandError("ERR", `invalid expire time in '${command}' command`);
  }
  // 0 would mean none.
  return Math.max(deadlineMs, 1);
}

/** Gives the field in argument `index`, which is in `hashes.field`, a deadline, 0: none; answers the entry. */
export function setFieldDeadline(
  session: Session,
  args: Arguments,
  entry: number,
  index: number,
  deadlineMs: number,
): number {
  const { database } = session;
  const { hashes } = database.keyspace.collections;
  const { buffer, start, end } = args;
  return hashes.setDeadline(database, entry, buffer, start[index], end[index], deadlineMs);
}

/** `current`: the deadline there is, 0: none, which counts as never. */
function allows(condition: Condition | undefined, current: number, deadlineMs: number): boolean {
  switch (condition) {
    case "NX":
      return current === 0;
    case "XX":
      return current !== 0;
    case "GT":
      return current !== 0 && deadlineMs > current;
    case "LT":
      return current === 0 || deadlineMs < current;
    default:
      return true;
  }
}

function expireFields(form: TimeForm & { readonly name: string }) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    let entry = findHash(session, args);
    const deadlineMs = fieldDeadline(session, args, 2, form, form.name);
    const condition = CONDITIONS.find((word) => args.is(3, word));
    const at = condition === undefined ? 3 : 4;
    const first = firstField(args, at, "Parameter `numFields` should be greater than 0");
    const changed: number[] = [];
    const over = isOver(session, deadlineMs);
    reply.array(args.count - first);
    for (let i = first; i < args.count; i++) {
      if (!hasField(session, args, entry, i)) reply.integer(NO_FIELD);
      else if (!allows(condition, hashesOf(session).field.deadlineMs, deadlineMs)) {
        reply.integer(REFUSED);
      } else {
        changed.push(i);
        entry = over
          ? removeField(session, args, entry, i)
          : setFieldDeadline(session, args, entry, i, deadlineMs);
        reply.integer(over ? REMOVED : DONE);
      }
    }
    if (over) recordRemovedFields(session, args, changed);
    else recordFieldDeadlines(session, args, changed, deadlineMs);
    if (changed.length === 0) return;
    if (over) tellRemovedFields(session, args, entry);
    else tellKey(session, keyEvents.hexpire, args);
  };
}

/** HTTL and its kin: `answer` makes the number of a deadline. */
function askFields(answer: (deadlineMs: number, nowMs: number) => number) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const entry = readHash(session, args);
    const first = firstField(args, 2);
    reply.array(args.count - first);
    for (let i = first; i < args.count; i++) {
      if (!hasField(session, args, entry, i)) reply.integer(NO_FIELD);
      else {
        const { deadlineMs } = hashesOf(session).field;
        const { nowMs } = session.server.keyspace;
        reply.integer(deadlineMs === 0 ? NO_DEADLINE : answer(deadlineMs, nowMs));
      }
    }
  };
}

/** Redis rounds the seconds of a field up, other than those of a key. */
const inSeconds = (ms: number) => Math.ceil(ms / SECOND_MS);

function hpersist(session: Session, args: Arguments, reply: Reply): void {
  let entry = findHash(session, args);
  const first = firstField(args, 2);
  const changed: number[] = [];
  reply.array(args.count - first);
  for (let i = first; i < args.count; i++) {
    if (!hasField(session, args, entry, i)) reply.integer(NO_FIELD);
    else if (hashesOf(session).field.deadlineMs === 0) reply.integer(NO_DEADLINE);
    else {
      entry = setFieldDeadline(session, args, entry, i, 0);
      changed.push(i);
      reply.integer(DONE);
    }
  }
  recordFieldDeadlines(session, args, changed, 0);
  if (changed.length > 0) tellKey(session, keyEvents.hpersist, args);
}

/** What all commands of this file have in common. */
const FIELD_TIME = {
  group: "hash",
  keys: [1, 1, 1],
  since: "7.4.0",
} as const satisfies Partial<Command>;

function expireCommand(name: string, form: TimeForm, summary: string): Command {
  const unit = form.unitMs === 1 ? "milliseconds" : "seconds";
  const time = form.isRelative ? unit : `unix-time-${unit}`;
  return {
    ...FIELD_TIME,
    name: name.toUpperCase(),
    arity: -6,
    flags: ["write", "denyoom", "fast"],
    summary,
    syntax: `key ${time} [NX | XX | GT | LT] FIELDS numfields field [field ...]`,
    run: expireFields({ ...form, name }),
  };
}

function timeCommand(name: string, summary: string, run: Command["run"]): Command {
  return {
    ...FIELD_TIME,
    name,
    arity: -5,
    flags: ["readonly", "fast"],
    summary,
    syntax: "key FIELDS numfields field [field ...]",
    ...(run && { run }),
  };
}

export const hashExpiryCommands: readonly Command[] = [
  expireCommand(
    "hexpire",
    { unitMs: SECOND_MS, isRelative: true },
    "Lets fields of a hash live for so many seconds from now.",
  ),
  expireCommand(
    "hpexpire",
    { unitMs: 1, isRelative: true },
    "Lets fields of a hash live for so many milliseconds from now.",
  ),
  expireCommand(
    "hexpireat",
    { unitMs: SECOND_MS, isRelative: false },
    "Lets fields of a hash live until a moment in seconds since 1970.",
  ),
  expireCommand(
    "hpexpireat",
    { unitMs: 1, isRelative: false },
    "Lets fields of a hash live until a moment in milliseconds since 1970.",
  ),
  timeCommand(
    "HTTL",
    "Returns the seconds that fields of a hash have to live.",
    askFields((deadlineMs, nowMs) => inSeconds(deadlineMs - nowMs)),
  ),
  timeCommand(
    "HPTTL",
    "Returns the milliseconds that fields of a hash have to live.",
    askFields((deadlineMs, nowMs) => deadlineMs - nowMs),
  ),
  timeCommand(
    "HEXPIRETIME",
    "Returns when fields of a hash expire, in seconds since 1970.",
    askFields(inSeconds),
  ),
  timeCommand(
    "HPEXPIRETIME",
    "Returns when fields of a hash expire, in milliseconds since 1970.",
    askFields((deadlineMs) => deadlineMs),
  ),
  {
    ...FIELD_TIME,
    name: "HPERSIST",
    arity: -5,
    flags: ["write", "fast"],
    summary: "Lets fields of a hash live for ever.",
    syntax: "key FIELDS numfields field [field ...]",
    run: hpersist,
  },
];
