/**
 * Where in a configuration file a parameter of CONFIG stands: the key that the table of settings names for it, else
 * `parameters`. Knows nothing of how a file is written.
 */
import type { Config } from "./config.ts";
import { nameOf, SERVER_FRONTEND } from "./overlay.ts";
import type { Use } from "./schema.ts";
import { valueOfText } from "./setting-values.ts";
import { type Setting, settings } from "./settings.ts";

/** A place of the file and what is to stand there. */
export interface Placed {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

const byName = new Map(settings.map((setting) => [setting.name, setting]));

export function settingOf(parameter: string): Setting | undefined {
  return byName.get(parameter);
}

/** `file`: the value of the file as it is now; `text` as CONFIG has it. */
export function placeParameter(name: string, text: string, file: unknown, config: Config): Placed {
  const setting = byName.get(name);
  if (setting === undefined) return ofItsOwn(name, text);
  const { target } = setting;
  const value = valueOfText(setting, text, config.folder);
  switch (target.of) {
    case "config":
      return { path: target.path, value };
    case "resp":
      return inFrontend(target.option, value, file) ?? ofItsOwn(name, text);
    case "appendonly":
      return inPersistence(["appendonly"], text === "yes", file, config.persistence);
    default: {
      const member = "member" in target ? target.member : undefined;
      const option = [target.option, ...(member === undefined ? [] : [member])];
      return inPersistence(option, value, file, config.persistence);
    }
  }
}

/** A number where it is one: people write it so. */
function ofItsOwn(name: string, text: string): Placed {
  const value = /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
  return { path: ["parameters", name], value };
}

/** Undefined: the file has no such frontend, `kvdb serve` brought it. */
function inFrontend(option: string, value: unknown, file: unknown): Placed | undefined {
  const { frontends } = file as { frontends?: unknown };
  if (!Array.isArray(frontends)) return undefined;
  const index = frontends.findIndex((entry) => nameOf(entry) === SERVER_FRONTEND);
  if (index < 0) return undefined;
  if (typeof frontends[index] !== "string") return { path: ["frontends", index, option], value };
  return { path: ["frontends", index], value: { use: SERVER_FRONTEND, [option]: value } };
}

function inPersistence(
  option: readonly string[],
  value: unknown,
  file: unknown,
  { use, options }: Use,
): Placed {
  const { persistence } = file as { persistence?: unknown };
  const isObject = typeof persistence === "object";
  if (isObject && nameOf(persistence) === use) return { path: ["persistence", ...option], value };
  // Not in the file, or another one than was started: an option or a variable chose it. One that came with Redis's files
  // has no append-only file unless it is said; named in the file, it would have one.
  const appendonly = persistence === undefined ? options["appendonly"] : undefined;
  const inner = option.reduceRight<unknown>((made, key) => ({ [key]: made }), value) as object;
  return {
    path: ["persistence"],
    value: { use, ...(appendonly === undefined ? {} : { appendonly }), ...inner },
  };
}
