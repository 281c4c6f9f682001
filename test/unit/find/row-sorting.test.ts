/** Rows sorted in steps: as a sort in one piece would, for lengths around those of its runs. */
import { expect, test } from "bun:test";
import { compareRows, type SortedRow } from "../../../src/find/row.ts";
import { sortRows } from "../../../src/find/row-sorting.ts";
import { seededRandom } from "../../../src/platform/random.ts";

const random = seededRandom(11);

test.each([0, 1, 2, 511, 512, 513, 1024, 1025, 1536, 4096, 5000, 12_345])("%d rows", (count) => {
  const rows: SortedRow[] = Array.from({ length: count }, (_, i) => ({
    place: Buffer.from([random.below(7), random.below(256)]),
    key: Buffer.from(String(i)),
    text: Buffer.alloc(0),
  }));
  const expected = [...rows].sort(compareRows);
  const sorting = sortRows(rows);
  let steps = 0;
  for (;;) {
    const { done, value } = sorting.next();
    if (done) {
      expect(value.map(({ key }) => String(key))).toEqual(expected.map(({ key }) => String(key)));
      break;
    }
    steps++;
  }
  // In one step nobody else would run.
  expect(steps).toBeGreaterThanOrEqual(Math.ceil(count / 512));
});
