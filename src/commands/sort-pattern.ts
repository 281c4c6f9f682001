/**
 * The patterns of SORT's BY and GET: `weight_*` names a string by an element of what is sorted, `object_*->field` the field
 * of a hash; `#` is the element itself. An element without such a value has none.
 */
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { HASH, typeOf, valueWord } from "../store/entry.ts";
import { bytesOf, isText } from "./string-value.ts";

/** bytes[start, end): good until something changes. */
export interface Part {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export class SortPattern {
  readonly #session: Session;
  readonly #isElement: boolean;
  /** Before and behind the element in the name of a key; undefined: there is no place for it, and so no such key. */
  readonly #front: Buffer | undefined;
  readonly #back: Buffer;
  /** Empty: the key holds a string. */
  readonly #field: Buffer;
  #key = Buffer.alloc(64);

  constructor(session: Session, text: Buffer) {
    this.#session = session;
    this.#isElement = text.length === 1 && text[0] === 0x23;
    const star = text.indexOf("*");
    const arrow = star < 0 ? -1 : text.indexOf("->", star + 1);
    const hasField = arrow >= 0 && arrow + 2 < text.length;
    this.#front = star < 0 ? undefined : text.subarray(0, star);
    this.#back = text.subarray(star + 1, hasField ? arrow : text.length);
    this.#field = text.subarray(hasField ? arrow + 2 : text.length);
  }

  /** Whether it names the same for all elements: sorting by it is no sorting. */
  get isConstant(): boolean {
    return this.#front === undefined;
  }

  /** What it names for the element; undefined: nothing. */
  valueOf(element: Part): Part | undefined {
    if (this.#isElement) return element;
    if (this.#front === undefined) return undefined;
    const { database } = this.#session;
    const length = this.#writeKey(this.#front, element);
    const entry = database.read(this.#key, 0, length);
    if (entry === 0) return undefined;
    if (this.#field.length > 0) return fieldOf(database, entry, this.#field);
    const { arena, valueStart } = database;
    if (!isText(arena, entry)) return undefined;
    const end = valueStart + valueWord(arena, entry);
    return { bytes: bytesOf(arena, entry), start: valueStart, end };
  }

  #writeKey(front: Buffer, { bytes, start, end }: Part): number {
    const length = front.length + end - start + this.#back.length;
    if (length > this.#key.length) this.#key = Buffer.alloc(2 * length);
    const key = this.#key;
    front.copy(key);
    bytes.copy(key, front.length, start, end);
    this.#back.copy(key, front.length + end - start);
    return length;
  }
}

function fieldOf(database: Database, entry: number, field: Buffer): Part | undefined {
  if (typeOf(database.arena, entry) !== HASH) return undefined;
  const { hashes } = database.keyspace.collections;
  if (!hashes.find(database, entry, field, 0, field.length)) return undefined;
  const { bytes, valueStart, valueEnd } = hashes.field;
  return { bytes, start: valueStart, end: valueEnd };
}
