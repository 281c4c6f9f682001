/** The command table by name: as COMMAND and its subcommands ask for commands, where `client|kill` is a subcommand. */
import type { CommandCatalog } from "../session/server.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";

/** Those that are not somebody's subcommand. */
export function topLevelCommands(catalog: CommandCatalog): readonly Command[] {
  return catalog.all().filter(({ name }) => !name.includes("|"));
}

/** One for each argument from the third on, undefined for an unknown name. */
export function namedCommands(
  catalog: CommandCatalog,
  args: Arguments,
): readonly (Command | undefined)[] {
  const found: (Command | undefined)[] = [];
  for (let i = 2; i < args.count; i++) found.push(catalog.get(args.latin(i).toUpperCase()));
  return found;
}
