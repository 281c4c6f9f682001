/**
 * Reads a file of commands: RESP arrays and inline commands, as a client sends them, in chunks of any size. Lines that begin
 * with # are comments, but for those of journal/annotations.ts, which say what Redis has no word for; a file that Redis is to
 * take as well has the same words in ECHO (value-commands.ts):
 *
 *   #kvdb-json               the SET behind it makes a document:  SET key text [PXAT milliseconds]
 *   #kvdb-do command         a command that kvdb alone runs; a long one goes on in lines #kvdb-and
 *
 * Behind something malformed nothing can be read: nobody knows where the next command begins.
 */
import type { Part } from "../client/link.ts";
import { Arguments } from "../commands/arguments.ts";
import { AND_NOTE, DO_NOTE, DOCUMENT_NOTE } from "../journal/annotations.ts";
import { Decoder, INCOMPLETE, MALFORMED, splitWords } from "../resp/decoder.ts";

export type RespItem =
  | { readonly kind: "command"; readonly parts: readonly Part[]; readonly place: CommandPlace }
  | { readonly kind: "problem"; readonly message: string; readonly place: CommandPlace };

export interface CommandPlace {
  /** Counted from 1; notes do not count. */
  readonly number: number;
  /** Of its first byte in the file. */
  readonly offset: number;
}

const HASH = 35;
const LF = 10;
const CR = 13;
/** A comment of more has no end. */
const MAX_LINE_BYTES = 1 << 20;
const NOTHING = Buffer.alloc(0);

export class RespReader {
  readonly #decoder = new Decoder();
  readonly #args = new Arguments();
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #buffer: Buffer = NOTHING;
  #at = 0;
  /** What lies in front of `#buffer`. */
  #before = 0;
  /** Bytes that must be there, from `#at` on, before another look can tell more. */
  #needed = 1;
  #number = 0;
  #isOver = false;
  #isDocument = false;

  *push(chunk: Uint8Array): Generator<RespItem> {
    if (this.#isOver) return;
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    if (this.#buffer.length - this.#at + this.#chunkBytes >= this.#needed)
      yield* this.#items(false);
  }

  *finish(): Generator<RespItem> {
    if (this.#isOver) return;
    yield* this.#items(true);
    if (this.#isOver) return;
    const place = { number: this.#number + 1, offset: this.#offset };
    if (this.#at < this.#buffer.length) {
      yield { kind: "problem", message: "the file ends within the command", place };
    } else if (this.#isDocument) yield { kind: "problem", message: NO_SET, place };
  }

  get #offset(): number {
    return this.#before + this.#at;
  }

  *#items(isLast: boolean): Generator<RespItem> {
    this.#join();
    const buffer = this.#buffer;
    while (this.#at < buffer.length && !this.#isOver) {
      const start = this.#at;
      const offset = this.#offset;
      if (buffer[start] === HASH) {
        const words = this.#comment(isLast);
        if (words === undefined) return;
        if (words !== null) yield this.#command(words, offset);
        continue;
      }
      const end = this.#decoder.decode(this.#args, buffer, start, buffer.length);
      if (end === INCOMPLETE) {
        this.#needed = Math.max(this.#decoder.needed, buffer.length - start + 1);
        return;
      }
      if (end === MALFORMED) {
        this.#isOver = true;
        const place = { number: this.#number + 1, offset };
        yield { kind: "problem", message: this.#decoder.problem, place };
        return;
      }
      this.#at = end;
      const item = this.#args.count === 0 ? undefined : this.#understood(offset);
      if (item !== undefined) yield item;
    }
    this.#needed = 1;
  }

  #join(): void {
    const rest = this.#buffer.subarray(this.#at);
    this.#before += this.#at;
    this.#buffer = Buffer.concat([rest, ...this.#chunks]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#at = 0;
  }

  /** The words of a command in comments, null for another comment; undefined: its end has not come yet. */
  #comment(isLast: boolean): readonly Buffer[] | null | undefined {
    const first = this.#line(this.#at, isLast);
    if (first === undefined) return undefined;
    let { end } = first;
    if (!first.text.startsWith(DO_NOTE)) {
      if (first.text === DOCUMENT_NOTE) this.#isDocument = true;
      this.#at = end;
      return null;
    }
    let text = first.text.slice(DO_NOTE.length);
    for (;;) {
      if (end === this.#buffer.length && !isLast) return this.#waitForMore();
      if (this.#buffer[end] !== HASH) break;
      const next = this.#line(end, isLast);
      if (next === undefined) return undefined;
      if (!next.text.startsWith(AND_NOTE)) break;
      text += next.text.slice(AND_NOTE.length);
      end = next.end;
    }
    this.#at = end;
    return wordsOf(text);
  }

  #line(at: number, isLast: boolean): { text: string; end: number } | undefined {
    const found = this.#buffer.subarray(at, at + MAX_LINE_BYTES).indexOf(LF);
    const isWhole = found >= 0 || isLast || this.#buffer.length - at >= MAX_LINE_BYTES;
    if (!isWhole) return this.#waitForMore();
    const end = found < 0 ? this.#buffer.length : at + found;
    const last = found > 0 && this.#buffer[end - 1] === CR ? end - 1 : end;
    return { text: this.#buffer.toString("latin1", at, last), end: found < 0 ? end : end + 1 };
  }

  #waitForMore(): undefined {
    this.#needed = this.#buffer.length - this.#at + 1;
    return undefined;
  }

  /** The command in hand; undefined: it says something of the next one. */
  #understood(offset: number): RespItem | undefined {
    const { buffer, start, end, count } = this.#args;
    const parts = Array.from({ length: count }, (_, i) => buffer.subarray(start[i], end[i]));
    if (count === 2 && this.#args.is(0, "ECHO")) {
      const text = (parts[1] as Buffer).toString("latin1");
      if (text === DOCUMENT_NOTE) {
        this.#isDocument = true;
        return undefined;
      }
      if (text.startsWith(DO_NOTE))
        return this.#command(wordsOf(text.slice(DO_NOTE.length)), offset);
    }
    return this.#command(parts, offset);
  }

  #command(parts: readonly Buffer[], offset: number): RespItem {
    const place = { number: ++this.#number, offset };
    const isDocument = this.#isDocument;
    this.#isDocument = false;
    if (parts.length === 0) {
      return { kind: "problem", message: "its quotes are not balanced", place };
    }
    if (!isDocument) return { kind: "command", parts, place };
    const document = documentCommand(parts);
    if (document !== undefined) return { kind: "command", parts: document, place };
    return { kind: "problem", message: NO_SET, place };
  }
}

const NO_SET = `behind ${DOCUMENT_NOTE} stands SET key text, with PXAT or without`;

/** Empty: they are none. */
function wordsOf(text: string): readonly Buffer[] {
  const line = Buffer.from(text, "latin1");
  return splitWords(line, 0, line.length) ?? [];
}

/** The command that stores the text of a SET as a document. */
function documentCommand(parts: readonly Buffer[]): readonly Part[] | undefined {
  const [name, key, text, option, moment] = parts;
  const isSet = String(name).toUpperCase() === "SET" && (parts.length === 3 || parts.length === 5);
  const isTimed = option !== undefined && option.toString().toUpperCase() === "PXAT";
  if (!isSet || (option !== undefined && !isTimed)) return undefined;
  return ["VALUE.IMPORT", key as Buffer, "json", moment ?? "0", text as Buffer];
}
