/** A group of FIND … GROUP BY as a JSON object: its values by path, then its figures, `count` or `sum(age)`. */
import type { Figure, Group } from "../query/aggregation.ts";
import { jsonText } from "../query/value.ts";
import type { FindRequest } from "./find-request.ts";

export function groupText({ groupBy = [], figures }: FindRequest, group: Group): string {
  const values = [
    ...groupBy.map((_, i) => group.values[i]),
    ...figures.map((_, i) => group.figures[i]),
  ];
  const members = groupColumns({ groupBy, figures }).map(
    (name, i) => `${JSON.stringify(name)}:${jsonText(values[i] ?? null)}`,
  );
  return `{${members.join(",")}}`;
}

export function groupColumns({
  groupBy = [],
  figures,
}: Pick<FindRequest, "groupBy" | "figures">): string[] {
  return [...groupBy.map(({ text }) => text), ...figures.map(nameOf)];
}

function nameOf({ kind, path }: Figure): string {
  return path === null ? kind : `${kind}(${path.text})`;
}
