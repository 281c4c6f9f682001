/**
 * What a program asks documents with, and what it is answered: filters, options and rows, typed by
 * the values of the store. Types alone, with their documentation, as database.ts.
 */
import type { Json } from "./database.ts";

/** The types of values, by which `$type` asks. */
export type TypeName = "null" | "number" | "string" | "object" | "array" | "boolean" | "bool";

/** How many levels of fields are typed: more cost the compiler more than they tell. */
type Levels = [never, 0, 1, 2, 3, 4];

type Scalar = null | undefined | boolean | number | string | bigint;

/**
 * The paths of fields: `"name"`, `"address.city"`, through arrays as `"items.sku"`, to a position as
 * `"items.0.sku"`. Of `Json`, `unknown` and objects with any names: any text.
 */
export type FieldPath<Value> = PathWithin<Value, 5>;

type PathWithin<Value, Depth extends number> = [Depth] extends [never]
  ? string
  : [Json] extends [Value]
    ? string
    : EachPath<Value, Depth>;

type EachPath<Value, Depth extends number> = Value extends Scalar
  ? never
  : Value extends readonly (infer Element)[]
    ?
        | PathWithin<Element, Levels[Depth]>
        | `${number}`
        | `${number}.${PathWithin<Element, Levels[Depth]>}`
    : { [Name in keyof Value & string]: PathOf<Value, Name, Depth> }[keyof Value & string];

type PathOf<Value, Name extends keyof Value & string, Depth extends number> = string extends Name
  ? string
  : Name | `${Name}.${PathWithin<Value[Name], Levels[Depth]>}`;

/** What is at a path, without `undefined`; what cannot be told is `Json`. */
export type ValueAt<Value, Path extends string> = [Json] extends [Value]
  ? Json
  : EachValueAt<Value, Path>;

type EachValueAt<Value, Path extends string> = Value extends Scalar
  ? never
  : Value extends readonly (infer Element)[]
    ? Path extends `${number}`
      ? Element
      : Path extends `${number}.${infer Rest}`
        ? ValueAt<Element, Rest>
        : ValueAt<Element, Path>
    : Path extends keyof Value
      ? Exclude<Value[Path], undefined>
      : Path extends `${infer Name}.${infer Rest}`
        ? Name extends keyof Value
          ? ValueAt<Exclude<Value[Name], undefined>, Rest>
          : never
        : never;

/** The values that a path through arrays leads to: those of an array are its elements. */
type Leaf<Value> = [Json] extends [Value] ? Json : EachLeaf<Value>;
type EachLeaf<Value> = Value extends readonly (infer Element)[] ? Leaf<Element> : Value;

/**
 * What a field is compared with: its value or an element of it, null for none; integers of any
 * size, and moments for their ISO text.
 */
type Wanted<Value> = [Json] extends [Value] ? Json | bigint | Date : EachWanted<Value> | null;
type EachWanted<Value> =
  | Value
  | (Value extends readonly (infer Element)[] ? Wanted<Element> : never)
  | (Value extends number ? bigint : never)
  | (Value extends string ? Date : never);

/** Conditions on a field; all of them must hold. Of an array it is enough that an element fulfils one. */
export interface Operators<Value> {
  readonly $eq?: Wanted<Value>;
  readonly $ne?: Wanted<Value>;
  readonly $gt?: Wanted<Value>;
  readonly $gte?: Wanted<Value>;
  readonly $lt?: Wanted<Value>;
  readonly $lte?: Wanted<Value>;
  readonly $in?: readonly Wanted<Value>[];
  readonly $nin?: readonly Wanted<Value>[];
  readonly $exists?: boolean;
  readonly $type?: TypeName | readonly TypeName[];
  /** An expression of RE2; a RegExp may have the flags i, m, s and u. */
  readonly $regex?: string | RegExp;
  /** Of `$regex` as a string: i, m, s. */
  readonly $options?: string;
  readonly $size?: number;
  readonly $all?: readonly (Wanted<Value> | { readonly $elemMatch: ElementFilter<Value> })[];
  readonly $elemMatch?: ElementFilter<Value>;
  readonly $not?: Operators<Value> | RegExp;
}

type ElementFilter<Value> = [Json] extends [Value]
  ? Operators<Json> | AnyFilter
  : Value extends readonly (infer Element)[]
    ? Operators<Element> | FilterOf<Element>
    : never;

/** A value that equals the field, an expression that its text matches, or operators. */
export type FieldCondition<Value> = Wanted<Value> | RegExp | Operators<Value>;

interface AnyFilter {
  readonly [path: string]: FieldCondition<Json> | readonly AnyFilter[];
}

type FilterOf<Value> =
  string extends FieldPath<Value>
    ? AnyFilter
    : { readonly [Path in FieldPath<Value>]?: FieldCondition<ValueAt<Value, Path>> } & {
        readonly $and?: readonly Filter<Value>[];
        readonly $or?: readonly Filter<Value>[];
        readonly $nor?: readonly Filter<Value>[];
        readonly "@key"?: FieldCondition<string>;
      };

/**
 * A filter as MongoDB has it, by the fields of the values and `@key`: `{ age: { $gte: 30 } }`. What
 * stands in it is a value and nothing else, whatever its text looks like, so what a stranger typed
 * may stand in it; but let nobody hand you an object where you expect a string.
 *
 * Refused, with the place: `undefined` (a condition that is not there would be fulfilled by all),
 * NaN and infinities, functions, a `Map` and its like, a RegExp where it is no condition or with
 * the flags g, y, d, v. A `bigint` is exact; a `Date`, as everything with `toJSON`, is what `set`
 * makes of it.
 */
export type Filter<Value> = FilterOf<Value>;

/** Which documents are looked at, and what of them. */
export interface QuestionOptions {
  /** Only keys that begin with this text. */
  readonly prefix?: string | undefined;
  /** The name of the index that is to be used, instead of the one that promises least work. */
  readonly using?: string | undefined;
  /** With a filter as text: what `$1`, `$2` … in it stand for. Values, whatever their text looks like. */
  readonly params?: readonly (Json | bigint | Date)[] | undefined;
}

/** Which part of the answer. */
export interface PartOptions {
  /** At most so many. */
  readonly limit?: number | undefined;
  /** Without the first so many. */
  readonly skip?: number | undefined;
}

/** Fields with their direction, the first one first: `{ age: -1, name: 1 }`. */
export type SortOrder<Value> = {
  readonly [Path in FieldPath<Value> | "@key"]?: 1 | -1;
};

/** Fields as a list, or as text with commas. */
export type FieldList<Value> = readonly FieldPath<Value>[] | string;

export interface FindEachOptions<Value, Fields extends FieldList<Value> | undefined = undefined>
  extends QuestionOptions,
    Pick<PartOptions, "limit"> {
  /** By which fields rows are ordered, or as text `"-age,name"`; without it they are in no order. */
  readonly sort?: SortOrder<Value> | string | undefined;
  /** Only these fields of each document. */
  readonly fields?: Fields;
}

export interface FindOptions<Value, Fields extends FieldList<Value> | undefined = undefined>
  extends FindEachOptions<Value, Fields>,
    PartOptions {}

/** A document with its key. */
export interface Row<Value> {
  readonly key: string;
  /** Parsed: yours to change. */
  readonly value: Value;
}

/** A value some fields of which were asked for. */
export type PartOf<Value> = [Json] extends [Value] ? Json : EachPart<Value>;
type EachPart<Value> = Value extends Scalar
  ? Value
  : Value extends readonly (infer Element)[]
    ? PartOf<Element>[]
    : { [Name in keyof Value]?: PartOf<Value[Name]> };

export type FoundRow<Value, Fields> = Row<[Fields] extends [undefined] ? Value : PartOf<Value>>;

/** Groups of documents, and the figures of each: at least one of these. */
export interface AggregateOptions<
  Value,
  Group extends FieldPath<Value> | "@key",
  Sum extends FieldPath<Value>,
  Avg extends FieldPath<Value>,
  Min extends FieldPath<Value> | "@key",
  Max extends FieldPath<Value> | "@key",
> extends QuestionOptions,
    PartOptions {
  /** Without it all documents are one group. */
  readonly groupBy?: Group | readonly Group[] | undefined;
  /** How many documents. */
  readonly count?: boolean | undefined;
  readonly sum?: Sum | readonly Sum[] | undefined;
  readonly avg?: Avg | readonly Avg[] | undefined;
  readonly min?: Min | readonly Min[] | undefined;
  readonly max?: Max | readonly Max[] | undefined;
  /** By which columns groups are ordered: `{ "avg(age)": -1 }`, or as text; else by their values. */
  readonly sort?: NoInfer<GroupSort<Group, Sum, Avg, Min, Max>> | string | undefined;
}

type GroupSort<
  Group extends string,
  Sum extends string,
  Avg extends string,
  Min extends string,
  Max extends string,
> = {
  readonly [Column in
    | "count"
    | Group
    | `sum(${Sum})`
    | `avg(${Avg})`
    | `min(${Min})`
    | `max(${Max})`]?: 1 | -1;
};

/** A group: its values by their paths, null where the field is missing, and its figures. */
export type GroupRow<
  Value,
  Group extends string,
  Sum extends string,
  Avg extends string,
  Min extends string,
  Max extends string,
> = { [Path in Group]: KeyOr<Value, Path> | null } & {
  [Path in Sum as `sum(${Path})`]: number;
} & {
  [Path in Avg as `avg(${Path})`]: number | null;
} & {
  [Path in Min as `min(${Path})`]: KeyOr<Value, Path> | null;
} & {
  [Path in Max as `max(${Path})`]: KeyOr<Value, Path> | null;
} & { count: number };

type KeyOr<Value, Path extends string> = Path extends "@key" ? string : Leaf<ValueAt<Value, Path>>;

/** How a question was answered. */
export interface Explanation {
  /** In words. */
  readonly plan: string;
  /** Its name; null: all documents were looked at. */
  readonly index: string | null;
  /** The paths of the index. */
  readonly fields: readonly string[];
  /** How many ranges of the index were read; 0: all of it. */
  readonly ranges: number;
  /** The filter as it was understood, in the short form, on whole keys. */
  readonly filter: string;
  /** What the index leads to fulfils the filter; else each document was looked at. */
  readonly isExact: boolean;
  /** The index has the order that was asked for. */
  readonly isSorted: boolean;
  readonly estimated: number;
  readonly examined: number;
  readonly returned: number;
  readonly microseconds: number;
}

/** Questions about the documents of a store. What is no JSON document, such as a string, is not met. */
export interface Questions<Value> {
  /**
   * The documents that fulfil a filter: a typed object as MongoDB has it, or a text in the short
   * form, with `$1`, `$2` … for `params`. docs/queries.md has the language.
   *
   * An index answers without looking at all documents; without one it takes about 1 µs for each,
   * in slices between which others are served: each document is seen as it is at its turn. What is
   * found is as durable as promised when the promise resolves. Questions run one after the other.
   *
   * A filter, a path or an order that is wrong rejects with a `KvdbError` of code `COMMAND` with
   * the `column` of what is wrong, in a filter that is an object counted in its JSON text; what is
   * no filter at all and unknown options with `USAGE`.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * interface User {
   *   name: string;
   *   age: number;
   *   address: { city: string };
   * }
   *
   * await using db = await open("./example");
   * const users = db.prefix<User>("user:");
   * await users.set("ada", { name: "Ada", age: 36, address: { city: "Oslo" } });
   * await users.set("bo", { name: "Bo", age: 20, address: { city: "Bergen" } });
   *
   * const [first] = await users.find({ "address.city": "Oslo", age: { $gte: 30 } });
   * console.assert(first?.key === "ada" && first.value.name === "Ada");
   *
   * const names = await users.find("age < $1", { params: [100], sort: { age: -1 }, fields: ["name"] });
   * console.assert(names.map(({ value }) => value.name).join() === "Ada,Bo");
   * ```
   */
  find<const Fields extends FieldList<Value> | undefined = undefined>(
    filter: Filter<Value> | string,
    options?: FindOptions<Value, Fields>,
  ): Promise<FoundRow<Value, Fields>[]>;

  /**
   * The documents that fulfil a filter, one after the other: read in pages, so that millions need no
   * memory. Leaving the loop ends it. A document that is there all the time is met once; one that
   * comes, goes or changes meanwhile may be met or not.
   *
   * With `sort` each page of 10 000 goes through all that fulfil the filter again, unless `limit`
   * is so small that one page is enough.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ n: number }>("./example");
   * await Promise.all(Array.from({ length: 1000 }, (_, n) => db.set(`${n}`, { n })));
   * let sum = 0;
   * for await (const { value } of db.findEach({ n: { $lt: 10 } })) sum += value.n;
   * console.assert(sum === 45);
   * ```
   */
  findEach<const Fields extends FieldList<Value> | undefined = undefined>(
    filter: Filter<Value> | string,
    options?: FindEachOptions<Value, Fields>,
  ): AsyncIterableIterator<FoundRow<Value, Fields>>;

  /**
   * How many documents fulfil a filter.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ tags: string[] }>("./example");
   * await db.set("a", { tags: ["x", "y"] });
   * console.assert((await db.count({ tags: "x" })) === 1);
   * ```
   */
  count(filter: Filter<Value> | string, options?: QuestionOptions & PartOptions): Promise<number>;

  /**
   * Groups of the documents that fulfil a filter, with figures of each, in the order of their values
   * or of `sort`. A document whose array has two values is in both groups. Figures are JavaScript's numbers:
   * a sum beyond 2^53 is exact in `call("FIND", …)` alone.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ city: string; age: number }>("./example");
   * await db.set("ada", { city: "Oslo", age: 36 });
   * await db.set("bo", { city: "Oslo", age: 20 });
   * const [oslo] = await db.aggregate({}, { groupBy: "city", count: true, avg: "age", max: "age" });
   * console.assert(oslo?.city === "Oslo" && oslo.count === 2);
   * console.assert(oslo?.["avg(age)"] === 28 && oslo["max(age)"] === 36);
   * ```
   */
  aggregate<
    const Group extends FieldPath<Value> | "@key" = never,
    const Sum extends FieldPath<Value> = never,
    const Avg extends FieldPath<Value> = never,
    const Min extends FieldPath<Value> | "@key" = never,
    const Max extends FieldPath<Value> | "@key" = never,
  >(
    filter: Filter<Value> | string,
    options: AggregateOptions<Value, Group, Sum, Avg, Min, Max>,
  ): Promise<GroupRow<Value, Group, Sum, Avg, Min, Max>[]>;

  /**
   * Answers `find` and tells how instead of what: which index, how many documents were looked at.
   *
   * ```ts
   * import { open } from "kvdb";
   *
   * await using db = await open<{ age: number }>("./example");
   * await db.index.create("by-age", { use: "ordered", field: "age" });
   * for (let age = 0; age < 100; age++) await db.set(`${age}`, { age });
   * const { index, examined } = await db.explain({ age: { $gte: 30, $lt: 40 } });
   * console.assert(index === "by-age" && examined === 10);
   * ```
   */
  explain(
    filter: Filter<Value> | string,
    options?: FindOptions<Value, FieldList<Value>>,
  ): Promise<Explanation>;
}
