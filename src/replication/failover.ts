/**
 * FAILOVER: this primary and one of its replicas change places, and no write is lost. Writes wait until the replica has all of the
 * stream; then it is asked to become the primary (PSYNC id offset FAILOVER), and this server follows it.
 *
 *   no-failover ──▶ waiting-for-sync ──▶ failover-in-progress ──▶ no-failover, as a replica
 *        ▲                 │ time over, ABORT      │ refused, ABORT
 *        └─────────────────┴───────────────────────┴─ as the primary that it was
 */
import { CommandError } from "../commands/command-error.ts";
import { asKvdbError } from "../errors.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { ClientPause } from "../session/client-pause.ts";
import type { ReplicaState, Replication } from "../session/replication.ts";
import type { Followers } from "./followers.ts";

export interface FailoverTarget {
  readonly host: string;
  readonly port: number;
}

export interface FailoverOptions {
  /** Null: whoever has everything first. */
  readonly target: FailoverTarget | null;
  /** 0: for as long as it takes. */
  readonly timeoutMs: number;
  /** When the time is over the target takes over with what it has. */
  readonly isForced: boolean;
}

export interface FailoverParts {
  readonly followers: Followers;
  readonly replication: Replication;
  readonly pause: Pick<ClientPause, "begin" | "end">;
  readonly clock: Clock;
  readonly log: Log;
  /** Everything recorded so far is to become durable soon, since only then it leaves. */
  hurry(): void;
}

export class Failover {
  readonly #parts: FailoverParts;
  #timer: Timer | null = null;
  #forget: () => void = () => {};
  /** Of the one under way; what a former one still hears concerns nobody. */
  #number = 0;

  constructor(parts: FailoverParts) {
    this.#parts = parts;
  }

  /** Throws a CommandError in Redis's words when it cannot be. */
  begin(options: FailoverOptions): void {
    this.#require(options);
    const { followers, pause, clock, hurry } = this.#parts;
    const { target, timeoutMs } = options;
    this.#number++;
    followers.failoverState = "waiting-for-sync";
    // Until the failover is over, however long that takes.
    pause.begin(Number.POSITIVE_INFINITY, "write", "failover");
    this.#forget = followers.onAcknowledged(() => this.#look(target));
    if (timeoutMs > 0) this.#timer = clock.after(timeoutMs, () => this.#timeOver(options));
    hurry();
    this.#look(target);
  }

  #require({ target, timeoutMs, isForced }: FailoverOptions): void {
    const { followers, replication } = this.#parts;
    if (followers.failoverState !== "no-failover") throw refusal("FAILOVER already in progress.");
    if (replication.role !== "master") {
      throw refusal("FAILOVER is not valid when server is a replica.");
    }
    if (followers.count === 0) throw refusal("FAILOVER requires connected replicas.");
    if (isForced && (timeoutMs === 0 || target === null)) {
      throw refusal("FAILOVER with force option requires both a timeout and target HOST and IP.");
    }
    if (target === null) return;
    const replica = this.#find(target);
    if (replica === undefined) {
      throw refusal("FAILOVER target HOST and PORT is not a replica.");
    }
    if (replica.state !== "online") throw refusal("FAILOVER target replica is not online.");
  }

  #find({ host, port }: FailoverTarget): ReplicaState | undefined {
    return this.#parts.followers.replicas.find((one) => one.ip === host && one.port === port);
  }

  /** Whether the target, or anybody, has all of the stream. */
  #look(target: FailoverTarget | null): void {
    const { followers, replication } = this.#parts;
    if (followers.failoverState !== "waiting-for-sync") return;
    const { offset } = replication.stream;
    const synced = followers.replicas.find(
      (one) =>
        one.state === "online" &&
        one.offset === offset &&
        (target === null || (one.ip === target.host && one.port === target.port)),
    );
    if (synced !== undefined) this.#handOver({ host: synced.ip, port: synced.port });
  }

  #timeOver({ target, isForced }: FailoverOptions): void {
    if (isForced && target !== null) this.#handOver(target);
    else this.#abort("no replica had everything in time");
  }

  #handOver({ host, port }: FailoverTarget): void {
    const { followers, replication, log } = this.#parts;
    this.#stopWaiting();
    followers.failoverState = "failover-in-progress";
    log.info("a replica is asked to take over", { replica: `${host}:${port}` });
    const number = this.#number;
    replication.follow(host, port, {
      failover: (hasTakenOver, problem) => {
        if (number !== this.#number) return;
        if (hasTakenOver) this.#end();
        else this.#abort(problem);
      },
    });
  }

  /** ABORT. Throws a CommandError when there is nothing to abort. */
  abort(): void {
    if (this.#parts.followers.failoverState === "no-failover") {
      throw refusal("No failover in progress.");
    }
    this.#abort("it was aborted by FAILOVER ABORT");
  }

  #abort(reason: string): void {
    const { followers, log } = this.#parts;
    log.warn("a failover has failed", { reason });
    this.#number++;
    this.#stopWaiting();
    if (followers.failoverState === "failover-in-progress") void this.#leadAgain();
    else this.#end();
  }

  /** Writes wait until this server takes them again. */
  async #leadAgain(): Promise<void> {
    const { replication, log } = this.#parts;
    const number = this.#number;
    const [leading] = await Promise.allSettled([replication.lead()]);
    if (leading.status === "rejected") {
      const error = asKvdbError(leading.reason).message;
      log.error("this server cannot be the primary that it was", { error });
    }
    if (number === this.#number) this.#end();
  }

  #end(): void {
    const { followers, pause } = this.#parts;
    this.#number++;
    this.#stopWaiting();
    followers.failoverState = "no-failover";
    pause.end("failover");
  }

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#forget();
  }
}

function refusal(text: string): CommandError {
  return new CommandError("ERR", text);
}
