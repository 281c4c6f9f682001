/** Values of an RDB in tests: made of bytes, and read into a plain form. */
import { RdbInput } from "../../../src/rdb/rdb-input.ts";
import { decodeValue } from "../../../src/rdb/value-decoder.ts";
import type { ValueVisitor } from "../../../src/rdb/value-visitor.ts";

export const bytes = (...parts: (number | string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))),
  );

/** A string of an RDB, below 64 bytes. */
export const short = (text: string | Uint8Array): Buffer => bytes(text.length, text);

export function uint(value: number, size: number): Buffer {
  const buffer = Buffer.alloc(size);
  buffer.writeUIntLE(value, 0, size);
  return buffer;
}

export function double(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleLE(value);
  return buffer;
}

/** What is told of a value: a string, or elements, each a string or a row of its parts; a deadline of 0 is left out. */
export function read(type: number, content: Uint8Array): unknown {
  const rows: unknown[] = [];
  let whole: unknown = rows;
  let row: unknown[] = [];
  let isTimedHash = false;
  const visitor: ValueVisitor = {
    text: (from, start, end) => {
      whole = from.toString("latin1", start, end);
    },
    begin: (_, isTimed) => {
      isTimedHash = isTimed;
    },
    string: (from, start, end) => row.push(from.toString("latin1", start, end)),
    integer: (value) => row.push(String(value)),
    number: (value) => {
      if (value !== 0 || !isTimedHash) row.push(value);
    },
    endElement: () => {
      rows.push(row.length === 1 ? row[0] : row);
      row = [];
    },
    streamHead: (head) => rows.push(head.bytes.toString("latin1", head.start, head.end)),
  };
  const input = new RdbInput(Buffer.from(content), 0, content.length);
  decodeValue(type, input, visitor);
  if (input.at !== input.end) throw new Error("not all of it was read");
  return whole;
}
