/** "Did you mean": near names only, whatever their case. */
import { expect, test } from "bun:test";
import { nearestName } from "../../src/suggest.ts";

const names = ["dir", "databases", "requirepass", "persistence", "get", "set"];

test("the nearest name is found through the usual slips", () => {
  const slips: [string, string][] = [
    ["databses", "databases"],
    ["DATABASES", "databases"],
    ["requirpass", "requirepass"],
    ["persistance", "persistence"],
    ["gte", "get"],
    ["dirr", "dir"],
  ];
  for (const [slip, meant] of slips) expect(nearestName(slip, names)).toBe(meant);
});

test("nothing is suggested for a name that is near to none", () => {
  expect(nearestName("frontends", ["dir", "get"])).toBeUndefined();
  expect(nearestName("x", ["dir", "ab"])).toBeUndefined();
  expect(nearestName("nope", ["type", "none"])).toBe("none");
  expect(nearestName("nope", ["type"])).toBeUndefined();
  expect(nearestName("set", ["get"])).toBe("get");
  expect(nearestName("", names)).toBeUndefined();
});

test("the very word that was typed is never suggested, but it is in other letters", () => {
  expect(nearestName("set", ["set"])).toBeUndefined();
  expect(nearestName("set", ["set", "get"])).toBe("get");
  expect(nearestName("SET", ["set"])).toBe("set");
});
