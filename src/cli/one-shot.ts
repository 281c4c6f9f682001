/**
 * One command on the data folder: opens it, loads, runs the command, makes it durable, closes, and
 * only then prints: what is shown is on disk. Nothing is opened for a command that cannot run at
 * all.
 */

import { AnswerRecorder } from "../client/answer-recorder.ts";
import { Arguments } from "../commands/arguments.ts";
import { combineErrors } from "../kernel/combined-error.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import { type Kernel, prepare } from "../kernel/kernel.ts";
import type { Client } from "../plugin.ts";
import type { Answer } from "../resp/answer.ts";
import { renderAnswer } from "../shell/answer-text.ts";
import { type Understood, understand } from "../shell/words.ts";
import type { OwnFlags } from "./arguments.ts";
import type { World } from "./world.ts";

export interface OneShot {
  readonly loaded: LoadedConfig;
  readonly flags: OwnFlags;
  readonly words: readonly [string, ...string[]];
}

export async function runOnce({ loaded, flags, words }: OneShot, world: World): Promise<number> {
  const kernel = await prepare({
    loaded,
    builtins: world.builtins,
    createEngine: world.createEngine,
    platform: world.platform,
    recover: flags.recover,
    serving: false,
    onStopRequest: () => {}, // it stops after its one command in any case
  });
  const understood = understand(words, kernel.engine.commands);
  await kernel.start();
  const answer = await runAndStop(kernel, understood);
  if (answer.kind === "error") {
    await world.printError(`${answer.code} ${answer.text}\n`);
    return 1;
  }
  await world.print(renderAnswer(answer, { rawStrings: understood.command.name === "VALUE.GET" }));
  return flags.exitStatus && answer.kind === "null" ? 1 : 0;
}

/** Stops the kernel whatever the command does; a failure of either is told. */
async function runAndStop(kernel: Kernel, understood: Understood): Promise<Answer> {
  const errors: unknown[] = [];
  const recorder = new AnswerRecorder();
  try {
    dispatch(kernel, understood, recorder);
  } catch (error) {
    errors.push(error);
  }
  try {
    await kernel.stop();
  } catch (error) {
    errors.push(error);
  }
  if (errors.length > 0) throw combineErrors(errors);
  return recorder.take();
}

function dispatch(kernel: Kernel, { parts }: Understood, reply: AnswerRecorder): void {
  const { engine } = kernel;
  const session = engine.connect(localClient, "internal");
  const args = new Arguments();
  args.assign(parts);
  engine.dispatch(session, args, reply);
  engine.disconnect(session);
}

/** Whoever typed the command: no connection, nothing waits. */
const localClient: Client = {
  address: "command line",
  localAddress: "command line",
  inputBytes: () => 0,
  outputBytes: () => 0,
  close: () => {},
};
