/**
 * INFO's section Replication: Redis's fields of both sides, in its order. Ours come behind them: how far replicas are behind in
 * bytes (Redis tells seconds alone), and how far this server is behind the one that it follows.
 */
import type { PrimaryState, ReplicaState, Replication } from "../session/replication.ts";
import type { Server } from "../session/server.ts";
import type { InfoLines } from "./info-lines.ts";
import { oneLine } from "./one-line.ts";

export function aboutReplication(server: Server): InfoLines {
  const { replication } = server;
  const { role, replicas, primary } = replication;
  return {
    role,
    ...(primary === null ? {} : aboutPrimary(primary)),
    connected_slaves: replicas.length,
    ...goodReplicas(server),
    ...Object.fromEntries(
      replicas.map((replica, index) => [`slave${index}`, replicaLine(replica)]),
    ),
    ...aboutStream(server, replication),
    ...lag(primary),
  };
}

function aboutPrimary(primary: PrimaryState): InfoLines {
  const isUp = primary.link === "connected";
  return {
    master_host: primary.host,
    master_port: primary.port,
    master_link_status: isUp ? "up" : "down",
    master_last_io_seconds_ago: primary.lastIoSeconds,
    master_sync_in_progress: primary.isSyncing ? 1 : 0,
    slave_read_repl_offset: primary.readOffset,
    slave_repl_offset: primary.appliedOffset,
    ...(primary.isSyncing ? aboutCopy(primary) : {}),
    ...(isUp ? {} : { master_link_down_since_seconds: primary.downSinceSeconds }),
    ...(primary.problem === "" ? {} : { master_link_problem: oneLine(primary.problem) }),
    slave_priority: primary.priority,
    slave_read_only: primary.isReadOnly ? 1 : 0,
    replica_announced: primary.announced ? 1 : 0,
  };
}

function aboutCopy({ syncTotalBytes, syncReadBytes, syncLastIoSeconds }: PrimaryState): InfoLines {
  const isKnown = syncTotalBytes > 0;
  const share = isKnown ? (100 * syncReadBytes) / syncTotalBytes : 0;
  return {
    master_sync_total_bytes: isKnown ? syncTotalBytes : 0,
    master_sync_read_bytes: syncReadBytes,
    master_sync_left_bytes: isKnown ? syncTotalBytes - syncReadBytes : -syncReadBytes,
    master_sync_perc: share.toFixed(2),
    master_sync_last_io_seconds_ago: syncLastIoSeconds,
  };
}

function goodReplicas({ replication, parameters }: Server): InfoLines {
  const isAsked = ["min-replicas-to-write", "min-replicas-max-lag"].every(
    (name) => Number(parameters.get(name)?.get() ?? 0) > 0,
  );
  return isAsked ? { min_slaves_good_slaves: replication.goodReplicas } : {};
}

function replicaLine({ ip, port, state, offset, lagSeconds, lagBytes }: ReplicaState): string {
  const redis = `ip=${ip},port=${port},state=${state},offset=${offset},lag=${lagSeconds}`;
  return `${redis},lag_bytes=${lagBytes}`;
}

/** The log is the backlog: how far it reaches back is what can be given again. */
function aboutStream({ parameters }: Server, { stream, failoverState }: Replication): InfoLines {
  const { firstOffset, offset, isInUse } = stream;
  return {
    master_failover_state: failoverState,
    master_replid: stream.id,
    master_replid2: stream.previousId,
    master_repl_offset: offset,
    second_repl_offset: stream.previousEnd,
    repl_backlog_active: isInUse ? 1 : 0,
    repl_backlog_size: Number(parameters.get("repl-backlog-size")?.get() ?? 0),
    repl_backlog_first_byte_offset: isInUse ? firstOffset : 0,
    repl_backlog_histlen: isInUse ? offset - firstOffset + 1 : 0,
  };
}

function lag(primary: PrimaryState | null): InfoLines {
  if (primary === null) return {};
  return { slave_lag_seconds: primary.lagSeconds, slave_lag_bytes: primary.lagBytes };
}
