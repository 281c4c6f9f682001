/** The whole keyspace against Maps: random changes, deadlines and jumps of time in several databases. */
import { describe, expect, test } from "bun:test";
import { seeds } from "../../suites/seeds.ts";
import { KeyspacePlay } from "./keyspace-play.ts";

describe("random changes", () => {
  test.each(seeds(4))("seed %d", (seed) => {
    const play = new KeyspacePlay(seed);
    const { model } = play;
    for (let step = 0; step < 20_000; step++) {
      play.change();
      if (play.below(20) === 0) play.pass(play.jump());
      if (play.below(1000) === 0) play.pass(play.farJump());
      if (play.below(5000) === 0) model.flushAll();
      if (step % 200 === 0) model.requireSame();
    }
    model.requireSame();
    expect(model.expiredCount).toBeGreaterThan(100);
    for (let index = 0; index < model.maps.length; index++) model.flush(index);
    model.reap();
    model.requireSame();
    for (const [index, definitions] of model.definitions.entries()) {
      for (const name of [...definitions.keys()]) model.undefine(index, name);
    }
    model.requireSame();
    expect(model.keyspace.arena.usedBytes).toBe(model.startBytes);
  });
});

describe("another keyspace's contents in the place of its own", () => {
  test.each(seeds(3))("seed %d", (seed) => {
    const play = new KeyspacePlay(seed);
    const { model } = play;
    for (let round = 0; round < 4; round++) {
      const beside = new KeyspacePlay(seed);
      // Another way through the same random numbers.
      for (let draw = 0; draw <= round; draw++) beside.below(2);
      for (let step = 0; step < 3000; step++) {
        play.change();
        beside.change();
        if (step % 100 === 0) beside.pass(beside.jump());
      }
      const giant = Buffer.alloc(20 * 2 ** 20, round);
      if (round % 2 === 0) beside.model.put(0, "giant", giant, 0);
      const { memory } = beside.model.keyspace.contents;
      expect(memory.chunks.length).toBeGreaterThan(round % 2 === 0 ? 1 : 0);
      model.exchange(beside.model);
      model.requireSame();
    }
    for (let step = 0; step < 3000; step++) {
      play.change();
      if (play.below(20) === 0) play.pass(play.jump());
      if (step % 200 === 0) model.requireSame();
    }
    model.reap();
    model.requireSame();
  });
});
