/** Moments in a file: text of RFC 3339 with its zone, or milliseconds since 1970 as a number. */
import { MAX_DEADLINE_MS } from "../limits.ts";
import { readMoment } from "../store/moment-text.ts";
import { ItemProblem } from "./entry.ts";

/** Milliseconds since 1970, at least 1: 0 says that there is none. `what` names it in the error. */
export function readMomentOf(value: unknown, what: string): number {
  const moment = typeof value === "string" ? readMoment(value) : value;
  if (typeof moment === "number" && Number.isInteger(moment) && moment <= MAX_DEADLINE_MS) {
    return Math.max(1, moment);
  }
  throw new ItemProblem(
    `${what}: expected a moment such as "2030-01-01T00:00:00Z", or milliseconds since 1970`,
  );
}
