/**
 * Questions about values within documents: their types, lengths and keys, and JSON.RESP, which answers them as values of the
 * protocol. With a JSONPath the answer is an array with an element for each place, null where the value is of another type;
 * with a path of the older dialect it is about the first place, and another type is an error.
 */
import type { JsonPath } from "../query/json-path.ts";
import type { Session } from "../session/session.ts";
import { isSameJson } from "../store/json-equal.ts";
import { countChildren, JsonChildren, stringAt } from "../store/json-walk.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, Run } from "./command.ts";
import { type CommandError, notAnInteger } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import type { DocumentText } from "./document-value.ts";
import {
  type FoundDocument,
  findPlaces,
  JSON_COMMAND,
  jsonArgument,
  missingPath,
  pathArgument,
  readDocument,
  requireDocument,
  unexpectedType,
} from "./json-document.ts";
import { type JsonKind, kindOf, numberAt, stringSize } from "./json-value.ts";
import type { Reply } from "./reply.ts";

/** Answers something of the value bytes[start, end). */
type Answer = (reply: Reply, bytes: Buffer, start: number, end: number) => void;

interface Question {
  readonly answer: Answer;
  /** The only kind of value that it can be asked of. */
  readonly kind: JsonKind;
  /** With the older dialect: what is wrong when the value is of another kind, and when there is none (null: nothing). */
  readonly wrongKind: (path: JsonPath, found: JsonKind) => CommandError;
  readonly missing: (path: JsonPath) => CommandError | null;
  /** With a JSONPath: the error when there is no such key. */
  readonly noKey?: (path: JsonPath) => CommandError;
}

function ask({ answer, kind, wrongKind, missing, noKey }: Question): Run {
  return (session, args, reply) => {
    const path = pathArgument(args, 2);
    const document = readDocument(session, args, 1);
    if (document.entry === 0) {
      if (path.isLegacy) {
        reply.null();
        return;
      }
      if (noKey !== undefined) throw noKey(path);
      requireDocument(document);
    }
    const { bytes } = document;
    const { count, start, end } = findPlaces(document, path);
    if (!path.isLegacy) {
      reply.array(count);
      for (let i = 0; i < count; i++) {
        if (kindOf(bytes, start[i], end[i]) === kind) answer(reply, bytes, start[i], end[i]);
        else reply.null();
      }
      return;
    }
    if (count === 0) {
      const error = missing(path);
      if (error !== null) throw error;
      reply.null();
      return;
    }
    const found = kindOf(bytes, start[0], end[0]);
    if (found !== kind) throw wrongKind(path, found);
    answer(reply, bytes, start[0], end[0]);
  };
}

function replyKeys(reply: Reply, bytes: Buffer, start: number): void {
  reply.array(countChildren(bytes, start));
  for (const member = new JsonChildren().begin(bytes, start); member.next(); ) {
    reply.text(member.key());
  }
}

// ---- JSON.TYPE ----

function jsonType(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const document = readDocument(session, args, 1);
  // RESP3 has an array around all; so RedisJSON decided.
  if (session.protocol === 3) reply.array(1);
  if (document.entry === 0) {
    reply.null();
    return;
  }
  const { count, start, end } = findPlaces(document, path);
  if (!path.isLegacy) reply.array(count);
  else if (count === 0) reply.null();
  const answered = path.isLegacy ? Math.min(count, 1) : count;
  for (let i = 0; i < answered; i++) reply.text(kindOf(document.bytes, start[i], end[i]));
}

// ---- JSON.ARRINDEX ----

interface Search {
  readonly wanted: DocumentText;
  readonly from: number;
  /** Behind the last element; 0: behind all. */
  readonly to: number;
}

function jsonArrindex(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const search = {
    wanted: jsonArgument(session, args, 3),
    from: args.count > 4 ? indexArgument(args, 4) : 0,
    to: args.count > 5 ? indexArgument(args, 5) : 0,
  };
  const document = readDocument(session, args, 1);
  if (document.entry === 0) throw missingPath(path);
  const { bytes } = document;
  const { count, start, end } = findPlaces(document, path);
  if (path.isLegacy) {
    if (count === 0) throw missingPath(path);
    const kind = kindOf(bytes, start[0], end[0]);
    if (kind !== "array") throw unexpectedType("array", kind);
    reply.integer(indexOf(bytes, start[0], search));
    return;
  }
  reply.array(count);
  for (let i = 0; i < count; i++) {
    if (kindOf(bytes, start[i], end[i]) === "array")
      reply.integer(indexOf(bytes, start[i], search));
    else reply.null();
  }
}

function indexArgument(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}

/** The first index in the range with an equal element, -1: none. */
function indexOf(bytes: Buffer, at: number, { wanted, from, to }: Search): number {
  const size = countChildren(bytes, at);
  // A start behind the end means the last element; so RedisJSON has it.
  const first = from < 0 ? Math.max(0, size + from) : Math.min(from, size - 1);
  const behind = to === 0 ? size : to < 0 ? Math.max(0, size + to) : to;
  for (const element = new JsonChildren().begin(bytes, at); element.next(); ) {
    const { index, start, end } = element;
    if (index >= behind) return -1;
    if (index >= first && isSameJson({ bytes, start, end }, wanted)) return index;
  }
  return -1;
}

// ---- JSON.RESP ----

function jsonResp(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const document = readDocument(session, args, 1);
  if (document.entry === 0) {
    reply.null();
    return;
  }
  const { count, start, end } = findPlaces(document, path);
  if (path.isLegacy) {
    if (count === 0) throw missingPath(path);
    replyValue(reply, document.bytes, start[0], end[0]);
    return;
  }
  reply.array(count);
  for (let i = 0; i < count; i++) replyValue(reply, document.bytes, start[i], end[i]);
}

/** A value of the protocol; an array begins with `[`, an object, an array of keys and values too, with `{`. */
function replyValue(reply: Reply, bytes: Buffer, start: number, end: number): void {
  const kind = kindOf(bytes, start, end);
  if (kind === "array" || kind === "object") {
    const count = countChildren(bytes, start);
    reply.array(1 + (kind === "array" ? count : 2 * count));
    reply.status(kind === "array" ? "[" : "{");
    for (const child = new JsonChildren().begin(bytes, start); child.next(); ) {
      if (kind === "object") reply.text(child.key());
      replyValue(reply, bytes, child.start, child.end);
    }
  } else replyScalar(reply, kind, bytes, start, end);
}

function replyScalar(
  reply: Reply,
  kind: JsonKind,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (kind === "null") reply.null();
  else if (kind === "string") reply.text(stringAt(bytes, start, end));
  else if (kind === "boolean") reply.status(bytes.toString("latin1", start, end));
  else {
    const text = numberAt(bytes, start, end);
    if (kind === "integer" && BigInt(text) < 2n ** 63n) reply.integer(BigInt(text));
    else reply.double(Number(text));
  }
}

// ---- JSON.DEBUG MEMORY ----

/** Bytes that the text of the value takes: there is nothing else of it. */
function jsonDebugMemory(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 3);
  const document: FoundDocument = readDocument(session, args, 2);
  if (document.entry === 0) {
    if (path.isLegacy) reply.integer(0);
    else reply.array(0);
    return;
  }
  const { count, start, end } = findPlaces(document, path);
  if (path.isLegacy) {
    if (count === 0) throw missingPath(path);
    reply.integer(end[0] - start[0]);
    return;
  }
  reply.array(count);
  for (let i = 0; i < count; i++) reply.integer(end[i] - start[i]);
}

/** What all commands of this file have in common. */
const QUESTION = {
  ...JSON_COMMAND,
  arity: -2,
  flags: ["readonly"],
  since: "1.0.0",
  syntax: "key [path]",
} as const satisfies Partial<Command>;

export const jsonQuestionCommands: readonly Command[] = [
  {
    ...QUESTION,
    name: "JSON.TYPE",
    summary: "Returns the type of the value at a path of a document.",
    run: jsonType,
  },
  {
    ...QUESTION,
    name: "JSON.STRLEN",
    summary: "Returns the length of the string at a path of a document, in bytes.",
    run: ask({
      kind: "string",
      answer: (reply, bytes, start, end) => reply.integer(stringSize(bytes, start, end)),
      wrongKind: (_path, found) => unexpectedType("string", found),
      missing: missingPath,
    }),
  },
  {
    ...QUESTION,
    name: "JSON.ARRLEN",
    summary: "Returns the length of the array at a path of a document.",
    run: ask({
      kind: "array",
      answer: (reply, bytes, start) => reply.integer(countChildren(bytes, start)),
      wrongKind: (path) => missingPath(path, "not an array"),
      missing: missingPath,
    }),
  },
  {
    ...QUESTION,
    name: "JSON.ARRINDEX",
    arity: -4,
    summary: "Returns the index of the first element of an array that equals a value, or -1.",
    syntax: "key path value [start [stop]]",
    run: jsonArrindex,
  },
  {
    ...QUESTION,
    name: "JSON.OBJKEYS",
    summary: "Returns the keys of the object at a path of a document.",
    run: ask({
      kind: "object",
      answer: replyKeys,
      wrongKind: (path) => missingPath(path, "not an object"),
      missing: () => null,
    }),
  },
  {
    ...QUESTION,
    name: "JSON.OBJLEN",
    summary: "Returns how many keys the object at a path of a document has.",
    run: ask({
      kind: "object",
      answer: (reply, bytes, start) => reply.integer(countChildren(bytes, start)),
      wrongKind: (_path, found) => unexpectedType("object", found),
      missing: () => null,
      noKey: (path) => missingPath(path, "not an object"),
    }),
  },
  {
    ...QUESTION,
    name: "JSON.RESP",
    summary: "Returns the value at a path of a document as values of the protocol.",
    run: jsonResp,
  },
  {
    name: "JSON.DEBUG",
    arity: -2,
    flags: [],
    group: "json",
    since: "1.0.0",
    summary: "A container for commands about how documents are kept.",
    syntax: "",
  },
  {
    ...QUESTION,
    name: "JSON.DEBUG|MEMORY",
    arity: -3,
    keys: [2, 2, 1],
    summary: "Returns how many bytes the value at a path of a document takes.",
    run: jsonDebugMemory,
  },
  helpSubcommand("JSON.DEBUG", "json", "1.0.0"),
];
