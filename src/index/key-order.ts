/**
 * The keys of a database in byte order, out of an index of keys that has those within the bounds. The index knows a key by
 * the bytes of index-key.ts, whose order is that of keys, and by the number of its document, under which the key itself is
 * looked up.
 *
 * Of a key of nearly 1024 bytes the index has the beginning alone. Those that begin alike are taken together then and put in
 * order by themselves.
 */
import { MAX_INDEX_KEY_BYTES } from "../limits.ts";
import type { KeyRange } from "../query/bounds.ts";
import { IndexKeyWriter } from "../query/index-key.ts";
import { areBehindPrefix, isWithin, type KeyBounds, type KeyOrder } from "../session/key-order.ts";
import { CHUNK_SHIFT } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { keyAt, keySize } from "../store/entry.ts";
import type { IndexAnswer } from "./contract.ts";
import type { LiveIndex } from "./live-index.ts";
import { ALL_KEYS } from "./structures.ts";

/** `indexes`: those of the database. Undefined: none of them has all keys within the bounds in order. */
export function keyOrder(
  indexes: readonly LiveIndex[],
  database: Database,
  bounds: KeyBounds,
): KeyOrder | undefined {
  for (const index of indexes) {
    if (!index.isKeyIndex || index.state !== "ready" || index.isReplacement) continue;
    if (!areBehindPrefix(bounds, Buffer.from(index.definition.prefix))) continue;
    const answer = index.answer({ conditions: [], ranges: [indexRange(bounds)], wantsOrder: true });
    if (answer?.isOrdered === true) return new OrderedKeys(database, bounds, answer);
  }
  return undefined;
}

/** As keys of the index. Where a bound is cut, some that lie outside have the same beginning. */
function indexRange({ low, includesLow, high, includesHigh }: KeyBounds): KeyRange {
  return {
    low: low === null ? ALL_KEYS.low : lowBound(low, includesLow),
    high: high === null ? ALL_KEYS.high : highBound(high, includesHigh),
    isPoint: false,
  };
}

function lowBound(key: Buffer, isIncluded: boolean): Buffer {
  const [bytes, isCut] = indexKey(key);
  return isIncluded || isCut ? bytes : Buffer.concat([bytes, ALL_KEYS.high]);
}

function highBound(key: Buffer, isIncluded: boolean): Buffer {
  const [bytes, isCut] = indexKey(key);
  return isIncluded || isCut ? Buffer.concat([bytes, ALL_KEYS.high]) : bytes;
}

const writer = new IndexKeyWriter(MAX_INDEX_KEY_BYTES);

function indexKey(key: Buffer): [key: Buffer, isCut: boolean] {
  writer.begin();
  writer.text(key, 0, key.length);
  return [writer.key(), writer.isCut];
}

type Visit = (entry: number) => boolean;

class OrderedKeys implements KeyOrder {
  readonly #database: Database;
  readonly #bounds: KeyBounds;
  readonly #answer: IndexAnswer;

  constructor(database: Database, bounds: KeyBounds, answer: IndexAnswer) {
    this.#database = database;
    this.#bounds = bounds;
    this.#answer = answer;
  }

  get count(): number {
    return this.#answer.count;
  }

  walk(reverse: boolean, visit: Visit): void {
    const { keyspace } = this.#database;
    // Keys that are not there any more were seen, too.
    keyspace.noteAll();
    const cursor = this.#answer.open(reverse);
    let alike: AlikeKeys | undefined;
    while (cursor.next()) {
      keyspace.statistics.examined++;
      const { key, document } = cursor;
      if (alike !== undefined && !alike.start.equals(key)) {
        if (!alike.visit(reverse, visit)) return;
        alike = undefined;
      }
      if (key.length === MAX_INDEX_KEY_BYTES) {
        alike ??= new AlikeKeys(Buffer.from(key));
        const { keys } = alike;
        this.#each(key, document, (entry, whole) => keys.push({ entry, key: whole }) > 0);
      } else if (!this.#each(key, document, visit)) return;
    }
    alike?.visit(reverse, visit);
  }

  /** The entries behind a pair of the index: as a rule one. */
  #each(key: Uint8Array, document: number, visit: (entry: number, key: Buffer) => boolean) {
    let goesOn = true;
    this.#database.eachWithHash(document | 0, (entry) => {
      const whole = keyOf(this.#database, entry);
      if (!goesOn || !isWithin(whole, this.#bounds)) return;
      writer.begin();
      writer.text(whole, 0, whole.length);
      // Another key may have the same number.
      if (writer.size !== key.length) return;
      if (writer.bytes.compare(key, 0, key.length, 0, writer.size) !== 0) return;
      goesOn = visit(entry, whole);
    });
    return goesOn;
  }
}

/** Keys that are the same as far as the index has them. */
class AlikeKeys {
  readonly start: Buffer;
  readonly keys: { entry: number; key: Buffer }[] = [];

  constructor(start: Buffer) {
    this.start = start;
  }

  visit(reverse: boolean, visit: Visit): boolean {
    const direction = reverse ? -1 : 1;
    this.keys.sort((one, other) => direction * Buffer.compare(one.key, other.key));
    return this.keys.every(({ entry }) => visit(entry));
  }
}

/** A view, good until the next change. */
function keyOf({ arena }: Database, entry: number): Buffer {
  const at = keyAt(arena, entry);
  return (arena.bytes[entry >>> CHUNK_SHIFT] as Buffer).subarray(at, at + keySize(arena, entry));
}
