/**
 * Which way a query goes: through all documents of the database, or through those that an index leads to. Indexes say how
 * many that are without reading them, so the fewest win; for an order, an index that has it may win over fewer documents
 * that would all have to be read before the first is known.
 */
import { CommandError } from "../commands/command-error.ts";
import type { Indexes } from "../index/indexes.ts";
import type { LiveIndex } from "../index/live-index.ts";
import { cannotUse, unusableNamed } from "../index/unusable.ts";
import { type IndexBounds, indexBounds, type KeyRange } from "../query/bounds.ts";
import { type Condition, conditionsOf, needsField } from "../query/filter.ts";
import { implies } from "../query/implication.ts";
import { sortDirection } from "../query/sort-order.ts";
import type { Database } from "../store/database.ts";
import { suggestion } from "../suggest.ts";
import { type Candidates, IndexCandidates, ScanCandidates } from "./candidates.ts";
import type { FindRequest } from "./find-request.ts";
import { decodePage, type PagePlace } from "./pages.ts";

export interface Plan {
  /** Undefined: all documents of the database are looked at. */
  readonly index: LiveIndex | undefined;
  /** In the index; undefined: all that it has. */
  readonly ranges: readonly KeyRange[] | undefined;
  /** How many documents it leads to, at most. */
  readonly estimate: number;
  /** They fulfil the filter: nobody has to look. */
  readonly isExact: boolean;
  /** Exactly so many as it is estimated fulfil the filter: who counts need not look. */
  readonly isCounted: boolean;
  /** They come in the order that is asked for. */
  readonly isSorted: boolean;
  /** Where the last page ended. */
  readonly behind: PagePlace | undefined;
  open(): Candidates;
}

/**
 * A document by its number, which the filter looks at too, costs so much more than one that a walk comes by; where nobody has
 * to look, the search for it costs no more than the look would.
 */
const LOOK_UP_COST = 2;

/** Throws a CommandError when the index that is to be used is none, or of no use. */
export function planFind(request: FindRequest, database: Database, indexes: Indexes): Plan {
  const behind = request.cursor === undefined ? undefined : decodePage(request.cursor);
  const planning = { request, database, behind };
  const wanted = request.using ?? wantedByPage(planning);
  if (wanted !== undefined) return forcedPlan(planning, indexes, wanted);
  const usable = indexes.usable(database);
  const scan = scanPlan(planning);
  if (behind !== undefined && request.sort.length === 0) return scan;
  const plans = usable.flatMap((index) => indexPlan(planning, index) ?? []);
  return cheapest([scan, ...plans], request);
}

interface Planning {
  readonly request: FindRequest;
  readonly database: Database;
  readonly behind: PagePlace | undefined;
}

/** Pages go on through what they began with. */
function wantedByPage({ request, behind }: Planning): string | undefined {
  if (behind === undefined || request.sort.length > 0 || behind.index === "") return undefined;
  return behind.index;
}

function forcedPlan(planning: Planning, indexes: Indexes, name: string): Plan {
  indexes.complete();
  const usable = indexes.usable(planning.database);
  const index = usable.find((one) => one.name === name);
  if (index === undefined) {
    const kept = unusableNamed(indexes, planning.database, name);
    if (kept !== undefined) throw cannotUse(kept);
    const names = usable.map((one) => one.name);
    throw new CommandError("ERR", `no index "${name}" that can be used${suggestion(name, names)}`);
  }
  const plan = indexPlan(planning, index);
  if (plan !== undefined) return plan;
  throw new CommandError("ERR", `the index "${name}" is of no use here`);
}

function scanPlan({ request, database, behind }: Planning): Plan {
  const isPaged = request.cursor !== undefined && request.sort.length === 0;
  return {
    ...{ index: undefined, ranges: undefined, estimate: database.size },
    ...{ isExact: request.filter.kind === "all", isCounted: false, isSorted: false, behind },
    open: () => new ScanCandidates(database, isPaged ? { behind } : undefined),
  };
}

/** Undefined: the index cannot lead to all that fulfil the filter, or says no more than a walk through everything. */
function indexPlan(planning: Planning, index: LiveIndex): Plan | undefined {
  const { request, database, behind } = planning;
  const mayRepeat = index.multiKeyDocuments > 0;
  // A document that comes twice would be on two pages.
  const isPaged = request.cursor !== undefined && request.sort.length === 0;
  if (isPaged && (mayRepeat || !index.hasPlaces)) return undefined;
  if (!implies(request.filter, index.where)) return undefined;
  const bounds = boundsIn(index, request);
  const direction = request.cursor === undefined ? directionIn(index, request, bounds) : null;
  const conditions = conditionsOf(request.filter, index.paths);
  if (bounds === null && direction === null && !isOnlyOf(index, conditions)) return undefined;
  const wantsOrder = direction !== null;
  const answer = index.answer({ conditions, ranges: bounds?.ranges, wantsOrder });
  if (answer === undefined) return undefined;
  // An index of keys has values that are no documents as well.
  const isOfDocuments = !index.isKeyIndex;
  const isExact = answer.isExact && bounds?.isExact === true && !index.hasCutKeys && isOfDocuments;
  const isSorted = direction !== null && answer.isOrdered && index.hasPlaces;
  return {
    ...{ index, ranges: bounds?.ranges, estimate: answer.count, behind, isSorted },
    isExact,
    // What is over and not yet removed is in an index still.
    isCounted: isExact && !mayRepeat && database.expires === 0,
    open: () => {
      const cursor = answer.open(isSorted && direction === "backward");
      return new IndexCandidates(index, cursor, {
        mayRepeat,
        behind: isPaged ? behind : undefined,
      });
    },
  };
}

/** Whether the index has all documents that fulfil the conditions: a kind may know what to do with them. */
function isOnlyOf(index: LiveIndex, conditions: readonly Condition[]): boolean {
  if (!index.definition.isSparse) return conditions.length > 0;
  return conditions.some(needsField);
}

function boundsIn(index: LiveIndex, { filter }: FindRequest): IndexBounds | null {
  const { paths, where, definition } = index;
  return indexBounds(filter, {
    ...{ paths, isSparse: definition.isSparse, isMultiKey: index.multiKeyDocuments > 0 },
    where,
  });
}

/** How the index has to be read to give the order; null: it does not, or does not have all documents. */
function directionIn(
  index: LiveIndex,
  { sort, filter }: FindRequest,
  bounds: IndexBounds | null,
): "forward" | "backward" | null {
  if (sort.length === 0 || index.multiKeyDocuments > 0 || index.hasCutKeys) return null;
  if (bounds === null && index.definition.isSparse) return null;
  const direction = sortDirection(sort, index.paths);
  if (direction !== null || bounds?.ranges.length !== 1) return direction;
  // What is bound by one value has no part in the order.
  const parts = filter.kind === "and" ? filter.parts : [filter];
  const isBound = ({ text }: { text: string }) =>
    parts.some((part) => part.kind === "equal" && part.path.text === text);
  const first = index.paths.findIndex((path) => !isBound(path));
  return first <= 0 ? null : sortDirection(sort, index.paths.slice(first));
}

// ---- costs ----

function cheapest(plans: readonly Plan[], request: FindRequest): Plan {
  // At most so many documents pass: what the narrowest way leads to.
  const passing = Math.max(1, ...[Math.min(...plans.map(({ estimate }) => estimate))]);
  const total = Math.max(1, ...plans.map(({ estimate }) => estimate));
  const costs = plans.map((plan) => costOf(plan, request, passing / total));
  const best = costs.indexOf(Math.min(...costs));
  return plans[best] as Plan;
}

/** Documents that would be looked at; `share`: of all documents so many pass, at a guess. */
function costOf(plan: Plan, request: FindRequest, share: number): number {
  const { sort, limit, skip, isCount, groupBy } = request;
  const endsEarly = !isCount && groupBy === undefined && (sort.length === 0 || plan.isSorted);
  const wanted = endsEarly ? (limit + skip) / (plan.isExact ? 1 : share) : Number.POSITIVE_INFINITY;
  const looked = Math.min(plan.estimate, wanted);
  if (plan.index === undefined) return looked;
  if (isCount && plan.isCounted) return 0;
  return plan.isExact ? looked : looked * LOOK_UP_COST;
}
