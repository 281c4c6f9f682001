/**
 * An entry as a line of the file, bytes into bytes: no string is made on the way. Which form it has
 * (FORMAT.md) is decided here and read again in value-parser.ts: change both.
 *
 *       "name": "Alice"
 *       "user:1": {"name":"Ada","tags":[1.0,2]}
 *       "session": {"$value": "a1b2", "$expires": "2030-01-01T00:00:00.000Z"}
 *       "$$price": {"$json": {"$eur":5}}
 *       "$base64:AAH/": {"$base64": "/wAB"}
 *       "$index:by_city": {"use":"hash","field":"address.city"}
 */
import { momentText, type StoredEntry } from "kvdb";
import {
  BASE64,
  beginsWithDollar,
  DOLLAR,
  EXPIRES,
  INDEX_NAME,
  JSON_DOCUMENT,
  KEY_BASE64,
  VALUE,
} from "./entry-names.ts";
import { Utf8Check } from "./utf8.ts";

/** Bytes that can be read but not changed: an arena's, or a buffer. */
export type SourceBytes = StoredEntry["keyBytes"];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

// How bytes are written.
const AS_THEY_ARE = 0;
const ESCAPED = 1;
const IN_BASE64 = 2;
type Encoding = typeof AS_THEY_ARE | typeof ESCAPED | typeof IN_BASE64;

/** How a value or a key is written, and what stands before and behind it. */
export interface Dress {
  readonly encoding: Encoding;
  readonly front: Buffer;
  readonly back: Buffer;
}

function dress(encoding: Encoding, front: string, back: string): Dress {
  return { encoding, front: Buffer.from(front), back: Buffer.from(back) };
}

const INDENT = " ".repeat(6);
/** In the order of the encodings; a key that begins with `$` has one more before it. */
const keys = namesBehind(`${INDENT}"`);
const dollarKeys = namesBehind(`${INDENT}"$`, keys[IN_BASE64]);
/** Its bytes need neither escape nor base64. */
const indexName = dress(AS_THEY_ARE, `${INDENT}"${INDEX_NAME}`, '": ');
/** As of keys, of fields. */
const names = namesBehind('"');
const dollarNames = namesBehind('"$', names[IN_BASE64]);
const strings = [
  dress(AS_THEY_ARE, '"', '"'),
  dress(ESCAPED, '"', '"'),
  dress(IN_BASE64, `{"${BASE64}": "`, '"}'),
] as const;

function namesBehind(front: string, inBase64?: Dress): readonly [Dress, Dress, Dress] {
  const [plain, escaped] = [dress(AS_THEY_ARE, front, '": '), dress(ESCAPED, front, '": ')];
  return [plain, escaped, inBase64 ?? dress(IN_BASE64, front + KEY_BASE64, '": ')];
}

const document = dress(AS_THEY_ARE, "", "");
const wrappedDocument = dress(AS_THEY_ARE, `{"${JSON_DOCUMENT}": `, "}");

export const VALUE_FRONT = Buffer.from(`{"${VALUE}": `);

export function expiryBack(deadlineMs: number): string {
  return `, "${EXPIRES}": ${momentText(deadlineMs)}}`;
}

/** Where in its line a name begins, behind its quote. */
export const NAME_START = INDENT.length + 1;

/** All that is written besides key and value is shorter. */
const LONGEST_DRESS = 256;
/** In the order of the encodings: bytes that one becomes at most. */
const GROWTHS = [1, 6, 1.5] as const;

/** An entry, and how it is written. The same object is used for each. */
export class EntryLine {
  readonly entry: StoredEntry;
  key: Dress = keys[AS_THEY_ARE];
  value: Dress = document;
  /** The line is not longer. */
  mostBytes = 0;
  /** Where the last name that was put ends, without its quote. */
  nameEnd = 0;

  constructor(entry: StoredEntry) {
    this.entry = entry;
  }

  /** The entry has another key and value now. */
  read(): void {
    const { entry } = this;
    this.key = dressOfKey(entry);
    this.value = dressOfValue(entry);
    const keyBytes = (entry.keyEnd - entry.keyStart) * GROWTHS[this.key.encoding];
    const valueBytes = (entry.valueEnd - entry.valueStart) * GROWTHS[this.value.encoding];
    this.mostBytes = Math.ceil(keyBytes + valueBytes) + LONGEST_DRESS;
  }

  /** Writes it from target[at] on, where there must be room for it; answers where it ends. */
  put(target: Buffer, at: number): number {
    const { key, value } = this;
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, deadlineMs } = this.entry;
    at = putAll(key.front, target, at);
    at = put(key.encoding, keyBytes, keyStart, keyEnd, target, at);
    this.nameEnd = at;
    at = putAll(key.back, target, at);
    if (deadlineMs !== 0) at = putAll(VALUE_FRONT, target, at);
    at = putAll(value.front, target, at);
    at = put(value.encoding, valueBytes, valueStart, valueEnd, target, at);
    at = putAll(value.back, target, at);
    return deadlineMs === 0 ? at : at + target.write(expiryBack(deadlineMs), at, "latin1");
  }
}

export function dressOfKey({ type, keyBytes, keyStart, keyEnd }: Readonly<StoredEntry>): Dress {
  if (type === "index") return indexName;
  const begins = keyStart < keyEnd && keyBytes[keyStart] === DOLLAR;
  return (begins ? dollarKeys : keys)[encodingOf(keyBytes, keyStart, keyEnd)];
}

/** Of a field of a hash: a key's, without its place in the line. */
export function dressOfName(bytes: SourceBytes, start: number, end: number): Dress {
  const begins = start < end && bytes[start] === DOLLAR;
  return (begins ? dollarNames : names)[encodingOf(bytes, start, end)];
}

/** Of a string, an element, a field's value. */
export function dressOfString(bytes: SourceBytes, start: number, end: number): Dress {
  return strings[encodingOf(bytes, start, end)];
}

/** Bytes that one becomes at most. */
export function growthOf({ encoding }: Dress): number {
  return GROWTHS[encoding];
}

function dressOfValue({ type, valueBytes, valueStart, valueEnd }: StoredEntry): Dress {
  if (type === "string") return dressOfString(valueBytes, valueStart, valueEnd);
  // The name before it says that it is a definition: there are no forms to take it for.
  if (type === "index") return document;
  return isMistakable(valueBytes, valueStart, valueEnd) ? wrappedDocument : document;
}

/** Writes bytes[start, end) as `encoding` says. */
export function put(
  encoding: Encoding,
  bytes: SourceBytes,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  if (encoding === AS_THEY_ARE) return putBytes(bytes, start, end, target, at);
  if (encoding === ESCAPED) return putEscaped(bytes, start, end, target, at);
  return putBase64(bytes, start, end, target, at);
}

function putAll(bytes: Buffer, target: Buffer, at: number): number {
  return putBytes(bytes, 0, bytes.length, target, at);
}

/** Below it a loop beats the call of `copy`. */
const SHORT_RUN = 28;

function putBytes(
  bytes: SourceBytes,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  const count = end - start;
  if (count > SHORT_RUN) bytes.copy(target, at, start, end);
  else for (let i = 0; i < count; i++) target[at + i] = bytes[start + i];
  return at + count;
}

/** Of each byte the letter of its escape, `u` where it has none; 0: it stands for itself. */
const ESCAPES = new Uint8Array(256);
ESCAPES.fill(0x75, 0, 0x20);
for (const [meaning, letter] of ['""', "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt"]) {
  ESCAPES[meaning.charCodeAt(0)] = letter.charCodeAt(0);
}
const DIGITS = Buffer.from("0123456789abcdef");

function putEscaped(
  bytes: SourceBytes,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    const letter = ESCAPES[byte];
    if (letter === 0) {
      target[at++] = byte;
      continue;
    }
    target[at++] = BACKSLASH;
    target[at++] = letter;
    if (letter !== 0x75) continue;
    target[at++] = 0x30;
    target[at++] = 0x30;
    target[at++] = DIGITS[byte >> 4];
    target[at++] = DIGITS[byte & 15];
  }
  return at;
}

const SEXTETS = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const PADDING = 0x3d;

function putBase64(
  bytes: SourceBytes,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  for (let i = start; i < end; i += 3) {
    const count = end - i;
    const second = count > 1 ? bytes[i + 1] : 0;
    const third = count > 2 ? bytes[i + 2] : 0;
    target[at++] = SEXTETS[bytes[i] >> 2];
    target[at++] = SEXTETS[((bytes[i] & 3) << 4) | (second >> 4)];
    target[at++] = count > 1 ? SEXTETS[((second & 15) << 2) | (third >> 6)] : PADDING;
    target[at++] = count > 2 ? SEXTETS[third & 63] : PADDING;
  }
  return at;
}

/** Bytes of ASCII that need no escape. */
const PLAIN = Uint8Array.from(ESCAPES, (letter, byte) => (letter === 0 && byte < 0x80 ? 1 : 0));

function encodingOf(bytes: SourceBytes, start: number, end: number): Encoding {
  let at = start;
  while (at < end && PLAIN[bytes[at]] === 1) at++;
  return at === end ? AS_THEY_ARE : encodingOfText(bytes, at, end);
}

const utf8 = new Utf8Check();

function encodingOfText(bytes: SourceBytes, start: number, end: number): Encoding {
  let encoding: Encoding = AS_THEY_ARE;
  utf8.reset();
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if ((byte >= 0x80 || utf8.missing > 0) && !utf8.accept(byte)) return IN_BASE64;
    if (ESCAPES[byte] !== 0) encoding = ESCAPED;
  }
  return utf8.missing === 0 ? encoding : IN_BASE64;
}

/** Whether the text of a document would be read as something else: a string, or one of the forms. */
function isMistakable(bytes: SourceBytes, start: number, end: number): boolean {
  if (bytes[start] === QUOTE) return true;
  return bytes[start] === OPEN_OBJECT && hasDollarMember(bytes, start, end);
}

/** Whether an object, written compactly, has a member of its own that begins with `$`. */
function hasDollarMember(bytes: SourceBytes, start: number, end: number): boolean {
  let depth = 0;
  let before = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const isName = depth === 1 && (before === OPEN_OBJECT || before === 0x2c);
      if (isName && beginsWithDollar(bytes, at + 1)) return true;
      at = endOfString(bytes, at);
    } else if (byte === OPEN_OBJECT || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    before = byte;
  }
  return false;
}

/** Where the quote is that ends the string that begins at `at`. */
function endOfString(bytes: SourceBytes, at: number): number {
  for (at++; bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
  return at;
}
