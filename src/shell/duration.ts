/** Durations as people write them: `500ms`, `2s`, `1.5h`. */
import { KvdbError } from "../errors.ts";

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** In whole milliseconds, at least 1. Throws a KvdbError USAGE; a number without a unit is none. */
export function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/i.exec(text) ?? [];
  const ms = Math.round(Number(digits) * (unitsMs[unit?.toLowerCase() ?? ""] ?? Number.NaN));
  if (ms >= 1 && Number.isSafeInteger(ms)) return ms;
  throw new KvdbError(
    "USAGE",
    `expected a duration like 500ms, 2s, 5m, 12h or 7d, found ${JSON.stringify(text)}`,
  );
}
