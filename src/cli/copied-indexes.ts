/** The definitions of the indexes of a kvdb, out of it and into another one: there each is built when it is made. */
import type { Part } from "../client/link.ts";
import { KvdbError } from "../errors.ts";
import { definitionWords, readDefinition } from "../index/definition.ts";
import type { Answer } from "../resp/answer.ts";

export interface CopiedIndex {
  readonly name: string;
  /** INDEX CREATE … */
  readonly command: readonly Part[];
}

/** Of what INDEX INFO answered. Throws a KvdbError UNAVAILABLE when that is none. */
export function copiedIndexes(answer: Answer): readonly CopiedIndex[] {
  if (answer.kind !== "array") throw strange();
  return answer.items.map((item) => {
    if (item.kind !== "map") throw strange();
    const lines = new Map(item.entries.map(([name, value]) => [textOf(name), value]));
    return indexOf(textOf(lines.get("name")), textOf(lines.get("definition")));
  });
}

/** Of a name and the text of a definition, as they are kept. Throws a DefinitionError. */
export function indexOf(name: string, definition: string): CopiedIndex {
  const words = definitionWords(readDefinition(name, JSON.parse(definition)));
  return { name, command: ["INDEX", "CREATE", ...words] };
}

function textOf(answer: Answer | undefined): string {
  if (answer?.kind === "bulk") return answer.bytes.toString();
  throw strange();
}

function strange(): KvdbError {
  return new KvdbError("UNAVAILABLE", "INDEX INFO answers as no kvdb does");
}
