/**
 * K8: kill -9 at random moments while clients write and checkpoints are made, and what is there after the restart. KVDB_TEST_LONG=1 runs all 200
 * rounds; KVDB_TEST_SEED=N repeats the choices of a run (not its timing, which is the machine's).
 */
import { expect, test } from "bun:test";
import { Random } from "../oracle/random.ts";
import { Ledger } from "./support/ledger.ts";
import { until } from "./support/poll.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";
import { compactUntilLost, writeUntilLost } from "./support/writers.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const ROUNDS = IS_LONG ? 200 : 20;
/** After so many rounds a new folder: the log of one round after the other would grow without end. */
const ROUNDS_PER_FOLDER = 10;
const LONGEST_ROUND_MS = 150;
/** Commands that a connection has under way; one connection each. */
const WINDOWS = [1, 1, 1, 4, 16, 64];
/** Small, so that a round sees several segments begin. */
const SEGMENT_BYTES = 65_536;

test.each(["wal", "aof"])(
  `K8: what was acknowledged is there after kill -9, %s, ${ROUNDS} rounds, seed ${SEED}`,
  async (use) => {
    const random = new Random(SEED);
    for (let round = 0; round < ROUNDS; round += ROUNDS_PER_FOLDER) {
      await crashInOneFolder(use, random, `${use}, seed ${SEED}, rounds from ${round}`);
    }
  },
  IS_LONG ? 900_000 : 120_000,
);

async function crashInOneFolder(use: string, random: Random, name: string): Promise<void> {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", {
    persistence: {
      ...{ use, fsync: "always", segmentBytes: SEGMENT_BYTES },
      // Half of the folders have a base of commands.
      ...(use === "aof" && { "aof-use-rdb-preamble": random.chance(0.5) }),
      compaction: { ratio: random.pick([0, 1]), minBytes: 2 * SEGMENT_BYTES },
    },
  });
  const ledgers = WINDOWS.map((_, index) => new Ledger(`w${index}`, random));
  const acknowledged = () => ledgers.map((ledger) => ledger.acknowledgedCount);
  for (let round = 0; round < ROUNDS_PER_FOLDER; round++) {
    // The last one is long enough for everybody, however slow the machine is.
    const isLast = round === ROUNDS_PER_FOLDER - 1;
    const isDue = () => !isLast || acknowledged().every((count) => count > 0);
    await writeUntilKilled(workspace, ledgers, random, isDue);
    if (random.chance(0.2)) await killDuringStart(workspace, random);
    expect([`${name} + ${round}`, await problemsIn(workspace, ledgers)]).toEqual([
      `${name} + ${round}`,
      [],
    ]);
  }
}

async function writeUntilKilled(
  workspace: Workspace,
  ledgers: readonly Ledger[],
  random: Random,
  isDue: () => boolean,
): Promise<void> {
  await using server = await Server.start(workspace);
  const writers = ledgers.map((ledger, index) =>
    writeUntilLost(server, ledger, { window: WINDOWS[index] as number }),
  );
  if (random.chance(0.5)) writers.push(compactUntilLost(server, random));
  await Bun.sleep(random.integer(1, LONGEST_ROUND_MS)); // the random moment that this is about
  await until("the server may be killed", isDue);
  await server.kill();
  await Promise.all(writers);
}

/** A start reads the log and may cut its tail: to be killed in the middle of that must do no harm either. */
async function killDuringStart(workspace: Workspace, random: Random): Promise<void> {
  await using server = await Server.start(workspace, { awaitReady: false });
  await Bun.sleep(random.integer(5, 60));
  await server.kill();
}

async function problemsIn(workspace: Workspace, ledgers: readonly Ledger[]): Promise<string[]> {
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const problems: string[] = [];
  for (const ledger of ledgers) problems.push(...(await ledger.check(client)));
  await server.kill();
  return problems;
}
