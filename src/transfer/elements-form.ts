/**
 * Values with elements as JSON, both ways: `{"$list":["a"]}`, `{"$set":["a"]}`, `{"$zset":[["a",1.5]]}`, `{"$hash":{"a":"b"}}`,
 * `{"$stream":[["stream","5-1","0-0","1"],…]}`, the forms of the readable file (plugins/json-snapshot/FORMAT.md). In the other
 * hand they are what DUMP answers and RESTORE takes, so that each server reads and checks them in its own way.
 */

import { hasIntactFooter, readPayload } from "../rdb/dump-payload.ts";
import { RdbDamage } from "../rdb/rdb-damage.ts";
import { wholeOf } from "../rdb/rdb-input.ts";
import { ValueCollector } from "../rdb/value-collector.ts";
import { ElementReader } from "../store/element-reader.ts";
import { HASH, LIST, SET, STREAM, ZSET } from "../store/entry.ts";
import { momentText } from "../store/moment-text.ts";
import { streamItemAt, streamStrings } from "../store/stream-text.ts";
import { ItemProblem } from "./entry.ts";
import { readMomentOf } from "./moment-form.ts";
import { payloadOfRun, type RunPart } from "./run-payload.ts";
import { isRecord, nameText, readName, readString, stringText } from "./string-text.ts";

const TYPES: Readonly<Record<string, number>> = {
  $list: LIST,
  $set: SET,
  $zset: ZSET,
  $hash: HASH,
  $stream: STREAM,
};

export const elementForms: readonly string[] = Object.keys(TYPES);

/** There is one value at a time in the table that it hides from collisions. */
const HASH_KEY = [0x6b766462, 0x656c656d] as const;

// ---- out ----

/** The JSON text of what DUMP answered. */
export function elementsText(payload: Buffer): string {
  const value = new ValueCollector(HASH_KEY);
  const span = wholeOf(payload);
  if (!hasIntactFooter(span)) throw new RdbDamage("what the server answered is no value");
  readPayload(span, value);
  value.end();
  if (value.type === STREAM) return `{"$stream":[${streamTexts(value).join(",")}]}`;
  const texts = elementTexts(value);
  if (value.type === HASH) return `{"$hash":{${texts.join(",")}}}`;
  const name = value.type === LIST ? "$list" : value.type === SET ? "$set" : "$zset";
  return `{"${name}":[${texts.join(",")}]}`;
}

function elementTexts({ type, run, size, isTimed }: ValueCollector): string[] {
  const texts: string[] = [];
  const reader = new ElementReader();
  reader.beginRun(type, isTimed, run, 0, size);
  while (reader.next()) {
    const { start, end, valueStart, valueEnd, number } = reader;
    const element = run.subarray(start, end);
    if (type === ZSET) texts.push(`[${stringText(element)},${scoreText(number)}]`);
    else if (type === HASH) {
      const value = stringText(run.subarray(valueStart, valueEnd));
      texts.push(`${nameText(element)}:${number === 0 ? value : timedText(value, number)}`);
    } else texts.push(stringText(element));
  }
  return texts;
}

function timedText(value: string, deadlineMs: number): string {
  return `{"$value":${value},"$expires":${momentText(deadlineMs)}}`;
}

/** JSON has no infinity. */
function scoreText(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? '"inf"' : '"-inf"';
  return Object.is(score, -0) ? "-0" : String(score);
}

function streamTexts({ run, size }: ValueCollector): string[] {
  const items: string[] = [];
  for (let at = 0; at < size; ) {
    const { texts, end } = streamItemAt(run, at);
    const strings = texts.map((text) =>
      typeof text === "string" ? `"${text}"` : stringText(run.subarray(text.start, text.end)),
    );
    items.push(`[${strings.join(",")}]`);
    at = end;
  }
  return items;
}

// ---- in ----

/** What RESTORE takes. Throws an ItemProblem. */
export function elementsPayload(form: string, content: unknown): Buffer {
  const type = TYPES[form] as number;
  const value = new ValueCollector(HASH_KEY);
  try {
    if (type === HASH) collectFields(value, content);
    else collectItems(value, type, form, content);
    value.end();
    return encoded(value);
  } catch (error) {
    if (!(error instanceof RdbDamage || error instanceof RangeError)) throw error;
    throw new ItemProblem(`${form}: ${error.message}`);
  }
}

function collectFields(value: ValueCollector, content: unknown): void {
  if (!isRecord(content)) throw new ItemProblem("$hash: expected an object");
  const fields = Object.entries(content).map(([name, text]) => readField(name, text));
  value.begin(
    HASH,
    fields.some(({ deadlineMs }) => deadlineMs !== 0),
  );
  for (const { name, text, deadlineMs } of fields) {
    addString(value, name);
    addString(value, text);
    if (value.isTimed) value.number(deadlineMs);
    value.endElement();
  }
}

function readField(name: string, content: unknown) {
  const isTimed = isRecord(content) && "$value" in content;
  const unknown = isTimed
    ? Object.keys(content).find((one) => one !== "$value" && one !== "$expires")
    : undefined;
  if (unknown !== undefined)
    throw new ItemProblem(`field ${JSON.stringify(name)}: unexpected "${unknown}"`);
  const what = `field ${JSON.stringify(name)}`;
  return {
    name: readName(name),
    text: readString(isTimed ? content["$value"] : content, what),
    deadlineMs: isTimed && "$expires" in content ? readMomentOf(content["$expires"], what) : 0,
  };
}

function collectItems(value: ValueCollector, type: number, form: string, content: unknown): void {
  if (!Array.isArray(content)) throw new ItemProblem(`${form}: expected an array`);
  value.begin(type, false);
  for (const item of content) {
    if (type === ZSET) collectMember(value, item);
    else if (type === STREAM) for (const string of streamItem(item)) addString(value, string);
    else addString(value, readString(item, form));
    value.endElement();
  }
}

function addString(value: ValueCollector, string: Buffer): void {
  value.string(string, 0, string.length);
}

function collectMember(value: ValueCollector, item: unknown): void {
  const pair = Array.isArray(item) && item.length === 2 ? item : [];
  const score = SCORES.get(pair[1]) ?? pair[1];
  if (typeof score !== "number") {
    throw new ItemProblem('$zset: expected ["member", score], the score a number, "inf" or "-inf"');
  }
  addString(value, readString(pair[0], "$zset"));
  value.number(score);
}

const SCORES: ReadonlyMap<unknown, number> = new Map([
  ["inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
]);

function streamItem(item: unknown): readonly Buffer[] {
  const texts = Array.isArray(item) ? item.map((text) => readString(text, "$stream")) : [];
  const strings = streamStrings(texts);
  if (strings !== undefined) return strings;
  throw new ItemProblem(`$stream: not an item of a stream: ${shown(item)}`);
}

function shown(item: unknown): string {
  const text = JSON.stringify(item);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function encoded(value: ValueCollector): Buffer {
  const { type, run, isTimed } = value;
  const parts: RunPart[] = [];
  value.eachPart((at, end) => parts.push({ run, at, end, isTimed }));
  return payloadOfRun(type, parts);
}
