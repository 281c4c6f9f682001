/** Every transcript in every way: README.md. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { builtins } from "../../plugins/index.ts";
import { differenceOf, parseTranscript } from "./transcript.ts";
import { allWays } from "./ways.ts";

/** `none` keeps nothing, which its own test shows. */
const persistences = Object.entries(builtins)
  .filter(
    ([name, { brings }]) =>
      (brings as readonly string[]).includes("persistence") && name !== "none",
  )
  .map(([name]) => name);

const names = [...new Bun.Glob("*.txt").scanSync(import.meta.dir)].sort();
const transcripts = await Promise.all(
  names.map(async (name) =>
    parseTranscript(name, await Bun.file(join(import.meta.dir, name)).text()),
  ),
);

test("there are transcripts", () => expect(transcripts.length).toBeGreaterThan(5));

/** A process for each command takes long: without KVDB_TEST_LONG each transcript does so on one persistence, in turn. */
const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";

for (const [number, transcript] of transcripts.entries()) {
  describe(transcript.name, () => {
    const digests = new Map<string, string>();
    const inTurn = persistences[number % persistences.length];
    for (const way of allWays(persistences)) {
      const isLeft = !IS_LONG && way.name === "one-shot" && way.persistence !== inTurn;
      const skip =
        transcript.skips.get(way.name) ?? (isLeft ? "only with KVDB_TEST_LONG=1" : undefined);
      const name = [way.name, way.persistence].filter((part) => part !== "").join(", ");
      test.skipIf(skip !== undefined)(skip === undefined ? name : `${name} (${skip})`, async () => {
        const { steps, digest } = await way.play(transcript);
        const wrong = transcript.runs
          .flat()
          .map((step, at) => differenceOf(step, steps[at] ?? []))
          .filter((difference) => difference !== undefined);
        expect(wrong).toEqual([]);
        digests.set(name, digest);
        expect(new Set(digests.values()).size, JSON.stringify([...digests])).toBe(1);
      });
    }
  });
}

describe("a transcript", () => {
  test.each([
    ["OK\n> get k", "an answer without a command"],
    ["> get k\n--- restart\n", "a run without commands"],
    ["#! not at all", "no skip"],
    ["#! not nowhere: because", "no skip"],
    ["", "a run without commands"],
  ])("%j is refused", (text, message) => {
    expect(() => parseTranscript("case.txt", text)).toThrow(message);
  });

  test("that does not fit what was printed is told with its line", () => {
    const { runs } = parseTranscript("case.txt", "> get k\n~ \\d+\n> get j\n1\n");
    const [one, two] = runs.flat();
    if (one === undefined || two === undefined) throw new Error("two steps");
    for (const [step, printed, fits] of [
      [one, ["12"], true],
      [one, ["12", "13"], false],
      [one, ["x12"], false],
      [two, ["1"], true],
      [two, [], false],
    ] as const) {
      expect(differenceOf(step, printed) === undefined).toBe(fits);
    }
  });
});
