/**
 * Keyspace events of one command, in their order: three columns and the bytes of the keys one behind the other, so that
 * a DEL of a million keys needs little more than its keys.
 */
import { copyBytes, type ReadonlyBytes } from "../store/arena.ts";
import type { KeyEvent } from "./event-names.ts";

const FIRST_KEY_BYTES = 4096;
/** A buffer that a command with many keys has blown up is not kept. */
const MAX_KEPT_KEY_BYTES = 1 << 20;

export class EventBatch {
  readonly #events: KeyEvent[] = [];
  readonly #databases: number[] = [];
  /** Where the key of each ends in `#keys`. */
  readonly #ends: number[] = [];
  #keys = Buffer.allocUnsafeSlow(FIRST_KEY_BYTES);

  /** The key bytes[start, end) is copied. */
  add(event: KeyEvent, database: number, bytes: ReadonlyBytes, start: number, end: number): void {
    const from = this.#ends.at(-1) ?? 0;
    const to = from + end - start;
    if (to > this.#keys.length) this.#grow(to);
    copyBytes(bytes, start, this.#keys, from, end - start);
    this.#events.push(event);
    this.#databases.push(database);
    this.#ends.push(to);
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(bytes)));
    this.#keys.copy(larger);
    this.#keys = larger;
  }

  clear(): void {
    this.#events.length = 0;
    this.#databases.length = 0;
    this.#ends.length = 0;
    if (this.#keys.length > MAX_KEPT_KEY_BYTES)
      this.#keys = Buffer.allocUnsafeSlow(FIRST_KEY_BYTES);
  }

  /** Each `key` is the visitor's to keep. */
  each(visit: (event: KeyEvent, database: number, key: Buffer) => void): void {
    let start = 0;
    for (let i = 0; i < this.#events.length; i++) {
      const end = this.#ends[i] as number;
      const key = Buffer.allocUnsafe(end - start);
      copyBytes(this.#keys, start, key, 0, end - start);
      visit(this.#events[i] as KeyEvent, this.#databases[i] as number, key);
      start = end;
    }
  }
}
