/**
 * What the words after `kvdb` mean as a command of the table. `set`, `get` and `delete` are words
 * of their own, which take and print JSON; everything else is named as in Redis. Wrong names and
 * counts are found here, before anything is opened.
 */
import type { Command } from "../commands/command.ts";
import { KvdbError } from "../errors.ts";
import type { CommandCatalog } from "../session/server.ts";
import { suggestion } from "../suggest.ts";

/** SPEC.md, Values: `set` and `get` take and print JSON; SET and GET stay Redis's. */
const ownWords: Readonly<Record<string, string>> = {
  set: "VALUE.SET",
  get: "VALUE.GET",
  delete: "DEL",
  del: "DEL",
};

/** Words that are no commands of the table. */
const otherWords = ["serve", "help"];

export interface Understood {
  readonly command: Command;
  /** The command as the gate takes it, its name first. */
  readonly parts: readonly string[];
}

/** Throws a KvdbError USAGE: unknown command, wrong number of arguments. */
export function understand(
  words: readonly [string, ...string[]],
  catalog: CommandCatalog,
): Understood {
  const [word, ...data] = words;
  const name = commandName(word);
  const parts = [name, ...data];
  const command = findCommand(parts, word, catalog);
  const { arity } = command;
  const fits = arity >= 0 ? parts.length === arity : parts.length >= -arity;
  if (fits) return { command, parts };
  throw new KvdbError("USAGE", `wrong number of arguments; usage: ${usageOf(command, word)}`);
}

/** What the gate calls a word. */
export function commandName(word: string): string {
  const folded = word.toLowerCase();
  return Object.hasOwn(ownWords, folded) ? ownWords[folded] : word.toUpperCase();
}

/** `kvdb set key value`: a command as it is typed. */
export function usageOf(command: Command, word: string): string {
  const [, subcommand] = command.name.toLowerCase().split("|");
  return ["kvdb", word.toLowerCase(), subcommand, command.syntax]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}

export function findCommand(
  parts: readonly string[],
  word: string,
  catalog: CommandCatalog,
): Command {
  const found = catalog.get(parts[0]);
  if (found === undefined) {
    const near = suggestion(word, knownWords(catalog));
    throw new KvdbError("USAGE", `unknown command "${word}"${near}; see \`kvdb --help\``);
  }
  if (found.run !== undefined) return found;
  return findSubcommand(found, parts[1], catalog);
}

function findSubcommand(
  container: Command,
  word: string | undefined,
  catalog: CommandCatalog,
): Command {
  const name = container.name.toLowerCase();
  const known = subcommandsOf(container, catalog);
  if (word === undefined) {
    throw new KvdbError("USAGE", `"${name}" needs a subcommand, one of ${known.join(", ")}`);
  }
  const found = catalog.get(`${container.name}|${word.toUpperCase()}`);
  if (found !== undefined) return found;
  throw new KvdbError("USAGE", `unknown subcommand "${name} ${word}"${suggestion(word, known)}`);
}

export function subcommandsOf(container: Command, catalog: CommandCatalog): string[] {
  const prefix = `${container.name}|`;
  return catalog
    .all()
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length).toLowerCase());
}

function knownWords(catalog: CommandCatalog): string[] {
  const names = catalog.all().map(({ name }) => name.toLowerCase());
  return [...Object.keys(ownWords), ...otherWords, ...names.filter((name) => !name.includes("|"))];
}
