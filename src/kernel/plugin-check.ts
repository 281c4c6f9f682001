/**
 * Whether what a third-party module exports is a plugin that this kvdb can run. A plugin is code
 * that somebody wrote in an afternoon: each refusal says what to change. Every fault of one plugin
 * is told, not the first alone.
 */
import { API_VERSION } from "../plugin.ts";
import { suggestion } from "../suggest.ts";
import { type AnyPlugin, type Contribution, reservedNames } from "./builtins.ts";

export const contributions: readonly Contribution[] = [
  "commands",
  "indexes",
  "persistence",
  "frontend",
];

const members = ["name", "apiVersion", "schema", ...contributions];

/** Begins with a letter: it is a word of log lines, of messages and of the configuration. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

export type PluginCheck =
  | { readonly plugin: AnyPlugin; readonly faults?: never }
  | { readonly plugin?: never; readonly faults: readonly string[] };

export function checkPlugin(
  exported: unknown,
  builtinNames: readonly string[],
  takenBy: ReadonlyMap<string, string>,
): PluginCheck {
  if (typeof exported !== "object" || exported === null) {
    const found = exported === undefined ? "none" : `a ${typeof exported}`;
    return { faults: [`expected a plugin object as default export, found ${found}`] };
  }
  const candidate = exported as Record<string, unknown>;
  const faults = [
    ...nameFaults(candidate["name"], builtinNames, takenBy),
    ...versionFaults(candidate["apiVersion"]),
    ...memberFaults(candidate),
  ];
  return faults.length > 0 ? { faults } : { plugin: exported as AnyPlugin };
}

export function nameFaults(
  name: unknown,
  builtinNames: readonly string[],
  takenBy: ReadonlyMap<string, string>,
): string[] {
  if (typeof name !== "string" || !NAME.test(name)) {
    const found = name === undefined ? "none" : (JSON.stringify(name) ?? typeof name);
    return [`expected a name of small letters, digits and "-", found ${found}`];
  }
  if (builtinNames.includes(name) || reservedNames.includes(name)) {
    return [`the name "${name}" is reserved for kvdb itself`];
  }
  const other = takenBy.get(name);
  return other === undefined ? [] : [`the name "${name}" is taken by "${other}"`];
}

function versionFaults(version: unknown): string[] {
  if (version === API_VERSION) return [];
  const found = version === undefined ? "none" : (JSON.stringify(version) ?? typeof version);
  return [`expected apiVersion ${API_VERSION}, found ${found}`];
}

function memberFaults(candidate: Record<string, unknown>): string[] {
  const faults: string[] = [];
  const { schema } = candidate;
  if (schema !== undefined && (typeof schema !== "object" || schema === null)) {
    faults.push(`expected a JSON Schema object as schema, found a ${typeof schema}`);
  }
  const present = contributions.filter((member) => candidate[member] !== undefined);
  for (const member of present) {
    if (typeof candidate[member] === "function") continue;
    faults.push(`expected a function as ${member}, found a ${typeof candidate[member]}`);
  }
  if (present.length === 0) faults.push(`brings nothing, ${nearMiss(candidate)}`);
  return faults;
}

function nearMiss(candidate: Record<string, unknown>): string {
  const expected = `expected at least one of ${contributions.join(", ")}`;
  const strange = Object.keys(candidate).filter((key) => !members.includes(key));
  const guesses = strange.map((key) => suggestion(key, contributions));
  return expected + (guesses.find((guess) => guess !== "") ?? "");
}
