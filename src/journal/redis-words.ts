/**
 * Records in the words of redis-server 7.0: what a command did that it does not know, as commands that it knows, and lines
 * that it skips for what there is no command for (annotations.ts). Made when the command is over, while the data is as it
 * left them:
 *
 *   HPEXPIREAT, HPERSIST    a line alone: in Redis the fields stay until they are deleted, which has a record of its own
 *   HSETEX                  HSET, and a line with the deadlines
 *   commands without keys   a line alone: INDEX CREATE
 *   all others              what each of the keys that they write is now (key-words.ts)
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

const NO_BYTES = Buffer.alloc(0);
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
  readonly #translations = new Map<TableEntry, Translate>();

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
      } else this.write(writer, current, args);
      at = next;
    }
    // They may be large, and must not stay until the next ones.
    args.buffer = NO_BYTES;
  }

  /** Writes what the command in `args` did. */
  write(writer: CommandWriter, database: Database, args: Arguments): void {
    const entry = this.#entryOf(args);
    if (entry.inRedisWords) {
      writer.arguments(args);
      return;
    }
    let translate = this.#translations.get(entry);
    if (translate === undefined) {
      translate = translationOf(entry.command);
      this.#translations.set(entry, translate);
    }
    translate(writer, database, args);
  }

  #entryOf(args: Arguments): TableEntry {
    const entry = this.#table.find(args);
    assert(entry !== null, `what is to be recorded is no command: ${args.latin(0)}`);
    if (entry.subcommands === null || args.count < 2) return entry;
    return entry.subcommands.get(args.latin(1).toUpperCase()) ?? entry;
  }
}

function translationOf(command: CommandInfo): Translate {
  const own = TRANSLATIONS[command.name];
  if (own !== undefined) return own;
  if (!takesKeys(command)) return writeAsLine;
  const { keys, keysCountedAt, keysBehind, keyAfter } = command;
  const isOnlyKey = keys?.[0] === 1 && keys[1] === 1;
  if (isOnlyKey && (keysCountedAt ?? keysBehind ?? keyAfter) === undefined) return writeFirstKey;
  // Where an option names the key that is written, the first one was only read.
  const read = keyAfter === undefined ? 0 : 1;
  return (writer, database, args) =>
    writeKeyStates(writer, database, keyArguments(command, args, 0).slice(read), args);
}

function writeFirstKey(writer: CommandWriter, database: Database, args: Arguments): void {
  writeKeyState(writer, database, keyAt(args, 1));
}

function writeAsLine(writer: CommandWriter, _database: Database, args: Arguments): void {
  for (let i = 0; i < args.count; i++) ownCommand.word(args.buffer, args.start[i], args.end[i]);
  ownCommand.writeTo(writer);
}

/**
 * The keys are the arguments `keys`. One that is named twice is what it is in the end. Where there are indexes the old values make
 * way first, as they did here: what is unique may have gone from one key to another.
 */
function writeKeyStates(
  writer: CommandWriter,
  database: Database,
  keys: readonly number[],
  args: Arguments,
): void {
  const first = new Map([...keys].reverse().map((index) => [args.latin(index), index]));
  const written = keys.filter((index) => first.get(args.latin(index)) === index);
  if (written.length > 1 && database.keyspace.entryObserver !== null) {
    writer.command(1 + written.length);
    writer.text("DEL");
    for (const index of written) writer.bytes(args.buffer, args.start[index], args.end[index]);
  }
  for (const index of written) writeKeyState(writer, database, keyAt(args, index));
}

function keyAt(args: Arguments, index: number): KeyBytes {
  return { bytes: args.buffer, start: args.start[index], end: args.end[index] };
}

/**
 * `HSETEX key PXAT milliseconds | KEEPTTL FIELDS count field value …`, as it is recorded. HSET ends the time of a field,
 * here as in later versions of Redis: the deadlines that the fields have now are set again behind it.
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
  const names = new Map<string, { bytes: Buffer; deadlineMs: number }>();
  for (let index = first; index < args.count; index += 2) {
    const isThere = hashes.find(database, entry, args.buffer, args.start[index], args.end[index]);
    assert(isThere, "a field that was just set is not there");
    const { deadlineMs } = hashes.field;
    names.set(args.latin(index), { bytes: args.bytes(index), deadlineMs });
  }
  writeFieldDeadlines(writer, key, [...names.values()]);
}

function* range(from: number, to: number): Iterable<number> {
  for (let i = from; i < to; i++) yield i;
}
