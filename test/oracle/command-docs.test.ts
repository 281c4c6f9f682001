/**
 * COMMAND DOCS against redis-server 7.0, for each command that both have: since when, its group, its complexity, and the tree of
 * its arguments as clients make hints of it: types, tokens, flags and places of keys. Names of arguments may differ, and so may
 * the shape where kvdb takes more than 7.0, or Redis's tree says the same in another way: a list, with why.
 */
import { expect, test } from "bun:test";
import { ownCommands } from "../../src/cli/own-commands.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { type PlainReply, RedisInWords } from "./redis-in-words.ts";
import { findRedisServer, startRedisServer } from "./servers.ts";

const REDIS = findRedisServer();

const NEWER = "an option, or an optional argument, of a later Redis";
const OWN = "an option of kvdb's own";
const SAME = "the same, nested in another way, as the documentation of Redis writes it";
const UNSAID = "Redis's tree says less";

const OTHER_TREES: Readonly<Record<string, string>> = {
  bgsave: OWN,
  bitop: UNSAID,
  "client|kill": SAME,
  "client|list": SAME,
  "command|getkeys": UNSAID,
  "command|getkeysandflags": UNSAID,
  "config|get": SAME,
  debug: UNSAID,
  failover: SAME,
  geohash: NEWER,
  geopos: NEWER,
  georadius: SAME,
  georadius_ro: SAME,
  georadiusbymember: SAME,
  georadiusbymember_ro: SAME,
  geosearch: SAME,
  geosearchstore: SAME,
  hscan: NEWER,
  multi: OWN,
  pfdebug: UNSAID,
  pfmerge: NEWER,
  psubscribe: SAME,
  replicaof: OWN,
  set: NEWER,
  slaveof: OWN,
  "xinfo|stream": SAME,
  xtrim: SAME,
  zrank: NEWER,
  zrevrank: NEWER,
};

type Doc = ReadonlyMap<string, unknown>;

test.skipIf(REDIS === null)("COMMAND DOCS equals redis-server's", async () => {
  await using server = await startRedisServer(REDIS ?? "");
  const redis = await RedisInWords.open(server.port);
  const names = ownCommands().map(({ name }) => name.toLowerCase());
  const expected = docsOf(await redis.run("COMMAND", "DOCS", ...names));
  const actual = docsOf(plain(new EngineHarness().run("COMMAND", "DOCS", ...names)));
  redis.close();

  expect(expected.size).toBeGreaterThan(200);
  const others: string[] = [];
  for (const [name, doc] of expected) {
    const own = actual.get(name) as Doc;
    for (const field of ["since", "group"]) {
      expect(`${name} ${field} ${own.get(field)}`).toBe(`${name} ${field} ${doc.get(field)}`);
    }
    // Redis's complexity goes on after the first sentence.
    const complexity = String(doc.get("complexity") ?? "");
    expect(`${name}: ${own.has("complexity")}`).toBe(`${name}: ${complexity !== ""}`);
    if (shapeOf(own.get("arguments")) !== shapeOf(doc.get("arguments"))) others.push(name);
  }
  expect(others.sort()).toEqual(Object.keys(OTHER_TREES).sort());
});

function docsOf(reply: unknown): ReadonlyMap<string, Doc> {
  return new Map([...mapOf(reply)].map(([name, doc]) => [name, mapOf(doc)]));
}

/** Names and values by turns, as RESP2 has them. */
function mapOf(list: unknown): Map<string, unknown> {
  const values = list as unknown[];
  const pairs: [string, unknown][] = [];
  for (let i = 0; i < values.length; i += 2) pairs.push([String(values[i]), values[i + 1]]);
  return new Map(pairs);
}

/** A tree of arguments as text, without names. */
function shapeOf(tree: unknown): string {
  return ((tree ?? []) as unknown[]).map((argument) => shapeOfOne(mapOf(argument))).join(" ");
}

function shapeOfOne(argument: Doc): string {
  const flags = [...((argument.get("flags") ?? []) as string[])].sort();
  const parts = argument.has("arguments") ? `(${shapeOf(argument.get("arguments"))})` : "";
  const token = argument.has("token") ? `=${argument.get("token")}` : "";
  const place = argument.has("key_spec_index") ? `#${argument.get("key_spec_index")}` : "";
  return `${argument.get("type")}${token}${place}{${flags}}${parts}`;
}

function plain(reply: unknown): PlainReply {
  if (reply instanceof Map) return [...reply].flat().map(plain);
  if (reply instanceof Set) return [...reply].map(plain);
  return Array.isArray(reply) ? reply.map(plain) : (reply as PlainReply);
}
