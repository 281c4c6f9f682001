/**
 * Values put into a document at a path: JSON.SET and JSON.MERGE; JSON.MSET is in json-pairs.ts. A path that leads to no place may name the last
 * step of an object that is there: then the member is made. A document keeps its deadline, even when all of it is replaced.
 *
 * Records: as they were sent.
 */

import type { JsonPath } from "../query/json-path.ts";
import type { Session } from "../session/session.ts";
import { KEEP_DEADLINE } from "../store/database.ts";
import { DocumentEdits, editOrder, PartList } from "../store/json-edit.ts";
import { mergePatch } from "../store/json-merge.ts";
import { findLocations, findSteps, JsonSpans } from "../store/json-spans.ts";
import { CLOSE_OBJECT, type MemberName, OPEN_OBJECT } from "../store/json-walk.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError, syntaxError } from "./command-error.ts";
import { type DocumentText, writeDocument } from "./document-value.ts";
import {
  assemble,
  findDocument,
  findPlaces,
  finishEdit,
  isRoot,
  JSON_COMMAND,
  jsonArgument,
  locationsOf,
  type NewJson,
  pathArgument,
  requireDepth,
} from "./json-document.ts";
import { COLON_SIGN, COMMA_SIGN, textPart } from "./json-value.ts";
import { keyEvents, tellKey } from "./key-event.ts";
import type { Reply } from "./reply.ts";

/** When JSON.SET writes: always, or only at a path that leads to nothing, or to something. */
type Condition = "always" | "missing" | "present";

function readCondition(args: Arguments): Condition {
  if (args.count === 4) return "always";
  if (args.count > 5) throw syntaxError();
  if (args.is(4, "NX")) return "missing";
  if (args.is(4, "XX")) return "present";
  throw syntaxError();
}

function jsonSet(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const condition = readCondition(args);
  const value = jsonArgument(session, args, 3);
  const document = findDocument(session, args, 1);
  const isThere = document.entry !== 0;
  if (!isThere && condition === "present") {
    reply.null();
    return;
  }
  if (isRoot(path) || !isThere) {
    if (!isRoot(path)) throw notAtRoot();
    if (isThere && condition === "missing") reply.null();
    else {
      writeDocument(session, args, 1, document.entry, value, KEEP_DEADLINE);
      tellKey(session, keyEvents["json.set"], args);
      reply.ok();
    }
    return;
  }
  const text = setAt(document, path, value, condition);
  if (text === null) reply.null();
  else {
    finishEdit(session, args, document, text, keyEvents["json.set"]);
    reply.ok();
  }
}

export function notAtRoot(): CommandError {
  return new CommandError("ERR", "new objects must be created at the root");
}

/** The document with the value at the path, which is not its root; null: there is nothing to set it to. */
export function setAt(
  document: DocumentText,
  path: JsonPath,
  value: NewJson,
  condition: Condition,
): PartList | null {
  const places = findPlaces(document, path);
  if (places.count === 0) return condition === "present" ? null : addMember(document, path, value);
  if (condition === "missing") return null;
  const edits = new DocumentEdits(document.bytes, document.start, document.end);
  for (const number of editOrder(places, true)) {
    requireDepth(places.depth[number], value);
    edits.replace(places.start[number], places.end[number], new PartList().addText(value));
  }
  return edits.finish();
}

/** The document with a new member, whose name is the last step of the path; null: there is no object to have it. */
function addMember(document: DocumentText, path: JsonPath, value: NewJson): PartList | null {
  const { bytes, start, end } = document;
  const { steps } = path;
  if (steps === null) throw new CommandError("ERR", "wrong static path");
  const name = steps[steps.length - 1] as MemberName | number;
  if (typeof name === "number") throw new CommandError("ERR", "array index out of range");
  const parent = new JsonSpans();
  findSteps(bytes, start, end, steps.slice(0, -1), parent);
  if (parent.count === 0 || bytes[parent.start[0]] !== OPEN_OBJECT) return null;
  requireDepth(steps.length, value);
  const close = parent.end[0] - 1;
  const text = new PartList().add(bytes, start, close);
  if (!isEmptyObject(bytes, parent.start[0])) text.addText(COMMA_SIGN);
  return text
    .addText(textPart(JSON.stringify(name.text)))
    .addText(COLON_SIGN)
    .addText(value)
    .add(bytes, close, end);
}

function isEmptyObject(bytes: Buffer, at: number): boolean {
  return bytes[at + 1] === CLOSE_OBJECT;
}

// ---- merging ----

function jsonMerge(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const patch = jsonArgument(session, args, 3);
  const document = findDocument(session, args, 1);
  if (document.entry === 0) {
    if (!isRoot(path)) throw notAtRoot();
    const text = assemble(withoutNulls(patch));
    writeDocument(session, args, 1, 0, text, KEEP_DEADLINE);
    tellKey(session, keyEvents["json.merge"], args);
    reply.ok();
    return;
  }
  const text = mergeAt(document, path, patch);
  if (text === null) reply.null();
  else {
    finishEdit(session, args, document, text, keyEvents["json.merge"]);
    reply.ok();
  }
}

/** What merging the patch into nothing gives. */
function withoutNulls(patch: NewJson): PartList {
  const text = new PartList();
  mergePatch(text, NULL, patch);
  return text;
}

const NULL = textPart("null");

function mergeAt(document: DocumentText, path: JsonPath, patch: NewJson): PartList | null {
  const places = findPlaces(document, path);
  if (places.count > 0) return mergePlaces(document, path, patch, places);
  const stripped = withoutNulls(patch);
  const text = assemble(stripped, Buffer.allocUnsafe(stripped.size));
  return addMember(document, path, { ...text, depth: patch.depth });
}

/**
 * Merges at all places. Of places within one another the inner ones come first, in a round of their own: the patch may
 * reach what they change.
 */
function mergePlaces(
  document: DocumentText,
  path: JsonPath,
  patch: NewJson,
  places: JsonSpans,
): PartList {
  const rounds = roundsOf(places);
  for (let i = 0; i < places.count; i++) requireDepth(places.depth[i], patch);
  let text = mergeRound(document, patch, places, rounds[0]);
  if (rounds.length === 1 || path.query === null) return text;
  const { query } = path;
  const locations = locationsOf(query, document);
  for (const round of rounds.slice(1)) {
    const { bytes, start, end } = assemble(text, Buffer.allocUnsafeSlow(text.size));
    const chosen = round.map((number) => locations[number]);
    findLocations(bytes, start, end, chosen, places);
    text = mergeRound({ bytes, start, end }, patch, places, editOrder(places, true));
  }
  return text;
}

/** Numbers of the places, in rounds of such as are not within one another, from the innermost; each in editing order. */
function roundsOf(places: JsonSpans): number[][] {
  const { start, end } = places;
  const rounds: number[][] = [];
  /** Places that have been seen and are in no other seen one, with their rounds; that of the smallest offset last. */
  const open: { readonly end: number; readonly start: number; readonly round: number }[] = [];
  for (const number of editOrder(places, false)) {
    let round = 0;
    for (let inner = open.at(-1); inner !== undefined && inner.start < end[number]; ) {
      round = Math.max(round, inner.round + 1);
      open.pop();
      inner = open.at(-1);
    }
    open.push({ start: start[number], end: end[number], round });
    rounds[round] ??= [];
    rounds[round].push(number);
  }
  return rounds;
}

function mergeRound(
  { bytes, start, end }: DocumentText,
  patch: NewJson,
  places: JsonSpans,
  numbers: readonly number[],
): PartList {
  const edits = new DocumentEdits(bytes, start, end);
  for (const number of numbers) {
    const target = { bytes, start: places.start[number], end: places.end[number] };
    const merged = new PartList();
    mergePatch(merged, target, patch);
    edits.replace(target.start, target.end, merged);
  }
  return edits.finish();
}

/** What all commands of this file have in common. */
const SETTING = {
  ...JSON_COMMAND,
  flags: ["write", "denyoom"],
} as const satisfies Partial<Command>;

export const jsonSettingCommands: readonly Command[] = [
  {
    ...SETTING,
    name: "JSON.SET",
    arity: -4,
    since: "1.0.0",
    summary: "Sets the value at a path of a document, or makes a document.",
    syntax: "key path value [NX | XX]",
    run: jsonSet,
  },
  {
    ...SETTING,
    name: "JSON.MERGE",
    arity: 4,
    since: "2.6.0",
    summary: "Merges a JSON Merge Patch into the value at a path of a document.",
    syntax: "key path value",
    run: jsonMerge,
  },
];
