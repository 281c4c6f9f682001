/**
 * What the crash tests judge by: a loss, a return and a mixture of two moments are found, and what
 * is right is not.
 */
import { expect, test } from "bun:test";
import { haveOneMoment, Register } from "./support/register.ts";

const NOW = Number.POSITIVE_INFINITY;

/**
 * A key that was set to each of the values, by the commands 1, 2, …; the first `acknowledged` of
 * them are.
 */
function written(values: readonly (string | null)[], acknowledged: number): Register {
  const register = new Register();
  for (const [index, value] of values.entries()) {
    const sent = register.send(index + 1, value);
    if (index < acknowledged) sent.acknowledge();
  }
  return register;
}

test("what was acknowledged, or came later, is right; what came before is not", () => {
  const register = written(["a", "b", "c"], 2);
  expect(register.promised(NOW)).toBe("b");
  expect(register.spansOf("b", NOW)).toEqual([{ from: 2, to: 3 }]);
  expect(register.spansOf("c", NOW)).toEqual([{ from: 3, to: Number.POSITIVE_INFINITY }]);
  expect(register.spansOf("a", NOW)).toEqual([]);
  expect(register.spansOf(null, NOW)).toEqual([]);
});

test("what was acknowledged after the time of the promise may be lost", () => {
  const register = written(["a", "b"], 2);
  expect(register.spansOf(null, Date.now() - 60_000)).toEqual([{ from: 0, to: 1 }]);
  expect(register.spansOf("a", Date.now() - 60_000)).toEqual([{ from: 1, to: 2 }]);
});

test("what was found is the only thing that is right from then on", () => {
  const register = written(["a", "b"], 1);
  register.settle("a", 2);
  expect(register.spansOf("a", NOW)).toEqual([{ from: 2, to: Number.POSITIVE_INFINITY }]);
  expect(register.spansOf("b", NOW)).toEqual([]);
});

test("a refused command is there or not, whatever came behind it", () => {
  const register = written(["a"], 1);
  register.send(2, "b").refuse();
  register.send(3, null);
  expect(register.isUncertain).toBe(true);
  expect(register.spansOf("a", NOW)).toEqual([{ from: 1, to: 3 }]);
  expect(register.spansOf("b", NOW)).toEqual([{ from: 2, to: 3 }]);
});

test("a state that held more than once has more than one span", () => {
  const register = written(["a", null, "b", null], 0);
  expect(register.spansOf(null, NOW)).toEqual([
    { from: 0, to: 1 },
    { from: 2, to: 3 },
    { from: 4, to: Number.POSITIVE_INFINITY },
  ]);
});

test("what was there at different times is found, though each alone is right", () => {
  const early = [{ from: 0, to: 5 }];
  const late = [{ from: 7, to: 9 }];
  const both = [...early, ...late];
  expect(haveOneMoment([])).toBe(true);
  expect(haveOneMoment([early, both, [{ from: 4, to: 5 }]])).toBe(true);
  expect(haveOneMoment([late, both, [{ from: 8, to: 20 }]])).toBe(true);
  expect(haveOneMoment([early, late])).toBe(false);
  expect(haveOneMoment([early, both, [{ from: 5, to: 7 }]])).toBe(false);
  expect(haveOneMoment([early, []])).toBe(false);
});
