/** Readers on whatever bytes there are: they end, they tell the same for any chunks, and what they take is right. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { CsvReader } from "../../../src/transfer/csv-reader.ts";
import type { FileReader } from "../../../src/transfer/entry.ts";
import { JsonArrayReader } from "../../../src/transfer/json-array-reader.ts";
import { JsonLinesReader } from "../../../src/transfer/json-lines-reader.ts";
import { readAll } from "./support.ts";

const prefix = Buffer.alloc(0);
const READERS: Readonly<Record<string, () => FileReader>> = {
  jsonl: () => new JsonLinesReader({ prefix, keyPath: undefined }),
  "jsonl by key": () => new JsonLinesReader({ prefix, keyPath: ["id"] }),
  json: () => new JsonArrayReader({ prefix, keyPath: ["id"] }),
  csv: () => new CsvReader({ prefix, keyColumn: undefined, isText: false }),
};

const FRONTS: Readonly<Record<string, string>> = { json: "[", csv: "key,a\nk,x\n" };

// Whole elements, pieces of such, and now and then bytes that are none.
const wholes = [
  ...[
    '{"id":1}\n',
    '\r\n{"key":"k","value":{"id":"x"},"id":2}',
    '\n{"key":"k","value":1}\r\n',
    "\n",
  ],
  ...[',{"id":1}', '{"id":"],\\"}{"},', '\n,\t{"id":\n2}\n', "]"],
  ...["k,x\n", '"k\n2","a ""b"""\r\n', "\r\nk,\n"],
];
const pieces = [
  ...["[", "]", "{", "}", ",", ":", '"', '\\"', "\n", "\r\n", "\r", " ", "\ufeff", "ä", "😀"],
  ...[
    '"id"',
    "1",
    "-0.5e3",
    '{"key":"a","value":{"$list":["x"]}}',
    "key",
    "null",
    '"$set"',
    "\u2028",
  ],
];
const part = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...wholes) },
  { weight: 4, arbitrary: fc.constantFrom(...pieces) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }) },
);
const bytes = fc
  .array(part, { maxLength: 12 })
  .map((parts) => Buffer.concat(parts.map((one) => Buffer.from(one as string))));

test.each(Object.keys(READERS))("%s", (name) => {
  const make = READERS[name] as () => FileReader;
  let entries = 0;
  fc.assert(
    fc.property(bytes, fc.boolean(), fc.integer({ min: 1, max: 20 }), (rest, isBegun, size) => {
      // Without its beginning an array or a CSV is soon over.
      const file = isBegun ? Buffer.concat([Buffer.from(FRONTS[name] ?? ""), rest]) : rest;
      const items = readAll(make(), file);
      expect(readAll(make(), file, size)).toEqual(items);
      const lines = file.toString().split("\n").length;
      for (const item of items) {
        expect(item.place.line).toBeWithin(1, lines + 1);
        if (item.kind === "entry") entries++;
        if (item.kind === "entry" && item.entry.kind === "json") {
          expect(() => JSON.parse(item.entry.value.toString())).not.toThrow();
        }
      }
    }),
    { numRuns: 2000 },
  );
  expect(entries).toBeGreaterThan(100);
});
