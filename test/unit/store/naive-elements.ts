/**
 * Any type with elements as simple as can be, for the tests of what leaves the engine and comes back: always a packed run,
 * elements appended as they come, given out a few at a time. It knows of no two elements that are equal.
 */
import { type Arena, CHUNK_SHIFT, copyBytes } from "../../../src/store/arena.ts";
import type { Database } from "../../../src/store/database.ts";
import type { ElementPart } from "../../../src/store/element-part.ts";
import { ElementReader } from "../../../src/store/element-reader.ts";
import {
  encodingOf,
  entryUnits,
  HASH,
  inlineSize,
  LIST,
  PACKED,
  runCount,
  SET,
  TIMED,
  valueAt,
  valueWord,
  ZSET,
} from "../../../src/store/entry.ts";
import type { Elements, ValueType, ValueTypes } from "../../../src/store/value-types.ts";

export function addNaiveTypes(types: ValueTypes, arena: Arena, perPart = 100): void {
  for (const type of [LIST, SET, ZSET, HASH]) {
    types.add(type, new NaiveElements(arena, type, perPart));
  }
}

class NaiveElements implements ValueType {
  readonly #arena: Arena;
  readonly #type: number;
  readonly #perPart: number;

  constructor(arena: Arena, type: number, perPart: number) {
    this.#arena = arena;
    this.#type = type;
    this.#perPart = perPart;
  }

  reap(_root: number): boolean {
    return true;
  }

  count(entry: number): number {
    return runCount(valueWord(this.#arena, entry));
  }

  writePart(entry: number, part: ElementPart): boolean {
    const arena = this.#arena;
    const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
    const at = valueAt(arena, entry);
    const end = at + inlineSize(arena, entry);
    const isTimed = encodingOf(arena, entry) === TIMED;
    const reader = new ElementReader();
    reader.beginRun(this.#type, isTimed, bytes, at + part.place, end);
    part.isTimed = isTimed;
    let next = at + part.place;
    for (let i = 0; i < this.#perPart && reader.next(); i++) {
      next = this.#type === HASH ? reader.valueEnd : reader.end;
      if (isTimed || this.#type === ZSET) next += 8;
    }
    part.borrow(bytes, at + part.place, next);
    part.place = next - at;
    return next === end;
  }

  readPart(database: Database, entry: number, { run, at, end, isTimed }: Elements): number {
    const arena = this.#arena;
    const reader = new ElementReader();
    reader.beginRun(this.#type, isTimed, run, at, end);
    let count = runCount(valueWord(arena, entry));
    while (reader.next()) count++;
    const size = inlineSize(arena, entry);
    const kind = this.#type | ((isTimed ? TIMED : PACKED) << 4);
    const target = database.splice(entry, kind, size, 0, end - at, count);
    const into = arena.edit(target, entryUnits(arena, target));
    copyBytes(run, at, into, database.valueStart + size, end - at);
    return target;
  }
}
