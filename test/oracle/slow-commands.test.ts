/**
 * SLOWLOG, LATENCY and the statistics of commands against redis-server 7.0: what is kept of a command, what stands in INFO,
 * and the words of errors. Durations and times are taken out: they are those of each server.
 */
import { describe, expect, test } from "bun:test";
import { latencyGraph } from "../../src/metrics/latency-graph.ts";
import { EngineHarness } from "../suites/engine-harness.ts";
import { type PlainReply, RedisInWords } from "./redis-in-words.ts";
import { findRedisServer, startRedisServer } from "./servers.ts";

const REDIS = findRedisServer();
const LONG = "x".repeat(128);

/** Commands, and what is compared afterwards. */
const COMMANDS: readonly (readonly string[])[] = [
  ["SET", "key", LONG],
  ["SET", "key", `${LONG}y`],
  ["RPUSH", "list", ...Array.from({ length: 40 }, (_, index) => `element ${index}`)],
  ["RPUSH", "list", ...Array.from({ length: 30 }, (_, index) => `element ${index}`)],
  ["AUTH", "nobody", "secret"],
  ["AUTH", "secret"],
  ["HELLO", "2", "AUTH", "default", "secret", "SETNAME", "worker"],
  ["CONFIG", "SET", "requirepass", "", "maxmemory", "0"],
  ["config", "set", "masterauth", "secret"],
  ["INCR", "list"],
  ["GET"],
  ["NOPE", "a"],
  ["CLIENT", "SETNAME", "a-name"],
  ["GET", "key"],
];

const QUESTIONS: readonly (readonly string[])[] = [
  ["SLOWLOG", "GET", "-2"],
  ["SLOWLOG", "GET", "x"],
  ["SLOWLOG", "GET", "1", "2"],
  ["SLOWLOG", "NOPE"],
  ["SLOWLOG", "RESET", "1"],
  ["SLOWLOG", "RESET"],
  ["LATENCY", "GRAPH", "nothing"],
  ["LATENCY", "GRAPH"],
  ["LATENCY", "HISTORY", "nothing"],
  ["LATENCY", "LATEST"],
  ["LATENCY", "RESET"],
  ["LATENCY", "RESET", "command", "nothing"],
  ["LATENCY", "HISTOGRAM", "nothing"],
  ["CONFIG", "SET", "slowlog-log-slower-than", "-2"],
  ["CONFIG", "SET", "slowlog-max-len", "-1"],
  ["CONFIG", "SET", "latency-tracking", "maybe"],
  ["CONFIG", "SET", "latency-tracking-info-percentiles", "50 101"],
  ["CONFIG", "SET", "latency-tracking-info-percentiles", "50abc"],
  ["CONFIG", "SET", "latency-tracking-info-percentiles", "50.0 1e1 99.95"],
  ["CONFIG", "GET", "latency-tracking-info-percentiles"],
  ["CONFIG", "SET", "latency-tracking-info-percentiles", ""],
  ["CONFIG", "GET", "latency-tracking-info-percentiles"],
];

describe.skipIf(REDIS === null)("like redis-server's", () => {
  test("SLOWLOG keeps of a command what Redis keeps", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    const db = new EngineHarness();
    const both = async (...words: readonly string[]) => {
      const expected = await redis.run(...words);
      return { expected, actual: db.run(...words) as PlainReply };
    };
    await both("CONFIG", "SET", "slowlog-log-slower-than", "0");
    for (const words of COMMANDS) await both(...words);
    const { expected, actual } = await both("SLOWLOG", "GET", "-1");
    expect(keptOf(actual)).toEqual(keptOf(expected));
    expect(db.run("SLOWLOG", "GET", "3")).toHaveLength(3);
    await both("CONFIG", "SET", "slowlog-max-len", "2");
    const length = await both("SLOWLOG", "LEN");
    expect(length.actual).toEqual(length.expected);
    redis.close();
  });

  test("INFO counts what Redis counts", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    const db = new EngineHarness();
    const counted = async (run: (...words: string[]) => unknown) => {
      await run("CONFIG", "RESETSTAT");
      // The engine alone has none of the settings that the kernel brings.
      const known = COMMANDS.filter(([name]) => name?.toUpperCase() !== "CONFIG");
      for (const words of known) await run(...words);
      return [
        countsOf(String(await run("INFO", "commandstats"))),
        countsOf(String(await run("INFO", "errorstats"))),
      ];
    };
    const expected = await counted((...words) => redis.run(...words));
    expect(await counted((...words) => db.run(...words))).toEqual(expected);
    redis.close();
  });

  test("answers and errors", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    const db = new EngineHarness();
    for (const words of QUESTIONS) {
      const actual = plain(db.run(...words));
      expect({ words, reply: actual }).toEqual({ words, reply: await redis.run(...words) });
    }
    redis.close();
  });

  test("LATENCY GRAPH draws what Redis draws", async () => {
    await using server = await startRedisServer(REDIS ?? "");
    const redis = await RedisInWords.open(server.port);
    await redis.run("CONFIG", "SET", "latency-monitor-threshold", "1");
    for (const seconds of ["0.002", "0.041", "0.013", "0.075"]) {
      await redis.run("DEBUG", "SLEEP", seconds);
      await Bun.sleep(1001); // one sample is kept of each second
    }
    const history = (await redis.run("LATENCY", "HISTORY", "command")) as [number, number][];
    const samples = history.map(([time, ms]) => ({ time, ms }));
    const longest = Math.max(...samples.map(({ ms }) => ms));
    expect(samples).toHaveLength(4);
    // The second may change while it is asked.
    const drawn = () => latencyGraph("command", samples, longest, Date.now());
    const before = drawn();
    const expected = await redis.run("LATENCY", "GRAPH", "command");
    expect([before, drawn()]).toContain(expected as string);
    redis.close();
  }, 20_000);
});

/** Maps as lists, as RESP2 has them; errors as their text. */
function plain(reply: unknown): unknown {
  if (reply instanceof Map) return [...reply].flat().map(plain);
  if (Array.isArray(reply)) return reply.map(plain);
  const isError = reply !== null && typeof reply === "object" && "error" in reply;
  return isError ? reply.error : reply;
}

/** Of entries of SLOWLOG: the arguments and the client's name. With the words that end an exchange left out. */
function keptOf(entries: PlainReply): unknown {
  const kept = (entries as unknown[][]).map((entry) => [entry[3] as string[], entry[5]] as const);
  return kept.filter(([words]) => words[0] !== "ECHO");
}

/** Without durations, in the order of names. */
function countsOf(text: string): string[] {
  return text
    .replace(/,usec=\d+,usec_per_call=[\d.]+/g, "")
    .split("\r\n")
    .filter((line) => line !== "" && !line.startsWith("cmdstat_echo"))
    .sort();
}
