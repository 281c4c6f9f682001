/**
 * The configuration: file, then environment, then options, later wins; judged by the schemas and
 * frozen to the last leaf. Everything that is wrong is reported at once, as one KvdbError CONFIG of
 * one line each. What needs a plugin's code (the options of third-party plugins, names that they
 * bring) is judged by the loader.
 *
 * The file is judged alone first: an option that overrides a wrong key must not hide it. When the
 * file is wrong, the environment and the options are judged over an empty one, so that their
 * mistakes are reported too.
 */
import { dirname, resolve } from "node:path";
import { assert } from "../assert.ts";
import { isS3Url } from "../backup/s3-place.ts";
import { parseMemorySize } from "../commands/memory-size.ts";
import { KvdbError } from "../errors.ts";
import type { LogFormat, LogLevel } from "../platform/log.ts";
import type { IndexKind } from "../plugin.ts";
import { type BackupConfig, backupConfig } from "./backup-config.ts";
import { type Issue, issuesError } from "./config-issues.ts";
import {
  type ConfigSource,
  findConfig,
  isRedisConfig,
  readConfigFile,
  type SearchSurroundings,
} from "./config-source.ts";
import { displayPath } from "./display-path.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { pathOf, pointerOf, valueAt } from "./json-pointer.ts";
import { lay, type Overlay, originIn, serveOnly } from "./overlay.ts";
import { kernelSchema, type RawConfig, type RawUse, type Use } from "./schema.ts";
import { CONFIG_VARIABLE, type Given } from "./settings.ts";
import { type Validator, validate } from "./validation.ts";

export interface Config {
  /** Absolute; undefined without a file. */
  readonly file: string | undefined;
  /** Absolute path of what relative paths were resolved against. */
  readonly folder: string;
  /** Absolute path of the data folder. */
  readonly dir: string;
  readonly databases: number;
  /** Empty: none. */
  readonly requirepass: string;
  /** By name, with their rules. */
  readonly users: RawConfig["users"];
  /** Absolute path of the file of users; empty: none. */
  readonly aclfile: string;
  readonly channelsByDefault: RawConfig["acl-pubsub-default"];
  readonly accessLogLength: number;
  readonly debugCommand: RawConfig["enable-debug-command"];
  /** As `notify-keyspace-events` has it; empty: none. */
  readonly keyEvents: string;
  /** In the words of client-output-buffer-limit; classes that it does not name have their defaults. */
  readonly outputLimits: string;
  /** Whom to follow, as it was written, and as whom. */
  readonly replication: RawConfig["replication"];
  /** 0: no limit. */
  readonly memoryMaxBytes: number;
  /** What else is said of memory, by Redis's names. */
  readonly memoryParameters: Readonly<Record<string, string>>;
  readonly persistence: Use;
  readonly frontends: readonly Use[];
  /** By name; what a definition says besides, as index/definition.ts reads it. */
  readonly indexes: RawConfig["indexes"];
  readonly backup: BackupConfig;
  /** What CONFIG SET would be given, by name. */
  readonly parameters: RawConfig["parameters"];
  readonly plugins: readonly Use[];
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Absolute; undefined: standard error. */
  readonly logFile: string | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /**
   * Where a place (JSON Pointer) was written: `kvdb.config.json:4`, `--port`; empty for a default.
   */
  readonly placeOf: (pointer: string) => string;
  readonly warnings: readonly string[];
  /** The file is one of Redis's: which of its parameters have no effect here is told in a warning. */
  readonly ofRedis?: true;
  /**
   * What is wrong with the value of the file, should it be this; what only a plugin's code can judge is not told. Absent
   * where there is no file.
   */
  readonly judgeFile?: JudgeFile;
}

export type JudgeFile = (value: unknown, placeOf: (pointer: string) => string) => Issue[];

/** The configuration as it was written, and by whom; for people who ask what holds and why. */
export interface WrittenConfig {
  /** Defaults are filled in; paths and sizes are as somebody wrote them. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What set a place (JSON Pointer): as placeOf says it, or `default`. */
  readonly originOf: (pointer: string) => string;
}

/** What an editor tells of a kind of index. */
export type IndexKindInfo = Pick<IndexKind, "name" | "summary" | "options">;

/** The schemas compiled ahead: the kernel's, and those of built-in plugins by name. */
export interface CompiledSchemas {
  readonly kernel: Validator;
  readonly plugins: Readonly<Record<string, CompiledSchema>>;
}

export interface CompiledSchema {
  readonly schema: object;
  readonly validator: Validator;
  /** Of a plugin that brings kinds of indexes. */
  readonly indexKinds?: readonly IndexKindInfo[];
}

export interface ConfigRequest {
  readonly surroundings: SearchSurroundings;
  readonly environment: Environment;
  /** As typed after `--config`. */
  readonly configFile: string | undefined;
  readonly options: readonly Given[];
  /** `kvdb serve`: the frontend resp, whether the file names it or not, and no shell. */
  readonly serve: boolean;
  readonly schemas: CompiledSchemas;
}

export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig & WrittenConfig> {
  const { currentFolder } = request.surroundings;
  const { source, warnings, issues } = await readSource(request);
  const filePlace = source === undefined ? () => "" : placesOf(source, currentFolder);
  const written = plainCopy(source === undefined ? {} : source.value, "", {
    placeOf: filePlace,
    issues,
  });
  issues.push(...judge(structuredClone(written), request.schemas, filePlace));
  const fileIsRight = issues.length === 0;

  // A copy: the defaults are filled into `written` itself.
  const given = structuredClone(written);
  const environment = readEnvironment(request.environment);
  issues.push(...environment.issues);
  const overlay: Overlay = {
    config: fileIsRight && isObject(written) ? written : {},
    origins: new Map(),
    issues,
    currentFolder,
  };
  if (request.serve) serveOnly(overlay);
  lay([...environment.given, ...request.options], overlay);
  const placeOf = (pointer: string) => originIn(pointer, overlay) ?? filePlace(pointer);
  issues.push(...judge(overlay.config, request.schemas, placeOf));
  if (issues.length > 0) throw issuesError(issues);
  const originOf = (pointer: string) => writtenOrigin(pointer, { overlay, given, filePlace });
  const config = finish(overlay.config, source, request);
  const values = deepFreeze(overlay.config);
  return { config, placeOf, warnings, ...aboutFile(source, request.schemas), values, originOf };
}

/** What a program hands to `open`: keys of a configuration file, and perhaps the name of one. */
export interface ProgramRequest
  extends Pick<ConfigRequest, "surroundings" | "configFile" | "schemas"> {
  readonly options: Readonly<Record<string, unknown>>;
}

/** Where messages say that an option was written. */
const PROGRAM = "open()";

/**
 * The configuration of a program: its options, over the file that it names if any, a key of the
 * options in the place of the file's. No file is searched and no variable is read: what a library
 * does is for its program to say. Paths in options are relative to the current folder.
 */
export async function programConfig(request: ProgramRequest): Promise<LoadedConfig> {
  const { surroundings, configFile, schemas } = request;
  const { currentFolder } = surroundings;
  const source =
    configFile === undefined
      ? undefined
      : await readConfigFile(resolve(currentFolder, configFile), surroundings);
  const filePlace = source === undefined ? () => "" : placesOf(source, currentFolder);
  const issues: Issue[] = [];
  const read = (value: unknown, placeOf: (pointer: string) => string) => {
    const copy = plainCopy(value, "", { placeOf, issues });
    issues.push(...judge(structuredClone(copy), schemas, placeOf));
    return isObject(copy) ? copy : {};
  };
  const config = {
    ...read(source?.value ?? {}, filePlace),
    ...absolutePaths(
      read(request.options, () => PROGRAM),
      request,
    ),
  };
  if (issues.length > 0) throw issuesError(issues);
  const placeOf = (pointer: string) =>
    Object.hasOwn(request.options, pointer.split("/", 2)[1] ?? "") ? PROGRAM : filePlace(pointer);
  issues.push(...judge(config, schemas, placeOf));
  if (issues.length > 0) throw issuesError(issues);
  const finished = finish(config, source, request);
  return { config: finished, placeOf, warnings: [], ...aboutFile(source, schemas) };
}

/** Options whose paths no longer depend on where the configuration file is. */
function absolutePaths(
  options: Record<string, unknown>,
  { surroundings, schemas }: ProgramRequest,
): Record<string, unknown> {
  const { currentFolder } = surroundings;
  const absolute = { ...options };
  const { dir, aclfile, persistence, plugins, backup } = options;
  if (isObject(backup) && typeof backup["to"] === "string" && !isS3Url(backup["to"])) {
    absolute["backup"] = { ...backup, to: resolve(currentFolder, backup["to"]) };
  }
  if (typeof dir === "string" && dir !== "") absolute["dir"] = resolve(currentFolder, dir);
  if (typeof aclfile === "string" && aclfile !== "") {
    absolute["aclfile"] = resolve(currentFolder, aclfile);
  }
  if (isObject(persistence)) {
    const { use, ...inner } = persistence;
    const schema = schemas.plugins[String(use)]?.schema ?? {};
    absolute["persistence"] = { use, ...resolvePaths(inner, schema, currentFolder) };
  }
  if (Array.isArray(plugins)) {
    const file = (use: unknown) =>
      typeof use === "string" && use.startsWith(".") ? resolve(currentFolder, use) : use;
    absolute["plugins"] = plugins.map((entry) =>
      isObject(entry) ? { ...entry, use: file(entry["use"]) } : file(entry),
    );
  }
  return absolute;
}

async function readSource(
  request: ConfigRequest,
): Promise<{ source?: ConfigSource; warnings: readonly string[]; issues: Issue[] }> {
  const { surroundings, environment } = request;
  const named = request.configFile ?? environment[CONFIG_VARIABLE];
  try {
    if (named === undefined || named === "")
      return { ...(await findConfig(surroundings)), issues: [] };
    const file = resolve(surroundings.currentFolder, named);
    return { source: await readConfigFile(file, surroundings), warnings: [], issues: [] };
  } catch (error) {
    if (!(error instanceof KvdbError)) throw error;
    return { warnings: [], issues: [{ place: "", path: "", message: error.message }] };
  }
}

/** How messages name the places of a file. */
export function placesOf(
  source: Pick<ConfigSource, "file" | "lineOf" | "placeOf">,
  currentFolder: string,
): (pointer: string) => string {
  const shown = displayPath(source.file, currentFolder);
  return (pointer) => {
    const place = source.placeOf?.(pointer);
    if (place !== undefined) return place;
    const line = source.lineOf(pointer);
    return line === undefined ? shown : `${shown}:${line}`;
  };
}

/** Who wrote the value of a place; `use` stands for an entry that is a name alone. */
function writtenOrigin(
  pointer: string,
  sources: { overlay: Overlay; given: unknown; filePlace: (pointer: string) => string },
): string {
  const { overlay, given, filePlace } = sources;
  const exact = overlay.origins.get(pointer);
  if (exact !== undefined) return exact;
  const isUse = pointer.endsWith("/use");
  const around = originIn(pointer, overlay);
  if (around !== undefined) return isUse ? around : "default";
  const entry = pointer.slice(0, -"/use".length);
  const written = isUse && typeof valueAt(given, entry) === "string" ? entry : pointer;
  return valueAt(given, written) === undefined ? "default" : filePlace(written);
}

function aboutFile(
  source: ConfigSource | undefined,
  schemas: CompiledSchemas,
): Pick<LoadedConfig, "judgeFile" | "ofRedis"> {
  if (source === undefined) return {};
  return {
    ...(isRedisConfig(source.file) && { ofRedis: true }),
    judgeFile(value, placeOf) {
      const issues: Issue[] = [];
      const copy = plainCopy(value, "", { placeOf, issues });
      return [...issues, ...judge(copy, schemas, placeOf)];
    },
  };
}

/** Fills in the defaults of `value`, which is the caller's own. */
function judge(
  value: unknown,
  schemas: CompiledSchemas,
  placeOf: (pointer: string) => string,
): Issue[] {
  const issues = validate(value, {
    validator: schemas.kernel,
    schema: kernelSchema,
    pointer: "",
    placeOf,
  });
  if (!isObject(value)) return issues;
  const use = (entry: unknown, pointer: string) =>
    judgeUse(entry, { pointer, schemas, placeOf, issues });
  value["persistence"] = use(value["persistence"], "/persistence");
  if (Array.isArray(value["frontends"])) {
    value["frontends"] = value["frontends"].map((entry, index) =>
      use(entry, pointerOf(["frontends", index])),
    );
  }
  return issues;
}

/**
 * Judges the options of a built-in plugin; returns the entry with their defaults. Others are left
 * as they are.
 */
function judgeUse(
  entry: unknown,
  context: {
    pointer: string;
    schemas: CompiledSchemas;
    placeOf: (pointer: string) => string;
    issues: Issue[];
  },
): unknown {
  const { use, ...options } = isObject(entry) ? entry : { use: entry };
  const plugins = context.schemas.plugins;
  if (typeof use !== "string" || !Object.hasOwn(plugins, use)) return entry;
  context.issues.push(...validate(options, { ...context, ...plugins[use] }));
  return { use, ...options };
}

function finish(
  value: Record<string, unknown>,
  source: ConfigSource | undefined,
  request: Pick<ConfigRequest, "surroundings" | "schemas"> &
    Partial<Pick<ConfigRequest, "environment">>,
): Config {
  const raw = value as unknown as RawConfig;
  const folder = source === undefined ? request.surroundings.currentFolder : dirname(source.file);
  const toUse = (entry: RawUse) => useOf(entry, folder, request.schemas);
  const dir = resolve(folder, raw.dir);
  return deepFreeze({
    file: source?.file,
    folder,
    dir,
    databases: raw.databases,
    requirepass: raw.requirepass,
    users: raw.users,
    aclfile: raw.aclfile === "" ? "" : resolve(folder, raw.aclfile),
    channelsByDefault: raw["acl-pubsub-default"],
    accessLogLength: raw["acllog-max-len"],
    debugCommand: raw["enable-debug-command"],
    keyEvents: raw["notify-keyspace-events"],
    outputLimits: raw["client-output-buffer-limit"],
    replication: raw.replication,
    memoryMaxBytes: bytesOf(raw.memory.max),
    memoryParameters: memoryParameters(raw.memory),
    persistence: toUse(raw.persistence),
    frontends: raw.frontends.map(toUse),
    indexes: raw.indexes,
    parameters: raw.parameters,
    plugins: raw.plugins.map((entry) => useOf(entry, folder, undefined)),
    backup: backupConfig(raw.backup, { folder, dir, environment: request.environment ?? {} }),
    logLevel: raw.log.level,
    logFormat: raw.log.format,
    logFile: raw.log.file === undefined ? undefined : resolve(folder, raw.log.file),
  });
}

function memoryParameters(memory: RawConfig["memory"]): Record<string, string> {
  return {
    "maxmemory-policy": memory.policy,
    "maxmemory-samples": String(memory.samples),
    "maxmemory-eviction-tenacity": String(memory.tenacity),
    "lfu-log-factor": String(memory.lfuLogFactor),
    "lfu-decay-time": String(memory.lfuDecayTime),
    "maxmemory-clients": String(memory.clients),
  };
}

function useOf(entry: RawUse, folder: string, schemas: CompiledSchemas | undefined): Use {
  if (typeof entry === "string") return { use: entry, options: {} };
  const { use, ...options } = entry;
  const schema = schemas?.plugins[use]?.schema;
  return { use, options: schema === undefined ? options : resolvePaths(options, schema, folder) };
}

/**
 * Options that a schema marks `format: "path"` become absolute: in a file they are relative to it.
 */
export function resolvePaths(
  options: Readonly<Record<string, unknown>>,
  schema: object,
  folder: string,
): Readonly<Record<string, unknown>> {
  const properties = (schema as { properties?: Record<string, { format?: string }> }).properties;
  const entries = Object.entries(options).map(([key, value]) => {
    const isPath = properties?.[key]?.format === "path" && typeof value === "string";
    return [key, isPath ? resolve(folder, value) : value];
  });
  return Object.fromEntries(entries);
}

/** Of options that `resolvePaths` has made absolute: those that are paths. */
export function pathsAmong(
  options: Readonly<Record<string, unknown>>,
  schema: object | undefined,
): Readonly<Record<string, string>> {
  const properties = (schema as { properties?: Record<string, { format?: string }> } | undefined)
    ?.properties;
  const isPath = (entry: [string, unknown]): entry is [string, string] =>
    properties?.[entry[0]]?.format === "path" && typeof entry[1] === "string";
  return Object.fromEntries(Object.entries(options).filter(isPath));
}

function bytesOf(size: number | string): number {
  if (typeof size === "number") return size;
  const bytes = parseMemorySize(size);
  assert(bytes !== undefined, `the schema let the size ${size} through`);
  return bytes;
}

/** Deeper nesting than any configuration has; a `.ts` configuration may hold a circle. */
const MAX_DEPTH = 64;

interface Copying {
  readonly placeOf: (pointer: string) => string;
  readonly issues: Issue[];
}

/**
 * A copy of JSON values alone: a `.ts` configuration may hold anything, and it is not ours to
 * freeze.
 */
function plainCopy(value: unknown, pointer: string, copying: Copying): unknown {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value;
  const depth = pointer.split("/").length;
  if (typeof value !== "object" || depth > MAX_DEPTH) {
    const found = value === undefined ? "undefined" : typeof value;
    const message =
      typeof value === "object"
        ? `nested deeper than ${MAX_DEPTH}`
        : `expected a JSON value, found ${found}`;
    copying.issues.push({ place: copying.placeOf(pointer), path: pathOf(pointer), message });
    return undefined; // no second issue: for the schema the key is absent
  }
  const copy = (key: string | number, inner: unknown) =>
    plainCopy(inner, pointer + pointerOf([key]), copying);
  if (Array.isArray(value)) return value.map((inner, index) => copy(index, inner));
  // fromEntries makes own keys of all names, `__proto__` included, so that the schema sees and
  // refuses it.
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(key, inner)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
