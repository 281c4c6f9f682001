/**
 * The elements of a sorted set where they leave the engine and come back (value-types.ts): members with their scores, in
 * order, as packed-sorted-set.ts draws them.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes } from "./arena.ts";
import type { Database } from "./database.ts";
import type { ElementPart } from "./element-part.ts";
import { inlineSize, MAX_RUN_BYTES, PACKED, valueAt, ZSET } from "./entry.ts";
import { NameFilter } from "./name-filter.ts";
import { afterString, contentAt, findInRun, lengthAt, numberAt } from "./packed-run.ts";
import { afterElement, compareMemberAt, SCORE_BYTES, scoreAt } from "./packed-sorted-set.ts";
import type { SortedSets } from "./sorted-sets.ts";
import type { Elements, InlineValue } from "./value-types.ts";

const filter = new NameFilter();

export class SortedSetElements {
  readonly #arena: Arena;
  readonly #sets: SortedSets;

  constructor(arena: Arena, sets: SortedSets) {
    this.#arena = arena;
    this.#sets = sets;
  }

  /** As ValueType.writePart: the part's place is a rank. */
  write(entry: number, part: ElementPart): boolean {
    const arena = this.#arena;
    const sets = this.#sets;
    if (sets.isPacked(entry)) {
      const at = valueAt(arena, entry);
      part.borrow(arena.bytes[entry >>> CHUNK_SHIFT] as Buffer, at, at + inlineSize(arena, entry));
      return true;
    }
    const count = sets.count(entry);
    if (part.place < count) sets.seek(entry, part.place);
    while (part.place < count && !part.isFull) {
      sets.next();
      part.string(sets.bytes, sets.start, sets.end);
      part.number(sets.score);
      part.place++;
    }
    return part.place === count;
  }

  /** As ValueType.readPart. */
  read(database: Database, entry: number, elements: Elements): number {
    const sets = this.#sets;
    const { run, end } = elements;
    const count = requireElements(elements);
    let target = entry;
    if (sets.isPacked(entry) && sets.count(entry) === 0) {
      // Not a member at a time: the first ones would fit, and minus zero be lost among them.
      if (!this.#fitRun(elements, count)) target = sets.enlarge(database, entry);
      else return this.#takeRun(database, entry, ready(elements), count);
    }
    for (let { at } = elements; at < end; at = afterElement(run, at)) {
      const from = contentAt(run, at);
      const to = afterString(run, at);
      if (sets.find(target, run, from, to)) throw new RangeError("a member is there twice");
      target = sets.add(database, target, numberAt(run, to), run, from, to);
    }
    return target;
  }

  /** As ValueType.toInline. */
  toInline(elements: Elements, value: InlineValue): boolean {
    const count = requireElements(elements);
    if (count === 0 || !this.#fitRun(elements, count)) return false;
    value.setRun(ZSET | (PACKED << 4), count, ready(elements));
    return true;
  }

  /** Whether the elements are within the limits of a packed value. */
  #fitRun({ run, at: first, end }: Elements, count: number): boolean {
    if (end - first > MAX_RUN_BYTES) return false;
    for (let at = first; at < end; at = afterElement(run, at)) {
      if (!this.#sets.fitsPacked(count, lengthAt(run, at))) return false;
    }
    return true;
  }

  /** Makes the run the value of an empty set. */
  #takeRun(database: Database, entry: number, { run, at, end }: Elements, count: number): number {
    const target = database.splice(entry, ZSET | (PACKED << 4), 0, 0, end - at, count);
    const bytes = this.#arena.bytes[target >>> CHUNK_SHIFT] as Buffer;
    run.copy(bytes, database.valueStart, at, end);
    return target;
  }
}

/** How many elements there are; throws when they are none of a sorted set. */
function requireElements({ run, at: first, end }: Elements): number {
  let count = 0;
  for (let at = first; at < end; count++) {
    const isCut = at + 5 > end || afterElement(run, at) > end;
    if (isCut) throw new RangeError("an element is longer than its run");
    if (Number.isNaN(scoreAt(run, at))) throw new RangeError("a score is no number");
    at = afterElement(run, at);
  }
  return count;
}

/** The elements as a packed value has them: in order. Throws when a member is there twice. */
function ready(elements: Elements): Elements {
  if (isReadyRun(elements)) return elements;
  const sorted = inOrder(elements);
  if (!isReadyRun(sorted)) throw new RangeError("a member is there twice");
  return sorted;
}

function inOrder({ run, at: first, end, isTimed }: Elements): Elements {
  const places: number[] = [];
  for (let at = first; at < end; at = afterElement(run, at)) places.push(at);
  places.sort((a, b) => (isBefore(run, a, b) ? -1 : 1));
  const sorted = Buffer.alloc(end - first);
  let size = 0;
  for (const at of places) size += run.copy(sorted, size, at, afterElement(run, at));
  return { run: sorted, at: 0, end: size, isTimed };
}

/** Whether the run can be a packed value as it is: in order, and each member once. */
function isReadyRun({ run, at: first, end }: Elements): boolean {
  let previous = -1;
  filter.clear();
  for (let at = first; at < end; at = afterElement(run, at)) {
    if (previous >= 0 && !isBefore(run, previous, at)) return false;
    const from = contentAt(run, at);
    const to = afterString(run, at);
    const isOther = !filter.mayHave(run, from, to);
    if (!isOther && findInRun(run, first, at, 1, SCORE_BYTES, run, from, to) >= 0) return false;
    previous = at;
  }
  return true;
}

/** Whether of two elements of a run the first is to stand ahead of the other. */
function isBefore(run: ReadonlyBytes, first: number, other: number): boolean {
  const a = scoreAt(run, first);
  const b = scoreAt(run, other);
  if (a !== b) return a < b;
  return compareMemberAt(run, first, run, contentAt(run, other), afterString(run, other)) < 0;
}
