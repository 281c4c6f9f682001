/**
 * Reads the value of an entry, in whichever form it has: a string, a document, or one of the objects
 * whose names begin with `$`. Form by form it is described in FORMAT.md, and written by entry-text.ts:
 * change both.
 */
import { type EntryType, readMilliseconds, readMomentBytes } from "kvdb";
import { ByteBuilder } from "./byte-builder.ts";
import {
  COMPLETE,
  DocumentGrammar,
  GOES_ON,
  MAX_DEPTH,
  OUTER_NAME,
  TOO_DEEP,
} from "./document-grammar.ts";
import { ElementsParser } from "./elements-parser.ts";
import {
  BASE64,
  beginsWithDollar,
  ELEMENT_FORMS,
  EXPIRES,
  formNamed,
  JSON_DOCUMENT,
  VALUE,
} from "./entry-names.ts";
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  type JsonLexer,
  KEEP_BASE64,
  KEEP_CONTENT,
  KEEP_NOTHING,
  NUMBER,
  OPEN_ARRAY,
  OPEN_OBJECT,
  STRING,
  WORD,
} from "./json-lexer.ts";
import { JsonProblem } from "./json-problem.ts";
import {
  expectedAt,
  expectedName,
  IN_DATABASE,
  IN_DOCUMENT,
  IN_ELEMENTS,
  IN_SINGLE_FORM,
  IN_VALUE_FORM,
  MEMBER_COLON,
  MEMBER_VALUE,
  NAME,
  NEXT_OR_END,
} from "./parser-place.ts";

/** Longest key and longest value: Redis's, and kvdb's. */
export const MAX_VALUE_BYTES = 512 * 1024 * 1024;
/** Elements of a long value are given on when they have so many bytes. */
const PART_BYTES = 1 << 16;
/** Longest name or text that is none of a user's: a member of the head, a number, a date. */
export const MAX_WORD_BYTES = 1024;

// What must come.
export const KEY_VALUE = 0;
/** The definition of an index: an object, in which nothing has a meaning. */
export const DEFINITION = 1;
/** It is passed over, whatever it is, as long as it is JSON. */
export const ANYTHING = 2;
export type Wanted = typeof KEY_VALUE | typeof DEFINITION | typeof ANYTHING;

export class ValueParser {
  /** What was read, when it is complete. */
  readonly content = new ByteBuilder(MAX_VALUE_BYTES);
  type: EntryType = "string";
  deadlineMs = 0;

  readonly #lexer: JsonLexer;
  readonly #word = new ByteBuilder(MAX_WORD_BYTES);
  readonly #document = new DocumentGrammar();
  readonly #elements: ElementsParser;
  /** Elements were given on before the value was complete. */
  #wasParted = false;
  /** The object that is being read; IN_DATABASE: none yet. */
  #level = IN_DATABASE;
  #step = MEMBER_VALUE;
  /** The member whose value comes. */
  #member = "";
  /** A value within {"$value": …}, and what of that form has been read. */
  #isInner = false;
  #hasValue = false;
  #hasExpiry = false;
  /** Whether members of the document that begin with `$` have a meaning; not within {"$json": …}. */
  #hasForms = false;
  #skips = false;
  #isDefinition = false;

  constructor(lexer: JsonLexer) {
    this.#lexer = lexer;
    this.#elements = new ElementsParser(lexer, this.content, this.#word);
  }

  get isTimed(): boolean {
    return this.#elements.isTimed && this.type === "hash";
  }

  /**
   * Whether enough elements are read to give them on: all else is known of the entry then. A value whose moment may come
   * behind it is kept until that is sure.
   */
  get hasPart(): boolean {
    if (this.#level !== IN_ELEMENTS || !this.#elements.isBetween) return false;
    return this.content.length >= PART_BYTES && (!this.#isInner || this.#hasExpiry);
  }

  /** The elements so far were given on. */
  beginPart(): void {
    this.#wasParted = true;
    this.#elements.beginPart();
  }

  /** Whether parts were given on, so that the value must be ended: by what comes, or because it is broken. */
  get wasParted(): boolean {
    return this.#wasParted;
  }

  /** What is to come next. */
  begin(wanted: Wanted): void {
    this.#level = IN_DATABASE;
    this.#isInner = false;
    this.#hasValue = false;
    this.#hasExpiry = false;
    this.#skips = wanted === ANYTHING;
    this.#isDefinition = wanted === DEFINITION;
    this.#wasParted = false;
    this.deadlineMs = 0;
    this.#expectValue();
  }

  /** True: the value is complete. */
  take(token: number): boolean {
    if (this.#level === IN_DOCUMENT) return this.#takeInDocument(token);
    if (this.#level === IN_ELEMENTS) return this.#takeInElements(token);
    switch (this.#step) {
      case NAME:
        if (token !== STRING) throw this.#unexpected();
        this.#takeName(this.#word.toString());
        return false;
      case MEMBER_COLON:
        if (token !== COLON) throw this.#unexpected();
        this.#expectValue();
        return false;
      case MEMBER_VALUE:
        return this.#takeValue(token);
      default:
        return this.#takeNext(token);
    }
  }

  /** What must come, in words. */
  expected(): string {
    if (this.#level === IN_ELEMENTS) return this.#elements.expected();
    const isInDocument = this.#level === IN_DOCUMENT;
    return expectedAt({
      level: this.#level,
      step: isInDocument ? this.#document.step : this.#step,
      member: this.#member,
      isInArray: this.#document.isInArray,
    });
  }

  /** Says what is to be kept of the value that comes. */
  #expectValue(): void {
    this.#step = MEMBER_VALUE;
    const lexer = this.#lexer;
    const isMoment = this.#level === IN_VALUE_FORM && this.#member === EXPIRES;
    const isSingle = this.#level === IN_SINGLE_FORM;
    lexer.kept = isMoment ? this.#word : this.content;
    lexer.kept.clear();
    lexer.keep = KEEP_CONTENT;
    if (this.#skips || (isSingle && this.#member in ELEMENT_FORMS)) lexer.keep = KEEP_NOTHING;
    else if (isSingle && this.#member === BASE64) lexer.keep = KEEP_BASE64;
    else if (isSingle) lexer.beginText();
  }

  #takeValue(token: number): boolean {
    if (this.#isDefinition) {
      if (token !== OPEN_OBJECT) throw this.#problem("an object, the definition of an index");
      return this.#beginDocument(token, false);
    }
    if (this.#level === IN_SINGLE_FORM) return this.#takeSingle(token);
    if (this.#level === IN_VALUE_FORM && this.#member === EXPIRES) return this.#takeMoment(token);
    if (token === STRING) return this.#valueRead("string");
    if (token === NUMBER || token === WORD) return this.#valueRead("json");
    if (token !== OPEN_OBJECT && token !== OPEN_ARRAY) throw this.#unexpected();
    return this.#beginDocument(token, !this.#skips);
  }

  #takeInElements(token: number): boolean {
    if (!this.#elements.take(token)) return false;
    this.#level = IN_SINGLE_FORM;
    return this.#expectNext();
  }

  /** The one member of {"$base64": …}, {"$json": …}, {"$list": …} and its like. */
  #takeSingle(token: number): boolean {
    const elementType = ELEMENT_FORMS[this.#member];
    if (elementType !== undefined) {
      if (!ElementsParser.begins(elementType, token)) throw this.#unexpected();
      this.type = elementType;
      this.#level = IN_ELEMENTS;
      this.#elements.begin(elementType);
      return false;
    }
    const isScalar = token === STRING || token === NUMBER || token === WORD;
    const isBytes = this.#member === BASE64;
    if (!isBytes && !isScalar && (token === OPEN_OBJECT || token === OPEN_ARRAY)) {
      return this.#beginDocument(token, false);
    }
    if (isBytes ? token !== STRING : !isScalar) throw this.#unexpected();
    if (!isBytes) this.#lexer.keepText();
    this.type = isBytes ? "string" : "json";
    return this.#expectNext();
  }

  #takeMoment(token: number): boolean {
    const { bytes, length } = this.#word;
    let moment: number | undefined;
    if (token === STRING) moment = readMomentBytes(bytes, length);
    else if (token === NUMBER) moment = readMilliseconds(this.#word.toString());
    if (moment === undefined) throw this.#unexpected();
    // 0 says that there is none; what was over by 1970 is over all the same.
    this.deadlineMs = Math.max(1, moment);
    this.#hasExpiry = true;
    return this.#expectNext();
  }

  /** The value in `content` is complete; true: and with it that of the entry. */
  #valueRead(type: EntryType): boolean {
    this.type = type;
    if (!this.#isInner) return true;
    this.#hasValue = true;
    this.#level = IN_VALUE_FORM;
    return this.#expectNext();
  }

  /** Behind a value: nothing of what must come is kept. */
  #expectNext(): false {
    this.#step = NEXT_OR_END;
    this.#lexer.keep = KEEP_NOTHING;
    return false;
  }

  #takeNext(token: number): boolean {
    if (token === COMMA && this.#level === IN_VALUE_FORM) {
      this.#step = NAME;
      this.#lexer.kept = this.#word;
      this.#lexer.kept.clear();
      this.#lexer.keep = KEEP_CONTENT;
      return false;
    }
    if (token !== CLOSE_OBJECT) throw this.#unexpected();
    if (this.#level === IN_SINGLE_FORM) return this.#valueRead(this.type);
    if (!this.#hasValue) throw this.#problem(`"${VALUE}" beside "${EXPIRES}"`);
    return true;
  }

  /** The second member of {"$value": …, "$expires": …}. */
  #takeName(name: string): void {
    if (name !== VALUE && name !== EXPIRES) throw this.#problem(expectedName(IN_VALUE_FORM));
    if (name === VALUE ? this.#hasValue : this.#hasExpiry) {
      throw this.#problem(`"${name}" only once`);
    }
    this.#member = name;
    this.#step = MEMBER_COLON;
    this.#lexer.keep = KEEP_NOTHING;
  }

  // ---- documents, and forms, which begin as documents do ----

  #beginDocument(token: number, hasForms: boolean): false {
    this.#hasForms = hasForms;
    this.#level = IN_DOCUMENT;
    if (this.#lexer.keep === KEEP_CONTENT) this.#lexer.beginTextAtBracket();
    this.#document.begin(token);
    return false;
  }

  #takeInDocument(token: number): boolean {
    switch (this.#document.take(token)) {
      case GOES_ON:
        return false;
      case OUTER_NAME:
        if (this.#hasForms) this.#takeOuterName();
        return false;
      case COMPLETE:
        return this.#endDocument();
      case TOO_DEEP:
        throw this.#problem(`at most ${MAX_DEPTH} objects and arrays within one another`);
      default:
        throw this.#unexpected();
    }
  }

  #endDocument(): boolean {
    if (this.#skips) return true;
    this.#lexer.keepText();
    if (this.#isDefinition) return this.#valueRead("index");
    if (this.#hasForms) return this.#valueRead("json");
    this.#level = IN_SINGLE_FORM;
    this.type = "json";
    return this.#expectNext();
  }

  /** A member that begins with `$` makes the object a form, if it is the first. */
  #takeOuterName(): void {
    const lexer = this.#lexer;
    const { content } = this;
    lexer.keepText();
    const nameAt = content.length - (lexer.offset - lexer.tokenAt);
    if (!beginsWithDollar(content.bytes, nameAt + 1)) return;
    if (nameAt > 1) {
      throw this.#problem(`a member that does not begin with "$", or {"$json": …} around`);
    }
    this.#beginForm(formNamed(content.bytes, nameAt, content.length));
  }

  #beginForm(name: string | undefined): void {
    const isSingle = name === BASE64 || name === JSON_DOCUMENT;
    if (name !== undefined && (isSingle || name in ELEMENT_FORMS)) this.#level = IN_SINGLE_FORM;
    else if (!this.#isInner && name !== undefined) {
      this.#level = IN_VALUE_FORM;
      this.#isInner = true;
    } else {
      const others = this.#isInner ? "" : `"${VALUE}", "${EXPIRES}", `;
      const forms = Object.keys(ELEMENT_FORMS).map((form) => `, "${form}"`);
      throw this.#problem(`one of ${others}"${BASE64}", "${JSON_DOCUMENT}"${forms.join("")}`);
    }
    this.#member = name;
    this.#step = MEMBER_COLON;
    this.#lexer.keep = KEEP_NOTHING;
  }

  #unexpected(): JsonProblem {
    return this.#problem(this.expected());
  }

  #problem(expected: string): JsonProblem {
    return new JsonProblem(this.#lexer.tokenAt, expected);
  }
}
