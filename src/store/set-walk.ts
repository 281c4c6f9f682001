/**
 * A walk through the members of a set, whatever form it has, one at a time in a reused object; the set must not change until
 * the walk is over. Two walks may be under way at once.
 */
import type { Arena } from "./arena.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import { encodingOf, PACKED, runBytes, STRUCTURE, valueWord } from "./entry.ts";
import { stringSpan } from "./packed-run.ts";
import { Member, type Sets } from "./sets.ts";

const NONE = new Int32Array(0);

export class SetWalk {
  readonly member = new Member();
  readonly #arena: Arena;
  readonly #sets: Sets;
  /** The members of the segment in hand, of a structure. */
  #found = NONE;
  #entry = 0;
  #encoding = 0;
  #root = 0;
  /** What comes next: an offset, an index, or the index of a segment in the directory. */
  #next = 0;
  /** Where that ends; of a structure 1 while segments are left. */
  #end = 0;
  #at = 0;
  #count = 0;

  constructor(arena: Arena, sets: Sets) {
    this.#arena = arena;
    this.#sets = sets;
  }

  begin(entry: number): void {
    const word = valueWord(this.#arena, entry);
    this.#entry = entry;
    this.#encoding = encodingOf(this.#arena, entry);
    if (this.#encoding === STRUCTURE) {
      this.beginStructure(word);
      return;
    }
    this.#next = 0;
    this.#end = this.#encoding === PACKED ? runBytes(word) : this.#sets.count(entry);
  }

  /** The members of a structure that is no value of a key. */
  beginStructure(root: number): void {
    this.#encoding = STRUCTURE;
    this.#root = root;
    if (this.#found === NONE) this.#found = new Int32Array(SEGMENT_SLOTS);
    this.#next = 0;
    this.#end = 1;
    this.#at = 0;
    this.#count = 0;
  }

  /** Goes to the next member; false: there is none. */
  next(): boolean {
    if (this.#encoding === STRUCTURE) return this.#nextOfStructure();
    if (this.#next >= this.#end) return false;
    const { member } = this;
    this.#sets.read(this.#entry, this.#next, member);
    this.#next += this.#encoding === PACKED ? stringSpan(member.end - member.start) : 1;
    return true;
  }

  #nextOfStructure(): boolean {
    const { big } = this.#sets;
    while (this.#at === this.#count) {
      if (this.#end === 0) return false;
      this.#next = big.membersOfSegment(this.#root, this.#next, this.#found);
      if (this.#next === 0) this.#end = 0;
      this.#count = big.foundCount;
      this.#at = 0;
    }
    this.#sets.readBig(this.#found[this.#at++], this.member);
    return true;
  }
}
