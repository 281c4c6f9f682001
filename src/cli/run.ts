/**
 * The command line from its arguments to its exit code: picks what to do, prints what went wrong.
 * Exit codes are those of the table in errors.ts.
 */
import { asKvdbError, errorTable, KvdbError } from "../errors.ts";
import { type Config, type LoadedConfig, loadConfig } from "../kernel/config.ts";
import { type Invocation, type OwnFlags, parseArguments } from "./arguments.ts";
import type { World } from "./world.ts";

/** Resolves to the exit code; never rejects for a failure that is a user's or the disk's. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  let flags: OwnFlags | undefined;
  try {
    const invocation = parseArguments(argv);
    if (invocation.kind !== "text") flags = invocation.flags;
    return await perform(invocation, world);
  } catch (error) {
    const failure = asKvdbError(error);
    const { printFailure } = await import("./output.ts");
    await printFailure(failure, flags, world);
    return errorTable[failure.code].exit;
  }
}

async function perform(invocation: Invocation, world: World): Promise<number> {
  switch (invocation.kind) {
    case "text":
      await world.print(Buffer.from(invocation.text));
      return 0;
    case "start":
      return start(invocation.flags, invocation.serve, world);
    case "words":
      return performWords(invocation.flags, invocation.words, world);
  }
}

/** What only some invocations need is imported by them: `kvdb get` must start fast. */
async function performWords(
  flags: OwnFlags,
  words: readonly [string, ...string[]],
  world: World,
): Promise<number> {
  const [word, second] = words.map((one) => one.toLowerCase());
  if (word === "help") {
    const { help } = await import("./help.ts");
    return help(words.slice(1), () => configure(flags, false, world), world);
  }
  const loaded = await configure(flags, false, world);
  if (word === "config" && second === "check") {
    const { checkConfig } = await import("./config-check.ts");
    return checkConfig(loaded, world);
  }
  const { runOnce } = await import("./one-shot.ts");
  return runOnce({ loaded, flags, words }, world);
}

async function start(flags: OwnFlags, serve: boolean, world: World): Promise<number> {
  const loaded = await configure(flags, serve, world);
  if (!serve && isScript(loaded.config, world)) {
    const { runScript } = await import("./script.ts");
    return runScript({ loaded, flags }, world);
  }
  if (loaded.config.frontends.length === 0) {
    throw new KvdbError(
      "USAGE",
      "no frontend is configured: start a server with `kvdb serve`, or see `kvdb --help`",
    );
  }
  const { runServer } = await import("./server.ts");
  return runServer({ loaded, recover: flags.recover }, world);
}

/**
 * Commands that somebody prepared; and where no server is to be started, whatever there is to read, be
 * it nothing: nobody sits at a terminal.
 */
function isScript({ frontends }: Config, { input }: World): boolean {
  if (input === "terminal") return false;
  return input === "pipe-or-file" || frontends.every(({ use }) => use === "repl");
}

function configure(flags: OwnFlags, serve: boolean, world: World): Promise<LoadedConfig> {
  return loadConfig({
    surroundings: world.surroundings,
    environment: world.environment,
    configFile: flags.configFile,
    options: flags.given,
    serve,
    schemas: world.schemas,
  });
}
