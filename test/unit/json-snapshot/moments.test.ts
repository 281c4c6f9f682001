/** Moments as text, against Date. */
import { expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import {
  momentText,
  readMilliseconds,
  readMoment,
  readMomentBytes,
} from "../../../src/store/moment-text.ts";
import { seeds } from "../../suites/seeds.ts";

/** Both ways to read, which must agree. */
function read(text: string): number | undefined {
  const bytes = Buffer.from(`${text} behind`);
  const moment = readMomentBytes(bytes, bytes.length - " behind".length);
  expect(moment).toBe(readMoment(text));
  return moment;
}

test.each(seeds(3))("every moment comes back, seed %d", (seed) => {
  const random = seededRandom(seed);
  for (let round = 0; round < 20_000; round++) {
    const years = [1, 10, 1000, 8000, 270_000][random.below(5)] ?? 1;
    const timeMs = random.below(years) * 31_556_952_000 + random.below(2 ** 32);
    const text = momentText(timeMs);
    expect(text).toBe(JSON.stringify(new Date(timeMs)));
    expect(read(JSON.parse(text))).toBe(timeMs);
  }
});

test("every day of a few centuries, and no other", () => {
  const two = (number: number) => String(number).padStart(2, "0");
  for (let year = 1899; year <= 2105; year++) {
    for (let month = 0; month <= 13; month++) {
      for (let day = 0; day <= 32; day++) {
        const date = new Date(Date.UTC(year, month - 1, day));
        const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        const moment = read(`${year}-${two(month)}-${two(day)}T00:00:00.000Z`);
        if (moment !== (exists ? date.getTime() : undefined)) {
          throw new Error(`${year}-${month}-${day}: ${moment}`);
        }
      }
    }
  }
});

test.each([
  ["2030-01-01T00:00:00Z", Date.UTC(2030, 0)],
  ["2030-01-01T00:00Z", Date.UTC(2030, 0)],
  ["2030-01-01 00:00:00z", Date.UTC(2030, 0)],
  ["2030-01-01T01:30:00+01:30", Date.UTC(2030, 0)],
  ["2029-12-31T16:00:00-08:00", Date.UTC(2030, 0)],
  ["2030-01-01T00:00:00.5Z", Date.UTC(2030, 0) + 500],
  ["2030-01-01T00:00:00.123999999Z", Date.UTC(2030, 0) + 123],
  ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
  ["1969-12-31T23:59:59.999Z", -1],
  ["0000-01-01T00:00:00.000Z", -62_167_219_200_000],
  ["-000001-01-01T00:00:00.000Z", -62_198_755_200_000],
  ["+275760-09-13T00:00:00.000Z", 8.64e15],
])("%s", (text, expected) => {
  expect(read(text)).toBe(expected);
});

test.each([
  ...["", "now", "2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00:00.000", "2030-1-1T00:00Z"],
  ...["2030-00-01T00:00:00.000Z", "2030-13-01T00:00:00.000Z", "2030-01-32T00:00:00.000Z"],
  ...["2029-02-29T00:00:00.000Z", "2030-01-01T24:00:00.000Z", "2030-01-01T00:60:00.000Z"],
  ...["2030-01-01T00:00:60.000Z", "2030-01-01T00:00:00.Z", "2030-01-01T00:00:00.0000000000Z"],
  ...["2030-01-01T00:00:00+24:00", "2030-01-01T00:00:00+1:00", "2030-01-01T00:00:00+0100"],
  ...["+275760-09-14T00:00:00.000Z", "2030-01-01T00:00:00.000Z ", " 2030-01-01T00:00:00.000Z"],
  ...["2030-01-01T00:00:00.00xZ", "2030-01-01T00:00:00,000Z", "２030-01-01T00:00:00.000Z"],
])("%j is none", (text) => {
  expect(read(text)).toBeUndefined();
});

test("beyond the last date, milliseconds", () => {
  expect(momentText(8.64e15)).toBe('"+275760-09-13T00:00:00.000Z"');
  expect(momentText(8.64e15 + 1)).toBe("8640000000000001");
  expect(readMilliseconds("8640000000000001")).toBe(8.64e15 + 1);
  expect(readMilliseconds("0")).toBe(0);
  for (const text of ["-1", "1.0", "1e3", "9007199254740992", ""]) {
    expect(readMilliseconds(text)).toBeUndefined();
  }
});
