/**
 * Reads a value of an RDB, in whichever of Redis's ways it was kept, and tells a visitor of it. Each way checks all that its
 * bytes say twice: what is damaged is RdbDamage, never another value, as far as it can be told. Whether a set has a member
 * twice, or a value no element at all, is the visitor's to notice, since only he may know all of it.
 */
import { HASH, LIST, SET, ZSET } from "../store/entry.ts";
import { parseFloatText } from "../store/number-text.ts";
import { ListpackCursor } from "./listpack.ts";
import type { PackedCursor } from "./packed-cursor.ts";
import { RdbDamage } from "./rdb-damage.ts";
import type { RdbInput } from "./rdb-input.ts";
import {
  NODE_PACKED,
  NODE_PLAIN,
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_LISTPACK_TIMED,
  RDB_HASH_TIMED,
  RDB_HASH_ZIPLIST,
  RDB_HASH_ZIPMAP,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
  RDB_LIST_QUICKLIST_2,
  RDB_LIST_ZIPLIST,
  RDB_SET,
  RDB_SET_INTSET,
  RDB_SET_LISTPACK,
  RDB_STREAM,
  RDB_STREAM_2,
  RDB_STREAM_3,
  RDB_STRING,
  RDB_ZSET,
  RDB_ZSET_2,
  RDB_ZSET_LISTPACK,
  RDB_ZSET_ZIPLIST,
} from "./rdb-types.ts";
import { decodeStream } from "./stream-decoder.ts";
import type { ValueVisitor } from "./value-visitor.ts";
import { IntsetCursor, ZiplistCursor, ZipmapCursor } from "./ziplist.ts";

/** The rest of a long value: each `next` reads some of it. In between nothing that lies in the input is in use. */
export type Steps = Iterator<void, void>;

/** Undefined: that was all of it. */
type Decode = (input: RdbInput, visitor: ValueVisitor) => Steps | undefined;

/** Elements of a step: some 100 µs. */
const STEP_ELEMENTS = 512;
/** Nodes of a list, which have some 8 KiB each. */
const STEP_NODES = 8;

const listpack = new ListpackCursor();
const ziplist = new ZiplistCursor();
const zipmap = new ZipmapCursor();
const intset = new IntsetCursor();

/** Reads the value behind its type's byte, at once. */
export function decodeValue(type: number, input: RdbInput, visitor: ValueVisitor): void {
  const steps = beginValue(type, input, visitor);
  while (steps !== undefined && steps.next().done !== true);
}

/** The same, but of a long value only the beginning: who takes the steps may let others have their turn. */
export function beginValue(
  type: number,
  input: RdbInput,
  visitor: ValueVisitor,
): Steps | undefined {
  const decode = DECODERS[type];
  if (decode === undefined) throw new RdbDamage(`values of type ${type} are not known`);
  return decode(input, visitor);
}

/** Whether values of this type can be read. */
export function isKnownType(type: number | undefined): boolean {
  return type !== undefined && Object.hasOwn(DECODERS, type);
}

const DECODERS: Readonly<Record<number, Decode>> = {
  [RDB_STRING]: text,
  [RDB_LIST]: counted(LIST, STEP_ELEMENTS, readElement),
  [RDB_LIST_ZIPLIST]: packedElements(LIST, ziplist),
  [RDB_LIST_QUICKLIST]: counted(LIST, STEP_NODES, readZiplist),
  [RDB_LIST_QUICKLIST_2]: counted(LIST, STEP_NODES, readNode),
  [RDB_SET]: counted(SET, STEP_ELEMENTS, readElement),
  [RDB_SET_INTSET]: packedElements(SET, intset),
  [RDB_SET_LISTPACK]: packedElements(SET, listpack),
  [RDB_ZSET]: counted(ZSET, STEP_ELEMENTS, readMemberWithText),
  [RDB_ZSET_2]: counted(ZSET, STEP_ELEMENTS, readMember),
  [RDB_ZSET_ZIPLIST]: packedSortedSet(ziplist),
  [RDB_ZSET_LISTPACK]: packedSortedSet(listpack),
  [RDB_HASH]: counted(HASH, STEP_ELEMENTS, readField),
  [RDB_HASH_ZIPMAP]: packedHash(zipmap),
  [RDB_HASH_ZIPLIST]: packedHash(ziplist),
  [RDB_HASH_LISTPACK]: packedHash(listpack),
  [RDB_HASH_TIMED]: timedHash,
  [RDB_HASH_LISTPACK_TIMED]: packedTimedHash,
  [RDB_STREAM]: (input, visitor) => decodeStream(input, visitor, 1),
  [RDB_STREAM_2]: (input, visitor) => decodeStream(input, visitor, 2),
  [RDB_STREAM_3]: (input, visitor) => decodeStream(input, visitor, 3),
};

function text(input: RdbInput, visitor: ValueVisitor): undefined {
  input.readString();
  visitor.text(input.text, input.from, input.to);
}

type Read = (input: RdbInput, visitor: ValueVisitor) => void;

/** What has a count in front, and so many times what `read` reads. */
function counted(type: number, stepSize: number, read: Read): Decode {
  return (input, visitor) => {
    visitor.begin(type, false);
    const count = input.length();
    if (count > stepSize) return readInSteps(input, visitor, { count, stepSize, read });
    for (let left = count; left > 0; left--) read(input, visitor);
    return undefined;
  };
}

interface Repetition {
  readonly count: number;
  readonly stepSize: number;
  readonly read: Read;
}

function* readInSteps(
  input: RdbInput,
  visitor: ValueVisitor,
  { count, stepSize, read }: Repetition,
): Generator<void, void> {
  for (let left = count; left > 0; left -= stepSize) {
    for (let i = Math.min(left, stepSize); i > 0; i--) read(input, visitor);
    if (left > stepSize) yield;
  }
}

// ---- lists and sets ----

function readElement(input: RdbInput, visitor: ValueVisitor): void {
  tellString(input, visitor);
  visitor.endElement();
}

function tellString(input: RdbInput, visitor: ValueVisitor): void {
  input.readString();
  visitor.string(input.text, input.from, input.to);
}

function packedElements(type: number, cursor: PackedCursor): Decode {
  return (input, visitor) => {
    visitor.begin(type, false);
    tellElements(input, cursor, visitor);
    return undefined;
  };
}

function beginPack(input: RdbInput, cursor: PackedCursor): void {
  input.readString();
  cursor.begin(input.text, input.from, input.to);
}

function tellElements(input: RdbInput, cursor: PackedCursor, visitor: ValueVisitor): void {
  beginPack(input, cursor);
  while (cursor.next()) {
    cursor.tell(visitor);
    visitor.endElement();
  }
}

function readZiplist(input: RdbInput, visitor: ValueVisitor): void {
  tellElements(input, ziplist, visitor);
}

function readNode(input: RdbInput, visitor: ValueVisitor): void {
  const form = input.length();
  if (form === NODE_PACKED) tellElements(input, listpack, visitor);
  else if (form === NODE_PLAIN) readElement(input, visitor);
  else throw new RdbDamage(`a list has a node of form ${form}`);
}

// ---- sorted sets ----

function readMember(input: RdbInput, visitor: ValueVisitor): void {
  tellString(input, visitor);
  visitor.number(score(input.double()));
  visitor.endElement();
}

function readMemberWithText(input: RdbInput, visitor: ValueVisitor): void {
  tellString(input, visitor);
  visitor.number(score(textScore(input)));
  visitor.endElement();
}

function score(value: number): number {
  if (Number.isNaN(value)) throw new RdbDamage("a score is no number");
  return value;
}

/** One byte says what follows: 253 nothing, not a number; 254 nothing, infinity; 255 its negative; else so many digits. */
function textScore(input: RdbInput): number {
  const length = input.byte();
  if (length === 253) return Number.NaN;
  if (length === 254) return Number.POSITIVE_INFINITY;
  if (length === 255) return Number.NEGATIVE_INFINITY;
  const { bytes, start, end } = input.span(length);
  return parseFloatText(bytes, start, end);
}

function packedSortedSet(cursor: PackedCursor): Decode {
  return (input, visitor) => {
    visitor.begin(ZSET, false);
    beginPack(input, cursor);
    while (cursor.next()) {
      cursor.tell(visitor);
      cursor.require();
      visitor.number(score(cursor.float()));
      visitor.endElement();
    }
    return undefined;
  };
}

// ---- hashes ----

function readField(input: RdbInput, visitor: ValueVisitor): void {
  tellString(input, visitor);
  tellString(input, visitor);
  visitor.endElement();
}

function packedHash(cursor: PackedCursor): Decode {
  return (input, visitor) => {
    visitor.begin(HASH, false);
    beginPack(input, cursor);
    while (cursor.next()) {
      cursor.tell(visitor);
      cursor.require();
      cursor.tell(visitor);
      visitor.endElement();
    }
    return undefined;
  };
}

/** The least deadline, then for each field how far behind it its own is, and one more; 0: it has none. */
function timedHash(input: RdbInput, visitor: ValueVisitor): Steps | undefined {
  const leastMs = input.moment();
  const count = input.length();
  visitor.begin(HASH, true);
  const read = () => {
    const behind = input.length();
    tellString(input, visitor);
    tellString(input, visitor);
    visitor.number(deadline(behind === 0 ? 0 : leastMs + behind - 1));
    visitor.endElement();
  };
  return readInSteps(input, visitor, { count, stepSize: STEP_ELEMENTS, read });
}

/** The least deadline, then a listpack of fields, values, and moments. */
function packedTimedHash(input: RdbInput, visitor: ValueVisitor): undefined {
  input.moment();
  visitor.begin(HASH, true);
  beginPack(input, listpack);
  while (listpack.next()) {
    listpack.tell(visitor);
    listpack.require();
    listpack.tell(visitor);
    listpack.require();
    visitor.number(deadline(listpack.float()));
    visitor.endElement();
  }
}

function deadline(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RdbDamage("a field's deadline is no moment");
  return ms;
}
