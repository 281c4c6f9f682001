/**
 * Debian's prometheus-redis-exporter, unchanged, before kvdb and before redis-server: what it exports of the one, it exports of
 * the other, all of it, and it finds nothing wrong.
 */
import { expect, test } from "bun:test";
import { until } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const EXPORTER = Bun.which("prometheus-redis-exporter");

interface Export {
  readonly names: readonly string[];
  readonly samples: ReadonlyMap<string, number>;
  readonly log: string;
}

async function exportOf(port: number): Promise<Export> {
  const webPort = freePort();
  const child = Bun.spawn(
    [
      ...[EXPORTER ?? "", "-redis.addr", `redis://127.0.0.1:${port}`],
      ...["-web.listen-address", `127.0.0.1:${webPort}`],
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  const text = await until("the exporter answers", async () => {
    if (child.exitCode !== null) throw new Error(`the exporter ended with ${child.exitCode}`);
    const [answer] = await Promise.allSettled([fetch(`http://127.0.0.1:${webPort}/metrics`)]);
    return answer.status === "fulfilled" && answer.value.text();
  });
  child.kill();
  const log = await new Response(child.stderr).text();
  const lines = text.split("\n").filter((line) => line.startsWith("redis_"));
  const samples = lines.map((line): [string, number] => {
    const end = line.lastIndexOf(" ");
    return [line.slice(0, end), Number(line.slice(end + 1))];
  });
  const names = new Set(samples.map(([name]) => name.replace(/\{.*/, "")));
  return { names: [...names].sort(), samples: new Map(samples), log };
}

/** Something of everything that is exported. */
const COMMANDS = [
  ["CONFIG", "SET", "slowlog-log-slower-than", "0", "latency-monitor-threshold", "1"],
  ["SET", "key", "value"],
  ["SET", "timed", "value", "EX", "1000"],
  ["GET", "key"],
  ["GET", "missing"],
  ["NOPE"],
] as const;

test.skipIf(EXPORTER === null || REDIS === null)(
  "prometheus-redis-exporter exports of kvdb what it exports of redis-server",
  async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    await using server = await Server.start(workspace);
    for (const port of [await redis.connect(), await server.connect()]) {
      for (const command of COMMANDS) await port.ask(...command);
    }
    const [expected, actual] = await Promise.all([exportOf(redis.port), exportOf(server.port)]);
    expect(actual.log).not.toMatch(/level=(error|warn|fatal)/);
    const missing = expected.names.filter((name) => !actual.names.includes(name));
    expect(missing).toEqual([]);

    expect(actual.samples.get("redis_up")).toBe(1);
    expect(actual.samples.get('redis_db_keys{db="db0"}')).toBe(2);
    expect(actual.samples.get('redis_db_keys_expiring{db="db0"}')).toBe(1);
    const averageSeconds = actual.samples.get('redis_db_avg_ttl_seconds{db="db0"}');
    expect(averageSeconds).toBeGreaterThan(900);
    expect(averageSeconds).toBeLessThanOrEqual(1000);
    expect(actual.samples.get('redis_commands_total{cmd="set"}')).toBe(2);
    expect(actual.samples.get("redis_keyspace_misses_total")).toBe(1);
    expect(actual.samples.get("redis_slowlog_length")).toBeGreaterThan(5);
  },
);
