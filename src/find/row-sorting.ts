/**
 * Sorts rows in steps, since a million of them take seconds: a merge sort from the bottom up, between two steps of which
 * others run.
 */
import { compareRows, type SortedRow } from "./row.ts";

/** Rows that are sorted, and then merged, in one step: about a millisecond. */
const STEP_ROWS = 512;

/** Changes `rows`; what is returned is the one array or another. */
export function* sortRows(rows: SortedRow[]): Generator<void, SortedRow[]> {
  for (let from = 0; from < rows.length; from += STEP_ROWS) {
    const run = rows.slice(from, from + STEP_ROWS).sort(compareRows);
    for (const [index, row] of run.entries()) rows[from + index] = row;
    yield;
  }
  let source = rows;
  let target: SortedRow[] = rows.length > STEP_ROWS ? rows.slice() : [];
  for (let size = STEP_ROWS; size < rows.length; size *= 2) {
    for (let from = 0; from < rows.length; from += 2 * size) {
      yield* mergeRuns(source, target, { from, middle: from + size, end: from + 2 * size });
    }
    [source, target] = [target, source];
  }
  return source;
}

/** The neighbours [from, middle) and [middle, end), as far as there are rows. */
function* mergeRuns(
  source: readonly SortedRow[],
  target: SortedRow[],
  { from, middle, end }: { from: number; middle: number; end: number },
): Generator<void, void> {
  const leftEnd = Math.min(middle, source.length);
  const rightEnd = Math.min(end, source.length);
  let left = from;
  let right = leftEnd;
  for (let at = from; at < rightEnd; at++) {
    const takesLeft =
      right >= rightEnd || (left < leftEnd && compareRows(source[left], source[right]) <= 0);
    target[at] = takesLeft ? source[left++] : source[right++];
    if ((at + 1) % STEP_ROWS === 0) yield;
  }
}
