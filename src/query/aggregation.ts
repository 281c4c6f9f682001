/**
 * Groups of documents by the values of fields, with figures of each: count, sum, avg, min, max.
 * Documents are handed in one after the other; nothing of them is kept but the figures.
 *
 * Paths go through arrays here too, so a document with two tags is in the groups of both, and the
 * sum of `items.price` is over all items. (MongoDB would group by the whole array and sum no array
 * at all, unless `$unwind` came before.) A missing field is in the group of null; nulls and missing
 * fields are in no figure. Numbers alone are summed; sums of integers are exact however large.
 */
import { KvdbError } from "../errors.ts";
import { MAX_GROUPS } from "../limits.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { FieldPath } from "./field-path.ts";
import { FieldReader } from "./field-reader.ts";
import { IndexKeyWriter } from "./index-key.ts";
import { PathWalk } from "./path-walk.ts";
import { compareValues, exactInteger, isArray, parseValue, type Value } from "./value.ts";

/** Groups that one document may be in: two arrays multiply. */
const MAX_GROUPS_OF_DOCUMENT = 10_000;

export interface Figure {
  readonly kind: "count" | "sum" | "avg" | "min" | "max";
  /** Null: of documents, which only "count" can be. */
  readonly path: FieldPath | null;
}

export interface AggregationShape {
  /** None: all documents are one group, which is there even when there are none. */
  readonly groupBy: readonly FieldPath[];
  readonly figures: readonly Figure[];
  readonly maxGroups?: number;
}

export interface Group {
  /** A value for each path of `groupBy`. */
  readonly values: readonly Value[];
  /** In the order of `figures`; null for what has no values to be of, 0 for a count or a sum. */
  readonly figures: readonly Value[];
}

interface OpenGroup {
  readonly values: readonly Value[];
  readonly key: Buffer;
  readonly figures: readonly Accumulator[];
}

export class Aggregation {
  readonly #shape: AggregationShape;
  readonly #maxGroups: number;
  readonly #paths: FieldPath[];
  readonly #reader: FieldReader;
  readonly #walks: readonly PathWalk[];
  readonly #writer = new IndexKeyWriter(Number.MAX_SAFE_INTEGER);
  /** By the bytes of the key, as latin1. */
  readonly #groups = new Map<string, OpenGroup>();
  #found: Value[] = [];

  constructor(shape: AggregationShape) {
    this.#shape = shape;
    this.#maxGroups = shape.maxGroups ?? MAX_GROUPS;
    this.#paths = [...shape.groupBy];
    for (const { path } of shape.figures) if (path !== null) this.#paths.push(path);
    this.#reader = new FieldReader(this.#paths);
    this.#walks = this.#paths.map((path) => new PathWalk(path, "whole only", this.#collect));
    if (shape.groupBy.length === 0) this.#group([]);
  }

  /** A KvdbError when there are too many groups. */
  add(
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
  ): void {
    this.#reader.read(bytes, start, end);
    const values = this.#paths.map((path, index) =>
      path.isKey ? [key.toString("utf8", keyStart, keyEnd)] : this.#valuesOf(index),
    );
    const { groupBy, figures } = this.#shape;
    for (const group of this.#groupsOf(values.slice(0, groupBy.length))) {
      let next = groupBy.length;
      for (const [index, { path }] of figures.entries()) {
        group.figures[index].add(path === null ? null : values[next++]);
      }
    }
  }

  /** The groups in the order of their values. */
  groups(): Group[] {
    const groups = [...this.#groups.values()];
    groups.sort((one, other) => Buffer.compare(one.key, other.key));
    return groups.map(({ values, figures }) => ({
      values,
      figures: figures.map((figure) => figure.result()),
    }));
  }

  #valuesOf(index: number): Value[] {
    this.#found = [];
    this.#reader.some(index, this.#walks[index]);
    return this.#found;
  }

  /** A look that never ends the walk; elements of an array each, an empty array itself. */
  readonly #collect = (bytes: ReadonlyBytes, start: number, end: number): boolean => {
    if (start < 0) return false;
    const value = parseValue(bytes, start, end);
    if (isArray(value) && value.length > 0) for (const element of value) this.#found.push(element);
    else this.#found.push(value);
    return false;
  };

  /** A document is in a group once, however often it has its values. */
  #groupsOf(values: readonly (readonly Value[])[]): Set<OpenGroup> {
    let tuples: Value[][] = [[]];
    for (const list of values) {
      if (tuples.length * list.length > MAX_GROUPS_OF_DOCUMENT) {
        throw tooMany(`one document is in more than ${MAX_GROUPS_OF_DOCUMENT} groups`);
      }
      const choices = list.length === 0 ? [null] : list;
      tuples = tuples.flatMap((tuple) => choices.map((value) => [...tuple, value]));
    }
    return new Set(tuples.map((tuple) => this.#group(tuple)));
  }

  #group(values: readonly Value[]): OpenGroup {
    this.#writer.begin();
    for (const value of values) this.#writer.value(value);
    const { bytes, size } = this.#writer;
    const name = bytes.toString("latin1", 0, size);
    let group = this.#groups.get(name);
    if (group === undefined) {
      if (this.#groups.size === this.#maxGroups) {
        throw tooMany(`more than ${this.#maxGroups} groups`);
      }
      const figures = this.#shape.figures.map(({ kind }) => accumulator(kind));
      group = { values, key: this.#writer.key(), figures };
      this.#groups.set(name, group);
    }
    return group;
  }
}

function tooMany(message: string): KvdbError {
  return new KvdbError("COMMAND", message, { reply: "ERR" });
}

// ---- figures ----

interface Accumulator {
  /** The values of one document; null where the document itself is what counts. */
  add(values: readonly Value[] | null): void;
  result(): Value;
}

function accumulator(kind: Figure["kind"]): Accumulator {
  switch (kind) {
    case "count":
      return new Count();
    case "sum":
      return new Sum();
    case "avg":
      return new Average();
    case "min":
      return new Extreme(-1);
    case "max":
      return new Extreme(1);
  }
}

/** Of documents that have the field. */
class Count implements Accumulator {
  #count = 0;

  add(values: readonly Value[] | null): void {
    if (values === null || values.some((value) => value !== null)) this.#count++;
  }

  result(): Value {
    return this.#count;
  }
}

/**
 * Integers and fractions apart: the first exactly, the others with what rounding loses kept beside
 * (Neumaier).
 */
class Sum implements Accumulator {
  #integers: number | bigint = 0;
  #fractions = 0;
  #lost = 0;
  #hasFractions = false;
  /** How many numbers there were. */
  count = 0;

  add(values: readonly Value[] | null): void {
    for (const value of values ?? []) {
      if (typeof value === "bigint") this.#addInteger(value);
      else if (typeof value !== "number") continue;
      else if (Number.isInteger(value)) this.#addInteger(value);
      else this.#addFraction(value);
      this.count++;
    }
  }

  #addInteger(value: number | bigint): void {
    if (typeof value === "number" && typeof this.#integers === "number") {
      const sum = this.#integers + value;
      if (Number.isSafeInteger(sum) && Number.isSafeInteger(value)) {
        this.#integers = sum;
        return;
      }
    }
    this.#integers = BigInt(this.#integers) + BigInt(value);
  }

  #addFraction(value: number): void {
    this.#hasFractions = true;
    const sum = this.#fractions + value;
    const [large, small] =
      Math.abs(this.#fractions) >= Math.abs(value)
        ? [this.#fractions, value]
        : [value, this.#fractions];
    // With infinities there is nothing to keep.
    if (Number.isFinite(sum)) this.#lost += large - sum + small;
    this.#fractions = sum;
  }

  result(): Value {
    if (this.#hasFractions) return this.number();
    return typeof this.#integers === "bigint" ? exactInteger(this.#integers) : this.#integers;
  }

  /** Infinities of both signs have no sum: null. */
  number(): number | null {
    const sum = Number(this.#integers) + (this.#fractions + this.#lost);
    return Number.isNaN(sum) ? null : sum;
  }
}

class Average implements Accumulator {
  readonly #sum = new Sum();

  add(values: readonly Value[] | null): void {
    this.#sum.add(values);
  }

  result(): Value {
    const sum = this.#sum.number();
    return this.#sum.count === 0 || sum === null ? null : sum / this.#sum.count;
  }
}

/** The smallest or largest in the order of values. */
class Extreme implements Accumulator {
  readonly #sign: number;
  #best: Value = null;

  constructor(sign: -1 | 1) {
    this.#sign = sign;
  }

  add(values: readonly Value[] | null): void {
    for (const value of values ?? []) {
      if (value === null) continue;
      const isBetter = this.#best === null || compareValues(value, this.#best) * this.#sign > 0;
      if (isBetter) this.#best = value;
    }
  }

  result(): Value {
    return this.#best;
  }
}
