/**
 * `kvdb help COMMAND`, made of the command table. A command of a plugin is known only after the
 * configuration was read; for all others help must work although the configuration is broken.
 */
import type { CommandInfo } from "../commands/command.ts";
import { groupsOf } from "../commands/group-titles.ts";
import { CommandTable } from "../commands/table.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import { prepare } from "../kernel/prepare.ts";
import type { CommandCatalog } from "../session/server.ts";
import { argumentExamples } from "../shell/examples.ts";
import {
  commandName,
  findCommand,
  HIDDEN_NOTE,
  isHidden,
  optionsOf,
  startingWords,
  subcommandsOf,
  summaryOf,
  usageOf,
} from "../shell/words.ts";
import { programHelp, serveHelp } from "./arguments.ts";
import { helpRows } from "./help-rows.ts";
import { ownCommands } from "./own-commands.ts";
import { type Choice, configWords, type OwnWord, ownWords } from "./own-words.ts";
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
  const own = ownWords.find(({ name }) => name === word.toLowerCase());
  if (own !== undefined && own.name !== "config") return describeOwn(own);
  const core = new CommandTable();
  core.add(ownCommands(), "kvdb");
  if (word.toLowerCase() === "commands") return listCommands(core);
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
    purpose: { kind: "use" },
    role: "one-shot",
    onStopRequest: () => {}, // nothing runs that could be stopped
  });
  return kernel.engine.commands;
}

function describeOwn({ name, syntax, summary, choices = [], notes = [] }: OwnWord): string {
  if (name === "serve") return serveHelp();
  const shown = choices.map((choice) => ({ ...choice, name: withValue(choice) }));
  const head = `${`kvdb ${name} ${syntax}`.trimEnd()}\n\n  ${sentence(summary)}\n`;
  const foot = notes.map((note) => `  ${note}\n`).join("");
  return `${head}${rows(shown)}${foot === "" ? "" : `\n${foot}`}`;
}

function withValue({ name, value }: Choice): string {
  return value === undefined ? name : `${name} <${value}>`;
}

function describeCommand(command: CommandInfo, word: string): string {
  const { since } = command;
  const shown = optionsOf(command, word).map((option) => ({
    name: `--${option.name} <${option.value}>`,
    summary: option.summary,
  }));
  const text = `${usageOf(command, word)}\n\n  ${summaryOf(command, word)}\n  Since ${since}.\n${rows(shown)}`;
  return text + describeExamples(word);
}

/** Empty for most: their syntax says it. */
function describeExamples(word: string): string {
  const { examples, note } = argumentExamples(word);
  const lines = examples.map(({ line, what }) => ({ name: line, summary: what }));
  const below = note === "" ? "" : `\n${note.replace(/^/gm, "  ")}\n`;
  return rows(lines) + below;
}

/** Below an empty line; nothing when there are none. */
function rows(choices: readonly Choice[]): string {
  return choices.length === 0 ? "" : `\n${helpRows(choices)}`;
}

/** All commands by groups, as they are typed here. */
function listCommands(catalog: CommandCatalog): string {
  const shown = (name: string) => name.toLowerCase().replace("|", " ");
  const words = startingWords.flatMap((word): Choice[] => {
    const command = catalog.get(commandName(word, catalog));
    return command === undefined ? [] : [{ name: word, summary: summaryOf(command, word) }];
  });
  const told = new Set(words.map(({ name }) => name.toUpperCase()));
  const others = catalog.all().filter((one) => !isHidden(one, catalog) && !told.has(one.name));
  const groups = groupsOf(others).map(({ title, members }) =>
    section(
      title,
      members.map(({ name, summary }) => ({ name: shown(name), summary })),
    ),
  );
  const notes = [HIDDEN_NOTE, "`kvdb help <command>` says what a command takes."];
  return `${[section("words to begin with", words), ...groups].join("\n")}\n${notes.join("\n")}\n`;
}

function section(title: string, choices: readonly Choice[]): string {
  return `${sentence(title).slice(0, -1)}:\n${rows(choices).slice(1)}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function describeContainer(container: CommandInfo, catalog: CommandCatalog): string {
  const name = container.name.toLowerCase();
  const lines = subcommandsOf(container, catalog).map((sub) => {
    const command = catalog.get(`${container.name}|${sub.toUpperCase()}`);
    return {
      name: `kvdb ${name} ${sub} ${command?.syntax ?? ""}`.trimEnd(),
      summary: command?.summary ?? "",
    };
  });
  const own = name === "config" ? configWords : [];
  const ownLines = own.map((word) => ({
    name: `kvdb ${name} ${word.name}`,
    summary: sentence(word.summary),
  }));
  const direct = container.name === "INDEX" ? `${usageOf(container, name)}\n\n  ` : "";
  const text = `${direct}${container.summary}\n${rows([...ownLines, ...lines])}`;
  return text + describeExamples(name);
}
