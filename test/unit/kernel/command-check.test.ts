/** Commands of a plugin that the table could not take: each fault is named, with what to change. */
import { describe, expect, test } from "bun:test";
import { CommandTable } from "../../../src/commands/table.ts";
import { checkCommands } from "../../../src/kernel/command-check.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const GOOD = {
  ...{ name: "SLUG", arity: 2, flags: ["readonly", "fast"], group: "plugin", keys: [1, 1, 1] },
  ...{ since: "1.0.0", summary: "Makes a slug.", syntax: "key [LIMIT count]", run: () => {} },
};

const faultsOf = (...commands: unknown[]) => checkCommands(commands, new CommandTable()).faults;

test("what is right is given back", () => {
  const container = { ...GOOD, name: "NOTE", run: undefined };
  const commands = [GOOD, container, { ...GOOD, name: "NOTE|ADD" }];
  const { commands: taken, faults } = checkCommands(commands, new CommandTable());
  expect(faults).toEqual([]);
  expect(taken).toEqual(commands as never);
});

test("every command of kvdb passes", () => {
  const { engine } = new EngineHarness();
  expect(faultsOf(...engine.commands.all())).toEqual([]);
});

test.each([
  ["nothing", undefined, "found none"],
  ["an object", { SLUG: GOOD }, "found an object"],
  ["a promise", Promise.resolve([GOOD]), "a promise: it is called synchronously"],
])("%s instead of an array", (_, made, named) => {
  const { faults } = checkCommands(made, new CommandTable());
  expect(faults).toEqual([expect.stringContaining(named)]);
});

describe("one fault, named with the command", () => {
  test.each<[string, object, string]>([
    [
      "a name in lower case",
      { name: "slug" },
      'command slug: a name is written in upper case: "SLUG"',
    ],
    ["a name with a space", { name: "MY SLUG" }, "capital letters"],
    ["a name that is none", { name: 5 }, "commands[0]: expected a name, found a number"],
    ["a subcommand of nobody", { name: "NOTE|ADD" }, "expected its container NOTE before it"],
    ["no arity", { arity: undefined }, "as arity how many words a call has"],
    ["an arity of nothing", { arity: 0 }, "found 0"],
    ["an arity in text", { arity: "2" }, 'found "2"'],
    ["no flags", { flags: undefined }, "expected an array as flags, found none"],
    [
      "an unknown flag",
      { flags: ["readnoly"] },
      'unknown flag "readnoly"; did you mean "readonly"?',
    ],
    ["two flags that exclude each other", { flags: ["write", "readonly"] }, "exclude each other"],
    ["keys from the name on", { keys: [0, 1, 1] }, "expected as keys [first, last, step]"],
    ["keys without a step", { keys: [1, 1] }, "expected as keys [first, last, step]"],
    ["keys that are no numbers", { keys: ["key"] }, "expected as keys [first, last, step]"],
    ["an unknown group", { group: "mine" }, 'expected "plugin" as group, found "mine"'],
    ["no summary", { summary: undefined }, "expected text as summary, found none"],
    ["no since", { since: undefined }, "expected text as since, found none"],
    ["a syntax that is none", { syntax: "key [LIMIT" }, 'syntax "key [LIMIT"'],
    ["a question that is none", { asks: true }, "expected a question as asks"],
    ["options that are none", { options: [{ name: "ttl" }] }, "expected as options"],
    ["no run", { run: undefined }, "expected a function as run, found none"],
    ["a run that is none", { run: "later" }, "expected a function as run, found a string"],
  ])("%s", (_, parts, named) => {
    expect(faultsOf({ ...GOOD, ...parts })).toEqual([expect.stringContaining(named)]);
  });

  test("no command at all", () => {
    expect(faultsOf(GOOD, null)).toEqual(["commands[1]: expected an object, found none"]);
  });

  test("a name twice, and a name of kvdb", () => {
    expect(faultsOf(GOOD, GOOD)).toEqual(["command SLUG: the plugin brings it twice"]);
    const { engine } = new EngineHarness();
    expect(checkCommands([{ ...GOOD, name: "GET" }], engine.commands).faults).toEqual([
      "command GET: the name is taken, choose another one",
    ]);
  });
});

test("every fault of every command is told", () => {
  expect(faultsOf({ name: "slug" }, { ...GOOD, arity: 0 })).toHaveLength(9);
});
