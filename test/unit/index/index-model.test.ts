/**
 * Indexes of every shape under generated writes, against what the documents say: after random commands, beside a build that
 * goes on in slices, after a restart. The seed is in the name.
 */
import { describe, expect, test } from "bun:test";
import { IndexBuild } from "../../../src/index/building.ts";
import { readDefinition } from "../../../src/index/definition.ts";
import { documentAt, keyAsDocument, numberOf } from "../../../src/index/documents.ts";
import { ALL_HASHES, type LiveIndex } from "../../../src/index/live-index.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { ALL_KEYS } from "../../../src/plugin.ts";
import type { Database } from "../../../src/store/database.ts";
import { eachStoredEntry } from "../../../src/store/database-walk.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

const DEFINITIONS: Readonly<Record<string, object>> = {
  h: { use: "hash", field: "a" },
  sha: { use: "hash", field: "tags", hash: "sha256" },
  o: { use: "ordered", field: "a" },
  sparse: { use: "ordered", field: "b.c", sparse: true },
  multi: { use: "ordered", field: "tags" },
  compound: { use: "ordered", fields: ["id", "tags"] },
  prefix: { use: "hash", field: "a", prefix: "p:" },
  where: { use: "ordered", field: "b.c", where: "a > 3" },
  unique: { use: "ordered", field: "id", unique: true, sparse: true },
  keys: { use: "ordered", field: "@key" },
};

type Random = { below(bound: number): number };

function value(random: Random): unknown {
  const choices = [1, 2, 3, 4.5, -7, "x", "yy", "", null, true, [], [1], [1, 1, "x"], {}, { c: 1 }];
  return choices[random.below(choices.length)];
}

function document(random: Random): string {
  const fields: Record<string, unknown> = {};
  if (random.below(4) > 0) fields["a"] = value(random);
  if (random.below(2) > 0) fields["b"] = random.below(2) > 0 ? { c: value(random) } : value(random);
  if (random.below(2) > 0)
    fields["tags"] = Array.from({ length: random.below(4) }, () => value(random));
  if (random.below(2) > 0) fields["id"] = random.below(60);
  return random.below(20) === 0 ? JSON.stringify(value(random)) : JSON.stringify(fields);
}

const key = (random: Random) => `${["p:", "q:"][random.below(2)]}${random.below(40)}`;

/** One random command; what it answers does not matter here. */
function act(db: EngineHarness, random: Random): void {
  const to = key(random);
  switch (random.below(14)) {
    case 0:
      db.run("DEL", to);
      break;
    case 1:
      db.run("RENAME", key(random), to);
      break;
    case 2:
      db.run("COPY", key(random), to, "REPLACE");
      break;
    case 3:
      db.run("SET", to, "text");
      break;
    case 4:
      db.run("VALUE.SET", to, document(random), "PX", 1 + random.below(50));
      break;
    case 5:
      db.run("INCRBY", to, "1");
      break;
    case 6:
      db.advance(random.below(20));
      break;
    case 7:
      if (random.below(20) === 0) db.run(random.below(2) > 0 ? "FLUSHDB" : "FLUSHALL");
      break;
    case 8:
      db.run("SADD", to, "member");
      break;
    case 9:
      if (random.below(5) === 0) db.run("MOVE", to, "1");
      break;
    default:
      db.run("VALUE.SET", to, document(random));
  }
}

/** Pairs of key and document as the index has them, and as the entries of its database say. */
function pairsOf(index: LiveIndex): string[] {
  const answer = index.answer({ conditions: [], ranges: [ALL_KEYS], wantsOrder: false });
  if (answer === undefined) return expectedPairs(index); // what keeps digests cannot be walked
  const cursor = answer.open(false);
  const found: string[] = [];
  while (cursor.next()) found.push(`${Buffer.from(cursor.key).toString("hex")} ${cursor.document}`);
  expect(found.length).toBe(answer.count);
  expect([...found].sort()).toEqual(found.map(String).sort());
  return found.sort();
}

function expectedPairs(index: LiveIndex): string[] {
  const { database } = index;
  const found: string[] = [];
  eachEntry(database, (entry) => {
    const place = keyAsDocument(database, entry);
    const source = index.isKeyIndex ? place : documentAt(database, entry);
    if (source === undefined) return;
    const number = numberOf(database, place.keyBytes, place.keyStart, place.keyEnd);
    for (const one of index.keysOf(source)) {
      expect(index.has(one, number)).toBe(true);
      found.push(`${Buffer.from(one).toString("hex")} ${number}`);
    }
  });
  return found.sort();
}

/** Those that are over and not yet removed are in an index still. */
function eachEntry(database: Database, visit: (entry: number) => void): void {
  const entries: number[] = [];
  eachStoredEntry(database, (entry) => entries.push(entry));
  entries.forEach(visit);
}

function compare(db: EngineHarness, index: LiveIndex): void {
  const expected = expectedPairs(index);
  expect(pairsOf(index)).toEqual(expected);
  expect([index.entries, index.size]).toEqual([expected.length, expected.length]);
  expect(db.engine.indexes.all.of(index.database)).toContain(index);
}

describe("indexes under generated writes", () => {
  test.each(seeds(6))("have what the documents say, seed %d", (seed) => {
    const random = seededRandom(seed);
    const db = new EngineHarness({ seed, auditEvery: 7 });
    for (const [name, definition] of Object.entries(DEFINITIONS)) {
      const { all } = db.engine.indexes;
      const index = all.make(db.session.database, readDefinition(name, definition));
      index.state = "ready";
      all.add(index);
    }
    for (let step = 0; step < 600; step++) {
      act(db, random);
      if (step % 60 === 0) {
        for (const index of db.engine.indexes.all.of(db.session.database)) compare(db, index);
      }
    }
  });

  test.each(seeds(4))("and those that are built meanwhile, in slices, seed %d", (seed) => {
    const random = seededRandom(seed);
    const db = new EngineHarness({ seed, auditEvery: 7 });
    const { all } = db.engine.indexes;
    for (let i = 0; i < 3000; i++) db.run("VALUE.SET", `k${i}`, document(random));
    const names = Object.keys(DEFINITIONS).filter((name) => name !== "unique");
    const made = names.map((name) => {
      const index = all.make(db.session.database, readDefinition(name, DEFINITIONS[name]));
      all.add(index);
      return index;
    });
    const ended: (Error | undefined)[] = [];
    const build = new IndexBuild({
      indexes: made,
      requireMemory: () => {},
      onEnd: (_index, failure) => ended.push(failure),
    });
    let slices = 0;
    while (!build.step(() => true)) {
      slices++;
      db.run("VALUE.SET", `k${random.below(3000)}`, document(random));
      for (let i = 0; i < 10; i++) act(db, random);
      if (slices === 3) db.run("SWAPDB", "0", "2");
    }
    expect(ended).toEqual(names.map(() => undefined));
    for (const index of made) {
      expect([index.state, index.builtUpTo]).toEqual(["ready", ALL_HASHES]);
      compare(db, index);
    }
  });

  test.each(seeds(3))("and after a restart, seed %d", (seed) => {
    const random = seededRandom(seed);
    const db = new EngineHarness({ seed, auditEvery: 0 });
    for (const [name, definition] of Object.entries(DEFINITIONS)) {
      db.engine.keyspace.setDefinition(db.session.database, name, JSON.stringify(definition));
      const words = { ...(definition as Record<string, unknown>) };
      const field = (words["fields"] as string[] | undefined)?.join(",") ?? String(words["field"]);
      const options = Object.entries(words).flatMap(([word, value]) =>
        ["use", "field", "fields"].includes(word)
          ? []
          : value === true
            ? [word]
            : [word, String(value)],
      );
      db.engine.keyspace.deleteDefinition(db.session.database, name);
      expect(
        db.run("INDEX", "CREATE", name, "USING", String(words["use"]), "FIELD", field, ...options),
      ).toBe(0);
    }
    for (let step = 0; step < 300; step++) act(db, random);
    const again = db.replayed();
    const indexes = again.engine.indexes.all.of(again.session.database);
    expect(indexes.map(({ name }) => name)).toEqual(Object.keys(DEFINITIONS).sort());
    for (const index of indexes) compare(again, index);
  });
});
