/**
 * LATENCY DOCTOR: what the events of LATENCY tell, in words: for each its figures, and below what to do about those that
 * kvdb can be helped with.
 */
import type { LatencyEvents, LatencySample } from "./latency-events.ts";

const ADVICE: Readonly<Record<string, string>> = {
  command:
    "Commands that take long by what they do: SLOWLOG GET names them and their arguments. Ask for less at once (SCAN instead of KEYS, smaller ranges, an index for FIND).",
  "fast-command":
    "Commands that are quick by themselves were held up: by the machine (a busy processor, swapping: compare used_memory_rss of INFO memory with the free memory), or by long arguments and replies.",
  "expire-cycle":
    "Many keys come to their end at once: spread their times to live. What is due waits no longer than it must, in slices.",
  "eviction-cycle":
    "Memory is at its bound, so each write must make room first: raise maxmemory, or give keys a time to live.",
  "aof-fsync-always":
    "The disk takes long to sync, and replies to writes wait for it: use a faster disk, have nothing else write to it, or set appendfsync everysec if a second may be lost.",
  "aof-fsync":
    "The disk takes long to sync. Replies do not wait for it while it keeps pace with a second.",
};

export function latencyReport(latency: LatencyEvents): string {
  const { events, thresholdMs } = latency;
  if (events.length === 0) {
    return thresholdMs > 0
      ? `Nothing took ${thresholdMs} milliseconds or longer so far.\n`
      : 'Latency is not monitored: "CONFIG SET latency-monitor-threshold <milliseconds>" begins with it.\n';
  }
  const rows = events.map((event, index) => `${index + 1}. ${figures(event, latency)}\n`);
  const advice = events.flatMap((event) => (event in ADVICE ? [`- ${ADVICE[event]}\n`] : []));
  return `What took ${thresholdMs} milliseconds or longer:\n\n${rows.join("")}\n${advice.join("")}`;
}

function figures(event: string, latency: LatencyEvents): string {
  const samples = latency.samples(event);
  const mean = average(samples.map(({ ms }) => ms));
  const deviation = average(samples.map(({ ms }) => Math.abs(ms - mean)));
  return (
    `${event}: ${samples.length} latency spikes (average ${mean.toFixed(0)} ms, ` +
    `mean deviation ${deviation.toFixed(0)} ms, ${period(samples)}). ` +
    `Worst all time: ${latency.longestMs(event)} ms.`
  );
}

function period(samples: readonly LatencySample[]): string {
  if (samples.length === 1) return "once";
  const seconds = (samples.at(-1)?.time ?? 0) - (samples[0]?.time ?? 0);
  return `period ${(seconds / (samples.length - 1)).toFixed(2)} s`;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
