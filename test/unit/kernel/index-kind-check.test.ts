/** Kinds of indexes of a plugin that kvdb could not use: each fault is named, with what to change. */
import { describe, expect, test } from "bun:test";
import hashIndex from "../../../plugins/hash-index/index.ts";
import orderedIndex from "../../../plugins/ordered-index/index.ts";
import { checkIndexKinds } from "../../../src/kernel/index-kind-check.ts";
import { kindsOf } from "../../suites/index-case.ts";

const GOOD = {
  name: "near",
  summary: "Places.",
  supports: { unique: false, compound: false, databaseKeys: false },
  create: () => {},
};
const TAKEN = new Set(["hash", "ordered"]);

const faultsOf = (...kinds: unknown[]) => checkIndexKinds(kinds, TAKEN).faults;

test("what is right is given back, beside what is not", () => {
  const other = { ...GOOD, name: "far", readsValues: true, options: { unit: { summary: "" } } };
  const { kinds, faults } = checkIndexKinds([GOOD, { ...GOOD, name: "" }, other], TAKEN);
  expect(kinds).toEqual([GOOD, other] as never);
  expect(faults).toHaveLength(1);
});

test("the built-in kinds pass", () => {
  const kinds = [...kindsOf(hashIndex, {}), ...kindsOf(orderedIndex, {})];
  expect(checkIndexKinds(kinds, new Set()).faults).toEqual([]);
});

test.each([
  ["nothing", undefined],
  ["an object", { near: GOOD }],
  ["a promise", Promise.resolve([GOOD])],
])("%s instead of an array", (_, made) => {
  expect(checkIndexKinds(made, TAKEN)).toEqual({
    kinds: [],
    faults: [expect.stringContaining("array")],
  });
});

describe("one fault, named with the kind", () => {
  test.each<[string, unknown, string[]]>([
    ["no object", 5, ["index kind 1", "an object", "number"]],
    ["null", null, ["index kind 1", "an object"]],
    ["no name", { ...GOOD, name: undefined }, ["index kind 1", "a name"]],
    ["a name in capitals", { ...GOOD, name: "Near" }, ['"Near"', "small letters"]],
    ["a name that is taken", { ...GOOD, name: "hash" }, ['"hash"', "taken"]],
    ["no summary", { ...GOOD, summary: "" }, ['"near"', "summary"]],
    ["no create", { ...GOOD, create: undefined }, ['"near"', "create", "undefined"]],
    [
      "an ability that is not said",
      { ...GOOD, supports: { unique: true, compound: false } },
      ["supports.databaseKeys"],
    ],
    ["options that are none", { ...GOOD, options: ["unit"] }, ['"near"', "options"]],
    [
      "an option that every definition has",
      { ...GOOD, options: { prefix: { summary: "" } } },
      ['"near"', '"prefix"'],
    ],
    [
      "an option in capitals, which INDEX CREATE cannot say",
      { ...GOOD, options: { minLength: { summary: "" } } },
      ['"minLength"', "small letters"],
    ],
    [
      "values of an option that are no texts",
      { ...GOOD, options: { unit: { summary: "", values: [1, 2] } } },
      ['"unit"', "texts"],
    ],
  ])("%s", (_, kind, named) => {
    const faults = faultsOf(kind);
    expect(faults).toHaveLength(1);
    for (const part of named) expect(faults[0]).toContain(part);
  });

  test("two kinds of one name", () => {
    expect(faultsOf(GOOD, GOOD)).toEqual([expect.stringContaining("taken")]);
  });
});

test("several faults of one kind are all told", () => {
  expect(faultsOf({ name: "near" })).toHaveLength(5);
});
