/**
 * `kvdb help COMMAND`, made of the command table. A command of a plugin is known only after the
 * configuration was read; for all others help must work although the configuration is broken.
 */
import type { Command } from "../commands/command.ts";
import { coreCommands } from "../commands/index.ts";
import { CommandTable } from "../commands/table.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import { prepare } from "../kernel/kernel.ts";
import type { CommandCatalog } from "../session/server.ts";
import { commandName, findCommand, subcommandsOf, usageOf } from "../shell/words.ts";
import { programHelp } from "./arguments.ts";
import type { World } from "./world.ts";

export async function help(
  words: readonly string[],
  configure: () => Promise<LoadedConfig>,
  world: World,
): Promise<number> {
  const [word] = words;
  const text = word === undefined ? programHelp() : await describe(word, words, configure, world);
  await world.print(Buffer.from(text));
  return 0;
}

async function describe(
  word: string,
  words: readonly string[],
  configure: () => Promise<LoadedConfig>,
  world: World,
): Promise<string> {
  const core = new CommandTable();
  core.add(coreCommands, "kvdb");
  const name = commandName(word, core);
  const isCore = core.get(name) !== undefined;
  const catalog = isCore ? core : await fullCatalog(await configure(), world);
  const container = catalog.get(name);
  if (container !== undefined && container.run === undefined && words.length === 1) {
    return describeContainer(container, catalog);
  }
  return describeCommand(findCommand([name, ...words.slice(1)], word, catalog), word);
}

async function fullCatalog(loaded: LoadedConfig, world: World): Promise<CommandCatalog> {
  const kernel = await prepare({
    loaded,
    builtins: world.builtins,
    createEngine: world.createEngine,
    platform: world.platform,
    recover: false,
    role: "one-shot",
    onStopRequest: () => {}, // nothing runs that could be stopped
  });
  return kernel.engine.commands;
}

function describeCommand(command: Command, word: string): string {
  return `${usageOf(command, word)}\n\n  ${command.summary}\n  Since ${command.since}.\n`;
}

function describeContainer(container: Command, catalog: CommandCatalog): string {
  const name = container.name.toLowerCase();
  const lines = subcommandsOf(container, catalog).map((sub) => {
    const command = catalog.get(`${container.name}|${sub.toUpperCase()}`);
    return `  kvdb ${name} ${sub} ${command?.syntax ?? ""}`.trimEnd();
  });
  return `${container.summary}\n\n${lines.join("\n")}\n`;
}
