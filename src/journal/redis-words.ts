/**
 * Records in the words of redis-server 7.0: what a command did that it does not know, as commands that it knows, and lines
 * that it skips for what there is no command for (annotations.ts). Made when the command is over, while the data is as it
 * left them:
 *
 *   HPEXPIREAT, HPERSIST    a line alone: in Redis the fields stay until they are deleted, which has a record of its own
 *   HSETEX                  HSET, and a line with the deadlines
 *   commands without keys   a line alone: INDEX CREATE
 *   all others              what each of their keys is now (key-words.ts)
 *
 * Not here: which commands need it (commands/redis-words.ts).
 */
import { assert } from "../assert.ts";
import { Arguments } from "../commands/arguments.ts";
import type { CommandInfo } from "../commands/command.ts";
import { keyArguments, takesKeys } from "../commands/command-keys.ts";
import type { CommandTable, TableEntry } from "../commands/table.ts";
import { Decoder } from "../resp/decoder.ts";
import type { Database } from "../store/database.ts";
import { OwnCommand } from "./annotations.ts";
import type { CommandWriter } from "./effects.ts";
import { type KeyBytes, storedEntry, writeFieldDeadlines, writeKeyState } from "./key-words.ts";

const ownCommand = new OwnCommand();

type Translate = (writer: CommandWriter, database: Database, args: Arguments) => void;

const TRANSLATIONS: Readonly<Record<string, Translate>> = {
  HPEXPIREAT: writeAsLine,
  HPERSIST: writeAsLine,
  HSETEX: writeHsetex,
};

export class RedisWords {
  readonly #table: CommandTable;
  readonly #decoder = new Decoder();
  readonly #args = new Arguments();

  constructor(table: CommandTable) {
    this.#table = table;
  }

  /** Writes what commands that are encoded in bytes[start, end) did; the first of them in `database`. */
  writeEncoded(
    writer: CommandWriter,
    database: Database,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const args = this.#args;
    let current = database;
    for (let at = start; at < end; ) {
      const next = this.#decoder.decode(args, bytes, at, end);
      assert(next > at, "what is to be recorded is no complete command");
      if (args.is(0, "SELECT")) {
        current = database.keyspace.databases[args.integer(1)] as Database;
        writer.encoded(bytes, at, next);
      } else this.#write(writer, current, args);
      at = next;
    }
    // They may be large, and must not stay until the next ones.
    args.assign([]);
  }

  /** Writes what the command in `args` did. */
  write(writer: CommandWriter, database: Database, args: Arguments): void {
    this.#write(writer, database, args);
  }

  #write(writer: CommandWriter, database: Database, args: Arguments): void {
    const { command, inRedisWords } = this.#entryOf(args);
    const translate = TRANSLATIONS[command.name];
    if (inRedisWords) writer.arguments(args);
    else if (translate !== undefined) translate(writer, database, args);
    else if (!takesKeys(command)) writeAsLine(writer, database, args);
    else writeKeyStates(writer, database, command, args);
  }

  #entryOf(args: Arguments): TableEntry {
    const entry = this.#table.find(args);
    assert(entry !== null, `what is to be recorded is no command: ${args.latin(0)}`);
    if (entry.subcommands === null || args.count < 2) return entry;
    return entry.subcommands.get(args.latin(1).toUpperCase()) ?? entry;
  }
}

function writeAsLine(writer: CommandWriter, _database: Database, args: Arguments): void {
  for (let i = 0; i < args.count; i++) ownCommand.word(args.buffer, args.start[i], args.end[i]);
  ownCommand.writeTo(writer);
}

/** A key that is named twice is what it is in the end. */
function writeKeyStates(
  writer: CommandWriter,
  database: Database,
  command: CommandInfo,
  args: Arguments,
): void {
  const written = new Set<string>();
  for (const index of keyArguments(command, args, 0)) {
    const name = args.latin(index);
    if (!written.has(name)) writeKeyState(writer, database, keyAt(args, index));
    written.add(name);
  }
}

function keyAt(args: Arguments, index: number): KeyBytes {
  return { bytes: args.buffer, start: args.start[index], end: args.end[index] };
}

/**
 * `HSETEX key PXAT milliseconds | KEEPTTL FIELDS count field value …`, as it is recorded. HSET ends the time of a field, here as in
 * later versions of Redis: the deadlines that the fields have now are set again behind it.
 */
function writeHsetex(writer: CommandWriter, database: Database, args: Arguments): void {
  const first = args.is(2, "KEEPTTL") ? 5 : 6;
  const key = keyAt(args, 1);
  writer.command(2 + args.count - first);
  writer.text("HSET");
  for (const index of [1, ...range(first, args.count)]) {
    writer.bytes(args.buffer, args.start[index], args.end[index]);
  }
  const entry = storedEntry(database, key);
  assert(entry !== 0, "a hash that was just set is not there");
  const { hashes } = database.keyspace.collections;
  const names = new Map<string, { name: Buffer; deadlineMs: number }>();
  for (let index = first; index < args.count; index += 2) {
    const isThere = hashes.find(database, entry, args.buffer, args.start[index], args.end[index]);
    assert(isThere, "a field that was just set is not there");
    const { deadlineMs } = hashes.field;
    names.set(args.latin(index), { name: args.bytes(index), deadlineMs });
  }
  writeFieldDeadlines(writer, key, [...names.values()]);
}

function* range(from: number, to: number): Iterable<number> {
  for (let i = from; i < to; i++) yield i;
}
