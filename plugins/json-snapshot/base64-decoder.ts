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

  /** Takes characters; answers where the first is that cannot stand there, or `end`. */
  run(bytes: Buffer, start: number, end: number, target: ByteBuilder): number {
    for (let at = start; at < end; at++) {
      if (this.#count === 0) at = this.#groups(bytes, at, end, target);
      if (at < end && !this.accept(bytes[at], target)) return at;
    }
    return end;
  }

  /** Takes as many whole groups of four as there are; answers where they end. */
  #groups(bytes: Buffer, start: number, end: number, target: ByteBuilder): number {
    const count = Math.min((end - start) >> 2, Math.floor((target.limit - target.length) / 3));
    let length = target.reserve(count * 3);
    const { bytes: decoded } = target;
    let at = start;
    for (const last = start + count * 4; at < last; at += 4) {
      const a = SEXTETS[bytes[at]];
      const b = SEXTETS[bytes[at + 1]];
      const c = SEXTETS[bytes[at + 2]];
      const d = SEXTETS[bytes[at + 3]];
      if ((a | b | c | d) >= NONE || this.#padding > 0) break;
      decoded[length++] = (a << 2) | (b >> 4);
      decoded[length++] = ((b & 15) << 4) | (c >> 2);
      decoded[length++] = ((c & 3) << 6) | d;
    }
    target.length = length;
    return at;
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
