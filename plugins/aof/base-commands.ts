/**
 * The state as commands that redis-server 7.0 knows, for a base without RDB: as Redis itself rewrites
 * an AOF, at most 64 elements in a command. What Redis has no word for stands in lines that it skips:
 * documents, deadlines of fields, definitions of indexes. It knows entries (StoredEntry draws them)
 * and text, and nothing of files.
 */
import { createIndexWords, type StoredEntry, streamItemAt } from "kvdb";
import { MAX_LINE_BYTES } from "./group-line.ts";
import { quotedBytes } from "./quoted-words.ts";
import { StreamCommands } from "./stream-commands.ts";

/** Redis's AOF_REWRITE_ITEMS_PER_CMD. */
const MAX_ITEMS = 64;
const FIRST_CAPACITY_BYTES = 256 * 1024;
const LONG = 255;
const NUMBER_BYTES = 8;

/** A word of a command: text, bytes, or bytes[start, end) of the value in hand. */
export type Word = string | Uint8Array | Span;

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How elements of each type are added, as words of one of them. */
const COMMANDS: Readonly<Record<string, string>> = {
  list: "RPUSH",
  set: "SADD",
  zset: "ZADD",
  hash: "HSET",
};

export class BaseCommands {
  /** The text so far: bytes[0, length). */
  bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES);
  length = 0;
  #database = -1;
  #isContinued = false;
  readonly #stream = new StreamCommands();
  #key: Uint8Array = new Uint8Array(0);
  #value: Buffer = Buffer.alloc(0);

  /** What was written is elsewhere now, and what comes next does not rely on it. */
  clear(): void {
    this.length = 0;
    this.#database = -1;
  }

  /** Writes an entry: a key, or a part of one. */
  write(entry: Readonly<StoredEntry>): void {
    this.#key = (entry.keyBytes as Buffer).subarray(entry.keyStart, entry.keyEnd);
    this.#value = entry.valueBytes as Buffer;
    if (entry.database !== this.#database) this.#command(["SELECT", String(entry.database)]);
    this.#database = entry.database;
    const isSimple = this.#isSimple(entry);
    if (!isSimple && entry.type === "stream") this.#items(entry);
    else if (!isSimple) this.#elements(entry);
    if (!isSimple && !entry.isContinued && entry.deadlineMs !== 0) {
      this.#command(["PEXPIREAT", this.#key, String(entry.deadlineMs)]);
    }
    this.#isContinued = entry.isContinued;
  }

  /** Writes what is one command; false: it has elements. */
  #isSimple({ type, valueStart, valueEnd, deadlineMs }: Readonly<StoredEntry>): boolean {
    if (type === "index") {
      const definition = this.#value.toString("utf8", valueStart, valueEnd);
      const words = createIndexWords(Buffer.from(this.#key).toString(), definition);
      this.#own(["INDEX", "CREATE", ...words]);
      return true;
    }
    if (type !== "string" && type !== "json") return false;
    if (type === "json") this.#text("#kvdb-json\r\n");
    const deadline = deadlineMs === 0 ? [] : ["PXAT", String(deadlineMs)];
    this.#command(["SET", this.#key, { start: valueStart, end: valueEnd }, ...deadline]);
    return true;
  }

  // ---- collections ----

  #elements({ type, isTimed, valueStart, valueEnd }: Readonly<StoredEntry>): void {
    const elements = new Elements(this.#value, valueStart, { type, isTimed });
    while (elements.at < valueEnd) {
      const words: Word[] = [COMMANDS[type] as string, this.#key];
      for (let count = 0; count < MAX_ITEMS && elements.at < valueEnd; count++) {
        words.push(...elements.next());
      }
      this.#command(words);
    }
    for (const [{ start, end }, deadlineMs] of elements.deadlines) {
      const field = this.#value.subarray(start, end);
      this.#own(["HPEXPIREAT", this.#key, String(deadlineMs), "FIELDS", "1", field]);
    }
  }

  #items({ valueStart, valueEnd, isContinued }: Readonly<StoredEntry>): void {
    if (!this.#isContinued) this.#stream.begin();
    for (let at = valueStart; at < valueEnd; ) {
      const { texts, end } = streamItemAt(this.#value, at);
      for (const words of this.#stream.item(texts, this.#value)) this.#streamCommand(words);
      at = end;
    }
    if (isContinued) return;
    for (const words of this.#stream.settle()) this.#streamCommand(words);
  }

  #streamCommand(words: readonly Word[]): void {
    const before = words[0] === "XGROUP" ? 2 : 1;
    this.#command([...words.slice(0, before), this.#key, ...words.slice(before)]);
  }

  // ---- text ----

  #command(words: readonly Word[]): void {
    this.#text(`*${words.length}\r\n`);
    for (const word of words) {
      if (typeof word === "string") this.#text(`$${word.length}\r\n${word}\r\n`);
      else if ("start" in word) this.#bytes(this.#value, word.start, word.end);
      else this.#bytes(word, 0, word.length);
    }
  }

  #bytes(bytes: Uint8Array, start: number, end: number): void {
    this.#text(`$${end - start}\r\n`);
    this.#reserve(end - start);
    this.bytes.set(bytes.subarray(start, end), this.length);
    this.length += end - start;
    this.#text("\r\n");
  }

  /** A command that kvdb alone runs, in lines that Redis skips. */
  #own(words: readonly (string | Uint8Array)[]): void {
    const text = words.map((word) => quotedBytes(Buffer.from(word))).join(" ");
    for (let at = 0; at < text.length; ) {
      const front = at === 0 ? "#kvdb-do " : "#kvdb-and ";
      const room = MAX_LINE_BYTES - front.length - 2;
      this.#text(`${front}${text.slice(at, at + room)}\r\n`);
      at += room;
    }
  }

  /** ASCII. */
  #text(text: string): void {
    this.#reserve(text.length);
    this.length += this.bytes.write(text, this.length, "latin1");
  }

  #reserve(length: number): void {
    const needed = this.length + length;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

/** The elements of a value, one after the other, as words of the command that adds them. */
class Elements {
  at: number;
  /** Of the fields so far. */
  readonly deadlines: (readonly [field: Span, deadlineMs: number])[] = [];
  readonly #bytes: Buffer;
  readonly #type: string;
  readonly #isTimed: boolean;

  constructor(bytes: Buffer, at: number, { type, isTimed }: Pick<StoredEntry, "type" | "isTimed">) {
    this.#bytes = bytes;
    this.at = at;
    this.#type = type;
    this.#isTimed = isTimed;
  }

  next(): Word[] {
    const first = this.#string();
    if (this.#type === "zset") return [scoreText(this.#number()), first];
    if (this.#type !== "hash") return [first];
    const value = this.#string();
    const deadlineMs = this.#isTimed ? this.#number() : 0;
    if (deadlineMs !== 0) this.deadlines.push([first, deadlineMs]);
    return [first, value];
  }

  #string(): Span {
    const length = this.#bytes[this.at] as number;
    const isLong = length === LONG;
    const start = this.at + (isLong ? 5 : 1);
    this.at = start + (isLong ? this.#bytes.readUInt32LE(this.at + 1) : length);
    return { start, end: this.at };
  }

  #number(): number {
    const value = this.#bytes.readDoubleLE(this.at);
    this.at += NUMBER_BYTES;
    return value;
  }
}

/** The shortest text that reads as the same number. */
function scoreText(score: number): string {
  if (score === Number.POSITIVE_INFINITY) return "inf";
  if (score === Number.NEGATIVE_INFINITY) return "-inf";
  return Object.is(score, -0) ? "-0" : String(score);
}
