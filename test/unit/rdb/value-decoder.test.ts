// What no server of version 7.0 writes any more, or not yet, byte by byte as their sources draw it.

import { describe, expect, test } from "bun:test";
import { Crc64 } from "../../../src/rdb/crc64.ts";
import { RdbDamage } from "../../../src/rdb/rdb-damage.ts";
import { RdbInput } from "../../../src/rdb/rdb-input.ts";
import { ValueCollector } from "../../../src/rdb/value-collector.ts";
import { decodeValue } from "../../../src/rdb/value-decoder.ts";
import { bytes, double, read, short, uint } from "./support.ts";

const ziplist = (tail: number, count: number, ...entries: (number | string | Uint8Array)[]) => {
  const content = bytes(...entries);
  const front = [uint(content.length + 11, 4), uint(tail, 4), uint(count, 2)];
  return bytes(...front, content, 0xff);
};

const AB = ziplist(13, 2, 0, 1, "a", 3, 2, "bc");
const A1 = ziplist(13, 2, 0, 1, "a", 3, 0xf2);
const INTEGERS = ziplist(
  ...([40, 7, 0, 0xfe, 0x80, 3, 0xc0, 0, 0x80, 4, 0xf0, 0, 0, 0x80] as const),
  ...([5, 0xd0, 0, 0, 0, 0x80, 6, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80, 10, 0xf1, 2, 0xfd] as const),
);

const lzf = bytes(0xc3, 4, 12, 0, "a", 0xe0, 2, 0);

test.each<[string, number, Uint8Array, unknown]>([
  ["a string", 0, short("hi"), "hi"],
  ["a string with a length of 14 bits", 0, bytes(0x41, 0x00, "x".repeat(256)), "x".repeat(256)],
  ["one with 32", 0, bytes(0x80, 0, 0, 0, 2, "hi"), "hi"],
  ["one with 64", 0, bytes(0x81, 0, 0, 0, 0, 0, 0, 0, 2, "hi"), "hi"],
  ["an integer of 8 bits", 0, bytes(0xc0, 0xff), "-1"],
  ["of 16", 0, bytes(0xc1, 0, 0x80), "-32768"],
  ["of 32", 0, bytes(0xc2, 0, 0, 0, 0x80), "-2147483648"],
  ["LZF that overlaps itself", 0, bytes(0xc3, 5, 12, 0, "a", 0xe0, 2, 0), "a".repeat(12)],
  ["a list", 1, bytes(2, short("a"), short("bc")), ["a", "bc"]],
  ["a set", 2, bytes(1, short("a")), ["a"]],
  [
    "a sorted set with scores as text",
    3,
    bytes(3, short("a"), short("1.5"), short("b"), 254, short("c"), 255),
    [
      ["a", 1.5],
      ["b", Number.POSITIVE_INFINITY],
      ["c", Number.NEGATIVE_INFINITY],
    ],
  ],
  ["a sorted set", 5, bytes(1, short("a"), double(-0.5)), [["a", -0.5]]],
  ["a hash", 4, bytes(1, short("a"), short("b")), [["a", "b"]]],
  ["a ziplist", 10, short(AB), ["a", "bc"]],
  [
    "integers in a ziplist",
    10,
    short(INTEGERS),
    ["-128", "-32768", "-8388608", "-2147483648", "-9223372036854775808", "0", "12"],
  ],
  ["a quicklist of ziplists", 14, bytes(2, short(AB), short(A1)), ["a", "bc", "a", "1"]],
  ["a ziplist of a sorted set", 12, short(A1), [["a", 1]]],
  ["a ziplist of a hash", 13, short(AB), [["a", "bc"]]],
  ["a zipmap", 9, short(bytes(1, 1, "a", 2, 3, "bc", "xyz", 0xff)), [["a", "bc"]]],
  [
    "a hash with deadlines",
    24,
    bytes(
      uint(1000, 6),
      0,
      0,
      3,
      1,
      short("a"),
      short("1"),
      0,
      short("b"),
      short("2"),
      3,
      short("c"),
      short("3"),
    ),
    [
      ["a", "1", 1000],
      ["b", "2"],
      ["c", "3", 1002],
    ],
  ],
  [
    "a listpack with deadlines",
    25,
    bytes(
      uint(7, 6),
      0,
      0,
      short(bytes(uint(14, 4), uint(3, 2), 0x81, "a", 2, 0x01, 1, 0x07, 1, 0xff)),
    ),
    [["a", "1", 7]],
  ],
])("%s", (_, type, content, expected) => {
  expect(read(type, content)).toEqual(expected);
  for (let end = 0; end < content.length; end++) {
    expect(() => read(type, content.subarray(0, end))).toThrow(RdbDamage);
  }
});

describe("is refused:", () => {
  test.each<[string, number, Uint8Array]>([
    ["a module's value", 7, short("x")],
    ["a type that nobody knows", 99, short("x")],
    ["a score that is no number", 5, bytes(1, short("a"), double(Number.NaN))],
    ["a score as text that is none", 3, bytes(1, short("a"), short("x"))],
    ["a string with a form that is none", 0, bytes(0xc4, 0)],
    ["a length of a form that is none", 0, bytes(0x90, 0)],
    ["a string longer than any", 0, bytes(0x80, 0xff, 0xff, 0xff, 0xff)],
    ["LZF that says it becomes more than it can", 0, bytes(0xc3, 2, 0x80, 0x10, 0, 0, 0, 0, "a")],
    ["LZF that becomes less than it says", 0, bytes(lzf.subarray(0, 2), 13, lzf.subarray(3))],
    ["LZF that copies from before its beginning", 0, bytes(0xc3, 4, 4, 0, "a", 0x20, 9)],
    ["a hash whose last field has no value", 13, short(ziplist(10, 1, 0, 1, "a"))],
    ["a ziplist with another count", 10, short(ziplist(13, 3, 0, 1, "a", 3, 2, "bc"))],
    ["a ziplist with a wrong way back", 10, short(ziplist(13, 2, 0, 1, "a", 2, 2, "bc"))],
    ["a ziplist with another last entry", 10, short(ziplist(10, 2, 0, 1, "a", 3, 2, "bc"))],
    ["integers out of order", 11, short(bytes(uint(2, 4), uint(2, 4), uint(5, 2), uint(4, 2)))],
    ["a node of a form that is none", 18, bytes(1, 3, short("a"))],
    [
      "a field's deadline before 1970",
      24,
      bytes(Buffer.alloc(8, 0xff), 1, 1, short("a"), short("b")),
    ],
  ])("%s", (_, type, content) => {
    expect(() => read(type, content)).toThrow(RdbDamage);
  });
});

test.each([
  ["a list", 1],
  ["a set", 2],
  ["a sorted set", 5],
  ["a hash", 4],
])("%s without elements is no value", (_, type) => {
  const collector = new ValueCollector([1, 2]);
  decodeValue(type, new RdbInput(bytes(0), 0, 1), collector);
  expect(() => collector.end()).toThrow(RdbDamage);
});

test("the checksum is Redis's", () => {
  const checksum = new Crc64();
  checksum.add(Buffer.from("12345"), 0, 5);
  checksum.add(Buffer.from("x6789"), 1, 5);
  const written = Buffer.alloc(8);
  checksum.write(written, 0);
  expect(written.readBigUInt64LE()).toBe(0xe9c6d914c4b8d9can);
});
