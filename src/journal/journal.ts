/**
 * The one journal: each change becomes one deterministic record with a revision that only grows. Records gather in
 * memory during a turn; at its end they are handed to the persistence in one batch, written once and synced as the mode
 * promises, asynchronously, while the next turn gathers. What a session's reply waits for is its `hold`; when
 * `durableRevision` passes it, the reply may leave.
 *
 * Modes: always: a reply that shows a change waits for its sync. everysec: a sync starts every 500 ms, replies to writes
 * wait only while the oldest unsynced record is over a second old. no: the same, with writes in the place of syncs. In
 * both a write starts at the end of the turn, but not more often than every WRITE_INTERVAL_MS.
 *
 * Invariant: no record is forgotten before it is as durable as promised, and no reply that shows it leaves before.
 */

import type { Arguments } from "../commands/arguments.ts";
import type { Recorder } from "../commands/dispatch.ts";
import { MAX_UNSYNCED_BYTES } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { Durability, LoadReport, Persistence, Revision } from "../plugin.ts";
import type { DiskProgress } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { CommandWriter } from "./effects.ts";
import { Gathering } from "./gathering.ts";
import { JoinedCommands } from "./joined-commands.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { SyncStatistics } from "./sync-statistics.ts";

/** everysec: how often a sync starts; sooner when so much waits for it, which is kept in memory until then. */
const SYNC_INTERVAL_MS = 500;
const SYNC_BYTES = 8 * 1024 * 1024;
/** everysec, no: how old a record may be that is not as durable as promised, before replies to writes wait. */
const HOLD_AFTER_MS = 1000;
/**
 * everysec, no: the way to a thread and back takes some 14 µs of this one, against 2 µs for the write itself, which must
 * not happen here: a disk that is busy, or a file system that is frozen, would hold up everybody. So it is shared.
 */
const WRITE_INTERVAL_MS = 1;
/** After a failed write or sync: how long until the next attempt. */
const RETRY_MS = 1000;
/** After an unclean stop revisions go on so far above the last one read: what was lost is never numbered again. */
export const UNCLEAN_GAP = 2 ** 24;

/** The revision of the first change after a load. Of an unclean stop that left nothing, all may have been lost. */
export function firstRevisionAfter({ lastRevision, clean }: LoadReport): Revision {
  return lastRevision + (clean ? 1 : UNCLEAN_GAP);
}

export class Journal implements Recorder, DiskProgress {
  readonly effects = new CommandWriter();
  readonly #records = new RecordBuffer(() => this.#handOver());
  readonly #expired = new CommandWriter();
  readonly #joined = new JoinedCommands();
  readonly #keyspace: Keyspace;
  readonly #clock: Clock;
  readonly #log: Log;
  #persistence: Persistence | null = null;
  #mode: Durability = "none";
  /** Replies to changes wait now: always in mode always, else while the disk is behind. */
  #holding = false;

  /** The database that the record in hand stands in, while keys found expired are noted. */
  #expiredDatabase = -1;
  #expiredCount = 0;

  durableRevision: Revision = 0;
  readonly syncs = new SyncStatistics();
  syncedRevision: Revision = 0;
  /** Somebody asked for everything up to here to be synced soon. */
  #wantedRevision: Revision = 0;
  #handedOver: Revision = 0;
  #handedBytes = 0;
  #durableBytes = 0;
  #syncing = false;
  #syncBegunMs = 0;
  #writing = false;
  #writeBegunMs = 0;
  #writtenRevision: Revision = 0;
  /** Ends with the sync that is under way; never rejects. */
  #syncEnd: Promise<void> = Promise.resolve();
  #oldestUnsyncedMs = 0;
  #syncTimer: Timer | null = null;
  #writeTimer: Timer | null = null;
  #failure: Error | null = null;
  failingSinceMs = 0;
  /** The last flush has begun: the persistence is closed after it, and must not be asked for another. */
  #ended = false;
  readonly #gathering = new Gathering();
  /** Of the next sync. */
  #syncNumber = 0;
  #looking = false;
  readonly #durableListeners = new Set<() => void>();
  readonly #syncedListeners = new Set<() => void>();
  readonly #failureListeners = new Set<(failure: Error) => void>();
  /** Told when writing to disk begins to fail (the error) and when it works again (null). */
  onHealth: (failure: Error | null) => void = () => {};
  /** Told when a record was made or a sync is wanted, so that the end of the turn is not missed. */
  onRecord: () => void = () => {};

  constructor(options: { keyspace: Keyspace; clock: Clock; log: Log }) {
    this.#keyspace = options.keyspace;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#keyspace.onExpired = (database, key) => this.#noteExpired(database, key);
  }

  /** Begins to record; revisions go on after what was loaded. */
  start(persistence: Persistence, report: LoadReport): void {
    this.#keyspace.setNextRevision(firstRevisionAfter(report));
    this.durableRevision = this.#keyspace.nextRevision - 1;
    this.syncedRevision = this.durableRevision;
    this.#handedOver = this.durableRevision;
    this.#writtenRevision = this.durableRevision;
    this.#persistence = persistence;
    this.#changeMode(persistence.durability);
  }

  /** False while so much is not yet durable that reading from clients must pause. */
  get acceptsInput(): boolean {
    return this.#handedBytes - this.#durableBytes < MAX_UNSYNCED_BYTES;
  }

  /** The revision of the last change so far. */
  get lastRevision(): Revision {
    return this.#keyspace.nextRevision - 1;
  }

  get unsyncedBytes(): number {
    return this.#handedBytes - this.#durableBytes;
  }

  /** Age of the oldest record that is not durable, in milliseconds; 0: all are. */
  get oldestUnsyncedMs(): number {
    if (this.#oldestUnsyncedMs === 0) return 0;
    return this.#clock.monotonicMs() - this.#oldestUnsyncedMs;
  }

  get mode(): Durability {
    return this.#mode;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  onDurable(listener: () => void): () => void {
    this.#durableListeners.add(listener);
    return () => this.#durableListeners.delete(listener);
  }

  get isRecording(): boolean {
    return this.#mode !== "none";
  }

  /**
   * In mode always nothing syncs sooner than it does anyway. Redis has no such thing: its WAITAOF waits for the timer of
   * everysec, and in mode no for ever.
   */
  requestSync(revision: Revision): void {
    if (this.#mode === "always" || revision <= this.#wantedRevision) return;
    this.#wantedRevision = revision;
    this.onRecord();
  }

  onSynced(listener: () => void): () => void {
    this.#syncedListeners.add(listener);
    return () => this.#syncedListeners.delete(listener);
  }

  /** Told each time that a flush has failed. What was handed over is tried again until it succeeds. */
  onFailure(listener: (failure: Error) => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  // ---- one command ----

  /** The key was found expired and is about to be removed: its deletion comes first in the record in hand. */
  #noteExpired(database: Database, key: Buffer): void {
    this.#expiredCount++;
    if (this.#mode === "none") return;
    if (database.index !== this.#expiredDatabase) {
      this.#expired.command(2);
      this.#expired.text("SELECT");
      this.#expired.integer(database.index);
      this.#expiredDatabase = database.index;
    }
    this.#expired.command(2);
    this.#expired.text("DEL");
    this.#expired.bytes(key, 0, key.length);
  }

  discard(): void {
    if (this.effects.size !== 0) this.effects.clear();
  }

  commit(session: Session, args: Arguments): void {
    if (session.origin === "replay") {
      this.#forget();
      return;
    }
    // Who only found keys expired has written nothing, and waits for what he has read.
    const isWrite = this.#expiredCount < this.#keyspace.changes;
    if (isWrite) session.hasWritten = true;
    if (this.#mode !== "none") {
      if (this.#expiredCount === 0 && this.effects.size === 0 && args.rawStart >= 0) {
        this.#append(session.database.index, args.buffer, args.rawStart, args.rawEnd);
      } else this.#commitComposed(session, args);
      if (isWrite) this.#noteWrite(session);
      this.onRecord();
    }
    if (this.#expiredCount + this.#expired.size + this.effects.size !== 0) this.#forget();
    this.#keyspace.advanceRevision();
  }

  #noteWrite(session: Session): void {
    session.written = this.#keyspace.nextRevision;
    if (!this.#holding) return;
    if (session.countedSync !== this.#syncNumber) {
      session.countedSync = this.#syncNumber;
      this.#gathering.add();
    }
    session.hold = session.written;
    this.#keyspace.tracking = true;
  }

  /** Deletions of expired keys, then the command's own outcome or its arguments, as one record. */
  #commitComposed(session: Session, args: Arguments): void {
    const whole = this.#expired;
    const index = session.database.index;
    if (this.#expiredCount < this.#keyspace.changes) {
      if (this.#expiredDatabase >= 0 && this.#expiredDatabase !== index) {
        whole.command(2);
        whole.text("SELECT");
        whole.integer(index);
      }
      this.#writeOutcome(whole, args);
    }
    this.#append(index, whole.buffer, 0, whole.size);
  }

  #writeOutcome(writer: CommandWriter, args: Arguments): void {
    if (this.effects.size > 0) writer.encoded(this.effects.buffer, 0, this.effects.size);
    else if (args.rawStart >= 0) writer.encoded(args.buffer, args.rawStart, args.rawEnd);
    else writeArguments(writer, args);
  }

  #forget(): void {
    this.#expired.clear();
    this.effects.clear();
    this.#expiredCount = 0;
    this.#expiredDatabase = -1;
  }

  // ---- a command that calls others ----

  /** A command begins that may call others: what they change gathers for its one record. */
  beginJoining(session: Session): void {
    this.#joined.begin(session.database.index);
  }

  join(session: Session, args: Arguments): void {
    const joined = this.#joined;
    joined.changes += this.#keyspace.changes;
    if (this.#mode !== "none" && session.origin !== "replay") {
      if (this.#expired.size > 0) joined.add(this.#expired, this.#expiredDatabase);
      if (this.#expiredCount < this.#keyspace.changes) {
        joined.select(session.database.index);
        this.#writeOutcome(joined.writer, args);
      }
    }
    this.#forget();
  }

  get isFull(): boolean {
    return this.#joined.isFull;
  }

  /**
   * The calling command is over, its session back in the database where it began: what has gathered is its outcome, for
   * `commit` to record. Answers how many changes that are.
   */
  endJoining(): number {
    this.effects.exchange(this.#joined.writer);
    return this.#joined.changes;
  }

  /** One record of keys that expired on time, outside any command. */
  commitExpired(): void {
    if (this.#expiredCount === 0) return;
    if (this.#mode !== "none") {
      this.#append(0, this.#expired.buffer, 0, this.#expired.size);
      this.onRecord();
    }
    this.#forget();
    this.#keyspace.advanceRevision();
  }

  #append(database: number, bytes: Buffer, start: number, end: number): void {
    this.#records.append(database, this.#keyspace.nowMs, bytes, start, end);
  }

  // ---- one turn ----

  /** Hands over what the turn recorded and sees that it becomes as durable as promised. */
  endTurn(): void {
    if (this.#persistence === null) return;
    const mode = this.#persistence.durability;
    if (mode !== this.#mode) this.#changeMode(mode);
    if (this.#records.count > 0) this.#handOver();
    this.#flushAsPromised();
    this.#holding = this.#mustHold();
    this.#keyspace.noteRevision();
  }

  #changeMode(mode: Durability): void {
    this.#mode = mode;
    this.#holding = mode === "always";
    if (mode !== "always") this.#releaseAll();
  }

  /** The mode promises less now: what waited for a sync need not wait any longer. */
  #releaseAll(): void {
    this.#keyspace.tracking = false;
    for (const listener of this.#durableListeners) listener();
  }

  #handOver(): void {
    const last = this.#keyspace.nextRevision - 1;
    this.#handedOver = last;
    this.#handedBytes += this.#records.bytes;
    if (this.#oldestUnsyncedMs === 0) this.#oldestUnsyncedMs = this.#clock.monotonicMs();
    (this.#persistence as Persistence).append(this.#records.take(last));
  }

  #flushAsPromised(): void {
    if (this.#failure !== null) return;
    if (this.#wantedRevision > this.syncedRevision && !this.#syncing) {
      this.#sync();
      return;
    }
    if (this.#handedOver <= this.durableRevision) return;
    switch (this.#mode) {
      case "always":
        this.#syncWhenGathered();
        return;
      case "everysec":
        this.#writeSoon();
        if (this.unsyncedBytes > SYNC_BYTES) this.#sync();
        else this.#syncSoon();
        return;
      default:
        this.#writeSoon();
    }
  }

  #syncWhenGathered(): void {
    this.#looking = false;
    if (this.#syncing || this.#handedOver <= this.durableRevision) return;
    if (this.#gathering.isComplete(this.#clock.monotonicMs())) this.#sync();
    else this.#lookAgain();
  }

  #lookAgain(): void {
    if (this.#looking) return;
    this.#looking = true;
    atTurnEnd(() => this.#syncWhenGathered());
  }

  #syncSoon(): void {
    if (this.#syncTimer !== null || this.#syncing) return;
    const sinceMs = this.#clock.monotonicMs() - this.#syncBegunMs;
    this.#syncTimer = this.#clock.after(Math.max(0, SYNC_INTERVAL_MS - sinceMs), () => {
      this.#syncTimer = null;
      if (this.#mode === "everysec") this.#sync();
    });
  }

  #writeSoon(): void {
    if (this.#writeTimer !== null || this.#writing) return;
    const sinceMs = this.#clock.monotonicMs() - this.#writeBegunMs;
    if (sinceMs >= WRITE_INTERVAL_MS) this.#write();
    else {
      this.#writeTimer = this.#clock.after(WRITE_INTERVAL_MS - sinceMs, () => {
        this.#writeTimer = null;
        this.#write();
      });
    }
  }

  /** Replies to writes wait in mode always; else when the disk has fallen behind. */
  #mustHold(): boolean {
    return this.#mode === "always" || this.oldestUnsyncedMs > HOLD_AFTER_MS;
  }

  /** Makes everything durable that was handed over. */
  #sync(): void {
    if (this.#ended || this.#syncing) return;
    this.#syncing = true;
    this.#syncNumber++;
    const begunMs = this.#clock.monotonicMs();
    this.#syncBegunMs = begunMs;
    this.#gathering.begin(begunMs);
    const revision = this.#handedOver;
    const bytes = this.#handedBytes;
    this.#syncEnd = (this.#persistence as Persistence).flush(true).then(
      () => {
        this.#syncing = false;
        this.#synced(revision, bytes, begunMs);
      },
      (error: Error) => {
        this.#syncing = false;
        this.#failed(error);
      },
    );
  }

  #synced(revision: Revision, bytes: number, begunMs: number): void {
    this.syncs.add(this.#clock.monotonicMs() - begunMs, this.#clock.now());
    if (this.#failure !== null) this.#recovered();
    this.#advanceSynced(revision);
    const release = () => this.#advanceDurable(revision, bytes, begunMs);
    this.#gathering.end(() => this.#clock.monotonicMs(), release);
    if (this.#mode === "always") this.#syncWhenGathered();
    if (this.#mode === "everysec" && this.#handedOver > revision) this.#syncSoon();
  }

  /** Writes everything that was handed over, without a sync. */
  #write(): void {
    const revision = this.#handedOver;
    if (this.#ended || this.#failure !== null || revision <= this.#writtenRevision) return;
    this.#writing = true;
    const begunMs = this.#clock.monotonicMs();
    this.#writeBegunMs = begunMs;
    const bytes = this.#handedBytes;
    (this.#persistence as Persistence).flush(false).then(
      () => {
        this.#writing = false;
        this.#written(revision, bytes, begunMs);
      },
      (error: Error) => {
        this.#writing = false;
        this.#failed(error);
      },
    );
  }

  /** It says nothing of a disk that could not sync. */
  #written(revision: Revision, bytes: number, begunMs: number): void {
    this.#writtenRevision = Math.max(this.#writtenRevision, revision);
    if (this.#mode === "no") this.#advanceDurable(revision, bytes, begunMs);
    if (this.#mode !== "always" && this.#handedOver > this.#writtenRevision) this.#writeSoon();
  }

  #advanceSynced(revision: Revision): void {
    if (revision <= this.syncedRevision) return;
    this.syncedRevision = revision;
    for (const listener of this.#syncedListeners) listener();
    if (this.#wantedRevision > revision) this.onRecord();
  }

  /** As durable as promised; `begunMs`: when the flush began that did it. */
  #advanceDurable(revision: Revision, bytes: number, begunMs: number): void {
    this.#oldestUnsyncedMs = this.#handedOver > revision ? begunMs : 0;
    if (revision <= this.durableRevision) return;
    this.durableRevision = revision;
    this.#writtenRevision = Math.max(this.#writtenRevision, revision);
    this.#durableBytes = bytes;
    if (revision === this.#keyspace.nextRevision - 1) this.#keyspace.tracking = false;
    this.#records.release(revision);
    for (const listener of this.#durableListeners) listener();
  }

  #failed(error: Error): void {
    if (this.#failure === null) {
      this.failingSinceMs = this.#clock.now();
      this.#log.error("records cannot be made durable; writes are refused until they can", {
        error: error.message,
      });
    }
    this.#failure = error;
    this.onHealth(error);
    for (const listener of this.#failureListeners) listener(error);
    this.#clock.after(RETRY_MS, () => {
      if (this.#failure === error) this.#sync();
    });
  }

  #recovered(): void {
    this.#failure = null;
    this.failingSinceMs = 0;
    this.#log.info("records are durable again; writes are accepted");
    this.onHealth(null);
  }

  // ---- the end ----

  /** Makes everything durable that was recorded, whatever the mode. Rejects when the disk refuses. */
  async drain(): Promise<void> {
    this.#ended = true;
    this.#syncTimer?.cancel();
    this.#syncTimer = null;
    this.#writeTimer?.cancel();
    this.#writeTimer = null;
    if (this.#persistence === null || this.#mode === "none") return;
    await this.#syncEnd; // a persistence is asked for one at a time
    if (this.#records.count > 0) this.#handOver();
    const revision = this.#handedOver;
    const bytes = this.#handedBytes;
    const begunMs = this.#clock.monotonicMs();
    await this.#persistence.flush(true);
    this.#advanceSynced(revision);
    this.#advanceDurable(revision, bytes, begunMs);
  }
}

function writeArguments(writer: CommandWriter, args: Arguments): void {
  writer.command(args.count);
  for (let i = 0; i < args.count; i++) {
    writer.bytes(args.buffer, args.start[i] as number, args.end[i] as number);
  }
}
