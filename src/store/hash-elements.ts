/**
 * The elements of a hash where they leave the engine and come back (value-types.ts): fields with their values, and with
 * their deadlines where one has any, as packed-hash.ts draws them.
 */
import type { Arena, ReadonlyBytes } from "./arena.ts";
import type { BigHash } from "./big-hash.ts";
import type { CollectionHost, CollectionLimits } from "./collections.ts";
import type { Database } from "./database.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import type { ElementPart } from "./element-part.ts";
import {
  encodingOf,
  entryUnits,
  HASH,
  MAX_RUN_BYTES,
  MAX_RUN_COUNT,
  PACKED,
  runBytes,
  TIMED,
  valueAt,
  valueWord,
} from "./entry.ts";
import { HashField } from "./hash-field.ts";
import type { Hashes } from "./hashes.ts";
import { NameFilter } from "./name-filter.ts";
import type { PackedHash } from "./packed-hash.ts";
import { afterString, contentAt, findInRun, lengthAt, NUMBER_BYTES } from "./packed-run.ts";
import type { Elements, InlineValue } from "./value-types.ts";

const filter = new NameFilter();

export class HashElements {
  readonly #arena: Arena;
  readonly #limits: CollectionLimits;
  readonly #hashes: Hashes;
  readonly #packed: PackedHash;
  readonly #big: BigHash;
  readonly #field = new HashField();
  /** Elements of a segment, while a part is written. */
  readonly #found = new Int32Array(SEGMENT_SLOTS);

  constructor(host: CollectionHost, hashes: Hashes, packed: PackedHash, big: BigHash) {
    this.#arena = host.arena;
    this.#limits = host.limits;
    this.#hashes = hashes;
    this.#packed = packed;
    this.#big = big;
  }

  /** As ValueType.writePart. */
  write(entry: number, part: ElementPart): boolean {
    if (this.#hashes.isBig(entry)) return this.#writeBig(valueWord(this.#arena, entry), part);
    part.isTimed = encodingOf(this.#arena, entry) === TIMED;
    part.borrow(this.#packed.run(entry), valueAt(this.#arena, entry), this.#packed.end(entry));
    return true;
  }

  /** The part's place is the segment, its subplace how many elements of it were written. */
  #writeBig(root: number, part: ElementPart): boolean {
    const field = this.#field;
    const big = this.#big;
    part.isTimed = big.timedCount(root) > 0;
    for (;;) {
      const next = big.elementsOfSegment(root, part.place, this.#found);
      const count = big.dictionary.foundCount;
      while (part.subplace < count) {
        if (part.isFull) return false;
        field.readElement(this.#arena, this.#found[part.subplace++]);
        part.string(field.bytes, field.fieldStart, field.fieldEnd);
        part.string(field.bytes, field.valueStart, field.valueEnd);
        if (part.isTimed) part.number(field.deadlineMs);
      }
      part.subplace = 0;
      part.place = next;
      if (next === 0) return true;
    }
  }

  /** As ValueType.readPart. */
  read(database: Database, entry: number, elements: Elements): number {
    const hashes = this.#hashes;
    const count = requireFields(elements);
    if (count === 0) return entry;
    if (hashes.count(entry) === 0 && !hashes.isBig(entry) && this.#fitsAsItIs(elements, count)) {
      return this.#takeRun(database, entry, elements, count);
    }
    const field = this.#field;
    const { run, isTimed } = elements;
    let target = entry;
    for (let at = elements.at; at < elements.end; ) {
      at = field.readRun(run, at, isTimed);
      const { fieldStart, fieldEnd, valueStart, valueEnd, deadlineMs } = field;
      target = hashes.set(database, target, run, fieldStart, fieldEnd, run, valueStart, valueEnd);
      if (!hashes.wasAdded) throw new RangeError("a field of a hash appears twice");
      if (deadlineMs === 0) continue;
      target = hashes.setDeadline(database, target, run, fieldStart, fieldEnd, deadlineMs);
    }
    return target;
  }

  /** As ValueType.toInline. Fields with deadlines are told of to the database, which needs the entry for it. */
  toInline(elements: Elements, value: InlineValue): boolean {
    const count = requireFields(elements);
    if (count === 0 || elements.isTimed || !this.#fitsAsItIs(elements, count)) return false;
    requireDistinct(elements);
    value.setRun(HASH | (PACKED << 4), count, elements);
    return true;
  }

  #fitsAsItIs({ run, at, end, isTimed }: Elements, count: number): boolean {
    const { hashEntries, hashValueBytes } = this.#limits;
    if (count > Math.min(hashEntries, MAX_RUN_COUNT) || end - at > MAX_RUN_BYTES) return false;
    for (let next = at; next < end; ) {
      const value = afterString(run, next);
      if (lengthAt(run, next) > hashValueBytes || lengthAt(run, value) > hashValueBytes)
        return false;
      next = afterString(run, value) + (isTimed ? NUMBER_BYTES : 0);
    }
    return true;
  }

  /** Makes the run the value of an entry that has none yet. */
  #takeRun(database: Database, entry: number, elements: Elements, count: number): number {
    const { run, at, end, isTimed } = elements;
    requireDistinct(elements);
    const kind = HASH | ((isTimed ? TIMED : PACKED) << 4);
    const old = runBytes(valueWord(this.#arena, entry));
    const target = database.splice(entry, kind, 0, old, end - at, count);
    const bytes = this.#arena.edit(target, entryUnits(this.#arena, target));
    run.copy(bytes, database.valueStart, at, end);
    if (isTimed) this.#hashes.settle(database, target);
    return target;
  }
}

/** How many fields there are; throws unless the elements are those of a hash. */
function requireFields({ run, at, end, isTimed }: Elements): number {
  let count = 0;
  for (let next = at; next < end; count++) {
    next = requireString(run, requireString(run, next, end), end) + (isTimed ? NUMBER_BYTES : 0);
    if (next > end) throw new RangeError("a field of a hash lacks its deadline");
  }
  return count;
}

function requireString(run: ReadonlyBytes, at: number, end: number): number {
  if (at >= end || contentAt(run, at) > end || afterString(run, at) > end) {
    throw new RangeError("a field or value of a hash is cut off");
  }
  return afterString(run, at);
}

/** Of a run that is short enough to be kept as it is. */
function requireDistinct({ run, at, end, isTimed }: Elements): void {
  const tail = isTimed ? NUMBER_BYTES : 0;
  filter.clear();
  for (let next = at; next < end; ) {
    const from = contentAt(run, next);
    const to = afterString(run, next);
    if (filter.mayHave(run, from, to) && findInRun(run, at, next, 2, tail, run, from, to) >= 0) {
      throw new RangeError("a field of a hash appears twice");
    }
    next = afterString(run, to) + tail;
  }
}
