/**
 * Another one becomes the primary: by hand (REPLICAOF NO ONE, the old one follows it) and by FAILOVER. The old primary has
 * nothing that the new one lacks, so it needs no copy; and the replicas of the old one go on with the new one.
 */
import { describe, expect, test } from "bun:test";
import { until } from "../e2e/support/poll.ts";
import { agree, inStep } from "./agreement.ts";
import { Couple } from "./couple.ts";
import { FrailLink } from "./frail-link.ts";
import { Load } from "./load.ts";
import { Member } from "./member.ts";
import { lasting, PAIRINGS, SEED, TIMEOUT_MS, wordsOf } from "./pairs.ts";

const CHANGES = 500;
const NEVER_SECONDS = 3600;

describe.each(PAIRINGS)("$primary → $replica", (pairing) => {
  test(
    `the replica becomes the primary, the old one follows it, and back, seed ${SEED}`,
    async () => {
      await using couple = await Couple.form(pairing, { seed: SEED });
      const { primary: old, replica: promoted } = couple;
      // What runs out in between would be in the old one's stream alone.
      await old.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
      await couple.settle(`before the change, seed ${SEED}`);
      await beat(old, NEVER_SECONDS);
      await inStep(old, promoted);
      await promoted.lead();
      const replid = (await old.info("replication")).get("master_replid");
      expect((await promoted.info("replication")).get("master_replid2")).toBe(replid);
      await using back = await FrailLink.open(promoted.port);
      await old.follow(back.port);
      await old.call("DEBUG", "SET-ACTIVE-EXPIRE", 1);
      await beat(old, 1);
      await change(promoted, SEED + 1, wordsOf(pairing));
      await agree(promoted, old);
      couple.tell(`the old primary follows, seed ${SEED}`, back.copies);
      expect(back.copies).toEqual({ full: 0, partial: 1 });
      // And back.
      await promoted.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
      await agree(promoted, old);
      await beat(promoted, NEVER_SECONDS);
      await inStep(promoted, old);
      await old.lead();
      await promoted.follow(couple.link.port);
      await change(old, SEED + 2, wordsOf(pairing));
      await agree(old, promoted);
      expect(couple.tell(`and back, seed ${SEED}`).full).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    `FAILOVER while data changes, seed ${SEED + 3}`,
    async () => {
      // A replica that is redis-server changes the value when it counts for a client, and the load goes on at the old primary.
      const counting = pairing.primary === "redis" ? { leavesOut: "PFCOUNT" } : {};
      await using couple = await Couple.form(pairing, { seed: SEED + 3, load: counting });
      const { primary: old, replica: promoted, load } = couple;
      await using third = await Member.start({
        ...{ kind: pairing.replica, keeping: lasting(pairing.replica) },
      });
      await third.follow(promoted.port);
      await inStep(old, third);
      await load.advance(CHANGES);
      const to = ["TO", "127.0.0.1", promoted.port, "TIMEOUT", 10_000];
      expect(await old.call("FAILOVER", ...to)).toBe("OK");
      await until("the roles have changed", async () => {
        const [above, below] = await Promise.all([roleOf(promoted), roleOf(old)]);
        return above === "master" && below === "slave";
      });
      old.noteFollowed(promoted.port);
      await load.stop();
      await change(promoted, SEED + 4, wordsOf(pairing));
      await agree(promoted, old);
      await agree(promoted, third);
      const full = await promoted.infoNumber("stats", "sync_full");
      const partial = await promoted.infoNumber("stats", "sync_partial_ok");
      couple.tell(`after FAILOVER, seed ${SEED + 3}`, { full, partial });
      // The one copy is the third one's first.
      expect(full, `copies\n${promoted.log}\n${old.log}\n${third.log}`).toBe(1);
      expect(partial).toBeGreaterThan(0);
      expect((await old.info("replication")).get("master_failover_state")).toBe("no-failover");
    },
    TIMEOUT_MS,
  );
});

/** A heartbeat of the old primary, too, would be in its stream alone. */
async function beat(member: Member, everySeconds: number): Promise<void> {
  await member.call("CONFIG", "SET", "repl-ping-replica-period", everySeconds);
}

async function change(member: Member, seed: number, words: "redis" | "kvdb"): Promise<void> {
  const load = Load.begin(member, { seed, words });
  await load.advance(CHANGES).finally(() => load.stop());
}

async function roleOf(member: Member): Promise<string | undefined> {
  return (await member.info("replication")).get("role");
}
