/** An engine that answers nothing and notes what the kernel asks of it, in order. */
import { NO_USER_FILE } from "../../../src/auth/user-file.ts";
import { CommandTable } from "../../../src/commands/table.ts";
import type { Engine, EngineSettings } from "../../../src/kernel/engine-port.ts";
import type {
  Command,
  EntryReader,
  IndexKind,
  LoadReport,
  LoadSink,
  Persistence,
} from "../../../src/plugin.ts";
import { ReplicaSettings } from "../../../src/replication/replica-settings.ts";
import { ServerReplication } from "../../../src/replication/replication.ts";
import type { BackupControl } from "../../../src/session/backup-control.ts";
import type { ConfigurationControl } from "../../../src/session/configuration.ts";
import { OutputLimits } from "../../../src/session/output-limits.ts";
import type {
  CheckControl,
  CheckpointControl,
  ServerParameter,
  Statistics,
} from "../../../src/session/server.ts";
import type { Session } from "../../../src/session/session.ts";

export class FakeEngine implements Engine {
  readonly commands = new CommandTable();
  readonly parameters = new Map<string, ServerParameter>();
  readonly sessions = new Map<number, Session>();
  readonly statistics: Statistics = {
    startedMs: 0,
    connectionsReceived: 0,
    connectionsRejected: 0,
    outputLimitDisconnections: 0,
    ...{ reads: 0, writes: 0, expiryMs: 0, expirySlicesCut: 0 },
    inputBytes: 0,
    outputBytes: 0,
  } as Statistics;
  /** A test may let it grow. */
  readonly disk = {
    ...{ syncedRevision: 0, isRecording: true },
    durableRevision: 0,
    lastRevision: 0,
    isRecording: false,
    acceptsInput: true,
    failure: null,
    followMode() {},
    onDurable: () => () => {},
    onFailure: () => () => {},
  };
  /** Never in use. */
  readonly stream = {
    cut(): never {
      throw new Error("nobody follows a fake");
    },
    ...{ id: "0".repeat(40), previousId: "0".repeat(40), previousEnd: -1 },
    ...{ offset: 0, firstOffset: 1, database: -1, isInUse: false, isFollowing: false },
    followsAtStart: false,
    async follow() {},
    async renew() {},
    async adopt() {},
    confirm() {},
    async rename() {},
    async prepare() {},
    async resume() {},
    beginCheckpoint() {},
    async checkpointCounts() {},
    async close() {},
  };
  readonly events = {
    flags: "",
    setFlags(text: string): boolean {
      this.flags = text;
      return true;
    },
  };
  readonly accounts: Engine["accounts"];
  readonly loadSink: LoadSink = {
    entry: () => {},
    records: () => {},
    progress: () => {},
  };
  readonly readView = { nowMs: 0, keyIndexes: [] };
  readonly turnIsFull = false;
  readonly acceptsWrites = true;
  readonly outputLimits = new OutputLimits();
  maxMemoryBytes: number;
  /** Set by the kernel. */
  checkpoints!: CheckpointControl;
  check!: CheckControl;
  backups!: BackupControl;
  configuration!: ConfigurationControl;

  readonly followers: Engine["followers"] = { maker: null, obstacle: "", stop: () => {} };

  readonly keyCount = 0;
  readonly replication = new ServerReplication(this.stream);
  readonly following: Engine["following"] = {
    settings: new ReplicaSettings(),
    duties: {
      isFollowing: false,
      ...{ begin: () => {}, end: () => {}, linkChanged: () => {}, dataReplaced: () => {} },
    },
    createApplication: () => {
      throw new Error("there is no data here that could follow anybody");
    },
  };

  readonly shutdown = { awaitReplicas: async () => true };

  readonly stagedKinds = [];

  get stagedForm(): never {
    throw new Error("there is no data here that could be replaced");
  }

  beginChangeOver(): never {
    throw new Error("there is no data here that could be replaced");
  }

  takeTime(): number {
    return 0;
  }

  requestStop(): void {
    this.onStopRequest();
  }
  persistenceName = "";
  loaded: LoadReport | undefined;
  onStopRequest: () => void = () => {};
  onSkipped: Engine["onSkipped"];
  readonly #note: (event: string) => void;

  constructor(settings: EngineSettings, note: (event: string) => void) {
    const { password } = settings;
    this.accounts = {
      ...{ password, needsPassword: password !== "", allChannels: false },
      ...{
        log: { maxEntries: 0, keep: () => () => {} },
        file: NO_USER_FILE,
        configure: () => null,
        keepPasswords: () => () => {},
        changedRules: undefined,
      },
      load: async () => note("engine loads users"),
    };
    this.maxMemoryBytes = settings.maxMemoryBytes;
    this.#note = note;
  }

  beginRecording(_persistence: Persistence, report: LoadReport): void {
    this.loaded = report;
  }

  finishLoading(): void {
    this.#note("engine finishLoading");
  }

  startBackground(): void {
    this.#note("engine startBackground");
  }

  connect(): Session {
    throw new Error("the fake engine has no sessions");
  }

  disconnect(): void {}

  dispatch(): void {}

  transact(): never {
    throw new Error("the fake engine has no sessions");
  }

  lookAhead(): void {}

  endTurnSoon(): void {}

  refreshClock(): void {}

  readEntries(): EntryReader {
    this.#note("engine readEntries");
    const { lastRevision } = this.disk;
    return { ...noEntries, revision: lastRevision, next: () => false };
  }

  atTurnEnd(act: () => void): void {
    act();
  }

  beginCapture(): never {
    throw new Error("the fake engine has no arena");
  }

  rest(): () => void {
    return () => {};
  }

  onTurnEnd(): () => void {
    return () => {};
  }

  async beginStop(): Promise<void> {}

  async stop(): Promise<void> {
    this.#note("engine stop");
  }

  registerCommands(plugin: string, commands: readonly Command[]): void {
    this.commands.add(
      commands.map(({ run: _, ...info }) => info),
      plugin,
    );
  }

  readonly indexKinds = new Map<string, string>();

  registerIndexKinds(plugin: string, kinds: readonly IndexKind[]): void {
    for (const { name } of kinds) this.indexKinds.set(name, plugin);
  }

  wantIndex(): void {}

  async openIndexes(): Promise<void> {}

  addParameter(parameter: ServerParameter): void {
    this.parameters.set(parameter.name, parameter);
  }

  addInfo(): void {}
}

const noBytes = Buffer.alloc(0);

const noEntries = {
  timeMs: 0,
  entryCount: 0,
  keyCount: 0,
  elementCount: 0,
  entry: {
    database: 0,
    type: "string",
    ...{
      keyBytes: noBytes,
      keyStart: 0,
      keyEnd: 0,
      valueBytes: noBytes,
      valueStart: 0,
      valueEnd: 0,
    },
    deadlineMs: 0,
    version: 0,
    isTimed: false,
    isContinued: false,
  },
} as const;
