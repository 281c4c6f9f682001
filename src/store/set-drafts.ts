/**
 * Drafts: structures of sets (big-set.ts) that no key has, where members of several sets come together. A draft is answered
 * and discarded, or adopted by a key. It is on the account of the database from the beginning.
 */
import type { Arena, ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import { SET, STRUCTURE } from "./entry.ts";
import { SetWalk } from "./set-walk.ts";
import type { Sets } from "./sets.ts";
import { StructureEdit } from "./structure.ts";

const STRUCTURE_KIND = SET | (STRUCTURE << 4);

export class SetDrafts {
  readonly #arena: Arena;
  readonly #sets: Sets;
  readonly #edit: StructureEdit;
  readonly #walk: SetWalk;

  constructor(arena: Arena, sets: Sets) {
    this.#arena = arena;
    this.#sets = sets;
    this.#edit = new StructureEdit(arena);
    this.#walk = new SetWalk(arena, sets);
  }

  /**
   * A structure with the members that `fill` gives it, which does nothing but adding to it, and removing from it. When that
   * throws, nothing is left of it.
   */
  make(database: Database, fill: (root: number) => void): number {
    this.#edit.begin(database.record + D_ACCOUNT);
    const root = this.#sets.big.create();
    let isWhole = false;
    try {
      fill(root);
      isWhole = true;
    } finally {
      this.#edit.end(root);
      if (!isWhole) this.discard(database, root);
    }
    return root;
  }

  discard(database: Database, root: number): void {
    this.#arena.account = database.record + D_ACCOUNT;
    database.keyspace.graves.dropStructure(STRUCTURE_KIND, root);
  }

  /**
   * Gives the key, which `find` just answered with `entry`, the members of the draft, in the form that suits them; none: the
   * key is removed. The draft is used up.
   */
  adopt(
    database: Database,
    entry: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
    root: number,
    mayBeIntegers: boolean,
  ): void {
    const sets = this.#sets;
    const count = sets.big.count(root);
    if (count === 0) {
      if (entry !== 0) database.remove(entry);
      this.discard(database, root);
      return;
    }
    const target = sets.replace(database, entry, key, keyStart, keyEnd);
    if (count > Math.max(sets.limits.setIntegers, sets.limits.setEntries)) {
      database.setStructure(target, STRUCTURE_KIND, root);
      return;
    }
    this.#addAll(database, target, root, mayBeIntegers);
    this.discard(database, root);
  }

  #addAll(database: Database, entry: number, root: number, mayBeIntegers: boolean): void {
    let target = entry;
    this.#walk.beginStructure(root);
    while (this.#walk.next()) {
      const { bytes, start, end } = this.#walk.member;
      target = this.#sets.add(database, target, bytes, start, end, mayBeIntegers);
    }
  }
}
