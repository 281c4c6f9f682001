/**
 * Definitions that no index at work serves: the plugin with their kind is not there, or somebody edited a file. They are kept,
 * for the plugin may come back; they are shown with the reason, and can be dropped. Nothing notes them: they are what the data
 * defines and nobody has made.
 */
import { CommandError } from "../commands/command-error.ts";
import type { Database } from "../store/database.ts";
import { readDefinition } from "./definition.ts";
import type { Indexes } from "./indexes.ts";

export interface UnusableIndex {
  readonly name: string;
  /** As the data has it. */
  readonly definition: string;
  readonly reason: string;
}

export function unusableIndexes(indexes: Indexes, database: Database): UnusableIndex[] {
  const definitions = [...database.keyspace.definitionsOf(database)];
  return definitions
    .filter(([name]) => indexes.named(database, name) === undefined)
    .map(([name, definition]) => {
      return { name, definition, reason: reasonOf(indexes, database, name, definition) };
    });
}

export function unusableNamed(
  indexes: Indexes,
  database: Database,
  name: string,
): UnusableIndex | undefined {
  return unusableIndexes(indexes, database).find((one) => one.name === name);
}

/** For a command that needs an index at work. */
export function cannotUse({ name, reason }: UnusableIndex): CommandError {
  return new CommandError("ERR", `the index "${name}" cannot be used: ${reason}`);
}

/** What INDEX INFO says of it. */
export function describeUnusable(index: UnusableIndex): Readonly<Record<string, string | number>> {
  const { name, reason, definition } = index;
  const { use } = JSON.parse(definition) as { readonly use?: unknown };
  return {
    name,
    ...(typeof use === "string" && { kind: use }),
    ...{ state: "unusable", failure: reason },
    ...{ entries: 0, documents: 0, bytes: 0 },
    definition,
  };
}

/** What making it throws: the reason is not kept, so it is always that of now. */
function reasonOf(indexes: Indexes, database: Database, name: string, definition: string): string {
  try {
    indexes.make(database, readDefinition(name, JSON.parse(definition))).drop();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "it is made at the next start";
}
