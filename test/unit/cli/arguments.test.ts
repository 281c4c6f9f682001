/**
 * The grammar of the command line: own flags before the command, data after it, `--` ends options.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseArguments } from "../../../src/cli/arguments.ts";
import { flaglessInvocation, type Invocation } from "../../../src/cli/invocation.ts";
import { KvdbError } from "../../../src/errors.ts";

function wordsOf(...argv: string[]): readonly string[] {
  const invocation = parseArguments(argv);
  if (invocation.kind !== "words") throw new Error(`a ${invocation.kind}`);
  return invocation.words;
}

function givenOf(invocation: Invocation): Record<string, string> {
  if (invocation.kind === "text") throw new Error("a text");
  return Object.fromEntries(invocation.flags.given.map(({ place, text }) => [place, text]));
}

test("after the command everything is data", () => {
  const data = ["--dir", "-x", "--help", "--version", "-1", "serve", ""];
  expect(wordsOf("set", ...data)).toEqual(["set", ...data]);
});

test("-- before the command ends kvdb's own flags, after it it is for the command", () => {
  expect(wordsOf("--", "get", "k")).toEqual(["get", "k"]);
  expect(wordsOf("set", "k", "--", "--ttl")).toEqual(["set", "k", "--", "--ttl"]);
});

test("kvdb's own flags stand before the command", () => {
  const invocation = parseArguments(["--recover", "--dir", "a b", "--config=c.json", "get", "k"]);
  expect(invocation).toMatchObject({
    kind: "words",
    flags: { configFile: "c.json", recover: true, exitStatus: false },
    words: ["get", "k"],
  });
  expect(givenOf(invocation)).toEqual({ "--dir": "a b" });
});

test("serve takes Redis's options and kvdb's own flags, also those before it", () => {
  const invocation = parseArguments([
    "--recover",
    "--dir",
    "first",
    "serve",
    ...["--bind", "127.0.0.1", "::1", "--requirepass", "", "--dir", "second", "--config", "c.json"],
  ]);
  expect(invocation).toMatchObject({
    kind: "start",
    serve: true,
    flags: { recover: true, configFile: "c.json" },
  });
  expect(givenOf(invocation)).toEqual({
    "--dir": "second",
    "--bind": "127.0.0.1 ::1",
    "--requirepass": "",
  });
});

test("without a command kvdb starts what is configured", () => {
  expect(parseArguments([])).toMatchObject({ kind: "start", serve: false });
});

test("help and version are texts", () => {
  for (const argv of [["--help"], ["-h"], ["--version"], ["serve", "--help"]]) {
    expect(parseArguments(argv).kind).toBe("text");
  }
});

test("what is wrong is a usage error that names it", () => {
  const wrong: [argv: string[], fact: string][] = [
    [["--dirr", "x", "get", "k"], "--dir"],
    [["-1"], "-1"],
    [["--dir"], "--dir"],
    [["serve", "a.json", "b.json"], "serve"],
    [["--config", "a.json", "serve", "b.json"], "b.json"],
    [["serve", "--prot", "1"], "--port"],
    [["serve", "--rdbchecksum", "no"], "--rdbchecksum"],
    [["serve", "--port"], "--port"],
    [["serve", "--exit-status"], "--exit-status"],
  ];
  for (const [argv, fact] of wrong) {
    let thrown: unknown;
    try {
      parseArguments(argv);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(KvdbError);
    expect((thrown as KvdbError).code).toBe("USAGE");
    expect((thrown as KvdbError).message).toContain(fact);
  }
});

test("arguments without a flag before the command are read alike with and without commander", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("set", "serve", "help", "shell", "-", "--", "--json", "--port", "-1", "k"),
  );
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      const flagless = flaglessInvocation(argv);
      if (flagless !== undefined) expect(parseArguments(argv)).toEqual(flagless);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [["serve", "--replicaof", "--port", "6380"]],
  [["serve", "--dir", "--port"]],
  [["--dir", "--json", "get", "k"]],
])("an option is no value of the one before it: %j", (argv) => {
  expect(() => parseArguments(argv)).toThrow(KvdbError);
});

test("what only looks like an option may be a value", () => {
  expect(givenOf(parseArguments(["serve", "--requirepass", "--p0rt"]))).toEqual({
    "--requirepass": "--p0rt",
  });
});
