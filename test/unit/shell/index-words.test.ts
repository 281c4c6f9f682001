/** `index <field>` as INDEX CREATE, and what is wrong with a line of it. */
import { expect, test } from "bun:test";
import { partText } from "../../../src/client/link.ts";
import { coreCommands } from "../../../src/commands/index.ts";
import { CommandTable } from "../../../src/commands/table.ts";
import { KvdbError } from "../../../src/errors.ts";
import { indexCommands } from "../../../src/index/index-commands.ts";
import { FIND_END, INDEX_END } from "../../../src/shell/filter-keywords.ts";
import { parseLine } from "../../../src/shell/line.ts";
import { lineWords } from "../../../src/shell/line-words.ts";
import { understand } from "../../../src/shell/words.ts";
import { definitionProblem } from "../../../src/store/index-definitions.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const catalog = new EngineHarness({ background: false }).engine.commands;

function sent(line: string): string[] {
  const words = lineWords(parseLine(line), catalog);
  if (words === undefined) throw new Error("no words");
  return understand(words, catalog).parts.map(partText);
}

function create(name: string, ...words: string[]): string[] {
  return ["INDEX", "create", name, ...words];
}

test.each<[line: string, parts: string[]]>([
  ["index city", create("city", "USING", "hash", "FIELD", "city")],
  ["INDEX city", create("city", "USING", "hash", "FIELD", "city")],
  [
    "index user.address.city",
    create("user.address.city", "USING", "hash", "FIELD", "user.address.city"),
  ],
  ["index tags[*]", create("tags", "USING", "hash", "FIELD", "tags[*]")],
  ["index items[*].sku", create("items.sku", "USING", "hash", "FIELD", "items[*].sku")],
  ["index age using ordered", create("age", "FIELD", "age", "using", "ordered")],
  ["index a,b.c Using ordered", create("a_b.c", "FIELD", "a,b.c", "Using", "ordered")],
  ['index "\\"a b\\".c"', create("a_b_.c", "USING", "hash", "FIELD", '"a b".c')],
  ["index @key using ordered", create("key", "FIELD", "@key", "using", "ordered")],
  [
    "index city unique sparse prefix user: where age > 30 hash sha256",
    create(
      ...(["city", "USING", "hash", "FIELD", "city", "unique", "sparse"] as const),
      ...["prefix", "user:", "where", "age > 30", "hash", "sha256"],
    ),
  ],
  ["index by_city field address.city", create("by_city", "USING", "hash", "field", "address.city")],
  ["index create list using hash field list", create("list", "using", "hash", "field", "list")],
  ["index drop by_city", ["INDEX", "drop", "by_city"]],
  ["index INFO", ["INDEX", "INFO"]],
  ["index", ["INDEX", "help"]],
])("%s", (line, parts) => expect(sent(line)).toEqual(parts));

test.each([
  ["index drpo by_city", 'unknown subcommand "index drpo"; did you mean "drop"?'],
  ["index rebuid by_city", 'did you mean "rebuild"?'],
  ["index city by_city", 'unexpected "by_city"; usage: kvdb index field'],
  ["index city using", 'a value is missing behind "using"'],
  ["index city unique 5 6", 'unexpected "5"'],
  ["index city where", 'a value is missing behind "where"'],
])("%s: %s", (line, message) => {
  try {
    sent(line);
  } catch (error) {
    if (!(error instanceof KvdbError)) throw error;
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain(message);
    return;
  }
  throw new Error("it was taken");
});

test.each(["tags[*]", "@key", "größe", "a,b", '"a\\"b"', "[0]", "-", `${"x".repeat(100)}.y`])(
  "a name can be made of the field %s",
  (field) => {
    const [, , name = ""] = sent(`index '${field}'`);
    expect(definitionProblem(name, "{}")).toBe("");
  },
);

test("the words that end a filter are those of the commands that take it", () => {
  const tokens = (name: string) => {
    const words = catalog.get(name)?.syntax.match(/\b[A-Z]{2,}\b/g) ?? [];
    return [...new Set(words)].map((word) => word.toLowerCase()).sort();
  };
  // BY stands behind GROUP alone.
  expect([...FIND_END.keywords, "by"].sort()).toEqual(tokens("FIND"));
  expect([...INDEX_END.keywords].sort()).toEqual(tokens("INDEX|CREATE"));
});

test("without an INDEX command the word means nothing of its own", () => {
  const others = new CommandTable();
  others.add(coreCommands, "redis");
  expect(() => understand(["index", "city"], others)).toThrow("unknown command");
  others.add(indexCommands({} as never), "kvdb");
  expect(understand(["index", "city"], others).command.name).toBe("INDEX|CREATE");
});
