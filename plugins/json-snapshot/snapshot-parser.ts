/**
 * Reads the file's meaning out of its tokens: head, databases, entries, as FORMAT.md describes them.
 * It is fed one slice after another and hands out each entry as soon as it is complete. What is
 * wrong is thrown as a JsonProblem that says what was expected; `resume…` then let it go on at a
 * place that a reader of damaged files has found.
 *
 * A place in the file is a level (which object is being read) and a step (what must come next in
 * it), parser-place.ts; a document has a grammar of its own.
 */
import { type Revision, readMoment } from "kvdb";
import { newStoredEntry } from "kvdb/persistence";
import { ByteBuilder, TooLong } from "./byte-builder.ts";
import { decodeKeyName, isIndexName } from "./entry-names.ts";
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  JsonLexer,
  KEEP_CONTENT,
  KEEP_NOTHING,
  NEED_MORE,
  NUMBER,
  OPEN_OBJECT,
  STRING,
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
  IN_FILE,
  IN_HEAD,
  MAX_REVISION,
  MEMBER_COLON,
  MEMBER_VALUE,
  NAME,
  NAME_OR_END,
  NEXT_OR_END,
  OPENING,
} from "./parser-place.ts";
import { FORMAT } from "./snapshot-head.ts";
import {
  ANYTHING,
  DEFINITION,
  KEY_VALUE,
  MAX_VALUE_BYTES,
  MAX_WORD_BYTES,
  ValueParser,
} from "./value-parser.ts";

const DATABASE_NUMBER = /^(0|[1-9]\d{0,8})$/;

/** What the head says; what it does not say is undefined. */
export interface ParsedHead {
  revision: Revision | undefined;
  checksum: string | undefined;
}

export interface EntryHandler {
  /** The entry in `parser.entry` is complete. */
  entry(): void;
  /** A key, or the name of an index, was read: for who wants to know whether it came before. */
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
  readonly entry = newStoredEntry();
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
  readonly #word = new ByteBuilder(MAX_WORD_BYTES);
  readonly #lexer = new JsonLexer(this.#word);
  readonly #value = new ValueParser(this.#lexer);
  readonly #databases = new Set<number>();
  readonly #members = new Set<string>();
  #step = OPENING;
  /** The member whose value comes. */
  #member = "";

  /** The entry in hand is the definition of an index. */
  #isIndex = false;
  /** The value of an entry is being read. */
  #isInValue = false;
  #skips = false;
  /** An entry is read, but not what must follow it. */
  #isPending = false;

  constructor(handler: EntryHandler) {
    this.#handler = handler;
    this.entry.keyBytes = this.#key.bytes;
    this.entry.valueBytes = this.#value.content.bytes;
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
        if (!this.#isInValue) this.#take(token);
        else if (this.#value.take(token)) this.#endEntry();
        else if (this.#value.hasPart) this.#givePart();
      }
      lexer.endSlice();
    } catch (error) {
      if (error instanceof TooLong) throw new JsonProblem(lexer.tokenAt, error.message);
      throw error;
    }
  }

  /** The file ends at this offset. */
  finish(offset: number): void {
    if (this.level === BEHIND_FILE) {
      if (this.#lexer.isInside) throw this.#unexpected(); // a string or number that was begun
      return;
    }
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
    this.#isInValue = false;
    this.memberAt = undefined;
    this.announced = undefined;
    this.#lexer.reset();
    this.level = level;
    this.#expectName();
  }

  // ---- members ----

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
        if (token === COMMA) this.#expectName();
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
    this.memberAt = undefined;
  }

  #takeName(): void {
    this.#step = MEMBER_COLON;
    this.#lexer.keep = KEEP_NOTHING;
    this.memberAt = this.#lexer.tokenAt;
    if (this.level === IN_DATABASE) this.#takeKey();
    else if (this.level === IN_DATABASES) this.#takeDatabase();
    else this.#takeMember(this.#word.toString());
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
    this.#isIndex = isIndexName(key);
    const start = decodeKeyName(key);
    if (typeof start === "string") throw this.#problemAtToken(start);
    if (key.length - start > MAX_VALUE_BYTES) {
      throw this.#problemAtToken(`a key of at most ${MAX_VALUE_BYTES} bytes`);
    }
    entry.keyBytes = key.bytes;
    entry.keyStart = start;
    entry.keyEnd = key.length;
    this.#handler.key();
  }

  #expectValue(): void {
    this.#step = MEMBER_VALUE;
    if (this.level === IN_DATABASE) {
      this.#isInValue = true;
      const kept = this.#isIndex ? DEFINITION : KEY_VALUE;
      this.#value.begin(this.#skips ? ANYTHING : kept);
      return;
    }
    this.#lexer.kept = this.#word;
    this.#lexer.kept.clear();
    this.#lexer.keep = KEEP_CONTENT;
  }

  #takeValue(token: number): void {
    if (this.level === IN_HEAD) this.#takeHeadValue(token);
    else if (token !== OPEN_OBJECT) throw this.#unexpected();
    else if (this.level === IN_DATABASES) this.#openDatabase();
    else this.#open(this.#member === "kvdb" ? IN_HEAD : IN_DATABASES);
  }

  #openDatabase(): void {
    this.databaseAt = this.memberAt ?? 0;
    this.#open(IN_DATABASE);
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
      default:
        this.level = IN_DATABASES;
        this.#expectNext();
    }
  }

  /** The entry has all that it needs; that it ends here, what follows must say. */
  #endEntry(): void {
    this.#isInValue = false;
    this.#isPending = true;
    this.#step = NEXT_OR_END;
    this.#lexer.keep = KEEP_NOTHING;
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
    this.#fillEntry(false);
    this.#handler.entry();
  }

  /** The elements of a long value, as far as they were read. */
  #givePart(): void {
    this.#fillEntry(true);
    this.#handler.entry();
    this.#value.beginPart();
  }

  /** What is broken in the middle of a long value ends it: the elements before are kept. */
  endBrokenValue(): void {
    if (!this.#isInValue && !this.#isPending) return;
    if (!this.#value.wasParted) return;
    this.#value.beginPart();
    this.#fillEntry(false);
    this.#handler.entry();
  }

  #fillEntry(isContinued: boolean): void {
    const { type, deadlineMs, content, isTimed } = this.#value;
    const { entry } = this;
    entry.type = type;
    entry.deadlineMs = deadlineMs;
    entry.valueBytes = content.bytes;
    entry.valueEnd = content.length;
    entry.isTimed = isTimed;
    entry.isContinued = isContinued;
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
    if (this.#isInValue) return this.#value.expected();
    const member = this.#member;
    return expectedAt({ level: this.level, step: this.#step, member, isInArray: false });
  }
}

function isHeadValue(member: string, text: string): boolean {
  if (member === "format") return text === String(FORMAT);
  if (member === "time") return readMoment(text) !== undefined;
  return member === "crc32" || (/^(0|[1-9]\d{0,15})$/.test(text) && Number(text) <= MAX_REVISION);
}
