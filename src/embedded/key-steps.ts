/** The answer of VALUE.KEYS, and the keys in it as a program is given them. */
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import { replyError } from "./plain-answer.ts";

/** A part of the keys, and where the next one begins. */
export interface KeyStep {
  readonly cursor: string;
  readonly keys: readonly Buffer[];
}

export function readKeyStep(answer: Answer): KeyStep {
  if (answer.kind === "error") throw replyError(answer);
  if (answer.kind !== "array") throw new TypeError(`VALUE.KEYS answered ${answer.kind}`);
  const [cursor, keys] = answer.items;
  if (cursor?.kind !== "bulk" || keys?.kind !== "array") {
    throw new TypeError("VALUE.KEYS answered no cursor with keys");
  }
  return {
    cursor: cursor.bytes.toString(),
    keys: keys.items.flatMap((key) => (key.kind === "bulk" ? [key.bytes] : [])),
  };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function keyText(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const message = "a key is no UTF-8; list such keys with listBytes";
    throw new KvdbError("COMMAND", message, { cause: error });
  }
}
