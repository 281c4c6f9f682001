/**
 * LATENCY HISTOGRAM as Prometheus has histograms. Redis's buckets end at fixed times, each twice as long as the one before
 * it, and are told where something fell into them; here every second one is told, for all commands the same ones, so that
 * they can be added up.
 */
import { type Answer, integerOf, textOf } from "kvdb";

/** Ends of every second of Redis's buckets, in microseconds: 1 µs to a second. */
const BOUNDS_US = [1, 4, 16, 66, 264, 1056, 4227, 16_908, 67_633, 270_532, 1_082_130] as const;

export interface Histogram {
  readonly calls: number;
  /** How many calls took no longer than so many seconds. */
  readonly buckets: readonly (readonly [seconds: number, count: number])[];
}

/** By command. An answer of another shape has none: a server without the command answers an error. */
export function histogramsOf(answer: Answer): ReadonlyMap<string, Histogram> {
  const histograms = new Map<string, Histogram>();
  for (const [name, details] of pairsOf(answer)) {
    const parts = new Map(pairsOf(details).map(([key, value]) => [textOf(key), value]));
    const calls = parts.get("calls");
    const counts = parts.get("histogram_usec");
    const command = textOf(name);
    if (command === undefined || calls === undefined || counts === undefined) continue;
    histograms.set(command, { calls: integerOf(calls), buckets: bucketsOf(counts) });
  }
  return histograms;
}

function bucketsOf(counts: Answer): Histogram["buckets"] {
  const told = pairsOf(counts).map(([end, count]) => [integerOf(end), integerOf(count)] as const);
  return BOUNDS_US.map((bound) => {
    const within = told.filter(([end]) => end <= bound);
    return [bound / 1e6, Math.max(0, ...within.map(([, count]) => count))] as const;
  });
}

/** A map, or the list of its keys and values that it is where there are no maps. */
function pairsOf(answer: Answer): readonly (readonly [Answer, Answer])[] {
  if (answer.kind === "map") return answer.entries;
  if (answer.kind !== "array") return [];
  const { items } = answer;
  return items.flatMap((key, at) => {
    const value = items[at + 1];
    return at % 2 === 0 && value !== undefined ? [[key, value] as const] : [];
  });
}
