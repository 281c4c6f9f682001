/**
 * Redis's categories of commands (COMMAND INFO, COMMAND LIST FILTERBY ACLCAT; later the permissions of users): most follow
 * from flags and group, as in Redis; the rest is listed here by name.
 */
import type { Command } from "./command.ts";

/** In the order in which Redis answers them. */
export const ACL_CATEGORIES = [
  ...["keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap"],
  ...["hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous"],
  ...["connection", "transaction", "scripting"],
] as const;

export type AclCategory = (typeof ACL_CATEGORIES)[number];

export function aclCategories(command: Command): readonly AclCategory[] {
  const found = new Set<AclCategory>([...fromFlags(command), ...fromGroup(command)]);
  for (const category of BY_NAME[command.name] ?? []) found.add(category);
  return ACL_CATEGORIES.filter((category) => found.has(category));
}

function fromFlags({ flags }: Command): AclCategory[] {
  const found: AclCategory[] = [flags.includes("fast") ? "fast" : "slow"];
  if (flags.includes("write")) found.push("write");
  if (flags.includes("readonly")) found.push("read");
  if (flags.includes("admin")) found.push("admin", "dangerous");
  if (flags.includes("blocking")) found.push("blocking");
  if (flags.includes("pubsub")) found.push("pubsub");
  return found;
}

/** A container has no category of its group: its subcommands have. */
function fromGroup(command: Command): AclCategory[] {
  if (command.run === undefined) return [];
  switch (command.group) {
    case "string":
    case "bitmap":
    case "list":
    case "set":
    case "hash":
    case "geo":
    case "hyperloglog":
    case "stream":
    case "connection":
      return [command.group];
    case "transactions":
      return ["transaction"];
    case "sorted-set":
      return ["sortedset"];
    case "generic":
      return command.name in BY_NAME ? [] : ["keyspace"];
    default:
      return [];
  }
}

/** A generic command that stands here has no category of its group. */
const BY_NAME: Readonly<Record<string, readonly AclCategory[]>> = {
  COMMAND: ["connection"],
  "COMMAND|COUNT": ["connection"],
  "COMMAND|DOCS": ["connection"],
  "COMMAND|GETKEYS": ["connection"],
  "COMMAND|GETKEYSANDFLAGS": ["connection"],
  "COMMAND|HELP": ["connection"],
  "COMMAND|INFO": ["connection"],
  "COMMAND|LIST": ["connection"],
  DBSIZE: ["keyspace"],
  FLUSHALL: ["keyspace", "dangerous"],
  FLUSHDB: ["keyspace", "dangerous"],
  INFO: ["dangerous"],
  KEYS: ["keyspace", "dangerous"],
  LASTSAVE: ["admin", "dangerous"],
  RESTORE: ["keyspace", "dangerous"],
  ROLE: ["admin", "dangerous"],
  SORT: ["set", "sortedset", "list", "dangerous"],
  SORT_RO: ["set", "sortedset", "list", "dangerous"],
  SWAPDB: ["keyspace", "dangerous"],
  WAIT: ["connection"],
  WAITAOF: ["connection"],
};
