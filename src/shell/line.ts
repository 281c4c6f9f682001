/**
 * The grammar of a line that a person types: words, quotes, JSON as it is, comments, a pipe. Shared
 * by the shell, which shows it while it is being typed, and by scripts. Knows no command, but which
 * are followed by a filter.
 *
 *   set user:1 {"name": "Ada", "langs": [1, 2]} --ttl 2s | less     # is no comment here
 *   word word  json                             word  word pipe program
 *
 *   word     ends at white space; quotes within it open as in redis-cli: ab"c d" is one word
 *   "text"   \n \r \t \b \a \f \" \\ \/ \xHH \uHHHH; of another letter the backslash is dropped. So every JSON
 *            string means here what it means in JSON, and binary values can be written
 *   'raw'    \' alone is an escape
 *   json     begins with { or [ and goes on like JSON; up to its balanced end, spaces and line breaks included
 *   filter   behind `find`, `explain find` and an index's `where`: as it is, up to the first keyword (filter-parts.ts); one that
 *            stands in quotes as a whole is the word in them
 *   | …      a bar that stands alone, not the first word; the rest is a command of the system's shell
 *   # …      a comment, at the beginning of the line alone
 *
 * Written by hand: there is nothing above words to parse, and what a word is depends on what it begins with.
 * chevrotain's lexer, tried for this, costs 5 ms at the start of the executable.
 *
 * Invariant: never throws; tokens follow each other without a gap from the first character to the
 * last, whatever the text.
 */
import { isUtf8 } from "node:buffer";
import { BracketScanner } from "./brackets.ts";
import { filterEnd } from "./filter-keywords.ts";
import { scanFilter } from "./filter-parts.ts";
import { escapeControls } from "./printable.ts";

export type TokenKind =
  | "space"
  | "comment"
  /** Without quotes, or with quotes only in a part of it. */
  | "word"
  /** In double quotes. */
  | "text"
  /** In single quotes. */
  | "raw"
  | "json"
  /** Behind `find`. */
  | "filter"
  | "pipe"
  | "program";

/** Offsets count UTF-16 units of the line, as JavaScript's strings do. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
}

/** The value of a word: text, or the bytes where it is no UTF-8. */
export type WordValue = string | Buffer;

export interface Problem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export interface ParsedLine {
  readonly tokens: readonly Token[];
  /** The values of the tokens that are words (`word`, `text`, `raw`, `json`, `filter`), in order. */
  readonly words: readonly WordValue[];
  /** The tokens of `words`: wordTokens[i] is where words[i] was written. */
  readonly wordTokens: readonly Token[];
  /** What stands behind the bar; undefined without one. */
  readonly program: string | undefined;
  /** In the order of the line. A line with one must not be run. */
  readonly problems: readonly Problem[];
  /** A bracket of JSON or of a filter is open, or a string within one: the next line belongs to this one. */
  readonly isIncomplete: boolean;
}

export function parseLine(text: string): ParsedLine {
  return new LineParser(text).parse();
}

/** A word that parseLine reads as this value, as short as it gets, and safe to show. */
export function quoteWord(value: WordValue): string {
  if (typeof value !== "string") return quoteBytes(value);
  return PLAIN_WORD.test(value) ? value : escapeControls(JSON.stringify(value));
}

/** Whatever could be taken for something else is quoted, also where the place would save it. */
const PLAIN_WORD = /^[^\s"'|#{[\p{C}][^\s"'\p{C}]*$/u;

function quoteBytes(bytes: Buffer): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === QUOTE || byte === BACKSLASH) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${text}"`;
}

/** Characters of a filter that may go on in the next line: whoever waits for that reads it again at each line. */
const MAX_OPEN_FILTER = 16 * 1024;

const NO_PROBLEMS: readonly Problem[] = [];

class LineParser {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  readonly #words: WordValue[] = [];
  readonly #wordTokens: Token[] = [];
  #problems: Problem[] | undefined;
  #program: string | undefined;
  #isIncomplete = false;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): ParsedLine {
    const text = this.#text;
    this.#space();
    if (text[this.#at] === "#") this.#push("comment", text.length);
    while (this.#at < text.length) {
      this.#next();
      this.#space();
    }
    return {
      tokens: this.#tokens,
      words: this.#words,
      wordTokens: this.#wordTokens,
      program: this.#program,
      problems: this.#problems ?? NO_PROBLEMS,
      isIncomplete: this.#isIncomplete,
    };
  }

  #next(): void {
    const text = this.#text;
    const start = this.#at;
    const code = text.charCodeAt(start);
    if (code === BAR && isEnd(text, start + 1)) this.#pipe();
    else if (this.#filter(start)) return;
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (!beginsJson(text, start) || !this.#json(start)) this.#plainWord(start);
    } else this.#plainWord(start);
  }

  #space(): void {
    let at = this.#at;
    while (at < this.#text.length && isSpace(this.#text.charCodeAt(at))) at++;
    if (at > this.#at) this.#push("space", at);
  }

  #push(kind: TokenKind, end: number): Token {
    const token = { kind, start: this.#at, end };
    this.#tokens.push(token);
    this.#at = end;
    return token;
  }

  #pushWord(kind: TokenKind, end: number, value: WordValue): void {
    this.#wordTokens.push(this.#push(kind, end));
    this.#words.push(value);
  }

  #problem(message: string, start: number, end: number): void {
    this.#problems ??= [];
    this.#problems.push({ message, start, end });
  }

  // ---- the pipe ----

  #pipe(): void {
    const text = this.#text;
    const bar = this.#at;
    if (this.#words.length === 0) this.#problem("a command must stand before |", bar, bar + 1);
    this.#push("pipe", bar + 1);
    this.#space();
    this.#program = text.slice(this.#at).trimEnd();
    if (this.#program === "") {
      this.#problem("a program must stand behind |", bar, bar + 1);
      return;
    }
    this.#push("program", this.#at + this.#program.length);
  }

  // ---- a filter ----

  /** False where none stands, or one in quotes. */
  #filter(start: number): boolean {
    const behind = filterEnd(this.#words);
    if (behind === undefined || this.#wordTokens.at(-1)?.kind !== "word") return false;
    const text = this.#text;
    const { parts, end, openAt, isQuoted } = scanFilter(text, start, {
      ...behind,
      endsAtBar: true,
    });
    if (openAt !== undefined) {
      const isQuote = text[openAt] === '"' || text[openAt] === "'";
      this.#isIncomplete = !isQuote && text.length - start <= MAX_OPEN_FILTER;
      this.#problem(`unbalanced ${text[openAt]}`, openAt, end);
    }
    if (parts.length === 0 || isQuoted) return false;
    this.#pushWord("filter", end, text.slice(start, end));
    return true;
  }

  // ---- JSON ----

  /** False when it is no JSON after all, but a word like `[12]*`. */
  #json(start: number): boolean {
    const text = this.#text;
    const brackets = new BracketScanner();
    const end = brackets.scan(text, start);
    if (brackets.state === "open") {
      this.#isIncomplete = true;
      this.#problem(`unbalanced ${text[start]}`, start, end);
    } else if (brackets.state === "wrong") {
      this.#problem(`${text[end - 1]} closes no bracket of its kind`, end - 1, end);
      // What follows is no more to be trusted: all of it belongs to the broken value.
      this.#pushWord("json", text.length, text.slice(start));
      return true;
    } else if (!isEnd(text, end)) {
      if (!brackets.hasText) return false;
      this.#problem("a space must follow JSON", end, end + 1);
    }
    this.#pushWord("json", end, text.slice(start, end));
    return true;
  }

  // ---- words and quotes ----

  #plainWord(start: number): void {
    const text = this.#text;
    let at = start;
    let code = text.charCodeAt(at);
    while (at < text.length && !isSpace(code) && code !== QUOTE && code !== APOSTROPHE) {
      code = text.charCodeAt(++at);
    }
    if (code === QUOTE || code === APOSTROPHE) this.#quotedWord(start, at);
    else this.#pushWord("word", at, text.slice(start, at));
  }

  /** `quoteAt` is where the quote opens; what stands before it in the word is taken as it is. */
  #quotedWord(start: number, quoteAt: number): void {
    const text = this.#text;
    const value = new WordBuilder(text.slice(start, quoteAt));
    const isText = text.charCodeAt(quoteAt) === QUOTE;
    const end = isText ? this.#readText(quoteAt + 1, value) : readRaw(text, quoteAt + 1, value);
    if (end < 0) this.#problem(`unbalanced ${text[quoteAt]}`, quoteAt, text.length);
    const wordEnd = end < 0 ? text.length : end;
    if (!isEnd(text, wordEnd)) {
      this.#problem("a space must follow the closing quote", wordEnd, wordEnd + 1);
    }
    const kind = quoteAt > start ? "word" : isText ? "text" : "raw";
    this.#pushWord(kind, wordEnd, value.finish());
  }

  /** Reads up to behind the closing quote; -1 when there is none. */
  #readText(at: number, value: WordBuilder): number {
    const text = this.#text;
    while (at < text.length) {
      const special = nextSpecial(text, at, QUOTE);
      value.addText(text.slice(at, special));
      if (special >= text.length) return -1;
      if (text.charCodeAt(special) === QUOTE) return special + 1;
      at = this.#readEscape(special + 1, value);
    }
    return -1;
  }

  /** `at`: behind the backslash. Gives the place behind the escape. */
  #readEscape(at: number, value: WordBuilder): number {
    const text = this.#text;
    const letter = text[at];
    if (letter === undefined) return at;
    if (letter === "x" && /^[\da-f]{2}$/i.test(text.slice(at + 1, at + 3))) {
      value.addByte(Number.parseInt(text.slice(at + 1, at + 3), 16));
      return at + 3;
    }
    const [unicode] = /^u[\da-f]{4}(?:\\u[\da-f]{4})?/i.exec(text.slice(at, at + 11)) ?? [];
    if (unicode === undefined) {
      value.addText(ESCAPES[letter] ?? letter);
      return at + 1;
    }
    return at + this.#readUnicode(at, unicode, value);
  }

  /** One `uHHHH`, or two that are a surrogate pair. Gives the length of what was read. */
  #readUnicode(at: number, escapes: string, value: WordBuilder): number {
    const [first, second] = escapes.split("\\").map((part) => Number.parseInt(part.slice(1), 16));
    const pair = String.fromCharCode(first, second ?? 0);
    if (second !== undefined && pair.isWellFormed() && isSurrogate(first)) {
      value.addText(pair);
      return escapes.length;
    }
    if (isSurrogate(first)) {
      this.#problem("half of a surrogate pair is no character", at - 1, at + 5);
      return 5;
    }
    value.addText(String.fromCharCode(first));
    return 5;
  }
}

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;
const BAR = 0x7c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** redis-cli's, JSON's, and the backslash before anything else gives that letter. */
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
  f: "\f",
};

/** Those of C, as in redis-cli: no-break spaces and their like belong to words. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function isEnd(text: string, at: number): boolean {
  return at >= text.length || isSpace(text.charCodeAt(at));
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** Where the next backslash or `closing` stands; the end of the text when there is none. */
function nextSpecial(text: string, at: number, closing: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH || code === closing) break;
    at++;
  }
  return at;
}

function readRaw(text: string, at: number, value: WordBuilder): number {
  while (at < text.length) {
    const special = nextSpecial(text, at, APOSTROPHE);
    value.addText(text.slice(at, special));
    if (special >= text.length) return -1;
    if (text.charCodeAt(special) === APOSTROPHE) return special + 1;
    const isEscape = text.charCodeAt(special + 1) === APOSTROPHE;
    value.addText(isEscape ? "'" : "\\");
    at = special + (isEscape ? 2 : 1);
  }
  return -1;
}

/** The value of a word with escapes: bytes that were given one by one may be text together. */
class WordBuilder {
  #text: string;
  #pieces: Buffer[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  addText(text: string): void {
    this.#text += text;
  }

  addByte(byte: number): void {
    if (byte < 0x80) {
      this.#text += String.fromCharCode(byte);
      return;
    }
    this.#pieces ??= [];
    this.#pieces.push(Buffer.from(this.#text), Buffer.of(byte));
    this.#text = "";
  }

  finish(): WordValue {
    if (this.#pieces === undefined) return this.#text;
    const bytes = Buffer.concat([...this.#pieces, Buffer.from(this.#text)]);
    return isUtf8(bytes) ? bytes.toString() : bytes;
  }
}

/**
 * Whether the bracket at `at` opens JSON. Words like `{user:1}.name`, `[ab]*` or `[a` (ZRANGEBYLEX)
 * do not. A bracket with nothing behind it does: more may come.
 */
function beginsJson(text: string, at: number): boolean {
  const pattern = text.charCodeAt(at) === OPEN_OBJECT ? OBJECT_START : ARRAY_START;
  pattern.lastIndex = at + 1;
  return pattern.test(text);
}

const OBJECT_START = /\s*(?:["}]|$)/y;
const ARRAY_START = /\s*(?:["\]{[]|$|(?:-?\d[\d.eE+-]*|true|false|null)\s*[,\]])/y;
