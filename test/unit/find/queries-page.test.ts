/**
 * docs/queries.md: each row of its tables is asked in both forms of the language, of the documents
 * that the page shows, with and without indexes.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { EngineHarness } from "../../suites/engine-harness.ts";

const PAGE = await Bun.file(join(import.meta.dir, "../../../docs/queries.md")).text();

/** As they are written: parsed, integers would be rounded. */
const [, shown = ""] = /^```json cases\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
const documents = [...shown.matchAll(/^"(.*?)": +(.*)$/gm)].map(([, key, text]) => ({ key, text }));
const rows = [...PAGE.matchAll(/^\| `(.+?)` \| `(\{.*?\})` \| (.*?) ?\|$/gm)].map(
  ([, short, mongo, keys]) => ({ short, mongo, keys: keys.split(" ").filter(Boolean) }),
);

const INDEXES = [
  ...[
    ["city", "hash", "city"],
    ["age", "ordered", "age"],
    ["tags", "ordered", "tags"],
  ],
  ...[
    ["sku", "hash", "items.sku"],
    ["key", "ordered", "@key"],
    ["id", "ordered", "id"],
  ],
] as const;

let plain: EngineHarness;
let indexed: EngineHarness;

beforeAll(() => {
  [plain, indexed] = [new EngineHarness(), new EngineHarness()];
  for (const { key, text } of documents) {
    for (const db of [plain, indexed]) {
      expect(db.run("JSON.SET", key, "$", text)).toBe("OK");
    }
  }
  for (const [name, kind, field] of INDEXES) {
    indexed.run("INDEX", "CREATE", name, "USING", kind, "FIELD", field);
  }
});

test("the page has documents, and rows for every operator", () => {
  expect(documents.length).toBeGreaterThan(5);
  expect(rows.length).toBeGreaterThan(45);
  const text = rows.map(({ mongo }) => mongo).join("\n");
  for (const operator of [
    ...["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$type", "$regex"],
    ...["$options", "$size", "$all", "$elemMatch", "$or", "$nor", "$not"],
  ]) {
    expect(text).toContain(`"${operator}"`);
  }
});

describe.each(rows)("$short", ({ short, mongo, keys }) => {
  test.each([short, mongo])("%s finds what the page says", (filter) => {
    for (const db of [plain, indexed]) {
      const found = db.run("FIND", filter, "FIELDS", "name") as [string, string][];
      expect(found.map(([key]) => key).sort()).toEqual(keys);
    }
  });
});
