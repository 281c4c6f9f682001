/**
 * How a restored state takes the place of the one before. It is written beside it first, under names with a suffix
 * (platform/staged-files.ts). Then the plan is written down, and from that moment on the new state is the folder's, whatever
 * happens: who finds a plan at the start carries it out.
 *
 *   restore.json   {"persistence":"wal","step":"aside","aside":"replaced-20261126T033517Z",
 *                   "old":["manifest.json","wal-00000007.log"],"new":["manifest.json","wal-00000001.log"]}
 *
 *   step "aside"   each of `old` is moved into the folder `aside`
 *   step "in"      each of `new` loses the suffix; then the plan is removed
 *
 * Paths are relative to the data folder; absolute ones lie elsewhere, where an option of the persistence says, and are moved
 * aside by getting the name of the folder behind theirs. Nothing is removed but the plan.
 */
import { dirname, isAbsolute, join } from "node:path";
import { KvdbError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import { STAGED_SUFFIX } from "../platform/staged-files.ts";

export const PLAN_NAME = "restore.json";

export interface RestorePlan {
  readonly persistence: string;
  readonly step: "aside" | "in";
  /** Name of the folder that the old files are moved to. */
  readonly aside: string;
  readonly old: readonly string[];
  readonly new: readonly string[];
}

/** Whether a restore was cut off when the new state was the folder's already. */
export function hasPlan(files: Files, dir: string): Promise<boolean> {
  return files.exists(join(dir, PLAN_NAME));
}

/** From here on the new state counts: durable when it resolves. */
export async function writePlan(files: Files, dir: string, plan: RestorePlan): Promise<void> {
  await files.replace(join(dir, PLAN_NAME), Buffer.from(`${JSON.stringify(plan)}\n`));
}

/** Carries out what is left of it. Harmless when some of it was done before, and when there is none. */
export async function carryOutPlan(
  files: Files,
  dir: string,
  persistence: string,
): Promise<RestorePlan | undefined> {
  if (!(await hasPlan(files, dir))) return undefined;
  const plan = await readPlan(files, join(dir, PLAN_NAME));
  if (plan.persistence !== persistence) {
    const { persistence: owner } = plan;
    const message = `a restore into ${dir} was cut off, of persistence "${owner}": name that one`;
    throw new KvdbError("CONFIG", message);
  }
  if (plan.step === "aside") {
    await moveAside(files, dir, plan);
    // All of them have gone before the first new one comes: no name is both.
    await writePlan(files, dir, { ...plan, step: "in" });
  }
  const folders = new Set([dir]);
  for (const name of plan.new) {
    const path = inFolder(dir, name);
    if (await files.exists(path + STAGED_SUFFIX)) await files.rename(path + STAGED_SUFFIX, path);
    folders.add(dirname(path));
  }
  await syncAll(files, folders);
  await files.remove(join(dir, PLAN_NAME));
  await files.syncFolder(dir);
  return plan;
}

/** The folder that a file is moved into, or what it is called where it stays because it lay elsewhere. */
export function placeAside(dir: string, path: string, aside: string): string {
  return isAbsolute(path) ? `${path}.${aside}` : join(dir, aside);
}

async function moveAside(files: Files, dir: string, { old, aside }: RestorePlan): Promise<void> {
  const sources = new Set([dir]);
  const targets = new Set<string>();
  for (const name of old) {
    const path = inFolder(dir, name);
    if (!(await files.exists(path))) continue;
    const place = placeAside(dir, name, aside);
    const target = isAbsolute(name) ? place : join(place, name);
    await files.makeFolder(dirname(target));
    await files.rename(path, target);
    sources.add(dirname(path));
    targets.add(dirname(target));
  }
  // The new names first: no moment has neither.
  await syncAll(files, targets);
  await syncAll(files, sources);
}

async function syncAll(files: Files, folders: ReadonlySet<string>): Promise<void> {
  for (const folder of folders) await files.syncFolder(folder);
}

function inFolder(dir: string, name: string): string {
  return isAbsolute(name) ? name : join(dir, name);
}

async function readPlan(files: Files, path: string): Promise<RestorePlan> {
  const file = await files.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0, bytes.length, 0).finally(() => file.close());
  const plan = parseObject(bytes.toString());
  // It was written whole or not at all; who edits it may move nothing out of the folder by a name.
  const areNames = (names: unknown) => Array.isArray(names) && names.every(isName);
  const isPlan =
    typeof plan["persistence"] === "string" &&
    (plan["step"] === "aside" || plan["step"] === "in") &&
    areNames([plan["aside"]]) &&
    areNames(plan["old"]) &&
    areNames(plan["new"]);
  if (isPlan) return plan as unknown as RestorePlan;
  throw new KvdbError("CONFIG", `${path} is not what a restore wrote`);
}

function isName(name: unknown): boolean {
  return typeof name === "string" && name !== "" && !name.split(/[/\\]/).includes("..");
}

/** Without fields when it is none. */
function parseObject(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
