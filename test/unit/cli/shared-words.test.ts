/** Words that kvdb has for itself and that are commands of Redis too: what stands behind them says which is meant. */
import { expect, test } from "bun:test";
import { isRedisCopy } from "../../../src/cli/copy.ts";
import { ownCommands } from "../../../src/cli/own-commands.ts";
import { ownWords } from "../../../src/cli/own-words.ts";
import { isRedisRestore } from "../../../src/cli/restore.ts";
import { CommandTable } from "../../../src/commands/table.ts";
import { knownWords } from "../../../src/shell/words.ts";

test.each<[words: string[], isRedis: boolean]>([
  [["a", "b"], true],
  [["a", "b", "DB", "1", "REPLACE"], true],
  [[], false],
  [["a"], false],
  [["redis://localhost:6379"], false],
  [["redis://localhost:6379", "--prefix", "user:"], false],
  [["--to", "redis://localhost:6379"], false],
  [["a", "--to", "redis://localhost:6379"], false],
])("copy %j is COPY of Redis: %p", (words, isRedis) => {
  expect(isRedisCopy(words)).toBe(isRedis);
});

test.each<[words: string[], isRedis: boolean]>([
  [["key", "0", "payload"], true],
  [["key", "0", "payload", "REPLACE"], true],
  [["name"], false],
  [["name", "--force"], false],
  [["name", "--force", "--to", "folder"], false],
])("restore %j is RESTORE of Redis: %p", (words, isRedis) => {
  expect(isRedisRestore(words)).toBe(isRedis);
});

test("a word that was mistyped is found among all words of the command line", () => {
  const table = new CommandTable();
  table.add(ownCommands(), "kvdb");
  const known = new Set(knownWords(table));
  expect(ownWords.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});
