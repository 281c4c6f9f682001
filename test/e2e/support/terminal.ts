/**
 * Runs a program in a pseudo-terminal, as a person does who types and looks. Only what the program
 * writes to it is known, escape codes included.
 */
import { within } from "./poll.ts";
import { cleanEnvironment } from "./run.ts";
import type { Workspace } from "./workspace.ts";

export interface TerminalOptions {
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export class TerminalRun implements AsyncDisposable {
  /** All that was written to the terminal so far. */
  text = "";
  readonly #child: Bun.Subprocess;
  readonly #ended = Promise.withResolvers<void>();
  #waiting: (() => void)[] = [];

  constructor(
    workspace: Workspace,
    command: readonly string[],
    { columns = 80, env = {} }: TerminalOptions = {},
  ) {
    const decoder = new TextDecoder();
    this.#child = Bun.spawn([...command], {
      cwd: workspace.folder,
      env: { ...cleanEnvironment(workspace), TERM: "xterm", ...env },
      terminal: {
        cols: columns,
        rows: 24,
        data: (_terminal, chunk) => {
          this.text += decoder.decode(chunk, { stream: true });
          for (const wake of this.#waiting.splice(0)) wake();
        },
        exit: () => this.#ended.resolve(),
      },
    });
  }

  type(text: string): void {
    this.#child.terminal?.write(text);
  }

  /** Resolves when the terminal shows a text. */
  async until(fact: string | RegExp): Promise<void> {
    const seen = () => (typeof fact === "string" ? this.text.includes(fact) : fact.test(this.text));
    const wait = async () => {
      while (!seen()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    };
    try {
      await within(`"${fact}" in a terminal`, wait());
    } catch (error) {
      throw new Error(`the terminal shows ${JSON.stringify(this.text)}`, { cause: error });
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The window is closed: whoever is in it gets SIGHUP, from the system and from a shell. Resolves to the exit code. */
  async hangUp(): Promise<number> {
    this.#child.terminal?.close();
    this.#child.kill("SIGHUP");
    return within("the end of a program whose terminal is gone", this.#child.exited);
  }

  /** The exit code, when the program has ended and all that it wrote is in `text`. */
  get exited(): Promise<number> {
    const ended = this.#ended.promise.then(() => this.#child.exited);
    return within("a program in a terminal", ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#child.terminal?.close();
  }
}
