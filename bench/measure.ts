// What is read from the operating system about a server, and how several runs become one figure.
// It reads /proc, so it works on Linux only; it starts nothing and talks to no server.
// CPU time and memory are those of the whole process: all threads, but no child processes.

import { readFileSync } from "node:fs";

/** The unit of /proc/PID/stat: USER_HZ, part of Linux's ABI, 100 wherever Bun runs. */
const TICKS_PER_SECOND = 100;

/** Several runs as one figure. The extremes show how far to trust the median. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** One measured quantity of both servers, taken in the same run. */
export interface Pair {
  kvdb: number;
  redis: number;
}

export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("a spread needs at least one value");
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/**
 * The spread of kvdb / redis, each ratio within one run. Ratios are taken before the median: both
 * halves of a run met the same weather on a shared machine, two medians may not have.
 */
export function ratios(pairs: readonly Pair[]): Spread {
  return spread(pairs.map((pair) => pair.kvdb / pair.redis));
}

/** User and system time that the process has used so far, in microseconds; steps of 10 000. */
export function cpuTimeUsec(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets and may hold spaces: count from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const userTicks = Number(fields[11]);
  const systemTicks = Number(fields[12]);
  return ((userTicks + systemTicks) * 1e6) / TICKS_PER_SECOND;
}

/** VmRSS of the process in bytes. */
export function residentBytes(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

/** RssAnon: its own memory, without what it maps from files, which is the page cache's. */
export function anonymousBytes(pid: number): number {
  return statusBytes(pid, "RssAnon");
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kib === undefined) throw new Error(`no ${field} in the status of process ${pid}`);
  return Number(kib) * 1024;
}

/**
 * VmRSS once it has come to rest: two readings half a second apart within 1 MB. Memory is given
 * back late (garbage collection, an allocator's decay), so at most `limitMs` are granted.
 */
export async function settledResidentBytes(pid: number, limitMs = 5_000): Promise<number> {
  const deadline = performance.now() + limitMs;
  let before = residentBytes(pid);
  for (;;) {
    await Bun.sleep(500);
    const now = residentBytes(pid);
    if (Math.abs(now - before) < 1e6 || performance.now() > deadline) return now;
    before = now;
  }
}
