/** Commands that are done in slices: what becomes of the work when nobody waits for its answer. */
import { expect, test } from "bun:test";
import { answerAfter } from "../../../src/index/later-answer.ts";
import type { SlicedWork } from "../../../src/session/sliced-work.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

class CountedWork implements SlicedWork {
  readonly changesMemory = false;
  readonly isForAnswer: boolean;
  readonly #steps: number;
  done = 0;

  constructor(steps: number, isForAnswer: boolean) {
    this.#steps = steps;
    this.isForAnswer = isForAnswer;
  }

  step(): boolean {
    return ++this.done >= this.#steps;
  }
}

/** A client asks for the work and leaves; then another's work is done, and takes as many slices. */
async function leave(work: SlicedWork): Promise<void> {
  const db = new EngineHarness();
  const other = new CountedWork(20, true);
  db.addCoreCommand("WORK", (session, _, reply) =>
    answerAfter(session, reply, work, () => (to) => to.ok()),
  );
  db.addCoreCommand("OTHER", (session, _, reply) =>
    answerAfter(session, reply, other, () => (to) => to.ok()),
  );
  const leaver = db.connect();
  void db.askIn(leaver, "WORK");
  leaver.later?.abandon();
  expect(await db.ask("OTHER")).toBe("OK");
}

test("work for an answer ends with the client that waited for it", async () => {
  const work = new CountedWork(10, true);
  await leave(work);
  expect(work.done).toBe(1);
});

test("work that leaves something is done all the same", async () => {
  const work = new CountedWork(10, false);
  await leave(work);
  expect(work.done).toBe(10);
});
