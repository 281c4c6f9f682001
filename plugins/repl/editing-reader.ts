/**
 * Lines by the editor: reads the keys of a terminal in raw mode, gives them to the editor and draws what
 * came of it, with colours, hint and suggestion. Keys that come while a command runs wait for the next
 * line, Ctrl-C excepted.
 *
 * Invariant: the terminal is in raw mode between `open` and `close`, but while it is suspended.
 */
import { emitKeypressEvents } from "node:readline";
import type { Terminal } from "kvdb";
import { splitCommands } from "kvdb/shell";
import { type Completion, commonStart } from "./completion.ts";
import { Editor } from "./editor.ts";
import type { History } from "./history.ts";
import type { Key } from "./keys.ts";
import { type Layout, layOut, type Piece, type Row } from "./layout.ts";
import type { Reader, ReadOptions, ReadResult } from "./reader.ts";
import { Screen } from "./screen.ts";
import type { Theme } from "./theme.ts";

/** What knows commands and keys. */
export interface Assistance {
  /** The text in colours. */
  colour(text: string): readonly Piece[];
  hint(text: string, cursor: number): readonly Piece[] | undefined;
  complete(text: string, cursor: number): Promise<Completion>;
}

export interface EditingReaderOptions {
  readonly terminal: Terminal;
  readonly theme: Theme;
  readonly history: History;
  readonly assistance: Assistance;
}

/** Bracketed paste: what is pasted comes between two marks. */
const PASTE_ON = "\x1b[?2004h";
const PASTE_OFF = "\x1b[?2004l";
/** An Escape that nothing follows for so long is the key. */
const ESCAPE_WAIT_MS = 50;
/** A longer text is not coloured: it would be looked at again with each key. */
const MAX_COLOURED = 20_000;
/** Keys that came too early; more are a paste into a running command, or a cat on the keyboard. */
const MAX_WAITING_KEYS = 65_536;
/** Rows of candidates that are shown. */
const MAX_CANDIDATE_ROWS = 8;

export class EditingReader implements Reader {
  onInterrupt: (() => void) | undefined;
  readonly #options: EditingReaderOptions;
  readonly #screen: Screen;
  readonly #editor: Editor;
  readonly #plainEditor: Editor;
  #waiting: [text: string | undefined, key: Key][] = [];
  #reading: { options: ReadOptions; settle: (result: ReadResult) => void } | undefined;
  #candidates: readonly string[] = [];
  #status: string | undefined;
  #isDrawWanted = false;
  #isClosed = false;
  /** The terminal is gone: no key will come. */
  #isEnded = false;
  readonly #onKey = (text: string | undefined, key: Key | undefined) => this.#take(text, key ?? {});
  readonly #onResize = () => this.#drawSoon();
  readonly #onEnd = () => {
    this.#isEnded = true;
    this.#finish({ kind: "end" });
  };

  constructor(options: EditingReaderOptions, noHistory: History) {
    this.#options = options;
    this.#screen = new Screen(options.terminal.output);
    this.#editor = new Editor(options.history);
    this.#plainEditor = new Editor(noHistory);
  }

  open(): void {
    const { input, output } = this.#options.terminal;
    emitKeypressEvents(input, { escapeCodeTimeout: ESCAPE_WAIT_MS } as never);
    input.on("keypress", this.#onKey);
    input.on("end", this.#onEnd);
    output.on("resize", this.#onResize);
    this.resume();
    // A signal that did not come through the terminal means the same as the key.
    this.#options.terminal.onInterrupt = () => this.#take(undefined, { name: "c", ctrl: true });
  }

  read(options: ReadOptions): Promise<ReadResult> {
    if (this.#isClosed || this.#isEnded) return Promise.resolve({ kind: "end" });
    return new Promise((settle) => {
      this.#reading = { options, settle };
      this.#status = undefined;
      this.#current.reset();
      this.#drawSoon();
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const [text, key] of waiting) this.#take(text, key);
    });
  }

  printAbove(text: string): void {
    this.#screen.clear();
    this.#options.terminal.output.write(text.replace(/\r?\n/g, "\r\n"));
    if (this.#reading !== undefined || this.#status !== undefined) this.#draw();
  }

  showStatus(text: string | undefined): void {
    this.#status = text;
    if (text === undefined) this.#screen.clear();
    else this.#draw();
  }

  suspend(): void {
    const { input, output } = this.#options.terminal;
    output.write(PASTE_OFF);
    setRawMode(input, false);
    input.pause();
  }

  resume(): void {
    if (this.#isClosed) return;
    const { input, output } = this.#options.terminal;
    setRawMode(input, true);
    input.resume();
    output.write(PASTE_ON);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { terminal } = this.#options;
    if (this.#reading !== undefined) this.#leave();
    this.#finish({ kind: "end" });
    this.suspend();
    terminal.onInterrupt = undefined;
    terminal.input.off("keypress", this.#onKey);
    terminal.input.off("end", this.#onEnd);
    terminal.output.off("resize", this.#onResize);
  }

  get #current(): Editor {
    return this.#reading?.options.isCommand === false ? this.#plainEditor : this.#editor;
  }

  // ---- keys ----

  #take(text: string | undefined, key: Key): void {
    if (this.#reading === undefined) {
      if (key.ctrl && key.name === "c") {
        this.#waiting = [];
        this.onInterrupt?.();
      } else if (this.#waiting.length < MAX_WAITING_KEYS) this.#waiting.push([text, key]);
      return;
    }
    this.#candidates = [];
    this.#drawSoon();
    const request = this.#current.press(text, key);
    if (request === "submit") this.#submit();
    else if (request === "interrupt") this.#interruptLine();
    else if (request === "clear-screen") this.#screen.clearAll();
    else if (request === "complete") void this.#complete();
    else if (request === "end") {
      this.#leave();
      this.#finish({ kind: "end" });
    }
  }

  /** A line whose brackets are open goes on. */
  #submit(): void {
    const editor = this.#current;
    const { text } = editor;
    if (this.#reading?.options.isCommand && isOpen(text)) {
      editor.cursor = text.length;
      editor.insert("\n");
      this.#drawSoon();
      return;
    }
    this.#leave();
    this.#finish({ kind: "line", text });
  }

  #interruptLine(): void {
    const wasEmpty = this.#current.text === "";
    this.#leave(" ^C");
    this.#finish({ kind: "interrupt", wasEmpty });
  }

  #finish(result: ReadResult): void {
    const reading = this.#reading;
    this.#reading = undefined;
    this.#isDrawWanted = false;
    reading?.settle(result);
  }

  async #complete(): Promise<void> {
    const editor = this.#current;
    const { text, cursor } = editor;
    if (!this.#reading?.options.isCommand) return;
    const { start, end, candidates } = await this.#options.assistance.complete(text, cursor);
    // Whoever typed on meanwhile does not want it any more.
    if (this.#reading === undefined || editor.text !== text || editor.cursor !== cursor) return;
    const common = commonStart(candidates);
    const [only] = candidates;
    if (candidates.length === 1) editor.replace(start, end, `${only} `);
    else if (common.length > end - start) editor.replace(start, end, common);
    else this.#candidates = candidates;
    this.#drawSoon();
  }

  // ---- drawing ----

  /** Once for all keys that come together. */
  #drawSoon(): void {
    if (this.#isDrawWanted) return;
    this.#isDrawWanted = true;
    setImmediate(() => {
      if (this.#isDrawWanted && !this.#isClosed) this.#draw();
    });
  }

  #draw(): void {
    this.#isDrawWanted = false;
    if (this.#reading === undefined) {
      if (this.#status !== undefined) this.#drawStatus(this.#status);
      return;
    }
    const { suggestion } = this.#current;
    const { theme } = this.#options;
    const ghost = { text: suggestion.replaceAll("\n", " "), style: theme.ghost };
    this.#screen.draw(this.#layOut([ghost]), this.#below());
  }

  #drawStatus(text: string): void {
    const pieces = [{ text, style: this.#options.theme.faint }];
    const layout = layOut(pieces, this.#layoutOptions(text.length));
    this.#screen.draw(layout, []);
  }

  /** The line as it was given, without help; what is printed next stands under it. */
  #leave(mark = ""): void {
    const editor = this.#current;
    editor.search = undefined;
    const behind = { text: mark, style: this.#options.theme.faint };
    this.#screen.leave(this.#layOut([behind]));
  }

  #layOut(behind: readonly Piece[]): Layout {
    const { text, cursor, search } = this.#current;
    const prompt = search === undefined ? this.#prompt() : this.#searchPrompt();
    const offset = prompt.reduce((sum, piece) => sum + piece.text.length, 0);
    const pieces = [...prompt, ...this.#coloured(text), ...behind];
    return layOut(pieces, this.#layoutOptions(offset + cursor));
  }

  #layoutOptions(cursor: number) {
    const continuation = { text: "... ", style: this.#options.theme.faint };
    return { columns: this.#screen.columns, cursor, continuation };
  }

  #prompt(): readonly Piece[] {
    return this.#reading?.options.prompt ?? [];
  }

  #searchPrompt(): readonly Piece[] {
    const { theme } = this.#options;
    const { query = "", found } = this.#current.search ?? {};
    const isFailing = query !== "" && found === undefined;
    return [
      { text: isFailing ? "no such line: " : "search: ", style: theme.prompt },
      { text: query, style: isFailing ? theme.error : theme.heading },
      { text: "  ", style: "" },
    ];
  }

  #coloured(text: string): readonly Piece[] {
    const isCommand = this.#reading?.options.isCommand === true;
    if (!isCommand || text.length > MAX_COLOURED) return [{ text, style: "" }];
    return this.#options.assistance.colour(text);
  }

  /** The candidates of a completion, or the hint. */
  #below(): readonly Row[] {
    if (!this.#reading?.options.isCommand) return [];
    const { columns } = this.#screen;
    if (this.#candidates.length > 0) return candidateRows(this.#candidates, columns);
    const { text, cursor, search } = this.#current;
    if (search !== undefined || text.length > MAX_COLOURED) return [];
    const hint = this.#options.assistance.hint(text, cursor);
    return hint === undefined ? [] : firstRow(hint, columns);
  }
}

/** A terminal whose window was closed has no mode any more: the system says so by an error. */
function setRawMode(input: Terminal["input"], on: boolean): void {
  try {
    input.setRawMode(on);
  } catch (error) {
    if (!/errno: 5\b|EIO/.test(String(error))) throw error;
  }
}

/** A pasted text may be several commands; its last one is the one that may be open. */
function isOpen(text: string): boolean {
  return splitCommands(text).at(-1)?.parsed.isIncomplete === true;
}

/** One row: what does not fit is cut. */
function firstRow(pieces: readonly Piece[], columns: number): Row[] {
  const options = { columns: columns - 1, cursor: 0, continuation: { text: "", style: "" } };
  return layOut(pieces, options).rows.slice(0, 1);
}

/** In columns, read downward. */
function candidateRows(candidates: readonly string[], columns: number): Row[] {
  const widths = candidates.map((candidate) => Bun.stringWidth(candidate));
  const cell = Math.min(Math.max(...widths) + 2, columns - 1);
  const perRow = Math.max(1, Math.floor((columns - 1) / cell));
  const count = Math.ceil(candidates.length / perRow);
  const shown = Math.min(count, MAX_CANDIDATE_ROWS);
  const rows = Array.from({ length: shown }, (_, row) => {
    const texts = candidates.filter((_, at) => at % count === row);
    const line = texts.map((text) => text + " ".repeat(Math.max(0, cell - Bun.stringWidth(text))));
    return { text: line.join("").trimEnd(), style: "" };
  });
  const hidden = candidates.filter((_, at) => at % count >= shown).length;
  const rest = hidden === 0 ? [] : [{ text: `and ${hidden} more`, style: "2" }];
  return [...rows, ...rest].flatMap((piece) => firstRow([piece], columns));
}
