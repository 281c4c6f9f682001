/** What the groups of commands are called for people, in the order in which they are shown. */
import type { Command, CommandGroup } from "./command.ts";

/** A group that is missing here does not compile. */
const groupTitles: Readonly<Record<CommandGroup, string>> = {
  value: "values as JSON",
  index: "indexes and queries",
  json: "parts of JSON documents",
  string: "strings and numbers",
  bitmap: "bits within strings",
  list: "lists",
  set: "sets",
  hash: "hashes",
  "sorted-set": "sorted sets",
  geo: "positions on earth",
  hyperloglog: "counting different elements",
  stream: "streams",
  generic: "keys and their time to live",
  transactions: "transactions",
  pubsub: "messages",
  connection: "connection",
  server: "server",
  plugin: "of plugins",
};

export interface TitledGroup {
  readonly title: string;
  readonly members: readonly Command[];
}

/** The commands that can be run, by groups; not the HELP that each container has. */
export function groupsOf(commands: readonly Command[]): TitledGroup[] {
  const groups: TitledGroup[] = [];
  for (const [group, title] of Object.entries(groupTitles)) {
    const members = commands.filter((command) => command.group === group && isShown(command));
    if (members.length > 0) groups.push({ title, members });
  }
  return groups;
}

function isShown({ name, run }: Command): boolean {
  return run !== undefined && !name.endsWith("|HELP");
}
