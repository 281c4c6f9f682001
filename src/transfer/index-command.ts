/** The definition of an index, as it is kept and as files have it, as the command that makes the index. */
import type { Part } from "../client/link.ts";
import { DefinitionError, definitionWords, readDefinition } from "../index/definition.ts";
import { ItemProblem } from "./entry.ts";

/** `definition`: JSON. Throws an ItemProblem. */
export function indexCommand(name: string, definition: string): readonly Part[] {
  try {
    return ["INDEX", "CREATE", ...definitionWords(readDefinition(name, JSON.parse(definition)))];
  } catch (error) {
    if (!(error instanceof DefinitionError || error instanceof SyntaxError)) throw error;
    throw new ItemProblem(`the definition of the index "${name}": ${error.message}`);
  }
}
