/**
 * Everything outside that the command line touches, handed in by main.ts: a test runs the whole
 * command line in process with another world. Nothing in cli/ reads `process` by itself.
 */
import type { Builtins } from "../kernel/builtins.ts";
import type { CompiledSchemas } from "../kernel/config.ts";
import type { SearchSurroundings } from "../kernel/config-source.ts";
import type { CreateEngine } from "../kernel/engine-port.ts";
import type { Environment } from "../kernel/environment.ts";
import type { Platform } from "../kernel/kernel.ts";
import type { Use } from "../kernel/schema.ts";
import type { LogFile } from "../platform/log-file.ts";
import type { InputKind } from "../platform/standard-streams.ts";
import type { Frontend, ShellContext } from "../plugin.ts";

export interface World {
  readonly environment: Environment;
  readonly surroundings: SearchSurroundings;
  readonly platform: Platform;
  readonly builtins: Builtins;
  readonly schemas: CompiledSchemas;
  readonly createEngine: CreateEngine;
  /** Whether no argument was changed on its way here, because it is no UTF-8. */
  argumentsAreUtf8(): boolean;
  /** What standard input is. */
  readonly input: "terminal" | InputKind;
  /** The bytes of standard input, as they come. */
  readInput(): AsyncIterable<Uint8Array>;
  /**
   * Resolves when everything was taken; to false when the reader went away, which is no error for who
   * has nothing more to print.
   */
  print(bytes: Uint8Array): Promise<boolean>;
  /** False when whoever read standard output went away, as far as that can be told without writing. */
  hasReader?(): boolean;
  printError(text: string): Promise<unknown>;
  readonly console: Console;
  /**
   * Writes a question to standard error and reads the answer from standard input: one line without
   * its end, undefined when the input ends before one.
   */
  ask(question: string): Promise<string | undefined>;
  /** The shell, on whatever the context leads to; `options` are those of the frontend `repl`. */
  createShell(options: Use["options"], context: ShellContext): Promise<Frontend>;
  /** SIGTERM, SIGINT where no shell takes it, and SIGHUP at a terminal. Returns the function that ends the subscription. */
  onStopSignal(listener: (signal: string) => void): () => void;
  /**
   * SIGHUP, unless it came because the terminal was closed: then it is a wish to stop. Returns the function that ends the
   * subscription.
   */
  onReloadSignal(listener: () => void): () => void;
  /** Opens a file that lines of the log are appended to. Throws a KvdbError. */
  openLogFile(path: string): LogFile;
  /**
   * Exceptions that nobody caught and rejections that nobody handled; without a listener they end the process. Returns the
   * function that ends the subscription.
   */
  onUncaught(listener: (thrown: unknown) => void): () => void;
  /** Ends the process at once. */
  exitNow(code: number): void;
  /**
   * The process is going to serve for long, and has opened nothing yet: it may begin once more, as such a one should. Absent: as it
   * is.
   */
  settleToServe?(): void;
}

/** Which of the streams that are written to a person sees. */
export interface Console {
  readonly outputIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  /** Width of the terminal that standard output is, undefined when it is none or has no width. */
  readonly columns: number | undefined;
}
