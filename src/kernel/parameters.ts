/**
 * The kernel's own names of CONFIG GET and CONFIG SET, and the settings behind them that may change
 * while kvdb runs. Values are written as Redis writes them. What cannot be changed has no `set`.
 */
import { CommandError } from "../commands/command-error.ts";
import { readMemorySize } from "../commands/parameter-values.ts";
import type { LogLevel } from "../platform/log.ts";
import type { Durability, Parameter } from "../plugin.ts";
import type { Config } from "./config.ts";
import type { Engine } from "./engine-port.ts";

/** Redis refuses a longer password in its configuration. */
const MAX_PASSWORD_BYTES = 512;

/**
 * Redis's levels in ours. It has one more than we tell apart, so the word that was set is
 * remembered.
 */
const levels: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  verbose: "debug",
  notice: "info",
  warning: "warn",
};

const redisLevels = {
  debug: "debug",
  info: "notice",
  warn: "warning",
  error: "warning",
} as const satisfies Record<LogLevel, string>;

/** The level of the log, which may change while kvdb runs. */
export class LogThreshold {
  level: LogLevel;
  redisWord: string;

  constructor(level: LogLevel) {
    this.level = level;
    this.redisWord = redisLevels[level];
  }
}

export interface ParameterSources {
  readonly config: Config;
  readonly engine: Pick<Engine, "accounts" | "maxMemoryBytes">;
  /** Of the persistence; asked at each CONFIG GET, because it may change. */
  readonly durability: () => Durability;
  readonly threshold: LogThreshold;
}

export function kernelParameters(sources: ParameterSources): Parameter[] {
  const { config, engine, durability, threshold } = sources;
  return [
    { name: "dir", get: () => config.dir },
    { name: "databases", get: () => String(config.databases) },
    { name: "appendonly", get: () => (durability() === "none" ? "no" : "yes") },
    // Tools ask for it before anything else, and what they are told is so.
    { name: "maxmemory-policy", get: () => "noeviction" },
    {
      name: "requirepass",
      get: () => engine.accounts.password,
      set: (value) => setPassword(value, engine),
    },
    {
      name: "maxmemory",
      get: () => String(engine.maxMemoryBytes),
      set: (value) => {
        engine.maxMemoryBytes = readMemorySize(value);
      },
    },
    {
      name: "loglevel",
      get: () => threshold.redisWord,
      set: (value) => setLevel(value, threshold),
    },
  ];
}

function setPassword(value: string, engine: ParameterSources["engine"]): void {
  if (Buffer.byteLength(value) > MAX_PASSWORD_BYTES) {
    throw new CommandError("ERR", `argument is longer than ${MAX_PASSWORD_BYTES} bytes`);
  }
  engine.accounts.password = value;
}

function setLevel(value: string, threshold: LogThreshold): void {
  const word = value.toLowerCase();
  if (!Object.hasOwn(levels, word)) {
    const names = Object.keys(levels).join(", ");
    throw new CommandError("ERR", `argument must be one of the following: ${names}`);
  }
  threshold.level = levels[word];
  threshold.redisWord = word;
}
