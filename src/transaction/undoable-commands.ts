/** Which commands MULTI ROLLBACK takes: those whose effects are in the data alone, so that they can be put back. */
import type { CommandInfo } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";

/**
 * Besides those that read or write data: they change nothing, or the database that EXEC puts back, or publish, and messages
 * leave when all is over.
 */
const HARMLESS = new Set(["SELECT", "PING", "ECHO", "TIME", "PUBLISH", "SPUBLISH"]);

/** Throws a CommandError for what cannot be undone: subscriptions, settings, indexes. */
export function requireUndoable({ name, flags, group }: CommandInfo): void {
  const isOnData = (flags.includes("write") && group !== "index") || flags.includes("readonly");
  if (isOnData || HARMLESS.has(name)) return;
  throw new CommandError("ERR", `${name} cannot be undone, so MULTI ROLLBACK does not take it`);
}
