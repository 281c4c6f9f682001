/**
 * Where faults of plugins are told: exceptions that were caught because what threw was called by kvdb's own code. A fault
 * may come with every command of a busy client or at every turn, so the same one is written once a second at most, with how
 * often it came meanwhile. What is written never contains an argument of a command, unless the plugin put it there.
 */
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";

/** A person reads on as fast as that; more lines of the same say no more. */
const INTERVAL_MS = 1000;
/** Kinds of faults that are told apart. What is fault comes from a fixed set: plugins, their commands, their hooks. */
const MAX_KINDS = 1000;
/** Of a message in an error reply: enough to know which it is; the log has all of it. */
const SHOWN_LENGTH = 300;

interface Kind {
  toldMs: number;
  untold: number;
}

export class FaultLog {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #kinds = new Map<string, Kind>();

  constructor(log: Log, clock: Pick<Clock, "monotonicMs">) {
    this.#log = log;
    this.#clock = clock;
  }

  /** `what` names plugin and place and is the same each time. */
  report(what: string, thrown: unknown): void {
    const nowMs = this.#clock.monotonicMs();
    const kind = this.#kinds.get(what);
    if (kind !== undefined && nowMs - kind.toldMs < INTERVAL_MS) {
      kind.untold++;
      return;
    }
    if (kind === undefined && this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    this.#kinds.set(what, { toldMs: nowMs, untold: 0 });
    const times = kind === undefined || kind.untold === 0 ? undefined : kind.untold;
    this.#log.error(what, { error: stackOf(thrown), untold: times });
  }
}

/** What was thrown, with where: all of it. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `${Bun.inspect(thrown)} was thrown, which is no Error`;
  return thrown.stack ?? `${thrown.name}: ${thrown.message}`;
}

/** What was thrown, in one line for a client. */
export function messageOf(thrown: unknown): string {
  const message = thrown instanceof Error ? String(thrown.message) : Bun.inspect(thrown);
  const line = message.replaceAll(/\s+/g, " ").trim();
  return line.length <= SHOWN_LENGTH ? line : `${line.slice(0, SHOWN_LENGTH)}…`;
}
