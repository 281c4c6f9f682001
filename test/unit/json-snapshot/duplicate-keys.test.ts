/** Keys that come twice are found exactly: not by their hashes alone, and whatever a slice holds. */
import { describe, expect, test } from "bun:test";
import { measureFile } from "../../../plugins/json-snapshot/file-checksum.ts";
import { readSnapshot } from "../../../plugins/json-snapshot/snapshot-reader.ts";
import { KvdbError } from "../../../src/errors.ts";
import { createRecordingSink } from "../../suites/index.ts";
import { diskWith, FILE, look, refusal } from "./support.ts";

/** Two keys that the table cannot tell apart. */
function findCollision(): [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0; ; i++) {
    const key = `key:${i}`;
    const hash = Bun.hash.xxHash32(Buffer.from(key));
    const other = seen.get(hash);
    if (other !== undefined) return [other, key];
    seen.set(hash, key);
  }
}

const [left, right] = findCollision();

const lines = (keys: readonly string[]) => keys.map((key) => `"${key}": 1`).join(",\n");
const database = (keys: readonly string[]) => `{"databases":{"0":{\n${lines(keys)}\n}}}`;
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

describe("keys of one hash", () => {
  test("that are different load", async () => {
    const { entries } = await look((await diskWith(database([left, right, "x"]))).files);
    expect(entries).toHaveLength(3);
  });

  test.each([
    [[left, right, left], 4],
    [[left, right, right], 4],
    [[left, left, right], 3],
    [[right, ...numbered(20_000), left, ...numbered(5).map((key) => `${key}x`), left], 20_009],
  ])("a repetition among them is found", async (keys, line) => {
    const { message } = await refusal(database(keys));
    expect(message).toStartWith(`${FILE}:${line}:1: expected each key only once`);
  });
});

test("a repetition is found in each database, however slices lie", async () => {
  const content = ["1", "2", "3"].map((number) => `"${number}":{"a":1,"b":2}`).join(",\n");
  for (const number of ["1", "2", "3"]) {
    const text = `{"databases":{${content.replace(`"${number}":{"a"`, `"${number}":{"b"`)}}}`;
    for (const sliceBytes of [1, 7, 20, 1000]) {
      const { files } = await diskWith(text);
      const file = await files.open(FILE, "read");
      const measure = await measureFile(file, () => {});
      const sink = createRecordingSink();
      const reading = readSnapshot({
        file,
        measure,
        sink,
        isLenient: false,
        lastRevision: 0,
        sliceBytes,
      });
      const error = await reading.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(KvdbError);
      expect((error as KvdbError).message).toContain(`${FILE}:${number}:`);
    }
  }
});

test("a key that comes over and over costs no more than others", async () => {
  const keys = Array.from({ length: 50_000 }, () => "again");
  const found = await look((await diskWith(database(keys))).files, { purpose: { kind: "check" } });
  expect(found.report.dropped).toHaveLength(1001);
  expect(found.report.dropped.at(-1)?.reason).toContain(String(50_000 - 1 - 1000));
});

test("many different keys are no repetition", async () => {
  const { entries } = await look((await diskWith(database(numbered(50_000)))).files);
  expect(entries).toHaveLength(50_000);
});
