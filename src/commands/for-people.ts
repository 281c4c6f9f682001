/**
 * What commands have for people beside what clients send: options and questions. It stands apart from the commands, so that a
 * command line that only talks to a server need not read what it does not run.
 */
import type { CommandInfo } from "./command.ts";

type ForPeople = Pick<CommandInfo, "options" | "asks">;

export const forPeople = {
  "VALUE.SET": {
    options: [{ name: "ttl", value: "duration", sends: "PX", summary: "how long the key lives" }],
  },
  FLUSHALL: { asks: "Delete all keys of all databases?" },
  FLUSHDB: { asks: "Delete all keys of the database?" },
  "BACKUP|RESTORE": { asks: "Replace all data by that of the backup?" },
  "BACKUP|DELETE": { asks: "Delete the backup?" },
} as const satisfies Readonly<Record<string, ForPeople>>;

/** Empty for most. */
export function wordsForPeople(name: string): ForPeople {
  return Object.hasOwn(forPeople, name) ? forPeople[name as keyof typeof forPeople] : {};
}
