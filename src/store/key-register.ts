/**
 * What is kept for single keys of databases, whether they are there or not: who waits for one, who watches one. Found by the
 * hash of the key, which every change has at hand, so that a key that nobody asked for costs one look into a map of numbers.
 *
 * Invariant: at most one item for each key of a database.
 */
import { type ReadonlyBytes, sameBytes } from "./arena.ts";
import type { Database } from "./database.ts";

export interface RegisteredKey {
  readonly database: Database;
  readonly key: Buffer;
  /** Of the key, with the keyspace's hash key. */
  readonly hash: number;
}

export class KeyRegister<Item extends RegisteredKey> {
  readonly #items = new Map<number, Item[]>();

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /** Of the key bytes[start, end), whose hash this is. */
  find(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): Item | undefined {
    const size = end - start;
    return this.#items
      .get(hash)
      ?.find(
        (item) =>
          item.database === database &&
          item.key.length === size &&
          sameBytes(item.key, 0, bytes, start, size),
      );
  }

  add(item: Item): void {
    const sameHash = this.#items.get(item.hash);
    if (sameHash === undefined) this.#items.set(item.hash, [item]);
    else sameHash.push(item);
  }

  delete(item: Item): void {
    const others = (this.#items.get(item.hash) ?? []).filter((one) => one !== item);
    if (others.length === 0) this.#items.delete(item.hash);
    else this.#items.set(item.hash, others);
  }

  /** A copy: items may come and go while it is gone through. */
  of(database: Database): Item[] {
    return [...this.#items.values()].flat().filter((item) => item.database === database);
  }
}
