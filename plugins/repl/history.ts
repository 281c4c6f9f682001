/**
 * The lines that were run, oldest first. In memory alone; history-file.ts keeps them. Bounded: the
 * oldest go first.
 */
export class History {
  readonly #maxLength: number;
  #entries: string[];

  constructor(maxLength: number, entries: readonly string[] = []) {
    this.#maxLength = maxLength;
    this.#entries = entries.slice(-maxLength);
  }

  get length(): number {
    return this.#entries.length;
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  at(index: number): string | undefined {
    return this.#entries[index];
  }

  /** A line that repeats the one before it is one line. Whether it was taken. */
  add(line: string): boolean {
    if (this.#maxLength === 0 || line === this.#entries.at(-1)) return false;
    this.#entries.push(line);
    if (this.#entries.length > this.#maxLength) this.#entries.shift();
    return true;
  }

  /** The index of the nearest line that fits, from `from` on, itself excluded. */
  find(from: number, direction: -1 | 1, fits: (entry: string) => boolean): number | undefined {
    for (let at = from + direction; at >= 0 && at < this.#entries.length; at += direction) {
      if (fits(this.#entries[at] as string)) return at;
    }
    return undefined;
  }

  /** The newest line that begins with `prefix`; the prefix itself when there is none. */
  suggest(prefix: string): string {
    const at = this.find(this.#entries.length, -1, (entry) => entry.startsWith(prefix));
    return at === undefined ? prefix : (this.#entries[at] as string);
  }
}
