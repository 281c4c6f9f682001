/** What a backup is compared by: the same for the same content however it lies there, another for any other. */
import { describe, expect, test } from "bun:test";
import { accountOf, ContentAccount } from "../../../src/backup/content-account.ts";
import type { StoredEntry } from "../../../src/plugin.ts";
import { EntryWalk } from "../../../src/store/entry-walk.ts";
import { EngineHarness } from "../../suites/index.ts";

const COMMANDS: readonly (readonly (string | number)[])[] = [
  ["SET", "plain", "text"],
  ["SET", "long", "x".repeat(5000)],
  ["SET", "timed", "v", "PXAT", 4_000_000_000_000],
  ["VALUE.SET", "document", '{"city":"Oslo"}'],
  ["RPUSH", "list", 1, 2, 3],
  ["SADD", "set", "a", "b", "c"],
  ["ZADD", "zset", 1, "a", 2.5, "b"],
  ["HSET", "hash", "f", 1, "g", 2],
  ["XADD", "stream", "1-1", "field", "value"],
  ["INDEX", "CREATE", "city", "USING", "hash", "FIELD", "city"],
];

function summaryOf(commands: readonly (readonly (string | number)[])[]) {
  const db = new EngineHarness({ auditEvery: 0 });
  for (const [name, ...words] of commands) {
    const reply = db.run(String(name), ...words);
    expect(reply).not.toBeInstanceOf(Error);
  }
  db.engine.endTurn();
  return accountOf(new EntryWalk(db.engine.keyspace.arena), () => {});
}

const whole = summaryOf(COMMANDS);

test("it counts keys by database, and indexes by name", () => {
  const summary = summaryOf([...COMMANDS, ["SELECT", 3], ["SET", "a", 1], ["SET", "b", 2]]);
  expect(summary.keys).toEqual({ 0: 9, 3: 2 });
  expect(summary.indexes).toEqual([{ database: 0, name: "city" }]);
  expect(summary.entries).toBe(12);
  expect(summary.digest).toMatch(/^[0-9a-f]{64}$/);
});

test("nothing has a digest as well", () => {
  expect(summaryOf([])).toEqual({ keys: {}, indexes: [], entries: 0, digest: "0".repeat(64) });
});

test("the order in which things came does not matter", () => {
  const other = [...COMMANDS].reverse().map(([name, key, ...rest]) => {
    if (name === "SADD") return [name, key, ...rest.reverse()] as const;
    if (name === "HSET") return [name, key, "g", 2, "f", 1] as const;
    return [name, key, ...rest] as const;
  });
  expect(summaryOf(other as typeof COMMANDS).digest).toBe(whole.digest);
});

test("a big collection counts as it does in parts of any length", () => {
  const members = Array.from({ length: 20_000 }, (_, index) => `member ${index}`);
  const one = summaryOf([["SADD", "big", ...members]]);
  const other = summaryOf(members.reverse().map((member) => ["SADD", "big", member]));
  expect(other).toEqual(one);
});

describe("another content, another digest:", () => {
  test.each([
    ["a key more", ["SET", "more", ""]],
    ["a key less", ["DEL", "plain"]],
    ["another value", ["SET", "plain", "texT"]],
    ["another long value", ["SETRANGE", "long", 4999, "y"]],
    ["another deadline", ["PEXPIREAT", "timed", 4_000_000_000_001]],
    ["no deadline", ["PERSIST", "timed"]],
    ["another type", ["SET", "document", '{"city":"Oslo"}']],
    ["an element more", ["RPUSH", "list", 4]],
    ["another order of a list", ["LMOVE", "list", "list", "LEFT", "RIGHT"]],
    ["another score", ["ZADD", "zset", 2.75, "b"]],
    ["another field", ["HSET", "hash", "f", 2]],
    ["a deadline of a field", ["HPEXPIREAT", "hash", 4_000_000_000_000, "FIELDS", 1, "f"]],
    ["an entry of a stream", ["XADD", "stream", "1-2", "field", "value"]],
    ["a group of a stream", ["XGROUP", "CREATE", "stream", "group", "0"]],
    ["another database", ["MOVE", "plain", 1]],
    ["another name", ["RENAME", "plain", "plain2"]],
    ["no index", ["INDEX", "DROP", "city"]],
  ] as const)("%s", (_what, command) => {
    expect(summaryOf([...COMMANDS, command]).digest).not.toBe(whole.digest);
  });
});

test("keys and values that run into one another are told apart", () => {
  const entry = (key: string, value: string): StoredEntry => ({
    ...{ database: 0, type: "string", deadlineMs: 0, version: 1 },
    ...{ isTimed: false, isContinued: false, keyStart: 0, valueStart: 0 },
    ...{ keyBytes: Buffer.from(key), keyEnd: key.length },
    ...{ valueBytes: Buffer.from(value), valueEnd: value.length },
  });
  const digests = ["", "a", "ab", "abc"].map((key) => {
    const account = new ContentAccount();
    account.add(entry(key, "abc".slice(key.length)));
    return account.summary.digest;
  });
  expect(new Set(digests).size).toBe(4);
});
