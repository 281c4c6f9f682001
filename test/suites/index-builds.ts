/** Tests of making an index of what is there: in slices with writes in between, anew, and when that is given up. */
import { expect, test } from "bun:test";
import { IndexBuild } from "../../src/index/building.ts";
import { ALL_HASHES, type LiveIndex } from "../../src/index/live-index.ts";
import { IndexRebuild } from "../../src/index/rebuilding.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { type IndexSubject, type IndexTrial, scan, shapesOf } from "./index-case.ts";
import { changeSomething, generatedDocument, type Random } from "./index-documents.ts";
import { seeds } from "./seeds.ts";

/** So many that a build takes several steps. */
const DOCUMENTS = 2000;

export function buildTests(subject: IndexSubject): void {
  const { open } = subject;
  const filled = (seed: number, random: Random): IndexTrial => {
    const trial = open({ seed, auditEvery: 0 });
    for (let at = 0; at < DOCUMENTS; at++) {
      trial.db.run("VALUE.SET", `k${at}`, generatedDocument(random));
    }
    return trial;
  };

  test.each(seeds(2))("built in slices, with writes in between, seed %d", (seed) => {
    const random = seededRandom(seed);
    const trial = filled(seed, random);
    const made = shapesOf(subject).map(([name, shape]) => trial.make(name, shape));
    const ended: (Error | undefined)[] = [];
    const build = new IndexBuild({
      indexes: made,
      requireMemory: () => {},
      onEnd: (_index, failure) => ended.push(failure),
    });
    let slices = 0;
    while (!build.step(() => true)) {
      slices++;
      writeSome(trial, random);
      if (slices === 2) trial.db.run("SWAPDB", "0", "2");
    }
    trial.db.run("SELECT", "2");
    expect(slices).toBeGreaterThan(2);
    expect(ended).toEqual(made.map(() => undefined));
    expect(made.map(({ builtUpTo }) => builtUpTo)).toEqual(made.map(() => ALL_HASHES));
    trial.expectTrue();
  });

  test.each(seeds(2))("REBUILD beside the old one, which answers meanwhile, seed %d", (seed) => {
    const random = seededRandom(seed);
    const trial = filled(seed, random);
    trial.create("x");
    const { all } = trial.db.engine.indexes;
    const old = trial.index("x");
    const rebuild = new IndexRebuild(all, old, { requireMemory: () => {} });
    while (!rebuild.step(() => true)) {
      expect(trial.index("x")).toBe(old);
      writeSome(trial, random);
    }
    expect([rebuild.failure, old.isDropped]).toEqual([undefined, true]);
    expect(trial.index("x")).toBe(rebuild.index);
    trial.expectTrue();
  });

  test("INDEX REBUILD leaves as much memory used as before", () => {
    const trial = filled(1, seededRandom(1));
    const count = trial.create("x", { fields: ["text"] });
    const bytes = Number(trial.info("x", "bytes"));
    expect(trial.db.run("INDEX", "REBUILD", "x")).toBe(count);
    trial.db.reap();
    expect(Number(trial.info("x", "bytes"))).toBeLessThan(bytes * 1.1 + 1000);
    trial.expectTrue();
  });

  test("an index that is dropped, or whose database is emptied, while it is built", () => {
    const trial = filled(3, seededRandom(3));
    const before = trial.db.usedBytes;
    const [dropped, emptied] = [trial.make("d"), trial.make("e")];
    const ended = new Map<LiveIndex, Error | undefined>();
    const build = new IndexBuild({
      indexes: [dropped, emptied],
      requireMemory: () => {},
      onEnd: (index, failure) => ended.set(index, failure),
    });
    build.step(() => true);
    trial.db.engine.indexes.all.remove(dropped);
    build.step(() => true);
    trial.db.run("FLUSHDB");
    trial.put("after", { a: "apple" });
    while (!build.step(() => true));
    expect([ended.get(dropped)?.message, ended.get(emptied)]).toEqual([
      expect.stringContaining("dropped"),
      undefined,
    ]);
    expect(scan(emptied)).toHaveLength(1);
    trial.expectTrue();
    trial.db.run("FLUSHALL");
    trial.db.reap();
    expect(trial.db.usedBytes).toBeLessThan(before);
  });

  test("without memory it is not made, and nothing of it is left", () => {
    const trial = filled(4, seededRandom(4));
    const { usedBytes } = trial.db;
    const index = trial.make("x");
    let failure: Error | undefined;
    const build = new IndexBuild({
      indexes: [index],
      requireMemory: () => {
        throw new Error("no memory");
      },
      onEnd: (_index, found) => {
        failure = found;
      },
    });
    while (!build.step(() => true));
    expect(failure?.message).toBe("no memory");
    trial.db.engine.indexes.all.remove(index);
    trial.db.reap();
    expect(trial.db.usedBytes).toBe(usedBytes);
  });
}

function writeSome(trial: IndexTrial, random: Random): void {
  for (let at = 0; at < 10; at++) {
    trial.db.run("VALUE.SET", `k${random.below(DOCUMENTS)}`, generatedDocument(random));
    trial.db.run("DEL", `k${random.below(DOCUMENTS)}`);
    changeSomething(trial.db, random);
  }
}
