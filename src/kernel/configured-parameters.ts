/**
 * The key `parameters` of the configuration: what CONFIG SET would be given, set before anything is opened. Only what no
 * other key stands for, so that there is one place for each setting; a frontend's options are let through, for who starts
 * it by `kvdb serve` and has no entry for it.
 */
import { CommandError } from "../commands/command-error.ts";
import type { ServerParameter } from "../session/server.ts";
import { suggestion } from "../suggest.ts";
import { type Issue, issuesError } from "./config-issues.ts";
import type { Host } from "./context.ts";
import { pathOf, pointerOf } from "./json-pointer.ts";
import { settingOf } from "./parameter-place.ts";
import { textOfValue } from "./setting-values.ts";

export interface SetOptions {
  /** Otherwise a name may be of a frontend that was not made. */
  readonly allAreThere: boolean;
  /** They are from a redis.conf: what has no effect here is no fault. */
  readonly ofRedis: boolean;
}

/** Answers which have no effect. Throws a KvdbError CONFIG with all that is wrong. */
export function setParameters(
  { config, engine, placeOf }: Pick<Host, "config" | "engine" | "placeOf">,
  { allAreThere, ofRedis }: SetOptions,
): string[] {
  const issues: Issue[] = [];
  const idle: string[] = [];
  for (const [name, value] of Object.entries(config.parameters)) {
    const parameter = engine.parameters.get(name);
    if (parameter === undefined && !allAreThere) continue;
    const text = textOfValue({ kind: "yesno" }, value);
    if (ofRedis && hasNoEffect(parameter, text)) {
      idle.push(name);
      continue;
    }
    const message =
      (ofRedis ? undefined : keyOf(name)) ??
      set(name, text, { parameters: engine.parameters, ofRedis });
    if (message === undefined) continue;
    const pointer = pointerOf(["parameters", name]);
    issues.push({ place: placeOf(pointer), path: pathOf(pointer), message });
  }
  if (issues.length > 0) throw issuesError(issues);
  return idle;
}

/** What cannot be had; saying what is so anyway is no more than that. */
function hasNoEffect(parameter: ServerParameter | undefined, text: string): boolean {
  if (parameter === undefined) return true;
  const isFixed = parameter.set === undefined || parameter.isFixed === true;
  return isFixed && parameter.get() !== text.toLowerCase();
}

/** Why it does not stand here: another key has it. */
function keyOf(name: string): string | undefined {
  const target = settingOf(name)?.target;
  if (target === undefined || target.of === "resp") return undefined;
  const path =
    target.of === "config"
      ? target.path
      : target.of === "appendonly"
        ? ["persistence"]
        : ["persistence", target.option, ...("member" in target ? [target.member] : [])];
  return `is the key "${path.join(".")}"`;
}

/** Why it cannot be set; undefined: it is. */
function set(
  name: string,
  text: string,
  { parameters, ofRedis }: Pick<Host["engine"], "parameters"> & Pick<SetOptions, "ofRedis">,
): string | undefined {
  const parameter = parameters.get(name);
  if (parameter === undefined) {
    const settable = [...parameters.values()].filter((one) => one.set && !one.aliasOf);
    return `unknown parameter${suggestion(
      name,
      settable.map((one) => one.name),
    )}`;
  }
  if (parameter.aliasOf !== undefined && !ofRedis) return `is called "${parameter.aliasOf}"`;
  if (parameter.set === undefined) return ofRedis ? undefined : "cannot be set";
  try {
    parameter.set(text);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof CommandError) return thrown.message;
    throw thrown;
  }
}
