/**
 * CLIENT PAUSE: for a time no command of a client runs, or none that writes; each waits with its arguments, and runs when the
 * pause is over, as if it came then. Meanwhile the data stays as it is: nothing expires or is evicted (the owner's `onChange`
 * sees to that). As in Redis every command of a client waits in mode `all`, CLIENT UNPAUSE too; what kvdb does by itself, and
 * a program that kvdb is embedded in, goes on.
 *
 * Each purpose has a pause of its own, which only who began it ends: CLIENT UNPAUSE ends no failover's. A second pause for a
 * purpose makes the first one longer or stricter, never shorter or looser; of several purposes the strictest counts.
 *
 * kvdb itself holds up what writes, of programs as well, while it puts other data in the place of all there is (`hold`): that
 * is no pause that anybody has asked for, and nobody can end it.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Arguments, CommandInfo } from "../plugin.ts";
import type { LaterReply } from "./later-reply.ts";
import type { Session } from "./session.ts";

/** Each is stricter than the one before. */
const MODES = ["none", "write", "all"] as const;

export type PauseMode = (typeof MODES)[number];

/** `client`: of CLIENT PAUSE. */
export type PausePurpose = "client" | "failover" | "shutdown";

interface Pause {
  readonly mode: "write" | "all";
  /** On the monotonic clock; infinity: until it is ended. */
  readonly endMs: number;
}

/** Without the flag `write`, but a replica or a log would see an effect of them. */
const SEEN_BY_OTHERS = ["PUBLISH", "SPUBLISH", "PFCOUNT"];

export class ClientPause {
  readonly #clock: Clock;
  readonly #onChange: (isPaused: boolean) => void;
  readonly #postponed = new Map<LaterReply, Arguments>();
  readonly #pauses = new Map<PausePurpose, Pause>();
  #timer: Timer | null = null;
  #isPaused = false;
  /** The strictest of all purposes. */
  mode: PauseMode = "none";
  /** Nothing that writes runs, whoever wants it. */
  isHeld = false;

  constructor(clock: Clock, onChange: (isPaused: boolean) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  begin(durationMs: number, mode: "write" | "all", purpose: PausePurpose = "client"): void {
    const earlier = this.#pauses.get(purpose);
    const endMs = this.#clock.monotonicMs() + durationMs;
    this.#pauses.set(purpose, {
      mode: earlier?.mode === "all" ? "all" : mode,
      endMs: Math.max(earlier?.endMs ?? 0, endMs),
    });
    this.#apply();
  }

  /** Who waits runs as the turn ends, in the order they came. Harmless when there is no pause. */
  end(purpose: PausePurpose = "client"): void {
    if (this.#pauses.delete(purpose)) this.#apply();
  }

  /** What writes waits until the function that is returned is called. One at a time. */
  hold(): () => void {
    this.isHeld = true;
    this.#apply();
    return () => {
      this.isHeld = false;
      this.#apply();
      this.#runPostponed();
    };
  }

  /** What follows from the pauses that there are now; those that are over end here. */
  #apply(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [purpose, { endMs }] of this.#pauses) {
      if (endMs <= nowMs) this.#pauses.delete(purpose);
    }
    const pauses = [...this.#pauses.values()];
    const before = this.mode;
    this.mode = MODES.findLast((one) => pauses.some(({ mode }) => mode === one)) ?? "none";
    const isLooser = MODES.indexOf(this.mode) < MODES.indexOf(before);
    this.#timer?.cancel();
    const nextMs = Math.min(...pauses.map(({ endMs }) => endMs));
    this.#timer =
      nextMs === Number.POSITIVE_INFINITY
        ? null
        : this.#clock.after(nextMs - nowMs, () => this.#apply());
    this.#tell();
    if (isLooser && !this.isHeld) this.#runPostponed();
  }

  #tell(): void {
    const isPaused = this.mode !== "none" || this.isHeld;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#onChange(isPaused);
  }

  /** What the pause that is left concerns is postponed anew. */
  #runPostponed(): void {
    const postponed = [...this.#postponed];
    this.#postponed.clear();
    for (const [later, args] of postponed) later.settleByRunning(args);
  }

  /** Keeps a command from running now. False: it may run. */
  postpones(session: Session, command: CommandInfo, args: Arguments): boolean {
    const isSeen = runsWhatIsSeen(session, command);
    const isHeld = this.isHeld && isSeen;
    const isPaused = this.mode === "all" || (this.mode === "write" && isSeen);
    if (!isHeld && (session.origin !== "client" || !isPaused)) return false;
    const later = session.answerLater();
    later.onAbandoned = () => this.#postponed.delete(later);
    this.#postponed.set(later, args.copy());
    return true;
  }
}

/** It writes, or a replica or a log would see an effect of it. */
export function isSeenByOthers({ name, flags }: CommandInfo): boolean {
  return flags.includes("write") || SEEN_BY_OTHERS.includes(name);
}

/** The same; of EXEC what is queued counts. */
export function runsWhatIsSeen({ transaction }: Session, command: CommandInfo): boolean {
  if (command.name === "EXEC") return transaction?.isSeenByOthers === true;
  return isSeenByOthers(command);
}
