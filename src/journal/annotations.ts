/**
 * Lines in a record for what Redis has no word for. A payload is the text of an append-only file of Redis, which skips
 * lines that begin with #:
 *
 *   #kvdb-json\r\n            the SET that follows makes a document of its value; for Redis it is a string. It is complete:
 *                             `SET key text` or `SET key text PXAT milliseconds`, whatever the key was before
 *   #kvdb-do command\r\n      a command that kvdb alone runs. Words stand between single spaces, as redis-cli quotes them
 *   #kvdb-and text\r\n        a long one goes on, behind a line of 127 bytes and only there: its text is that of all its
 *                             lines, one behind the other. So one that was cut between two lines is known for damaged
 *   #TS:1700000000\r\n        Redis's own: when the command behind it was written (aof-timestamp-enabled). It says nothing
 *
 *   #kvdb-json\r\n*3\r\n$3\r\nSET\r\n$3\r\ncar\r\n$10\r\n{"doors":5}\r\n
 *   #kvdb-do HPEXPIREAT session 1790000000000 FIELDS 1 "the token"\r\n
 *
 * Invariant: a line has at most 127 bytes with its end, which a person can read, and any Redis: 7.0 takes what is beyond
 * its buffer of 1024 for the next command. What is no such line is damage: nobody can know what it was to do.
 */
import { splitWords } from "../resp/decoder.ts";
import type { CommandWriter } from "./effects.ts";

const LONGEST_LINE = 127;
const DOCUMENT = "#kvdb-json";
const DO = "#kvdb-do ";
const AND = "#kvdb-and ";
const LINE_END = "\r\n";

const HASH = 35;
const SPACE = 32;
const TILDE = 126;

// ---- writing ----

const DOCUMENT_LINE = Buffer.from(DOCUMENT + LINE_END);

export function writeDocumentLine(writer: CommandWriter): void {
  writer.encoded(DOCUMENT_LINE, 0, DOCUMENT_LINE.length);
}

export function writeOwnCommand(writer: CommandWriter, words: readonly Uint8Array[]): void {
  const text = words.map(quoted).join(" ");
  let lines = "";
  let front = DO;
  // A full line is not the last one, so an empty one may have to follow.
  for (let at = 0; at <= text.length; ) {
    const room = LONGEST_LINE - front.length - LINE_END.length;
    lines += front + text.slice(at, at + room) + LINE_END;
    at += room;
    front = AND;
  }
  const bytes = Buffer.from(lines, "latin1");
  writer.encoded(bytes, 0, bytes.length);
}

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\x07": "\\a" },
  ...{ '"': '\\"', "\\": "\\\\" },
};

/** As redis-cli's sdscatrepr, but for a word that is the same without quotes. */
function quoted(word: Uint8Array): string {
  const text = Buffer.from(word.buffer, word.byteOffset, word.length).toString("latin1");
  if (/^[!#-&(-[\]-~]+$/.test(text)) return text;
  return `"${text.replace(/[^ !#-[\]-~]/g, escaped)}"`;
}

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(2, "0");
  return ESCAPES[character] ?? `\\x${code}`;
}

// ---- reading ----

/** What the line, or the lines of one command, say. `end`: where they end. */
export type Annotation =
  | { readonly kind: "document" | "time"; readonly end: number }
  | { readonly kind: "command"; readonly words: readonly Buffer[]; readonly end: number };

export function isAnnotation(byte: number): boolean {
  return byte === HASH;
}

/** Reads what begins at `at`, where a # stands; null: it is damaged. */
export function readAnnotation(bytes: Buffer, at: number, limit: number): Annotation | null {
  const line = readLine(bytes, at, limit);
  if (line === null) return null;
  const end = at + line.length + LINE_END.length;
  if (line === DOCUMENT) return { kind: "document", end };
  if (/^#TS:\d+$/.test(line)) return { kind: "time", end };
  return line.startsWith(DO) ? readOwnCommand(bytes, line, end, limit) : null;
}

function readOwnCommand(
  bytes: Buffer,
  first: string,
  firstEnd: number,
  limit: number,
): Annotation | null {
  const parts = [first.slice(DO.length)];
  let end = firstEnd;
  for (let line = first; isFull(line); ) {
    const next = readLine(bytes, end, limit);
    if (next === null || !next.startsWith(AND)) return null;
    parts.push(next.slice(AND.length));
    end += next.length + LINE_END.length;
    line = next;
  }
  const text = Buffer.from(parts.join(""), "latin1");
  const words = splitWords(text, 0, text.length);
  if (words === null || words.length === 0) return null;
  return { kind: "command", words, end };
}

function isFull(line: string): boolean {
  return line.length + LINE_END.length === LONGEST_LINE;
}

/** The line at `at` without its end; null when it is too long, has no end, or anything that is never written. */
function readLine(bytes: Buffer, at: number, limit: number): string | null {
  const last = Math.min(limit, at + LONGEST_LINE);
  let end = at;
  while (end < last && isPlain(bytes[end] as number)) end++;
  if (end + LINE_END.length > last) return null;
  if (bytes.toString("latin1", end, end + LINE_END.length) !== LINE_END) return null;
  return bytes.toString("latin1", at, end);
}

function isPlain(byte: number): boolean {
  return byte >= SPACE && byte <= TILDE;
}
