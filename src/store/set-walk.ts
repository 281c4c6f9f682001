/**
 * A walk through the members of a set, whatever form it has, one at a time in a reused object; the set must not change until
 * the walk is over. Two walks may be under way at once.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes } from "./arena.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import { encodingOf, PACKED, runBytes, runCount, STRUCTURE, valueAt, valueWord } from "./entry.ts";
import { Integer } from "./integer-set.ts";
import { afterString, contentAt } from "./packed-run.ts";
import { Member } from "./set-member.ts";
import type { Sets } from "./sets.ts";

const NONE = new Int32Array(0);
const NO_BYTES: ReadonlyBytes = Buffer.alloc(0);

export class SetWalk {
  readonly member = new Member();
  readonly #arena: Arena;
  readonly #sets: Sets;
  readonly #integer = new Integer();
  #encoding = 0;
  /** Of a run: where it lies, where it began, where the next member is, where it ends; the width of an integer. */
  #run = NO_BYTES;
  #start = 0;
  #at = 0;
  #end = 0;
  #width = 0;
  /** Of a structure: its root, the index of the next segment in the directory, and the members of the one in hand. */
  #root = 0;
  #segment = 0;
  #isLastSegment = false;
  #found = NONE;
  #index = 0;
  #count = 0;

  constructor(arena: Arena, sets: Sets) {
    this.#arena = arena;
    this.#sets = sets;
  }

  begin(entry: number): void {
    const word = valueWord(this.#arena, entry);
    this.#encoding = encodingOf(this.#arena, entry);
    if (this.#encoding === STRUCTURE) {
      this.beginStructure(word);
      return;
    }
    this.#run = this.#arena.bytes[entry >>> CHUNK_SHIFT];
    this.#start = valueAt(this.#arena, entry);
    this.#at = this.#start;
    this.#end = this.#start + runBytes(word);
    this.#width = runBytes(word) / runCount(word);
    this.member.bytes = this.#encoding === PACKED ? this.#run : this.member.text;
    this.member.start = 0;
  }

  /** The members of a structure that is no value of a key. */
  beginStructure(root: number): void {
    this.#encoding = STRUCTURE;
    this.#root = root;
    this.#segment = 0;
    this.#isLastSegment = false;
    if (this.#found === NONE) this.#found = new Int32Array(SEGMENT_SLOTS);
    this.#index = 0;
    this.#count = 0;
  }

  /** Goes to the next member; false: there is none. */
  next(): boolean {
    if (this.#encoding === STRUCTURE) return this.#nextOfStructure();
    const at = this.#at;
    if (at >= this.#end) return false;
    const { member } = this;
    if (this.#encoding === PACKED) {
      member.handle = at - this.#start;
      member.start = contentAt(this.#run, at);
      this.#at = afterString(this.#run, at);
      member.end = this.#at;
      return true;
    }
    member.handle = (at - this.#start) / this.#width;
    this.#integer.read(this.#run, at, this.#width);
    member.end = this.#integer.writeText(member.text, 0);
    this.#at = at + this.#width;
    return true;
  }

  #nextOfStructure(): boolean {
    const { big } = this.#sets;
    while (this.#index === this.#count) {
      if (this.#isLastSegment) return false;
      this.#segment = big.membersOfSegment(this.#root, this.#segment, this.#found);
      this.#isLastSegment = this.#segment === 0;
      this.#count = big.foundCount;
      this.#index = 0;
    }
    this.#sets.readBig(this.#found[this.#index++], this.member);
    return true;
  }
}
