/**
 * The end of fields: whether their time is over, what is said of it, and removing them from a hash of either form.
 */
import type { Arena, ReadonlyBytes } from "./arena.ts";
import type { BigHash } from "./big-hash.ts";
import type { Database } from "./database.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import { encodingOf, STRUCTURE, valueWord } from "./entry.ts";
import { HashField } from "./hash-field.ts";
import type { PackedHash } from "./packed-hash.ts";

/** Whether a deadline has passed, and with it the field is gone for everybody; 0 is none. */
export function isOver(database: Database, deadlineMs: number): boolean {
  const { nowMs, expiring } = database.keyspace;
  return deadlineMs !== 0 && deadlineMs <= nowMs && expiring;
}

/** The field bytes[start, end) of the entry has expired. */
export function noteExpired(
  database: Database,
  entry: number,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
): void {
  database.keyspace.statistics.expiredFields++;
  database.keyspace.onFieldExpired(database, entry, bytes, start, end);
}

export class HashExpiry {
  readonly #arena: Arena;
  readonly #packed: PackedHash;
  readonly #big: BigHash;
  readonly #field = new HashField();

  constructor(arena: Arena, packed: PackedHash, big: BigHash) {
    this.#arena = arena;
    this.#packed = packed;
    this.#big = big;
  }

  /** Removes fields whose time is over, of a big hash a bounded number; answers the entry, 0 when none is left. */
  expireOver(database: Database, entry: number): number {
    return encodingOf(this.#arena, entry) === STRUCTURE
      ? this.#expireBig(database, entry)
      : this.#expirePacked(database, entry);
  }

  #expirePacked(database: Database, entry: number): number {
    const field = this.#field;
    let target = entry;
    while (target !== 0) {
      const at = this.#packed.findOver(target, database.keyspace.nowMs);
      if (at < 0) break;
      field.readRun(this.#packed.run(target), at, true);
      noteExpired(database, target, field.bytes, field.fieldStart, field.fieldEnd);
      target = this.#packed.remove(database, target, at);
    }
    return target;
  }

  #expireBig(database: Database, entry: number): number {
    const root = valueWord(this.#arena, entry);
    let expired = 0;
    this.#big.expire(database, root, ({ bytes, fieldStart, fieldEnd }) => {
      noteExpired(database, entry, bytes, fieldStart, fieldEnd);
      expired++;
    });
    if (expired === 0) return entry;
    // Each counts as one change; the last is counted with what becomes of the entry.
    database.keyspace.changes += expired - 1;
    if (this.#big.count(root) > 0) {
      database.touch(entry);
      return entry;
    }
    database.remove(entry);
    return 0;
  }

  /** All fields of a big hash are over: they go, and with them the entry. Answers 0. */
  expireAll(database: Database, entry: number): number {
    const root = valueWord(this.#arena, entry);
    const field = this.#field;
    const found = new Int32Array(SEGMENT_SLOTS);
    // Each counts as one change; the last is counted with the entry.
    database.keyspace.changes += this.#big.count(root) - 1;
    let place = 0;
    do {
      place = this.#big.elementsOfSegment(root, place, found);
      for (let i = 0; i < this.#big.dictionary.foundCount; i++) {
        field.readElement(this.#arena, found[i] as number);
        noteExpired(database, entry, field.bytes, field.fieldStart, field.fieldEnd);
      }
    } while (place !== 0);
    database.remove(entry);
    return 0;
  }
}
