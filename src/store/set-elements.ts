/**
 * Members of a set that come all at once, as the inline value that they would become one by one: sorted integers, or a run of
 * strings (sets.ts). Each is looked at once and nothing is moved, which is what a load is made of.
 */
import type { CollectionLimits } from "./collections.ts";
import { INTEGERS, MAX_RUN_BYTES, MAX_RUN_COUNT, PACKED, runWord, SET } from "./entry.ts";
import { NameFilter } from "./name-filter.ts";
import { parseInteger } from "./number-text.ts";
import { afterString, contentAt, findInRun } from "./packed-run.ts";
import type { Elements, InlineValue } from "./value-types.ts";

const PACKED_KIND = SET | (PACKED << 4);
const INTEGERS_KIND = SET | (INTEGERS << 4);

const filter = new NameFilter();

export class SetElements {
  readonly #limits: CollectionLimits;
  #integers = new Float64Array(64);
  #run = Buffer.alloc(512);
  #count = 0;
  #longest = 0;

  constructor(limits: CollectionLimits) {
    this.#limits = limits;
  }

  /** As ValueType.toInline. */
  toInline(elements: Elements, value: InlineValue): boolean {
    const { setEntries, setIntegers, setValueBytes } = this.#limits;
    this.#measure(elements);
    const count = this.#count;
    if (count === 0 || count > MAX_RUN_COUNT) return false;
    // More integers than may be kept as such become strings, or a structure: the limits apply one after the other.
    const read = setIntegers === 0 ? 0 : this.#readIntegers(elements);
    if (read === count) return count <= setIntegers && this.#toIntegers(value);
    if (read < 0 || read > setIntegers) return false;
    const isSmall = count <= setEntries && this.#longest <= setValueBytes;
    if (!isSmall || elements.end - elements.at > MAX_RUN_BYTES) return false;
    requireDistinct(elements);
    value.setRun(PACKED_KIND, count, elements);
    return true;
  }

  #measure({ run, at, end }: Elements): void {
    this.#count = 0;
    this.#longest = 0;
    for (let next = at; next < end; this.#count++) {
      const after = afterString(run, next);
      if (after > end) throw new RangeError("a member is longer than its run");
      this.#longest = Math.max(this.#longest, after - contentAt(run, next));
      next = after;
    }
  }

  /** How many of the first members are integers; -1: one of them is beyond 2^53, which is too large for this. */
  #readIntegers({ run, at, end }: Elements): number {
    if (this.#integers.length < this.#count) this.#integers = new Float64Array(2 * this.#count);
    let read = 0;
    for (let next = at; next < end; read++) {
      const after = afterString(run, next);
      const value = parseInteger(run as Buffer, contentAt(run, next), after);
      if (Number.isNaN(value)) break;
      if (!Number.isSafeInteger(value)) return -1;
      this.#integers[read] = value;
      next = after;
    }
    return read;
  }

  #toIntegers(value: InlineValue): boolean {
    const count = this.#count;
    const integers = this.#integers;
    if (!isAscending(integers, count)) {
      integers.subarray(0, count).sort();
      if (!isAscending(integers, count)) throw new RangeError("a member of a set appears twice");
    }
    const width = Math.max(widthOf(integers[0]), widthOf(integers[count - 1]));
    const size = width * count;
    if (this.#run.length < size) this.#run = Buffer.alloc(2 * size);
    const run = this.#run;
    for (let i = 0; i < count; i++) {
      const at = width * i;
      if (width === 2) run.writeInt16LE(integers[i], at);
      else run.writeInt32LE(integers[i] | 0, at);
      if (width === 8) run.writeInt32LE(Math.floor(integers[i] / 2 ** 32), at + 4);
    }
    value.set(INTEGERS_KIND, runWord(size, count), run, 0, size);
    return true;
  }
}

function isAscending(integers: Float64Array, count: number): boolean {
  for (let i = 1; i < count; i++) if (integers[i - 1] >= integers[i]) return false;
  return true;
}

/** As integer-set.ts has it. */
function widthOf(integer: number): number {
  if (integer !== (integer | 0)) return 8;
  return integer === (integer << 16) >> 16 ? 2 : 4;
}

function requireDistinct({ run, at, end }: Elements): void {
  filter.clear();
  for (let next = at; next < end; ) {
    const from = contentAt(run, next);
    const after = afterString(run, next);
    if (filter.mayHave(run, from, after) && findInRun(run, at, next, 1, 0, run, from, after) >= 0) {
      throw new RangeError("a member of a set appears twice");
    }
    next = after;
  }
}
