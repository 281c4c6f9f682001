/**
 * What every frontend must do, run against each built-in one and against yours:
 * `frontendSuite({ name, listensOn, make, connect, getRequest, supports })` at the head of its test
 * file. It asserts what the kernel and the clients would notice, over real sockets and a real
 * engine. A test is left out only for what `supports` denies.
 *
 * The tests stand in four files: life cycle, answers, clients that misbehave, the orderly end.
 */
import { describe, test } from "bun:test";
import { answerTests } from "./frontend-answers.ts";
import type { FrontendCase } from "./frontend-case.ts";
import { clientTests } from "./frontend-clients.ts";
import { closingTests } from "./frontend-closing.ts";
import { lifeCycleTests } from "./frontend-life-cycle.ts";
import { Trial } from "./frontend-trial.ts";

/** Of the suite's own, for `bun test` gives a test 5 s and a machine may be slow. */
const TEST_LIMIT_MS = 60_000;

export type FrontendTest = (name: string, run: (trial: Trial) => Promise<void>) => void;

export function frontendSuite(subject: FrontendCase): void {
  describe(`frontend ${subject.name}`, () => {
    const add: FrontendTest = (name, run) =>
      test(
        name,
        async () => {
          await using trial = new Trial(subject);
          await run(trial);
        },
        TEST_LIMIT_MS,
      );
    lifeCycleTests(add);
    answerTests(add, subject.supports);
    clientTests(add, subject.supports);
    closingTests(add);
  });
}
