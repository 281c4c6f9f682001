/**
 * Strings as arrays of bits: one bit, counting, searching. Several strings at once are in bitop.ts, small integers in
 * bitfield.ts. Bit 0 is the highest of the first byte; a string is as if followed by zero bits without end. What is
 * changed is edited in place.
 */
import { MAX_BULK_BYTES } from "../limits.ts";
import type { Session } from "../session/session.ts";
import { CHUNK_SHIFT } from "../store/arena.ts";
import { encodingOf, RAW, valueAt } from "../store/entry.ts";
import { parseInteger } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import { countOnes, findBit } from "./bit-scan.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { IndexRange, position } from "./index-range.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { bytesOf, editableString, editValue, requireString, stringSize } from "./string-value.ts";

const NUMBER_SIGN = 35;
const range = new IndexRange();

/** The offset in argument `index`, counted in bits, or with `#` in fields of `width` bits (0: no such form). */
export function bitOffset(args: Arguments, index: number, width: number): number {
  const start = args.start[index];
  const inFields = width > 0 && args.size(index) > 0 && args.buffer[start] === NUMBER_SIGN;
  const value = parseInteger(args.buffer, inFields ? start + 1 : start, args.end[index]);
  const offset = inFields ? value * width : value;
  if (offset >= 0 && offset < MAX_BULK_BYTES * 8) return offset;
  throw new CommandError("ERR", "bit offset is not an integer or out of range");
}

function setbit(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { arena } = database;
  const offset = bitOffset(args, 2, 0);
  const bit = args.integer(3);
  if (bit !== 0 && bit !== 1) {
    throw new CommandError("ERR", "bit is not an integer or out of range");
  }
  let entry = database.find(args.buffer, args.start[1], args.end[1]);
  requireString(arena, entry);
  const size = stringSize(arena, entry);
  const byte = offset >>> 3;
  const mask = 0x80 >>> (offset & 7);
  const isSet = byte < size && (bytesOf(arena, entry)[valueAt(arena, entry) + byte] & mask) !== 0;
  // A bit that is already so changes nothing, unless it is the first edit of this string: that shows in its encoding.
  if (byte >= size || isSet !== (bit === 1) || encodingOf(arena, entry) !== RAW) {
    entry = editableString(session, args, entry, Math.max(size, byte + 1));
    const bytes = editValue(arena, entry, byte, byte + 1);
    const at = valueAt(arena, entry) + byte;
    bytes[at] = bit === 1 ? bytes[at] | mask : bytes[at] & ~mask;
  }
  if (byte >= size || isSet !== (bit === 1)) tellKey(session, keyEvents.setbit, args);
  reply.integer(isSet ? 1 : 0);
}

function getbit(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { arena } = database;
  const offset = bitOffset(args, 2, 0);
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  requireString(arena, entry);
  const byte = offset >>> 3;
  if (byte >= stringSize(arena, entry)) reply.integer(0);
  else {
    const value = bytesOf(arena, entry)[valueAt(arena, entry) + byte];
    reply.integer((value >>> (7 - (offset & 7))) & 1);
  }
}

/** BYTE or BIT in argument `index`: whether a range counts bits. Without the argument it counts bytes. */
function countsBits(args: Arguments, index: number): boolean {
  if (index >= args.count || args.is(index, "BYTE")) return false;
  if (args.is(index, "BIT")) return true;
  throw syntaxError();
}

function bitcount(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { arena } = database;
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  requireString(arena, entry);
  // Redis looks at the other arguments only when the key exists.
  if (entry === 0 || !readCountRange(args, stringSize(arena, entry))) {
    reply.integer(0);
    return;
  }
  const chunk = entry >>> CHUNK_SHIFT;
  const { first, last } = range;
  const at = valueAt(arena, entry);
  const firstByte = at + Math.floor(first / 8);
  const lastByte = at + Math.floor(last / 8);
  const bytes = arena.bytes[chunk];
  const whole = countOnes(bytes, arena.ints[chunk], firstByte, lastByte + 1);
  const before = bytes[firstByte] & ~(0xff >>> (first % 8));
  const behind = bytes[lastByte] & (0x7f >>> (last % 8));
  reply.integer(whole - onesOf(before) - onesOf(behind));
}

function onesOf(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Sets `range` to the bits that BITCOUNT's arguments name in a value of `size` bytes; false when there are none. */
function readCountRange(args: Arguments, size: number): boolean {
  range.first = 0;
  range.last = size * 8 - 1;
  if (args.count === 2) return size > 0;
  if (args.count === 3 || args.count > 5) throw syntaxError();
  if (range.read(args, 2)) return false;
  const inBits = countsBits(args, 4);
  range.clamp(inBits ? size * 8 : size);
  if (range.isEmpty) return false;
  if (!inBits) widenToBits();
  return true;
}

/** Makes bits of a range of bytes. */
function widenToBits(): void {
  range.first *= 8;
  range.last = range.last * 8 + 7;
}

function bitpos(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { arena } = database;
  const bit = position(args, 2);
  if (bit !== 0 && bit !== 1) throw new CommandError("ERR", "The bit argument must be 1 or 0.");
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  requireString(arena, entry);
  if (entry === 0) {
    reply.integer(bit === 1 ? -1 : 0);
    return;
  }
  const size = stringSize(arena, entry);
  if (!readSearchRange(args, size)) {
    reply.integer(-1);
    return;
  }
  const chunk = entry >>> CHUNK_SHIFT;
  const at = valueAt(arena, entry);
  const { first, last } = range;
  const found = findBit(arena.bytes[chunk], arena.ints[chunk], at, bit, first, last);
  // Without an end, the zero bits that follow the string count as well.
  reply.integer(found < 0 && bit === 0 && args.count < 5 ? size * 8 : found);
}

/** Sets `range` to the bits that BITPOS's arguments name; false when there are none. */
function readSearchRange(args: Arguments, size: number): boolean {
  if (args.count > 6) throw syntaxError();
  range.first = args.count > 3 ? position(args, 3) : 0;
  const inBits = countsBits(args, 5);
  const length = inBits ? size * 8 : size;
  range.last = args.count > 4 ? position(args, 4) : length - 1;
  range.clamp(length);
  if (range.isEmpty) return false;
  if (!inBits) widenToBits();
  return true;
}

/** What all commands of this file have in common. */
const BITMAP_COMMAND = {
  group: "bitmap",
  keys: [1, 1, 1],
} as const satisfies Partial<Command>;

export const bitCommands: readonly Command[] = [
  {
    ...BITMAP_COMMAND,
    name: "SETBIT",
    arity: 4,
    flags: ["write", "denyoom"],
    since: "2.2.0",
    summary: "Sets or clears one bit of a string value and returns what it was.",
    syntax: "key offset value",
    run: setbit,
  },
  {
    ...BITMAP_COMMAND,
    name: "GETBIT",
    arity: 3,
    flags: ["readonly", "fast"],
    since: "2.2.0",
    summary: "Returns one bit of a string value.",
    syntax: "key offset",
    run: getbit,
  },
  {
    ...BITMAP_COMMAND,
    name: "BITCOUNT",
    arity: -2,
    flags: ["readonly"],
    since: "2.6.0",
    summary: "Counts the set bits of a string value or of a part of it.",
    syntax: "key [start end [BYTE | BIT]]",
    run: bitcount,
  },
  {
    ...BITMAP_COMMAND,
    name: "BITPOS",
    arity: -3,
    flags: ["readonly"],
    since: "2.8.7",
    summary: "Finds the first set or clear bit of a string value.",
    syntax: "key bit [start [end [BYTE | BIT]]]",
    run: bitpos,
  },
];
