/** Tests of indexes that are unique: which writes they refuse, and that a refused one has changed nothing. */
import { expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import type { Argument, EngineHarness } from "./engine-harness.ts";
import type { IndexSubject, IndexTrial } from "./index-case.ts";
import { changeSomething } from "./index-documents.ts";
import { seeds } from "./seeds.ts";

const TAKEN = {
  error: expect.stringMatching(/^DUPLICATE index "x" is unique: .*"apple" is taken/),
};

export function uniqueTests({ kind, open }: IndexSubject): void {
  const start = (): IndexTrial => {
    const trial = open();
    trial.create("x", { unique: true });
    trial.put("k", { a: "apple" });
    trial.put("l", { a: "plum" });
    trial.db.run("SADD", "set", "x");
    return trial;
  };

  const refused: [title: string, command: readonly Argument[]][] = [
    ["a new key", ["VALUE.SET", "m", '{"a":"apple"}']],
    ["a key with another value", ["VALUE.SET", "l", '{"a":"apple","b":1}']],
    ["a key of another type", ["VALUE.SET", "set", '{"a":"apple"}']],
    ["one of several elements", ["VALUE.SET", "m", '{"a":["fig","apple"]}']],
    ["a copy", ["COPY", "k", "m"]],
    ["a copy over another", ["COPY", "k", "l", "REPLACE"]],
    ["a part that is set", ["JSON.SET", "l", "$.a", '"apple"']],
    ["a part that is merged", ["JSON.MERGE", "l", "$", '{"a":"apple"}']],
  ];
  test.each(refused)("unique: %s is refused, and nothing has changed", (_, command) => {
    const trial = start();
    const { db } = trial;
    db.records();
    const before = [db.run("DEBUG", "DIGEST"), db.usedBytes];
    expect(db.run(...command)).toEqual(TAKEN);
    db.reap();
    expect([db.run("DEBUG", "DIGEST"), db.usedBytes]).toEqual(before);
    expect(db.records()).toEqual([]);
    trial.expectTrue();
  });

  test("unique: a document that is restored is refused", () => {
    const trial = start();
    const { db } = trial;
    const payload = db.run("DUMP", "k") as Buffer;
    expect(db.run("RESTORE", "m", 0, payload)).toEqual(TAKEN);
    expect(db.run("RESTORE", "k", 0, payload, "REPLACE")).toBe("OK");
    expect(db.run("EXISTS", "m")).toBe(0);
    trial.expectTrue();
  });

  test("unique: a value goes with its document, and moves with it", () => {
    const trial = start();
    const { db } = trial;
    expect(trial.put("k", { a: "apple", b: 2 })).toBe("OK");
    expect(db.run("RENAME", "k", "l")).toBe("OK");
    expect(trial.put("m", { a: "plum" })).toBe("OK");
    expect(trial.put("n", { a: "apple" })).toEqual(TAKEN);
    db.run("DEL", "l");
    expect(trial.put("n", { a: "apple" })).toBe("OK");
    db.run("SET", "n", "text");
    expect(trial.put("o", { a: "apple" })).toBe("OK");
    db.run("MOVE", "o", "1");
    expect(trial.put("p", { a: "apple" })).toBe("OK");
    db.run("FLUSHDB");
    expect(trial.put("q", { a: "apple" })).toBe("OK");
    trial.expectTrue();
  });

  test("unique: a document that is over and still there is in nobody's way", () => {
    const trial = start();
    trial.db.run("PEXPIRE", "k", "10");
    trial.db.engine.activeExpiry = false;
    trial.db.advance(20);
    expect(trial.put("m", { a: "apple" })).toBe("OK");
    trial.expectTrue();
  });

  test("unique: any number of documents has nothing, and null", () => {
    const trial = start();
    for (const [at, a] of [null, undefined, null, undefined].entries()) {
      expect(trial.put(`n${at}`, { a })).toBe("OK");
    }
    trial.expectTrue();
  });

  test("unique: documents that its filter or prefix leaves out are in nobody's way", () => {
    const trial = open();
    trial.create("x", { unique: true, prefix: "p:", where: "b = 1" });
    for (const [key, b] of [
      ["p:1", 1],
      ["p:2", 2],
      ["q:1", 1],
    ] as const) {
      expect(trial.put(key, { a: "apple", b })).toBe("OK");
    }
    expect(trial.put("p:2", { a: "apple", b: 1 })).toEqual(TAKEN);
    trial.expectTrue();
  });

  test("unique: of documents that have a value twice it is not made", () => {
    const trial = open();
    trial.put("k", { a: "apple" });
    trial.put("l", { a: "apple" });
    trial.db.records();
    const { usedBytes } = trial.db;
    expect(trial.create("x", { unique: true })).toEqual(TAKEN);
    expect(trial.db.run("INDEX", "LIST")).toEqual([]);
    expect(trial.db.records()).toEqual([]);
    trial.db.reap();
    expect(trial.db.usedBytes).toBe(usedBytes);
    expect(trial.put("m", { a: "apple" })).toBe("OK");
  });

  test("unique: what comes while it is built is refused, or makes it fail", async () => {
    const trial = open({ auditEvery: 0 });
    for (let at = 0; at < 50; at++) trial.put(`k${at}`, { a: `apple ${at}` });
    const other = trial.db.connect();
    const created = trial.db.askIn(other, ...trial.creation("x", { unique: true }));
    const answer = trial.put("m", { a: "apple 7" });
    const entries = await created;
    const isRefused = typeof answer === "object" && typeof entries === "number";
    const hasFailed = answer === "OK" && typeof entries === "object";
    expect([answer, entries, isRefused || hasFailed]).toEqual([answer, entries, true]);
  });

  if (kind.supports.compound) {
    test("unique: of several fields all are compared", () => {
      const trial = open();
      trial.create("x", { fields: ["b", "a"], unique: true });
      expect(trial.put("k", { a: "apple", b: 1 })).toBe("OK");
      expect(trial.put("l", { a: "apple", b: 2 })).toBe("OK");
      expect(trial.put("m", { a: "apple", b: 2 })).toEqual(TAKEN);
      trial.expectTrue();
    });
  }

  test("unique: after a restart it still is", () => {
    const again = start().restarted();
    expect(again.put("m", { a: "apple" })).toEqual(TAKEN);
    again.expectTrue();
  });

  test.each(seeds(3))("unique: no value twice, whatever is written, seed %d", (seed) => {
    const random = seededRandom(seed);
    const trial = open({ seed, auditEvery: 11 });
    trial.create("x", { fields: ["id"], unique: true, sparse: true });
    for (let step = 0; step < 400; step++) changeSomething(trial.db, random);
    trial.expectTrue();
    expect(idsTwice(trial.db)).toEqual([]);
  });
}

/** As the documents have them. */
function idsTwice(db: EngineHarness): unknown[] {
  const seen = new Set<unknown>();
  return (db.run("KEYS", "*") as string[]).flatMap((key) => {
    const text = db.run("GET", key);
    const { id } = typeof text === "string" && text.startsWith("{") ? JSON.parse(text) : {};
    if (typeof id !== "number") return [];
    const isTwice = seen.has(id);
    seen.add(id);
    return isTwice ? [id] : [];
  });
}
