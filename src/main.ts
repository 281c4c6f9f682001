/**
 * The entry of the executable: hands the arguments and the world to cli/ and sets the exit code.
 * Nothing else calls process.exit.
 */
import { homedir } from "node:os";
import { builtins } from "../plugins/index.ts";
import { run } from "./cli/run.ts";
import type { World } from "./cli/world.ts";
import { KvdbError } from "./errors.ts";
import { Engine } from "./kernel/engine.ts";
import { compiledSchemas } from "./kernel/validators.generated.ts";
import { systemClock } from "./platform/clock.ts";
import { isPipeOrFile, ownerOf, systemFiles } from "./platform/files.ts";
import { lockFolder } from "./platform/folder-lock.ts";
import { systemRandom } from "./platform/random.ts";

const STANDARD_INPUT = 0;

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
    writeLog: (line) => void process.stderr.write(line),
  },
  builtins,
  schemas: compiledSchemas,
  createEngine: (settings) => new Engine(settings),
  input: kindOfInput(),
  readInput: () => process.stdin,
  print: (bytes) => writeAll(process.stdout, bytes),
  printError: (text) => writeAll(process.stderr, Buffer.from(text)),
  onStopSignal: (listener) => {
    process.on("SIGTERM", listener);
    process.on("SIGINT", listener);
    return () => {
      process.off("SIGTERM", listener);
      process.off("SIGINT", listener);
    };
  },
  exitNow: (code) => process.exit(code),
};

process.exit(await run(process.argv.slice(2), world));

function kindOfInput(): World["input"] {
  if (process.stdin.isTTY) return "terminal";
  return isPipeOrFile(STANDARD_INPUT) ? "pipe-or-file" : "other";
}

/** A reader that went away (`kvdb get big | head -1`) has what it wanted. */
function writeAll(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error?: NodeJS.ErrnoException | null) => {
      if (error === undefined || error === null || error.code === "EPIPE") resolve();
      else reject(new KvdbError("IO", `writing the answer: ${error.message}`, { cause: error }));
    });
  });
}
