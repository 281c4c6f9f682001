/**
 * What a key is now, as commands that make it so whatever it was before: for records in Redis's words (redis-words.ts).
 * The data is only looked at: no key expires by it, nothing is counted as read.
 *
 *   missing              DEL key
 *   string               SET key value [PXAT milliseconds]
 *   document             #kvdb-json, and the same
 *   other values         RESTORE key milliseconds payload ABSTTL REPLACE
 *   hash with deadlines  DEL key, HSET key field value …, [PEXPIREAT key milliseconds], #kvdb-do HPEXPIREAT … for the fields
 */
import { sealPayload } from "../rdb/dump-payload.ts";
import { RdbOutput } from "../rdb/rdb-output.ts";
import { ValueEncoder } from "../rdb/value-encoder.ts";
import { CHUNK_SHIFT, type ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { ElementReader } from "../store/element-reader.ts";
import {
  deadlineOf,
  FLAG_FIELDS,
  flagsOf,
  isText,
  JSON_TEXT,
  typeOf,
  valueAt,
  valueWord,
} from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";
import { OwnCommand, writeDocumentLine } from "./annotations.ts";
import type { CommandWriter } from "./effects.ts";

/** Fields of one command: as many as a line of thought can hold; a hash may have millions. */
const FIELDS_PER_COMMAND = 500;

const HPEXPIREAT = Buffer.from("HPEXPIREAT");

/** The key bytes[start, end). */
export interface KeyBytes {
  readonly bytes: ReadonlyBytes;
  readonly start: number;
  readonly end: number;
}

/** The entry that is stored under the key, whether its time is over or not; 0: none. */
export function storedEntry({ keyspace, record }: Database, { bytes, start, end }: KeyBytes) {
  const hash = hashBytes(keyspace.hashKey0, keyspace.hashKey1, bytes, start, end);
  return keyspace.entries.find(record, hash, bytes, start, end);
}

export function writeKeyState(writer: CommandWriter, database: Database, key: KeyBytes): void {
  const { arena } = database;
  const entry = storedEntry(database, key);
  if (entry === 0) writeDeletion(writer, key);
  else if (isText(typeOf(arena, entry))) writeText(writer, database, key, entry);
  else if ((flagsOf(arena, entry) & FLAG_FIELDS) !== 0) writeHash(writer, database, key, entry);
  else writeElements(writer, database, key, entry);
}

function writeDeletion(writer: CommandWriter, key: KeyBytes): void {
  begin(writer, 2, "DEL", key);
}

function begin(writer: CommandWriter, count: number, name: string, key: KeyBytes): void {
  writer.command(count);
  writer.text(name);
  writer.bytes(key.bytes, key.start, key.end);
}

function writeText(writer: CommandWriter, { arena }: Database, key: KeyBytes, entry: number): void {
  const deadlineMs = deadlineOf(arena, entry);
  if (typeOf(arena, entry) === JSON_TEXT) writeDocumentLine(writer);
  begin(writer, deadlineMs === 0 ? 3 : 5, "SET", key);
  const at = valueAt(arena, entry);
  writer.bytes(arena.bytes[entry >>> CHUNK_SHIFT], at, at + valueWord(arena, entry));
  if (deadlineMs === 0) return;
  writer.text("PXAT");
  writer.integer(deadlineMs);
}

function writeElements(
  writer: CommandWriter,
  { arena, keyspace }: Database,
  key: KeyBytes,
  entry: number,
): void {
  const output = new RdbOutput();
  const isTimed = new ValueEncoder(arena, keyspace.collections.types).encode(entry, output);
  sealPayload(output, { isDocument: false, isTimed });
  begin(writer, 6, "RESTORE", key);
  writer.integer(deadlineOf(arena, entry));
  writer.bytes(output.bytes, 0, output.end);
  writer.text("ABSTTL");
  writer.text("REPLACE");
}

// ---- hashes whose fields expire: 7.0 has no payload for them ----

interface Field {
  readonly name: Buffer;
  readonly value: Buffer;
  readonly deadlineMs: number;
}

function writeHash(writer: CommandWriter, database: Database, key: KeyBytes, entry: number): void {
  const { arena, keyspace } = database;
  writeDeletion(writer, key);
  const reader = new ElementReader();
  reader.begin(keyspace.collections.types, arena, entry);
  for (let isLast = false; !isLast; ) {
    const fields: Field[] = [];
    while (!isLast && fields.length < FIELDS_PER_COMMAND) {
      isLast = !reader.next();
      if (!isLast) fields.push(fieldOf(reader));
    }
    if (fields.length > 0) writeFields(writer, key, fields);
  }
  const deadlineMs = deadlineOf(arena, entry);
  if (deadlineMs === 0) return;
  begin(writer, 3, "PEXPIREAT", key);
  writer.integer(deadlineMs);
}

function fieldOf({ bytes, start, end, valueStart, valueEnd, number }: ElementReader): Field {
  const copy = (from: number, to: number) => Buffer.from((bytes as Buffer).subarray(from, to));
  return { name: copy(start, end), value: copy(valueStart, valueEnd), deadlineMs: number };
}

function writeFields(writer: CommandWriter, key: KeyBytes, fields: readonly Field[]): void {
  begin(writer, 2 + 2 * fields.length, "HSET", key);
  for (const { name, value } of fields) {
    writer.bytes(name, 0, name.length);
    writer.bytes(value, 0, value.length);
  }
  writeFieldDeadlines(writer, key, fields);
}

/** A line for each deadline that some of the fields have. */
export function writeFieldDeadlines(
  writer: CommandWriter,
  key: KeyBytes,
  fields: readonly Pick<Field, "name" | "deadlineMs">[],
): void {
  const timed = fields.filter(({ deadlineMs }) => deadlineMs !== 0);
  for (const [deadlineMs, group] of Map.groupBy(timed, (field) => field.deadlineMs)) {
    const command = new OwnCommand();
    command.word(HPEXPIREAT, 0, HPEXPIREAT.length).word(key.bytes, key.start, key.end);
    for (const word of [`${deadlineMs}`, "FIELDS", `${group.length}`]) {
      command.word(Buffer.from(word), 0, word.length);
    }
    for (const { name } of group) command.word(name, 0, name.length);
    command.writeTo(writer);
  }
}
