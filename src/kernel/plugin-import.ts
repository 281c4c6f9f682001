/**
 * Finds and imports the module of a third-party plugin, at run time, also from inside the compiled
 * executable: a path relative to the configuration's folder, or a package that is installed there.
 * No build step: Bun reads TypeScript.
 */
import { basename, dirname, extname, join, resolve } from "node:path";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Files } from "../platform/files.ts";
import { suggestion } from "../suggest.ts";
import { buildFaults } from "./build-faults.ts";
import { publicModules, registerPublicModules } from "./public-modules.ts";
import { withTimeLimit } from "./time-limit.ts";

export interface ImportSurroundings {
  /** Absolute: where paths begin and where `node_modules` is looked for. */
  readonly folder: string;
  readonly files: Pick<Files, "exists" | "list">;
  readonly clock: Clock;
  readonly limitMs: number;
  /** Told of the real path of the module, before it is imported. */
  readonly onFile?: (file: string) => void;
}

/**
 * What the module exports as its default. Rejects with CONFIG when there is no module or it cannot be
 * read, INTERNAL when it throws.
 */
export async function importPlugin(
  use: string,
  surroundings: ImportSurroundings,
): Promise<unknown> {
  const file = isPath(use)
    ? await findFile(use, surroundings)
    : await findPackage(use, surroundings);
  registerPublicModules();
  const { clock, limitMs, onFile } = surroundings;
  try {
    onFile?.(Bun.resolveSync(file, surroundings.folder));
    const module = await withTimeLimit(clock, limitMs, () => import(Bun.pathToFileURL(file).href));
    return (module as { default?: unknown }).default;
  } catch (error) {
    throw explained(importError(error, surroundings.folder)).prefix("importing");
  }
}

function importError(error: unknown, folder: string): KvdbError {
  const faults = buildFaults(error, folder);
  if (faults === undefined) return asKvdbError(error);
  return new KvdbError("CONFIG", faults, { cause: error });
}

/** Bun says that there is no package kvdb, although there is one: it lacks the module. */
function explained(error: KvdbError): KvdbError {
  if (!/(^|: )Cannot find (package|module) 'kvdb[/']/.test(error.message)) return error;
  const modules = publicModules.map((name) => `"${name}"`).join(", ");
  const hint = `a plugin may import ${modules}; "kvdb/testing" is there for tests alone`;
  return new KvdbError(error.code, `${error.message}; ${hint}`, { cause: error });
}

function isPath(use: string): boolean {
  return /^(\.{0,2}\/|\.{1,2}$)/.test(use);
}

async function findFile(use: string, { folder, files }: ImportSurroundings): Promise<string> {
  const file = resolve(folder, use);
  if (await files.exists(file)) return file;
  const names = await namesIn(dirname(file), files);
  const prefix = use.slice(0, use.length - basename(use).length);
  const near = suggestion(
    use,
    names.map((name) => prefix + name),
  );
  throw new KvdbError("CONFIG", `there is no file ${file}${near}`);
}

async function findPackage(use: string, { folder, files }: ImportSurroundings): Promise<string> {
  try {
    return Bun.resolveSync(use, folder);
  } catch (error) {
    const near = suggestion(use, await candidates(folder, files));
    const message = `there is no package "${use}" in the node_modules of ${folder}${near}`;
    throw new KvdbError("CONFIG", message, { cause: error });
  }
}

/** Packages beside the configuration, and files there whose "./" was forgotten. */
async function candidates(
  folder: string,
  files: Pick<Files, "exists" | "list">,
): Promise<string[]> {
  const packages = await namesIn(join(folder, "node_modules"), files);
  const sources = (await namesIn(folder, files)).filter((name) => extname(name) === ".ts");
  return [...packages, ...sources.map((name) => `./${name}`)];
}

async function namesIn(folder: string, files: Pick<Files, "exists" | "list">): Promise<string[]> {
  return (await files.exists(folder)) ? files.list(folder) : [];
}
