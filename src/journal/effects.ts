/**
 * The record of the command in hand, while it is being made: first the deletions of keys found expired on the way, then
 * what the command wrote of its outcome, as RESP arrays. Empty for nearly every command: then the journal takes the
 * client's own bytes. Not the journal: nothing here is kept beyond one command.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Effects } from "../session/server.ts";
import { copyBytes, type ReadonlyBytes } from "../store/arena.ts";
import { integerLength, writeInteger } from "../store/number-text.ts";

const FIRST_CAPACITY = 4096;
/** More than a type byte, a length and two line ends need. */
const HEADER_BYTES = 32;

/** A growing buffer of RESP arrays. */
export class CommandWriter implements Effects {
  buffer: Buffer;
  size = 0;

  constructor(capacity = FIRST_CAPACITY) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  command(count: number): void {
    this.#header(42, count);
  }

  text(argument: string): void {
    const bytes = Buffer.from(argument);
    this.bytes(bytes, 0, bytes.length);
  }

  bytes(argument: ReadonlyBytes, start: number, end: number): void {
    const size = end - start;
    this.#reserve(size + HEADER_BYTES);
    const { buffer } = this;
    let at = this.size;
    buffer[at] = 36;
    at = writeInteger(buffer, at + 1, size);
    buffer[at] = 13;
    buffer[at + 1] = 10;
    copyBytes(argument, start, buffer, at + 2, size);
    at += 2 + size;
    buffer[at] = 13;
    buffer[at + 1] = 10;
    this.size = at + 2;
  }

  integer(argument: number): void {
    const size = integerLength(argument);
    this.#header(36, size);
    this.#reserve(size + 2);
    this.size = writeInteger(this.buffer, this.size, argument);
    this.#newline();
  }

  /** Adds one command whole. */
  arguments(args: Arguments): void {
    if (args.rawStart >= 0) {
      this.encoded(args.buffer, args.rawStart, args.rawEnd);
      return;
    }
    this.command(args.count);
    for (let i = 0; i < args.count; i++) this.bytes(args.buffer, args.start[i], args.end[i]);
  }

  /** Adds arrays that are encoded already. */
  encoded(bytes: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    bytes.copy(this.buffer, this.size, start, end);
    this.size += end - start;
  }

  /** Gives each of the two what the other held, without a copy. */
  exchange(other: CommandWriter): void {
    const { buffer, size } = this;
    this.buffer = other.buffer;
    this.size = other.size;
    other.buffer = buffer;
    other.size = size;
  }

  #header(type: number, value: number): void {
    this.#reserve(HEADER_BYTES);
    this.buffer[this.size] = type;
    this.size = writeInteger(this.buffer, this.size + 1, value);
    this.#newline();
  }

  #newline(): void {
    this.buffer[this.size++] = 13;
    this.buffer[this.size++] = 10;
  }

  #reserve(bytes: number): void {
    if (this.size + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(this.size + bytes)));
    this.buffer.copy(larger, 0, 0, this.size);
    this.buffer = larger;
  }

  /** Forgets the content, and a buffer that one huge value has blown up. */
  clear(): void {
    this.size = 0;
    if (this.buffer.length > 1 << 20) this.buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  }
}
