/**
 * The packed forms of Redis before 7.0, as they lie in an RDB: ziplists and zipmaps, and the intset, which is still in use.
 *
 *   ziplist   u32 bytes of all · u32 offset of the last entry · u16 entries (65535: more than it can say) · entry* · ff
 *   entry     length of the one before it: u8, or fe u32
 *             00LLLLLL · 01LLLLLL LLLLLLLL · 80 u32 (big endian)      then L bytes       a string
 *             c0 i16 · d0 i32 · e0 i64 · f0 i24 · fe i8 · 1111vvvv (v 1 to 13: v - 1)    an integer
 *   zipmap    u8 · (length key length u8 unused, value, unused bytes)* · ff; a length is u8, or fe u32
 *   intset    u32 bytes of an integer (2, 4, 8) · u32 integers · integers, in order
 */
import { RdbDamage } from "./rdb-damage.ts";
import { integerSpan, RdbInput, type Span } from "./rdb-input.ts";

const HEADER_BYTES = 10;
const END = 0xff;
const LONG = 0xfe;
const COUNT_UNKNOWN = 0xffff;

/** Calls `visit` for each entry; RdbDamage when the span is no ziplist. Answers how many there were. */
export function eachOfZiplist({ bytes, start, end }: Span, visit: (entry: Span) => void): number {
  const isWhole = end - start > HEADER_BYTES && bytes.readUInt32LE(start) === end - start;
  if (!isWhole || bytes[end - 1] !== END) throw new RdbDamage("a ziplist has another length");
  const input = new RdbInput(bytes, start + HEADER_BYTES, end - 1);
  let count = 0;
  let lengthBefore = 0;
  let last = input.at;
  for (; input.at < input.end; count++) {
    last = input.at;
    if (lengthOf(input) !== lengthBefore) throw new RdbDamage("a ziplist is no chain");
    visit(ziplistEntry(input));
    lengthBefore = input.at - last;
  }
  const said = bytes.readUInt16LE(start + 8);
  if (said !== COUNT_UNKNOWN && said !== count) {
    throw new RdbDamage("a ziplist has another number of entries");
  }
  if (bytes.readUInt32LE(start + 4) !== last - start) throw new RdbDamage("a ziplist is no chain");
  return count;
}

/** u8, or fe u32. */
function lengthOf(input: RdbInput): number {
  const first = input.byte();
  if (first === END) throw new RdbDamage("it ends too early");
  if (first !== LONG) return first;
  const at = input.take(4);
  return input.bytes.readUInt32LE(at);
}

function ziplistEntry(input: RdbInput): Span {
  const first = input.byte();
  if (first < 0x40) return input.span(first);
  if (first < 0x80) return input.span(((first & 63) << 8) | input.byte());
  if (first === 0x80) return input.span(input.bytes.readUInt32BE(input.take(4)));
  if (first === 0xe0) return integerSpan(input.bytes.readBigInt64LE(input.take(8)));
  if (first > 0xf0 && first < 0xfe) return integerSpan((first & 15) - 1);
  const size = INTEGER_BYTES[first] ?? 0;
  if (size === 0) throw new RdbDamage("a ziplist has an entry that is none");
  return integerSpan(input.bytes.readIntLE(input.take(size), size));
}

const INTEGER_BYTES: Readonly<Record<number, number>> = { 192: 2, 208: 4, 240: 3, 254: 1 };

/** Calls `visit` for each field and its value; RdbDamage when the span is no zipmap. */
export function eachOfZipmap(
  { bytes, start, end }: Span,
  visit: (field: Span, value: Span) => void,
): void {
  if (end - start < 2 || bytes[end - 1] !== END) throw new RdbDamage("a zipmap does not end");
  const input = new RdbInput(bytes, start + 1, end - 1);
  while (input.at < input.end) {
    const field = input.span(lengthOf(input));
    const length = lengthOf(input);
    const unused = input.byte();
    const value = input.span(length);
    input.take(unused);
    visit(field, value);
  }
}

/** Calls `visit` for each integer; RdbDamage when the span is no intset. */
export function eachOfIntset({ bytes, start, end }: Span, visit: (entry: Span) => void): void {
  const size = end - start < 8 ? 0 : bytes.readUInt32LE(start);
  const isSize = size === 2 || size === 4 || size === 8;
  if (!isSize || bytes.readUInt32LE(start + 4) * size !== end - start - 8) {
    throw new RdbDamage("a set of integers has another length");
  }
  let before: bigint | undefined;
  for (let at = start + 8; at < end; at += size) {
    const value = size === 8 ? bytes.readBigInt64LE(at) : BigInt(bytes.readIntLE(at, size));
    if (before !== undefined && value <= before) throw new RdbDamage("integers are out of order");
    before = value;
    visit(integerSpan(value));
  }
}
