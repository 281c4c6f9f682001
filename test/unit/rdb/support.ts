/** Values of an RDB in tests: made of bytes, and read into a plain form. */
import { RdbInput, type Span } from "../../../src/rdb/rdb-input.ts";
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

/** What is told of a value: a string, or rows of what belongs together. */
export function read(type: number, content: Uint8Array): unknown {
  const rows: unknown[] = [];
  let whole: unknown = rows;
  const text = ({ bytes: from, start, end }: Span) => from.toString("latin1", start, end);
  const visitor: ValueVisitor = {
    text: (value) => {
      whole = text(value);
    },
    begin: () => {},
    element: (value) => rows.push(text(value)),
    streamHead: (head) => rows.push(text(head)),
    member: (member, score) => rows.push([text(member), score]),
    field: (field, value, deadlineMs) => {
      rows.push([text(field), text(value), ...(deadlineMs === 0 ? [] : [deadlineMs])]);
    },
  };
  const input = new RdbInput(Buffer.from(content), 0, content.length);
  decodeValue(type, input, visitor);
  if (input.at !== input.end) throw new Error("not all of it was read");
  return whole;
}
