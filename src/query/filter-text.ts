/**
 * The text of a filter while it is read: where reading has come to, the tokens that both ways of
 * writing share, literals as in JSON with parameters in them, and errors that say the place.
 *
 * Literals are a little freer than JSON, because people type them: strings in single quotes too,
 * and names of fields without quotes where they look like names.
 */
import { MAX_FILTER_DEPTH, MAX_FILTER_LENGTH } from "../limits.ts";
import { quotedEnd } from "./field-path.ts";
import { compilePattern, PatternProblem } from "./pattern.ts";
import { QueryError } from "./query-error.ts";
import { parseLongNumber, type Value } from "./value.ts";

/** A JSON value with the places of its parts. Names and strings are without their quotes. */
export type Literal =
  | { readonly kind: "scalar"; readonly at: number; readonly value: Value }
  | { readonly kind: "array"; readonly at: number; readonly elements: readonly Literal[] }
  | { readonly kind: "object"; readonly at: number; readonly fields: readonly LiteralField[] };

export interface LiteralField {
  readonly name: string;
  readonly at: number;
  readonly value: Literal;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\p{L}\p{N}_.:/-])/uy;
const BARE_NAME = /[\p{L}_$@][\p{L}\p{N}_$.@[\]*-]*/uy;
const WORDS = new Map<string, Value>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

export class FilterText {
  readonly text: string;
  at = 0;
  readonly #params: readonly Value[];
  readonly #usedParams = new Set<number>();
  #depth = 0;

  constructor(text: string, params: readonly Value[]) {
    this.text = text;
    this.#params = params;
    if (text.length > MAX_FILTER_LENGTH) {
      this.fail(`a filter has at most ${MAX_FILTER_LENGTH} characters`, 0);
    }
  }

  fail(problem: string, at = this.at): never {
    throw new QueryError(problem, this.text, at);
  }

  /** Without `at`: what stands behind the space that may come next. */
  expected(what: string, at = this.#skippedSpace()): never {
    return this.fail(`expected ${what}, found ${this.#shown(at)}`, at);
  }

  #shown(at: number): string {
    if (at >= this.text.length) return "the end";
    const word = /[\p{L}\p{N}_$]+|./suy;
    word.lastIndex = at;
    return `'${(word.exec(this.text)?.[0] ?? "").slice(0, 40)}'`;
  }

  skipSpace(): void {
    while (this.at < this.text.length && /\s/.test(this.text.charAt(this.at))) this.at++;
  }

  #skippedSpace(): number {
    this.skipSpace();
    return this.at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** Steps over `symbol` and the space before it, if it stands next. */
  take(symbol: string): boolean {
    this.skipSpace();
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  /** What matches a sticky expression here, stepped over; empty when nothing does. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  /** What is within one another has a bound: readers of it are recursive. */
  nested<Result>(read: () => Result): Result {
    if (++this.#depth > MAX_FILTER_DEPTH) {
      this.fail(`a filter nested deeper than ${MAX_FILTER_DEPTH} levels`);
    }
    const result = read();
    this.#depth--;
    return result;
  }

  // ---- literals ----

  literal(): Literal {
    this.skipSpace();
    const at = this.at;
    const first = this.text.charAt(at);
    if (first === "{") return { kind: "object", at, fields: this.nested(() => this.#fields()) };
    if (first === "[") return { kind: "array", at, elements: this.nested(() => this.#elements()) };
    if (first === '"' || first === "'") return { kind: "scalar", at, value: this.string() };
    if (first === "-" || /\d/.test(first)) return { kind: "scalar", at, value: this.number() };
    const word = this.match(/[a-z]+/y);
    const value = WORDS.get(word);
    if (value === undefined) this.expected("a value", at);
    return { kind: "scalar", at, value };
  }

  string(): string {
    const { at } = this;
    const end = quotedEnd(this.text, at);
    if (end < 0) this.fail("a quote is not closed");
    this.at = end;
    return this.#unquoted(at, end);
  }

  /** Within single quotes JSON's rules hold, with the two quotes exchanged. */
  #unquoted(start: number, end: number): string {
    const inside = this.text.slice(start + 1, end - 1);
    const isSingle = this.text[start] === "'";
    const json = isSingle
      ? inside.replace(/\\.|"/gs, (one) => (one === "\\'" ? "'" : one === '"' ? '\\"' : one))
      : inside;
    try {
      // A line break or tab is what it is: whoever types a filter sees it.
      return JSON.parse(`"${json.replace(/\p{Cc}/gu, (one) => JSON.stringify(one).slice(1, -1))}"`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.fail("an escape that JSON does not know", start);
    }
  }

  number(): number | bigint {
    const { at } = this;
    const text = this.match(NUMBER);
    if (text === "") this.fail("not a number; text stands in quotes", at);
    return parseLongNumber(text);
  }

  #fields(): LiteralField[] {
    this.at++;
    const fields: LiteralField[] = [];
    const names = new Set<string>();
    if (this.take("}")) return fields;
    for (;;) {
      this.skipSpace();
      const at = this.at;
      const name = this.#name();
      if (names.has(name)) this.fail(`${JSON.stringify(name)} twice in one object`, at);
      names.add(name);
      if (!this.take(":")) this.expected("':'");
      fields.push({ name, at, value: this.literal() });
      if (this.take("}")) return fields;
      if (!this.take(",")) this.expected("',' or '}'");
    }
  }

  #name(): string {
    const first = this.text.charAt(this.at);
    if (first === '"' || first === "'") return this.string();
    const name = this.match(BARE_NAME);
    return name === "" ? this.expected("the name of a field") : name;
  }

  #elements(): Literal[] {
    this.at++;
    const elements: Literal[] = [];
    if (this.take("]")) return elements;
    for (;;) {
      elements.push(this.literal());
      if (this.take("]")) return elements;
      if (!this.take(",")) this.expected("',' or ']'");
    }
  }

  /** The value of a literal. `takesParams`: a string `$1` in it is the first parameter. */
  valueOf(literal: Literal, takesParams: boolean): Value {
    if (literal.kind === "array") {
      return literal.elements.map((element) => this.valueOf(element, takesParams));
    }
    if (literal.kind === "object") {
      return new Map(
        literal.fields.map(({ name, value }) => [name, this.valueOf(value, takesParams)]),
      );
    }
    const { value, at } = literal;
    const isParam = takesParams && typeof value === "string" && /^\$\d+$/.test(value);
    return isParam ? this.param(value, at) : value;
  }

  // ---- parameters ----

  /** `name` is `$` and digits. */
  param(name: string, at: number): Value {
    const number = Number(name.slice(1));
    const value = this.#params[number - 1];
    if (value === undefined) {
      const count = this.#params.length;
      const given = count === 1 ? "1 parameter is" : `${count} parameters are`;
      this.fail(`${name} is a parameter, but ${given} given`, at);
    }
    this.#usedParams.add(number);
    return value;
  }

  /** A parameter that nothing takes is one too many, or a `$2` that should have been. */
  requireAllParams(): void {
    const unused = this.#params.findIndex((_, index) => !this.#usedParams.has(index + 1));
    if (unused >= 0) this.fail(`parameter $${unused + 1} is given, but the filter has none`, 0);
  }

  // ---- checks that both ways of writing need ----

  requirePattern(source: string, flags: string, at: number): void {
    try {
      compilePattern(source, flags);
    } catch (error) {
      if (!(error instanceof PatternProblem)) throw error;
      this.fail(error.message, at);
    }
  }

  requireSize(value: Value, at: number): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
    return this.fail("expected a number of elements: 0, 1, 2 …", at);
  }

  requireString(value: Value, at: number): string {
    return typeof value === "string" ? value : this.fail("expected a string", at);
  }
}
