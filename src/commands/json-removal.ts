/**
 * JSON.DEL (JSON.FORGET) takes values out of documents, JSON.CLEAR empties them. Of places within one another the outer one
 * counts: what is within goes with it. A document from which the last value was taken goes too, as in RedisJSON.
 *
 * Records: as they were sent.
 */
import type { Session } from "../session/session.ts";
import { DocumentEdits, editOrder, PartList } from "../store/json-edit.ts";
import type { JsonSpans } from "../store/json-spans.ts";
import { JsonChildren, OPEN_ARRAY, OPEN_OBJECT, valueEnd } from "../store/json-walk.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import type { DocumentText } from "./document-value.ts";
import {
  type FoundDocument,
  findDocument,
  findPlaces,
  finishEdit,
  JSON_COMMAND,
  pathArgument,
  requireDocument,
} from "./json-document.ts";
import { COMMA_SIGN, EMPTY_ARRAY, EMPTY_OBJECT, isNumberAt, numberAt, ZERO } from "./json-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

function jsonDel(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const document = findDocument(session, args, 1);
  if (document.entry === 0) {
    reply.integer(0);
    return;
  }
  const places = findPlaces(document, path);
  const order = editOrder(places, true);
  const isWhole = order.length === 1 && places.parent[order[0]] < 0;
  const text = isWhole || order.length === 0 ? null : withoutPlaces(document, places, order);
  // Two brackets are left of a document without values.
  if (isWhole || text?.size === 2) {
    session.database.remove(document.entry);
    tellKey(session, keyEvents["json.del"], args);
    tellKey(session, keyEvents.del, args);
  } else if (text !== null) finishEdit(session, args, document, text, keyEvents["json.del"]);
  reply.integer(order.length);
}

/** The document without these places, none of which is its root. Each object or array that has some is one edit. */
function withoutPlaces(document: DocumentText, places: JsonSpans, order: readonly number[]) {
  const { bytes, start, end } = document;
  const byParent = new Map<number, Set<number>>();
  for (const number of order) {
    const parent = places.parent[number];
    const gone = byParent.get(parent);
    if (gone === undefined) byParent.set(parent, new Set([places.start[number]]));
    else gone.add(places.start[number]);
  }
  const edits = new DocumentEdits(bytes, start, end);
  // An object or array begins before all that is within it.
  for (const parent of [...byParent.keys()].sort((a, b) => b - a)) {
    const behind = parent === start ? end : valueEnd(bytes, parent);
    const kept = keptChildren(edits, parent, byParent.get(parent) ?? new Set());
    edits.replace(parent, behind, kept.add(bytes, behind - 1, behind));
  }
  return edits.finish();
}

/** The object or array at `parent` without the children that begin at these places, and without its closing bracket. */
function keptChildren(edits: DocumentEdits, parent: number, gone: ReadonlySet<number>): PartList {
  const { bytes } = edits;
  const text = new PartList().add(bytes, parent, parent + 1);
  for (const child = new JsonChildren().begin(bytes, parent); child.next(); ) {
    if (gone.has(child.start)) edits.drop(child.end);
    else {
      if (text.size > 1) text.addText(COMMA_SIGN);
      edits.take(text, child.memberStart, child.end);
    }
  }
  return text;
}

function jsonClear(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const document = findDocument(session, args, 1);
  requireDocument(document);
  const places = findPlaces(document, path);
  const edits = new DocumentEdits(document.bytes, document.start, document.end);
  let cleared = 0;
  for (const number of clearOrder(document, places)) {
    const text = new PartList().addText(clearedValue(document.bytes, places.start[number]));
    edits.replace(places.start[number], places.end[number], text);
    cleared++;
  }
  if (cleared > 0) finishEdit(session, args, document, edits.finish(), keyEvents["json.clear"]);
  reply.integer(cleared);
}

/** What is not empty, and not within another such place. */
function clearOrder({ bytes }: FoundDocument, places: JsonSpans): number[] {
  const { start, end } = places;
  return editOrder(places, true).filter((number) => {
    if (isNumberAt(bytes, start[number])) {
      return Number(numberAt(bytes, start[number], end[number])) !== 0;
    }
    const first = bytes[start[number]];
    return (first === OPEN_ARRAY || first === OPEN_OBJECT) && end[number] - start[number] > 2;
  });
}

function clearedValue(bytes: Buffer, start: number) {
  if (bytes[start] === OPEN_OBJECT) return EMPTY_OBJECT;
  return bytes[start] === OPEN_ARRAY ? EMPTY_ARRAY : ZERO;
}

/** What all commands of this file have in common. */
const REMOVAL = {
  ...JSON_COMMAND,
  arity: -2,
  flags: ["write"],
  syntax: "key [path]",
} as const satisfies Partial<Command>;

export const jsonRemovalCommands: readonly Command[] = [
  {
    ...REMOVAL,
    name: "JSON.DEL",
    since: "1.0.0",
    summary: "Deletes the values at a path of a document, or all of it.",
    run: jsonDel,
  },
  {
    ...REMOVAL,
    name: "JSON.FORGET",
    since: "1.0.0",
    summary: "Deletes the values at a path of a document: another name of JSON.DEL.",
    run: jsonDel,
  },
  {
    ...REMOVAL,
    name: "JSON.CLEAR",
    since: "2.0.0",
    summary: "Empties the objects and arrays at a path of a document, and sets its numbers to 0.",
    run: jsonClear,
  },
];
