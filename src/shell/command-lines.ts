/**
 * Lines joined to commands: a line that ends within JSON, or within brackets of a filter, goes on in
 * the next one. For text that was pasted, and for scripts. A document with a line for each of its
 * values is not read again at each of them.
 */
import { BracketScanner } from "./brackets.ts";
import { type ParsedLine, parseLine } from "./line.ts";

export interface CommandLine {
  readonly text: string;
  readonly parsed: ParsedLine;
  /** The number of its first line, from 1. */
  readonly lineNumber: number;
}

export class CommandLines {
  #lineNumber = 0;
  #firstLine = 0;
  #open: string[] = [];
  /** Undefined for a filter, whose brackets are of more kinds: it is read again at each line, and short. */
  #brackets: BracketScanner | undefined;

  /** Whether lines wait for the one that closes their brackets. */
  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  /** Takes a line without its line break. Gives the command that it ends, if it ends one. */
  push(line: string): CommandLine | undefined {
    this.#lineNumber++;
    if (this.#open.length === 0) {
      this.#firstLine = this.#lineNumber;
      return this.#take(line);
    }
    this.#open.push(line);
    this.#brackets?.scan(`\n${line}`, 0);
    if (this.#brackets?.state === "open") return undefined;
    return this.#take(this.#open.join("\n"));
  }

  /** No line follows. What is open then has a problem that says so. */
  finish(): CommandLine | undefined {
    if (this.#open.length === 0) return undefined;
    const text = this.#open.join("\n");
    this.#open = [];
    return { text, parsed: parseLine(text), lineNumber: this.#firstLine };
  }

  #take(text: string): CommandLine | undefined {
    const parsed = parseLine(text);
    this.#open = [];
    if (!parsed.isIncomplete) return { text, parsed, lineNumber: this.#firstLine };
    this.#open.push(text);
    // The open value is the last word: nothing can stand behind it.
    const open = parsed.wordTokens.at(-1);
    this.#brackets = open?.kind === "filter" ? undefined : new BracketScanner();
    this.#brackets?.scan(text, open?.start ?? 0);
    return undefined;
  }
}

/** A whole text as its commands; lines without any, empty or a comment, are left out. */
export function splitCommands(text: string): CommandLine[] {
  const lines = new CommandLines();
  const commands = text.split(/\r\n|\r|\n/).map((line) => lines.push(line));
  return [...commands, lines.finish()].filter(
    (command) => command !== undefined && holdsCommand(command.parsed),
  ) as CommandLine[];
}

/** Not so an empty line and a comment. */
export function holdsCommand({ words, problems }: ParsedLine): boolean {
  return words.length > 0 || problems.length > 0;
}
