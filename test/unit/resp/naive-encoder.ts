/**
 * The Redis protocol written the obvious way, as one string of bytes: what the encoder is compared with. Doubles are not
 * formatted here, but given with the text that Redis has for them.
 */
import type { Reply } from "../../../src/commands/reply.ts";
import type { ReadonlyBytes } from "../../../src/store/arena.ts";

/** Redis's "%.17g" of the doubles that the tests use. */
export const DOUBLES: ReadonlyMap<number, string> = new Map([
  [0, "0"],
  [1, "1"],
  [-1.5, "-1.5"],
  [-1234567, "-1234567"],
  [2 ** 53 - 1, "9007199254740991"],
  [2 ** 53, "9007199254740992"],
  [0.1, "0.10000000000000001"],
  [3.0e-7, "2.9999999999999999e-07"],
  [1e21, "1e+21"],
  [Number.POSITIVE_INFINITY, "inf"],
  [Number.NEGATIVE_INFINITY, "-inf"],
]);

export class NaiveEncoder implements Reply {
  /** Byte text. */
  output = "";
  readonly #isResp3: boolean;

  constructor(protocol: 2 | 3) {
    this.#isResp3 = protocol === 3;
  }

  #choose(resp2: string, resp3: string): void {
    this.output += this.#isResp3 ? resp3 : resp2;
  }

  ok(): void {
    this.output += "+OK\r\n";
  }
  status(text: string): void {
    this.output += `+${lineBytes(text)}\r\n`;
  }
  error(code: string, text: string): void {
    this.output += `-${lineBytes(`${code} ${text}`)}\r\n`;
  }
  integer(value: number | bigint): void {
    this.output += `:${BigInt(value)}\r\n`;
  }
  double(value: number, written?: string): void {
    // A Map takes minus zero for zero.
    const text = written ?? (Object.is(value, -0) ? "-0" : (DOUBLES.get(value) ?? ""));
    this.#choose(`$${text.length}\r\n${text}\r\n`, `,${text}\r\n`);
  }
  boolean(value: boolean): void {
    this.#choose(value ? ":1\r\n" : ":0\r\n", value ? "#t\r\n" : "#f\r\n");
  }
  bulk(bytes: ReadonlyBytes, start: number, end: number): void {
    this.output += `$${end - start}\r\n${bytes.toString("latin1", start, end)}\r\n`;
  }
  json(bytes: ReadonlyBytes, start: number, end: number): void {
    this.bulk(bytes, start, end);
  }
  text(text: string): void {
    const bytes = utf8(text);
    this.output += `$${bytes.length}\r\n${bytes}\r\n`;
  }
  verbatim(text: string, format: string): void {
    const bytes = utf8(text);
    const resp2 = `$${bytes.length}\r\n${bytes}\r\n`;
    this.#choose(resp2, `=${bytes.length + 4}\r\n${format}:${bytes}\r\n`);
  }
  null(): void {
    this.#choose("$-1\r\n", "_\r\n");
  }
  nullArray(): void {
    this.#choose("*-1\r\n", "_\r\n");
  }
  array(count: number): void {
    this.output += `*${count}\r\n`;
  }
  map(count: number): void {
    this.#choose(`*${count * 2}\r\n`, `%${count}\r\n`);
  }
  set(count: number): void {
    this.#choose(`*${count}\r\n`, `~${count}\r\n`);
  }
  push(count: number): void {
    this.#choose(`*${count}\r\n`, `>${count}\r\n`);
  }
  mark(): number {
    return this.output.length;
  }
  rewind(mark: number): void {
    this.output = this.output.slice(0, mark);
  }
}

const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

/** Text of nothing but bytes goes out as those; other text as UTF-8. */
function lineBytes(text: string): string {
  return Array.from(text).every((character) => character <= "\xff") ? text : utf8(text);
}
