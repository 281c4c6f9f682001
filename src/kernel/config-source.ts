/**
 * Finds and reads the configuration file, searching upward from the current folder, and tells where
 * in it each key stands. It judges no key: config.ts does. cosmiconfig reads a folder's candidates;
 * the walk upward is ours, because the folders at which it stops (SPEC.md) are not among
 * cosmiconfig's strategies.
 *
 * Invariant: nothing in a folder of another owner is read unless named by the user, for a
 * configuration is code: a `.ts` file is run, and any other may name plugins. For the same reason
 * the class Explorer is used and not the function `cosmiconfig()`: that one first runs
 * `.config/config.{js,ts}` of the current folder, whoever wrote it.
 */
import { basename, dirname, extname, join } from "node:path";
import type { CosmiconfigResult } from "cosmiconfig";
import type { ExplorerOptions } from "cosmiconfig/dist/Explorer.js";
import { asKvdbError, KvdbError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import { buildFaults } from "./build-faults.ts";
import {
  type ConfigLanguage,
  type ConfigText,
  ConfigTextFault,
  EMPTY_FILE,
  parseConfigText,
} from "./config-text.ts";
import { displayPath } from "./display-path.ts";
import { registerPublicModules } from "./public-modules.ts";

/** In the order in which they are tried in one folder. */
export const configFileNames = [
  "kvdb.config.json",
  "kvdb.config.jsonc",
  "kvdb.config.ts",
  "kvdb.config.yaml",
  "kvdb.config.yml",
  "kvdb.config.toml",
  "package.json",
] as const;

/** Like a package.json, a sign that a project begins here. */
const PROJECT_MARK = ".git";

export interface ConfigSource extends ConfigText {
  /** Absolute. */
  readonly file: string;
  /** Where a place was written, if not in a line of this file. */
  placeOf?(pointer: string): string | undefined;
}

export interface FoundConfig {
  readonly source?: ConfigSource;
  /** What the user may want to know of the search: files that were passed over, and why. */
  readonly warnings: readonly string[];
}

/** Where the search happens; handed in, so that a test has a home and neighbours of its own. */
export interface SearchSurroundings {
  readonly currentFolder: string;
  readonly homeFolder: string;
  readonly files: Pick<Files, "exists" | "list">;
  /** Number of the user that owns a folder, undefined where the system has no such numbers. */
  ownerOf(folder: string): Promise<number | undefined>;
  /** The user that kvdb runs as, undefined where the system has no such numbers. */
  readonly user: number | undefined;
}

/** The file that `--config` or KVDB_CONFIG names. */
export async function readConfigFile(
  file: string,
  surroundings: SearchSurroundings,
): Promise<ConfigSource> {
  const shown = displayPath(file, surroundings.currentFolder);
  if (languageOf(file) === undefined && !isRedisConfig(file)) {
    const known = [...new Set(configFileNames.map((name) => extname(name))), ".conf"].join(", ");
    throw new KvdbError("CONFIG", `${shown}: expected a file that ends in one of ${known}`);
  }
  if (!(await surroundings.files.exists(file))) {
    throw new KvdbError("CONFIG", `${shown}: there is no such configuration file`);
  }
  if (isRedisConfig(file)) return readRedisSource(file, surroundings);
  const explorer = await createExplorer();
  const source = await toSource(surroundings.currentFolder, () => explorer.load(file));
  if (source === undefined) throw new KvdbError("CONFIG", `${shown}: has no key "kvdb"`);
  return source;
}

/** Never searched for: it lies where a Redis looks for it, and says what that one does. */
export function isRedisConfig(file: string): boolean {
  return extname(file) === ".conf";
}

async function readRedisSource(
  file: string,
  surroundings: SearchSurroundings,
): Promise<ConfigSource> {
  const { readRedisConfig } = await import("./redis-config.ts");
  const { value, placeOf } = await readRedisConfig(file, surroundings);
  return { file, value, placeOf, lineOf: () => undefined };
}

/**
 * The nearest configuration file of the current folder and those above it, up to where the search
 * stops.
 */
export async function findConfig(surroundings: SearchSurroundings): Promise<FoundConfig> {
  const { currentFolder, homeFolder, files } = surroundings;
  for (let folder = currentFolder; ; folder = dirname(folder)) {
    const [found, isOurs] = await Promise.all([
      presentNames(folder, [...configFileNames, PROJECT_MARK], files),
      isOwn(folder, surroundings),
    ]);
    const present = found.filter((name) => name !== PROJECT_MARK);
    if (!isOurs) return { warnings: passedOver(folder, present) };
    if (present.length > 0) {
      const source = await readFolder(folder, present, currentFolder);
      if (source !== undefined) return { source, warnings: shadowed(source.file, present) };
    }
    const isProject = found.includes("package.json") || found.includes(PROJECT_MARK);
    if (isProject || folder === homeFolder || folder === dirname(folder)) return { warnings: [] };
  }
}

/**
 * Those of `wanted` that are in a folder. One listing instead of a question for each: a search
 * passes many folders.
 */
async function presentNames(
  folder: string,
  wanted: readonly string[],
  files: SearchSurroundings["files"],
): Promise<string[]> {
  try {
    const names = new Set(await files.list(folder));
    return wanted.filter((name) => names.has(name));
  } catch (error) {
    // A folder may be passed through without being readable; then each name has to be asked for.
    if (asKvdbError(error).code !== "PERMISSION") throw error;
    const present = await Promise.all(wanted.map((name) => files.exists(join(folder, name))));
    return wanted.filter((_, index) => present[index]);
  }
}

async function isOwn(folder: string, surroundings: SearchSurroundings): Promise<boolean> {
  if (surroundings.user === undefined) return true;
  return (await surroundings.ownerOf(folder)) === surroundings.user;
}

function passedOver(folder: string, present: readonly string[]): string[] {
  return present
    .filter((name) => name !== "package.json")
    .map((name) => join(folder, name))
    .map(
      (file) => `${file} is not used: its folder belongs to another user (\`--config\` uses it)`,
    );
}

function shadowed(file: string, present: readonly string[]): string[] {
  return present
    .filter((name) => name !== "package.json" && name !== basename(file))
    .map((name) => `${join(dirname(file), name)} is not used: ${basename(file)} comes first`);
}

async function readFolder(
  folder: string,
  present: readonly string[],
  currentFolder: string,
): Promise<ConfigSource | undefined> {
  const explorer = await createExplorer();
  const source = await toSource(currentFolder, () => explorer.search(folder));
  if (source !== undefined) return source;
  // cosmiconfig passes over what it may not read; for a database that would mean to start with
  // another password.
  const unreadable = present.find((name) => name !== "package.json");
  if (unreadable === undefined) return undefined;
  const shown = displayPath(join(folder, unreadable), currentFolder);
  throw new KvdbError("CONFIG", `${shown}: cannot be read (no permission, or not a file)`);
}

async function createExplorer() {
  const { Explorer } = await import("cosmiconfig/dist/Explorer.js");
  const options = {
    moduleName: "kvdb",
    searchPlaces: configFileNames,
    searchStrategy: "none",
    ignoreEmptySearchPlaces: false,
    cache: false,
    metaConfigFilePath: null,
    transform: (result) => result,
    loaders: {
      ".json": loadText,
      ".jsonc": loadText,
      ".yaml": loadText,
      ".yml": loadText,
      ".toml": loadText,
      ".ts": loadModule,
    },
  } as const satisfies ExplorerOptions;
  return new Explorer(options);
}

/** What cosmiconfig found, or the fault that one of the loaders below met. */
async function toSource(
  currentFolder: string,
  read: () => Promise<CosmiconfigResult>,
): Promise<ConfigSource | undefined> {
  try {
    const found = await read();
    if (found === null) return undefined;
    if (found.isEmpty === true) return emptySource(found.filepath);
    return { file: found.filepath, ...(found.config as ConfigText) };
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error;
    const line = error.line === undefined ? "" : `:${error.line}`;
    const place = displayPath(error.file, currentFolder) + line;
    const message = buildFaults(error.cause, currentFolder) ?? `${place}: ${error.message}`;
    throw new KvdbError("CONFIG", message, { cause: error });
  }
}

/**
 * cosmiconfig calls no loader for an empty file. An empty package.json is somebody else's trouble.
 */
function emptySource(file: string): undefined {
  if (isPackage(file)) return undefined;
  throw new SourceFault(file, EMPTY_FILE);
}

/**
 * What cosmiconfig is given is the text with its lines, not the bare value: it would follow a key
 * `$import` of the value to other files, whose relative paths and owners nobody checks.
 */
function loadText(file: string, content: string): unknown {
  try {
    const text = parseConfigText(content, languageOf(file) as ConfigLanguage);
    return isPackage(file) ? packageKey(text) : text;
  } catch (error) {
    throw sourceFault(file, error);
  }
}

/** The text of a file that was read as JSON at the start, as it is now. Throws a KvdbError CONFIG. */
export function readConfigText(file: string, content: string): ConfigText {
  try {
    const text = parseConfigText(content, "json");
    if (!isPackage(file)) return text;
    const { kvdb } = packageKey(text) as { kvdb?: ConfigText };
    if (kvdb === undefined) throw new ConfigTextFault(`has no key "kvdb"`);
    return kvdb;
  } catch (error) {
    if (!(error instanceof ConfigTextFault)) throw error;
    const line = error.line === undefined ? "" : `:${error.line}`;
    throw new KvdbError("CONFIG", `${file}${line}: ${error.message}`, { cause: error });
  }
}

/** Where in a file the configuration stands. */
export function sectionOf(file: string): readonly string[] {
  return isPackage(file) ? ["kvdb"] : [];
}

function isPackage(file: string): boolean {
  return basename(file) === "package.json";
}

/**
 * In the shape that cosmiconfig expects of a package.json: the key stays, what it holds is a
 * ConfigText.
 */
function packageKey(text: ConfigText): Record<string, unknown> {
  const { value } = text;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "kvdb")) return {};
  return {
    kvdb: {
      value: (value as { kvdb: unknown }).kvdb,
      lineOf: (pointer: string) => text.lineOf(`/kvdb${pointer}`),
    } satisfies ConfigText,
  };
}

async function loadModule(file: string): Promise<ConfigText> {
  registerPublicModules();
  try {
    const module = (await import(Bun.pathToFileURL(file).href)) as { default?: unknown };
    if (module.default === undefined) throw new ConfigTextFault("has no default export");
    return { value: module.default, lineOf: () => undefined };
  } catch (error) {
    throw sourceFault(file, error);
  }
}

function languageOf(file: string): ConfigLanguage | "ts" | undefined {
  const extension = extname(file);
  if (extension === ".json" || extension === ".jsonc") return "json";
  if (extension === ".yaml" || extension === ".yml") return "yaml";
  if (extension === ".toml") return "toml";
  return extension === ".ts" ? "ts" : undefined;
}

function sourceFault(file: string, error: unknown): SourceFault {
  const line = error instanceof ConfigTextFault ? error.line : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return new SourceFault(file, message, { line, cause: error });
}

/**
 * Carries the file through cosmiconfig. It has no `code`: cosmiconfig swallows errors with certain
 * codes.
 */
class SourceFault extends Error {
  readonly file: string;
  readonly line: number | undefined;

  constructor(
    file: string,
    message: string,
    origin: { line?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: origin.cause });
    this.file = file;
    this.line = origin.line;
  }
}
