/**
 * INFO's section Memory, under Redis's names. Where Redis means its allocator it is the arena here: `allocated` are its blocks
 * in use, `active` its chunks as far as they were ever touched. Fields of what kvdb does without (Lua) hold Redis's
 * value for none: dashboards show them. What kvdb alone has stands below.
 */
import { totalmem } from "node:os";
import type { Server } from "../session/server.ts";
import { allocation, overheads } from "../store/memory-breakdown.ts";

type Lines = Record<string, string | number>;

export function aboutMemory(server: Server): Lines {
  const { memory } = server;
  const use = memoryUse(server);
  return {
    ...withText("used_memory", use.used),
    ...withText("used_memory_rss", use.resident),
    ...withText("used_memory_peak", memory.peakBytes),
    used_memory_peak_perc: percent(use.used, memory.peakBytes),
    used_memory_overhead: use.overhead,
    used_memory_startup: memory.startupBytes,
    used_memory_dataset: use.dataset,
    used_memory_dataset_perc: percent(use.dataset, use.used - memory.startupBytes),
    allocator_allocated: use.allocated,
    allocator_active: use.active,
    allocator_resident: use.active,
    ...withText("total_system_memory", totalmem()),
    ...WITHOUT_SCRIPTS,
    ...withText("maxmemory", memory.maxBytes),
    maxmemory_policy: server.parameters.get("maxmemory-policy")?.get() ?? "noeviction",
    allocator_frag_ratio: ratio(use.active, use.allocated),
    allocator_frag_bytes: use.active - use.allocated,
    allocator_rss_ratio: "1.00",
    allocator_rss_bytes: 0,
    rss_overhead_ratio: ratio(use.resident, use.active),
    rss_overhead_bytes: use.resident - use.active,
    mem_fragmentation_ratio: ratio(use.resident, use.used),
    mem_fragmentation_bytes: use.resident - use.used,
    mem_not_counted_for_evict: 0,
    mem_replication_backlog: server.replication.backlogBytes,
    mem_total_replication_buffers: server.replication.bufferBytes,
    mem_clients_slaves: use.replicas,
    mem_clients_normal: use.clients - use.replicas,
    mem_cluster_links: 0,
    mem_aof_buffer: server.disk.unsyncedBytes,
    mem_allocator: "arena",
    active_defrag_running: Math.round(memory.defragmentation.effort),
    lazyfree_pending_objects: server.keyspace.graves.pending,
    lazyfreed_objects: server.keyspace.graves.emptied,
    ...ownLines(server),
  };
}

const WITHOUT_SCRIPTS: Lines = {
  ...withText("used_memory_lua", 0),
  used_memory_vm_eval: 0,
  used_memory_scripts_eval: 0,
  number_of_cached_scripts: 0,
  number_of_functions: 0,
  number_of_libraries: 0,
  used_memory_vm_functions: 0,
  ...withText("used_memory_vm_total", 0),
  used_memory_functions: 0,
  ...withText("used_memory_scripts", 0),
};

function ownLines({ keyspace, snapshotMemory, memory, tracking }: Server): Lines {
  return {
    mem_tracking_table: tracking.countedBytes,
    maxmemory_clients: memory.maxClientBytes,
    arena_reserved_bytes: keyspace.arena.reservedBytes,
    lazyfree_pending_bytes: keyspace.arena.queuedBytes,
    mem_snapshot_ring: snapshotMemory.ringBytes,
    mem_snapshot_overflow: snapshotMemory.overflowBytes,
    mem_js_heap: process.memoryUsage().heapUsed,
  };
}

export interface MemoryUse {
  readonly used: number;
  /** Of the process. */
  readonly resident: number;
  readonly clients: number;
  /** Of these, those of replicas. */
  readonly replicas: number;
  /** What is no key and no value. */
  readonly overhead: number;
  readonly dataset: number;
  readonly active: number;
  readonly allocated: number;
}

export function memoryUse({ keyspace, memory, sessions }: Server): MemoryUse {
  const used = memory.usedBytes;
  const clients = memory.clientBytes;
  let replicas = 0;
  for (const session of sessions.values()) if (session.isReplica) replicas += session.countedBytes;
  const ofDatabases = overheads(keyspace).reduce(
    (sum, { tableBytes, reminderBytes }) => sum + tableBytes + reminderBytes,
    0,
  );
  const overhead = memory.startupBytes + clients + memory.includedBytes + ofDatabases;
  return {
    ...{ used, clients, replicas, overhead },
    resident: process.memoryUsage().rss,
    dataset: Math.max(0, used - overhead),
    ...allocation(keyspace.arena),
  };
}

function withText(name: string, bytes: number): Lines {
  return { [name]: bytes, [`${name}_human`]: formatBytes(bytes) };
}

function percent(part: number, whole: number): string {
  return `${(whole <= 0 ? 0 : (100 * part) / whole).toFixed(2)}%`;
}

function ratio(part: number, whole: number): string {
  return (whole === 0 ? 0 : part / whole).toFixed(2);
}

const UNITS = ["K", "M", "G", "T", "P"] as const;

/** As Redis writes sizes for people: 1.50M. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${UNITS[unit]}`;
}
