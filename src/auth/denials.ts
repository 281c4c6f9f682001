/**
 * ACL LOG: what was refused lately, newest first. Repetitions within a minute count together, so that one client that tries
 * again and again does not push out what others did. A bounded list, and nothing of a password in it.
 */
import { clientLine } from "../commands/client-list.ts";
import type { AccessLog, AccessLogEntry } from "../session/accounts.ts";
import type { Session } from "../session/session.ts";

/** As in Redis: how long a repetition counts, and among how many entries one is looked for. */
const REPETITION_MS = 60_000;
const SEARCHED_ENTRIES = 10;

/** Of a key, a channel or a name that somebody has tried: he may send half a gigabyte of it, again and again. */
const KEPT_BYTES = 1024;

export type Denial = Omit<AccessLogEntry, "count" | "timeMs" | "client">;

export class Denials implements AccessLog {
  readonly #now: () => number;
  #maxEntries: number;
  #entries: AccessLogEntry[] = [];

  constructor(options: { now: () => number; maxEntries: number }) {
    this.#now = options.now;
    this.#maxEntries = options.maxEntries;
  }

  get entries(): readonly AccessLogEntry[] {
    return this.#entries;
  }

  get maxEntries(): number {
    return this.#maxEntries;
  }

  set maxEntries(count: number) {
    this.#maxEntries = count;
    this.#entries.length = Math.min(this.#entries.length, count);
  }

  /** Answers the function that puts back what there is now. */
  keep(): () => void {
    const [maxEntries, entries] = [this.#maxEntries, [...this.#entries]];
    return () => {
      this.#maxEntries = maxEntries;
      this.#entries = entries;
    };
  }

  clear(): void {
    this.#entries = [];
  }

  add(session: Session, whole: Denial): void {
    if (this.#maxEntries === 0) return;
    const denial = shortened(whole);
    const timeMs = this.#now();
    const client = clientLine(session);
    const place = this.#entries
      .slice(0, SEARCHED_ENTRIES)
      .findIndex((entry) => isRepetition(entry, denial, timeMs));
    const [before] = place < 0 ? [] : this.#entries.splice(place, 1);
    const count = (before?.count ?? 0) + 1;
    this.#entries.unshift({ ...denial, count, timeMs, client });
    this.maxEntries = this.#maxEntries;
  }
}

function shortened({ object, user, ...others }: Denial): Denial {
  return {
    ...others,
    object: Buffer.from(object.slice(0, KEPT_BYTES)),
    user: user.slice(0, KEPT_BYTES),
  };
}

function isRepetition(entry: AccessLogEntry, denial: Denial, timeMs: number): boolean {
  return (
    entry.reason === denial.reason &&
    entry.context === denial.context &&
    entry.user === denial.user &&
    timeMs - entry.timeMs <= REPETITION_MS &&
    Buffer.compare(entry.object, denial.object) === 0
  );
}
