/**
 * The fields of INFO against redis-server 7.0: kvdb has those of the same sections, but for what has no meaning in it. What is
 * in them is tested elsewhere (test/unit/commands/info.test.ts, test/e2e/prometheus-exporter.test.ts).
 */
import { expect, test } from "bun:test";
import { EngineHarness } from "../suites/engine-harness.ts";
import { RedisInWords } from "./redis-in-words.ts";
import { findRedisServer, startRedisServer } from "./servers.ts";

const REDIS = findRedisServer();

/** Sections, and the fields of Redis that they have not here. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  // About how Redis was built, the frequency of its timer, its supervisor, its own file of settings.
  server: [
    ...["redis_git_sha1", "redis_git_dirty", "monotonic_clock", "multiplexing_api"],
    ...["atomicvar_api", "gcc_version", "process_supervised", "hz", "configured_hz"],
    "config_file",
  ],
  // What a frontend that listens has.
  clients: ["maxclients"],
  // About the buffers of its connections, which grow and shrink.
  stats: ["reply_buffer_shrinks", "reply_buffer_expands"],
  replication: [],
  cpu: [],
  cluster: [],
  keyspace: [],
  modules: [],
  errorstats: [],
};

test.skipIf(REDIS === null)("INFO has redis-server's fields", async () => {
  await using server = await startRedisServer(REDIS ?? "");
  const redis = await RedisInWords.open(server.port);
  const db = new EngineHarness();
  for (const [section, absent] of Object.entries(SECTIONS)) {
    const expected = fieldsOf(String(await redis.run("INFO", section)));
    const actual = fieldsOf(String(db.run("INFO", section)));
    expect(actual.title).toBe(expected.title);
    expect(expected.names.filter((name) => !actual.names.includes(name))).toEqual([...absent]);
  }
  redis.close();
});

function fieldsOf(text: string): { title: string; names: string[] } {
  const [title = "", ...lines] = text.split("\r\n").filter((line) => line !== "");
  return { title, names: lines.map((line) => line.slice(0, line.indexOf(":"))) };
}
