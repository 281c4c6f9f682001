/**
 * Puts the entries of a checkpoint into a keyspace: keys, values, deadlines, versions. It is no change: nothing is counted
 * for the journal, and nothing expires on the way.
 *
 * Each entry belongs to a place in the table that is in no cache, and waiting for it took most of the time. So entries
 * gather: their blocks are made at once, the slots of a batch are loaded together, and then the table takes them in, twice
 * as fast. Before anybody looks a key up, `finish` must have been called.
 */
import type { StoredEntry } from "../plugin.ts";
import { CHUNK_SHIFT, UNIT_MASK } from "./arena.ts";
import type { Database } from "./database.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import { hashBytes } from "./hash.ts";
import type { Keyspace } from "./keyspace.ts";

/** Enough that many loads are under way at once, few enough that what they load is still there when it is needed. */
const BATCH = 256;

export class EntryLoad {
  readonly #keyspace: Keyspace;
  /** The batch: entries of one database that the table does not hold yet. */
  #database: Database;
  readonly #entries = new Int32Array(BATCH);
  readonly #hashes = new Int32Array(BATCH);
  readonly #slots = new Int32Array(BATCH);
  #count = 0;
  /** What was read ahead, for nobody: kept, so that the reading is not optimized away. */
  sink = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
    this.#database = keyspace.databases[0];
  }

  /** Adds an entry; one with the same key goes. The keyspace's next revision is the entry's version afterwards. */
  add(database: Database, entry: Readonly<StoredEntry>): void {
    if (database !== this.#database || this.#count === BATCH) {
      this.finish();
      this.#database = database;
    }
    const keyspace = this.#keyspace;
    const { hashKey0, hashKey1 } = keyspace;
    const hash = hashBytes(hashKey0, hashKey1, entry.keyBytes, entry.keyStart, entry.keyEnd);
    keyspace.setNextRevision(entry.version);
    this.#entries[this.#count] = database.prepare(entry, hash);
    this.#hashes[this.#count++] = hash;
  }

  /** Puts what has gathered into the table. */
  finish(): void {
    const count = this.#count;
    this.#count = 0;
    this.#readAhead(count);
    for (let i = 0; i < count; i++) this.#database.adopt(this.#entries[i], this.#hashes[i]);
  }

  /** Reads the slots where the table will look first, and the headers of their segments. */
  #readAhead(count: number): void {
    const { arena, entries } = this.#keyspace;
    const { ints } = arena;
    const slots = this.#slots;
    entries.slotsOf(this.#database.record, this.#hashes, count, slots);
    let sink = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i];
      const head = slot === 0 ? 0 : slot - (this.#hashes[i] & (SEGMENT_SLOTS - 1)) - 1;
      sink ^= ints[slot >>> CHUNK_SHIFT][(slot & UNIT_MASK) << 1];
      sink ^= ints[head >>> CHUNK_SHIFT][(head & UNIT_MASK) << 1];
    }
    this.sink = sink;
  }
}
