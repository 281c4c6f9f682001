/**
 * What must be done with a value by somebody who does not know its type: free it, and take it out of the engine and bring it
 * in again, element by element. Checkpoints, copies, digests, DUMP and the readable file are made of the latter two. The
 * contents of an index are only freed: they are made anew from the values.
 *
 * A type with elements is added in collections.ts and nowhere else.
 */
import { assert } from "../assert.ts";
import type { ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import type { ElementPart } from "./element-part.ts";
import { runWord } from "./entry.ts";

/** Structures of one kind (structure.ts), as far as whoever frees them must know. */
export interface StructureType {
  /**
   * Frees a little (some 20 µs) of a structure that nobody uses any more, on the arena's account; true when all of it is
   * freed, its root included. Nothing but this is asked of it between the calls.
   */
  reap(root: number): boolean;
}

export interface ValueType extends StructureType {
  /** How many elements the entry's value has, those included whose time is over; of a stream its entries. */
  count(entry: number): number;
  /**
   * Writes the next elements of the entry's value into `part`, from where `part` says that the last call ended, until it is
   * full; true when there are no more. The value does not change meanwhile.
   */
  writePart(entry: number, part: ElementPart): boolean;
  /**
   * Adds elements, run[at, end) in the form of `writePart`, to the value of the entry that was found last. Answers the entry,
   * perhaps moved. Throws a RangeError when the run is none.
   */
  readPart(database: Database, entry: number, elements: Elements): number;
  /**
   * Whether the elements, all that a value has, can lie in an entry in one piece, as the type would keep them: then `value` says
   * what they are there. False: `readPart` puts them together. Throws a RangeError when the run is none, or has one twice.
   */
  toInline?(elements: Elements, value: InlineValue): boolean;
  /**
   * The value of the entry, which was found last, has come whole from another key: what the database keeps by the key for the
   * sake of the value is made anew.
   */
  settle?(database: Database, entry: number): void;
}

/** Elements as packed-run.ts draws them: run[at, end). */
export interface Elements {
  readonly run: ReadonlyBytes;
  readonly at: number;
  readonly end: number;
  /** Of a hash: each field has a deadline behind it. */
  readonly isTimed: boolean;
  /** They come from a structure of this keyspace, and Redis's copy of one has the same encoding. */
  readonly isCopy?: boolean;
}

/** What is to lie in an entry behind its key: bytes[start, end), the kind and the word that go with it (entry.ts). */
export class InlineValue {
  kind = 0;
  word = 0;
  bytes: ReadonlyBytes = Buffer.alloc(0);
  start = 0;
  end = 0;

  set(kind: number, word: number, bytes: ReadonlyBytes, start: number, end: number): void {
    this.kind = kind;
    this.word = word;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** A run of so many elements, as it is. */
  setRun(kind: number, count: number, { run, at, end }: Elements): void {
    this.set(kind, runWord(end - at, count), run, at, end);
  }
}

export class ValueTypes {
  readonly #types: (ValueType | undefined)[] = [];
  readonly #structures: (StructureType | undefined)[] = [];

  /** `type`: as entries store it. */
  add(type: number, valueType: ValueType): void {
    this.#types[type] = valueType;
    this.addStructure(type, valueType);
  }

  /** Of structures that are no entry's value: `type` is one that no entry has. */
  addStructure(type: number, structureType: StructureType): void {
    this.#structures[type] = structureType;
  }

  /** Of an entry of this kind, whose type is one with elements. */
  of(kind: number): ValueType {
    const type = this.#types[kind & 15];
    assert(type !== undefined, "a type with elements");
    return type;
  }

  /** Of what is freed as a structure of this kind. */
  structureOf(kind: number): StructureType {
    const type = this.#structures[kind & 15];
    assert(type !== undefined, "a type with structures");
    return type;
  }
}
