/**
 * CLIENT PAUSE: for a time no command of a client runs, or none that writes; each waits with its arguments, and runs when the
 * pause is over, as if it came then. Meanwhile the data stays as it is: nothing expires or is evicted (the owner's `onChange`
 * sees to that). As in Redis every command of a client waits in mode `all`, CLIENT UNPAUSE too; what kvdb does by itself, and
 * a program that kvdb is embedded in, goes on.
 *
 * A second pause makes the first one longer or stricter, never shorter or looser.
 *
 * kvdb itself holds up what writes, of programs as well, while it puts other data in the place of all there is (`hold`): that
 * is no pause that anybody has asked for, and nobody can end it.
 */
import type { Clock, Timer } from "../platform/clock.ts";
import type { Arguments, CommandInfo } from "../plugin.ts";
import type { LaterReply } from "./later-reply.ts";
import type { Session } from "./session.ts";

export type PauseMode = "none" | "write" | "all";

/** Without the flag `write`, but a replica or a log would see an effect of them. EXEC: of what is queued. */
const SEEN_BY_OTHERS = ["PUBLISH", "SPUBLISH", "PFCOUNT", "EXEC"];

export class ClientPause {
  readonly #clock: Clock;
  readonly #onChange: (isPaused: boolean) => void;
  readonly #postponed = new Map<LaterReply, Arguments>();
  #timer: Timer | null = null;
  #endMs = 0;
  mode: PauseMode = "none";
  /** Nothing that writes runs, whoever wants it. */
  isHeld = false;

  constructor(clock: Clock, onChange: (isPaused: boolean) => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  begin(durationMs: number, mode: "write" | "all"): void {
    const nowMs = this.#clock.monotonicMs();
    this.#endMs = Math.max(this.#endMs, nowMs + durationMs);
    if (this.mode === "none" && !this.isHeld) this.#onChange(true);
    if (this.mode !== "all") this.mode = mode;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(this.#endMs - nowMs, () => this.end());
  }

  /** Who waits runs as the turn ends, in the order they came. Harmless when there is no pause. */
  end(): void {
    if (this.mode === "none") return;
    this.mode = "none";
    this.#endMs = 0;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.isHeld) return;
    this.#onChange(false);
    this.#runPostponed();
  }

  /** What writes waits until the function that is returned is called. One at a time. */
  hold(): () => void {
    if (this.mode === "none") this.#onChange(true);
    this.isHeld = true;
    return () => {
      this.isHeld = false;
      if (this.mode === "none") this.#onChange(false);
      this.#runPostponed();
    };
  }

  /** What the pause that is left concerns is postponed anew. */
  #runPostponed(): void {
    const postponed = [...this.#postponed];
    this.#postponed.clear();
    for (const [later, args] of postponed) later.settleByRunning(args);
  }

  /** Keeps a command from running now. False: it may run. */
  postpones(session: Session, command: CommandInfo, args: Arguments): boolean {
    const isHeld = this.isHeld && isSeenByOthers(command);
    if (!isHeld && (session.origin !== "client" || !this.#concerns(command))) return false;
    const later = session.answerLater();
    later.onAbandoned = () => this.#postponed.delete(later);
    this.#postponed.set(later, args.copy());
    return true;
  }

  #concerns(command: CommandInfo): boolean {
    return this.mode === "all" || (this.mode === "write" && isSeenByOthers(command));
  }
}

function isSeenByOthers({ name, flags }: CommandInfo): boolean {
  return flags.includes("write") || SEEN_BY_OTHERS.includes(name);
}
