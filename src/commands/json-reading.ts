/** JSON documents read as a whole or by paths, as JSON text: JSON.GET and JSON.MGET. */
import type { JsonPath } from "../query/json-path.ts";
import type { Session } from "../session/session.ts";
import { JSON_TEXT, typeOf } from "../store/entry.ts";
import { PartList } from "../store/json-edit.ts";
import { type JsonLayout, layOut, layoutSize } from "../store/json-layout.ts";
import type { JsonSpans } from "../store/json-spans.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { type DocumentText, requireDocumentSize, scratchFor } from "./document-value.ts";
import {
  assemble,
  documentAt,
  type FoundDocument,
  findPlaces,
  JSON_COMMAND,
  missingPath,
  pathArgument,
  readDocument,
} from "./json-document.ts";
import {
  CLOSE_ARRAY_SIGN,
  CLOSE_OBJECT_SIGN,
  COLON_SIGN,
  COMMA_SIGN,
  OPEN_ARRAY_SIGN,
  OPEN_OBJECT_SIGN,
  textPart,
} from "./json-value.ts";
import type { Reply } from "./reply.ts";

const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** What JSON.GET is asked for, besides its key. */
interface Request {
  /** Arguments that are paths. */
  readonly paths: readonly number[];
  readonly layout: JsonLayout | null;
}

function jsonGet(session: Session, args: Arguments, reply: Reply): void {
  const { paths, layout } = readRequest(session, args);
  const document = readDocument(session, args, 1);
  if (document.entry === 0) {
    reply.null();
    return;
  }
  if (paths.length > 1) {
    replyText(assemble(textOfPaths(args, document, paths)), layout, reply);
    return;
  }
  const path = pathArgument(args, paths[0] ?? args.count);
  const places = findPlaces(document, path);
  if (!path.isLegacy) replyText(arrayText(document, places), layout, reply);
  else if (places.count === 0) throw missingPath(path);
  else replyText(placeText(document, places, 0), layout, reply);
}

function readRequest(session: Session, args: Arguments): Request {
  const paths: number[] = [];
  let layout: { -readonly [K in keyof JsonLayout]: Buffer } | null = null;
  for (let i = 2; i < args.count; i++) {
    const option = layoutOption(args, i);
    if (option !== null) {
      if (++i === args.count) throw syntaxError();
      layout ??= { indent: NOTHING, newline: NOTHING, space: NOTHING };
      layout[option] = args.bytes(i);
    } else if (args.is(i, "FORMAT")) requireTextFormat(session, args, ++i);
    else if (!args.is(i, "NOESCAPE")) paths.push(i);
  }
  return { paths, layout };
}

const NOTHING = Buffer.alloc(0);

function layoutOption(args: Arguments, index: number): keyof JsonLayout | null {
  if (args.is(index, "INDENT")) return "indent";
  if (args.is(index, "NEWLINE")) return "newline";
  return args.is(index, "SPACE") ? "space" : null;
}

/** RedisJSON's other formats are RESP3 values; JSON.RESP answers those. */
function requireTextFormat(session: Session, args: Arguments, index: number): void {
  if (session.protocol === 2) {
    throw new CommandError("ERR", "FORMAT argument is not supported on RESP2");
  }
  if (index === args.count) throw syntaxError();
  if (!args.is(index, "STRING")) throw new CommandError("ERR", "wrong reply format");
}

function placeText({ bytes }: FoundDocument, { start, end }: JsonSpans, number: number) {
  return { bytes, start: start[number], end: end[number] };
}

/** An array with the value of each place. */
function arrayText(document: FoundDocument, places: JsonSpans): DocumentText {
  if (places.count !== 1) return assemble(arrayParts(new PartList(), document, places));
  // What is nearly always asked for needs no list.
  const start = places.start[0];
  const size = places.end[0] - start;
  const target = scratchFor(size + 2);
  target[0] = OPEN_ARRAY;
  document.bytes.copy(target, 1, start, start + size);
  target[size + 1] = CLOSE_ARRAY;
  return { bytes: target, start: 0, end: size + 2 };
}

function arrayParts(text: PartList, { bytes }: FoundDocument, places: JsonSpans): PartList {
  text.addText(OPEN_ARRAY_SIGN);
  for (let i = 0; i < places.count; i++) {
    if (i > 0) text.addText(COMMA_SIGN);
    text.add(bytes, places.start[i], places.end[i]);
    requireDocumentSize(text.size);
  }
  return text.addText(CLOSE_ARRAY_SIGN);
}

/** An object with a member for each path. When all are in the older dialect each is its first value, else an array. */
function textOfPaths(
  args: Arguments,
  document: FoundDocument,
  indexes: readonly number[],
): PartList {
  const paths = new Map<string, JsonPath>();
  for (const index of indexes) {
    const path = pathArgument(args, index);
    paths.set(path.text, path);
  }
  const areLegacy = [...paths.values()].every(({ isLegacy }) => isLegacy);
  const text = new PartList().addText(OPEN_OBJECT_SIGN);
  for (const path of paths.values()) {
    if (text.size > 1) text.addText(COMMA_SIGN);
    text.addText(textPart(JSON.stringify(path.text))).addText(COLON_SIGN);
    const places = findPlaces(document, path);
    if (!areLegacy) arrayParts(text, document, places);
    else if (places.count === 0) throw missingPath(path);
    else text.addText(placeText(document, places, 0));
  }
  return text.addText(CLOSE_OBJECT_SIGN);
}

function replyText(text: DocumentText, layout: JsonLayout | null, reply: Reply): void {
  const { bytes, start, end } = text;
  if (layout === null) {
    reply.json(bytes, start, end);
    return;
  }
  const size = layoutSize(bytes, start, end, layout);
  requireDocumentSize(size);
  const target = Buffer.allocUnsafe(size);
  layOut(bytes, start, end, layout, target);
  reply.bulk(target, 0, size);
}

function jsonMget(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, args.count - 1);
  const { database } = session;
  reply.array(args.count - 2);
  for (let i = 1; i < args.count - 1; i++) {
    const entry = database.read(args.buffer, args.start[i], args.end[i]);
    if (entry === 0 || typeOf(database.arena, entry) !== JSON_TEXT) reply.null();
    else replyPlaces(documentAt(session, entry), path, reply);
  }
}

function replyPlaces(document: FoundDocument, path: JsonPath, reply: Reply): void {
  const places = findPlaces(document, path);
  if (!path.isLegacy) replyText(arrayText(document, places), null, reply);
  else if (places.count === 0) reply.null();
  else replyText(placeText(document, places, 0), null, reply);
}

export const jsonReadingCommands: readonly Command[] = [
  {
    ...JSON_COMMAND,
    name: "JSON.GET",
    arity: -2,
    flags: ["readonly"],
    since: "1.0.0",
    summary: "Returns the values at one or more paths of a document as JSON.",
    syntax: "key [INDENT indent] [NEWLINE newline] [SPACE space] [path [path ...]]",
    run: jsonGet,
  },
  {
    ...JSON_COMMAND,
    name: "JSON.MGET",
    arity: -3,
    flags: ["readonly"],
    keys: [1, -2, 1],
    since: "1.0.0",
    summary: "Returns the values at one path of several documents as JSON.",
    syntax: "key [key ...] path",
    run: jsonMget,
  },
];
