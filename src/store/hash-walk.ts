/**
 * A walk through the fields of a hash that are not over, small or big, in one reused object: nothing is allocated for a
 * field. The hash must not change meanwhile.
 */
import type { Arena } from "./arena.ts";
import type { BigHash } from "./big-hash.ts";
import type { Database } from "./database.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import { encodingOf, STRUCTURE, TIMED, valueAt, valueWord } from "./entry.ts";
import { HashField } from "./hash-field.ts";
import type { PackedHash } from "./packed-hash.ts";

export class HashWalk {
  readonly #arena: Arena;
  readonly #packed: PackedHash;
  readonly #big: BigHash;
  /** The field that `next` came to. */
  readonly field = new HashField();
  /** Where it lies, for `Hashes.read`. */
  place = 0;
  /** Deadlines up to here are over. */
  #overMs = 0;
  #run: Buffer = Buffer.alloc(0);
  #isTimed = false;
  /** Of the run. */
  #at = 0;
  #end = 0;
  /** Root of the big hash, 0: it is none. */
  #root = 0;
  readonly #found = new Int32Array(SEGMENT_SLOTS);
  #count = 0;
  #segment = 0;

  constructor(arena: Arena, packed: PackedHash, big: BigHash) {
    this.#arena = arena;
    this.#packed = packed;
    this.#big = big;
  }

  begin({ keyspace }: Database, entry: number): void {
    const encoding = encodingOf(this.#arena, entry);
    this.#overMs = keyspace.expiring ? keyspace.nowMs : 0;
    this.#at = 0;
    if (encoding === STRUCTURE) {
      this.#root = valueWord(this.#arena, entry);
      this.#segment = this.#big.elementsOfSegment(this.#root, 0, this.#found);
      this.#count = this.#big.dictionary.foundCount;
      return;
    }
    this.#root = 0;
    this.#isTimed = encoding === TIMED;
    this.#run = this.#packed.run(entry);
    this.#at = valueAt(this.#arena, entry);
    this.#end = this.#packed.end(entry);
  }

  /** The next field; false: there is none. */
  next(): boolean {
    const { field } = this;
    do {
      if (!(this.#root === 0 ? this.#nextOfRun() : this.#nextElement())) return false;
    } while (field.deadlineMs !== 0 && field.deadlineMs <= this.#overMs);
    return true;
  }

  #nextOfRun(): boolean {
    if (this.#at >= this.#end) return false;
    this.place = this.#at;
    this.#at = this.field.readRun(this.#run, this.#at, this.#isTimed);
    return true;
  }

  #nextElement(): boolean {
    while (this.#at === this.#count) {
      if (this.#segment === 0) return false;
      this.#segment = this.#big.elementsOfSegment(this.#root, this.#segment, this.#found);
      this.#count = this.#big.dictionary.foundCount;
      this.#at = 0;
    }
    this.place = this.#found[this.#at++];
    this.field.readElement(this.#arena, this.place);
    return true;
  }
}
