/**
 * INFO's section Stats, with Redis's names for fields. Fields of what kvdb does without (a fork, threads for sockets,
 * migration between nodes) hold Redis's value for none: dashboards show them.
 */
import type { Server } from "../session/server.ts";
import type { InfoLines } from "./info-lines.ts";

export function aboutStatistics(server: Server): InfoLines {
  const { statistics, keyspace, rates, memory, pubsub, tracking, replication } = server;
  const { hits, misses, expired, expiredFields, examined } = keyspace.statistics;
  return {
    total_connections_received: statistics.connectionsReceived,
    total_commands_processed: server.commandsProcessed,
    instantaneous_ops_per_sec: Math.round(rates.commands),
    total_net_input_bytes: statistics.inputBytes,
    total_net_output_bytes: statistics.outputBytes,
    total_net_repl_input_bytes: replication.receivedBytes,
    total_net_repl_output_bytes: replication.sentBytes,
    instantaneous_input_kbps: kibibytes(rates.inputBytes),
    instantaneous_output_kbps: kibibytes(rates.outputBytes),
    instantaneous_input_repl_kbps: kibibytes(rates.receivedBytes),
    instantaneous_output_repl_kbps: kibibytes(rates.sentBytes),
    rejected_connections: statistics.connectionsRejected,
    sync_full: replication.copies.full,
    sync_partial_ok: replication.copies.partialGranted,
    sync_partial_err: replication.copies.partialRefused,
    expired_keys: expired,
    expired_subkeys: expiredFields,
    // A key that is over does not stay: it is removed when it is due.
    expired_stale_perc: "0.00",
    expired_time_cap_reached_count: statistics.expirySlicesCut,
    expire_cycle_cpu_milliseconds: Math.round(statistics.expiryMs),
    evicted_keys: keyspace.statistics.evicted,
    evicted_clients: memory.statistics.evictedClients,
    total_eviction_exceeded_time: Math.round(memory.statistics.exceededTotalMs),
    current_eviction_exceeded_time: Math.round(memory.statistics.exceededMs),
    keyspace_hits: hits,
    keyspace_misses: misses,
    keys_examined: examined,
    pubsub_channels: pubsub.topics("channel").size,
    pubsub_patterns: pubsub.topics("pattern").size,
    pubsubshard_channels: pubsub.topics("shard").size,
    latest_fork_usec: 0,
    total_forks: 0,
    migrate_cached_sockets: 0,
    slave_expires_tracked_keys: 0,
    active_defrag_hits: memory.defragmentation.moved,
    active_defrag_misses: 0,
    active_defrag_key_hits: 0,
    active_defrag_key_misses: 0,
    total_active_defrag_time: Math.round(memory.defragmentation.totalMs),
    current_active_defrag_time: Math.round(memory.defragmentation.currentMs),
    tracking_total_keys: tracking.keyCount,
    tracking_total_items: tracking.itemCount,
    tracking_total_prefixes: tracking.prefixCount,
    unexpected_error_replies: replication.failedCommands,
    client_output_buffer_limit_disconnections: statistics.outputLimitDisconnections,
    total_error_replies: server.errors.total,
    dump_payload_sanitizations: 0,
    total_reads_processed: statistics.reads,
    total_writes_processed: statistics.writes,
    io_threaded_reads_processed: 0,
    io_threaded_writes_processed: 0,
  };
}

/** As Redis counts them: 1024 bytes, whatever "kbps" says. */
function kibibytes(bytes: number): string {
  return (bytes / 1024).toFixed(2);
}
