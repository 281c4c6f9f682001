/**
 * One command: sent to the process that holds the data folder, where one does and lets others in; else on the folder itself
 * (one-shot-folder.ts). Who has a server to ask makes no engine and reads no commands: of the table it asks for the one
 * command that was typed. Whatever is out of the ordinary is left to the other way, which knows all of it.
 */
import { join } from "node:path";
import type { Link } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import { readLockHolder, SOCKET_NAME } from "../platform/folder-lock.ts";
import type { OutputMode } from "../shell/answer-text.ts";
import { argumentWords } from "../shell/argument-words.ts";
import { type Performed, perform } from "../shell/perform.ts";
import { neededCommand, type Understood, understand } from "../shell/words.ts";
import { forwarding, reach } from "./holder.ts";
import type { OwnFlags } from "./invocation.ts";
import { loadingLine } from "./loading-line.ts";
import { misplacedFlagNote, passingEffectNote } from "./one-shot-notes.ts";
import { printAnswer } from "./output.ts";
import type { World } from "./world.ts";

export interface OneShot {
  readonly loaded: LoadedConfig;
  readonly flags: OwnFlags;
  readonly words: readonly [string, ...string[]];
}

export async function runOnce(oneShot: OneShot, world: World): Promise<number> {
  const code = await runThroughHolder(oneShot, world);
  if (code !== undefined) return code;
  const { runOnFolder } = await import("./one-shot-folder.ts");
  return runOnFolder(oneShot, world);
}

/** Undefined, with nothing done: it has to go the other way. */
async function runThroughHolder(oneShot: OneShot, world: World): Promise<number | undefined> {
  const { flags, words } = oneShot;
  const link = await linkToHolder(oneShot, world);
  if (link === undefined) return undefined;
  const understood = await understandThere(link, words);
  if (understood === undefined) {
    await link.close();
    return undefined;
  }
  const patient = forwarding(link, world.platform.clock, loadingLine([], world));
  const performed = await forward(patient, understood, flags.output);
  return tellOutcome({ understood, performed, isForwarded: true, flags, words }, world);
}

/** Undefined where nobody holds the folder, or nobody can be reached, or should be. */
async function linkToHolder(oneShot: OneShot, world: World): Promise<Link | undefined> {
  if (!isPlain(oneShot, world)) return undefined;
  const { dir } = oneShot.loaded.config;
  const { files, clock } = world.platform;
  try {
    if (!(await files.exists(join(dir, SOCKET_NAME)))) return undefined;
    return await reach(await readLockHolder(files, dir), clock, {}, PATIENCE_MS);
  } catch (error) {
    // A folder that may not be read, or a server that refuses: the other way meets the same, and has the words for it.
    if (error instanceof KvdbError) return undefined;
    throw error;
  }
}

/** For a greeting: the other way has patience with one that is slow, or stopped, and the words for it. */
const PATIENCE_MS = 1000;

function isPlain({ loaded, flags }: OneShot, { builtins }: World): boolean {
  const { plugins, persistence } = loaded.config;
  // What plugins have for people beside their commands no server tells; who opens a damaged folder is not who holds it.
  if (plugins.length > 0 || flags.recover || persistence.use === WITHOUT_FOLDER) return false;
  // What is odd about the configuration, or wrong, the other way says.
  const isKnown = builtins[persistence.use]?.brings.includes("persistence") === true;
  return isKnown && loaded.warnings.length === 0;
}

/** The persistence that has no folder, whoever holds the one that is configured. */
const WITHOUT_FOLDER = "none";

/** Undefined for what is not understood, and for what a person is asked or told before. */
async function understandThere(
  link: Link,
  words: OneShot["words"],
): Promise<Understood | undefined> {
  try {
    const { remoteCommand } = await import("../client/remote-commands.ts");
    const commands = await remoteCommand(link, neededCommand(words[0]));
    const byName = new Map(commands.map((command) => [command.name, command]));
    const catalog = { all: () => commands, get: (name: string) => byName.get(name.toUpperCase()) };
    const understood = understand(argumentWords(words), catalog);
    const { asks, name, group } = understood.command;
    const isOrdinary = asks === undefined && name !== "SHUTDOWN" && group !== "transactions";
    return isOrdinary ? understood : undefined;
  } catch (error) {
    // A wrong word is told with the words that are near, by who knows them all. So is a server that has just ended.
    if (error instanceof KvdbError && ["USAGE", "UNAVAILABLE"].includes(error.code))
      return undefined;
    throw error;
  }
}

export async function forward(
  link: Link,
  understood: Understood,
  mode: OutputMode,
): Promise<Performed> {
  try {
    return await perform(understood, (parts) => link.call(parts), mode);
  } finally {
    await link.close();
  }
}

export interface Outcome extends Pick<OneShot, "flags" | "words"> {
  readonly understood: Understood;
  readonly performed: Performed;
  /** Another process ran it. */
  readonly isForwarded: boolean;
}

/** Prints the answer and what there is to say beside it; returns the exit code. */
export async function tellOutcome(outcome: Outcome, world: World): Promise<number> {
  const { understood, performed, isForwarded, flags, words } = outcome;
  const code = await printAnswer(performed, flags, world);
  const notes = [
    passingEffectNote(understood, performed, isForwarded),
    await misplacedFlagNote(words.slice(1)),
  ];
  for (const note of notes) if (note !== undefined) await world.printError(`${note}\n`);
  return code;
}
