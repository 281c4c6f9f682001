/** A reply that passes everything on and remembers the first error that was written. */
import type { Reply } from "../commands/reply.ts";
import type { ReadonlyBytes } from "../store/arena.ts";

export class NoticingReply implements Reply {
  readonly #target: Reply;
  /** Code and text of the first error; empty: there was none. */
  failure = "";

  constructor(target: Reply) {
    this.#target = target;
  }

  error(code: string, text: string): void {
    if (this.failure === "") this.failure = `${code} ${text}`;
    this.#target.error(code, text);
  }

  ok(): void {
    this.#target.ok();
  }
  status(text: string): void {
    this.#target.status(text);
  }
  integer(value: number | bigint): void {
    this.#target.integer(value);
  }
  double(value: number, text?: string): void {
    this.#target.double(value, text);
  }
  boolean(value: boolean): void {
    this.#target.boolean(value);
  }
  bulk(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#target.bulk(bytes, start, end);
  }
  json(bytes: ReadonlyBytes, start: number, end: number): void {
    this.#target.json(bytes, start, end);
  }
  text(text: string): void {
    this.#target.text(text);
  }
  verbatim(text: string, format: string): void {
    this.#target.verbatim(text, format);
  }
  null(): void {
    this.#target.null();
  }
  nullArray(): void {
    this.#target.nullArray();
  }
  array(count: number): void {
    this.#target.array(count);
  }
  map(count: number): void {
    this.#target.map(count);
  }
  set(count: number): void {
    this.#target.set(count);
  }
  push(count: number): void {
    this.#target.push(count);
  }
  mark(): number {
    return this.#target.mark();
  }
  rewind(mark: number): void {
    this.#target.rewind(mark);
  }
}
