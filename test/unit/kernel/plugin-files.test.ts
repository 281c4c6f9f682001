/** Whose code threw what nobody caught, told from the stack. */
import { describe, expect, test } from "bun:test";
import { AssertionError } from "../../../src/assert.ts";
import { PluginFiles } from "../../../src/kernel/plugin-files.ts";

/** An error whose stack has these frames, innermost first. */
function thrownAt(...frames: readonly string[]): Error {
  const error = new Error("at work (/plugins/one/main.ts:1:1) is only text");
  const lines = frames.map((frame) => `    at ${frame}`);
  error.stack = [`Error: ${error.message}`, ...lines].join("\n");
  return error;
}

function files(...plugins: readonly (readonly [string, string])[]): PluginFiles {
  const made = new PluginFiles("/$bunfs");
  for (const [file, name] of plugins) made.add(file, name);
  return made;
}

const OWN = "Q (/$bunfs/root/kvdb:2:337)";
const NATIVE = "processTicksAndRejections (native:7:39)";
const two = files(["/plugins/one/main.ts", "one"], ["/plugins/two.ts", "two"]);

describe("a plugin's", () => {
  test.each([
    ["its own file", ["<anonymous> (/plugins/two.ts:4:30)", NATIVE], 'plugin "two"'],
    ["its file without a function", ["/plugins/two.ts:8:20"], 'plugin "two"'],
    ["its file after an await", ["async deep (/plugins/two.ts:12:31)"], 'plugin "two"'],
    ["kvdb called from its file", [OWN, OWN, "f (/plugins/two.ts:1:1)"], 'plugin "two"'],
    ["a file beside it", ["boom (/plugins/one/lib/dep.ts:1:39)"], 'plugin "one"'],
    ["its own package", ["x (/plugins/one/node_modules/p/i.js:1:1)", NATIVE], 'plugin "one"'],
    [
      "a file that both could have imported",
      ["x (/plugins/shared.ts:1:1)", "y (/plugins/one/main.ts:2:2)"],
      'plugin "one"',
    ],
    ["a file of nobody", ["x (/elsewhere/y (1)/x.ts:1:1)"], "the code in /elsewhere/y (1)/x.ts"],
    ["no file at all", [NATIVE, "afterConnect (node:net:2001:39)"], "one of the plugins"],
  ])("%s", (_, frames, culprit) => {
    expect(two.culprit(thrownAt(...frames))).toBe(culprit);
  });

  test("what is no Error: kvdb throws none", () => {
    expect(two.culprit("text")).toBe("one of the plugins");
    expect(two.culprit(undefined)).toBe("one of the plugins");
    expect(files(["/plugins/two.ts", "two"]).culprit(null)).toBe('plugin "two"');
  });

  test("by its name, once that is known", () => {
    const one = files(["/plugins/two.ts", "./two.ts"], ["/plugins/two.ts", "two"]);
    expect(one.culprit(thrownAt("/plugins/two.ts:1:1"))).toBe('plugin "two"');
  });
});

describe("kvdb's own", () => {
  test("only its own files, and what is native", () => {
    expect(two.culprit(thrownAt(OWN, NATIVE))).toBe(undefined);
  });

  test("anything, while there is no plugin", () => {
    expect(files().culprit(thrownAt(NATIVE))).toBe(undefined);
    expect(files().culprit("text")).toBe(undefined);
  });

  test("a broken invariant, whoever called", () => {
    const broken = new AssertionError("a page is written once");
    broken.stack = thrownAt(OWN, "f (/plugins/two.ts:1:1)").stack ?? "";
    expect(two.culprit(broken)).toBe(undefined);
  });
});
