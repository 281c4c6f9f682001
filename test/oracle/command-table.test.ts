// The facts of the command table against redis-server: name, arity, flags, where the keys are, and the categories that
// are derived. Commands that redis-server does not know are kvdb's own or newer: each says so itself, in `since`; or they
// are those of a module, RedisJSON, with its versions.

import { expect, test } from "bun:test";
import { ownCommands } from "../../src/cli/own-commands.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { RespClient } from "./resp-client.ts";
import { type ReplyNode, readReply } from "./resp-reply.ts";
import { findRedisServer, startRedisServer } from "./servers.ts";
import { encodeArray } from "./step.ts";

/** Fields of COMMAND INFO that are compared: the first eight. */
const FACTS = 8;
/** Where the key specifications stand behind them. */
const SPECIFICATIONS = 8;
/** Commands that got an option later, which their arity shows: ZRANK WITHSCORE of Redis 7.2, kvdb's MULTI ROLLBACK. */
const NEWER_ARITIES: Readonly<Record<string, number>> = {
  ...{ zrank: -3, zrevrank: -3, multi: -1 },
  // A port alone is one of this machine.
  ...{ replicaof: -2, slaveof: -2 },
};
const NEWER = /: (kvdb |7\.[1-9]|8)/;

const REDIS = findRedisServer();
const commands = ownCommands();
const names = commands.map(({ name }) => name.toLowerCase());

test.skipIf(REDIS === null)("COMMAND INFO equals redis-server's", async () => {
  await using server = await startRedisServer(REDIS ?? "");
  const client = await RespClient.open(server.port);
  const request = Buffer.from(encodeArray(["COMMAND", "INFO", ...names]), "latin1");
  const { replies } = await client.exchange([request]);
  client.close();
  const expected = plain(readReply(replies[0] ?? new Uint8Array(0), 0)) as unknown[];
  const actual = new EngineHarness().run("COMMAND", "INFO", ...names) as unknown[];

  names.forEach((name, index) => {
    const isKnown = expected[index] !== null;
    const known = isKnown ? facts(expected[index]) : [];
    if (name in NEWER_ARITIES) known[1] = NEWER_ARITIES[name];
    if (isKnown) expect(facts(actual[index])).toEqual(known);
    else if (commands[index]?.group === "json") expect(name).toStartWith("json.");
    else expect(`${name}: ${commands[index]?.since}`).toMatch(NEWER);
  });
});

test.skipIf(REDIS === null)(
  "key specifications equal redis-server's, with what is done",
  async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const client = await RespClient.open(server.port);
    const request = Buffer.from(encodeArray(["COMMAND", "INFO", ...names]), "latin1");
    const { replies } = await client.exchange([request]);
    client.close();
    const expected = plain(readReply(replies[0] ?? new Uint8Array(0), 0)) as unknown[];
    const actual = new EngineHarness().run("COMMAND", "INFO", ...names) as unknown[];
    names.forEach((name, index) => {
      if (expected[index] === null) return;
      const theirs = flat((expected[index] as unknown[])[SPECIFICATIONS]);
      expect([name, flat((actual[index] as unknown[])[SPECIFICATIONS])]).toEqual([name, theirs]);
    });
  },
);

/** The same for what RESP2 and RESP3 answer: maps and sets as arrays. */
function flat(value: unknown): unknown {
  if (value instanceof Map) return [...value].flat().map(flat);
  if (value instanceof Set || Array.isArray(value)) return [...value].map(flat);
  return value;
}

/** Sets have no order; Redis answers theirs as arrays in RESP2. */
function facts(info: unknown): unknown[] {
  return (info as unknown[])
    .slice(0, FACTS)
    .map((field) => (typeof field === "object" ? [...(field as Iterable<string>)].sort() : field));
}

function plain(node: ReplyNode | null): unknown {
  if (node === null || node.text === null) return null;
  if (node.type === ":") return Number(node.text);
  return node.type === "*" ? node.items.map(plain) : node.text;
}
