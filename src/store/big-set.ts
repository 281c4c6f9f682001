/**
 * The structure of a set that is too large for a packed run: a dictionary of its members.
 *
 *   root      d0 units of the structure (structure.ts)    then the root of the dictionary, 2 units
 *   member    u8 length, 3 zero bytes, the bytes; or 255, 3 zero bytes, u32 length, the bytes
 *
 *   Example: the member ab:   02 00 00 00  61 62 …
 *
 * Not what a command sees: sets.ts decides which form a set has. What is allocated here is counted by whoever has begun a
 * StructureEdit.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { ROOT_UNITS as DICTIONARY_UNITS, Dictionary } from "./dictionary.ts";
import { LONG_KEY } from "./entry.ts";
import { hashBytes } from "./hash.ts";

const ROOT_UNITS = 1 + DICTIONARY_UNITS;
/** Bytes in front of a member, and in front of a long one. */
const HEAD_BYTES = 4;
const LONG_HEAD_BYTES = 8;

/** What `Dictionary.random` picks with. */
export type Below = (bound: number) => number;

export class BigSet {
  readonly #arena: Arena;
  readonly #hashKey0: number;
  readonly #hashKey1: number;
  readonly #members: Dictionary;

  constructor(arena: Arena, hashKey0: number, hashKey1: number) {
    this.#arena = arena;
    this.#hashKey0 = hashKey0;
    this.#hashKey1 = hashKey1;
    this.#members = new Dictionary(arena, HEAD_BYTES);
  }

  create(): number {
    const root = this.#arena.allocate(ROOT_UNITS);
    this.#arena.editDoubles(root, 1)[root & UNIT_MASK] = 0;
    this.#members.create((root + 1) | 0);
    return root;
  }

  count(root: number): number {
    return this.#members.count((root + 1) | 0);
  }

  /** The member bytes[start, end), or 0. */
  find(root: number, bytes: ReadonlyBytes, start: number, end: number): number {
    const hash = hashBytes(this.#hashKey0, this.#hashKey1, bytes, start, end);
    return this.#members.find((root + 1) | 0, hash, bytes, start, end);
  }

  /** Whether it is new. */
  add(root: number, bytes: ReadonlyBytes, start: number, end: number): boolean {
    const hash = hashBytes(this.#hashKey0, this.#hashKey1, bytes, start, end);
    const table = (root + 1) | 0;
    if (this.#members.find(table, hash, bytes, start, end) !== 0) return false;
    this.#members.insert(table, hash, this.#newMember(bytes, start, end));
    return true;
  }

  #newMember(bytes: ReadonlyBytes, start: number, end: number): number {
    const arena = this.#arena;
    const length = end - start;
    const units = memberUnits(length);
    const member = arena.allocate(units);
    const words = arena.editInts(member, units);
    const at = (member & UNIT_MASK) << 1;
    let to = (at << 2) + HEAD_BYTES;
    if (length < LONG_KEY) words[at] = length;
    else {
      words[at] = LONG_KEY;
      words[at + 1] = length;
      to += 4;
    }
    copyBytes(bytes, start, arena.edit(member, units), to, length);
    return member;
  }

  /** Whether it was there. */
  remove(root: number, bytes: ReadonlyBytes, start: number, end: number): boolean {
    const member = this.find(root, bytes, start, end);
    if (member !== 0) this.removeFound(root, member);
    return member !== 0;
  }

  /** Removes the member that `find` or `random` answered last. */
  removeFound(root: number, member: number): void {
    this.#members.remove((root + 1) | 0);
    this.#freeMember(member);
  }

  readonly #freeMember = (member: number): void => {
    this.#arena.release(member, memberUnits(this.size(member)));
  };

  // ---- a member ----

  size(member: number): number {
    const words = this.#arena.ints[member >>> CHUNK_SHIFT];
    const at = (member & UNIT_MASK) << 1;
    const length = words[at];
    return length === LONG_KEY ? words[at + 1] : length;
  }

  /** Offset of its first byte within its chunk. */
  startOf(member: number): number {
    const words = this.#arena.ints[member >>> CHUNK_SHIFT];
    const at = (member & UNIT_MASK) << 1;
    return (at << 2) + (words[at] === LONG_KEY ? LONG_HEAD_BYTES : HEAD_BYTES);
  }

  // ---- walking ----

  /** A uniformly random one of the members, of which there are some. */
  random(root: number, below: Below): number {
    return this.#members.random((root + 1) | 0, below);
  }

  /** See Dictionary.entriesOfSegment; their number is left in `foundCount`. */
  membersOfSegment(root: number, index: number, found: Int32Array): number {
    return this.#members.entriesOfSegment((root + 1) | 0, index, found);
  }

  get foundCount(): number {
    return this.#members.foundCount;
  }

  /** See Dictionary.scan. */
  scan(root: number, cursor: number, wanted: number, found: number[]): number {
    return this.#members.scan((root + 1) | 0, cursor, wanted, found);
  }

  /** See ValueType.reap: some 500 members a call. */
  reap(root: number): boolean {
    if (!this.#members.reap((root + 1) | 0, this.#freeMember)) return false;
    this.#arena.release(root, ROOT_UNITS);
    return true;
  }
}

function memberUnits(length: number): number {
  return ((length < LONG_KEY ? HEAD_BYTES : LONG_HEAD_BYTES) + length + 7) >>> 3;
}
