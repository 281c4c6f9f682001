/**
 * U2: kvdb's replies against those of redis-server, for generated sequences of commands; a tenth of
 * them unless KVDB_TEST_LONG=1. And the tool itself against servers that are wrong on purpose.
 *
 * The seed is new in each run, and printed; KVDB_TEST_SEED=N sets it.
 */

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Report, run } from "./differential.ts";
import { GROUPS, sequence } from "./generate/sequence.ts";
import { type Lie, startLyingProxy } from "./lying-proxy.ts";
import { formatReport } from "./report.ts";
import { IS_LONG, KVDB, REDIS, SEED } from "./run-settings.ts";
import { startKvdb, startRedisServer } from "./servers.ts";
import { commandsOf, describe as describeCommand } from "./step.ts";

const STEPS = 30;
/** A thousand sequences take two seconds; the rest is for slow machines and for shrinking. */
const TIMEOUT_MS = IS_LONG ? 900_000 : 120_000;

describe.skipIf(REDIS === null)("differential test against redis-server", () => {
  const redis = REDIS ?? "";

  test(
    "U2: replies equal redis-server for generated sequences",
    async () => {
      if (!existsSync(KVDB)) throw new Error("dist/kvdb is missing: build it first");
      console.log(`U2: seed ${SEED}`);
      await using expected = await startRedisServer(redis);
      await using actual = await startKvdb(KVDB);
      const report = await run({
        ports: { expected: expected.port, actual: actual.port },
        seed: SEED,
        sequences: IS_LONG ? 10_000 : 1_000,
        stepsPerSequence: STEPS,
        keepGoing: true,
      });
      if (report.differences.length > 0) throw new Error(formatReport(report));
    },
    TIMEOUT_MS,
  );

  test(
    "two redis-servers have no differences",
    async () => {
      const report = await runAgainstLiar(redis, {}, SEED);
      if (report.differences.length > 0) throw new Error(formatReport(report));
      expect(report.sequencesRun).toBe(500);
    },
    TIMEOUT_MS,
  );

  test(
    "a changed reply is caught and shrunk to its command",
    async () => {
      const report = await runAgainstLiar(redis, {
        reply: (text) => text.replaceAll("BITOP NOT must be called", "BITOP NOT has to be called"),
      });
      expect(report.differences.map((difference) => difference.label)).toEqual(["BITOP"]);
      expect(scriptOf(report)).toEqual([expect.stringMatching(/^bitop not .+/i)]);
    },
    TIMEOUT_MS,
  );

  test(
    "a write that is lost without a wrong reply is caught and shrunk to what it needs",
    async () => {
      const report = await runAgainstLiar(redis, {
        request: (text) => text.replaceAll("$6\r\nGETDEL\r\n", "$3\r\nGET\r\n"),
      });
      expect(report.differences).toHaveLength(1);
      // A key, the command that ought to delete it, at most one that shows it is still there.
      const script = scriptOf(report);
      expect(script.length).toBeLessThanOrEqual(3);
      expect(script[1]).toStartWith("GETDEL ");
    },
    TIMEOUT_MS,
  );

  test(
    "a server that stops answering ends the run",
    async () => {
      await using expected = await startRedisServer(redis);
      const report = await run({
        ports: { expected: expected.port, actual: await portOfNobody(redis) },
        seed: SEED,
        sequences: 10,
        stepsPerSequence: STEPS,
        keepGoing: true,
      });
      expect(report.sequencesRun).toBe(1);
      expect(report.lostPort).not.toBeNull();
    },
    TIMEOUT_MS,
  );
});

test("the same seed gives the same sequence", () => {
  const [one, again, other] = [7, 7, 8].map((seed) => sequence(seed, STEPS, GROUPS));
  expect(one).toEqual(again);
  expect(one).not.toEqual(other);
});

/** Runs redis-server against another one behind a proxy that lies. */
async function runAgainstLiar(redis: string, lie: Lie, seed = 1): Promise<Report> {
  await using expected = await startRedisServer(redis);
  await using honest = await startRedisServer(redis);
  await using liar = startLyingProxy(honest.port, lie);
  return await run({
    ports: { expected: expected.port, actual: liar.port },
    seed,
    sequences: 500,
    stepsPerSequence: STEPS,
  });
}

function scriptOf(report: Report): string[] {
  return (report.differences[0]?.steps ?? []).flatMap(commandsOf).map(describeCommand);
}

async function portOfNobody(redis: string): Promise<number> {
  await using stopped = await startRedisServer(redis);
  return stopped.port;
}
