/**
 * The data for `export` and `import`: the folder opened here, or whoever holds it, as one link in the wanted database. And the
 * wish to stop, by Ctrl-C or another signal: the work ends between two of its steps, in order.
 */
import type { Part } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import type { Answer } from "../resp/answer.ts";
import { type DataOptions, openData, openPurpose, prepareKernel } from "./data.ts";
import type { OwnFlags } from "./invocation.ts";
import { StopEcho } from "./stop-echo.ts";
import type { World } from "./world.ts";

export interface TransferRun {
  readonly loaded: LoadedConfig;
  readonly flags: OwnFlags;
  /** What stands behind the word. */
  readonly words: readonly string[];
}

/** As shells say it of a program that SIGINT ended. */
export const STOPPED_CODE = 130;

export interface Stop {
  readonly isWanted: boolean;
  /** Resolves when it is: for who waits for something that may never come. */
  readonly wanted: Promise<void>;
}

/** `use` is handed a wish to stop that may become true; a second signal ends the process at once. */
export async function stoppable<Result>(
  world: World,
  use: (stop: Stop) => Promise<Result>,
): Promise<Result> {
  const { promise: wanted, resolve } = Promise.withResolvers<void>();
  const stop = { isWanted: false, wanted };
  const echo = new StopEcho(world.platform.clock);
  const unsubscribe = world.onStopSignal(() => {
    if (stop.isWanted && echo.isAround) return;
    echo.note();
    if (stop.isWanted) world.exitNow(STOPPED_CODE);
    stop.isWanted = true;
    resolve();
  });
  try {
    return await use(stop);
  } finally {
    unsubscribe();
  }
}

/** Runs a command; an error reply is thrown. */
export type Call = (parts: readonly Part[]) => Promise<Answer>;
/** Sends a command when it may be, and answers with its answer to be, so that the next one can be sent meanwhile. */
export type Send = (parts: readonly Part[]) => Promise<Sent>;

export interface Sent {
  /** Rejects as a call of a link does; an error reply is an answer. It may be awaited late. */
  readonly answer: Promise<Answer>;
}

export async function withData<Result>(
  { loaded, flags }: TransferRun,
  database: number,
  world: World,
  use: (call: Call, send: Send) => Promise<Result>,
): Promise<Result> {
  const options: DataOptions = {
    loaded,
    purpose: openPurpose(flags.recover),
    role: "script",
    onStopRequest: () => {}, // it ends when it is done in any case
  };
  const kernel = await prepareKernel(options, world);
  const data = await openData(kernel, options, world);
  try {
    const own = data.holder === undefined ? data.link : undefined;
    const send: Send = async (parts) => {
      // Between full turns signals are heeded, and others who are let in have theirs.
      await own?.ready();
      const answer = data.link.call(parts);
      awaitLater(answer);
      return { answer };
    };
    const call: Call = async (parts) => answered(await (await send(parts)).answer);
    if (database !== 0) await call(["SELECT", String(database)]);
    return await use(call, send);
  } finally {
    if (data.holder === undefined) await data.kernel.stop();
    else await data.link.close();
  }
}

/** Whoever awaits it has its failure; until then it is nobody's. */
export function awaitLater(promise: Promise<unknown>): void {
  void Promise.allSettled([promise]);
}

/** Throws an error reply as a KvdbError COMMAND. */
export function answered(answer: Answer): Answer {
  if (answer.kind !== "error") return answer;
  throw new KvdbError("COMMAND", `${answer.code} ${answer.text}`);
}
