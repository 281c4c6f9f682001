/**
 * Tests of damage and of plugins that fail: INDEX CHECK finds what is missing and what is too much, an instance that throws
 * costs its index and nothing else.
 */
import { expect, test } from "bun:test";
import { seededRandom } from "../../src/platform/random.ts";
import { atTurnEnd } from "../../src/platform/turn.ts";
import type { Index, IndexAnswer, IndexKind } from "../../src/plugin.ts";
import { type IndexSubject, IndexTrial, scan, wrappedIndex, wrappedKind } from "./index-case.ts";
import { changeSomething } from "./index-documents.ts";

const DOCUMENTS = 30;
const MAX_TURNS = 1000;
const KEY = /"k\d+"/;

export function faultTests({ kind, definition }: IndexSubject): void {
  const open = (wrap: (instance: Index) => Index) =>
    new IndexTrial(wrappedKind(kind, wrap), definition);
  damageTests(kind, open);
  throwingTests(open);
}

type Open = (wrap: (instance: Index) => Index) => IndexTrial;

// ---- damage ----

function damageTests(kind: IndexKind, open: Open): void {
  /** An index of texts, and its instance behind the host's back. */
  const start = () => {
    const instances: Index[] = [];
    const trial = open((instance) => {
      instances.push(instance);
      return instance;
    });
    trial.create("x", { fields: ["text"] });
    for (let at = 0; at < DOCUMENTS; at++) trial.put(`k${at}`, { text: `apple pie ${at}` });
    return { trial, instance: instances.at(-1) as Index };
  };
  const { instance: sample } = start();
  const canMiss = kind.readsValues === true ? sample.hasValues : (sample.has ?? sample.size);

  test.skipIf(canMiss === undefined)("INDEX CHECK finds each document that is missing", () => {
    for (let at = 0; at < DOCUMENTS; at += 7) {
      const { trial, instance } = start();
      expect(trial.check("x")).toBe("ok");
      const { document, keys, values } = scan(trial.index("x"))[at] as ReturnType<typeof scan>[0];
      instance.apply({ document, removed: keys, added: [], valuesBefore: values, valuesAfter: [] });
      const problems = trial.check("x") as string[];
      expect(problems.length).toBeGreaterThan(0);
      const namesIt = problems.some((problem) => KEY.test(problem));
      expect([problems, namesIt]).toEqual([
        problems,
        sample.has !== undefined || sample.hasValues !== undefined,
      ]);
      expect(trial.db.run("INDEX", "REBUILD", "x")).toBe(DOCUMENTS);
      trial.expectTrue();
    }
  });

  test.skipIf(sample.size === undefined)("INDEX CHECK finds what is too much", () => {
    const { trial, instance } = start();
    const [row] = scan(trial.index("x"));
    const { keys, values } = row as NonNullable<typeof row>;
    const document = 0xffff_fffe;
    instance.apply({ document, removed: [], added: keys, valuesBefore: [], valuesAfter: values });
    expect(trial.check("x")).toEqual([expect.stringContaining(`${DOCUMENTS + 1} entries`)]);
    trial.db.run("INDEX", "REBUILD", "x");
    trial.expectTrue();
  });

  test("INDEX CHECK while documents change takes no change for damage", async () => {
    const { trial } = start();
    const random = seededRandom(5);
    const other = trial.db.connect();
    for (let round = 0; round < 5; round++) {
      const checked = trial.db.askIn(other, "INDEX", "CHECK", "x");
      for (let at = 0; at < 20; at++) changeSomething(trial.db, random);
      expect(((await checked) as Map<string, unknown>).get("problems")).toEqual([]);
    }
  });
}

// ---- an instance that throws ----

function throwingTests(open: Open): void {
  const start = (member: "apply" | "check") => {
    const fault = { isOn: false };
    const trial = open((instance) =>
      wrappedIndex(instance, {
        [member]: (change: never) => {
          if (fault.isOn) throw new TypeError("on purpose");
          instance[member]?.(change);
        },
      }),
    );
    trial.create("x");
    for (let at = 0; at < DOCUMENTS; at++) trial.put(`k${at}`, { a: `apple ${at}` });
    return { trial, fault };
  };

  test("apply that throws: the write stands, the index fails and is made anew", async () => {
    const { trial, fault } = start("apply");
    fault.isOn = true;
    expect(trial.put("k1", { a: "plum" })).toBe("OK");
    expect(trial.db.run("GET", "k1")).toBe('{"a":"plum"}');
    expect([trial.info("x", "state"), trial.info("x", "failure")]).toEqual([
      ...["failed", "on purpose"],
    ]);
    expect(trial.check("x")).not.toBe("ok");
    fault.isOn = false;
    expect(trial.put("k2", { a: "fig" })).toBe("OK");
    await rest(trial);
    trial.expectTrue();
    expect(trial.info("x", "entries")).toBe(DOCUMENTS);
    expect(trial.restarted().info("x", "entries")).toBe(DOCUMENTS);
  });

  test("apply that throws for ever: the index stays failed, until INDEX REBUILD works", async () => {
    const { trial, fault } = start("apply");
    fault.isOn = true;
    trial.put("k1", { a: "plum" });
    await rest(trial);
    expect(trial.info("x", "state")).toBe("failed");
    expect(trial.db.run("INDEX", "REBUILD", "x")).toEqual({
      error: expect.stringContaining("on purpose"),
    });
    expect(trial.db.run("DEL", "k1")).toBe(1);
    for (const flush of ["FLUSHDB", "FLUSHALL"]) expect(trial.db.run(flush)).toBe("OK");
    trial.put("k3", { a: "fig" });
    fault.isOn = false;
    expect(trial.db.run("INDEX", "REBUILD", "x")).toBe(1);
    trial.expectTrue();
  });

  test("apply that throws again: an index that was dropped and created is made anew", async () => {
    const { trial, fault } = start("apply");
    const failOnce = async (key: string) => {
      fault.isOn = true;
      trial.put(key, { a: "plum" });
      fault.isOn = false;
      await rest(trial);
    };
    await failOnce("k1");
    await failOnce("k2");
    expect(trial.info("x", "state")).toBe("failed");
    trial.db.run("INDEX", "DROP", "x");
    trial.create("x");
    await failOnce("k3");
    trial.expectTrue();
  });

  test("apply that throws gives back the memory of its index", () => {
    const { trial, fault } = start("apply");
    fault.isOn = true;
    trial.db.run("DEL", "k1");
    expect(trial.info("x", "bytes")).toBe(0);
  });

  test("check that throws: an error for the write, which has changed nothing", () => {
    const { trial, fault } = start("check");
    fault.isOn = true;
    trial.db.records();
    expect(trial.put("k1", { a: "plum" })).toEqual({
      error: expect.stringContaining("on purpose"),
    });
    expect(trial.db.records()).toEqual([]);
    expect(trial.db.run("GET", "k1")).toBe('{"a":"apple 1"}');
    fault.isOn = false;
    trial.expectTrue();
  });

  test("answer that throws: FIND goes another way, the index fails and is made anew", async () => {
    let isOn = true;
    const trial = open((instance) =>
      wrappedIndex(instance, {
        answer: (question) => {
          if (isOn) throw new TypeError("on purpose");
          return instance.answer(question);
        },
      }),
    );
    trial.create("x");
    for (let at = 0; at < DOCUMENTS; at++) trial.put(`k${at}`, { a: `apple ${at}` });
    expect(trial.db.run("FIND", 'a = "apple 7"', "COUNT")).toBe(1);
    expect(trial.info("x", "state")).toBe("failed");
    isOn = false;
    await rest(trial);
    trial.expectTrue();
    expect(trial.db.run("FIND", 'a = "apple 7"', "COUNT")).toBe(1);
  });

  test("a cursor that throws: an error for its query, at once or later, and no more", async () => {
    const trial = open((instance) => wrappedIndex(instance, { answer: () => BROKEN }));
    trial.create("x");
    for (let at = 0; at < DOCUMENTS; at++) trial.put(`k${at}`, { a: `apple ${at}` });
    const words = ["FIND", 'a = "apple 7"', "USING", "x"];
    const failed = { error: expect.stringContaining("on purpose") };
    expect(trial.db.run(...words)).toEqual(failed);
    expect(await trial.db.askIn(trial.db.connect(), ...words)).toEqual(failed);
    expect(trial.put("k1", { a: "plum" })).toBe("OK");
    trial.expectTrue();
  });

  test("create that throws at FLUSHALL: the database is empty, the index fails", async () => {
    let isOn = false;
    const trial = open((instance) => {
      if (isOn) throw new TypeError("on purpose");
      return instance;
    });
    trial.create("x");
    trial.put("k", { a: "apple" });
    isOn = true;
    expect(trial.db.run("FLUSHALL")).toBe("OK");
    expect([trial.db.run("DBSIZE"), trial.info("x", "state")]).toEqual([0, "failed"]);
    expect(trial.put("l", { a: "plum" })).toBe("OK");
    isOn = false;
    expect(trial.db.run("INDEX", "REBUILD", "x")).toBe(1);
    await rest(trial);
    trial.expectTrue();
  });
}

/** Of use for every question, until somebody steps. */
const BROKEN: IndexAnswer = {
  ...{ count: 1, isExact: false, isOrdered: false },
  open: () => ({
    ...{ document: 0, key: Buffer.of(0), seek: () => {} },
    next: () => {
      throw new TypeError("on purpose");
    },
  }),
};

/** Until the index that is made anew in slices, a turn each, is there or has failed. */
async function rest(trial: IndexTrial): Promise<void> {
  const { all } = trial.db.engine.indexes;
  for (let turn = 0; all.replacementOf(trial.index("x")) !== undefined; turn++) {
    if (turn > MAX_TURNS) throw new Error("an index of a few documents takes for ever");
    await new Promise<void>((resolve) => atTurnEnd(resolve));
  }
}
