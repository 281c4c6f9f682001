/**
 * How commands reach the value of a string or JSON entry: read it as a reply, put a new one, edit a part in place. The
 * commands themselves are in strings.ts, string-ranges.ts, counters.ts, bits.ts, bitfield.ts, value.ts.
 *
 * Invariant: only the pages that a command really writes are touched, so that SETBIT on a string of 512 MiB costs a
 * snapshot one page, not all of them.
 */
import { MAX_BULK_BYTES } from "../limits.ts";
import type { Session } from "../session/session.ts";
import { type Arena, CHUNK_SHIFT, copyBytes, UNIT_MASK } from "../store/arena.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import { JSON_TEXT, RAW, STRING, typeOf, valueAt, valueWord } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError, wrongType } from "./command-error.ts";
import { requireGrowth } from "./growth.ts";
import type { Reply } from "./reply.ts";

/** Type and encoding of a string that was edited in place: OBJECT ENCODING answers raw, whatever its content. */
const EDITED_STRING = STRING | (RAW << 4);

// ---- reading ----

/** The bytes that the entry lies in; its value begins at `valueAt`. For reading alone. */
export function bytesOf(arena: Arena, entry: number): Buffer {
  return arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
}

/** Whether the value reads as text: a string, or a JSON value. */
export function isText(arena: Arena, entry: number): boolean {
  const type = typeOf(arena, entry);
  return type === STRING || type === JSON_TEXT;
}

/** Throws WRONGTYPE unless there is no entry or it is a string; a JSON value is none. */
export function requireString(arena: Arena, entry: number): void {
  if (entry !== 0 && typeOf(arena, entry) !== STRING) throw wrongType();
}

/** The length of the string in bytes, 0 when there is no entry. */
export function stringSize(arena: Arena, entry: number): number {
  return entry === 0 ? 0 : valueWord(arena, entry);
}

/** Answers the text of the string or JSON entry that was just found, or null for none; WRONGTYPE for others. */
export function replyText(session: Session, entry: number, reply: Reply): void {
  if (entry === 0) {
    reply.null();
    return;
  }
  const database = session.database;
  const arena = database.arena;
  const type = typeOf(arena, entry);
  if (type !== STRING && type !== JSON_TEXT) throw wrongType();
  const at = database.valueStart;
  const end = at + valueWord(arena, entry);
  if (type === STRING) reply.bulk(arena.bytes[entry >>> CHUNK_SHIFT], at, end);
  else reply.json(arena.bytes[entry >>> CHUNK_SHIFT], at, end);
}

// ---- whole values ----

/** Stores argument `value` as a string under argument `key`, whose look-up answered `entry`. */
export function storeString(
  session: Session,
  args: Arguments,
  key: number,
  value: number,
  entry: number,
  deadlineMs: number,
): void {
  const database = session.database;
  const start = args.start[value];
  const size = args.end[value] - start;
  const target = database.put(
    entry,
    args.buffer,
    args.start[key],
    args.end[key],
    STRING,
    size,
    deadlineMs,
  );
  const at = database.valueStart;
  const units = (at - ((target & UNIT_MASK) << 3) + size + 7) >>> 3;
  copyBytes(args.buffer, start, database.arena.edit(target, units), at, size);
}

/** What `storeBytes` stores: bytes[start, end) as a value of `kind` (type and encoding). */
export interface NewValue {
  readonly kind: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly deadlineMs: number;
}

/** Stores bytes that the command made under argument `key`, whose look-up answered `entry`. */
export function storeBytes(
  session: Session,
  args: Arguments,
  key: number,
  entry: number,
  value: NewValue,
): void {
  const { arena } = session.database;
  const size = value.end - value.start;
  const target = putValue(session, args, key, entry, value.kind, size, value.deadlineMs);
  copyBytes(
    value.bytes,
    value.start,
    editValue(arena, target, 0, size),
    valueAt(arena, target),
    size,
  );
}

/** Makes room for a value of `size` bytes under argument `key`; the caller writes it through `editValue`. */
export function putValue(
  session: Session,
  args: Arguments,
  key: number,
  entry: number,
  kind: number,
  size: number,
  deadlineMs: number,
): number {
  const start = args.start[key];
  return session.database.put(entry, args.buffer, start, args.end[key], kind, size, deadlineMs);
}

// ---- parts of values ----

/** The bytes that the entry lies in, to write its value's bytes [from, to); only their pages are touched. */
export function editValue(arena: Arena, entry: number, from: number, to: number): Buffer {
  const offset = valueAt(arena, entry) - ((entry & UNIT_MASK) << 3);
  const first = (offset + from) >>> 3;
  arena.edit((entry + first) | 0, ((offset + to + 7) >>> 3) - first);
  return bytesOf(arena, entry);
}

/**
 * Gives the string under argument 1, whose look-up answered `entry` (0: none), the length `size`, to be edited in place:
 * what it had stays, what is added is zero. Answers the entry, perhaps moved.
 */
export function editableString(
  session: Session,
  args: Arguments,
  entry: number,
  size: number,
): number {
  const { database } = session;
  const { arena } = database;
  const old = stringSize(arena, entry);
  requireGrowth(session, size - old);
  const target =
    entry === 0
      ? putValue(session, args, 1, 0, EDITED_STRING, size, KEEP_DEADLINE)
      : database.resize(entry, EDITED_STRING, size);
  if (size > old) {
    const at = valueAt(arena, target);
    editValue(arena, target, old, size).fill(0, at + old, at + size);
  }
  return target;
}

/** Throws when a string would get longer than Redis's 512 MB. */
export function requireLength(bytes: number): void {
  if (bytes <= MAX_BULK_BYTES) return;
  throw new CommandError("ERR", "string exceeds maximum allowed size (proto-max-bulk-len)");
}
