/**
 * The key `parameters` of the configuration: what CONFIG SET would be given, set before anything is opened. Only what no
 * other key stands for, so that there is one place for each setting; a frontend's options are let through, for who starts
 * it by `kvdb serve` and has no entry for it.
 */
import { CommandError } from "../commands/command-error.ts";
import { suggestion } from "../suggest.ts";
import { type Issue, issuesError } from "./config-issues.ts";
import type { Host } from "./context.ts";
import { pathOf, pointerOf } from "./json-pointer.ts";
import { settingOf } from "./parameter-place.ts";
import { textOfValue } from "./setting-values.ts";

/** `allAreThere`: otherwise a name may be of a frontend that was not made. Throws a KvdbError CONFIG with all that is wrong. */
export function setParameters(
  { config, engine, placeOf }: Pick<Host, "config" | "engine" | "placeOf">,
  { allAreThere }: { readonly allAreThere: boolean },
): void {
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(config.parameters)) {
    const parameter = engine.parameters.get(name);
    if (parameter === undefined && !allAreThere) continue;
    const message =
      keyOf(name) ?? set(name, textOfValue({ kind: "yesno" }, value), engine.parameters);
    if (message === undefined) continue;
    const pointer = pointerOf(["parameters", name]);
    issues.push({ place: placeOf(pointer), path: pathOf(pointer), message });
  }
  if (issues.length > 0) throw issuesError(issues);
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
  parameters: Host["engine"]["parameters"],
): string | undefined {
  const parameter = parameters.get(name);
  if (parameter === undefined) {
    const settable = [...parameters.values()].filter((one) => one.set && !one.aliasOf);
    return `unknown parameter${suggestion(
      name,
      settable.map((one) => one.name),
    )}`;
  }
  if (parameter.aliasOf !== undefined) return `is called "${parameter.aliasOf}"`;
  if (parameter.set === undefined) return "cannot be set";
  try {
    parameter.set(text);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof CommandError) return thrown.message;
    throw thrown;
  }
}
