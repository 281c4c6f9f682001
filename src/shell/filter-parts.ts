/**
 * A filter as it is typed behind `find`, without quotes around it: where it ends, and what its parts are, for colours and
 * completion. Reads both ways of writing (query/filter-words.ts, filter-json.ts), as far as that takes: it judges
 * nothing, and whoever parses the filter says what is wrong with it.
 *
 *   find city = "Oslo" and age >= 30 sort -age limit 5
 *        ───────────────────────────  ^ the first keyword ends it
 *
 * A keyword is none within quotes and brackets, and where something of the filter must stand: `name = max` compares,
 * `limit > 3` asks for a field that is called limit, `and count = 1` as well. `in` is the operator behind a field, unless
 * a word with a `*` at its end follows.
 *
 * Invariant: never throws; parts are in order and do not overlap, only white space is between them.
 */
import { quotedEnd } from "../query/field-path.ts";
import type { FilterEnd } from "./filter-keywords.ts";

export type FilterPartKind =
  | "field"
  /** A symbol or a word: `>=`, `has`, `starts`, `$gte`. */
  | "operator"
  /** and, or, not. */
  | "joint"
  | "string"
  | "number"
  | "literal"
  /** A string without quotes, or what is not yet a word of the language. */
  | "word"
  | "parameter"
  | "pattern"
  | "mark"
  | "wrong";

/** What may stand somewhere. */
export type FilterPlace =
  /** A field or a keyword: nothing stands there yet. */
  | "start"
  | "field"
  | "operator"
  | "value"
  /** The `and` of between. */
  | "between"
  /** and, or, a keyword. */
  | "after"
  /** Within the braces of JSON. */
  | "json";

/** Offsets as in line.ts. */
export interface FilterPart {
  readonly kind: FilterPartKind;
  readonly start: number;
  readonly end: number;
  /** What could have stood in its place. */
  readonly place: FilterPlace;
}

export interface ScannedFilter {
  readonly parts: readonly FilterPart[];
  /** Behind the last part; where the scan began when a keyword stands there. */
  readonly end: number;
  /** What may stand behind it. */
  readonly place: FilterPlace;
  /** The offset of the bracket that is open, or of the quote. */
  readonly openAt: number | undefined;
  /** What is open holds values, not conditions. */
  readonly isInLiteral: boolean;
  /** It stands in quotes as a whole: `find 'city = "Oslo"' limit 5`. */
  readonly isQuoted: boolean;
}

export interface FilterScan extends FilterEnd {
  /** A bar that stands alone ends it. */
  readonly endsAtBar: boolean;
}

/** What may stand behind a field. */
export const CONDITION_WORDS: readonly string[] = [
  ...["in", "exists", "between", "has", "starts", "matches", "size", "type", "is", "not"],
];

export const CONDITION_SYMBOLS: readonly string[] = ["=", "!=", "<", "<=", ">", ">=", "~", "!~"];

export function scanFilter(text: string, start: number, options: FilterScan): ScannedFilter {
  return new FilterScanner(text, start, options).scan();
}

const SPACE = /\s*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const SYMBOL = /[=!<>~]+/y;
const FIELD = /(?:"(?:[^"\\]|\\.)*"|\[[^\]\s]*\]|[^\s=!<>~()"'[\]{}])+/suy;
/** Whatever it means: up to what surely ends it. */
const RUN = /[^\s()[\]{},"']+/uy;
const PATTERN = /\/(?:[^/\\\n]|\\[^\n])*\/[a-z]*/y;
const LITERAL_PART =
  /(?<mark>[{}[\](),:])|(?<string>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|(?<run>[^\s{}[\](),:"']+)/suy;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const LITERAL = /^(?:true|false|null)$/i;

/** What was stepped over, and what may stand behind it. */
type Step = readonly [kind: FilterPartKind, next: FilterPlace];

class FilterScanner {
  readonly #text: string;
  readonly #options: FilterScan;
  readonly #parts: FilterPart[] = [];
  #at: number;
  #place: FilterPlace = "start";
  /** The offsets of the round brackets that are open around conditions. */
  readonly #open: number[] = [];
  /** The operator that waits for its value. */
  #operator = "";
  #openAt: number | undefined;
  #isQuoted = false;

  constructor(text: string, start: number, options: FilterScan) {
    this.#text = text;
    this.#at = start;
    this.#options = options;
  }

  scan(): ScannedFilter {
    const start = this.#at;
    for (;;) {
      this.#match(SPACE);
      if (this.#at >= this.#text.length || this.#endsHere()) break;
      this.#step();
      this.#isQuoted = this.#parts.length === 1 && this.#isWhole(start);
      if (this.#isQuoted) break;
    }
    return {
      parts: this.#parts,
      end: this.#parts.at(-1)?.end ?? start,
      place: this.#place,
      openAt: this.#openAt ?? this.#open.at(-1),
      isInLiteral: this.#openAt !== undefined,
      isQuoted: this.#isQuoted,
    };
  }

  /** What matches a sticky expression here, stepped over. */
  #match(pattern: RegExp): string {
    const found = this.#peek(pattern, this.#at);
    this.#at += found.length;
    return found;
  }

  #peek(pattern: RegExp, at: number): string {
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0] ?? "";
  }

  #push(kind: FilterPartKind, start: number, next: FilterPlace): void {
    this.#parts.push({ kind, start, end: this.#at, place: this.#place });
    this.#place = next;
  }

  // ---- the end ----

  #endsHere(): boolean {
    if (this.#options.endsAtBar && this.#text[this.#at] === "|" && this.#isEnd(this.#at + 1)) {
      return true;
    }
    if (this.#open.length > 0) return false;
    if (this.#options.isAnyWord && this.#place === "after") {
      return !/^(?:and|or|)$/i.test(this.#peek(WORD, this.#at));
    }
    const word = this.#keywordAt(this.#at);
    if (word === undefined) return false;
    const behind = this.#at + word.length;
    switch (this.#place) {
      case "start":
        return !this.#beginsCondition(word, behind);
      case "operator":
        return word !== "in" || this.#isIn(this.#at);
      case "after":
      case "between":
        return true;
      default:
        return false;
    }
  }

  /** A filter never begins with a string; with a field in quotes it does, and a condition follows. */
  #isWhole(start: number): boolean {
    const quote = this.#text[start];
    const isClosed = this.#text[this.#at - 1] === quote && this.#openAt === undefined;
    if (!isClosed || !this.#isEnd(this.#at)) return false;
    if (quote !== '"') return quote === "'";
    if (this.#isCompared(this.#at)) return false;
    const next = this.#at + this.#peek(SPACE, this.#at).length;
    return !CONDITION_WORDS.includes(this.#peek(WORD, next).toLowerCase()) || this.#isIn(next);
  }

  /** `in user:*`, and not `in ("a", "b")`. */
  #isIn(at: number): boolean {
    const isWord = this.#peek(WORD, at).toLowerCase() === "in";
    return isWord && /\*$/.test(this.#nextRun(at + "in".length));
  }

  #keywordAt(at: number): string | undefined {
    const word = this.#peek(WORD, at).toLowerCase();
    const isKeyword = this.#options.keywords.has(word) && this.#isEnd(at + word.length);
    return isKeyword ? word : undefined;
  }

  #isEnd(at: number): boolean {
    return at >= this.#text.length || /\s/.test(this.#text.charAt(at));
  }

  /** Whether a symbol such as `>=` stands next. */
  #isCompared(at: number): boolean {
    return /[=!<>~]/.test(this.#text.charAt(at + this.#peek(SPACE, at).length));
  }

  /** Up to white space. */
  #nextRun(at: number): string {
    return this.#peek(/\S+/y, at + this.#peek(SPACE, at).length);
  }

  /**
   * Whether the word at the beginning is a field after all: a condition follows. Many a field is called `count` or `limit`.
   * But `sort type limit 5` sorts: what follows a condition word must not be a keyword or the end.
   */
  #beginsCondition(word: string, behind: number): boolean {
    if (this.#isCompared(behind)) return true;
    const next = behind + this.#peek(SPACE, behind).length;
    const condition = this.#peek(WORD, next).toLowerCase();
    if (!CONDITION_WORDS.includes(condition)) return false;
    const then = next + condition.length + this.#peek(SPACE, next + condition.length).length;
    const following = this.#peek(WORD, then).toLowerCase();
    switch (condition) {
      case "in":
        return /[([$]/.test(this.#text.charAt(then));
      case "starts":
        return following === "with";
      case "not":
        return CONDITION_WORDS.includes(following);
      case "exists":
        return word === "count" || following === "and" || following === "or";
      default:
        return then < this.#text.length && this.#keywordAt(then) === undefined;
    }
  }

  // ---- the parts ----

  #step(): void {
    const start = this.#at;
    const first = this.#text.charAt(start);
    // Round brackets behind an operator hold values, but those of `has` conditions.
    const isGroup = first === "(" && (this.#place !== "value" || this.#operator === "has");
    if (!isGroup && "{[(".includes(first)) {
      this.#literal();
      return;
    }
    const [kind, next] = isGroup ? this.#group() : first === ")" ? this.#close() : this.#part();
    this.#push(kind, start, next);
  }

  #part(): Step {
    switch (this.#place) {
      case "start":
      case "field":
        return this.#field();
      case "operator":
        return this.#condition();
      case "value":
        return this.#value();
      default:
        return this.#joint();
    }
  }

  #group(): Step {
    this.#open.push(this.#at++);
    return ["mark", "field"];
  }

  #close(): Step {
    this.#at++;
    return [this.#open.pop() === undefined ? "wrong" : "mark", "after"];
  }

  #field(): Step {
    const start = this.#at;
    const first = this.#text.charAt(start);
    if (/[=!<>~]/.test(first)) return this.#condition(); // of an element of an array
    if (first === "'") return this.#quoted("field", "operator");
    const name = this.#match(FIELD);
    const word = name.toLowerCase();
    if (name === "") return first === '"' ? this.#quoted("field", "operator") : this.#strange();
    if (word === "*") return ["mark", "after"];
    if (word === "not") return ["joint", "field"];
    if (this.#open.length > 0 && CONDITION_WORDS.includes(word) && !this.#isCompared(this.#at)) {
      this.#at = start;
      return this.#condition();
    }
    return ["field", "operator"];
  }

  #condition(): Step {
    const first = this.#text.charAt(this.#at);
    if (first === '"' || first === "'") return this.#quoted("wrong", "after");
    const symbol = this.#match(SYMBOL);
    const word = symbol || this.#match(WORD).toLowerCase();
    if (word === "") return this.#strange();
    const isEnd = word === "exists" || (word === "null" && this.#operator === "is");
    if (isEnd) return ["operator", "after"];
    const isWith = word === "with" && this.#operator === "starts";
    // Behind `is` a type; else nothing that is known, or not yet.
    if (symbol === "" && !isWith && !CONDITION_WORDS.includes(word)) return ["word", "after"];
    this.#operator = word;
    const isFollowed = ["not", "is", "starts"].includes(word);
    return ["operator", isFollowed ? "operator" : "value"];
  }

  #value(): Step {
    const first = this.#text.charAt(this.#at);
    const next = this.#operator === "between" ? "between" : "after";
    if (first === '"' || first === "'") return this.#quoted("string", next);
    const isPattern = this.#operator === "matches" || this.#operator.endsWith("~");
    if (isPattern && this.#match(PATTERN) !== "") return ["pattern", next];
    const run = this.#match(RUN);
    if (run === "") return this.#strange();
    const isQuantifier = this.#operator === "has" && /^(?:all|any)$/i.test(run);
    if (isQuantifier && /[([$]/.test(this.#nextRun(this.#at).charAt(0))) {
      this.#operator = "in";
      return ["operator", "value"];
    }
    return [kindOfRun(run), next];
  }

  /** Behind a condition. */
  #joint(): Step {
    const word = this.#match(WORD).toLowerCase();
    if (word === "and" && this.#place === "between") {
      this.#operator = "";
      return ["joint", "value"];
    }
    if (word === "and" || word === "or") return ["joint", "field"];
    if (word !== "") return ["word", "after"];
    const first = this.#text.charAt(this.#at);
    if (first === '"' || first === "'") return this.#quoted("wrong", "after");
    return this.#match(RUN) === "" ? this.#strange() : ["wrong", "after"];
  }

  #strange(): Step {
    this.#at++;
    return ["wrong", "after"];
  }

  #quoted(kind: FilterPartKind, next: FilterPlace): Step {
    const end = quotedEnd(this.#text, this.#at);
    if (end < 0) this.#openAt ??= this.#at;
    this.#at = end < 0 ? this.#text.length : end;
    return [kind, end < 0 ? this.#place : next];
  }

  /** JSON, or a list in round brackets, up to the bracket that closes it. */
  #literal(): void {
    const start = this.#at;
    const next = this.#operator === "between" && this.#place === "value" ? "between" : "after";
    const isDocument = this.#text[start] === "{";
    this.#place = isDocument ? "json" : "value";
    let depth = 0;
    while (this.#at < this.#text.length) {
      this.#match(SPACE);
      const from = this.#at;
      LITERAL_PART.lastIndex = from;
      const groups = LITERAL_PART.exec(this.#text)?.groups;
      if (groups === undefined) break;
      this.#at = LITERAL_PART.lastIndex;
      this.#push(kindInLiteral(groups, this.#isNameAt(this.#at)), from, this.#place);
      if (groups["mark"] === undefined) continue;
      if (/[{[(]/.test(groups["mark"])) depth++;
      else if (/[)\]}]/.test(groups["mark"]) && --depth === 0) {
        this.#place = next;
        return;
      }
    }
    this.#openAt ??= start;
  }

  #isNameAt(end: number): boolean {
    return this.#text.charAt(end + this.#peek(SPACE, end).length) === ":";
  }
}

function kindInLiteral(
  { mark, string, run = "" }: Readonly<Record<string, string | undefined>>,
  isName: boolean,
): FilterPartKind {
  if (mark !== undefined) return "mark";
  const name = (string ?? run).replace(/^["']/, "");
  if (isName) return name.startsWith("$") ? "operator" : "field";
  return string === undefined ? kindOfRun(run) : "string";
}

function kindOfRun(run: string): FilterPartKind {
  if (NUMBER.test(run)) return "number";
  if (LITERAL.test(run)) return "literal";
  return /^\$\d+$/.test(run) ? "parameter" : "word";
}
