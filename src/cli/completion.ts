/**
 * `kvdb completion bash | zsh | fish`: a script that lets a shell complete what this executable
 * knows: flags, its own words, commands with their subcommands and options, the options of `serve`.
 * It holds all words itself, so that a press of the tab key starts nothing. Names of keys are left
 * out: to read them, the data folder would have to be opened at each press.
 */
import type { Command } from "../commands/command.ts";
import { KvdbError } from "../errors.ts";
import { optionsOf } from "../shell/words.ts";
import { suggestion } from "../suggest.ts";
import { allFlags, type Flag } from "./arguments.ts";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { ownCommands } from "./own-commands.ts";
import { type Choice, ownWords, shells } from "./own-words.ts";
import type { World } from "./world.ts";

export interface CompletionWords {
  /** Before the command. */
  readonly flags: readonly Flag[];
  readonly serveFlags: readonly Flag[];
  readonly commands: readonly CompletionCommand[];
}

export interface CompletionCommand extends Choice {
  /** What may stand behind it: subcommands, options. */
  readonly choices: readonly Choice[];
  readonly takesFile: boolean;
}

const scripts: Readonly<Record<(typeof shells)[number], (words: CompletionWords) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export async function printCompletion(words: readonly string[], world: World): Promise<number> {
  const [given, ...more] = words;
  const shell = shells.find((name) => name === given);
  if (shell === undefined || more.length > 0) {
    const usage = `usage: kvdb completion ${shells.join("|")}`;
    if (given === undefined || more.length > 0) throw new KvdbError("USAGE", usage);
    throw new KvdbError("USAGE", `unknown shell "${given}"${suggestion(given, shells)}; ${usage}`);
  }
  await world.print(Buffer.from(scripts[shell](completionWords())));
  return 0;
}

/** The words by which people call commands of the table. */
const wordsOfPeople: Readonly<Record<string, string>> = {
  set: "VALUE.SET",
  get: "VALUE.GET",
  delete: "DEL",
  list: "VALUE.KEYS",
};

function completionWords(): CompletionWords {
  const { own, serve } = allFlags();
  const commands = new Map<string, CompletionCommand>();
  const add = (command: CompletionCommand) => commands.set(command.name, command);
  const table = ownCommands();
  for (const { name } of table) {
    if (!name.includes("|")) add(tableCommand(name.toLowerCase(), name, table));
  }
  for (const [word, name] of Object.entries(wordsOfPeople)) add(tableCommand(word, name, table));
  for (const { name, summary, choices = [], takesFile = false } of ownWords) {
    const others = commands.get(name)?.choices ?? [];
    add({ name, summary, choices: [...choices, ...others], takesFile });
  }
  const sorted = [...commands.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const help = sorted.find(({ name }) => name === "help");
  const withHelp = sorted.map((one) =>
    one === help ? { ...one, choices: helpTopics(sorted) } : one,
  );
  return { flags: own, serveFlags: serve, commands: withHelp };
}

function tableCommand(word: string, name: string, table: readonly Command[]): CompletionCommand {
  const command = table.find((one) => one.name === name);
  const subcommands = table
    .filter((one) => one.name.startsWith(`${name}|`))
    .map((one) => ({
      name: one.name.slice(name.length + 1).toLowerCase(),
      summary: one.summary,
    }));
  const declared = command === undefined ? [] : optionsOf(command, word);
  const options = declared.map((option) => ({
    name: `--${option.name}`,
    summary: option.summary,
  }));
  return {
    name: word,
    summary: command?.summary ?? "",
    choices: [...subcommands, ...options],
    takesFile: false,
  };
}

function helpTopics(commands: readonly CompletionCommand[]): Choice[] {
  return [{ name: "commands", summary: "all commands, one line each" }, ...commands];
}
