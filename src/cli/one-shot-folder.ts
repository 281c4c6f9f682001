/**
 * One command on the data folder: opens it, loads, runs the command, makes it durable, closes, and
 * only then prints: what is shown is on disk. When another process turns out to hold the folder, the
 * command is sent to it. Nothing is opened for a command that cannot run at all.
 */
import { KvdbError } from "../errors.ts";
import { combineErrors } from "../kernel/combined-error.ts";
import { readLockHolder } from "../platform/folder-lock.ts";
import type { OutputMode } from "../shell/answer-text.ts";
import { argumentWords } from "../shell/argument-words.ts";
import { type Performed, perform } from "../shell/perform.ts";
import { type Understood, understand } from "../shell/words.ts";
import { DECLINED, isAgreedTo } from "./consent.ts";
import { type DataOptions, type OwnData, openData, openPurpose, prepareKernel } from "./data.ts";
import { forward, type OneShot, tellOutcome } from "./one-shot.ts";
import type { World } from "./world.ts";

export async function runOnFolder(
  { loaded, flags, words }: OneShot,
  world: World,
): Promise<number> {
  const options: DataOptions = {
    loaded,
    purpose: openPurpose(flags.recover),
    role: "one-shot",
    onStopRequest: () => {}, // it stops after its one command in any case
  };
  const kernel = await prepareKernel(options, world);
  const understood = understand(argumentWords(words), kernel.engine.commands);
  requireSense(understood);
  const { dir } = loaded.config;
  const stopsServer = understood.command.name === "SHUTDOWN";
  // Asked before anything is opened: no folder is made and nothing is loaded only to be closed again.
  if (stopsServer && (await readLockHolder(world.platform.files, dir)) === undefined) {
    throw nothingToStop(dir);
  }
  if (!(await isAgreedTo(understood.command, flags, world))) return DECLINED;
  const data = await openData(kernel, options, world);
  if (stopsServer && data.holder === undefined) {
    await data.kernel.stop();
    throw nothingToStop(dir); // it ended by itself meanwhile
  }
  const performed =
    data.holder === undefined
      ? await runHere(data, understood, flags.output)
      : await forward(data.link, understood, flags.output);
  const isForwarded = data.holder !== undefined;
  return tellOutcome({ understood, performed, isForwarded, flags, words }, world);
}

/** What is queued or watched ends with the connection, which is that of one command. */
function requireSense({ command: { group, name } }: Understood): void {
  if (group !== "transactions") return;
  const where = "put the whole transaction into a script (kvdb < file) or type it at the prompt";
  throw new KvdbError("USAGE", `${name} alone does nothing: ${where}`);
}

function nothingToStop(dir: string): KvdbError {
  return new KvdbError("COMMAND", `nothing to stop: no server holds ${dir}`);
}

/** Stops the kernel whatever the command does; a failure of either is told. */
async function runHere(
  { kernel, link }: OwnData,
  understood: Understood,
  mode: OutputMode,
): Promise<Performed> {
  const errors: unknown[] = [];
  let performed: Performed | undefined;
  try {
    performed = await perform(understood, async (parts) => (await link.ask(parts)).answer, mode);
  } catch (error) {
    errors.push(error);
  }
  try {
    await kernel.stop();
  } catch (error) {
    errors.push(error);
  }
  if (performed === undefined || errors.length > 0) throw combineErrors(errors);
  return performed;
}
