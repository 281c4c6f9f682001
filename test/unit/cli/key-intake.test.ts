/** Keys on their way into a database that answers as the test says. */
import { expect, test } from "bun:test";
import { ImportIntake, type KeyIntake, RestoreIntake } from "../../../src/cli/key-intake.ts";
import type { Part } from "../../../src/client/link.ts";
import { KvdbError } from "../../../src/errors.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import type { TransferEntry } from "../../../src/transfer/entry.ts";

const OK: Answer = { kind: "status", text: "OK" };
const error = (code: string, text: string): Answer => ({ kind: "error", code, text });

function entry(key: string, value = "v"): TransferEntry {
  return { key: Buffer.from(key), kind: "string", deadlineMs: 0, value: Buffer.from(value) };
}

/** Commands as `NAME key key …` of VALUE.IMPORT, in their words else. */
class Target {
  readonly sent: string[] = [];
  readonly refused: string[] = [];
  readonly #answer: (command: string) => Answer;

  constructor(answer: (command: string) => Answer = () => OK) {
    this.#answer = answer;
  }

  intake(
    Intake: new (parts: ConstructorParameters<typeof ImportIntake>[0]) => KeyIntake = ImportIntake,
  ) {
    return new Intake({
      send: async (parts: readonly Part[]) => {
        const words = parts.map(String);
        const shown =
          words[0] === "VALUE.IMPORT" ? words.filter((_, i) => i === 0 || i % 4 === 1) : words;
        this.sent.push(shown.join(" "));
        return { answer: Promise.resolve(this.#answer(shown.join(" "))) };
      },
      refuse: async (key, reason) => {
        this.refused.push(`${key}: ${reason}`);
      },
    });
  }
}

test("steps of many keys, each into the database that is chosen then", async () => {
  const target = new Target();
  const intake = target.intake();
  await intake.into(0);
  for (const key of ["a", "b"]) intake.add(entry(key));
  await intake.into(3);
  intake.add(entry("c"));
  await intake.finish();
  expect(target.sent).toEqual(["VALUE.IMPORT a b", "SELECT 3", "VALUE.IMPORT c"]);
  expect(intake.keys).toBe(3);
  await intake.finish();
  expect(target.sent).toHaveLength(3);
});

test("it is full by keys, and by bytes", () => {
  const intake = new Target().intake();
  for (let i = 0; i < 999; i++) intake.add(entry(String(i)));
  expect(intake.isFull).toBe(false);
  intake.add(entry("last"));
  expect(intake.isFull).toBe(true);
  const large = new Target().intake();
  large.add(entry("a", "x".repeat(1 << 20)));
  expect(large.isFull).toBe(true);
});

test("of a step that is refused each key is tried by itself, in order", async () => {
  const target = new Target((command) =>
    command.includes("b") ? error("ERR", 'key "b": it is "wrong": no') : OK,
  );
  const intake = target.intake();
  for (const key of ["a", "b", "c"]) intake.add(entry(key));
  await intake.finish();
  expect(target.sent).toEqual([
    ...["VALUE.IMPORT a b c", "VALUE.IMPORT a", "VALUE.IMPORT b", "VALUE.IMPORT c"],
  ]);
  expect(target.refused).toEqual(['b: ERR it is "wrong": no']);
  expect(intake.keys).toBe(2);
});

test.each(["OOM", "MISCONF", "READONLY"])("%s says nothing of a key, and ends it", async (code) => {
  const target = new Target((command) => (command.startsWith("SELECT") ? OK : error(code, "no")));
  for (const Intake of [ImportIntake, RestoreIntake]) {
    const intake = target.intake(Intake);
    for (const key of ["a", "b"]) intake.add(entry(key));
    const failure = await intake.finish().catch((reason: unknown) => reason);
    expect(failure).toBeInstanceOf(KvdbError);
    expect((failure as KvdbError).message).toBe(`${code} no`);
    expect(intake.keys).toBe(0);
  }
  expect(target.refused).toEqual([]);
});

test("a database that cannot be chosen ends it, by its number", async () => {
  const target = new Target(() => error("ERR", "DB index is out of range"));
  const intake = target.intake();
  await intake.into(99);
  intake.add(entry("a"));
  const failure = await intake.finish().catch((reason: unknown) => reason);
  expect((failure as KvdbError).message).toContain("database 99");
  expect(target.sent).toEqual(["SELECT 99"]);
});

test("RESTORE takes the place of what is there, and refuses keys one by one", async () => {
  const target = new Target((command) =>
    command.startsWith("RESTORE b") ? error("ERR", "Bad data format") : OK,
  );
  const intake = target.intake(RestoreIntake);
  for (const key of ["a", "b"]) intake.add({ ...entry(key), deadlineMs: 17 });
  await intake.finish();
  expect(target.sent).toEqual([
    ...["RESTORE a 17 v REPLACE ABSTTL", "RESTORE b 17 v REPLACE ABSTTL"],
  ]);
  expect(target.refused).toEqual(["b: ERR Bad data format"]);
  expect(intake.keys).toBe(1);
});
