/**
 * The names that README.md gives in backticks, against those that exist: options, variables,
 * commands, keys of the configuration, npm scripts. A word that looks like none of them is not
 * judged.
 */
import type { Piece } from "./document.ts";

export interface KnownNames {
  /** With their dashes. */
  readonly options: ReadonlySet<string>;
  readonly variables: ReadonlySet<string>;
  /** In upper case, `CLIENT LIST` for a subcommand. */
  readonly commands: ReadonlySet<string>;
  /** What may follow `kvdb`, besides commands. */
  readonly words: ReadonlySet<string>;
  /** `memory.max`, `persistence.fsync`; and each last part alone. */
  readonly keys: ReadonlySet<string>;
  /** What an error reply may begin with. */
  readonly replyCodes: ReadonlySet<string>;
  readonly scripts: ReadonlySet<string>;
}

/** One line for each name that does not exist. */
export function unknownNames(pieces: readonly Piece[], known: KnownNames): string[] {
  return pieces.flatMap(({ line, text }) =>
    namesIn(text)
      .filter(({ kind, name }) => !known[kind].has(name))
      .filter(({ kind, name }) => kind !== "commands" || !known.replyCodes.has(name))
      .map(({ kind, name }) => `line ${line}: ${name} is not among the ${kind}`),
  );
}

interface Name {
  readonly kind: keyof KnownNames;
  readonly name: string;
}

function namesIn(text: string): Name[] {
  const names: Name[] = [];
  const add = (kind: Name["kind"], found: Iterable<RegExpMatchArray>) => {
    for (const [, name] of found) names.push({ kind, name });
  };
  if (!/^npm (install|run) /.test(text)) add("options", text.matchAll(/(?:^|\s)(--[a-z][a-z-]*)/g));
  add("variables", text.matchAll(/\b(KVDB_[A-Z_]+)/g));
  add("scripts", text.matchAll(/^npm (?:run )?((?!install|run|pack)[a-z:]+)/g));
  add("words", text.matchAll(/(?:^|\s)kvdb (?:--(?:dir|config) \S+ |--\S+ )*([a-z][a-z.]*)/g));
  add("commands", text.matchAll(/^(?!KVDB_)([A-Z][A-Z_.]+(?: [A-Z-]{2,})?)(?=$|\s|\))/g));
  add("keys", text.matchAll(/^([a-z]+\.[a-z][A-Za-z-]*)$/g));
  add("keys", text.matchAll(/^([a-zA-Z-]+): \S+$/g));
  return names.filter(({ kind, name }) => kind !== "keys" || !FILE_NAME.test(name));
}

const FILE_NAME = /\.(json|jsonc|ts|yaml|yml|toml|md|log|sock)$/;
