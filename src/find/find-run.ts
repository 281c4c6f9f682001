/**
 * A query at work: goes through the candidates of its plan, in slices, and gathers what it answers. It sees each document as
 * it passes, as SCAN does: what was changed before is seen, what is changed behind it is not.
 */
import type { IndexedDocument } from "../index/documents.ts";
import { Aggregation, type Group } from "../query/aggregation.ts";
import { compileFilter, type Matcher } from "../query/matcher.ts";
import { Projection } from "../query/projection.ts";
import { SortKeys } from "../query/sort-order.ts";
import type { Database } from "../store/database.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { type Candidates, keyOf } from "./candidates.ts";
import type { FindRequest } from "./find-request.ts";
import { inOrder } from "./group-order.ts";
import { encodePage, FIRST_PAGE } from "./pages.ts";
import type { Plan } from "./plan.ts";
import { compareRows, copied, type Row, type SortedRow } from "./row.ts";
import { RowBudget } from "./row-budget.ts";
import { sortRows } from "./row-sorting.ts";
import { TopRows } from "./top-rows.ts";

export class FindRun {
  /** Documents that were come by. */
  examined = 0;
  /** Those that fulfil the filter, as far as they were looked for. */
  matched = 0;
  rows: readonly Row[] = [];
  groups: readonly Group[] = [];
  /** Of pages: what continues them. */
  next = FIRST_PAGE;
  /** What it has read: the answer waits until that is durable. */
  readVersion = 0;
  /** What was thrown on the way: too many groups. */
  failure: Error | undefined;
  readonly #request: FindRequest;
  readonly #plan: Plan;
  readonly #keyspace: Keyspace;
  readonly #candidates: Candidates;
  readonly #matcher: Matcher | null;
  readonly #projection: Projection | null;
  readonly #aggregation: Aggregation | null;
  readonly #sortKeys: SortKeys | null;
  readonly #top: TopRows | null;
  readonly #budget = new RowBudget();
  readonly #gathered: Row[] = [];
  #sorting: Generator<void, SortedRow[]> | undefined;
  /** Bytes of each key that are not shown. */
  readonly #skipped: number;

  constructor(request: FindRequest, plan: Plan, database: Database) {
    this.#request = request;
    this.#plan = plan;
    this.#keyspace = database.keyspace;
    this.#candidates = plan.open();
    this.#skipped = Buffer.byteLength(request.keyPrefix);
    this.#matcher = request.filter.kind === "all" ? null : compileFilter(request.filter);
    this.#projection = request.fields.length === 0 ? null : new Projection(request.fields);
    const { groupBy, figures, isCount, sort, skip, limit } = request;
    this.#aggregation = groupBy === undefined ? null : new Aggregation({ groupBy, figures });
    const isSorting = sort.length > 0 && !plan.isSorted && groupBy === undefined && !isCount;
    this.#sortKeys = isSorting ? new SortKeys(sort) : null;
    this.#top = isSorting ? new TopRows(skip + limit, this.#budget) : null;
  }

  /** As that of SlicedWork. */
  step(exhausted: () => boolean): boolean {
    const keyspace = this.#keyspace;
    const { readVersion } = keyspace;
    // A document that an index does not lead to any more is seen as well, and so is a count.
    keyspace.noteAll();
    let isOver = this.#sorting !== undefined || this.#request.limit === 0;
    if (this.#request.isCount && this.#plan.isCounted) {
      this.matched = this.#plan.estimate;
      isOver = true;
    }
    try {
      while (!isOver) {
        isOver = !this.#candidates.step(this.#visit);
        if (!isOver && exhausted()) return false;
      }
      if (this.#top === null) this.#finish();
      else if (!this.#sort(this.#top, exhausted)) return false;
    } catch (thrown) {
      this.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    } finally {
      this.readVersion = Math.max(this.readVersion, keyspace.readVersion);
      keyspace.readVersion = readVersion;
    }
    return true;
  }

  readonly #visit = (document: IndexedDocument, isAlone: boolean): boolean => {
    this.examined++;
    const { bytes, start, end, keyBytes, keyStart, keyEnd } = document;
    const isKnown = this.#matcher === null || (this.#plan.isExact && isAlone);
    if (!isKnown && !this.#matcher.matches(bytes, start, end, keyBytes, keyStart, keyEnd))
      return true;
    this.matched++;
    if (this.#aggregation !== null) {
      this.#aggregation.add(bytes, start, end, keyBytes, keyStart + this.#skipped, keyEnd);
      return true;
    }
    const { isCount, skip, limit } = this.#request;
    if (isCount) return this.matched < skip + limit;
    if (this.#top !== null) return this.#sortIn(document, this.#top);
    if (this.matched <= skip) return true;
    const row = this.#rowOf(document, keyOf(document));
    this.#budget.take(row);
    this.#gathered.push(row);
    if (this.#gathered.length < limit) return true;
    this.#noteEnd();
    return false;
  };

  #sortIn(document: IndexedDocument, top: TopRows): boolean {
    const { bytes, start, end, keyBytes, keyStart, keyEnd } = document;
    const place = (this.#sortKeys as SortKeys).of(bytes, start, end, keyBytes, keyStart, keyEnd);
    const key = keyOf(document);
    const row: SortedRow = { place, key, text: NO_TEXT };
    const { behind } = this.#plan;
    if (behind !== undefined && compareRows(row, { ...behind, text: NO_TEXT }) <= 0) return true;
    if (top.takes(row)) top.add({ ...this.#rowOf(document, key), place });
    return true;
  }

  #rowOf({ bytes, start, end }: IndexedDocument, key: Buffer): Row {
    if (this.#projection === null) return { key, text: copied(bytes, start, end) };
    return { key, text: Buffer.from(this.#projection.text(bytes, start, end)) };
  }

  /** The page is full: the next one begins behind the document in hand. */
  #noteEnd(): void {
    if (this.#request.cursor === undefined) return;
    const { number, place } = this.#candidates;
    const index = this.#plan.index?.name ?? "";
    const key = (this.#gathered.at(-1) as Row).key;
    this.next = encodePage({ index, place: Buffer.from(place), number, key });
  }

  #finish(): void {
    const { skip, limit, groupOrder } = this.#request;
    if (this.#aggregation !== null)
      this.groups = inOrder(this.#aggregation.groups(), groupOrder).slice(skip, skip + limit);
    else this.rows = this.#gathered;
  }

  #sort(top: TopRows, exhausted: () => boolean): boolean {
    this.#sorting ??= sortRows(top.take());
    for (;;) {
      const { done, value } = this.#sorting.next();
      if (done) {
        this.#finishSorted(value);
        return true;
      }
      if (exhausted()) return false;
    }
  }

  #finishSorted(sorted: readonly SortedRow[]): void {
    const { skip, limit, cursor } = this.#request;
    this.rows = sorted.slice(skip);
    const last = sorted.at(-1);
    if (cursor === undefined || last === undefined || sorted.length < limit) return;
    this.next = encodePage({ index: "", place: last.place, number: 0, key: last.key });
  }
}

const NO_TEXT = Buffer.alloc(0);
