/**
 * Reads the elements of {"$list": …}, {"$set": …}, {"$zset": …}, {"$hash": …} and {"$stream": …}, from behind the first bracket to the last.
 * FORMAT.md describes them, elements-text.ts writes them: change all.
 *
 * Elements gather in `content`, in the form in which kvdb takes them (StoredEntry); whoever has given them on may clear it
 * between two of them, so that a long value is never whole in memory.
 */
import { readMilliseconds, readMomentBytes, streamStrings } from "kvdb";
import { ByteBuilder } from "./byte-builder.ts";
import { BASE64, decodeKeyName, EXPIRES, VALUE } from "./entry-names.ts";
import {
  CLOSE_ARRAY,
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
} from "./json-lexer.ts";
import { JsonProblem } from "./json-problem.ts";

export type ElementType = "list" | "set" | "zset" | "hash" | "stream";

// What must come next.
const FIRST_OR_END = 0;
const ELEMENT = 1;
const NEXT_OR_END = 2;
/** A string, or an object that stands for one. */
const TEXT = 3;
/** Of a member, behind it. */
const SCORE_COMMA = 4;
const SCORE = 5;
const PAIR_END = 6;
/** Of a field, behind its name. */
const FIELD_COLON = 7;
/** {"$base64": …} and {"$value": …, "$expires": …}. */
const FORM_NAME = 8;
const FORM_COLON = 9;
const FORM_NEXT = 10;
const BYTES = 11;
const BYTES_END = 12;
const MOMENT = 13;
/** Of an item of a stream, behind one of its strings. */
const ITEM_NEXT = 14;

const NUMBER_BYTES = 8;
const LONG = 255;

interface KeptBytes {
  readonly bytes: Buffer;
  readonly length: number;
}

export class ElementsParser {
  /** Elements that were read, complete ones. */
  readonly content: ByteBuilder;
  isTimed = false;
  readonly #lexer: JsonLexer;
  readonly #word: ByteBuilder;
  readonly #text: ByteBuilder;
  /** The name of the field in hand; bytes[nameStart, length). */
  readonly #name: ByteBuilder;
  #nameStart = 0;
  #type: ElementType = "list";
  #step = FIRST_OR_END;
  /** Strings of a stream's item. */
  #item: Buffer[] = [];
  /** The member of a form whose value comes. */
  #member = "";
  /** Within {"$value": …, "$expires": …}, and what of it was read. */
  #isInForm = false;
  #hasValue = false;
  #deadlineMs = 0;

  constructor(lexer: JsonLexer, content: ByteBuilder, word: ByteBuilder) {
    this.#lexer = lexer;
    this.content = content;
    this.#word = word;
    this.#text = new ByteBuilder(content.limit);
    this.#name = new ByteBuilder(2 * content.limit);
  }

  /** Whether the token is the bracket that elements of the type are in. */
  static begins(type: ElementType, token: number): boolean {
    return token === (type === "hash" ? OPEN_OBJECT : OPEN_ARRAY);
  }

  /** The first bracket was read. */
  begin(type: ElementType): void {
    this.#type = type;
    this.isTimed = false;
    this.content.clear();
    this.#endForm();
    this.#expectElement(FIRST_OR_END);
  }

  /** The elements so far were given on: what follows is a part of its own. */
  beginPart(): void {
    this.isTimed = false;
    this.content.clear();
  }

  /** Whether what was read last completes an element. */
  get isBetween(): boolean {
    return this.#step === NEXT_OR_END;
  }

  /** True: that was the last bracket. */
  take(token: number): boolean {
    switch (this.#step) {
      case FIRST_OR_END:
        if (token === this.#closing) return true;
        this.#takeElement(token);
        return false;
      case ELEMENT:
        this.#takeElement(token);
        return false;
      case NEXT_OR_END:
        if (token === this.#closing) return true;
        this.#require(token === COMMA);
        this.#expectElement(ELEMENT);
        return false;
      default:
        this.#takeWithin(token);
        return false;
    }
  }

  get #closing(): number {
    return this.#type === "hash" ? CLOSE_OBJECT : CLOSE_ARRAY;
  }

  #takeWithin(token: number): void {
    switch (this.#step) {
      case TEXT:
        this.#takeText(token);
        return;
      case SCORE_COMMA:
        this.#require(token === COMMA);
        this.#expect(SCORE, this.#word);
        return;
      case SCORE:
        this.#takeScore(token);
        return;
      case PAIR_END:
        this.#require(token === CLOSE_ARRAY);
        this.#step = NEXT_OR_END;
        return;
      case FIELD_COLON:
        this.#require(token === COLON);
        this.#expect(TEXT, this.#text);
        return;
      case ITEM_NEXT:
        this.#takeItemNext(token);
        return;
      default:
        this.#takeInForm(token);
    }
  }

  // ---- elements ----

  #expectElement(step: number): void {
    if (this.#type === "hash") this.#expect(step, this.#name);
    else if (this.#hasPairs) this.#expectNothing(step);
    else this.#expect(step, this.#text);
  }

  /** Elements are arrays. */
  get #hasPairs(): boolean {
    return this.#type === "zset" || this.#type === "stream";
  }

  #takeElement(token: number): void {
    if (this.#hasPairs) {
      this.#require(token === OPEN_ARRAY);
      this.#item = [];
      this.#expect(TEXT, this.#text);
    } else if (this.#type === "hash") {
      this.#require(token === STRING);
      this.#takeFieldName();
    } else this.#takeText(token);
  }

  #takeFieldName(): void {
    const start = decodeKeyName(this.#name);
    if (typeof start === "string") throw this.#problem(start.replace("a key", "a field"));
    this.#nameStart = start;
    this.#endForm();
    this.#expectNothing(FIELD_COLON);
  }

  /** What follows stands in no {"$value": …, "$expires": …}. */
  #endForm(): void {
    this.#isInForm = false;
    this.#hasValue = false;
    this.#member = "";
    this.#deadlineMs = 0;
  }

  #takeText(token: number): void {
    if (token === STRING) {
      this.#textRead();
      return;
    }
    this.#require(token === OPEN_OBJECT);
    this.#expect(FORM_NAME, this.#word);
  }

  /** The string in #text is complete. */
  #textRead(): void {
    if (this.#type === "hash") {
      this.#hasValue = true;
      if (this.#isInForm) this.#expectNothing(FORM_NEXT);
      else this.#addField();
      return;
    }
    if (this.#type === "stream") {
      this.#item.push(Buffer.from(this.#text.bytes.subarray(0, this.#text.length)));
      this.#expectNothing(ITEM_NEXT);
      return;
    }
    this.#append(this.#text, 0);
    this.#expectNothing(this.#type === "zset" ? SCORE_COMMA : NEXT_OR_END);
  }

  #takeItemNext(token: number): void {
    if (token === COMMA) {
      this.#expect(TEXT, this.#text);
      return;
    }
    this.#require(token === CLOSE_ARRAY);
    const strings = streamStrings(this.#item);
    if (strings === undefined) throw this.#problem(ITEM_EXAMPLES);
    for (const bytes of strings) this.#append({ bytes, length: bytes.length }, 0);
    this.#expectNothing(NEXT_OR_END);
  }

  #takeScore(token: number): void {
    const text = this.#word.toString();
    const isInfinite = token === STRING && (text === "inf" || text === "-inf");
    this.#require(isInfinite || (token === NUMBER && Number.isFinite(Number(text))));
    const infinity = text === "inf" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.#appendNumber(isInfinite ? infinity : Number(text));
    this.#expectNothing(PAIR_END);
  }

  #addField(): void {
    if (this.#deadlineMs !== 0 && !this.isTimed) this.#giveDeadlines();
    this.#append(this.#name, this.#nameStart);
    this.#append(this.#text, 0);
    if (this.isTimed) this.#appendNumber(this.#deadlineMs);
    this.#expectNothing(NEXT_OR_END);
  }

  /** The fields before had none: now each has the 0 that says so. */
  #giveDeadlines(): void {
    const { content } = this;
    const fields = Buffer.from(content.bytes.subarray(0, content.length));
    content.length = 0;
    for (let at = 0; at < fields.length; ) {
      const end = afterString(fields, afterString(fields, at));
      content.append(fields, at, end);
      this.#appendNumber(0);
      at = end;
    }
    this.isTimed = true;
  }

  // ---- objects within ----

  #takeInForm(token: number): void {
    switch (this.#step) {
      case FORM_NAME:
        this.#require(token === STRING);
        this.#takeFormName(this.#word.toString());
        return;
      case FORM_COLON:
        this.#require(token === COLON);
        this.#expectFormValue();
        return;
      case BYTES:
        this.#require(token === STRING);
        this.#expectNothing(BYTES_END);
        return;
      case BYTES_END:
        this.#require(token === CLOSE_OBJECT);
        this.#textRead();
        return;
      case MOMENT:
        this.#takeMoment(token);
        return;
      default:
        this.#takeFormNext(token);
    }
  }

  #takeFormName(name: string): void {
    const isMember = name === VALUE || name === EXPIRES;
    const wasRead = name === VALUE ? this.#hasValue : this.#deadlineMs !== 0;
    // Within {"$value": …} no other such form stands, and a member stands there once.
    const isBegun = this.#isInForm && !this.#isInValue;
    const isRight = isBegun
      ? isMember && !wasRead
      : name === BASE64 || (this.#mayExpire && isMember);
    if (!isRight) throw this.#problem(this.#formNames(isBegun));
    if (isMember) this.#isInForm = true;
    this.#member = name;
    this.#expectNothing(FORM_COLON);
  }

  /** The value of the member "$value" is being read. */
  get #isInValue(): boolean {
    return this.#member === VALUE && !this.#hasValue;
  }

  get #mayExpire(): boolean {
    return this.#type === "hash" && !this.#isInForm;
  }

  #expectFormValue(): void {
    if (this.#member === EXPIRES) this.#expect(MOMENT, this.#word);
    else if (this.#member === VALUE) this.#expect(TEXT, this.#text);
    else {
      this.#expect(BYTES, this.#text);
      this.#lexer.keep = KEEP_BASE64;
    }
  }

  #takeMoment(token: number): void {
    const { bytes, length } = this.#word;
    let moment: number | undefined;
    if (token === STRING) moment = readMomentBytes(bytes, length);
    else if (token === NUMBER) moment = readMilliseconds(this.#word.toString());
    if (moment === undefined) throw this.#problem(MOMENT_EXAMPLE);
    this.#deadlineMs = Math.max(1, moment);
    this.#expectNothing(FORM_NEXT);
  }

  #takeFormNext(token: number): void {
    if (token === COMMA) {
      this.#member = "";
      this.#expect(FORM_NAME, this.#word);
      return;
    }
    this.#require(token === CLOSE_OBJECT);
    if (!this.#hasValue) throw this.#problem(`"${VALUE}" beside "${EXPIRES}"`);
    this.#addField();
  }

  // ---- what is kept ----

  #expect(step: number, kept: ByteBuilder): void {
    this.#step = step;
    this.#lexer.kept = kept;
    kept.clear();
    this.#lexer.keep = KEEP_CONTENT;
  }

  #expectNothing(step: number): void {
    this.#step = step;
    this.#lexer.keep = KEEP_NOTHING;
  }

  /** A string of `source`, from `start` on, in the form in which elements have it. */
  #append({ bytes, length }: KeptBytes, start: number): void {
    const { content } = this;
    const size = length - start;
    if (size < LONG) content.push(size);
    else {
      const at = content.reserve(5);
      content.bytes[at] = LONG;
      content.length = content.bytes.writeUInt32LE(size, at + 1);
    }
    content.append(bytes, start, length);
  }

  #appendNumber(value: number): void {
    const at = this.content.reserve(NUMBER_BYTES);
    this.content.length = this.content.bytes.writeDoubleLE(value, at);
  }

  // ---- what is wrong ----

  /** What must come, in words. */
  expected(): string {
    switch (this.#step) {
      case FIRST_OR_END:
        return `${this.#elementInWords()}, or '${this.#type === "hash" ? "}" : "]"}'`;
      case ELEMENT:
        return this.#elementInWords();
      case NEXT_OR_END:
        return this.#type === "hash" ? "',' or '}'" : "',' or ']'";
      case TEXT:
        return `a string in double quotes, or {"${BASE64}": …}`;
      case SCORE_COMMA:
        return "',' and the score";
      case SCORE:
        return 'a score: a number, "inf" or "-inf"';
      case PAIR_END:
        return "']'";
      case ITEM_NEXT:
        return "',' or ']'";
      case FIELD_COLON:
      case FORM_COLON:
        return "':'";
      case FORM_NAME:
        return this.#formNames(this.#isInForm && !this.#isInValue);
      case BYTES:
        return "base64 in quotes";
      case MOMENT:
        return MOMENT_EXAMPLE;
      default:
        return this.#step === FORM_NEXT ? "',' or '}'" : "'}'";
    }
  }

  #elementInWords(): string {
    if (this.#type === "hash") return "a field in quotes";
    if (this.#type === "stream") return ITEM_EXAMPLES;
    if (this.#type === "zset") return 'a member with its score, as in ["Ada", 1.5]';
    return `a string in double quotes, or {"${BASE64}": …}`;
  }

  #formNames(isBegun: boolean): string {
    if (isBegun) return `"${VALUE}" and "${EXPIRES}", each once`;
    return this.#mayExpire ? `"${BASE64}", "${VALUE}" or "${EXPIRES}"` : `"${BASE64}"`;
  }

  #require(isRight: boolean): void {
    if (!isRight) throw this.#problem(this.expected());
  }

  #problem(expected: string): JsonProblem {
    return new JsonProblem(this.#lexer.tokenAt, expected);
  }
}

const ITEM_EXAMPLES = 'an item of a stream, such as ["entry", "5-1", "field", "value"]';
const MOMENT_EXAMPLE = 'a moment such as "2030-01-01T00:00:00.000Z"';

function afterString(bytes: Buffer, at: number): number {
  return bytes[at] < LONG ? at + 1 + bytes[at] : at + 5 + bytes.readUInt32LE(at + 1);
}
