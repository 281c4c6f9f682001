/**
 * The entry of the executable: hands the arguments and the world to cli/ and sets the exit code.
 * Nothing else calls process.exit.
 */
import { homedir, tmpdir } from "node:os";
import { dirname } from "node:path";
import { builtins } from "../plugins/index.ts";
import { run } from "./cli/run.ts";
import type { Console, World } from "./cli/world.ts";
import { PluginFiles } from "./kernel/plugin-files.ts";
import { startSnapshotThread } from "./kernel/snapshot-thread.ts";
import { compiledSchemas } from "./kernel/validators.generated.ts";
import { restartWithAllocatorSettings } from "./platform/allocator.ts";
import { systemClock } from "./platform/clock.ts";
import { ownerOf, systemFiles } from "./platform/files.ts";
import { lockFolder } from "./platform/folder-lock.ts";
import { openLogFile } from "./platform/log-file.ts";
import { argumentsAreUtf8 } from "./platform/process-arguments.ts";
import { systemRandom } from "./platform/random.ts";
import { systemWholeFiles } from "./platform/rewritten-file.ts";
import { makeScratchFolder } from "./platform/scratch-folder.ts";
import {
  hasReader,
  inputKind,
  isTerminal,
  STANDARD_ERROR,
  STANDARD_INPUT,
  STANDARD_OUTPUT,
  writeAll,
  writeLogLine,
} from "./platform/standard-streams.ts";
import type { Terminal } from "./plugin.ts";

const inputIsTerminal = isTerminal(STANDARD_INPUT);

const terminals: Console = {
  outputIsTerminal: isTerminal(STANDARD_OUTPUT),
  errorIsTerminal: isTerminal(STANDARD_ERROR),
  get columns() {
    return this.outputIsTerminal ? process.stdout.columns : undefined;
  },
};

/** Where a person types and reads. The log gives way to a line that is being edited. */
const terminal: Terminal | undefined =
  inputIsTerminal && terminals.outputIsTerminal
    ? {
        get input() {
          return process.stdin;
        },
        get output() {
          return process.stdout;
        },
        environment: process.env,
        homeFolder: homedir(),
        onLogLine: undefined,
        onInterrupt: undefined,
      }
    : undefined;

/** A server wants to know of SIGHUP: a person may send it, too. */
let reloadsAtSignal = false;

/** The terminal is gone: its window was closed, or its line is cut. Nothing can be asked of it any more. */
const hasHungUp = () => !isTerminal(STANDARD_INPUT);

const world: World = {
  environment: process.env,
  surroundings: {
    currentFolder: process.cwd(),
    homeFolder: homedir(),
    files: systemFiles,
    ownerOf,
    user: process.getuid?.(),
  },
  platform: {
    clock: systemClock,
    random: systemRandom,
    files: systemFiles,
    wholeFiles: systemWholeFiles,
    lockFolder,
    writeLog: (line) => {
      if (terminal?.onLogLine === undefined) writeLogLine(line);
      else terminal.onLogLine(line);
    },
    startSnapshotWorker: startSnapshotThread,
    makeScratchFolder: () => makeScratchFolder(tmpdir()),
    pluginFiles: new PluginFiles(dirname(import.meta.dir)),
    ...(terminal === undefined ? {} : { terminal }),
  },
  builtins,
  schemas: compiledSchemas,
  async createEngine(settings) {
    const { Engine } = await import("./kernel/engine.ts");
    return new Engine(settings);
  },
  argumentsAreUtf8,
  input: inputIsTerminal ? "terminal" : inputKind(),
  readInput: () => process.stdin,
  print: (bytes) => writeAll(STANDARD_OUTPUT, bytes),
  hasReader: () => hasReader(STANDARD_OUTPUT),
  printError: (text) => writeAll(STANDARD_ERROR, Buffer.from(text)),
  console: terminals,
  ask,
  async createShell(options, context) {
    const { createShell } = await import("../plugins/repl/shell.ts");
    return createShell(options, context);
  },
  onStopSignal: (listener) => {
    const interrupt = (signal: string) => {
      if (terminal?.onInterrupt === undefined) listener(signal);
      else terminal.onInterrupt();
    };
    // Its window was closed. Without a terminal it is left alone, for nohup and service managers.
    const hangUp = (signal: string) => {
      if (!reloadsAtSignal || hasHungUp()) listener(signal);
    };
    process.on("SIGTERM", listener);
    process.on("SIGINT", interrupt);
    if (terminal !== undefined) process.on("SIGHUP", hangUp);
    return () => {
      process.off("SIGHUP", hangUp);
      process.off("SIGTERM", listener);
      process.off("SIGINT", interrupt);
    };
  },
  onReloadSignal: (listener) => {
    const reload = () => {
      if (terminal === undefined || !hasHungUp()) listener();
    };
    reloadsAtSignal = true;
    process.on("SIGHUP", reload);
    return () => {
      reloadsAtSignal = false;
      process.off("SIGHUP", reload);
    };
  },
  openLogFile,
  onUncaught: (listener) => {
    process.on("uncaughtException", listener);
    process.on("unhandledRejection", listener);
    return () => {
      process.off("uncaughtException", listener);
      process.off("unhandledRejection", listener);
    };
  },
  exitNow: (code) => process.exit(code),
  settleToServe: () => {
    restartWithAllocatorSettings((reason) =>
      writeLogLine(`kvdb serves without its settings of the allocator: ${reason}\n`),
    );
  },
};

process.exit(await run(process.argv.slice(2), world));

async function ask(question: string): Promise<string | undefined> {
  const { createInterface } = await import("node:readline");
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D, and Ctrl-C too: nothing was answered.
  lines.on("SIGINT", () => lines.close());
  lines.on("close", () => resolve(undefined));
  lines.question(question, (answer) => {
    resolve(answer);
    lines.close();
  });
  return promise;
}
