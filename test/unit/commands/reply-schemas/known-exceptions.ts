/**
 * Where replies and schemas part, each with its reason: calls whose reply is Redis 7.0's but not the schema's, and ways
 * of schemas that no reply takes in this process. An entry that is no longer true fails the test.
 */

import { expect } from "bun:test";

type DifferentReply = {
  /** What the reply equals; may contain matchers. */
  readonly reply: unknown;
  readonly reason: string;
};

const OF_REDIS =
  "so answers Redis; the schema knows only the replies to keys and members that exist";

export const DIFFERENT_REPLIES: Readonly<Record<string, DifferentReply>> = {
  "LMOVE missing b LEFT RIGHT": { reply: null, reason: OF_REDIS },
  "GEOHASH g nowhere": { reply: [null], reason: OF_REDIS },
  "XPENDING new g": {
    reply: [0, null, null, null],
    reason: "so answers Redis for a group to which nothing is pending; the schema forgets it",
  },
  "COMMAND DOCS value.get": {
    reply: { "value.get": expect.objectContaining({ group: "value" }) },
    reason: "the schema lists the groups of Redis; kvdb's own commands are in one of their own",
  },
};

/** "COMMAND schema of the way": reason. */
export const UNREACHED_WAYS: Readonly<Record<string, string>> = {
  'OBJECT FREQ {"type":"integer"}': "kvdb counts no accesses: an error, as Redis without LFU",
  'SHUTDOWN {"const":"OK"}': "answers ABORT of a shutdown that waits; kvdb's never waits",
  'TYPE {"type":"null"}': "Redis answers the status none for a missing key, which is a string",
};
