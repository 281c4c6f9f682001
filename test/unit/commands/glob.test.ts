/**
 * Glob patterns: fixed cases, a bound on the work, and random patterns put to redis-server from a
 * printed seed.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  isLiteral,
  literalPrefix,
  matchGlob,
  prefixOfMatches,
} from "../../../src/commands/glob.ts";
import { quoteAlways, toBytes } from "../../oracle/byte-text.ts";
import { Random } from "../../oracle/random.ts";
import { RespClient } from "../../oracle/resp-client.ts";
import { readReply } from "../../oracle/resp-reply.ts";
import { findRedisServer, type RunningServer, startRedisServer } from "../../oracle/servers.ts";
import { encodeArray } from "../../oracle/step.ts";

const seed = Number(Bun.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);

/** Matches inside of larger buffers, so that a reader that leaves its bounds is noticed. */
function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const patternBytes = toBytes(`]${pattern}]*`);
  const textBytes = toBytes(`*${text}*`);
  return matchGlob(patternBytes, 1, 1 + pattern.length, textBytes, 1, 1 + text.length, ignoreCase);
}

/** Pattern, texts that match, texts that do not. */
const CASES: readonly (readonly [
  pattern: string,
  yes: readonly string[],
  no: readonly string[],
])[] = [
  ["hello", ["hello"], ["hell", "helloo", "Hello", ""]],
  ["h?llo", ["hello", "h?llo", "h\xffllo"], ["hllo", "heello"]],
  ["h*llo", ["hllo", "heeello", "hello llo"], ["hell", "ahllo"]],
  ["h[ae]llo", ["hello", "hallo"], ["hillo", "h[ae]llo"]],
  ["h[^e]llo", ["hallo", "h^llo"], ["hello"]],
  ["h[b-a]llo", ["hallo", "hbllo"], ["hcllo"]],
  ["h\\*llo", ["h*llo"], ["hello", "h\\*llo"]],
  ["a*b*c", ["abc", "aXbXc", "abcbc"], ["ab", "acb"]],
  ["*", ["a", "\0"], [""]],
  ["**", ["a"], [""]],
  ["", [""], ["a"]],
  ["a**", ["a", "ab"], [""]],
  ["a\\", ["a\\"], ["a"]],
  ["[", [], ["[", "a", ""]],
  ["[^", ["[", "^"], [""]],
  ["[]", [], ["]", "[]", ""]],
  ["[^]", ["]", "a"], ["", "aa"]],
  ["[a", ["a"], ["b", "["]],
  ["[a-", ["a", "-"], ["b"]],
  ["[a-]", ["a", "]", "^"], ["-", "b"]],
  ["[\\]]x", ["]x"], ["\\x", "\\]x"]],
  ["[\\", ["\\"], ["["]],
  ["[\\a-c]", ["a", "-", "c"], ["b"]],
  ["[\x01-\xff]", ["\x00", "\x01", "\xff"], ["\x02", "a", "\xfe"]],
];

test("patterns match what Redis's documentation and its oddities say", () => {
  for (const [pattern, yes, no] of CASES) {
    for (const text of yes)
      expect([pattern, text, matches(pattern, text)]).toEqual([pattern, text, true]);
    for (const text of no)
      expect([pattern, text, matches(pattern, text)]).toEqual([pattern, text, false]);
  }
});

test("without case, A to Z are folded, but not what is escaped in a class", () => {
  expect(matches("HE[L-M]\\LO", "hello", true)).toBe(true);
  expect(matches("hello", "HELLO", true)).toBe(true);
  expect(matches("[\\G]et", "get", true)).toBe(false);
  expect(matches("[A-g]et", "get", true)).toBe(true);
  expect(matches("[Z-a]", "a", true)).toBe(false);
  expect(matches("[", "{", true)).toBe(false);
  expect(matches("@\xc0", "`\xe0", true)).toBe(false);
});

test("many stars cost no more than the pattern times the text", () => {
  const text = "a".repeat(20_000);
  expect(matches(`${"a*".repeat(200)}b`, text)).toBe(false);
  expect(matches(`${"*a".repeat(200)}*b`, text)).toBe(false);
  expect(matches(`${"*a".repeat(200)}*`, text)).toBe(true);
});

test("more than 1000 runs of stars match nothing, as in Redis", () => {
  expect(matches(`${"a**".repeat(1000)}b`, `${"a".repeat(1000)}b`)).toBe(true);
  expect(matches("a*".repeat(1001), "a".repeat(1001))).toBe(true);
  expect(matches(`${"a*".repeat(1001)}b`, `${"a".repeat(1001)}b`)).toBe(false);
});

test("the literal prefix ends before the first special byte", () => {
  const prefixes = { "": 0, abc: 3, "user:*": 5, "a?": 1, "[a]": 0, "a\\*": 1, "a]^-": 4 };
  for (const [pattern, length] of Object.entries(prefixes)) {
    const bytes = toBytes(`x${pattern}y`);
    expect(literalPrefix(bytes, 1, 1 + pattern.length)).toBe(length);
    expect(isLiteral(bytes, 1, 1 + pattern.length)).toBe(length === pattern.length);
  }
});

test("every match begins with the prefix of matches, which knows escapes", () => {
  const prefixes = {
    "user:*": "user:",
    "a\\*b*c": "a*b",
    "\\\\?": "\\",
    "a\\": "a\\",
    "\\[x]*": "[x]",
    "a[b]": "a",
    "*": "",
    "": "",
  };
  for (const [pattern, prefix] of Object.entries(prefixes)) {
    const bytes = toBytes(`x${pattern}y`);
    const found = prefixOfMatches(bytes, 1, 1 + pattern.length);
    expect([pattern, found.toString()]).toEqual([pattern, prefix]);
  }
});

describe.skipIf(findRedisServer() === null)("against redis-server", () => {
  let server: RunningServer;
  let client: RespClient;
  beforeAll(async () => {
    server = await startRedisServer(findRedisServer() ?? "");
    client = await RespClient.open(server.port);
  });
  afterAll(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  });

  /** The elements of each reply, sorted. */
  async function lists(commands: readonly string[][]): Promise<string[][]> {
    const requests = commands.map((words) => toBytes(encodeArray(words)));
    const { replies, ending } = await client.exchange(requests);
    expect(ending).toBe("open");
    expect(replies).toHaveLength(commands.length);
    return replies.map((reply) =>
      (readReply(reply, 0)?.items ?? []).map((item) => item.text ?? ""),
    );
  }

  async function compare(
    texts: readonly string[],
    patterns: readonly string[],
    ignoreCase: boolean,
  ) {
    const command = ignoreCase ? ["COMMAND", "LIST", "FILTERBY", "PATTERN"] : ["KEYS"];
    const answers = await lists(patterns.map((pattern) => [...command, pattern]));
    for (const [index, pattern] of patterns.entries()) {
      const matching = texts.filter((text) => matches(pattern, text, ignoreCase));
      const shown = quoteAlways(pattern);
      const bytes = toBytes(pattern);
      const prefix = prefixOfMatches(bytes, 0, bytes.length);
      const begin = matching.filter(
        (text) => ignoreCase || Buffer.from(toBytes(text)).indexOf(prefix) === 0,
      );
      expect([shown, begin]).toEqual([shown, matching]);
      expect([shown, matching.toSorted()]).toEqual([shown, (answers[index] ?? []).toSorted()]);
    }
  }

  test(`KEYS selects the same keys (seed ${seed})`, async () => {
    const random = new Random(seed);
    const special = new Set(CASES.flatMap(([pattern, yes, no]) => [pattern, ...yes, ...no]));
    const words = Array.from({ length: 400 }, () => word(random, "ab-]^\\*?[Z\x00\x7f\x80\xff", 5));
    const keys = [...new Set([...special, ...words])];
    await lists(keys.map((key) => ["SET", key, ""]));
    const patterns = Array.from({ length: 2000 }, () => randomPattern(random));
    const asked = [...patterns, ...CASES.map(([pattern]) => pattern)];
    // KEYS answers "*" without matching.
    await compare(
      keys,
      asked.filter((pattern) => pattern !== "*"),
      false,
    );
  });

  test(`COMMAND LIST selects the same names in any case (seed ${seed})`, async () => {
    const random = new Random(seed);
    const [names = []] = await lists([["COMMAND", "LIST"]]);
    expect(names.length).toBeGreaterThan(200);
    const patterns = Array.from({ length: 2000 }, () => disguise(random, random.pick(names)));
    await compare(names, patterns, true);
  });

  test("the bound on runs of stars is the same", async () => {
    const keys = [1000, 1001].map((count) => `${"c".repeat(count)}d`);
    await lists([["FLUSHALL"], ...keys.map((key) => ["SET", key, ""])]);
    const patterns = [1000, 1001].flatMap((count) =>
      ["c*", "*c", "c**"].map((run) => `${run.repeat(count)}d`),
    );
    await compare(keys, [...patterns, "c*".repeat(1001), "c*".repeat(1002)], false);
  });
});

function word(random: Random, alphabet: string, mostLength: number): string {
  return Array.from({ length: random.integer(1, mostLength) }, () =>
    random.pick([...alphabet]),
  ).join("");
}

function randomPattern(random: Random): string {
  if (random.chance(0.3)) return word(random, "ab-]^\\*?[Z\x80\xff", 9);
  return Array.from({ length: random.integer(1, 4) }, () => randomAtom(random)).join("");
}

function randomAtom(random: Random): string {
  switch (random.below(5)) {
    case 0:
      return "*";
    case 1:
      return "?";
    case 2:
      return `\\${word(random, "ab*?[]\\", 1)}`;
    case 3: {
      const members = word(random, "ab-^\\Z\x00\x80\xff", 5);
      return `[${random.pick(["", "^"])}${members}${random.pick(["]", "]", ""])}`;
    }
    default:
      return word(random, "ab]-\xff", 2);
  }
}

/**
 * A pattern made of a name: bytes in another case, escaped, or replaced by a wildcard, a class or a
 * range.
 */
function disguise(random: Random, name: string): string {
  let pattern = "";
  for (const letter of name) {
    const other = random.chance(0.5) ? letter.toUpperCase() : letter;
    const near = random.pick([..."AZaz@[`{-|"]);
    pattern += random.pick([
      ...[other, other, other, other, `\\${other}`, "?", "*", `[${other}x]`, `[^${near}]`],
      ...[`[\\${other}]`, `[${other}-${near}]`, `[${near}-${other}]`, `[x\\${other}-${near}]`],
    ]);
  }
  return pattern;
}
