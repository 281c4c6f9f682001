/**
 * What the big structures of all types have in common: each has a root, whose first unit says how much memory the whole
 * structure takes. So a value of a million elements can go to another database, or be queued for freeing, by its address.
 *
 *   root   d0 units of the structure, this block included     then what the type's file draws
 *
 * Invariant: the account of a database includes the units of each structure in it.
 */
import { type Arena, CHUNK_SHIFT, UNIT_MASK } from "./arena.ts";

/** Units of a structure with all its blocks. */
export function unitsOf(arena: Arena, root: number): number {
  return arena.doubles[root >>> CHUNK_SHIFT][root & UNIT_MASK];
}

/**
 * Keeps `unitsOf` true while a structure changes: `begin` before its first block is allocated or released, `end` after the
 * last. What is allocated in between is the structure's. Not nested.
 */
export class StructureEdit {
  readonly #arena: Arena;
  #before = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  begin(account: number): void {
    this.#arena.account = account;
    this.#before = this.#arena.doubles[0][account];
  }

  end(root: number): void {
    const arena = this.#arena;
    const grown = arena.doubles[0][arena.account] - this.#before;
    if (grown !== 0) arena.editDoubles(root, 1)[root & UNIT_MASK] += grown;
  }
}
