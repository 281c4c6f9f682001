/**
 * The first copy, spoilt: the link is cut in the middle of it, either side is killed, it comes slowly while data changes. What
 * the replica had before stays until the copy is whole, and is replaced by it as a whole.
 */
import { describe, expect, test } from "bun:test";
import { until } from "../e2e/support/poll.ts";
import { Random } from "../oracle/random.ts";
import { agree, inStep } from "./agreement.ts";
import { requireFull } from "./couple.ts";
import { FrailLink } from "./frail-link.ts";
import { Load } from "./load.ts";
import { Member } from "./member.ts";
import {
  IS_LONG,
  lasting,
  nameOf,
  PAIRINGS,
  type Pairing,
  SEED,
  TIMEOUT_MS,
  wordsOf,
} from "./pairs.ts";

/** What no compression makes small. */
const VALUES = IS_LONG ? 20_000 : 1_500;
const VALUE_BYTES = 2_000;
const CUTS = IS_LONG ? 10 : 2;
/** Within the copy, which is longer, and behind all that is said before it. */
const [LEAST_CUT_BYTES, MOST_CUT_BYTES] = [2_000, VALUES * VALUE_BYTES];

describe.each(PAIRINGS)("$primary → $replica", (pairing) => {
  test(
    `cut in the middle of the copy, seed ${SEED}`,
    async () => {
      const random = new Random(SEED);
      await using scene = await Scene.prepare(pairing, random);
      const { primary, replica, link } = scene;
      for (let i = 0; i < CUTS; i++) {
        const cut = link.cutAfter(random.integer(LEAST_CUT_BYTES, MOST_CUT_BYTES));
        link.passage = "open";
        if (i === 0) await replica.follow(link.port);
        await cut;
        link.passage = "closed";
        expect(await replica.call("GET", "old")).toBe("data of before");
        expect(await replica.call("DBSIZE")).toBe(1);
      }
      link.passage = "open";
      await agree(primary, replica);
      expect(await replica.call("GET", "old")).toBe(null);
      scene.tell(`${CUTS} cuts within the copy, seed ${SEED}`);
      requireFull(link.copies, 1 + CUTS, [primary, replica]);
    },
    TIMEOUT_MS,
  );

  test(
    `kill -9 of the replica in the middle of the copy, seed ${SEED + 1}`,
    async () => {
      const random = new Random(SEED + 1);
      await using scene = await Scene.prepare(pairing, random);
      const { primary, replica, link } = scene;
      await scene.interruptCopy(random, () => replica.kill());
      await replica.start();
      await agree(primary, replica);
      scene.tell(`replica killed within the copy, seed ${SEED + 1}`);
      requireFull(link.copies, 2, [primary, replica]);
      expect(link.copies.partial).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    `kill -9 of the primary in the middle of the copy, seed ${SEED + 2}`,
    async () => {
      const random = new Random(SEED + 2);
      await using scene = await Scene.prepare(pairing, random);
      const { primary, replica, link } = scene;
      await scene.interruptCopy(random, () => primary.kill());
      await until("the replica has noticed", async () => {
        return (await replica.infoNumber("replication", "master_sync_in_progress")) === 0;
      });
      expect(await replica.call("GET", "old")).toBe("data of before");
      await primary.start();
      await agree(primary, replica);
      scene.tell(`primary killed within the copy, seed ${SEED + 2}`);
      requireFull(link.copies, 2, [primary, replica]);
      expect(link.copies.partial).toBe(0);
    },
    TIMEOUT_MS,
  );

  test.each(["yes", "no"])(
    `slowly while data changes, disk-less: %s, seed ${SEED + 3}`,
    async (diskless) => {
      const random = new Random(SEED + 3);
      await using scene = await Scene.prepare(pairing, random);
      const { primary, replica, link } = scene;
      await primary.call("CONFIG", "SET", "repl-diskless-sync", diskless);
      const load = Load.begin(primary, { seed: SEED + 3, words: wordsOf(pairing) });
      try {
        link.pieceBytes = 1_000;
        await replica.follow(link.port);
        await load.advance(500);
        link.pieceBytes = Number.POSITIVE_INFINITY;
        await inStep(primary, replica);
        await load.advance(500);
      } finally {
        await load.stop();
      }
      await agree(primary, replica);
      scene.tell(`copied slowly, disk-less: ${diskless}, seed ${SEED + 3}`);
      requireFull(link.copies, 1, [primary, replica]);
      expect(link.copies.partial).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "the same again: a second replica, and one that had followed another",
    async () => {
      await using scene = await Scene.prepare(pairing, new Random(SEED + 4));
      const { primary, replica, link } = scene;
      await using other = await Member.start({
        ...{ kind: pairing.primary, keeping: lasting(pairing.primary) },
      });
      await other.call("SET", "of another", "primary");
      await replica.follow(other.port);
      await inStep(other, replica);
      expect(await replica.call("GET", "of another")).toBe("primary");
      await replica.follow(link.port);
      await agree(primary, replica);
      await using second = await Member.start({
        ...{ kind: pairing.replica, keeping: "none" as const },
      });
      await second.follow(link.port);
      await agree(primary, second);
      await agree(primary, replica);
      scene.tell("two replicas");
      requireFull(link.copies, 2, [primary, replica]);
      expect(link.copies.partial).toBe(0);
    },
    TIMEOUT_MS,
  );
});

/** A primary with much data and a replica to be with a little, and a link between them that nobody uses yet. */
class Scene implements AsyncDisposable {
  readonly pairing: Pairing;
  readonly primary: Member;
  readonly replica: Member;
  readonly link: FrailLink;

  private constructor(pairing: Pairing, primary: Member, replica: Member, link: FrailLink) {
    this.pairing = pairing;
    this.primary = primary;
    this.replica = replica;
    this.link = link;
  }

  static async prepare(pairing: Pairing, random: Random): Promise<Scene> {
    await using parts = new AsyncDisposableStack();
    const start = async (kind: "primary" | "replica") =>
      parts.use(await Member.start({ kind: pairing[kind], keeping: lasting(pairing[kind]) }));
    const [primary, replica] = await Promise.all([start("primary"), start("replica")]);
    const link = parts.use(await FrailLink.open(primary.port));
    await fill(primary, random);
    await replica.call("SET", "old", "data of before");
    parts.move();
    return new Scene(pairing, primary, replica, link);
  }

  /** The copy begins, and when a part of it has passed, nothing more does, and then something happens. */
  async interruptCopy(random: Random, happen: () => Promise<void>): Promise<void> {
    const goal = random.integer(LEAST_CUT_BYTES, MOST_CUT_BYTES);
    const isCut = this.link.cutAfter(goal);
    await this.replica.follow(this.link.port);
    await isCut;
    this.link.passage = "closed";
    await happen();
    this.link.passage = "open";
  }

  tell(title: string): void {
    const { full, partial } = this.link.copies;
    console.log(`${nameOf(this.pairing)}, ${title}: ${full} full, ${partial} partial`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
    await this.replica[Symbol.asyncDispose]();
    await this.primary[Symbol.asyncDispose]();
  }
}

async function fill(member: Member, random: Random): Promise<void> {
  using client = await member.connect();
  const bytes = () => Buffer.from(Array.from({ length: VALUE_BYTES }, () => random.below(256)));
  const commands = Array.from({ length: VALUES }, (_, i) => ["SET", `value ${i}`, bytes()]);
  await client.pipeline(commands);
}
