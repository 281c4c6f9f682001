/**
 * The first rows of an order, of which only so many are kept as are asked for: a heap whose top is the last of them, until
 * they are taken.
 */
import { compareRows, type SortedRow } from "./row.ts";
import type { RowBudget } from "./row-budget.ts";

export class TopRows {
  readonly #capacity: number;
  readonly #budget: RowBudget;
  readonly #heap: SortedRow[] = [];

  /** `capacity`: Infinity keeps all. */
  constructor(capacity: number, budget: RowBudget) {
    this.#capacity = capacity;
    this.#budget = budget;
  }

  /** Whether it would be kept: so that no text is copied in vain. */
  takes(row: SortedRow): boolean {
    if (this.#heap.length < this.#capacity) return true;
    const [last] = this.#heap;
    return last !== undefined && compareRows(row, last) < 0;
  }

  /** Throws what its budget throws. */
  add(row: SortedRow): void {
    const heap = this.#heap;
    const [last] = this.#heap;
    if (heap.length === this.#capacity && last !== undefined) this.#budget.giveBack(last);
    this.#budget.take(row);
    if (this.#capacity === Number.POSITIVE_INFINITY) {
      heap.push(row);
    } else if (heap.length < this.#capacity) {
      heap.push(row);
      this.#rise(heap.length - 1);
    } else if (heap.length > 0) {
      heap[0] = row;
      this.#sink(0);
    }
  }

  /** All, in no order; there are none afterwards. */
  take(): SortedRow[] {
    return this.#heap.splice(0);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (compareRows(heap[at], heap[parent]) <= 0) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    const heap = this.#heap;
    for (let at = from; ; ) {
      let largest = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && compareRows(heap[child], heap[largest]) > 0) largest = child;
      }
      if (largest === at) return;
      this.#swap(at, largest);
      at = largest;
    }
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    [heap[one], heap[other]] = [heap[other], heap[one]];
  }
}
