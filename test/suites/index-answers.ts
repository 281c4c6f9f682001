/**
 * Tests of what an index answers: generated questions against a full scan, and cursors, which go on whatever changes
 * between two of their steps.
 */
import { expect, test } from "bun:test";
import { numberOf } from "../../src/index/documents.ts";
import type { LiveIndex } from "../../src/index/live-index.ts";
import { seededRandom } from "../../src/platform/random.ts";
import type { IndexAnswer, IndexCursor } from "../../src/plugin.ts";
import { type IndexSubject, type IndexTrial, type Shape, scan } from "./index-case.ts";
import { changeSomething, generatedDocument, pick, type Random } from "./index-documents.ts";
import {
  compoundQuestion,
  type GeneratedQuestion,
  generatedQuestion,
  isInRanges,
} from "./index-questions.ts";
import { seeds } from "./seeds.ts";

/** Indexes of one field, which generated questions are about. */
const ASKED: readonly Shape[] = [
  {},
  { fields: ["tags"] },
  { fields: ["text"] },
  { fields: ["text"], prefix: "p:", where: "id < 40" },
  { fields: ["b.c"], sparse: true },
];
const QUESTIONS = 60;

export function answerTests(subject: IndexSubject): void {
  const { kind, open } = subject;
  const asked = kind.supports.databaseKeys ? [...ASKED, { fields: ["@key"] }] : ASKED;

  test.each(seeds(3))("answers lead where a full scan does, seed %d", (seed) => {
    const random = seededRandom(seed);
    const trial = open({ seed, auditEvery: 0 });
    for (const [at, shape] of asked.entries()) trial.create(`x${at}`, shape);
    let answered = 0;
    for (let round = 0; round < 3; round++) {
      for (let step = 0; step < 150; step++) changeSomething(trial.db, random);
      for (const [at, { fields = ["a"] }] of asked.entries()) {
        const index = trial.index(`x${at}`);
        for (let i = 0; i < QUESTIONS; i++) {
          answered += compareAnswer(index, generatedQuestion(fields[0] as string, random));
        }
      }
    }
    // Of no use for any question is of no use.
    expect(answered).toBeGreaterThan(0);
  });

  if (kind.supports.compound) {
    test("an answer to a question about several fields", () => {
      const trial = open();
      trial.create("x", { fields: ["a", "b"] });
      for (const [at, a] of ["apple", "apple", "plum"].entries()) trial.put(`k${at}`, { a, b: at });
      const question = compoundQuestion(["a", "b"], ["apple", 1]);
      const none = compoundQuestion(["a", "b"], ["plum", 1]);
      expect(compareAnswer(trial.index("x"), question)).toBe(1);
      expect(compareAnswer(trial.index("x"), none)).toBe(1);
    });
  }

  cursorTests(subject);
}

/** Whether it is of use for the question: 1 or 0. */
function compareAnswer(index: LiveIndex, question: GeneratedQuestion): number {
  const answer = index.answer(question);
  if (answer === undefined) return 0;
  const { conditions, ranges } = question;
  const asked = `${index.name}: ${JSON.stringify(conditions)}`;
  const found = walk(answer.open(false));
  const reached = new Set(found.map(({ document }) => document));
  const missed = scan(index, question.filter).filter(({ document }) => !reached.has(document));
  expect([asked, missed]).toEqual([asked, []]);
  for (const { document, keys } of scan(index)) {
    const steps = found.filter((step) => step.document === document).length;
    expect([asked, steps]).toEqual([asked, Math.min(steps, keys.length)]);
  }
  if (answer.isExact) {
    const rows = scan(index).map(({ document, keys }) => ({
      document,
      pairs: keys.filter((key) => isInRanges(key, ranges ?? [])).length,
    }));
    const expected = rows.filter(({ pairs }) => pairs > 0).map(({ document }) => document);
    expect([asked, [...reached].sort()]).toEqual([asked, expected.sort()]);
    const pairs = rows.reduce((total, row) => total + row.pairs, 0);
    expect([asked, answer.count, found.length]).toEqual([asked, pairs, pairs]);
  } else expect([asked, answer.count]).toEqual([asked, Math.max(answer.count, found.length)]);
  compareDirections(answer, found, asked);
  return 1;
}

function compareDirections(answer: IndexAnswer, found: readonly Step[], asked: string): void {
  const backward = walk(answer.open(true));
  const ids = (steps: readonly Step[]) => steps.map(({ id }) => id).sort();
  expect([asked, ids(backward)]).toEqual([asked, ids(found)]);
  if (!answer.isOrdered) return;
  const keys = (steps: readonly Step[]) => steps.map(({ key }) => key.toString("hex"));
  expect([asked, keys(found)]).toEqual([asked, keys(found).sort()]);
  expect([asked, keys(backward)]).toEqual([asked, keys(found).reverse()]);
}

interface Step {
  readonly key: Buffer;
  readonly document: number;
  readonly id: string;
}

function walk(cursor: IndexCursor, limit = Number.POSITIVE_INFINITY): Step[] {
  const steps: Step[] = [];
  while (steps.length < limit && cursor.next()) {
    const { document } = cursor;
    const key = Buffer.from(cursor.key);
    steps.push({ key, document, id: `${key.toString("hex")} ${document}` });
  }
  return steps;
}

// ---- cursors ----

/** Enough for pages of a tree to be divided and joined meanwhile. */
const DOCUMENTS = 300;
const LEAST_STEPS = 12;

function cursorTests({ open }: IndexSubject): void {
  /** Questions that lead through many documents, in both directions; the keys are k0, k1, … */
  const start = (seed: number) => {
    const random = seededRandom(seed);
    const trial = open({ seed, auditEvery: 0 });
    trial.create("x", { fields: ["text"] });
    for (let at = 0; at < DOCUMENTS; at++) {
      trial.db.run("VALUE.SET", `k${at}`, generatedDocument(random));
    }
    return { random, trial, questions: longQuestions(trial, random) };
  };

  test.each(seeds(2))("a cursor that seeks goes on behind that place, seed %d", (seed) => {
    const { trial, questions } = start(seed);
    for (const [question, reverse] of questions) {
      const answer = answerOf(trial, question);
      const steps = walk(answer.open(reverse));
      for (let at = 0; at < steps.length; at += 5) {
        const cursor = answer.open(reverse);
        if (at % 2 === 0) cursor.next();
        const { key, document } = steps[at] as Step;
        cursor.seek(key, document);
        expect(walk(cursor)).toEqual(steps.slice(at + 1));
      }
    }
  });

  test.each(seeds(2))("a cursor goes on whatever changes between two steps, seed %d", (seed) => {
    const { random, trial, questions } = start(seed);
    const others = new Set(OTHERS.map((key) => numberOfKey(trial, key)));
    for (const [question, reverse] of questions) {
      const cursor = answerOf(trial, question).open(reverse);
      const stable = scan(trial.index("x"), question.filter).filter(
        ({ document }) => document % 4 !== 0 && !others.has(document),
      );
      const met = new Set<number>();
      const gone = new Set<number>();
      while (cursor.next()) {
        expect(gone.has(cursor.document)).toBe(false);
        met.add(cursor.document);
        disturb(trial, random, gone);
      }
      const missed = stable.filter(({ document }) => !met.has(document));
      expect(missed).toEqual([]);
    }
    trial.expectTrue();
  });

  test.each(seeds(2))("pages, of which each is another answer, meet all, seed %d", (seed) => {
    const { random, trial, questions } = start(seed);
    const others = new Set(OTHERS.map((key) => numberOfKey(trial, key)));
    for (const [question, reverse] of questions) {
      const stable = scan(trial.index("x"), question.filter).filter(
        ({ document }) => document % 4 !== 0 && !others.has(document),
      );
      const met = new Set<number>();
      for (let last: Step | undefined, isOver = false; !isOver; ) {
        const cursor = answerOf(trial, question).open(reverse);
        if (last !== undefined) cursor.seek(last.key, last.document);
        const page = walk(cursor, 5);
        for (const { document } of page) met.add(document);
        isOver = page.length < 5;
        last = page.at(-1);
        for (let at = 0; at < 10; at++) disturb(trial, random, new Set());
      }
      expect(stable.filter(({ document }) => !met.has(document))).toEqual([]);
    }
  });

  test("a cursor whose index is emptied, or dropped, is at its end", () => {
    for (const words of [["FLUSHDB"], ["FLUSHALL"], ["INDEX", "DROP", "x"]]) {
      const { trial, questions } = start(1);
      const [question, reverse] = questions[0] as LongQuestion;
      const cursor = answerOf(trial, question).open(reverse);
      expect(cursor.next()).toBe(true);
      trial.db.run(...words);
      expect([words, cursor.next()]).toEqual([words, false]);
    }
  });
}

type LongQuestion = readonly [GeneratedQuestion, boolean];

function longQuestions(trial: IndexTrial, random: Random): LongQuestion[] {
  const found: LongQuestion[] = [];
  for (let i = 0; i < 400 && found.length < 6; i++) {
    const question = generatedQuestion("text", random);
    const answer = trial.index("x").answer(question);
    if (answer === undefined || walk(answer.open(false)).length < LEAST_STEPS) continue;
    found.push([question, false], [question, true]);
  }
  if (found.length === 0) throw new Error("it answers no question that leads to many documents");
  return found;
}

function answerOf(trial: IndexTrial, question: GeneratedQuestion): IndexAnswer {
  const answer = trial.index("x").answer(question);
  if (answer === undefined) throw new Error("it has answered this question before");
  return answer;
}

const OTHERS = Array.from({ length: 50 }, (_, at) => `other${at}`);

/** Documents whose number can be divided by four go for ever; others, of other keys, come and go. */
function disturb(trial: IndexTrial, random: Random, gone: Set<number>): void {
  const key = `k${random.below(DOCUMENTS)}`;
  const document = numberOfKey(trial, key);
  if (document % 4 === 0) {
    trial.db.run("DEL", key);
    gone.add(document);
  }
  const other = pick(random, OTHERS);
  if (random.below(3) === 0) trial.db.run("DEL", other);
  else trial.db.run("VALUE.SET", other, generatedDocument(random));
}

function numberOfKey(trial: IndexTrial, key: string): number {
  return numberOf(trial.db.session.database, Buffer.from(key), 0, key.length);
}
