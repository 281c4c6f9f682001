/** A key of an index as a person reads it: `"Oslo"`, `30`, `null, "Oslo"`. For messages; what is longer than a line is cut. */
import {
  ARRAY_TAG,
  BOOLEAN_TAG,
  EMPTY_ARRAY_TAG,
  NOTHING_TAG,
  NULL_TAG,
  NUMBER_TAG,
  OBJECT_TAG,
  STRING_TAG,
} from "./index-key.ts";

const SHOWN_CHARACTERS = 64;
const ESCAPE = 0x01;

export function describeKey(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [text, next] = partAt(bytes, at);
    parts.push(text);
    if (next < 0) break;
    at = next;
  }
  return parts.join(", ");
}

/** The part that begins at `at`, and where the next one does; negative: nobody knows, it is no scalar. */
function partAt(bytes: Buffer, at: number): [text: string, next: number] {
  switch (bytes[at]) {
    case NOTHING_TAG:
    case NULL_TAG:
      return ["null", at + 1];
    case EMPTY_ARRAY_TAG:
      return ["[]", at + 1];
    case BOOLEAN_TAG:
      return [bytes[at + 1] === 1 ? "true" : "false", at + 2];
    case NUMBER_TAG:
      return numberAt(bytes, at + 1);
    case STRING_TAG:
      return stringAt(bytes, at + 1);
    case OBJECT_TAG:
      return ["an object", -1];
    case ARRAY_TAG:
      return ["an array", -1];
    default:
      return ["a value", -1];
  }
}

function numberAt(bytes: Buffer, at: number): [string, number] {
  if (at + 8 > bytes.length) return ["a number", -1];
  const copy = Buffer.from(bytes.subarray(at, at + 8));
  if (copy[0] >= 0x80) copy[0] ^= 0x80;
  else for (let i = 0; i < 8; i++) copy[i] ^= 0xff;
  const nearest = copy.readDoubleBE(0);
  if (Math.abs(nearest) < 2 ** 53) return [String(nearest), at + 8];
  const size = bytes[at + 8] - 0x80;
  const tail = bytes.subarray(at + 9, at + 9 + Math.abs(size));
  const digits = size < 0 ? Buffer.from(tail.map((byte) => byte ^ 0xff)) : tail;
  const difference = digits.length === 0 ? 0n : BigInt(`0x${digits.toString("hex")}`);
  const isInteger = Number.isFinite(nearest);
  const exact = isInteger ? BigInt(nearest) + (size < 0 ? -difference : difference) : nearest;
  return [String(exact), at + 9 + Math.abs(size)];
}

function stringAt(bytes: Buffer, at: number): [string, number] {
  const text: number[] = [];
  let i = at;
  for (; i < bytes.length && bytes[i] !== 0; i++) {
    if (bytes[i] === ESCAPE) text.push(bytes[++i] - 1);
    else text.push(bytes[i]);
  }
  const whole = Buffer.from(text).toString("utf8");
  const isLong = whole.length > SHOWN_CHARACTERS;
  return [JSON.stringify(isLong ? `${whole.slice(0, SHOWN_CHARACTERS)}…` : whole), i + 1];
}
