/**
 * `kvdb < script`: the same commands, one a line (shell/line.ts), from standard input. Stops at the
 * first line that fails, with its number, unless `--force`. What is printed is durable: answers are
 * gathered and printed after the log was synced, so that a thousand lines cost a handful of syncs.
 * When the disk refuses it stops with the first line that is not durable; when nobody reads the answers
 * any more, it stops.
 */
import type { Link, Part } from "../client/link.ts";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import type { LocalLink, Wait } from "../kernel/local-link.ts";
import type { Answer } from "../resp/answer.ts";
import { type OutputStyle, renderAnswer } from "../shell/answer-text.ts";
import { type CommandLine, CommandLines, holdsCommand } from "../shell/command-lines.ts";
import { pointerLines } from "../shell/filter-problem.ts";
import { lineWords } from "../shell/line-words.ts";
import { type Performed, perform } from "../shell/perform.ts";
import { type Catalog, understand } from "../shell/words.ts";
import { type DataOptions, openData, openPurpose, prepareKernel } from "./data.ts";
import type { OwnFlags } from "./invocation.ts";
import { printFailure, scriptStyle } from "./output.ts";
import { TextLines } from "./text-lines.ts";
import type { World } from "./world.ts";

/** Answers that are gathered before they are printed: in lines, and in bytes. */
const MAX_GATHERED = 1000;
const MAX_GATHERED_BYTES = 1024 * 1024;

/** Width of a filter that is shown because of what is wrong in it. */
const SHOWN_COLUMNS = 80;

export interface ScriptRun {
  readonly loaded: LoadedConfig;
  readonly flags: OwnFlags;
}

export async function runScript({ loaded, flags }: ScriptRun, world: World): Promise<number> {
  const options: DataOptions = {
    loaded,
    purpose: openPurpose(flags.recover),
    role: "script",
    onStopRequest: () => {}, // it stops at the end of the script in any case
  };
  const kernel = await prepareKernel(options, world);
  const data = await openData(kernel, options, world);
  const way = data.holder === undefined ? hereWay(data.link) : forwardedWay(data.link);
  const script = new Script(way, { catalog: kernel.engine.commands, flags }, world);
  try {
    await script.run(world.readInput());
  } finally {
    if (data.holder === undefined) await data.kernel.stop();
    else await data.link.close();
  }
  return script.failedLines > 0 ? 1 : 0;
}

/** How commands get to the data. */
interface Way {
  call(parts: readonly Part[]): Promise<Answer>;
  /** What the answers since the last time must wait for. */
  takeWait(): Wait;
  /** Resolves when such answers may be shown. */
  settled(wait: Wait): Promise<void>;
}

const NO_WAIT: Wait = { revision: 0, isChange: false };

/** Runs on without waiting for the disk after each line. */
function hereWay(link: LocalLink): Way {
  let last = NO_WAIT;
  return {
    async call(parts) {
      await link.ready();
      const { answer, wait } = await link.ask(parts);
      if (wait.revision >= last.revision) last = wait;
      return answer;
    },
    takeWait() {
      const taken = last;
      last = NO_WAIT;
      return taken;
    },
    settled: (wait) => link.settled(wait),
  };
}

/** The next line is sent when the one before was answered: it must not run when that one failed. */
function forwardedWay(link: Link): Way {
  return {
    call: (parts) => link.call(parts),
    takeWait: () => NO_WAIT,
    settled: async () => {},
  };
}

/** An answer that is printed when it may be. */
interface Gathered {
  readonly text: Buffer;
  readonly lineNumber: number;
  readonly wait: Wait;
}

interface ScriptOptions {
  readonly catalog: Catalog;
  readonly flags: OwnFlags;
}

class Script {
  failedLines = 0;
  readonly #way: Way;
  readonly #options: ScriptOptions;
  readonly #world: World;
  readonly #style: Omit<OutputStyle, "isValue">;
  /** Of the command that is run. */
  #lineNumber = 0;
  #gathered: Gathered[] = [];
  #gatheredBytes = 0;
  #isOver = false;
  /** The line of the MULTI that has no EXEC yet; 0: there is none. */
  #transactionLine = 0;

  constructor(way: Way, options: ScriptOptions, world: World) {
    this.#way = way;
    this.#options = options;
    this.#world = world;
    this.#style = scriptStyle(options.flags, world);
  }

  async run(input: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = new TextLines();
    const commands = new CommandLines();
    try {
      for await (const chunk of input) {
        for (const line of lines.push(chunk)) {
          await this.#take(commands.push(line));
          if (this.#isOver) return;
        }
        await this.#print();
      }
      const last = lines.finish();
      if (last !== undefined) await this.#take(commands.push(last));
      if (!this.#isOver) await this.#take(commands.finish());
      await this.#requireExec();
    } finally {
      await this.#print();
    }
  }

  /** What is queued ends with the script. */
  async #requireExec(): Promise<void> {
    if (this.#transactionLine === 0) return;
    const reason = "the transaction that begins here has no EXEC: nothing of it was done";
    await this.#fail(this.#transactionLine, new KvdbError("COMMAND", reason));
  }

  /** Which line a transaction has begun on, as far as `name` begins or ends one. */
  #noteTransaction(name: string, { kind }: Answer): void {
    if (name === "MULTI" && kind !== "error") this.#transactionLine = this.#lineNumber;
    else if (["EXEC", "DISCARD", "RESET"].includes(name)) this.#transactionLine = 0;
  }

  async #take(command: CommandLine | undefined): Promise<void> {
    if (command === undefined || !holdsCommand(command.parsed)) return;
    this.#lineNumber = command.lineNumber;
    try {
      await this.#perform(command);
    } catch (error) {
      // A way that is gone leads nowhere for the lines to come either.
      if (!(error instanceof KvdbError) || !PER_LINE.includes(error.code)) throw error;
      await this.#fail(command.lineNumber, error);
    }
  }

  async #perform({ parsed }: CommandLine): Promise<void> {
    const [problem] = parsed.problems;
    if (problem !== undefined) throw new KvdbError("USAGE", problem.message);
    if (parsed.program !== undefined) {
      throw new KvdbError("USAGE", "a pipe to a program works at the prompt alone");
    }
    const words = lineWords(parsed, this.#options.catalog);
    if (words === undefined) return;
    if (words.length === 1 && /^(exit|quit)$/i.test(String(words[0]))) {
      this.#isOver = true;
      return;
    }
    const understood = understand(words, this.#options.catalog);
    const { mode } = this.#style;
    const performed = await perform(understood, (parts) => this.#way.call(parts), mode);
    this.#noteTransaction(understood.command.name, performed.answer);
    await this.#show(performed);
    // Nobody is there any more for the lines behind it.
    if (understood.command.name === "SHUTDOWN") this.#isOver = true;
  }

  async #show({ answer, note, problem, ...shape }: Performed): Promise<void> {
    if (answer.kind === "error") {
      const isShown = problem !== undefined && this.#style.mode !== "json";
      const shown = isShown ? ["", ...pointerLines(problem, SHOWN_COLUMNS)] : [];
      throw new KvdbError("COMMAND", `${answer.code} ${answer.text}${shown.join("\n")}`);
    }
    const text = renderAnswer(answer, { ...this.#style, ...shape });
    this.#gathered.push({ text, lineNumber: this.#lineNumber, wait: this.#way.takeWait() });
    this.#gatheredBytes += text.length;
    if (this.#gathered.length >= MAX_GATHERED || this.#gatheredBytes >= MAX_GATHERED_BYTES) {
      await this.#print();
    }
    if (note !== undefined) {
      await this.#print();
      await this.#world.printError(`${note}\n`);
    }
  }

  /** Prints what is durable, and throws with the first line that will not be. */
  async #print(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const texts: Buffer[] = [];
    try {
      for (const { text, lineNumber, wait } of gathered) {
        await this.#settled(wait, lineNumber);
        texts.push(text);
      }
    } finally {
      await this.#write(Buffer.concat(texts));
    }
  }

  async #settled(wait: Wait, lineNumber: number): Promise<void> {
    try {
      await this.#way.settled(wait);
    } catch (error) {
      throw asKvdbError(error).prefix(`line ${lineNumber}`);
    }
  }

  async #write(text: Buffer): Promise<void> {
    if (text.length === 0 || (await this.#world.print(text))) return;
    // As other tools end by SIGPIPE; `yes "incr n" | kvdb | head -1` would go on for ever.
    throw new KvdbError("IO", `nobody reads the answers: stopped behind line ${this.#lineNumber}`);
  }

  async #fail(lineNumber: number, error: KvdbError): Promise<void> {
    this.failedLines++;
    this.#isOver = !this.#options.flags.force;
    await this.#print();
    await this.#settled(this.#way.takeWait(), lineNumber);
    await printFailure(error.prefix(`line ${lineNumber}`), this.#options.flags, this.#world);
  }
}

/** Failures of one line; all others are of the data, and end the script. */
const PER_LINE: readonly string[] = ["USAGE", "COMMAND"];
