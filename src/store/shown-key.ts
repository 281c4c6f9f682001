/** A key in an error or a report: in quotes, without control characters, and not longer than a line. */
import type { ReadonlyBytes } from "./arena.ts";

const SHOWN_BYTES = 64;

export function shownKey(bytes: ReadonlyBytes, start: number, end: number): string {
  const text = bytes.toString("utf8", start, Math.min(end, start + SHOWN_BYTES));
  return JSON.stringify(end - start > SHOWN_BYTES ? `${text}…` : text);
}
