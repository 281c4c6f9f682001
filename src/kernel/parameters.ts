/**
 * The kernel's own names of CONFIG GET and CONFIG SET, and the settings behind them that may change
 * while kvdb runs. Values are written as Redis writes them. What cannot be changed has no `set`.
 */
import { CommandError } from "../commands/command-error.ts";
import { outputLimitsText, parseOutputLimits } from "../commands/output-limits-text.ts";
import { readMemorySize } from "../commands/parameter-values.ts";
import { MAX_BULK_BYTES } from "../limits.ts";
import type { LogLevel } from "../platform/log.ts";
import type { Durability } from "../plugin.ts";
import { EVENT_FLAGS } from "../pubsub/event-flags.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Config } from "./config.ts";
import { userParameters } from "./configured-users.ts";
import type { Engine } from "./engine-port.ts";
import { levelOfWord, levelsByRedisWord, redisWordOfLevel } from "./log-words.ts";

/** Redis refuses a longer password in its configuration. */
const MAX_PASSWORD_BYTES = 512;

/** The level of the log, which may change while kvdb runs. */
export class LogThreshold {
  level: LogLevel;
  redisWord: string;

  constructor(level: LogLevel) {
    this.level = level;
    this.redisWord = redisWordOfLevel[level];
  }
}

export interface ParameterSources {
  readonly config: Config;
  readonly engine: Pick<Engine, "accounts" | "events" | "maxMemoryBytes" | "outputLimits">;
  readonly threshold: LogThreshold;
}

export function kernelParameters(sources: ParameterSources): ServerParameter[] {
  const { config, engine, threshold } = sources;
  return [
    { name: "dir", get: () => config.dir },
    { name: "logfile", get: () => config.logFile ?? "" },
    { name: "databases", get: () => String(config.databases) },
    { name: "enable-debug-command", get: () => config.debugCommand },
    {
      name: "requirepass",
      get: () => engine.accounts.password,
      set: (value) => setPassword(value, engine),
      keep: () => engine.accounts.keepPasswords(),
    },
    ...userParameters(engine),
    {
      name: "maxmemory",
      get: () => String(engine.maxMemoryBytes),
      set: (value) => {
        engine.maxMemoryBytes = readMemorySize(value);
      },
    },
    {
      name: "notify-keyspace-events",
      get: () => engine.events.flags,
      set: (value) => setEventFlags(value, engine),
    },
    {
      name: "client-output-buffer-limit",
      get: () => outputLimitsText(engine.outputLimits.byClass),
      set: (value) => {
        engine.outputLimits.byClass = parseOutputLimits(value, engine.outputLimits.byClass);
      },
    },
    {
      name: "loglevel",
      get: () => threshold.redisWord,
      set: (value) => setLevel(value, threshold),
    },
  ];
}

/**
 * Where the persistence has no such settings of its own: what is so is told, and no more can be had. `durability`: of the
 * persistence, asked each time, because it may change.
 */
export function foreignParameters(durability: () => Durability): ServerParameter[] {
  const reason = '"persistence.use" of the configuration chooses another persistence; "aof" has it';
  return [
    fixed("appendonly", () => (durability() === "none" ? "no" : "yes"), reason),
    fixed("save", () => "", reason),
  ];
}

/** What is so, and cannot be otherwise: told to tools that ask, and taken from who says the same. */
const TRUTHS: Readonly<Record<string, string>> = {
  // A tail that was not synced never prevents a start.
  "aof-load-truncated": "yes",
  "cluster-enabled": "no",
  daemonize: "no",
  "enable-module-command": "no",
  "enable-protected-configs": "no",
  "io-threads": "1",
  "io-threads-do-reads": "no",
  "no-appendfsync-on-rewrite": "no",
  // Of a command of the stream that fails here.
  "propagation-error-behavior": "ignore",
  "proto-max-bulk-len": String(MAX_BULK_BYTES),
  // A copy for replicas has no name from the beginning.
  "rdb-del-sync-files": "yes",
  rdbchecksum: "yes",
  // The log is the backlog: it is there as long as it is kept anyway.
  "repl-backlog-ttl": "0",
  "repl-disable-tcp-nodelay": "no",
  // A copy comes to the disk, and is loaded beside what is served.
  "repl-diskless-load": "disabled",
  // What cannot be recorded is not applied.
  "replica-ignore-disk-write-errors": "no",
  "replica-lazy-flush": "yes",
  supervised: "no",
  "syslog-enabled": "no",
};

/** Older names. */
const OTHER_NAMES: readonly (readonly [older: string, name: string])[] = [
  ["slave-lazy-flush", "replica-lazy-flush"],
];

/** For names that nobody else has. */
export function fixedParameters(): ServerParameter[] {
  const truth = (name: string, value: string) =>
    fixed(name, () => value, `it is always "${value}" here`);
  return [
    ...Object.entries(TRUTHS).map(([name, value]) => truth(name, value)),
    ...OTHER_NAMES.map(([older, name]) => {
      return { ...truth(older, TRUTHS[name] as string), aliasOf: name };
    }),
  ];
}

function fixed(name: string, get: () => string, reason: string): ServerParameter {
  return {
    name,
    get,
    isFixed: true,
    set(value) {
      if (value.toLowerCase() === get()) return;
      throw new CommandError("ERR", `${name} cannot be changed: ${reason}`);
    },
  };
}

function setPassword(value: string, engine: ParameterSources["engine"]): void {
  if (Buffer.byteLength(value) > MAX_PASSWORD_BYTES) {
    throw new CommandError("ERR", `argument is longer than ${MAX_PASSWORD_BYTES} bytes`);
  }
  engine.accounts.password = value;
}

function setEventFlags(value: string, { events }: ParameterSources["engine"]): void {
  if (events.setFlags(value)) return;
  throw new CommandError("ERR", `Invalid event class character. Use '${EVENT_FLAGS}'.`);
}

function setLevel(value: string, threshold: LogThreshold): void {
  const word = value.toLowerCase();
  // Ours too: a reload of the configuration says it in its words.
  const level = levelOfWord(word);
  if (level === undefined) {
    const names = Object.keys(levelsByRedisWord).join(", ");
    throw new CommandError("ERR", `argument(s) must be one of the following: ${names}`);
  }
  threshold.level = level;
  threshold.redisWord = Object.hasOwn(levelsByRedisWord, word) ? word : redisWordOfLevel[level];
}
