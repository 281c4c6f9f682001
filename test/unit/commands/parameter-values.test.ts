/** What the `set` of a parameter reads its text with, as a plugin imports it: values, and Redis's words for what is none. */
import { expect, test } from "bun:test";
import { CommandError, readMemorySize, readWholeNumber } from "../../../src/plugin.ts";

function refusalOf(read: () => number): string {
  try {
    return `none but ${read()}`;
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    return (error as CommandError).message;
  }
}

test("sizes", () => {
  expect(readMemorySize("100mb")).toBe(104_857_600);
  for (const text of ["", "-1", "lots", "1.5gb", "999999999999999gb"]) {
    expect(refusalOf(() => readMemorySize(text))).toBe("argument must be a memory value");
  }
});

test("whole numbers, their bounds included", () => {
  expect([readWholeNumber("-3", -3, 7), readWholeNumber("7", -3, 7)]).toEqual([-3, 7]);
  for (const text of ["-4", "8", "9".repeat(400)]) {
    const refusal = refusalOf(() => readWholeNumber(text, -3, 7));
    expect(refusal).toBe("argument must be between -3 and 7 inclusive");
  }
  for (const text of ["", " 1", "+1", "1.0", "1e3", "0x10", "one"]) {
    const refusal = refusalOf(() => readWholeNumber(text, -3, 7));
    expect(refusal).toBe("argument couldn't be parsed into an integer");
  }
});
