/**
 * Numbers, strings and booleans within documents changed in place: JSON.NUMINCRBY, JSON.NUMMULTBY, JSON.STRAPPEND,
 * JSON.TOGGLE. With a JSONPath each place is changed, and the answer has an element for each, null where the value is of
 * another type. A path of the older dialect changes all that it leads to as well, and answers what the last one became.
 *
 * An integer stays exact up to 64 bits, and one with another; what would be more is refused, and so is what is no number.
 * Records: as they were sent.
 */

import type { KeyEvent } from "../pubsub/event-names.ts";
import type { JsonPath } from "../query/json-path.ts";
import type { Session } from "../session/session.ts";
import { DocumentEdits, editOrder, PartList } from "../store/json-edit.ts";
import { compute, type Outcome } from "../store/json-number.ts";
import { QUOTE } from "../store/json-walk.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import type { DocumentText } from "./document-value.ts";
import {
  findDocument,
  findPlaces,
  finishEdit,
  JSON_COMMAND,
  jsonArgument,
  missingPath,
  pathArgument,
  requireDocument,
  unexpectedType,
} from "./json-document.ts";
import { FALSE, isNumberAt, kindOf, numberAt, stringSize, TRUE, textPart } from "./json-value.ts";
import { keyEvents } from "./key-event.ts";
import type { Reply } from "./reply.ts";

/** How values are changed: the event that tells of it, and what the error of the older dialect says when there is none. */
interface ScalarEdit<Answer> {
  readonly event: KeyEvent;
  readonly or: string;
  readonly change: ChangeScalar<Answer>;
}

/** What becomes of the value bytes[start, end): its new text and an answer; null when it is of another type. */
type ChangeScalar<Answer> = (
  bytes: Buffer,
  start: number,
  end: number,
) => { readonly text: PartList; readonly answer: Answer } | null;

/** Changes the values at the path. Answers with one element for each place. */
function changeScalars<Answer>(
  session: Session,
  args: Arguments,
  path: JsonPath,
  { event, or, change }: ScalarEdit<Answer>,
): (Answer | null)[] {
  const document = findDocument(session, args, 1);
  requireDocument(document);
  const { bytes } = document;
  const places = findPlaces(document, path);
  const { count, start, end } = places;
  const edits = new DocumentEdits(bytes, document.start, document.end);
  /** By where the value begins: a path may lead to it more than once. */
  const answers = new Map<number, Answer>();
  for (const number of editOrder(places, false)) {
    const changed = change(bytes, start[number], end[number]);
    if (changed === null) continue;
    edits.replace(start[number], end[number], changed.text);
    answers.set(start[number], changed.answer);
  }
  if (path.isLegacy && answers.size === 0) throw missingPath(path, or);
  const shown = Array.from({ length: count }, (_, i) => answers.get(start[i]) ?? null);
  if (answers.size > 0) finishEdit(session, args, document, edits.finish(), event);
  return shown;
}

function lastOf<Answer>(answers: readonly (Answer | null)[]): Answer | null {
  return answers.findLast((answer) => answer !== null) ?? null;
}

// ---- numbers ----

type Result = Exclude<Outcome, string>;

function changeNumber(operator: "+" | "*") {
  const event = keyEvents[operator === "+" ? "json.numincrby" : "json.nummultby"];
  const or = "does not contains a number";
  return (session: Session, args: Arguments, reply: Reply): void => {
    const path = pathArgument(args, 2);
    const operand = jsonArgument(session, args, 3);
    if (!isNumberAt(operand.bytes, operand.start))
      throw new CommandError("ERR", "bad input number");
    const right = numberAt(operand.bytes, operand.start, operand.end);
    const change = (bytes: Buffer, start: number, end: number) => {
      if (!isNumberAt(bytes, start)) return null;
      const answer = result(numberAt(bytes, start, end), operator, right);
      return { text: new PartList().addText(textPart(answer.text)), answer };
    };
    const results = changeScalars(session, args, path, { event, or, change });
    replyNumbers(session, reply, path, results);
  };
}

function result(left: string, operator: "+" | "*", right: string): Result {
  const outcome = compute(left, operator, right);
  if (outcome === "overflow") throw new CommandError("ERR", "numeric overflow");
  if (outcome === "not finite") throw new CommandError("ERR", "result is not a number");
  return outcome;
}

/** RESP3 has numbers, whatever the dialect; RESP2 the text of the last, or of an array of all. */
function replyNumbers(
  session: Session,
  reply: Reply,
  { isLegacy }: JsonPath,
  results: readonly (Result | null)[],
): void {
  if (session.protocol === 3) {
    reply.array(results.length);
    for (const one of results) {
      if (one === null) reply.null();
      else if (one.isDouble) reply.double(Number(one.value));
      else reply.integer(one.value);
    }
    return;
  }
  const texts = results.map((one) => one?.text ?? "null");
  const text = isLegacy ? (lastOf(results)?.text ?? "null") : `[${texts.join(",")}]`;
  const bytes = Buffer.from(text);
  reply.json(bytes, 0, bytes.length);
}

// ---- strings ----

function jsonStrappend(session: Session, args: Arguments, reply: Reply): void {
  const path = args.count > 3 ? pathArgument(args, 2) : pathArgument(args, args.count);
  const added = jsonArgument(session, args, args.count > 3 ? 3 : 2);
  if (added.bytes[added.start] !== QUOTE) throw unexpectedType("string", shownValue(added));
  const change = (bytes: Buffer, start: number, end: number) => {
    if (bytes[start] !== QUOTE) return null;
    const text = new PartList()
      .add(bytes, start, end - 1)
      .add(added.bytes, added.start + 1, added.end - 1)
      .add(bytes, end - 1, end);
    const answer = stringSize(bytes, start, end) + stringSize(added.bytes, added.start, added.end);
    return { text, answer };
  };
  const event = keyEvents["json.strappend"];
  const sizes = changeScalars(session, args, path, { event, or: "not a string", change });
  if (path.isLegacy) replyInteger(reply, lastOf(sizes));
  else {
    reply.array(sizes.length);
    for (const size of sizes) replyInteger(reply, size);
  }
}

function replyInteger(reply: Reply, value: number | null): void {
  if (value === null) reply.null();
  else reply.integer(value);
}

/** Bytes of a value that an error quotes. */
const MAX_SHOWN_VALUE = 80;

function shownValue({ bytes, start, end }: DocumentText): string {
  if (end - start <= MAX_SHOWN_VALUE) return bytes.toString("utf8", start, end);
  return `${bytes.toString("utf8", start, start + MAX_SHOWN_VALUE)}…`;
}

// ---- booleans ----

function jsonToggle(session: Session, args: Arguments, reply: Reply): void {
  const path = pathArgument(args, 2);
  const change = (bytes: Buffer, start: number, end: number) => {
    if (kindOf(bytes, start, end) !== "boolean") return null;
    const answer = end - start === FALSE.end;
    return { text: new PartList().addText(answer ? TRUE : FALSE), answer };
  };
  const event = keyEvents["json.toggle"];
  const values = changeScalars(session, args, path, { event, or: "not a bool", change });
  if (path.isLegacy) {
    const { bytes, end } = lastOf(values) === true ? TRUE : FALSE;
    reply.json(bytes, 0, end);
    return;
  }
  reply.array(values.length);
  for (const value of values) replyInteger(reply, value === null ? null : Number(value));
}

export const jsonScalarCommands: readonly Command[] = [
  {
    ...JSON_COMMAND,
    name: "JSON.NUMINCRBY",
    arity: 4,
    flags: ["write"],
    since: "1.0.0",
    summary: "Adds a number to the number at a path of a document.",
    syntax: "key path number",
    run: changeNumber("+"),
  },
  {
    ...JSON_COMMAND,
    name: "JSON.NUMMULTBY",
    arity: 4,
    flags: ["write"],
    since: "1.0.0",
    summary: "Multiplies the number at a path of a document by a number.",
    syntax: "key path number",
    run: changeNumber("*"),
  },
  {
    ...JSON_COMMAND,
    name: "JSON.STRAPPEND",
    arity: -3,
    flags: ["write", "denyoom"],
    since: "1.0.0",
    summary: "Appends a string to the string at a path of a document.",
    syntax: "key [path] value",
    run: jsonStrappend,
  },
  {
    ...JSON_COMMAND,
    name: "JSON.TOGGLE",
    arity: 3,
    flags: ["write"],
    since: "2.0.0",
    summary: "Turns the boolean at a path of a document round.",
    syntax: "key path",
    run: jsonToggle,
  },
];
