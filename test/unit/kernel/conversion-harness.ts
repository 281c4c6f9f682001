/**
 * Data folders on a disk in memory, real engines over them, and persistences to convert between: `wal`, `json-snapshot`,
 * the example `json-lines` (records alone), and the simplest that keeps whole states.
 */
import { expect } from "bun:test";
import jsonLines from "../../../examples/persistence/json-lines/json-lines.ts";
import jsonSnapshot from "../../../plugins/json-snapshot/index.ts";
import wal from "../../../plugins/wal/index.ts";
import type { KeepRules } from "../../../src/backup/retention.ts";
import { backupConfig } from "../../../src/kernel/backup-config.ts";
import type { AnyPlugin, Builtins } from "../../../src/kernel/builtins.ts";
import type { LoadedConfig } from "../../../src/kernel/config.ts";
import { type ConversionRequest, convertFolder } from "../../../src/kernel/conversion.ts";
import { Engine } from "../../../src/kernel/engine.ts";
import type { Kernel, Platform } from "../../../src/kernel/kernel.ts";
import { LocalLink } from "../../../src/kernel/local-link.ts";
import { prepare } from "../../../src/kernel/prepare.ts";
import type { Files } from "../../../src/platform/files.ts";
import { lockFolder, readFolderOwner } from "../../../src/platform/folder-lock.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import type { Answer } from "../../../src/resp/answer.ts";
import { FakeClock, MemoryDisk } from "../../suites/index.ts";
import { naiveCheckpoints } from "../suites/naive-checkpoints.ts";

export const DIR = "/data";

/** Each in a file of its own, unless a test wants them to collide. */
export const plugins: Record<string, AnyPlugin> = {
  wal: wal as AnyPlugin,
  "json-snapshot": jsonSnapshot as AnyPlugin,
  "json-lines": jsonLines as AnyPlugin,
  states: { ...naiveCheckpoints, name: "states" } as AnyPlugin,
  none: {
    name: "none",
    apiVersion: 1,
    persistence: () => ({
      supports: { records: false, checkpoints: false },
      durability: "none",
      async open() {},
      load: async () => ({ records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] }),
      append() {},
      async flush() {},
      async close() {},
    }),
  },
};

function builtinsOf(all: Readonly<Record<string, AnyPlugin>>): Builtins {
  const entries = Object.entries(all).map(([name, plugin]) => {
    return [name, { brings: ["persistence"], load: async () => ({ default: plugin }) }] as const;
  });
  return Object.fromEntries(entries);
}

export interface FolderOptions {
  readonly files: Files;
  readonly clock?: FakeClock;
  readonly plugins?: Readonly<Record<string, AnyPlugin>>;
  /** Of the persistence. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** A replica of somebody; by default nobody's. */
  readonly replicaOf?: string;
  /** Of backups; by default everything stays. */
  readonly keep?: KeepRules;
}

function loadedFor(
  persistence: string,
  { options = {}, replicaOf = "", keep = {} }: Partial<FolderOptions> = {},
): LoadedConfig {
  return {
    config: {
      ...{ file: undefined, folder: "/etc/kvdb", dir: DIR, databases: 16, requirepass: "" },
      ...{ memoryMaxBytes: 0, frontends: [], indexes: {}, parameters: {}, plugins: [] },
      ...{ keyEvents: "", outputLimits: "", memoryParameters: {}, logLevel: "info" },
      ...{ users: {}, aclfile: "", channelsByDefault: "resetchannels", accessLogLength: 128 },
      debugCommand: "local",
      ...{ logFormat: "text", logFile: undefined },
      replication: { of: replicaOf, user: "", password: "" },
      persistence: { use: persistence, options },
      backup: backupConfig({ verify: "restore", keep }, { folder: "/", dir: DIR, environment: {} }),
    },
    placeOf: () => "",
    warnings: [],
  };
}

function platformOf({ files, clock = new FakeClock() }: FolderOptions): Platform {
  return {
    clock,
    files,
    random: seededRandom(1),
    lockFolder,
    writeLog: () => {},
    startSnapshotWorker: () => {
      throw new Error("there are no workers here");
    },
  };
}

export function prepareIn(persistence: string, options: FolderOptions): Promise<Kernel> {
  return prepare({
    loaded: loadedFor(persistence, options),
    builtins: builtinsOf(options.plugins ?? plugins),
    createEngine: (settings) => new Engine(settings),
    platform: platformOf(options),
    purpose: { kind: "use" },
    role: "one-shot",
    onStopRequest: () => {},
  });
}

export type Call = (...words: string[]) => Promise<Answer>;

/** Starts, lets `run` call commands, and stops in order. */
export async function inFolder(
  persistence: string,
  options: FolderOptions,
  run: (call: Call, kernel: Kernel) => Promise<void>,
): Promise<void> {
  const kernel = await prepareIn(persistence, options);
  await kernel.start();
  const link = new LocalLink(kernel.engine, { address: "test", trusted: true }, "internal");
  await run((...words) => link.call(words), kernel);
  await kernel.stop();
}

export function requestFor(from: string, to: string, options: FolderOptions): ConversionRequest {
  return {
    loaded: loadedFor(to),
    from,
    paths: {},
    to,
    builtins: builtinsOf(options.plugins ?? plugins),
    schemas: { kernel: () => true, plugins: {} },
    createEngine: (settings) => new Engine(settings),
    platform: platformOf(options),
    loadingView: undefined,
  };
}

export function convert(from: string, to: string, options: FolderOptions) {
  return convertFolder(requestFor(from, to, options));
}

/** A folder of this persistence with keys of every kind. */
export async function filledDisk(persistence: string): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await inFolder(persistence, disk, async (call) => {
    const commands = [
      ["SET", "plain", "text"],
      ["SET", "", ""],
      ["VALUE.SET", "document", '{"name":"Ada","age":36.0}'],
      ["SET", "until", "then", "PXAT", String(Date.UTC(2040, 0, 1))],
      ["SET", "gone", "soon"],
      ["DEL", "gone"],
      ["SELECT", "3"],
      ["SET", "plain", "elsewhere"],
      ["SET", "large", "x".repeat(5000)],
    ];
    for (const words of commands) expect((await call(...words)).kind).not.toBe("error");
  });
  return disk;
}

export async function ownerOf(disk: MemoryDisk): Promise<string | undefined> {
  return (await readFolderOwner(disk.files, DIR)).persistence;
}

/** What is in a folder, read as by a start that stops at once. */
export async function digestIn(persistence: string, options: FolderOptions): Promise<string> {
  let digest = "";
  await inFolder(persistence, options, async (call) => {
    const [all, until] = [await call("DEBUG", "DIGEST"), await call("PEXPIRETIME", "until")];
    digest = JSON.stringify([all, until]);
  });
  return digest;
}
