/**
 * Fields whose time is over, on a replica: they stay until the primary says that they are gone, and no client reads them. What is
 * answered is what a primary answers, which has removed them.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

setDefaultTimeout(30_000);

/** Of a hash with so many fields, each second one with a deadline that passes. */
async function filled(fields: number, isReplica: boolean): Promise<EngineHarness> {
  const db = new EngineHarness();
  const names = Array.from({ length: fields }, (_, i) => `f${i}`);
  db.run("HSET", "h", ...names.flatMap((name, i) => [name, String(i)]));
  const timed = names.filter((_, i) => i % 2 === 1);
  db.run("HPEXPIRE", "h", 100, "FIELDS", timed.length, ...timed);
  db.run("HSET", "all", "x", "1");
  db.run("HPEXPIRE", "all", 100, "FIELDS", 1, "x");
  db.run("RPUSH", "list", "0", "1");
  if (isReplica) db.engine.following.duties.begin();
  db.advance(200);
  return db;
}

const READS: readonly (readonly string[])[] = [
  ["HGET", "h", "f1"],
  ["HGET", "h", "f2"],
  ["HMGET", "h", "f0", "f1", "f2", "f3"],
  ["HEXISTS", "h", "f1"],
  ["HLEN", "h"],
  ["HSTRLEN", "h", "f1"],
  ["HGETALL", "h"],
  ["HKEYS", "h"],
  ["HVALS", "h"],
  ["HSCAN", "h", "0", "COUNT", "100000"],
  ["HSCAN", "h", "0", "COUNT", "100000", "NOVALUES"],
  ["HTTL", "h", "FIELDS", "2", "f0", "f1"],
  ["HPTTL", "h", "FIELDS", "1", "f3"],
  ["HEXPIRETIME", "h", "FIELDS", "1", "f3"],
  ["HPEXPIRETIME", "h", "FIELDS", "1", "f3"],
  ["HRANDFIELD", "h", "100000"],
  ["HRANDFIELD", "h", "100000", "WITHVALUES"],
  ["SORT_RO", "list", "BY", "nosort", "GET", "h->f*"],
  ["VALUE.GET", "h"],
  ["HGET", "all", "x"],
  ["HGETALL", "all"],
  ["HLEN", "all"],
  ["HRANDFIELD", "all"],
  ["HRANDFIELD", "all", "-3"],
  ["HSCAN", "all", "0"],
];

/** Where order is nobody's. */
const sorted = (reply: unknown) =>
  JSON.stringify(reply, (_name, value) => (Array.isArray(value) ? [...value].sort() : value));

/** A packed one, and one that is a dictionary. */
test.each([6, 600])("of a hash with %d fields no read shows one", async (fields) => {
  const primary = await filled(fields, false);
  const replica = await filled(fields, true);
  for (const words of READS) {
    expect([words, sorted(replica.run(...words))]).toEqual([words, sorted(primary.run(...words))]);
  }
  const live = new Set(Array.from({ length: fields / 2 }, (_, i) => `f${2 * i}`));
  for (const words of [["1"], ["-50"], ["2"], [String(fields / 2)]]) {
    const picked = replica.run("HRANDFIELD", "h", ...words) as string[];
    expect(picked.filter((name) => !live.has(name))).toEqual([]);
  }
  expect(live.has(String(replica.run("HRANDFIELD", "h")))).toBe(true);
  expect(replica.run("HLEN", "h")).toBe(fields / 2);
  // They are still there: that they go is the primary's to say.
  replica.engine.following.duties.end();
  replica.engine.keyspace.expiring = false;
  expect(replica.run("HLEN", "h")).toBe(fields);
});
