/**
 * Replaying the records of commands that call others gives the same data, without those commands: generated sequences of
 * commands (those of the differential test), some of them called in groups by a plugin's command that changes databases
 * on the way, fails half way, or lets errors end it; with time passing, so that keys are found expired inside.
 */
import { expect, test } from "bun:test";
import { toBytes } from "../../oracle/byte-text.ts";
import { GROUPS, sequence } from "../../oracle/generate/sequence.ts";
import { Random } from "../../oracle/random.ts";
import { commandsOf } from "../../oracle/step.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";
import { deadlines } from "./deadlines.ts";

const DATA_GROUPS = GROUPS.filter((group) => /^(strings|bits|keys|expiry)$/.test(group.name));
const SEQUENCES_PER_SEED = 100;
const STEPS = 60;
const MOST_CALLS = 8;

type Words = readonly [string, ...(string | Uint8Array)[]];

/** What the next GROUP calls, and how. */
interface Plan {
  readonly calls: readonly Words[];
  /** An error of a call ends the command. */
  readonly isStrict: boolean;
  /** It throws after so many calls. */
  readonly failsAfter: number;
  /** The second half is called by a command within. */
  readonly isNested: boolean;
}

class Played {
  readonly db: EngineHarness;
  readonly random: Random;
  #plan: Plan = { calls: [], isStrict: false, failsAfter: -1, isNested: false };
  grouped = 0;

  constructor(seed: number) {
    this.db = new EngineHarness({ auditEvery: 0, seed, background: seed % 2 === 0 });
    this.random = new Random(seed + 1_000_000);
    this.db.addCommand("GROUP", (session, _args, reply) => {
      const { calls, isStrict, failsAfter, isNested } = this.#plan;
      const own = isNested ? calls.slice(0, calls.length / 2) : calls;
      own.forEach((words, index) => {
        if (index === failsAfter) throw new Error("half way");
        this.grouped++;
        if (isStrict) session.call(...words);
        else session.tryCall(...words);
      });
      if (isNested) {
        this.#plan = {
          calls: calls.slice(calls.length / 2),
          isStrict,
          failsAfter,
          isNested: false,
        };
        session.tryCall("GROUP");
      }
      reply.ok();
    });
  }

  play(commands: readonly Words[]): void {
    for (let at = 0; at < commands.length; ) {
      const count = this.random.integer(0, MOST_CALLS);
      if (count === 0) this.db.run(...(commands[at++] as Words));
      else {
        this.#group(commands.slice(at, at + count));
        at += count;
      }
      this.#letTimePass();
    }
  }

  #group(commands: readonly Words[]): void {
    const calls = commands.flatMap((words): Words[] =>
      this.random.chance(0.2) ? [["SELECT", String(this.random.integer(0, 3))], words] : [words],
    );
    this.#plan = {
      calls,
      isStrict: this.random.chance(0.3),
      failsAfter: this.random.chance(0.2) ? this.random.integer(0, calls.length - 1) : -1,
      isNested: this.random.chance(0.2),
    };
    this.db.run("GROUP");
  }

  /** Mostly a little; a long jump makes the times to live run out. */
  #letTimePass(): void {
    const draw = this.random.integer(0, 19);
    this.db.clock.setWall(this.db.now() + (draw === 0 ? 2_000_000 : draw));
    if (draw < 5) this.db.advance(50);
  }
}

function generated(seed: number): Words[] {
  return sequence(seed, STEPS, DATA_GROUPS)
    .flatMap(commandsOf)
    .filter(({ words, wire }) => wire === undefined && words.length > 0)
    .map(({ words: [name = "", ...args] }) => [name, ...args.map(toBytes)]);
}

test.each(seeds(5))("the replay of called commands gives the same data: seed %d", (seed) => {
  let grouped = 0;
  for (let i = 0; i < SEQUENCES_PER_SEED; i++) {
    const played = new Played(seed * 1000 + i);
    played.play(generated(seed * 1000 + i));
    grouped += played.grouped;
    const name = `sequence ${seed * 1000 + i}`;
    const replayed = played.db.replayed();
    expect([name, replayed.run("DEBUG", "DIGEST")]).toEqual([
      name,
      played.db.run("DEBUG", "DIGEST"),
    ]);
    expect([name, deadlines(replayed)]).toEqual([name, deadlines(played.db)]);
  }
  expect(grouped).toBeGreaterThan(SEQUENCES_PER_SEED * 10);
});
