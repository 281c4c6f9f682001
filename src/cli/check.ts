/**
 * `kvdb check [--repair]`: whether all that was durable can be read. On a folder at rest it loads
 * everything as a start would, and changes nothing; when another process holds the folder, that one
 * is asked by the command CHECK. `--repair` opens the folder as `--recover` does, and stops in order.
 *
 * Exit codes: 0 when all that was durable is there, or was made readable again by `--repair`, which
 * tells what is lost; 65 when there is damage.
 */
import { errorTable, KvdbError } from "../errors.ts";
import type { LoadedConfig } from "../kernel/config.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { LoadAccount } from "../kernel/loading.ts";
import { readFolderOwner } from "../platform/folder-lock.ts";
import { type Answer, textOf } from "../resp/answer.ts";
import { paintFor } from "../shell/paint.ts";
import { suggestion } from "../suggest.ts";
import { type CheckReport, hasDamage, isEmpty, reportJson, reportText } from "./check-report.ts";
import { type DataOptions, type ForwardedData, openData, prepareKernel } from "./data.ts";
import type { OwnFlags } from "./invocation.ts";
import { liveReportText } from "./live-check-report.ts";
import { outputStyle, printAnswer } from "./output.ts";
import type { World } from "./world.ts";

const OPTIONS = ["--repair", "--json"];

export interface CheckRun {
  readonly loaded: LoadedConfig;
  readonly flags: OwnFlags;
  /** What stands behind `check`. */
  readonly words: readonly string[];
}

/** Resolves to the exit code. */
export async function check(
  { loaded, flags: given, words }: CheckRun,
  world: World,
): Promise<number> {
  const { isRepair, flags } = readWords(words, given);
  const options: DataOptions = {
    loaded,
    purpose: { kind: isRepair ? "recover" : "check" },
    role: "maintenance",
    onStopRequest: () => {}, // nobody is let in who could ask for it
  };
  const { dir } = loaded.config;
  const { hasLockFile } = await readFolderOwner(world.platform.files, dir);
  // A repair makes what is missing, so a folder that was mistyped must be noticed before.
  if (!hasLockFile && isRepair) throw noData(dir);
  const kernel = await prepareKernel(options, world);
  if (!kernel.keepsFiles) throw nothingKept(kernel.engine.persistenceName);
  const data = await openData(kernel, options, world);
  if (data.holder !== undefined) return forward(data, dir, flags, world);
  const report = reportOf(data.kernel, dir, isRepair);
  // A last checkpoint that cannot be written takes nothing from what was found.
  const [stopped] = await Promise.allSettled([data.kernel.stop()]);
  if (!hasLockFile && isEmpty(report)) throw noData(dir);
  await printReport(report, flags, world);
  if (stopped.status === "rejected") throw stopped.reason;
  return hasDamage(report) && !isRepair ? errorTable.DAMAGE.exit : 0;
}

/** `--json` may stand on either side of the word: nothing behind it is data. */
function readWords(
  words: readonly string[],
  flags: OwnFlags,
): { isRepair: boolean; flags: OwnFlags } {
  const unknown = words.find((word) => !OPTIONS.includes(word));
  if (unknown !== undefined) {
    const what = unknown.startsWith("-") ? "unknown option" : "unexpected";
    throw new KvdbError(
      "USAGE",
      `${what} "${unknown}"${suggestion(unknown, OPTIONS)}; usage: kvdb check [--repair] [--json]`,
    );
  }
  const output = words.includes("--json") ? "json" : flags.output;
  return { isRepair: words.includes("--repair"), flags: { ...flags, output } };
}

function reportOf({ loaded, engine }: Kernel, folder: string, isRepair: boolean): CheckReport {
  const account = loaded as LoadAccount; // it has started
  return {
    folder,
    isRepair,
    account,
    keys: engine.readEntries().keyCount,
    // What does not fit stays in a log that no checkpoint can replace.
    needsRecover: isRepair && account.skipped > 0 && engine.checkpoints.obstacle !== "",
  };
}

async function printReport(report: CheckReport, flags: OwnFlags, world: World): Promise<void> {
  const { currentFolder } = world.surroundings;
  const { mode, colour } = outputStyle(flags, world);
  const text =
    mode === "json" ? reportJson(report) : reportText(report, currentFolder, paintFor(colour));
  await world.print(Buffer.from(text));
}

function nothingKept(persistence: string): KvdbError {
  const message = `persistence "${persistence}" keeps nothing that could be checked`;
  return new KvdbError("CONFIG", message);
}

function noData(folder: string): KvdbError {
  return new KvdbError("CONFIG", `${folder} holds no data: no kvdb has opened it yet`);
}

/** The holder compares its memory with the disk as well. */
async function forward(
  { link, holder }: ForwardedData,
  folder: string,
  flags: OwnFlags,
  world: World,
): Promise<number> {
  let answer: Answer;
  try {
    answer = await link.call(["CHECK"]);
  } finally {
    await link.close();
  }
  const { mode, colour } = outputStyle(flags, world);
  const live = { folder, pid: holder.pid, answer };
  const text =
    mode === "plain"
      ? liveReportText(live, world.surroundings.currentFolder, paintFor(colour))
      : undefined;
  let code = 0;
  if (text === undefined) code = await printAnswer({ answer, isValue: false }, flags, world);
  else await world.print(Buffer.from(text));
  return statusOf(answer) === "damaged" ? errorTable.DAMAGE.exit : code;
}

function statusOf(answer: Answer): string | undefined {
  if (answer.kind !== "map") return undefined;
  const status = answer.entries.find(([name]) => textOf(name) === "status");
  return status && textOf(status[1]);
}
