/**
 * VALUE.BATCH: puts and deletions as one change, all or none, which is what `batch` of the embedded API sends. What is wrong
 * with the arguments is found before anything changes, and so is what an index would refuse: it is asked about the batch as
 * a whole, so documents may exchange a value that is unique.
 *
 *   key  DEL        anything           0
 *   key  SET        bytes              when it expires: 0 never, milliseconds since 1970, +milliseconds from now
 *   key  JSON       the text           the same
 *
 * The last of several on one key counts.
 *
 * Record: as it was sent; where a key expires, what came of it: moments, and DEL for one that has passed.
 */
import { MAX_DEADLINE_MS } from "../limits.ts";
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import type { ComingDocument } from "../store/entry-observer.ts";
import type { KeyPlace } from "../store/key-place.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import {
  compactText,
  type DocumentText,
  invalidJson,
  requireDocumentSize,
  scanDocument,
  writeDocument,
} from "./document-value.ts";
import { requireGrowth } from "./growth.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";
import { storeString } from "./string-value.ts";
import { isOver } from "./strings.ts";

/** Arguments of one change. */
const STEP = 4;

interface Change {
  /** The argument that is its key; its value is two behind it. */
  readonly key: number;
  readonly kind: "DEL" | "SET" | "JSON";
  /** Of JSON. */
  readonly text: DocumentText | null;
  /** 0: none. */
  readonly deadlineMs: number;
}

function valueBatch(session: Session, args: Arguments, reply: Reply): void {
  if (args.count % STEP !== 1) {
    throw new CommandError("ERR", "wrong number of arguments for 'value.batch' command");
  }
  const all: Change[] = [];
  for (let i = 1; i < args.count; i += STEP) all.push(changeAt(session, args, i));
  const last = [...new Map(all.map((change) => [args.latin(change.key), change])).values()];
  requireGrowth(session, growthOf(args, last));
  makeWay(session, args, last);
  for (const change of last) apply(session, args, change);
  const hasTime = all.some(({ key }) => !args.is(key + 3, "0"));
  if (hasTime && session.origin !== "replay") record(session, args, last);
  reply.ok();
}

function changeAt(session: Session, args: Arguments, key: number): Change {
  const kind = args.is(key + 1, "JSON") ? "JSON" : args.is(key + 1, "SET") ? "SET" : "DEL";
  if (kind === "DEL" && !args.is(key + 1, "DEL")) throw syntaxError();
  const deadlineMs = deadlineAt(session, args, key + 3);
  // Its time is over before it began.
  if (isOver(session, deadlineMs)) return { key, kind: "DEL", text: null, deadlineMs: 0 };
  const text = kind === "JSON" ? documentAt(session, args, key + 2) : null;
  return { key, kind, text, deadlineMs };
}

function documentAt(session: Session, args: Arguments, index: number): DocumentText {
  const scanner = scanDocument(session, args.buffer, args.start[index], args.end[index]);
  if (scanner.problem !== "") throw invalidJson(scanner, args, index);
  const text = compactText(scanner, args.buffer);
  requireDocumentSize(text.end - text.start);
  return text;
}

function deadlineAt(session: Session, args: Arguments, index: number): number {
  const text = args.latin(index);
  if (text === "0") return 0;
  const time = /^\+?[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  const deadlineMs = text.startsWith("+") ? time + session.server.keyspace.nowMs : time;
  if (deadlineMs <= MAX_DEADLINE_MS) return deadlineMs;
  throw new CommandError("ERR", "invalid expire time in 'value.batch' command");
}

/** At most, whatever the keys have. */
function growthOf(args: Arguments, changes: readonly Change[]): number {
  let growth = 0;
  for (const { key, kind } of changes) if (kind !== "DEL") growth += args.size(key + 2);
  return growth;
}

/** Throws what an index refuses. Where a value may go from one document to another, all of them make way first. */
function makeWay(session: Session, args: Arguments, changes: readonly Change[]): void {
  const { database } = session;
  const observer = database.keyspace.entryObserver;
  if (observer === null) return;
  const places = changes.map(({ key }) => placeOf(database, args, key));
  const documents = changes.flatMap(({ key, text }) =>
    text === null ? [] : [comingDocument(database, args, key, text)],
  );
  observer.documentsCome(database, documents, places);
  for (const change of changes) remove(session, args, change);
}

function comingDocument(
  database: Database,
  args: Arguments,
  key: number,
  text: DocumentText,
): ComingDocument {
  const [keyBytes, keyStart, keyEnd] = [args.buffer, args.start[key], args.end[key]];
  return { database, keyBytes, keyStart, keyEnd, ...text };
}

function placeOf(database: Database, args: Arguments, key: number): KeyPlace {
  return { database, bytes: args.buffer, start: args.start[key], end: args.end[key] };
}

/** What only makes way is no deletion, so nobody is told of one. */
function remove(session: Session, args: Arguments, { key, kind }: Change): void {
  const { database } = session;
  const entry = database.find(args.buffer, args.start[key], args.end[key]);
  if (entry === 0) return;
  database.remove(entry);
  if (kind === "DEL") tellKey(session, keyEvents.del, args, key);
}

function apply(session: Session, args: Arguments, change: Change): void {
  const { key, kind, text, deadlineMs } = change;
  if (kind === "DEL") {
    remove(session, args, change);
    return;
  }
  const entry = session.database.find(args.buffer, args.start[key], args.end[key]);
  if (text !== null) writeDocument(session, args, key, entry, text, deadlineMs);
  else storeString(session, args, key, key + 2, entry, deadlineMs);
  tellKey(session, keyEvents[text === null ? "set" : "json.set"], args, key);
  if (deadlineMs !== 0) tellKey(session, keyEvents.expire, args, key);
}

function record(session: Session, args: Arguments, changes: readonly Change[]): void {
  const { effects } = session.server;
  effects.command(1 + STEP * changes.length);
  effects.text("VALUE.BATCH");
  for (const { key, kind, deadlineMs } of changes) {
    effects.bytes(args.buffer, args.start[key], args.end[key]);
    effects.text(kind);
    const value = kind === "DEL" ? key : key + 2;
    effects.bytes(
      args.buffer,
      args.start[value],
      kind === "DEL" ? args.start[value] : args.end[value],
    );
    effects.integer(deadlineMs);
  }
}

export const batchCommands: readonly Command[] = [
  {
    name: "VALUE.BATCH",
    arity: -5,
    flags: ["write", "denyoom"],
    group: "value",
    keys: [1, -1, STEP],
    since: "kvdb 0.1.0",
    summary: "Sets and deletes keys as one change, all or none.",
    syntax:
      "key <DEL | SET | JSON> value <0 | unix-time-milliseconds | +milliseconds> [key <DEL | SET | JSON> value <0 | unix-time-milliseconds | +milliseconds> ...]",
    run: valueBatch,
  },
];
