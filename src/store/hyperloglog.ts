/**
 * HyperLogLog in Redis's own form, byte for byte (hyperloglog.c of 7.0): the value is a string that DUMP, GET and SET carry
 * between the servers. It counts different elements with a standard error of 0.81 %: each element belongs to one of 2^14
 * registers, which keeps the longest run of zeros (and the one bit behind it) that the hashes of its elements end in.
 *
 *   header   "HYLL"   u8 encoding: 0 dense, 1 sparse   3 zero bytes
 *            u64 little endian: the count worked out last; its top bit: that is out of date
 *   dense    2^14 registers of 6 bits, from the low bits of each byte on: 12 304 bytes with the header
 *   sparse   runs of registers of one value
 *              00nnnnnn            ZERO    n + 1 registers are 0
 *              01nnnnnn nnnnnnnn   XZERO   n + 1 registers are 0
 *              1vvvvvnn            VAL     n + 1 registers are v + 1
 *
 *   Example: an empty one:   48 59 4c 4c  01 00 00 00  00 00 00 00 00 00 00 00  7f ff
 *
 * Which steps change a sparse one, and how runs are merged afterwards, follows Redis step by step: the bytes must be equal,
 * not only the registers. An object of this class is a copy to work on; dense registers are also read and written in place.
 */
import { type ReadonlyBytes, sameBytes } from "./arena.ts";
import { murmur, murmurHash } from "./murmur-hash.ts";

export const REGISTERS = 1 << 14;
export const HEADER_BYTES = 16;
export const DENSE_BYTES = HEADER_BYTES + (REGISTERS * 6) / 8;
export const DENSE = 0;
export const SPARSE = 1;
const MAGIC = Buffer.from("HYLL");
const ENCODING = 4;
/** The cached count, and the byte of it whose top bit says that it is out of date. */
export const COUNT_AT = 8;
const STALE_AT = 15;
const STALE = 0x80;
/** Bits of a hash beside those that name the register. */
const HASH_BITS = 50;
/** The most that the encoding says of a register, and of the registers of a run. */
const MOST_VALUE = 32;
const MOST_VALUES = 4;
const MOST_ZEROS = 64;
/** After a change so many runs are looked at for neighbours to merge. */
const MERGE_SCAN = 5;
/** A change replaces a run of at most two bytes by five. */
const GROWTH = 5;

// ---- elements ----

/** What an element would set: the register, and its value. */
export const place = { register: 0, value: 0 };

/** Leaves in `place` what the element bytes[start, end) sets. */
export function placeElement(bytes: ReadonlyBytes, start: number, end: number): void {
  murmurHash(bytes, start, end);
  const low = (murmur.low >>> 14) | (murmur.high << 18);
  const high = (murmur.high >>> 14) | (1 << (HASH_BITS - 32));
  place.register = murmur.low & (REGISTERS - 1);
  place.value = low !== 0 ? trailingZeros(low) + 1 : 33 + trailingZeros(high);
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

// ---- dense registers, where they lie: `at` is where the header begins ----

export function denseRegister(bytes: ReadonlyBytes, at: number, register: number): number {
  const bit = register * 6;
  const byte = at + HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  const word = shift > 2 ? bytes[byte] | (bytes[byte + 1] << 8) : bytes[byte];
  return (word >>> shift) & 63;
}

export function setDenseRegister(
  bytes: Uint8Array,
  at: number,
  register: number,
  value: number,
): void {
  const bit = register * 6;
  const byte = at + HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  bytes[byte] = (bytes[byte] & ~(63 << shift)) | (value << shift);
  if (shift <= 2) return;
  bytes[byte + 1] = (bytes[byte + 1] & ~(63 >>> (8 - shift))) | (value >>> (8 - shift));
}

// ---- header ----

export function encodingAt(bytes: ReadonlyBytes, at: number): number {
  return bytes[at + ENCODING];
}

/** Whether these bytes look like one, as Redis decides it; the runs of a sparse one may be damaged all the same. */
export function isHyperLogLog(bytes: ReadonlyBytes, start: number, end: number): boolean {
  if (end - start < HEADER_BYTES || !sameBytes(bytes, start, MAGIC, 0, MAGIC.length)) return false;
  const encoding = encodingAt(bytes, start);
  return encoding === SPARSE || (encoding === DENSE && end - start === DENSE_BYTES);
}

export function markStale(bytes: Uint8Array, at: number): void {
  bytes[at + STALE_AT] |= STALE;
}

/** The count worked out last, or null when it is out of date. */
export function cachedCount(bytes: ReadonlyBytes, at: number): bigint | null {
  if ((bytes[at + STALE_AT] & STALE) !== 0) return null;
  let count = 0n;
  for (let i = 7; i >= 0; i--) count = (count << 8n) | BigInt(bytes[at + COUNT_AT + i]);
  return count;
}

export function writeCount(bytes: Uint8Array, at: number, count: bigint): void {
  for (let i = 0; i < 8; i++) {
    bytes[at + COUNT_AT + i] = Number(BigInt.asUintN(8, count >> BigInt(8 * i)));
  }
}

// ---- runs of a sparse one ----

const isZero = (run: number) => run < 0x40;
const isLongZero = (run: number) => run >= 0x40 && run < 0x80;
const runValue = (run: number) => ((run >> 2) & 31) + 1;
const valueRun = (value: number, count: number) => 0x80 | ((value - 1) << 2) | (count - 1);

/** Registers of the run at `at`; one whose second byte is cut off at `end` reads as if that were 0, as in Redis. */
function runLength(bytes: ReadonlyBytes, at: number, end: number): number {
  const run = bytes[at];
  if (run >= 0x80) return (run & 3) + 1;
  if (isZero(run)) return (run & 63) + 1;
  return (((run & 63) << 8) | (at + 1 < end ? bytes[at + 1] : 0)) + 1;
}

/** Bytes of the run at `at`. */
function runSize(bytes: ReadonlyBytes, at: number): number {
  return isLongZero(bytes[at]) ? 2 : 1;
}

/** What `eachRun` finds: called with the value of some registers and how many those are. */
type Visit = (value: number, count: number) => void;

/** Goes through the runs; false: they are not those of 2^14 registers. */
export function eachRun(bytes: ReadonlyBytes, start: number, end: number, visit: Visit): boolean {
  let registers = 0;
  for (let at = start + HEADER_BYTES; at < end; at += runSize(bytes, at)) {
    const count = runLength(bytes, at, end);
    registers += count;
    if (registers > REGISTERS) return false;
    visit(bytes[at] >= 0x80 ? runValue(bytes[at]) : 0, count);
  }
  return registers === REGISTERS;
}

/** The runs as Redis prints them: zeros in one byte, zeros in two, a value and how many. */
export function describeRuns(bytes: ReadonlyBytes, start: number, end: number): string {
  const words: string[] = [];
  for (let at = start + HEADER_BYTES; at < end; at += runSize(bytes, at)) {
    const run = bytes[at];
    const count = runLength(bytes, at, end);
    if (run >= 0x80) words.push(`v:${runValue(run)},${count}`);
    else words.push(isZero(run) ? `z:${count}` : `Z:${count}`);
  }
  return words.join(" ");
}

export class HyperLogLog {
  /** The value is bytes[0, size). */
  bytes: Buffer = Buffer.alloc(DENSE_BYTES + GROWTH);
  size = 0;

  /** Becomes an empty one, sparse. */
  create(): void {
    this.bytes.fill(0, 0, HEADER_BYTES);
    MAGIC.copy(this.bytes);
    this.bytes[ENCODING] = SPARSE;
    this.bytes[HEADER_BYTES] = 0x40 | ((REGISTERS - 1) >> 8);
    this.bytes[HEADER_BYTES + 1] = (REGISTERS - 1) & 255;
    this.size = HEADER_BYTES + 2;
  }

  /** Becomes a copy of bytes[start, end), which look like one. */
  load(bytes: ReadonlyBytes, start: number, end: number): void {
    this.size = end - start;
    const capacity = Math.max(this.size, DENSE_BYTES) + GROWTH;
    const isBlownUp = this.bytes.length > 2 * capacity;
    if (this.bytes.length < capacity || isBlownUp) this.bytes = Buffer.alloc(capacity);
    bytes.copy(this.bytes, 0, start, end);
  }

  get encoding(): number {
    return this.bytes[ENCODING];
  }

  /**
   * Lets the register have at least this value. True: it had less; null: the value is damaged. A sparse one becomes dense when
   * the value is too large for it, or when it would grow beyond `mostBytes`.
   */
  raise(register: number, value: number, mostBytes: number): boolean | null {
    if (this.encoding === SPARSE) return this.#raiseSparse(register, value, mostBytes);
    if (denseRegister(this.bytes, 0, register) >= value) return false;
    setDenseRegister(this.bytes, 0, register, value);
    return true;
  }

  #raiseSparse(register: number, value: number, mostBytes: number): boolean | null {
    if (value > MOST_VALUE) return this.#raiseDense(register, value);
    const { bytes } = this;
    let at = HEADER_BYTES;
    let before = HEADER_BYTES;
    let first = 0;
    let span = 0;
    while (at < this.size) {
      span = runLength(bytes, at, this.size);
      if (register < first + span) break;
      before = at;
      at += runSize(bytes, at);
      first += span;
    }
    if (span === 0 || at + runSize(bytes, at) > this.size) return null;
    const run = bytes[at];
    const isValue = run >= 0x80;
    if (isValue && runValue(run) >= value) return false;
    // A run of one register gets its value in place; a long run of zeros is never one of those.
    if (span === 1 && !isLongZero(run)) bytes[at] = valueRun(value, 1);
    else {
      const length = this.#splitRun(at, register - first, span, value);
      const grown = length - runSize(bytes, at);
      if (grown > 0 && this.size + grown > mostBytes) return this.#raiseDense(register, value);
      bytes.copyWithin(at + length, at + runSize(bytes, at), this.size);
      split.copy(bytes, at, 0, length);
      this.size += grown;
    }
    this.#mergeFrom(before);
    markStale(bytes, 0);
    return true;
  }

  #raiseDense(register: number, value: number): boolean | null {
    return this.toDense() ? this.raise(register, value, 0) : null;
  }

  /** Writes into `split` what takes the place of the run at `at`; answers its length in bytes. */
  #splitRun(at: number, index: number, span: number, value: number): number {
    const run = this.bytes[at];
    let end = writeRun(0, run, index);
    split[end++] = valueRun(value, 1);
    end = writeRun(end, run, span - 1 - index);
    return end;
  }

  /** Joins neighbours of one value, from the run at `from` on. */
  #mergeFrom(from: number): void {
    const { bytes } = this;
    let at = from;
    for (let left = MERGE_SCAN; at < this.size && left > 0; left--) {
      const run = bytes[at];
      const next = bytes[at + 1];
      if (run >= 0x80 && at + 1 < this.size && next >= 0x80 && runValue(run) === runValue(next)) {
        const count = (run & 3) + (next & 3) + 2;
        if (count <= MOST_VALUES) {
          bytes[at + 1] = valueRun(runValue(run), count);
          bytes.copyWithin(at, at + 1, this.size);
          this.size--;
          continue;
        }
      }
      at += runSize(bytes, at);
    }
  }

  /** False when the runs are damaged; then nothing has changed. */
  toDense(): boolean {
    if (this.encoding === DENSE) return true;
    let register = 0;
    const dense = Buffer.alloc(DENSE_BYTES + GROWTH);
    this.bytes.copy(dense, 0, 0, HEADER_BYTES);
    const isWhole = eachRun(this.bytes, 0, this.size, (value, count) => {
      if (value === 0) register += count;
      else for (let i = 0; i < count; i++) setDenseRegister(dense, 0, register++, value);
    });
    if (!isWhole) return false;
    dense[ENCODING] = DENSE;
    this.bytes = dense;
    this.size = DENSE_BYTES;
    return true;
  }
}

const split = Buffer.alloc(GROWTH);

/** Writes `count` registers like those of `run` into `split` at `at`; answers where that ended. */
function writeRun(at: number, run: number, count: number): number {
  if (count === 0) return at;
  if (run >= 0x80) {
    split[at] = valueRun(runValue(run), count);
    return at + 1;
  }
  if (count <= MOST_ZEROS) {
    split[at] = count - 1;
    return at + 1;
  }
  split[at] = 0x40 | ((count - 1) >> 8);
  split[at + 1] = (count - 1) & 255;
  return at + 2;
}

// ---- counting ----

/** Lets each register of `most` have at least the value that it has in bytes[start, end); false: those are damaged. */
export function mergeInto(
  most: Uint8Array,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): boolean {
  if (encodingAt(bytes, start) === DENSE) {
    mergeDense(most, bytes, start + HEADER_BYTES);
    return true;
  }
  let register = 0;
  return eachRun(bytes, start, end, (value, count) => {
    if (value === 0) register += count;
    else {
      for (const last = register + count; register < last; register++) {
        if (value > most[register]) most[register] = value;
      }
    }
  });
}

/** Four registers are three bytes. */
function mergeDense(most: Uint8Array, bytes: ReadonlyBytes, start: number): void {
  for (let register = 0, at = start; register < REGISTERS; register += 4, at += 3) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    if (word === 0) continue;
    const [a, b, c, d] = [word & 63, (word >> 6) & 63, (word >> 12) & 63, word >> 18];
    if (a > most[register]) most[register] = a;
    if (b > most[register + 1]) most[register + 1] = b;
    if (c > most[register + 2]) most[register + 2] = c;
    if (d > most[register + 3]) most[register + 3] = d;
  }
}

/** The estimate for registers of these values: "New cardinality estimation algorithms for HyperLogLog sketches", Ertl 2017. */
export function estimate(registers: Uint8Array): number {
  const histogram = new Int32Array(64);
  for (let register = 0; register < REGISTERS; register++) histogram[registers[register]]++;
  let z = REGISTERS * tau((REGISTERS - histogram[HASH_BITS + 1]) / REGISTERS);
  for (let value = HASH_BITS; value >= 1; value--) z = (z + histogram[value]) * 0.5;
  z += REGISTERS * sigma(histogram[0] / REGISTERS);
  return Math.round((ALPHA * REGISTERS * REGISTERS) / z);
}

const ALPHA = 0.7213475204444817;

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = x;
  for (let before = Number.NaN; before !== z; ) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (let before = Number.NaN; before !== z; ) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
