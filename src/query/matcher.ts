/**
 * Whether a document passes a filter, with MongoDB's semantics, asked of the document's text. The
 * fields that the filter names are found in one walk (field-reader.ts), conditions on the key alone
 * need none; nothing else is read.
 *
 * A condition holds when it holds for one of the values that its path leads to; what is negated
 * ($ne, $nin, $not) holds when the condition does not, so for a field that is missing too.
 */
import type { ReadonlyBytes } from "../store/arena.ts";
import type { FieldPath } from "./field-path.ts";
import { FieldReader } from "./field-reader.ts";
import { type Condition, type Filter, pathsOf } from "./filter.ts";
import { PathWalk } from "./path-walk.ts";
import { type BytesTest, someElement, type ValueTest, valueTest } from "./value-test.ts";

const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

export interface Matcher {
  /** Whether the document bytes[start, end), stored under key[keyStart, keyEnd), passes. */
  matches(
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
  ): boolean;
}

/** Made once for a filter; used for one document after the other, not from within itself. */
export function compileFilter(filter: Filter): Matcher {
  return new DocumentMatcher(filter);
}

type Check = () => boolean;

const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

class DocumentMatcher implements Matcher {
  readonly #paths: readonly FieldPath[];
  readonly #reader: FieldReader;
  readonly #check: Check;
  #isRead = false;
  #isElement = false;
  #bytes: ReadonlyBytes = NO_BYTES;
  #start = 0;
  #end = 0;
  #key: ReadonlyBytes = NO_BYTES;
  #keyStart = 0;
  #keyEnd = 0;

  constructor(filter: Filter) {
    this.#paths = pathsOf(filter);
    this.#reader = new FieldReader(this.#paths);
    this.#check = this.#compile(filter);
  }

  matches(
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
  ): boolean {
    this.#key = key;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    return this.#run(bytes, start, end, false);
  }

  /**
   * Whether an element of an array passes; an array then stands for a document whose fields are its
   * positions.
   */
  matchesElement(bytes: ReadonlyBytes, start: number, end: number): boolean {
    return this.#run(bytes, start, end, true);
  }

  #run(bytes: ReadonlyBytes, start: number, end: number, isElement: boolean): boolean {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#isRead = false;
    this.#isElement = isElement;
    return this.#check();
  }

  #read(): void {
    this.#isRead = true;
    if (this.#isElement) this.#reader.readElement(this.#bytes, this.#start, this.#end);
    else this.#reader.read(this.#bytes, this.#start, this.#end);
  }

  #compile(filter: Filter): Check {
    switch (filter.kind) {
      case "all":
        return () => true;
      case "and":
        return this.#compileAnd(filter.parts);
      case "or": {
        const checks = cheapFirst(filter.parts).map((part) => this.#compile(part));
        return () => checks.some((check) => check());
      }
      case "not": {
        const check = this.#compile(filter.part);
        return () => !check();
      }
      default:
        return this.#compileCondition(filter);
    }
  }

  /** Two parts are the usual case of a hot loop: a call for each costs less than a list. */
  #compileAnd(parts: readonly Filter[]): Check {
    const [first, second, ...others] = cheapFirst(parts).map((part) => this.#compile(part));
    if (others.length === 0) return () => first() && second();
    return () => first() && second() && others.every((check) => check());
  }

  #compileCondition(condition: Condition): Check {
    const { path } = condition;
    const test = testOf(condition);
    if (path.isKey) {
      const { skippedBytes = 0 } = path;
      return () => {
        const start = Math.min(this.#keyStart + skippedBytes, this.#keyEnd);
        return test.text(this.#key, start, this.#keyEnd);
      };
    }
    if (path.names.length === 0) return () => test.json(this.#bytes, this.#start, this.#end);
    const index = this.#paths.findIndex(({ text }) => text === path.text);
    const isWhole = ["exists", "size", "element"].includes(condition.kind);
    const walk = new PathWalk(path, isWhole ? "whole only" : "elements too", test.json);
    return () => {
      if (!this.#isRead) this.#read();
      return this.#reader.some(index, walk);
    };
  }
}

function testOf(condition: Condition): ValueTest {
  if (condition.kind !== "element") return valueTest(condition);
  const matcher = new DocumentMatcher(condition.filter);
  const passes: BytesTest = (bytes, start, end) => matcher.matchesElement(bytes, start, end);
  if (condition.of === "values") return someElement(passes);
  return someElement((bytes, start, end) => {
    const first = bytes[start];
    return (first === OPEN_OBJECT || first === OPEN_ARRAY) && passes(bytes, start, end);
  });
}

/** What decides without reading the document goes first, what takes long last. */
function cheapFirst(parts: readonly Filter[]): Filter[] {
  return parts.toSorted((one, other) => cost(one) - cost(other));
}

function cost(filter: Filter): number {
  switch (filter.kind) {
    case "and":
    case "or":
      return Math.max(...filter.parts.map(cost));
    case "not":
      return cost(filter.part);
    case "all":
      return 0;
    case "regex":
    case "element":
      return filter.path.isKey ? 1 : 3;
    default:
      return filter.path.isKey ? 0 : 2;
  }
}
