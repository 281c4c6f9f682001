// DURABILITY STATUS and INFO persistence: what is durable, what would be lost, how long syncs take.
import { expect, test } from "bun:test";
import type { CheckpointControl, CheckpointState } from "../../../src/session/server.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

function status(db: EngineHarness): Record<string, unknown> {
  return Object.fromEntries(db.run("DURABILITY", "STATUS") as Map<string, unknown>);
}

test("a new engine has nothing to lose", () => {
  expect(status(new EngineHarness())).toMatchObject({
    mode: "always",
    health: "ok",
    unsynced_records: 0,
    unsynced_bytes: 0,
    oldest_unsynced_ms: 0,
    last_sync_ms_ago: null,
    syncs: 0,
    sync_ms_p50: null,
    last_checkpoint_revision: null,
  });
});

test("records that wait for their sync are what would be lost, and then no more", async () => {
  const db = new EngineHarness();
  db.clock.advance(1);
  db.persistence.holdsSyncs = true;
  db.run("SET", "a", 1);
  db.run("SET", "b", 2);
  db.clock.advance(40);
  const before = status(db);
  expect(before).toMatchObject({ unsynced_records: 2, oldest_unsynced_ms: 40, syncs: 0 });
  expect(before["unsynced_bytes"]).toBeGreaterThan(2 * 20);
  while (db.engine.disk.durableRevision < 2) {
    db.persistence.sync();
    db.clock.advance(1);
    await Bun.sleep(0);
  }
  const after = status(db);
  expect(after).toMatchObject({ unsynced_records: 0, unsynced_bytes: 0, oldest_unsynced_ms: 0 });
  expect(after["syncs"]).toBeGreaterThan(0);
  expect(after["sync_ms_longest"]).toBeGreaterThanOrEqual(40);
  expect(after["synced_revision"]).toBe(after["revision"]);
});

test("when the operating system decides, all counts as lost", () => {
  const db = new EngineHarness({ durability: "no" });
  db.run("SET", "a", 1);
  expect(status(db)).toMatchObject({ mode: "no", unsynced_records: 1, unsynced_bytes: null });
});

test("without records everything since the last checkpoint would be lost", () => {
  const db = new EngineHarness({ durability: "none" });
  db.engine.checkpoints = withState(db, { changes: 3 });
  db.run("SET", "a", 1);
  expect(status(db)).toMatchObject({ mode: "none", unsynced_records: 3 });
});

test("INFO has the state of checkpoints and of the disk under Redis's names", () => {
  const db = new EngineHarness();
  const last = { revision: 7, timeMs: db.now() - 5000, bytes: 10, entries: 2 };
  const failure = new Error("the disk is full");
  db.engine.checkpoints = withState(db, {
    ...{ last, failure, count: 2, changes: 4, lastDurationMs: 3000 },
    ...{ inProgress: true, startedMs: db.now() - 2000 },
  });
  const text = String(db.run("INFO", "persistence"));
  for (const line of [
    "rdb_changes_since_last_save:4",
    "rdb_bgsave_in_progress:1",
    `rdb_last_save_time:${Math.floor(last.timeMs / 1000)}`,
    "rdb_last_bgsave_status:err",
    "rdb_last_bgsave_time_sec:3",
    "rdb_current_bgsave_time_sec:2",
    "rdb_saves:2",
    "aof_last_write_status:ok",
  ]) {
    expect(text).toContain(`\r\n${line}\r\n`);
  }
});

/** Both kinds of checkpoints are the same. */
function withState({ engine }: EngineHarness, state: Partial<CheckpointState>): CheckpointControl {
  const { checkpoints } = engine;
  return { ...checkpoints, of: (kind) => ({ ...checkpoints.of(kind), ...state }) };
}
