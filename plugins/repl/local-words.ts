/** The words that the shell carries out itself: `help`, `exit`, `peek`, `mode` and their like. */
import { KvdbError } from "kvdb";
import { type OutputMode, outputModes, suggestion, type WordValue } from "kvdb/shell";
import type { Connection } from "./connection.ts";
import { helpOn, helpOverview } from "./help-text.ts";
import type { History } from "./history.ts";
import { paint } from "./layout.ts";
import type { ReplSettings } from "./options.ts";
import type { Printer } from "./printer.ts";
import { peek } from "./sample.ts";
import type { Theme } from "./theme.ts";

/** What the words work on. */
export interface Surroundings {
  readonly connection: Connection;
  readonly history: History;
  readonly settings: ReplSettings;
  readonly printer: Printer;
  readonly theme: Theme;
  /** Ends the shell after this line. */
  leave(): void;
}

export interface LocalWord {
  readonly name: string;
  readonly syntax: string;
  readonly summary: string;
  /** Gives the text to print, each line with its line break. Throws a KvdbError. */
  run(words: readonly WordValue[], surroundings: Surroundings): string | Promise<string>;
}

export const localWords: readonly LocalWord[] = [
  {
    name: "help",
    syntax: "[command]",
    summary: "Lists all commands, or tells how one is used.",
    run(words, { connection, theme }) {
      const options = { catalog: connection.catalog, words: localWords, theme };
      return words.length === 0 ? helpOverview(options) : helpOn(words.map(String), options);
    },
  },
  {
    name: "peek",
    syntax: "key",
    summary: "Shows type, size, time to live and the beginning of a value.",
    run: showKey,
  },
  {
    name: "mode",
    syntax: `[${outputModes.join(" | ").toUpperCase()}]`,
    summary: "Tells or chooses how answers are written.",
    run(words, { settings }) {
      const [wanted] = atMost(1, words, "mode");
      if (wanted !== undefined) settings.mode = oneOf(outputModes, wanted, "mode") as OutputMode;
      return `mode ${settings.mode}\n`;
    },
  },
  {
    name: "pager",
    syntax: "[ON | OFF]",
    summary: "Tells or chooses whether long answers are shown by a pager.",
    run(words, { settings }) {
      const [wanted] = atMost(1, words, "pager");
      if (wanted !== undefined) settings.pager = oneOf(["on", "off"], wanted, "pager") === "on";
      return `pager ${settings.pager ? "on" : "off"}\n`;
    },
  },
  {
    name: "history",
    syntax: "[count]",
    summary: "Lists the lines that were run.",
    run(words, { history }) {
      const [wanted] = atMost(1, words, "history");
      const count = wanted === undefined ? history.length : countOf(wanted);
      const first = Math.max(0, history.length - count);
      return history.entries
        .slice(first)
        .map((entry, at) => `${String(first + at + 1).padStart(5)}  ${entry}\n`)
        .join("");
    },
  },
  {
    name: "clear",
    syntax: "",
    summary: "Clears the screen.",
    run(words, { printer }) {
      atMost(0, words, "clear");
      printer.clear();
      return "";
    },
  },
  ...["exit", "quit"].map((name) => ({
    name,
    syntax: "",
    summary: "Leaves the shell; Ctrl-D does it, too.",
    run(words: readonly WordValue[], { leave }: Surroundings) {
      atMost(0, words, name);
      leave();
      return "";
    },
  })),
];

export function findLocalWord(word: string): LocalWord | undefined {
  const folded = word.toLowerCase();
  return localWords.find(({ name }) => name === folded);
}

async function showKey(words: readonly WordValue[], surroundings: Surroundings): Promise<string> {
  const { connection, theme, settings, printer } = surroundings;
  const [key] = words;
  if (key === undefined || words.length > 1) throw new KvdbError("USAGE", "usage: peek key");
  const { colour } = settings;
  const style = { columns: printer.columns, colour };
  const peeked = await peek(key, (parts) => connection.lookUp(parts), style);
  if (peeked === undefined) return "null\n";
  const { type, facts, sample } = peeked;
  const width = Math.max(...facts.map(([name]) => name.length), "type".length);
  const lines = [["type", type] as const, ...facts].map(
    ([name, value]) => `${paint({ text: name.padEnd(width), style: theme.faint })}  ${value}\n`,
  );
  return lines.join("") + sample.map((line) => `${line}\n`).join("");
}

function atMost(count: number, words: readonly WordValue[], name: string): string[] {
  if (words.length <= count) return words.map(String);
  const { syntax } = localWords.find((word) => word.name === name) as LocalWord;
  throw new KvdbError("USAGE", `usage: ${`${name} ${syntax.toLowerCase()}`.trim()}`);
}

function oneOf(known: readonly string[], wanted: string, name: string): string {
  const found = known.find((one) => one === wanted.toLowerCase());
  if (found !== undefined) return found;
  const near = suggestion(wanted, known);
  throw new KvdbError("USAGE", `${name}: expected ${known.join(", ")}, found "${wanted}"${near}`);
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new KvdbError(
    "USAGE",
    `history: expected a number of lines, found ${JSON.stringify(text)}`,
  );
}
