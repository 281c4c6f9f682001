/**
 * Expiry on time: nothing is late, whatever happened to the deadlines before and however short the slices of work were;
 * reminders stay bounded; a long stillness costs nothing; the clock may be set back.
 */
import { describe, expect, test } from "bun:test";
import { seeds } from "../../suites/seeds.ts";
import { KeyspaceModel } from "./keyspace-model.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 1440 * MINUTE;
const YEAR = 365 * DAY;
const TICK_MS = 16;

const VALUE = Buffer.from("v");

function requireNoneLate(model: KeyspaceModel): void {
  for (const map of model.maps) {
    for (const [key, { deadlineMs }] of map) {
      const lateMs = model.keyspace.nowMs - deadlineMs;
      if (deadlineMs !== 0 && lateMs >= TICK_MS) throw new Error(`${key} is ${lateMs} ms late`);
    }
  }
}

/** Lets time pass in steps until `ms` have gone; after each everything due is gone. */
function pass(model: KeyspaceModel, ms: number, steps: number): void {
  for (let i = 0; i < steps; i++) {
    model.keyspace.nowMs += Math.ceil(ms / steps);
    while (!model.expireDue(1 + model.random.below(50)));
    requireNoneLate(model);
  }
}

/** Moves deadlines about so that useless reminders pile up and sweeps begin, each cut into small slices. */
function churn(model: KeyspaceModel, changes: number, aheadMs: number): void {
  const { random } = model;
  for (let i = 0; i < changes; i++) {
    const key = `k${random.below(300)}`;
    const deadline = model.keyspace.nowMs + 1 + random.below(aheadMs);
    const noon = Math.ceil((model.keyspace.nowMs + 1) / DAY) * DAY;
    if (!model.maps[0]?.has(key)) model.put(0, key, VALUE, deadline);
    else if (random.below(3) === 0) model.setDeadline(0, key, 0);
    else model.setDeadline(0, key, random.below(3) === 0 ? noon : deadline);
    if (random.below(20) === 0) {
      model.keyspace.nowMs += random.below(40);
      model.expireDue(random.below(3));
    }
  }
}

describe("nothing is late", () => {
  test.each(seeds(6))("while sweeps are cut short: seed %d", (seed) => {
    const model = new KeyspaceModel(seed, 1);
    for (let round = 0; round < 5; round++) {
      churn(model, 4000, model.random.below(2) === 0 ? 20 * SECOND : 30 * MINUTE);
      pass(model, 5 * SECOND, 100);
    }
    pass(model, 40 * MINUTE, 500);
    pass(model, DAY, 50);
    expect(model.database(0).expires).toBe(0);
    model.requireSame();
  });

  test.each(seeds(3))("over years: seed %d", (seed) => {
    const model = new KeyspaceModel(seed, 1);
    const start = model.keyspace.nowMs;
    for (let i = 0; i < 2000; i++) {
      const ahead = [MINUTE, 20 * MINUTE, 3 * DAY, 60 * DAY, 3 * YEAR, 30 * YEAR][i % 6] as number;
      const deadline = start + 1 + Math.floor((model.random.below(2 ** 32) / 2 ** 32) * ahead);
      model.put(0, `k${i}`, VALUE, deadline);
    }
    pass(model, 2 * MINUTE, 500);
    pass(model, 20 * MINUTE, 200);
    pass(model, 5 * DAY, 200);
    pass(model, 90 * DAY, 200);
    pass(model, 4 * YEAR, 200);
    pass(model, 31 * YEAR, 200);
    expect(model.database(0).size).toBe(0);
    expect(model.reminders(0)).toBe(0);
    model.requireSame();
  });
});

test("reminders that nobody needs are dropped", () => {
  const model = new KeyspaceModel(1, 1);
  for (let i = 0; i < 100; i++) model.put(0, `k${i}`, VALUE, model.keyspace.nowMs + YEAR);
  const noon = Math.ceil((model.keyspace.nowMs + 1) / DAY) * DAY;
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 100; i++) {
      model.setDeadline(0, `k${i}`, 0);
      model.setDeadline(0, `k${i}`, noon);
    }
    while (!model.expireDue(3));
    expect(model.reminders(0)).toBeLessThanOrEqual(2 * 100 + 1024);
  }
  model.keyspace.nowMs = noon + TICK_MS;
  model.expireDue();
  expect(model.database(0).size).toBe(0);
});

test("a database that is flushed in the middle of a sweep gives all its memory back", () => {
  const model = new KeyspaceModel(1, 1);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 300; i++) {
      model.put(0, `k${i}`, VALUE, model.keyspace.nowMs + DAY + 1000 * round + i);
    }
  }
  expect(model.expireDue(5)).toBeFalse();
  model.flush(0);
  model.put(0, "k", VALUE, model.keyspace.nowMs + SECOND);
  model.reap();
  model.requireSame();
  model.flush(0);
  model.reap();
  expect(model.keyspace.arena.usedBytes).toBe(model.startBytes);
});

test("years without anything due pass at once", () => {
  const model = new KeyspaceModel(1, 1);
  model.put(0, "k", VALUE, model.keyspace.nowMs + 500 * YEAR);
  model.keyspace.nowMs += 499 * YEAR;
  const begun = performance.now();
  expect(model.expireDue()).toBeTrue();
  // The clock of the machine only guards against a walk over 10^12 ticks.
  expect(performance.now() - begun).toBeLessThan(2000);
  expect(model.database(0).size).toBe(1);
  pass(model, 2 * YEAR, 10);
  expect(model.database(0).size).toBe(0);
});

test.each(seeds(3))("the clock is set back: seed %d", (seed) => {
  const model = new KeyspaceModel(seed, 1);
  churn(model, 3000, 20 * SECOND);
  model.keyspace.nowMs -= 2 * YEAR;
  churn(model, 3000, 20 * SECOND);
  model.keyspace.nowMs -= 3 * MINUTE;
  churn(model, 500, 20 * SECOND);
  pass(model, 30 * SECOND, 300);
  model.requireSame();
});
