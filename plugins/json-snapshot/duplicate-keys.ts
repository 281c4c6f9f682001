/**
 * Finds keys that come twice in a database. Only for files that kvdb did not write just so: what it
 * wrote has none. Of each key it remembers a hash and where it is in the file, 12 bytes; keys of one
 * hash are read from the file again and compared, between two slices.
 *
 * Invariant: of the keys in the table, those of one hash are known to be different, so there are few
 * of them, whatever the file repeats.
 */

const INITIAL_SLOTS = 1024;

/** Where a key begins in the file, and where it has come before. */
export interface DuplicateKey {
  readonly firstAt: number;
  readonly againAt: number;
}

export class DuplicateKeys {
  /** Open addressing: the hash that lies in each slot; a slot whose offset is 0 is empty. */
  #hashes = new Uint32Array(INITIAL_SLOTS);
  /** No key begins at offset 0: there the file does. */
  #offsets = new Float64Array(INITIAL_SLOTS);
  #count = 0;
  /** By hash: keys that are in the table, and behind them those that may be one of them. */
  #suspected = new Map<number, number[]>();
  /** The same of databases that were read before. */
  #suspectedBefore: number[][] = [];

  get hasSuspected(): boolean {
    return this.#suspected.size > 0 || this.#suspectedBefore.length > 0;
  }

  /** Another database begins. */
  clear(): void {
    this.#suspectedBefore.push(...this.#suspected.values());
    this.#suspected.clear();
    this.#hashes = new Uint32Array(INITIAL_SLOTS);
    this.#offsets = new Float64Array(INITIAL_SLOTS);
    this.#count = 0;
  }

  /** A key whose name begins at `offset` of the file. */
  note(key: Uint8Array, offset: number): void {
    const hash = Bun.hash.xxHash32(key);
    const group = this.#suspected.get(hash) ?? this.#offsetsOf(hash);
    if (group.length === 0) {
      this.#insert(hash, offset);
      return;
    }
    group.push(offset);
    this.#suspected.set(hash, group);
  }

  /** Compares what is suspected. `keyAt` reads the key whose name begins at an offset. */
  async compare(keyAt: (offset: number) => Promise<string>): Promise<readonly DuplicateKey[]> {
    const found: DuplicateKey[] = [];
    for (const group of this.#suspectedBefore) await compareGroup(group, keyAt, found);
    for (const [hash, group] of this.#suspected) {
      const inTable = new Set(this.#offsetsOf(hash));
      for (const offset of await compareGroup(group, keyAt, found)) {
        if (!inTable.has(offset)) this.#insert(hash, offset);
      }
    }
    this.#suspectedBefore = [];
    this.#suspected.clear();
    return found.sort((a, b) => a.againAt - b.againAt);
  }

  /** The keys of this hash that are in the table. */
  #offsetsOf(hash: number): number[] {
    const found: number[] = [];
    const mask = this.#offsets.length - 1;
    for (let slot = hash & mask; this.#offsets[slot] !== 0; slot = (slot + 1) & mask) {
      if (this.#hashes[slot] === hash) found.push(this.#offsets[slot]);
    }
    return found;
  }

  #insert(hash: number, offset: number): void {
    if (++this.#count * 4 > this.#offsets.length * 3) this.#grow();
    this.#put(hash, offset);
  }

  #put(hash: number, offset: number): void {
    const mask = this.#offsets.length - 1;
    let slot = hash & mask;
    while (this.#offsets[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#offsets[slot] = offset;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const offsets = this.#offsets;
    this.#hashes = new Uint32Array(hashes.length * 2);
    this.#offsets = new Float64Array(offsets.length * 2);
    for (const [slot, offset] of offsets.entries()) {
      if (offset !== 0) this.#put(hashes[slot], offset);
    }
  }
}

/** The offsets at which a key begins that is none of those before; the others are found. */
async function compareGroup(
  group: readonly number[],
  keyAt: (offset: number) => Promise<string>,
  found: DuplicateKey[],
): Promise<Iterable<number>> {
  const firsts = new Map<string, number>();
  for (const againAt of group) {
    const key = await keyAt(againAt);
    const firstAt = firsts.get(key);
    if (firstAt === undefined) firsts.set(key, againAt);
    else found.push({ firstAt, againAt });
  }
  return firsts.values();
}
