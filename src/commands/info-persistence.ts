/**
 * INFO's section Persistence: loading with its progress, and afterwards checkpoints and the health of the disk, under
 * Redis's names, so that dashboards and alarms find what they know. Where a persistence knows but one kind of checkpoint, it
 * is Redis's RDB save and its AOF rewrite at once. What a persistence adds of its own stands below.
 */
import type { CheckpointState, Server } from "../session/server.ts";
import { oneLine } from "./one-line.ts";

type Lines = Record<string, string | number>;

export function aboutPersistence(server: Server): Lines {
  if (server.loading) return aboutLoading(server);
  return {
    ...{ loading: 0, async_loading: 0 },
    ...aboutCopies(server),
    ...aboutCheckpoints(server),
    ...aboutDisk(server),
  };
}

/** The estimate supposes that the rest takes as long per byte as what is done. */
function aboutLoading({ loadingProgress, clock }: Server): Lines {
  const { bytesDone, bytesTotal, startedMs, indexShare } = loadingProgress;
  const elapsedMs = Math.max(0, clock.now() - startedMs);
  const restMs = bytesDone === 0 ? 0 : (elapsedMs * (bytesTotal - bytesDone)) / bytesDone;
  return {
    loading: 1,
    async_loading: 0,
    loading_start_time: seconds(startedMs),
    loading_total_bytes: bytesTotal,
    loading_loaded_bytes: bytesDone,
    loading_loaded_perc: (bytesTotal === 0 ? 0 : (100 * bytesDone) / bytesTotal).toFixed(2),
    loading_eta_seconds: Math.ceil(restMs / 1000),
    ...(indexShare !== undefined && { loading_indexes_perc: (100 * indexShare).toFixed(2) }),
  };
}

/** What Redis's child makes the system copy, a snapshot copies itself. No module forks. */
function aboutCopies({ snapshotMemory: { ringBytes, overflowBytes } }: Server): Lines {
  return {
    current_cow_size: ringBytes + overflowBytes,
    rdb_last_cow_size: 0,
    aof_last_cow_size: 0,
    module_fork_in_progress: 0,
    module_fork_last_cow_size: 0,
  };
}

function aboutCheckpoints({ checkpoints, clock }: Server): Lines {
  const [saved, rewritten] = [checkpoints.of("save"), checkpoints.of("compact")];
  const nowMs = clock.now();
  return {
    rdb_changes_since_last_save: saved.changes,
    rdb_bgsave_in_progress: saved.inProgress ? 1 : 0,
    rdb_last_save_time: seconds(saved.last.timeMs),
    rdb_last_bgsave_status: statusOf(saved),
    rdb_last_bgsave_time_sec: lastSeconds(saved),
    rdb_current_bgsave_time_sec: currentSeconds(saved, nowMs),
    rdb_saves: saved.count,
    aof_rewrite_in_progress: rewritten.inProgress ? 1 : 0,
    aof_rewrite_scheduled: 0,
    aof_last_rewrite_time_sec: lastSeconds(rewritten),
    aof_current_rewrite_time_sec: currentSeconds(rewritten, nowMs),
    aof_last_bgrewrite_status: statusOf(rewritten),
    aof_rewrites: rewritten.count,
  };
}

function statusOf({ failure }: CheckpointState): string {
  return failure === null ? "ok" : "err";
}

function lastSeconds({ count, failure, lastDurationMs }: CheckpointState): number {
  return count === 0 && failure === null ? -1 : seconds(lastDurationMs);
}

function currentSeconds({ inProgress, startedMs }: CheckpointState, nowMs: number): number {
  return inProgress ? seconds(Math.max(0, nowMs - startedMs)) : -1;
}

/** While the disk refuses: also why, and since when. The whole of it stands in the log. */
function aboutDisk({ disk, persistenceName }: Server): Lines {
  const { mode, failure, failingSinceMs, unsyncedBytes } = disk;
  return {
    persistence: persistenceName,
    aof_enabled: mode === "none" ? 0 : 1,
    aof_last_write_status: failure === null ? "ok" : "err",
    aof_buffer_length: unsyncedBytes,
    ...(failure !== null && {
      persistence_last_error: oneLine(failure.message).slice(0, MAX_MESSAGE),
      persistence_failing_since: seconds(failingSinceMs),
    }),
  };
}

const MAX_MESSAGE = 200;

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
