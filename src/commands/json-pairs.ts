/**
 * JSON.MSET: values at paths of several documents, all of them or none. The texts are made before any document is given its
 * own, so what is wrong with the arguments is found before anything changes; a later pair sees what an earlier one makes.
 *
 * Record: as it was sent.
 */
import type { JsonPath } from "../query/json-path.ts";
import type { Session } from "../session/session.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import { deadlineOf } from "../store/entry.ts";
import { findAt } from "../store/key-place.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { type DocumentText, writeDocument } from "./document-value.ts";
import { requireGrowth } from "./growth.ts";
import {
  assemble,
  findDocument,
  isRoot,
  JSON_COMMAND,
  jsonArgument,
  missingPath,
  type NewJson,
  pathArgument,
} from "./json-document.ts";
import { notAtRoot, setAt } from "./json-setting.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

/** A document that changes. */
interface Change {
  /** The first argument that names its key. */
  readonly key: number;
  readonly text: DocumentText;
}

function jsonMset(session: Session, args: Arguments, reply: Reply): void {
  if (args.count % 3 !== 1) {
    throw new CommandError("ERR", "wrong number of arguments for 'json.mset' command");
  }
  const changes = changesOf(session, args);
  if (session.database.keyspace.entryObserver === null) {
    for (const { key, text } of changes) store(session, args, key, text);
  } else storeTogether(session, args, changes);
  reply.ok();
}

function changesOf(session: Session, args: Arguments): Change[] {
  const changes = new Map<string, Change>();
  let growth = 0;
  for (let i = 1; i < args.count; i += 3) {
    const name = args.latin(i);
    const path = pathArgument(args, i + 1);
    const value = jsonArgument(session, args, i + 2);
    const earlier = changes.get(name);
    const before = earlier?.text ?? textAt(session, args, i);
    const text = isRoot(path) ? value : setPair(before, path, value);
    growth += text.end - text.start - (before === null ? 0 : before.end - before.start);
    changes.set(name, { key: earlier?.key ?? i, text });
  }
  requireGrowth(session, growth);
  return [...changes.values()];
}

/** The document under argument `key`, where it lies; null: there is none. */
function textAt(session: Session, args: Arguments, key: number): DocumentText | null {
  const document = findDocument(session, args, key);
  return document.entry === 0 ? null : document;
}

function setPair(before: DocumentText | null, path: JsonPath, value: NewJson): DocumentText {
  if (before === null) throw notAtRoot();
  const text = setAt(before, path, value, "always");
  if (text === null) throw missingPath(path);
  return assemble(text, Buffer.allocUnsafeSlow(text.size));
}

function store(session: Session, args: Arguments, key: number, text: DocumentText): void {
  const entry = session.database.find(args.buffer, args.start[key], args.end[key]);
  writeDocument(session, args, key, entry, text, KEEP_DEADLINE);
  tellKey(session, keyEvents["json.mset"], args, key);
}

/** Indexes judge all of them together; then a value may go from one document to another, so the old ones make way first. */
function storeTogether(session: Session, args: Arguments, changes: readonly Change[]): void {
  const { database } = session;
  const documents = changes.map(({ key, text }) => ({
    ...{ database, keyBytes: args.buffer, keyStart: args.start[key], keyEnd: args.end[key] },
    ...text,
  }));
  const places = documents.map(({ keyBytes, keyStart, keyEnd }) => {
    return { database, bytes: keyBytes, start: keyStart, end: keyEnd };
  });
  database.keyspace.entryObserver?.documentsCome(database, documents, places);
  const deadlines = places.map((place) => {
    const entry = findAt(place);
    const deadlineMs = entry === 0 ? 0 : deadlineOf(database.arena, entry);
    if (entry !== 0) database.remove(entry);
    return deadlineMs;
  });
  for (const [i, { key, text }] of changes.entries()) {
    writeDocument(session, args, key, findAt(places[i]), text, deadlines[i]);
    tellKey(session, keyEvents["json.mset"], args, key);
  }
}

export const jsonPairCommands: readonly Command[] = [
  {
    ...JSON_COMMAND,
    name: "JSON.MSET",
    arity: -4,
    flags: ["write", "denyoom"],
    keys: [1, -1, 3],
    since: "2.6.0",
    summary: "Sets values at paths of several documents: all of them or none.",
    syntax: "key path value [key path value ...]",
    run: jsonMset,
  },
];
