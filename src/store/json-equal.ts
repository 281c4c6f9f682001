/**
 * Whether two JSON texts are the same value, as JSON.ARRINDEX asks: strings by what they mean, objects whatever the order of
 * their members. An integer equals no number with a fraction, as in RedisJSON.
 */
import type { TextPart } from "./json-edit.ts";
import { isInteger } from "./json-number.ts";
import { JsonChildren, OPEN_ARRAY, OPEN_OBJECT, QUOTE, stringAt } from "./json-walk.ts";

type Text = Readonly<TextPart>;

export function isSameJson(a: Text, b: Text): boolean {
  const first = a.bytes[a.start];
  if (isSameText(a, b)) return true;
  const other = b.bytes[b.start];
  if (first === QUOTE && other === QUOTE) return stringOf(a) === stringOf(b);
  if (first === OPEN_ARRAY && other === OPEN_ARRAY) return haveSameElements(a, b);
  if (first === OPEN_OBJECT && other === OPEN_OBJECT) return haveSameMembers(a, b);
  return isNumber(first) && isNumber(other) && isSameNumber(textOf(a), textOf(b));
}

function isSameText(a: Text, b: Text): boolean {
  const size = a.end - a.start;
  if (size !== b.end - b.start || a.bytes[a.start] !== b.bytes[b.start]) return false;
  return a.bytes.compare(b.bytes, b.start, b.end, a.start, a.end) === 0;
}

function textOf({ bytes, start, end }: Text): string {
  return bytes.toString("latin1", start, end);
}

function stringOf({ bytes, start, end }: Text): string {
  return stringAt(bytes, start, end);
}

function isNumber(first: number): boolean {
  return first === 0x2d || (first >= 0x30 && first <= 0x39);
}

function isSameNumber(a: string, b: string): boolean {
  // An integer has one text only.
  return !isInteger(a) && !isInteger(b) && Number(a) === Number(b);
}

function haveSameElements(a: Text, b: Text): boolean {
  const left = new JsonChildren().begin(a.bytes, a.start);
  const right = new JsonChildren().begin(b.bytes, b.start);
  while (left.next()) {
    if (!right.next()) return false;
    const one = { bytes: a.bytes, start: left.start, end: left.end };
    if (!isSameJson(one, { bytes: b.bytes, start: right.start, end: right.end })) return false;
  }
  return !right.next();
}

function haveSameMembers(a: Text, b: Text): boolean {
  const members = new Map<string, Text>();
  for (const member = new JsonChildren().begin(b.bytes, b.start); member.next(); ) {
    members.set(member.key(), { bytes: b.bytes, start: member.start, end: member.end });
  }
  let count = 0;
  for (const member = new JsonChildren().begin(a.bytes, a.start); member.next(); count++) {
    const other = members.get(member.key());
    const one = { bytes: a.bytes, start: member.start, end: member.end };
    if (other === undefined || !isSameJson(one, other)) return false;
  }
  return count === members.size;
}
