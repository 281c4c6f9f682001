// The bench's one table, as Markdown that also reads well in a terminal, and the lines below it.

import { cpus, release, totalmem } from "node:os";

import { type Bar, type Row, type Unit, verdict } from "./figure.ts";
import type { Spread } from "./measure.ts";

const HEAD = ["row", "what", "kvdb", "redis", "ratio (min..max)", "bar", "verdict"];

export function table(rows: readonly Row[]): string {
  const cells = [HEAD, ...rows.map(rowCells)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(HEAD), rule, ...cells.slice(1).map(line)].join("\n");
}

/** What a reader must know about the machine to read the table at all. */
export function machine(): string {
  const processors = cpus();
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const model = processors[0]?.model ?? "unknown processor";
  const cores = `${processors.length} cores (${model})`;
  return `${cores}, ${gib} GiB, Linux ${release()}, Bun ${Bun.version}`;
}

export const FOOTNOTE =
  "Only ratios within one run mean something: absolute figures of a shared machine do not.\n" +
  "Ratios: median of the runs, each run's ratio within that run. Pauses: the median is shown,\n" +
  "the bar is for the worst run. CPU: user + system time of all of the server's threads.";

function rowCells(row: Row): string[] {
  return [
    row.id,
    row.what,
    median(row.kvdb, row.unit),
    median(row.redis, row.unit),
    ratio(row.ratio),
    barText(row.bar, row.unit),
    verdict(row),
  ];
}

function median(figure: Spread | null, unit: Unit): string {
  return figure === null ? "n/a" : amount(figure.median, unit);
}

function ratio(figure: Spread | null): string {
  if (figure === null) return "";
  const [middle, low, high] = [figure.median, figure.min, figure.max].map((n) => n.toFixed(2));
  return `${middle} (${low}..${high})`;
}

function barText(bar: Bar | null, unit: Unit): string {
  if (bar === null) return "";
  const value = bar.of === "ratio" ? bar.value.toFixed(2) : amount(bar.value, unit);
  return `${bar.relation} ${value}`;
}

/** A quantity with its unit, as a person reads it. */
export function amount(value: number, unit: Unit): string {
  if (unit === "usec") return `${value.toFixed(2)} µs`;
  if (unit === "ms") return `${value.toFixed(1)} ms`;
  if (unit === "%") return `${value.toFixed(1)} %`;
  if (unit === "bytes each") return `${value.toFixed(1)} B`;
  if (unit === "bytes") return `${(value / 1e6).toFixed(0)} MB`;
  return value < 10_000 ? `${value.toFixed(0)} /s` : `${(value / 1_000).toFixed(0)} k/s`;
}
