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

type Decode = (input: RdbInput, visitor: ValueVisitor) => void;

const listpack = new ListpackCursor();
const ziplist = new ZiplistCursor();
const zipmap = new ZipmapCursor();
const intset = new IntsetCursor();

/** Reads the value behind its type's byte. */
export function decodeValue(type: number, input: RdbInput, visitor: ValueVisitor): void {
  const decode = DECODERS[type];
  if (decode === undefined) throw new RdbDamage(`values of type ${type} are not known`);
  decode(input, visitor);
}

const DECODERS: Readonly<Record<number, Decode>> = {
  [RDB_STRING]: text,
  [RDB_LIST]: elements(LIST),
  [RDB_LIST_ZIPLIST]: packedElements(LIST, ziplist),
  [RDB_LIST_QUICKLIST]: quicklist,
  [RDB_LIST_QUICKLIST_2]: quicklistOfListpacks,
  [RDB_SET]: elements(SET),
  [RDB_SET_INTSET]: packedElements(SET, intset),
  [RDB_SET_LISTPACK]: packedElements(SET, listpack),
  [RDB_ZSET]: sortedSet(textScore),
  [RDB_ZSET_2]: sortedSet((input) => input.double()),
  [RDB_ZSET_ZIPLIST]: packedSortedSet(ziplist),
  [RDB_ZSET_LISTPACK]: packedSortedSet(listpack),
  [RDB_HASH]: hash,
  [RDB_HASH_ZIPMAP]: packedHash(zipmap),
  [RDB_HASH_ZIPLIST]: packedHash(ziplist),
  [RDB_HASH_LISTPACK]: packedHash(listpack),
  [RDB_HASH_TIMED]: timedHash,
  [RDB_HASH_LISTPACK_TIMED]: packedTimedHash,
  [RDB_STREAM]: (input, visitor) => decodeStream(input, visitor, 1),
  [RDB_STREAM_2]: (input, visitor) => decodeStream(input, visitor, 2),
  [RDB_STREAM_3]: (input, visitor) => decodeStream(input, visitor, 3),
};

function text(input: RdbInput, visitor: ValueVisitor): void {
  input.readString();
  visitor.text(input.text, input.from, input.to);
}

// ---- lists and sets ----

function elements(type: number): Decode {
  return (input, visitor) => {
    visitor.begin(type, false);
    for (let left = input.length(); left > 0; left--) {
      tellString(input, visitor);
      visitor.endElement();
    }
  };
}

function tellString(input: RdbInput, visitor: ValueVisitor): void {
  input.readString();
  visitor.string(input.text, input.from, input.to);
}

function packedElements(type: number, cursor: PackedCursor): Decode {
  return (input, visitor) => {
    visitor.begin(type, false);
    tellElements(input, cursor, visitor);
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

function quicklist(input: RdbInput, visitor: ValueVisitor): void {
  visitor.begin(LIST, false);
  for (let left = input.length(); left > 0; left--) tellElements(input, ziplist, visitor);
}

function quicklistOfListpacks(input: RdbInput, visitor: ValueVisitor): void {
  visitor.begin(LIST, false);
  for (let left = input.length(); left > 0; left--) {
    const form = input.length();
    if (form === NODE_PACKED) tellElements(input, listpack, visitor);
    else if (form === NODE_PLAIN) {
      tellString(input, visitor);
      visitor.endElement();
    } else throw new RdbDamage(`a list has a node of form ${form}`);
  }
}

// ---- sorted sets ----

function sortedSet(readScore: (input: RdbInput) => number): Decode {
  return (input, visitor) => {
    visitor.begin(ZSET, false);
    for (let left = input.length(); left > 0; left--) {
      tellString(input, visitor);
      visitor.number(score(readScore(input)));
      visitor.endElement();
    }
  };
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
  };
}

// ---- hashes ----

function hash(input: RdbInput, visitor: ValueVisitor): void {
  visitor.begin(HASH, false);
  for (let left = input.length(); left > 0; left--) {
    tellString(input, visitor);
    tellString(input, visitor);
    visitor.endElement();
  }
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
  };
}

/** The least deadline, then for each field how far behind it its own is, and one more; 0: it has none. */
function timedHash(input: RdbInput, visitor: ValueVisitor): void {
  const leastMs = input.moment();
  visitor.begin(HASH, true);
  for (let left = input.length(); left > 0; left--) {
    const behind = input.length();
    tellString(input, visitor);
    tellString(input, visitor);
    visitor.number(deadline(behind === 0 ? 0 : leastMs + behind - 1));
    visitor.endElement();
  }
}

/** The least deadline, then a listpack of fields, values, and moments. */
function packedTimedHash(input: RdbInput, visitor: ValueVisitor): void {
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
