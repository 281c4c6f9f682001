/**
 * The feed of changes: from which revision on they can be told, from where, and since when. Recent ones come out of memory,
 * older ones out of the log, if the persistence keeps one that can be read. How a question is answered is page-reading.ts's.
 *
 * It costs nothing until somebody asks for the first time: from then on records are kept in memory, too, and the persistence
 * keeps some of its log behind a checkpoint.
 *
 * Invariant: nothing is told before it is as durable as promised.
 */

import type { CommandTable } from "../commands/table.ts";
import { logGap } from "../errors.ts";
import type { RecordTap } from "../journal/journal.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Persistence, Revision } from "../plugin.ts";
import type { Session } from "../session/session.ts";
import type { Slices } from "../session/sliced-work.ts";
import { ChangeReader } from "./changes.ts";
import { type LogCursor, LogCursors } from "./log-cursor.ts";
import { RecentRecords } from "./recent-records.ts";

/** Some hundred thousand small changes: a consumer that is away for a moment needs no file. */
export const DEFAULT_RECENT_BYTES = 16 * 1024 * 1024;
/** Of what is in the log, as long as nobody reads what comes as it comes: Redis's backlog is as long. */
const LOGGED_BYTES = 1024 * 1024;
/** They take no larger part of `memory.max`, which they count for: what is not theirs is for keys. */
const MOST_OF_LIMIT = 1 / 8;

/** What it needs of the journal. */
export interface RecordSource {
  startTap(tap: RecordTap): Revision;
  readonly disk: {
    readonly isRecording: boolean;
    readonly durableRevision: Revision;
    readonly lastRevision: Revision;
    onDurable(listener: () => void): () => void;
  };
}

/** Does some of a work, until `exhausted` says that the slice is over; true when all is done. Does not throw. */
export type Step = (exhausted: () => boolean) => boolean;

export interface FeedParts {
  readonly journal: RecordSource;
  readonly commands: CommandTable;
  readonly slices: Slices;
  readonly clock: Clock;
  readonly log: Log;
}

export class ChangeFeed {
  readonly reader: ChangeReader;
  readonly clock: Clock;
  readonly cursors: LogCursors;
  readonly #slices: Slices;
  readonly #journal: RecordSource;
  #persistence: Persistence | undefined;
  #recent: RecentRecords | undefined;
  #recentBytes = DEFAULT_RECENT_BYTES;
  #wantedBytes = 0;
  /** By CHANGES. */
  #isAsked = false;
  #feedsReplicas = false;
  #limitBytes = Number.POSITIVE_INFINITY;
  /** Which keys a session may read, or asked for null whether all; null: all of them. Whoever knows of permissions sets it. */
  rightOf: (session: Session) => ((key: Buffer | null) => boolean) | null = () => null;
  /** Told each time that more may be told; replication sets it. */
  onReadable: () => void = () => {};
  /** Who waits for more; each is told once. */
  #waiting = new Set<() => void>();
  /** Steps to be taken in the slices of one work, in turn. */
  readonly #steps: Step[] = [];
  #isStepping = false;

  constructor({ journal, commands, slices, clock, log }: FeedParts) {
    this.#journal = journal;
    this.reader = new ChangeReader(commands);
    this.#slices = slices;
    this.clock = clock;
    this.cursors = new LogCursors(clock, (error) =>
      log.warn("a reader of the log could not be closed", { error: String(error) }),
    );
  }

  /** The data is there; changes are recorded from now on. */
  start(persistence: Persistence): void {
    this.#persistence = persistence;
  }

  /** Somebody asks for changes: as many of the recent ones are kept as may be. */
  use(): RecentRecords {
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#recent?.limit(this.#boundBytes);
    }
    return this.recent;
  }

  /** Recent records are kept from now on; harmless when they are already. */
  begin(): void {
    this.#recent ??= this.#begin();
  }

  get recent(): RecentRecords {
    this.#recent ??= this.#begin();
    return this.#recent;
  }

  #begin(): RecentRecords {
    const recent = new RecentRecords(0, this.#boundBytes);
    recent.restart(this.#journal.startTap(recent));
    recent.onTaken = () => {
      // Elsewhere what was taken has to become durable first.
      if (!this.#journal.disk.isRecording) this.#wake();
    };
    this.#journal.disk.onDurable(() => this.#wake());
    this.#persistence?.keepForReaders?.();
    return recent;
  }

  get recentBytes(): number {
    return this.#recentBytes;
  }

  /** Bound on the records in memory. */
  set recentBytes(bytes: number) {
    this.#recentBytes = bytes;
    this.#recent?.limit(this.#boundBytes);
  }

  get #boundBytes(): number {
    return Math.max(this.#ordinaryBytes, this.#wantedBytes);
  }

  /** The bound while nobody is far behind. */
  get #ordinaryBytes(): number {
    const isRead = !this.#hasLog || this.#isAsked || this.#feedsReplicas;
    const bytes = isRead ? this.#recentBytes : Math.min(this.#recentBytes, LOGGED_BYTES);
    return Math.min(bytes, this.#limitBytes);
  }

  /**
   * As far as they count as used memory. As in Redis, what waits for a replica beyond that does not: keys would go for it, each
   * of them a record more that waits.
   */
  get countedBytes(): number {
    return Math.min(this.usedBytes, this.#ordinaryBytes);
  }

  /**
   * Somebody is far behind, and needs what comes meanwhile: so many bytes of records stay in memory where there is no log that
   * could give them. 0: nobody is.
   */
  keepForLate(bytes: number): void {
    const wanted = this.#hasLog ? 0 : bytes;
    if (wanted === this.#wantedBytes) return;
    this.#wantedBytes = wanted;
    this.#recent?.limit(this.#boundBytes);
  }

  /**
   * Replicas are sent what is recorded as it comes. While they take their copies, or are away, all that is for them is read later
   * and from the log, where there is one: it needs no memory beside what a copy takes.
   */
  set feedsReplicas(isSo: boolean) {
    if (isSo === this.#feedsReplicas) return;
    this.#feedsReplicas = isSo;
    this.#recent?.limit(this.#boundBytes);
  }

  get #hasLog(): boolean {
    return this.#persistence?.read !== undefined && this.#persistence.supports.records;
  }

  /** The bound on all used memory; 0: none. */
  heedLimit(maxBytes: number): void {
    this.#limitBytes = maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes * MOST_OF_LIMIT;
    this.#recent?.limit(this.#boundBytes);
  }

  /** How much memory they take. */
  get usedBytes(): number {
    return this.#recent?.bytes ?? 0;
  }

  /** How many wait for a change. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** The last revision that may be told. */
  get lastReadable(): Revision {
    const { disk } = this.#journal;
    const taken = this.#recent?.lastRevision ?? 0;
    return disk.isRecording ? Math.min(disk.durableRevision, taken) : taken;
  }

  /** That of the next change. */
  get nextRevision(): Revision {
    return this.#journal.disk.lastRevision + 1;
  }

  /** The first revision from which on every change can be told. */
  get oldest(): Revision {
    const recent = this.#recent?.firstRevision ?? this.nextRevision;
    return Math.min(recent, this.#logBegins);
  }

  get #logBegins(): Revision {
    const persistence = this.#persistence;
    if (persistence?.read === undefined || !persistence.supports.records) {
      return Number.POSITIVE_INFINITY;
    }
    return persistence.readableFrom ?? Number.POSITIVE_INFINITY;
  }

  /** A way through the log from `next` on. */
  openLog(next: Revision): Promise<LogCursor> {
    return this.cursors.open(next, () => {
      const batches = this.#persistence?.read?.(next);
      if (batches === undefined) throw logGap(next, this.oldest);
      return batches;
    });
  }

  /** Calls back once, when more can be told, perhaps. Returns the function that ends it. */
  onMore(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => this.#waiting.delete(listener);
  }

  /**
   * Has a step taken soon, and again until it is done. All that wait for theirs share one slice of a turn: a thousand
   * clients that are told of a change need not wait for a thousand turns.
   */
  stepSoon(step: Step): void {
    this.#steps.push(step);
    if (this.#isStepping) return;
    this.#isStepping = true;
    this.#slices.begin({
      changesMemory: false,
      isForAnswer: true,
      step: (exhausted) => this.#stepAll(exhausted),
    });
  }

  #stepAll(exhausted: () => boolean): boolean {
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) {
      if (!step(exhausted)) this.#steps.push(step);
      if (exhausted()) break;
    }
    this.#isStepping = this.#steps.length > 0;
    return !this.#isStepping;
  }

  #wake(): void {
    this.onReadable();
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const listener of waiting) listener();
  }

  /** All data was replaced, at a revision below `nextRevision`: what was recorded does not lead there. */
  restart(nextRevision: Revision): void {
    this.#recent?.restart(nextRevision);
    this.#wake();
  }

  async close(): Promise<void> {
    await this.cursors.close();
  }
}
