/**
 * Strings of bytes as JSON, both ways: `"text"`, and what is no UTF-8 as `{"$base64":"AAH/"}`. As a name of a member, where
 * there is no place for an object, that is `"$base64:AAH/"`, and of a `$` at the front there are two. The forms of the readable
 * file (plugins/json-snapshot/FORMAT.md).
 */
import { isUtf8 } from "node:buffer";
import { ItemProblem } from "./entry.ts";

const NAME_BASE64 = "$base64:";
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function stringText(bytes: Buffer): string {
  if (isUtf8(bytes)) return JSON.stringify(bytes.toString());
  return `{"$base64":"${bytes.toString("base64")}"}`;
}

/** `what` names it in the error. */
export function readString(value: unknown, what: string): Buffer {
  if (typeof value === "string") return textBytes(value, what);
  const base64 = isRecord(value) && Object.keys(value).length === 1 ? value["$base64"] : undefined;
  if (typeof base64 === "string" && BASE64.test(base64)) return Buffer.from(base64, "base64");
  throw new ItemProblem(`${what}: expected a string, or {"$base64": "…"}`);
}

export function nameText(bytes: Buffer): string {
  if (!isUtf8(bytes)) return JSON.stringify(NAME_BASE64 + bytes.toString("base64"));
  const text = bytes.toString();
  return JSON.stringify(text.startsWith("$") ? `$${text}` : text);
}

export function readName(name: string): Buffer {
  if (!name.startsWith("$")) return textBytes(name, "a field");
  if (name.startsWith("$$")) return textBytes(name.slice(1), "a field");
  const base64 = name.slice(NAME_BASE64.length);
  if (name.startsWith(NAME_BASE64) && BASE64.test(base64)) return Buffer.from(base64, "base64");
  throw new ItemProblem(`a field: "$" at the front is written "$$", found ${JSON.stringify(name)}`);
}

function textBytes(text: string, what: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  throw new ItemProblem(`${what}: half of a surrogate pair has no UTF-8`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
