/**
 * Commands that go over the keys of a database: KEYS, SCAN, RANDOMKEY. SCAN's cursor is a place in the order of hashes
 * (Dictionary.scan), so a key that stays is found whatever comes and goes meanwhile, and any number is a valid cursor.
 */
import { boundsOfPrefix, type KeyOrder } from "../session/key-order.ts";
import type { Session } from "../session/session.ts";
import { type Arena, CHUNK_SHIFT } from "../store/arena.ts";
import { eachEntry, randomEntry, scanEntries } from "../store/database-walk.ts";
import { keyAt, keySize, TYPE_NAMES, typeOf } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import { isLiteral, matchGlob, prefixOfMatches } from "./glob.ts";
import type { Reply } from "./reply.ts";

const DEFAULT_COUNT = 10;
/** So many keys may be among which the matches are, for one reply of SCAN that has them all. */
const MANY_MATCHES = 1000;
/** Types of a filter besides those of entry.ts. */
const ANY_TYPE = -1;
const NO_TYPE = -2;

export function replyKey(arena: Arena, entry: number, reply: Reply): void {
  const at = keyAt(arena, entry);
  reply.bulk(arena.bytes[entry >>> CHUNK_SHIFT], at, at + keySize(arena, entry));
}

/** Whether the entry's key matches the pattern in argument `pattern`; 0: no pattern, everything does. */
export function matches(arena: Arena, entry: number, args: Arguments, pattern: number): boolean {
  if (pattern === 0) return true;
  const at = keyAt(arena, entry);
  const end = at + keySize(arena, entry);
  const bytes = arena.bytes[entry >>> CHUNK_SHIFT];
  return matchGlob(args.buffer, args.start[pattern], args.end[pattern], bytes, at, end);
}

/** As Redis: "*" alone stands for no pattern (it does not match the empty key as a pattern). */
export function patternAt(args: Arguments, index: number): number {
  return args.is(index, "*") ? 0 : index;
}

function keys(session: Session, args: Arguments, reply: Reply): void {
  const database = session.database;
  const found: number[] = [];
  if (isLiteral(args.buffer, args.start[1], args.end[1])) {
    const entry = database.find(args.buffer, args.start[1], args.end[1]);
    if (entry !== 0) found.push(entry);
  } else {
    const pattern = patternAt(args, 1);
    const keep = (entry: number) => {
      if (matches(database.arena, entry, args, pattern)) found.push(entry);
      return true;
    };
    const order = orderOfMatches(session, args, pattern);
    if (order !== undefined) order.walk(false, keep);
    else {
      eachEntry(database, keep);
      database.keyspace.statistics.examined += database.size;
    }
  }
  reply.array(found.length);
  for (const entry of found) replyKey(database.arena, entry, reply);
}

/** The keys among which all matches are, in order; undefined: no index has them, or they are all keys anyway. */
function orderOfMatches(session: Session, args: Arguments, pattern: number): KeyOrder | undefined {
  if (pattern === 0) return undefined;
  const prefix = prefixOfMatches(args.buffer, args.start[pattern], args.end[pattern]);
  if (prefix.length === 0) return undefined;
  return session.server.keyOrder(session.database, boundsOfPrefix(prefix));
}

function randomKey(session: Session, _args: Arguments, reply: Reply): void {
  const entry = randomEntry(session.database);
  if (entry === 0) reply.null();
  else replyKey(session.database.arena, entry, reply);
}

interface ScanOptions {
  count: number;
  pattern: number;
  type: number;
}

function scanOptions(args: Arguments): ScanOptions {
  const options = { count: DEFAULT_COUNT, pattern: 0, type: ANY_TYPE };
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "COUNT")) options.count = scanCount(args, i + 1);
    else if (args.is(i, "MATCH")) options.pattern = patternAt(args, i + 1);
    else if (args.is(i, "TYPE")) options.type = typeNamed(args, i + 1);
    else throw syntaxError();
  }
  return options;
}

/** Argument `index` as COUNT takes it. */
export function scanCount(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (Number.isNaN(count)) throw notAnInteger();
  if (count < 1) throw syntaxError();
  return count;
}

function typeNamed(args: Arguments, index: number): number {
  const type = TYPE_NAMES.findIndex((name) => args.is(index, name.toUpperCase()));
  return type < 0 ? NO_TYPE : type;
}

/**
 * As strtoul reads a C string for Redis: nothing is 0, a sign is allowed, a negative number wraps around in 64 bits.
 */
export function scanCursor(args: Arguments, index: number): number {
  const text = args.latin(index).split("\0", 1)[0] as string;
  if (text === "") return 0;
  const [, sign, digits] = /^([+-]?)(\d+)$/.exec(text) ?? [];
  const magnitude = digits === undefined ? 2n ** 64n : BigInt(digits);
  if (magnitude >= 2n ** 64n) throw new CommandError("ERR", "invalid cursor");
  return Number(BigInt.asUintN(64, sign === "-" ? -magnitude : magnitude));
}

/**
 * Answers the next cursor. Where an index of keys says that all matches are few, the first step has them all; otherwise, and
 * once the walk by hashes has begun, it goes on as SCAN does.
 */
function scanStep(
  session: Session,
  args: Arguments,
  cursor: number,
  { count, pattern }: ScanOptions,
  found: number[],
): number {
  const { database } = session;
  const order = cursor === 0 ? orderOfMatches(session, args, pattern) : undefined;
  if (order !== undefined && order.count <= Math.max(count, MANY_MATCHES)) {
    order.walk(false, (entry) => found.push(entry) > 0);
    return 0;
  }
  // Beyond the last hash there is nothing: such a cursor was never handed out.
  if (cursor >= 2 ** 32) return 0;
  const next = scanEntries(database, cursor, count, found);
  database.keyspace.statistics.examined += found.length;
  return next;
}

function scan(session: Session, args: Arguments, reply: Reply): void {
  const cursor = scanCursor(args, 1);
  const options = scanOptions(args);
  const database = session.database;
  const arena = database.arena;
  const found: number[] = [];
  const next = scanStep(session, args, cursor, options, found);
  const kept = found.filter(
    (entry) =>
      (options.type === ANY_TYPE || options.type === typeOf(arena, entry)) &&
      matches(arena, entry, args, options.pattern),
  );
  reply.array(2);
  reply.text(String(next));
  reply.array(kept.length);
  for (const entry of kept) replyKey(arena, entry, reply);
}

export const scanCommands: readonly Command[] = [
  {
    name: "KEYS",
    arity: 2,
    flags: ["readonly"],
    group: "generic",
    since: "1.0.0",
    summary: "Returns all keys that match a pattern.",
    syntax: "pattern",
    run: keys,
  },
  {
    name: "SCAN",
    arity: -2,
    flags: ["readonly"],
    group: "generic",
    since: "2.8.0",
    summary: "Returns some of the keys and the cursor that continues with the next ones.",
    syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
    run: scan,
  },
  {
    name: "RANDOMKEY",
    arity: 1,
    flags: ["readonly"],
    group: "generic",
    since: "1.0.0",
    summary: "Returns a random key.",
    syntax: "",
    run: randomKey,
  },
];
