/** The order of groups: by their columns, which are the paths of GROUP BY and the figures (`-count`, `avg(age)`). */
import { CommandError } from "../commands/command-error.ts";
import type { Group } from "../query/aggregation.ts";
import { splitPaths } from "../query/field-path.ts";
import { compareValues, type Value } from "../query/value.ts";
import { suggestion } from "../suggest.ts";
import { groupColumns } from "./group-text.ts";

export interface GroupSort {
  /** Which of the columns. */
  readonly column: number;
  readonly isDescending: boolean;
}

/** Throws a CommandError for what is no column. */
export function parseGroupOrder(
  text: string,
  request: Parameters<typeof groupColumns>[0],
): GroupSort[] {
  const columns = groupColumns(request);
  return splitPaths(text).map(({ part }) => {
    const name = part.replace(/^[+-]/, "");
    const column = columns.findIndex((one) => one.toLowerCase() === name.toLowerCase());
    if (column >= 0) return { column, isDescending: part.startsWith("-") };
    const known = columns.join(", ");
    throw new CommandError(
      "ERR",
      `SORT: groups have no "${name}", they have ${known}${suggestion(name, columns)}`,
    );
  });
}

/** Equal ones stay in the order of their values. */
export function inOrder(groups: readonly Group[], order: readonly GroupSort[]): readonly Group[] {
  if (order.length === 0) return groups;
  return groups.toSorted((one, other) => {
    for (const { column, isDescending } of order) {
      const apart = compareValues(valueAt(one, column), valueAt(other, column));
      if (apart !== 0) return isDescending ? -apart : apart;
    }
    return 0;
  });
}

function valueAt({ values, figures }: Group, column: number): Value {
  return (column < values.length ? values[column] : figures[column - values.length]) ?? null;
}
