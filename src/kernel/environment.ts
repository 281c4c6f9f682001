/**
 * Settings from variables KVDB_…. An unknown one that looks like a mistyped known one is an error,
 * as an unknown key is in a file; others are left alone, because container systems make variables
 * of a service's name on their own (KVDB_SERVICE_HOST, KVDB_PORT_6379_TCP).
 */

import { nearestName } from "../suggest.ts";
import type { Issue } from "./config-issues.ts";
import { CONFIG_VARIABLE, type Given, settings, variableOf } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const known = new Map(settings.map((setting) => [variableOf(setting), setting]));

/**
 * In the order of the table of settings. An empty variable counts as absent, as everywhere in a
 * shell.
 */
export function readEnvironment(environment: Environment): { given: Given[]; issues: Issue[] } {
  const given: Given[] = [];
  for (const [variable, setting] of known) {
    const text = environment[variable];
    if (text !== undefined && text !== "") given.push({ setting, text, place: variable });
  }
  return { given, issues: findMistyped(environment) };
}

function findMistyped(environment: Environment): Issue[] {
  const names = [...known.keys(), CONFIG_VARIABLE];
  const issues: Issue[] = [];
  for (const variable of Object.keys(environment).sort()) {
    if (!variable.startsWith("KVDB_") || names.includes(variable)) continue;
    // The prefix would make short names alike: only what follows it is compared.
    const nearest = nearestName(
      variable.slice(5),
      names.map((name) => name.slice(5)),
    );
    if (nearest === undefined) continue;
    const message = `unknown variable; did you mean "KVDB_${nearest}"?`;
    issues.push({ place: variable, path: "", message });
  }
  return issues;
}
