/**
 * A type with elements as simple as can be, for the tests of what every such type shares: strings in a chain of blocks, one
 * each; a structure from the first element on.
 *
 *   root    d0 units of the structure    i2 first block    i3 last block
 *   block   i0 next block    i1 length in bytes    then the bytes
 */
import { type Arena, CHUNK_SHIFT, copyBytes, UNIT_MASK } from "../../../src/store/arena.ts";
import type { Database } from "../../../src/store/database.ts";
import { D_ACCOUNT } from "../../../src/store/database-record.ts";
import type { ElementPart } from "../../../src/store/element-part.ts";
import { hasStructure, kindOf, LIST, STRUCTURE, valueWord } from "../../../src/store/entry.ts";
import { afterString, contentAt, lengthAt } from "../../../src/store/packed-run.ts";
import { StructureEdit } from "../../../src/store/structure.ts";
import type { Elements, ValueType } from "../../../src/store/value-types.ts";

const KIND = LIST | (STRUCTURE << 4);
const ROOT_UNITS = 2;
const blockUnits = (length: number) => 1 + ((length + 7) >>> 3);

export class ChainedList implements ValueType {
  readonly #arena: Arena;
  readonly #edit: StructureEdit;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#edit = new StructureEdit(arena);
  }

  #word(unit: number, index: number): number {
    return this.#arena.ints[unit >>> CHUNK_SHIFT][((unit & UNIT_MASK) << 1) + index];
  }

  count(entry: number): number {
    let count = 0;
    const root = valueWord(this.#arena, entry);
    for (let block = this.#word(root, 2); block !== 0; block = this.#word(block, 0)) count++;
    return count;
  }

  readPart(database: Database, entry: number, { run, at, end }: Elements): number {
    this.#edit.begin(database.record + D_ACCOUNT);
    const isNew = !hasStructure(kindOf(this.#arena, entry));
    const root = isNew ? this.#create() : valueWord(this.#arena, entry);
    while (at < end) {
      if (afterString(run, at) > end) throw new RangeError("a string is longer than its run");
      const from = contentAt(run, at);
      this.#append(root, run as Buffer, from, from + lengthAt(run, at));
      at = afterString(run, at);
    }
    this.#edit.end(root);
    if (isNew) return database.setStructure(entry, KIND, root);
    database.touch(entry);
    return entry;
  }

  #create(): number {
    const root = this.#arena.allocate(ROOT_UNITS);
    this.#arena.editDoubles(root, ROOT_UNITS).fill(0, root & UNIT_MASK, (root & UNIT_MASK) + 2);
    return root;
  }

  #append(root: number, bytes: Buffer, start: number, end: number): void {
    const arena = this.#arena;
    const units = blockUnits(end - start);
    const block = arena.allocate(units);
    const words = arena.editInts(block, units);
    words[(block & UNIT_MASK) << 1] = 0;
    words[((block & UNIT_MASK) << 1) + 1] = end - start;
    copyBytes(bytes, start, arena.edit(block, units), ((block & UNIT_MASK) << 3) + 8, end - start);
    const last = this.#word(root, 3);
    const rootWords = arena.editInts(root, ROOT_UNITS);
    const rootAt = (root & UNIT_MASK) << 1;
    if (last === 0) rootWords[rootAt + 2] = block;
    else arena.editInts(last, 1)[(last & UNIT_MASK) << 1] = block;
    rootWords[rootAt + 3] = block;
  }

  writePart(entry: number, part: ElementPart): boolean {
    if (!hasStructure(kindOf(this.#arena, entry))) return true;
    const root = valueWord(this.#arena, entry);
    let block = part.place === 0 ? this.#word(root, 2) : part.place;
    while (block !== 0 && !part.isFull) {
      const at = ((block & UNIT_MASK) << 3) + 8;
      part.string(this.#arena.bytes[block >>> CHUNK_SHIFT], at, at + this.#word(block, 1));
      block = this.#word(block, 0);
    }
    part.place = block;
    return block === 0;
  }

  reap(root: number): boolean {
    const block = this.#word(root, 2);
    if (block === 0) {
      this.#arena.release(root, ROOT_UNITS);
      return true;
    }
    this.#arena.editInts(root, ROOT_UNITS)[((root & UNIT_MASK) << 1) + 2] = this.#word(block, 0);
    this.#arena.release(block, blockUnits(this.#word(block, 1)));
    return false;
  }
}
