/**
 * The sections of INFO that the core knows, with Redis's names for sections and fields. Only values that exist are
 * answered: a field that would always be zero is left out, except for those by which tools tell the state of a server.
 */
import { release, type } from "node:os";
import type { Server } from "../session/server.ts";
import { displayName } from "./dispatch.ts";
import { KVDB_VERSION, REDIS_VERSION, SERVER_MODE, SERVER_ROLE } from "./identity.ts";
import { aboutBackups } from "./info-backup.ts";
import { aboutMemory } from "./info-memory.ts";
import { aboutPersistence } from "./info-persistence.ts";

export type InfoLines = Record<string, string | number>;

export interface InfoSection {
  readonly title: string;
  /** Without asking; with `all` and `everything`; or only by its name. What is shown earlier is shown later too. */
  readonly shown: "default" | "all" | "byName";
  readonly lines: (server: Server) => InfoLines;
}

/** In the order they are shown, whatever the order they are asked for. */
export const INFO_SECTIONS: readonly InfoSection[] = [
  { title: "Server", shown: "default", lines: aboutServer },
  { title: "Clients", shown: "default", lines: aboutClients },
  { title: "Memory", shown: "default", lines: aboutMemory },
  { title: "Persistence", shown: "default", lines: aboutPersistence },
  { title: "Backup", shown: "default", lines: aboutBackups },
  { title: "Stats", shown: "default", lines: aboutStatistics },
  { title: "Replication", shown: "default", lines: aboutReplication },
  { title: "CPU", shown: "default", lines: aboutProcessor },
  { title: "Modules", shown: "default", lines: () => ({}) },
  { title: "Commandstats", shown: "all", lines: aboutCommands },
  { title: "Errorstats", shown: "default", lines: aboutErrors },
  { title: "Latencystats", shown: "all", lines: aboutLatencies },
  { title: "Cluster", shown: "default", lines: () => ({ cluster_enabled: 0 }) },
  { title: "Keyspace", shown: "default", lines: aboutKeyspace },
  { title: "Debug", shown: "byName", lines: () => ({}) },
];

function aboutServer(server: Server): InfoLines {
  const nowMs = server.clock.now();
  const uptimeSeconds = Math.floor((nowMs - server.statistics.startedMs) / 1000);
  return {
    redis_version: REDIS_VERSION,
    kvdb_version: KVDB_VERSION,
    redis_mode: SERVER_MODE,
    os: `${type()} ${release()} ${process.arch}`,
    arch_bits: 64,
    process_id: process.pid,
    tcp_port: server.parameters.get("port")?.get() ?? 0,
    server_time_usec: nowMs * 1000,
    uptime_in_seconds: uptimeSeconds,
    uptime_in_days: Math.floor(uptimeSeconds / 86_400),
    executable: process.execPath,
  };
}

function aboutClients(server: Server): InfoLines {
  const most = server.parameters.get("maxclients")?.get();
  let waiting = 0;
  for (const { later } of server.sessions.values()) if (later?.isPending) waiting++;
  return {
    connected_clients: server.sessions.size,
    ...(most === undefined ? {} : { maxclients: most }),
    blocked_clients: waiting,
  };
}

function aboutStatistics(server: Server): InfoLines {
  const { statistics, keyspace } = server;
  return {
    total_connections_received: statistics.connectionsReceived,
    total_commands_processed: server.commandsProcessed,
    total_net_input_bytes: statistics.inputBytes,
    total_net_output_bytes: statistics.outputBytes,
    rejected_connections: statistics.connectionsRejected,
    expired_keys: keyspace.statistics.expired,
    expired_subkeys: keyspace.statistics.expiredFields,
    evicted_keys: keyspace.statistics.evicted,
    evicted_clients: server.memory.statistics.evictedClients,
    total_eviction_exceeded_time: Math.round(server.memory.statistics.exceededTotalMs),
    current_eviction_exceeded_time: Math.round(server.memory.statistics.exceededMs),
    keyspace_hits: keyspace.statistics.hits,
    keyspace_misses: keyspace.statistics.misses,
    keys_examined: keyspace.statistics.examined,
    total_error_replies: server.errors.total,
  };
}

function aboutReplication(): InfoLines {
  return { role: SERVER_ROLE, connected_slaves: 0 };
}

function aboutProcessor(): InfoLines {
  const { system, user } = process.cpuUsage();
  return { used_cpu_sys: seconds(system), used_cpu_user: seconds(user) };
}

function seconds(microseconds: number): string {
  return (microseconds / 1e6).toFixed(6);
}

/** Commands that were asked for at least once. */
function aboutCommands(server: Server): InfoLines {
  const lines: InfoLines = {};
  for (const { name, calls, usec, rejections, failures } of server.commands.entries()) {
    if (calls + rejections === 0) continue;
    const perCall = (calls === 0 ? 0 : usec / calls).toFixed(2);
    const times = `calls=${calls},usec=${Math.floor(usec)},usec_per_call=${perCall}`;
    lines[`cmdstat_${displayName(name)}`] =
      `${times},rejected_calls=${rejections},failed_calls=${failures}`;
  }
  return lines;
}

function aboutErrors(server: Server): InfoLines {
  const counts = server.errors.byCode();
  return Object.fromEntries(counts.map(([code, count]) => [`errorstat_${code}`, `count=${count}`]));
}

function aboutLatencies(server: Server): InfoLines {
  const lines: InfoLines = {};
  for (const { name, latencies } of server.commands.entries()) {
    if (latencies === null) continue;
    lines[`latency_percentiles_usec_${displayName(name)}`] = server.insight.percentiles
      .map((percentile) => `p${percentile}=${latencies.percentile(percentile).toFixed(3)}`)
      .join(",");
  }
  return lines;
}

/**
 * avg_ttl is 0 as in a Redis that has not worked it out yet: no average is kept. The counts are those of this moment, also of
 * what is not durable yet: INFO is asked most when the disk is in trouble, and must not wait for it.
 */
function aboutKeyspace(server: Server): InfoLines {
  const lines: InfoLines = {};
  for (const { index, size, expires } of server.keyspace.databases) {
    if (size > 0) lines[`db${index}`] = `keys=${size},expires=${expires},avg_ttl=0`;
  }
  return lines;
}
