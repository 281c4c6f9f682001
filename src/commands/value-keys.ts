/**
 * VALUE.KEYS: a step of a walk over the keys of a database, which is what `list` of the shell and of the
 * command line sends. As SCAN, with what an ordered list wants on top: a plain prefix in which no
 * character is special, keys between two of them alone, and of each step only the first keys in byte
 * order, since whoever wants the first ten of all needs no more than ten of each step.
 *
 * Where an index has the keys in order, the first step has the first keys of all and is the last one, and
 * none but these are looked at. An index may come and go between two steps: a cursor says where in either
 * way the walk is.
 */
import {
  ALL_KEYS,
  boundsOfPrefix,
  isWithin,
  type KeyBounds,
  type KeyOrder,
  within,
} from "../session/key-order.ts";
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { scanEntries } from "../store/database-walk.ts";
import { keyAt, keySize } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import { matches, patternAt, replyKey } from "./scan.ts";
import { bytesOf } from "./string-value.ts";

/** Entries looked at by one call: some 2 ms by hashes, 10 ms in order. */
const MAX_EXAMINED = 8192;
/** Entries asked for at a time: about a segment. */
const STEP = 512;
const HASHES = 2 ** 32;

interface Step {
  readonly place: Place;
  /** Place of the argument; 0: none. */
  readonly pattern: number;
  readonly bounds: KeyBounds;
  readonly isReverse: boolean;
  /** Most keys of the answer. */
  readonly first: number;
}

/** Where a walk goes on: cursor `hash`, or `hash@key` with the key in hex once it went in order. */
interface Place {
  readonly hash: number;
  /** Only keys behind it, in the direction of the walk. */
  readonly after: Buffer | null;
}

function valueKeys(session: Session, args: Arguments, reply: Reply): void {
  const step = readStep(args);
  const { bounds, place } = step;
  const isAll = bounds.low === null && bounds.high === null && !Number.isFinite(step.first);
  // All keys are found faster by their hashes, and a walk by hashes ends as it began.
  const asksOrder = !isAll && place.hash === 0;
  const order = asksOrder ? session.server.keyOrder(session.database, bounds) : undefined;
  if (order !== undefined) stepInOrder(session, args, reply, step, order);
  else stepByHash(session, args, reply, step);
}

/** The first keys of all, and a place behind them if it took too many to find them. */
function stepInOrder(
  session: Session,
  args: Arguments,
  reply: Reply,
  { pattern, first, isReverse }: Step,
  order: KeyOrder,
): void {
  const { database } = session;
  const { arena } = database;
  const kept: number[] = [];
  let examined = 0;
  let last: Buffer | null = null;
  order.walk(isReverse, (entry) => {
    if (matches(arena, entry, args, pattern)) kept.push(entry);
    if (kept.length === first) return false;
    if (++examined < MAX_EXAMINED) return true;
    last = Buffer.from(keyBytes(database, entry));
    return false;
  });
  answer(session, reply, { hash: 0, after: last }, kept);
}

function stepByHash(session: Session, args: Arguments, reply: Reply, step: Step): void {
  const { database } = session;
  const { pattern, bounds, first, place } = step;
  const found: number[] = [];
  const kept: number[] = [];
  let { hash } = place;
  for (let examined = 0; hash < HASHES && examined < MAX_EXAMINED; examined += STEP) {
    const next = scanEntries(database, hash, STEP, found);
    hash = next === 0 ? HASHES : next;
    database.keyspace.statistics.examined += found.length;
    for (const entry of found) {
      const fits = isWithin(keyBytes(database, entry), bounds);
      if (fits && matches(database.arena, entry, args, pattern)) kept.push(entry);
    }
  }
  const isEnd = hash === HASHES;
  const shown = kept.length > first ? firstOf(database, kept, step) : kept;
  answer(session, reply, isEnd ? END : { hash, after: place.after }, shown);
}

const END: Place = { hash: 0, after: null };

function answer(session: Session, reply: Reply, { hash, after }: Place, entries: number[]): void {
  reply.array(2);
  reply.text(after === null ? String(hash) : `${hash}@${after.toString("hex")}`);
  reply.array(entries.length);
  for (const entry of entries) replyKey(session.database.arena, entry, reply);
}

function readStep(args: Arguments): Step {
  let place = END;
  let pattern = 0;
  let bounds = ALL_KEYS;
  let first = Number.POSITIVE_INFINITY;
  let isReverse = false;
  for (let i = 1; i < args.count; i += 2) {
    if (args.is(i, "REV")) {
      isReverse = true;
      i--;
      continue;
    }
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "CURSOR")) place = placeAt(args, i + 1);
    else if (args.is(i, "MATCH")) pattern = patternAt(args, i + 1);
    else if (args.is(i, "FIRST")) first = countAt(args, i + 1);
    else bounds = within(bounds, boundsAt(args, i));
  }
  if (place.after !== null) bounds = within(bounds, behind(place.after, isReverse));
  return { place, pattern, bounds, first, isReverse };
}

/** What the word at `index` says with the key behind it. */
function boundsAt(args: Arguments, index: number): KeyBounds {
  const key = Buffer.from(args.bytes(index + 1));
  if (args.is(index, "PREFIX")) return boundsOfPrefix(key);
  if (args.is(index, "AFTER")) return behind(key, false);
  if (args.is(index, "BEFORE")) return behind(key, true);
  if (args.is(index, "FROM")) return { ...ALL_KEYS, low: key };
  if (args.is(index, "UPTO")) return { ...ALL_KEYS, high: key };
  throw syntaxError();
}

function behind(key: Buffer, isReverse: boolean): KeyBounds {
  return isReverse
    ? { ...ALL_KEYS, high: key, includesHigh: false }
    : { ...ALL_KEYS, low: key, includesLow: false };
}

function countAt(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (Number.isNaN(count)) throw notAnInteger();
  if (count < 1) throw new CommandError("ERR", "FIRST must be at least 1");
  return count;
}

function placeAt(args: Arguments, index: number): Place {
  const text = args.latin(index);
  const [, hash = "", key] = /^(\d{1,10})(?:@((?:[\da-f]{2})*))?$/.exec(text) ?? [];
  if (hash === "" || Number(hash) >= HASHES) throw new CommandError("ERR", "invalid cursor");
  return { hash: Number(hash), after: key === undefined ? null : Buffer.from(key, "hex") };
}

function firstOf(database: Database, entries: number[], { first, isReverse }: Step): number[] {
  const direction = isReverse ? -1 : 1;
  const keyed = entries.map((entry) => ({ entry, key: keyBytes(database, entry) }));
  keyed.sort((one, other) => direction * Buffer.compare(one.key, other.key));
  return keyed.slice(0, first).map(({ entry }) => entry);
}

/** A view, good until the next change. */
function keyBytes({ arena }: Database, entry: number): Buffer {
  const at = keyAt(arena, entry);
  return bytesOf(arena, entry).subarray(at, at + keySize(arena, entry));
}

export const valueKeysCommands: readonly Command[] = [
  {
    name: "VALUE.KEYS",
    arity: -1,
    flags: ["readonly"],
    group: "value",
    since: "kvdb 0.1.0",
    summary: "Returns some of the keys, or the first of those, and the cursor that continues.",
    syntax:
      "[CURSOR cursor] [MATCH pattern] [PREFIX prefix] [FROM key] [AFTER key] [UPTO key] [BEFORE key] [REV] [FIRST count]",
    run: valueKeys,
  },
];
