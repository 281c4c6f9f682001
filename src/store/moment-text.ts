/**
 * Moments as readable files have them, `2030-01-01T00:00:00.000Z` (RFC 3339). Years beyond 275760 have no
 * such text: those are milliseconds since 1970.
 */

/** The last moment that has a date. */
const LAST_DATE_MS = 8.64e15;

const MOMENT =
  /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?([Zz]|([+-])(\d\d):(\d\d))$/;

/** As JSON. */
export function momentText(timeMs: number): string {
  return timeMs > LAST_DATE_MS ? String(timeMs) : `"${new Date(timeMs).toISOString()}"`;
}

/**
 * Milliseconds since 1970; undefined: not a moment, or one on a day that does not exist. Without a
 * zone it would be another moment wherever it is read, so that is none. Digits behind the third of
 * a fraction are cut.
 */
export function readMoment(text: string): number | undefined {
  const parts = MOMENT.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const isTime = hour < 24 && minute < 60 && second < 60;
  const offset = offsetMinutes(parts);
  if (!isTime || offset === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day or month that does not exist comes out as another one.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const fraction = Number((parts[7] ?? "").slice(0, 3).padEnd(3, "0"));
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction;
}

/** Milliseconds since 1970, as a number. */
export function readMilliseconds(text: string): number | undefined {
  const milliseconds = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/** Minutes east of Greenwich; undefined: no such zone. */
function offsetMinutes(parts: RegExpExecArray): number | undefined {
  const [, sign, hours, minutes] = parts.slice(8);
  if (sign === undefined) return 0;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** 2030-01-01T00:00:00.000Z: where its numbers begin, and its other bytes. */
const USUAL_FORM = Buffer.from("0000-00-00T00:00:00.000Z");

/**
 * The same of bytes. The form that kvdb writes is read without a string: there may be one in each
 * entry.
 */
export function readMomentBytes(bytes: Buffer, length: number): number | undefined {
  if (length !== USUAL_FORM.length) return readMoment(bytes.toString("latin1", 0, length));
  for (let at = 0; at < length; at++) {
    const isDigit = bytes[at] >= 0x30 && bytes[at] <= 0x39;
    if (USUAL_FORM[at] === 0x30 ? !isDigit : bytes[at] !== USUAL_FORM[at]) {
      return readMoment(bytes.toString("latin1", 0, length));
    }
  }
  const year = twoDigits(bytes, 0) * 100 + twoDigits(bytes, 2);
  const month = twoDigits(bytes, 5);
  const day = twoDigits(bytes, 8);
  const seconds = (twoDigits(bytes, 11) * 60 + twoDigits(bytes, 14)) * 60 + twoDigits(bytes, 17);
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
  const isTime =
    twoDigits(bytes, 11) < 24 && twoDigits(bytes, 14) < 60 && twoDigits(bytes, 17) < 60;
  if (!exists || !isTime) return undefined;
  const fraction = twoDigits(bytes, 20) * 10 + bytes[22] - 0x30;
  return (daysBefore(year, month) + day - 1) * DAY_MS + seconds * 1000 + fraction;
}

const DAY_MS = 86_400_000;

function twoDigits(bytes: Buffer, at: number): number {
  return bytes[at] * 10 + bytes[at + 1] - 0x30 * 11;
}

/** Days between 1970 and the first of a month. Years are counted from March, so that the leap day ends one. */
function daysBefore(year: number, month: number): number {
  const inMarchYear = month > 2 ? year : year - 1;
  const monthOfMarchYear = (month + 9) % 12;
  const leapDays =
    Math.floor(inMarchYear / 4) - Math.floor(inMarchYear / 100) + Math.floor(inMarchYear / 400);
  const dayOfMarchYear = Math.floor((153 * monthOfMarchYear + 2) / 5);
  return inMarchYear * 365 + leapDays + dayOfMarchYear - DAYS_BEFORE_1970;
}

/** From the first of March of the year 0. */
const DAYS_BEFORE_1970 = 719_468;

function daysOf(year: number, month: number): number {
  return month === 12 ? 31 : daysBefore(year, month + 1) - daysBefore(year, month);
}
