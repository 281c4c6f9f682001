/**
 * The index kind `hash`: equality, at the least memory. It keeps no value, only a digest of each: by default 8 bytes of a
 * keyed hash, which nobody can make collide who does not know the key; with `hash: "sha256"` the 32 bytes of SHA-256, whose
 * collisions nobody knows.
 */
import {
  type DocumentChange,
  definePlugin,
  type Index,
  type IndexAnswer,
  type IndexHost,
  type IndexKind,
  type IndexQuestion,
  type KeyChange,
  type Multimap,
  requireUnique,
} from "kvdb";

const hashKind: IndexKind = {
  name: "hash",
  summary: "Equality: $eq and $in. Keeps a digest of each value.",
  supports: { unique: true, compound: true, databaseKeys: false },
  options: {
    hash: { summary: "the digest of values", values: ["halfsiphash", "sha256"] },
  },
  create: (host) => new HashIndex(host),
};

export default definePlugin<Record<string, never>>({
  name: "hash-index",
  apiVersion: 1,
  indexes: () => [hashKind],
});

class HashIndex implements Index {
  readonly #host: IndexHost;
  readonly #map: Multimap;
  readonly #isSha256: boolean;

  constructor(host: IndexHost) {
    this.#host = host;
    this.#isSha256 = host.options["hash"] === "sha256";
    // A digest is a key like any other; the multimap would hash it again.
    this.#map = this.#isSha256 ? host.orderedMap() : host.multimap();
  }

  get size(): number {
    return this.#map.size;
  }

  describe() {
    return { function: this.#isSha256 ? "sha256" : "halfsiphash-1-3, 64 bits" };
  }

  check({ added }: KeyChange): void {
    if (this.#host.isUnique)
      requireUnique(this.#host, this.#map, added, (key) => this.#stored(key));
  }

  apply({ document, removed, added }: DocumentChange): void {
    for (const key of removed) this.#map.remove(this.#stored(key), document);
    for (const key of added) this.#map.add(this.#stored(key), document);
  }

  has(key: Uint8Array, document: number): boolean {
    return this.#map.has(this.#stored(key), document);
  }

  placeOf(key: Uint8Array): Uint8Array {
    return this.#map.placeOf(this.#stored(key));
  }

  answer({ ranges }: IndexQuestion): IndexAnswer | undefined {
    if (ranges === undefined || !ranges.every(({ isPoint }) => isPoint)) return undefined;
    const points = ranges.map(({ low }) => this.#stored(low));
    return {
      count: points.reduce((total, key) => total + this.#map.count(key), 0),
      isExact: true,
      isOrdered: false,
      open: () => this.#map.cursor(points),
    };
  }

  #stored(key: Uint8Array): Uint8Array {
    return this.#isSha256 ? new Bun.CryptoHasher("sha256").update(key).digest() : key;
  }
}
