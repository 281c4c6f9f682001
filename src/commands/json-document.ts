/**
 * What the JSON.* commands share: the path argument, the document under a key, the places that the path leads to, the
 * errors of RedisJSON, and how an edit ends. What is found lies in the arena and holds until something is written.
 */
import type { JSONPathQuery } from "json-p3";
import { MAX_JSON_DEPTH } from "../limits.ts";
import type { KeyEvent } from "../pubsub/event-names.ts";
import { type JsonPath, readPath } from "../query/json-path.ts";
import { runQuery } from "../query/json-path-query.ts";
import { PathError } from "../query/path-error.ts";
import type { Session } from "../session/session.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import { JSON_TEXT, typeOf, valueWord } from "../store/entry.ts";
import type { PartList } from "../store/json-edit.ts";
import { findLocations, findSteps, type JsonLocation, JsonSpans } from "../store/json-spans.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, wrongType } from "./command-error.ts";
import {
  compactText,
  type DocumentText,
  invalidJson,
  requireDocumentSize,
  scanDocument,
  scratchFor,
  writeDocument,
} from "./document-value.ts";
import { requireGrowth } from "./growth.ts";
import { tellKey } from "./key-event.ts";
import { bytesOf } from "./string-value.ts";

/** What the definitions of the commands have in common. */
export const JSON_COMMAND = { group: "json", keys: [1, 1, 1] } as const satisfies Partial<Command>;

// ---- paths ----

const ROOT: JsonPath = { text: ".", isLegacy: true, steps: [], query: null };

/** The path that is argument `index`; without it the root, in the older dialect. */
export function pathArgument(args: Arguments, index: number): JsonPath {
  if (index >= args.count) return ROOT;
  try {
    return readPath(args.buffer, args.start[index], args.end[index]);
  } catch (error) {
    throw asCommandError(error);
  }
}

export function isRoot({ steps }: JsonPath): boolean {
  return steps !== null && steps.length === 0;
}

function asCommandError(error: unknown): unknown {
  return error instanceof PathError ? new CommandError("ERR", error.message) : error;
}

// ---- documents ----

/** A document where it lies: bytes[start, end) of the arena. */
export interface FoundDocument extends DocumentText {
  /** 0: there is no such key, and no text. */
  readonly entry: number;
}

/** The document under argument `key`, for a command that reads; WRONGTYPE when the key holds something else. */
export function readDocument(session: Session, args: Arguments, key: number): FoundDocument {
  const { database } = session;
  return documentAt(session, database.read(args.buffer, args.start[key], args.end[key]));
}

/** The same for one that writes. */
export function findDocument(session: Session, args: Arguments, key: number): FoundDocument {
  const { database } = session;
  return documentAt(session, database.find(args.buffer, args.start[key], args.end[key]));
}

const NO_BYTES = Buffer.alloc(0);

export function documentAt({ database }: Session, entry: number): FoundDocument {
  if (entry === 0) return { entry, bytes: NO_BYTES, start: 0, end: 0 };
  const { arena, valueStart: start } = database;
  if (typeOf(arena, entry) !== JSON_TEXT) throw wrongType();
  return { entry, bytes: bytesOf(arena, entry), start, end: start + valueWord(arena, entry) };
}

/** Throws RedisJSON's error for a command that needs the key. */
export function requireDocument(document: FoundDocument): void {
  if (document.entry !== 0) return;
  throw new CommandError("ERR", "could not perform this operation on a key that doesn't exist");
}

// ---- places ----

const places = new JsonSpans();

/** The places that the path leads to, in the one object for them; it holds until the next call. */
export function findPlaces({ bytes, start, end }: DocumentText, path: JsonPath): JsonSpans {
  const { steps, query } = path;
  if (steps !== null) findSteps(bytes, start, end, steps, places);
  else if (query !== null) {
    findLocations(bytes, start, end, locationsOf(query, { bytes, start, end }), places);
  }
  return places;
}

/** Where the query leads to in the document. */
export function locationsOf(
  query: JSONPathQuery,
  { bytes, start, end }: DocumentText,
): JsonLocation[] {
  try {
    return runQuery(query, bytes, start, end);
  } catch (error) {
    throw asCommandError(error);
  }
}

export function missingPath({ text }: JsonPath, or = ""): CommandError {
  return new CommandError("ERR", `Path '${text}' does not exist${or === "" ? "" : ` or ${or}`}`);
}

export function unexpectedType(expected: string, found: string): CommandError {
  const text = `wrong type of path value - expected ${expected} but found ${found}`;
  return new CommandError("WRONGTYPE", text);
}

// ---- values ----

/** A value that is put into a document. */
export interface NewJson extends DocumentText {
  /** Objects and arrays within one another in it. */
  readonly depth: number;
}

/** The JSON value that is argument `index`, compact. */
export function jsonArgument(session: Session, args: Arguments, index: number): NewJson {
  const scanner = scanDocument(session, args.buffer, args.start[index], args.end[index]);
  if (scanner.problem !== "") throw invalidJson(scanner, args, index);
  const { bytes, start, end } = compactText(scanner, args.buffer);
  return { bytes, start, end, depth: scanner.deepest };
}

/** Throws when a value of such depth would be too deep within so many levels. */
export function requireDepth(levels: number, { depth }: NewJson): void {
  if (levels + depth <= MAX_JSON_DEPTH) return;
  throw new CommandError("ERR", `document would be nested deeper than ${MAX_JSON_DEPTH} levels`);
}

/** The text as a whole, in a buffer of its own or in the scratch buffer. */
export function assemble(text: PartList, target = scratchFor(text.size)): DocumentText {
  requireDocumentSize(text.size);
  return { bytes: target, start: 0, end: text.write(target, 0) };
}

/** Gives the document, whose look-up was the last one, its new text, and tells of it. It keeps its deadline. */
export function finishEdit(
  session: Session,
  args: Arguments,
  document: FoundDocument,
  text: PartList,
  event: KeyEvent,
): void {
  requireDocumentSize(text.size);
  requireGrowth(session, text.size - (document.end - document.start));
  writeDocument(session, args, 1, document.entry, assemble(text), KEEP_DEADLINE);
  tellKey(session, event, args);
}
