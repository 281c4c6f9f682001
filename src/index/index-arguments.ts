/**
 * INDEX CREATE's arguments as a definition:
 *
 *   name USING kind FIELD path[,path] [PREFIX prefix] [UNIQUE] [SPARSE] [WHERE filter] [option value …]
 *
 * in any order behind the name.
 */
import { isUtf8 } from "node:buffer";
import type { Arguments } from "../commands/arguments.ts";
import { CommandError } from "../commands/command-error.ts";
import { splitPaths } from "../query/field-path.ts";
import { type IndexDefinition, requireName } from "./definition.ts";

/** Words with a value behind them, and what they are called in a definition. */
const WITH_VALUE = { USING: "use", FIELD: "field", PREFIX: "prefix", WHERE: "where" } as const;
const FLAGS = { UNIQUE: "isUnique", SPARSE: "isSparse" } as const;

/** `from`: where the name stands. Throws a CommandError, or a DefinitionError for a name that cannot be. */
export function readIndexArguments(args: Arguments, from: number): IndexDefinition {
  const name = textAt(args, from);
  requireName(name);
  const values = new Map<string, string>();
  const options: Record<string, string> = {};
  for (let i = from + 1; i < args.count; i++) {
    const word = textAt(args, i);
    const upper = word.toUpperCase();
    if (Object.hasOwn(FLAGS, upper)) {
      values.set(upper, "");
      continue;
    }
    if (i + 1 === args.count) throw new CommandError("ERR", `a value is missing behind ${word}`);
    const value = textAt(args, ++i);
    const isOwn = Object.hasOwn(WITH_VALUE, upper);
    if (isOwn ? values.has(upper) : Object.hasOwn(options, word.toLowerCase())) {
      throw new CommandError("ERR", `${word} is given twice`);
    }
    if (isOwn) values.set(upper, value);
    else options[word.toLowerCase()] = value;
  }
  return {
    name,
    use: required(values, "USING", "a kind of index"),
    fields: splitPaths(required(values, "FIELD", "a path")).map(({ part }) => part),
    prefix: values.get("PREFIX") ?? "",
    isUnique: values.has("UNIQUE"),
    isSparse: values.has("SPARSE"),
    where: values.get("WHERE") ?? "",
    options,
  };
}

function required(values: ReadonlyMap<string, string>, word: string, what: string): string {
  const value = values.get(word);
  if (value === undefined || value === "") {
    throw new CommandError("ERR", `expected ${word} with ${what} behind it`);
  }
  return value;
}

/** A definition is kept as text. */
function textAt(args: Arguments, index: number): string {
  const bytes = args.bytes(index);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  throw new CommandError("ERR", `argument ${index} is no UTF-8 text`);
}
