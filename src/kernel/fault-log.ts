/**
 * Where faults of plugins are told: exceptions that were caught because what threw was called by kvdb's own code. A fault
 * may come with every command of a busy client or at every turn, so of one kind a few are written each second, and then how
 * often it came meanwhile. What is written never contains an argument of a command, unless the plugin put it there.
 */
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";

/** So many lines of one kind a second: faults that differ in their stacks alone are seen, and no disk is filled. */
const INTERVAL_MS = 1000;
const LINES_PER_INTERVAL = 5;
/** Kinds of faults that are told apart. What is fault comes from a fixed set: plugins, their commands, their hooks. */
const MAX_KINDS = 1000;
/** Of a message in an error reply: enough to know which it is; the log has all of it. */
const SHOWN_LENGTH = 300;

interface Kind {
  /** When the interval in hand began, and how often it came in it. */
  sinceMs: number;
  count: number;
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
    let kind = this.#kinds.get(what);
    const untold = kind === undefined ? 0 : Math.max(0, kind.count - LINES_PER_INTERVAL);
    const isNew = kind === undefined || nowMs - kind.sinceMs >= INTERVAL_MS;
    if (kind === undefined || isNew) kind = this.#begin(what, nowMs);
    if (++kind.count > LINES_PER_INTERVAL) return;
    this.#log.error(what, {
      error: stackOf(thrown),
      untold: isNew && untold > 0 ? untold : undefined,
    });
  }

  #begin(what: string, nowMs: number): Kind {
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear();
    const kind = { sinceMs: nowMs, count: 0 };
    this.#kinds.set(what, kind);
    return kind;
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
