import { describe, expect, test } from "bun:test";
import { coreCommands } from "../../../src/commands/index.ts";
import { formatSyntax, parseSyntax, type SyntaxArgument } from "../../../src/commands/syntax.ts";

describe("the tree printed again is the text", () => {
  test.each(coreCommands.map(({ name, syntax }) => [name, syntax]))("%s %s", (_name, syntax) => {
    expect(formatSyntax(parseSyntax(syntax))).toBe(syntax);
  });

  test.each([
    "[AUTH password | AUTH2 username password]",
    "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]",
    "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]]",
    "key [LIMIT offset count] <* | id> field value [field value ...]",
    "[PAIR a b [PAIR a b ...]]",
    "[A | B one [A | B one ...]]",
    "<A | [B one] [A | [B one] ...]>",
  ])("%s", (syntax) => {
    expect(formatSyntax(parseSyntax(syntax))).toBe(syntax);
  });
});

describe("trees", () => {
  const tree = (syntax: string) => parseSyntax(syntax).map(brief);

  test("names, tokens, options", () => {
    expect(tree("key [NX | XX] [EX seconds]")).toEqual([
      "key:key",
      "nx_xx:oneof? (nx:pure-token=NX, xx:pure-token=XX)",
      "seconds:integer=EX?",
    ]);
  });

  test("what is repeated: an argument, a block, a token with its value, a choice", () => {
    expect(tree("key [key ...]")).toEqual(["key:key+"]);
    expect(tree("[section [section ...]]")).toEqual(["section:string?+"]);
    expect(tree("key value [key value ...]")).toEqual(["key_value:block+ (key:key, value:string)"]);
    expect(tree("[ID client-id [client-id ...]]")).toEqual(["client-id:integer=ID?+"]);
    expect(tree("[PREFIX prefix [PREFIX prefix ...]]")).toEqual(["prefix:string=PREFIX?+token"]);
    expect(tree("<A | one [A | one ...]>")).toEqual(["a_one:oneof+ (a:pure-token=A, one:string)"]);
  });

  test("a token with several arguments is a block, with a choice a choice", () => {
    expect(tree("[LIMIT offset count]")).toEqual([
      "offset_count:block=LIMIT? (offset:integer, count:integer)",
    ]);
    expect(tree("[BY <SUM | pattern>]")).toEqual([
      "sum_pattern:oneof=BY? (sum:pure-token=SUM, pattern:pattern)",
    ]);
  });

  test("a name may mean another type in one command", () => {
    expect(parseSyntax("increment", { increment: "double" })[0]?.type).toBe("double");
  });
});

test.each(["[key", "key]", "<A | B]", "[a b ...]", "key [other ...]", "[]", "<A | >", "a | b"])(
  "%s is refused",
  (syntax) => {
    expect(() => parseSyntax(syntax)).toThrow("syntax");
  },
);

/** `name:type=TOKEN`, then ? optional, + multiple, "token" when the token is repeated too, and the parts. */
function brief(argument: SyntaxArgument): string {
  const { name, type, token, isOptional, isMultiple, repeatsToken } = argument;
  const marks = `${isOptional ? "?" : ""}${isMultiple ? "+" : ""}${repeatsToken ? "token" : ""}`;
  const parts = argument.arguments.map(brief).join(", ");
  const own = `${name}:${type}${token === undefined ? "" : `=${token}`}${marks}`;
  return parts === "" ? own : `${own} (${parts})`;
}
