/**
 * What a command may ask of the server it runs in, through `session.server`. The engine of the kernel is the one
 * implementation; a test may hand in less.
 */
import type { Command } from "../commands/command.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import type { CheckpointKind, CheckpointReport, Durability } from "../plugin.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { PubSub } from "../pubsub/pubsub.ts";
import type { Tracking } from "../pubsub/tracking.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import type { Keyspace } from "../store/keyspace.ts";
import type { Accounts } from "./accounts.ts";
import type { BackupControl } from "./backup-control.ts";
import type { BlockedClients } from "./blocked-clients.ts";
import type { ClientPause } from "./client-pause.ts";
import type { ConfigurationControl } from "./configuration.ts";
import type { KeyBounds, KeyOrder } from "./key-order.ts";
import type { LaterOptions, LaterReply } from "./later-reply.ts";
import type { MemoryControl } from "./memory-control.ts";
import type { OutputLimits } from "./output-limits.ts";
import type { Replication } from "./replication.ts";
import type { Session } from "./session.ts";
import type { ShutdownControl } from "./shutdown-control.ts";
import type { Slices } from "./sliced-work.ts";
import type { TransactionControl } from "./transaction.ts";

export interface Server {
  readonly keyspace: Keyspace;
  readonly effects: Effects;
  /** Where commands tell what happened to keys. */
  readonly events: KeyEvents;
  /** Messages, and who subscribes to which. */
  readonly pubsub: PubSub;
  /** Whose copies of keys are void when these change. */
  readonly tracking: Tracking;
  readonly clock: Clock;
  readonly random: Random;
  /** All open sessions by id, in the order they were opened. */
  readonly sessions: ReadonlyMap<number, Session>;
  readonly commands: CommandCatalog;
  readonly parameters: ReadonlyMap<string, ServerParameter>;
  readonly statistics: Statistics;
  readonly errors: ErrorCount;
  /** What happened in the last seconds, in one second. */
  readonly rates: {
    readonly commands: number;
    readonly inputBytes: number;
    readonly outputBytes: number;
    /** From the primary, and to replicas. */
    readonly receivedBytes: number;
    readonly sentBytes: number;
  };
  /** 40 hexadecimal digits, others at each start. */
  readonly runId: string;
  /** Of times, besides those of each command. */
  readonly insight: {
    /** What held commands up, for LATENCY: whoever does something that may is to tell how long it took. */
    readonly latency: { note(event: string, durationMs: number): void };
    /** Which percentiles INFO shows. */
    readonly percentiles: readonly number[];
    readonly bigKeys: { largest(by: "bytes" | "elements"): readonly BigKey[] };
    readonly hotKeys: { hottest(count: number): readonly HotKey[] };
  };
  readonly accounts: Accounts;
  readonly disk: DiskProgress;
  /** Sections of INFO by name, each a function that gives its lines. */
  readonly info: ReadonlyMap<string, () => Record<string, string | number>>;
  /** Whether keys expire on time (DEBUG SET-ACTIVE-EXPIRE); at access they always do. */
  activeExpiry: boolean;
  /** True until the data is complete. */
  readonly loading: boolean;
  /** How far that is. `bytesTotal` is 0 until somebody knows. */
  readonly loadingProgress: {
    readonly bytesDone: number;
    readonly bytesTotal: number;
    /** Milliseconds since 1970. */
    readonly startedMs: number;
    /** All is read, and so much of the contents of indexes is made: between 0 and 1. */
    readonly indexShare?: number;
  };
  readonly memory: MemoryControl;
  /** Buffers of snapshots, which are kept apart from used memory. */
  readonly snapshotMemory: { readonly ringBytes: number; readonly overflowBytes: number };
  /** How much output may wait for clients that do not read it. */
  readonly outputLimits: OutputLimits;
  readonly commandsProcessed: number;
  readonly blockedClients: BlockedClients;
  readonly transactions: TransactionControl;
  readonly pause: ClientPause;
  readonly monitors: {
    add(session: Session): void;
    remove(session: Session): void;
  };
  readonly checkpoints: CheckpointControl;
  readonly check: CheckControl;
  readonly backups: BackupControl;
  readonly configuration: ConfigurationControl;
  readonly replication: Replication;
  readonly shutdown: ShutdownControl;
  /** Who may use DEBUG. */
  readonly debugCommand: "no" | "yes" | "local";
  /** Name of the persistence. */
  readonly persistenceName: string;
  /** Undefined: no index has the keys within the bounds in order. */
  keyOrder(database: Database, bounds: KeyBounds): KeyOrder | undefined;
  /** Measures the longest turn by CPU time while it is enabled. */
  readonly turnClock: { enabled: boolean };
  readonly untouched: UntouchedControl;
  /** CONFIG RESETSTAT: every counter begins anew. */
  resetStatistics(): void;
  /** For a command that is running: throws Redis's OOM error when `bytes` more do not fit. */
  requireMemory(bytes: number): void;
  /** Long work between turns. */
  readonly slices: Slices;
  /** Runs what ends a session's long work like a command of its own: what it changes is recorded by its effects. */
  perform(session: Session, act: () => void): void;
  /** See Session.answerLater. */
  answerLater(session: Session, options: LaterOptions): LaterReply;
  /** Asks for an orderly stop after this turn. */
  requestStop(): void;
}

/** Commands that do not count as use of a key. */
export interface UntouchedControl {
  /** Whether those of the session are (CLIENT NO-TOUCH). */
  set(session: Session, on: boolean): void;
  /** The command in hand is one. */
  leave(): void;
}

/** How far what was recorded has come. The journal is the one implementation. */
export interface DiskProgress {
  readonly mode: Durability;
  readonly lastRevision: number;
  readonly durableRevision: number;
  readonly unsyncedBytes: number;
  /** Age of the oldest record that is not durable; 0: all are. */
  readonly oldestUnsyncedMs: number;
  /** Why records cannot be made durable at present. */
  readonly failure: Error | null;
  /** Since when, in milliseconds since 1970; 0: they can. */
  readonly failingSinceMs: number;
  readonly syncs: {
    /** When the last one succeeded, since 1970; 0: none yet. */
    readonly lastMs: number;
    readonly times: {
      readonly count: number;
      readonly p50: number | undefined;
      readonly p95: number | undefined;
      readonly p99: number | undefined;
      readonly p999: number | undefined;
      readonly longest: number | undefined;
    };
  };
  /** False: nothing is recorded, so nothing will ever be on disk. */
  readonly isRecording: boolean;
  /** Everything up to this revision was synced, whatever the mode promises. */
  readonly syncedRevision: number;
  /** Has everything up to this revision synced soon, instead of when the mode would. */
  requestSync(revision: number): void;
  /** Called each time that syncedRevision grew. Returns the function that ends the subscription. */
  onSynced(listener: () => void): () => void;
}

/** One name of CONFIG GET / SET. `set` throws a CommandError when the value is not acceptable. */
export interface ServerParameter {
  readonly name: string;
  /** The name under which a configuration file has it, when this one is an older name of the same. */
  readonly aliasOf?: string;
  /** What is so and cannot be otherwise: `set` takes that value alone. */
  readonly isFixed?: true;
  /** Undefined: whoever owns it failed to tell. */
  get(): string | undefined;
  set?(value: string): void;
  /** Where the value does not say all that `set` changes: answers the function that puts that back. */
  readonly keep?: () => () => void;
  /** Called once when all that change are set; see the Parameter of plugins. */
  readonly apply?: () => void;
}

/** Checkpoints of all data, as commands see them. */
export interface CheckpointControl {
  /** Why none can be written now; empty: they can. */
  readonly obstacle: string;
  /** One of any kind. */
  readonly inProgress: boolean;
  /** Those of a kind. Where the persistence knows but one, both kinds are that. */
  of(kind: CheckpointKind): CheckpointState;
  /** What an orderly stop does: `whenChanged` writes what nothing else keeps. */
  atStop: "whenChanged" | "always" | "never";
  /** Whether it would write one, if it came now. */
  readonly isWantedAtStop: boolean;
  /**
   * Resolves when it is durable. One is written at a time; who asks meanwhile shares the next one of its kind.
   */
  request(
    reason: string,
    urgency: CheckpointUrgency,
    kind?: CheckpointKind,
  ): Promise<CheckpointReport>;
  /** Gives up what is being written of a kind, and what waits for its turn. False: there is nothing. */
  cancel(kind: CheckpointKind): boolean;
}

/** The checkpoints of one kind, so far. */
export interface CheckpointState {
  readonly inProgress: boolean;
  /** When the one in progress, or the last one, began: milliseconds since 1970. */
  readonly startedMs: number;
  readonly last: LastCheckpoint;
  readonly lastDurationMs: number;
  /** Why the last one failed; null: it did not. */
  readonly failure: Error | null;
  /** How many were written since the start. */
  readonly count: number;
  /** Changes that the last one does not have. */
  readonly changes: number;
}

/** CHECK, as the command sees it. */
export interface CheckControl {
  /** Why there can be none; empty: there can. */
  readonly obstacle: string;
  run(): Promise<StoreReport>;
}

export interface StoreReport {
  readonly revision: number;
  /** In memory. */
  readonly entries: number;
  /** Read from disk. */
  readonly records: number;
  readonly bytes: number;
  /** Of what is on disk; DEBUG DIGEST answers the same for the same data. */
  readonly digest: string;
  /** Changes that are in memory alone, because the persistence keeps whole states and they came later. */
  readonly unsaved: number;
  /** What is wrong, a line each; empty: the disk has what the memory has. */
  readonly problems: readonly string[];
}

/**
 * In a process that serves nobody a checkpoint may wait until the work is done (`whenIdle`), unless somebody waits for it
 * (`now`). `beforeEnd` waits as well, but its failure is one of the stop.
 */
export type CheckpointUrgency = "now" | "whenIdle" | "beforeEnd";

/** The last checkpoint; before the first one: what was loaded, and when. */
export interface LastCheckpoint {
  readonly revision: number;
  readonly timeMs: number;
  readonly bytes: number;
  readonly entries: number;
}

export interface Statistics {
  startedMs: number;
  connectionsReceived: number;
  connectionsRejected: number;
  inputBytes: number;
  outputBytes: number;
  /** Clients that were disconnected because more output waited for them than may. */
  outputLimitDisconnections: number;
  /** How often something was read from a connection, and written to one. */
  reads: number;
  writes: number;
  /** Time of expiry on time, and how often its slice was used up before all that was due was gone. */
  expiryMs: number;
  expirySlicesCut: number;
}

/** How often a command ran, and how long it took. */
export interface CommandCount {
  readonly name: string;
  readonly calls: number;
  /** All of its calls together; an estimate for those that are too fast to be timed each. */
  readonly usec: number;
  /** Of the calls, those that answered an error. */
  readonly failures: number;
  /** Besides the calls: refused before they ran. */
  readonly rejections: number;
  /** Null: no call was timed. */
  readonly latencies: LatencyDistribution | null;
}

/** Durations of calls. */
export interface LatencyDistribution {
  readonly count: number;
  /** The longest of the shortest `percentile` hundredths, in microseconds. */
  percentile(percentile: number): number;
  /** How many took less than each of a row of bounds, in microseconds, that double; those that add nothing are left out. */
  byDoubling(): (readonly [belowUsec: number, count: number])[];
}

export interface BigKey {
  readonly database: number;
  readonly key: Buffer;
  /** As entries store it. */
  readonly type: number;
  readonly bytes: number;
  /** 0: the type has none. */
  readonly elements: number;
}

export interface HotKey {
  readonly database: number;
  readonly key: Buffer;
  /** About so many in the last minutes: each minute counts half of the one after it. */
  readonly uses: number;
  /** Of all uses in the same time, between 0 and 1. */
  readonly share: number;
}

/** Errors that were answered. */
export interface ErrorCount {
  readonly total: number;
  byCode(): (readonly [code: string, count: number])[];
}

/** What COMMAND and INFO need to know of the command table. */
export interface CommandCatalog {
  /** Counts of all commands, subcommands included. */
  entries(): Iterable<CommandCount>;
  all(): readonly Command[];
  /** In the order in which they were added; none for what is no container. */
  subcommandsOf(name: string): readonly Command[];
  get(name: string): Command | undefined;
}

/**
 * The record of the command in hand. A command whose own arguments would not replay to the same result (relative times,
 * random choices, computed floats) writes here what came of it, as one or more commands; otherwise the journal takes the
 * client's own bytes. A command that changed nothing leaves no record, whatever is written here.
 */
export interface Effects {
  /** Begins a command of so many arguments, its name included; they are written next. */
  command(count: number): void;
  text(argument: string): void;
  bytes(argument: ReadonlyBytes, start: number, end: number): void;
  integer(argument: number): void;
}
