/**
 * Base64 (RFC 4648, the alphabet with `+` and `/`, padded), decoded as it comes, so that a value of
 * 512 MiB needs no second buffer and no pause. Strict: another character, padding that is missing
 * or bits that say nothing are refused, since each value has one text.
 */
import type { ByteBuilder } from "./byte-builder.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 0x3d;
const NONE = 64;

const SEXTETS = new Uint8Array(256).fill(NONE);
for (let i = 0; i < ALPHABET.length; i++) SEXTETS[ALPHABET.charCodeAt(i)] = i;

export class Base64Decoder {
  #bits = 0;
  /** Characters of the group of four in hand. */
  #count = 0;
  /** Characters of padding so far: nothing may follow them. */
  #padding = 0;

  reset(): void {
    this.#bits = 0;
    this.#count = 0;
    this.#padding = 0;
  }

  /** Takes a character; false: it cannot stand here. */
  accept(byte: number, target: ByteBuilder): boolean {
    if (byte === PADDING) return this.#pad(target);
    const sextet = SEXTETS[byte];
    if (sextet === NONE || this.#padding > 0) return false;
    this.#bits = (this.#bits << 6) | sextet;
    if (++this.#count < 4) return true;
    target.push(this.#bits >>> 16);
    target.push((this.#bits >>> 8) & 0xff);
    target.push(this.#bits & 0xff);
    this.#bits = 0;
    this.#count = 0;
    return true;
  }

  /** Whether the text may end here. */
  get isWhole(): boolean {
    return this.#count === 0 || this.#count + this.#padding === 4;
  }

  #pad(target: ByteBuilder): boolean {
    if (this.#count < 2 || this.#count + this.#padding === 4) return false;
    this.#padding++;
    if (this.#count + this.#padding < 4) return true;
    const unused = this.#count === 2 ? 4 : 2;
    if ((this.#bits & ((1 << unused) - 1)) !== 0) return false;
    const bits = this.#bits >>> unused;
    if (this.#count === 3) target.push(bits >>> 8);
    target.push(bits & 0xff);
    return true;
  }
}
