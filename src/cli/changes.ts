/**
 * `kvdb changes`: what was changed in the data, a line each, in an object with `--json`. With `--follow` it waits for more,
 * until it is told to stop or whoever reads its output is gone; a server holds the folder then, for nobody else changes it.
 */
import { KvdbError } from "../errors.ts";
import { readLockHolder } from "../platform/folder-lock.ts";
import type { Answer } from "../resp/answer.ts";
import { changeJson, changeLine, readChangePage } from "../shell/change-rows.ts";
import { openData, openPurpose, prepareKernel } from "./data.ts";
import { changesOptions } from "./own-words.ts";
import { type Call, type Stop, stoppable, type TransferRun } from "./transfer-data.ts";
import { readTransferWords } from "./transfer-words.ts";
import type { World } from "./world.ts";

/** So often it is looked whether somebody still reads what is printed: a pipe tells it to a write alone. */
const LOOK_MS = 500;

const USAGE = "kvdb changes [--follow] [--from revision] [--prefix text]";

/** CHANGES FROM … is the command; kvdb's own takes options. */
export function isCommand([first]: readonly string[]): boolean {
  return first !== undefined && !first.startsWith("-");
}

/** Resolves to the exit code. */
export async function tellChanges(run: TransferRun, world: World): Promise<number> {
  const { file, options } = readTransferWords(run.words, changesOptions, USAGE);
  if (file !== undefined) throw new KvdbError("USAGE", `unexpected "${file}"; usage: ${USAGE}`);
  const follows = options.has("--follow");
  const prefix = options.get("--prefix");
  const wish: Wish = {
    from: options.get("--from") ?? "0",
    rest: [
      ...(prefix === undefined ? [] : ["PREFIX", prefix]),
      ...(follows ? ["BLOCK", String(LOOK_MS)] : []),
    ],
    follows,
    isJson: run.flags.output === "json",
  };
  if (follows) await requireHolder(run, world);
  return stoppable(world, (stop) =>
    withLink(run, world, (call, close) => {
      void stop.wanted.then(close);
      return tellPages(call, wish, stop, world);
    }),
  );
}

interface Wish {
  readonly from: string;
  /** Behind FROM and the revision. */
  readonly rest: readonly string[];
  readonly follows: boolean;
  readonly isJson: boolean;
}

async function requireHolder({ loaded }: TransferRun, world: World): Promise<void> {
  const { dir } = loaded.config;
  if ((await readLockHolder(world.platform.files, dir)) !== undefined) return;
  throw new KvdbError("UNAVAILABLE", `no server holds ${dir}: nothing would change that follows`);
}

/** A link alone, whichever process has the data: it may wait without end. */
async function withLink<Result>(
  { loaded, flags }: TransferRun,
  world: World,
  use: (call: Call, close: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const options = {
    ...{ loaded, purpose: openPurpose(flags.recover), role: "one-shot" as const },
    onStopRequest: () => {},
  };
  const data = await openData(await prepareKernel(options, world), options, world);
  try {
    return await use(
      (parts) => data.link.call(parts),
      () => data.link.close(),
    );
  } finally {
    await (data.holder === undefined ? data.kernel.stop() : data.link.close());
  }
}

async function tellPages(call: Call, wish: Wish, stop: Stop, world: World): Promise<number> {
  const show = wish.isJson ? changeJson : changeLine;
  for (let from = wish.from; !stop.isWanted; ) {
    const answer = await askOrStop(call, ["CHANGES", "FROM", from, ...wish.rest], stop);
    if (answer === undefined) break;
    if (answer.kind === "error") {
      throw new KvdbError("COMMAND", `${answer.code} ${answer.text}`, { reply: answer.code });
    }
    const page = readChangePage(answer);
    if (page === undefined) throw new KvdbError("COMMAND", "CHANGES answered something else");
    const text = page.changes.map((change) => `${show(change)}\n`).join("");
    if (text !== "" && !(await world.print(Buffer.from(text)))) break;
    if (wish.follows ? world.hasReader?.() === false : page.next === from) break;
    from = page.next;
  }
  return 0;
}

/** undefined: it was told to stop while it waited, and the link is closed. */
async function askOrStop(
  call: Call,
  parts: readonly string[],
  stop: Stop,
): Promise<Answer | undefined> {
  try {
    return await call(parts);
  } catch (error) {
    if (stop.isWanted) return undefined;
    throw error;
  }
}
