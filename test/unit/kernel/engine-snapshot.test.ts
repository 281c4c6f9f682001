/** What the engine does between commands while a snapshot is taken: freeing and expiry keep to its bounds, as clients do. */
import { expect, test } from "bun:test";
import { captureSteps } from "../../../src/store/image-writer.ts";
import { createRing, type PageCapture, TAKEN } from "../../../src/store/page-capture.ts";
import { TURN_PAGES } from "../../../src/store/snapshot.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const KEYS = 10_000;
/** What one step of freeing or expiry may take beyond the bound: a segment of 409 entries, each in a page of its own. */
const STEP_PAGES = 450;
/** Turns of a millisecond: enough to do it all if nobody held it back. */
const STILL_TURNS = 200;
const RING_PAGES = 64;

const takenPages = ({ states }: PageCapture) =>
  states.reduce((count, state) => count + (state === TAKEN ? 1 : 0), 0);

interface Case {
  readonly options: readonly (string | number)[];
  begin(db: EngineHarness): void;
  isDone(db: EngineHarness): boolean;
}

const cases: Record<string, Case> = {
  freeing: {
    options: [],
    begin: (db) => db.run("FLUSHDB"),
    isDone: ({ engine }) => engine.keyspace.reapSlice(),
  },
  expiry: {
    options: ["PX", 100],
    begin: (db) => db.clock.advance(100),
    isDone: (db) => db.run("DBSIZE") === 0,
  },
};

test.each(Object.entries(cases))(
  "%s takes a turn's pages at most, and waits for the worker",
  async (_, { options, begin, isDone }) => {
    const db = new EngineHarness({ auditEvery: 0 });
    // Thousands of pages in all.
    const value = "v".repeat(3000);
    for (let i = 0; i < KEYS; i++) db.run("SET", `k${i}`, value, ...options);
    const { capture, cancel } = db.engine.beginCapture(createRing(RING_PAGES));
    let taken = 0;
    const turn = async () => {
      db.clock.advance(1);
      await new Promise<void>((resolve) => setImmediate(resolve));
      const before = taken;
      taken = takenPages(capture);
      expect(taken - before).toBeLessThan(TURN_PAGES + STEP_PAGES);
    };
    begin(db);
    for (let i = 0; i < STILL_TURNS; i++) await turn();
    expect(db.engine.acceptsWrites).toBe(false);
    expect(taken).toBeGreaterThan(RING_PAGES / 2);
    expect(taken).toBeLessThan(RING_PAGES + TURN_PAGES + STEP_PAGES);
    const worker = captureSteps(capture, { writeNow: () => {} });
    for (let i = 0; i < STILL_TURNS && worker.next().done !== true; i++) await turn();
    cancel();
    for (let i = 0; i < STILL_TURNS; i++) await turn();
    expect(isDone(db)).toBe(true);
  },
);
