/** Sizes and times in words: the borders between units. */
import { expect, test } from "bun:test";
import { byteText, countText, spanText } from "../../../src/shell/amounts.ts";

test.each<[number, string]>([
  [0, "0 bytes"],
  [12, "12 bytes"],
  [1, "1 byte"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [1536, "1.5 KiB"],
  [1_500_000, "1.4 MiB"],
  [5 * 2 ** 30, "5.0 GiB"],
  [2 ** 50, "1024.0 TiB"],
])("%d bytes", (bytes, text) => expect(byteText(bytes)).toBe(text));

test.each<[number, string]>([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [1000, "1.0 s"],
  [9_949, "9.9 s"],
  [9_960, "10 s"],
  [59_400, "59 s"],
  [59_600, "1 min 0 s"],
  [125_000, "2 min 5 s"],
  [3_599_600, "1 h 0 min"],
  [7_800_000, "2 h 10 min"],
])("%d ms", (ms, text) => expect(spanText(ms)).toBe(text));

test("counts", () => {
  expect(countText(1, "key")).toBe("1 key");
  expect(countText(0, "key")).toBe("0 keys");
  expect(countText(2, "entry", "entries")).toBe("2 entries");
});
