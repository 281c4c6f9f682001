/**
 * The reply as a plugin's command sees it: passes everything on, and sees to it that exactly one whole
 * reply was written, of values that the protocol can carry. One reply too many or too few would shift
 * all later replies of that connection, for ever. Made anew for each run of a command, so that what is
 * written after its end reaches nobody. kvdb's own commands write without it: tests prove those.
 */
import type { Reply } from "../commands/reply.ts";
import type { CommandReply } from "../plugin.ts";
import type { Answer } from "../resp/answer.ts";
import type { ReadonlyBytes } from "../store/arena.ts";

/** Not one whole reply. The message goes on after "command NAME": `wrote no reply`. */
export class ReplyFault extends Error {}

const LINE_BREAK = /[\r\n]/;
/** In RESP3 the format of a verbatim string has three bytes. */
const VERBATIM_FORMAT = /^[a-z]{3}$/;

export class CheckedReply implements CommandReply {
  readonly #target: Reply;
  /** Where this reply begins in it. */
  readonly #start: number;
  /** How many values are still to come: a container asks for its elements. */
  #missing = 1;
  /** What was missing at each mark that was taken. */
  #marks: Map<number, number> | undefined;
  #isOpen = true;

  constructor(target: Reply) {
    this.#target = target;
    this.#start = target.mark();
  }

  /** The command has returned. Throws when it has not written one whole reply. */
  finish(): void {
    if (this.#missing === 0) return;
    const isEmpty = this.#target.mark() === this.#start;
    throw new ReplyFault(
      isEmpty ? "wrote no reply" : `wrote a reply that lacks ${this.#missing} of its values`,
    );
  }

  /** The reply is somebody else's from now on. */
  close(): void {
    this.#isOpen = false;
  }

  // ---- what is written ----

  ok(): void {
    this.#expect();
    this.#target.ok();
  }

  status(text: string): void {
    if (typeof text !== "string" || LINE_BREAK.test(text)) {
      throw new TypeError(`reply.status takes text of one line, not ${shown(text)}`);
    }
    this.#expect();
    this.#target.status(text);
  }

  integer(value: number | bigint): void {
    if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
      throw new TypeError(
        `reply.integer takes a whole number up to 2^53 or a bigint, not ${shown(value)}`,
      );
    }
    this.#expect();
    this.#target.integer(value);
  }

  double(value: number): void {
    if (typeof value !== "number")
      throw new TypeError(`reply.double takes a number, not ${shown(value)}`);
    this.#expect();
    this.#target.double(value);
  }

  boolean(value: boolean): void {
    this.#expect();
    this.#target.boolean(value);
  }

  bulk(bytes: ReadonlyBytes | Uint8Array, start = 0, end?: number): void {
    const span = spanOf(bytes, start, end, "reply.bulk");
    this.#expect();
    this.#target.bulk(span.bytes, start, span.end);
  }

  json(bytes: ReadonlyBytes | Uint8Array, start = 0, end?: number): void {
    const span = spanOf(bytes, start, end, "reply.json");
    this.#expect();
    this.#target.json(span.bytes, start, span.end);
  }

  text(text: string): void {
    if (typeof text !== "string")
      throw new TypeError(`reply.text takes a string, not ${shown(text)}`);
    this.#expect();
    this.#target.text(text);
  }

  verbatim(text: string, format: string): void {
    if (typeof text !== "string" || !VERBATIM_FORMAT.test(format)) {
      throw new TypeError('reply.verbatim takes text and a format of three letters: "txt", "mkd"');
    }
    this.#expect();
    this.#target.verbatim(text, format);
  }

  null(): void {
    this.#expect();
    this.#target.null();
  }

  nullArray(): void {
    this.#expect();
    this.#target.nullArray();
  }

  array(count: number): void {
    this.#container(count, 1);
    this.#target.array(count);
  }

  map(count: number): void {
    this.#container(count, 2);
    this.#target.map(count);
  }

  set(count: number): void {
    this.#container(count, 1);
    this.#target.set(count);
  }

  /** A message is nothing that a command could answer with: a plugin's would be taken for one of kvdb's own. */
  push(count: number): void {
    this.array(count);
  }

  error(code: string, text: string): void {
    this.#expect();
    this.#target.error(String(code), String(text));
  }

  answer(answer: Answer): void {
    switch (answer.kind) {
      case "array":
      case "push":
        this.array(answer.items.length);
        this.#answers(answer.items);
        break;
      case "set":
        this.set(answer.items.length);
        this.#answers(answer.items);
        break;
      case "map":
        this.map(answer.entries.length);
        this.#answers(answer.entries.flat());
        break;
      case "bulk":
        this.bulk(answer.bytes, 0, answer.bytes.length);
        break;
      default:
        this.#scalar(answer);
    }
  }

  #answers(answers: readonly Answer[]): void {
    for (const answer of answers) this.answer(answer);
  }

  #scalar(answer: Exclude<Answer, { kind: "array" | "push" | "set" | "map" | "bulk" }>): void {
    switch (answer.kind) {
      case "status":
        this.status(answer.text);
        break;
      case "error":
        this.error(answer.code, answer.text);
        break;
      case "integer":
        this.integer(answer.value);
        break;
      case "double":
        this.double(answer.value);
        break;
      case "boolean":
        this.boolean(answer.value);
        break;
      case "verbatim":
        this.verbatim(answer.text, answer.format);
        break;
      case "null":
        this.null();
    }
  }

  mark(): number {
    const mark = this.#target.mark();
    this.#marks ??= new Map();
    this.#marks.set(mark, this.#missing);
    return mark;
  }

  rewind(mark: number): void {
    const missing = this.#marks?.get(mark);
    if (missing === undefined)
      throw new TypeError(`reply.rewind takes what mark gave, not ${shown(mark)}`);
    this.#requireOpen();
    this.#missing = missing;
    // Marks behind this one lead nowhere from now on.
    for (const taken of this.#marks?.keys() ?? []) if (taken > mark) this.#marks?.delete(taken);
    this.#target.rewind(mark);
  }

  // ---- checks ----

  #container(count: number, valuesEach: number): void {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new TypeError(`reply.array, map and set take how many follow, not ${shown(count)}`);
    }
    this.#expect();
    this.#missing += valuesEach * count;
  }

  /** One more value is about to be written. */
  #expect(): void {
    this.#requireOpen();
    if (this.#missing === 0) throw new ReplyFault("wrote more than one reply");
    this.#missing--;
  }

  #requireOpen(): void {
    if (!this.#isOpen) {
      throw new Error("the command has ended: a reply is written before run returns");
    }
  }
}

/** Bytes of any kind, with a span that lies within them: all of them, when it has no end. */
function spanOf(
  bytes: ReadonlyBytes | Uint8Array,
  start: number,
  end: number | undefined,
  by: string,
): { readonly bytes: Buffer; readonly end: number } {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${by} takes bytes, not ${shown(bytes)}`);
  const last = end ?? bytes.length;
  const isSpan = Number.isSafeInteger(start) && Number.isSafeInteger(last) && start >= 0;
  if (!isSpan || start > last || last > bytes.length) {
    throw new TypeError(
      `${by} takes a start and an end within ${bytes.length} bytes, not ${shown(start)}, ${shown(end)}`,
    );
  }
  if (Buffer.isBuffer(bytes)) return { bytes, end: last };
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), end: last };
}

/** A value of the wrong kind, in few words: never its content, which may be a user's. */
function shown(value: unknown): string {
  if (typeof value === "number" || value === undefined || value === null) return String(value);
  if (typeof value === "string") return "such a string";
  return typeof value === "object"
    ? `a ${value.constructor?.name ?? "bare object"}`
    : `a ${typeof value}`;
}
