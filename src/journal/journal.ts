/**
 * The one journal: each change becomes one deterministic record with a revision that only grows. Records gather in memory
 * during a turn; at its end they are handed over in one batch. When that reaches the disk, and which replies wait for it, is
 * flushing.ts's.
 *
 * Invariant: no record is forgotten before it is as durable as promised.
 */

import { assert } from "../assert.ts";
import type { Arguments } from "../commands/arguments.ts";
import type { Recorder } from "../commands/dispatch.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { LoadReport, Persistence, RecordBatch, Revision } from "../plugin.ts";
import { keyEvents } from "../pubsub/event-names.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { Origin, Session } from "../session/session.ts";
import { CHUNK_SHIFT, type ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { keyAt, keySize } from "../store/entry.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { type DeletionCause, writeCauseLine } from "./annotations.ts";
import { CommandWriter } from "./effects.ts";
import { Flushing } from "./flushing.ts";
import { JoinedCommands } from "./joined-commands.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { RedisWords } from "./redis-words.ts";
import { type FormPlace, type NewRecord, StreamForm } from "./stream-form.ts";

/** After an unclean stop revisions go on so far above the last one read: what was lost is never numbered again. */
export const UNCLEAN_GAP = 2 ** 24;

/** The revision of the first change after a load. Of an unclean stop that left nothing, all may have been lost. */
export function firstRevisionAfter({ lastRevision, clean }: LoadReport): Revision {
  return lastRevision + (clean ? 1 : UNCLEAN_GAP);
}

/** Takes what is recorded, besides the persistence and also where that keeps no records. */
export interface RecordTap {
  /** A batch that ends with the last change so far; its bytes are good until it returns. */
  take(batch: RecordBatch): void;
}

export class Journal implements Recorder {
  readonly effects = new CommandWriter();
  readonly #records = new RecordBuffer(() => this.#handOver());
  readonly #expired = new CommandWriter();
  readonly #joined = new JoinedCommands();
  readonly #words: RedisWords;
  /** What is in `effects` has joined: it is in the words that it is to be recorded in. */
  #effectsJoined = false;
  readonly #keyspace: Keyspace;
  readonly #events: KeyEvents;
  readonly disk: Flushing;
  /** The database that the record in hand stands in, while keys found expired are noted. */
  #expiredDatabase = -1;
  #expiredCount = 0;
  #tap: RecordTap | null = null;
  /** Records are in the form of the stream of replication; null: in the one that costs least. */
  #stream: StreamForm | null = null;
  /** What a primary has sent has changed data, and its stretch has no record yet. */
  #isWithinStretch = false;

  /** Told when a record was made or a sync is wanted, so that the end of the turn is not missed. */
  onRecord: () => void = () => {};

  constructor(options: {
    keyspace: Keyspace;
    commands: CommandTable;
    events: KeyEvents;
    clock: Clock;
    log: Log;
  }) {
    this.#keyspace = options.keyspace;
    this.#events = options.events;
    this.#words = new RedisWords(options.commands);
    this.disk = new Flushing(options);
    this.disk.onReleased = (revision) => this.#records.release(revision);
    this.disk.onWanted = () => this.onRecord();
    this.#keyspace.onExpired = (database, key) => this.#noteGone("expired", database, key);
    this.#keyspace.onEvicted = (database, key) => this.#noteGone("evicted", database, key);
    this.#keyspace.onFieldExpired = (database, entry, bytes, start, end) =>
      this.#noteExpiredField(database, entry, bytes, start, end);
  }

  /** Begins to record; revisions go on after what was loaded. */
  start(persistence: Persistence, report: LoadReport): void {
    this.#keyspace.setNextRevision(firstRevisionAfter(report));
    this.disk.start(persistence, this.#keyspace.nextRevision - 1);
  }

  /**
   * From now on `tap` takes what is recorded. Answers the first revision that it will be handed: the turn may have made
   * records already.
   */
  startTap(tap: RecordTap): Revision {
    this.#tap = tap;
    return this.disk.lastRevision + 1 - this.#records.count;
  }

  /**
   * From the next record on they are in the form of the stream, which goes on from the place given. Not while a command runs
   * that calls others: what it has written so far is in other words.
   */
  useStream(place: FormPlace): StreamForm {
    assert(!this.isJoining, "the stream cannot come into use within a command");
    this.#stream ??= new StreamForm(this.#records);
    this.#stream.moveTo(place);
    this.disk.needRedisWords();
    return this.#stream;
  }

  /**
   * Nothing is recorded, by anybody, until the function that is returned is called: keys that expire meanwhile belong to data
   * that is about to go. Everything that was recorded has been synced.
   */
  rest(): () => void {
    const tap = this.#tap;
    this.#tap = null;
    const resume = this.disk.rest();
    return () => {
      resume();
      this.#tap ??= tap;
    };
  }

  /** Somebody takes records: the persistence, a tap or both. */
  get #isRecording(): boolean {
    return this.disk.isRecording || this.#tap !== null;
  }

  // ---- one command ----

  /** The key was found expired, or makes room, and is about to be removed: its deletion comes first in the record in hand. */
  #noteGone(cause: DeletionCause, database: Database, key: Buffer): void {
    this.#expiredCount++;
    this.#events.notify(keyEvents[cause], database, key, 0, key.length);
    if (!this.#isRecording) return;
    this.#selectForExpired(database);
    writeCauseLine(this.#expired, cause);
    this.#expired.command(2);
    this.#expired.text("DEL");
    this.#expired.bytes(key, 0, key.length);
  }

  /** The same for a field of the hash `entry`. */
  #noteExpiredField(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    this.#expiredCount++;
    if (!this.#isRecording) return;
    this.#selectForExpired(database);
    const { arena } = database;
    const keyStart = keyAt(arena, entry);
    writeCauseLine(this.#expired, "expired");
    this.#expired.command(3);
    this.#expired.text("HDEL");
    const keyBytes = arena.bytes[entry >>> CHUNK_SHIFT] as ReadonlyBytes;
    this.#expired.bytes(keyBytes, keyStart, keyStart + keySize(arena, entry));
    this.#expired.bytes(bytes, start, end);
  }

  #selectForExpired(database: Database): void {
    if (database.index === this.#expiredDatabase) return;
    this.#expired.command(2);
    this.#expired.text("SELECT");
    this.#expired.integer(database.index);
    this.#expiredDatabase = database.index;
  }

  discard(): void {
    if (this.effects.size !== 0) this.effects.clear();
    this.#effectsJoined = false;
  }

  commit(session: Session, args: Arguments, inRedisWords: boolean): void {
    const { origin } = session;
    if (origin !== "client" && isRecordedElsewhere(origin)) {
      this.#isWithinStretch = origin === "replica";
      this.#forget();
      return;
    }
    // Who only found keys expired has written nothing, and waits for what he has read.
    const isWrite = this.#expiredCount < this.#keyspace.changes;
    if (isWrite) session.hasWritten = true;
    if (this.#isRecording) {
      const asItIs = inRedisWords || !this.disk.redisWords;
      const hasNoMore = this.#expiredCount === 0 && this.effects.size === 0 && !this.#effectsJoined;
      if (asItIs && hasNoMore && args.rawStart >= 0) {
        this.#append(session.database.index, args.buffer, args.rawStart, args.rawEnd);
      } else this.#commitComposed(session, args, asItIs);
      if (isWrite) this.disk.noteWrite(session);
      this.onRecord();
    }
    if (this.#expiredCount + this.#expired.size + this.effects.size !== 0) this.#forget();
    this.#keyspace.advanceRevision();
  }

  /** Deletions of expired keys, then the command's own outcome or its arguments, as one record. */
  #commitComposed(session: Session, args: Arguments, asItIs: boolean): void {
    const whole = this.#expired;
    // A transaction may have left the database in which it began.
    const index = this.#effectsJoined ? this.#joined.firstDatabase : session.database.index;
    if (this.#expiredCount < this.#keyspace.changes) {
      if (this.#expiredDatabase >= 0 && this.#expiredDatabase !== index) {
        whole.command(2);
        whole.text("SELECT");
        whole.integer(index);
      }
      this.#writeOutcome(whole, session, args, asItIs);
    }
    this.#appendComposed(index, whole.buffer, 0, whole.size);
  }

  /** `asItIs`: in whatever words; else in those of Redis. */
  #writeOutcome(writer: CommandWriter, session: Session, args: Arguments, asItIs: boolean): void {
    const { buffer, size } = this.effects;
    if (size === 0 && !this.#effectsJoined) {
      if (asItIs) writer.arguments(args);
      else this.#words.write(writer, session.database, args);
    } else if (asItIs || this.#effectsJoined) writer.encoded(buffer, 0, size);
    else this.#words.writeEncoded(writer, session.database, buffer, 0, size);
  }

  #forget(): void {
    this.#expired.clear();
    this.effects.clear();
    this.#effectsJoined = false;
    this.#expiredCount = 0;
    this.#expiredDatabase = -1;
  }

  // ---- a command that calls others ----

  /**
   * A command begins that may call others: what they change gathers for its one record. Within such a command it is as if
   * that one had called them: EXEC may run one of a plugin.
   */
  beginJoining(session: Session): void {
    if (this.#joined.depth++ === 0) this.#joined.begin(session.database.index);
  }

  join(session: Session, args: Arguments, inRedisWords: boolean): void {
    const joined = this.#joined;
    joined.changes += this.#keyspace.changes;
    if (this.#isRecording && !isRecordedElsewhere(session.origin)) {
      if (this.#expired.size > 0) joined.add(this.#expired, this.#expiredDatabase);
      if (this.#expiredCount < this.#keyspace.changes) {
        joined.select(session.database.index);
        const asItIs = inRedisWords || !this.disk.redisWords;
        this.#writeOutcome(joined.writer, session, args, asItIs);
      }
    }
    this.#forget();
  }

  get lastHold(): Revision {
    if (!this.disk.isHolding) return 0;
    return this.disk.lastRevision + (this.#isWithinStretch ? 1 : 0);
  }

  /** A command that calls others is running. */
  get isJoining(): boolean {
    return this.#joined.depth > 0;
  }

  get isFull(): boolean {
    return this.#joined.isFull;
  }

  /**
   * The calling command is over: what has gathered is its outcome, for `commit` to record. Answers how many changes that
   * are; none while a command is under way that has called it.
   */
  endJoining(): number {
    if (--this.#joined.depth > 0) return 0;
    this.effects.exchange(this.#joined.writer);
    this.#effectsJoined = true;
    return this.#joined.changes;
  }

  /** What the calling command has changed was undone: nothing of it is recorded. */
  abandonJoining(): void {
    this.#joined.abandon();
    this.#forget();
  }

  /** One record of keys that expired on time or were evicted, outside any command. */
  commitExpired(): void {
    if (this.#expiredCount === 0) return;
    if (this.#isRecording) {
      this.#appendComposed(0, this.#expired.buffer, 0, this.#expired.size);
      this.onRecord();
    }
    this.#forget();
    this.#keyspace.advanceRevision();
    this.#events.leave(this.lastHold);
  }

  /** One command. */
  #append(database: number, bytes: Buffer, start: number, end: number): void {
    const { nowMs } = this.#keyspace;
    const stream = this.#stream;
    if (stream === null) this.#records.append(database, nowMs, bytes, start, end);
    else if (!stream.appendAsItIs(database, nowMs, bytes, start, end)) {
      stream.appendComposed(this.#newRecord(database, bytes, start, end));
    }
  }

  /** Any commands, with lines between them. */
  #appendComposed(database: number, bytes: Buffer, start: number, end: number): void {
    const { nowMs } = this.#keyspace;
    if (this.#stream === null) this.#records.append(database, nowMs, bytes, start, end);
    else this.#stream.appendComposed(this.#newRecord(database, bytes, start, end));
  }

  #newRecord(database: number, bytes: Buffer, start: number, end: number): NewRecord {
    const { nowMs, nextRevision: revision } = this.#keyspace;
    return { revision, nowMs, database, bytes, start, end };
  }

  // ---- the stream of replication ----

  /**
   * One record of bytes[start, end) as a primary has sent them, for what the commands of origin "replica" have changed since the
   * last one, if anything. They are a unit: one command, with any SELECT and PING "#kvdb-…" in front of it; or a whole MULTI …
   * EXEC. `database`: that was selected before them. `isPassed`: nothing of it could run, so nothing is to run of it when the
   * log is replayed. `hasFailed`: not all of it could run as it stands, and that is no news then.
   */
  commitStretch(
    bytes: Buffer,
    start: number,
    end: number,
    database: number,
    isPassed = false,
    hasFailed = false,
  ): void {
    const stream = this.#stream;
    assert(stream?.isFollowing === true, "a stretch of a primary, and none is followed");
    if (this.#isRecording) {
      stream.appendStretch(this.#newRecord(database, bytes, start, end), isPassed, hasFailed);
      this.disk.noteChange();
      this.onRecord();
    }
    this.#isWithinStretch = false;
    this.#keyspace.advanceRevision();
  }

  /** One record of a command that changes nothing. */
  commitNote(bytes: Buffer): void {
    const stream = this.#stream;
    if (stream === null || !this.#isRecording) return;
    this.#append(Math.max(0, stream.database), bytes, 0, bytes.length);
    this.onRecord();
    this.#keyspace.advanceRevision();
  }

  // ---- one turn ----

  /** Hands over what the turn recorded and sees that it becomes as durable as promised. */
  endTurn(): void {
    this.disk.followMode();
    if (this.#records.count > 0) this.#handOver();
    this.disk.endTurn();
    this.#keyspace.noteRevision();
  }

  #handOver(): void {
    const { disk } = this;
    const batch = this.#records.take(disk.lastRevision);
    this.#tap?.take(batch);
    if (disk.isRecording) disk.handOver(batch);
    else this.#records.release(disk.lastRevision);
  }

  /** Makes everything durable that was recorded, whatever the mode. Rejects when the disk refuses. */
  async drain(): Promise<void> {
    await this.disk.end();
    if (!this.disk.isRecording) return;
    if (this.#records.count > 0) this.#handOver();
    await this.disk.flushAll();
  }
}

/** What is replayed has its record, and what a primary has sent is recorded as it was sent: `commitStretch`. */
function isRecordedElsewhere(origin: Origin): boolean {
  return origin === "replay" || origin === "replica";
}
