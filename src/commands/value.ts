/**
 * VALUE.SET and VALUE.GET: any value as JSON, which is what `set` and `get` of the shell and of the command line send.
 * They take and give JSON where SET and GET take and give bytes:
 *
 *   {"a": 1}   [1, 2]   1.50   true   null     stored as JSON: the text without whitespace between its parts
 *   "Ada"                                      a JSON string: stored as the plain string Ada
 *   Ada   12 apples   "no end                  no JSON: stored as the plain string that it is
 *   {"a": 1   [1, 2,                           an error: who begins an object or array means one
 *
 * Record: a time counted from now becomes PXAT.
 */
import { isUtf8 } from "node:buffer";
import type { Session } from "../session/session.ts";
import { JSON_TEXT, STRING, typeOf, valueAt, valueWord } from "../store/entry.ts";
import { type JsonScanner, placeInText } from "../store/json-text.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, wrongType } from "./command-error.ts";
import { compactText, invalidJson, scanDocument, writeDocument } from "./document-value.ts";
import { forPeople } from "./for-people.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import { holdsLock } from "./locks.ts";
import type { Reply } from "./reply.ts";
import { recordSet, VALUE_SET } from "./string-effects.ts";
import { ALWAYS, IF_PRESENT, IF_VERSION, StringOptions } from "./string-options.ts";
import { bytesOf, storeBytes, storeString } from "./string-value.ts";
import { isOver, removeAndRecord, tellOver } from "./strings.ts";

const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

const options = new StringOptions();

function valueSet(session: Session, args: Arguments, reply: Reply): void {
  options.readForValue(args);
  const deadlineMs = options.deadline(session, args, "value.set");
  const scanner = scanDocument(session, args.buffer, args.start[2], args.end[2]);
  const isJson = scanner.problem === "";
  if (!isJson && (scanner.kind === OPEN_OBJECT || scanner.kind === OPEN_ARRAY)) {
    throw invalidJson(scanner, args, 2);
  }
  const text = isJson && scanner.kind === QUOTE ? decodeString(scanner, args) : null;
  const isHeld = options.token === 0 || holdsLock(session, args, options.token);
  const entry = session.database.find(args.buffer, args.start[1], args.end[1]);
  const event = keyEvents[isJson && text === null ? "json.set" : "set"];
  if (!isHeld || !isAllowed(session, args, entry)) {
    reply.null();
    return;
  }
  if (isOver(session, deadlineMs)) {
    removeAndRecord(session, args, entry);
    tellOver(session, args, entry, event);
  } else {
    if (text !== null) {
      const value = { kind: STRING, bytes: text, start: 0, end: text.length, deadlineMs };
      storeBytes(session, args, 1, entry, value);
    } else if (isJson) {
      writeDocument(session, args, 1, entry, compactText(scanner, args.buffer), deadlineMs);
    } else storeString(session, args, 1, 2, entry, deadlineMs);
    tellKey(session, event, args);
    if (options.hasTime) tellKey(session, keyEvents.expire, args);
    if (options.hasTime || options.hasOwnCondition) {
      recordSet(session, args, VALUE_SET, 2, deadlineMs);
    }
  }
  reply.ok();
}

function isAllowed({ database }: Session, args: Arguments, entry: number): boolean {
  const { condition } = options;
  if (condition === IF_VERSION) return options.fitsVersion(database, args, entry);
  return condition === ALWAYS || (entry !== 0) === (condition === IF_PRESENT);
}

/** The JSON string that the scanner has found, as bytes. */
function decodeString(scanner: JsonScanner, args: Arguments): Buffer {
  const { start, end } = scanner;
  const text: string = JSON.parse(args.buffer.toString("utf8", start, end));
  if (text.isWellFormed()) return Buffer.from(text);
  const problem = "a string with half of a surrogate pair has no UTF-8";
  throw new CommandError(
    "ERR",
    `invalid JSON at ${placeInText(args.buffer, args.start[2], start)}: ${problem}`,
  );
}

function valueGet(session: Session, args: Arguments, reply: Reply): void {
  const { database } = session;
  const { arena } = database;
  const entry = database.read(args.buffer, args.start[1], args.end[1]);
  if (entry === 0) {
    reply.null();
    return;
  }
  const type = typeOf(arena, entry);
  if (type !== STRING && type !== JSON_TEXT) throw wrongType();
  const at = valueAt(arena, entry);
  const end = at + valueWord(arena, entry);
  if (type === JSON_TEXT) reply.json(bytesOf(arena, entry), at, end);
  else reply.text(stringAsJson(bytesOf(arena, entry).subarray(at, end)));
}

/** A JSON string; what is no text, in base64. */
function stringAsJson(bytes: Buffer): string {
  if (isUtf8(bytes)) return JSON.stringify(bytes.toString("utf8"));
  return `{"$base64":"${bytes.toString("base64")}"}`;
}

export const valueCommands: readonly Command[] = [
  {
    name: "VALUE.SET",
    arity: -3,
    flags: ["write", "denyoom"],
    group: "value",
    keys: [1, 1, 1],
    since: "kvdb 0.1.0",
    summary: "Sets the value of a key from JSON; what is no JSON is stored as a string.",
    syntax:
      "key json [NX | XX | IFVERSION revision] [IFTOKEN token] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
    ...forPeople["VALUE.SET"],
    run: valueSet,
  },
  {
    name: "VALUE.GET",
    arity: 2,
    flags: ["readonly"],
    group: "value",
    keys: [1, 1, 1],
    since: "kvdb 0.1.0",
    summary: "Returns the value of a key as JSON.",
    syntax: "key",
    run: valueGet,
  },
];
