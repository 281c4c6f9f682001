/**
 * A sample of the entries of one table, with their hashes: what eviction chooses from. Filled by Dictionary.sample and
 * ExpiryWheel.sample, used again for each choice.
 */

/** Most entries of one sample: more change nothing about what is chosen. */
export const MAX_SAMPLES = 64;
/** Entries that are looked at for one sample of those with a deadline: some 50 µs. Beyond, the sample stays smaller. */
const MOST_LOOKS = 4096;

export class EntrySample {
  readonly entries = new Int32Array(MAX_SAMPLES);
  readonly hashes = new Int32Array(MAX_SAMPLES);
  count = 0;
  /** Entries that may still be looked at. */
  left = 0;
  #wanted = 0;
  /** Only entries with a deadline are taken. */
  onlyExpiring = false;

  begin(wanted: number, onlyExpiring: boolean): void {
    this.count = 0;
    this.left = MOST_LOOKS;
    this.#wanted = wanted;
    this.onlyExpiring = onlyExpiring;
  }

  /** No more is looked at. */
  get isDone(): boolean {
    return this.count === this.#wanted || this.left <= 0;
  }

  add(entry: number, hash: number): void {
    this.entries[this.count] = entry;
    this.hashes[this.count++] = hash;
  }

  has(entry: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.entries[i] === entry) return true;
    return false;
  }
}
