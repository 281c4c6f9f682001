/**
 * Entries as a file of RDB (rdb/rdb-file.ts draws it), made of what VALUE.EXPORT answers: values with elements come as RDB
 * already, and are put into the file as they are, but for hashes whose fields have deadlines. Keys are of many moments, so the
 * file states no revision.
 */
import { version as kvdbVersion } from "../../package.json";
import { Crc64 } from "../rdb/crc64.ts";
import { hasIntactFooter, payloadContent, readPayload } from "../rdb/dump-payload.ts";
import { FieldNotes } from "../rdb/field-notes.ts";
import { REDIS_OF_FILES } from "../rdb/file-writer.ts";
import { RdbDamage } from "../rdb/rdb-damage.ts";
import {
  AUX_ENTRY,
  AUX_FIELDS,
  AUX_INDEX,
  AUX_VERSION,
  CHECKSUM_BYTES,
  ENTRY_DOCUMENT,
  MAGIC,
  VERSION_DIGITS,
} from "../rdb/rdb-file.ts";
import { wholeOf } from "../rdb/rdb-input.ts";
import { RdbOutput } from "../rdb/rdb-output.ts";
import {
  RDB_AUX,
  RDB_DATABASE,
  RDB_END,
  RDB_EXPIRES_MS,
  RDB_HASH,
  RDB_HASH_TIMED,
  RDB_STRING,
  RDB_VERSION,
} from "../rdb/rdb-types.ts";
import { ValueCollector } from "../rdb/value-collector.ts";
import { ElementReader } from "../store/element-reader.ts";
import { HASH } from "../store/entry.ts";
import type { TransferEntry } from "./entry.ts";
import type { WholeWriter } from "./entry-writer.ts";

/** There is one value at a time in the table that it hides from collisions. */
const HASH_KEY = [0x6b766462, 0x72646266] as const;

export class RdbWriter implements WholeWriter {
  readonly #checksum = new Crc64();
  readonly #timeMs: number;

  /** `timeMs`: when the file is made, since 1970. */
  constructor(timeMs: number) {
    this.#timeMs = timeMs;
  }

  begin(): Buffer {
    return this.#summed((output) => {
      output.raw(Buffer.from(`${MAGIC}${String(RDB_VERSION).padStart(VERSION_DIGITS, "0")}`));
      writeNote(output, "redis-ver", REDIS_OF_FILES);
      writeNote(output, "redis-bits", "64");
      writeNote(output, "ctime", String(Math.floor(this.#timeMs / 1000)));
      writeNote(output, AUX_VERSION, kvdbVersion);
    });
  }

  database(index: number): Buffer {
    return this.#summed((output) => {
      output.byte(RDB_DATABASE);
      output.length(index);
    });
  }

  add(entry: TransferEntry): Buffer {
    return this.#summed((output) => {
      const { kind, deadlineMs, value } = entry;
      if (kind === "json") writeNote(output, AUX_ENTRY, ENTRY_DOCUMENT);
      if (deadlineMs !== 0) {
        output.byte(RDB_EXPIRES_MS);
        output.moment(deadlineMs);
      }
      if (kind === "dump") writeElements(output, entry);
      else {
        writeKey(output, RDB_STRING, entry);
        output.string(value, 0, value.length);
      }
    });
  }

  index(name: string, definition: string): Buffer {
    return this.#summed((output) => writeNote(output, AUX_INDEX, `${name} ${definition}`));
  }

  finish(): Buffer {
    const end = this.#summed((output) => output.byte(RDB_END));
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    this.#checksum.write(checksum, 0);
    return Buffer.concat([end, checksum]);
  }

  #summed(write: (output: RdbOutput) => void): Buffer {
    const output = new RdbOutput();
    write(output);
    this.#checksum.add(output.bytes, 0, output.end);
    return output.bytes.subarray(0, output.end);
  }
}

function writeNote(output: RdbOutput, name: string, text: string): void {
  output.byte(RDB_AUX);
  for (const part of [name, text]) {
    const bytes = Buffer.from(part);
    output.string(bytes, 0, bytes.length);
  }
}

function writeKey(output: RdbOutput, type: number, { key }: TransferEntry): void {
  output.byte(type);
  output.string(key, 0, key.length);
}

function writeElements(output: RdbOutput, entry: TransferEntry): void {
  const span = wholeOf(entry.value);
  if (!hasIntactFooter(span)) throw new RdbDamage("what the server answered is no value");
  const { type, value } = payloadContent(span);
  if (type === RDB_HASH_TIMED) {
    writeTimedHash(output, entry);
    return;
  }
  writeKey(output, type, entry);
  output.raw(value);
}

/** As a hash that every Redis reads, and its deadlines in notes behind it. */
function writeTimedHash(output: RdbOutput, entry: TransferEntry): void {
  const hash = new ValueCollector(HASH_KEY);
  readPayload(wholeOf(entry.value), hash);
  hash.end();
  writeKey(output, RDB_HASH, entry);
  output.length(hash.count);
  const notes = new FieldNotes();
  const reader = new ElementReader();
  reader.beginRun(HASH, hash.isTimed, hash.run, 0, hash.size);
  while (reader.next()) {
    const { bytes, start, end, valueStart, valueEnd, number } = reader;
    output.string(bytes, start, end);
    output.string(bytes, valueStart, valueEnd);
    notes.add(number);
  }
  const name = Buffer.from(AUX_FIELDS);
  for (const note of notes.take()) {
    output.byte(RDB_AUX);
    output.string(name, 0, name.length);
    output.length(note.end);
    output.append(note);
  }
}
