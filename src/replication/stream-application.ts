/**
 * The stream of a primary, done to the data: its commands run through the gate with the origin "replica", unit after unit
 * (stream-intake.ts), and each unit is recorded with the bytes it came in, so that data and offset are one thing on disk. In
 * slices: who reads here is served between two of them, however much comes.
 *
 * While they run nothing expires or is evicted by itself: that is the primary's to say. As in Redis a command that fails is
 * passed over, since the primary has run it, and is told loudly.
 *
 * Invariant: a unit is applied and recorded whole in one turn, or not at all.
 */
import { Arguments } from "../commands/arguments.ts";
import type { Gate } from "../commands/dispatch.ts";
import { stringsOfDocuments } from "../journal/documents-as-strings.ts";
import { ErrorRecorder } from "../journal/error-recorder.ts";
import { RecordReader } from "../journal/record-reader.ts";
import type { Clock } from "../platform/clock.ts";
import { atTurnEnd } from "../platform/turn.ts";
import { Decoder } from "../resp/decoder.ts";
import type { Session } from "../session/session.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { StreamIntake } from "./stream-intake.ts";

/** The turn of everybody else comes at least so often. */
const SLICE_MS = 2;
/** Units between two looks at the clock. */
const UNITS_PER_LOOK = 16;
/** So much may wait: then the primary waits. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** What it needs of an engine. */
export interface AppliedEngine {
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly gate: Pick<Gate, "dispatch" | "serveReady">;
  readonly blockedClients: { readonly hasReady: boolean };
  readonly journal: {
    commitStretch(
      bytes: Buffer,
      start: number,
      end: number,
      database: number,
      isPassed?: boolean,
      hasFailed?: boolean,
    ): void;
  };
  readonly events: { isNews: boolean };
  /** Why nothing can be changed now; false: it can. */
  readonly mustWait: boolean;
  /** The turn has done as much as one may. */
  readonly turnIsFull: boolean;
  /** A turn has begun, if none has; answers its time. */
  beginTurn(): number;
  /** Called back at the end of each turn, and when the disk has caught up. */
  onRoom(listener: () => void): () => void;
}

export interface ApplicationEvents {
  /** So much is applied that more may come. */
  onRoom(): void;
  /** Units are applied and recorded. */
  onApplied(): void;
  /** The bytes are no stream: nothing of them can be understood any more. */
  onProblem(problem: string): void;
  /** The primary has run it, and here it fails. */
  onFailure(command: string, failure: string): void;
}

export class StreamApplication {
  readonly #intake: StreamIntake;
  readonly #engine: AppliedEngine;
  readonly #session: Session;
  readonly #events: ApplicationEvents;
  readonly #reply = new ErrorRecorder();
  readonly #reader = new RecordReader();
  readonly #decoder = new Decoder();
  readonly #message = new Arguments();
  #isScheduled = false;
  #isStalled = false;
  #wantsRoom = false;
  /** Of the unit in hand: not all of it could be run as it stands. */
  #hasFailed = false;
  readonly #unsubscribe: () => void;

  /** `session` is of the origin "replica", and is in the database that is selected in the stream. */
  constructor(engine: AppliedEngine, session: Session, events: ApplicationEvents) {
    this.#engine = engine;
    this.#intake = new StreamIntake(engine.keyspace.databases.length);
    this.#session = session;
    this.#events = events;
    this.#unsubscribe = engine.onRoom(() => {
      if (this.#isStalled && !engine.mustWait) this.#soon();
    });
  }

  /** What has come and is not applied. */
  get waitingBytes(): number {
    return this.#intake.waitingBytes;
  }

  /** It asked for an acknowledgement, since somebody asked this. */
  takeWish(): boolean {
    const { wantsAcknowledgement } = this.#intake;
    this.#intake.wantsAcknowledgement = false;
    return wantsAcknowledgement;
  }

  /** In which the commands of the stream run. */
  get session(): Session {
    return this.#session;
  }

  get database(): number {
    return this.#session.database.index;
  }

  /** False: no more until `onRoom`. */
  push(chunk: Buffer): boolean {
    this.#intake.push(chunk);
    if (!this.#isScheduled) this.#slice();
    this.#wantsRoom = this.waitingBytes > MAX_WAITING_BYTES && this.#isBehind;
    return !this.#wantsRoom;
  }

  /** It is work that lags, and not the rest of a unit that is awaited. */
  get #isBehind(): boolean {
    return this.#isScheduled || this.#isStalled;
  }

  /** Nothing more of what has come is applied. To be called before anybody asks for what follows what is. */
  forgetWaiting(): void {
    this.#intake.clear();
    this.#wantsRoom = false;
  }

  /** Of another connection, from here on. */
  restart(database: number): void {
    this.forgetWaiting();
    const { databases } = this.#engine.keyspace;
    this.#session.database = databases[database] ?? this.#session.database;
  }

  close(): void {
    this.forgetWaiting();
    this.#unsubscribe();
  }

  #soon(): void {
    this.#isStalled = false;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atTurnEnd(() => {
      this.#isScheduled = false;
      this.#slice();
      if (!this.#wantsRoom || (this.#isBehind && this.waitingBytes > MAX_WAITING_BYTES / 4)) return;
      this.#wantsRoom = false;
      this.#events.onRoom();
    });
  }

  #slice(): void {
    const engine = this.#engine;
    if (engine.mustWait) {
      this.#isStalled = true;
      return;
    }
    const { keyspace, events } = engine;
    keyspace.nowMs = engine.beginTurn();
    const { expiring } = keyspace;
    keyspace.expiring = false;
    events.isNews = true;
    let isOver: boolean;
    try {
      isOver = this.#applyUnits(engine.clock.monotonicMs() + SLICE_MS);
    } finally {
      keyspace.expiring = expiring;
      events.isNews = false;
      keyspace.changes = 0;
    }
    if (!isOver) this.#soon();
    this.#events.onApplied();
    if (this.#intake.problem !== "") this.#events.onProblem(this.#intake.problem);
  }

  /** True: all that is whole is applied. */
  #applyUnits(endMs: number): boolean {
    const engine = this.#engine;
    for (let left = UNITS_PER_LOOK; this.#intake.next(); left--) {
      this.#applyUnit();
      if (engine.turnIsFull || engine.mustWait) return false;
      if (left > 0) continue;
      if (engine.clock.monotonicMs() >= endMs) return false;
      left = UNITS_PER_LOOK;
    }
    return true;
  }

  #applyUnit(): void {
    const intake = this.#intake;
    const { buffer, start, end } = intake;
    const database = this.#session.database.index;
    let isPassed = false;
    this.#hasFailed = false;
    if (intake.kind === "single") isPassed = !this.#run(intake.args);
    else if (intake.kind === "idle") this.#noteSign(intake.args);
    else isPassed = !this.#runAll(buffer, start, end);
    this.#engine.journal.commitStretch(buffer, start, end, database, isPassed, this.#hasFailed);
    if (this.#engine.blockedClients.hasReady) this.#serveReady();
  }

  /**
   * Who waits for what the unit has brought. Where clients may write, what they are given is a record of its own: it comes
   * behind that of the unit, or a start that reads both would have nothing to give yet.
   */
  #serveReady(): void {
    const { keyspace, gate } = this.#engine;
    keyspace.expiring = true;
    gate.serveReady();
    keyspace.expiring = false;
  }

  /** It is not run, and shown as the last command all the same. */
  #noteSign(args: Arguments): void {
    if (args.count > 0) this.#session.lastCommand = args.latin(0).toUpperCase();
    this.#session.lastCommandMs = this.#engine.keyspace.nowMs;
  }

  /** The commands of buffer[start, end). False: none of them could be run. */
  #runAll(buffer: Buffer, start: number, end: number): boolean {
    const reader = this.#reader;
    let hasRun = false;
    for (let at = start; at < end; ) {
      const next = reader.next(buffer, at, end);
      if (next < 0) {
        this.#events.onFailure("a unit of the stream", reader.problem);
        return hasRun;
      }
      if (reader.args.count > 0) hasRun = this.#run(reader.args) || hasRun;
      else this.#publish(buffer, at, next);
      at = next;
    }
    return hasRun;
  }

  /** It is no change, so whoever reads a record passes it over; who subscribes here is to hear it. */
  #publish(buffer: Buffer, start: number, end: number): void {
    const args = this.#message;
    if (this.#decoder.decode(args, buffer, start, end) !== end || args.count !== 3) return;
    if (args.is(0, "PUBLISH") || args.is(0, "SPUBLISH")) this.#run(args);
  }

  #run(args: Arguments): boolean {
    let failure = this.#dispatch(args);
    if (failure !== "") this.#hasFailed = true;
    if (failure.startsWith("WRONGTYPE")) {
      // A document here was a string there: a Redis knows no documents.
      const sets = stringsOfDocuments(this.#session, args);
      for (const set of sets) this.#dispatch(set);
      if (sets.length > 0) failure = this.#dispatch(args);
    }
    if (failure !== "") this.#events.onFailure(args.latin(0).toUpperCase(), failure);
    return failure === "";
  }

  /** Answers its error, or nothing. */
  #dispatch(args: Arguments): string {
    this.#reply.failure = "";
    this.#engine.gate.dispatch(this.#session, args, this.#reply);
    return this.#reply.failure;
  }
}
