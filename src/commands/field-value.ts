/**
 * The integers of BITFIELD: 1 to 64 bits wide, signed or not, anywhere in a run of bytes, and what becomes of one that is
 * set or added to. Fields of at most 32 bits are numbers, which takes no allocation; wider ones are BigInts. Bit 0 is the
 * highest of the first byte.
 */

export type Overflow = "WRAP" | "SAT" | "FAIL";

/** At most 32 bits: a number. Else a BigInt. */
export type FieldValue = number | bigint;

export interface Field {
  readonly isSigned: boolean;
  /** In bits: 1 to 64, unsigned 1 to 63. */
  readonly width: number;
  /** Of the first bit. May exceed 32 bits. */
  readonly offset: number;
}

/** What is done to a field: SET puts `value` there, INCRBY adds it. */
export interface FieldChange extends Field {
  readonly adds: boolean;
  /** A number if that is exact in every step of the computation: a narrow field, and |value| ≤ 2^52. */
  readonly value: FieldValue;
  readonly overflow: Overflow;
}

const NARROW = 32;
const MAX_NUMBER = 2 ** 52;

/** The argument of a change in the form that its field wants. */
export function changeValue(width: number, value: number, exact: () => bigint): FieldValue {
  if (!Number.isSafeInteger(value)) return exact();
  return width <= NARROW && Math.abs(value) <= MAX_NUMBER ? value : BigInt(value);
}

/** What the field holds after the change; null when it overflows and must fail. */
export function changedValue(change: FieldChange, old: FieldValue): FieldValue | null {
  if (typeof old === "number" && typeof change.value === "number") {
    const base = change.adds ? old : change.value;
    return nextNumber(change, base, change.adds ? change.value : 0);
  }
  const value = BigInt(change.value);
  const next = nextBigInt(change, change.adds ? BigInt(old) : value, change.adds ? value : 0n);
  return next !== null && change.width <= NARROW ? Number(next) : next;
}

function nextNumber(change: FieldChange, base: number, added: number): number | null {
  const { isSigned, width, overflow } = change;
  const largest = 2 ** (isSigned ? width - 1 : width) - 1;
  const smallest = isSigned ? -largest - 1 : 0;
  const sum = base + added;
  // An unsigned field that is set to a negative number: Redis takes it for a huge one.
  const isAbove = sum > largest || base > largest || (!isSigned && base < 0);
  if (!isAbove && sum >= smallest) return sum;
  if (overflow === "FAIL") return null;
  if (overflow === "SAT") return isAbove ? largest : smallest;
  const range = 2 ** width;
  const wrapped = ((sum % range) + range) % range;
  return wrapped > largest ? wrapped - range : wrapped;
}

/** All that a field of 1 to 64 bits can hold, less one bit for the sign if it has one. */
const LARGEST = Array.from({ length: 65 }, (_, width) => (1n << BigInt(width)) - 1n);

function nextBigInt(change: FieldChange, base: bigint, added: bigint): bigint | null {
  const { isSigned, width, overflow } = change;
  const direction = isSigned
    ? signedOverflow(base, added, width)
    : unsignedOverflow(BigInt.asUintN(64, base), added, width);
  if (direction === 0) return base + added;
  if (overflow === "FAIL") return null;
  if (overflow === "WRAP") {
    return isSigned ? BigInt.asIntN(width, base + added) : BigInt.asUintN(width, base + added);
  }
  const largest = LARGEST[isSigned ? width - 1 : width];
  if (direction > 0) return largest;
  return isSigned ? -largest - 1n : 0n;
}

/** Above the largest value: 1, below the smallest: -1, else 0. */
function unsignedOverflow(base: bigint, added: bigint, width: number): number {
  const largest = LARGEST[width];
  if (base > largest || base + added > largest) return 1;
  return base + added < 0n ? -1 : 0;
}

/**
 * The same for signed fields. Redis computes the distance to the largest value in 64 bits: when it does not fit, a value
 * far below the smallest one counts as above the largest. So it does here.
 */
function signedOverflow(base: bigint, added: bigint, width: number): number {
  const largest = LARGEST[width - 1];
  const distance = BigInt.asIntN(64, largest - base);
  if (base > largest || (width !== 64 && added > distance)) return 1;
  if (base + added > largest) return 1;
  return base < -largest - 1n || base + added < -largest - 1n ? -1 : 0;
}

// ---- bits ----

/** The field in the value bytes[at, at + size); bits behind its end are zero. */
export function readField(bytes: Uint8Array, at: number, size: number, field: Field): FieldValue {
  const { isSigned, offset, width } = field;
  if (width <= NARROW) {
    const value = readBits(bytes, at, size, offset, width);
    return isSigned && value >= 2 ** (width - 1) ? value - 2 ** width : value;
  }
  const high = BigInt(readBits(bytes, at, size, offset, width - NARROW));
  const low = BigInt(readBits(bytes, at, size, offset + width - NARROW, NARROW));
  const value = (high << 32n) | low;
  return isSigned ? BigInt.asIntN(width, value) : value;
}

/** At most 32 bits as an unsigned number. */
function readBits(
  bytes: Uint8Array,
  at: number,
  size: number,
  offset: number,
  width: number,
): number {
  let byte = Math.floor(offset / 8);
  let skipped = offset % 8;
  let value = 0;
  for (let left = width; left > 0; ) {
    const taken = Math.min(left, 8 - skipped);
    const content = byte < size ? bytes[at + byte] : 0;
    // Not shifted but multiplied: 32 bits are more than a signed integer holds.
    value = value * (1 << taken) + ((content >>> (8 - skipped - taken)) & ((1 << taken) - 1));
    left -= taken;
    skipped = 0;
    byte++;
  }
  return value;
}

/** Writes the field into the value that begins at bytes[at]; it is long enough. */
export function writeField(bytes: Uint8Array, at: number, field: Field, value: FieldValue): void {
  const { offset, width } = field;
  if (typeof value === "number") {
    writeBits(bytes, at, offset, width, value | 0);
    return;
  }
  const high = Number(BigInt.asIntN(32, value >> 32n));
  writeBits(bytes, at, offset, width - NARROW, high);
  writeBits(bytes, at, offset + width - NARROW, NARROW, Number(BigInt.asIntN(32, value)));
}

/** Writes the lowest `width` (at most 32) bits of `value`, from the last byte backwards. */
function writeBits(
  bytes: Uint8Array,
  at: number,
  offset: number,
  width: number,
  value: number,
): void {
  const lastBit = offset + width - 1;
  let byte = at + Math.floor(lastBit / 8);
  let behind = 7 - (lastBit % 8);
  let rest = value;
  for (let left = width; left > 0; ) {
    const taken = Math.min(left, 8 - behind);
    const mask = ((1 << taken) - 1) << behind;
    bytes[byte] = (bytes[byte] & ~mask) | ((rest << behind) & mask);
    rest >>>= taken;
    left -= taken;
    behind = 0;
    byte--;
  }
}
