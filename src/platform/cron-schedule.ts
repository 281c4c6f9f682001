/**
 * A cron expression with a time zone, as a function that says when it is time next. Five fields, or
 * `@daily` and the like; the parsing and the calendar are Bun's. Daylight saving: what falls into the
 * hour that is left out happens that much later, once; what falls into the hour that comes twice
 * happens the first time only, unless the expression says every hour.
 */
import { KvdbError } from "../errors.ts";

/** The next time after `fromMs`, in milliseconds since 1970; undefined when there is none. */
export type Schedule = (fromMs: number) => number | undefined;

/**
 * Asked from within the hour after the one that was left out, Bun's parser (1.4.5) forgets what was
 * put off into it: 02:30 on the day that has no 02:30 is at 03:30, but not for one who asks at 03:10.
 * So it is asked from before any such hour, and passed times are skipped, a microsecond each.
 */
const LOOK_BACK_MS = 3 * 60 * 60 * 1000;
/** Nothing lies between a moment and the next minute, so there is nothing to look back for. */
const MINUTE_MS = 60 * 1000;

/**
 * `timeZone` is an IANA name; the system's when it is undefined. Throws CONFIG for what is no
 * expression, no zone, or never comes.
 */
export function readCronSchedule(
  expression: string,
  timeZone: string | undefined,
  nowMs: number,
): Schedule {
  const zone = timeZone === undefined ? {} : { tz: timeZone };
  const parse = (fromMs: number) => Bun.cron.parse(expression, fromMs, zone)?.getTime();
  let first: number | undefined;
  try {
    first = parse(nowMs);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KvdbError("CONFIG", `schedule "${expression}": ${reason}`, { cause: error });
  }
  if (first === undefined) {
    throw new KvdbError("CONFIG", `schedule "${expression}": no such day ever comes`);
  }
  return (fromMs) => {
    let next = parse(fromMs);
    if (next !== undefined && next - fromMs <= MINUTE_MS) return next;
    next = parse(fromMs - LOOK_BACK_MS);
    while (next !== undefined && next <= fromMs) next = parse(next);
    return next;
  };
}
