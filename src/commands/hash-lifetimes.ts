/**
 * Fields of a hash together with the time they have to live, as Redis 8 has it: HSETEX sets both, HGETEX reads one and sets
 * the other, HGETDEL reads and removes.
 *
 * Records: HSETEX becomes HSET, HSETEX … PXAT or HSETEX … KEEPTTL without its condition; the others what they did to
 * which fields.
 */
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, shownArgument } from "./command-error.ts";
import { fieldDeadline, setFieldDeadline, type TimeForm } from "./hash-expiry.ts";
import {
  beginRecord,
  findHash,
  firstField,
  hasField,
  hashesOf,
  recordFieldDeadlines,
  recordRemovedFields,
  removeField,
  replyValue,
  setField,
  tellRemovedFields,
} from "./hash-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { wrongArity } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";
import { isOver } from "./strings.ts";

const TIMES: Readonly<Record<string, TimeForm>> = {
  EX: { unitMs: 1000, isRelative: true },
  PX: { unitMs: 1, isRelative: true },
  EXAT: { unitMs: 1000, isRelative: false },
  PXAT: { unitMs: 1, isRelative: false },
};

/** The form of the time whose word is argument `index`. */
function timeForm(args: Arguments, index: number): TimeForm | undefined {
  const word = Object.keys(TIMES).find((name) => args.is(index, name));
  return word === undefined ? undefined : TIMES[word];
}

function hgetdel(session: Session, args: Arguments, reply: Reply): void {
  let entry = findHash(session, args);
  const first = firstField(args, 2);
  const removed: number[] = [];
  reply.array(args.count - first);
  for (let i = first; i < args.count; i++) {
    if (!hasField(session, args, entry, i)) {
      reply.null();
      continue;
    }
    replyValue(hashesOf(session).field, reply);
    entry = removeField(session, args, entry, i);
    removed.push(i);
  }
  recordRemovedFields(session, args, removed);
  if (removed.length > 0) tellRemovedFields(session, args, entry);
}

function hgetex(session: Session, args: Arguments, reply: Reply): void {
  let entry = findHash(session, args);
  const form = timeForm(args, 2);
  const persists = form === undefined && args.is(2, "PERSIST");
  const deadlineMs = form === undefined ? 0 : fieldDeadline(session, args, 3, form, "hgetex");
  const first = firstField(args, form !== undefined ? 4 : persists ? 3 : 2);
  const over = isOver(session, deadlineMs);
  const changed: number[] = [];
  reply.array(args.count - first);
  for (let i = first; i < args.count; i++) {
    if (!hasField(session, args, entry, i)) {
      reply.null();
      continue;
    }
    const { field } = hashesOf(session);
    replyValue(field, reply);
    if (form === undefined && (!persists || field.deadlineMs === 0)) continue;
    changed.push(i);
    entry = over
      ? removeField(session, args, entry, i)
      : setFieldDeadline(session, args, entry, i, deadlineMs);
  }
  if (over) recordRemovedFields(session, args, changed);
  else recordFieldDeadlines(session, args, changed, deadlineMs);
  if (changed.length === 0) return;
  if (over) tellRemovedFields(session, args, entry);
  else tellKey(session, persists ? keyEvents.hpersist : keyEvents.hexpire, args);
}

// ---- HSETEX ----

interface SetOptions {
  condition: "" | "FNX" | "FXX";
  keeps: boolean;
  /** 0: none. */
  deadlineMs: number;
  /** Argument of the first field. */
  first: number;
}

function setOptions(session: Session, args: Arguments): SetOptions {
  const options: SetOptions = { condition: "", keeps: false, deadlineMs: 0, first: 0 };
  for (let i = 2; i < args.count; i++) {
    const form = timeForm(args, i);
    if (args.is(i, "FIELDS")) {
      options.first = firstPair(args, i);
      return options;
    }
    if (args.is(i, "FNX") || args.is(i, "FXX")) setCondition(options, args.is(i, "FNX"));
    else if (form !== undefined) {
      requireNoTime(options);
      if (i + 1 === args.count) throw new CommandError("ERR", "missing expire time");
      options.deadlineMs = fieldDeadline(session, args, ++i, form, "hsetex");
    } else if (args.is(i, "KEEPTTL")) {
      requireNoTime(options);
      options.keeps = true;
    } else {
      throw new CommandError("ERR", `unknown argument: ${shownArgument(args, i)}`);
    }
  }
  throw wrongCount();
}

function setCondition(options: SetOptions, isNew: boolean): void {
  if (options.condition !== "") {
    throw new CommandError("ERR", "Only one of FXX or FNX arguments can be specified");
  }
  options.condition = isNew ? "FNX" : "FXX";
}

function requireNoTime({ deadlineMs, keeps }: SetOptions): void {
  if (deadlineMs === 0 && !keeps) return;
  throw new CommandError(
    "ERR",
    "Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
  );
}

const wrongCount = () => new CommandError("ERR", wrongArity("HSETEX"));

/** Reads `FIELDS count` at argument `at`, which that many pairs must follow. */
function firstPair(args: Arguments, at: number): number {
  if (at >= args.count - 3) throw wrongCount();
  const count = args.integer(at + 1);
  if (!(count >= 1)) throw new CommandError("ERR", "invalid number of fields");
  if (args.count - at - 2 !== 2 * count) throw wrongCount();
  return at + 2;
}

function hsetex(session: Session, args: Arguments, reply: Reply): void {
  const options = setOptions(session, args);
  let entry = findHash(session, args);
  if (!holds(session, args, entry, options)) {
    reply.integer(0);
    return;
  }
  const isNew = entry === 0;
  const over = isOver(session, options.deadlineMs);
  const removed: number[] = [];
  for (let i = options.first; i < args.count; i += 2) {
    if (over) {
      if (!hasField(session, args, entry, i)) continue;
      entry = removeField(session, args, entry, i);
      removed.push(i);
      continue;
    }
    entry = setField(session, args, entry, i, options.keeps);
    if (options.deadlineMs === 0) continue;
    entry = setFieldDeadline(session, args, entry, i, options.deadlineMs);
  }
  if (over) recordRemovedFields(session, args, removed);
  else recordPairs(session, args, options);
  // What is over never appears; to those who listen it seems as in Redis, which sets it and removes it.
  if (over && isNew) tellKey(session, keyEvents.new, args);
  tellKey(session, keyEvents.hset, args);
  if (over) tellRemovedFields(session, args, entry);
  else if (options.deadlineMs !== 0) tellKey(session, keyEvents.hexpire, args);
  reply.integer(1);
}

/** Whether all fields are there (FXX), or none is (FNX). */
function holds(session: Session, args: Arguments, entry: number, options: SetOptions): boolean {
  if (options.condition === "") return true;
  for (let i = options.first; i < args.count; i += 2) {
    if (hasField(session, args, entry, i) !== (options.condition === "FXX")) return false;
  }
  return true;
}

const HSET = Buffer.from("HSET");
const HSETEX = Buffer.from("HSETEX");
const FIELDS = Buffer.from("FIELDS");
const KEEPTTL = Buffer.from("KEEPTTL");
const PXAT = Buffer.from("PXAT");

function recordPairs(session: Session, args: Arguments, options: SetOptions): void {
  const { effects } = session.server;
  const { first, keeps, deadlineMs } = options;
  const words = args.count - first;
  if (!keeps && deadlineMs === 0) beginRecord(session, args, HSET, 2 + words);
  else {
    beginRecord(session, args, HSETEX, (keeps ? 5 : 6) + words);
    const word = keeps ? KEEPTTL : PXAT;
    effects.bytes(word, 0, word.length);
    if (!keeps) effects.integer(deadlineMs);
    effects.bytes(FIELDS, 0, FIELDS.length);
    effects.integer(words / 2);
  }
  for (let i = first; i < args.count; i++) {
    effects.bytes(args.buffer, args.start[i], args.end[i]);
  }
}

/** What all commands of this file have in common. */
const FIELD_LIFETIME = {
  group: "hash",
  keys: [1, 1, 1],
  since: "8.0.0",
} as const satisfies Partial<Command>;

const TIME_SYNTAX =
  "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds";

export const hashLifetimeCommands: readonly Command[] = [
  {
    ...FIELD_LIFETIME,
    name: "HGETDEL",
    arity: -5,
    flags: ["write", "fast"],
    summary: "Returns the values of fields of a hash and removes them.",
    syntax: "key FIELDS numfields field [field ...]",
    run: hgetdel,
  },
  {
    ...FIELD_LIFETIME,
    name: "HGETEX",
    arity: -5,
    flags: ["write", "fast"],
    summary: "Returns the values of fields of a hash and sets or removes their time to live.",
    syntax: `key [${TIME_SYNTAX} | PERSIST] FIELDS numfields field [field ...]`,
    run: hgetex,
  },
  {
    ...FIELD_LIFETIME,
    name: "HSETEX",
    arity: -6,
    flags: ["write", "denyoom", "fast"],
    summary: "Sets fields of a hash and their time to live.",
    syntax: `key [FNX | FXX] [${TIME_SYNTAX} | KEEPTTL] FIELDS numfields field value [field value ...]`,
    run: hsetex,
  },
];
