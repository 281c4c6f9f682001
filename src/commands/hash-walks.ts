/**
 * All fields of a hash: HGETALL, HKEYS, HVALS at once, HSCAN step by step. They are written as they are met; nothing is
 * gathered first. HSCAN's cursor is a place in the order of hashes, as SCAN's is (scan.ts); a small hash is answered whole.
 */
import type { Session } from "../session/session.ts";
import type { HashField } from "../store/hash-field.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { syntaxError } from "./command-error.ts";
import { matchGlob } from "./glob.ts";
import { hashesOf, readHash, replyName, replyValue } from "./hash-value.ts";
import { type Reply, StringRow } from "./reply.ts";
import { patternAt, scanCount, scanCursor } from "./scan.ts";

const row = new StringRow();

function hgetall(session: Session, args: Arguments, reply: Reply): void {
  const entry = readHash(session, args);
  if (entry === 0) {
    reply.map(0);
    return;
  }
  const hashes = hashesOf(session);
  const { walk } = hashes;
  reply.map(hashes.liveCount(session.database, entry));
  row.begin();
  for (walk.begin(session.database, entry); walk.next(); ) {
    addName(walk.field, reply);
    addValue(walk.field, reply);
  }
  row.end(reply);
}

function addName({ bytes, fieldStart, fieldEnd }: HashField, reply: Reply): void {
  row.add(reply, bytes, fieldStart, fieldEnd);
}

function addValue({ bytes, valueStart, valueEnd }: HashField, reply: Reply): void {
  row.add(reply, bytes, valueStart, valueEnd);
}

/** HKEYS and HVALS: `add` takes what is answered of a field. */
function allFields(add: (field: HashField, reply: Reply) => void) {
  return (session: Session, args: Arguments, reply: Reply): void => {
    const entry = readHash(session, args);
    if (entry === 0) {
      reply.array(0);
      return;
    }
    const hashes = hashesOf(session);
    const { walk } = hashes;
    reply.array(hashes.liveCount(session.database, entry));
    row.begin();
    for (walk.begin(session.database, entry); walk.next(); ) add(walk.field, reply);
    row.end(reply);
  };
}

// ---- HSCAN ----

const DEFAULT_COUNT = 10;

interface HashScan {
  count: number;
  /** Argument of the pattern; 0: everything matches. */
  pattern: number;
  withValues: boolean;
}

function hashScan(args: Arguments): HashScan {
  const options = { count: DEFAULT_COUNT, pattern: 0, withValues: true };
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "NOVALUES")) options.withValues = false;
    else if (i + 1 === args.count) throw syntaxError();
    else if (args.is(i, "COUNT")) options.count = scanCount(args, ++i);
    else if (args.is(i, "MATCH")) options.pattern = patternAt(args, ++i);
    else throw syntaxError();
  }
  return options;
}

function hscan(session: Session, args: Arguments, reply: Reply): void {
  const cursor = scanCursor(args, 2);
  const entry = readHash(session, args);
  if (entry === 0) {
    reply.array(2);
    reply.text("0");
    reply.array(0);
    return;
  }
  const { pattern, count, withValues } = hashScan(args);
  const hashes = hashesOf(session);
  const { database } = session;
  const found: number[] = [];
  let next = 0;
  if (!hashes.isBig(entry)) placesOf(session, entry, found);
  // Beyond the last hash there is nothing: such a cursor was never handed out.
  else if (cursor < 2 ** 32) next = hashes.scan(database, entry, cursor, count, found);
  const kept = found.filter((place) => {
    if (pattern === 0) return true;
    hashes.read(entry, place);
    return matches(hashes.field, args, pattern);
  });
  reply.array(2);
  reply.text(String(next));
  reply.array(withValues ? 2 * kept.length : kept.length);
  for (const place of kept) {
    hashes.read(entry, place);
    replyName(hashes.field, reply);
    if (withValues) replyValue(hashes.field, reply);
  }
}

/** Adds the places of all fields, for `Hashes.read`. */
export function placesOf(session: Session, entry: number, found: number[]): void {
  const { walk } = hashesOf(session);
  for (walk.begin(session.database, entry); walk.next(); ) found.push(walk.place);
}

function matches(field: HashField, args: Arguments, pattern: number): boolean {
  const { bytes, fieldStart, fieldEnd } = field;
  const { buffer, start, end } = args;
  return matchGlob(buffer, start[pattern], end[pattern], bytes, fieldStart, fieldEnd);
}

/** What all commands of this file have in common. */
const WALK = {
  flags: ["readonly"],
  group: "hash",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const hashWalkCommands: readonly Command[] = [
  {
    ...WALK,
    name: "HGETALL",
    arity: 2,
    since: "2.0.0",
    summary: "Returns all fields of a hash with their values.",
    syntax: "key",
    run: hgetall,
  },
  {
    ...WALK,
    name: "HKEYS",
    arity: 2,
    since: "2.0.0",
    summary: "Returns all fields of a hash.",
    syntax: "key",
    run: allFields(addName),
  },
  {
    ...WALK,
    name: "HVALS",
    arity: 2,
    since: "2.0.0",
    summary: "Returns the values of all fields of a hash.",
    syntax: "key",
    run: allFields(addValue),
  },
  {
    ...WALK,
    name: "HSCAN",
    arity: -3,
    since: "2.8.0",
    summary: "Returns some fields of a hash and the cursor that continues with the next ones.",
    syntax: "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
    run: hscan,
  },
];
