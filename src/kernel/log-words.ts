/** Redis's words for the levels of the log, and ours. It has one more than we tell apart. */
import type { LogLevel } from "../platform/log.ts";

export const levelsByRedisWord: Readonly<Record<string, LogLevel>> = {
  debug: "debug",
  verbose: "debug",
  notice: "info",
  warning: "warn",
};

export const redisWordOfLevel = {
  debug: "debug",
  info: "notice",
  warn: "warning",
  error: "warning",
} as const satisfies Record<LogLevel, string>;

/** Of a word in either spelling; undefined when it is none. */
export function levelOfWord(text: string): LogLevel | undefined {
  const word = text.toLowerCase();
  if (Object.hasOwn(redisWordOfLevel, word)) return word as LogLevel;
  return Object.hasOwn(levelsByRedisWord, word) ? levelsByRedisWord[word] : undefined;
}
