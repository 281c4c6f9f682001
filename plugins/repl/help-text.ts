/** `help`: every command in one line, by groups; `help command`: how it is used. */
import type { CommandInfo } from "kvdb";
import {
  type Catalog,
  commandName,
  findCommand,
  HIDDEN_NOTE,
  isHidden,
  lineExamples,
  optionsOf,
  startingWords,
  subcommandsOf,
  summaryOf,
  syntaxOf,
  usageOf,
} from "kvdb/shell";
import { paint } from "./layout.ts";
import type { LocalWord } from "./local-words.ts";
import type { Theme } from "./theme.ts";

export interface HelpOptions {
  readonly catalog: Catalog;
  readonly words: readonly LocalWord[];
  readonly theme: Theme;
}

export function helpOverview({ catalog, words, theme }: HelpOptions): string {
  const sections: (readonly [title: string, rows: readonly Row[]])[] = [
    ["values", startingWords.flatMap((word) => wordRow(word, catalog))],
    ["this shell", words.map(({ name, summary }) => [name, summary])],
  ];
  const told = new Set(sections.flatMap(([, rows]) => rows.map(([name]) => name)));
  const others = topCommands(catalog).filter(({ name }) => !told.has(name.toLowerCase()));
  for (const [group, commands] of Map.groupBy(others, ({ group }) => group)) {
    sections.push([
      group || "commands",
      commands.map((command) => [command.name.toLowerCase(), command.summary] as const),
    ]);
  }
  const width = Math.max(...sections.flatMap(([, rows]) => rows.map(([name]) => name.length)));
  const lines = sections.flatMap(([title, rows]) => [
    paint({ text: title, style: theme.heading }),
    ...rows.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`.trimEnd()),
    "",
  ]);
  const notes = [
    ...(catalog.all().some((command) => isHidden(command, catalog)) ? [HIDDEN_NOTE] : []),
    "help <command> tells how it is used",
  ];
  return `${lines.join("\n")}${notes.map((text) => `${paint({ text, style: theme.faint })}\n`).join("")}`;
}

type Row = readonly [name: string, summary: string];

function wordRow(word: string, catalog: Catalog): Row[] {
  const command = catalog.get(commandName(word, catalog));
  return command === undefined ? [] : [[word, summaryOf(command, word)]];
}

function topCommands(catalog: Catalog): CommandInfo[] {
  return catalog.all().filter(({ name }) => !name.includes("|"));
}

/** Throws a KvdbError USAGE for a name that is none. */
export function helpOn(asked: readonly string[], { catalog, words, theme }: HelpOptions): string {
  const [word = "", ...others] = asked;
  const local = words.find(({ name }) => name === word.toLowerCase());
  if (local !== undefined) {
    return `${paint({ text: `${local.name} ${local.syntax}`.trim(), style: theme.heading })}\n\n  ${local.summary}\n`;
  }
  const container = catalog.get(commandName(word, catalog));
  if (container !== undefined && others.length === 0) {
    const subcommands = subcommandsOf(container, catalog);
    if (subcommands.length > 0) {
      const text = describeContainer(container, subcommands, catalog);
      return [text, ...describeExamples(word, theme).map((line) => `${line}\n`)].join("");
    }
  }
  const command = findCommand([commandName(word, catalog), ...others], word, catalog);
  return describe(command, word, theme);
}

function describe(command: CommandInfo, word: string, theme: Theme): string {
  const usage = usageOf(command, word).replace(/^kvdb /, "");
  const hasExamples = lineExamples(word).examples.length > 0;
  const example = hasExamples ? undefined : exampleOf(usage);
  const options = optionsOf(command, word).map(
    ({ name, value, summary }) => `  --${name} <${value}>  ${summary}`,
  );
  const shown = example && paint({ text: example, style: theme.string });
  const facts = [
    ...(shown === undefined ? [] : [`  For example: ${shown}`]),
    ...(command.since === "" ? [] : [`  Since ${command.since}.`]),
  ];
  const lines = [
    paint({ text: usage, style: theme.heading }),
    ...(command.summary === "" ? [] : ["", `  ${summaryOf(command, word)}`]),
    ...(options.length === 0 ? [] : ["", ...options]),
    ...(facts.length === 0 ? [] : ["", ...facts]),
    ...describeExamples(word, theme),
  ];
  return `${lines.join("\n")}\n`;
}

/** None for most: one that is made of the syntax is enough. */
function describeExamples(word: string, theme: Theme): string[] {
  const { examples, note } = lineExamples(word);
  if (examples.length === 0) return [];
  const width = Math.max(...examples.map(({ line }) => line.length));
  const lines = examples.map(({ line, what }) => {
    const shown = paint({ text: line, style: theme.string });
    return `  ${shown}${" ".repeat(width - line.length)}  ${what}`;
  });
  return ["", ...lines, ...(note === "" ? [] : ["", note.replace(/^/gm, "  ")])];
}

function describeContainer(
  container: CommandInfo,
  subcommands: readonly string[],
  catalog: Catalog,
): string {
  const name = container.name.toLowerCase();
  const lines = subcommands.map((sub) => {
    const command = catalog.get(`${container.name}|${sub.toUpperCase()}`);
    return `  ${name} ${sub} ${command?.syntax ?? ""}`.trimEnd();
  });
  // One that has a syntax does something by itself as well.
  const syntax = syntaxOf(container, name);
  const direct = syntax === "" ? [] : [`  ${name} ${syntax}`];
  return `${container.summary}\n\n${[...direct, ...lines].join("\n")}\n`;
}

// ---- examples ----

/** What people would write for an argument of that name; another one stands for itself. */
const samples: Readonly<Record<string, string>> = {
  key: "user:1",
  newkey: "user:2",
  source: "user:1",
  destination: "user:2",
  destkey: "user:2",
  json: '{"name": "Ada"}',
  value: "Ada",
  field: "name",
  member: "Ada",
  element: "Ada",
  pattern: "user:*",
  cursor: "0",
  seconds: "60",
  milliseconds: "60000",
  increment: "5",
  decrement: "5",
  offset: "0",
  start: "0",
  end: "-1",
  stop: "-1",
  count: "10",
  index: "0",
  score: "1.5",
  db: "1",
};

/**
 * The usage with what must be given alone, and with values in the place of names. Undefined when that
 * is no line to type: the choices of CLIENT KILL stand within each other.
 */
export function exampleOf(usage: string): string | undefined {
  let required = usage;
  for (let before = ""; before !== required; ) {
    before = required;
    required = required.replace(/\s*\[[^[\]]*\]/g, "");
  }
  const line = required.replace(/<([^<>|]*?)\s*(?:\|[^<>]*)?>/g, "$1");
  if (/[<>|[\]]/.test(line)) return undefined;
  return line
    .split(/\s+/)
    .map((word, at) => (at > 0 && Object.hasOwn(samples, word) ? samples[word] : word))
    .join(" ");
}
