/**
 * Opens a data folder for a program: the same kernel, the same lock and the same start as the
 * executable's, without its surroundings. Nothing is printed, no signal is caught, no variable is
 * read.
 */
import { homedir, tmpdir } from "node:os";
import { builtins } from "../../plugins/index.ts";
import { programConfig } from "../kernel/config.ts";
import { Engine } from "../kernel/engine.ts";
import type { Platform } from "../kernel/kernel.ts";
import { prepare } from "../kernel/prepare.ts";
import { startSnapshotThread } from "../kernel/snapshot-thread.ts";
import { compiledSchemas } from "../kernel/validators.generated.ts";
import { ownerOf, systemFiles } from "../platform/files.ts";
import { lockFolder } from "../platform/folder-lock.ts";
import { systemRandom } from "../platform/random.ts";
import { systemWholeFiles } from "../platform/rewritten-file.ts";
import { makeScratchFolder } from "../platform/scratch-folder.ts";
import type { Database } from "./database.ts";
import { OpenDatabase, OpenFolder } from "./open-database.ts";
import { type OpenOptions, type ReadOptions, readOptions } from "./options.ts";
import { ProgramClock } from "./program-clock.ts";

/** `platform`: parts of the world that a test replaces. */
export async function openDatabase<Value>(
  given: string | OpenOptions,
  platform: Partial<Platform> = {},
): Promise<Database<Value>> {
  const options = readOptions(given);
  const clock = new ProgramClock();
  try {
    return await clock.waitFor(start<Value>(options, clock, platform));
  } catch (error) {
    clock.end();
    throw error;
  }
}

async function start<Value>(
  options: ReadOptions,
  clock: ProgramClock,
  platform: Partial<Platform>,
): Promise<Database<Value>> {
  let folder: OpenFolder | undefined;
  const kernel = await prepare({
    loaded: await configure(options),
    builtins,
    givenPlugins: options.givenPlugins,
    createEngine: (settings) => new Engine(settings),
    platform: {
      clock,
      random: systemRandom,
      files: systemFiles,
      wholeFiles: systemWholeFiles,
      lockFolder,
      startSnapshotWorker: startSnapshotThread,
      makeScratchFolder: () => makeScratchFolder(tmpdir()),
      writeLog: options.writeLog,
      ...platform,
    },
    purpose: { kind: options.recover ? "recover" : "use" },
    role: "embedded",
    onStopRequest: () => folder?.closeByCommand(),
  });
  await kernel.start();
  folder = new OpenFolder(kernel, clock);
  return new OpenDatabase<Value>(folder);
}

async function configure({ options, configFile }: ReadOptions) {
  const { config, ...rest } = await programConfig({
    options,
    configFile,
    surroundings: {
      currentFolder: process.cwd(),
      homeFolder: homedir(),
      files: systemFiles,
      ownerOf,
      user: process.getuid?.(),
    },
    schemas: compiledSchemas,
  });
  return { ...rest, config: { ...config, frontends: [] } };
}
