/**
 * A condition as a test of one value, on its JSON text: compared as bytes where that gives the same
 * answer as comparing values, since most values fail and need not be built. Which values are tried
 * is not known here (path-walk.ts).
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import type { Condition, RangeOperator } from "./filter.ts";
import { utf8 } from "./index-key.ts";
import { hasEscape, nextValue, sameBytes, skipValue } from "./json-walk.ts";
import { compilePattern } from "./pattern.ts";
import {
  compareNumbers,
  compareValues,
  parseNumber,
  parseString,
  parseValue,
  typeRank,
  VALUE_TYPES,
  type Value,
} from "./value.ts";

const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/**
 * Below so many strings of a list each is compared as bytes, which beats building a string to look
 * up.
 */
const FEW_STRINGS = 5;

/** A test of bytes[start, end). */
export type BytesTest = (bytes: ReadonlyBytes, start: number, end: number) => boolean;

export interface ValueTest {
  /** Of the JSON text of a value; `start` is -1 for a field that is missing. */
  readonly json: BytesTest;
  /** Of a string given as bytes, UTF-8 in most cases: the key of a document. */
  readonly text: BytesTest;
}

const never: BytesTest = () => false;
const always: BytesTest = () => true;

/** The rank of a type (typeRank), by the first byte of a JSON text; -1 where there is none. */
function rankAt(bytes: ReadonlyBytes, start: number): number {
  if (start < 0) return -1;
  switch (bytes[start]) {
    case 0x6e:
      return 0;
    case QUOTE:
      return 2;
    case 0x7b:
      return 3;
    case OPEN_ARRAY:
      return 4;
    case 0x74:
    case 0x66:
      return 5;
    default:
      return 1;
  }
}

/** The test of every condition but "element", which needs a matcher of its own. */
export function valueTest(condition: Exclude<Condition, { kind: "element" }>): ValueTest {
  switch (condition.kind) {
    case "equal":
      return equalTest(condition.value);
    case "range":
      return rangeTest(condition.operator, condition.value);
    case "in":
      return listTest(condition.values);
    case "exists":
      return { json: (_, start) => start >= 0, text: always };
    case "type": {
      const rank = VALUE_TYPES.indexOf(condition.type);
      const text = condition.type === "string" ? always : never;
      return { json: (bytes, start) => rankAt(bytes, start) === rank, text };
    }
    case "prefix":
      return prefixTest(condition.prefix);
    case "regex":
      return patternTest(condition.source, condition.flags);
    case "size":
      return sizeTest(condition.size);
  }
}

function onJson(json: BytesTest): ValueTest {
  return { json, text: never };
}

/** A test of strings by their UTF-8; only what is escaped must be built for it. */
function onText(text: BytesTest): ValueTest {
  const json: BytesTest = (bytes, start, end) => {
    if (start < 0 || bytes[start] !== QUOTE) return false;
    if (!hasEscape(bytes, start, end)) return text(bytes, start + 1, end - 1);
    const whole = utf8(parseString(bytes, start, end));
    return text(whole, 0, whole.length);
  };
  return { json, text };
}

// ---- equality ----

function equalTest(value: Value): ValueTest {
  if (value === null) return onJson((bytes, start) => start < 0 || bytes[start] === 0x6e);
  if (typeof value === "string") return equalText(value);
  if (typeof value === "boolean") {
    const first = value ? 0x74 : 0x66;
    return onJson((bytes, start) => start >= 0 && bytes[start] === first);
  }
  if (typeof value !== "object") {
    return onJson(
      (bytes, start, end) => rankAt(bytes, start) === 1 && parseNumber(bytes, start, end) === value,
    );
  }
  return comparedTest(value, (apart) => apart === 0);
}

/**
 * Escapes make a text longer, so that a shorter one is never equal, and one as long only without
 * any.
 */
function equalText(value: string): ValueTest {
  const wanted = utf8(value);
  const text: BytesTest = (bytes, start, end) =>
    end - start === wanted.length && sameBytes(bytes, start, wanted);
  const { json } = onText(text);
  const mayLookEscaped = value.includes("\\");
  return {
    text,
    json: (bytes, start, end) => {
      if (start < 0 || bytes[start] !== QUOTE) return false;
      const longer = end - start - 2 - wanted.length;
      if (longer > 0 || mayLookEscaped) return longer >= 0 && json(bytes, start, end);
      return longer === 0 && sameBytes(bytes, start + 1, wanted);
    },
  };
}

/** By the order of whole values of the same type. */
function comparedTest(value: Value, isWanted: (apart: number) => boolean): ValueTest {
  const rank = typeRank(value);
  return onJson(
    (bytes, start, end) =>
      rankAt(bytes, start) === rank &&
      isWanted(compareValues(parseValue(bytes, start, end), value)),
  );
}

// ---- ranges ----

const WANTED: Readonly<Record<RangeOperator, (apart: number) => boolean>> = {
  "<": (apart) => apart < 0,
  "<=": (apart) => apart <= 0,
  ">": (apart) => apart > 0,
  ">=": (apart) => apart >= 0,
};

function rangeTest(operator: RangeOperator, value: Value): ValueTest {
  const isWanted = WANTED[operator];
  if (value === null) return isWanted(0) ? equalTest(null) : onJson(never);
  if (typeof value === "number" || typeof value === "bigint") {
    return onJson(
      (bytes, start, end) =>
        rankAt(bytes, start) === 1 &&
        isWanted(compareNumbers(parseNumber(bytes, start, end), value)),
    );
  }
  if (typeof value !== "string") return comparedTest(value, isWanted);
  const other = utf8(value);
  return onText((bytes, start, end) => isWanted(compareBytes(bytes, start, end, other)));
}

/** UTF-8 is in the order of code points. */
function compareBytes(
  bytes: ReadonlyBytes,
  start: number,
  end: number,
  other: ReadonlyBytes,
): number {
  const size = end - start;
  const shared = Math.min(size, other.length);
  for (let at = 0; at < shared; at++) {
    const apart = bytes[start + at] - other[at];
    if (apart !== 0) return apart;
  }
  return size - other.length;
}

// ---- lists ----

function listTest(values: readonly Value[]): ValueTest {
  const numbers = new Set(
    values.filter((one) => typeof one === "number" || typeof one === "bigint"),
  );
  const strings = values.filter((one) => typeof one === "string");
  const others = values
    .filter((one) => one === null || typeof one === "object" || typeof one === "boolean")
    .map(equalTest);
  const { json: isString, text } = stringsTest(strings);
  const json: BytesTest = (bytes, start, end) => {
    const rank = rankAt(bytes, start);
    if (rank === 2) return isString(bytes, start, end);
    if (rank === 1) return numbers.has(parseNumber(bytes, start, end));
    return others.some((test) => test.json(bytes, start, end));
  };
  return { json, text };
}

function stringsTest(strings: readonly string[]): ValueTest {
  if (strings.length >= FEW_STRINGS) {
    const wanted = new Set(strings.map((one) => utf8(one).toString("latin1")));
    return onText((bytes, start, end) => wanted.has(bytes.toString("latin1", start, end)));
  }
  const tests = strings.map(equalText);
  return {
    json: (bytes, start, end) => tests.some((test) => test.json(bytes, start, end)),
    text: (bytes, start, end) => tests.some((test) => test.text(bytes, start, end)),
  };
}

// ---- strings and arrays ----

function prefixTest(prefix: string): ValueTest {
  const wanted = utf8(prefix);
  return onText(
    (bytes, start, end) => end - start >= wanted.length && sameBytes(bytes, start, wanted),
  );
}

function patternTest(source: string, flags: string): ValueTest {
  const pattern = compilePattern(source, flags);
  return {
    json: (bytes, start, end) =>
      start >= 0 && bytes[start] === QUOTE && pattern.test(parseString(bytes, start, end)),
    text: (bytes, start, end) => pattern.test(bytes.toString("utf8", start, end)),
  };
}

function sizeTest(size: number): ValueTest {
  return onJson((bytes, start, end) => {
    if (start < 0 || bytes[start] !== OPEN_ARRAY) return false;
    let count = 0;
    for (let at = start + 1; at < end && bytes[at] !== CLOSE_ARRAY && count <= size; count++) {
      at = nextValue(bytes, skipValue(bytes, at, end), end);
    }
    return count === size;
  });
}

/**
 * Whether `test` holds for one element of the array bytes[start, end); not for anything but an
 * array.
 */
export function someElement(test: BytesTest): ValueTest {
  return onJson((bytes, start, end) => {
    if (start < 0 || bytes[start] !== OPEN_ARRAY) return false;
    for (let at = start + 1; at < end; ) {
      const elementEnd = skipValue(bytes, at, end);
      if (elementEnd === at) return false;
      if (test(bytes, at, elementEnd)) return true;
      at = nextValue(bytes, elementEnd, end);
    }
    return false;
  });
}
