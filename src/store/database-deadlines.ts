/**
 * The deadlines of one database: how many entries have one, their sum, and the wheel that reminds of them and of those of
 * fields. All state is in the database's record and in the flags of its entries; this object is a view, as the database is,
 * and knows the rare half of its work: what every command does without a deadline stays there.
 *
 * Invariant: an entry with a deadline, and a hash whose fields have some, has a reminder in the wheel at that moment or before.
 * A reminder of nothing is stale, and swept.
 */
import { type Arena, UNIT_MASK } from "./arena.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT, D_DEADLINES, I_EXPIRES, I_TIMED_HASHES, I_WHEEL } from "./database-record.ts";
import type { Dictionary } from "./dictionary.ts";
import { deadlineOf, FLAG_FIELDS, FLAG_FIELDS_SWEPT, FLAG_SWEPT, flagsOf } from "./entry.ts";
import { low32, type WheelOwner } from "./expiry-wheel.ts";
import type { Keyspace } from "./keyspace.ts";

export class DatabaseDeadlines implements WheelOwner {
  readonly #database: Database;
  readonly #keyspace: Keyspace;
  readonly #arena: Arena;
  readonly #entries: Dictionary;
  readonly #record: number;

  constructor(database: Database) {
    this.#database = database;
    this.#keyspace = database.keyspace;
    this.#arena = database.arena;
    this.#entries = database.keyspace.entries;
    this.#record = database.record;
  }

  /** How many entries have one. */
  get count(): number {
    return this.#arena.ints[0][(this.#record << 1) + I_EXPIRES];
  }

  /** Of the entries that have one, on average, in milliseconds since 1970; 0: none has. */
  get meanMs(): number {
    const { count } = this;
    return count === 0 ? 0 : this.#sumMs / count;
  }

  /** How many hashes have a field with a deadline. */
  get timedHashes(): number {
    return this.#arena.ints[0][(this.#record << 1) + I_TIMED_HASHES];
  }

  /** Of the reminders. */
  get reminderBytes(): number {
    const { wheel } = this;
    return wheel === 0 ? 0 : this.#keyspace.wheel.bytes(wheel);
  }

  /** Address of the wheel; 0: there is none yet. */
  get wheel(): number {
    return this.#arena.ints[0][(this.#record << 1) + I_WHEEL];
  }

  // ---- of entries ----

  /** So many more entries have one. */
  add(by: number): void {
    const unit = this.#record + (I_EXPIRES >> 1);
    this.#arena.editInts(unit, 1)[(this.#record << 1) + I_EXPIRES] += by;
  }

  /** The entry, which has one, goes, or its deadline does. */
  forget(entry: number): void {
    this.add(-1);
    // With the last one goes what was lost by rounding.
    const goes = this.count === 0 ? this.#sumMs : deadlineOf(this.#arena, entry);
    this.sum(-goes);
  }

  get #sumMs(): number {
    return this.#arena.doubles[0][this.#record + D_DEADLINES];
  }

  sum(byMs: number): void {
    this.#arena.editDoubles(this.#record + D_DEADLINES, 1)[this.#record + D_DEADLINES] += byMs;
  }

  /** The entry has a new block, with room for its deadline; it is reminded of already. */
  copy(from: number, to: number): void {
    const deadline = deadlineOf(this.#arena, from);
    this.#arena.editDoubles(to, 3)[(to & UNIT_MASK) + 2] = deadline;
    this.#mark(to, flagsOf(this.#arena, from) & FLAG_SWEPT);
  }

  /**
   * Writes the deadline, for which the entry has room, and puts a reminder into the wheel, unless that very deadline stands
   * there already.
   */
  remind(entry: number, hash: number, deadlineMs: number): void {
    const doubles = this.#arena.editDoubles(entry, 3);
    if (doubles[(entry & UNIT_MASK) + 2] === deadlineMs) return;
    this.sum(deadlineMs - (doubles[(entry & UNIT_MASK) + 2] as number));
    doubles[(entry & UNIT_MASK) + 2] = deadlineMs;
    this.#mark(entry, this.#addReminder(hash, deadlineMs));
    this.#keyspace.onDeadline?.(this.#database, entry, deadlineMs);
  }

  /** Answers the parity that marks what this sweep has seen. */
  #addReminder(hash: number, deadlineMs: number): number {
    this.#arena.account = this.#record + D_ACCOUNT;
    const wheel = this.wheel || this.#makeWheel();
    this.#keyspace.wheel.add(wheel, hash, deadlineMs);
    return this.#keyspace.wheel.parity(wheel);
  }

  #makeWheel(): number {
    const wheel = this.#keyspace.wheel.create(this.#keyspace.nowMs);
    this.#setWheel(wheel);
    return wheel;
  }

  #setWheel(address: number): void {
    const unit = this.#record + (I_WHEEL >> 1);
    this.#arena.editInts(unit, 1)[(this.#record << 1) + I_WHEEL] = address;
  }

  #mark(entry: number, parity: number, flag = FLAG_SWEPT): void {
    const flags = flagsOf(this.#arena, entry) & ~flag;
    this.#writeFlags(entry, parity === 0 ? flags : flags | flag);
  }

  setFlags(entry: number, flags: number): void {
    if (flags !== 0) this.#writeFlags(entry, flagsOf(this.#arena, entry) | flags);
  }

  #writeFlags(entry: number, flags: number): void {
    this.#arena.edit(entry, 1)[((entry & UNIT_MASK) << 3) + 2] = flags;
  }

  // ---- of fields ----

  /** Before `deadlineMs` no field of the hash `entry` is over; 0: none has a deadline any more. */
  remindOfFields(entry: number, hash: number, deadlineMs: number): void {
    const isTimed = (flagsOf(this.#arena, entry) & FLAG_FIELDS) !== 0;
    if (deadlineMs === 0) {
      if (isTimed) this.forgetFields(entry);
      return;
    }
    if (!isTimed) {
      this.#addTimedHashes(1);
      this.setFlags(entry, FLAG_FIELDS);
    }
    this.#mark(entry, this.#addReminder(hash, deadlineMs), FLAG_FIELDS_SWEPT);
  }

  /** No field of the entry, which has FLAG_FIELDS, has a deadline any more, or it is no hash any more. */
  forgetFields(entry: number): void {
    this.#addTimedHashes(-1);
    const flags = flagsOf(this.#arena, entry);
    this.#writeFlags(entry, flags & ~(FLAG_FIELDS | FLAG_FIELDS_SWEPT));
  }

  #addTimedHashes(by: number): void {
    const unit = this.#record + (I_TIMED_HASHES >> 1);
    this.#arena.editInts(unit, 1)[(this.#record << 1) + I_TIMED_HASHES] += by;
  }

  // ---- expiry on time ----

  /** Whether there are reminders, be it stale ones. */
  get hasReminders(): boolean {
    const { wheel } = this;
    return wheel !== 0 && this.#keyspace.wheel.items(wheel) > 0;
  }

  /** Works off what is due, then drops stale reminders, until `exhausted`. True when nothing is left to do now. */
  expireDue(exhausted: () => boolean): boolean {
    const { wheel } = this;
    if (wheel === 0) return true;
    this.#arena.account = this.#record + D_ACCOUNT;
    const { nowMs, wheel: wheels } = this.#keyspace;
    if (!wheels.advance(wheel, nowMs, this, exhausted)) return false;
    if (!wheels.needsSweep(wheel, this.count + this.timedHashes)) return true;
    if (!wheels.sweep(wheel, this, exhausted)) return false;
    return wheels.advance(wheel, nowMs, this, exhausted);
  }

  /** Removes the entries with this hash whose time is over, if any. What was found last has to be found again. */
  expireWithHash(hash: number): boolean {
    let hasExpired = false;
    for (let over = this.#overWithHash(hash); over !== 0; over = this.#overWithHash(hash)) {
      this.#database.expire(over, hash);
      hasExpired = true;
    }
    return hasExpired;
  }

  #overWithHash(hash: number): number {
    let over = 0;
    this.#entries.eachWithHash(this.#record, hash, (entry) => {
      if (this.#database.isOver(entry)) over = entry;
      return over !== 0;
    });
    return over;
  }

  /** The wheel asks: expire the entries with this hash whose time is over, or the fields of one. */
  due(hash: number, deadlineLow: number): number {
    for (;;) {
      let over = 0;
      let later = 0;
      let fields = 0;
      this.#entries.eachWithHash(this.#record, hash, (entry) => {
        if (this.#database.isOver(entry)) over = entry;
        else if (low32(deadlineOf(this.#arena, entry)) === deadlineLow) {
          later = deadlineOf(this.#arena, entry);
        }
        if (this.#hasReminder(entry, deadlineLow)) fields = entry;
        return over !== 0;
      });
      if (over === 0) return fields === 0 ? later : this.#expireFields(fields, hash) || later;
      this.#database.expire(over, hash);
    }
  }

  /** Whether the item with these bits of a deadline reminds of the fields of the entry. */
  #hasReminder(entry: number, deadlineLow: number): boolean {
    if ((flagsOf(this.#arena, entry) & FLAG_FIELDS) === 0) return false;
    return low32(this.#keyspace.collections.hashes.reminder(entry)) === deadlineLow;
  }

  /** Works off the reminder of the entry's fields. Answers it when it is still of use, else 0. */
  #expireFields(entry: number, hash: number): number {
    const { hashes } = this.#keyspace.collections;
    const before = hashes.reminder(entry);
    this.#database.locate(entry, hash);
    const target = hashes.expireOver(this.#database, entry);
    this.#arena.account = this.#record + D_ACCOUNT;
    return target !== 0 && hashes.reminder(target) === before ? before : 0;
  }

  /** The wheel asks: does an entry need this reminder, and has none yet in this sweep? */
  keep(hash: number, deadlineLow: number, parity: number): number {
    let deadline = 0;
    this.#entries.eachWithHash(this.#record, hash, (entry) => {
      const own = deadlineOf(this.#arena, entry);
      if (
        own !== 0 &&
        low32(own) === deadlineLow &&
        this.#isMarked(entry, FLAG_SWEPT, 1 - parity)
      ) {
        this.#mark(entry, parity);
        deadline = own;
      } else if (
        this.#hasReminder(entry, deadlineLow) &&
        this.#isMarked(entry, FLAG_FIELDS_SWEPT, 1 - parity)
      ) {
        this.#mark(entry, parity, FLAG_FIELDS_SWEPT);
        deadline = this.#keyspace.collections.hashes.reminder(entry);
      }
      return deadline !== 0;
    });
    return deadline;
  }

  #isMarked(entry: number, flag: number, parity: number): boolean {
    return ((flagsOf(this.#arena, entry) & flag) === 0 ? 0 : 1) === parity;
  }

  // ---- defragmentation ----

  /** Moves what of the wheel lies where `holds` says. Answers how many blocks moved. */
  relocateWheel(holds: (address: number) => boolean): number {
    const { wheel } = this.#keyspace;
    let address = this.wheel;
    if (address === 0) return 0;
    let moved = 0;
    if (holds(address)) {
      address = wheel.relocate(address);
      this.#setWheel(address);
      moved++;
    }
    for (let slot = 0; slot < wheel.slotCount; slot++) {
      moved += wheel.relocateSlot(address, slot, holds);
    }
    return moved;
  }
}
