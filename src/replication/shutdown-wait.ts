/**
 * The wait for replicas before an orderly stop: who reads at a replica, or makes it the primary meanwhile, finds what was
 * acknowledged here. As in Redis what writes is held up, and it takes shutdown-timeout at most; a replica that has got no further by
 * then asks for the rest when this server is there again.
 *
 *   ── awaitReplicas ──▶ waiting ──▶ all have everything, or the time is over ──▶ the server stops
 *                           └── abort ──▶ writes go on          giveUp ──▶ writes go on
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ClientPause } from "../session/client-pause.ts";
import type { ShutdownControl } from "../session/shutdown-control.ts";
import type { Followers } from "./followers.ts";
import type { ReplicationStream } from "./stream.ts";

/** Redis's. */
const DEFAULT_TIMEOUT_SECONDS = 10;

export interface ShutdownWaitParts {
  readonly followers: Followers;
  readonly stream: Pick<ReplicationStream, "offset">;
  readonly pause: Pick<ClientPause, "begin" | "end">;
  readonly clock: Clock;
  readonly log: Log;
  /** Everything recorded so far is to become durable soon, since only then it leaves. */
  hurry(): void;
}

interface Waiting {
  /** To be acknowledged by all. What comes behind it, signs of life and questions, changes nothing. */
  readonly offset: number;
  readonly endMs: number;
  readonly timer: Timer;
  readonly unsubscribe: () => void;
  readonly outcome: PromiseWithResolvers<boolean>;
}

export class ShutdownWait implements ShutdownControl {
  /** shutdown-timeout; 0: nobody is waited for. */
  timeoutSeconds = DEFAULT_TIMEOUT_SECONDS;
  readonly #parts: ShutdownWaitParts;
  #waiting: Waiting | null = null;

  constructor(parts: ShutdownWaitParts) {
    this.#parts = parts;
  }

  get areReplicasBehind(): boolean {
    return this.timeoutSeconds > 0 && this.#countBehind(this.#parts.stream.offset) > 0;
  }

  get remainingMs(): number | null {
    if (this.#waiting === null) return null;
    return Math.max(0, this.#waiting.endMs - this.#parts.clock.monotonicMs());
  }

  awaitReplicas(): Promise<boolean> {
    if (this.#waiting !== null) return this.#waiting.outcome.promise;
    if (!this.areReplicasBehind) return Promise.resolve(true);
    const { followers, stream, pause, clock, log, hurry } = this.#parts;
    const { timeoutSeconds } = this;
    const { offset } = stream;
    log.info("waiting for replicas before stopping", {
      behind: this.#countBehind(offset),
      timeoutSeconds,
    });
    pause.begin(Number.POSITIVE_INFINITY, "write", "shutdown");
    const timeoutMs = timeoutSeconds * 1000;
    this.#waiting = {
      ...{ offset, endMs: clock.monotonicMs() + timeoutMs },
      timer: clock.after(timeoutMs, () => this.#timeOver()),
      unsubscribe: followers.onAcknowledged(() => this.#look()),
      outcome: Promise.withResolvers(),
    };
    const { promise } = this.#waiting.outcome;
    hurry();
    followers.askForAcknowledgements();
    return promise;
  }

  abort(): boolean {
    if (this.#waiting === null) return false;
    this.#parts.log.info("the stop was called off");
    this.#end(false);
    this.giveUp();
    return true;
  }

  giveUp(): void {
    this.#parts.pause.end("shutdown");
  }

  /** Followers that have not acknowledged everything, those that are still being given a copy among them. */
  #countBehind(offset: number): number {
    const { followers } = this.#parts;
    return followers.count - followers.acknowledged(offset);
  }

  #look(): void {
    if (this.#waiting !== null && this.#countBehind(this.#waiting.offset) === 0) this.#end(true);
  }

  #timeOver(): void {
    const { followers, log } = this.#parts;
    const wanted = this.#waiting?.offset ?? 0;
    for (const { ip, port, state, offset } of followers.replicas) {
      if (state === "online" && offset >= wanted) continue;
      const replica = `${ip}:${port}`;
      log.warn("stopping without waiting for a replica any longer", { replica, state, offset });
    }
    this.#end(true);
  }

  #end(mayStop: boolean): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    waiting.timer.cancel();
    waiting.unsubscribe();
    waiting.outcome.resolve(mayStop);
  }
}
