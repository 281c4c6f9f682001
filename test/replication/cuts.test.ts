/**
 * The link between a primary and its replica, spoilt in every way while data changes: in the end both hold the same, and but
 * for the first copy there was none: the replica went on where it had stopped.
 *
 * KVDB_TEST_LONG=1 plays for minutes; KVDB_TEST_SEED=N repeats the choices of a run (not its timing, which is the machine's).
 */
import { describe, expect, test } from "bun:test";
import { until } from "../e2e/support/poll.ts";
import { Random } from "../oracle/random.ts";
import { inStep } from "./agreement.ts";
import { Couple } from "./couple.ts";
import type { Member } from "./member.ts";
import { IS_LONG, lasting, PAIRINGS, SEED, TIMEOUT_MS } from "./pairs.ts";

/** The long ones as the acceptance has them: ten seconds, and minutes. */
const DOWN_MS = IS_LONG ? [10_000, 120_000] : [300];
const RANDOM_CUTS = IS_LONG ? 40 : 3;
const MOST_CHANGES_BETWEEN = IS_LONG ? 5_000 : 600;
const PIECES = IS_LONG ? [1, 3, 1_000] : [1];
const CHANGES_IN_PIECES = IS_LONG ? 5_000 : 200;
/**
 * A replica learns of a silent link within this time, and a primary as well: in seconds. Only where that is what the test
 * waits for: on a busy machine it is soon over without anybody being gone.
 */
const SHORT_TIMEOUT = 3;
const LONG_TIMEOUT = 60;

describe.each(PAIRINGS)("$primary → $replica", (pairing) => {
  test.each([lasting(pairing.primary), "none"] as const)(
    `cut at random moments, mid-command as well, %s, seed ${SEED}`,
    async (keeping) => {
      const random = new Random(SEED);
      await using couple = await Couple.form(pairing, { seed: SEED, primary: { keeping } });
      const { link, load } = couple;
      for (let i = 0; i < RANDOM_CUTS; i++) {
        await load.advance(random.integer(1, MOST_CHANGES_BETWEEN));
        if (random.chance(0.3)) link.cut();
        else await link.cutAfter(random.integer(1, 3_000));
        if (random.chance(0.7)) await resumed(couple);
      }
      const { partial } = await couple.settle(`${RANDOM_CUTS} cuts, ${keeping}, seed ${SEED}`);
      couple.requireFull(1);
      expect(partial).toBeGreaterThan(0);
      await expectCounted(couple);
    },
    TIMEOUT_MS,
  );

  test.each(DOWN_MS)(
    `down for %d ms while data changes, seed ${SEED + 1}`,
    async (downMs) => {
      await using couple = await Couple.form(pairing, { seed: SEED + 1 });
      const { link, load, replica } = couple;
      link.passage = "closed";
      await until("the replica has noticed", async () => (await linkStatus(replica)) === "down");
      const bytes = link.bytes;
      await Bun.sleep(downMs); // the break itself is what this is about
      await load.advance(200);
      expect(link.bytes).toBe(bytes);
      link.passage = "open";
      const copies = await couple.settle(`down for ${downMs} ms, seed ${SEED + 1}`);
      couple.requireFull(1);
      expect(copies).toEqual({ full: 1, partial: 1 });
      await expectCounted(couple);
    },
    TIMEOUT_MS,
  );

  // Beside one another: nobody does anything but wait.
  test.concurrent(
    `half open: nothing passes, nobody says so, seed ${SEED + 2}`,
    async () => {
      await using couple = await Couple.form(pairing, { seed: SEED + 2 });
      const { link, load, primary, replica } = couple;
      link.passage = "silent";
      await setTimeouts(couple, SHORT_TIMEOUT);
      await load.advance(500);
      // Both give up the connection that they believed in.
      await until("the replica has given up", async () => (await linkStatus(replica)) === "down");
      await until("the primary has given up", async () => (await replicaCount(primary)) === 0);
      await setTimeouts(couple, LONG_TIMEOUT);
      link.passage = "open";
      const { partial } = await couple.settle(`half open, seed ${SEED + 2}`);
      couple.requireFull(1);
      expect(partial).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test.each(PIECES)(
    `the stream comes in pieces of %d bytes, seed ${SEED + 3}`,
    async (pieceBytes) => {
      await using couple = await Couple.form(pairing, { seed: SEED + 3 });
      const before = couple.link.copies.full;
      couple.link.pieceBytes = pieceBytes;
      await couple.load.advance(CHANGES_IN_PIECES);
      await couple.load.stop();
      couple.link.cut();
      await resumed(couple);
      // Millions of pieces take a busy machine longer than anything else here.
      await inStep(couple.primary, couple.replica, TIMEOUT_MS);
      const { partial } = await couple.settle(`pieces of ${pieceBytes}, seed ${SEED + 3}`);
      couple.requireFull(before);
      expect(partial).toBeGreaterThan(0);
    },
    2 * TIMEOUT_MS,
  );
});

/** What was cut is mended: there is another connection, and the primary sends on it. */
async function resumed({ link, primary, replica }: Couple): Promise<void> {
  await until("the replica is back", async () => {
    const isBack = link.connectionCount > 0 && (await linkStatus(replica)) === "up";
    return isBack && (await replicaCount(primary)) > 0;
  });
}

async function setTimeouts({ primary, replica }: Couple, seconds: number): Promise<void> {
  for (const member of [primary, replica]) {
    await member.call("CONFIG", "SET", "repl-timeout", seconds);
  }
}

async function linkStatus(replica: Member): Promise<string | undefined> {
  return (await replica.info("replication")).get("master_link_status");
}

function replicaCount(primary: Member): Promise<number> {
  return primary.infoNumber("replication", "connected_slaves");
}

/** The primary has counted what the link has seen. */
async function expectCounted({ primary, link }: Couple): Promise<void> {
  const [full, partial] = await Promise.all([
    primary.infoNumber("stats", "sync_full"),
    primary.infoNumber("stats", "sync_partial_ok"),
  ]);
  expect({ full, partial }).toEqual(link.copies);
}
