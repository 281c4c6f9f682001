/**
 * Reads the file's meaning out of its tokens: head, databases, entries, as FORMAT.md describes them.
 * It is fed one slice after another and hands out each entry as soon as it is complete. What is
 * wrong is thrown as a JsonProblem that says what was expected; `resume…` then let it go on at a
 * place that a reader of damaged files has found.
 *
 * A place in the file is a level (which object is being read) and a step (what must come next in
 * it), parser-place.ts; a document has a grammar of its own.
 */
import type { Revision, StoredEntry } from "kvdb";
import { ByteBuilder, TooLong } from "./byte-builder.ts";
import {
  COMPLETE,
  DocumentGrammar,
  GOES_ON,
  MAX_DEPTH,
  OUTER_NAME,
  TOO_DEEP,
} from "./document-grammar.ts";
import {
  BASE64,
  beginsWithDollar,
  decodeKeyName,
  EXPIRES,
  formNamed,
  JSON_DOCUMENT,
  VALUE,
} from "./entry-names.ts";
import { readMilliseconds, readMoment, readMomentBytes } from "./expiry-text.ts";
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  JsonLexer,
  KEEP_BASE64,
  KEEP_CONTENT,
  KEEP_NOTHING,
  NEED_MORE,
  NUMBER,
  OPEN_ARRAY,
  OPEN_OBJECT,
  STRING,
  WORD,
} from "./json-lexer.ts";
import { JsonProblem } from "./json-problem.ts";
import {
  BEHIND_FILE,
  expectedAt,
  expectedName,
  FILE_MEMBERS,
  HEAD_MEMBERS,
  IN_DATABASE,
  IN_DATABASES,
  IN_DOCUMENT,
  IN_FILE,
  IN_HEAD,
  IN_SINGLE_FORM,
  IN_VALUE_FORM,
  MAX_REVISION,
  MEMBER_COLON,
  MEMBER_VALUE,
  NAME,
  NAME_OR_END,
  NEXT_OR_END,
  OPENING,
} from "./parser-place.ts";
import { FORMAT } from "./snapshot-head.ts";

/** Longest key and longest value: Redis's, and kvdb's. */
const MAX_VALUE_BYTES = 512 * 1024 * 1024;
/** Longest name or text that is none of a user's: a member of the head, a number, a date. */
const MAX_WORD_BYTES = 1024;
const DATABASE_NUMBER = /^(0|[1-9]\d{0,8})$/;

/** What the head says; what it does not say is undefined. */
export interface ParsedHead {
  revision: Revision | undefined;
  checksum: string | undefined;
}

export interface EntryHandler {
  /** The entry in `parser.entry` is complete. */
  entry(): void;
  /** A key was read: for who wants to know whether it came before. */
  key(): void;
  /** A database begins. */
  database(number: number): void;
  /** Something is wrong that reading could go on behind: throws it, or takes it down. */
  complain(problem: JsonProblem): void;
  /** The entry that was to be skipped ends. */
  skipped(): void;
}

export class SnapshotParser {
  readonly head: ParsedHead = { revision: undefined, checksum: undefined };
  readonly entry: StoredEntry;
  /** Where the name of the last entry begins, and those of the last entry and database that were right. */
  entryAt = 0;
  rightEntryAt = 0;
  databaseAt = 0;
  /** Where the member in hand begins, of the file, of the databases or of a database; undefined between two. */
  memberAt: number | undefined;
  /** The database whose number has been read, but not yet the bracket that its entries follow. */
  announced: number | undefined;
  level = IN_FILE;

  readonly #handler: EntryHandler;
  readonly #key = new ByteBuilder(2 * MAX_VALUE_BYTES);
  readonly #value = new ByteBuilder(MAX_VALUE_BYTES);
  readonly #word = new ByteBuilder(MAX_WORD_BYTES);
  readonly #lexer = new JsonLexer(this.#word);
  readonly #databases = new Set<number>();
  readonly #members = new Set<string>();
  #step = OPENING;
  /** The member whose value comes. */
  #member = "";

  /** A value within {"$value": …}, and what of that form has been read. */
  #inValueForm = false;
  #hasValue = false;
  #hasExpiry = false;
  readonly #document = new DocumentGrammar();
  /** Whether members of the document that begin with `$` have a meaning; not within {"$json": …}. */
  #hasForms = false;
  #skips = false;
  /** An entry is read, but not what must follow it. */
  #isPending = false;

  constructor(handler: EntryHandler) {
    this.#handler = handler;
    this.entry = {
      database: 0,
      type: "string",
      keyBytes: this.#key.bytes,
      keyStart: 0,
      keyEnd: 0,
      valueBytes: this.#value.bytes,
      valueStart: 0,
      valueEnd: 0,
      deadlineMs: 0,
      version: 0,
    };
  }

  /** Where reading stands, in bytes from the front of the file. */
  get offset(): number {
    return this.#lexer.offset;
  }

  /** Reads bytes[start, end), the first of which is at `offset` in the file. */
  feed(bytes: Buffer, start: number, end: number, offset: number): void {
    const lexer = this.#lexer;
    lexer.feed(bytes, start, end, offset);
    try {
      for (;;) {
        const token = lexer.next();
        if (token === NEED_MORE) break;
        if (this.level === IN_DOCUMENT) this.#takeInDocument(token);
        else this.#take(token);
      }
      lexer.endSlice();
    } catch (error) {
      if (error instanceof TooLong) throw new JsonProblem(lexer.tokenAt, error.message);
      throw error;
    }
  }

  /** The file ends at this offset. */
  finish(offset: number): void {
    if (this.level === BEHIND_FILE) return;
    if (this.#isPending && this.#lexer.sawLineBreak) this.#confirmEntry(COMMA);
    const expected = this.#lexer.isInside ? "the rest of a string or number" : this.#expected();
    throw new JsonProblem(offset, `${expected}, but the file ends here`);
  }

  // ---- going on behind damage ----

  get isInEntry(): boolean {
    return this.memberAt !== undefined && this.level >= IN_DATABASE;
  }

  get isInDatabases(): boolean {
    return this.level === IN_DATABASES;
  }

  get isInDatabase(): boolean {
    return this.level >= IN_DATABASE && this.level !== BEHIND_FILE;
  }

  /** Where what is broken begins, if it is known: there reading cannot go on. */
  get brokenAt(): number | undefined {
    return this.memberAt ?? (this.#lexer.isInside ? this.#lexer.tokenAt : undefined);
  }

  /** What is fed next begins with the name of an entry. */
  resumeAtEntry(database: number): void {
    this.entry.database = database;
    this.#databases.add(database);
    this.#resume(IN_DATABASE);
  }

  /** The same, but the entry is passed over, whatever it is. */
  skipEntry(): void {
    this.#resume(IN_DATABASE);
    this.#skips = true;
    this.#lexer.keep = KEEP_NOTHING;
  }

  /** What is fed next begins with the number of a database. */
  resumeAtDatabase(): void {
    this.#resume(IN_DATABASES);
  }

  /** What is fed next begins with a member of the file. */
  resumeAtMember(): void {
    this.#resume(IN_FILE);
  }

  #resume(level: number): void {
    this.#skips = false;
    this.#isPending = false;
    this.#inValueForm = false;
    this.memberAt = undefined;
    this.announced = undefined;
    this.#lexer.reset();
    this.level = level;
    this.#expectName();
  }

  // ---- objects that are not documents ----

  #take(token: number): void {
    switch (this.#step) {
      case NAME:
      case NAME_OR_END:
        if (token === STRING) this.#takeName();
        else if (token === CLOSE_OBJECT && this.#step === NAME_OR_END) this.#close();
        else throw this.#unexpected();
        return;
      case MEMBER_COLON:
        if (token !== COLON) throw this.#unexpected();
        this.#expectValue();
        return;
      case MEMBER_VALUE:
        this.#takeValue(token);
        return;
      case NEXT_OR_END:
        if (this.#isPending) this.#confirmEntry(token);
        if (token === COMMA && this.level !== IN_SINGLE_FORM) this.#expectName();
        else if (token === CLOSE_OBJECT) this.#close();
        else throw this.#unexpected();
        return;
      default:
        if (token !== OPEN_OBJECT || this.level === BEHIND_FILE) throw this.#unexpected();
        this.#open(IN_FILE);
    }
  }

  #open(level: number): void {
    this.level = level;
    this.memberAt = undefined;
    this.announced = undefined;
    this.#expectName();
    this.#step = NAME_OR_END;
  }

  #expectName(): void {
    this.#step = NAME;
    const lexer = this.#lexer;
    lexer.kept = this.level === IN_DATABASE ? this.#key : this.#word;
    lexer.kept.clear();
    lexer.keep = KEEP_CONTENT;
  }

  /** Behind a value: nothing of what must come is kept. */
  #expectNext(): void {
    this.#step = NEXT_OR_END;
    this.#lexer.keep = KEEP_NOTHING;
    if (this.level <= IN_DATABASE) this.memberAt = undefined;
  }

  #takeName(): void {
    this.#step = MEMBER_COLON;
    this.#lexer.keep = KEEP_NOTHING;
    if (this.level <= IN_DATABASE) this.memberAt = this.#lexer.tokenAt;
    switch (this.level) {
      case IN_DATABASE:
        this.#takeKey();
        return;
      case IN_DATABASES:
        this.#takeDatabase();
        return;
      case IN_VALUE_FORM:
        this.#takeValueMember(this.#word.toString());
        return;
      default:
        this.#takeMember(this.#word.toString());
    }
  }

  /** A member of the file or of its head. */
  #takeMember(name: string): void {
    const known = this.level === IN_FILE ? FILE_MEMBERS : HEAD_MEMBERS;
    if (!known.includes(name)) throw this.#problemAtToken(expectedName(this.level));
    if (this.#members.has(name)) throw this.#problemAtToken(`"${name}" only once`);
    this.#members.add(name);
    this.#member = name;
  }

  #takeDatabase(): void {
    const name = this.#word.toString();
    if (!DATABASE_NUMBER.test(name)) throw this.#problemAtToken("the number of a database");
    const number = Number(name);
    if (this.#databases.has(number)) {
      this.#handler.complain(this.#problemAtToken(`database ${number} only once`));
    }
    this.#databases.add(number);
    this.entry.database = number;
    this.announced = number;
    this.#handler.database(number);
  }

  #takeKey(): void {
    this.entryAt = this.#lexer.tokenAt;
    if (this.#skips) return;
    const { entry } = this;
    const key = this.#key;
    const start = decodeKeyName(key);
    if (typeof start === "string") throw this.#problemAtToken(start);
    if (key.length - start > MAX_VALUE_BYTES) {
      throw this.#problemAtToken(`a key of at most ${MAX_VALUE_BYTES} bytes`);
    }
    entry.keyBytes = key.bytes;
    entry.keyStart = start;
    entry.keyEnd = key.length;
    entry.deadlineMs = 0;
    this.#handler.key();
  }

  #takeValueMember(name: string): void {
    const isValue = name === VALUE;
    if (!isValue && name !== EXPIRES) throw this.#problemAtToken(`"${VALUE}" or "${EXPIRES}"`);
    if (isValue ? this.#hasValue : this.#hasExpiry) {
      throw this.#problemAtToken(`"${name}" only once`);
    }
    this.#member = name;
  }

  /** Says what is to be kept of the value that comes. */
  #expectValue(): void {
    this.#step = MEMBER_VALUE;
    const lexer = this.#lexer;
    lexer.kept = this.#word;
    lexer.keep = KEEP_CONTENT;
    if (this.#skips) {
      lexer.keep = KEEP_NOTHING;
    } else if (this.level === IN_DATABASE || (this.#isInForm() && this.#member !== EXPIRES)) {
      lexer.kept = this.#value;
      if (this.#member === BASE64 && this.level === IN_SINGLE_FORM) lexer.keep = KEEP_BASE64;
      if (this.#member === JSON_DOCUMENT && this.level === IN_SINGLE_FORM) lexer.beginText();
    }
    lexer.kept.clear();
  }

  #isInForm(): boolean {
    return this.level === IN_VALUE_FORM || this.level === IN_SINGLE_FORM;
  }

  #takeValue(token: number): void {
    switch (this.level) {
      case IN_DATABASE:
        this.#takeStored(token);
        return;
      case IN_VALUE_FORM:
        if (this.#member === VALUE) this.#takeStored(token);
        else this.#takeExpiry(token);
        return;
      case IN_SINGLE_FORM:
        this.#takeSingle(token);
        return;
      case IN_HEAD:
        this.#takeHeadValue(token);
        return;
      default:
        if (token !== OPEN_OBJECT) throw this.#unexpected();
        if (this.level === IN_DATABASES) this.#openDatabase();
        else this.#open(this.#member === "kvdb" ? IN_HEAD : IN_DATABASES);
    }
  }

  #openDatabase(): void {
    this.databaseAt = this.memberAt ?? 0;
    this.#open(IN_DATABASE);
  }

  /** A value as it is stored: of an entry, or of `$value`. */
  #takeStored(token: number): void {
    if (token === STRING) this.#valueRead("string");
    else if (token === NUMBER || token === WORD) this.#valueRead("json");
    else if (token === OPEN_OBJECT || token === OPEN_ARRAY) this.#beginDocument(token, true);
    else throw this.#unexpected();
  }

  #takeSingle(token: number): void {
    if (this.#member === BASE64) {
      if (token !== STRING) throw this.#unexpected();
      this.#expectNext();
      this.entry.type = "string";
      return;
    }
    if (token === OPEN_OBJECT || token === OPEN_ARRAY) {
      this.#beginDocument(token, false);
      return;
    }
    if (token !== STRING && token !== NUMBER && token !== WORD) throw this.#unexpected();
    this.#lexer.keepText();
    this.#expectNext();
    this.entry.type = "json";
  }

  #takeExpiry(token: number): void {
    const { bytes, length } = this.#word;
    const moment =
      token === STRING
        ? readMomentBytes(bytes, length)
        : token === NUMBER
          ? readMilliseconds(this.#word.toString())
          : undefined;
    if (moment === undefined) throw this.#problemAtToken(this.#expected());
    // 0 says that there is none; what was over by 1970 is over all the same.
    this.entry.deadlineMs = Math.max(1, moment);
    this.#hasExpiry = true;
    this.#expectNext();
  }

  #takeHeadValue(token: number): void {
    const text = this.#word.toString();
    const member = this.#member;
    const isText = member === "time" || member === "crc32";
    if (token !== (isText ? STRING : NUMBER) || !isHeadValue(member, text)) {
      throw this.#problemAtToken(this.#expected());
    }
    if (member === "crc32") this.head.checksum = text;
    else if (member === "revision") this.head.revision = Number(text);
    this.#expectNext();
  }

  /** The object that is being read ends. */
  #close(): void {
    switch (this.level) {
      case IN_FILE:
        if (!this.#members.has("databases") && this.#databases.size === 0) {
          this.#handler.complain(this.#problemAtToken('"databases"'));
        }
        this.level = BEHIND_FILE;
        this.#step = OPENING;
        this.memberAt = undefined;
        return;
      case IN_HEAD:
      case IN_DATABASES:
        this.level = IN_FILE;
        this.#expectNext();
        return;
      case IN_DATABASE:
        this.level = IN_DATABASES;
        this.#expectNext();
        return;
      case IN_SINGLE_FORM:
        this.#valueRead(this.entry.type);
        return;
      default:
        if (!this.#hasValue) throw this.#problemAtToken(`"${VALUE}" beside "${EXPIRES}"`);
        this.#inValueForm = false;
        this.#endEntry();
    }
  }

  /** The value in #value is complete. */
  #valueRead(type: "string" | "json"): void {
    this.entry.type = type;
    if (!this.#inValueForm) {
      this.#endEntry();
      return;
    }
    this.#hasValue = true;
    this.level = IN_VALUE_FORM;
    this.#expectNext();
  }

  /** The entry has all that it needs; that it ends here, what follows must say. */
  #endEntry(): void {
    const { memberAt } = this;
    this.level = IN_DATABASE;
    this.#expectNext();
    this.memberAt = memberAt;
    this.#isPending = true;
    this.#lexer.sawLineBreak = false;
  }

  /**
   * Behind an entry: a comma or the end of the database makes it count. Anything else on its line may
   * be the rest of a value that was damaged.
   */
  #confirmEntry(token: number): void {
    const isConfirmed = token === COMMA || token === CLOSE_OBJECT || this.#lexer.sawLineBreak;
    if (!isConfirmed) throw this.#unexpected();
    this.memberAt = undefined;
    this.#isPending = false;
    if (this.#skips) {
      this.#skips = false;
      this.#handler.skipped();
      return;
    }
    this.rightEntryAt = this.entryAt;
    const { entry } = this;
    entry.valueBytes = this.#value.bytes;
    entry.valueEnd = this.#value.length;
    this.#handler.entry();
  }

  // ---- documents ----

  #beginDocument(token: number, hasForms: boolean): void {
    this.#hasForms = hasForms && !this.#skips;
    this.level = IN_DOCUMENT;
    if (this.#lexer.keep === KEEP_CONTENT) this.#lexer.beginTextAtBracket();
    this.#document.begin(token);
  }

  #takeInDocument(token: number): void {
    switch (this.#document.take(token)) {
      case GOES_ON:
        return;
      case OUTER_NAME:
        if (this.#hasForms) this.#takeOuterName();
        return;
      case COMPLETE:
        this.#endDocument();
        return;
      case TOO_DEEP:
        throw this.#problemAtToken(`at most ${MAX_DEPTH} objects and arrays within one another`);
      default:
        throw this.#unexpected();
    }
  }

  #endDocument(): void {
    if (!this.#skips) this.#lexer.keepText();
    if (this.#hasForms || this.#skips) {
      this.#valueRead("json");
      return;
    }
    this.level = IN_SINGLE_FORM;
    this.entry.type = "json";
    this.#expectNext();
  }

  /** A member that begins with `$` makes the object a form, if it is the first. */
  #takeOuterName(): void {
    const lexer = this.#lexer;
    const value = this.#value;
    lexer.keepText();
    const nameAt = value.length - (lexer.offset - lexer.tokenAt);
    if (!beginsWithDollar(value.bytes, nameAt + 1)) return;
    if (nameAt > 1) {
      throw this.#problemAtToken(`a member that does not begin with "$", or {"$json": …} around`);
    }
    this.#beginForm(formNamed(value.bytes, nameAt, value.length));
  }

  #beginForm(name: string | undefined): void {
    const isInner = this.#inValueForm;
    if (name === BASE64 || name === JSON_DOCUMENT) this.level = IN_SINGLE_FORM;
    else if (!isInner && name !== undefined) {
      this.level = IN_VALUE_FORM;
      this.#inValueForm = true;
      this.#hasValue = false;
      this.#hasExpiry = false;
    } else {
      const others = isInner ? "" : `"${VALUE}", "${EXPIRES}", `;
      throw this.#problemAtToken(`one of ${others}"${BASE64}", "${JSON_DOCUMENT}"`);
    }
    this.#member = name;
    this.#step = MEMBER_COLON;
  }

  // ---- what is wrong ----

  #unexpected(): JsonProblem {
    return this.#problemAtToken(this.#expected());
  }

  #problemAtToken(expected: string): JsonProblem {
    return new JsonProblem(this.#lexer.tokenAt, expected);
  }

  /** What must come here, in words. */
  #expected(): string {
    const { level } = this;
    const step = level === IN_DOCUMENT ? this.#document.step : this.#step;
    return expectedAt({ level, step, member: this.#member, isInArray: this.#document.isInArray });
  }
}

function isHeadValue(member: string, text: string): boolean {
  if (member === "format") return text === String(FORMAT);
  if (member === "time") return readMoment(text) !== undefined;
  return member === "crc32" || (/^(0|[1-9]\d{0,15})$/.test(text) && Number(text) <= MAX_REVISION);
}
