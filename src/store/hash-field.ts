/**
 * A field of a hash with its value and deadline, where it lies: in a packed run (packed-run.ts), or as an element of a big
 * hash, a block that the dictionary finds by the field.
 *
 *   byte 0   length of the field; 255: long, then a 32-bit length stands before the field
 *   byte 1   length of the value; 255: long, then a 32-bit length stands before the value
 *   byte 2   flags: 1 there is room for a deadline, 2 mark of the sweep of the hash's wheel
 *   byte 3   free
 *  [f64      deadline in ms since 1970, 0: none; when flag 1 is set]
 *  [u32]     field
 *  [u32]     value
 *
 *   Example: "ab" → "1", no deadline, one unit:   02 01 00 00 61 62 31 …
 *
 * The dictionary reads the first byte, flag 1 and the field (dictionary.ts): change it there too.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { DEADLINE_BYTES, FLAG_DEADLINE, LONG_KEY } from "./entry.ts";
import { afterString, contentAt, numberAt, writeNumber } from "./packed-run.ts";

/** Offset of the field (or its long length) in an element without room for a deadline. */
export const ELEMENT_HEADER_BYTES = 4;
const LONG_BYTES = 4;

/** A field that was found: spans of `bytes`, valid until the hash changes. */
export class HashField {
  bytes: Buffer = Buffer.alloc(0);
  fieldStart = 0;
  fieldEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** 0: none. */
  deadlineMs = 0;

  /** The one that begins at `at` in a run; answers where the next one begins. */
  readRun(run: ReadonlyBytes, at: number, isTimed: boolean): number {
    this.bytes = run as Buffer;
    this.fieldStart = contentAt(run, at);
    this.fieldEnd = afterString(run, at);
    this.valueStart = contentAt(run, this.fieldEnd);
    this.valueEnd = afterString(run, this.fieldEnd);
    this.deadlineMs = isTimed ? numberAt(run, this.valueEnd) : 0;
    return isTimed ? this.valueEnd + DEADLINE_BYTES : this.valueEnd;
  }

  readElement(arena: Arena, element: number): void {
    const bytes = arena.bytes[element >>> CHUNK_SHIFT];
    let at = (element & UNIT_MASK) << 3;
    const fieldSize = bytes[at];
    const valueSize = bytes[at + 1];
    const flags = bytes[at + 2];
    at += ELEMENT_HEADER_BYTES;
    this.deadlineMs = 0;
    if ((flags & FLAG_DEADLINE) !== 0) {
      this.deadlineMs = numberAt(bytes, at);
      at += DEADLINE_BYTES;
    }
    this.bytes = bytes as Buffer;
    this.fieldStart = fieldSize < LONG_KEY ? at : at + LONG_BYTES;
    this.fieldEnd = this.fieldStart + (fieldSize < LONG_KEY ? fieldSize : lengthAt(bytes, at));
    at = this.fieldEnd;
    this.valueStart = valueSize < LONG_KEY ? at : at + LONG_BYTES;
    this.valueEnd = this.valueStart + (valueSize < LONG_KEY ? valueSize : lengthAt(bytes, at));
  }
}

function lengthAt(bytes: ReadonlyBytes, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function span(size: number): number {
  return size < LONG_KEY ? size : LONG_BYTES + size;
}

export function elementUnits(fieldSize: number, valueSize: number, hasRoom: boolean): number {
  const before = ELEMENT_HEADER_BYTES + (hasRoom ? DEADLINE_BYTES : 0);
  return (before + span(fieldSize) + span(valueSize) + 7) >>> 3;
}

/** Whether the element has room for a deadline. */
export function hasRoom(arena: Arena, element: number): boolean {
  const bytes = arena.bytes[element >>> CHUNK_SHIFT];
  return (bytes[((element & UNIT_MASK) << 3) + 2] & FLAG_DEADLINE) !== 0;
}

/** Units that the element was allocated with. */
export function unitsOfElement(arena: Arena, element: number): number {
  measured.readElement(arena, element);
  const { fieldStart, fieldEnd, valueStart, valueEnd } = measured;
  return elementUnits(fieldEnd - fieldStart, valueEnd - valueStart, hasRoom(arena, element));
}

const measured = new HashField();

/**
 * Writes header and field of a new element; with room for a deadline there is none yet. Then comes `writeValue`, at the place
 * that is answered.
 */
export function writeField(
  arena: Arena,
  element: number,
  units: number,
  withRoom: boolean,
  field: ReadonlyBytes,
  start: number,
  end: number,
): number {
  const bytes = arena.edit(element, units);
  let at = (element & UNIT_MASK) << 3;
  const size = end - start;
  bytes[at] = size < LONG_KEY ? size : LONG_KEY;
  bytes[at + 1] = 0;
  bytes[at + 2] = withRoom ? FLAG_DEADLINE : 0;
  bytes[at + 3] = 0;
  at += ELEMENT_HEADER_BYTES;
  if (withRoom) at = writeNumber(bytes, at, 0);
  if (size >= LONG_KEY) at = bytes.writeUInt32LE(size, at);
  copyBytes(field, start, bytes, at, size);
  return at + size;
}

/** Writes the value of an element of so many units, whose field ends at `at` of its chunk. */
export function writeValue(
  arena: Arena,
  element: number,
  units: number,
  at: number,
  value: ReadonlyBytes,
  start: number,
  end: number,
): void {
  const bytes = arena.edit(element, units);
  const size = end - start;
  bytes[((element & UNIT_MASK) << 3) + 1] = size < LONG_KEY ? size : LONG_KEY;
  const to = size < LONG_KEY ? at : bytes.writeUInt32LE(size, at);
  copyBytes(value, start, bytes, to, size);
}

/** Of an element that has room for it. */
export function writeDeadline(arena: Arena, element: number, deadlineMs: number): void {
  // Header and deadline lie in the first two units.
  const bytes = arena.edit(element, 2);
  writeNumber(bytes, ((element & UNIT_MASK) << 3) + ELEMENT_HEADER_BYTES, deadlineMs);
}
