/**
 * An answer as bare bytes, for `--raw`. One string alone is nothing but its bytes, so that
 * `kvdb --raw get image > image.png` is the image, byte by byte; in a terminal a line end follows,
 * because there the prompt comes next. (redis-cli adds the line end always, and no file survives
 * it.) In a list each element is followed by a line end, as in redis-cli; null is an empty line
 * there, and nothing at all alone.
 *
 * A JSON document is its text; a document that is a string is that string, and `{"$base64":"…"}`,
 * which is how VALUE.GET gives a string that is no text, is its bytes.
 */
import type { Answer } from "../resp/answer.ts";
import { documentText } from "./json-answer.ts";
import { doubleText } from "./plain-answer.ts";

export interface RawStyle {
  readonly isValue: boolean;
  /** Whether it goes to a terminal. */
  readonly isTerminal: boolean;
}

export function rawAnswer(answer: Answer, { isValue, isTerminal }: RawStyle): Buffer {
  const parts: Buffer[] = [];
  if ("items" in answer || "entries" in answer) {
    for (const bytes of elements(answer, isValue)) parts.push(bytes, NEWLINE);
    return Buffer.concat(parts);
  }
  const bytes = scalarBytes(answer, isValue);
  const isExact = !isTerminal && (answer.kind === "bulk" || answer.kind === "null");
  const endsLine = bytes.length > 0 && bytes[bytes.length - 1] === NEWLINE[0];
  return isExact || endsLine ? bytes : Buffer.concat([bytes, NEWLINE]);
}

const NEWLINE = Buffer.from("\n");

/** All scalars, in order, keys before values. */
function* elements(answer: Answer, isValue: boolean): Iterable<Buffer> {
  if ("items" in answer) {
    for (const item of answer.items) yield* elements(item, isValue);
  } else if ("entries" in answer) {
    for (const [key, value] of answer.entries) {
      yield* elements(key, false);
      yield* elements(value, isValue);
    }
  } else yield scalarBytes(answer, isValue);
}

/** Empty for null and for containers. */
export function scalarBytes(answer: Answer, isValue: boolean): Buffer {
  switch (answer.kind) {
    case "bulk":
      return isValue ? documentBytes(answer.bytes) : answer.bytes;
    case "status":
      return Buffer.from(answer.text);
    case "verbatim":
      return Buffer.from(answer.text.replaceAll("\r\n", "\n"));
    case "error":
      return Buffer.from(`${answer.code} ${answer.text}`);
    case "integer":
    case "boolean":
      return Buffer.from(String(answer.value));
    case "double":
      return Buffer.from(doubleText(answer.value));
    default:
      return Buffer.alloc(0);
  }
}

const BASE64 = /^\{"\$base64":"([A-Za-z0-9+/]*={0,2})"\}$/;

function documentBytes(bytes: Buffer): Buffer {
  const text = documentText(bytes);
  if (text === undefined) return bytes;
  if (text.startsWith('"')) return Buffer.from(JSON.parse(text) as string);
  // Only a text that begins so is given to the pattern: documents may be long.
  const base64 = text.startsWith('{"$base64"') ? BASE64.exec(text)?.[1] : undefined;
  return base64 === undefined ? bytes : Buffer.from(base64, "base64");
}
