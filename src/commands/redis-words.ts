/**
 * Which commands redis-server 7.0 knows, and leaves the data as kvdb does when it runs what is recorded of them. For who
 * writes records that a Redis server must understand (PersistenceAbilities.redisWords). What becomes of all others is in
 * journal/redis-words.ts.
 *
 * Of a command listed by Redis up to 7.0 its record is Redis's too: options that came later (SET … IFEQ) are recorded by
 * their outcome. A command of which that is not true must be named here.
 */
import type { CommandGroup, CommandInfo } from "./command.ts";

/** What their `since` tells is no version of Redis: that of RedisJSON, of kvdb, of a plugin. */
const FOREIGN: readonly CommandGroup[] = ["json", "value", "index", "plugin"];

/** Redis knows them, and may not follow what is recorded of them. */
const NOT_FOLLOWED = new Set([
  // VALUE.SET of a number that is a document.
  "INCRBYFLOAT",
  // HSETEX of a field that has a deadline.
  "HINCRBYFLOAT",
  // A payload of a later version.
  "RESTORE",
  // Redis leaves the order of what is equal open.
  "SORT",
]);

export function isRecordedInRedisWords({ name, group, since }: CommandInfo): boolean {
  if (FOREIGN.includes(group) || NOT_FOLLOWED.has(name)) return false;
  let isKnown = known.get(since);
  if (isKnown === undefined) {
    isKnown = isUpTo70(since);
    known.set(since, isKnown);
  }
  return isKnown;
}

/** By version: there are some thirty, and hundreds of commands. */
const known = new Map<string, boolean>();

function isUpTo70(since: string): boolean {
  const version = /^(\d+)\.(\d+)\.\d+$/.exec(since);
  if (version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major < 7 || (major === 7 && minor === 0);
}
