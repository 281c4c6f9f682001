/** Sizes in Redis's spelling; the pattern for schemas and the parser agree on every text. */
import { expect, test } from "bun:test";
import { MEMORY_SIZE_PATTERN, parseMemorySize } from "../../../src/commands/memory-size.ts";

test("units as in Redis's configuration", () => {
  const sizes: [string, number][] = [
    ["0", 0],
    ["123", 123],
    ["5b", 5],
    ["1k", 1000],
    ["1kb", 1024],
    ["2M", 2_000_000],
    ["2Mb", 2_097_152],
    ["1g", 1_000_000_000],
    ["1GB", 1_073_741_824],
  ];
  for (const [text, bytes] of sizes) expect(parseMemorySize(text)).toBe(bytes);
});

test("nothing else is a size", () => {
  for (const text of ["", " 1", "1 ", "-1", "+1", "1.5gb", "1tb", "kb", "1e3", "0x10", "1kbb"]) {
    expect(parseMemorySize(text)).toBeUndefined();
  }
});

test("what the pattern lets through is a size that a double counts exactly", () => {
  const pattern = new RegExp(MEMORY_SIZE_PATTERN, "u");
  const units = ["", "b", "k", "kb", "m", "MB", "g", "Gb", "t", "bb"];
  for (let digits = 1; digits <= 20; digits++) {
    for (const unit of units) {
      const text = "9".repeat(digits) + unit;
      if (pattern.test(text)) expect(parseMemorySize(text)).toBeDefined();
    }
  }
  expect(pattern.test("512gb")).toBe(true);
});
