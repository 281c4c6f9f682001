/**
 * LCS: the longest common subsequence of two strings, its length, or where its stretches lie, by the textbook table of
 * (a + 1) × (b + 1) lengths. Redis refuses a table over proto-max-bulk-len at 4 bytes a cell, and so does this; the
 * lengths are then under 2^14, so a cell takes two bytes here. For the length alone one row does.
 */
import { MAX_BULK_BYTES } from "../limits.ts";
import type { Session } from "../session/session.ts";
import { STRING, typeOf, valueAt } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import { bytesOf, stringSize } from "./string-value.ts";

/** Bytes that Redis takes for one cell of the table. */
const REDIS_CELL_BYTES = 4;

interface LcsOptions {
  lengthOnly: boolean;
  indexes: boolean;
  withLengths: boolean;
  leastLength: number;
}

/** A stretch that both strings have: its last bytes, and how long it is. */
interface Match {
  readonly endA: number;
  readonly endB: number;
  readonly size: number;
}

function lcs(session: Session, args: Arguments, reply: Reply): void {
  const [a, b] = readTexts(session, args);
  const options = readOptions(args);
  if ((a.length + 1) * (b.length + 1) * REDIS_CELL_BYTES > MAX_BULK_BYTES) {
    throw new CommandError(
      "ERR",
      "Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    );
  }
  if (options.lengthOnly) {
    reply.integer(commonLength(a, b));
    return;
  }
  const table = lengthTable(a, b);
  const matches = findMatches(a, b, table);
  if (options.indexes) replyMatches(matches, table[table.length - 1], options, reply);
  else replySubsequence(a, matches, reply);
}

/** Both keys are looked for before either is judged. An entry that was found may have moved when the other expired. */
function readTexts(session: Session, args: Arguments): [Buffer, Buffer] {
  const { database } = session;
  for (const index of [1, 2]) database.read(args.buffer, args.start[index], args.end[index]);
  return [textAt(session, args, 1), textAt(session, args, 2)];
}

/** A view: nothing changes while the command runs. */
function textAt({ database }: Session, args: Arguments, index: number): Buffer {
  const { arena } = database;
  const entry = database.find(args.buffer, args.start[index], args.end[index]);
  if (entry === 0) return Buffer.alloc(0);
  if (typeOf(arena, entry) !== STRING) {
    throw new CommandError("ERR", "The specified keys must contain string values");
  }
  const at = valueAt(arena, entry);
  return bytesOf(arena, entry).subarray(at, at + stringSize(arena, entry));
}

function readOptions(args: Arguments): LcsOptions {
  const options = { lengthOnly: false, indexes: false, withLengths: false, leastLength: 0 };
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "IDX")) options.indexes = true;
    else if (args.is(i, "LEN")) options.lengthOnly = true;
    else if (args.is(i, "WITHMATCHLEN")) options.withLengths = true;
    else if (args.is(i, "MINMATCHLEN") && i + 1 < args.count) {
      options.leastLength = args.integer(++i);
      if (Number.isNaN(options.leastLength)) throw notAnInteger();
    } else throw syntaxError();
  }
  if (options.indexes && options.lengthOnly) {
    throw new CommandError("ERR", "If you want both the length and indexes, please just use IDX.");
  }
  return options;
}

/** The last cell of the table, with one row of it at a time. */
function commonLength(a: Buffer, b: Buffer): number {
  const row = new Uint16Array(b.length + 1);
  for (let i = 0; i < a.length; i++) {
    const byte = a[i];
    let diagonal = 0;
    let left = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j];
      left = byte === b[j - 1] ? diagonal + 1 : above > left ? above : left;
      diagonal = above;
      row[j] = left;
    }
  }
  return row[b.length];
}

/** Cell (i, j), at i × (b + 1) + j: the length for the first i bytes of a and the first j of b. */
function lengthTable(a: Buffer, b: Buffer): Uint16Array {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = 0; i < a.length; i++) {
    const byte = a[i];
    const above = i * width;
    const row = above + width;
    let left = 0;
    for (let j = 1; j < width; j++) {
      const up = table[above + j];
      left = byte === b[j - 1] ? table[above + j - 1] + 1 : up > left ? up : left;
      table[row + j] = left;
    }
  }
  return table;
}

/** The stretches, last first, on the way that Redis takes through the table: where both ways do, b gets shorter. */
function findMatches(a: Buffer, b: Buffer, table: Uint16Array): Match[] {
  const width = b.length + 1;
  const matches: Match[] = [];
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      const endA = i - 1;
      const endB = j - 1;
      while (i > 0 && j > 0 && a[i - 1] === b[j - 1]) {
        i--;
        j--;
      }
      matches.push({ endA, endB, size: endA + 1 - i });
    } else if (table[(i - 1) * width + j] > table[i * width + j - 1]) i--;
    else j--;
  }
  return matches;
}

function replyMatches(
  matches: readonly Match[],
  length: number,
  options: LcsOptions,
  reply: Reply,
): void {
  const shown = matches.filter((match) => match.size >= options.leastLength);
  reply.map(2);
  reply.text("matches");
  reply.array(shown.length);
  for (const { endA, endB, size } of shown) {
    reply.array(options.withLengths ? 3 : 2);
    replySpan(endA, size, reply);
    replySpan(endB, size, reply);
    if (options.withLengths) reply.integer(size);
  }
  reply.text("len");
  reply.integer(length);
}

function replySpan(end: number, size: number, reply: Reply): void {
  reply.array(2);
  reply.integer(end + 1 - size);
  reply.integer(end);
}

function replySubsequence(a: Buffer, matches: readonly Match[], reply: Reply): void {
  const parts = matches.map(({ endA, size }) => a.subarray(endA + 1 - size, endA + 1));
  const result = Buffer.concat(parts.reverse());
  reply.bulk(result, 0, result.length);
}

export const lcsCommands: readonly Command[] = [
  {
    name: "LCS",
    arity: -3,
    flags: ["readonly"],
    group: "string",
    keys: [1, 2, 1],
    since: "7.0.0",
    summary: "Finds the longest common subsequence of two string values.",
    syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
    run: lcs,
  },
];
