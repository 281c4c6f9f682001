/**
 * INFO's sections Server, Clients and CPU, with Redis's names for fields. What is about Redis's own making (its
 * compiler, its event library, its timer's frequency) is left out.
 */
import { release, type } from "node:os";
import type { Server } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import { connections } from "./client-list.ts";
import { KVDB_VERSION, REDIS_VERSION, SERVER_MODE } from "./identity.ts";
import type { InfoLines } from "./info-lines.ts";

/** Redis's clock of when keys were used last has so many bits of the seconds since 1970. */
const CLOCK_MASK = 0xffffff;

export function aboutServer(server: Server): InfoLines {
  const nowMs = server.clock.now();
  const nowSeconds = Math.floor(nowMs / 1000);
  const { remainingMs } = server.shutdown;
  const uptimeSeconds = Math.floor((nowMs - server.statistics.startedMs) / 1000);
  return {
    redis_version: REDIS_VERSION,
    kvdb_version: KVDB_VERSION,
    redis_build_id: `kvdb-${KVDB_VERSION}`,
    redis_mode: SERVER_MODE,
    os: `${type()} ${release()} ${process.arch}`,
    arch_bits: 64,
    process_id: process.pid,
    run_id: server.runId,
    tcp_port: server.parameters.get("port")?.get() ?? 0,
    server_time_usec: nowMs * 1000,
    uptime_in_seconds: uptimeSeconds,
    uptime_in_days: Math.floor(uptimeSeconds / 86_400),
    lru_clock: nowSeconds & CLOCK_MASK,
    executable: process.execPath,
    io_threads_active: 0,
    ...(remainingMs === null ? {} : { shutdown_in_milliseconds: Math.ceil(remainingMs) }),
  };
}

export function aboutClients(server: Server): InfoLines {
  const most = server.parameters.get("maxclients")?.get();
  const sessions = [...server.sessions.values()];
  const largest = (bytes: (session: Session) => number) => Math.max(0, ...sessions.map(bytes));
  return {
    // As Redis: replicas have their own line, and the primary is one.
    connected_clients: connections(server).filter(({ isReplica }) => !isReplica).length,
    cluster_connections: 0,
    ...(most === undefined ? {} : { maxclients: most }),
    client_recent_max_input_buffer: largest(({ client }) => client.inputBytes()),
    client_recent_max_output_buffer: largest(({ client }) => client.outputBytes()),
    blocked_clients: sessions.filter(({ later }) => later?.isPending).length,
    tracking_clients: server.tracking.clientCount,
    clients_in_timeout_table: sessions.filter(({ later }) => hasTimeout(later)).length,
  };
}

function hasTimeout(later: Session["later"]): boolean {
  return later?.isPending === true && later.onTimeout !== null;
}

/** There are no child processes: what Redis forks for, a thread does. */
export function aboutProcessor(): InfoLines {
  const { system, user } = process.cpuUsage();
  const thread = process.threadCpuUsage();
  return {
    used_cpu_sys: seconds(system),
    used_cpu_user: seconds(user),
    used_cpu_sys_children: seconds(0),
    used_cpu_user_children: seconds(0),
    used_cpu_sys_main_thread: seconds(thread.system),
    used_cpu_user_main_thread: seconds(thread.user),
  };
}

function seconds(microseconds: number): string {
  return (microseconds / 1e6).toFixed(6);
}
