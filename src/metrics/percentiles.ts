/** latency-tracking-info-percentiles: which percentiles INFO latencystats shows, as Redis reads and writes them. */
import { CommandError } from "../commands/command-error.ts";

const NAME = "latency-tracking-info-percentiles";
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Numbers between spaces, none at all too. Throws a CommandError. */
export function readPercentiles(text: string): readonly number[] {
  return text.split(" ").filter(Boolean).map(readPercentile);
}

function readPercentile(word: string): number {
  if (!NUMBER.test(word)) throw new CommandError("ERR", `Invalid ${NAME} parameters`);
  const value = Number(word);
  if (value >= 0 && value <= 100) return value;
  throw new CommandError("ERR", `${NAME} parameters should sit between [0.0,100.0]`);
}
