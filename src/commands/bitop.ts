/**
 * BITOP: bit by bit over whole strings; the shorter ones are as if followed by zero bytes. The result is made beside the
 * arena, since its key may be one of the sources, and since putting it may move what was found.
 */
import type { Session } from "../session/session.ts";
import { RAW, STRING, typeOf, valueAt } from "../store/entry.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { requireGrowth } from "./growth.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { bytesOf, requireString, storeBytes, stringSize } from "./string-value.ts";

type Operation = "AND" | "OR" | "XOR" | "NOT";

/** Sources are brought side by side in stripes of so many words: they stay in the processor's first cache. */
const STRIPE_WORDS = 2048;
const STRIPE_BYTES = STRIPE_WORDS * 4;
const operand = new Int32Array(STRIPE_WORDS);
const operandBytes = new Uint8Array(operand.buffer);
const result = new Int32Array(STRIPE_WORDS);
const resultBytes = Buffer.from(result.buffer);

function bitop(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const operation = readOperation(args);
  if (operation === "NOT" && args.count !== 4) {
    throw new CommandError("ERR", "BITOP NOT must be called with a single source key.");
  }
  const sources = findSources(session, args);
  let size = 0;
  for (const source of sources) size = Math.max(size, source.length);
  const entry = database.find(args.buffer, args.start[2], args.end[2]);
  if (size > 0) {
    requireGrowth(session, size - sizeIfString(session, entry));
    const bytes = compute(operation, sources, size);
    const kind = STRING | (RAW << 4);
    storeBytes(session, args, 2, entry, { kind, bytes, start: 0, end: size, deadlineMs: 0 });
    tellKey(session, keyEvents.set, args, 2);
  } else if (entry !== 0) {
    database.remove(entry);
    tellKey(session, keyEvents.del, args, 2);
  }
  reply.integer(size);
}

/** The target may hold any type; what it takes is known of a string alone. */
function sizeIfString(session: Session, entry: number): number {
  const { arena } = session.database;
  return entry !== 0 && typeOf(arena, entry) === STRING ? stringSize(arena, entry) : 0;
}

function readOperation(args: Arguments): Operation {
  if (args.is(1, "AND")) return "AND";
  if (args.is(1, "OR")) return "OR";
  if (args.is(1, "XOR")) return "XOR";
  if (args.is(1, "NOT")) return "NOT";
  throw syntaxError();
}

/** Views of the values: nothing moves them before the result is computed. */
function findSources(session: Session, args: Arguments): Buffer[] {
  const { database } = session;
  const { arena } = database;
  const sources: Buffer[] = [];
  for (let i = 3; i < args.count; i++) {
    const entry = database.read(args.buffer, args.start[i], args.end[i]);
    requireString(arena, entry);
    if (entry === 0) sources.push(Buffer.alloc(0));
    else {
      const at = valueAt(arena, entry);
      sources.push(bytesOf(arena, entry).subarray(at, at + stringSize(arena, entry)));
    }
  }
  return sources;
}

function compute(operation: Operation, sources: readonly Buffer[], size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let from = 0; from < size; from += STRIPE_BYTES) {
    const count = Math.min(STRIPE_BYTES, size - from);
    const words = (count + 3) >>> 2;
    sources.forEach((source, index) => {
      load(source, from, index === 0 ? resultBytes : operandBytes);
      if (index > 0) combine(operation, words);
    });
    if (operation === "NOT") for (let i = 0; i < words; i++) result[i] = ~result[i];
    resultBytes.copy(bytes, from, 0, count);
  }
  return bytes;
}

/** Fills a stripe with the bytes of a source from `from` on, and with zeros behind its end. */
function load(source: Buffer, from: number, stripe: Uint8Array): void {
  const count = Math.max(0, Math.min(STRIPE_BYTES, source.length - from));
  if (count > 0) source.copy(stripe, 0, from, from + count);
  if (count < STRIPE_BYTES) stripe.fill(0, count);
}

function combine(operation: Operation, words: number): void {
  if (operation === "AND") for (let i = 0; i < words; i++) result[i] &= operand[i];
  else if (operation === "OR") for (let i = 0; i < words; i++) result[i] |= operand[i];
  else for (let i = 0; i < words; i++) result[i] ^= operand[i];
}

export const bitopCommands: readonly Command[] = [
  {
    name: "BITOP",
    arity: -4,
    flags: ["write", "denyoom"],
    group: "bitmap",
    keys: [2, -1, 1],
    since: "2.6.0",
    summary: "Combines string values bit by bit and stores the result.",
    syntax: "<AND | OR | XOR | NOT> destkey key [key ...]",
    run: bitop,
  },
];
