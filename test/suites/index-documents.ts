/**
 * Generated documents, and commands that change them in every way there is: what indexes are tested with. The fields are
 * `a` (any value), `b.c` (any, through objects and arrays), `tags` (an array), `text` (words) and `id` (a number).
 */
import type { EngineHarness } from "./engine-harness.ts";

export interface Random {
  below(bound: number): number;
}

const KEYS = 40;
const PREFIXES = ["p:", "q:"] as const;

const VALUES: readonly unknown[] = [
  ...[1, 2, 3, 4.5, -7, 1e300, "x", "yy", "", null, true, false],
  ...["apple", "apple pie", "pineapple", "Äpfel", "\u0000", "😀 grin"],
  ...[[], [1], [1, 1, "x"], ["apple", null], {}, { c: 1 }, [{ c: 2 }, { c: "x" }], [[1], 2]],
];

const WORDS = ["apple", "pear", "plum", "Apple", "fig", "quince", "Zürich", "pineapple", "pie"];

export function pick<One>(random: Random, from: readonly One[]): One {
  return from[random.below(from.length)] as One;
}

export function generatedValue(random: Random): unknown {
  return pick(random, VALUES);
}

export function generatedText(random: Random): string {
  return Array.from({ length: random.below(6) }, () => pick(random, WORDS)).join(" ");
}

/** JSON text; now and then of something that is no object. */
export function generatedDocument(random: Random): string {
  if (random.below(20) === 0) return JSON.stringify(generatedValue(random));
  const fields: Record<string, unknown> = {};
  const value = () => generatedValue(random);
  if (random.below(4) > 0) fields["a"] = value();
  if (random.below(2) > 0) fields["b"] = random.below(2) > 0 ? { c: value() } : value();
  if (random.below(2) > 0) fields["tags"] = Array.from({ length: random.below(4) }, value);
  if (random.below(2) > 0) fields["text"] = generatedText(random);
  if (random.below(2) > 0) fields["id"] = random.below(60);
  return JSON.stringify(fields);
}

export function generatedKey(random: Random): string {
  return `${pick(random, PREFIXES)}${random.below(KEYS)}`;
}

/** How a key changes: one command, or nothing. What it answers does not matter here. */
const CHANGES: readonly ((db: EngineHarness, key: string, random: Random) => void)[] = [
  (db, key) => db.run("DEL", key),
  (db, key, random) => db.run("RENAME", generatedKey(random), key),
  (db, key, random) => db.run("COPY", generatedKey(random), key, "REPLACE"),
  (db, key) => db.run("SET", key, "text"),
  (db, key, random) => {
    db.run("VALUE.SET", key, generatedDocument(random), "PX", 1 + random.below(50));
  },
  (db, key) => db.run("INCRBY", key, "1"),
  (db, _key, random) => db.advance(random.below(20)),
  (db, key) => db.run("SADD", key, "member"),
  (db, key, random) => {
    if (random.below(5) === 0) db.run("MOVE", key, "1");
  },
  (db, key, random) => {
    const path = pick(random, ["$.a", "$.tags", "$.b.c", "$.text", "$"]);
    db.run("JSON.SET", key, path, JSON.stringify(generatedValue(random)));
  },
  (db, key, random) => db.run("JSON.DEL", key, pick(random, ["$.a", "$.tags[0]", "$.b"])),
  (db, key, random) => {
    db.run("JSON.ARRAPPEND", key, "$.tags", JSON.stringify(generatedValue(random)));
  },
];

export function changeSomething(db: EngineHarness, random: Random): void {
  const key = generatedKey(random);
  if (random.below(3) === 0) db.run("VALUE.SET", key, generatedDocument(random));
  else pick(random, CHANGES)(db, key, random);
}
