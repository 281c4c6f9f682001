/**
 * LATENCY GRAPH: the samples of an event as columns of characters, 4 rows high, 80 columns in a row of them, each labelled
 * from top to bottom with how long ago it was. Drawn as Redis draws it, so people know how to read it:
 *
 *   command - high 500 ms, low 101 ms (all time high 500 ms)
 *   --------------------------------------------------------------------------------
 *      #_
 *     _||
 *    _|||
 *   _||||
 *
 *   11186
 *   542ss
 *   sss
 */
import type { LatencySample } from "./latency-events.ts";

const COLUMNS = 80;
const ROWS = 4;
/** A row is cut into three steps. */
const STEPS = "_o#";

export function latencyGraph(
  event: string,
  samples: readonly LatencySample[],
  longestMs: number,
  nowMs: number,
): string {
  const durations = samples.map(({ ms }) => ms);
  const high = Math.max(...durations);
  const low = Math.min(...durations);
  const head = `${event} - high ${high} ms, low ${low} ms (all time high ${longestMs} ms)\n`;
  const drawings: string[] = [];
  for (let first = 0; first < samples.length; first += COLUMNS) {
    drawings.push(drawing(samples.slice(first, first + COLUMNS), low, high, nowMs));
  }
  return `${head}${"-".repeat(COLUMNS)}\n${drawings.join("\n")}`;
}

function drawing(
  samples: readonly LatencySample[],
  low: number,
  high: number,
  nowMs: number,
): string {
  const steps = STEPS.length * ROWS;
  const heights = samples.map(({ ms }) =>
    Math.min(steps - 1, Math.floor(((ms - low) * steps) / (high - low || 1))),
  );
  const labels = samples.map(({ time }) => ageLabel(Math.floor(nowMs / 1000) - time));
  const labelRows = Math.max(...labels.map((label) => label.length));
  const rows = [
    ...Array.from({ length: ROWS }, (_, row) =>
      heights.map((height) => bar(height - (ROWS - row - 1) * STEPS.length)),
    ),
    samples.map(() => " "),
    ...Array.from({ length: labelRows }, (_, row) => labels.map((label) => label[row] ?? " ")),
  ];
  return rows.map((row) => `${row.join("")}\n`).join("");
}

/** What one row shows of a column that reaches so many steps into it. */
function bar(steps: number): string {
  if (steps < 0) return " ";
  return STEPS[steps] ?? "|";
}

function ageLabel(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
