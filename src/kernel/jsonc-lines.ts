/**
 * The lines of a JSON text with comments: where each key and element stands, and where the text is
 * not JSON. It is not the parser: Bun.JSONC makes the value. Bun 1.4.5 tells no line of a fault,
 * takes the last of two equal keys and ignores text after the end; a configuration must not be half
 * read, so all three are found here.
 */
import { pointerOf } from "./json-pointer.ts";

export interface JsoncLines {
  /** JSON Pointer to line, counted from 1. An element of an object stands where its key stands. */
  readonly lines: ReadonlyMap<string, number>;
  /** The first fault, undefined when the text is whole. */
  readonly fault?: { readonly line: number; readonly message: string };
}

export function findJsoncLines(text: string): JsoncLines {
  const scanner = new Scanner(text);
  try {
    scanner.document();
    return { lines: scanner.lines };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { lines: scanner.lines, fault: { line: scanner.line, message: error.message } };
  }
}

class Fault extends Error {}

/** Deeper nesting than any configuration has; a bound, so that no text exhausts the stack. */
const MAX_DEPTH = 64;

class Scanner {
  readonly lines = new Map<string, number>();
  line = 1;
  readonly #text: string;
  #at = 0;
  readonly #path: (string | number)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#value();
    this.#skipBlank();
    if (this.#at < this.#text.length) throw this.#unexpected("the end of the file");
  }

  #value(): void {
    this.#skipBlank();
    const pointer = pointerOf(this.#path);
    if (!this.lines.has(pointer)) this.lines.set(pointer, this.line);
    if (this.#path.length > MAX_DEPTH) throw new Fault(`nested deeper than ${MAX_DEPTH}`);
    const first = this.#text[this.#at];
    if (first === "{") this.#object();
    else if (first === "[") this.#array();
    else if (first === '"') this.#string();
    else this.#match(/(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)\b/y, "a value");
  }

  #object(): void {
    this.#at++;
    while (!this.#ends("}")) {
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key in double quotes or "}"');
      this.#key();
      this.#skipBlank();
      this.#match(/:/y, '":"');
      this.#value();
      this.#path.pop();
      this.#separator("}");
    }
  }

  #array(): void {
    this.#at++;
    for (let index = 0; !this.#ends("]"); index++) {
      this.#path.push(index);
      this.#value();
      this.#path.pop();
      this.#separator("]");
    }
  }

  #key(): void {
    const key = JSON.parse(this.#string()) as string;
    this.#path.push(key);
    const pointer = pointerOf(this.#path);
    if (this.lines.has(pointer)) throw new Fault(`the key "${key}" stands here a second time`);
    this.lines.set(pointer, this.line);
  }

  #string(): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them unescaped inside a string
    return this.#match(/"([^"\\\u0000-\u001f]|\\(["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y, "a string");
  }

  /** Passes the closing bracket if it is next. */
  #ends(bracket: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  /** A comma, also before the bracket (JSONC), or the bracket to come. */
  #separator(bracket: string): void {
    this.#skipBlank();
    if (this.#text[this.#at] === ",") this.#at++;
    else if (this.#text[this.#at] !== bracket) throw this.#unexpected(`"," or "${bracket}"`);
  }

  #skipBlank(): void {
    const blank = /(\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
    blank.lastIndex = this.#at;
    const skipped = blank.exec(this.#text)?.[0] ?? "";
    this.#at += skipped.length;
    this.line += skipped.split("\n").length - 1;
  }

  #match(pattern: RegExp, expected: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw this.#unexpected(expected);
    this.#at += found.length;
    return found;
  }

  #unexpected(expected: string): Fault {
    const found = /\S[\w.+-]*/y;
    found.lastIndex = this.#at;
    const word = found.exec(this.#text)?.[0];
    const shown = word === undefined ? "the end of the file" : JSON.stringify(word.slice(0, 20));
    return new Fault(`expected ${expected}, found ${shown}`);
  }
}
