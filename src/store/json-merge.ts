/**
 * JSON Merge Patch (RFC 7396) on text: members of the target that the patch does not name are copied as they are. A null
 * takes a member away; so none of the patch's nulls is stored, except one that replaces the whole target.
 */
import type { PartList, TextPart } from "./json-edit.ts";
import { JsonChildren, OPEN_OBJECT } from "./json-walk.ts";

const SIGNS = Buffer.from("{},:null");
const OPEN = { bytes: SIGNS, start: 0, end: 1 };
const CLOSE = { bytes: SIGNS, start: 1, end: 2 };
const COMMA = { bytes: SIGNS, start: 2, end: 3 };
const LOWER_N = 0x6e;

/** Adds the target, merged with the patch, to the text. */
export function mergePatch(
  text: PartList,
  target: Readonly<TextPart>,
  patch: Readonly<TextPart>,
): void {
  if (patch.bytes[patch.start] !== OPEN_OBJECT) {
    text.addText(patch);
    return;
  }
  const changes = membersOf(patch);
  text.addText(OPEN);
  let isFirst = true;
  const comma = () => {
    if (!isFirst) text.addText(COMMA);
    isFirst = false;
  };
  if (target.bytes[target.start] === OPEN_OBJECT) {
    for (const member = new JsonChildren().begin(target.bytes, target.start); member.next(); ) {
      const { memberStart, start, end } = member;
      const key = member.key();
      const change = changes.get(key);
      changes.delete(key);
      if (change === undefined) {
        comma();
        text.add(target.bytes, memberStart, end);
      } else if (!isNull(change.value)) {
        comma();
        text.add(target.bytes, memberStart, start);
        mergePatch(text, { bytes: target.bytes, start, end }, change.value);
      }
    }
  }
  for (const { name, value } of changes.values()) {
    if (isNull(value)) continue;
    comma();
    text.addText(name);
    mergePatch(text, NOTHING, value);
  }
  text.addText(CLOSE);
}

interface Member {
  /** The key with its quotes and its colon. */
  readonly name: TextPart;
  readonly value: TextPart;
}

function membersOf({ bytes, start }: Readonly<TextPart>): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const member = new JsonChildren().begin(bytes, start); member.next(); ) {
    members.set(member.key(), {
      name: { bytes, start: member.memberStart, end: member.start },
      value: { bytes, start: member.start, end: member.end },
    });
  }
  return members;
}

function isNull({ bytes, start }: Readonly<TextPart>): boolean {
  return bytes[start] === LOWER_N;
}

/** What is no object is merged as if it were an empty one. */
const NOTHING = { bytes: SIGNS, start: 4, end: 8 };
