/**
 * The engine: keyspace, command table, gate and journal put together, and the work that goes on between commands:
 * the end of the turn, expiry on time, lazy freeing. It knows no socket, no file and no config; the kernel hands it a
 * persistence and frontends talk to it through `connect` and `dispatch`.
 */
import { AUTHENTICATED, Password } from "../auth/password.ts";
import type { Arguments } from "../commands/arguments.ts";
import { CommandError } from "../commands/command-error.ts";
import { Gate } from "../commands/dispatch.ts";
import { coreCommands } from "../commands/index.ts";
import type { Reply } from "../commands/reply.ts";
import { CommandTable } from "../commands/table.ts";
import { KvdbError } from "../errors.ts";
import { Journal } from "../journal/journal.ts";
import { Replay, type Skipped } from "../journal/replay.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type { Client, Command, EntryReader, LoadReport, LoadSink, Persistence } from "../plugin.ts";
import type { LaterOptions, LaterReply } from "../session/later-reply.ts";
import type {
  CheckControl,
  CheckpointControl,
  Server,
  ServerParameter,
  Statistics,
} from "../session/server.ts";
import { type Origin, Session } from "../session/session.ts";
import { EntryWalk } from "../store/entry-walk.ts";
import { Keyspace } from "../store/keyspace.ts";
import type { CaptureRing } from "../store/page-capture.ts";
import { Snapshot } from "../store/snapshot.ts";
import { FaultLog } from "./fault-log.ts";
import { DURABLE, gateSteps, LOADING, MEMORY } from "./gate-steps.ts";
import { LaterReplies } from "./later-replies.ts";
import { PluginCommands } from "./plugin-commands.ts";
import type { Capture } from "./snapshots.ts";
import { TurnClock } from "./turn-clock.ts";

/** How often the wheels are asked what is due: well under the 100 ms that are promised. */
const EXPIRY_INTERVAL_MS = 50;
/** Longest stretch of background work in one turn: others must not notice it. */
const EXPIRY_SLICE_MS = 2;
const REAP_SLICE_MS = 1;
/** Steps of freeing between two looks at the clock: a step is one segment, some 20 µs. */
const STEPS_PER_LOOK = 8;
/** While the worker of a snapshot does not keep pace: how soon it is looked after again. */
const SNAPSHOT_PAUSE_MS = 1;
/** How far used memory may pass `memory.max`, since a command is not stopped half way. */
const MEMORY_TOLERANCE = 1.05;

export interface EngineOptions {
  readonly databases: number;
  readonly password: string;
  /** Bound on used memory in bytes; 0: none. */
  readonly maxMemoryBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export class Engine implements Server {
  readonly keyspace: Keyspace;
  readonly journal: Journal;
  readonly commands = new CommandTable();
  readonly gate: Gate;
  readonly clock: Clock;
  readonly random: Random;
  readonly accounts: Password;
  readonly sessions = new Map<number, Session>();
  readonly parameters = new Map<string, ServerParameter>();
  readonly info = new Map<string, () => Record<string, string | number>>();
  readonly statistics: Statistics;
  readonly turnClock = new TurnClock();
  readonly #log: Log;
  readonly #pluginCommands: PluginCommands;
  readonly #laterReplies: LaterReplies;
  readonly #turnListeners = new Set<() => void>();
  #replay: Replay | null = null;
  #maxMemoryBytes = 0;
  #nextSessionId = 1;
  #turnScheduled = false;
  #reapScheduled = false;
  #running = false;
  activeExpiry = true;
  /** False while sessions that write must wait. */
  acceptsWrites = true;
  checkpoints: CheckpointControl = NO_CHECKPOINTS;
  check: CheckControl = NO_CHECK;
  persistenceName = "none";
  #snapshot: Snapshot | null = null;
  /** A timer runs that looks after it. */
  #isLooking = false;
  #ringBytes = 0;
  readonly #atTurnEnd: (() => void)[] = [];
  /** The time of the last checkpoint or image. */
  #earliestMs = 0;
  /** Who wants nothing to change by itself. */
  #resting = 0;
  onStopRequest: () => void = () => {};
  onSkipped: ((skipped: Skipped) => void) | undefined;

  constructor(options: EngineOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.#log = options.log;
    const [key0 = 0, key1 = 0] = crypto.getRandomValues(new Int32Array(2));
    this.keyspace = new Keyspace({
      databases: options.databases,
      hashKey: [key0, key1],
      random: options.random,
      nowMs: options.clock.now(),
    });
    this.statistics = newStatistics(options.clock.now());
    this.journal = new Journal({
      keyspace: this.keyspace,
      clock: options.clock,
      log: options.log.child("journal"),
    });
    this.commands.add(coreCommands, "kvdb");
    this.gate = new Gate({
      table: this.commands,
      keyspace: this.keyspace,
      recorder: this.journal,
      steps: gateSteps,
      now: () => this.#beginTurn(),
      onFault: (command, thrown) => this.#fault(command, thrown),
    });
    this.#pluginCommands = new PluginCommands({
      gate: this.gate,
      journal: this.journal,
      keyspace: this.keyspace,
      faults: new FaultLog(options.log, options.clock),
    });
    this.#laterReplies = new LaterReplies(this.gate, () => this.endTurnSoon());
    this.accounts = new Password(options.password, this.gate.bit(AUTHENTICATED));
    this.gate.setActive(LOADING, true);
    this.maxMemoryBytes = options.maxMemoryBytes;
    this.keyspace.onGrave = () => this.#reapSoon();
    this.addInfo("debug", () => ({
      longest_turn_cpu_usec: Math.round(this.turnClock.longestUsec),
    }));
    this.journal.onRecord = () => this.endTurnSoon();
    this.journal.onHealth = (failure) => this.gate.setActive(DURABLE, failure !== null);
  }

  get effects() {
    return this.journal.effects;
  }

  get disk() {
    return this.journal;
  }

  // ---- loading ----

  /** Where a persistence's `load` puts what it reads. */
  get loadSink(): LoadSink {
    this.keyspace.expiring = false;
    const replay = new Replay(this.gate, this.#newSession(NOBODY, "replay"), this.onSkipped);
    this.loadingProgress = replay;
    this.#replay = replay;
    return replay;
  }

  /** The data is complete: revisions go on, changes are recorded, commands run. */
  finishLoading(persistence: Persistence, report: LoadReport): void {
    this.finishReplay();
    this.keyspace.expiring = true;
    this.keyspace.nowMs = this.#now();
    this.journal.start(persistence, report);
    this.keyspace.noteRevision();
    this.gate.setActive(LOADING, false);
    this.#running = true;
  }

  /** What was read stands in the keyspace. */
  finishReplay(): void {
    this.#replay?.finish();
    this.#replay = null;
  }

  loadingProgress: Server["loadingProgress"] = {
    bytesDone: 0,
    bytesTotal: 0,
    startedMs: 0,
  };

  get loading(): boolean {
    return this.gate.isActive(LOADING);
  }

  // ---- sessions ----

  connect(client: Client, origin: Origin = "client"): Session {
    const session = this.#newSession(client, origin);
    this.accounts.dismiss(session);
    this.sessions.set(session.id, session);
    this.statistics.connectionsReceived++;
    return session;
  }

  disconnect(session: Session): void {
    this.sessions.delete(session.id);
    session.later?.abandon();
  }

  answerLater(session: Session, options: LaterOptions): LaterReply {
    return this.#laterReplies.begin(session, options);
  }

  #newSession(client: Client, origin: Origin): Session {
    return new Session({
      id: this.#nextSessionId++,
      server: this,
      client,
      origin,
      askedSteps: this.gate.stepsFor(origin),
      database: this.keyspace.databases[0] as Keyspace["databases"][0],
      nowMs: this.clock.now(),
    });
  }

  dispatch(session: Session, args: Arguments, reply: Reply): void {
    this.gate.dispatch(session, args, reply);
  }

  lookAhead(session: Session, batch: readonly Arguments[], count: number): void {
    this.gate.lookAhead(session, batch, count);
  }

  #fault(command: string, thrown: unknown): void {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.#log.error("a command threw: this is a defect", { command, error: text });
  }

  get commandsProcessed(): number {
    return this.gate.commandsProcessed;
  }

  resetStatistics(): void {
    this.turnClock.longestUsec = 0;
    this.gate.commandsProcessed = 0;
    for (const entry of this.commands.entries()) entry.calls = 0;
    Object.assign(this.keyspace.statistics, { hits: 0, misses: 0, expired: 0 });
    const { startedMs } = this.statistics;
    Object.assign(this.statistics, newStatistics(startedMs));
  }

  // ---- turns ----

  #beginTurn(): number {
    this.turnClock.begin();
    this.endTurnSoon();
    return this.#now();
  }

  /**
   * A checkpoint leaves out what was over at its time. So this time does not come again, also when somebody sets the clock
   * back: a key that was over must not live on in memory and be missing on disk.
   */
  #now(): number {
    return Math.max(this.clock.now(), this.#earliestMs);
  }

  endTurnSoon(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    atTurnEnd(() => this.endTurn());
  }

  endTurn(): void {
    this.#turnScheduled = false;
    this.gate.refreshClock();
    this.#laterReplies.deliver();
    this.journal.endTurn();
    if (this.#atTurnEnd.length > 0) for (const act of this.#atTurnEnd.splice(0)) act();
    if (this.#snapshot !== null) this.#endTurnOfSnapshot(this.#snapshot);
    for (const listener of this.#turnListeners) listener();
    this.turnClock.end();
  }

  #endTurnOfSnapshot(snapshot: Snapshot): void {
    // Writers wait, and pages outside the ring: they go on also when nobody sends anything.
    if (snapshot.endTurn()) this.#lookAgain();
    this.#takeWrites();
  }

  /** Ends a turn in a moment: once, however many end before. */
  #lookAgain(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.clock.after(SNAPSHOT_PAUSE_MS, () => {
      this.#isLooking = false;
      this.endTurnSoon();
    });
  }

  /** Lets writers in, unless the worker of a snapshot does not keep pace with them. */
  #takeWrites(): void {
    this.acceptsWrites = this.#snapshot === null || !this.#snapshot.isRunningLow;
  }

  /** The turn has copied as many pages for a snapshot as one may: the rest of the input waits for the next. */
  get turnIsFull(): boolean {
    return this.#snapshot?.turnIsFull === true;
  }

  refreshClock(): void {
    this.gate.refreshClock();
  }

  onTurnEnd(listener: () => void): () => void {
    this.#turnListeners.add(listener);
    return () => this.#turnListeners.delete(listener);
  }

  // ---- memory ----

  get maxMemoryBytes(): number {
    return this.#maxMemoryBytes;
  }

  set maxMemoryBytes(bytes: number) {
    this.#maxMemoryBytes = bytes;
    this.gate.setActive(MEMORY, bytes > 0);
  }

  /** Data with all its structures, and client buffers. */
  get usedMemoryBytes(): number {
    let total = this.keyspace.arena.usedBytes;
    for (const { client } of this.sessions.values()) {
      total += client.inputBytes() + client.outputBytes();
    }
    return total;
  }

  requireMemory(bytes: number): void {
    if (this.#maxMemoryBytes === 0) return;
    const used = this.usedMemoryBytes;
    if (used <= this.#maxMemoryBytes && used + bytes <= this.#maxMemoryBytes * MEMORY_TOLERANCE)
      return;
    throw new CommandError("OOM", "command not allowed when used memory > 'maxmemory'.");
  }

  // ---- checkpoints ----

  /** All entries as they are now, with everything recorded handed over. Nothing may change while they are read. */
  readEntries(): EntryReader {
    this.endTurn();
    this.#earliestMs = this.keyspace.nowMs;
    return new EntryWalk(this.keyspace.arena);
  }

  /** From this instant on each page is kept as it is, for the worker that writes an image. */
  beginCapture(ring: CaptureRing): Capture {
    this.#earliestMs = this.keyspace.nowMs;
    this.#ringBytes = ring.ring.length;
    const snapshot = Snapshot.cut(this.keyspace.arena, ring);
    this.#snapshot = snapshot;
    const end = (how: "finish" | "cancel") => {
      if (this.#snapshot !== snapshot) return;
      snapshot[how]();
      this.#snapshot = null;
      this.#takeWrites();
      this.endTurnSoon(); // whoever waits to write looks again then
    };
    return {
      capture: snapshot.capture,
      get isRunningLow() {
        return snapshot.isRunningLow;
      },
      finish: () => end("finish"),
      cancel: () => end("cancel"),
    };
  }

  /** Buffers of snapshots: no used memory, for they come and go with the disk's pace. */
  get snapshotMemory(): { readonly ringBytes: number; readonly overflowBytes: number } {
    return { ringBytes: this.#ringBytes, overflowBytes: this.#snapshot?.overflowBytes ?? 0 };
  }

  /** Calls back once, at the end of a turn, when all that was recorded has been handed over. */
  atTurnEnd(act: () => void): void {
    this.#atTurnEnd.push(act);
    this.endTurnSoon();
  }

  rest(): () => void {
    this.#resting++;
    return () => this.#resting--;
  }

  // ---- work between commands ----

  /** Begins expiry on time. */
  startBackground(): void {
    this.clock.after(EXPIRY_INTERVAL_MS, () => this.#expire());
  }

  #expire(): void {
    if (!this.#running) return;
    let done = true;
    if (
      this.activeExpiry &&
      this.#resting === 0 &&
      this.acceptsWrites &&
      this.keyspace.hasDeadlines
    ) {
      this.turnClock.begin();
      this.endTurnSoon();
      this.keyspace.nowMs = this.#now();
      done = this.keyspace.expireDue(this.#until(EXPIRY_SLICE_MS, 1));
      this.journal.commitExpired();
      this.keyspace.changes = 0;
    }
    if (done) this.clock.after(EXPIRY_INTERVAL_MS, () => this.#expire());
    else atTurnEnd(() => this.#expire());
  }

  #reapSoon(): void {
    if (this.#reapScheduled) return;
    this.#reapScheduled = true;
    atTurnEnd(() => this.#reap());
  }

  #reap(): void {
    this.#reapScheduled = false;
    if (!this.acceptsWrites) {
      // Freeing is writing: who goes on with it fills the memory with copies of pages.
      this.clock.after(SNAPSHOT_PAUSE_MS, () => this.#reapSoon());
      return;
    }
    this.turnClock.begin();
    this.endTurnSoon();
    const exhausted = this.#until(REAP_SLICE_MS, STEPS_PER_LOOK);
    while (!this.keyspace.reapSlice()) {
      if (exhausted()) {
        this.#reapSoon();
        return;
      }
    }
  }

  /** A test for the end of a slice, or of what a snapshot allows in a turn; it looks at the clock once in `steps` calls. */
  #until(sliceMs: number, steps: number): () => boolean {
    const end = this.clock.monotonicMs() + sliceMs;
    let left = steps;
    return () => {
      if (this.turnIsFull) return true;
      if (--left > 0) return false;
      left = steps;
      return this.clock.monotonicMs() >= end;
    };
  }

  // ---- what plugins add ----

  registerCommands(owner: string, commands: readonly Command[]): void {
    const adopted = commands.map((command) => this.#pluginCommands.adopt(owner, command));
    this.commands.add(adopted, owner);
    this.gate.tableChanged();
  }

  addParameter(parameter: ServerParameter): void {
    this.parameters.set(parameter.name, parameter);
  }

  /** Lines of several owners in one section follow one another. */
  addInfo(section: string, lines: () => Record<string, string | number>): void {
    const earlier = this.info.get(section);
    this.info.set(section, earlier === undefined ? lines : () => ({ ...earlier(), ...lines() }));
  }

  requestStop(): void {
    this.onStopRequest();
  }

  async beginStop(): Promise<void> {
    if (!this.#laterReplies.interruptAll(this.sessions.values())) return;
    await new Promise<void>((resolve) => atTurnEnd(resolve));
  }

  /** No more work in the background; everything recorded is durable when it resolves. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.journal.drain();
  }
}

function newStatistics(startedMs: number): Statistics {
  return {
    startedMs,
    connectionsReceived: 0,
    connectionsRejected: 0,
    inputBytes: 0,
    outputBytes: 0,
  };
}

/** Until the kernel has a persistence; in tests for good. */
const NO_CHECKPOINTS: CheckpointControl = {
  obstacle: "there is no persistence",
  inProgress: false,
  startedMs: 0,
  last: { revision: 0, timeMs: 0, bytes: 0, entries: 0 },
  lastDurationMs: 0,
  failure: null,
  count: 0,
  changes: 0,
  atStop: "never",
  isWantedAtStop: false,
  request: () => Promise.reject(new KvdbError("UNAVAILABLE", "there is no persistence")),
  cancel: () => false,
};

const NO_CHECK: CheckControl = {
  obstacle: "there is no persistence",
  run: () => Promise.reject(new KvdbError("UNAVAILABLE", "there is no persistence")),
};

const NOBODY: Client = {
  address: "",
  localAddress: "",
  inputBytes: () => 0,
  outputBytes: () => 0,
  close: () => {},
};
