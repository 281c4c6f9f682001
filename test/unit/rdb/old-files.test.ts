// Files that older servers wrote, of many versions and encodings, with what redis-server 7.0.15 makes of each: the same here,
// whole and in slices of a byte. What it refuses is refused.
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KvdbError } from "../../../src/errors.ts";
import type { EngineHarness } from "../../suites/engine-harness.ts";
import type { Value } from "../../suites/value-reply.ts";
import { load, RDB_PATH } from "./file-support.ts";

const FOLDER = join(import.meta.dir, "../../../../shared/data/rdb");
const EXPECTED = join(FOLDER, "expected.json");

/** Bytes that are no UTF-8 are `{ b64 }`. */
type Text = string | { readonly b64: string };
interface ExpectedKey {
  readonly key: Text;
  readonly type: string;
  readonly value: unknown;
}
interface ExpectedFile {
  readonly loads: boolean;
  readonly keys: number;
  readonly dbs: Readonly<Record<string, readonly ExpectedKey[]>>;
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null && "b64" in value) {
    return Buffer.from(String(value.b64), "base64").toString("latin1");
  }
  return typeof value === "string" ? Buffer.from(value).toString("latin1") : value;
}

function pairsOf(values: readonly Value[]): unknown[] {
  return values.flatMap((_, i) => (i % 2 === 0 ? [[values[i], values[i + 1]]] : []));
}

/** Of any order. */
function sorted(values: readonly unknown[]): unknown[] {
  return [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function found(db: EngineHarness, type: string, key: Buffer): unknown {
  const list = (...words: readonly (string | number | Buffer)[]) => {
    const answer = latin1(db.run(...words));
    return answer as Value[];
  };
  if (type === "string") return latin1(db.run("GET", key));
  if (type === "list") return list("LRANGE", key, 0, -1);
  if (type === "set") return sorted(list("SMEMBERS", key));
  if (type === "hash") return sorted(pairsOf(list("HGETALL", key)));
  if (type === "zset") {
    return pairsOf(list("ZRANGE", key, 0, -1, "WITHSCORES")).map((pair) => {
      const [member, score] = pair as [string, string];
      return [member, Number(score)];
    });
  }
  const entries = list("XRANGE", key, "-", "+") as unknown as [string, Value[]][];
  return entries.map(([id, fields]) => [id, pairsOf(fields)]);
}

function latin1(value: Value): unknown {
  if (Array.isArray(value)) return value.map(latin1);
  if (value instanceof Map) return [...value].flat().map(latin1);
  if (value instanceof Set) return [...value].map(latin1);
  return typeof value === "string" || value instanceof Buffer
    ? Buffer.from(value as string).toString("latin1")
    : value;
}

describe.skipIf(!existsSync(EXPECTED))("files (shared/data/rdb)", () => {
  const files: Record<string, ExpectedFile> = existsSync(EXPECTED)
    ? JSON.parse(readFileSync(EXPECTED, "utf8"))
    : {};
  const loading = Object.entries(files).filter(([, { loads }]) => loads);
  const refused = Object.entries(files).filter(([, { loads }]) => !loads);

  test.each(loading)("%s", async (name, expected) => {
    const bytes = readFileSync(join(FOLDER, name));
    // Redis looked at them when the keys of some were over.
    const nowMs = Date.UTC(2026, 0, 1);
    const whole = await load(bytes, { nowMs });
    const { db } = whole;
    let keys = 0;
    for (const [database, entries] of Object.entries(expected.dbs)) {
      db.run("SELECT", database);
      expect(db.run("DBSIZE")).toBe(entries.length);
      for (const { key, type, value } of entries) {
        keys++;
        const name = Buffer.from(plain(key) as string, "latin1");
        expect(db.run("TYPE", name)).toBe(type);
        expect(db.run("PTTL", name)).toBe(-1);
        const content = plain(value);
        const isUnordered = type === "set" || type === "hash";
        expect(found(db, type, name)).toEqual(isUnordered ? sorted(content as []) : content);
      }
    }
    expect(keys).toBe(expected.keys);
    if (bytes.length > 5000) return;
    const slices = await load(bytes, { nowMs, sliceBytes: 1 });
    expect(slices.db.run("DEBUG", "DIGEST")).toBe(db.run("DEBUG", "DIGEST"));
    expect(slices.report).toEqual(whole.report);
  });

  test.each(refused)("%s is refused", async (name) => {
    const error: unknown = await load(readFileSync(join(FOLDER, name))).catch((error) => error);
    if (!(error instanceof KvdbError)) throw error;
    expect(error.code).toBe("DAMAGE");
    expect(error.message).toMatch(new RegExp(`^${RDB_PATH}: the RDB at offset \\d+`));
  });

  test("are there", () => {
    expect([loading.length, refused.length]).toEqual([33, 3]);
  });
});
