/** What FIND answers of a document, copied out of the arena: it may change before the answer leaves. */
import { copyBytes, type ReadonlyBytes } from "../store/arena.ts";

export interface Row {
  readonly key: Buffer;
  /** JSON text: the document, or the fields of it that were asked for. */
  readonly text: Buffer;
}

/** A row and its place in an order: bytes that compare as the values do; ties by the key. */
export interface SortedRow extends Row {
  readonly place: Buffer;
}

export function compareRows(one: SortedRow, other: SortedRow): number {
  return Buffer.compare(one.place, other.place) || Buffer.compare(one.key, other.key);
}

export function copied(bytes: ReadonlyBytes, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  copyBytes(bytes, start, copy, 0, copy.length);
  return copy;
}
