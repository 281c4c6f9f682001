/** Keys of indexes: bytes in the order of the values, and which keys a document has. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { parseFieldPath, parseFieldPaths } from "../../../src/query/field-path.ts";
import { IndexKeyWriter } from "../../../src/query/index-key.ts";
import { IndexKeys } from "../../../src/query/index-keys.ts";
import { QueryError } from "../../../src/query/query-error.ts";
import { compareValues, type Value } from "../../../src/query/value.ts";
import { seeds } from "../../suites/seeds.ts";
import {
  escapedText,
  randomDocument,
  randomPath,
  randomValue,
  valueFromText,
} from "./generated.ts";

function keyOf(...values: Value[]): Buffer {
  const writer = new IndexKeyWriter(1024);
  writer.begin();
  for (const value of values) writer.value(value);
  expect(writer.isCut).toBe(false);
  return writer.key();
}

function keyOfText(text: string): Buffer {
  const writer = new IndexKeyWriter(1024);
  writer.begin();
  writer.json(Buffer.from(text), 0, Buffer.byteLength(text));
  return writer.key();
}

test("the example of the format", () => {
  expect(keyOf("Oslo", 30).toString("hex")).toBe("304f736c6f0020c03e000000000000");
});

const NUMBERS = [
  ...["-1e400", "-1e300", "-1234567890123456790", "-1234567890123456789", "-1234567890123456788"],
  ...["-9007199254740993", "-9007199254740992", "-1.5", "-5e-324", "0", "5e-324", "1", "1.5"],
  ...["9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994"],
  ...["1234567890123456788", "1234567890123456789", "1234567890123456790"],
  ...[`1${"0".repeat(300)}`, `1${"0".repeat(299)}1`, "1e301", "1e400"],
];
const STRINGS = ["", "\0", "\0\0", "\0a", "\u0001", "\u0001\u0001", "\u0002", "a", "a\0", "a\0b"];
STRINGS.push("a\u0001", "ab", "é", "\ud83d", "\udc00", "\uffff", "\u{1f600}");

test("chosen values are in their order", () => {
  const values: Value[] = [...NUMBERS.map(valueFromText), ...STRINGS];
  values.push(null, true, false, [], ["a"], ["a\0"], [1n], new Map(), new Map([["a", null]]));
  values.push(new Map<string, Value>([["a\0", 1]]), new Map<string, Value>([["b", true]]));
  values.push(new Map<string, Value>([["a", false]]), new Map<string, Value>([["", []]]));
  for (const one of values) for (const other of values) requireSameOrder([one], [other]);
});

function requireSameOrder(one: Value[], other: Value[]): void {
  const expected = one
    .map((value, index) => compareValues(value, other[index] as Value))
    .find((apart) => apart !== 0);
  const keys = [keyOf(...one), keyOf(...other)] as const;
  const turned = keys.map((key) => key.map((byte) => 255 - byte)) as [Buffer, Buffer];
  const actual = [Buffer.compare(...keys), -Buffer.compare(...turned)];
  const sign = Math.sign(expected ?? 0);
  if (actual[0] !== sign || actual[1] + 0 !== sign) throw new Error(Bun.inspect([one, other]));
}

test.each(seeds(3))("generated parts are in their order, seed %d", (seed) => {
  const random = seededRandom(seed);
  const part = (): Value => valueFromText(JSON.stringify(randomValue(random, 3)));
  for (let round = 0; round < 10_000; round++) {
    const first = part();
    const second = random.below(2) === 0 ? first : part();
    requireSameOrder([first, part()], [second, part()]);
  }
});

test.each(seeds(2))("a text has the key of its value, seed %d", (seed) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 5000; round++) {
    const value = randomValue(random, 3);
    const text = escapedText(random, value);
    expect(keyOfText(text)).toEqual(keyOf(valueFromText(JSON.stringify(value))));
  }
});

test("longer keys are cut, and stay in order", () => {
  const writer = new IndexKeyWriter(8);
  const cut = (text: string): string => {
    writer.begin();
    writer.value(text);
    return `${writer.isCut} ${writer.key().toString("latin1")}`;
  };
  expect(cut("abcdef")).toBe("false 0abcdef\0");
  expect(cut("abcdefg")).toBe("true 0abcdefg");
  expect(cut("abcdefh")).toBe("true 0abcdefh");
  expect(cut("abcdefhi")).toBe("true 0abcdefh");
});

/** The keys of a document, told as "part part", in their order. */
function keysOf(text: string, paths: string, isSparse = false): string[] {
  const keys = new IndexKeys({ paths: parseFieldPaths(paths), isSparse });
  const bytes = Buffer.from(`#${text}`);
  keys.read(bytes, 1, bytes.length, Buffer.from("-user:1"), 1, 7);
  return Array.from({ length: keys.count }, (_, index) => keys.key(index).toString("latin1"));
}

const NULL = "\x10";
const NOTHING = "\x07";
const EMPTY = "\x08";
const part = (text: string): string => keyOfText(text).toString("latin1");

describe("the keys of a document", () => {
  test.each([
    ['{"a":1}', "a", [part("1")]],
    ["{}", "a", [NULL]],
    ['{"a":null}', "a", [NULL]],
    ['{"a":[3,1,3,"x",null]}', "a", [NULL, part("1"), part("3"), part('"x"')]],
    ['{"a":[]}', "a", [EMPTY]],
    ['{"a":[[],[1]]}', "a", [part("[]"), part("[1]")]],
    ['{"a":{"b":[]}}', "a", [part('{"b":[]}')]],
    ['{"a":[1,2]}', "a.b", [NOTHING]],
    ['{"a":[{"b":1},{},{"b":[2,3]}]}', "a.b", [NULL, part("1"), part("2"), part("3")]],
    ['{"a":[[7,8]]}', "a.0", [part("7"), part("8")]],
    ["{}", "@key", [part('"user:1"')]],
    ['{"a":1,"b":"x"}', "a,b", [part("1") + part('"x"')]],
    ['{"a":[1,2],"b":"x"}', "a,b", [part("1") + part('"x"'), part("2") + part('"x"')]],
    ['{"a":[]}', "a,b", [EMPTY + NULL]],
    ['{"a":[1,[2]]}', "b,a", [NULL + part("1"), NULL + part("[2]")]],
    [
      '{"a":[{"b":1,"c":2},{"b":3},7]}',
      "a.b,a.c",
      [NOTHING + NOTHING, part("1") + part("2"), part("3") + NULL],
    ],
    ['{"a":{"b":[{"c":[1,2]}]},"d":5}', "d,a.b.c", [part("5") + part("1"), part("5") + part("2")]],
    ['{"a":1}', "a,@key", [part("1") + part('"user:1"')]],
  ])("%s by %s", (text, paths, expected) => expect(keysOf(text, paths)).toEqual(expected));

  test("in a sparse index", () => {
    expect(keysOf("{}", "a", true)).toEqual([]);
    expect(keysOf('{"a":[1]}', "a.b", true)).toEqual([]);
    expect(keysOf('{"a":null}', "a", true)).toEqual([NULL]);
    expect(keysOf('{"a":[{},{"b":1}]}', "a.b", true)).toEqual([NULL, part("1")]);
    expect(keysOf("{}", "a,b", true)).toEqual([]);
    expect(keysOf('{"b":[]}', "a,b", true)).toEqual([NULL + EMPTY]);
  });

  test("two arrays in one compound key are refused", () => {
    expect(() => keysOf('{"a":[1],"b":[2]}', "a,b")).toThrow("cannot hold two arrays: a and b");
    expect(() => keysOf('{"a":[{"b":[1],"c":[2]}]}', "a.b,a.c")).toThrow("two arrays");
    expect(keysOf('{"a":[1],"b":{"c":2}}', "a,b")).toHaveLength(1);
  });

  test("a value that is too long is told", () => {
    const keys = new IndexKeys({ paths: [parseFieldPath("a")], isSparse: false });
    const long = Buffer.from(JSON.stringify({ a: "x".repeat(2000) }));
    keys.read(long, 0, long.length, long, 0, 0);
    expect([keys.isCut, keys.count, keys.key(0).length]).toEqual([true, 1, 1024]);
    keys.read(Buffer.from('{"a":1}'), 0, 7, long, 0, 0);
    expect([keys.isCut, keys.count]).toEqual([false, 1]);
  });
});

test.each([
  ["a,b,a", 5],
  ["a,b.0", 3],
])("no index is on %s", (paths, column) => {
  try {
    new IndexKeys({ paths: parseFieldPaths(paths), isSparse: false });
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    expect(error.column).toBe(column);
  }
});

test.each(seeds(2))("one path alone or beside a field that is missing, seed %d", (seed) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 5000; round++) {
    const text = escapedText(random, randomDocument(random, 4));
    const path = randomPath(random).replaceAll(/[01]/g, "c");
    const alone = keysOf(text, path);
    const beside = keysOf(text, `missing,${path}`).map((key) => key.slice(1));
    // A compound index says "nothing" of each element that has none, a simple one of the whole.
    const values = beside.filter((key) => key !== NOTHING);
    expect(values.length === 0 ? [NOTHING] : values).toEqual(alone);
  }
});
