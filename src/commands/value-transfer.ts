/**
 * VALUE.EXPORT and VALUE.IMPORT: whole keys out and in again, each as it is: what kind of value it is, when it expires, and
 * the value. What `kvdb export` and `kvdb import` send.
 *
 *   kind     deadline                                value
 *   json     milliseconds since 1970, 0: it stays    the text of the document
 *   string                                           its bytes
 *   dump                                             what DUMP answers: for values with elements
 *
 * An import is all or nothing, and one record: everything is read and checked before anything changes, unique indexes
 * included, which are asked what will hold when all is there.
 */
import { MAX_DEADLINE_MS } from "../limits.ts";
import { hasIntactFooter, sealPayload } from "../rdb/dump-payload.ts";
import { RdbOutput } from "../rdb/rdb-output.ts";
import { ValueEncoder } from "../rdb/value-encoder.ts";
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { deadlineOf, JSON_TEXT, STRING, typeOf, valueAt, valueWord } from "../store/entry.ts";
import type { ComingDocument } from "../store/entry-observer.ts";
import type { KeyPlace } from "../store/key-place.ts";
import { shownKey } from "../store/shown-key.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import {
  compactText,
  type DocumentText,
  invalidJson,
  scanDocument,
  writeDocument,
} from "./document-value.ts";
import { readValue, storeElements } from "./dump.ts";
import { collectedBytes, requireGrowth } from "./growth.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { wrongArity } from "./refusal-words.ts";
import type { Reply } from "./reply.ts";
import { bytesOf, storeString } from "./string-value.ts";
import { isOver } from "./strings.ts";

/** An answer of more is a burden for who reads it: keys that follow are to be asked for again. */
const FULL_BYTES = 1 << 20;

// ---- out ----

interface Exported {
  readonly kind: "json" | "string" | "dump";
  readonly deadlineMs: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

function valueExport(session: Session, args: Arguments, reply: Reply): void {
  const found: (Exported | undefined)[] = [];
  let size = 0;
  for (let i = 1; i < args.count && size < FULL_BYTES; i++) {
    const entry = session.database.read(args.buffer, args.start[i], args.end[i]);
    const value = entry === 0 ? undefined : exported(session.database, entry);
    found.push(value);
    if (value !== undefined) size += value.end - value.start;
  }
  reply.array(found.length);
  for (const value of found) {
    if (value === undefined) {
      reply.null();
      continue;
    }
    reply.array(3);
    reply.text(value.kind);
    reply.integer(value.deadlineMs);
    reply.bulk(value.bytes, value.start, value.end);
  }
}

function exported({ arena, keyspace }: Database, entry: number): Exported {
  const type = typeOf(arena, entry);
  const deadlineMs = deadlineOf(arena, entry);
  if (type === STRING || type === JSON_TEXT) {
    const start = valueAt(arena, entry);
    const end = start + valueWord(arena, entry);
    const kind = type === STRING ? "string" : "json";
    return { kind, deadlineMs, bytes: bytesOf(arena, entry), start, end };
  }
  const output = new RdbOutput();
  const isTimed = new ValueEncoder(arena, keyspace.collections.types).encode(entry, output);
  sealPayload(output, { isDocument: false, isTimed });
  return { kind: "dump", deadlineMs, bytes: output.bytes, start: 0, end: output.end };
}

// ---- in ----

/** Arguments of one key, and where the parts of it stand behind the first. */
const PARTS = 4;
const KIND = 1;
const DEADLINE = 2;
const VALUE = 3;

function valueImport(session: Session, args: Arguments, reply: Reply): void {
  if (args.count % PARTS !== 1) {
    throw new CommandError("ERR", wrongArity("VALUE.IMPORT"));
  }
  requireDifferentKeys(args);
  let size = 0;
  for (let key = 1; key < args.count; key += PARTS) {
    const bytes = checkValue(session, args, key);
    if (!isLate(session, args, key)) size += bytes;
  }
  requireGrowth(session, size);
  if (session.server.keyspace.entryObserver !== null) askObserver(session, args);
  for (let key = 1; key < args.count; key += PARTS) removeIfThere(session, args, key);
  let late = 0;
  for (let key = 1; key < args.count; key += PARTS) {
    if (isLate(session, args, key)) late++;
    else storeValue(session, args, key);
  }
  if (late > 0) recordWithoutLate(session, args, late);
  reply.integer((args.count - 1) / PARTS);
}

/** Its time is over by now: it is not stored. */
function isLate(session: Session, args: Arguments, key: number): boolean {
  return isOver(session, args.integer(key + DEADLINE));
}

/** Throws when an index refuses what will be there. */
function askObserver(session: Session, args: Arguments): void {
  const { database } = session;
  const documents: ComingDocument[] = [];
  const leaving: KeyPlace[] = [];
  for (let key = 1; key < args.count; key += PARTS) {
    const place = placeOf(database, args, key);
    leaving.push(place);
    if (!args.is(key + KIND, "JSON") || isLate(session, args, key)) continue;
    const [keyStart, keyEnd] = [place.start, place.end];
    const text = documentOf(session, args, key);
    documents.push({ ...text, database, keyBytes: args.buffer, keyStart, keyEnd });
  }
  database.keyspace.entryObserver?.documentsCome(database, documents, leaving);
}

function placeOf(database: Database, args: Arguments, key: number): KeyPlace {
  return { database, bytes: args.buffer, start: args.start[key], end: args.end[key] };
}

/** Of two values for a key nobody could say which one is meant. */
function requireDifferentKeys(args: Arguments): void {
  const seen = new Set<string>();
  for (let key = 1; key < args.count; key += PARTS) {
    const name = args.latin(key);
    if (seen.has(name)) throw refusal(args, key, "ERR", "the key comes twice");
    seen.add(name);
  }
}

function refusal(args: Arguments, key: number, code: string, reason: string): CommandError {
  const shown = shownKey(args.buffer, args.start[key], args.end[key]);
  return new CommandError(code, `key ${shown}: ${reason}`);
}

/** Throws when the value cannot be stored; answers how many bytes it takes, at most. */
function checkValue(session: Session, args: Arguments, key: number): number {
  const deadlineMs = args.integer(key + DEADLINE);
  if (!(deadlineMs >= 0 && deadlineMs <= MAX_DEADLINE_MS)) {
    throw refusal(args, key, "ERR", "invalid expire time");
  }
  if (args.is(key + KIND, "STRING")) return args.size(key + VALUE);
  if (args.is(key + KIND, "JSON")) {
    const document = documentOf(session, args, key);
    return document.end - document.start;
  }
  if (!args.is(key + KIND, "DUMP")) {
    throw refusal(args, key, "ERR", "expected json, string or dump");
  }
  const payload = payloadAt(args, key);
  if (!hasIntactFooter(payload)) {
    throw refusal(args, key, "ERR", "DUMP payload version or checksum are wrong");
  }
  const { value } = readValue(session, payload);
  if (value.type === STRING) throw refusal(args, key, "ERR", "the payload has no elements");
  return collectedBytes(value);
}

function documentOf(session: Session, args: Arguments, key: number): DocumentText {
  const value = key + VALUE;
  const scanner = scanDocument(session, args.buffer, args.start[value], args.end[value]);
  if (scanner.problem !== "") {
    throw refusal(args, key, "ERR", invalidJson(scanner, args, value).message);
  }
  return compactText(scanner, args.buffer);
}

function payloadAt(args: Arguments, key: number) {
  return { bytes: args.buffer, start: args.start[key + VALUE], end: args.end[key + VALUE] };
}

/** All go before the first one comes: a value that is unique may move from one of the keys to another. */
function removeIfThere(session: Session, args: Arguments, key: number): void {
  const { database } = session;
  const entry = database.find(args.buffer, args.start[key], args.end[key]);
  if (entry === 0) return;
  database.remove(entry);
  if (isLate(session, args, key)) tellKey(session, keyEvents.del, args, key);
}

function storeValue(session: Session, args: Arguments, key: number): void {
  const deadlineMs = args.integer(key + DEADLINE);
  session.database.find(args.buffer, args.start[key], args.end[key]);
  if (args.is(key + KIND, "STRING")) {
    storeString(session, args, key, key + VALUE, 0, deadlineMs);
  } else if (args.is(key + KIND, "JSON")) {
    writeDocument(session, args, key, 0, documentOf(session, args, key), deadlineMs);
  } else {
    const { value } = readValue(session, payloadAt(args, key));
    storeElements(session, args, key, value, deadlineMs);
  }
  tellKey(session, keyEvents.restore, args, key);
}

/** What is over is never stored, which replay cannot know: it hears of the deletions and of the others. */
function recordWithoutLate(session: Session, args: Arguments, late: number): void {
  const { effects } = session.server;
  const write = (index: number) => effects.bytes(args.buffer, args.start[index], args.end[index]);
  effects.command(1 + late);
  effects.text("DEL");
  for (let key = 1; key < args.count; key += PARTS) if (isLate(session, args, key)) write(key);
  if (PARTS * late === args.count - 1) return;
  effects.command(args.count - PARTS * late);
  write(0);
  for (let key = 1; key < args.count; key += PARTS) {
    if (!isLate(session, args, key)) for (let part = 0; part < PARTS; part++) write(key + part);
  }
}

export const valueTransferCommands: readonly Command[] = [
  {
    name: "VALUE.EXPORT",
    arity: -2,
    flags: ["readonly"],
    group: "value",
    keys: [1, -1, 1],
    since: "kvdb 0.1.0",
    summary: "Returns kind, deadline and value of keys, of as many of the first as fit into 1 MiB.",
    syntax: "key [key ...]",
    run: valueExport,
  },
  {
    name: "VALUE.IMPORT",
    arity: -5,
    flags: ["write", "denyoom"],
    group: "value",
    keys: [1, -1, 4],
    since: "kvdb 0.1.0",
    summary: "Sets keys to what VALUE.EXPORT returned of them: all of them, or none.",
    syntax: "key kind deadline value [key kind deadline value ...]",
    run: valueImport,
  },
];
