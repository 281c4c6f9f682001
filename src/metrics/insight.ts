/**
 * What kvdb knows about the time of its commands, put together: who is told of which (the slow log, the events of LATENCY),
 * and the settings of it by Redis's names. How commands are timed is command-times.ts.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { CommandTimes, TimeListener } from "../commands/command-times.ts";
import {
  NO_BOUND,
  readWholeNumber,
  readYesNo,
  showWholeNumber,
} from "../commands/parameter-values.ts";
import type { TableEntry } from "../commands/table.ts";
import type { Clock } from "../platform/clock.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { BigKeys } from "./big-keys.ts";
import { HotKeys } from "./hot-keys.ts";
import { KeySampler } from "./key-sampler.ts";
import { LatencyEvents } from "./latency-events.ts";
import { readPercentiles } from "./percentiles.ts";
import { Slowlog } from "./slowlog.ts";

/** Redis's defaults. */
const SLOW_USEC = 10_000;
const PERCENTILES = [50, 99, 99.9];

/** Whoever asks for shorter ones than this wants to hear of `fast` commands too, so each is timed. */
const ALL_BELOW_USEC = 1000;

export interface InsightSources {
  readonly times: CommandTimes;
  readonly clock: Clock;
  readonly keyspace: Keyspace;
}

export class Insight implements TimeListener {
  readonly slowlog = new Slowlog();
  readonly latency: LatencyEvents;
  readonly hotKeys: HotKeys;
  readonly bigKeys: BigKeys;
  readonly #times: CommandTimes;
  /** Negative: none is logged. */
  #slowUsec = SLOW_USEC;
  fromUsec = 0;
  percentiles: readonly number[] = PERCENTILES;

  constructor({ times, clock, keyspace }: InsightSources) {
    this.#times = times;
    this.latency = new LatencyEvents(() => clock.now());
    this.hotKeys = new HotKeys(() => clock.monotonicMs());
    this.bigKeys = new BigKeys(keyspace);
    times.sampler = new KeySampler(this.hotKeys, this.bigKeys);
    times.listener = this;
    this.#settingsChanged();
  }

  commandTook(usec: number, entry: TableEntry, session: Session, args: Arguments): void {
    if (this.latency.thresholdMs > 0) {
      this.latency.note(entry.isFast ? "fast-command" : "command", usec / 1000);
    }
    const isLogged = this.#slowUsec >= 0 && usec >= this.#slowUsec;
    if (!isLogged || entry.command.flags.includes("skip_slowlog")) return;
    this.slowlog.add(usec, entry.name, session, args);
  }

  /** `repliesWait`: for each sync. */
  syncTook(repliesWait: boolean, durationMs: number): void {
    this.latency.note(repliesWait ? "aof-fsync-always" : "aof-fsync", durationMs);
  }

  #settingsChanged(): void {
    const { thresholdMs } = this.latency;
    const slowUsec = this.#slowUsec < 0 ? Number.POSITIVE_INFINITY : this.#slowUsec;
    const spikeUsec = thresholdMs === 0 ? Number.POSITIVE_INFINITY : thresholdMs * 1000;
    this.fromUsec = Math.min(slowUsec, spikeUsec);
    this.#times.demandAll(thresholdMs > 0 || slowUsec < ALL_BELOW_USEC);
  }

  /** For CONFIG. */
  get parameters(): readonly ServerParameter[] {
    return [
      {
        name: "slowlog-log-slower-than",
        get: () => showWholeNumber(this.#slowUsec),
        set: (value) => {
          this.#slowUsec = readWholeNumber(value, -1, NO_BOUND);
          this.#settingsChanged();
        },
      },
      {
        name: "slowlog-max-len",
        get: () => showWholeNumber(this.slowlog.maxLength),
        set: (value) => {
          this.slowlog.maxLength = readWholeNumber(value, 0, NO_BOUND);
        },
        keep: () => this.slowlog.keep(),
      },
      {
        name: "latency-monitor-threshold",
        get: () => showWholeNumber(this.latency.thresholdMs),
        set: (value) => {
          this.latency.thresholdMs = readWholeNumber(value, 0, NO_BOUND);
          this.#settingsChanged();
        },
      },
      {
        name: "latency-tracking",
        get: () => (this.#times.keepsDistributions ? "yes" : "no"),
        set: (value) => {
          this.#times.keepsDistributions = readYesNo(value);
        },
      },
      {
        name: "latency-tracking-info-percentiles",
        get: () => this.percentiles.join(" "),
        set: (value) => {
          this.percentiles = readPercentiles(value);
        },
      },
    ];
  }
}
