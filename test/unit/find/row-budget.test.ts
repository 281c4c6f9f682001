/** An answer that would take the memory of everybody is refused; rows that are not kept do not count. */
import { expect, test } from "bun:test";
import type { SortedRow } from "../../../src/find/row.ts";
import { RowBudget } from "../../../src/find/row-budget.ts";
import { TopRows } from "../../../src/find/top-rows.ts";

const row = (place: number): SortedRow => ({
  ...{ key: Buffer.from("key"), text: Buffer.alloc(700) },
  place: Buffer.from([place]),
});

test("rows up to the limit, and no more", () => {
  const budget = new RowBudget(2500);
  budget.take(row(1));
  budget.take(row(2));
  expect(() => budget.take(row(3))).toThrow("use LIMIT");
});

test("what is not kept is given back", () => {
  const budget = new RowBudget(2500);
  for (let i = 0; i < 100; i++) {
    budget.take(row(i));
    budget.giveBack(row(i));
  }
});

test("of the first two of an order only two are held", () => {
  const top = new TopRows(2, new RowBudget(3000));
  for (let place = 100; place > 0; place--) top.add(row(place));
  expect(top.take().map(({ place }) => place[0])).toEqual(expect.arrayContaining([1, 2]));
});

test("an order of everything is refused beyond it", () => {
  const top = new TopRows(Number.POSITIVE_INFINITY, new RowBudget(3000));
  const addAll = () => {
    for (let place = 0; place < 10; place++) top.add(row(place));
  };
  expect(addAll).toThrow("use LIMIT");
});
