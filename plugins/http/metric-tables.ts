/**
 * What of INFO becomes a metric, and under which name: kvdb's own names, in base units. A name that ends in `_total` is a
 * counter's, any other one a gauge's, as Prometheus has it. A new metric is a row here; how it gets its values is its table's.
 */
import type { Fields, Info } from "./info.ts";

export interface MetricTable {
  readonly rows: readonly MetricRow[];
  /** Undefined: the fields are INFO's own. Else each member of a group has a sample, with its name as the label. */
  readonly group?: Group;
  /** Undefined: the field is a number. */
  readonly read?: (fields: Fields, field: string) => number | undefined;
}

/** `scale`: what the field is multiplied by. */
export type MetricRow = readonly [name: string, field: string, help: string, scale?: number];

interface Group {
  readonly label: string;
  readonly members: (info: Info) => Members;
}

export type Members = ReadonlyMap<string, Fields>;

const GAUGES: readonly MetricRow[] = [
  ["kvdb_uptime_seconds", "uptime_in_seconds", "Time since the start"],
  ["kvdb_connected_clients", "connected_clients", "Client connections"],
  ["kvdb_blocked_clients", "blocked_clients", "Clients that wait in a blocking command"],
  [
    "kvdb_tracking_clients",
    "tracking_clients",
    "Clients that are told of changes to what they read",
  ],
  ["kvdb_max_clients", "maxclients", "Most client connections at a time"],
  ["kvdb_pubsub_channels", "pubsub_channels", "Channels that somebody has subscribed to"],
  ["kvdb_pubsub_patterns", "pubsub_patterns", "Patterns that somebody has subscribed to"],
  ["kvdb_memory_used_bytes", "used_memory", "Data with all its structures, and client buffers"],
  ["kvdb_memory_peak_bytes", "used_memory_peak", "Most used memory so far"],
  ["kvdb_memory_dataset_bytes", "used_memory_dataset", "Keys and values alone"],
  ["kvdb_memory_arena_bytes", "arena_reserved_bytes", "Memory that data is kept in, used or not"],
  ["kvdb_memory_resident_bytes", "used_memory_rss", "Memory of the process"],
  ["kvdb_memory_limit_bytes", "maxmemory", "Limit of used memory, 0 without"],
  ["kvdb_memory_clients_bytes", "mem_clients_normal", "Buffers of clients"],
  ["kvdb_loading", "loading", "1 while the data is loaded"],
  [
    "kvdb_persistence_unsaved_changes",
    "rdb_changes_since_last_save",
    "Changes since the last save",
  ],
  [
    "kvdb_persistence_last_save_timestamp_seconds",
    "rdb_last_save_time",
    "When the data was saved last",
  ],
  ["kvdb_persistence_save_in_progress", "rdb_bgsave_in_progress", "1 while the data is saved"],
  [
    "kvdb_persistence_rewrite_in_progress",
    "aof_rewrite_in_progress",
    "1 while the log is compacted",
  ],
  [
    "kvdb_persistence_log_bytes",
    "aof_current_size",
    "Log with the checkpoint that it goes on from",
  ],
  ["kvdb_persistence_base_bytes", "aof_base_size", "The checkpoint that the log goes on from"],
  [
    "kvdb_persistence_buffered_bytes",
    "aof_buffer_length",
    "What was changed and is not written yet",
  ],
  ["kvdb_backups", "backup_count", "Backups that there are"],
  [
    "kvdb_backup_last_timestamp_seconds",
    "backup_last_time",
    "When the last backup was made, 0 for never",
  ],
  [
    "kvdb_backup_last_verified_timestamp_seconds",
    "backup_last_verified_time",
    "When the last backup that is verified was made",
  ],
  ["kvdb_connected_replicas", "connected_slaves", "Replicas that are connected"],
  ["kvdb_replication_offset_bytes", "master_repl_offset", "Length of the stream of replication"],
  [
    "kvdb_replication_reachable_bytes",
    "repl_backlog_histlen",
    "How much of it a replica may have missed and still go on where it was",
  ],
  [
    "kvdb_primary_silent_seconds",
    "master_last_io_seconds_ago",
    "Since the primary was heard of, -1 while there is no link to it",
  ],
  ["kvdb_primary_sync_in_progress", "master_sync_in_progress", "1 while all data comes from it"],
  ["kvdb_primary_lag_seconds", "slave_lag_seconds", "How long this server is behind its primary"],
  [
    "kvdb_primary_lag_bytes",
    "slave_lag_bytes",
    "What has come from the primary and is not applied",
  ],
];

/** Where INFO says ok or err, up or down. */
const STATUSES: readonly MetricRow[] = [
  ["kvdb_primary_link_up", "master_link_status", "1 while there is a link to the primary"],
  ["kvdb_persistence_last_save_ok", "rdb_last_bgsave_status", "1 unless the last save failed"],
  [
    "kvdb_persistence_last_rewrite_ok",
    "aof_last_bgrewrite_status",
    "1 unless the last compaction failed",
  ],
  ["kvdb_persistence_last_write_ok", "aof_last_write_status", "1 unless the disk refuses"],
];

const COUNTERS: readonly MetricRow[] = [
  [
    "kvdb_connections_received_total",
    "total_connections_received",
    "Connections that were accepted",
  ],
  ["kvdb_connections_rejected_total", "rejected_connections", "Connections that were refused"],
  ["kvdb_commands_processed_total", "total_commands_processed", "Commands that were run"],
  ["kvdb_network_input_bytes_total", "total_net_input_bytes", "Read from clients"],
  ["kvdb_network_output_bytes_total", "total_net_output_bytes", "Written to clients"],
  ["kvdb_keyspace_hits_total", "keyspace_hits", "Looks at keys that were there"],
  ["kvdb_keyspace_misses_total", "keyspace_misses", "Looks at keys that were not there"],
  ["kvdb_expired_keys_total", "expired_keys", "Keys whose time was over"],
  ["kvdb_evicted_keys_total", "evicted_keys", "Keys that made room for others"],
  ["kvdb_evicted_clients_total", "evicted_clients", "Clients that were closed for their buffers"],
  ["kvdb_replication_full_copies_total", "sync_full", "Replicas that were sent all data"],
  ["kvdb_replication_resumed_total", "sync_partial_ok", "Replicas that went on where they were"],
  [
    "kvdb_replication_resumes_refused_total",
    "sync_partial_err",
    "Replicas that wanted to go on where they were, and could not",
  ],
  ["kvdb_error_replies_total", "total_error_replies", "Errors that were answered"],
  ["kvdb_cpu_user_seconds_total", "used_cpu_user", "Processor time of the process, in user mode"],
  [
    "kvdb_cpu_system_seconds_total",
    "used_cpu_sys",
    "Processor time of the process, in system mode",
  ],
];

const REPLICAS: readonly MetricRow[] = [
  ["kvdb_replica_lag_bytes", "lag_bytes", "What a replica has not acknowledged"],
  ["kvdb_replica_lag_seconds", "lag", "Since its last acknowledgement"],
];

const DATABASES: readonly MetricRow[] = [
  ["kvdb_database_keys", "keys", "Keys of a database"],
  ["kvdb_database_expiring_keys", "expires", "Those of them that expire"],
  [
    "kvdb_database_average_ttl_seconds",
    "avg_ttl",
    "Time that keys which expire have left on average",
    1e-3,
  ],
];

const COMMANDS: readonly MetricRow[] = [
  ["kvdb_command_calls_total", "calls", "Runs of a command"],
  ["kvdb_command_seconds_total", "usec", "Time that it took", 1e-6],
  [
    "kvdb_command_rejected_calls_total",
    "rejected_calls",
    "Calls that were refused before they ran",
  ],
  ["kvdb_command_failed_calls_total", "failed_calls", "Runs that ended in an error"],
];

const ERRORS: readonly MetricRow[] = [
  ["kvdb_errors_total", "count", "Errors that were answered, by their first word"],
];

export const METRIC_TABLES: readonly MetricTable[] = [
  { rows: GAUGES },
  { rows: STATUSES, read: statusOf },
  { rows: COUNTERS },
  { rows: REPLICAS, group: { label: "replica", members: replicasOf } },
  { rows: DATABASES, group: groupOf("database", /^db(?=\d+$)/) },
  { rows: COMMANDS, group: groupOf("command", /^cmdstat_/) },
  { rows: ERRORS, group: groupOf("error", /^errorstat_/) },
];

function statusOf(fields: Fields, field: string): number | undefined {
  const text = fields.text(field);
  return text === undefined ? undefined : Number(text === "ok" || text === "up");
}

/** By the address where each says that it listens: its number changes when others go. */
function replicasOf(info: Info): Members {
  const replicas = [...info.group(/^slave(?=\d+$)/).values()];
  return new Map(replicas.map((one) => [`${one.text("ip")}:${one.text("port")}`, one]));
}

function groupOf(label: string, prefix: RegExp): Group {
  return { label, members: (info) => info.group(prefix) };
}
