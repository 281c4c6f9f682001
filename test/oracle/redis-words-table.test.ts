// The whole command table: what is recorded as it is in Redis's words is known to redis-server 7.0, name and options. A
// new command, or a new option of an old one, that it does not know fails here until its record is translated.

import { expect, test } from "bun:test";
import { coreCommands } from "../../src/commands/index.ts";
import { isRecordedInRedisWords } from "../../src/commands/redis-words.ts";
import { type PlainReply, RedisInWords } from "./redis-in-words.ts";
import { findRedisServer, startRedisServer } from "./servers.ts";

/** What COMMAND DOCS of 7.0 does not tell of, and why it is right nevertheless. */
const UNDOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  // Came later, or is kvdb's; recorded as the SET that it came to: test/unit/journal/redis-words.test.ts.
  SET: ["IFEQ", "IFVERSION", "IFTOKEN"],
  // There an argument "operation" of any text; bitops.c has these four.
  BITOP: ["AND", "OR", "XOR", "NOT"],
  // Not documented at all; hyperloglog.c has them.
  PFDEBUG: ["GETREG", "DECODE", "ENCODING", "TODENSE"],
};

const REDIS = findRedisServer();
const changing = coreCommands.filter(
  (command) => isRecordedInRedisWords(command) && command.flags.includes("write"),
);

test.skipIf(REDIS === null)("redis-server knows what is recorded as it is", async () => {
  await using server = await startRedisServer(REDIS ?? "");
  const redis = await RedisInWords.open(server.port);
  expect(await redis.run("INFO", "server")).toContain("redis_version:7.0.");
  const unknown: string[] = [];
  for (const { name, syntax } of changing) {
    const known = wordsOf(await redis.run("COMMAND", "DOCS", name.toLowerCase()));
    if (known.size === 0) unknown.push(name);
    for (const word of syntax.match(/\b[A-Z]{2,}\b/g) ?? []) {
      if (!known.has(word) && UNDOCUMENTED[name]?.includes(word) !== true) {
        unknown.push(`${name} ${word}`);
      }
    }
  }
  expect(unknown).toEqual([]);
  expect(changing.length).toBeGreaterThan(80);
  redis.close();
});

/** All texts in a reply. */
function wordsOf(reply: PlainReply): Set<string> {
  if (Array.isArray(reply)) return new Set(reply.flatMap((part) => [...wordsOf(part)]));
  return new Set(typeof reply === "string" ? [reply.toUpperCase()] : []);
}
