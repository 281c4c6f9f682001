/**
 * One element of a file of JSON: of JSON Lines a line, else an element of the array.
 *
 *   {"key":"user:1","value":{"name":"Ada"},"expiresAt":"2030-01-01T00:00:00Z"}     what `kvdb export` writes
 *   {"id":1,"name":"Ada"}                                                          with a path to the key: a document
 *
 * The text of a document stays as it is, but for white space between its parts: numbers keep their digits.
 */
import { JsonScanner, writeCompact } from "../store/json-text.ts";
import { momentText } from "../store/moment-text.ts";
import { ItemProblem, type TransferEntry } from "./entry.ts";
import { isObjectAt, membersOf, textAt, type ValueSpan, valueAlong } from "./json-members.ts";
import { readMomentOf } from "./moment-form.ts";
import { readString, stringText } from "./string-text.ts";
import { readValueText, valueText } from "./value-form.ts";

export interface ItemOptions {
  /** Put before each key. */
  readonly prefix: Buffer;
  /** Where in the document the key is; undefined: beside the value. */
  readonly keyPath: readonly string[] | undefined;
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const DIGITS = [0x30, 0x39] as const;

// ---- out ----

/** `key`, `value`, and when it expires. UTF-8, without a line break. */
export function itemText(entry: TransferEntry, value = valueText(entry)): Buffer {
  const { deadlineMs } = entry;
  const end = deadlineMs === 0 ? "}" : `,"expiresAt":${momentText(deadlineMs)}}`;
  return Buffer.concat([
    Buffer.from(`{"key":${stringText(entry.key)},"value":`),
    ...[value, Buffer.from(end)],
  ]);
}

// ---- in ----

const scanner = new JsonScanner();

/** Throws an ItemProblem; what it says of a place is an offset in `bytes`. */
export function readItem(bytes: Buffer, options: ItemOptions): TransferEntry {
  if (!scanner.scan(bytes, 0, bytes.length)) {
    throw new ItemProblem(`invalid JSON: ${scanner.problem}`, scanner.problemAt);
  }
  const isCompact = scanner.compactSize === bytes.length;
  const compact = isCompact ? bytes : Buffer.allocUnsafe(scanner.compactSize);
  if (!isCompact) writeCompact(bytes, scanner.start, scanner.end, compact, 0);
  try {
    return readCompact(compact, options);
  } catch (error) {
    // Offsets in the compact text are none in the file.
    if (!(error instanceof ItemProblem) || isCompact) throw error;
    throw new ItemProblem(error.message);
  }
}

function readCompact(bytes: Buffer, { prefix, keyPath }: ItemOptions): TransferEntry {
  const whole: ValueSpan = { start: 0, end: bytes.length };
  if (keyPath !== undefined) {
    const key = Buffer.concat([prefix, keyOf(bytes, whole, keyPath)]);
    return { key, kind: "json", deadlineMs: 0, value: Buffer.from(bytes) };
  }
  if (!isObjectAt(bytes, 0)) throw new ItemProblem(`expected an object with "key" and "value"`, 0);
  const parts = new Map<string, ValueSpan>();
  for (const member of membersOf(bytes, 0, bytes.length)) {
    if (!MEMBERS.includes(member.name)) throw unexpected(member.name, member.nameStart);
    parts.set(member.name, member);
  }
  const [key, value, moment] = MEMBERS.map((name) => parts.get(name));
  if (key === undefined) throw new ItemProblem(`"key" is missing; ${KEY_HINT}`);
  if (value === undefined) throw new ItemProblem('"value" is missing');
  const name = readString(JSON.parse(textAt(bytes, key)), "key");
  const deadlineMs =
    moment === undefined ? 0 : readMomentOf(JSON.parse(textAt(bytes, moment)), "expiresAt");
  return { key: Buffer.concat([prefix, name]), deadlineMs, ...readValueText(bytes, value) };
}

const MEMBERS: readonly string[] = ["key", "value", "expiresAt"];
const KEY_HINT = "--key takes the key from a field of the document";

function unexpected(name: string, at: number): ItemProblem {
  const message = `unexpected member ${JSON.stringify(name)} beside "key" and "value"`;
  return new ItemProblem(`${message}; ${KEY_HINT}`, at);
}

/** A string, or the digits of a number. */
function keyOf(bytes: Buffer, whole: ValueSpan, path: readonly string[]): Buffer {
  const found = valueAlong(bytes, whole, path);
  const shown = JSON.stringify(path.join("."));
  if (found === undefined) throw new ItemProblem(`the field ${shown} for the key is missing`);
  const first = bytes[found.start];
  if (first === QUOTE) return readString(JSON.parse(textAt(bytes, found)), shown);
  if (first === MINUS || (first >= DIGITS[0] && first <= DIGITS[1])) {
    return Buffer.from(bytes.subarray(found.start, found.end));
  }
  throw new ItemProblem(
    `the field ${shown} for the key: expected a string or a number, found ${textAt(bytes, found).slice(0, 40)}`,
    found.start,
  );
}
