/**
 * Which keys are hot and which are big, from a sample of the commands that ran: one in 128 on average, of those that are timed
 * anyhow (command-times.ts), so that a command pays some two nanoseconds. What may make a key big at one blow is always looked
 * at: a command with over 64 KiB of arguments, and those that bring a whole value from elsewhere.
 */
import type { Arguments } from "../commands/arguments.ts";
import { keysTouched, takesKeys } from "../commands/command-keys.ts";
import type { Sampler } from "../commands/command-times.ts";
import type { TableEntry } from "../commands/table.ts";
import type { Session } from "../session/session.ts";
import type { BigKeys } from "./big-keys.ts";
import type { HotKeys } from "./hot-keys.ts";

/** Calls between two samples, at most; half of them on average. A power of two. */
const SPREAD = 256;
const SPREAD_SHIFT = 32 - Math.log2(SPREAD);
const LONG_BYTES = 65_536;

/** They make a value of others. */
const BRING_VALUES = new Set([
  ...["BITOP", "COPY", "GEOSEARCHSTORE", "MOVE", "PFMERGE", "RENAME", "RENAMENX", "RESTORE"],
  ...["SDIFFSTORE", "SINTERSTORE", "SORT", "SUNIONSTORE", "ZDIFFSTORE", "ZINTERSTORE"],
  ...["ZRANGESTORE", "ZUNIONSTORE"],
]);

export class KeySampler implements Sampler {
  readonly #hot: HotKeys;
  readonly #big: BigKeys;
  #left = 0;
  /** Calls that the next sample stands for. */
  #calls = 0;
  #seed = 1;

  constructor(hot: HotKeys, big: BigKeys) {
    this.#hot = hot;
    this.#big = big;
  }

  commandRan(entry: TableEntry, session: Session, args: Arguments, calls: number): void {
    this.#calls += calls;
    this.#left -= calls;
    const isSample = this.#left < 0;
    const bytes = args.end[args.count - 1] - args.start[0];
    const isLarge = bytes > LONG_BYTES || BRING_VALUES.has(entry.name);
    if (!isSample && !isLarge) return;
    if (takesKeys(entry.command)) this.#look(entry, session, args, isSample);
    if (!isSample) return;
    this.#calls = 0;
    this.#left = this.#random() >>> SPREAD_SHIFT;
  }

  #look({ command }: TableEntry, session: Session, args: Arguments, isSample: boolean): void {
    const keys = keysTouched(command, args, 0);
    if (keys.length === 0) return;
    const { database } = session;
    const writes = command.flags.includes("write");
    if (isSample) {
      const { index } = keys[(this.#random() >>> 1) % keys.length];
      const [start, end] = [args.start[index], args.end[index]];
      const uses = this.#calls * keys.length;
      if (session.origin !== "replay")
        this.#hot.note(database.index, args.buffer, start, end, uses);
      if (writes) this.#big.look(database, args.buffer, start, end);
      return;
    }
    if (!writes) return;
    for (const { index } of keys) {
      this.#big.look(database, args.buffer, args.start[index], args.end[index]);
    }
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) | 0;
    return this.#seed;
  }
}
