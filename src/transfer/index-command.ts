/** The definition of an index, as it is kept and as files have it, as the command that makes the index. */
import type { Part } from "../client/link.ts";
import { definitionWords, readDefinition } from "../index/definition.ts";

/** `definition`: JSON. Throws a DefinitionError, or a SyntaxError. */
export function indexCommand(name: string, definition: string): readonly Part[] {
  return ["INDEX", "CREATE", ...definitionWords(readDefinition(name, JSON.parse(definition)))];
}
