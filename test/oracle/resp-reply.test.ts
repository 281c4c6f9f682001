/** The reply reader: each type whole, cut at each byte, and nested; and what is no reply. */

import { describe, expect, test } from "bun:test";
import { toBytes } from "./byte-text.ts";
import { MalformedReply, readReply } from "./resp-reply.ts";

const REPLIES = [
  ...[
    "+OK\r\n",
    "-ERR no\r\n",
    ":-12\r\n",
    "_\r\n",
    "#t\r\n",
    ",1.5e3\r\n",
    "(12345678901234567890\r\n",
  ],
  ...["$3\r\na\r\n\r\n", "$0\r\n\r\n", "$-1\r\n", "=7\r\ntxt:abc\r\n", "!5\r\nERR x\r\n"],
  ...["*0\r\n", "*-1\r\n", "*2\r\n:1\r\n$1\r\na\r\n", "~1\r\n+a\r\n", ">2\r\n+message\r\n+x\r\n"],
  ...["%1\r\n+key\r\n*1\r\n_\r\n", "%0\r\n", "|1\r\n+ttl\r\n:5\r\n$1\r\na\r\n"],
  "*2\r\n%2\r\n+a\r\n~0\r\n+b\r\n*1\r\n*1\r\n$-1\r\n|1\r\n+x\r\n+y\r\n:7\r\n",
];

describe.each(REPLIES)("%j", (reply) => {
  test("ends where it ends, with other bytes before and after", () => {
    expect(readReply(toBytes(`junk${reply}+OK\r\n`), 4)?.end).toBe(4 + reply.length);
  });

  test("is incomplete when cut at any byte", () => {
    for (let size = 0; size < reply.length; size++) {
      expect(readReply(toBytes(reply.slice(0, size)), 0)).toBeNull();
    }
  });
});

test.each([
  ...["?\r\n", "OK\r\n", "\r\n", "$x\r\n", "$-2\r\n", "*1.5\r\n", "$1\r\nabc\r\n", "+a\rb\r\n"],
  "*1\r\n".repeat(100),
])("%j is malformed", (text) => {
  expect(() => readReply(toBytes(text), 0)).toThrow(MalformedReply);
});
