/** What counts as equal replies, and above all what does not. */

import { expect, test } from "bun:test";
import { repliesAgree } from "./compare.ts";
import type { Answer } from "./step.ts";

const HELLO = "*4\r\n+server\r\n+redis\r\n+proto\r\n:2\r\n";
const NO_SUCH_KEY = "-ERR no such key\r\n";

const CASES: [name: string, answer: Answer, one: string, other: string, agree: boolean][] = [
  ["GET", "exact", "$1\r\na\r\n", "$1\r\na\r\n", true],
  ["GET", "exact", "$-1\r\n", "_\r\n", false],
  ["TTL", { within: 2 }, ":100\r\n", ":102\r\n", true],
  ["TTL", { within: 2 }, ":100\r\n", ":103\r\n", false],
  ["TTL", { within: 2 }, ":-1\r\n", ":-2\r\n", false],
  ["TTL", { within: 2 }, ":0\r\n", ":1\r\n", false],
  ["KEYS", "unordered", "*2\r\n+a\r\n+b\r\n", "*2\r\n+b\r\n+a\r\n", true],
  ["KEYS", "unordered", "*2\r\n+a\r\n+b\r\n", "*2\r\n+a\r\n+a\r\n", false],
  ["KEYS", "unordered", "*1\r\n+a\r\n", "~1\r\n+a\r\n", false],
  ["RANDOMKEY", "presence", "$1\r\na\r\n", "$1\r\nb\r\n", true],
  ["RANDOMKEY", "presence", "$1\r\na\r\n", "$-1\r\n", false],
  ["RANDOMKEY", "presence", "$1\r\na\r\n", NO_SUCH_KEY, false],
  ["object refcount", "exact", ":1\r\n", ":2147483647\r\n", true],
  ["object refcount", "exact", ":1\r\n", "$-1\r\n", false],
  ["object refcount", "exact", ":1\r\n", NO_SUCH_KEY, false],
  ["HELLO", "exact", HELLO, HELLO.replace("+redis", "+kvdb"), true],
  ["HELLO", "exact", HELLO, HELLO.replace(":2", ":3"), false],
  ["HELLO", "exact", HELLO, HELLO.replace("+proto", "+protocol"), false],
];

test.each(CASES)("%s, %j: %j and %j agree: %j", (name, answer, one, other, agree) => {
  const command = { words: name.split(" "), answer };
  expect(repliesAgree(command, one, other)).toBe(agree);
  expect(repliesAgree(command, other, one)).toBe(agree);
});
