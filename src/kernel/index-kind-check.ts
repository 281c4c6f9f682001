/** Whether what a plugin's `indexes` returned are kinds of indexes. Every fault is told, with what to change. */
import { DEFINITION_WORDS } from "../index/definition.ts";
import type { IndexKind } from "../plugin.ts";

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const ABILITIES = ["unique", "compound", "databaseKeys"];

export interface IndexKindCheck {
  /** Those without a fault. */
  readonly kinds: readonly IndexKind[];
  readonly faults: readonly string[];
}

export function checkIndexKinds(made: unknown, taken: ReadonlySet<string>): IndexKindCheck {
  if (!Array.isArray(made)) return { kinds: [], faults: ["indexes returned no array"] };
  const faults: string[] = [];
  const names = new Set(taken);
  const kinds = made.filter((kind: unknown, index) => {
    const found = faultsOf(kind, names);
    const name = (kind as { name?: unknown } | null)?.name;
    const title = typeof name === "string" ? `index kind "${name}"` : `index kind ${index + 1}`;
    faults.push(...found.map((fault) => `${title}: ${fault}`));
    if (typeof name === "string") names.add(name);
    return found.length === 0;
  });
  return { kinds, faults };
}

function faultsOf(kind: unknown, names: ReadonlySet<string>): string[] {
  if (typeof kind !== "object" || kind === null)
    return [`expected an object, found ${typeof kind}`];
  const { name, summary, supports, create } = kind as Record<string, unknown>;
  const faults: string[] = [];
  if (typeof name !== "string" || !NAME.test(name)) {
    faults.push('expected a name of small letters, digits and "-"');
  } else if (names.has(name)) faults.push("the name is taken");
  if (typeof summary !== "string" || summary === "") faults.push("expected a summary of one line");
  if (typeof create !== "function")
    faults.push(`expected a function as create, found ${typeof create}`);
  for (const ability of ABILITIES) {
    const value = (supports as Record<string, unknown> | undefined)?.[ability];
    if (typeof value !== "boolean") faults.push(`expected supports.${ability} to be true or false`);
  }
  return [...faults, ...optionFaults((kind as Record<string, unknown>)["options"])];
}

function optionFaults(options: unknown): string[] {
  if (options === undefined) return [];
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return ["expected an object as options, an entry for each"];
  }
  return Object.entries(options).flatMap(([name, option]) => {
    if (DEFINITION_WORDS.includes(name))
      return [`option "${name}": every definition has that word`];
    if (!NAME.test(name)) return [`option "${name}": expected small letters, digits and "-"`];
    const values = (option as { values?: unknown } | null)?.values;
    const areTexts = Array.isArray(values) && values.every((one) => typeof one === "string");
    return values === undefined || areTexts ? [] : [`option "${name}": expected texts as values`];
  });
}
