/**
 * The keys that are used most, from a sample of all uses, in bounded memory: the space-saving sketch of Metwally, Agrawal and El
 * Abbadi. It counts so many keys; a new one takes the place of the one with the lowest count, and goes on from there, so a
 * count is too high at most, by that. A key with more than one use in `COUNTERS` is among them, whatever else is used.
 *
 * Counts are halved every minute: what was hot is forgotten. Keys of over 1 KiB are not counted.
 */
import type { HotKey } from "../session/server.ts";

const COUNTERS = 256;
const MAX_KEY_BYTES = 1024;
const HALF_LIFE_MS = 60_000;

/** A name's first part is the number of its database. */
const LATIN = "latin1";

export class HotKeys {
  /** Which counter has a key; its name stands at the same place in `#names`, "" where there is none. */
  readonly #places = new Map<string, number>();
  readonly #names: string[] = new Array(COUNTERS).fill("");
  readonly #uses = new Float64Array(COUNTERS);
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
    const name = `${database} ${bytes.toString(LATIN, start, end)}`;
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.#lowest();
      this.#places.delete(this.#names[place]);
      this.#places.set(name, place);
      this.#names[place] = name;
    }
    this.#uses[place] += uses;
  }

  /** A loop over numbers: 256 of them in 100 ns. */
  #lowest(): number {
    const uses = this.#uses;
    let lowest = 0;
    for (let place = 1; place < COUNTERS; place++) if (uses[place] < uses[lowest]) lowest = place;
    return lowest;
  }

  #halve(): void {
    const halvings = Math.floor((this.#now() - this.#halvedMs) / HALF_LIFE_MS);
    if (halvings === 0) return;
    this.#halvedMs += halvings * HALF_LIFE_MS;
    const factor = 2 ** -halvings;
    this.#total *= factor;
    for (const [name, place] of this.#places) {
      this.#uses[place] *= factor;
      if (this.#uses[place] < 1) this.#forget(name, place);
    }
  }

  #forget(name: string, place: number): void {
    this.#places.delete(name);
    this.#names[place] = "";
    this.#uses[place] = 0;
  }

  /** The `count` hottest, the hottest first. */
  hottest(count: number): HotKey[] {
    this.#halve();
    return [...this.#places]
      .map(([name, place]) => ({ name, uses: this.#uses[place] }))
      .sort((a, b) => b.uses - a.uses)
      .slice(0, count)
      .map(({ name, uses }) => ({ ...placeOf(name), uses, share: uses / this.#total }));
  }
}

function placeOf(name: string): Pick<HotKey, "database" | "key"> {
  const space = name.indexOf(" ");
  return {
    database: Number(name.slice(0, space)),
    key: Buffer.from(name.slice(space + 1), LATIN),
  };
}
