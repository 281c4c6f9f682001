/**
 * Cuts a stream of bytes into replies, RESP2 and RESP3, and makes a value of each: the client's side
 * of the protocol. What a client sends is cut by decoder.ts.
 *
 *   line       + - : _ # , (        +OK\r\n
 *   blob       $ = !                $3\r\nabc\r\n, null as $-1\r\n
 *   aggregate  * ~ >  (n items)     *2\r\n…, null as *-1\r\n
 *              % |    (2n items)    attributes (|) are read and left out: nobody asked for them
 *
 * Each byte is looked at once, however the stream is cut: unfinished aggregates lie on a stack, and
 * an unfinished blob is looked at again only when all of it is there.
 */
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";
import { type Answer, errorAnswer, NULL_ANSWER } from "./answer.ts";

/** Servers nest a handful deep, documents of JSON.RESP deeper; garbage must not fill the memory. */
const MAX_DEPTH = 1024;
/** A status or an error is a line; beyond it nobody speaks this protocol. */
const MAX_LINE_BYTES = 1024 * 1024;
/** Elements that one aggregate may announce: a server's own limit of arguments. */
const MAX_ITEMS = 2 ** 31 - 1;

const CR = 13;
const LF = 10;
const NOTHING = Buffer.alloc(0);

/** An aggregate that still waits for elements. */
interface Frame {
  readonly type: string;
  readonly items: Answer[];
  missing: number;
}

export class ReplyDecoder {
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #buffer: Buffer = NOTHING;
  #at = 0;
  /** Bytes that must be there, from `#at` on, before another look can tell more. */
  #needed = 1;
  /** Where the search for the end of the line goes on, from `#at`. */
  #searched = 0;
  readonly #frames: Frame[] = [];

  /** The replies that are whole now, in order. Throws a KvdbError UNAVAILABLE when this is no RESP. */
  push(chunk: Buffer): Answer[] {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    if (this.#buffer.length - this.#at + this.#chunkBytes < this.#needed) return [];
    this.#join();
    const answers: Answer[] = [];
    for (;;) {
      const answer = this.#next();
      if (answer === undefined) break;
      const whole = this.#complete(answer);
      if (whole !== undefined) answers.push(whole);
    }
    return answers;
  }

  /** True when nothing of a further reply has come. */
  get isIdle(): boolean {
    return this.#frames.length === 0 && this.#buffer.length - this.#at + this.#chunkBytes === 0;
  }

  #join(): void {
    const rest = this.#buffer.subarray(this.#at);
    this.#buffer =
      rest.length === 0 && this.#chunks.length === 1
        ? (this.#chunks[0] as Buffer)
        : Buffer.concat([rest, ...this.#chunks]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#at = 0;
  }

  /** The next scalar, or an aggregate without elements; undefined: wait, or a frame was opened. */
  #next(): Answer | undefined {
    for (;;) {
      const lineEnd = this.#lineEnd();
      if (lineEnd < 0) return undefined;
      const type = String.fromCharCode(this.#buffer[this.#at]);
      const text = this.#buffer.toString("utf8", this.#at + 1, lineEnd);
      const after = lineEnd + 2;
      if ("$=!".includes(type)) return this.#blob(type, count(text, MAX_BULK_BYTES), after);
      this.#advance(after);
      if (!"*~>%|".includes(type)) return scalar(type, text);
      const items = count(text, MAX_ITEMS);
      if (items < 0) return NULL_ANSWER;
      const missing = type === "%" || type === "|" ? items * 2 : items;
      if (missing === 0 && type !== "|") return aggregate(type, []);
      if (missing === 0) continue;
      if (this.#frames.length === MAX_DEPTH) throw malformed("nested too deep");
      this.#frames.push({ type, items: [], missing });
    }
  }

  #advance(to: number): void {
    this.#at = to;
    this.#searched = 0;
    this.#needed = 1;
  }

  /** Offset of the CR that ends the line at `#at`, -1 when it is not there yet. */
  #lineEnd(): number {
    const end = this.#buffer.indexOf(CR, this.#at + this.#searched);
    if (end >= 0 && end + 1 < this.#buffer.length) {
      if (this.#buffer[end + 1] !== LF) throw malformed("a carriage return without a line feed");
      return end;
    }
    const there = this.#buffer.length - this.#at;
    if (there > MAX_LINE_BYTES) throw malformed("a line that does not end");
    this.#searched = end < 0 ? there : end - this.#at;
    this.#needed = there + 1;
    return -1;
  }

  #blob(type: string, size: number, start: number): Answer | undefined {
    if (size < 0) {
      this.#advance(start);
      return NULL_ANSWER;
    }
    const end = start + size;
    if (end + 2 > this.#buffer.length) {
      this.#needed = end + 2 - this.#at;
      this.#searched = 0;
      return undefined;
    }
    if (this.#buffer[end] !== CR || this.#buffer[end + 1] !== LF) {
      throw malformed("a string that is longer than it says");
    }
    const bytes = Buffer.from(this.#buffer.subarray(start, end));
    this.#advance(end + 2);
    if (type === "$") return { kind: "bulk", bytes };
    const text = bytes.toString("utf8");
    if (type === "!") return errorAnswer(text);
    return { kind: "verbatim", format: text.slice(0, 3), text: text.slice(4) };
  }

  /** Puts a value where it belongs; the whole reply when it was its last part. */
  #complete(answer: Answer): Answer | undefined {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return answer;
      frame.items.push(answer);
      if (--frame.missing > 0) return undefined;
      this.#frames.pop();
      if (frame.type === "|") return undefined;
      answer = aggregate(frame.type, frame.items);
    }
  }
}

function aggregate(type: string, items: Answer[]): Answer {
  if (type === "*") return { kind: "array", items };
  if (type === "~") return { kind: "set", items };
  if (type === ">") return { kind: "push", items };
  const entries: [Answer, Answer][] = [];
  for (let i = 0; i < items.length; i += 2) entries.push([items[i], items[i + 1]]);
  return { kind: "map", entries };
}

function scalar(type: string, text: string): Answer {
  switch (type) {
    case "+":
      return { kind: "status", text };
    case "-":
      return errorAnswer(text);
    case ":":
    case "(":
      return { kind: "integer", value: wholeNumber(text) };
    case ",":
      return { kind: "double", value: double(text) };
    case "#":
      return { kind: "boolean", value: text === "t" };
    case "_":
      return NULL_ANSWER;
    default:
      throw malformed(`a reply of the unknown type ${JSON.stringify(type)}`);
  }
}

function wholeNumber(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text)) throw malformed(`${JSON.stringify(text)} as an integer`);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function double(text: string): number {
  const word = text.toLowerCase();
  if (word === "inf" || word === "+inf") return Number.POSITIVE_INFINITY;
  if (word === "-inf") return Number.NEGATIVE_INFINITY;
  const value = Number(text);
  if (Number.isNaN(value) && !word.includes("nan")) {
    throw malformed(`${JSON.stringify(text)} as a number`);
  }
  return value;
}

function count(text: string, most: number): number {
  const value = /^(-1|\d{1,10}|\?)$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value > most) throw malformed(`${JSON.stringify(text)} as a length`);
  return value;
}

function malformed(what: string): KvdbError {
  return new KvdbError("UNAVAILABLE", `the server does not speak RESP: it sent ${what}`);
}
