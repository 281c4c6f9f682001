/**
 * What the words of a line mean as a command of the table: on the command line, in a script, at the
 * prompt. `set`, `get`, `delete` and `list` are words of their own; everything else is named as in
 * Redis. Wrong names, counts and options are found here, before anything is sent.
 */
import { type Part, partText } from "../client/link.ts";
import type { CommandInfo, CommandOption } from "../commands/command.ts";
import { KvdbError } from "../errors.ts";
import { suggestion } from "../suggest.ts";
import { parseDuration } from "./duration.ts";
import { expandIndexWords, INDEX_SYNTAX } from "./index-words.ts";
import { type Listing, listOptions, readListing } from "./listing.ts";

/** Of the command table, what is needed to understand words; a server far away tells it as well. */
export interface Catalog {
  all(): readonly CommandInfo[];
  /** By name in upper case, `CLIENT|KILL` for a subcommand. */
  get(name: string): CommandInfo | undefined;
}

/** SPEC.md, Values: `set` and `get` take and print JSON; SET and GET stay Redis's. */
const ownWords: Readonly<Record<string, OwnWord>> = {
  set: { sends: "VALUE.SET", elsewhere: "SET" },
  get: { sends: "VALUE.GET", elsewhere: "GET" },
  delete: { sends: "DEL" },
  del: { sends: "DEL" },
  list: { sends: "VALUE.KEYS", elsewhere: "SCAN" },
  list_keys: { sends: "VALUE.KEYS", elsewhere: "SCAN" },
};

interface OwnWord {
  readonly sends: string;
  /** What it means on a server that is not kvdb. */
  readonly elsewhere?: string;
}

const LIST_SYNTAX = "[pattern]";

const LIST_SUMMARY = "Lists keys in order: all, or those that match.";

/** Words of the command line that are no commands of the table. */
const otherWords = [
  ...["serve", "shell", "help", "init", "plugin", "plugins", "completion"],
  ...["convert", "export", "import"],
];

/** Words that the shell carries out itself, and that nothing else knows. */
export const promptWords: readonly string[] = [
  ...["peek", "mode", "pager", "history", "clear", "exit"],
];

/** What people type most: first in lists of commands, before all there is. */
export const startingWords: readonly string[] = ["set", "get", "delete", "list", "index", "find"];

/** Whether a word of people's hides the command of that name: SET that is typed is VALUE.SET. */
export function isHidden({ name }: CommandInfo, catalog: Catalog): boolean {
  return commandName(name, catalog) !== name;
}

/** Beside a list of commands in which `set` and `get` are not Redis's. */
export const HIDDEN_NOTE =
  "Here set and get are for JSON; Redis's own SET and GET are what clients send.";

export interface Understood {
  readonly command: CommandInfo;
  /** The command as the gate takes it, its name first. */
  readonly parts: readonly Part[];
  /** Present for `list`, which asks for one page after the other. */
  readonly listing?: Listing;
}

/** Throws a KvdbError USAGE: unknown command or option, wrong number of arguments. */
export function understand(typed: readonly [Part, ...Part[]], catalog: Catalog): Understood {
  const words = expanded(typed, catalog);
  const word = partText(words[0]);
  const name = commandName(word, catalog);
  const command = findCommand([name, ...words.slice(1)], word, catalog);
  if (isListing(word)) return { command, parts: [name], listing: readListing(words.slice(1)) };
  const { data, sent } = withOptions(command, [name, ...words.slice(1)]);
  const { arity } = command;
  // What options become is no data: `set key --ttl 2s` has no value.
  const fits = arity >= 0 ? data.length === arity : data.length >= -arity;
  if (fits && word.toLowerCase() === "set") requireOption(command, data[3], word);
  if (fits) return { command, parts: [...data, ...sent] };
  throw new KvdbError("USAGE", `wrong number of arguments; usage: ${usageOf(command, word)}`);
}

/** What stands for another command, in whole. */
function expanded(words: readonly [Part, ...Part[]], catalog: Catalog): readonly [Part, ...Part[]] {
  if (partText(words[0]).toLowerCase() !== "index") return words;
  const container = catalog.get("INDEX");
  return container === undefined
    ? words
    : expandIndexWords(words, subcommandsOf(container, catalog));
}

/** Behind a value comes one of the command's own words, or somebody forgot the quotes around the value. */
function requireOption(command: CommandInfo, part: Part | undefined, word: string): void {
  if (part === undefined) return;
  const text = partText(part);
  const known: readonly string[] = command.syntax.match(/\b[A-Z]{2,}\b/g) ?? [];
  if (known.includes(text.toUpperCase())) return;
  throw new KvdbError(
    "USAGE",
    `${JSON.stringify(text)} is no option of ${word}: put a value with spaces into quotes; usage: ${usageOf(command, word)}`,
  );
}

/** Commands whose string is JSON text. */
const ANSWER_JSON = ["VALUE.GET", "JSON.GET", "JSON.NUMINCRBY", "JSON.NUMMULTBY"];

/** Whether the answer of a command is JSON text, to be shown as it is. */
export function answersJson(command: CommandInfo): boolean {
  return ANSWER_JSON.includes(command.name);
}

/** The one command of the table that kvdb has to know to understand a line that begins with this word. */
export function neededCommand(word: string): string {
  const folded = word.toLowerCase();
  return Object.hasOwn(ownWords, folded) ? ownWords[folded].sends : word.toUpperCase();
}

/** What the gate calls a word. */
export function commandName(word: string, catalog: Catalog): string {
  const folded = word.toLowerCase();
  if (!Object.hasOwn(ownWords, folded)) return word.toUpperCase();
  const { sends, elsewhere = sends } = ownWords[folded];
  return catalog.get(sends) === undefined ? elsewhere : sends;
}

/** `kvdb set key value`: a command as it is typed. */
export function usageOf(command: CommandInfo, word: string): string {
  const [, subcommand] = command.name.toLowerCase().split("|");
  return ["kvdb", word.toLowerCase(), subcommand, syntaxOf(command, word)]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
}

/** What follows the name, options for people included. */
export function syntaxOf(command: CommandInfo, word: string): string {
  const options = optionsOf(command, word).map(({ name, value }) => `[--${name} ${value}]`);
  const isIndex = command.name === "INDEX";
  const syntax = isListing(word) ? LIST_SYNTAX : isIndex ? INDEX_SYNTAX : command.syntax;
  return [syntax, ...options].filter((part) => part !== "").join(" ");
}

/** Options for people, as they stand behind the word. */
export function optionsOf(
  command: CommandInfo,
  word: string,
): readonly (Omit<CommandOption, "value" | "sends"> & { readonly value: string })[] {
  return isListing(word) ? listOptions : (command.options ?? []);
}

/** What it does; a word of people's may do more than the command that it sends. */
export function summaryOf(command: CommandInfo, word: string): string {
  return isListing(word) ? LIST_SUMMARY : command.summary;
}

export function findCommand(parts: readonly Part[], word: string, catalog: Catalog): CommandInfo {
  const found = catalog.get(partText(parts[0]));
  if (found === undefined) throw unknownCommand(word, catalog);
  // A container has no keys and takes a word more. Looked at first: to search the table takes longer.
  if (found.keys !== undefined || found.arity >= 0) return found;
  if (subcommandsOf(found, catalog).length === 0) return found;
  // COMMAND is a command by itself as well.
  if (parts.length === 1 && found.arity === -1) return found;
  return findSubcommand(found, parts[1], catalog);
}

/** A word that is right elsewhere is told where: the nearest name would be itself. */
function unknownCommand(word: string, catalog: Catalog): KvdbError {
  const folded = word.toLowerCase();
  if (otherWords.includes(folded)) {
    return new KvdbError("USAGE", `"${word}" is a word of the command line, not of scripts`);
  }
  if (promptWords.includes(folded)) {
    return new KvdbError("USAGE", `"${word}" works at the prompt: kvdb shell`);
  }
  const near = suggestion(word, knownWords(catalog));
  return new KvdbError("USAGE", `unknown command "${word}"${near}; see \`kvdb --help\``);
}

function findSubcommand(
  container: CommandInfo,
  part: Part | undefined,
  catalog: Catalog,
): CommandInfo {
  const name = container.name.toLowerCase();
  const known = subcommandsOf(container, catalog);
  if (part === undefined) {
    throw new KvdbError("USAGE", `"${name}" needs a subcommand, one of ${known.join(", ")}`);
  }
  const word = partText(part);
  const found = catalog.get(`${container.name}|${word.toUpperCase()}`);
  if (found !== undefined) return found;
  throw new KvdbError("USAGE", `unknown subcommand "${name} ${word}"${suggestion(word, known)}`);
}

export function subcommandsOf(container: CommandInfo, catalog: Catalog): string[] {
  const prefix = `${container.name}|`;
  return catalog
    .all()
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length).toLowerCase());
}

/** Every word that may begin a line: those of people, and the commands of the table. */
export function knownWords(catalog: Catalog): string[] {
  const names = catalog.all().map(({ name }) => name.toLowerCase());
  return [...Object.keys(ownWords), ...otherWords, ...names.filter((name) => !name.includes("|"))];
}

function isListing(word: string): boolean {
  const folded = word.toLowerCase();
  return Object.hasOwn(ownWords, folded) && ownWords[folded].sends === "VALUE.KEYS";
}

// ---- options ----

/**
 * Takes the options that the command declares out of its data and puts what they mean behind it. All
 * else is data; but where the command's own words would stand, a `--word` is a misspelt option. The
 * first `--` ends options and is dropped; what follows it is data, another `--` included.
 */
function withOptions(command: CommandInfo, parts: readonly Part[]): Separated {
  const options = command.options ?? [];
  const kept: Part[] = [];
  const sent: string[] = [];
  for (let at = 0; at < parts.length; at++) {
    const text = partText(parts[at]);
    if (text === "--") return { data: [...kept, ...parts.slice(at + 1)], sent };
    const [, name, inline] = /^--([a-z][\w-]*)(?:=(.*))?$/s.exec(text) ?? [];
    const option = options.find((one) => one.name === name);
    if (option !== undefined) {
      const next = inline === undefined ? parts[++at] : inline;
      sent.push(option.sends, argumentOf(option, next));
    } else if (name !== undefined && options.length > 0 && kept.length >= Math.abs(command.arity)) {
      throw unknownOption(name, options);
    } else kept.push(parts[at]);
  }
  return { data: kept, sent };
}

interface Separated {
  readonly data: readonly Part[];
  /** What the options mean, to stand behind the data. */
  readonly sent: readonly string[];
}

function argumentOf(option: CommandOption, given: Part | undefined): string {
  if (given === undefined) {
    throw new KvdbError("USAGE", `--${option.name} needs a ${option.value}`);
  }
  try {
    return String(parseDuration(partText(given)));
  } catch (error) {
    if (error instanceof KvdbError) throw error.prefix(`--${option.name}`);
    throw error;
  }
}

function unknownOption(name: string, options: readonly CommandOption[]): KvdbError {
  const near = suggestion(
    `--${name}`,
    options.map((option) => `--${option.name}`),
  );
  return new KvdbError("USAGE", `unknown option "--${name}"${near}`);
}
