/**
 * Writes the value of an entry as RDB, by the types that every Redis reads (rdb-types.ts): Redis looks at the elements and keeps
 * them as it keeps any. A document is written as the string of its text; who wants it back as a document says so beside it.
 */
import { type Arena, CHUNK_SHIFT } from "../store/arena.ts";
import { ElementReader } from "../store/element-reader.ts";
import {
  HASH,
  isText,
  LIST,
  SET,
  STREAM,
  typeOf,
  valueAt,
  valueWord,
  ZSET,
} from "../store/entry.ts";
import { StreamReader } from "../store/stream-reader.ts";
import type { ValueTypes } from "../store/value-types.ts";
import type { RdbOutput } from "./rdb-output.ts";
import {
  RDB_HASH,
  RDB_HASH_TIMED,
  RDB_LIST,
  RDB_SET,
  RDB_STREAM_2,
  RDB_STRING,
  RDB_ZSET_2,
} from "./rdb-types.ts";
import { StreamEncoder } from "./stream-encoder.ts";

/** What the elements are, which are counted before they are written. */
interface Census {
  readonly count: number;
  readonly isTimed: boolean;
  /** The earliest deadline of a field; Infinity: there is none. */
  readonly leastMs: number;
}

const CODES: Readonly<Record<number, number>> = {
  [LIST]: RDB_LIST,
  [SET]: RDB_SET,
  [ZSET]: RDB_ZSET_2,
  [HASH]: RDB_HASH,
};

export class ValueEncoder {
  readonly #arena: Arena;
  readonly #types: ValueTypes;
  readonly #reader = new ElementReader();

  constructor(arena: Arena, types: ValueTypes) {
    this.#arena = arena;
    this.#types = types;
  }

  /** Writes the type's byte and the value. True: it has deadlines at fields, which Redis reads from 7.4 on. */
  encode(entry: number, output: RdbOutput): boolean {
    const type = typeOf(this.#arena, entry);
    if (isText(type)) {
      this.#text(entry, output);
      return false;
    }
    if (type === STREAM) {
      this.#stream(entry, output);
      return false;
    }
    const { count, isTimed, leastMs } = this.#census(entry);
    output.byte(isTimed ? RDB_HASH_TIMED : CODES[type]);
    if (isTimed) output.moment(leastMs);
    output.length(count);
    this.#reader.begin(this.#types, this.#arena, entry);
    while (this.#reader.next()) this.#element(type, isTimed ? leastMs : 0, output);
    return isTimed;
  }

  #text(entry: number, output: RdbOutput): void {
    const at = valueAt(this.#arena, entry);
    output.byte(RDB_STRING);
    const bytes = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    output.string(bytes, at, at + valueWord(this.#arena, entry));
  }

  #stream(entry: number, output: RdbOutput): void {
    const encoder = new StreamEncoder(output);
    const reader = new StreamReader();
    output.byte(RDB_STREAM_2);
    encoder.begin(this.#types.of(STREAM).count(entry));
    reader.begin(this.#types, entry);
    while (reader.next()) encoder.add(reader);
    output.append(encoder.end());
  }

  #census(entry: number): Census {
    const reader = this.#reader;
    reader.begin(this.#types, this.#arena, entry);
    let count = 0;
    let leastMs = Number.POSITIVE_INFINITY;
    while (reader.next()) {
      count++;
      if (reader.isTimed && reader.number !== 0 && reader.number < leastMs) leastMs = reader.number;
    }
    return { count, isTimed: leastMs !== Number.POSITIVE_INFINITY, leastMs };
  }

  /** The element that the reader is at. */
  #element(type: number, leastMs: number, output: RdbOutput): void {
    const { bytes, start, end, valueStart, valueEnd, number } = this.#reader;
    if (leastMs !== 0) output.length(number === 0 ? 0 : number - leastMs + 1);
    output.string(bytes, start, end);
    if (type === HASH) output.string(bytes, valueStart, valueEnd);
    if (type === ZSET) output.double(number);
  }
}
