/**
 * The sections of INFO that the core knows, with Redis's names for sections and fields: tools that read Redis's INFO find
 * what they look for. What has no meaning in kvdb is left out, or has Redis's value for none.
 */
import type { Server } from "../session/server.ts";
import { aboutBackups } from "./info-backup.ts";
import { aboutCommands, aboutErrors, aboutLatencies } from "./info-commands.ts";
import { aboutKeys } from "./info-keys.ts";
import type { InfoLines } from "./info-lines.ts";
import { aboutMemory } from "./info-memory.ts";
import { aboutPersistence } from "./info-persistence.ts";
import { aboutReplication } from "./info-replication.ts";
import { aboutClients, aboutProcessor, aboutServer } from "./info-server.ts";
import { aboutStatistics } from "./info-statistics.ts";

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
  { title: "Keys", shown: "byName", lines: aboutKeys },
  { title: "Debug", shown: "byName", lines: () => ({}) },
];

/**
 * The counts are those of this moment, also of what is not durable yet: INFO is asked most when the disk is in trouble, and
 * must not wait for it. avg_ttl is an average over all keys with a deadline, where Redis has one over a sample.
 */
function aboutKeyspace({ clock, keyspace }: Server): InfoLines {
  const lines: InfoLines = {};
  const nowMs = clock.now();
  for (const { index, size, expires, deadlines } of keyspace.databases) {
    if (size === 0) continue;
    const averageMs = expires === 0 ? 0 : Math.max(0, Math.round(deadlines.meanMs - nowMs));
    lines[`db${index}`] = `keys=${size},expires=${expires},avg_ttl=${averageMs}`;
  }
  return lines;
}
