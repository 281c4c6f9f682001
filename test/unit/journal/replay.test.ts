/**
 * Replaying the records gives the same data: generated sequences of commands (those of the differential test) with time
 * passing in between, then the digest and every deadline of an engine that has read nothing but the journal.
 */
import { expect, test } from "bun:test";
import { toBytes } from "../../oracle/byte-text.ts";
import { GROUPS, sequence } from "../../oracle/generate/sequence.ts";
import { commandsOf } from "../../oracle/step.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import { deadlines } from "./deadlines.ts";

const DATA_GROUPS = GROUPS.filter((group) => /^(strings|bits|keys|expiry)$/.test(group.name));
const SEQUENCES_PER_SEED = 100;
const STEPS = 60;

function play(seed: number): EngineHarness {
  const db = new EngineHarness({ auditEvery: 0, seed });
  for (const step of sequence(seed, STEPS, DATA_GROUPS)) {
    for (const { words, wire } of commandsOf(step)) {
      if (wire !== undefined || words.length === 0) continue;
      db.run(...words.map(toBytes));
    }
    // Short times to live are not generated; a long jump makes relative ones run out.
    const draw = db.engine.random.below(20);
    db.clock.setWall(db.now() + (draw === 0 ? 2_000_000 : draw));
    if (draw < 5) db.advance(50);
  }
  return db;
}

test.each(seeds(5))("the replay of generated commands gives the same data: seed %d", (seed) => {
  for (let i = 0; i < SEQUENCES_PER_SEED; i++) {
    const db = play(seed * 1000 + i);
    const replayed = db.replayed();
    const name = `sequence ${seed * 1000 + i}`;
    expect([name, replayed.run("DEBUG", "DIGEST")]).toEqual([name, db.run("DEBUG", "DIGEST")]);
    expect([name, deadlines(replayed)]).toEqual([name, deadlines(db)]);
  }
});
