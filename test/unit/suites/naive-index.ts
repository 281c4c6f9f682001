/**
 * Kinds of indexes as simple as can be: every question is answered with all documents, which are candidates. They test the
 * host and the suite: what fails with them too is no fault of a kind.
 */
import { createHash } from "node:crypto";
import {
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
} from "../../../src/plugin.ts";
import { jsonText, type Value } from "../../../src/query/value.ts";
import { EVERYTHING } from "../../suites/index-questions.ts";

/** The keys as they come. */
export const naiveKind: IndexKind = {
  name: "naive",
  summary: "All there is.",
  supports: { unique: true, compound: true, databaseKeys: true },
  create: (host) => new NaiveIndex(host),
};

/** The whole values of each document, in their order, as one text: it notices each that it is not told of. */
export const readingKind: IndexKind = {
  name: "reading",
  summary: "All there is, by its whole values.",
  supports: { unique: false, compound: false, databaseKeys: false },
  readsValues: true,
  create: (host) => new ReadingIndex(host),
};

export const naivePlugin = definePlugin<Record<string, never>>({
  name: "naive-indexes",
  apiVersion: 1,
  indexes: () => [naiveKind, readingKind],
});

class NaiveIndex implements Index {
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
    for (const key of removed) take(this.#map, key, document);
    for (const key of added) this.#map.add(key, document);
  }

  has(key: Uint8Array, document: number): boolean {
    return this.#map.has(key, document);
  }

  answer(): IndexAnswer {
    return all(this.#map);
  }
}

/** Conditions that no document without a value fulfils. */
const OF_VALUES = new Set(["equal", "in", "range", "prefix", "regex"]);

class ReadingIndex implements Index {
  readonly #map: OrderedMap;

  constructor(host: IndexHost) {
    this.#map = host.orderedMap();
  }

  apply({ document, valuesBefore, valuesAfter }: DocumentChange): void {
    if (valuesBefore.length > 0) take(this.#map, digestOf(valuesBefore), document);
    if (valuesAfter.length > 0) this.#map.add(digestOf(valuesAfter), document);
  }

  hasValues(values: readonly Value[], document: number): boolean {
    return values.length === 0 || this.#map.has(digestOf(values), document);
  }

  /** Documents without any value, an empty array among them, are not in it. */
  answer({ conditions }: IndexQuestion): IndexAnswer | undefined {
    return conditions.some(({ kind }) => OF_VALUES.has(kind)) ? all(this.#map) : undefined;
  }
}

function all(map: OrderedMap): IndexAnswer {
  const open = (reverse: boolean) => map.rangeCursor([EVERYTHING], reverse);
  return { count: map.size, isExact: false, isOrdered: true, open };
}

function take(map: OrderedMap, key: Uint8Array, document: number): void {
  if (!map.remove(key, document)) throw new Error("it was never told of this pair");
}

/** Of all values at once: each in another place is another digest. */
function digestOf(values: readonly Value[]): Buffer {
  return createHash("sha256").update(jsonText(values)).digest();
}
