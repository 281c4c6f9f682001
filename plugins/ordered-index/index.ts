/**
 * The index kind `ordered`: equality, ranges, prefixes and sorting. It keeps the values themselves, in order, so its answers
 * come sorted and are counted without being read. Over `@key` it has the keys of the database.
 */
import {
  ALL_KEYS,
  type DocumentChange,
  definePlugin,
  type Index,
  type IndexAnswer,
  type IndexHost,
  type IndexKind,
  type IndexQuestion,
  type KeyChange,
  type OrderedMap,
  requireUnique,
} from "kvdb";

const orderedKind: IndexKind = {
  name: "ordered",
  summary: "Equality, ranges, prefixes and sorting; also of the keys of the database.",
  supports: { unique: true, compound: true, databaseKeys: true },
  create: (host) => new OrderedIndex(host),
};

export default definePlugin<Record<string, never>>({
  name: "ordered-index",
  apiVersion: 1,
  indexes: () => [orderedKind],
});

class OrderedIndex implements Index {
  readonly #host: IndexHost;
  readonly #map: OrderedMap;

  constructor(host: IndexHost) {
    this.#host = host;
    this.#map = host.orderedMap();
  }

  get size(): number {
    return this.#map.size;
  }

  check({ added }: KeyChange): void {
    if (this.#host.isUnique) requireUnique(this.#host, this.#map, added);
  }

  apply({ document, removed, added }: DocumentChange): void {
    for (const key of removed) this.#map.remove(key, document);
    for (const key of added) this.#map.add(key, document);
  }

  has(key: Uint8Array, document: number): boolean {
    return this.#map.has(key, document);
  }

  placeOf(key: Uint8Array): Uint8Array {
    return this.#map.placeOf(key);
  }

  answer({ ranges, wantsOrder }: IndexQuestion): IndexAnswer | undefined {
    if (ranges === undefined && !wantsOrder) return undefined;
    const wanted = ranges ?? [ALL_KEYS];
    return {
      count: wanted.reduce((total, range) => total + this.#map.countRange(range), 0),
      isExact: ranges !== undefined,
      isOrdered: true,
      open: (reverse) => this.#map.rangeCursor(wanted, reverse),
    };
  }
}
