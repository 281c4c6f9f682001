/**
 * Reads the base: an RDB, perhaps with commands behind it as an AOF before Redis 7 may have them, or
 * commands alone; of kvdb, or of Redis.
 */
import type { OpenFile } from "kvdb";
import { type FilePart, plainSource, type RecoveryAccount } from "kvdb/persistence";
import { beginsWith, OWN_LINE } from "./group-line.ts";
import { IncrementReader } from "./increment-reader.ts";
import { IncrementRecovery } from "./increment-recovery.ts";
import type { BaseEntry } from "./manifest.ts";
import { RDB_MAGIC, readRdbInto } from "./rdb-reading.ts";
import { RedisText } from "./redis-text.ts";

export interface ReadBase {
  /** What the manifest is to say of it. */
  readonly entry: BaseEntry;
  /** What follows is to be cut: an AOF that ended within a command. */
  readonly cutAt?: number;
}

export class BaseRecovery {
  readonly #account: RecoveryAccount;
  readonly #part: FilePart<BaseEntry>;
  readonly #file: OpenFile;
  readonly #size: number;
  /** Nothing is written behind it: it may end within a command. */
  readonly #isLast: boolean;
  readonly #onProgress: (done: number) => void;

  constructor(
    account: RecoveryAccount,
    given: {
      readonly part: FilePart<BaseEntry>;
      readonly file: OpenFile;
      readonly size: number;
      readonly isLast: boolean;
    },
  ) {
    this.#account = account;
    this.#part = given.part;
    this.#file = given.file;
    this.#size = given.size;
    this.#isLast = given.isLast;
    this.#onProgress = account.beginPart(given.size);
  }

  async run(): Promise<ReadBase> {
    const { own } = this.#part.entry;
    const account = this.#account;
    account.closed = false; // only a closing line behind it tells of a stop in order
    if (own !== undefined) account.checkpointRevision = own.revision;
    if (own !== undefined && own.bytes !== this.#size) {
      const reason = `it has ${this.#size} bytes, but ${own.bytes} were written`;
      const stretch = [Math.min(own.bytes, this.#size), this.#size] as const;
      await account.reportDamage({ source: this.#file, stretch, reason });
    }
    const front = Buffer.alloc(OWN_LINE.length);
    const count = await this.#file.read(front, 0, front.length, 0);
    if (beginsWith(front, 0, count, RDB_MAGIC)) return this.#readRdb();
    if (own?.salt !== undefined || beginsWith(front, 0, count, OWN_LINE)) return this.#readParts();
    if (own !== undefined) return this.#readRdb(); // that it is none, it will say
    return this.#readText(0);
  }

  async #readRdb(): Promise<ReadBase> {
    const { entry } = this.#part;
    const report = await readRdbInto(this.#account, this.#file, this.#onProgress);
    if (report === undefined) return { entry };
    if (report.revision > 0) this.#account.checkpointRevision = report.revision;
    if (report.end < this.#size) return this.#readText(report.end);
    // A manifest that Redis has written again does not say what the file itself does.
    const own = { revision: report.revision, bytes: this.#size };
    return { entry: report.revision > 0 ? { ...entry, own } : { ...entry, size: this.#size } };
  }

  async #readParts(): Promise<ReadBase> {
    const { entry } = this.#part;
    const reader = new IncrementReader(plainSource(this.#file), entry.own?.bytes ?? this.#size);
    reader.onSlice = this.#onProgress;
    const part = {
      ...{ reader, sequence: entry.sequence, isBase: true, isLast: false },
      own: entry.own === undefined ? undefined : { salt: entry.own.salt ?? 0 },
      repeatedFrom: Number.POSITIVE_INFINITY,
    };
    await new IncrementRecovery(this.#account, part).run();
    return { entry: { ...entry, size: this.#size } };
  }

  async #readText(start: number): Promise<ReadBase> {
    const account = this.#account;
    const { entry, path } = this.#part;
    const size = this.#size;
    const text = {
      ...{ source: plainSource(this.#file), start, limit: size, database: 0 },
      firstRevision: Math.max(account.lastRevision, account.checkpointRevision) + 1,
      timeMs: account.options.clock.now(),
      onProgress: this.#onProgress,
    };
    const read = await new RedisText(text, account).run();
    if (read.outcome === "whole") return { entry: { ...entry, size } };
    if (read.outcome === "torn" && this.#isLast) {
      account.reportTail(path, [read.end, size]);
      return { entry: { ...entry, size: read.end }, cutAt: read.end };
    }
    const stretch = [read.end, size] as const;
    const reason = `${read.problem}; what follows cannot be read either`;
    await account.reportDamage({ source: this.#file, stretch, reason });
    return { entry: { ...entry, size } };
  }
}
