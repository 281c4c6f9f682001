/**
 * The largest keys of each type, by bytes and by elements, without a walk over the data: keys are noted when they were seen to
 * be large (key-sampler.ts), and looked at again when somebody asks. In bounded memory: of each type the 16 largest by either
 * measure are kept for sure, up to 64 in between.
 *
 * A key that shrank or went is found out when it is asked for; the next in size are known again once they change.
 */
import type { StoredEntry } from "../plugin.ts";
import type { BigKey } from "../session/server.ts";
import { copyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { ENTRY_TYPES, isText, kindOf, TYPE_NAMES, typeOf } from "../store/entry.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { entryBytes } from "../store/memory-breakdown.ts";

/** How many of a type are told. */
export const KEPT = 16;
const MOST = 64;
/** Smaller ones are not noted, however empty the list is. */
const LEAST_BYTES = 1024;
const LEAST_ELEMENTS = 64;

/** Of a checkpoint, so that loading it does not note each key. */
const LEAST_LOADED_BYTES = 4096;

/** Keys of one type. */
class Candidates {
  #keys = new Map<string, BigKey>();
  #leastBytes = LEAST_BYTES;
  #leastElements = LEAST_ELEMENTS;

  isOfInterest(bytes: number, elements: number): boolean {
    return bytes >= this.#leastBytes || elements >= this.#leastElements;
  }

  add(key: BigKey): void {
    this.#keys.set(nameOf(key), key);
    if (this.#keys.size > MOST) this.replaceAll([...this.#keys.values()]);
  }

  find(key: Pick<BigKey, "database" | "key">): BigKey | undefined {
    return this.#keys.get(nameOf(key));
  }

  get all(): BigKey[] {
    return [...this.#keys.values()];
  }

  /** Keeps the largest of these. */
  replaceAll(keys: readonly BigKey[]): void {
    const byBytes = largest(keys, ({ bytes }) => bytes);
    const byElements = largest(keys, ({ elements }) => elements);
    this.#keys.clear();
    this.#leastBytes = leastOf(byBytes, ({ bytes }) => bytes, LEAST_BYTES);
    this.#leastElements = leastOf(byElements, ({ elements }) => elements, LEAST_ELEMENTS);
    for (const key of [...byBytes, ...byElements]) this.add(key);
  }
}

function nameOf({ database, key }: Pick<BigKey, "database" | "key">): string {
  return `${database} ${key.toString("latin1")}`;
}

type Measure = (key: BigKey) => number;

function largest(keys: readonly BigKey[], measure: Measure): BigKey[] {
  return [...keys].sort((a, b) => measure(b) - measure(a)).slice(0, KEPT);
}

/** What the next one must have to be among the largest. */
function leastOf(keys: readonly BigKey[], measure: Measure, otherwise: number): number {
  const last = keys[KEPT - 1];
  return last === undefined ? otherwise : Math.max(otherwise, measure(last));
}

export class BigKeys {
  readonly #keyspace: Keyspace;
  readonly #byType = new Map<number, Candidates>();

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** Looks at the key bytes[start, end), and keeps it when it is large. Changes nothing else. */
  look(database: Database, bytes: Buffer, start: number, end: number): void {
    const seen = this.#measure(database, bytes, start, end);
    if (seen === null) return;
    const candidates = this.#of(seen.type);
    if (!candidates.isOfInterest(seen.bytes, seen.elements)) return;
    candidates.add({ ...seen, key: Buffer.from(bytes.subarray(start, end)) });
  }

  /** An entry of a checkpoint, perhaps a part of a long value, is about to be loaded: how large it is shows when it is there. */
  expect(database: Database, stored: Readonly<StoredEntry>): void {
    const size = stored.valueEnd - stored.valueStart;
    if (size < LEAST_LOADED_BYTES && !stored.isContinued) return;
    const type = ENTRY_TYPES.indexOf(stored.type);
    if (TYPE_NAMES[type] === undefined) return; // the definition of an index
    const candidates = this.#of(type);
    const key = Buffer.alloc(stored.keyEnd - stored.keyStart);
    copyBytes(stored.keyBytes, stored.keyStart, key, 0, key.length);
    const place = { database: database.index, key };
    const bytes = size + (candidates.find(place)?.bytes ?? 0);
    if (candidates.isOfInterest(bytes, 0)) candidates.add({ ...place, type, bytes, elements: 0 });
  }

  #of(type: number): Candidates {
    const found = this.#byType.get(type);
    if (found !== undefined) return found;
    const candidates = new Candidates();
    this.#byType.set(type, candidates);
    return candidates;
  }

  #measure(
    database: Database,
    bytes: Buffer,
    start: number,
    end: number,
  ): Omit<BigKey, "key"> | null {
    const keyspace = this.#keyspace;
    const { keepsExpired, readVersion } = keyspace;
    keyspace.keepsExpired = true;
    const entry = database.peek(bytes, start, end);
    keyspace.keepsExpired = keepsExpired;
    keyspace.readVersion = readVersion;
    if (entry === 0) return null;
    const type = typeOf(database.arena, entry);
    const values = isText(type)
      ? null
      : keyspace.collections.types.of(kindOf(database.arena, entry));
    return {
      database: database.index,
      type,
      bytes: entryBytes(database, entry),
      elements: values?.count(entry) ?? 0,
    };
  }

  /** Those that were noted. Can be posted. */
  get all(): BigKey[] {
    return [...this.#byType.values()].flatMap((candidates) => candidates.all);
  }

  /** In the place of all others: those of data that were noted elsewhere. */
  replaceAll(keys: readonly BigKey[]): void {
    this.#byType.clear();
    // A key that was posted is a buffer no more.
    for (const one of keys) this.#of(one.type).add({ ...one, key: Buffer.from(one.key) });
  }

  /** The largest as they are now, of all types: the first by bytes, or by elements. */
  largest(by: "bytes" | "elements"): BigKey[] {
    this.#verify();
    return [...this.#byType.values()].flatMap((candidates) =>
      largest(candidates.all, (key) => key[by]).filter((key) => key[by] > 0),
    );
  }

  /** A key may be gone, or have another size or type by now. */
  #verify(): void {
    const known = this.all;
    this.#byType.clear();
    const found = new Map<number, BigKey[]>();
    for (const { database, key } of known) {
      const seen = this.#measure(this.#keyspace.databases[database], key, 0, key.length);
      if (seen === null) continue;
      const ofType = found.get(seen.type) ?? [];
      ofType.push({ ...seen, key });
      found.set(seen.type, ofType);
    }
    for (const [type, keys] of found) this.#of(type).replaceAll(keys);
  }

  clear(): void {
    this.#byType.clear();
  }
}
