/**
 * The commands that rules of users name: each has a number, its place in the bitmaps of permissions, and its categories.
 * A number is never given twice; commands of plugins get theirs when they are registered. None has one before somebody asks:
 * as long as every user may do everything, nobody does.
 */
import { ACL_CATEGORIES, type AclCategory, aclCategories } from "../commands/acl-categories.ts";
import type { Command } from "../commands/command.ts";
import type { CommandCatalog } from "../session/server.ts";

export interface NumberedCommand {
  readonly number: number;
  /** As rules and errors write it: `config|get`. */
  readonly name: string;
  readonly categories: ReadonlySet<AclCategory>;
  /** Null for one that is no subcommand. */
  readonly container: NumberedCommand | null;
  readonly subcommands: NumberedCommand[];
}

export class CommandNumbers {
  readonly #catalog: CommandCatalog;
  readonly #byCommand = new Map<Command, NumberedCommand>();
  readonly #byName = new Map<string, NumberedCommand>();
  #areGiven = false;

  constructor(catalog: CommandCatalog) {
    this.#catalog = catalog;
  }

  /** Those that have come since the last time; none while none has a number: nobody's rules know of any. */
  takeNew(): readonly NumberedCommand[] {
    return this.#areGiven ? this.#numberNew() : [];
  }

  #give(): void {
    if (this.#areGiven) return;
    this.#areGiven = true;
    this.#numberNew();
  }

  #numberNew(): readonly NumberedCommand[] {
    const found: NumberedCommand[] = [];
    for (const command of this.#catalog.all()) {
      if (!this.#byCommand.has(command)) found.push(this.#add(command));
    }
    return found;
  }

  #add(command: Command): NumberedCommand {
    const name = command.name.toLowerCase();
    const [container = ""] = name.split("|");
    const numbered: NumberedCommand = {
      number: this.#byCommand.size,
      name,
      categories: new Set(aclCategories(command)),
      container: container === name ? null : (this.#byName.get(container) ?? null),
      subcommands: [],
    };
    numbered.container?.subcommands.push(numbered);
    this.#byCommand.set(command, numbered);
    this.#byName.set(name, numbered);
    return numbered;
  }

  get count(): number {
    this.#give();
    return this.#byCommand.size;
  }

  of(command: Command): NumberedCommand | undefined {
    this.#give();
    return this.#byCommand.get(command);
  }

  /** In any case; a subcommand is `config|get`. */
  named(name: string): NumberedCommand | undefined {
    this.#give();
    return this.#byName.get(name.toLowerCase());
  }

  all(): Iterable<NumberedCommand> {
    this.#give();
    return this.#byCommand.values();
  }
}

export function categoryNamed(name: string): AclCategory | undefined {
  const word = name.toLowerCase();
  return ACL_CATEGORIES.find((category) => category === word);
}
