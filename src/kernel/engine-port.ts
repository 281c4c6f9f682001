/**
 * What the kernel asks of the engine (store, commands, journal), and nothing more, so that a test
 * can put a fake in its place. The kernel opens and closes in order and knows no command; the
 * engine answers commands and knows no plugin. One engine serves one kernel once.
 */
import type { UserFile } from "../auth/user-file.ts";
import type { Arguments } from "../commands/arguments.ts";
import type { Reply } from "../commands/reply.ts";
import type { OpenIndexes } from "../index/opening.ts";
import type { Skipped } from "../journal/replay.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import type {
  Client,
  Command,
  EntryReader,
  IndexKind,
  LoadReport,
  LoadSink,
  Persistence,
  Revision,
} from "../plugin.ts";
import type { KeyEvents } from "../pubsub/key-events.ts";
import type { Followers } from "../replication/followers.ts";
import type { FollowedStream } from "../replication/following-parts.ts";
import type { LoggedStream } from "../replication/logged-stream.ts";
import type { ServerReplication } from "../replication/replication.ts";
import type { BackupControl } from "../session/backup-control.ts";
import type { ConfigurationControl } from "../session/configuration.ts";
import type { OutputLimits } from "../session/output-limits.ts";
import type {
  CheckControl,
  CheckpointControl,
  CommandCatalog,
  Server,
  ServerParameter,
  Statistics,
} from "../session/server.ts";
import type { Origin, Session } from "../session/session.ts";
import type { ShutdownControl } from "../session/shutdown-control.ts";
import type { EntriesTaken } from "../store/entry-walk.ts";
import type { CaptureRing } from "../store/page-capture.ts";
import type { RunCommand } from "../transaction/transactions.ts";
import type { ChangeOver } from "./change-over.ts";
import type { EngineFollowing } from "./engine-following.ts";
import type { ViewSource } from "./read-views.ts";
import type { ReplicaDuties } from "./replica-duties.ts";
import type { Capture } from "./snapshots.ts";
import type { StagedForm } from "./staged-data.ts";

/** Users, as the configuration sets them. */
export interface ConfiguredAccounts {
  /** Of the default user; empty: it was given none by the configuration. */
  password: string;
  readonly needsPassword: boolean;
  /** Whether users begin with all channels. */
  allChannels: boolean;
  readonly log: { maxEntries: number; keep(): () => void };
  /** Answers the function that gives the default user back the passwords that it has now. */
  keepPasswords(): () => void;
  /** Where users are read from and saved to. */
  file: UserFile;
  /** Users by name, as a configuration has them, if commands have changed some; a file of users has its own way. */
  readonly changedRules: Readonly<Record<string, string>> | undefined;
  /** Makes a user; null: all rules are applied. */
  configure(name: string, rules: readonly string[]): ConfiguredFault | null;
  /** Takes all users from the file. Rejects, with nothing changed, when it is wrong. */
  load(): Promise<void>;
}

/** The rule that is wrong, empty when it is the name; and why. */
export interface ConfiguredFault {
  readonly rule: string;
  readonly reason: string;
}

/**
 * Begins in the loading state: commands not flagged `loading` are refused until `finishLoading`.
 */
export interface Engine {
  /** Asked for once, when loading begins. */
  readonly loadSink: LoadSink;
  /**
   * Set before, by who would rather go on without what does not fit the data than not at all: told of each command that
   * was left out. Undefined: one that does not fit is fatal.
   */
  onSkipped: ((skipped: Skipped) => void) | undefined;
  readonly commands: CommandCatalog;
  readonly statistics: Statistics;
  readonly sessions: { readonly size: number };
  readonly disk: {
    readonly durableRevision: Revision;
    /** Everything up to here was synced, whatever the mode promises. */
    readonly syncedRevision: Revision;
    /** False: nothing is recorded, so nothing will ever be on disk. */
    readonly isRecording: boolean;
    /** The revision of the last change so far. */
    readonly lastRevision: Revision;
    readonly acceptsInput: boolean;
    /** Why records cannot be made durable at present. */
    readonly failure: Error | null;
    /** The persistence may promise something else from now on. */
    followMode(): void;
    onDurable(listener: () => void): () => void;
    onFailure(listener: (failure: Error) => void): () => void;
  };
  /** Where the stream of replication stands goes on over lives, if it was ever in use. */
  readonly stream: Pick<
    LoggedStream,
    | keyof FollowedStream
    | ("cut" | "prepare" | "resume" | "beginCheckpoint" | "checkpointCounts" | "close")
    | "followsAtStart"
  >;
  /** Which keyspace events are told. */
  readonly events: Pick<KeyEvents, "flags" | "setFlags">;
  readonly accounts: ConfiguredAccounts;
  /** 0: no limit. */
  maxMemoryBytes: number;
  readonly outputLimits: OutputLimits;
  /** Both sides of replication, as commands see them. */
  readonly replication: ServerReplication;
  readonly following: Pick<EngineFollowing, "settings" | "createApplication"> & {
    readonly duties: Pick<
      ReplicaDuties,
      "isFollowing" | "begin" | "end" | "linkChanged" | "dataReplaced"
    >;
  };
  /** Set by the kernel, which knows the persistence. */
  checkpoints: CheckpointControl;
  check: CheckControl;
  backups: BackupControl;
  configuration: ConfigurationControl;
  /** Its name, for commands. */
  persistenceName: string;
  readonly followers: Pick<Followers, "maker" | "obstacle" | "stop">;
  readonly shutdown: Pick<ShutdownControl, "awaitReplicas">;
  /** Called when a command or a frontend asks for an orderly stop. */
  onStopRequest: () => void;
  /** All has been read: from here on changes go to the persistence. */
  beginRecording(persistence: Persistence, report: LoadReport): void;
  /** The data is complete, its indexes as well: commands run. */
  finishLoading(): void;
  /** Timers of expiry and syncing. */
  startBackground(): void;
  /** Origin `internal` needs no password: whoever runs kvdb on the data folder itself. */
  connect(client: Client, origin?: Origin): Session;
  disconnect(session: Session): void;
  dispatch(session: Session, args: Arguments, reply: Reply): void;
  lookAhead(session: Session, batch: readonly Arguments[], count: number): void;
  /** Runs what a program does in one transaction; see Transactions.transact. */
  transact<Result>(session: Session, act: (run: RunCommand) => Result): Result;
  endTurnSoon(): void;
  /** The turn has done as much as one may. */
  readonly turnIsFull: boolean;
  /** False while sessions that write must wait. When it is true again, a turn ends. */
  readonly acceptsWrites: boolean;
  /** The next command reads the clock, although the turn goes on: a program's turn may be a long one. */
  refreshClock(): void;
  onTurnEnd(listener: () => void): () => void;
  /** All entries as they are now. Nothing may change while they are read. */
  readEntries(taken?: EntriesTaken): EntryReader;
  atTurnEnd(act: () => void): void;
  beginCapture(ring: CaptureRing): Capture;
  readonly readView: ViewSource;
  /** Nothing changes by itself (expiry) until the function that it returns is called. */
  rest(): () => void;
  /**
   * kvdb is about to stop, its frontends first: whoever waits for a later reply is told so. Resolves when they were, and
   * what a program called behind it has run: it belongs into the last checkpoint.
   */
  beginStop(): Promise<void>;
  readonly keyCount: number;
  /** What data that is loaded beside this one has in common with it. */
  readonly stagedForm: StagedForm;
  /** Kinds of indexes, for who loads it here. */
  readonly stagedKinds: readonly IndexKind[];
  /** Begins to put such data in the place of all there is: who would write waits from then on. */
  beginChangeOver(): ChangeOver;
  /** The time of a state that is taken now: later ones are not before it. */
  takeTime(): number;
  requestStop(): void;
  /** Stops the timers and makes everything durable. Also called when loading was never finished. */
  stop(): Promise<void>;
  /** Throws a KvdbError CONFIG when a name is taken. */
  registerCommands(plugin: string, commands: readonly Command[]): void;
  /** Names of the kinds of indexes there are, and which plugin brings each. */
  readonly indexKinds: ReadonlyMap<string, string>;
  registerIndexKinds(plugin: string, kinds: readonly IndexKind[]): void;
  /**
   * The configuration names an index: it is made at the start unless it is there. Throws a DefinitionError
   * for what cannot be.
   */
  wantIndex(database: number, name: string, given: unknown): void;
  /**
   * Makes the indexes that the loaded data has definitions of, and those that are wanted, and fills them in slices. Rejects
   * when one that is wanted cannot be.
   */
  openIndexes(options: OpenIndexes): Promise<void>;
  /** By name. */
  readonly parameters: ReadonlyMap<string, ServerParameter>;
  addParameter(parameter: ServerParameter): void;
  addInfo(section: string, lines: () => Record<string, string | number>): void;
}

export interface EngineSettings {
  readonly databases: number;
  readonly password: string;
  /** Bound on used memory; 0: none. */
  readonly maxMemoryBytes: number;
  /** By Redis's names. */
  readonly memoryParameters?: Readonly<Record<string, string>>;
  /** Default "local". */
  readonly debugCommand?: Server["debugCommand"];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Acquires nothing but memory: `kvdb config check` makes an engine too. A promise where the engine is
 * imported first, with all commands: who only talks to a server has none.
 */
export type CreateEngine = (settings: EngineSettings) => Engine | Promise<Engine>;
