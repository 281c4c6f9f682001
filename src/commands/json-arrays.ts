/**
 * Arrays within documents changed in place: elements put in, taken out, cut off. With a JSONPath each array that it leads to is
 * changed, and the answer is an array with an element for each place, null where there is no array. A path of the older
 * dialect changes all that it leads to as well, and answers what the last one does.
 *
 * Of arrays within one another the inner one is changed first. Records: as they were sent.
 */

import type { KeyEvent } from "../pubsub/event-names.ts";
import type { JsonPath } from "../query/json-path.ts";
import type { Session } from "../session/session.ts";
import { DocumentEdits, editOrder, PartList } from "../store/json-edit.ts";
import type { JsonSpans } from "../store/json-spans.ts";
import { COMMA, countChildren, findElement, JsonChildren, OPEN_ARRAY } from "../store/json-walk.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, notAnInteger } from "./command-error.ts";
import {
  assemble,
  findDocument,
  findPlaces,
  finishEdit,
  JSON_COMMAND,
  jsonArgument,
  missingPath,
  type NewJson,
  pathArgument,
  requireDepth,
  requireDocument,
} from "./json-document.ts";
import { COMMA_SIGN } from "./json-value.ts";
import { keyEvents } from "./key-event.ts";
import type { Reply } from "./reply.ts";

/** An array in a document that is being edited: its brackets are at `start` and `end - 1`. */
interface ArrayPlace {
  readonly edits: DocumentEdits;
  readonly start: number;
  readonly end: number;
  /** Objects and arrays around it. */
  readonly depth: number;
}

/** What became of an array: its new text, null when it stays, and what the command answers for it. */
interface ArrayChange {
  readonly text: PartList | null;
  /** A number, or JSON text. */
  readonly answer: number | PartList | null;
}

/** What is done to each array, and the event that tells of it. */
interface ArrayEdit {
  readonly event: KeyEvent;
  readonly change: (array: ArrayPlace) => ArrayChange;
}

function changeArrays(
  session: Session,
  args: Arguments,
  path: JsonPath,
  { event, change }: ArrayEdit,
  reply: Reply,
): void {
  const document = findDocument(session, args, 1);
  requireDocument(document);
  const places = findPlaces(document, path);
  const edits = new DocumentEdits(document.bytes, document.start, document.end);
  /** By where the array begins. */
  const answers = new Map<number, ArrayChange["answer"]>();
  let isChanged = false;
  for (const number of editOrder(places, false)) {
    const [start, end] = [places.start[number], places.end[number]];
    if (document.bytes[start] !== OPEN_ARRAY) continue;
    const { text, answer } = change({ edits, start, end, depth: places.depth[number] });
    answers.set(start, answer);
    if (text === null) continue;
    edits.replace(start, end, text);
    isChanged = true;
  }
  if (path.isLegacy && answers.size === 0) throw missingPath(path, "not an array");
  const shown = answersOf(places, path, answers);
  if (isChanged) finishEdit(session, args, document, edits.finish(), event);
  if (!path.isLegacy) reply.array(shown.length);
  for (const answer of shown) replyAnswer(reply, answer);
}

/** The answers in the order of the places; texts in buffers of their own, since what they are parts of will change. */
function answersOf(
  { count, start }: JsonSpans,
  { isLegacy }: JsonPath,
  answers: ReadonlyMap<number, ArrayChange["answer"]>,
): (number | Buffer | null)[] {
  const shown: (number | Buffer | null)[] = [];
  for (let i = 0; i < count; i++) {
    const answer = answers.get(start[i]);
    if (isLegacy && answer === undefined) continue;
    if (isLegacy) shown.length = 0;
    shown.push(
      answer instanceof PartList
        ? assemble(answer, Buffer.allocUnsafe(answer.size)).bytes
        : (answer ?? null),
    );
  }
  return shown;
}

function replyAnswer(reply: Reply, answer: number | Buffer | null): void {
  if (answer === null) reply.null();
  else if (typeof answer === "number") reply.integer(answer);
  else reply.json(answer, 0, answer.length);
}

function jsonArguments(session: Session, args: Arguments, from: number): NewJson[] {
  const values: NewJson[] = [];
  for (let i = from; i < args.count; i++) values.push(jsonArgument(session, args, i));
  return values;
}

function integerArgument(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (Number.isNaN(value)) throw notAnInteger();
  return value;
}

// ---- putting in ----

function jsonArrappend(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const values = jsonArguments(session, args, 3);
  const event = keyEvents["json.arrappend"];
  const change = (array: ArrayPlace) => {
    const size = countChildren(array.edits.bytes, array.start);
    return insert(array, values, size, size);
  };
  changeArrays(session, args, path, { event, change }, reply);
}

function jsonArrinsert(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const index = integerArgument(args, 3);
  const values = jsonArguments(session, args, 4);
  const event = keyEvents["json.arrinsert"];
  const change = (array: ArrayPlace) => {
    const size = countChildren(array.edits.bytes, array.start);
    const at = index < 0 ? size + index : index;
    if (at < 0 || at > size) throw new CommandError("ERR", "index out of bounds");
    return insert(array, values, at, size);
  };
  changeArrays(session, args, path, { event, change }, reply);
}

/** The array of `size` elements with the values before element number `index`. */
function insert(
  { edits, start, end, depth }: ArrayPlace,
  values: readonly NewJson[],
  index: number,
  size: number,
): ArrayChange {
  const { bytes } = edits;
  const isAtEnd = index === size;
  const at = isAtEnd ? end - 1 : findElement(bytes, start, index);
  const text = edits.take(new PartList(), start, at);
  if (isAtEnd && size > 0) text.addText(COMMA_SIGN);
  values.forEach((value, number) => {
    requireDepth(depth + 1, value);
    if (number > 0) text.addText(COMMA_SIGN);
    text.addText(value);
  });
  if (!isAtEnd) text.addText(COMMA_SIGN);
  edits.take(text, at, end);
  return { text, answer: size + values.length };
}

// ---- taking out ----

function jsonArrpop(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const index = args.count > 3 ? integerArgument(args, 3) : -1;
  const event = keyEvents["json.arrpop"];
  const change = (array: ArrayPlace) => pop(array, index);
  changeArrays(session, args, path, { event, change }, reply);
}

/** Takes out the element with this index; one that is beyond either end means the element there. */
function pop({ edits, start, end }: ArrayPlace, index: number): ArrayChange {
  const { bytes } = edits;
  const size = countChildren(bytes, start);
  if (size === 0) return { text: null, answer: null };
  const chosen = index < 0 ? Math.max(0, size + index) : Math.min(index, size - 1);
  const children = new JsonChildren().begin(bytes, start);
  while (children.index < chosen) children.next();
  const isFirst = chosen === 0;
  const text = edits.take(new PartList(), start, isFirst ? children.start : children.start - 1);
  const answer = edits.take(new PartList(), children.start, children.end);
  const rest = isFirst && bytes[children.end] === COMMA ? children.end + 1 : children.end;
  return { text: edits.take(text, rest, end), answer };
}

function jsonArrtrim(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const first = integerArgument(args, 3);
  const last = integerArgument(args, 4);
  const event = keyEvents["json.arrtrim"];
  const change = (array: ArrayPlace) => trim(array, first, last);
  changeArrays(session, args, path, { event, change }, reply);
}

/** Keeps the elements from index `first` to `last`, which count from the end when negative. */
function trim({ edits, start, end }: ArrayPlace, first: number, last: number): ArrayChange {
  const { bytes } = edits;
  const size = countChildren(bytes, start);
  const from = first < 0 ? Math.max(0, size + first) : first;
  const to = last < 0 ? Math.max(0, size + last) : Math.min(last, size - 1);
  if (from === 0 && to === size - 1) return { text: null, answer: size };
  const text = new PartList().add(bytes, start, start + 1);
  const kept = from < size ? Math.max(0, to - from + 1) : 0;
  if (kept > 0) {
    const children = new JsonChildren().begin(bytes, start);
    while (children.index < from) children.next();
    const keptFrom = children.start;
    while (children.index < to) children.next();
    edits.drop(keptFrom);
    edits.take(text, keptFrom, children.end);
  }
  edits.drop(end);
  return { text: text.add(bytes, end - 1, end), answer: kept };
}

/** What all commands of this file have in common. */
const ARRAY_COMMAND = { ...JSON_COMMAND, since: "1.0.0" } as const satisfies Partial<Command>;

export const jsonArrayCommands: readonly Command[] = [
  {
    ...ARRAY_COMMAND,
    name: "JSON.ARRAPPEND",
    arity: -4,
    flags: ["write", "denyoom"],
    summary: "Appends values to the array at a path of a document.",
    syntax: "key path value [value ...]",
    run: jsonArrappend,
  },
  {
    ...ARRAY_COMMAND,
    name: "JSON.ARRINSERT",
    arity: -5,
    flags: ["write", "denyoom"],
    summary: "Inserts values before an element of the array at a path of a document.",
    syntax: "key path index value [value ...]",
    run: jsonArrinsert,
  },
  {
    ...ARRAY_COMMAND,
    name: "JSON.ARRPOP",
    arity: -2,
    flags: ["write"],
    summary: "Removes and returns an element of the array at a path of a document.",
    syntax: "key [path [index]]",
    run: jsonArrpop,
  },
  {
    ...ARRAY_COMMAND,
    name: "JSON.ARRTRIM",
    arity: 5,
    flags: ["write"],
    summary: "Cuts the array at a path of a document down to a range of its elements.",
    syntax: "key path start stop",
    run: jsonArrtrim,
  },
];
