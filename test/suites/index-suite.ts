/**
 * What every kind of index must do, run against each built-in one and against yours: `indexSuite({ plugin, options })` at
 * the head of its test file, for each kind that the plugin brings. It asserts what a full scan of the documents says, in an
 * engine in memory. A test is left out only for what the kind's `supports` denies, or for a member that it may leave out.
 */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { answerTests } from "./index-answers.ts";
import { buildTests } from "./index-builds.ts";
import {
  type IndexCase,
  type IndexSubject,
  type Shape,
  shapesOf,
  subjectsOf,
} from "./index-case.ts";
import { changeSomething } from "./index-documents.ts";
import { faultTests } from "./index-faults.ts";
import { uniqueTests } from "./index-uniqueness.ts";
import { seeds } from "./seeds.ts";

export function indexSuite<Options>(tested: IndexCase<Options>): void {
  for (const subject of subjectsOf(tested)) {
    describe(`index kind ${subject.kind.name}, ${tested.name ?? "default"}`, () => {
      definitionTests(subject);
      contentTests(subject);
      databaseTests(subject);
      if (subject.kind.supports.databaseKeys) keyTests(subject);
      if (subject.kind.supports.unique) uniqueTests(subject);
      buildTests(subject);
      answerTests(subject);
      faultTests(subject);
    });
  }
}

// ---- definitions ----

const ERROR = { error: expect.any(String) };

function definitionTests({ kind, definition, open }: IndexSubject): void {
  const { supports } = kind;

  test("INDEX KINDS has it, with its line of help", () => {
    const kinds = open().db.run("INDEX", "KINDS") as Map<string, string>;
    expect(kinds.get(kind.name)).toBe(kind.summary);
  });

  test("a definition of it is kept as it was given, and may be given again", () => {
    const trial = open();
    trial.put("k", { a: 1 });
    const shape: Shape = { prefix: "k", sparse: true, where: "a > 0" };
    expect(trial.create("x", shape)).toBe(1);
    expect(trial.create("x", shape)).toBe(1);
    expect(JSON.parse(String(trial.info("x", "definition")))).toEqual({
      ...{ use: kind.name, field: "a", prefix: "k", sparse: true, where: "a > 0" },
      ...definition,
    });
    expect(trial.create("x")).toEqual(ERROR);
  });

  const refused: [what: string, words: readonly string[]][] = [
    ["an option that it does not have", ["FIELD", "a", "no-such-option", "1"]],
    ...Object.entries(kind.options ?? {})
      .filter(([, { values }]) => values !== undefined)
      .map(([name]): [string, string[]] => [`no value of ${name}`, ["FIELD", "a", name, "\u0001"]]),
  ];
  if (!supports.compound) refused.push(["several fields", ["FIELD", "a,id"]]);
  if (!supports.unique) refused.push(["unique", ["FIELD", "a", "UNIQUE"]]);
  if (!supports.databaseKeys) refused.push(["@key", ["FIELD", "@key"]]);

  test.each(refused)("%s: refused, and nothing is recorded", (_, words) => {
    const { db } = open();
    expect(db.run("INDEX", "CREATE", "x", "USING", kind.name, ...words)).toEqual(ERROR);
    expect(db.run("INDEX", "LIST")).toEqual([]);
    expect(db.records()).toEqual([]);
  });

  test("two indexes of one database do not know of each other", () => {
    const trial = open();
    trial.create("x");
    trial.create("y", { fields: ["tags"] });
    trial.put("k", { a: 1, tags: ["apple", "pear"] });
    trial.put("l", { a: 2, tags: ["apple"] });
    trial.expectTrue();
    trial.db.run("INDEX", "DROP", "x");
    trial.expectTrue();
    expect([trial.db.run("INDEX", "LIST"), trial.index("y").entries]).toEqual([["y"], 3]);
  });
}

// ---- contents ----

function contentTests(subject: IndexSubject): void {
  const { open } = subject;

  test.each(shapesOf(subject))("%s: documents that come, change and go", (_, shape) => {
    const trial = open();
    expect(trial.create("x", shape)).toBe(0);
    const full = { a: 4, b: { c: "apple" }, tags: ["apple", 2], text: "apple pie", id: 7 };
    for (const key of ["p:1", "p:2", "q:1"]) trial.put(key, full);
    trial.expectTrue();
    expect(Number(trial.info("x", "documents"))).toBe(shape.prefix === undefined ? 3 : 2);
    trial.put("p:1", { ...full, a: 5, b: { c: "apples" }, tags: ["apple", 3], text: "plum pie" });
    trial.put("p:2", { a: null, b: { c: null }, tags: [], text: null, id: 8 });
    trial.expectTrue();
    trial.put("p:2", {});
    trial.db.run("SET", "q:1", "text");
    trial.expectTrue();
    trial.db.run("DEL", "p:1", "p:2", "q:1");
    trial.expectTrue();
    expect(trial.info("x", "entries")).toBe(0);
  });

  test("elements of arrays, each once; null and missing are one; sparse leaves out what is missing", () => {
    const trial = open();
    trial.create("x", { fields: ["tags"] });
    trial.create("y", { fields: ["tags"], sparse: true });
    const documents = [{ tags: ["apple", "pear", "apple"] }, { tags: [] }, { tags: null }, {}];
    for (const [at, document] of documents.entries()) trial.put(`k${at}`, document);
    trial.expectTrue();
    expect([trial.info("x", "entries"), trial.info("y", "entries")]).toEqual([5, 4]);
    expect(trial.info("x", "documents-with-several-values")).toBe(1);
  });

  test("values that differ where no key can: a long text, an array in another order", () => {
    const trial = open();
    trial.create("x", { fields: ["text"] });
    const beginning = "apple ".repeat(400);
    trial.put("k", { text: `${beginning}plum` });
    trial.put("k", { text: `${beginning}quince` });
    trial.put("l", { text: ["apple", "plum"] });
    trial.put("l", { text: ["plum", "apple", "plum"] });
    trial.put("l", { text: ["plum", "apple"] });
    trial.expectTrue();
    trial.db.run("DEL", "k", "l");
    trial.expectTrue();
  });

  test("a write that another field makes does not touch it", () => {
    const trial = open();
    trial.create("x");
    trial.put("k", { a: "apple", id: 1 });
    const { usedBytes } = trial.db;
    trial.put("k", { a: "apple", id: 2 });
    trial.expectTrue();
    expect(trial.db.usedBytes).toBe(usedBytes);
  });

  test.each(seeds(3))("generated writes, seed %d", (seed) => {
    const random = seededRandom(seed);
    const trial = open({ seed, auditEvery: 11 });
    for (const [name, shape] of shapesOf(subject)) trial.create(name, shape);
    for (let step = 0; step < 400; step++) {
      changeSomething(trial.db, random);
      if (step === 250) trial.db.run("FLUSHDB");
      if (step % 80 === 0) trial.expectTrue();
    }
    trial.expectTrue();
    trial.restarted().expectTrue();
  });
}

// ---- what happens to databases ----

function databaseTests(subject: IndexSubject): void {
  const { open } = subject;

  test.each(["FLUSHDB", "FLUSHALL"])("%s empties it, and it goes on", (flush) => {
    const trial = open();
    trial.create("x");
    for (let at = 0; at < 20; at++) trial.put(`k${at}`, { a: `apple ${at}` });
    trial.db.run(flush);
    expect(trial.info("x", "entries")).toBe(0);
    trial.expectTrue();
    trial.put("k1", { a: "plum" });
    trial.expectTrue();
    expect(trial.restarted().info("x", "entries")).toBe(1);
  });

  test("SWAPDB takes it along; what leaves the database leaves it", () => {
    const trial = open();
    trial.create("x");
    for (const key of ["k", "l", "m"]) trial.put(key, { a: `apple ${key}` });
    trial.db.run("MOVE", "k", "1");
    trial.db.run("COPY", "l", "l", "DB", "1");
    expect(trial.info("x", "entries")).toBe(2);
    trial.expectTrue();
    trial.db.run("SWAPDB", "0", "1");
    expect(trial.db.run("INDEX", "LIST")).toEqual([]);
    trial.db.run("SELECT", "1");
    trial.put("n", { a: "plum" });
    trial.expectTrue();
    expect(trial.info("x", "entries")).toBe(3);
    trial.db.run("FLUSHDB");
    trial.expectTrue();
  });

  test("a document that is over has left it", () => {
    const trial = open();
    trial.create("x");
    trial.db.run("VALUE.SET", "k", '{"a":"apple"}', "PX", "10");
    trial.put("l", { a: "apple" });
    trial.db.advance(20);
    trial.expectTrue();
    expect(trial.db.run("GET", "k")).toBe(null);
    trial.expectTrue();
    expect(trial.info("x", "entries")).toBe(1);
  });

  test("INDEX DROP gives all memory back", () => {
    const trial = open({ auditEvery: 0 });
    for (let at = 0; at < 1000; at++) trial.put(`k${at}`, { a: `apple ${at}`, tags: [at, "x"] });
    const before = trial.db.usedBytes;
    for (const [name, shape] of shapesOf(subject)) trial.create(name, shape);
    for (const [name] of shapesOf(subject)) expect(trial.db.run("INDEX", "DROP", name)).toBe("OK");
    trial.db.reap();
    expect(trial.db.usedBytes).toBe(before);
    trial.put("k1", { a: "plum" });
    expect(trial.create("x")).toBe(1000);
    trial.expectTrue();
  });

  test("what it needs is in the memory that INDEX INFO tells, and in that of kvdb", () => {
    const trial = open({ auditEvery: 0 });
    for (let at = 0; at < 1000; at++) trial.put(`k${at}`, { a: `apple ${at}` });
    const before = trial.db.usedBytes;
    trial.create("x");
    const bytes = Number(trial.info("x", "bytes"));
    expect(bytes).toBeGreaterThan(4 * 1000);
    expect(trial.db.usedBytes - before).toBeGreaterThanOrEqual(bytes);
  });

  test("a restart brings it back, complete", () => {
    const trial = open();
    for (const [name, shape] of shapesOf(subject)) trial.create(name, shape);
    trial.create("gone");
    trial.db.run("INDEX", "DROP", "gone");
    for (let at = 0; at < 50; at++) {
      trial.put(`p:${at}`, { a: at, text: `apple ${at}`, tags: ["x", at], b: { c: at }, id: at });
    }
    const names = shapesOf(subject).map(([name]) => name);
    const again = trial.restarted();
    expect([...(again.db.run("INDEX", "LIST") as string[])].sort()).toEqual(names.sort());
    for (const name of names) expect(again.info(name, "entries")).toBe(trial.info(name, "entries"));
    again.expectTrue();
  });
}

// ---- keys of the database ----

function keyTests({ open }: IndexSubject): void {
  test("@key: every key, whatever it holds", () => {
    const trial = open();
    trial.put("k", { a: 1 });
    trial.db.run("SET", "l", "text");
    expect(trial.create("keys", { fields: ["@key"] })).toBe(2);
    trial.db.run("SADD", "s", "x");
    trial.db.run("SREM", "s", "x");
    trial.db.run("RENAME", "k", "z");
    trial.db.run("LPUSH", "list", "1");
    trial.db.run("SET", Buffer.from([0, 255, 1]), "bytes");
    trial.db.run("SET", "e", "1", "PX", "10");
    trial.db.advance(20);
    expect(trial.db.run("GET", "e")).toBe(null);
    expect(trial.info("keys", "entries")).toBe(4);
    trial.expectTrue();
    trial.restarted().expectTrue();
    trial.db.run("FLUSHALL");
    trial.expectTrue();
  });

  test("@key with a prefix: only keys that begin so", () => {
    const trial = open();
    trial.create("keys", { fields: ["@key"], prefix: "p:" });
    for (const key of ["p:1", "p:", "p", "q:1"]) trial.db.run("SET", key, "x");
    expect(trial.info("keys", "entries")).toBe(2);
    trial.expectTrue();
  });

  test.each(seeds(2))("@key: generated writes, seed %d", (seed) => {
    const random = seededRandom(seed);
    const trial = open({ seed, auditEvery: 11 });
    trial.create("keys", { fields: ["@key"] });
    for (let step = 0; step < 300; step++) changeSomething(trial.db, random);
    trial.expectTrue();
  });
}
