/**
 * JSON.MSET: values at paths of several documents, all of them or none. The texts are made before any document is given its
 * own, so what is wrong with the arguments is found before anything changes; a later pair sees what an earlier one makes.
 *
 * An index may still refuse a document when it comes. Then those that came before it are taken back, and the record has the
 * documents as they were: a replay asks no index.
 *
 * Record: as it was sent.
 */
import type { JsonPath } from "../query/json-path.ts";
import type { Session } from "../session/session.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { type DocumentText, writeDocument } from "./document-value.ts";
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
import type { Reply } from "./reply.ts";
import { requireGrowth } from "./string-value.ts";

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
  } else storeOrTakeBack(session, args, changes);
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
}

/** A document as it was before the command; `text` null: it was not there. */
interface Former {
  readonly key: number;
  readonly text: DocumentText | null;
}

function storeOrTakeBack(session: Session, args: Arguments, changes: readonly Change[]): void {
  const stored: Former[] = [];
  try {
    for (const { key, text } of changes) {
      const former = { key, text: copyOf(textAt(session, args, key)) };
      store(session, args, key, text);
      stored.push(former);
    }
  } catch (refusal) {
    // From the last to the first: each comes back to what it was among those that are left.
    for (const former of stored.reverse()) takeBack(session, args, former);
    throw refusal;
  }
}

function copyOf(text: DocumentText | null): DocumentText | null {
  if (text === null) return null;
  const bytes = Buffer.from(text.bytes.subarray(text.start, text.end));
  return { bytes, start: 0, end: bytes.length };
}

const JSON_SET = Buffer.from("JSON.SET");
const ROOT = Buffer.from("$");
const DEL = Buffer.from("DEL");

function takeBack(session: Session, args: Arguments, { key, text }: Former): void {
  const { database, server } = session;
  const { buffer, start, end } = args;
  if (text === null) {
    database.remove(database.find(buffer, start[key], end[key]));
    server.effects.command(2);
    server.effects.bytes(DEL, 0, DEL.length);
    server.effects.bytes(buffer, start[key], end[key]);
    return;
  }
  store(session, args, key, text);
  server.effects.command(4);
  server.effects.bytes(JSON_SET, 0, JSON_SET.length);
  server.effects.bytes(buffer, start[key], end[key]);
  server.effects.bytes(ROOT, 0, ROOT.length);
  server.effects.bytes(text.bytes, text.start, text.end);
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
