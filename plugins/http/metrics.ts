/**
 * What `/metrics` answers, in the words of Prometheus: made of INFO and LATENCY HISTOGRAM at each scrape, so that nothing is
 * counted twice and nothing costs while nobody asks. Names are kvdb's own, in base units; what a field of INFO is called is
 * in the tables below.
 */
import { type Answer, textOf } from "kvdb";
import { Counter, Gauge, type Metric, Registry } from "prom-client";
import { type Histogram, histogramsOf } from "./histograms.ts";
import { Info } from "./info.ts";

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

type Row = readonly [name: string, field: string, help: string, scale?: number];

const GAUGES: readonly Row[] = [
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

const COUNTERS: readonly Row[] = [
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

/** Where INFO says ok or err, up or down. */
const STATUSES: readonly Row[] = [
  ["kvdb_primary_link_up", "master_link_status", "1 while there is a link to the primary"],
  ["kvdb_persistence_last_save_ok", "rdb_last_bgsave_status", "1 unless the last save failed"],
  [
    "kvdb_persistence_last_rewrite_ok",
    "aof_last_bgrewrite_status",
    "1 unless the last compaction failed",
  ],
  ["kvdb_persistence_last_write_ok", "aof_last_write_status", "1 unless the disk refuses"],
];

const REPLICAS: readonly Row[] = [
  ["kvdb_replica_lag_bytes", "lag_bytes", "What a replica has not acknowledged"],
  ["kvdb_replica_lag_seconds", "lag", "Since its last acknowledgement"],
];

const DATABASES: readonly Row[] = [
  ["kvdb_database_keys", "keys", "Keys of a database"],
  ["kvdb_database_expiring_keys", "expires", "Those of them that expire"],
  [
    "kvdb_database_average_ttl_seconds",
    "avg_ttl",
    "Time that keys which expire have left on average",
    1e-3,
  ],
];

const COMMANDS: readonly Row[] = [
  ["kvdb_command_calls_total", "calls", "Runs of a command"],
  ["kvdb_command_seconds_total", "usec", "Time that it took", 1e-6],
  [
    "kvdb_command_rejected_calls_total",
    "rejected_calls",
    "Calls that were refused before they ran",
  ],
  ["kvdb_command_failed_calls_total", "failed_calls", "Runs that ended in an error"],
];

const DURATION = "kvdb_command_duration_seconds";

/** What INFO everything and LATENCY HISTOGRAM answered. */
export function metricsText(info: Answer, latency: Answer): Promise<string> {
  const registry = new Registry();
  const fields = new Info(textOf(info) ?? "");
  addBuild(registry, fields);
  for (const row of GAUGES) addGauge(registry, row, fields.number(row[1]));
  for (const row of STATUSES) addGauge(registry, row, statusOf(fields.text(row[1])));
  for (const row of COUNTERS) addCounter(registry, row, fields.number(row[1]));
  addReplicas(registry, fields);
  addGroup(registry, { fields, prefix: /^db(?=\d+$)/, label: "database", rows: DATABASES });
  addGroup(registry, { fields, prefix: /^cmdstat_/, label: "command", rows: COMMANDS });
  const errors: Row = [
    "kvdb_errors_total",
    "count",
    "Errors that were answered, by their first word",
  ];
  addGroup(registry, { fields, prefix: /^errorstat_/, label: "error", rows: [errors] });
  registry.registerMetric(durations(histogramsOf(latency), fields));
  return registry.metrics();
}

function addBuild(registry: Registry, fields: Info): void {
  const labelNames = ["version", "persistence"];
  const help = "1, with the version of kvdb and the name of its persistence";
  const build = new Gauge({ name: "kvdb_build_info", help, labelNames, registers: [registry] });
  const [version = "", persistence = ""] = [
    fields.text("kvdb_version"),
    fields.text("persistence"),
  ];
  build.set({ version, persistence }, 1);
}

function addGauge(registry: Registry, [name, , help]: Row, value: number | undefined): void {
  if (value !== undefined) new Gauge({ name, help, registers: [registry] }).set(value);
}

function addCounter(registry: Registry, [name, , help]: Row, value: number | undefined): void {
  if (value !== undefined) new Counter({ name, help, registers: [registry] }).inc(value);
}

function statusOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text === "ok" || text === "up");
}

interface Group {
  readonly fields: Info;
  readonly prefix: RegExp;
  readonly label: string;
  readonly rows: readonly Row[];
}

/** Metrics with a label each: of databases, of commands. */
function addGroup(registry: Registry, { fields, prefix, label, rows }: Group): void {
  for (const [name, part, help, scale = 1] of rows) {
    const options = { name, help, labelNames: [label], registers: [registry] };
    const metric = name.endsWith("_total") ? new Counter(options) : new Gauge(options);
    for (const [member, values] of fields.group(prefix)) {
      const value = values.get(part);
      if (value !== undefined) metric.inc({ [label]: member }, value * scale);
    }
  }
}

/** By the address where each says that it listens: its number changes when others go. */
function addReplicas(registry: Registry, fields: Info): void {
  const labelNames = ["replica"];
  for (const [name, part, help] of REPLICAS) {
    const metric = new Gauge({ name, help, labelNames, registers: [registry] });
    for (let index = 0; ; index++) {
      const line = fields.text(`slave${index}`);
      if (line === undefined) break;
      const values = new Map(line.split(",").map((field) => splitField(field)));
      metric.set(
        { replica: `${values.get("ip")}:${values.get("port")}` },
        Number(values.get(part)),
      );
    }
  }
}

function splitField(field: string): readonly [name: string, value: string] {
  const equals = field.indexOf("=");
  return [field.slice(0, equals), field.slice(equals + 1)];
}

/**
 * prom-client's histograms count by themselves; these were counted already, so only what it asks a metric for is given.
 */
function durations(histograms: ReadonlyMap<string, Histogram>, fields: Info): Metric {
  const seconds = new Map(
    [...fields.group(/^cmdstat_/)].map(([name, values]) => [name, (values.get("usec") ?? 0) / 1e6]),
  );
  const values = [...histograms].flatMap(([command, { calls, buckets }]) => [
    ...[...buckets, ["+Inf", calls] as const].map(([le, value]) => ({
      metricName: `${DURATION}_bucket`,
      labels: { command, le },
      value,
    })),
    { metricName: `${DURATION}_sum`, labels: { command }, value: seconds.get(command) ?? 0 },
    { metricName: `${DURATION}_count`, labels: { command }, value: calls },
  ]);
  const help = "How long runs of a command took; of fast ones a sample stands for all";
  const described = { name: DURATION, help, type: "histogram", aggregator: "sum", values };
  return { name: DURATION, get: async () => described } as unknown as Metric;
}
