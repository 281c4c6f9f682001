/**
 * Changes out of records, one for each key that was changed: what a feed tells. Reads, and runs nothing.
 *
 * A command that changes several keys together (RENAME) stands with the first of them that is told, and `command` is null
 * with the others; so whoever applies the commands of all changes in their order has the same data.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { CommandTable, TableEntry } from "../commands/table.ts";
import { KvdbError } from "../errors.ts";
import { RecordReader } from "../journal/record-reader.ts";
import type { Revision } from "../plugin.ts";
import { type KeyPlan, keyPlanOf } from "./changed-keys.ts";

export interface Change {
  readonly revision: Revision;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly database: number;
  /** Null: it concerns no key, but a whole database (`flushdb`) or an index. */
  readonly key: Buffer | null;
  /** The command in lower case; `expired`, `hexpired` and `evicted` for what no command did. */
  readonly event: string;
  /** As recorded, its name first, in capitals. */
  readonly command: readonly Buffer[] | null;
}

/** What somebody wants to be told. */
export interface ChangeFilter {
  /** Only keys that begin so. What concerns whole databases is told all the same. */
  readonly prefix: Buffer | null;
  /** Whether he may see what becomes of a key, or, asked for null, of every key; null: of every key. */
  readonly mayRead: ((key: Buffer | null) => boolean) | null;
}

/** A record: its payload is bytes[start, end). */
export interface FoundRecord {
  readonly revision: Revision;
  readonly timeMs: number;
  readonly database: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** They concern every key of a database: whoever follows some of them must know. */
const WHOLE_DATABASES = new Set(["flushall", "flushdb", "swapdb"]);

export class ChangeReader {
  readonly #table: CommandTable;
  readonly #reader = new RecordReader();
  readonly #plans = new Map<TableEntry, KeyPlan>();

  constructor(table: CommandTable) {
    this.#table = table;
  }

  /** Adds the changes of a record that pass the filter. Throws a KvdbError("DAMAGE") for what is no record. */
  read(record: FoundRecord, filter: ChangeFilter, changes: Change[]): void {
    const reader = this.#reader;
    const { args } = reader;
    let { database } = record;
    for (let at = record.start; at < record.end; ) {
      at = reader.next(record.bytes, at, record.end);
      if (at < 0) throw damaged(record, reader.problem);
      if (args.count === 0) continue;
      if (args.is(0, "SELECT")) database = args.integer(1);
      else this.#addCommand({ ...record, database }, filter, changes);
    }
  }

  #addCommand(record: FoundRecord, filter: ChangeFilter, changes: Change[]): void {
    const { args, cause } = this.#reader;
    const plan = this.#planOf(record);
    const event = cause === "" ? plan.event : args.is(0, "HDEL") ? `h${cause}` : cause;
    if (plan.step > 0) this.#addEach(record, { plan, event, filter, changes });
    else if (args.is(0, "MOVE")) this.#addMove(record, { plan, event, filter, changes });
    else this.#addTogether(record, { plan, event, filter, changes });
  }

  #planOf(record: FoundRecord): KeyPlan {
    const { args } = this.#reader;
    let entry = this.#table.find(args);
    if (entry !== null && entry.subcommands !== null && args.count > 1) {
      entry = entry.subcommands.get(args.latin(1).toUpperCase()) ?? entry;
    }
    if (entry === null) throw damaged(record, `${args.latin(0)} is no command`);
    let plan = this.#plans.get(entry);
    if (plan === undefined) {
      plan = keyPlanOf(entry.command);
      this.#plans.set(entry, plan);
    }
    return plan;
  }

  /** A command of its own for each key. */
  #addEach(record: FoundRecord, { plan, event, filter, changes }: Adding): void {
    const { args } = this.#reader;
    for (let i = 1; i + plan.step <= args.count; i += plan.step) {
      if (!passes(filter, args, i)) continue;
      const words = wordsOf(args, i, i + plan.step);
      const command = [plan.name, ...words];
      changes.push({ ...told(record), key: words[0] as Buffer, event, command });
    }
  }

  #addTogether(record: FoundRecord, { plan, event, filter, changes }: Adding): void {
    const { args } = this.#reader;
    const changed = plan.changed(args);
    if (changed.length === 0) {
      // The definition of an index names a prefix of keys, and values perhaps.
      const seesAll = filter.prefix === null && filter.mayRead?.(null) !== false;
      if (!seesAll && !WHOLE_DATABASES.has(event)) return;
      changes.push({ ...told(record), key: null, event, command: wholeOf(args, plan) });
      return;
    }
    const database = event === "copy" ? targetOfCopy(args, record.database) : record.database;
    let command: readonly Buffer[] | null = null;
    for (const index of changed) {
      if (!passes(filter, args, index)) continue;
      const isFirst = command === null;
      command ??= this.#whole(plan, filter);
      const key = args.bytes(index);
      changes.push({ ...told(record), database, key, event, command: isFirst ? command : null });
    }
  }

  /** Gone from one database and there in the other. */
  #addMove(record: FoundRecord, { plan, event, filter, changes }: Adding): void {
    const { args } = this.#reader;
    if (!passes(filter, args, 1)) return;
    const key = args.bytes(1);
    changes.push({ ...told(record), key, event, command: this.#whole(plan, filter) });
    changes.push({ ...told(record), database: args.integer(2), key, event, command: null });
  }

  /** Whoever may not read one of its keys is not told of it by the command for another. */
  #whole(plan: KeyPlan, { mayRead }: ChangeFilter): readonly Buffer[] | null {
    const { args } = this.#reader;
    if (mayRead !== null && !plan.named(args).every((index) => mayRead(args.bytes(index)))) {
      return null;
    }
    return wholeOf(args, plan);
  }
}

interface Adding {
  readonly plan: KeyPlan;
  readonly event: string;
  readonly filter: ChangeFilter;
  readonly changes: Change[];
}

function told({ revision, timeMs, database }: FoundRecord) {
  return { revision, timeMs, database };
}

function passes({ prefix, mayRead }: ChangeFilter, args: Arguments, index: number): boolean {
  const start = args.start[index];
  if (prefix !== null) {
    if (args.size(index) < prefix.length) return false;
    const { buffer } = args;
    for (let i = 0; i < prefix.length; i++) if (buffer[start + i] !== prefix[i]) return false;
  }
  return mayRead === null || mayRead(args.bytes(index));
}

function wholeOf(args: Arguments, { name }: KeyPlan): readonly Buffer[] {
  const words = wordsOf(args, 0, args.count);
  words[0] = name;
  return words;
}

/** Arguments [from, to), copied together. */
function wordsOf(args: Arguments, from: number, to: number): Buffer[] {
  const start = args.start[from];
  const copy = Buffer.from(args.buffer.subarray(start, args.end[to - 1]));
  const words: Buffer[] = [];
  for (let i = from; i < to; i++) {
    words.push(copy.subarray(args.start[i] - start, args.end[i] - start));
  }
  return words;
}

/** `COPY source destination [DB number] [REPLACE]`. */
function targetOfCopy(args: Arguments, database: number): number {
  for (let i = 3; i + 1 < args.count; i++) if (args.is(i, "DB")) return args.integer(i + 1);
  return database;
}

function damaged({ revision }: FoundRecord, problem: string): KvdbError {
  return new KvdbError("DAMAGE", `the record of revision ${revision}: ${problem}`);
}
