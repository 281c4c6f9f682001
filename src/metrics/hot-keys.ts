/**
 * The keys that are used most, from a sample of all uses, in bounded memory: the space-saving sketch of Metwally, Agrawal and El
 * Abbadi. It counts so many keys; a new one takes the place of the one with the lowest count, and goes on from there, so a
 * count is too high at most, by that. A key with more than one use in `COUNTERS` is among them, whatever else is used.
 *
 * Counts are halved every minute: what was hot is forgotten. Keys of over 1 KiB are not counted.
 */

const COUNTERS = 256;
const MAX_KEY_BYTES = 1024;
const HALF_LIFE_MS = 60_000;

export interface HotKey {
  readonly database: number;
  readonly key: Buffer;
  /** About so many in the last minutes: each minute counts half of the one after it. */
  readonly uses: number;
  /** Of all uses in the same time, between 0 and 1. */
  readonly share: number;
}

interface Counter {
  readonly database: number;
  readonly key: Buffer;
  uses: number;
}

export class HotKeys {
  #counters = new Map<string, Counter>();
  #total = 0;
  #halvedMs: number;
  readonly #now: () => number;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#halvedMs = now();
  }

  /** A use of bytes[start, end), which stands for so many. */
  note(database: number, bytes: Buffer, start: number, end: number, uses: number): void {
    this.#halve();
    this.#total += uses;
    if (end - start > MAX_KEY_BYTES) return;
    const name = `${database} ${bytes.toString("latin1", start, end)}`;
    const counter = this.#counters.get(name);
    if (counter !== undefined) {
      counter.uses += uses;
      return;
    }
    const before = this.#counters.size < COUNTERS ? 0 : this.#takeLowest();
    const key = Buffer.from(bytes.subarray(start, end));
    this.#counters.set(name, { database, key, uses: before + uses });
  }

  #takeLowest(): number {
    let lowest = "";
    let uses = Number.POSITIVE_INFINITY;
    for (const [name, counter] of this.#counters) {
      if (counter.uses >= uses) continue;
      lowest = name;
      uses = counter.uses;
    }
    this.#counters.delete(lowest);
    return uses;
  }

  #halve(): void {
    const halvings = Math.floor((this.#now() - this.#halvedMs) / HALF_LIFE_MS);
    if (halvings === 0) return;
    this.#halvedMs += halvings * HALF_LIFE_MS;
    const factor = 2 ** -halvings;
    this.#total *= factor;
    for (const [name, counter] of this.#counters) {
      counter.uses *= factor;
      if (counter.uses < 1) this.#counters.delete(name);
    }
  }

  /** The `count` hottest, the hottest first. */
  hottest(count: number): HotKey[] {
    this.#halve();
    return [...this.#counters.values()]
      .sort((a, b) => b.uses - a.uses)
      .slice(0, count)
      .map((counter) => ({ ...counter, share: counter.uses / this.#total }));
  }

  clear(): void {
    this.#counters.clear();
    this.#total = 0;
  }
}
