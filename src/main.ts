/**
 * The entry of the executable: hands the arguments and the world to cli/ and sets the exit code.
 * Nothing else calls process.exit.
 */
import { homedir } from "node:os";
import { dirname } from "node:path";
import { isatty } from "node:tty";
import { builtins } from "../plugins/index.ts";
import { run } from "./cli/run.ts";
import type { Console, World } from "./cli/world.ts";
import { KvdbError } from "./errors.ts";
import { Engine } from "./kernel/engine.ts";
import { PluginFiles } from "./kernel/plugin-files.ts";
import { compiledSchemas } from "./kernel/validators.generated.ts";
import { systemClock } from "./platform/clock.ts";
import { isPipeOrFile, ownerOf, systemFiles } from "./platform/files.ts";
import { lockFolder } from "./platform/folder-lock.ts";
import { systemRandom } from "./platform/random.ts";
import type { Terminal } from "./plugin.ts";

/** isatty and not `process.stdin.isTTY`: the streams are made when they are used. */
const terminals: Console = {
  outputIsTerminal: isatty(1),
  errorIsTerminal: isatty(2),
  get columns() {
    return process.stdout.columns;
  },
};

/** Streams that `listenedTo` has seen. */
const listened = new WeakSet<NodeJS.WriteStream>();

/** Where a person types and reads. The log gives way to a line that is being edited. */
const terminal: Terminal | undefined =
  isatty(0) && isatty(1)
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
    lockFolder,
    writeLog: (line) => {
      if (terminal?.onLogLine === undefined) listenedTo(process.stderr).write(line);
      else terminal.onLogLine(line);
    },
    pluginFiles: new PluginFiles(dirname(import.meta.dir)),
    ...(terminal === undefined ? {} : { terminal }),
  },
  builtins,
  schemas: compiledSchemas,
  createEngine: (settings) => new Engine(settings),
  input: kindOfInput(),
  readInput: () => process.stdin,
  print: (bytes) => writeAll(process.stdout, bytes),
  printError: (text) => writeAll(process.stderr, Buffer.from(text)),
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
    process.on("SIGTERM", listener);
    process.on("SIGINT", interrupt);
    // Its window was closed. Without a terminal it is left alone, for nohup and service managers.
    if (terminal !== undefined) process.on("SIGHUP", listener);
    return () => {
      process.off("SIGHUP", listener);
      process.off("SIGTERM", listener);
      process.off("SIGINT", interrupt);
    };
  },
  onUncaught: (listener) => {
    process.on("uncaughtException", listener);
    process.on("unhandledRejection", listener);
    return () => {
      process.off("uncaughtException", listener);
      process.off("unhandledRejection", listener);
    };
  },
  exitNow: (code) => process.exit(code),
};

process.exit(await run(process.argv.slice(2), world));

function kindOfInput(): World["input"] {
  if (isatty(0)) return "terminal";
  return isPipeOrFile(0) ? "pipe-or-file" : "other";
}

/**
 * Without a listener Bun turns a failed write (a reader that went away) into a rejection that nobody can handle. Who wants
 * to know of it takes the callback of `write`; a line of the log that cannot be written is lost.
 */
function listenedTo(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  if (listened.has(stream)) return stream;
  listened.add(stream);
  return stream.on("error", () => {});
}

/** False: the reader went away (`kvdb get big | head -1`), and has what it wanted. */
function writeAll(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    listenedTo(stream).write(bytes, (error?: NodeJS.ErrnoException | null) => {
      if (error === undefined || error === null) resolve(true);
      else if (error.code === "EPIPE") resolve(false);
      else reject(new KvdbError("IO", `writing the answer: ${error.message}`, { cause: error }));
    });
  });
}

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
