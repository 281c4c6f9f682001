/**
 * How the command line prints an answer: an implementation of Reply that keeps what a command
 * writes and turns it into lines when it is whole. A status stands as it is, a number as a number,
 * null as `null`, a string as a JSON string, a container has one element a line, a pair as `key:
 * value`; what is nested is indented. No colours, ever.
 *
 *   $ kvdb mget name visits      "Ada"
 *                                null
 */
import type { Reply } from "../commands/reply.ts";
import type { ReadonlyBytes } from "../store/arena.ts";

type Item =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "string"; readonly bytes: Buffer }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "null" }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "list" | "map"; readonly count: number };

export interface OutputOptions {
  /** VALUE.GET answers JSON: its text is printed as it came. */
  readonly rawStrings: boolean;
}

export class OutputReply implements Reply {
  readonly #items: Item[] = [];
  readonly #options: OutputOptions;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  ok(): void {
    this.status("OK");
  }

  status(text: string): void {
    this.#items.push({ kind: "line", text });
  }

  integer(value: number | bigint): void {
    this.status(String(value));
  }

  double(value: number): void {
    this.status(
      Number.isFinite(value) ? String(value) : value > 0 ? "inf" : value < 0 ? "-inf" : "nan",
    );
  }

  boolean(value: boolean): void {
    this.status(String(value));
  }

  bulk(bytes: ReadonlyBytes, start: number, end: number): void {
    const copy = Buffer.alloc(end - start);
    bytes.copy(copy, 0, start, end);
    this.#items.push({ kind: "string", bytes: copy });
  }

  text(text: string): void {
    this.#items.push({ kind: "string", bytes: Buffer.from(text) });
  }

  verbatim(text: string): void {
    this.#items.push({ kind: "text", text });
  }

  null(): void {
    this.#items.push({ kind: "null" });
  }

  nullArray(): void {
    this.null();
  }

  array(count: number): void {
    this.#items.push({ kind: "list", count });
  }

  map(count: number): void {
    this.#items.push({ kind: "map", count });
  }

  set(count: number): void {
    this.array(count);
  }

  error(code: string, text: string): void {
    this.#items.push({ kind: "error", text: `${code} ${text}` });
  }

  mark(): number {
    return this.#items.length;
  }

  rewind(mark: number): void {
    this.#items.length = mark;
  }

  /** The error, when the answer as a whole is one. */
  get failure(): string | undefined {
    const first = this.#items[0];
    return first?.kind === "error" ? first.text : undefined;
  }

  get isNull(): boolean {
    return this.#items[0]?.kind === "null";
  }

  /**
   * The whole answer, each line with its newline; bytes, because a raw string need not be UTF-8.
   */
  render(): Buffer {
    const parts: Buffer[] = [];
    this.#render(0, -1, parts);
    return Buffer.concat(parts);
  }

  /** Prints the item at `at`, its elements included; returns where the next one stands. */
  #render(at: number, depth: number, parts: Buffer[]): number {
    const item = this.#items[at];
    if (item === undefined) return at;
    if (item.kind !== "list" && item.kind !== "map") {
      parts.push(indented(depth, this.#scalar(item)), NEWLINE);
      return at + 1;
    }
    let next = at + 1;
    for (let element = 0; element < item.count; element++) {
      next =
        item.kind === "map"
          ? this.#pair(next, depth + 1, parts)
          : this.#render(next, depth + 1, parts);
    }
    return next;
  }

  #pair(at: number, depth: number, parts: Buffer[]): number {
    const key = this.#scalar(this.#items[at]);
    const value = this.#items[at + 1];
    if (value === undefined) return at + 1;
    if (value.kind === "list" || value.kind === "map") {
      parts.push(indented(depth, key), COLON, NEWLINE);
      return this.#render(at + 1, depth, parts);
    }
    parts.push(indented(depth, key), COLON, SPACE, this.#scalar(value), NEWLINE);
    return at + 2;
  }

  #scalar(item: Item | undefined): Buffer {
    switch (item?.kind) {
      case "string":
        return this.#options.rawStrings ? item.bytes : Buffer.from(quote(item.bytes));
      case "line":
        return Buffer.from(item.text);
      case "text":
        return Buffer.from(item.text.replaceAll("\r\n", "\n").replace(/\n$/, ""));
      case "error":
        return Buffer.from(`(error) ${item.text}`);
      default:
        return Buffer.from("null");
    }
  }
}

const NEWLINE = Buffer.from("\n");
const COLON = Buffer.from(":");
const SPACE = Buffer.from(" ");

function indented(depth: number, text: Buffer): Buffer {
  return depth <= 0 ? text : Buffer.concat([Buffer.from("  ".repeat(depth)), text]);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A JSON string when the bytes are UTF-8. Other bytes are written `\xff`, which JSON does not have:
 * nobody can take the line for JSON. Control characters never reach a terminal as they are.
 */
export function quote(bytes: Uint8Array): string {
  const text = decode(bytes);
  return text === undefined ? quoteBinary(bytes) : escapeControls(JSON.stringify(text));
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** JSON.stringify leaves DEL and the controls of Latin-1 alone, which some terminals obey. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u007f-\u009f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function quoteBinary(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `${text}"`;
}
