/**
 * When records reach the disk: what the journal hands over is written and synced as the mode promises, asynchronously, while
 * the next turn gathers. What a session's reply waits for is its `hold`; when `durableRevision` passes it, the reply may leave.
 *
 * Modes: always: a reply that shows a change waits for its sync. everysec: a sync starts every 500 ms, replies to writes
 * wait only while the oldest unsynced record is over a second old. no: the same, with writes in the place of syncs. In
 * both a write starts at the end of the turn, but not more often than every WRITE_INTERVAL_MS.
 *
 * Invariant: no reply leaves before what it shows is as durable as promised.
 */
import { MAX_UNSYNCED_BYTES } from "../limits.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { Durability, Persistence, RecordBatch, Revision } from "../plugin.ts";
import type { DiskProgress } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { Gathering } from "./gathering.ts";
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

export class Flushing implements DiskProgress {
  readonly #keyspace: Keyspace;
  readonly #clock: Clock;
  readonly #log: Log;
  #persistence: Persistence | null = null;
  #mode: Durability = "none";
  #isResting = false;
  /** Records must be in the words of redis-server 7.0. */
  redisWords = false;
  /** Somebody else wants them, whatever the persistence. */
  #needsRedisWords = false;
  /** Replies to changes wait now: always in mode always, else while the disk is behind. */
  #holding = false;

  /** As durable as the mode promises: in mode no, written. */
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
  readonly #writtenListeners = new Set<() => void>();
  readonly #failureListeners = new Set<(failure: Error) => void>();
  /** Told when writing to disk begins to fail (the error) and when it works again (null). */
  onHealth: (failure: Error | null) => void = () => {};
  /** Told when a sync is wanted, so that the end of the turn is not missed. */
  onWanted: () => void = () => {};
  /** Told up to which revision records are as durable as promised, and need not be kept. */
  onReleased: (revision: Revision) => void = () => {};

  constructor(options: { keyspace: Keyspace; clock: Clock; log: Log }) {
    this.#keyspace = options.keyspace;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Everything up to `revision` came from the persistence. */
  start(persistence: Persistence, revision: Revision): void {
    this.durableRevision = revision;
    this.syncedRevision = revision;
    this.#handedOver = revision;
    this.#writtenRevision = revision;
    this.#persistence = persistence;
    this.redisWords = this.#needsRedisWords || persistence.supports.redisWords === true;
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

  /** False: nothing is recorded, so nothing will ever be on disk. */
  get isRecording(): boolean {
    return this.#mode !== "none";
  }

  /** Whether what tells of a change waits now until it is durable. */
  get isHolding(): boolean {
    return this.#holding;
  }

  onDurable(listener: () => void): () => void {
    this.#durableListeners.add(listener);
    return () => this.#durableListeners.delete(listener);
  }

  /**
   * In mode always nothing syncs sooner than it does anyway. Redis has no such thing: its WAITAOF waits for the timer of
   * everysec, and in mode no for ever.
   */
  requestSync(revision: Revision): void {
    if (this.#mode === "always" || revision <= this.#wantedRevision) return;
    this.#wantedRevision = revision;
    this.onWanted();
  }

  /**
   * What a kill of the process cannot take back: in mode everysec what was written, while power loss may take it. Where nothing
   * is recorded, all there is.
   */
  get survivingRevision(): Revision {
    if (this.#mode === "none") return this.lastRevision;
    return this.#mode === "everysec"
      ? Math.max(this.durableRevision, this.#writtenRevision)
      : this.durableRevision;
  }

  /** Told each time that records were written, synced or not. */
  onWritten(listener: () => void): () => void {
    this.#writtenListeners.add(listener);
    return () => this.#writtenListeners.delete(listener);
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

  /** From now on records are in the words of redis-server, whatever the persistence needs. */
  needRedisWords(): void {
    this.#needsRedisWords = true;
    this.redisWords = true;
  }

  // ---- one turn ----

  /** Nobody's command has made a change: no reply waits for it, but what shows it does. */
  noteChange(): void {
    if (this.#holding) this.#keyspace.tracking = this.#mode === "always";
  }

  /** The session has made a change, whose reply waits if the mode says so. */
  noteWrite(session: Session): void {
    session.written = this.#keyspace.nextRevision;
    if (!this.#holding) return;
    if (session.countedSync !== this.#syncNumber) {
      session.countedSync = this.#syncNumber;
      this.#gathering.add();
    }
    session.hold = session.written;
    // Elsewhere what may vanish may be seen: a disk that is behind holds up writers, and no reader.
    this.#keyspace.tracking = this.#mode === "always";
  }

  /** Takes a batch that ends with the last change so far. */
  handOver(batch: RecordBatch): void {
    this.#handedOver = this.lastRevision;
    this.#handedBytes += batch.end - batch.start;
    if (this.#oldestUnsyncedMs === 0) this.#oldestUnsyncedMs = this.#clock.monotonicMs();
    (this.#persistence as Persistence).append(batch);
  }

  /** The turn has handed over what it recorded: sees that it becomes as durable as promised. */
  endTurn(): void {
    this.#flushAsPromised();
    this.#holding = this.#mustHold();
  }

  /** The persistence may have been told to promise something else. */
  followMode(): void {
    if (this.#isResting) return;
    this.redisWords = this.#needsRedisWords || this.#persistence?.supports.redisWords === true;
    const mode = this.#persistence?.durability ?? "none";
    if (mode !== this.#mode) this.#changeMode(mode);
  }

  /** Nothing is recorded until the function that is returned is called. Everything that was recorded has been synced. */
  rest(): () => void {
    this.#isResting = true;
    this.#changeMode("none");
    return () => {
      this.#isResting = false;
      this.followMode();
    };
  }

  #changeMode(mode: Durability): void {
    this.#mode = mode;
    this.#holding = mode === "always";
    if (mode === "none") this.#forgetPromises();
    if (mode !== "always") this.#releaseAll();
  }

  /** Nothing is kept any more, so nothing waits to be: who kept it has what it was to have. */
  #forgetPromises(): void {
    this.#oldestUnsyncedMs = 0;
    this.#durableBytes = this.#handedBytes;
    this.#writtenRevision = this.#handedOver;
    this.durableRevision = this.#handedOver;
    this.onReleased(this.#handedOver);
  }

  /** The mode promises less now: what waited for a sync need not wait any longer. */
  #releaseAll(): void {
    this.#keyspace.tracking = false;
    for (const listener of this.#durableListeners) listener();
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
    for (const listener of this.#writtenListeners) listener();
    if (this.#mode !== "always" && this.#handedOver > this.#writtenRevision) this.#writeSoon();
  }

  #advanceSynced(revision: Revision): void {
    if (revision <= this.syncedRevision) return;
    this.syncedRevision = revision;
    for (const listener of this.#syncedListeners) listener();
    if (this.#wantedRevision > revision) this.onWanted();
  }

  /** As durable as promised; `begunMs`: when the flush began that did it. */
  #advanceDurable(revision: Revision, bytes: number, begunMs: number): void {
    this.#oldestUnsyncedMs = this.#handedOver > revision ? begunMs : 0;
    this.#holding = this.#mustHold();
    if (revision <= this.durableRevision) return;
    this.durableRevision = revision;
    this.#writtenRevision = Math.max(this.#writtenRevision, revision);
    this.#durableBytes = bytes;
    if (revision === this.#keyspace.nextRevision - 1) this.#keyspace.tracking = false;
    this.onReleased(revision);
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

  /**
   * Nothing was recorded on the way to `revision`, and what was before had been synced: either it is that of a checkpoint that
   * replaced all there was, or it is not going to be that of anything.
   */
  skipTo(revision: Revision): void {
    this.#handedOver = revision;
    this.#advanceSynced(revision);
    this.#advanceDurable(revision, this.#handedBytes, this.#clock.monotonicMs());
  }

  // ---- the end ----

  /**
   * No flush begins any more but the last; resolves when the one that runs is over. A persistence is asked for one sync at a
   * time, and is closed after the last.
   */
  async end(): Promise<void> {
    this.#ended = true;
    this.#syncTimer?.cancel();
    this.#syncTimer = null;
    this.#writeTimer?.cancel();
    this.#writeTimer = null;
    await this.#syncEnd;
  }

  /** The last: makes everything durable that was handed over, whatever the mode. Rejects when the disk refuses. */
  async flushAll(): Promise<void> {
    const revision = this.#handedOver;
    const bytes = this.#handedBytes;
    const begunMs = this.#clock.monotonicMs();
    await this.#persistence?.flush(true);
    this.#advanceSynced(revision);
    this.#advanceDurable(revision, bytes, begunMs);
  }
}
