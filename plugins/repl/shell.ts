/**
 * The shell: prompt, line, answer, over and over, on whatever data its context leads to. Knows no
 * engine and no socket.
 */
import { type Frontend, KvdbError, type Part, type ShellContext, type Terminal } from "kvdb";
import {
  beginsToListen,
  type CommandLine,
  lineWords,
  type Performed,
  parseLine,
  perform,
  splitCommands,
  type Understood,
  understand,
} from "kvdb/shell";
import { complete } from "./completion.ts";
import { Connection } from "./connection.ts";
import { EditingReader } from "./editing-reader.ts";
import { highlight } from "./highlight.ts";
import { History } from "./history.ts";
import { HistoryFile } from "./history-file.ts";
import { lineHint } from "./line-hint.ts";
import { listen } from "./listening.ts";
import { awaitLoaded } from "./loading.ts";
import { findLocalWord, type LocalWord, type Surroundings } from "./local-words.ts";
import { hintFor } from "./mistaken-word.ts";
import { type ReplOptions, type ReplSettings, settingsOf } from "./options.ts";
import { PlainReader } from "./plain-reader.ts";
import { Printer } from "./printer.ts";
import { prompt } from "./prompt.ts";
import type { Reader } from "./reader.ts";
import { holdsSecret } from "./secrets.ts";
import { type Theme, themeOf } from "./theme.ts";
import { filterColumn, type TypedLine } from "./typed-line.ts";

/** `open` fails where there is no terminal; the shell then runs by itself until the user leaves. */
export function createShell(options: ReplOptions, context: ShellContext): Frontend {
  let shell: Shell | undefined;
  return {
    async open() {
      const { terminal } = context;
      if (terminal === undefined) {
        // A script would run on the data folder, not on the server of the URL.
        const advice = context.place.isRemote ? "" : "; commands from a file: kvdb < script";
        throw new KvdbError("USAGE", `the shell needs a terminal${advice}`);
      }
      shell = new Shell(settingsOf(options, terminal), terminal, context);
      await shell.open();
    },
    async close() {
      await shell?.close();
    },
  };
}

/** How far a history goes that is in no file. */
const NO_HISTORY = 0;
/** A longer line is a document that was pasted: nobody looks for it by its beginning. */
const MAX_KEPT = 16_384;
/** When a person begins to wonder. */
const TELL_AFTER_MS = 1000;
const TELL_EACH_MS = 1000;
class Shell {
  readonly #context: ShellContext;
  readonly #terminal: Terminal;
  readonly #settings: ReplSettings;
  readonly #theme: Theme;
  readonly #connection: Connection;
  readonly #reader: Reader;
  readonly #printer: Printer;
  readonly #historyFile: HistoryFile | undefined;
  #history: History;
  #running: Promise<void> | undefined;
  #isLeaving = false;
  #isHistoryTold = false;
  /** Ends the wait for the command that is being carried out. */
  #interrupt: (() => void) | undefined;

  constructor(settings: ReplSettings, terminal: Terminal, context: ShellContext) {
    this.#context = context;
    this.#terminal = terminal;
    this.#settings = settings;
    this.#theme = themeOf(settings);
    this.#connection = new Connection(context);
    this.#history = new History(settings.historySize);
    this.#historyFile = historyFileOf(settings, context);
    this.#reader = this.#createReader();
    this.#printer = new Printer({ terminal, settings, theme: this.#theme, reader: this.#reader });
  }

  #createReader(): Reader {
    if (this.#settings.isDumb) return new PlainReader(this.#terminal);
    const connection = this.#connection;
    const theme = this.#theme;
    const isLocalWord = (word: string) => findLocalWord(word) !== undefined;
    return new EditingReader(
      {
        terminal: this.#terminal,
        theme,
        history: this.#history,
        assistance: {
          colour: (text) =>
            highlight(text, parseLine(text), { theme, catalog: connection.catalog, isLocalWord }),
          hint: (text, cursor) =>
            lineHint(text, parseLine(text), cursor, { theme, catalog: connection.catalog }),
          complete: (text, cursor) =>
            complete(text, cursor, {
              catalog: connection.catalog,
              clock: this.#context.clock,
              call: (parts) => connection.lookUp(parts),
            }),
        },
      },
      new History(NO_HISTORY),
    );
  }

  // ---- life ----

  async open(): Promise<void> {
    await this.#readHistory();
    await this.#connection.open();
    // The window was closed: nobody reads any more, and nobody types. The data closes in order.
    this.#terminal.output.on("error", this.#onGone);
    this.#reader.open();
    this.#terminal.onLogLine = (line) => this.#reader.printAbove(line);
    this.#reader.onInterrupt = () => this.#interrupt?.();
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#isLeaving = true;
    this.#interrupt?.();
    this.#printer.stopProgram();
    this.#reader.close();
    await this.#running;
    this.#terminal.onLogLine = undefined;
    await this.#connection.close();
    this.#terminal.output.off("error", this.#onGone);
  }

  readonly #onGone = (): void => {
    this.#leave();
    this.#reader.close();
  };

  /** Never rejects: what goes wrong in it is told, and ends the shell. */
  async #run(): Promise<void> {
    try {
      await this.#awaitData();
      if (!this.#isLeaving) this.#greet();
      while (!this.#isLeaving) await this.#turn();
    } catch (error) {
      this.#context.log.error("the shell ended", { error: messageOf(error) });
    }
    this.#reader.close();
    this.#terminal.onLogLine = undefined;
    this.#context.requestStop();
  }

  /** A server that still reads its data says so, and how far it is. */
  async #awaitData(): Promise<void> {
    this.#interrupt = () => this.#leave();
    await awaitLoaded({
      call: (parts) => this.#connection.call(parts),
      clock: this.#context.clock,
      show: (status) => this.#reader.showStatus(status),
      isGivenUp: () => this.#isLeaving,
    });
    this.#interrupt = undefined;
  }

  #greet(): void {
    const { name, holder, isRemote } = this.#context.place;
    const where = isRemote ? `connected to ${name}` : `data in ${name}`;
    const who = holder === undefined ? "" : `, held by ${holder}`;
    this.#printer.line(`${where}${who}`, "faint");
    this.#printer.line('"help" lists the commands, Ctrl-D leaves', "faint");
  }

  #leave(): void {
    this.#isLeaving = true;
  }

  // ---- a turn ----

  async #turn(): Promise<void> {
    const result = await this.#reader.read({ prompt: this.#prompt(), isCommand: true });
    if (result.kind === "end") this.#leave();
    else if (result.kind === "line") await this.#runLine(result.text);
    else if (result.wasEmpty) this.#printer.line("Ctrl-D or exit leaves", "faint");
  }

  #prompt() {
    return prompt(this.#context.place, this.#connection, this.#theme);
  }

  /** A pasted text may be several commands; the first that fails ends it. */
  async #runLine(text: string): Promise<void> {
    await this.#keep(text);
    const commands = splitCommands(text);
    for (const command of commands) {
      try {
        if (!(await this.#runCommand(command, commands.length === 1))) return;
      } catch (error) {
        // Not a KvdbError: a defect, of a plugin's command perhaps. The shell goes on, the data stands.
        const defect = error instanceof KvdbError ? "" : "a defect of kvdb or of a plugin: ";
        this.#printer.error(`${defect}${forPrompt(messageOf(error))}`);
        return;
      }
      if (this.#isLeaving) return;
    }
  }

  /** Whether it succeeded. `isAlone`: nothing else was typed with it. */
  async #runCommand({ text, parsed }: CommandLine, isAlone: boolean): Promise<boolean> {
    const [problem] = parsed.problems;
    if (problem !== undefined) {
      this.#printer.error(`${problem.message}, at ${placeOf(text, problem.start)}`);
      return false;
    }
    const words = lineWords(parsed, this.#connection.catalog);
    if (words === undefined) return true;
    const local = findLocalWord(String(words[0]));
    if (local !== undefined) {
      await this.#runLocal(local, parsed.words.slice(1), parsed.program);
      return true;
    }
    const hint = hintFor(String(words[0]), this.#connection.catalog);
    if (hint !== undefined) throw new KvdbError("USAGE", hint);
    const { columns } = this.#printer;
    // The prompt is the one that the line stands behind: it changes with the connection.
    const screen = { prompt: this.#prompt(), columns };
    const typed = {
      program: parsed.program,
      filterColumn: isAlone ? filterColumn(text, parsed, screen) : undefined,
    };
    // A connection that was lost is made again, and the commands may be others then.
    await this.#connection.open();
    return this.#runRemote(this.#understand(words), typed);
  }

  async #runLocal(
    word: LocalWord,
    words: CommandLine["parsed"]["words"],
    program: string | undefined,
  ): Promise<void> {
    const surroundings: Surroundings = {
      connection: this.#connection,
      history: this.#history,
      settings: this.#settings,
      printer: this.#printer,
      theme: this.#theme,
      leave: () => this.#leave(),
    };
    const text = await word.run(words, surroundings);
    if (program !== undefined) await this.#printer.pipe(Bun.stripANSI(text), program);
    else if (text !== "") await this.#printer.text(text);
  }

  /** Where the commands are not known, whoever answers judges the words. */
  #understand(words: readonly [Part, ...Part[]]): Understood {
    const { catalog } = this.#connection;
    if (catalog.all().length > 0) return understand(words, catalog);
    return { command: UNKNOWN, parts: words };
  }

  async #runRemote(understood: Understood, typed: TypedLine): Promise<boolean> {
    if (!(await this.#isAgreedTo(understood))) return false;
    if (beginsToListen(understood.command, understood.parts)) {
      return listen(understood.parts, typed, {
        connection: this.#connection,
        printer: this.#printer,
        onInterrupt: (interrupt) => {
          this.#interrupt = interrupt;
        },
      });
    }
    const { mode } = this.#settings;
    const performing = perform(understood, (parts) => this.#connection.call(parts), mode);
    if (understood.command.name === "SHUTDOWN") return this.#shutDown(performing);
    const performed = await this.#interruptible(performing);
    if (performed === undefined) return false;
    await this.#printer.answer({ ...noteFor(understood, performed), ...performed }, typed);
    return performed.answer.kind !== "error";
  }

  /** Who is told to stop and does so answers by its end. */
  async #shutDown(performing: Promise<Performed>): Promise<boolean> {
    const performed = await performing.catch(() => undefined);
    if (performed?.answer.kind === "error") {
      await this.#printer.answer(performed, { program: undefined, filterColumn: undefined });
      return false;
    }
    const { isRemote, holder } = this.#context.place;
    if (isRemote || holder !== undefined) this.#printer.line("the server stops", "faint");
    else this.#leave();
    return true;
  }

  /** Ctrl-C gives up on the answer. Undefined: it did. */
  async #interruptible(performing: Promise<Performed>): Promise<Performed | undefined> {
    let isInterrupted = false;
    this.#interrupt = () => {
      isInterrupted = true;
      void this.#connection.interrupt();
    };
    const stopTelling = this.#tellWaiting();
    try {
      return await performing;
    } catch (error) {
      if (!isInterrupted) throw error;
      stopTelling();
      this.#printer.error("interrupted; the connection was closed, the command may have run");
      return undefined;
    } finally {
      stopTelling();
      this.#interrupt = undefined;
    }
  }

  /** Of a command that takes long, for how long; the function that is returned ends it. */
  #tellWaiting(): () => void {
    const { clock } = this.#context;
    const begunMs = clock.monotonicMs();
    let isShown = false;
    const tell = () => {
      const seconds = Math.round((clock.monotonicMs() - begunMs) / 1000);
      this.#reader.showStatus(`waiting for the answer, ${seconds} s; Ctrl-C gives up`);
      isShown = true;
      timer = clock.after(TELL_EACH_MS, tell);
    };
    let timer = clock.after(TELL_AFTER_MS, tell);
    return () => {
      timer.cancel();
      if (isShown) this.#reader.showStatus(undefined);
      isShown = false;
    };
  }

  async #isAgreedTo({ command: { asks } }: Understood): Promise<boolean> {
    if (asks === undefined) return true;
    const question = [{ text: `${asks} [y/N] `, style: this.#theme.heading }];
    const result = await this.#reader.read({ prompt: question, isCommand: false });
    if (result.kind === "line" && /^\s*y(es)?\s*$/i.test(result.text)) return true;
    this.#printer.line("nothing was done", "faint");
    return false;
  }

  // ---- the history ----

  async #readHistory(): Promise<void> {
    try {
      for (const entry of (await this.#historyFile?.read()) ?? []) this.#history.add(entry);
    } catch (error) {
      this.#tellHistory(error);
    }
  }

  /** A line that begins with a space is not kept, as in other shells. */
  async #keep(text: string): Promise<void> {
    if (text.trim() === "" || /^\s/.test(text) || text.length > MAX_KEPT) return;
    if (holdsSecret(text)) return;
    if (!this.#history.add(text)) return;
    try {
      await this.#historyFile?.add(text);
    } catch (error) {
      this.#tellHistory(error);
    }
  }

  /** Once: the next line will not fare better. */
  #tellHistory(error: unknown): void {
    if (!(error instanceof KvdbError)) throw error;
    if (this.#isHistoryTold) return;
    this.#isHistoryTold = true;
    this.#printer.line(`the history is not kept: ${error.message}`, "faint");
  }
}

/** Who deletes what is not there may have mistyped it; the number alone is easily overlooked. */
function noteFor({ command }: Understood, { answer }: Performed): Pick<Performed, "note"> {
  const isNothing = answer.kind === "integer" && answer.value === 0;
  return command.name === "DEL" && isNothing ? { note: "no such key" } : {};
}

/** Stands for a command of which nothing is known. */
const UNKNOWN: Understood["command"] = {
  name: "",
  arity: -1,
  flags: [],
  group: "generic",
  since: "",
  summary: "",
  syntax: "",
};

function historyFileOf(settings: ReplSettings, context: ShellContext): HistoryFile | undefined {
  const { historyFile: path, historySize: maxLength } = settings;
  if (path === undefined) return undefined;
  return new HistoryFile({ path, maxLength, files: context.files, clock: context.clock });
}

/** At the prompt, commands stand without `kvdb`. */
function forPrompt(message: string): string {
  return message
    .replace("usage: kvdb ", "usage: ")
    .replace("?; see `kvdb --help`", "?")
    .replace("`kvdb --help`", "`help`")
    .replace("of the command line, not of scripts", "of the command line, not of the prompt");
}

/** As people count: the column, of a text of several lines the line as well. */
function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split("\n");
  const column = (lines.at(-1)?.length ?? 0) + 1;
  return lines.length === 1 ? `column ${column}` : `line ${lines.length}, column ${column}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
