/** The definitions of the indexes of a kvdb, as INDEX INFO tells them. */
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";

export interface ToldIndex {
  readonly name: string;
  /** As it is kept: JSON. */
  readonly definition: string;
}

/** Throws a KvdbError UNAVAILABLE when the answer is none of INDEX INFO. */
export function toldIndexes(answer: Answer | undefined): readonly ToldIndex[] {
  if (answer?.kind !== "array") throw strange();
  return answer.items.map((item) => {
    if (item.kind !== "map") throw strange();
    const lines = new Map(item.entries.map(([name, value]) => [textOf(name), value]));
    return { name: textOf(lines.get("name")), definition: textOf(lines.get("definition")) };
  });
}

function textOf(answer: Answer | undefined): string {
  if (answer?.kind === "bulk") return answer.bytes.toString();
  return answer?.kind === "integer" ? String(answer.value) : "";
}

function strange(): KvdbError {
  return new KvdbError("UNAVAILABLE", "INDEX INFO answers as no kvdb does");
}
