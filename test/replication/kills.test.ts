/**
 * Either side is ended while data changes, in order and by kill -9, and started again: they find each other by themselves, and
 * hold the same. kvdb knows from its own folder where in the stream its data stands, so it goes on there, on both sides;
 * redis-server knows it only from an RDB file that it wrote when it was stopped.
 */
import { describe, test } from "bun:test";
import { Random } from "../oracle/random.ts";
import { agree, inStep } from "./agreement.ts";
import { Couple, requireFull } from "./couple.ts";
import { FrailLink } from "./frail-link.ts";
import { type Keeping, type Kind, Member } from "./member.ts";
import { IS_LONG, lasting, PAIRINGS, SEED, TIMEOUT_MS } from "./pairs.ts";

const ROUNDS = IS_LONG ? 10 : 1;
const MOST_CHANGES_BETWEEN = IS_LONG ? 5_000 : 600;

/** What an end is, and what a redis-server has to be told so that it can go on after it. */
const ENDS = {
  "kill -9": { end: (member: Member) => member.kill(), redis: "aof" },
  SIGTERM: { end: (member: Member) => member.stop(), redis: "rdb" },
} as const;

const KEEPINGS: Readonly<Record<Kind, readonly Keeping[]>> = {
  kvdb: IS_LONG ? ["wal", "aof", "wal everysec", "none"] : ["wal", "none"],
  redis: ["aof"],
};

describe.each(PAIRINGS)("$primary → $replica", (pairing) => {
  for (const [name, { end, redis }] of Object.entries(ENDS)) {
    const keepings = (kind: Kind): readonly Keeping[] =>
      kind === "redis" ? [redis] : KEEPINGS.kvdb;

    test.each(keepings(pairing.replica))(
      `${name} of the replica, %s, seed ${SEED}`,
      async (keeping) => {
        const random = new Random(SEED);
        await using couple = await Couple.form(pairing, { seed: SEED, replica: { keeping } });
        for (let round = 0; round < ROUNDS; round++) {
          await couple.load.advance(random.integer(1, MOST_CHANGES_BETWEEN));
          await end(couple.replica);
          await couple.load.advance(random.integer(1, MOST_CHANGES_BETWEEN));
          await couple.replica.start();
          await inStep(couple.primary, couple.replica);
        }
        await couple.settle(`${name} of the replica, ${keeping}, seed ${SEED}`);
        couple.requireFull(1 + (goesOn(pairing.replica, keeping) ? 0 : ROUNDS));
      },
      TIMEOUT_MS,
    );

    test.each(keepings(pairing.primary))(
      `${name} of the primary, %s, seed ${SEED + 1}`,
      async (keeping) => {
        const random = new Random(SEED + 1);
        await using couple = await Couple.form(pairing, { seed: SEED + 1, primary: { keeping } });
        for (let round = 0; round < ROUNDS; round++) {
          await couple.load.advance(random.integer(1, MOST_CHANGES_BETWEEN));
          await end(couple.primary);
          await couple.primary.start();
          await couple.load.advance(random.integer(1, MOST_CHANGES_BETWEEN));
          await inStep(couple.primary, couple.replica);
        }
        await couple.settle(`${name} of the primary, ${keeping}, seed ${SEED + 1}`);
        couple.requireFull(1 + (goesOn(pairing.primary, keeping) ? 0 : ROUNDS));
      },
      TIMEOUT_MS,
    );
  }

  test.each([...new Set([pairing.replica, pairing.primary])])(
    `a chain of three, the last of which is %s, kill -9 of the middle one, seed ${SEED + 2}`,
    async (kind) => {
      const random = new Random(SEED + 2);
      await using couple = await Couple.form(pairing, { seed: SEED + 2 });
      const middle = couple.replica;
      await using lower = await FrailLink.open(middle.port);
      await using last = await Member.start({ kind, keeping: lasting(kind) });
      await last.follow(lower.port);
      await inStep(couple.primary, last);
      await couple.load.advance(random.integer(1, MOST_CHANGES_BETWEEN));
      await middle.kill();
      await couple.load.advance(random.integer(1, MOST_CHANGES_BETWEEN));
      await middle.start();
      await inStep(couple.primary, last);
      await couple.settle(`middle of three killed, seed ${SEED + 2}`);
      await agree(couple.primary, last);
      couple.tell(`the last of three, ${kind}, seed ${SEED + 2}`, lower.copies);
      const more = goesOn(middle.kind, middle.keeping) ? 0 : 1;
      couple.requireFull(1 + more);
      requireFull(lower.copies, 1 + more, [middle, last]);
    },
    TIMEOUT_MS,
  );
});

/** Whether one that was ended knows where in the stream it stood. */
function goesOn(kind: Kind, keeping: Keeping): boolean {
  return kind === "kvdb" ? keeping !== "none" : keeping === "rdb";
}
