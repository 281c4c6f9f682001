/**
 * A filter in MongoDB's way of writing: `{"city": "Oslo", "age": {"$gte": 30}}`. Its operators on
 * fields, `$and`, `$or`, `$nor`, dotted paths, `@key` for the key. A string `$1` among the values
 * is the first parameter.
 *
 * What differs from MongoDB: `$type` knows the types of JSON alone, `$regex` is RE2's (pattern.ts),
 * and a condition that MongoDB takes as meaning nothing (a mix of operators and fields) is refused.
 */
import { suggestion } from "../suggest.ts";
import { ELEMENT, type FieldPath, parseFieldPath } from "./field-path.ts";
import { ALL, and, type Filter, hasAll, not, or, type RangeOperator, regex } from "./filter.ts";
import type { FilterText, Literal, LiteralField } from "./filter-text.ts";
import { isArray, VALUE_TYPES, type Value, type ValueType } from "./value.ts";

const RANGES: ReadonlyMap<string, RangeOperator> = new Map([
  ["$lt", "<"],
  ["$lte", "<="],
  ["$gt", ">"],
  ["$gte", ">="],
]);
const LOGIC = ["$and", "$or", "$nor"];
const OPERATORS = [
  ...["$eq", "$ne", "$in", "$nin", "$exists", "$type", "$regex", "$options", "$size", "$all"],
  ...["$elemMatch", "$not", ...RANGES.keys()],
];
/** MongoDB's short names. */
const TYPE_ALIASES: ReadonlyMap<string, ValueType> = new Map([["bool", "boolean"]]);

/** The filter that stands at the place of `text`, an object up to its end. */
export function parseJsonFilter(text: FilterText): Filter {
  const literal = text.literal();
  text.skipSpace();
  if (!text.isAtEnd) text.expected("the end of the filter");
  return new JsonFilter(text).filter(literal);
}

/** The type of this name, for both ways of writing. */
export function typeNamed(text: FilterText, name: string, at: number): ValueType {
  const lower = name.toLowerCase();
  const type = TYPE_ALIASES.get(lower) ?? VALUE_TYPES.find((one) => one === lower);
  if (type !== undefined) return type;
  const known = VALUE_TYPES.join(", ");
  return text.fail(
    `unknown type "${name}"${suggestion(name, VALUE_TYPES)}; there are ${known}`,
    at,
  );
}

class JsonFilter {
  readonly #text: FilterText;
  /** Within an element of an array, where there is no key. */
  #isInElement = false;

  constructor(text: FilterText) {
    this.#text = text;
  }

  filter(literal: Literal): Filter {
    if (literal.kind !== "object") this.#text.fail("expected an object", literal.at);
    return and(literal.fields.map((field) => this.#part(field)));
  }

  #part({ name, at, value }: LiteralField): Filter {
    if (!name.startsWith("$")) return this.#onField(this.#path(name, at), value);
    if (LOGIC.includes(name)) return this.#logic(name, value);
    if (name === "$not") this.#text.fail("$not stands within a field; use $nor here", at);
    if (OPERATORS.includes(name)) this.#text.fail(`${name} stands within a field`, at);
    return this.#text.fail(`unknown operator ${name}${suggestion(name, LOGIC)}`, at);
  }

  #path(name: string, at: number): FieldPath {
    const isQuoted = /["']/.test(this.#text.text.charAt(at));
    const path = parseFieldPath(name, this.#text.text, isQuoted ? at + 1 : at);
    if (path.isKey && this.#isInElement) this.#text.fail("an element has no key", at);
    return path;
  }

  #logic(name: string, literal: Literal): Filter {
    if (literal.kind !== "array" || literal.elements.length === 0) {
      this.#text.fail(`${name} takes a list of at least one filter`, literal.at);
    }
    const parts = literal.elements.map((element) => this.filter(element));
    if (name === "$and") return and(parts);
    return name === "$or" ? or(parts) : not(or(parts));
  }

  #onField(path: FieldPath, literal: Literal): Filter {
    if (!isOperators(literal)) return { kind: "equal", path, value: this.#value(literal) };
    return and(literal.fields.map((field) => this.#operator(path, field, literal.fields)));
  }

  #operator(path: FieldPath, field: LiteralField, beside: readonly LiteralField[]): Filter {
    const text = this.#text;
    const { name, value: literal } = field;
    const operator = RANGES.get(name);
    if (operator !== undefined) {
      return { kind: "range", path, operator, value: this.#value(literal) };
    }
    switch (name) {
      case "$eq":
        return { kind: "equal", path, value: this.#value(literal) };
      case "$ne":
        return not({ kind: "equal", path, value: this.#value(literal) });
      case "$in":
        return { kind: "in", path, values: this.#list(name, literal) };
      case "$nin":
        return not({ kind: "in", path, values: this.#list(name, literal) });
      case "$exists":
        return this.#exists(path, literal);
      case "$type":
        return this.#type(path, literal);
      case "$size":
        return { kind: "size", path, size: text.requireSize(this.#value(literal), literal.at) };
      case "$all":
        return this.#all(path, literal);
      case "$elemMatch":
        return this.#element(path, literal);
      case "$not":
        if (!isOperators(literal)) text.fail("$not takes an object of operators", literal.at);
        return not(this.#onField(path, literal));
      case "$regex":
        return this.#regex(path, literal, beside);
      case "$options":
        if (beside.some((one) => one.name === "$regex")) return ALL;
        return text.fail("$options without $regex", field.at);
      default:
        return this.#unknown(field);
    }
  }

  #unknown({ name, at }: LiteralField): never {
    if (!name.startsWith("$")) {
      return this.#text.fail(`a field among operators: ${JSON.stringify(name)}`, at);
    }
    if (LOGIC.includes(name)) {
      return this.#text.fail(`${name} stands beside fields, not within one`, at);
    }
    return this.#text.fail(`unknown operator ${name}${suggestion(name, OPERATORS)}`, at);
  }

  #value(literal: Literal): Value {
    return this.#text.valueOf(literal, true);
  }

  #list(name: string, literal: Literal): readonly Value[] {
    const value = this.#value(literal);
    return isArray(value) ? value : this.#text.fail(`${name} takes a list of values`, literal.at);
  }

  #exists(path: FieldPath, literal: Literal): Filter {
    const value = this.#value(literal);
    if (typeof value !== "boolean" && value !== 0 && value !== 1) {
      this.#text.fail("$exists takes true or false", literal.at);
    }
    return value ? { kind: "exists", path } : not({ kind: "exists", path });
  }

  #type(path: FieldPath, literal: Literal): Filter {
    const names = literal.kind === "array" ? literal.elements : [literal];
    if (names.length === 0) this.#text.fail("$type takes a type, or a list of types", literal.at);
    return or(
      names.map((one) => {
        const name = this.#value(one);
        if (typeof name !== "string") this.#text.fail("expected the name of a type", one.at);
        return { kind: "type", path, type: typeNamed(this.#text, name, one.at) };
      }),
    );
  }

  #all(path: FieldPath, literal: Literal): Filter {
    const hasElementConditions =
      literal.kind === "array" &&
      literal.elements.some((one) => isOperators(one) && one.fields[0]?.name === "$elemMatch");
    if (!hasElementConditions) return hasAll(path, this.#list("$all", literal));
    return and(
      literal.elements.map((one) => {
        if (isOperators(one) && one.fields.length === 1) return this.#onField(path, one);
        return this.#text.fail("$all takes values, or conditions with $elemMatch alone", one.at);
      }),
    );
  }

  #element(path: FieldPath, literal: Literal): Filter {
    if (literal.kind !== "object") this.#text.fail("$elemMatch takes an object", literal.at);
    const isOnValues = isOperators(literal) && !LOGIC.includes(literal.fields[0]?.name ?? "");
    const wasInElement = this.#isInElement;
    this.#isInElement = true;
    const filter = isOnValues ? this.#onField(ELEMENT, literal) : this.filter(literal);
    this.#isInElement = wasInElement;
    return { kind: "element", path, of: isOnValues ? "values" : "documents", filter };
  }

  #regex(path: FieldPath, literal: Literal, beside: readonly LiteralField[]): Filter {
    const text = this.#text;
    const source = text.requireString(this.#value(literal), literal.at);
    const options = beside.find(({ name }) => name === "$options")?.value;
    const flags = options === undefined ? "" : text.requireString(this.#value(options), options.at);
    text.requirePattern(source, "", literal.at);
    if (options !== undefined) text.requirePattern(source, flags, options.at);
    return regex(path, source, flags);
  }
}

/** An object whose first name is an operator; the others must then be as well. */
function isOperators(literal: Literal): literal is Extract<Literal, { kind: "object" }> {
  return literal.kind === "object" && (literal.fields[0]?.name.startsWith("$") ?? false);
}
