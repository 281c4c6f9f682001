/**
 * An answer as one valid JSON text, whatever it is:
 *
 *   status, string, verbatim   a string; bytes that are not UTF-8 as {"$base64":"…"}
 *   integer, double, boolean   as they are, integers with every digit; inf, -inf and nan as strings
 *   array, set, push           an array
 *   map                        an object; when a key is no scalar, no text, or there twice: an array
 *                              of pairs
 *   error                      {"error":{"code":"ERR","message":"…"}}
 *   a JSON document            as it is stored, unchanged
 */
import type { Answer } from "../resp/answer.ts";
import { JsonScanner } from "../store/json-text.ts";
import { doubleText } from "./plain-answer.ts";
import { decodeText } from "./printable.ts";

/** `isValue`: strings are JSON documents. */
export function jsonAnswer(answer: Answer, isValue: boolean): string {
  switch (answer.kind) {
    case "bulk":
      return (isValue ? documentText(answer.bytes) : undefined) ?? jsonString(answer.bytes);
    case "status":
    case "verbatim":
      return JSON.stringify(answer.text);
    case "error":
      return jsonError(answer.code, answer.text);
    case "double": {
      const text = doubleText(answer.value);
      return Number.isFinite(answer.value) ? text : JSON.stringify(text);
    }
    case "integer":
    case "boolean":
      return String(answer.value);
    case "null":
      return "null";
    case "map":
      return jsonMap(answer.entries, isValue);
    default:
      return `[${answer.items.map((item) => jsonAnswer(item, isValue)).join(",")}]`;
  }
}

export function jsonError(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } });
}

function jsonString(bytes: Buffer): string {
  const text = decodeText(bytes);
  return JSON.stringify(text ?? { $base64: bytes.toString("base64") });
}

const scanner = new JsonScanner();
// What is stored is shown, whatever would be refused today.
scanner.allowsDuplicates = true;

/** The document that the bytes are, undefined when they are no JSON. */
export function documentText(bytes: Buffer): string | undefined {
  return scanner.scan(bytes, 0, bytes.length)
    ? bytes.toString("utf8", scanner.start, scanner.end)
    : undefined;
}

type Entries = readonly (readonly [Answer, Answer])[];

function jsonMap(entries: Entries, isValue: boolean): string {
  const keys = entries.map(([key]) => keyText(key));
  const isObject = !keys.includes(undefined) && new Set(keys).size === keys.length;
  const members = entries.map(([key, value], index) => {
    const text = jsonAnswer(value, isValue);
    return isObject
      ? `${JSON.stringify(keys[index])}:${text}`
      : `[${jsonAnswer(key, false)},${text}]`;
  });
  return isObject ? `{${members.join(",")}}` : `[${members.join(",")}]`;
}

/** The text of a scalar as the key of an object; undefined when it has none. */
export function keyText(key: Answer): string | undefined {
  switch (key.kind) {
    case "bulk":
      return decodeText(key.bytes);
    case "status":
    case "verbatim":
      return key.text;
    case "integer":
    case "boolean":
      return String(key.value);
    case "double":
      return doubleText(key.value);
    default:
      return undefined;
  }
}
