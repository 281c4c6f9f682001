/**
 * A filter that a program gives as an object, as the JSON text that FIND takes. Strings that look
 * like parameters become parameters: what a program says is a value, never a part of the language.
 *
 *   { name: "$1", age: { $gte: 30 }, city: /^os/i }
 *   {"name":"$1","age":{"$gte":30},"city":{"$regex":"^os","$options":"i"}}   PARAMS "\"$1\""
 *
 * A condition that is `undefined` is refused, unlike a property of a stored value: left out it would
 * let everything pass.
 */
import { KvdbError } from "../errors.ts";
import { MAX_FILTER_DEPTH } from "../limits.ts";
import { jsonText } from "./json-text.ts";

export interface FilterWords {
  readonly text: string;
  /** JSON texts. */
  readonly params: readonly string[];
}

/** Throws a KvdbError USAGE with the place. */
export function filterWords(filter: object): FilterWords {
  const writer = new FilterWriter();
  return { text: writer.filter(filter, "filter"), params: writer.params };
}

/** The JSON text of a value; integers of any size. Throws a KvdbError USAGE. */
export function valueText(value: unknown, place: string): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "string" && !value.isWellFormed()) {
    throw refused(place, "half of a surrogate pair has no UTF-8");
  }
  const text = textOf(value, place);
  // null asks for documents without the field: nobody means that by a moment that is none.
  if (text === "null" && value !== null) throw refused(place, "its toJSON answers null");
  return text;
}

function textOf(value: unknown, place: string): string {
  try {
    return jsonText(value);
  } catch (error) {
    if (!(error instanceof KvdbError)) throw error;
    throw new KvdbError("USAGE", place + error.message.slice("value".length), { cause: error });
  }
}

const LOGIC = ["$and", "$or", "$nor"];

class FilterWriter {
  readonly params: string[] = [];
  #depth = 0;

  filter(filter: unknown, place: string): string {
    if (!isPlain(filter)) throw refused(place, `expected an object, found ${kindOf(filter)}`);
    return this.#object(filter, place, (name, value, at) =>
      LOGIC.includes(name) ? this.#filters(value, at) : this.#condition(value, at),
    );
  }

  #filters(list: unknown, place: string): string {
    return this.#list(list, place, (one, at) => this.filter(one, at));
  }

  #condition(value: unknown, place: string): string {
    if (value instanceof RegExp) return `{${regexMembers(value, place)}}`;
    return isOperators(value) ? this.#operators(value, place) : this.#value(value, place);
  }

  #operators(operators: object, place: string): string {
    return this.#object(operators, place, (name, value, at) => {
      switch (name) {
        case "$not":
          return this.#condition(value, at);
        case "$elemMatch":
          return isOperators(value) && !LOGIC.includes(Object.keys(value)[0] ?? "")
            ? this.#operators(value, at)
            : this.filter(value, at);
        case "$all":
          return this.#list(value, at, (one, oneAt) =>
            isOperators(one) ? this.#operators(one, oneAt) : this.#value(one, oneAt),
          );
        default:
          return this.#value(value, at);
      }
    });
  }

  /** The members of an object; an expression beside other operators brings its options along. */
  #object(
    object: object,
    place: string,
    write: (name: string, value: unknown, place: string) => string,
  ): string {
    const members = this.#deeper(place, () =>
      Object.entries(object).map(([name, value]: [string, unknown]) => {
        const at = `${place}.${name}`;
        if (name === "$regex" && value instanceof RegExp) return regexMembers(value, at);
        return `${this.#name(name, at)}:${write(name, value, at)}`;
      }),
    );
    return `{${members.join(",")}}`;
  }

  #name(name: string, place: string): string {
    if (name.isWellFormed()) return JSON.stringify(name);
    throw refused(place, "half of a surrogate pair has no UTF-8");
  }

  #list(list: unknown, place: string, write: (one: unknown, at: string) => string): string {
    if (!Array.isArray(list)) throw refused(place, `expected a list, found ${kindOf(list)}`);
    const parts = this.#deeper(place, () =>
      Array.from(list, (one, index) => write(one, `${place}[${index}]`)),
    );
    return `[${parts.join(",")}]`;
  }

  /** A value with all that is in it, by the names of which nothing is meant. */
  #value(value: unknown, place: string): string {
    if (typeof value === "string" && /^\$\d+$/.test(value)) {
      this.params.push(JSON.stringify(value));
      return `"$${this.params.length}"`;
    }
    if (Array.isArray(value)) return this.#list(value, place, (one, at) => this.#value(one, at));
    if (isPlain(value) && !("toJSON" in value)) {
      return this.#object(value, place, (_, one, at) => this.#value(one, at));
    }
    if (value instanceof RegExp) throw refused(place, "a RegExp stands as a condition of a field");
    return valueText(value, place);
  }

  /** A circle ends here too. */
  #deeper<Result>(place: string, write: () => Result): Result {
    if (++this.#depth > MAX_FILTER_DEPTH) {
      throw refused(place.slice(0, 100), `nested deeper than ${MAX_FILTER_DEPTH} levels`);
    }
    const result = write();
    this.#depth--;
    return result;
  }
}

/** `u` says how kvdb reads all expressions; what g, y and d are for does not happen here. */
function regexMembers({ source, flags }: RegExp, place: string): string {
  const other = /[^imsu]/.exec(flags)?.[0];
  if (other !== undefined) {
    throw refused(place, `the flag ${other} of a RegExp; there are i, m, s and u`);
  }
  const members = `"$regex":${JSON.stringify(source)}`;
  const options = flags.replace("u", "");
  return options === "" ? members : `${members},"$options":"${options}"`;
}

function isPlain(value: unknown): value is object {
  return Object.prototype.toString.call(value) === "[object Object]";
}

function isOperators(value: unknown): value is object {
  return isPlain(value) && (Object.keys(value)[0]?.startsWith("$") ?? false);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value;
}

function refused(place: string, problem: string): KvdbError {
  return new KvdbError("USAGE", `${place}: ${problem}`);
}
