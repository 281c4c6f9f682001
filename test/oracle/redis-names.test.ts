/** The words of a redis.conf are Redis's, no more and no fewer; what CONFIG GET of ours has is one of them or ours alone. */
import { expect, test } from "bun:test";
import { redisNames, severalWords } from "../../src/kernel/redis-names.ts";
import { settings } from "../../src/kernel/settings.ts";
import { REDIS, Redis } from "../e2e/support/redis.ts";
import { Workspace } from "../e2e/support/workspace.ts";

/** Settings that Redis has no name for. */
const OURS = ["log-format"];

test.skipIf(REDIS === null)("every name of redis-server's CONFIG GET, and no other", async () => {
  await using workspace = await Workspace.create();
  await using redis = await Redis.start(workspace);
  const client = await redis.connect();
  const answer = (await client.call("CONFIG", "GET", "*")) as string[];
  const names = answer.map(String).filter((_, index) => index % 2 === 0);
  expect([...redisNames].sort()).toEqual(names.sort());
});

test("settings have Redis's names", () => {
  const others = settings.map(({ name }) => name).filter((name) => !redisNames.includes(name));
  expect(others).toEqual(OURS);
  for (const name of severalWords) expect(redisNames).toContain(name);
});
