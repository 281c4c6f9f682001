/**
 * The engine: keyspace, command table, gate, journal and turns put together, and the sessions that
 * use them; what commands (`session.server`), the kernel and frontends ask, it answers or passes on
 * to the part that knows. It knows no socket, no file and no config; the kernel hands it a
 * persistence and frontends talk to it through `connect` and `dispatch`.
 *
 * It is longer than usual, since every part is put in its place here.
 */
import { AUTHENTICATED, PERMITTED } from "../auth/permission-step.ts";
import { Users } from "../auth/users.ts";
import type { Arguments } from "../commands/arguments.ts";
import { trackingParameter } from "../commands/client-tracking.ts";
import { collectionParameters } from "../commands/collection-parameters.ts";
import { CommandTimes } from "../commands/command-times.ts";
import { Gate } from "../commands/dispatch.ts";
import { ErrorCounts } from "../commands/error-counts.ts";
import { coreCommands } from "../commands/index.ts";
import type { Reply } from "../commands/reply.ts";
import { CommandTable } from "../commands/table.ts";
import { KvdbError } from "../errors.ts";
import { ChangeFeed } from "../feed/change-feed.ts";
import { changesCommand } from "../feed/changes-command.ts";
import { feedInfo, feedParameter } from "../feed/feed-state.ts";
import { keyIndexImages } from "../index/index-images.ts";
import { keyOrder } from "../index/key-order.ts";
import type { OpenIndexes } from "../index/opening.ts";
import { Journal } from "../journal/journal.ts";
import { Replay, type Skipped } from "../journal/replay.ts";
import type { MemoryLimit } from "../memory/memory-limit.ts";
import { Insight } from "../metrics/insight.ts";
import { insightCommands } from "../metrics/insight-commands.ts";
import { Monitors } from "../metrics/monitors.ts";
import { newStatistics } from "../metrics/new-statistics.ts";
import { Rates } from "../metrics/rates.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
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
import { KeyEvents } from "../pubsub/key-events.ts";
import type { Followers } from "../replication/followers.ts";
import { LoggedStream } from "../replication/logged-stream.ts";
import { replicaofCommands } from "../replication/replicaof-commands.ts";
import { ServerReplication } from "../replication/replication.ts";
import type { BackupControl } from "../session/backup-control.ts";
import { BlockedClients } from "../session/blocked-clients.ts";
import { ClientPause } from "../session/client-pause.ts";
import type { ConfigurationControl } from "../session/configuration.ts";
import type { KeyBounds, KeyOrder } from "../session/key-order.ts";
import type { LaterOptions, LaterReply } from "../session/later-reply.ts";
import { OutputLimits } from "../session/output-limits.ts";
import type {
  CheckControl,
  CheckpointControl,
  Server,
  ServerParameter,
  Statistics,
} from "../session/server.ts";
import { type Origin, Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { type EntriesTaken, EntryWalk } from "../store/entry-walk.ts";
import { Keyspace, newKeyspaceStatistics } from "../store/keyspace.ts";
import type { CaptureRing } from "../store/page-capture.ts";
import { TRANSACTION } from "../transaction/transaction-step.ts";
import { type RunCommand, Transactions } from "../transaction/transactions.ts";
import type { BackgroundWork } from "./background-work.ts";
import { ChangeOver } from "./change-over.ts";
import type { CurrentSnapshot } from "./current-snapshot.ts";
import { DEBUGGING } from "./debug-step.ts";
import { EngineFollowing } from "./engine-following.ts";
import { EngineIndexes } from "./engine-indexes.ts";
import { engineMemory } from "./engine-memory.ts";
import { engineTurns } from "./engine-turns.ts";
import { FaultLog } from "./fault-log.ts";
import { DURABLE, gateSteps, LOADING, PAUSED } from "./gate-steps.ts";
import type { LaterReplies } from "./later-replies.ts";
import { leadReplicas } from "./leading.ts";
import { Messaging } from "./messaging.ts";
import { NO_BACKUPS, NO_CHECK, NO_CHECKPOINTS, NO_CONFIGURATION } from "./no-persistence.ts";
import { NOBODY } from "./nobody.ts";
import { PluginCommands } from "./plugin-commands.ts";
import type { ViewSource } from "./read-views.ts";
import type { WorkSlices } from "./slices.ts";
import type { Capture } from "./snapshots.ts";
import type { StagedForm } from "./staged-data.ts";
import { TurnClock } from "./turn-clock.ts";
import type { Turns } from "./turns.ts";
import { UntouchedCommands } from "./untouched-commands.ts";

export interface EngineOptions {
  readonly databases: number;
  readonly password: string;
  /** Bound on used memory in bytes; 0: none. */
  readonly maxMemoryBytes: number;
  /** By Redis's names. */
  readonly memoryParameters?: Readonly<Record<string, string>>;
  /** Default "local". */
  readonly debugCommand?: Server["debugCommand"];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export class Engine implements Server {
  readonly keyspace: Keyspace;
  readonly events: KeyEvents;
  readonly #messaging: Messaging;
  readonly journal: Journal;
  readonly commands = new CommandTable();
  readonly blockedClients: BlockedClients;
  readonly gate: Gate;
  readonly debugCommand: Server["debugCommand"];
  readonly clock: Clock;
  readonly random: Random;
  readonly accounts: Users;
  readonly sessions = new Map<number, Session>();
  readonly parameters = new Map<string, ServerParameter>();
  readonly info = new Map<string, () => Record<string, string | number>>();
  readonly statistics: Statistics;
  readonly errors = new ErrorCounts();
  readonly turnClock = new TurnClock();
  readonly outputLimits = new OutputLimits();
  readonly insight: Insight;
  readonly monitors: Monitors;
  readonly pause: ClientPause;
  readonly runId: string;
  readonly rates: Rates;
  #endPause: () => void = () => {};
  readonly #log: Log;
  readonly #pluginCommands: PluginCommands;
  readonly #laterReplies: LaterReplies;
  readonly #turns: Turns;
  readonly #snapshot: CurrentSnapshot;
  readonly #background: BackgroundWork;
  readonly slices: WorkSlices;
  readonly indexes: EngineIndexes;
  readonly memory: MemoryLimit;
  readonly untouched: UntouchedCommands;
  readonly changes: ChangeFeed;
  readonly stream: LoggedStream;
  readonly transactions: Transactions;
  readonly following: EngineFollowing;
  #replay: Replay | null = null;
  #nextSessionId = 1;
  checkpoints: CheckpointControl = NO_CHECKPOINTS;
  check: CheckControl = NO_CHECK;
  backups: BackupControl = NO_BACKUPS;
  configuration: ConfigurationControl = NO_CONFIGURATION;
  readonly replication: ServerReplication;
  readonly followers: Followers;
  persistenceName = "none";
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
    this.runId = Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString("hex");
    this.rates = new Rates(options.clock, this);
    this.events = new KeyEvents(this.keyspace);
    this.#messaging = new Messaging({
      ...{ keyspace: this.keyspace, sessions: this.sessions },
      endTurnSoon: () => this.#turns.endSoon(),
    });
    this.events.delivery = this.pubsub;
    this.journal = new Journal({
      keyspace: this.keyspace,
      commands: this.commands,
      events: this.events,
      clock: options.clock,
      log: options.log.child("journal"),
    });
    this.blockedClients = new BlockedClients({
      keyspace: this.keyspace,
      clock: options.clock,
      onReady: () => this.#turns.endSoon(),
    });
    const times = new CommandTimes(options.clock, this.commands);
    this.insight = new Insight({ times, clock: this.clock, keyspace: this.keyspace });
    const { disk } = this.journal;
    disk.syncs.onSync = (ms) => this.insight.syncTook(disk.mode === "always", ms);
    this.commands.add([...coreCommands, ...insightCommands(this.insight)], "kvdb");
    for (const parameter of this.insight.parameters) this.addParameter(parameter);
    const { limits } = this.keyspace.collections;
    for (const parameter of collectionParameters(limits)) this.addParameter(parameter);
    this.gate = new Gate({
      table: this.commands,
      keyspace: this.keyspace,
      recorder: this.journal,
      blockedClients: this.blockedClients,
      events: this.events,
      pubsub: this.pubsub,
      tracking: this.tracking,
      steps: gateSteps,
      times,
      errors: this.errors,
      now: () => this.#beginTurn(),
      onFault: (command, thrown) => this.#fault(command, thrown),
    });
    this.monitors = new Monitors(this.gate, options.clock);
    this.pause = new ClientPause(options.clock, (isPaused) => this.#setPaused(isPaused));
    this.#pluginCommands = new PluginCommands({
      gate: this.gate,
      journal: this.journal,
      keyspace: this.keyspace,
      faults: new FaultLog(options.log, options.clock),
    });
    const { clock, keyspace, journal, gate, turnClock } = this;
    const { statistics, rates } = this;
    const { latency } = this.insight;
    const { turns, laterReplies, snapshot, background, slices } = engineTurns({
      ...{ keyspace, journal, gate, clock, turnClock },
      ...{ statistics, rates, latency },
    });
    this.#turns = turns;
    this.#laterReplies = laterReplies;
    this.#snapshot = snapshot;
    this.#background = background;
    this.slices = slices;
    const isResting = () => this.loading || background.isResting;
    const { memory, parameters } = engineMemory({
      ...{ keyspace, sessions: this.sessions, clock, journal, turns, snapshot, gate },
      ...{ isResting, latency },
    });
    this.memory = memory;
    for (const parameter of parameters) this.addParameter(parameter);
    this.indexes = new EngineIndexes({ keyspace, slices, log: options.log });
    this.untouched = new UntouchedCommands(gate, keyspace.access);
    this.commands.add(this.indexes.commands, "kvdb");
    const { commands } = this;
    const feedLog = options.log.child("changes");
    this.changes = new ChangeFeed({ journal, commands, slices, clock, log: feedLog });
    const streamLog = options.log.child("replication");
    this.stream = new LoggedStream({ journal, feed: this.changes, log: streamLog });
    this.replication = new ServerReplication(this.stream);
    const command = changesCommand(this.changes);
    this.commands.add([command], "kvdb");
    this.memory.include(this.changes);
    this.memory.include(this.tracking);
    this.addParameter(feedParameter(this.changes));
    this.addInfo("persistence", () => feedInfo(this.changes));
    this.followers = leadReplicas({
      ...{ stream: this.stream, replication: this.replication, gate, commands },
      ...{ journal, keyspace, changes: this.changes, clock, log: options.log },
      ...{ pause: this.pause, outputLimits: this.outputLimits },
      addParameter: (parameter) => this.addParameter(parameter),
    });
    this.following = new EngineFollowing({
      ...{ keyspace, gate, journal, events: this.events, blockedClients: this.blockedClients },
      ...{ clock, turns, snapshot, background },
      isPaused: () => this.gate.isActive(PAUSED),
      isLoading: () => this.loading,
      beginTurn: () => this.#beginTurn(),
      newSession: () => this.#newSession(NOBODY, "replica"),
    });
    for (const parameter of this.following.settings.parameters()) this.addParameter(parameter);
    this.commands.add(replicaofCommands, "kvdb");
    this.gate.tableChanged();
    this.transactions = new Transactions({ gate, journal, keyspace, events: this.events });
    this.accounts = new Users({
      commands: this.commands,
      sessions: this.sessions,
      clock,
      authenticatedBit: gate.bit(AUTHENTICATED),
      permittedBit: gate.bit(PERMITTED),
      transactionBit: gate.bit(TRANSACTION),
      password: options.password,
    });
    this.changes.rightOf = (session) => this.accounts.keyReader(session, "changes");
    this.#messaging.attach(gate, journal, turns);
    this.addParameter(trackingParameter(this.tracking));
    this.debugCommand = options.debugCommand ?? "local";
    this.gate.setActive(DEBUGGING, this.debugCommand !== "yes");
    this.gate.setActive(LOADING, true);
    this.memory.maxBytes = options.maxMemoryBytes;
    for (const [name, value] of Object.entries(options.memoryParameters ?? {})) {
      this.parameters.get(name)?.set?.(value);
    }
    this.addInfo("debug", () => ({
      longest_turn_cpu_usec: Math.round(this.turnClock.longestUsec),
    }));
    journal.onRecord = () => turns.endSoon();
    journal.disk.onHealth = (failure) => gate.setActive(DURABLE, failure !== null);
  }

  get pubsub() {
    return this.#messaging.pubsub;
  }

  get tracking() {
    return this.#messaging.tracking;
  }

  get effects() {
    return this.journal.effects;
  }

  get disk() {
    return this.journal.disk;
  }

  // ---- loading ----

  /** Where a persistence's `load` puts what it reads. */
  get loadSink(): LoadSink {
    this.keyspace.expiring = false;
    const session = this.#newSession(NOBODY, "replay");
    const replay = new Replay(
      this.gate,
      session,
      this.onSkipped,
      (database, entry) => this.insight.bigKeys.expect(database, entry),
      (failure) =>
        this.#log.warn("a command of a primary fails here, as it did when it came", { failure }),
    );
    this.loadingProgress = replay;
    this.#replay = replay;
    return this.stream.watch(replay);
  }

  /** All has been read: revisions go on, and what changes from now on is recorded. */
  beginRecording(persistence: Persistence, report: LoadReport): void {
    this.finishReplay();
    this.keyspace.nowMs = this.#turns.now();
    this.journal.start(persistence, report);
    this.changes.start(persistence);
    this.stream.start();
  }

  /** The data is complete: commands run. */
  finishLoading(): void {
    this.accounts.takeNewCommands();
    this.keyspace.expiring = true;
    this.keyspace.nowMs = this.#turns.now();
    this.#recordFresh();
    this.keyspace.noteRevision();
    this.gate.setActive(LOADING, false);
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

  /** Of all databases. */
  get keyCount(): number {
    return this.keyspace.databases.reduce((sum, { size }) => sum + size, 0);
  }

  get stagedForm(): StagedForm {
    const { databases, hashKey0, hashKey1, collections, access } = this.keyspace;
    return {
      databases: databases.length,
      hashKey: [hashKey0, hashKey1],
      limits: { ...collections.limits },
      countsFrequency: access.countsFrequency,
      wanted: this.indexes.wanted,
    };
  }

  get stagedKinds(): readonly IndexKind[] {
    return [...this.indexes.all.kinds.values()];
  }

  beginChangeOver(): ChangeOver {
    const { keyspace, journal, gate, indexes, slices, blockedClients, pause, changes } = this;
    const { bigKeys } = this.insight;
    return new ChangeOver({
      ...{ keyspace, journal, gate, indexes, slices, blockedClients, pause, changes, bigKeys },
      turns: this.#turns,
    });
  }

  #recordFresh(): void {
    this.indexes.recordFresh((act) => {
      const session = this.#newSession(NOBODY, "internal");
      this.gate.perform(session, () => act(session));
    });
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
    this.memory.clients.forget(session);
    this.untouched.set(session, false);
    this.monitors.remove(session);
    session.later?.abandon();
    this.transactions.forget(session);
    this.replication.leading.forget(session);
    this.#messaging.forget(session);
  }

  /** The data stays as it is until the pause is over. */
  #setPaused(isPaused: boolean): void {
    this.gate.setActive(PAUSED, isPaused);
    if (isPaused) this.#endPause = this.#background.rest();
    else this.#endPause();
    this.keyspace.keepsExpired = isPaused || this.following.duties.isFollowing;
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

  #fault(command: string, thrown: unknown): void {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.#log.error("a command threw: this is a defect", { command, error: text });
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
  }

  // ---- turns ----

  #beginTurn(): number {
    this.#turns.begin();
    const nowMs = this.#turns.now();
    this.keyspace.access.tick(nowMs);
    this.memory.beginTurn();
    return nowMs;
  }

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

  // ---- checkpoints ----

  /** All entries as they are now, with everything recorded handed over. Nothing may change while they are read. */
  readEntries(taken: EntriesTaken = "live"): EntryReader {
    this.#turns.end();
    this.takeTime();
    return new EntryWalk(this.keyspace.arena, taken);
  }

  beginCapture(ring: CaptureRing): Capture {
    this.takeTime();
    return this.#snapshot.begin(ring);
  }

  /** A state tells when it was taken; the last turn of a server that nobody uses may be of yesterday. */
  takeTime(): number {
    const { keyspace } = this;
    keyspace.nowMs = this.#turns.now();
    keyspace.noteRevision();
    this.#turns.keepTime(keyspace.nowMs);
    return keyspace.nowMs;
  }

  get snapshotMemory(): Server["snapshotMemory"] {
    return this.#snapshot.memory;
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

  keyOrder(database: Database, bounds: KeyBounds): KeyOrder | undefined {
    return keyOrder(this.indexes.all.of(database), database, bounds);
  }

  /** What is beside the arena of what a reader of an image needs, at this instant. */
  get readView(): ViewSource {
    const { nowMs, databases } = this.keyspace;
    const { all } = this.indexes;
    // The turn may have begun long before.
    return {
      nowMs: Math.max(nowMs, this.clock.now()),
      keyIndexes: databases.flatMap((database) => keyIndexImages(all.of(database))),
    };
  }

  registerIndexKinds(plugin: string, kinds: readonly IndexKind[]): void {
    this.indexes.addKinds(plugin, kinds);
  }

  wantIndex(database: number, name: string, given: unknown): void {
    this.indexes.want(database, name, given);
  }

  async openIndexes(options: OpenIndexes): Promise<void> {
    // What is over must not be in the way of a value that is to be unique. Of another server's data that one says what is.
    this.keyspace.expiring = !this.stream.followsAtStart;
    this.keyspace.nowMs = this.#turns.now();
    const { bytesDone, bytesTotal, startedMs } = this.loadingProgress;
    const indexing = (indexShare: number) => {
      this.loadingProgress = { bytesDone, bytesTotal, startedMs, indexShare };
      this.#recordExpired();
      options.view.indexing(indexShare);
    };
    await this.indexes.open({ ...options, view: { indexing } });
    this.#recordExpired();
  }

  /** A replica and a reader of changes are to know of it, as of every deletion. */
  #recordExpired(): void {
    this.journal.commitExpired();
    this.keyspace.changes = 0;
  }

  perform(session: Session, act: () => void): void {
    this.gate.perform(session, act);
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
    this.#background.stop();
    this.memory.stop();
    this.slices.stop();
    await this.changes.close();
    await this.journal.drain();
  }
}
