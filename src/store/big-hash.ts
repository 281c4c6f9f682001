/**
 * A big hash: a dictionary of elements (hash-field.ts draws one), and a wheel that says which fields are over next.
 *
 *   root   d0 units of the structure    units 1-2 root of the dictionary    d3 reminder: before it no field is over, 0: none
 *          has a deadline    i8 fields with a deadline    i9 the wheel (expiry-wheel.ts), 0: none yet
 *
 * The wheel is not told when a deadline goes or changes: its items are checked against the elements, and swept a block at a
 * time while deadlines are set. Invariant: the reminder is not after any deadline.
 *
 * Not the key, its version and its reminder in the database: hashes.ts.
 */
import { type Arena, CHUNK_SHIFT, type ReadonlyBytes, roundUnits, UNIT_MASK } from "./arena.ts";
import type { CollectionHost } from "./collections.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import { Dictionary } from "./dictionary.ts";
import { FLAG_SWEPT } from "./entry.ts";
import { ExpiryWheel, low32, type WheelOwner } from "./expiry-wheel.ts";
import { hashBytes } from "./hash.ts";
import {
  ELEMENT_HEADER_BYTES,
  elementUnits,
  HashField,
  hasRoom,
  unitsOfElement,
  writeDeadline,
  writeField,
  writeValue,
} from "./hash-field.ts";
import { StructureEdit } from "./structure.ts";

const ROOT_UNITS = 5;
const REMINDER = 3;
const TIMED_COUNT = 8;
const WHEEL = 9;
/** Blocks of the wheel (15 fields each) that one call works off: some 20 µs. */
const EXPIRED_BLOCKS = 4;

export class BigHash implements WheelOwner {
  readonly #arena: Arena;
  readonly #hashKey0: number;
  readonly #hashKey1: number;
  readonly dictionary: Dictionary;
  readonly #wheel: ExpiryWheel;
  readonly #edit: StructureEdit;
  readonly #field = new HashField();
  /** The hash of the last `find`. */
  #hash = 0;
  /** While fields expire: the root, the time, and who is told of each. */
  #root = 0;
  #nowMs = 0;
  #onExpired: (field: HashField) => void = () => {};

  constructor(host: CollectionHost) {
    this.#arena = host.arena;
    this.#hashKey0 = host.hashKey0;
    this.#hashKey1 = host.hashKey1;
    this.dictionary = new Dictionary(host.arena, ELEMENT_HEADER_BYTES);
    this.#wheel = new ExpiryWheel(host.arena);
    this.#edit = new StructureEdit(host.arena);
  }

  // ---- the root ----

  create(database: Database): number {
    const arena = this.#arena;
    arena.account = database.record + D_ACCOUNT;
    const root = arena.allocate(ROOT_UNITS);
    const doubles = arena.editDoubles(root, ROOT_UNITS);
    const at = root & UNIT_MASK;
    doubles.fill(0, at, at + ROOT_UNITS);
    doubles[at] = roundUnits(ROOT_UNITS);
    return root;
  }

  /** Root of the dictionary. */
  #table(root: number): number {
    return (root + 1) | 0;
  }

  #word(root: number, index: number): number {
    return this.#arena.ints[root >>> CHUNK_SHIFT][((root & UNIT_MASK) << 1) + index];
  }

  #setWord(root: number, index: number, value: number): void {
    this.#arena.editInts(root, ROOT_UNITS)[((root & UNIT_MASK) << 1) + index] = value;
  }

  count(root: number): number {
    return this.dictionary.count(this.#table(root));
  }

  timedCount(root: number): number {
    return this.#word(root, TIMED_COUNT);
  }

  reminder(root: number): number {
    return this.#arena.doubles[root >>> CHUNK_SHIFT][(root & UNIT_MASK) + REMINDER];
  }

  #setReminder(root: number, deadlineMs: number): void {
    this.#arena.editDoubles(root, ROOT_UNITS)[(root & UNIT_MASK) + REMINDER] = deadlineMs;
  }

  // ---- fields ----

  /** The element of the field, or 0. */
  find(root: number, bytes: ReadonlyBytes, start: number, end: number): number {
    this.#hash = hashBytes(this.#hashKey0, this.#hashKey1, bytes, start, end);
    return this.dictionary.find(this.#table(root), this.#hash, bytes, start, end);
  }

  /** Adds the field that `find` has just missed, without a deadline. Answers its element. */
  add(
    database: Database,
    root: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    value: ReadonlyBytes,
    valueStart: number,
    valueEnd: number,
  ): number {
    const arena = this.#arena;
    this.#edit.begin(database.record + D_ACCOUNT);
    const units = elementUnits(end - start, valueEnd - valueStart, false);
    const element = arena.allocate(units);
    const at = writeField(arena, element, units, false, bytes, start, end);
    writeValue(arena, element, units, at, value, valueStart, valueEnd);
    this.dictionary.insert(this.#table(root), this.#hash, element);
    this.#edit.end(root);
    return element;
  }

  /** Gives the element that `find` has just found another value. */
  replace(
    database: Database,
    root: number,
    element: number,
    value: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    const arena = this.#arena;
    const field = this.#field;
    field.readElement(arena, element);
    const fieldSize = field.fieldEnd - field.fieldStart;
    const withRoom = hasRoom(arena, element);
    const old = elementUnits(fieldSize, field.valueEnd - field.valueStart, withRoom);
    const units = elementUnits(fieldSize, end - start, withRoom);
    if (roundUnits(old) === roundUnits(units)) {
      writeValue(arena, element, units, field.fieldEnd, value, start, end);
      return;
    }
    this.#move(database, root, element, withRoom, value, start, end);
  }

  /**
   * Moves the element that was found last, read into `#field`, to a block for another value or with room for a deadline.
   * Answers its address there.
   */
  #move(
    database: Database,
    root: number,
    element: number,
    withRoom: boolean,
    value: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const arena = this.#arena;
    const { bytes, fieldStart, fieldEnd, deadlineMs } = this.#field;
    this.#edit.begin(database.record + D_ACCOUNT);
    const units = elementUnits(fieldEnd - fieldStart, end - start, withRoom);
    const target = arena.allocate(units);
    const at = writeField(arena, target, units, withRoom, bytes, fieldStart, fieldEnd);
    writeValue(arena, target, units, at, value, start, end);
    if (deadlineMs !== 0) {
      writeDeadline(arena, target, deadlineMs);
      this.#mark(target, this.#markOf(element));
    }
    this.dictionary.replace(target);
    arena.release(element, unitsOfElement(arena, element));
    this.#edit.end(root);
    return target;
  }

  /** Takes the element out that `find` has just found. */
  remove(database: Database, root: number, element: number): void {
    this.#edit.begin(database.record + D_ACCOUNT);
    this.#drop(root, element);
    this.#edit.end(root);
  }

  #drop(root: number, element: number): void {
    const arena = this.#arena;
    this.#field.readElement(arena, element);
    const isTimed = this.#field.deadlineMs !== 0;
    this.dictionary.remove(this.#table(root));
    arena.release(element, unitsOfElement(arena, element));
    if (isTimed) this.#countTimed(root, -1);
  }

  #countTimed(root: number, by: number): void {
    const count = this.timedCount(root) + by;
    this.#setWord(root, TIMED_COUNT, count);
    if (count === 0) this.#setReminder(root, 0);
  }

  // ---- deadlines ----

  deadline(element: number): number {
    this.#field.readElement(this.#arena, element);
    return this.#field.deadlineMs;
  }

  /** Gives the element that `find` has just found a deadline; 0: none. */
  setDeadline(database: Database, root: number, element: number, deadlineMs: number): void {
    const before = this.deadline(element);
    if (before === deadlineMs) return;
    let target = element;
    if (!hasRoom(this.#arena, element)) {
      const { bytes, valueStart, valueEnd } = this.#field;
      target = this.#move(database, root, element, true, bytes, valueStart, valueEnd);
    }
    writeDeadline(this.#arena, target, deadlineMs);
    if (deadlineMs !== 0) this.#remind(database, root, target, deadlineMs);
    const by = (deadlineMs !== 0 ? 1 : 0) - (before !== 0 ? 1 : 0);
    if (by !== 0) this.#countTimed(root, by);
  }

  #remind(database: Database, root: number, element: number, deadlineMs: number): void {
    this.#edit.begin(database.record + D_ACCOUNT);
    const wheel = this.#word(root, WHEEL) || this.#makeWheel(database, root);
    this.#wheel.add(wheel, this.#hash, deadlineMs);
    this.#mark(element, this.#wheel.parity(wheel));
    // One block for each item that comes: the sweep is through before as many useless ones have gathered again.
    if (this.#wheel.needsSweep(wheel, this.timedCount(root))) {
      this.#root = root;
      this.#wheel.sweep(wheel, this, () => true);
    }
    this.#edit.end(root);
    const reminder = this.reminder(root);
    if (reminder === 0 || deadlineMs < reminder) this.#setReminder(root, deadlineMs);
  }

  #makeWheel(database: Database, root: number): number {
    const wheel = this.#wheel.create(database.keyspace.nowMs);
    this.#setWord(root, WHEEL, wheel);
    return wheel;
  }

  #markOf(element: number): number {
    const flags = this.#arena.bytes[element >>> CHUNK_SHIFT][((element & UNIT_MASK) << 3) + 2];
    return (flags & FLAG_SWEPT) === 0 ? 0 : 1;
  }

  #mark(element: number, parity: number): void {
    const bytes = this.#arena.edit(element, 1);
    const at = ((element & UNIT_MASK) << 3) + 2;
    bytes[at] = (bytes[at] & ~FLAG_SWEPT) | (parity === 0 ? 0 : FLAG_SWEPT);
  }

  /**
   * Takes fields out whose time is over, a bounded number; `onExpired` is told of each before it goes. Sets the reminder to
   * when it is to be called again. The hash may be empty afterwards.
   */
  expire(database: Database, root: number, onExpired: (field: HashField) => void): void {
    const wheel = this.#word(root, WHEEL);
    this.#root = root;
    this.#nowMs = database.keyspace.nowMs;
    this.#onExpired = onExpired;
    this.#edit.begin(database.record + D_ACCOUNT);
    let blocks = EXPIRED_BLOCKS;
    const isDone = this.#advance(wheel, () => --blocks <= 0);
    this.#edit.end(root);
    if (this.timedCount(root) === 0) this.#setReminder(root, 0);
    else if (isDone) this.#setReminder(root, this.#wheel.nextMs(wheel));
  }

  /** True when no field is over any more, and the wheel's own slots hold all items. */
  #advance(wheel: number, exhausted: () => boolean): boolean {
    if (!this.#wheel.advance(wheel, this.#nowMs, this, exhausted)) return false;
    if (!this.#wheel.needsSweep(wheel, this.timedCount(this.#root))) return true;
    if (!this.#wheel.sweep(wheel, this, exhausted)) return false;
    return this.#wheel.advance(wheel, this.#nowMs, this, exhausted);
  }

  /** The hash's wheel asks. */
  due(hash: number, deadlineLow: number): number {
    const table = this.#table(this.#root);
    for (;;) {
      let over = 0;
      let later = 0;
      this.dictionary.eachWithHash(table, hash, (element) => {
        const deadlineMs = this.deadline(element);
        if (deadlineMs !== 0 && deadlineMs <= this.#nowMs) over = element;
        else if (low32(deadlineMs) === deadlineLow) later = deadlineMs;
        return over !== 0;
      });
      if (over === 0) return later;
      this.dictionary.locate(table, hash, over);
      this.#field.readElement(this.#arena, over);
      this.#onExpired(this.#field);
      this.#drop(this.#root, over);
    }
  }

  /** The hash's wheel asks. */
  keep(hash: number, deadlineLow: number, parity: number): number {
    let deadline = 0;
    this.dictionary.eachWithHash(this.#table(this.#root), hash, (element) => {
      const own = this.deadline(element);
      if (own === 0 || low32(own) !== deadlineLow || this.#markOf(element) === parity) return false;
      this.#mark(element, parity);
      deadline = own;
      return true;
    });
    return deadline;
  }

  // ---- walking ----

  /** See Dictionary.entriesOfSegment. */
  elementsOfSegment(root: number, index: number, found: Int32Array): number {
    return this.dictionary.entriesOfSegment(this.#table(root), index, found);
  }

  /** See Dictionary.scan. */
  scan(root: number, cursor: number, wanted: number, found: number[]): number {
    return this.dictionary.scan(this.#table(root), cursor, wanted, found);
  }

  /** See Dictionary.random. */
  random(root: number, below: (n: number) => number): number {
    return this.dictionary.random(this.#table(root), below);
  }

  // ---- freeing ----

  /** See ValueType.reap. */
  reap(root: number): boolean {
    const wheel = this.#word(root, WHEEL);
    if (wheel !== 0) {
      if (this.#wheel.reap(wheel)) this.#setWord(root, WHEEL, 0);
      return false;
    }
    if (!this.dictionary.reap(this.#table(root), this.#release)) return false;
    this.#arena.release(root, ROOT_UNITS);
    return true;
  }

  readonly #release = (element: number): void => {
    this.#arena.release(element, unitsOfElement(this.#arena, element));
  };
}
