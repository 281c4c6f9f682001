/**
 * The order of tokens in a document: objects and arrays within one another, and nothing of what they
 * mean. Levels are kept in an array, not on the stack: depth costs no recursion.
 */
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  NUMBER,
  OPEN_ARRAY,
  OPEN_OBJECT,
  STRING,
  WORD,
} from "./json-lexer.ts";
import {
  ELEMENT_OR_END,
  MEMBER_COLON,
  MEMBER_VALUE,
  NAME,
  NAME_OR_END,
  NEXT_OR_END,
} from "./parser-place.ts";

/** Objects and arrays within one another: kvdb's limit for a document. */
export const MAX_DEPTH = 1000;

// What a token leads to.
export const GOES_ON = 0;
export const COMPLETE = 1;
/** It is the name of a member of the outermost object. */
export const OUTER_NAME = 2;
export const UNEXPECTED = 3;
export const TOO_DEEP = 4;

export class DocumentGrammar {
  step = NAME_OR_END;
  #depth = 0;
  /** For each level, whether it is an object. */
  readonly #isObject = new Uint8Array(MAX_DEPTH + 1);

  get isInArray(): boolean {
    return this.#isObject[this.#depth] === 0;
  }

  /** The document begins with this bracket. */
  begin(bracket: number): void {
    this.#depth = 0;
    this.#open(bracket);
  }

  take(token: number): number {
    switch (this.step) {
      case NEXT_OR_END:
        if (token !== COMMA) return this.#close(token);
        this.step = this.isInArray ? MEMBER_VALUE : NAME;
        return GOES_ON;
      case NAME:
      case NAME_OR_END:
        if (token !== STRING) return this.step === NAME ? UNEXPECTED : this.#close(token);
        this.step = MEMBER_COLON;
        return this.#depth === 1 ? OUTER_NAME : GOES_ON;
      case MEMBER_COLON:
        if (token !== COLON) return UNEXPECTED;
        this.step = MEMBER_VALUE;
        return GOES_ON;
      default:
        return this.#value(token);
    }
  }

  #value(token: number): number {
    if (token === STRING || token === NUMBER || token === WORD) {
      this.step = NEXT_OR_END;
      return GOES_ON;
    }
    if (token === OPEN_OBJECT || token === OPEN_ARRAY) return this.#open(token);
    return this.step === ELEMENT_OR_END ? this.#close(token) : UNEXPECTED;
  }

  #open(bracket: number): number {
    if (this.#depth === MAX_DEPTH) return TOO_DEEP;
    const isObject = bracket === OPEN_OBJECT;
    this.#isObject[++this.#depth] = isObject ? 1 : 0;
    this.step = isObject ? NAME_OR_END : ELEMENT_OR_END;
    return GOES_ON;
  }

  #close(token: number): number {
    if (token !== (this.isInArray ? CLOSE_ARRAY : CLOSE_OBJECT)) return UNEXPECTED;
    this.step = NEXT_OR_END;
    return --this.#depth === 0 ? COMPLETE : GOES_ON;
  }
}
