/**
 * The engine: what commands (`session.server`), the kernel and frontends ask, it answers, or passes on to the part that knows.
 * It knows no socket, no file and no config; the kernel hands it a persistence and frontends talk to it through `connect` and
 * `dispatch`. What it is made of is put together in engine-parts.ts.
 *
 * Invariant: what commands ask for again and again is a field of its own, behind which nothing is looked up.
 */
import type { Users } from "../auth/users.ts";
import type { Arguments } from "../commands/arguments.ts";
import type { Gate } from "../commands/dispatch.ts";
import type { ErrorCounts } from "../commands/error-counts.ts";
import type { Reply } from "../commands/reply.ts";
import type { CommandTable } from "../commands/table.ts";
import { KvdbError } from "../errors.ts";
import type { ChangeFeed } from "../feed/change-feed.ts";
import { keyOrder } from "../index/key-order.ts";
import type { OpenIndexes } from "../index/opening.ts";
import type { Journal } from "../journal/journal.ts";
import type { Skipped } from "../journal/replay.ts";
import type { MemoryLimit } from "../memory/memory-limit.ts";
import type { Insight } from "../metrics/insight.ts";
import type { Monitors } from "../metrics/monitors.ts";
import { newStatistics } from "../metrics/new-statistics.ts";
import type { Rates } from "../metrics/rates.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import { atTurnEnd } from "../platform/turn.ts";
import type {
  Client,
  Command,
  EntryReader,
  IndexKind,
  LoadReport,
  LoadSink,
  Persistence,
} from "../plugin.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import type { Tracking } from "../pubsub/tracking.ts";
import type { Followers } from "../replication/followers.ts";
import type { LoggedStream } from "../replication/logged-stream.ts";
import type { ServerReplication } from "../replication/replication.ts";
import type { ShutdownWait } from "../replication/shutdown-wait.ts";
import type { BackupControl } from "../session/backup-control.ts";
import type { BlockedClients } from "../session/blocked-clients.ts";
import type { ClientPause } from "../session/client-pause.ts";
import type { ConfigurationControl } from "../session/configuration.ts";
import type { KeyBounds, KeyOrder } from "../session/key-order.ts";
import type { LaterOptions, LaterReply } from "../session/later-reply.ts";
import type { OutputLimits } from "../session/output-limits.ts";
import type {
  CheckControl,
  CheckpointControl,
  Server,
  ServerParameter,
  Statistics,
} from "../session/server.ts";
import type { Origin, Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import type { EntriesTaken } from "../store/entry-walk.ts";
import { type Keyspace, newKeyspaceStatistics } from "../store/keyspace.ts";
import type { CaptureRing } from "../store/page-capture.ts";
import type { RunCommand, Transactions } from "../transaction/transactions.ts";
import type { AddedInfo, InfoLines } from "./added-info.ts";
import type { BackgroundWork } from "./background-work.ts";
import type { ChangeOver } from "./change-over.ts";
import type { CurrentSnapshot } from "./current-snapshot.ts";
import type { EngineFollowing } from "./engine-following.ts";
import type { EngineIndexes } from "./engine-indexes.ts";
import type { EngineLoading } from "./engine-loading.ts";
import { engineParts } from "./engine-parts.ts";
import type { EngineSettings } from "./engine-port.ts";
import type { EngineSessions } from "./engine-sessions.ts";
import type { EngineStates } from "./engine-states.ts";
import { LOADING } from "./gate-steps.ts";
import type { LaterReplies } from "./later-replies.ts";
import { NO_BACKUPS, NO_CHECK, NO_CHECKPOINTS, NO_CONFIGURATION } from "./no-persistence.ts";
import type { PluginCommands } from "./plugin-commands.ts";
import type { ViewSource } from "./read-views.ts";
import type { WorkSlices } from "./slices.ts";
import type { Capture } from "./snapshots.ts";
import type { StagedForm } from "./staged-data.ts";
import type { TurnClock } from "./turn-clock.ts";
import type { Turns } from "./turns.ts";
import type { UntouchedCommands } from "./untouched-commands.ts";

export class Engine implements Server {
  readonly clock: Clock;
  readonly random: Random;
  readonly runId: string;
  readonly keyspace: Keyspace;
  readonly events: KeyEvents;
  readonly pubsub: PubSub;
  readonly tracking: Tracking;
  readonly journal: Journal;
  readonly commands: CommandTable;
  readonly blockedClients: BlockedClients;
  readonly gate: Gate;
  readonly debugCommand: Server["debugCommand"];
  readonly accounts: Users;
  readonly sessions: ReadonlyMap<number, Session>;
  readonly parameters: Map<string, ServerParameter>;
  readonly info: Server["info"];
  readonly statistics: Statistics;
  readonly errors: ErrorCounts;
  readonly rates: Rates;
  readonly turnClock: TurnClock;
  readonly outputLimits: OutputLimits;
  readonly insight: Insight;
  readonly monitors: Monitors;
  readonly pause: ClientPause;
  readonly slices: WorkSlices;
  readonly indexes: EngineIndexes;
  readonly memory: MemoryLimit;
  readonly untouched: UntouchedCommands;
  readonly changes: ChangeFeed;
  readonly stream: LoggedStream;
  readonly replication: ServerReplication;
  readonly followers: Followers;
  readonly shutdown: ShutdownWait;
  readonly following: EngineFollowing;
  readonly transactions: Transactions;
  checkpoints: CheckpointControl = NO_CHECKPOINTS;
  check: CheckControl = NO_CHECK;
  backups: BackupControl = NO_BACKUPS;
  configuration: ConfigurationControl = NO_CONFIGURATION;
  persistenceName = "none";
  onStopRequest: () => void = () => {};
  onSkipped: ((skipped: Skipped) => void) | undefined;
  readonly #addedInfo: AddedInfo;
  readonly #turns: Turns;
  readonly #beginTurn: () => number;
  readonly #laterReplies: LaterReplies;
  readonly #snapshot: CurrentSnapshot;
  readonly #background: BackgroundWork;
  readonly #pluginCommands: PluginCommands;
  readonly #sessions: EngineSessions;
  readonly #loading: EngineLoading;
  readonly #states: EngineStates;

  constructor(options: EngineSettings) {
    const parts = engineParts(options, this);
    this.clock = options.clock;
    this.random = options.random;
    this.debugCommand = options.debugCommand ?? "local";
    this.runId = Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString("hex");
    this.keyspace = parts.keyspace;
    this.events = parts.events;
    this.pubsub = parts.pubsub;
    this.tracking = parts.tracking;
    this.journal = parts.journal;
    this.commands = parts.commands;
    this.blockedClients = parts.blockedClients;
    this.gate = parts.gate;
    this.accounts = parts.accounts;
    this.sessions = parts.sessions;
    this.parameters = parts.parameters;
    this.statistics = parts.statistics;
    this.errors = parts.errors;
    this.rates = parts.rates;
    this.turnClock = parts.turnClock;
    this.outputLimits = parts.outputLimits;
    this.insight = parts.insight;
    this.monitors = parts.monitors;
    this.pause = parts.pause;
    this.slices = parts.slices;
    this.indexes = parts.indexes;
    this.memory = parts.memory;
    this.untouched = parts.untouched;
    this.changes = parts.changes;
    this.stream = parts.stream;
    this.replication = parts.replication;
    this.followers = parts.followers;
    this.shutdown = parts.shutdown;
    this.following = parts.following;
    this.transactions = parts.transactions;
    this.info = parts.info.sections;
    this.#addedInfo = parts.info;
    this.#turns = parts.turns;
    this.#beginTurn = parts.beginTurn;
    this.#laterReplies = parts.laterReplies;
    this.#snapshot = parts.snapshot;
    this.#background = parts.background;
    this.#pluginCommands = parts.pluginCommands;
    this.#sessions = parts.sessionLives;
    this.#loading = parts.loading;
    this.#states = parts.states;
  }

  get effects() {
    return this.journal.effects;
  }

  get disk() {
    return this.journal.disk;
  }

  // ---- loading: engine-loading.ts ----

  /** Where a persistence's `load` puts what it reads. */
  get loadSink(): LoadSink {
    return this.#loading.sink(this.onSkipped);
  }

  beginRecording(persistence: Persistence, report: LoadReport): void {
    this.#loading.beginRecording(persistence, report);
  }

  openIndexes(options: OpenIndexes): Promise<void> {
    return this.#loading.openIndexes(options);
  }

  finishLoading(): void {
    this.#loading.finish();
  }

  finishReplay(): void {
    this.#loading.finishReplay();
  }

  get loadingProgress(): Server["loadingProgress"] {
    return this.#loading.progress;
  }

  get loading(): boolean {
    return this.gate.isActive(LOADING);
  }

  // ---- sessions: engine-sessions.ts ----

  connect(client: Client, origin: Origin = "client"): Session {
    return this.#sessions.connect(client, origin);
  }

  disconnect(session: Session): void {
    this.#sessions.disconnect(session);
  }

  answerLater(session: Session, options: LaterOptions): LaterReply {
    return this.#laterReplies.begin(session, options);
  }

  // ---- commands ----

  dispatch(session: Session, args: Arguments, reply: Reply): void {
    this.gate.dispatch(session, args, reply);
  }

  transact<Result>(session: Session, act: (run: RunCommand) => Result): Result {
    if (this.pause.isHeld) {
      throw new KvdbError("UNAVAILABLE", "the data is being replaced: try again in a moment");
    }
    this.keyspace.nowMs = this.#beginTurn();
    return this.transactions.transact(session, act);
  }

  lookAhead(session: Session, batch: readonly Arguments[], count: number): void {
    this.gate.lookAhead(session, batch, count);
  }

  perform(session: Session, act: () => void): void {
    this.gate.perform(session, act);
  }

  keyOrder(database: Database, bounds: KeyBounds): KeyOrder | undefined {
    return keyOrder(this.indexes.all.of(database), database, bounds);
  }

  get commandsProcessed(): number {
    return this.gate.commandsProcessed;
  }

  resetStatistics(): void {
    this.turnClock.longestUsec = 0;
    this.memory.resetStatistics();
    this.gate.commandsProcessed = 0;
    this.untouched.reset();
    for (const entry of this.commands.entries()) entry.forgetCalls();
    this.errors.reset();
    Object.assign(this.keyspace.statistics, newKeyspaceStatistics());
    const { startedMs } = this.statistics;
    Object.assign(this.statistics, newStatistics(startedMs));
    this.replication.resetStatistics();
  }

  // ---- turns ----

  endTurnSoon(): void {
    this.#turns.endSoon();
  }

  endTurn(): void {
    this.#turns.end();
  }

  atTurnEnd(act: () => void): void {
    this.#turns.atEnd(act);
  }

  onTurnEnd(listener: () => void): () => void {
    return this.#turns.onEnd(listener);
  }

  refreshClock(): void {
    this.gate.refreshClock();
  }

  get turnIsFull(): boolean {
    return this.#snapshot.turnIsFull;
  }

  get acceptsWrites(): boolean {
    return this.#snapshot.acceptsWrites;
  }

  // ---- memory ----

  get maxMemoryBytes(): number {
    return this.memory.maxBytes;
  }

  set maxMemoryBytes(bytes: number) {
    this.memory.maxBytes = bytes;
  }

  requireMemory(bytes: number): void {
    this.memory.require(bytes);
  }

  // ---- all data as a whole: engine-states.ts ----

  readEntries(taken: EntriesTaken = "live"): EntryReader {
    return this.#states.readEntries(taken);
  }

  beginCapture(ring: CaptureRing): Capture {
    return this.#states.beginCapture(ring);
  }

  takeTime(): number {
    return this.#states.takeTime();
  }

  get readView(): ViewSource {
    return this.#states.readView;
  }

  get stagedForm(): StagedForm {
    return this.#states.stagedForm;
  }

  get stagedKinds(): readonly IndexKind[] {
    return this.#states.stagedKinds;
  }

  beginChangeOver(): ChangeOver {
    return this.#states.beginChangeOver();
  }

  get snapshotMemory(): Server["snapshotMemory"] {
    return this.#snapshot.memory;
  }

  /** Of all databases. */
  get keyCount(): number {
    return this.keyspace.databases.reduce((sum, { size }) => sum + size, 0);
  }

  // ---- work between commands ----

  startBackground(): void {
    this.#background.start();
    this.memory.start();
  }

  rest(): () => void {
    return this.#background.rest();
  }

  get activeExpiry(): boolean {
    return this.#background.activeExpiry;
  }

  set activeExpiry(on: boolean) {
    this.#background.activeExpiry = on;
  }

  // ---- what plugins add ----

  registerCommands(owner: string, commands: readonly Command[]): void {
    const adopted = commands.map((command) => this.#pluginCommands.adopt(owner, command));
    this.commands.add(adopted, owner);
    this.gate.tableChanged();
    this.accounts.takeNewCommands();
  }

  get indexKinds(): ReadonlyMap<string, string> {
    return this.indexes.kinds;
  }

  registerIndexKinds(plugin: string, kinds: readonly IndexKind[]): void {
    this.indexes.addKinds(plugin, kinds);
  }

  wantIndex(database: number, name: string, given: unknown): void {
    this.indexes.want(database, name, given);
  }

  addParameter(parameter: ServerParameter): void {
    this.parameters.set(parameter.name, parameter);
  }

  addInfo(section: string, lines: InfoLines): void {
    this.#addedInfo.add(section, lines);
  }

  // ---- the end ----

  requestStop(): void {
    this.onStopRequest();
  }

  async beginStop(): Promise<void> {
    if (!this.#laterReplies.interruptAll(this.sessions.values())) return;
    await new Promise<void>((resolve) => atTurnEnd(resolve));
  }

  /** No more work in the background; everything recorded is durable when it resolves. */
  async stop(): Promise<void> {
    this.#background.stop();
    this.memory.stop();
    this.slices.stop();
    await this.changes.close();
    await this.journal.drain();
  }
}
