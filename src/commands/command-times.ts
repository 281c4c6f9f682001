/**
 * How long commands take, for everybody who asks: INFO commandstats and latencystats, SLOWLOG, LATENCY. Two readings of the
 * clock cost 75 ns, which is a tenth of a GET, so a command is timed where it matters:
 *
 *   each call     of a command that is neither flagged `fast` nor takes constant time, as SET does without the flag; or that
 *                 another command has called
 *                 with over 4 KiB of arguments
 *                 of a quick command behind one whose reply was over 4 KiB, until replies are short again
 *                 of all commands while somebody wants to hear of single ones: `demandAll`
 *   a sample      of the other calls: one in 32 on average, at irregular distances, so that no pattern in a pipeline keeps
 *                 step with it, and the first one. It counts for all calls since the sample before it
 *
 * So counts of calls are exact, and the time of a quick command is an estimate. A slow call that stays unseen is one of a
 * quick command with a short request whose first long reply this is, or one that something else held up: the system, the
 * garbage collector.
 */
import type { Clock } from "../platform/clock.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import type { Reply } from "./reply.ts";
import type { CommandTable, TableEntry } from "./table.ts";

/** Arguments or a reply of more bytes: the time is in copying them. */
export const LONG_BYTES = 4096;

/** Most calls of a fast command between two that are timed; half of them on average. A power of two. */
const SAMPLE_SPREAD = 64;
const SPREAD_SHIFT = 32 - Math.log2(SAMPLE_SPREAD);

export interface TimeListener {
  /** Calls of at least so many microseconds are told; Infinity: none. */
  readonly fromUsec: number;
  /** `args` are the command's, for as long as this takes. */
  commandTook(usec: number, entry: TableEntry, session: Session, args: Arguments): void;
}

/** Told of commands that were timed, when they have done what they should. */
export interface Sampler {
  /** `calls`: for how many it stands. `args` are the command's, for as long as this takes. */
  commandRan(entry: TableEntry, session: Session, args: Arguments, calls: number): void;
}

export class CommandTimes {
  readonly #clock: Clock;
  readonly #table: Pick<CommandTable, "entries">;
  #timesAll = false;
  /** The distances of samples: a linear congruential generator, so that seeded runs of others stay as they are. */
  #seed = 1;
  listener: TimeListener = { fromUsec: Number.POSITIVE_INFINITY, commandTook: () => {} };
  sampler: Sampler | null = null;
  /** Whether durations are kept for percentiles. */
  keepsDistributions = true;

  constructor(clock: Clock, table: Pick<CommandTable, "entries">) {
    this.#clock = clock;
    this.#table = table;
  }

  /** Every call is timed from now on, or no longer. */
  demandAll(all: boolean): void {
    this.#timesAll = all;
    for (const entry of this.#table.entries()) entry.untimed = 0;
  }

  /** Runs a command, and notes how long it took; also when it throws. */
  run(entry: TableEntry, session: Session, args: Arguments, reply: Reply): void {
    const run = entry.run as NonNullable<typeof entry.run>;
    if (session.origin === "replay") {
      this.#replay(entry, session, args, reply);
      return;
    }
    const mark = reply.mark();
    let stands = 1;
    const startMs = this.#clock.monotonicMs();
    try {
      run(session, args, reply);
    } finally {
      const usec = (this.#clock.monotonicMs() - startMs) * 1000;
      stands = this.#note(entry, usec);
      if (usec >= this.listener.fromUsec) this.listener.commandTook(usec, entry, session, args);
      if (reply.mark() - mark > LONG_BYTES) entry.untimed = 0;
    }
    this.sampler?.commandRan(entry, session, args, stands);
  }

  /** No time is taken of what a log says, but its keys are of interest. */
  #replay(entry: TableEntry, session: Session, args: Arguments, reply: Reply): void {
    const isSample = entry.untimed < 0;
    (entry.run as NonNullable<typeof entry.run>)(session, args, reply);
    if (isSample) entry.untimed = entry.isSampled ? this.#distance() : 0;
    const stands = isSample && entry.isSampled ? SAMPLE_SPREAD / 2 : 1;
    this.sampler?.commandRan(entry, session, args, stands);
  }

  /** How many calls it stands for. */
  #note(entry: TableEntry, usec: number): number {
    const isSample = entry.untimed < 0;
    // The call in hand is not counted yet.
    const stands = isSample ? Math.max(1, entry.calls + 1 - entry.timedCalls) : 1;
    entry.timedCalls += stands;
    entry.timedUsec += stands * usec;
    if (this.keepsDistributions) {
      entry.latencies ??= new LatencyHistogram();
      entry.latencies.add(usec, stands);
    }
    if (isSample) entry.untimed = this.#timesAll || !entry.isSampled ? 0 : this.#distance();
    return stands;
  }

  #distance(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) | 0;
    return this.#seed >>> SPREAD_SHIFT;
  }
}
