/**
 * What `/metrics` answers, in the words of Prometheus: made of INFO and LATENCY HISTOGRAM at each scrape, so that nothing is
 * counted twice and nothing costs while nobody asks. Which field is which metric is in metric-tables.ts.
 */
import { type Answer, textOf } from "kvdb";
import { Counter, Gauge, type Metric, Registry } from "prom-client";
import { type Histogram, histogramsOf } from "./histograms.ts";
import { type Fields, Info } from "./info.ts";
import { METRIC_TABLES, type Members, type MetricTable } from "./metric-tables.ts";

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

const DURATION = "kvdb_command_duration_seconds";

/** What INFO everything and LATENCY HISTOGRAM answered. */
export function metricsText(info: Answer, latency: Answer): Promise<string> {
  const registry = new Registry();
  const fields = new Info(textOf(info) ?? "");
  addBuild(registry, fields);
  for (const table of METRIC_TABLES) addTable(registry, table, fields);
  registry.registerMetric(durations(histogramsOf(latency), fields));
  return registry.metrics();
}

function addBuild(registry: Registry, fields: Info): void {
  const labelNames = ["version", "persistence"];
  const help = "1, with the version of kvdb and the name of its persistence";
  const build = new Gauge({ name: "kvdb_build_info", help, labelNames, registers: [registry] });
  const [version = "", persistence = ""] = [
    fields.text("kvdb_version"),
    fields.text("persistence"),
  ];
  build.set({ version, persistence }, 1);
}

function addTable(
  registry: Registry,
  { rows, group, read = numberOf }: MetricTable,
  info: Info,
): void {
  const members: Members = group?.members(info) ?? new Map([["", info]]);
  for (const [name, field, help, scale = 1] of rows) {
    const samples = [...members].flatMap(([member, fields]) => {
      const value = read(fields, field);
      return value === undefined ? [] : [{ member, value: value * scale }];
    });
    // Without a label it would be 0, and nobody has said so.
    if (group === undefined && samples.length === 0) continue;
    const labelNames = group === undefined ? [] : [group.label];
    const options = { name, help, labelNames, registers: [registry] };
    const metric = name.endsWith("_total") ? new Counter(options) : new Gauge(options);
    for (const { member, value } of samples) {
      metric.inc(group === undefined ? {} : { [group.label]: member }, value);
    }
  }
}

function numberOf(fields: Fields, field: string): number | undefined {
  return fields.number(field);
}

/**
 * prom-client's histograms count by themselves; these were counted already, so only what it asks a metric for is given.
 */
function durations(histograms: ReadonlyMap<string, Histogram>, fields: Info): Metric {
  const commands = fields.group(/^cmdstat_/);
  const secondsOf = (command: string) => (commands.get(command)?.number("usec") ?? 0) / 1e6;
  const values = [...histograms].flatMap(([command, { calls, buckets }]) => [
    ...[...buckets, ["+Inf", calls] as const].map(([le, value]) => ({
      metricName: `${DURATION}_bucket`,
      labels: { command, le },
      value,
    })),
    { metricName: `${DURATION}_sum`, labels: { command }, value: secondsOf(command) },
    { metricName: `${DURATION}_count`, labels: { command }, value: calls },
  ]);
  const help = "How long runs of a command took; of fast ones a sample stands for all";
  const described = { name: DURATION, help, type: "histogram", aggregator: "sum", values };
  return { name: DURATION, get: async () => described } as unknown as Metric;
}
