/**
 * Lines from a terminal without escapes (TERM=dumb: an editor's shell window). The terminal's own line
 * editing is all there is; nothing but text is written.
 */
import { createInterface, type Interface } from "node:readline";
import type { Terminal } from "kvdb";
import { parseLine } from "kvdb/shell";
import type { Reader, ReadOptions, ReadResult } from "./reader.ts";

export class PlainReader implements Reader {
  onInterrupt: (() => void) | undefined;
  readonly #terminal: Terminal;
  #lines: Interface | undefined;
  /** Lines that came before they were asked for. */
  readonly #waiting: string[] = [];
  #text = "";
  #settle: ((result: ReadResult) => void) | undefined;
  #isClosed = false;
  #hasStatus = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  open(): void {
    const lines = createInterface({ input: this.#terminal.input, terminal: false });
    this.#lines = lines;
    lines.on("line", (line) => this.#take(line));
    lines.on("close", () => this.#end());
    this.#terminal.onInterrupt = () => this.#interrupt();
  }

  read({ prompt, isCommand }: ReadOptions): Promise<ReadResult> {
    if (this.#isClosed && this.#waiting.length === 0) return Promise.resolve({ kind: "end" });
    this.#write(prompt.map(({ text }) => text).join(""));
    return new Promise((resolve) => {
      this.#settle = (result) => {
        if (result.kind === "line" && isCommand && parseLine(result.text).isIncomplete) {
          this.#text = `${result.text}\n`;
          this.#write("... ");
          return;
        }
        this.#text = "";
        this.#settle = undefined;
        resolve(result);
      };
      this.#next();
    });
  }

  printAbove(text: string): void {
    this.#write(text);
  }

  /** Once: it cannot be taken away again. */
  showStatus(text: string | undefined): void {
    if (text !== undefined && !this.#hasStatus) this.#write(`${text}\n`);
    this.#hasStatus = text !== undefined;
  }

  suspend(): void {
    this.#lines?.pause();
  }

  resume(): void {
    this.#lines?.resume();
  }

  close(): void {
    this.#terminal.onInterrupt = undefined;
    this.#lines?.close();
  }

  #take(line: string): void {
    this.#waiting.push(line);
    this.#next();
  }

  #next(): void {
    while (this.#settle !== undefined && this.#waiting.length > 0) {
      this.#settle({ kind: "line", text: this.#text + this.#waiting.shift() });
    }
  }

  #end(): void {
    this.#isClosed = true;
    this.#settle?.({ kind: "end" });
  }

  #interrupt(): void {
    if (this.#settle === undefined) this.onInterrupt?.();
    else {
      const wasEmpty = this.#text === "";
      this.#write("\n");
      this.#settle({ kind: "interrupt", wasEmpty });
    }
  }

  #write(text: string): void {
    this.#terminal.output.write(text);
  }
}
