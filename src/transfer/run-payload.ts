/**
 * Elements as they leave the engine (plugin.ts, StoredEntry) as what DUMP answers of them, which RESTORE and VALUE.IMPORT take:
 * those of a checkpoint, of a file of Redis, of a readable file.
 *
 * A stream goes through a keyspace of its own, which nobody else sees: only as a whole it can be told what stands in front.
 */
import { seededRandom } from "../platform/random.ts";
import { sealPayload } from "../rdb/dump-payload.ts";
import { RdbOutput } from "../rdb/rdb-output.ts";
import { RDB_HASH, RDB_HASH_TIMED, RDB_LIST, RDB_SET, RDB_ZSET_2 } from "../rdb/rdb-types.ts";
import { ValueEncoder } from "../rdb/value-encoder.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import { ElementReader } from "../store/element-reader.ts";
import { HASH, LIST, PACKED, SET, STREAM, ZSET } from "../store/entry.ts";
import { Keyspace } from "../store/keyspace.ts";

/** Whole elements: run[at, end). */
export interface RunPart {
  readonly run: ReadonlyBytes;
  readonly at: number;
  readonly end: number;
  /** Fields have deadlines, 0 or not. */
  readonly isTimed: boolean;
}

/** `type`: as entries store it. Throws a RangeError when the parts are no elements of it. */
export function payloadOfRun(type: number, parts: readonly RunPart[]): Buffer {
  if (type === STREAM) return payloadOfStream(parts);
  const output = new RdbOutput();
  const { count, leastMs } = census(type, parts);
  const isTimed = leastMs !== Number.POSITIVE_INFINITY;
  output.byte(isTimed ? RDB_HASH_TIMED : (CODES[type] as number));
  if (isTimed) output.moment(leastMs);
  output.length(count);
  for (const part of parts) writePart(type, part, isTimed ? leastMs : 0, output);
  return sealed(output, isTimed);
}

const CODES: Readonly<Record<number, number>> = {
  [LIST]: RDB_LIST,
  [SET]: RDB_SET,
  [ZSET]: RDB_ZSET_2,
  [HASH]: RDB_HASH,
};

const reader = new ElementReader();

function census(type: number, parts: readonly RunPart[]): { count: number; leastMs: number } {
  let count = 0;
  let leastMs = Number.POSITIVE_INFINITY;
  for (const { run, at, end, isTimed } of parts) {
    reader.beginRun(type, isTimed, run, at, end);
    while (reader.next()) {
      count++;
      if (isTimed && reader.number !== 0 && reader.number < leastMs) leastMs = reader.number;
    }
  }
  return { count, leastMs };
}

function writePart(type: number, part: RunPart, leastMs: number, output: RdbOutput): void {
  reader.beginRun(type, part.isTimed, part.run, part.at, part.end);
  while (reader.next()) {
    const { bytes, start, end, valueStart, valueEnd } = reader;
    const number = type === ZSET || part.isTimed ? reader.number : 0;
    if (leastMs !== 0) output.length(number === 0 ? 0 : number - leastMs + 1);
    output.string(bytes, start, end);
    if (type === HASH) output.string(bytes, valueStart, valueEnd);
    if (type === ZSET) output.double(number);
  }
}

function sealed(output: RdbOutput, isTimed: boolean): Buffer {
  sealPayload(output, { isDocument: false, isTimed });
  return output.bytes.subarray(0, output.end);
}

/** There is one value at a time in the table that it hides from collisions. */
const HASH_KEY = [0x6b766462, 0x656c656d] as const;
const KEY = Buffer.from("value");
/** Made when it is needed first, and used again: a keyspace has a megabyte and more. */
let scratch: { readonly keyspace: Keyspace; readonly encoder: ValueEncoder } | undefined;

function payloadOfStream(parts: readonly RunPart[]): Buffer {
  scratch ??= makeScratch();
  const { keyspace, encoder } = scratch;
  const [database] = keyspace.databases;
  const { types } = keyspace.collections;
  const find = () => database.find(KEY, 0, KEY.length);
  find();
  let entry = database.put(0, KEY, 0, KEY.length, STREAM | (PACKED << 4), 0, 0, 0);
  try {
    for (const part of parts) entry = types.of(STREAM).readPart(database, entry, part);
    const output = new RdbOutput();
    encoder.encode(entry, output);
    return sealed(output, false);
  } finally {
    database.remove(find());
    while (!keyspace.reapSlice());
  }
}

function makeScratch(): { keyspace: Keyspace; encoder: ValueEncoder } {
  const options = { databases: 1, hashKey: HASH_KEY, nowMs: 0, random: seededRandom(1) };
  const keyspace = new Keyspace(options);
  keyspace.expiring = false;
  return { keyspace, encoder: new ValueEncoder(keyspace.arena, keyspace.collections.types) };
}
