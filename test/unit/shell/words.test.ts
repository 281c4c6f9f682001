/** Words of people as commands: own words, options, `--`, listing, and what is wrong with them. */
import { describe, expect, test } from "bun:test";
import { localWords } from "../../../plugins/repl/local-words.ts";
import { type Part, partText } from "../../../src/client/link.ts";
import type { Command } from "../../../src/commands/command.ts";
import { coreCommands } from "../../../src/commands/index.ts";
import { CommandTable } from "../../../src/commands/table.ts";
import { KvdbError } from "../../../src/errors.ts";
import { parseLine } from "../../../src/shell/line.ts";
import { listKeys, readListing } from "../../../src/shell/listing.ts";
import { promptWords, understand } from "../../../src/shell/words.ts";

const catalog = new CommandTable();
catalog.add(coreCommands, "kvdb");

/** A server that has SET and GET, and nothing of kvdb's own. */
const elsewhere = new CommandTable();
elsewhere.add(
  coreCommands.filter(({ group }) => group !== "value"),
  "redis",
);

function sent(line: string, table = catalog): string[] {
  const words = line.split(" ") as [string, ...string[]];
  return understand(words, table).parts.map(partText);
}

function usage(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof KvdbError && error.code === "USAGE") return error.message;
    throw error;
  }
  throw new Error("it was taken");
}

test.each([
  ["set a 1", "VALUE.SET a 1"],
  ["GET a", "VALUE.GET a"],
  ["delete a b", "DEL a b"],
  ["incr a", "INCR a"],
  ["config get dir", "CONFIG get dir"],
  ["set a 1 --ttl 2s", "VALUE.SET a 1 PX 2000"],
  ["set a --ttl=1.5h 1", "VALUE.SET a 1 PX 5400000"],
  ["set a 1 --ttl 500ms", "VALUE.SET a 1 PX 500"],
  ["set a 1 NX EX 5", "VALUE.SET a 1 NX EX 5"],
  ["set a 1 nx --ttl 5s", "VALUE.SET a 1 nx PX 5000"],
  ["set a -- --ttl", "VALUE.SET a --ttl"],
  ["set a --other", "VALUE.SET a --other"],
  ["set a 1 --ttl 7d -- KEEPTTL", "VALUE.SET a 1 KEEPTTL PX 604800000"],
  ["echo --ttl", "ECHO --ttl"],
  ["echo -- --", "ECHO --"],
  ["ping --", "PING"],
])("%s is %s", (line, command) => {
  expect(sent(line).join(" ")).toBe(command);
});

test("the words of the prompt are those that the shell carries out", () => {
  const elsewhereKnown = ["help", "quit"];
  const names = localWords.map(({ name }) => name).filter((name) => !elsewhereKnown.includes(name));
  expect([...promptWords].sort()).toEqual(names.sort());
});

test("on a server of others set and get are SET and GET", () => {
  expect(sent("set a 1", elsewhere)).toEqual(["SET", "a", "1"]);
  expect(sent("get a", elsewhere)).toEqual(["GET", "a"]);
  expect(understand(["list"], elsewhere).command.name).toBe("SCAN");
});

test("binary words are passed on as they are", () => {
  const value = Uint8Array.of(0xff, 0x00);
  expect(understand(["set", "k", value], catalog).parts[2]).toBe(value);
});

test.each([
  ["sett a 1", 'unknown command "sett"; did you mean "set"?'],
  ["serve", '"serve" is a word of the command line, not of scripts'],
  ["help set", '"help" is a word of the command line, not of scripts'],
  ["export", '"export" is a word of the command line, not of scripts'],
  ["Shell", '"Shell" is a word of the command line, not of scripts'],
  ["peek a", '"peek" works at the prompt: kvdb shell'],
  ["set a hello world", '"world" is no option of set: put a value with spaces into quotes'],
  ["get", "wrong number of arguments; usage: kvdb get key"],
  ["set a 1 --tll 2s", 'unknown option "--tll"; did you mean "--ttl"?'],
  ["set a --ttl 2s", "wrong number of arguments"],
  ["set a 1 --ttl", "--ttl needs a duration"],
  ["set a 1 --ttl 2", "--ttl: expected a duration"],
  ["set a 1 --ttl -2s", "--ttl: expected a duration"],
  ["set a 1 --ttl 0s", "--ttl: expected a duration"],
  ["set a 1 --ttl 99999999999w", "--ttl: expected a duration"],
  ["config gett dir", 'unknown subcommand "config gett"; did you mean "get"?'],
  ["list a b", "expected prefix, limit or cursor"],
  ["list limti 5", "expected prefix, limit or cursor"],
  ["list limit 5 a*", 'expected prefix, limit or cursor, found "a*"'],
  ["list --limti 5", 'unknown option "--limti"; did you mean "--limit"?'],
  ["list --x*", "a pattern like that stands behind --"],
  ["list --limit", "--limit needs a count"],
  ["list --limit x", "limit: expected a whole number"],
  ["list limit x", "limit: expected a whole number"],
  ["list limit 0", "limit: expected a whole number of at least 1"],
])("%s: %s", (line, message) => {
  expect(usage(() => sent(line))).toContain(message);
});

test("set tells its option in its usage", () => {
  expect(usage(() => sent("set"))).toContain("[--ttl duration]");
});

test("listing takes a pattern, a prefix, a limit and a cursor", () => {
  expect(readListing([])).toEqual({
    pattern: undefined,
    prefix: undefined,
    limit: Number.POSITIVE_INFINITY,
    after: undefined,
  });
  expect(readListing(["a*", "LIMIT", "5", "cursor", "a:7"])).toMatchObject({
    pattern: "a*",
    limit: 5,
    after: "a:7",
  });
  expect(readListing(["prefix", "limit"])).toMatchObject({ pattern: undefined, prefix: "limit" });
  expect(readListing(["--limit", "5", "--cursor=a:7", "a*"])).toEqual({
    pattern: "a*",
    prefix: undefined,
    limit: 5,
    after: "a:7",
  });
  expect(readListing(["a*", "--prefix", "--x", "limit", "2"])).toMatchObject({
    pattern: "a*",
    prefix: "--x",
    limit: 2,
  });
  expect(readListing(["--prefix="])).toMatchObject({ prefix: "" });
  expect(readListing(["--", "--limit"])).toMatchObject({ pattern: "--limit" });
  expect(readListing(["--limit", "5", "--", "--x*"])).toMatchObject({ pattern: "--x*", limit: 5 });
  expect(readListing(["--"])).toMatchObject({ pattern: "--" });
  expect(readListing(["limit"])).toMatchObject({ pattern: "limit" });
  expect(readListing(["--", "limit", "limit", "5"])).toMatchObject({ pattern: "limit", limit: 5 });
});

describe("a listing", () => {
  const bulk = (text: string) => ({ kind: "bulk" as const, bytes: Buffer.from(text) });
  const list = (...texts: string[]) => ({ kind: "array" as const, items: texts.map(bulk) });
  const steps = new Map([
    ["0", ["7", "c", "a"]],
    ["7", ["9", "b", "a"]],
    ["9", ["0", "d"]],
  ]);

  /** A server with three steps; `a` comes twice, as SCAN may answer it. */
  function server(asked: string[] = []) {
    return async (parts: readonly Part[]) => {
      asked.push(parts.join(" "));
      const [next = "0", ...keys] = steps.get(String(parts[parts[0] === "SCAN" ? 1 : 2])) ?? [];
      return { kind: "array" as const, items: [bulk(next), list(...keys)] };
    };
  }

  test("goes over all steps and is in order", async () => {
    const asked: string[] = [];
    const listed = await listKeys("VALUE.KEYS", readListing(["x*"]), server(asked));
    expect(listed).toEqual({ answer: list("a", "b", "c", "d") });
    expect(asked).toEqual(["0", "7", "9"].map((at) => `VALUE.KEYS CURSOR ${at} MATCH x*`));
  });

  test.each([
    ["user:1", "user:1"],
    ["a b", "'a b'"],
    ["$HOME `id` \\\\ é", "'$HOME `id` \\\\ é'"],
    ["a\\", '"a\\\\"'],
    ["-x", "'-x'"],
    ["", "''"],
    ["it's", '"it\'s"'],
    ["a\u001bb", '"a\\u001bb"'],
    ["a\u202eb", '"a\\u202eb"'],
  ])("tells a cursor that can be typed: %j", async (key, shown) => {
    const keys = async () => ({ kind: "array" as const, items: [bulk("0"), list(key, "\uffff")] });
    const { note } = await listKeys("VALUE.KEYS", readListing(["limit", "1"]), keys);
    expect(note).toEndWith(` cursor ${shown}`);
    expect(parseLine(shown).words).toEqual([key]);
  });

  test("has at most its limit, and tells where to go on", async () => {
    const asked: string[] = [];
    const listed = await listKeys("VALUE.KEYS", readListing(["limit", "2"]), server(asked));
    expect(listed.answer).toEqual(list("a", "b"));
    expect(listed.note).toEndWith("cursor b");
    expect(asked[0]).toBe("VALUE.KEYS CURSOR 0 FIRST 3");
  });

  test("goes on behind its cursor, also where the server cannot", async () => {
    const request = readListing(["limit", "2", "cursor", "b"]);
    const asked: string[] = [];
    expect(await listKeys("SCAN", request, server(asked))).toEqual({ answer: list("c", "d") });
    expect(asked[0]).toBe("SCAN 0 COUNT 1000");
    expect(await listKeys("VALUE.KEYS", request, server(asked))).toMatchObject({
      answer: list("c", "d"),
    });
    expect(asked.at(-1)).toBe("VALUE.KEYS CURSOR 9 AFTER b FIRST 3");
  });

  test("keeps the first ones of many", async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `key:${String(i).padStart(5, "0")}`);
    const shuffled = names.map((name, i) => names[(i * 7919) % names.length] ?? name);
    const once = async () => ({ kind: "array" as const, items: [bulk("0"), list(...shuffled)] });
    const { answer } = await listKeys("SCAN", readListing(["limit", "5"]), once);
    expect(answer).toEqual(list(...names.slice(0, 5)));
    expect((await listKeys("SCAN", readListing([]), once)).answer).toEqual(list(...names));
  });

  test("passes an error on", async () => {
    const error = { kind: "error" as const, code: "NOAUTH", text: "Authentication required." };
    expect(await listKeys("SCAN", readListing([]), async () => error)).toEqual({ answer: error });
  });
});

test("every option of the table names a word that its command takes", () => {
  const withOptions = coreCommands.filter(
    (command): command is Command & Required<Pick<Command, "options">> =>
      command.options !== undefined,
  );
  expect(withOptions.length).toBeGreaterThan(0);
  for (const { options, syntax } of withOptions) {
    for (const { sends } of options) expect(syntax.split(/[\s[\]|]+/)).toContain(sends);
  }
});
