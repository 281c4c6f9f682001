/** A group of FIND … GROUP BY as a JSON object: its values by path, then its figures, `count` or `sum(age)`. */
import type { Figure, Group } from "../query/aggregation.ts";
import { jsonText } from "../query/value.ts";
import type { FindRequest } from "./find-request.ts";

export function groupText({ groupBy = [], figures }: FindRequest, group: Group): string {
  const members = [
    ...groupBy.map(({ text }, i) => [text, group.values[i] ?? null] as const),
    ...figures.map((figure, i) => [nameOf(figure), group.figures[i] ?? null] as const),
  ];
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`).join(",")}}`;
}

function nameOf({ kind, path }: Figure): string {
  return path === null ? kind : `${kind}(${path.text})`;
}
