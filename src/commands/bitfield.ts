/**
 * BITFIELD: integers of 1 to 64 bits anywhere in a string. All operations are read and checked first, then carried out in
 * order; the string is made as long as the farthest one needs. Values are BigInts, as 64 bits need them; bits are read and
 * written in two halves of at most 32.
 *
 * Invariant: a command that leaves every field as it was does not count as a change.
 */
import type { Session } from "../session/session.ts";
import { encodingOf, RAW, valueAt } from "../store/entry.ts";
import { parseInteger } from "../store/number-text.ts";
import type { Arguments } from "./arguments.ts";
import { bitOffset } from "./bits.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger, syntaxError } from "./command-error.ts";
import type { Reply } from "./reply.ts";
import { bytesOf, editableString, editValue, requireString, stringSize } from "./string-value.ts";

type Overflow = "WRAP" | "SAT" | "FAIL";

interface Operation {
  readonly action: "GET" | "SET" | "INCRBY";
  readonly isSigned: boolean;
  readonly width: number;
  /** Of the first bit, from the beginning of the string. */
  readonly offset: number;
  /** New value, or what to add. */
  readonly value: bigint;
  readonly overflow: Overflow;
}

function bitfield(session: Session, args: Arguments, reply: Reply): void {
  runOperations(session, args, readOperations(args), reply);
}

function bitfieldReadOnly(session: Session, args: Arguments, reply: Reply): void {
  const operations = readOperations(args);
  if (operations.some((operation) => operation.action !== "GET")) {
    throw new CommandError("ERR", "BITFIELD_RO only supports the GET subcommand");
  }
  runOperations(session, args, operations, reply);
}

// ---- reading the arguments ----

function readOperations(args: Arguments): Operation[] {
  const operations: Operation[] = [];
  let overflow: Overflow = "WRAP";
  for (let i = 2; i < args.count; ) {
    const left = args.count - i - 1;
    if (args.is(i, "GET") && left >= 2) {
      operations.push(readOperation(args, i, "GET", overflow));
      i += 3;
    } else if (args.is(i, "SET") && left >= 3) {
      operations.push(readOperation(args, i, "SET", overflow));
      i += 4;
    } else if (args.is(i, "INCRBY") && left >= 3) {
      operations.push(readOperation(args, i, "INCRBY", overflow));
      i += 4;
    } else if (args.is(i, "OVERFLOW") && left >= 1) {
      overflow = readOverflow(args, i + 1);
      i += 2;
    } else throw syntaxError();
  }
  return operations;
}

function readOverflow(args: Arguments, index: number): Overflow {
  if (args.is(index, "WRAP")) return "WRAP";
  if (args.is(index, "SAT")) return "SAT";
  if (args.is(index, "FAIL")) return "FAIL";
  throw new CommandError("ERR", "Invalid OVERFLOW type specified");
}

function readOperation(
  args: Arguments,
  index: number,
  action: Operation["action"],
  overflow: Overflow,
): Operation {
  const isSigned = args.buffer[args.start[index + 1]] === 0x69;
  const width = readWidth(args, index + 1, isSigned);
  const offset = bitOffset(args, index + 2, width);
  const value = action === "GET" ? 0n : args.int64(index + 3);
  if (value === null) throw notAnInteger();
  return { action, isSigned, width, offset, value, overflow };
}

/** Redis reads the type as a C string: what follows a zero byte does not count. */
function readWidth(args: Arguments, index: number, isSigned: boolean): number {
  const start = args.start[index];
  let end = args.end[index];
  for (let at = start; at < end; at++) if (args.buffer[at] === 0) end = at;
  const isUnsigned = end > start && args.buffer[start] === 0x75;
  const width = parseInteger(args.buffer, start + 1, end);
  if (end > start && (isSigned || isUnsigned) && width >= 1 && width <= (isSigned ? 64 : 63)) {
    return width;
  }
  throw new CommandError(
    "ERR",
    "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
  );
}

// ---- carrying out ----

function runOperations(
  session: Session,
  args: Arguments,
  operations: readonly Operation[],
  reply: Reply,
): void {
  const { database } = session;
  const { arena } = database;
  let needed = 0;
  for (const { action, offset, width } of operations) {
    if (action !== "GET") needed = Math.max(needed, Math.floor((offset + width + 7) / 8));
  }
  let entry =
    needed === 0
      ? database.read(args.buffer, args.start[1], args.end[1])
      : database.find(args.buffer, args.start[1], args.end[1]);
  requireString(arena, entry);
  const size = Math.max(stringSize(arena, entry), needed);
  // Growing is a change, and so is the first edit: it shows in the encoding.
  let isEdited = needed > 0 && (stringSize(arena, entry) < size || encodingOf(arena, entry) !== RAW);
  if (isEdited) entry = editableString(session, args, entry, size);
  reply.array(operations.length);
  for (const operation of operations) {
    const at = entry === 0 ? 0 : valueAt(arena, entry);
    const bytes = entry === 0 ? NO_BYTES : bytesOf(arena, entry);
    const old = readField(bytes, at, size, operation);
    const next = nextValue(operation, old);
    if (next === null) reply.null();
    else reply.integer(operation.action === "INCRBY" ? next : old);
    if (next === null || next === old) continue;
    if (!isEdited) entry = editableString(session, args, entry, size);
    isEdited = true;
    writeField(session, entry, operation, next);
  }
}

const NO_BYTES = Buffer.alloc(0);

/** What the field holds after the operation; null when it overflows and must fail. */
function nextValue(operation: Operation, old: bigint): bigint | null {
  const { action, isSigned, overflow, value, width } = operation;
  if (action === "GET") return old;
  const base = action === "SET" ? value : old;
  const added = action === "SET" ? 0n : value;
  const direction = isSigned
    ? signedOverflow(base, added, width)
    : unsignedOverflow(BigInt.asUintN(64, base), added, width);
  if (direction === 0) return base + added;
  if (overflow === "FAIL") return null;
  if (overflow === "WRAP") {
    return isSigned ? BigInt.asIntN(width, base + added) : BigInt.asUintN(width, base + added);
  }
  const ones = isSigned ? width - 1 : width;
  const largest = (1n << BigInt(ones)) - 1n;
  if (direction > 0) return largest;
  return isSigned ? -largest - 1n : 0n;
}

/** Above: 1, below: -1, else 0. A negative value for SET is a huge one, so it counts as above. */
function unsignedOverflow(base: bigint, added: bigint, width: number): number {
  const largest = (1n << BigInt(width)) - 1n;
  if (base > largest || base + added > largest) return 1;
  return base + added < 0n ? -1 : 0;
}

/**
 * The same for signed fields. Redis computes the distance to the largest value in 64 bits: when it does not fit, a value
 * far below the smallest one counts as above the largest. So do we.
 */
function signedOverflow(base: bigint, added: bigint, width: number): number {
  const largest = (1n << BigInt(width - 1)) - 1n;
  const distance = BigInt.asIntN(64, largest - base);
  if (base > largest || (width !== 64 && added > distance)) return 1;
  if (base + added > largest) return 1;
  return base < -largest - 1n || base + added < -largest - 1n ? -1 : 0;
}

// ---- bits ----

/** The field in the value bytes[at, at + size); bits behind its end are zero. */
function readField(bytes: Buffer, at: number, size: number, operation: Operation): bigint {
  const { isSigned, offset, width } = operation;
  const lowWidth = Math.min(width, 32);
  const low = readBits(bytes, at, size, offset + width - lowWidth, lowWidth);
  let value = BigInt(low);
  if (width > 32) value |= BigInt(readBits(bytes, at, size, offset, width - 32)) << 32n;
  return isSigned ? BigInt.asIntN(width, value) : value;
}

/** At most 32 bits as an unsigned number. */
function readBits(bytes: Buffer, at: number, size: number, offset: number, width: number): number {
  let value = 0;
  for (let left = width, bit = offset; left > 0; ) {
    const byte = Math.floor(bit / 8);
    const skipped = bit % 8;
    const taken = Math.min(left, 8 - skipped);
    const content = byte < size ? bytes[at + byte] : 0;
    const piece = (content >>> (8 - skipped - taken)) & ((1 << taken) - 1);
    value = value * (1 << taken) + piece;
    left -= taken;
    bit += taken;
  }
  return value;
}

function writeField(session: Session, entry: number, operation: Operation, value: bigint): void {
  const { offset, width } = operation;
  const { arena } = session.database;
  const from = Math.floor(offset / 8);
  const bytes = editValue(arena, entry, from, Math.floor((offset + width + 7) / 8));
  const at = valueAt(arena, entry);
  const lowWidth = Math.min(width, 32);
  writeBits(bytes, at, offset + width - lowWidth, lowWidth, Number(BigInt.asUintN(32, value)));
  if (width > 32) {
    writeBits(bytes, at, offset, width - 32, Number(BigInt.asUintN(32, value >> 32n)));
  }
}

/** Writes the lowest `width` (at most 32) bits of `value`, from the last byte backwards. */
function writeBits(bytes: Buffer, at: number, offset: number, width: number, value: number): void {
  let rest = value;
  for (let left = width; left > 0; ) {
    const end = offset + left;
    const byte = at + Math.floor((end - 1) / 8);
    const behind = 7 - ((end - 1) % 8);
    const taken = Math.min(left, 8 - behind);
    const mask = ((1 << taken) - 1) << behind;
    bytes[byte] = (bytes[byte] & ~mask) | ((rest << behind) & mask);
    rest >>>= taken;
    left -= taken;
  }
}

const FIELD_SYNTAX = "GET encoding offset";
const WRITE_SYNTAX =
  "[OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | INCRBY encoding offset increment>";

export const bitfieldCommands: readonly Command[] = [
  {
    name: "BITFIELD",
    arity: -2,
    flags: ["write", "denyoom"],
    group: "bitmap",
    keys: [1, 1, 1],
    since: "3.2.0",
    summary: "Reads, sets and adds to integers of any width within a string value.",
    syntax: `key [${FIELD_SYNTAX} | ${WRITE_SYNTAX} [${FIELD_SYNTAX} | ${WRITE_SYNTAX} ...]]`,
    run: bitfield,
  },
  {
    name: "BITFIELD_RO",
    arity: -2,
    flags: ["readonly", "fast"],
    group: "bitmap",
    keys: [1, 1, 1],
    since: "6.0.0",
    summary: "Reads integers of any width within a string value.",
    syntax: `key [${FIELD_SYNTAX} [${FIELD_SYNTAX} ...]]`,
    run: bitfieldReadOnly,
  },
];
