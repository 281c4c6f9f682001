/**
 * Reads a value of an RDB, in whichever of Redis's ways it was kept, and tells a visitor of it. Each way checks all that its
 * bytes say twice: what is damaged is RdbDamage, never another value, as far as it can be told. Whether a set has a member
 * twice is the visitor's to notice, since only he may know all of it.
 */
import { HASH, LIST, SET, ZSET } from "../store/entry.ts";
import { parseFloatText } from "../store/number-text.ts";
import { eachOfListpack } from "./listpack.ts";
import { RdbDamage } from "./rdb-damage.ts";
import type { RdbInput, Span } from "./rdb-input.ts";
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
import { eachOfIntset, eachOfZiplist, eachOfZipmap } from "./ziplist.ts";

type Decode = (input: RdbInput, visitor: ValueVisitor) => void;
type EachOf = (packed: Span, visit: (entry: Span) => void) => void;

/** Reads the value behind its type's byte. */
export function decodeValue(type: number, input: RdbInput, visitor: ValueVisitor): void {
  const decode = DECODERS[type];
  if (decode === undefined) throw new RdbDamage(`values of type ${type} are not known`);
  decode(input, visitor);
}

const DECODERS: Readonly<Record<number, Decode>> = {
  [RDB_STRING]: (input, visitor) => visitor.text(input.string()),
  [RDB_LIST]: elements(LIST),
  [RDB_LIST_ZIPLIST]: packedElements(LIST, eachOfZiplist),
  [RDB_LIST_QUICKLIST]: quicklist,
  [RDB_LIST_QUICKLIST_2]: quicklistOfListpacks,
  [RDB_SET]: elements(SET),
  [RDB_SET_INTSET]: packedElements(SET, eachOfIntset),
  [RDB_SET_LISTPACK]: packedElements(SET, eachOfListpack),
  [RDB_ZSET]: sortedSet(textScore),
  [RDB_ZSET_2]: sortedSet((input) => input.double()),
  [RDB_ZSET_ZIPLIST]: packedSortedSet(eachOfZiplist),
  [RDB_ZSET_LISTPACK]: packedSortedSet(eachOfListpack),
  [RDB_HASH]: hash,
  [RDB_HASH_ZIPMAP]: hashOfZipmap,
  [RDB_HASH_ZIPLIST]: packedHash(eachOfZiplist),
  [RDB_HASH_LISTPACK]: packedHash(eachOfListpack),
  [RDB_HASH_TIMED]: timedHash,
  [RDB_HASH_LISTPACK_TIMED]: packedTimedHash,
  [RDB_STREAM]: (input, visitor) => decodeStream(input, visitor, 1),
  [RDB_STREAM_2]: (input, visitor) => decodeStream(input, visitor, 2),
  [RDB_STREAM_3]: (input, visitor) => decodeStream(input, visitor, 3),
};

/** Redis keeps no empty collection, so there is none to write. */
function countOf(input: RdbInput): number {
  const count = input.length();
  if (count === 0) throw new RdbDamage("a value has no elements");
  return count;
}

function elements(type: number): Decode {
  return (input, visitor) => {
    const count = countOf(input);
    visitor.begin(type, false);
    for (let i = 0; i < count; i++) visitor.element(input.string());
  };
}

function packedElements(type: number, eachOf: EachOf): Decode {
  return (input, visitor) => {
    visitor.begin(type, false);
    eachOf(input.string(), (entry) => visitor.element(entry));
  };
}

function quicklist(input: RdbInput, visitor: ValueVisitor): void {
  const count = countOf(input);
  visitor.begin(LIST, false);
  for (let i = 0; i < count; i++) eachOfZiplist(input.string(), (entry) => visitor.element(entry));
}

function quicklistOfListpacks(input: RdbInput, visitor: ValueVisitor): void {
  const count = countOf(input);
  visitor.begin(LIST, false);
  for (let i = 0; i < count; i++) {
    const form = input.length();
    const node = input.string();
    if (form === NODE_PLAIN) visitor.element(node);
    else if (form === NODE_PACKED) eachOfListpack(node, (entry) => visitor.element(entry));
    else throw new RdbDamage(`a list has a node of form ${form}`);
  }
}

// ---- sorted sets ----

function sortedSet(readScore: (input: RdbInput) => number): Decode {
  return (input, visitor) => {
    const count = countOf(input);
    visitor.begin(ZSET, false);
    for (let i = 0; i < count; i++) {
      const member = input.string();
      visitor.member(member, score(readScore(input)));
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
  return numberOf(input.span(length));
}

function numberOf({ bytes, start, end }: Span): number {
  return parseFloatText(bytes, start, end);
}

function packedSortedSet(eachOf: EachOf): Decode {
  return (input, visitor) => {
    visitor.begin(ZSET, false);
    eachGroup(input.string(), eachOf, 2, ([member, text]) =>
      visitor.member(member as Span, score(numberOf(text as Span))),
    );
  };
}

/** Calls `visit` with `size` entries at a time: they must come out even. */
function eachGroup(
  packed: Span,
  eachOf: EachOf,
  size: number,
  visit: (entries: readonly Span[]) => void,
): void {
  let group: Span[] = [];
  eachOf(packed, (entry) => {
    group.push(entry);
    if (group.length < size) return;
    visit(group);
    group = [];
  });
  if (group.length > 0) throw new RdbDamage("an element is without what belongs to it");
}

// ---- hashes ----

function hash(input: RdbInput, visitor: ValueVisitor): void {
  const count = countOf(input);
  visitor.begin(HASH, false);
  for (let i = 0; i < count; i++) {
    const field = input.string();
    visitor.field(field, input.string(), 0);
  }
}

function hashOfZipmap(input: RdbInput, visitor: ValueVisitor): void {
  visitor.begin(HASH, false);
  eachOfZipmap(input.string(), (field, value) => visitor.field(field, value, 0));
}

function packedHash(eachOf: EachOf): Decode {
  return (input, visitor) => {
    visitor.begin(HASH, false);
    eachGroup(input.string(), eachOf, 2, ([field, value]) =>
      visitor.field(field as Span, value as Span, 0),
    );
  };
}

/** The least deadline, then for each field how far behind it its own is, and one more; 0: it has none. */
function timedHash(input: RdbInput, visitor: ValueVisitor): void {
  const leastMs = input.moment();
  const count = countOf(input);
  visitor.begin(HASH, true);
  for (let i = 0; i < count; i++) {
    const behind = input.length();
    const field = input.string();
    visitor.field(field, input.string(), deadline(behind === 0 ? 0 : leastMs + behind - 1));
  }
}

/** The least deadline, then a listpack of fields, values, and moments. */
function packedTimedHash(input: RdbInput, visitor: ValueVisitor): void {
  input.moment();
  visitor.begin(HASH, true);
  eachGroup(input.string(), eachOfListpack, 3, ([field, value, moment]) =>
    visitor.field(field as Span, value as Span, deadline(numberOf(moment as Span))),
  );
}

function deadline(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RdbDamage("a field's deadline is no moment");
  return ms;
}
