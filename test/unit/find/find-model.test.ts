/**
 * Generated filters over generated documents: whatever way a query goes — through all documents, through any index, in pages,
 * sorted, in slices, after writes, after a restart — it answers the same. The seed is in the name.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/platform/random.ts";
import { parseSortOrder, SortKeys } from "../../../src/query/sort-order.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import { pick, randomDocument } from "../query/generated.ts";
import { randomFilter } from "../query/generated-filters.ts";

const INDEXES = [
  ["ha", "USING", "hash", "FIELD", "a"],
  ["oa", "USING", "ordered", "FIELD", "a"],
  ["oab", "USING", "ordered", "FIELD", "a.b"],
  ["sparse", "USING", "ordered", "FIELD", "b", "SPARSE"],
  ["partial", "USING", "ordered", "FIELD", "b", "WHERE", '{"a":{"$exists":true}}'],
  ["prefix", "USING", "hash", "FIELD", "c", "PREFIX", "p:"],
  ["keys", "USING", "ordered", "FIELD", "@key"],
] as const;

type Random = ReturnType<typeof seededRandom>;

function change(db: EngineHarness, random: Random): void {
  const key = `${pick(random, ["p:", "q:"])}${random.below(150)}`;
  if (random.below(5) === 0) db.run("DEL", key);
  else db.run("VALUE.SET", key, JSON.stringify(randomDocument(random, 2)));
}

function filled(seed: number): { db: EngineHarness; random: Random } {
  const random = seededRandom(seed);
  const db = new EngineHarness({ seed, auditEvery: 0 });
  for (let i = 0; i < 300; i++) change(db, random);
  return { db, random };
}

type Row = [key: string, text: string];

const rowsOf = (db: EngineHarness, ...words: (string | number)[]) =>
  db.run("FIND", ...words) as Row[];
const keysOf = (rows: readonly Row[]) => rows.map(([key]) => key).sort();

function words(random: Random): string[] {
  const filter = JSON.stringify(randomFilter(random, 2));
  return random.below(4) === 0 ? [filter, "IN", pick(random, ["p:*", "q:1*", "*"])] : [filter];
}

describe("FIND", () => {
  test.each(seeds(5))("answers the same whichever index it goes through, seed %d", (seed) => {
    const { db, random } = filled(seed);
    let helped = 0;
    for (let round = 0; round < 60; round++) {
      const query = words(random);
      const expected = keysOf(rowsOf(db, ...query));
      for (const definition of INDEXES) {
        const [name] = definition;
        expect(typeof db.run("INDEX", "CREATE", ...definition)).toBe("number");
        const answer = db.run("FIND", ...query, "USING", name);
        if (!Array.isArray(answer)) continue;
        helped++;
        expect([name, query, keysOf(answer as Row[])]).toEqual([name, query, expected]);
        expect(db.run("FIND", ...query, "USING", name, "COUNT")).toBe(expected.length);
      }
      expect(keysOf(rowsOf(db, ...query))).toEqual(expected);
      for (const [name] of INDEXES) db.run("INDEX", "DROP", name);
      for (let i = 0; i < 10; i++) change(db, random);
    }
    expect(helped).toBeGreaterThan(5);
  });

  test.each(seeds(3))("and after writes and a restart, seed %d", (seed) => {
    const { db, random } = filled(seed);
    for (const definition of INDEXES) db.run("INDEX", "CREATE", ...definition);
    const bare = new EngineHarness({ auditEvery: 0 });
    for (let round = 0; round < 150; round++) change(db, random);
    for (const [key, text] of rowsOf(db, "*")) bare.run("VALUE.SET", key, text);
    for (const one of [db, db.replayed()]) {
      for (let round = 0; round < 60; round++) {
        const query = words(random);
        expect(keysOf(rowsOf(one, ...query))).toEqual(keysOf(rowsOf(bare, ...query)));
      }
    }
  });

  test.each(seeds(3))("in pages, each document once, seed %d", (seed) => {
    const { db, random } = filled(seed);
    for (const definition of INDEXES)
      if (random.below(2) === 0) db.run("INDEX", "CREATE", ...definition);
    for (let round = 0; round < 40; round++) {
      const query = [
        ...words(random),
        ...(random.below(2) === 0 ? [] : ["SORT", pick(random, ["a", "-b,a", "@key"])]),
      ];
      const expected = rowsOf(db, ...query);
      const found: Row[] = [];
      let cursor = "0";
      do {
        const size = 1 + random.below(40);
        const [next, rows] = db.run("FIND", ...query, "CURSOR", cursor, "LIMIT", size) as [
          string,
          Row[],
        ];
        expect(rows.length).toBeLessThanOrEqual(size);
        found.push(...rows);
        cursor = next;
        expect(found.length).toBeLessThanOrEqual(expected.length);
      } while (cursor !== "0");
      expect(keysOf(found)).toEqual(keysOf(expected));
      if (query.includes("SORT")) expect(found).toEqual(expected);
    }
  });

  test.each(seeds(3))("sorted, by an index or not, seed %d", (seed) => {
    const { db, random } = filled(seed);
    for (let round = 0; round < 30; round++) {
      const query = [...words(random), "SORT", pick(random, ["a", "-a", "a.b", "-a.b"])];
      const [filter] = query;
      const sorted = rowsOf(db, ...query);
      const expected = placesOf(sorted, query.at(-1) as string);
      for (const name of ["oa", "oab"]) {
        db.run("INDEX", "CREATE", ...(INDEXES.find(([one]) => one === name) ?? []));
        const found = rowsOf(db, ...query);
        expect(keysOf(found)).toEqual(keysOf(sorted));
        expect(placesOf(found, query.at(-1) as string)).toEqual(expected);
        const limited = rowsOf(db, ...query, "SKIP", 2, "LIMIT", 5);
        expect(placesOf(limited, query.at(-1) as string)).toEqual(expected.slice(2, 7));
        db.run("INDEX", "DROP", name);
      }
      expect(filter).toBeDefined();
    }
  });
});

/** What the rows were sorted by, whatever the order of equals. */
function placesOf(rows: readonly Row[], order: string): string[] {
  const keys = new SortKeys(parseSortOrder(order));
  return rows.map(([key, text]) => {
    const [bytes, keyBytes] = [Buffer.from(text), Buffer.from(key)];
    return keys.of(bytes, 0, bytes.length, keyBytes, 0, keyBytes.length).toString("hex");
  });
}
