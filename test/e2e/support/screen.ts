/**
 * A real pseudo-terminal with kvdb on it, and the screen that a person would see: what the program
 * writes goes through a terminal emulator. A test types, waits for what it expects to see, and
 * compares rows.
 *
 * The program runs in a session of its own with this as its controlling terminal, as under a login
 * shell: Ctrl-C is a signal while a program has the terminal, /dev/tty is there for a pager.
 */
import { Terminal as Emulator } from "@xterm/headless";
import { PATIENCE_MS, until, within } from "./poll.ts";
import { cleanEnvironment } from "./run.ts";
import type { Workspace } from "./workspace.ts";

export interface TerminalOptions {
  readonly args?: readonly string[];
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export const keys = {
  ctrlA: "\x01",
  ctrlC: "\x03",
  ctrlD: "\x04",
  ctrlE: "\x05",
  ctrlK: "\x0b",
  ctrlL: "\x0c",
  ctrlR: "\x12",
  ctrlU: "\x15",
  ctrlW: "\x17",
  ctrlY: "\x19",
  enter: "\r",
  tab: "\t",
  escape: "\x1b",
  backspace: "\x7f",
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  altB: "\x1bb",
} as const;

/** Colours by their numbers in the palette. */
const colourNames = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export class Terminal implements AsyncDisposable {
  readonly #emulator: Emulator;
  /** Resolves when all that was written has come. */
  readonly #closed = Promise.withResolvers<void>();
  readonly #child: Bun.Subprocess;
  /** Writes to the emulator that it has not carried out yet. */
  #pending = 0;
  /** All that the program has written. */
  output = "";

  constructor(workspace: Workspace, options: TerminalOptions = {}) {
    const { columns = 80, rows = 24, args = [], env } = options;
    this.#emulator = new Emulator({ cols: columns, rows, allowProposedApi: true });
    const decoder = new TextDecoder();
    this.#child = Bun.spawn(["setsid", "--ctty", "--wait", workspace.executable, ...args], {
      cwd: workspace.folder,
      env: { ...cleanEnvironment(workspace), TERM: "xterm-256color", ...env },
      terminal: {
        cols: columns,
        rows,
        data: (_terminal, bytes) => {
          this.output += decoder.decode(bytes, { stream: true });
          this.#pending++;
          this.#emulator.write(bytes.slice(), () => {
            this.#pending--;
          });
        },
        exit: () => this.#closed.resolve(),
      },
    });
  }

  /** As a keyboard sends it. */
  type(...texts: readonly string[]): void {
    this.#child.terminal?.write(texts.join(""));
  }

  /** A whole command with its Return. */
  enter(line: string): void {
    this.type(line, keys.enter);
  }

  /** As a terminal sends what is pasted. */
  paste(text: string): void {
    this.type(`\x1b[200~${text.replaceAll("\n", "\r")}\x1b[201~`);
  }

  resize(columns: number, rows: number): void {
    this.#emulator.resize(columns, rows);
    this.#child.terminal?.resize(columns, rows);
  }

  /** The rows of the screen, without what is blank at their ends and at the end of the screen. */
  get screen(): string[] {
    const { active } = this.#emulator.buffer;
    const rows = Array.from({ length: this.#emulator.rows }, (_, row) =>
      (active.getLine(active.baseY + row)?.translateToString(true) ?? "").trimEnd(),
    );
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }

  /** Where the cursor stands, and the row it stands in. */
  get cursor(): { row: number; column: number; text: string } {
    const { active } = this.#emulator.buffer;
    const text = active.getLine(active.baseY + active.cursorY)?.translateToString(true) ?? "";
    return { row: active.cursorY, column: active.cursorX, text: text.trimEnd() };
  }

  /** How the first place on the screen looks where `text` stands. */
  look(text: string): { colour: string; faint: boolean; bold: boolean } | undefined {
    const { active } = this.#emulator.buffer;
    for (let row = 0; row < this.#emulator.rows; row++) {
      const line = active.getLine(active.baseY + row);
      const column = line?.translateToString(true).indexOf(text) ?? -1;
      const cell = column < 0 ? undefined : line?.getCell(column);
      if (cell === undefined) continue;
      const colour = cell.isFgPalette() ? (colourNames[cell.getFgColor()] ?? "other") : "default";
      return { colour, faint: cell.isDim() !== 0, bold: cell.isBold() !== 0 };
    }
    return undefined;
  }

  /** Resolves when the screen is as wished; the error of one that never is shows the screen. */
  async until(
    what: string,
    isSo: (screen: string[]) => boolean,
    limitMs = PATIENCE_MS,
  ): Promise<string[]> {
    try {
      await until(what, () => this.#pending === 0 && isSo(this.screen), limitMs);
    } catch (cause) {
      throw new Error(`${what}; the screen is:\n${this.screen.join("\n")}`, { cause });
    }
    return this.screen;
  }

  /** Resolves when a row ends in this text, the cursor behind it: what was typed has arrived. */
  async line(text: string): Promise<string[]> {
    return this.until(`a line "${text}"`, () => this.cursor.text.endsWith(text));
  }

  /** Resolves when some row is this. */
  async row(text: string): Promise<string[]> {
    return this.until(`a row "${text}"`, (screen) => screen.includes(text));
  }

  /** Resolves to the exit code, once everything is in `output` and on the screen. */
  async ended(): Promise<number> {
    const ended = this.#closed.promise.then(() => this.#child.exited);
    const code = await within("the end of the shell", ended);
    await until("all of it on the screen", () => this.#pending === 0);
    return code;
  }

  /** Closes the window; resolves to the exit code. */
  hangUp(): Promise<number> {
    this.#child.terminal?.close();
    return within("the end without a window", this.#child.exited);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#child.terminal?.close();
    this.#emulator.dispose();
  }
}
