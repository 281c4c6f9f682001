/**
 * The plugins that are known by name, built-in and third-party, and what each brings. Says which
 * plugin a name of the configuration means, or what is wrong with the name.
 */

import { nearestName, suggestion } from "../suggest.ts";
import type { AnyPlugin, Builtins, Contribution } from "./builtins.ts";
import { contributions } from "./plugin-check.ts";
import type { Use } from "./schema.ts";
import type { Validator } from "./validation.ts";

/** A third-party plugin that was imported and checked. */
export interface ThirdParty {
  readonly plugin: AnyPlugin;
  /** Its entry in `plugins`: the path or package, and options that hold for all it brings. */
  readonly entry: Use;
  /** Where the entry stands, a JSON Pointer. */
  readonly pointer: string;
  /** Undefined: it has no schema, so it takes no options. */
  readonly validator: Validator | undefined;
}

export class Registry {
  readonly #builtins: Builtins;
  readonly #thirdParty = new Map<string, ThirdParty>();

  constructor(builtins: Builtins) {
    this.#builtins = builtins;
  }

  add(plugin: ThirdParty): void {
    this.#thirdParty.set(plugin.plugin.name, plugin);
  }

  thirdParty(name: string): ThirdParty | undefined {
    return this.#thirdParty.get(name);
  }

  allThirdParty(): Iterable<ThirdParty> {
    return this.#thirdParty.values();
  }

  /** Names of built-in plugins that bring something. */
  builtinsWith(contribution: Contribution): string[] {
    const all = Object.entries(this.#builtins);
    return all.filter(([, { brings }]) => brings.includes(contribution)).map(([name]) => name);
  }

  builtin(name: string): Builtins[string] | undefined {
    return Object.hasOwn(this.#builtins, name) ? this.#builtins[name] : undefined;
  }

  /** No known plugin has the name, nor one like it. */
  isStrange(name: string): boolean {
    return nearestName(name, this.#names()) === undefined;
  }

  #names(): string[] {
    return [...Object.keys(this.#builtins), ...this.#thirdParty.keys()];
  }

  /** Undefined when the name is right. */
  fault(name: string, wanted: Contribution): string | undefined {
    if (this.#brings(name, wanted)) return undefined;
    const known = this.#names();
    if (known.includes(name)) return `plugin "${name}" brings no ${wanted}`;
    const fitting = known.filter((one) => this.#brings(one, wanted));
    const list = fitting.map((one) => `"${one}"`).join(", ");
    return `unknown ${wanted} "${name}", expected one of ${list}${suggestion(name, fitting)}`;
  }

  #brings(name: string, wanted: Contribution): boolean {
    const builtin = this.builtin(name);
    if (builtin !== undefined) return builtin.brings.includes(wanted);
    return this.#thirdParty.get(name)?.plugin[wanted] !== undefined;
  }
}

/**
 * Third-party plugins that were listed and bring nothing that runs: the configuration forgot to
 * name them.
 */
export function unusedWarnings(registry: Registry, used: ReadonlySet<string>): string[] {
  const warnings: string[] = [];
  for (const { plugin } of registry.allThirdParty()) {
    if (plugin.commands !== undefined || plugin.indexes !== undefined) continue;
    if (used.has(plugin.name)) continue;
    const brings = contributions.filter((member) => plugin[member] !== undefined).join(" and ");
    warnings.push(`plugin "${plugin.name}" brings a ${brings} that the configuration does not use`);
  }
  return warnings;
}
