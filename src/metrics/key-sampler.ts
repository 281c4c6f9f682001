/**
 * Which keys are hot and which are big, from a sample of the commands that ran: one in 512 on average, of those that are timed
 * anyhow (command-times.ts). It costs under a microsecond, so a command pays some two nanoseconds. What may make a key big at one blow is always looked
 * at: a command with over 64 KiB of arguments, and those that bring a whole value from elsewhere.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { CommandInfo } from "../commands/command.ts";
import { TouchedKeys, takesKeys } from "../commands/command-keys.ts";
import type { Sampler } from "../commands/command-times.ts";
import type { TableEntry } from "../commands/table.ts";
import type { Session } from "../session/session.ts";
import type { BigKeys } from "./big-keys.ts";
import type { HotKeys } from "./hot-keys.ts";

/** Calls between two samples, at most; half of them on average. A power of two. */
const SPREAD = 1024;
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
  readonly #keys = new TouchedKeys();
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
    const writes = command.flags.includes("write");
    if (isSample) this.#sample(command, session, args, writes);
    else if (writes) {
      const { database } = session;
      this.#keys.fill(command, args, 0);
      for (let i = 0; i < this.#keys.count; i++) {
        const index = this.#keys.indexes[i];
        this.#big.look(database, args.buffer, args.start[index], args.end[index]);
      }
    }
  }

  /** One of its keys, which stands for all of them. */
  #sample(command: CommandInfo, session: Session, args: Arguments, writes: boolean): void {
    const { database, origin } = session;
    const keys = this.#keys;
    keys.fill(command, args, 0);
    if (keys.count === 0) return;
    const index = keys.indexes[(this.#random() >>> 8) % keys.count];
    const [start, end] = [args.start[index], args.end[index]];
    const uses = this.#calls * keys.count;
    if (origin !== "replay") this.#hot.note(database.index, args.buffer, start, end, uses);
    if (writes) this.#big.look(database, args.buffer, start, end);
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) | 0;
    return this.#seed;
  }
}
