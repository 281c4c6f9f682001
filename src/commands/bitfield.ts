/**
 * BITFIELD: small integers anywhere in a string; what they are is in field-value.ts. All operations are read and checked
 * first, then carried out in order; the string is made as long as the farthest one that writes needs.
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
import {
  changedValue,
  changeValue,
  type FieldChange,
  type FieldValue,
  type Overflow,
  readField,
  writeField,
} from "./field-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { bytesOf, editableString, editValue, requireString, stringSize } from "./string-value.ts";

type Action = "GET" | "SET" | "INCRBY";

interface Operation extends FieldChange {
  readonly action: Action;
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
  action: Action,
  overflow: Overflow,
): Operation {
  const isSigned = args.buffer[args.start[index + 1]] === 0x69;
  const width = readWidth(args, index + 1, isSigned);
  const offset = bitOffset(args, index + 2, width);
  const value = action === "GET" ? 0 : readValue(args, index + 3, width);
  return { action, isSigned, width, offset, adds: action === "INCRBY", value, overflow };
}

function readValue(args: Arguments, index: number, width: number): FieldValue {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return changeValue(width, value, () => args.int64(index) as bigint);
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
  const needed = bytesNeeded(operations);
  const { database } = session;
  const { arena } = database;
  let entry =
    needed === 0
      ? database.read(args.buffer, args.start[1], args.end[1])
      : database.find(args.buffer, args.start[1], args.end[1]);
  requireString(arena, entry);
  const old = stringSize(arena, entry);
  const size = Math.max(old, needed);
  // Growing is a change, and so is the first edit: it shows in the encoding.
  const hasGrown = size > old;
  let isEdited = hasGrown || (needed > 0 && encodingOf(arena, entry) !== RAW);
  if (isEdited) entry = editableString(session, args, entry, size);
  let isTold = false;
  reply.array(operations.length);
  for (const operation of operations) {
    const next = answer(session, entry, size, operation, reply);
    // Growing alone is no event, when all that was to be written was refused.
    if (next !== undefined && (hasGrown || next !== null)) isTold = true;
    if (next === undefined || next === null) continue;
    if (!isEdited) entry = editableString(session, args, entry, size);
    isEdited = true;
    store(session, entry, operation, next);
  }
  if (isTold) tellKey(session, keyEvents.setbit, args);
}

/** How long the string must be for all that is written. */
function bytesNeeded(operations: readonly Operation[]): number {
  let bits = 0;
  for (const { action, offset, width } of operations) {
    if (action !== "GET") bits = Math.max(bits, offset + width);
  }
  return Math.ceil(bits / 8);
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Replies to one operation. Answers what the field is to hold from now on, null when that is what it holds already,
 * undefined when nothing is to be written.
 */
function answer(
  session: Session,
  entry: number,
  size: number,
  operation: Operation,
  reply: Reply,
): FieldValue | null | undefined {
  const { arena } = session.database;
  const bytes = entry === 0 ? NO_BYTES : bytesOf(arena, entry);
  const old = readField(bytes, entry === 0 ? 0 : valueAt(arena, entry), size, operation);
  const next = operation.action === "GET" ? old : changedValue(operation, old);
  if (next === null) reply.null();
  else reply.integer(operation.adds ? next : old);
  if (next === null || operation.action === "GET") return undefined;
  return next === old ? null : next;
}

function store(session: Session, entry: number, operation: Operation, value: FieldValue): void {
  const { arena } = session.database;
  const { offset, width } = operation;
  const end = Math.ceil((offset + width) / 8);
  const bytes = editValue(arena, entry, Math.floor(offset / 8), end);
  writeField(bytes, valueAt(arena, entry), operation, value);
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
