/** Prints answers and messages: in the mode that is chosen, through the pager where they are long. */
import type { Answer, Terminal } from "kvdb";
import {
  escapeControlsInLines,
  type FilterProblem,
  type Performed,
  pointerLines,
  renderAnswer,
  renderMessage,
} from "kvdb/shell";
import { paint } from "./layout.ts";
import type { ReplSettings } from "./options.ts";
import { type KeyReader, pagerCommand, runProgram } from "./program.ts";
import type { Look, Theme } from "./theme.ts";
import type { TypedLine } from "./typed-line.ts";

export interface PrinterOptions {
  readonly terminal: Terminal;
  readonly settings: ReplSettings;
  readonly theme: Theme;
  readonly reader: KeyReader;
}

export class Printer {
  readonly #options: PrinterOptions;
  #stopProgram: (() => void) | undefined;

  constructor(options: PrinterOptions) {
    this.#options = options;
  }

  /** One line, its line break added. */
  line(text: string, look: Look = "word"): void {
    this.#write(`${this.paint(text, look)}\n`);
  }

  get columns(): number {
    return this.#options.terminal.output.columns || 80;
  }

  /** A message may quote bytes from outside. */
  error(message: string): void {
    this.line(escapeControlsInLines(message), "error");
  }

  paint(text: string, look: Look): string {
    return paint({ text, style: this.#options.theme[look] });
  }

  async answer(performed: Performed, { program, filterColumn }: TypedLine): Promise<void> {
    const { answer, note, problem } = performed;
    if (answer.kind === "error") {
      if (problem !== undefined) this.#point(problem, filterColumn);
      this.error(`${answer.code} ${answer.text}`);
      return;
    }
    if (program === undefined) await this.text(this.#render(performed, true));
    else await this.pipe(this.#render(performed, false), program);
    if (note !== undefined) this.line(note, "faint");
  }

  /** Under the line that was typed, where that is one row; else the filter is shown once more. */
  #point(problem: FilterProblem, filterColumn: number | undefined): void {
    const { filter, at } = problem;
    if (filterColumn === undefined) {
      for (const line of pointerLines(problem, this.columns)) this.error(line);
      return;
    }
    const column = filterColumn + Bun.stringWidth(filter.slice(0, at));
    this.error(`${" ".repeat(column)}^`);
  }

  /** One of those that come by themselves: not through the pager, which would wait for their end. */
  message(message: Answer): void {
    const { mode, colour } = this.#options.settings;
    this.#write(renderMessage(message, { mode, colour, columns: this.columns }));
  }

  /** A text of several lines, each with its line break. */
  async text(text: Uint8Array | string): Promise<void> {
    const { terminal, settings } = this.#options;
    const bytes = Buffer.from(text);
    const pager = settings.pager && this.#isLong(bytes) ? pagerCommand(terminal) : undefined;
    if (pager === undefined) this.#write(bytes);
    else await this.#run(pager, bytes);
  }

  async pipe(text: Uint8Array | string, program: string): Promise<void> {
    const code = await this.#run(program, Buffer.from(text));
    if (code !== 0) this.line(`exit code ${code}`, "faint");
  }

  /** Ends a program that runs now. */
  stopProgram(): void {
    this.#stopProgram?.();
  }

  async #run(command: string, input: Uint8Array): Promise<number> {
    const onStart = (stop: () => void) => {
      this.#stopProgram = stop;
    };
    try {
      return await runProgram(command, input, { ...this.#options, onStart });
    } finally {
      this.#stopProgram = undefined;
    }
  }

  clear(): void {
    if (!this.#options.settings.isDumb) this.#write("\x1b[H\x1b[2J");
  }

  #render({ answer, ...shape }: Performed, isForPerson: boolean): Buffer {
    const { settings } = this.#options;
    return renderAnswer(answer, {
      mode: settings.mode,
      colour: settings.colour && isForPerson,
      columns: isForPerson ? this.columns : 0,
      ...shape,
    });
  }

  /** Whether it takes more rows than the screen has, one left for the prompt. */
  #isLong(bytes: Buffer): boolean {
    const { output } = this.#options.terminal;
    const room = (output.rows || 24) - 1;
    if (bytes.length <= room) return false;
    let rows = 0;
    for (const line of bytes.toString().trimEnd().split("\n")) {
      rows += Math.max(1, Math.ceil(Bun.stringWidth(line) / this.columns));
      if (rows > room) return true;
    }
    return false;
  }

  #write(text: string | Uint8Array): void {
    this.#options.terminal.output.write(text);
  }
}
