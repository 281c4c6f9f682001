/**
 * CRC-64 as Redis has it at the end of RDB files and DUMP payloads: Jones' polynomial ad93d23594c935a9, reflected, begun with
 * 0 and not inverted. In two words of 32 bits, since a bigint for each byte takes fifty times as long; eight bytes at a time
 * ("slicing by 8"), since each byte waited for the one before: 1.1 instead of 0.4 GiB a second.
 *
 *   Example: of "123456789" it is e9c6d914c4b8d9ca
 */
const POLYNOMIAL = 0x95ac9329ac4bc9b5n;

/** Bytes that are looked up together. */
const SLICES = 8;

/** [256 * n + byte]: what a byte adds that stands n bytes before the last one of its eight. */
const low = new Int32Array(SLICES * 256);
const high = new Int32Array(SLICES * 256);
for (let byte = 0; byte < 256; byte++) {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit++)
    value = (value & 1n) === 0n ? value >> 1n : (value >> 1n) ^ POLYNOMIAL;
  low[byte] = Number(value & 0xffffffffn) | 0;
  high[byte] = Number(value >> 32n) | 0;
}
for (let i = 256; i < SLICES * 256; i++) {
  const index = low[i - 256] & 255;
  low[i] = ((low[i - 256] >>> 8) | (high[i - 256] << 24)) ^ low[index];
  high[i] = (high[i - 256] >>> 8) ^ high[index];
}

/** A checksum in the making. */
export class Crc64 {
  #low = 0;
  #high = 0;

  /** The loop is longer than most: eight look-ups in each of two tables, without a call between them. */
  add(bytes: Uint8Array, start: number, end: number): void {
    let lower = this.#low;
    let upper = this.#high;
    let at = start;
    for (const last = end - (SLICES - 1); at < last; at += SLICES) {
      lower ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      upper ^= bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24);
      const a = 1792 | (lower & 255);
      const b = 1536 | ((lower >>> 8) & 255);
      const c = 1280 | ((lower >>> 16) & 255);
      const d = 1024 | (lower >>> 24);
      const e = 768 | (upper & 255);
      const f = 512 | ((upper >>> 8) & 255);
      const g = 256 | ((upper >>> 16) & 255);
      const h = upper >>> 24;
      lower = low[a] ^ low[b] ^ low[c] ^ low[d] ^ low[e] ^ low[f] ^ low[g] ^ low[h];
      upper = high[a] ^ high[b] ^ high[c] ^ high[d] ^ high[e] ^ high[f] ^ high[g] ^ high[h];
    }
    for (; at < end; at++) {
      const index = (lower ^ bytes[at]) & 255;
      lower = ((lower >>> 8) | (upper << 24)) ^ low[index];
      upper = (upper >>> 8) ^ high[index];
    }
    this.#low = lower;
    this.#high = upper;
  }

  /** Writes it, little endian, at `at`; answers where it ended. */
  write(target: Buffer, at: number): number {
    target.writeInt32LE(this.#low, at);
    return target.writeInt32LE(this.#high, at + 4);
  }

  /** Whether it stands at `at`. */
  isAt(bytes: Buffer, at: number): boolean {
    return bytes.readInt32LE(at) === this.#low && bytes.readInt32LE(at + 4) === this.#high;
  }
}
