/**
 * Where a byte of the file is, as a person and an editor count: lines from 1, columns in characters
 * from 1. Counted only when somebody asks, by reading the file once more up to there; offsets that
 * are asked for in order cost one reading in all.
 */
import type { OpenFile } from "kvdb";

const SLICE_BYTES = 1 << 16;
const LF = 0x0a;

export class TextPlaces {
  readonly #file: OpenFile;
  readonly #buffer = Buffer.allocUnsafeSlow(SLICE_BYTES);
  #offset: number;
  readonly #front: number;
  #line = 1;
  #column = 1;

  /** `front` is where the text begins: behind a byte order mark. */
  constructor(file: OpenFile, front: number) {
    this.#file = file;
    this.#front = front;
    this.#offset = front;
  }

  /** `12:7` */
  async placeOf(offset: number): Promise<string> {
    if (offset < this.#offset) this.#startOver();
    while (this.#offset < offset) {
      const length = Math.min(SLICE_BYTES, offset - this.#offset);
      const count = await this.#file.read(this.#buffer, 0, length, this.#offset);
      if (count === 0) break;
      for (let at = 0; at < count; at++) this.#pass(this.#buffer[at]);
      this.#offset += count;
    }
    return `${this.#line}:${this.#column}`;
  }

  #pass(byte: number): void {
    if (byte === LF) {
      this.#line++;
      this.#column = 1;
      // All but the bytes that go on with a character.
    } else if ((byte & 0xc0) !== 0x80) this.#column++;
  }

  #startOver(): void {
    this.#offset = this.#front;
    this.#line = 1;
    this.#column = 1;
  }
}
