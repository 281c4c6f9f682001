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
