/**
 * MEMORY: what takes memory, whether that is as it should be, and giving back what is not needed. The figures are those of INFO's
 * section Memory.
 */
import type { Server } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import { entryBytes, overheads } from "../store/memory-breakdown.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { notAnInteger, syntaxError } from "./command-error.ts";
import { helpSubcommand } from "./container-help.ts";
import { formatBytes, memoryUse } from "./info-memory.ts";
import type { Reply } from "./reply.ts";

// ---- USAGE ----

/** SAMPLES is checked and needed for nothing: what a value takes is known, not estimated. */
function requireUsageOptions(args: Arguments): void {
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, "SAMPLES") || i + 1 === args.count) throw syntaxError();
    const samples = args.integer(i + 1);
    if (Number.isNaN(samples)) throw notAnInteger();
    if (samples < 0) throw syntaxError();
  }
}

function usage(session: Session, args: Arguments, reply: Reply): void {
  requireUsageOptions(args);
  const { database } = session;
  const entry = database.peek(args.buffer, args.start[2], args.end[2]);
  if (entry === 0) reply.null();
  else reply.integer(entryBytes(database, entry));
}

// ---- STATS ----

function stats({ server }: Session, _args: Arguments, reply: Reply): void {
  const databases = overheads(server.keyspace);
  const [before, after] = statistics(server);
  reply.map(before.length + databases.length + after.length);
  for (const [name, value] of before) replyFigure(reply, name, value);
  for (const { index, tableBytes, reminderBytes } of databases) {
    reply.text(`db.${index}`);
    reply.map(2);
    replyFigure(reply, "overhead.hashtable.main", tableBytes);
    replyFigure(reply, "overhead.hashtable.expires", reminderBytes);
  }
  for (const [name, value] of after) replyFigure(reply, name, value);
}

/** A share is a text, which is a double. */
type Figure = readonly [name: string, value: number | string];

/** Redis's, in its order: what stands before the databases, and behind them. */
function statistics(server: Server): readonly [readonly Figure[], readonly Figure[]] {
  const { memory, disk } = server;
  const use = memoryUse(server);
  const keys = server.keyspace.databases.reduce((sum, { size }) => sum + size, 0);
  const beyondStart = use.used - memory.startupBytes;
  return [
    [
      ["peak.allocated", memory.peakBytes],
      ["total.allocated", use.used],
      ["startup.allocated", memory.startupBytes],
      ["replication.backlog", 0],
      ["clients.slaves", 0],
      ["clients.normal", use.clients],
      ["cluster.links", 0],
      ["aof.buffer", disk.unsyncedBytes],
      ["lua.caches", 0],
      ["functions.caches", 0],
    ],
    [
      ["overhead.total", use.overhead],
      ["keys.count", keys],
      ["keys.bytes-per-key", keys === 0 ? 0 : Math.floor(beyondStart / keys)],
      ["dataset.bytes", use.dataset],
      ["dataset.percentage", share(100 * use.dataset, beyondStart)],
      ["peak.percentage", share(100 * use.used, memory.peakBytes)],
      ["allocator.allocated", use.allocated],
      ["allocator.active", use.active],
      ["allocator.resident", use.active],
      ["allocator-fragmentation.ratio", share(use.active, use.allocated)],
      ["allocator-fragmentation.bytes", use.active - use.allocated],
      ["allocator-rss.ratio", "1"],
      ["allocator-rss.bytes", 0],
      ["rss-overhead.ratio", share(use.resident, use.active)],
      ["rss-overhead.bytes", use.resident - use.active],
      ["fragmentation", share(use.resident, use.used)],
      ["fragmentation.bytes", use.resident - use.used],
    ],
  ];
}

function share(part: number, whole: number): string {
  return String(whole <= 0 ? 0 : part / whole);
}

function replyFigure(reply: Reply, name: string, value: number | string): void {
  reply.text(name);
  if (typeof value === "string") reply.double(Number(value));
  else reply.integer(value);
}

// ---- DOCTOR ----

/** With less in it, ratios say nothing. */
const SMALL_BYTES = 5 * 1024 * 1024;
const HIGH_PEAK = 1.5;
const HIGH_FRAGMENTATION = 1.4;
/** Beside the arena: code, heap of the runtime, buffers. Some 100 MB are as it should be. */
const HIGH_RUNTIME_BYTES = 256 * 1024 * 1024;
const HIGH_CLIENT_BYTES = 200 * 1024;
/** Of the bound. */
const NEARLY_FULL = 0.95;

function doctor({ server }: Session, _args: Arguments, reply: Reply): void {
  const use = memoryUse(server);
  const problems = use.used < SMALL_BYTES ? [] : findings(server);
  const verdict =
    use.used < SMALL_BYTES
      ? "This instance is empty or uses very little memory: there is nothing to say about it yet."
      : problems.length === 0
        ? "There are no memory problems."
        : `Some things about memory deserve a look:\n\n${problems.map((one) => ` * ${one}\n`).join("\n")}`;
  reply.verbatim(`${verdict.trimEnd()}\n`, "txt");
}

function findings(server: Server): string[] {
  const { memory, sessions, keyspace } = server;
  const use = memoryUse(server);
  const found: string[] = [];
  if (memory.peakBytes > use.used * HIGH_PEAK) {
    found.push(
      `Peak memory: up to ${formatBytes(memory.peakBytes)} were used, ${formatBytes(use.used)} are now. The memory in between is held for new data; the ratio of resident to used memory is high because of it.`,
    );
  }
  if (use.active > use.allocated * HIGH_FRAGMENTATION) {
    found.push(
      `Fragmentation: the arena has ${formatBytes(use.active)} of which ${formatBytes(use.allocated)} are in use. What is free is used again by values of about the size of those that went.`,
    );
  }
  if (use.resident - use.active > HIGH_RUNTIME_BYTES) {
    found.push(
      `Beside the data: the process takes ${formatBytes(use.resident - use.active)} besides the arena. MEMORY PURGE collects garbage; a snapshot in progress, large replies and plugins take memory there.`,
    );
  }
  if (sessions.size > 0 && use.clients / sessions.size > HIGH_CLIENT_BYTES) {
    found.push(
      `Client buffers: ${formatBytes(use.clients)} for ${sessions.size} clients. CLIENT LIST shows whose (tot-mem); maxmemory-clients bounds them.`,
    );
  }
  if (memory.maxBytes > 0 && use.used > memory.maxBytes * NEARLY_FULL) {
    found.push(
      `The bound: ${formatBytes(use.used)} of maxmemory ${formatBytes(memory.maxBytes)} are used, ${keyspace.statistics.evicted} keys were evicted so far.`,
    );
  }
  return found;
}

// ---- MALLOC-STATS, PURGE ----

function allocatorStatistics({ server }: Session, _args: Arguments, reply: Reply): void {
  const { arena, databases, graves } = server.keyspace;
  const { active, allocated } = memoryUse(server);
  const lines = [
    "Arena",
    `  chunks: ${arena.chunkCount}, ${formatBytes(arena.reservedBytes)} reserved, ${formatBytes(active)} touched`,
    `  blocks: ${formatBytes(allocated)} in use, of which ${formatBytes(arena.queuedBytes)} wait to be freed (${graves.pending} structures)`,
    `  free: ${formatBytes(active - allocated)} in blocks, for values of their sizes`,
    ...databases
      .filter(({ usedUnits }) => usedUnits > 0)
      .map((one) => `  database ${one.index}: ${formatBytes(one.usedUnits * 8)}, ${one.size} keys`),
  ];
  reply.verbatim(`${lines.join("\n")}\n`, "txt");
}

function purge({ server }: Session, _args: Arguments, reply: Reply): void {
  server.memory.purge();
  reply.ok();
}

export const memoryCommands: readonly Command[] = [
  {
    name: "MEMORY",
    arity: -2,
    flags: [],
    group: "server",
    since: "4.0.0",
    summary: "A container for questions about memory.",
    syntax: "",
  },
  {
    name: "MEMORY|DOCTOR",
    arity: 2,
    flags: [],
    group: "server",
    since: "4.0.0",
    summary: "Returns what deserves a look about memory, in words.",
    syntax: "",
    run: doctor,
  },
  helpSubcommand("MEMORY", "server", "4.0.0"),
  {
    name: "MEMORY|MALLOC-STATS",
    arity: 2,
    flags: [],
    group: "server",
    since: "4.0.0",
    summary: "Returns the state of the arena, in words.",
    syntax: "",
    run: allocatorStatistics,
  },
  {
    name: "MEMORY|PURGE",
    arity: 2,
    flags: [],
    group: "server",
    since: "4.0.0",
    summary: "Gives memory back to the system that nothing needs.",
    syntax: "",
    run: purge,
  },
  {
    name: "MEMORY|STATS",
    arity: 2,
    flags: [],
    group: "server",
    since: "4.0.0",
    summary: "Returns what takes how much memory.",
    syntax: "",
    run: stats,
  },
  {
    name: "MEMORY|USAGE",
    arity: -3,
    flags: ["readonly"],
    group: "server",
    keys: [2, 2, 1],
    since: "4.0.0",
    summary: "Returns the bytes that a key and its value take.",
    syntax: "key [SAMPLES count]",
    run: usage,
  },
];
