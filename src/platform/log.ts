/**
 * What kvdb tells the person who runs it: one line an event, to standard error, time, level and the
 * part that speaks. Never a secret and never a user's value goes into a line. Logging must not fail
 * what it reports on: a line that cannot be written is lost.
 *
 *   2026-03-01T12:00:00.000Z warn  wal: the last write failed segment=3 errno=ENOSPC
 *   {"time":"2026-03-01T12:00:00.000Z","level":"warn","part":"wal","message":"the last write failed","segment":3,"errno":"ENOSPC"}
 */
import type { Clock } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "text" | "json";
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry this name, after the parent's: `plugins/wal`. */
  child(name: string): Log;
}

export interface LogOptions {
  readonly clock: Clock;
  /** Lines below it are not written. Asked at each line, so that it may change at run time. */
  readonly level: () => LogLevel;
  /** Whether of a field with several lines, a stack, the first alone is written. Asked like `level`. */
  readonly isBrief?: () => boolean;
  /** `json`: each line is an object, for machines. Default: `text`, for people. */
  readonly format?: LogFormat;
  /** Takes one finished line with its newline. Default: standard error. */
  readonly write?: (line: string) => void;
}

const rank = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<LogLevel, number>;

export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  return createNamedLog(options, write, "");
}

/** For the one-shot command line, where nothing but the answer may appear. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

function createNamedLog(options: LogOptions, write: (line: string) => void, name: string): Log {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (rank[level] < rank[options.level()]) return;
    const time = new Date(options.clock.now()).toISOString();
    const isBrief = options.isBrief?.() ?? false;
    const shown = shownFields(fields, isBrief);
    if (options.format === "json") {
      write(`${JSON.stringify({ time, level, part: name, message, ...besides(shown) })}\n`);
      return;
    }
    const speaker = name === "" ? "" : `${name}: `;
    write(`${time} ${level.padEnd(5)} ${speaker}${oneLine(message)}${fieldsText(shown)}\n`);
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (child) => createNamedLog(options, write, name === "" ? child : `${name}/${child}`),
  };
}

type Shown = readonly (readonly [key: string, value: string | number | boolean])[];

function shownFields(fields: LogFields | undefined, isBrief: boolean): Shown {
  return Object.entries(fields ?? {}).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const isLong = isBrief && typeof value === "string";
    return [[key, isLong ? value.replace(/\r?\n.*$/s, "") : value] as const];
  });
}

/** A field of the name of what every line has stands beside it. */
function besides(fields: Shown): Record<string, unknown> {
  const taken = ["time", "level", "part", "message"];
  return Object.fromEntries(
    fields.map(([key, value]) => [taken.includes(key) ? `${key}_` : key, value]),
  );
}

function fieldsText(fields: Shown): string {
  let line = "";
  for (const [key, value] of fields) {
    const shown = String(value);
    line += ` ${key}=${/^[\w./:+-]+$/.test(shown) ? shown : JSON.stringify(shown)}`;
  }
  return line;
}

/**
 * A message may quote bytes from outside: a line break or an escape in it must not forge a second
 * line.
 */
function oneLine(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return message.replace(/[\u0000-\u001f\u007f]+/g, " ");
}
