/**
 * DURABILITY STATUS: what would be lost if the machine lost power now, how long syncs take, what the last checkpoint has.
 * For people and for alarms; INFO has some of it under Redis's names.
 */
import type { Server } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { helpSubcommand } from "./container-help.ts";
import type { Reply } from "./reply.ts";

type Value = string | number | null;

function status(session: Session, _args: Arguments, reply: Reply): void {
  const { server } = session;
  const lines = { ...journalLines(server), ...syncLines(server), ...checkpointLines(server) };
  const entries = Object.entries<Value>(lines);
  reply.map(entries.length);
  for (const [name, value] of entries) {
    reply.text(name);
    replyValue(reply, value);
  }
}

function replyValue(reply: Reply, value: Value): void {
  if (value === null) reply.null();
  else if (typeof value === "string") reply.text(value);
  else if (Number.isInteger(value)) reply.integer(value);
  else reply.double(value);
}

/** With mode `no` the operating system decides what is on disk: what is not known to be there counts as lost. */
function journalLines({ persistenceName, disk, checkpoints }: Server): Record<string, Value> {
  const { mode, failure, lastRevision, syncedRevision } = disk;
  // Whoever keeps no records loses what the last checkpoint does not have.
  const lost = disk.isRecording ? lastRevision - syncedRevision : checkpoints.of("save").changes;
  return {
    persistence: persistenceName,
    mode,
    health: failure === null ? "ok" : failure.message,
    revision: lastRevision,
    synced_revision: lastRevision - lost,
    unsynced_records: lost,
    unsynced_bytes: mode === "no" ? null : disk.unsyncedBytes,
    oldest_unsynced_ms: mode === "no" ? null : Math.round(disk.oldestUnsyncedMs),
  };
}

function syncLines({ disk, clock }: Server): Record<string, Value> {
  const { times, lastMs } = disk.syncs;
  const rounded = (ms: number | undefined) => (ms === undefined ? null : Number(ms.toFixed(3)));
  return {
    last_sync_ms_ago: lastMs === 0 ? null : Math.max(0, clock.now() - lastMs),
    syncs: times.count,
    sync_ms_p50: rounded(times.p50),
    sync_ms_p95: rounded(times.p95),
    sync_ms_p99: rounded(times.p99),
    "sync_ms_p99.9": rounded(times.p999),
    sync_ms_longest: rounded(times.longest),
  };
}

function checkpointLines({ checkpoints, clock }: Server): Record<string, Value> {
  const { last, lastDurationMs, count, failure, changes } = checkpoints.of("compact");
  const isNone = count === 0;
  return {
    checkpoint_in_progress: checkpoints.inProgress ? 1 : 0,
    checkpoint_health: failure === null ? "ok" : failure.message,
    checkpoints: count,
    last_checkpoint_ms_ago: isNone ? null : Math.max(0, clock.now() - last.timeMs),
    last_checkpoint_revision: isNone ? null : last.revision,
    last_checkpoint_entries: isNone ? null : last.entries,
    last_checkpoint_bytes: isNone ? null : last.bytes,
    last_checkpoint_took_ms: isNone ? null : lastDurationMs,
    changes_since_checkpoint: changes,
  };
}

export const durabilityCommands: readonly Command[] = [
  {
    name: "DURABILITY",
    arity: -2,
    flags: [],
    group: "server",
    since: "kvdb 0.1.0",
    summary: "A container for what is durable.",
    syntax: "",
  },
  {
    name: "DURABILITY|STATUS",
    arity: 2,
    flags: ["admin", "noscript", "loading", "stale"],
    group: "server",
    since: "kvdb 0.1.0",
    summary:
      "Returns what would be lost now, how long syncs take, and what the last checkpoint has.",
    syntax: "",
    run: status,
  },
  helpSubcommand("DURABILITY", "server", "kvdb 0.1.0"),
];
