/** What a program hands in, judged: each message names the option and what was found. */
import { KvdbError } from "../errors.ts";
import { unknownKey } from "../kernel/validation.ts";

export function requireKeys(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new KvdbError("USAGE", `${what}: expected an object, found ${typeof options}`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new KvdbError("USAGE", `${what}.${unknown}: ${unknownKey(unknown, known)}`);
}

export function requireText(what: string, text: unknown): void {
  if (typeof text === "string" && text.isWellFormed()) return;
  throw new KvdbError("USAGE", `${what}: expected a string that has a UTF-8`);
}

export function requireKey(what: string, key: unknown): void {
  if (key instanceof Uint8Array) return;
  if (typeof key === "string" && key.isWellFormed()) return;
  throw new KvdbError("USAGE", `${what}: expected a string that has a UTF-8, or bytes`);
}

export function notBoolean(what: string, value: unknown): KvdbError {
  return new KvdbError("USAGE", `${what}: expected true or false, found ${typeof value}`);
}

export function positiveInteger(what: string, value: unknown): string {
  if (Number.isSafeInteger(value) && (value as number) > 0) return String(value);
  throw new KvdbError("USAGE", `${what}: expected an integer above 0, found ${String(value)}`);
}
