/**
 * How much happens now, for INFO's instantaneous fields: the mean of the last 16 stretches of 100 ms or more, as in Redis. The
 * counters are looked at by whoever has something to do now and then (background-work.ts), so that no timer is needed.
 */
import type { Clock } from "../platform/clock.ts";
import type { Replication } from "../session/replication.ts";
import type { Server } from "../session/server.ts";

const STRETCH_MS = 100;
const STRETCHES = 16;

export interface RateCounters {
  readonly commands: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  /** From the primary, and to replicas. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Where the counters are. */
type CountingServer = Pick<Server, "commandsProcessed" | "statistics"> & {
  readonly replication: Pick<Replication, "sentBytes" | "receivedBytes">;
};

const NONE: RateCounters = {
  ...{ commands: 0, inputBytes: 0, outputBytes: 0 },
  ...{ receivedBytes: 0, sentBytes: 0 },
};

export class Rates implements RateCounters {
  readonly #clock: Clock;
  readonly #server: CountingServer;
  /** Per second in each stretch, the latest last. */
  #stretches: RateCounters[] = [];
  #last = NONE;
  #lastMs: number;

  constructor(clock: Clock, server: CountingServer) {
    this.#clock = clock;
    this.#server = server;
    this.#lastMs = clock.monotonicMs();
  }

  sample(): void {
    const nowMs = this.#clock.monotonicMs();
    const seconds = (nowMs - this.#lastMs) / 1000;
    if (seconds * 1000 < STRETCH_MS) return;
    const { commandsProcessed: commands, statistics, replication } = this.#server;
    const { inputBytes, outputBytes } = statistics;
    const { receivedBytes, sentBytes } = replication;
    const now = { commands, inputBytes, outputBytes, receivedBytes, sentBytes };
    // Counters that were reset meanwhile begin anew.
    const rate = (name: keyof RateCounters) => Math.max(0, now[name] - this.#last[name]) / seconds;
    this.#stretches.push({
      commands: rate("commands"),
      inputBytes: rate("inputBytes"),
      outputBytes: rate("outputBytes"),
      receivedBytes: rate("receivedBytes"),
      sentBytes: rate("sentBytes"),
    });
    if (this.#stretches.length > STRETCHES) this.#stretches.shift();
    this.#last = now;
    this.#lastMs = nowMs;
  }

  get commands(): number {
    return this.#mean("commands");
  }

  get inputBytes(): number {
    return this.#mean("inputBytes");
  }

  get outputBytes(): number {
    return this.#mean("outputBytes");
  }

  get receivedBytes(): number {
    return this.#mean("receivedBytes");
  }

  get sentBytes(): number {
    return this.#mean("sentBytes");
  }

  #mean(name: keyof RateCounters): number {
    const sum = this.#stretches.reduce((total, stretch) => total + stretch[name], 0);
    return sum / Math.max(1, this.#stretches.length);
  }
}
