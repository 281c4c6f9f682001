/**
 * A redis.conf as a configuration: Redis's syntax and rules (quotes, `include`, the last line wins, relative paths from the
 * current folder, which is the data folder where no `dir` is said), in the keys of ours. Directives that are settings here
 * go to their keys; the others of Redis become `parameters`, of which the start says which have no effect. A word that is
 * none of Redis's is an error, as it is there.
 *
 * The files are Redis's too, whatever is changed later: an AOF where `appendonly yes` stands, and else an RDB alone.
 */
import { basename, dirname, join, resolve } from "node:path";
import type { Files } from "../platform/files.ts";
import { systemWholeFiles } from "../platform/rewritten-file.ts";
import { splitWords } from "../resp/decoder.ts";
import { suggestion } from "../suggest.ts";
import { type Issue, issuesError } from "./config-issues.ts";
import { displayPath } from "./display-path.ts";
import { pointerOf } from "./json-pointer.ts";
import { lay, type Overlay, originIn, SERVER_FRONTEND } from "./overlay.ts";
import { settingOf } from "./parameter-place.ts";
import { additive, otherDirectives, redisNames, refusalOf, severalWords } from "./redis-names.ts";
import type { Given } from "./settings.ts";

/** A file that includes itself never ends; Redis would take all memory. */
const MAX_INCLUDES = 16;

/** Its rules are all that it has, and not added to those that it has without a line. */
const DEFAULT_USER = "default";

/** Of settings that have a key of their own here. */
const OLDER_NAMES: Readonly<Record<string, string>> = { slaveof: "replicaof" };

const REDIS_SAVE = "3600 1 300 100 60 10000";

export interface Surroundings {
  readonly currentFolder: string;
  readonly files: Pick<Files, "exists" | "list">;
}

/** One line that says something. */
export interface Directive {
  /** In small letters. */
  readonly name: string;
  readonly words: readonly string[];
  /** `redis.conf:12`. */
  readonly place: string;
}

export interface RedisConfig {
  readonly value: unknown;
  readonly placeOf: (pointer: string) => string | undefined;
}

/** Throws a KvdbError CONFIG with all that is wrong. */
export async function readRedisConfig(
  file: string,
  surroundings: Surroundings,
): Promise<RedisConfig> {
  const reading: Reading = { ...surroundings, directives: [], issues: [] };
  await readFile(file, 0, reading);
  const { directives, issues } = reading;
  const config = configOf(directives, surroundings.currentFolder, issues);
  if (issues.length > 0) throw issuesError(issues);
  return config;
}

interface Reading extends Surroundings {
  readonly directives: Directive[];
  readonly issues: Issue[];
}

async function readFile(file: string, depth: number, reading: Reading): Promise<void> {
  const { directives, issues, currentFolder } = reading;
  const text = await systemWholeFiles.readText(file);
  const shown = displayPath(file, currentFolder);
  for (const [index, line] of text.split("\n").entries()) {
    const place = `${shown}:${index + 1}`;
    const directive = readLine(line, place);
    if (directive === undefined) continue;
    const fault = directive === "quotes" ? "unbalanced quotes" : faultOf(directive);
    if (fault !== undefined) issues.push({ place, path: "", message: fault });
    else if (directive === "quotes") continue;
    else if (directive.name !== "include") directives.push(directive);
    else await include(directive, depth + 1, reading);
  }
}

/** Undefined: the line says nothing. */
export function readLine(line: string, place: string): Directive | "quotes" | undefined {
  const bytes = Buffer.from(line.trim());
  if (bytes.length === 0 || bytes[0] === 35) return undefined; // #
  const words = splitWords(bytes, 0, bytes.length);
  if (words === null) return "quotes";
  const [name = "", ...rest] = words.map((word) => word.toString());
  const known = name.toLowerCase();
  return { name: OLDER_NAMES[known] ?? known, words: rest, place };
}

function faultOf({ name, words }: Directive): string | undefined {
  const known = [...redisNames, ...otherDirectives];
  if (!known.includes(name)) {
    return `"${name}" is no directive of Redis 7.0${suggestion(name, known)}`;
  }
  const takesSeveral = severalWords.has(name) || !redisNames.includes(name);
  if (words.length === 0 || (words.length > 1 && !takesSeveral && name !== "include")) {
    return `${name}: wrong number of arguments`;
  }
  return refusalOf(name, words) === null ? undefined : `${name}: ${refusalOf(name, words)}`;
}

/** A file, or all that a pattern finds; of a pattern none is no fault. */
async function include(
  { words, place }: Directive,
  depth: number,
  reading: Reading,
): Promise<void> {
  const fault = (message: string) => reading.issues.push({ place, path: "", message });
  for (const word of words) {
    const path = resolve(reading.currentFolder, word);
    const isPattern = /[*?[]/.test(word);
    if (depth > MAX_INCLUDES) fault(`include: more than ${MAX_INCLUDES} files deep`);
    else if (isPattern && /[*?[]/.test(dirname(word))) fault("include: a pattern of folders");
    else if (isPattern)
      for (const one of await matching(path, reading)) await readFile(one, depth, reading);
    else if (await reading.files.exists(path)) await readFile(path, depth, reading);
    else fault(`include: there is no file ${word}`);
  }
}

async function matching(pattern: string, { files }: Reading): Promise<string[]> {
  const folder = dirname(pattern);
  if (!(await files.exists(folder))) return [];
  const glob = new Bun.Glob(basename(pattern));
  const names = (await files.list(folder)).filter((name) => glob.match(name));
  return names.map((name) => join(folder, name));
}

function configOf(all: readonly Directive[], currentFolder: string, issues: Issue[]): RedisConfig {
  const directives = combined(all);
  const overlay: Overlay = {
    config: {
      dir: currentFolder,
      // Redis's defaults where ours are others: who comes with this file expects them.
      persistence: { use: "aof", appendonly: false, fsync: "everysec", save: REDIS_SAVE },
      frontends: [{ use: SERVER_FRONTEND, bind: ["*", "-::*"] }],
    },
    origins: new Map(),
    issues,
    currentFolder,
  };
  // Redis goes there as soon as it reads it, so that other paths are relative to it.
  const dir = directives.find(({ name }) => name === "dir");
  const folder = resolve(currentFolder, dir?.words[0] ?? "");
  const parameters: Record<string, string> = {};
  const users: Record<string, string> = {};
  for (const directive of directives) {
    const { name, place } = directive;
    if (name === "user") {
      const [user = "", ...rules] = directive.words;
      users[user] = [...(user === DEFAULT_USER ? ["reset"] : []), ...rules].join(" ");
      overlay.origins.set(pointerOf(["users", user]), place);
      continue;
    }
    const given = givenBy(directive);
    if (given === undefined) parameters[name] = directive.words.join(" ");
    else if (!isNothing(given)) {
      lay([given], { ...overlay, currentFolder: name === "dir" ? currentFolder : folder });
    }
    if (given === undefined) overlay.origins.set(pointerOf(["parameters", name]), place);
  }
  return {
    value: { ...overlay.config, parameters, users },
    placeOf: (pointer) => originIn(pointer, overlay),
  };
}

/** The lines of a name as one: the last one, or all of them where they add up. */
function combined(directives: readonly Directive[]): Directive[] {
  const byName = new Map<string, Directive>();
  for (const directive of directives) {
    const { name, words, place } = directive;
    const before = additive.has(name) ? (byName.get(name)?.words ?? []) : [];
    // `save ""` forgets those before it.
    const joined = words.join("") === "" ? [] : [...before, ...words];
    // Each line of a user is one of its own.
    byName.set(name === "user" ? `user ${words[0]}` : name, { name, words: joined, place });
  }
  return [...byName.values()];
}

function givenBy({ name, words, place }: Directive): Given | undefined {
  const setting = settingOf(name);
  return setting && { setting, text: words.join(" "), place };
}

/** `unixsocket ""` and `logfile ""`: there is none. */
function isNothing({ setting, text }: Given): boolean {
  return setting.kind === "path" && text === "";
}
