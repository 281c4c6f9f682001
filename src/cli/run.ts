/**
 * The command line from its arguments to its exit code: picks what to do, prints what went wrong.
 * Exit codes are those of the table in errors.ts.
 */
import { asKvdbError, errorTable, KvdbError } from "../errors.ts";
import {
  type Config,
  type LoadedConfig,
  loadConfig,
  type WrittenConfig,
} from "../kernel/config.ts";
import { SHELL_FRONTEND } from "../kernel/schema.ts";
import { flaglessInvocation, type Invocation, type OwnFlags } from "./invocation.ts";
import type { World } from "./world.ts";

/** Resolves to the exit code; never rejects for a failure that is a user's or the disk's. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  let flags: OwnFlags | undefined;
  try {
    requireText(argv, world);
    const invocation = flaglessInvocation(argv) ?? (await parse(argv));
    if (invocation.kind !== "text") flags = invocation.flags;
    return await perform(invocation, world);
  } catch (error) {
    const failure = asKvdbError(error);
    const { printFailure } = await import("./output.ts");
    await printFailure(failure, flags, world);
    return errorTable[failure.code].exit;
  }
}

/** What Bun puts in the place of bytes that are no UTF-8; it may be typed as well. */
const REPLACEMENT = "\ufffd";

/** Another value would be stored than was given. */
function requireText(argv: readonly string[], world: World): void {
  if (!argv.some((word) => word.includes(REPLACEMENT)) || world.argumentsAreUtf8()) return;
  throw new KvdbError(
    "USAGE",
    "an argument is not UTF-8; a script can write such bytes, as \\xHH in double quotes",
  );
}

async function parse(argv: readonly string[]): Promise<Invocation> {
  const { parseArguments } = await import("./arguments.ts");
  return parseArguments(argv);
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
  const [word, ...data] = words;
  if (await asksForHelp(word, data)) return showHelp([word], flags, world);
  switch (word.toLowerCase()) {
    case "help":
      return showHelp(data, flags, world);
    case "init": {
      const { init } = await import("./init.ts");
      return init(data, flags, world);
    }
    case "completion": {
      const { printCompletion } = await import("./completion.ts");
      return printCompletion(data, world);
    }
    case "shell": {
      const [url, ...more] = data;
      if (more.length > 0) throw new KvdbError("USAGE", "usage: kvdb shell [url]");
      const { runShell, runShellAt } = await import("./shell.ts");
      if (url !== undefined) return runShellAt(url, flags, world);
      return runShell({ loaded: await configure(flags, false, world), flags }, world);
    }
    // Its options are read by arguments.ts, which knows it in small letters, and not behind `--`.
    case "serve":
      throw new KvdbError("USAGE", "usage: kvdb [flags] serve [options]; see `kvdb serve --help`");
    case "check": {
      const { check } = await import("./check.ts");
      const loaded = await configure(flags, false, world);
      return watched(world, () => check({ loaded, flags, words: data }, world));
    }
    case "convert": {
      const { convert } = await import("./convert.ts");
      const loaded = await configure(flags, false, world);
      return watched(world, () => convert({ loaded, flags, words: data }, world));
    }
    case "restore": {
      const { isRedisRestore, restore } = await import("./restore.ts");
      if (isRedisRestore(data)) break;
      const loaded = await configure(flags, false, world);
      return watched(world, () => restore({ loaded, flags, words: data }, world));
    }
    case "export": {
      const { exportKeys } = await import("./export.ts");
      const loaded = await configure(flags, false, world);
      return watched(world, () => exportKeys({ loaded, flags, words: data }, world));
    }
    case "import": {
      const { importFile } = await import("./import.ts");
      const loaded = await configure(flags, false, world);
      return watched(world, () => importFile({ loaded, flags, words: data }, world));
    }
    case "copy": {
      const { copy, isRedisCopy } = await import("./copy.ts");
      if (isRedisCopy(data)) break;
      const loaded = await configure(flags, false, world);
      return watched(world, () => copy({ loaded, flags, words: data }, world));
    }
    case "changes": {
      const { isCommand, tellChanges } = await import("./changes.ts");
      if (isCommand(data)) break;
      const loaded = await configure(flags, false, world);
      return watched(world, () => tellChanges({ loaded, flags, words: data }, world));
    }
    case "plugin": {
      const { performPlugin } = await import("./plugin-new.ts");
      return performPlugin(data, flags, world);
    }
    case "plugins": {
      requireNoData(word, data);
      const { listPlugins } = await import("./plugins.ts");
      return listPlugins(await configure(flags, false, world), flags, world);
    }
    case "config": {
      const own = await performConfig(flags, data, world);
      if (own !== undefined) return own;
    }
  }
  const runCommand = LISTENING.test(word)
    ? (await import("./listening.ts")).runListening
    : (await import("./one-shot.ts")).runOnce;
  const loaded = await configure(flags, false, world);
  try {
    return await watched(world, () => runCommand({ loaded, flags, words }, world));
  } catch (error) {
    throw await withFlagHint(asKvdbError(error), data);
  }
}

/** Commands that go on until somebody ends them. */
const LISTENING = /^(?:[ps]?subscribe|monitor)$/i;

/** `kvdb init --help`. Behind a command of the table it is data. */
async function asksForHelp(word: string, [first]: readonly string[]): Promise<boolean> {
  if (first !== "--help" && first !== "-h") return false;
  const { ownWords } = await import("./own-words.ts");
  return ownWords.some(({ name }) => name === word.toLowerCase());
}

async function showHelp(words: readonly string[], flags: OwnFlags, world: World): Promise<number> {
  const { help } = await import("./help.ts");
  return help(words, () => configure(flags, false, world), world);
}

/** A plugin's own timers must not take away the answer; a defect of kvdb ends it at once. */
async function watched(world: World, run: () => Promise<number>): Promise<number> {
  const { watchUncaught } = await import("./uncaught.ts");
  const unwatch = watchUncaught(world, ({ code }) => world.exitNow(errorTable[code].exit));
  try {
    return await run();
  } finally {
    unwatch();
  }
}

/** Whoever wrote one of kvdb's own flags behind the command is told where it belongs. */
async function withFlagHint(error: KvdbError, data: readonly string[]): Promise<KvdbError> {
  if (error.code !== "USAGE") return error;
  const { allFlags } = await import("./arguments.ts");
  const own = new Set(allFlags().own.map(({ name }) => name));
  const flag = data.find((word) => own.has(word.replace(/=.*$/s, "")));
  if (flag === undefined) return error;
  const message = `${error.message}; kvdb's own ${flag} stands before the command`;
  return new KvdbError("USAGE", message, { cause: error });
}

/** `check` and `show`; undefined: a subcommand of the command table, CONFIG GET and its kin. */
async function performConfig(
  flags: OwnFlags,
  data: readonly string[],
  world: World,
): Promise<number | undefined> {
  const [subcommand, ...more] = data;
  switch (subcommand?.toLowerCase()) {
    case "check": {
      requireNoData("config check", more);
      const { checkConfig } = await import("./config-check.ts");
      return checkConfig(await configure(flags, false, world), world);
    }
    case "show": {
      requireNoData("config show", more);
      const { showConfig } = await import("./config-show.ts");
      return showConfig(await configure(flags, false, world), flags, world);
    }
    default: {
      const { requireConfigWord } = await import("./config-words.ts");
      requireConfigWord(subcommand);
      return undefined;
    }
  }
}

function requireNoData(words: string, data: readonly string[]): void {
  if (data.length === 0) return;
  throw new KvdbError("USAGE", `wrong number of arguments; usage: kvdb ${words}`);
}

async function start(flags: OwnFlags, serve: boolean, world: World): Promise<number> {
  if (serve) world.settleToServe?.();
  const loaded = await configure(flags, serve, world);
  if (!serve && isScript(loaded.config, world)) {
    const { runScript } = await import("./script.ts");
    return watched(world, () => runScript({ loaded, flags }, world));
  }
  if (loaded.config.frontends.length === 0) {
    throw new KvdbError(
      "USAGE",
      "no frontend is configured: start a server with `kvdb serve`, or a shell with `kvdb shell`",
    );
  }
  if (isShellAlone(loaded.config)) {
    const { runShell } = await import("./shell.ts");
    return runShell({ loaded, flags }, world);
  }
  if (!serve) world.settleToServe?.();
  const { runServer } = await import("./server.ts");
  const { withShellFlags } = await import("./shell-options.ts");
  const read = async () => {
    const next = await configure(flags, serve, world);
    const { checkAgain } = await import("./config-check.ts");
    await checkAgain(next, world);
    return next;
  };
  const reread = { from: loaded, read };
  const { recover } = flags;
  return runServer({ loaded: withShellFlags(loaded, flags), recover, reread }, world);
}

/**
 * Commands that somebody prepared; and where no server is to be started, whatever there is to read, be
 * it nothing: nobody sits at a terminal.
 */
function isScript(config: Config, { input }: World): boolean {
  if (input === "terminal") return false;
  if (input === "folder") {
    throw new KvdbError("USAGE", "standard input is a folder, not a script");
  }
  return input === "pipe-or-file" || isShellAlone(config);
}

/** Without any frontend nothing is to be started, neither shell nor server. */
function isShellAlone({ frontends }: Config): boolean {
  return frontends.length > 0 && frontends.every(({ use }) => use === SHELL_FRONTEND);
}

function configure(
  flags: OwnFlags,
  serve: boolean,
  world: World,
): Promise<LoadedConfig & WrittenConfig> {
  return loadConfig({
    surroundings: world.surroundings,
    environment: world.environment,
    configFile: flags.configFile,
    options: flags.given,
    serve,
    schemas: world.schemas,
  });
}
