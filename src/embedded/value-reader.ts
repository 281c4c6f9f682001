/**
 * A Reply that takes the one value that `get` and its kin are answered, straight from the arena:
 * text is decoded and JSON parsed where they lie. Commands with other answers than a value, a
 * number or an error do not come here.
 */
import { isUtf8 } from "node:buffer";
import { assert } from "../assert.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import type { ReadonlyBytes } from "../store/arena.ts";

/** What decoding puts in the place of bytes that are no UTF-8; it may stand in a text by itself. */
const REPLACEMENT = "\ufffd";

export class ValueReader implements Reply {
  /** Whether strings are wanted as bytes, and JSON as its text. */
  asBytes = false;
  #value: unknown;
  #failure: KvdbError | undefined;

  /** What was answered, `undefined` for null. Throws the error reply. */
  take(): unknown {
    const value = this.#value;
    const failure = this.#failure;
    this.#value = undefined;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return value;
  }

  bulk(bytes: ReadonlyBytes, start: number, end: number): void {
    if (this.asBytes) this.#copy(bytes, start, end);
    else this.#text(bytes, start, end);
  }

  json(bytes: ReadonlyBytes, start: number, end: number): void {
    if (this.asBytes) this.#copy(bytes, start, end);
    else this.#value = JSON.parse(bytes.toString("utf8", start, end));
  }

  #copy(bytes: ReadonlyBytes, start: number, end: number): void {
    const copy = new Uint8Array(end - start);
    bytes.copy(copy, 0, start, end);
    this.#value = copy;
  }

  #text(bytes: ReadonlyBytes, start: number, end: number): void {
    const text = bytes.toString("utf8", start, end);
    if (text.includes(REPLACEMENT)) this.#requireUtf8(bytes, start, end);
    this.#value = text;
  }

  #requireUtf8(bytes: ReadonlyBytes, start: number, end: number): void {
    const copy = Buffer.alloc(end - start);
    bytes.copy(copy, 0, start, end);
    if (isUtf8(copy)) return;
    this.#failure = new KvdbError("COMMAND", "the string is no UTF-8; read it with getBytes");
  }

  null(): void {
    this.#value = undefined;
  }

  ok(): void {
    this.#value = "OK";
  }

  integer(value: number | bigint): void {
    this.#value = value;
  }

  error(code: string, text: string): void {
    this.#failure = new KvdbError("COMMAND", `${code} ${text}`, { reply: code });
  }

  mark(): number {
    return 0;
  }

  rewind(): void {
    this.#value = undefined;
    this.#failure = undefined;
  }

  status(): void {
    unexpected();
  }
  double(): void {
    unexpected();
  }
  boolean(): void {
    unexpected();
  }
  text(): void {
    unexpected();
  }
  verbatim(): void {
    unexpected();
  }
  nullArray(): void {
    unexpected();
  }
  array(): void {
    unexpected();
  }
  map(): void {
    unexpected();
  }
  set(): void {
    unexpected();
  }
  push(): void {
    unexpected();
  }
}

function unexpected(): void {
  assert(false, "a command on one value answered with something else");
}
