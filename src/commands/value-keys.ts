/**
 * VALUE.KEYS: a step of a walk over the keys of a database, which is what `list` of the shell and of the
 * command line sends. As SCAN, with what an ordered list wants on top: a plain prefix in which no
 * character is special, keys behind a given one alone, and of each step only the first keys in byte
 * order, since whoever wants the first ten of all needs no more than ten of each step.
 */
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { keyAt, keySize } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import { matches, patternAt, replyKey } from "./scan.ts";
import { bytesOf } from "./string-value.ts";

/** Entries looked at by one call: some 2 ms. */
const MAX_EXAMINED = 8192;
/** Entries asked for at a time: about a segment. */
const STEP = 512;
const HASHES = 2 ** 32;

/** Places of arguments are 0 when they are not given. */
interface Step {
  cursor: number;
  pattern: number;
  prefix: number;
  after: number;
  /** Most keys of the answer. */
  first: number;
}

function valueKeys(session: Session, args: Arguments, reply: Reply): void {
  const step = readStep(args);
  const { database } = session;
  const found: number[] = [];
  let kept: number[] = [];
  let { cursor } = step;
  for (let examined = 0; cursor < HASHES && examined < MAX_EXAMINED; examined += STEP) {
    const next = database.scan(cursor, STEP, found);
    cursor = next === 0 ? HASHES : next;
    for (const entry of found) if (fits(database, entry, args, step)) kept.push(entry);
  }
  if (kept.length > step.first) kept = firstOf(database, kept, step.first);
  reply.array(2);
  reply.text(String(cursor === HASHES ? 0 : cursor));
  reply.array(kept.length);
  for (const entry of kept) replyKey(database.arena, entry, reply);
}

function readStep(args: Arguments): Step {
  const step = { cursor: 0, pattern: 0, prefix: 0, after: 0, first: Number.POSITIVE_INFINITY };
  for (let i = 1; i < args.count; i += 2) {
    if (i + 1 === args.count) throw syntaxError();
    if (args.is(i, "CURSOR")) step.cursor = cursorAt(args, i + 1);
    else if (args.is(i, "MATCH")) step.pattern = patternAt(args, i + 1);
    else if (args.is(i, "PREFIX")) step.prefix = i + 1;
    else if (args.is(i, "AFTER")) step.after = i + 1;
    else if (args.is(i, "FIRST")) step.first = countAt(args, i + 1);
    else throw syntaxError();
  }
  return step;
}

function countAt(args: Arguments, index: number): number {
  const count = args.integer(index);
  if (Number.isNaN(count)) throw notAnInteger();
  if (count < 1) throw new CommandError("ERR", "FIRST must be at least 1");
  return count;
}

function cursorAt(args: Arguments, index: number): number {
  const cursor = args.integer(index);
  if (cursor >= 0 && cursor < HASHES) return cursor;
  throw new CommandError("ERR", "invalid cursor");
}

function fits(database: Database, entry: number, args: Arguments, step: Step): boolean {
  const { arena } = database;
  return (
    hasPrefix(database, entry, args, step.prefix) &&
    matches(arena, entry, args, step.pattern) &&
    (step.after === 0 || isBehind(database, entry, args, step.after))
  );
}

function hasPrefix(database: Database, entry: number, args: Arguments, prefix: number): boolean {
  if (prefix === 0) return true;
  const { arena } = database;
  const size = args.size(prefix);
  if (keySize(arena, entry) < size) return false;
  const bytes = bytesOf(arena, entry);
  const at = keyAt(arena, entry);
  const start = args.start[prefix];
  for (let i = 0; i < size; i++) if (bytes[at + i] !== args.buffer[start + i]) return false;
  return true;
}

/** Whether the key comes behind the argument in byte order. */
function isBehind(database: Database, entry: number, args: Arguments, after: number): boolean {
  const key = keyBytes(database, entry);
  return key.compare(args.buffer, args.start[after], args.end[after]) > 0;
}

function firstOf(database: Database, entries: number[], count: number): number[] {
  const keyed = entries.map((entry) => ({ entry, key: keyBytes(database, entry) }));
  keyed.sort((one, other) => Buffer.compare(one.key, other.key));
  return keyed.slice(0, count).map(({ entry }) => entry);
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
    syntax: "[CURSOR cursor] [MATCH pattern] [PREFIX prefix] [AFTER key] [FIRST count]",
    run: valueKeys,
  },
];
