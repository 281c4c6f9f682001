/**
 * A filter in the short form: `city = "Oslo" and age >= 30 and tags has "x"`. It becomes the same
 * tree as MongoDB's way of writing.
 *
 *   filter     = and-part { "or" and-part }
 *   and-part   = unary { "and" unary }
 *   unary      = "not" unary | "(" filter ")" | path condition
 *   condition  = ( "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) value
 *              | ( "~" | "!~" ) pattern
 *              | "is" [ "not" ] ( "null" | type )
 *              | [ "not" ] ( "exists" | "in" list | "between" value "and" value | "has" wanted
 *                          | "starts" "with" value | "matches" pattern | "size" number
 *                          | "type" type )
 *   wanted     = value | "all" list | "any" list
 *              | "(" filter ")" | "(" filter of conditions without a path ")"
 *   list       = "(" value { "," value } ")" | "[" … "]" | parameter
 *   pattern    = "/" expression "/" flags | value
 *   value      = JSON | 'text' | parameter | word
 *   parameter  = "$" digits
 *
 * `=` and `has value` are the same: a path goes through arrays. `is null` is also true of a field
 * that is missing. Words of the language may be in capitals. A word that begins with a letter, as
 * in `city = Oslo`, is a string: a shell takes the quotes away from what is typed. In `has (…)`
 * what begins with a condition is about the element itself (`scores has (>= 80 and < 85)`), what
 * begins with a path about a field of it (`items has (sku = "a" and qty > 1)`).
 */
import { suggestion } from "../suggest.ts";
import { ELEMENT, type FieldPath, readFieldPath } from "./field-path.ts";
import { and, between, type Filter, hasAll, not, or, type RangeOperator, regex } from "./filter.ts";
import { typeNamed } from "./filter-json.ts";
import type { FilterText } from "./filter-text.ts";
import { isArray, type Value } from "./value.ts";

/** Longer ones first. */
const SYMBOLS = ["==", "=", "!=", "<>", "<=", "<", ">=", ">", "!~", "~"] as const;
type Symbol = (typeof SYMBOLS)[number];

const CONDITION_WORDS = [
  ...["in", "exists", "between", "has", "starts", "matches", "size", "type", "is"],
];
const JOINING_WORDS = ["and", "or", "not"];
/**
 * Words that stand for something: neither a string without quotes, nor in `describe` a name without
 * them.
 */
export const FILTER_WORDS = new Set([
  ...CONDITION_WORDS,
  ...JOINING_WORDS,
  "true",
  "false",
  "null",
]);

const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
/** A string without quotes. */
const BARE_TEXT = /[\p{L}_][\p{L}\p{N}_.@:/+-]*/uy;
const PARAM = /\$\d+(?![\p{L}\p{N}_])/uy;
const PATTERN = /\/((?:[^/\\]|\\.)*)\/([a-z]*)/sy;

/** The filter that stands at the place of `text`, up to its end. */
export function parseWordFilter(text: FilterText): Filter {
  const parser = new WordFilter(text);
  const filter = parser.filter(false);
  text.skipSpace();
  if (!text.isAtEnd) text.expected("'and', 'or' or the end of the filter");
  return filter;
}

class WordFilter {
  readonly #text: FilterText;
  /** Within an element of an array, where there is no key. */
  #isInElement = false;

  constructor(text: FilterText) {
    this.#text = text;
  }

  /** `isOnElement`: its conditions have no paths, they are about the element. */
  filter(isOnElement: boolean): Filter {
    return this.#text.nested(() => {
      const parts = [this.#andPart(isOnElement)];
      while (this.#takeWord("or")) parts.push(this.#andPart(isOnElement));
      return or(parts);
    });
  }

  #andPart(isOnElement: boolean): Filter {
    const parts = [this.#unary(isOnElement)];
    while (this.#takeWord("and")) parts.push(this.#unary(isOnElement));
    return and(parts);
  }

  #unary(isOnElement: boolean): Filter {
    const text = this.#text;
    if (this.#nextWord() === "not") {
      this.#takeWord("not");
      return text.nested(() => not(this.#unary(isOnElement)));
    }
    if (text.take("(")) {
      const filter = this.filter(isOnElement);
      if (!text.take(")")) text.expected("')', 'and' or 'or'");
      return filter;
    }
    return this.#condition(isOnElement ? ELEMENT : this.#path());
  }

  #path(): FieldPath {
    const text = this.#text;
    text.skipSpace();
    const start = text.at;
    if (text.isAtEnd || JOINING_WORDS.includes(this.#nextWord())) text.expected("a condition");
    const [path, end] = readFieldPath(text.text, start, isNameCharacter, (problem, at) =>
      text.fail(problem, at),
    );
    if (path.isKey && this.#isInElement) text.fail("an element has no key", start);
    text.at = end;
    return path;
  }

  #condition(path: FieldPath): Filter {
    const text = this.#text;
    text.skipSpace();
    const symbol = SYMBOLS.find((one) => text.text.startsWith(one, text.at));
    if (symbol !== undefined) {
      text.at += symbol.length;
      return this.#compared(path, symbol);
    }
    const { at } = text;
    const word = this.#word();
    if (word === "is") return this.#is(path);
    if (word !== "not") return this.#said(path, word, at);
    text.skipSpace();
    const wordAt = text.at;
    return not(this.#said(path, this.#word(), wordAt));
  }

  #compared(path: FieldPath, symbol: Symbol): Filter {
    switch (symbol) {
      case "=":
      case "==":
        return { kind: "equal", path, value: this.#value() };
      case "!=":
      case "<>":
        return not({ kind: "equal", path, value: this.#value() });
      case "~":
        return this.#matches(path);
      case "!~":
        return not(this.#matches(path));
      default:
        return {
          kind: "range",
          path,
          operator: symbol satisfies RangeOperator,
          value: this.#value(),
        };
    }
  }

  #said(path: FieldPath, word: string, at: number): Filter {
    const text = this.#text;
    switch (word) {
      case "exists":
        return { kind: "exists", path };
      case "in":
        return { kind: "in", path, values: this.#list() };
      case "between":
        return this.#between(path);
      case "has":
        return this.#has(path);
      case "starts":
        if (!this.#takeWord("with")) text.expected("'with'");
        return { kind: "prefix", path, prefix: this.#stringValue() };
      case "matches":
        return this.#matches(path);
      case "size":
        return { kind: "size", path, size: this.#size() };
      case "type":
        return this.#type(path);
      default:
        return this.#unknown(word, at);
    }
  }

  #unknown(word: string, at: number): never {
    const near = suggestion(word, [...CONDITION_WORDS, "not"]);
    if (word !== "" && near !== "") this.#text.fail(`unknown condition '${word}'${near}`, at);
    return this.#text.expected("a condition such as =, <, in or has", at);
  }

  #between(path: FieldPath): Filter {
    const low = this.#value();
    if (!this.#takeWord("and")) this.#text.expected("'and'");
    return between(path, low, this.#value());
  }

  #is(path: FieldPath): Filter {
    const isNegated = this.#takeWord("not");
    const isNull = this.#nextWord() === "null";
    if (isNull) this.#takeWord("null");
    const filter: Filter = isNull ? { kind: "equal", path, value: null } : this.#type(path);
    return isNegated ? not(filter) : filter;
  }

  #type(path: FieldPath): Filter {
    const text = this.#text;
    text.skipSpace();
    const { at } = text;
    const quote = text.text.charAt(at);
    const name = quote === '"' || quote === "'" ? text.string() : text.match(WORD);
    if (name === "") text.expected("a type", at);
    return { kind: "type", path, type: typeNamed(text, name, at) };
  }

  #size(): number {
    this.#text.skipSpace();
    const { at } = this.#text;
    return this.#text.requireSize(this.#value(), at);
  }

  // ---- has ----

  #has(path: FieldPath): Filter {
    const text = this.#text;
    if (text.take("(")) return this.#element(path);
    const { at } = text;
    const word = this.#nextWord();
    if (word === "all" || word === "any") {
      this.#takeWord(word);
      text.skipSpace();
      if (/[([$]/.test(text.text.charAt(text.at))) {
        const values = this.#list();
        return word === "all" ? hasAll(path, values) : { kind: "in", path, values };
      }
      text.at = at;
    }
    return { kind: "equal", path, value: this.#value() };
  }

  #element(path: FieldPath): Filter {
    const text = this.#text;
    const isOnElement = this.#beginsWithCondition();
    const wasInElement = this.#isInElement;
    this.#isInElement = true;
    const filter = this.filter(isOnElement);
    this.#isInElement = wasInElement;
    if (!text.take(")")) text.expected("')', 'and' or 'or'");
    return { kind: "element", path, of: isOnElement ? "values" : "documents", filter };
  }

  /**
   * Behind any `(` and `not`: a symbol, or a word of a condition that is not itself the name of a
   * field.
   */
  #beginsWithCondition(): boolean {
    const text = this.#text;
    const { at } = text;
    while (text.take("(") || this.#takeWord("not"));
    text.skipSpace();
    let isCondition = /[=!<>~]/.test(text.text.charAt(text.at));
    const word = this.#nextWord();
    if (CONDITION_WORDS.includes(word)) {
      this.#takeWord(word);
      text.skipSpace();
      isCondition = !/[=!<>~.]/.test(text.text.charAt(text.at));
    }
    text.at = at;
    return isCondition;
  }

  // ---- values ----

  #list(): readonly Value[] {
    const text = this.#text;
    if (!text.take("(")) {
      const { at } = text;
      const value = this.#value();
      return isArray(value) ? value : text.fail('expected a list such as ("a", "b")', at);
    }
    const values = [this.#value()];
    while (text.take(",")) values.push(this.#value());
    if (!text.take(")")) text.expected("',' or ')'");
    return values;
  }

  #matches(path: FieldPath): Filter {
    const text = this.#text;
    text.skipSpace();
    const { at } = text;
    PATTERN.lastIndex = at;
    const literal = PATTERN.exec(text.text);
    if (literal === null) {
      if (text.text[at] === "/") text.fail("a regular expression that is not closed by '/'", at);
      const source = this.#stringValue();
      text.requirePattern(source, "", at);
      return regex(path, source, "");
    }
    text.at += literal[0].length;
    const source = (literal[1] ?? "").replace(/\\./gs, (one) => (one === "\\/" ? "/" : one));
    const flags = literal[2] ?? "";
    text.requirePattern(source, flags, at);
    return regex(path, source, flags);
  }

  #stringValue(): string {
    this.#text.skipSpace();
    const { at } = this.#text;
    return this.#text.requireString(this.#value(), at);
  }

  #value(): Value {
    const text = this.#text;
    text.skipSpace();
    const { at } = text;
    const first = text.text.charAt(at);
    if (first === "$") {
      const name = text.match(PARAM);
      if (name === "") text.fail("expected a parameter such as $1", at);
      return text.param(name, at);
    }
    if (/["'[{\d-]/.test(first)) return text.valueOf(text.literal(), false);
    const word = text.match(BARE_TEXT);
    const lower = word.toLowerCase();
    if (lower === "true" || lower === "false") return lower === "true";
    if (lower === "null") return null;
    if (word === "" || FILTER_WORDS.has(lower)) text.expected("a value", at);
    return word;
  }

  // ---- words ----

  /** The word that stands next, in small letters; empty when none does. */
  #nextWord(): string {
    const { at } = this.#text;
    const word = this.#word();
    this.#text.at = at;
    return word;
  }

  #word(): string {
    this.#text.skipSpace();
    return this.#text.match(WORD).toLowerCase();
  }

  #takeWord(word: string): boolean {
    const { at } = this.#text;
    if (this.#word() === word) return true;
    this.#text.at = at;
    return false;
  }
}

/** What may stand in a name without quotes, where the words of a filter stand around it. */
function isNameCharacter(character: string): boolean {
  return /[\p{L}\p{N}_-]/u.test(character);
}
