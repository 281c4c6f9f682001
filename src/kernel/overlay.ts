/**
 * Lays what the environment and the options say over what the file says, and remembers which place
 * of the configuration came from where, so that a wrong `--port` is reported as `--port` and not as
 * a line of the file. Judges no value: the schemas do, afterwards, on the result.
 */
import type { Issue } from "./config-issues.ts";
import { pointerOf } from "./json-pointer.ts";
import { DEFAULT_PERSISTENCE, SHELL_FRONTEND } from "./schema.ts";
import { valueOfText } from "./setting-values.ts";
import type { Given } from "./settings.ts";

/** A configuration of which only the outermost shape is known. */
type Loose = Record<string, unknown>;

export interface Overlay {
  readonly config: Loose;
  /** JSON Pointer to what set it last. */
  readonly origins: Map<string, string>;
  readonly issues: Issue[];
  readonly currentFolder: string;
}

export const SERVER_FRONTEND = "resp";
/** The persistence that keeps them. */
const REDIS_FILES = "aof";

/** Changes `overlay.config`. Later entries of `given` win. */
export function lay(given: readonly Given[], overlay: Overlay): void {
  const choice = { isNamed: overlay.config["persistence"] !== undefined, appendonly: undefined };
  for (const one of given) apply(one, overlay, choice);
}

/** What is known of the persistence while settings are laid over. */
interface Choice {
  /** The file names one. */
  readonly isNamed: boolean;
  /** As a setting said it; undefined: none did. */
  appendonly: boolean | undefined;
}

/**
 * `kvdb serve`: the frontend resp, with the options that the file gives it, and the others of the file; but no shell, which
 * would end with its terminal.
 */
export function serveOnly(overlay: Overlay): void {
  const kept = entriesOf(overlay.config).filter((entry) => nameOf(entry) !== SHELL_FRONTEND);
  const hasServer = kept.some((entry) => nameOf(entry) === SERVER_FRONTEND);
  overlay.config["frontends"] = hasServer ? kept : [{ use: SERVER_FRONTEND }, ...kept];
}

function apply(given: Given, overlay: Overlay, choice: Choice): void {
  const { target } = given.setting;
  switch (target.of) {
    case "config":
      setPath(target.path, given, overlay);
      break;
    case "persistence":
      setPersistenceOption(target, given, overlay);
      break;
    case "resp":
      setServerOption(target.option, given, overlay);
      break;
    case "redisFiles":
      chooseRedisFiles(given, overlay, choice);
      setPersistenceOption(target, given, overlay);
      break;
    case "appendonly":
      choosePersistence(given, overlay, choice);
      break;
  }
}

function setPath(path: readonly string[], given: Given, overlay: Overlay): void {
  let holder = overlay.config;
  for (const key of path.slice(0, -1)) holder = objectAt(holder, key);
  holder[path[path.length - 1]] = valueOfText(given.setting, given.text, overlay.currentFolder);
  overlay.origins.set(pointerOf(path), given.place);
}

function setPersistenceOption(
  { option, member }: { readonly option: string; readonly member?: string },
  given: Given,
  overlay: Overlay,
): void {
  const entry = expanded(overlay.config["persistence"] ?? DEFAULT_PERSISTENCE);
  overlay.config["persistence"] = entry;
  const path = ["persistence", option];
  // The object is made for it: when the persistence takes none, this is who is told so.
  if (entry[option] === undefined) overlay.origins.set(pointerOf(path), given.place);
  setPath(member === undefined ? path : [...path, member], given, overlay);
}

/** The first entry of resp, if the configuration has one; with none the setting concerns nobody. */
function setServerOption(option: string, given: Given, overlay: Overlay): void {
  const entries = entriesOf(overlay.config);
  const index = entries.findIndex((entry) => nameOf(entry) === SERVER_FRONTEND);
  if (index < 0) return;
  const entry = expanded(entries[index]);
  entry[option] = valueOfText(given.setting, given.text, overlay.currentFolder);
  overlay.config["frontends"] = entries.with(index, entry);
  overlay.origins.set(pointerOf(["frontends", index, option]), given.place);
}

/**
 * Yes and no as Redis's configuration says them; the options of a persistence that stays are kept.
 */
function choosePersistence(given: Given, overlay: Overlay, choice: Choice): void {
  const word = given.text.toLowerCase();
  if (word !== "yes" && word !== "no") {
    const message = `expected "yes" or "no", found ${JSON.stringify(given.text)}`;
    overlay.issues.push({ place: given.place, path: "", message });
    return;
  }
  if (nameOf(overlay.config["persistence"]) === REDIS_FILES) {
    overlay.config["persistence"] = {
      ...expanded(overlay.config["persistence"]),
      appendonly: word === "yes",
    };
    overlay.origins.set(pointerOf(["persistence", "appendonly"]), given.place);
    return;
  }
  choice.appendonly = word === "yes";
  const chosen = word === "yes" ? DEFAULT_PERSISTENCE : "none";
  if (nameOf(overlay.config["persistence"] ?? DEFAULT_PERSISTENCE) === chosen) return;
  overlay.config["persistence"] = { use: chosen };
  overlay.origins.set("/persistence", given.place);
}

/**
 * Who says what Redis's files are called wants Redis's files, unless a file names another persistence; and, as in
 * Redis, no append-only file that nobody asked for.
 */
function chooseRedisFiles(given: Given, overlay: Overlay, choice: Choice): void {
  if (choice.isNamed || nameOf(overlay.config["persistence"]) === REDIS_FILES) return;
  const appendonly = choice.appendonly ?? false;
  overlay.config["persistence"] = { use: REDIS_FILES, appendonly };
  overlay.origins.set("/persistence", given.place);
}

function entriesOf(config: Loose): unknown[] {
  return Array.isArray(config["frontends"]) ? config["frontends"] : [];
}

export function nameOf(entry: unknown): unknown {
  return typeof entry === "object" && entry !== null ? (entry as Loose)["use"] : entry;
}

function expanded(entry: unknown): Loose {
  return typeof entry === "object" && entry !== null ? { ...entry } : { use: entry };
}

function objectAt(holder: Loose, key: string): Loose {
  const present = holder[key];
  const object = typeof present === "object" && present !== null ? { ...present } : {};
  holder[key] = object;
  return object as Loose;
}

/** What set a place, or the nearest place around it that was set as a whole. */
export function originIn(pointer: string, overlay: Overlay): string | undefined {
  for (let place = pointer; place !== ""; place = place.slice(0, place.lastIndexOf("/"))) {
    const origin = overlay.origins.get(place);
    if (origin !== undefined) return origin;
  }
  return undefined;
}
