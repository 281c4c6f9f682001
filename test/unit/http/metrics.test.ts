/** The text of /metrics and the state of /health from what commands answered. */
import { describe, expect, test } from "bun:test";
import { healthOf } from "../../../plugins/http/health.ts";
import { histogramsOf } from "../../../plugins/http/histograms.ts";
import { metricsText } from "../../../plugins/http/metrics.ts";
import type { Answer } from "../../../src/plugin.ts";

const bulk = (text: string): Answer => ({ kind: "bulk", bytes: Buffer.from(text) });
const integer = (value: number): Answer => ({ kind: "integer", value });
const array = (...items: Answer[]): Answer => ({ kind: "array", items });
const NOTHING = array();

/** As LATENCY HISTOGRAM answers it, with maps or without. */
function latency(
  command: string,
  calls: number,
  counts: readonly (readonly [number, number])[],
  maps: boolean,
): Answer {
  const map = (...entries: [Answer, Answer][]): Answer =>
    maps ? { kind: "map", entries } : array(...entries.flat());
  const buckets = map(
    ...counts.map(([end, count]): [Answer, Answer] => [integer(end), integer(count)]),
  );
  return map([
    bulk(command),
    map([bulk("calls"), integer(calls)], [bulk("histogram_usec"), buckets]),
  ]);
}

describe("histograms", () => {
  test.each([true, false])(
    "every second bucket, those that Redis leaves out too (maps: %p)",
    (maps) => {
      const answer = latency(
        "config|get",
        9,
        [
          [2, 1],
          [66, 5],
          [528, 8],
          [4_000_000, 9],
        ],
        maps,
      );
      const found = histogramsOf(answer).get("config|get");
      expect(found?.calls).toBe(9);
      expect(found?.buckets.map(([, count]) => count)).toEqual([0, 1, 1, 5, 5, 8, 8, 8, 8, 8, 8]);
      expect(found?.buckets.map(([seconds]) => seconds)).toContain(0.000264);
    },
  );

  test("of a server without the command there are none", () => {
    expect(histogramsOf({ kind: "error", code: "ERR", text: "unknown command" }).size).toBe(0);
  });
});

test("fields that are missing, or no numbers, are left out; labels are quoted", async () => {
  const info = "# Server\r\nuptime_in_seconds:5\r\nconnected_clients:x\r\nused_cpu_user:1.5\r\n";
  const stats = 'cmdstat_get:calls=2,usec=3000,failed_calls=1\r\nerrorstat_A"B:count=4\r\n';
  const text = await metricsText(bulk(info + stats), latency("get", 2, [[1056, 2]], true));
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  expect(lines).toContain("kvdb_uptime_seconds 5");
  expect(lines).toContain("kvdb_cpu_user_seconds_total 1.5");
  expect(lines).toContain('kvdb_command_seconds_total{command="get"} 0.003');
  expect(lines).toContain('kvdb_errors_total{error="A\\"B"} 4');
  expect(lines).toContain('kvdb_command_duration_seconds_bucket{command="get",le="0.001056"} 2');
  expect(lines).toContain('kvdb_command_duration_seconds_bucket{command="get",le="+Inf"} 2');
  expect(lines).toContain('kvdb_command_duration_seconds_sum{command="get"} 0.003');
  expect(text).not.toContain("kvdb_connected_clients");
});

test("nothing that was counted is left from the scrape before", async () => {
  const scrape = () => metricsText(bulk("cmdstat_get:calls=2\r\n"), NOTHING);
  expect(await scrape()).toBe(await scrape());
});

test.each([
  ["loading:0", null, { ok: true, status: "ok" }],
  ["loading:1\r\nloading_loaded_perc:25.00", null, { ok: false, status: "loading", loaded: 0.25 }],
  ["loading:0", "ENOSPC", { ok: false, status: "disk", reason: "ENOSPC" }],
])("health: %j, %p", (info, failure, expected) => {
  const error = failure === null ? null : new Error(failure);
  expect(healthOf(bulk(info), error)).toEqual(expected as never);
});

test("replicas are named by their addresses, and a replica tells of its link", async () => {
  const line = (port: number, lag: number) =>
    `ip=10.0.0.1,port=${port},state=online,offset=5,lag=${lag},lag_bytes=${lag * 100}`;
  const replicas = `connected_slaves:2\r\nslave0:${line(6380, 1)}\r\nslave1:${line(6381, 2)}\r\n`;
  const own = "master_link_status:up\r\nslave_lag_bytes:7\r\nslave_priority:100\r\nsync_full:3\r\n";
  const text = await metricsText(bulk(`# Replication\r\n${replicas}${own}`), NOTHING);
  const lines = text.split("\n").filter((one) => !one.startsWith("#"));
  expect(lines).toContain('kvdb_replica_lag_bytes{replica="10.0.0.1:6380"} 100');
  expect(lines).toContain('kvdb_replica_lag_seconds{replica="10.0.0.1:6381"} 2');
  expect(lines).toContain("kvdb_connected_replicas 2");
  expect(lines).toContain("kvdb_primary_link_up 1");
  expect(lines).toContain("kvdb_primary_lag_bytes 7");
  expect(lines).toContain("kvdb_replication_full_copies_total 3");
});
