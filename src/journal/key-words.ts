/**
 * What a key is now, as commands that make it so whatever it was before: for records in Redis's words (redis-words.ts).
 * The data is only looked at: no key expires by it, nothing is counted as read.
 *
 *   missing         DEL key
 *   string          SET key value [PXAT milliseconds]
 *   document        #kvdb-json, and the same
 *   with elements   DEL key, RPUSH | SADD | ZADD | HSET key … in pieces, [PEXPIREAT key milliseconds];
 *                   for fields with deadlines #kvdb-do HPEXPIREAT …, of which Redis knows nothing
 *   stream          RESTORE key milliseconds payload ABSTTL REPLACE: commands do not make its groups and what is pending;
 *                   and a sorted set with a score of minus zero, which becomes zero while the set is small
 */
import { sealPayload } from "../rdb/dump-payload.ts";
import { RdbOutput } from "../rdb/rdb-output.ts";
import { ValueEncoder } from "../rdb/value-encoder.ts";
import { CHUNK_SHIFT, type ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { ElementReader } from "../store/element-reader.ts";
import {
  deadlineOf,
  HASH,
  isText,
  JSON_TEXT,
  LIST,
  SET,
  STREAM,
  typeOf,
  valueAt,
  valueWord,
  ZSET,
} from "../store/entry.ts";
import { hashBytes } from "../store/hash.ts";
import { formatDouble } from "../store/number-text.ts";
import { OwnCommand, writeDocumentLine } from "./annotations.ts";
import type { CommandWriter } from "./effects.ts";

/** A value may have millions, and no command should be as long as that. */
const ELEMENTS_PER_COMMAND = 500;

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
  const entry = storedEntry(database, key);
  if (entry === 0) {
    begin(writer, 2, "DEL", key);
    return;
  }
  const type = typeOf(database.arena, entry);
  if (isText(type)) writeText(writer, database, key, entry);
  else if (type === STREAM || hasMinusZero(database, entry)) {
    writePayload(writer, database, key, entry);
  } else writeElements(writer, database, key, entry);
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

function writePayload(
  writer: CommandWriter,
  { arena, keyspace }: Database,
  key: KeyBytes,
  entry: number,
): void {
  const output = new RdbOutput();
  new ValueEncoder(arena, keyspace.collections.types).encode(entry, output);
  sealPayload(output, { isDocument: false, isTimed: false });
  begin(writer, 6, "RESTORE", key);
  writer.integer(deadlineOf(arena, entry));
  writer.bytes(output.bytes, 0, output.end);
  writer.text("ABSTTL");
  writer.text("REPLACE");
}

// ---- values with elements ----

/** The command that adds elements of a type, and how many arguments one of them is. */
const ADDING: Readonly<Record<number, readonly [name: string, width: number]>> = {
  [LIST]: ["RPUSH", 1],
  [SET]: ["SADD", 1],
  [ZSET]: ["ZADD", 2],
  [HASH]: ["HSET", 2],
};

interface Element {
  readonly bytes: Buffer;
  /** Of a field its value, of a member its score; else it is empty. */
  readonly partner: Buffer;
  /** Of a field; 0: none. */
  readonly deadlineMs: number;
}

function writeElements(
  writer: CommandWriter,
  { arena, keyspace }: Database,
  key: KeyBytes,
  entry: number,
): void {
  const type = typeOf(arena, entry);
  begin(writer, 2, "DEL", key);
  const reader = new ElementReader();
  reader.begin(keyspace.collections.types, arena, entry);
  for (;;) {
    const elements = nextElements(reader, type);
    if (elements.length === 0) break;
    writePiece(writer, key, type, elements);
    if (type === HASH) writeFieldDeadlines(writer, key, elements);
  }
  const deadlineMs = deadlineOf(arena, entry);
  if (deadlineMs === 0) return;
  begin(writer, 3, "PEXPIREAT", key);
  writer.integer(deadlineMs);
}

function nextElements(reader: ElementReader, type: number): Element[] {
  const elements: Element[] = [];
  while (elements.length < ELEMENTS_PER_COMMAND && reader.next()) {
    elements.push(elementOf(reader, type));
  }
  return elements;
}

const NO_BYTES = Buffer.alloc(0);

function hasMinusZero({ arena, keyspace }: Database, entry: number): boolean {
  if (typeOf(arena, entry) !== ZSET) return false;
  const reader = new ElementReader();
  reader.begin(keyspace.collections.types, arena, entry);
  while (reader.next()) if (Object.is(reader.number, -0)) return true;
  return false;
}

/** Copied: what the reader shows holds until its next element. */
function elementOf(reader: ElementReader, type: number): Element {
  const { start, end, valueStart, valueEnd, number } = reader;
  const source = reader.bytes as Buffer;
  const bytes = Buffer.from(source.subarray(start, end));
  if (type === HASH) {
    const partner = Buffer.from(source.subarray(valueStart, valueEnd));
    return { bytes, partner, deadlineMs: number };
  }
  const partner = type === ZSET ? Buffer.from(formatDouble(number)) : NO_BYTES;
  return { bytes, partner, deadlineMs: 0 };
}

function writePiece(
  writer: CommandWriter,
  key: KeyBytes,
  type: number,
  elements: readonly Element[],
): void {
  const [name, width] = ADDING[type];
  begin(writer, 2 + width * elements.length, name, key);
  for (const { bytes, partner } of elements) {
    // A score stands in front of its member.
    if (type === ZSET) writer.bytes(partner, 0, partner.length);
    writer.bytes(bytes, 0, bytes.length);
    if (type === HASH) writer.bytes(partner, 0, partner.length);
  }
}

const HPEXPIREAT = Buffer.from("HPEXPIREAT");

/** A line for each deadline that some of the fields have. */
export function writeFieldDeadlines(
  writer: CommandWriter,
  key: KeyBytes,
  fields: readonly Pick<Element, "bytes" | "deadlineMs">[],
): void {
  const timed = fields.filter(({ deadlineMs }) => deadlineMs !== 0);
  for (const [deadlineMs, group] of Map.groupBy(timed, (field) => field.deadlineMs)) {
    const command = new OwnCommand();
    command.word(HPEXPIREAT, 0, HPEXPIREAT.length).word(key.bytes, key.start, key.end);
    for (const word of [`${deadlineMs}`, "FIELDS", `${group.length}`]) {
      command.word(Buffer.from(word), 0, word.length);
    }
    for (const { bytes } of group) command.word(bytes, 0, bytes.length);
    command.writeTo(writer);
  }
}
