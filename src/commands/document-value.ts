/**
 * The one place where a JSON document is given to a key: VALUE.SET, JSON.*, RESTORE and the INCR family on JSON numbers
 * write through it. The new text is whole before anything changes, and the old one can be read until the write, so that
 * whoever must compare the two (an index) has both.
 *
 * Invariant: what is stored is one JSON value as compact UTF-8 text, which the caller has checked or built of such.
 */
import { MAX_BULK_BYTES } from "../limits.ts";
import type { Session } from "../session/session.ts";
import { copyBytes } from "../store/arena.ts";
import { JSON_TEXT } from "../store/entry.ts";
import { JsonScanner, placeInText, writeCompact } from "../store/json-text.ts";
import type { Arguments } from "./arguments.ts";
import { CommandError } from "./command-error.ts";
import { editValue, putValue } from "./string-value.ts";

/** Bytes of JSON text: bytes[start, end). */
export interface DocumentText {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Beyond it a scratch buffer is not kept: one huge document must not take memory for ever. */
const MAX_KEPT_SCRATCH = 1 << 20;

const scanner = new JsonScanner();

/**
 * What bytes[start, end) are as JSON, in the one scanner of the commands; it holds until the next call. Of a record only
 * its syntax is asked: it was right by the rules of its time.
 */
export function scanDocument(
  session: Session,
  bytes: Buffer,
  start: number,
  end: number,
): JsonScanner {
  scanner.allowsDuplicates = session.origin === "replay" || session.origin === "replica";
  scanner.scan(bytes, start, end);
  return scanner;
}

/** The error for an argument that the scanner has found to be no JSON value. */
export function invalidJson({ problem, problemAt }: JsonScanner, args: Arguments, index: number) {
  const place = placeInText(args.buffer, args.start[index], problemAt);
  return new CommandError("ERR", `invalid JSON at ${place}: ${problem}`);
}

let scratch = Buffer.allocUnsafeSlow(4096);

/** A buffer of at least `size` bytes to build a new text in; it holds until the next call. */
export function scratchFor(size: number): Buffer {
  if (size <= scratch.length) return scratch;
  if (size > MAX_KEPT_SCRATCH) return Buffer.allocUnsafeSlow(size);
  scratch = Buffer.allocUnsafeSlow(Math.max(size, 2 * scratch.length));
  return scratch;
}

/** The value that the scanner has found in `bytes`, without whitespace between its parts. */
export function compactText(scanner: JsonScanner, bytes: Buffer): DocumentText {
  const { start, end, compactSize } = scanner;
  if (compactSize === end - start) return { bytes, start, end };
  const target = Buffer.allocUnsafe(compactSize);
  writeCompact(bytes, start, end, target, 0);
  return { bytes: target, start: 0, end: compactSize };
}

/**
 * Stores the text as the document under argument `key`, whose look-up answered `entry` (0: none). `deadlineMs` as
 * `Database.put` takes it. The text must not lie in the arena, which the write may move. Answers the entry.
 */
export function writeDocument(
  session: Session,
  args: Arguments,
  key: number,
  entry: number,
  text: DocumentText,
  deadlineMs: number,
): number {
  const { database } = session;
  const { arena } = database;
  const { bytes, start } = text;
  const size = text.end - start;
  requireDocumentSize(size);
  const observer = database.keyspace.entryObserver;
  if (observer !== null) {
    const [keyBytes, keyStart, keyEnd] = [args.buffer, args.start[key], args.end[key]];
    observer.documentComes({ database, keyBytes, keyStart, keyEnd, ...text });
  }
  const target = putValue(session, args, key, entry, JSON_TEXT, size, deadlineMs);
  copyBytes(bytes, start, editValue(arena, target, 0, size), database.valueStart, size);
  observer?.documentCame();
  return target;
}

/** Throws when a document would get longer than a string may be: GET and SET move it as one. */
export function requireDocumentSize(bytes: number): void {
  if (bytes <= MAX_BULK_BYTES) return;
  throw new CommandError("ERR", "document exceeds maximum allowed size (proto-max-bulk-len)");
}
