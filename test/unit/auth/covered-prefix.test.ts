/** Which patterns fit every key that begins with a prefix: cases, and what must hold of any pattern. */
import { expect, test } from "bun:test";
import { coversPrefix } from "../../../src/auth/covered-prefix.ts";
import { matchGlob } from "../../../src/commands/glob.ts";
import { seededRandom } from "../../../src/platform/random.ts";

const covers = (pattern: string, prefix: string) =>
  coversPrefix(Buffer.from(pattern), Buffer.from(prefix));

test.each<[pattern: string, prefix: string, covered: boolean]>([
  ["*", "", true],
  ["**", "", true],
  ["*", "a", true],
  ["a*", "", false],
  ["app:*", "app:", true],
  ["app:*", "app:user:", true],
  ["app:*", "ap", false],
  ["app:*", "app", false],
  ["app:", "app:", false],
  ["app:\\*", "app:*", false],
  ["app:[*", "app:*", false],
  ["app:[*]", "app:*", false],
  ["app:[\\]*]*", "app:*x", true],
  ["a?p:*", "app:", true],
  ["[a-c]*", "b", true],
  ["*x*", "ax", true],
  ["*x", "ax", false],
])("%s and %j: %p", (pattern, prefix, covered) => expect(covers(pattern, prefix)).toBe(covered));

test("what it says to be covered is, whatever follows", () => {
  const random = seededRandom(18);
  const letters = "ab*?[]\\^-";
  const word = (most: number) =>
    Array.from(
      { length: random.below(most + 1) },
      () => letters[random.below(letters.length)],
    ).join("");
  let covered = 0;
  for (let round = 0; round < 20_000; round++) {
    const pattern = Buffer.from(`${word(5)}${random.below(2) === 0 ? "*" : ""}`);
    const prefix = word(4);
    if (!coversPrefix(pattern, Buffer.from(prefix))) continue;
    covered++;
    const key = Buffer.from(`${prefix}${word(4)}`);
    if (key.length === 0) continue;
    const fits = matchGlob(pattern, 0, pattern.length, key, 0, key.length);
    expect([pattern.toString(), prefix, key.toString(), fits]).toEqual([
      pattern.toString(),
      prefix,
      key.toString(),
      true,
    ]);
  }
  expect(covered).toBeGreaterThan(1000);
});
