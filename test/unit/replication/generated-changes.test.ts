/**
 * Generated changes, done to a primary while its clock runs and keys and fields run out: a replica that gets the stream in
 * pieces, now and then, holds the same in the end, and so does whoever reads the log of either. In process, so thousands of
 * changes take a second, and a seed repeats them, but for where in the tables the keys are; test/replication plays the same
 * between servers.
 */
import { describe, expect, test } from "bun:test";
import { NOBODY } from "../../../src/kernel/nobody.ts";
import type { StreamApplication } from "../../../src/replication/stream-application.ts";
import { eachStoredEntry } from "../../../src/store/database-walk.ts";
import { Random } from "../../oracle/random.ts";
import { Changes } from "../../replication/changes.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

const STEPS = 1_000;
const CLIENTS = 3;
const LONGEST_PAUSE_MS = 30;
/** Longer than any of the moments that keys are given (test/replication/changes.ts). */
const ALL_MOMENTS_MS = 500;

/** Whatever needs no time and no disk is over. */
async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}

/** A replica of the primary, which has no data yet; `feed` brings it up to date. */
async function replicaOf(primary: EngineHarness, seed: number) {
  const db = new EngineHarness({ auditEvery: 0, seed });
  const { engine } = db;
  const { stream } = primary.engine;
  await stream.use();
  const { id, offset } = stream.cut();
  await engine.stream.follow();
  await engine.stream.adopt({ id, offset, database: 0, revision: engine.disk.lastRevision });
  engine.following.duties.begin();
  const failures: string[] = [];
  const application: StreamApplication = engine.following.createApplication(
    {
      onRoom: () => {},
      onApplied: () => {},
      onProblem: (problem) => failures.push(problem),
      onFailure: (command, failure) => failures.push(`${command}: ${failure}`),
    },
    NOBODY,
  );
  const place = await stream.locate(id, offset + 1);
  if (place === null) throw new Error("the stream does not know where it begins");
  const cursor = stream.openCursor(place);
  const feed = async () => {
    await settled();
    for (let piece = await cursor.read(); piece !== null; piece = await cursor.read()) {
      application.push(Buffer.from(piece.bytes.subarray(piece.start, piece.end)));
      db.endTurn();
    }
    await settled();
  };
  return { db, failures, feed };
}

/** By database and key: type, digest, deadline. */
function contents(db: EngineHarness): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const session = db.connect();
  for (const { index } of db.engine.keyspace.databases) {
    db.runIn(session, "SELECT", index);
    for (const key of db.runIn(session, "KEYS", "*") as string[]) {
      const ask = (...words: string[]) => db.runIn(session, ...words, key);
      found.set(`${index} ${key}`, [ask("TYPE"), ask("DEBUG", "DIGEST-VALUE"), ask("PEXPIRETIME")]);
    }
  }
  return found;
}

/** What a table counts is in it. */
function requireWholeTables({ engine }: EngineHarness): void {
  for (const database of engine.keyspace.databases) {
    let count = 0;
    eachStoredEntry(database, () => count++);
    expect(count).toBe(database.size);
  }
}

describe("generated changes", () => {
  test.each(seeds(4))("reach a replica, and whoever reads a log, seed %d", async (seed) => {
    const random = new Random(seed);
    const primary = new EngineHarness({ auditEvery: 0, seed });
    const replica = await replicaOf(primary, seed + 1);
    const clients = Array.from({ length: CLIENTS }, (_, index) => ({
      session: primary.connect(),
      changes: new Changes(new Random(seed * 1_000 + index), "kvdb"),
    }));
    const pass = (ms: number) => {
      primary.advance(ms);
      replica.db.advance(ms);
    };
    for (let step = 0; step < STEPS; step++) {
      const { session, changes } = random.pick(clients);
      for (const command of changes.next()) primary.runIn(session, ...command);
      requireWholeTables(primary);
      if (random.chance(0.3)) pass(random.below(LONGEST_PAUSE_MS));
      if (random.chance(0.05)) await replica.feed();
    }
    for (let round = 0; round < 2; round++) {
      pass(ALL_MOMENTS_MS);
      await replica.feed();
    }
    const expected = contents(primary);
    expect(replica.failures).toEqual([]);
    expect(contents(replica.db)).toEqual(expected);
    requireWholeTables(replica.db);
    expect(contents(primary.replayed())).toEqual(expected);
    expect(contents(replica.db.replayed())).toEqual(expected);
  });
});
