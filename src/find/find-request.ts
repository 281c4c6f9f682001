/** What FIND is asked: read from arguments (find-arguments.ts) or given by a program. */
import type { Figure } from "../query/aggregation.ts";
import type { FieldPath } from "../query/field-path.ts";
import type { Filter } from "../query/filter.ts";
import type { SortField } from "../query/sort-order.ts";
import type { GroupSort } from "./group-order.ts";

export interface FindRequest {
  /** With the condition on the key that `IN prefix*` is. */
  readonly filter: Filter;
  /** The index that is to be used. */
  readonly using: string | undefined;
  readonly sort: readonly SortField[];
  /** Infinity: no limit. */
  readonly limit: number;
  readonly skip: number;
  /** None: whole documents. */
  readonly fields: readonly FieldPath[];
  readonly isCount: boolean;
  /** Where the last page ended, "0" for the first one; undefined: everything at once. */
  readonly cursor: string | undefined;
  /** Undefined: rows are asked for, not groups. */
  readonly groupBy: readonly FieldPath[] | undefined;
  readonly figures: readonly Figure[];
  readonly groupOrder: readonly GroupSort[];
  /** Keys begin so, and are shown without it; the filter is on whole keys. */
  readonly keyPrefix: string;
}
