/**
 * Two documents whose keys have the same 32-bit number, by which indexes know them: among a million documents there are a
 * hundred such pairs. Whatever way a query goes, it answers each of them once, in its place.
 */
import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { hashBytes } from "../../../src/store/hash.ts";
import type { Keyspace } from "../../../src/store/keyspace.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { naiveKind } from "../suites/naive-index.ts";

/** The first two that are found: about 80 000 keys are enough. */
function sharingKeys({ hashKey0, hashKey1 }: Keyspace): [string, string] {
  const byNumber = new Map<number, string>();
  for (let i = 0; ; i++) {
    const key = `d:${i}`;
    const bytes = Buffer.from(key);
    const number = hashBytes(hashKey0, hashKey1, bytes, 0, bytes.length);
    const other = byNumber.get(number);
    if (other !== undefined) return [other, key];
    byNumber.set(number, key);
  }
}

type Row = [key: string, text: string];

const WAYS: [string, string[]][] = [
  ["hash", ["USING", "hash", "FIELD", "n"]],
  ["sha256", ["USING", "hash", "FIELD", "n", "hash", "sha256"]],
  ["ordered", ["USING", "ordered", "FIELD", "n"]],
  ["compound", ["USING", "ordered", "FIELD", "n,even"]],
  ["third-party", ["USING", "naive", "FIELD", "n"]],
];

const FILTERS = [
  "n in (2, 9)",
  "n in (2, 3, 9) and name != 'x'",
  "n in (9)",
  "n in (2) and even = true",
];

describe.each(WAYS)("documents that share a number, index %s", (name, words) => {
  // No other engine hashes as this one does.
  let db: EngineHarness;
  let [one, other] = ["", ""];

  beforeAll(() => {
    db = new EngineHarness({ auditEvery: 0, indexKinds: [naiveKind] });
    [one, other] = sharingKeys(db.engine.keyspace);
    for (let n = 0; n < 40; n++) put(`x:${n}`, n % 20);
    expect(db.run("INDEX", "CREATE", name, ...words)).toBe(40);
  });

  beforeEach(() => {
    put(one, 2);
    put(other, 9);
  });

  const put = (key: string, n: number) =>
    db.run("JSON.SET", key, "$", JSON.stringify({ n, even: n % 2 === 0 }));
  const keys = (rows: unknown) => (rows as Row[]).map(([key]) => key);
  const scanned = (filter: string) => {
    const bare = new EngineHarness({ auditEvery: 0 });
    for (const [key, text] of db.run("FIND", "*") as Row[]) bare.run("JSON.SET", key, "$", text);
    return keys(bare.run("FIND", filter)).sort();
  };

  test.each(FILTERS)("%s: each once", (filter) => {
    const expected = scanned(filter);
    expect(keys(db.run("FIND", filter, "USING", name)).sort()).toEqual(expected);
    expect(db.run("FIND", filter, "USING", name, "COUNT")).toBe(expected.length);
    expect(db.run("FIND", filter, "USING", name, "SUM", "n")).toEqual(
      db.run("FIND", filter, "SUM", "n"),
    );
  });

  test("in order", () => {
    for (const order of ["n", "-n"]) {
      const rows = db.run("FIND", "n in (2, 3, 9)", "USING", name, "SORT", order) as Row[];
      const numbers = rows.map(([, text]) => (JSON.parse(text) as { n: number }).n);
      const direction = order === "n" ? 1 : -1;
      expect(numbers).toEqual(numbers.toSorted((a, b) => direction * (a - b)));
      expect(keys(rows).sort()).toEqual(scanned("n in (2, 3, 9)"));
    }
  });

  test("in pages of one", () => {
    const found: string[] = [];
    const using = name === "third-party" ? [] : ["USING", name];
    let cursor = "0";
    do {
      const page = db.run("FIND", "n in (2, 9)", ...using, "LIMIT", 1, "CURSOR", cursor);
      const [next, rows] = page as [string, Row[]];
      cursor = next;
      found.push(...keys(rows));
    } while (cursor !== "0");
    expect(found.sort()).toEqual(scanned("n in (2, 9)"));
  });

  test("with the same value, and when one of them goes", () => {
    put(other, 2);
    expect(keys(db.run("FIND", "n = 2", "USING", name)).sort()).toEqual(scanned("n = 2"));
    expect(db.run("FIND", "n = 2", "USING", name, "COUNT")).toBe(4);
    db.run("DEL", one);
    expect(keys(db.run("FIND", "n = 2", "USING", name)).sort()).toEqual(scanned("n = 2"));
    expect((db.run("INDEX", "CHECK", name) as Map<string, unknown>).get("status")).toBe("ok");
  });

  test("a unique index tells them apart", () => {
    const free = [...words.slice(0, 3), "id", "UNIQUE", "SPARSE", ...words.slice(4)];
    expect(db.run("INDEX", "CREATE", "unique", ...free)).toBe(0);
    const set = (key: string, id: number) => db.run("JSON.SET", key, "$.id", String(id));
    expect(set(one, 1)).toBe("OK");
    expect(set(other, 1)).toEqual({ error: expect.stringMatching(/^DUPLICATE/) });
    expect(set(other, 2)).toBe("OK");
    expect(db.run("RENAME", one, other)).toBe("OK");
    expect(set("x:0", 2)).toBe("OK");
    expect(set("x:1", 1)).toEqual({ error: expect.stringMatching(/^DUPLICATE/) });
  });
});
