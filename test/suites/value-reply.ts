/**
 * A Reply that builds one plain JS value, for tests: strings (a Buffer when the bytes are no UTF-8), numbers (bigint
 * beyond 2^53), booleans, null, arrays; maps and sets as the classes of that name; errors as { error: "ERR text" }.
 * It fails when a command writes no reply, more than one, or an incomplete one.
 */
import type { Reply } from "../../src/commands/reply.ts";
import type { ReadonlyBytes } from "../../src/store/arena.ts";

export interface ErrorValue {
  readonly error: string;
}
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | ErrorValue
  | Value[]
  | Map<Value, Value>
  | Set<Value>;

type Token =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "array" | "map" | "set"; readonly count: number };

export class ValueReply implements Reply {
  #tokens: Token[] = [];
  #at = 0;

  /** The reply that was written since the last call. */
  take(): Value {
    this.#at = 0;
    const value = this.#read();
    if (this.#at !== this.#tokens.length) throw new Error("a command wrote more than one reply");
    this.#tokens = [];
    return value;
  }

  #read(): Value {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error("a command wrote no reply, or an incomplete one");
    if (token.kind === "value") return token.value;
    const elements = (count: number) => Array.from({ length: count }, () => this.#read());
    if (token.kind === "array") return elements(token.count);
    if (token.kind === "set") return new Set(elements(token.count));
    return new Map(Array.from({ length: token.count }, () => [this.#read(), this.#read()]));
  }

  #add(value: Value): void {
    this.#tokens.push({ kind: "value", value });
  }

  ok(): void {
    this.#add("OK");
  }
  status(text: string): void {
    this.#add(text);
  }
  integer(value: number | bigint): void {
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw new Error(`an integer reply of ${value}`);
    }
    this.#add(Number.isSafeInteger(Number(value)) ? Number(value) : value);
  }
  double(value: number): void {
    this.#add(value);
  }
  boolean(value: boolean): void {
    this.#add(value);
  }
  bulk(bytes: ReadonlyBytes, start: number, end: number): void {
    const copy = Buffer.alloc(end - start);
    bytes.copy(copy, 0, start, end);
    const text = copy.toString("utf8");
    this.#add(Buffer.from(text).equals(copy) ? text : copy);
  }
  json(bytes: ReadonlyBytes, start: number, end: number): void {
    this.bulk(bytes, start, end);
  }
  text(text: string): void {
    this.#add(text);
  }
  verbatim(text: string): void {
    this.#add(text);
  }
  null(): void {
    this.#add(null);
  }
  nullArray(): void {
    this.#add(null);
  }
  array(count: number): void {
    this.#tokens.push({ kind: "array", count });
  }
  map(count: number): void {
    this.#tokens.push({ kind: "map", count });
  }
  set(count: number): void {
    this.#tokens.push({ kind: "set", count });
  }
  push(count: number): void {
    this.#tokens.push({ kind: "array", count });
  }
  error(code: string, text: string): void {
    this.#add({ error: `${code} ${text}` });
  }
  mark(): number {
    return this.#tokens.length;
  }
  rewind(mark: number): void {
    this.#tokens.length = mark;
  }
}
