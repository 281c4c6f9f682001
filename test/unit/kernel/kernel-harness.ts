/**
 * A kernel with a fake engine, a fake clock and plugins whose every step is noted, fails or hangs
 * as a test wishes. Steps are named `<plugin> <step>`: "store open", "front1 close", "lock",
 * "engine stop".
 */
import { backupConfig } from "../../../src/kernel/backup-config.ts";
import type { AnyPlugin, Builtins } from "../../../src/kernel/builtins.ts";
import type { Config, LoadedConfig } from "../../../src/kernel/config.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import type { LoadingView } from "../../../src/kernel/loading.ts";
import { prepare } from "../../../src/kernel/prepare.ts";
import type { Role } from "../../../src/kernel/role.ts";
import type { Files } from "../../../src/platform/files.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type {
  Durability,
  LoadReport,
  LoadSink,
  OpenPurpose,
  PersistenceContext,
} from "../../../src/plugin.ts";
import { FakeClock } from "../../suites/fake-clock.ts";
import { FakeEngine } from "./fake-engine.ts";

export interface Behaviour {
  /** Steps that throw. */
  readonly failing?: readonly string[];
  /** Steps that never end. */
  readonly hanging?: readonly string[];
  /** Steps that end with a promise. */
  readonly waiting?: Readonly<Record<string, Promise<void>>>;
  readonly durability?: Durability;
  /** What the folder knows of its last start. */
  readonly pathsBefore?: Readonly<Record<string, string>>;
  /** The persistence keeps checkpoints. Default: it does not. */
  readonly checkpoints?: boolean;
  readonly report?: LoadReport;
  readonly frontends?: readonly string[];
  /** Called at each step, before it fails or hangs. */
  readonly onStep?: (step: string) => void;
  readonly role?: Role;
  readonly loadingView?: LoadingView;
  /** Default: to use it. */
  readonly purpose?: OpenPurpose;
  /** What the persistence does when it is opened, and hands over when it loads. */
  readonly onOpen?: (context: PersistenceContext) => Promise<void>;
  readonly onLoad?: (sink: LoadSink, engine: FakeEngine) => void;
  /** Built-in plugins that replace or join those of the harness. */
  readonly builtins?: Builtins;
  readonly config?: Partial<Config>;
}

export const emptyReport: LoadReport = {
  records: 0,
  bytes: 0,
  lastRevision: 0,
  clean: true,
  dropped: [],
};

export class Harness {
  readonly steps: string[] = [];
  readonly lines: string[] = [];
  readonly clock = new FakeClock();
  readonly #behaviour: Behaviour;
  engine: FakeEngine | undefined;
  stopRequests = 0;
  claims = 0;

  constructor(behaviour: Behaviour = {}) {
    this.#behaviour = behaviour;
  }

  prepare(): Promise<Kernel> {
    const { role = "server", purpose = { kind: "use" }, loadingView } = this.#behaviour;
    return prepare({
      loaded: this.#loaded(),
      builtins: this.#builtins(),
      createEngine: (settings) => {
        this.engine = new FakeEngine(settings, (event) => this.#stepNow(event));
        return this.engine;
      },
      platform: {
        clock: this.clock,
        random: seededRandom(1),
        files: noFiles,
        lockFolder: async (folder, { changesNothing = false }) => {
          await this.step(changesNothing ? "lock to look" : "lock");
          return {
            folder,
            pathsBefore: this.#behaviour.pathsBefore,
            givenBefore: undefined,
            claim: async () => void this.claims++,
            handOver: (persistence) => this.step(`hand over to ${persistence}`),
            announceSocket: (path) => this.step(`announce ${path}`),
            release: () => this.step("unlock"),
          };
        },
        startSnapshotWorker: () => {
          throw new Error("there are no workers here");
        },
        writeLog: (line) => void this.lines.push(line),
      },
      purpose,
      role,
      onStopRequest: () => {
        this.stopRequests++;
      },
      ...(loadingView && { loadingView }),
    });
  }

  /** Notes a step, then does to it what the test wishes. */
  step(name: string): Promise<void> {
    try {
      this.#stepNow(name);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#behaviour.hanging?.includes(name)) return new Promise(() => {});
    return this.#behaviour.waiting?.[name] ?? Promise.resolve();
  }

  #stepNow(name: string): void {
    this.steps.push(name);
    this.#behaviour.onStep?.(name);
    if (this.#behaviour.failing?.includes(name)) throw new Error(`${name} failed`);
  }

  #loaded(): LoadedConfig {
    const { frontends = ["front1", "front2"], config } = this.#behaviour;
    return {
      config: {
        file: undefined,
        folder: "/etc/kvdb",
        dir: "/data",
        databases: 16,
        requirepass: "",
        keyEvents: "",
        outputLimits: "",
        ...{ users: {}, aclfile: "", channelsByDefault: "resetchannels", accessLogLength: 128 },
        debugCommand: "local",
        replication: { of: "", user: "", password: "" },
        memoryParameters: {},
        memoryMaxBytes: 0,
        persistence: { use: "store", options: {} },
        frontends: frontends.map((use) => ({ use, options: {} })),
        indexes: {},
        parameters: {},
        backup: backupConfig(
          { verify: "restore", keep: {} },
          { folder: "/", dir: "/data", environment: {} },
        ),
        plugins: [],
        logLevel: "info",
        logFormat: "text",
        logFile: undefined,
        ...config,
      },
      placeOf: () => "",
      warnings: [],
    };
  }

  #builtins(): Builtins {
    return {
      store: { brings: ["persistence"], load: async () => ({ default: this.#store() }) },
      front1: { brings: ["frontend"], load: async () => ({ default: this.#front("front1") }) },
      front2: { brings: ["frontend"], load: async () => ({ default: this.#front("front2") }) },
      ...this.#behaviour.builtins,
    };
  }

  #store(): AnyPlugin {
    const { durability = "always", checkpoints = false, report = emptyReport } = this.#behaviour;
    return {
      name: "store",
      apiVersion: 1,
      persistence: (_options, context) => ({
        supports: { records: durability !== "none", checkpoints },
        durability,
        open: async () => {
          await this.step("store open");
          await this.#behaviour.onOpen?.(context);
        },
        load: async (sink) => {
          await this.step("store load");
          const bytes = Buffer.alloc(0);
          sink.records({ firstRevision: 1, count: 0, timeMs: 0, bytes, start: 0, end: 0 });
          if (this.engine !== undefined) this.#behaviour.onLoad?.(sink, this.engine);
          return report;
        },
        append() {},
        flush: () => this.step("store flush"),
        beginCheckpoint: (revision) => this.step(`store beginCheckpoint ${revision}`),
        checkpointed: ({ revision }) => this.step(`store checkpointed ${revision}`),
        close: () => this.step("store close"),
      }),
      writeCheckpoint: async () => {
        await this.step("store writeCheckpoint");
        return { bytes: 100 };
      },
    };
  }

  #front(name: string): AnyPlugin {
    return {
      name,
      apiVersion: 1,
      frontend: () => ({
        open: () => this.step(`${name} open`),
        close: () => this.step(`${name} close`),
      }),
    };
  }
}

const noFiles = {
  exists: async () => false,
  list: async () => [],
  remove: async () => {},
} as Partial<Files> as Files;

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
