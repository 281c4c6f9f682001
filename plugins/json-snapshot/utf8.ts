/**
 * Whether bytes are UTF-8 (RFC 3629), byte by byte, so that a sequence may go on in the next slice.
 * Overlong forms, halves of surrogate pairs and what lies beyond U+10FFFF are refused.
 */
export class Utf8Check {
  /** Bytes that are missing of the character in hand; 0: between characters. */
  missing = 0;
  /** What the next one must lie between. */
  #least = 0x80;
  #most = 0xbf;

  /** Takes a byte; false: it cannot stand here. Of ASCII, only what would cut a character off need be shown. */
  accept(byte: number): boolean {
    if (this.missing > 0) {
      if (byte < this.#least || byte > this.#most) return false;
      this.missing--;
      this.#least = 0x80;
      this.#most = 0xbf;
      return true;
    }
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.#least = 0xa0;
    else if (byte === 0xed) this.#most = 0x9f;
    else if (byte === 0xf0) this.#least = 0x90;
    else if (byte === 0xf4) this.#most = 0x8f;
    return true;
  }

  reset(): void {
    this.missing = 0;
    this.#least = 0x80;
    this.#most = 0xbf;
  }
}
