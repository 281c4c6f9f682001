/**
 * Which keys a recorded command has changed, and the command that does to one of them what was done to it. A record holds
 * what came of a command, so most name one key. Of the others:
 *
 *   MSET, DEL, JSON.MSET …    many keys, each for itself: a command of its own for each
 *   SUNIONSTORE, BITOP …      the first key is written, the others were read
 *   COPY                      the second one
 *   SORT … STORE, GEORADIUS   the one behind the word
 *   RENAME, LMOVE, SMOVE …    both
 */
import type { Arguments } from "../commands/arguments.ts";
import type { CommandInfo } from "../commands/command.ts";
import { keyArguments, takesKeys } from "../commands/command-keys.ts";

/** How the changed keys of a command are found. */
export interface KeyPlan {
  /** As a change tells what happened: `set`, `xgroup-create`. */
  readonly event: string;
  /** Its name, or that of its container, in capitals: clients write it as they like. */
  readonly name: Buffer;
  /** Arguments of one key in a command that changes each of its keys for itself, the key first; 0: it is no such command. */
  readonly step: number;
  /** The arguments that are changed keys; none: it concerns whole databases, or no key at all. */
  changed(args: Arguments): readonly number[];
  /** All arguments that are keys. */
  named(args: Arguments): readonly number[];
}

/** Each key has so many arguments, and what happens to it has to do with no other one. */
const STEPS: Readonly<Record<string, number>> = {
  MSET: 2,
  MSETNX: 2,
  DEL: 1,
  UNLINK: 1,
  "JSON.MSET": 3,
  "VALUE.BATCH": 4,
  "VALUE.IMPORT": 4,
};

/** They write their first key and read the others. */
const FIRST_KEY = new Set([
  ...["BITOP", "PFMERGE", "SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE", "ZRANGESTORE"],
  ...["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "GEOSEARCHSTORE"],
]);

const NONE: readonly number[] = [];
const FIRST: readonly number[] = [1];

export function keyPlanOf(command: CommandInfo): KeyPlan {
  const event = command.name.toLowerCase().replace("|", "-");
  const name = Buffer.from(command.name.split("|", 1)[0] as string);
  const known = { event, name, step: STEPS[command.name] ?? 0 };
  if (!takesKeys(command)) return { ...known, changed: () => NONE, named: () => NONE };
  const { keys, keysCountedAt, keysBehind, keyAfter } = command;
  const others = keysCountedAt ?? keysBehind ?? keyAfter;
  if (keys?.join() === "1,1,1" && others === undefined) {
    return { ...known, changed: () => FIRST, named: () => FIRST };
  }
  const named = (args: Arguments) => keyArguments(command, args, 0);
  const changed = (args: Arguments) => written(command, named(args));
  return { ...known, changed, named };
}

function written({ name, keyAfter }: CommandInfo, keys: readonly number[]): readonly number[] {
  if (keyAfter !== undefined || name === "COPY") return keys.slice(1);
  return FIRST_KEY.has(name) ? keys.slice(0, 1) : keys;
}
