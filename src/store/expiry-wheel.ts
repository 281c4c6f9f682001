/**
 * A hierarchical timing wheel in the arena: which keys are due next, at 8 bytes per key with a deadline. It holds
 * (hash, deadline) and never an address: an item is a reminder to look, checked against the entry when it is due, so
 * entries move and vanish without telling the wheel. Items that nobody needs any more (PERSIST, a new deadline, DEL)
 * stay until due, or until they outnumber the live ones: then a sweep drops them, a slice at a time.
 *
 *   wheel (516 units)  i0 items   i1 parity of the sweep   i2 slot that is swept   i3 slots that are swept, 0: no sweep
 *                      d2 tick that is worked on (ticks of 16 ms since 1970)   i6 1: sweep once more   i7 free
 *                      then the slots: 4 levels of 256 words, first block of the chain, 0: empty. A slot of level n spans
 *                      256^n ticks; each level is a ring that begins at the tick. What lies beyond 2.2 years waits in
 *                      the last slot and is placed again when it comes up.
 *   block (16 units)   i0 next block   i1 items in it, then 15 items: hash, low 32 bits of the deadline in ms
 *
 * A sweep moves all slots aside (512 units) and begins with empty ones, into which it puts back the items of use. So it
 * never meets an item twice, whatever is added, placed again or due meanwhile.
 *
 * Invariant: each entry with a deadline has exactly one item that is of use; its mark (FLAG_SWEPT) equals the parity
 * when this item is in the wheel's own slots, and not when it is in those that are being swept.
 */
import { type Arena, CHUNK_SHIFT, UNIT_BYTES, UNIT_MASK } from "./arena.ts";

/** Resolution: an expiry is at most this late. */
const TICK_MS = 16;
const SLOT_BITS = 8;
const SLOTS = 1 << SLOT_BITS;
const LEVELS = 4;
const ALL_SLOTS = LEVELS * SLOTS;
const HEADER_UNITS = 4;
const SLOTS_UNITS = ALL_SLOTS / 2;
const WHEEL_UNITS = HEADER_UNITS + SLOTS_UNITS;
const BLOCK_UNITS = 16;
const BLOCK_ITEMS = BLOCK_UNITS - 1;
/** What one item takes, but for its share of the block's header. */
export const REMINDER_BYTES = 8;
/** A sweep is worth its walk only beyond this many useless items. */
const SWEEP_SLACK = 1024;

/** Blocks of one slot that are looked at to be moved: a millisecond or so. */
const MOST_RELOCATED = 16_384;

/** A clock set back by less is waited for; by more, everything is placed anew. */
const MAX_BACKWARD_TICKS = 64;

const ITEMS = 0;
const PARITY = 1;
const SWEPT_SLOT = 2;
const SWEPT_SLOTS = 3;
const TICK = 2;
const SWEEP_AGAIN = 6;

/** What the wheel asks of the keyspace. */
export interface WheelOwner {
  /** Expires the entries with this hash that are due; answers the deadline of a later one that this item stood for, or 0. */
  due(hash: number, deadlineLow: number): number;
  /** The deadline of the entry this item stands for if its mark differs from `parity` (then sets the mark), or 0. */
  keep(hash: number, deadlineLow: number, parity: number): number;
}

export class ExpiryWheel {
  readonly #arena: Arena;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  create(nowMs: number): number {
    const wheel = this.#arena.allocate(WHEEL_UNITS);
    const ints = this.#arena.editInts(wheel, WHEEL_UNITS);
    const at = (wheel & UNIT_MASK) << 1;
    ints.fill(0, at, at + 2 * WHEEL_UNITS);
    this.#setTick(wheel, Math.floor(nowMs / TICK_MS));
    return wheel;
  }

  items(wheel: number): number {
    return this.#word(wheel, ITEMS);
  }

  /** Bytes of the wheel, were its blocks full. */
  bytes(wheel: number): number {
    const blocks = Math.ceil(this.items(wheel) / BLOCK_ITEMS);
    return (WHEEL_UNITS + blocks * BLOCK_UNITS) * UNIT_BYTES;
  }

  /** The mark that an entry gets with its new item. */
  parity(wheel: number): number {
    return this.#word(wheel, PARITY);
  }

  /** Reminds of `deadlineMs`; one in the past is due at the next step. */
  add(wheel: number, hash: number, deadlineMs: number): void {
    const tick = this.#tick(wheel);
    const due = Math.max(Math.ceil(deadlineMs / TICK_MS), tick);
    this.#push(wheel, slotFor(due, tick), hash, low32(deadlineMs));
    this.#setWord(wheel, ITEMS, this.#word(wheel, ITEMS) + 1);
  }

  /**
   * Works off what is due at `nowMs`, until `exhausted` says that this turn has done enough. True when nothing due is
   * left. `exhausted` is asked once per block of 15 items. A stillness of years costs no more than one of a second.
   */
  advance(wheel: number, nowMs: number, owner: WheelOwner, exhausted: () => boolean): boolean {
    const last = Math.floor(nowMs / TICK_MS);
    if (last < this.#tick(wheel) - MAX_BACKWARD_TICKS) this.#turnBack(wheel, last);
    for (;;) {
      const tick = this.#busyTick(wheel);
      if (tick > last) break;
      this.#setTick(wheel, tick);
      for (let level = LEVELS - 1; level > 0; level--) {
        if (tick % SLOTS ** level !== 0) continue;
        if (!this.#cascade(wheel, level, tick, exhausted)) return false;
      }
      const slots = (wheel + HEADER_UNITS) | 0;
      while (this.#first(slots, tick % SLOTS) !== 0) {
        this.#expireBlock(wheel, tick % SLOTS, owner);
        if (exhausted()) return false;
      }
    }
    if (this.#tick(wheel) < last) this.#setTick(wheel, last);
    return true;
  }

  /** From when on an item outside a sweep may be over: not after any of their deadlines. The wheel is not empty. */
  nextMs(wheel: number): number {
    return (this.#busyTick(wheel) - 1) * TICK_MS + 1;
  }

  /** The next tick, from the one that is worked on, at which a slot that is not empty begins. */
  #busyTick(wheel: number): number {
    const ints = this.#arena.ints[wheel >>> CHUNK_SHIFT];
    const slots = ((wheel + HEADER_UNITS) & UNIT_MASK) << 1;
    const tick = this.#tick(wheel);
    let busy = Number.POSITIVE_INFINITY;
    for (let level = 0, span = 1; level < LEVELS; level++, span *= SLOTS) {
      const base = slots + level * SLOTS;
      const current = Math.ceil(tick / span);
      const position = current % SLOTS;
      let ahead = 0;
      while (ahead < SLOTS && ints[base + ((position + ahead) & (SLOTS - 1))] === 0) ahead++;
      if (ahead < SLOTS) busy = Math.min(busy, (current + ahead) * span);
    }
    return busy;
  }

  /** The clock was set back: what lies in the slots would come too late, so a sweep places it anew. */
  #turnBack(wheel: number, tick: number): void {
    this.#setTick(wheel, tick);
    if (this.#word(wheel, SWEPT_SLOTS) === 0) this.#beginSweep(wheel);
    else this.#setWord(wheel, SWEEP_AGAIN, 1);
  }

  #expireBlock(wheel: number, slot: number, owner: WheelOwner): void {
    const block = this.#pop((wheel + HEADER_UNITS) | 0, slot);
    for (let i = this.#blockCount(block) - 1; i >= 0; i--) {
      const later = owner.due(this.#itemHash(block, i), this.#itemLow(block, i));
      this.#setWord(wheel, ITEMS, this.#word(wheel, ITEMS) - 1);
      if (later !== 0) this.add(wheel, this.#itemHash(block, i), later);
    }
    this.#arena.release(block, BLOCK_UNITS);
  }

  /** Places the items of a slot that begins now into the levels below. */
  #cascade(wheel: number, level: number, tick: number, exhausted: () => boolean): boolean {
    const slots = (wheel + HEADER_UNITS) | 0;
    const slot = level * SLOTS + (Math.floor(tick / SLOTS ** level) % SLOTS);
    const base = (tick - 1) * TICK_MS;
    while (this.#first(slots, slot) !== 0) {
      const block = this.#pop(slots, slot);
      for (let i = this.#blockCount(block) - 1; i >= 0; i--) {
        // Within a slot deadlines differ by less than 2^32 ms, so the low bits give the whole; one that waits here
        // from beyond the last level comes out too early, and `due` answers its real deadline then.
        const low = this.#itemLow(block, i);
        const deadline = base + ((low - low32(base)) >>> 0);
        this.#setWord(wheel, ITEMS, this.#word(wheel, ITEMS) - 1);
        this.add(wheel, this.#itemHash(block, i), deadline);
      }
      this.#arena.release(block, BLOCK_UNITS);
      if (exhausted()) return false;
    }
    return true;
  }

  /**
   * Calls `visit` with items, stale ones too, from a random slot on, until it answers true: each of them at most, those that
   * are being swept included.
   */
  eachFrom(
    wheel: number,
    random: number,
    visit: (hash: number, deadlineLow: number) => boolean,
  ): void {
    const swept = this.#word(wheel, SWEPT_SLOTS);
    for (const slots of [(wheel + HEADER_UNITS) | 0, swept]) {
      for (let i = 0; slots !== 0 && i < ALL_SLOTS; i++) {
        let block = this.#first(slots, (random + i) % ALL_SLOTS);
        for (; block !== 0; block = this.#next(block)) {
          for (let at = this.#blockCount(block) - 1; at >= 0; at--) {
            if (visit(this.#itemHash(block, at), this.#itemLow(block, at))) return;
          }
        }
      }
    }
  }

  /**
   * Moves the blocks of a slot (of `slotCount`) that lie where `holds` says, unless there are so many that it would take long.
   * Not while a sweep is under way. Answers how many.
   */
  relocateSlot(wheel: number, slot: number, holds: (address: number) => boolean): number {
    if (this.#word(wheel, SWEPT_SLOTS) !== 0) return 0;
    const slots = (wheel + HEADER_UNITS) | 0;
    let moved = 0;
    let before = 0;
    let block = this.#first(slots, slot);
    for (let left = MOST_RELOCATED; block !== 0 && left > 0; left--) {
      if (holds(block)) {
        const copy = this.#copy(block, BLOCK_UNITS);
        if (before === 0) this.#setFirst(slots, slot, copy);
        else this.#arena.editInts(before, 1)[(before & UNIT_MASK) << 1] = copy;
        this.#arena.release(block, BLOCK_UNITS);
        block = copy;
        moved++;
      }
      before = block;
      block = this.#next(block);
    }
    return moved;
  }

  #copy(from: number, units: number): number {
    const copy = this.#arena.allocate(units);
    const source = this.#arena.ints[from >>> CHUNK_SHIFT];
    const target = this.#arena.editInts(copy, units);
    const fromAt = (from & UNIT_MASK) << 1;
    const at = (copy & UNIT_MASK) << 1;
    for (let i = 0; i < 2 * units; i++) target[at + i] = source[fromAt + i];
    return copy;
  }

  /** Moves the wheel itself, without its blocks. Answers where it is now. */
  relocate(wheel: number): number {
    const copy = this.#copy(wheel, WHEEL_UNITS);
    this.#arena.release(wheel, WHEEL_UNITS);
    return copy;
  }

  /** How many slots `eachFrom` may begin at. */
  get slotCount(): number {
    return ALL_SLOTS;
  }

  // ---- sweeping ----

  /** True when more than half of the items are of no use, so that `sweep` is due (or goes on). */
  needsSweep(wheel: number, expiringEntries: number): boolean {
    return (
      this.#word(wheel, SWEPT_SLOTS) !== 0 ||
      this.#word(wheel, ITEMS) > 2 * expiringEntries + SWEEP_SLACK
    );
  }

  /**
   * Drops items that stand for no entry, until `exhausted`. True when the sweep is complete: then `advance` again, since
   * some of what was put back may be due.
   */
  sweep(wheel: number, owner: WheelOwner, exhausted: () => boolean): boolean {
    if (this.#word(wheel, SWEPT_SLOTS) === 0) this.#beginSweep(wheel);
    for (;;) {
      const block = this.#takeSwept(wheel);
      if (block === 0) break;
      this.#sweepBlock(wheel, block, owner);
      if (exhausted()) return false;
    }
    this.#endSweep(wheel);
    if (this.#word(wheel, SWEEP_AGAIN) === 0) return true;
    this.#setWord(wheel, SWEEP_AGAIN, 0);
    this.#beginSweep(wheel);
    return false;
  }

  #beginSweep(wheel: number): void {
    const arena = this.#arena;
    const aside = arena.allocate(SLOTS_UNITS);
    const from = ((wheel + HEADER_UNITS) & UNIT_MASK) << 1;
    const to = (aside & UNIT_MASK) << 1;
    const own = arena.editInts(wheel, WHEEL_UNITS);
    const target = arena.editInts(aside, SLOTS_UNITS);
    for (let i = 0; i < ALL_SLOTS; i++) target[to + i] = own[from + i];
    own.fill(0, from, from + ALL_SLOTS);
    this.#setWord(wheel, SWEPT_SLOTS, aside);
    this.#setWord(wheel, SWEPT_SLOT, 0);
    this.#setWord(wheel, PARITY, 1 - this.#word(wheel, PARITY));
  }

  /** Takes a block out of the slots that are swept; 0 when none is left. */
  #takeSwept(wheel: number): number {
    return this.#takeNext(wheel, this.#word(wheel, SWEPT_SLOTS));
  }

  /** Takes the next block out of `slots`, going on where the last call was. */
  #takeNext(wheel: number, slots: number): number {
    let slot = this.#word(wheel, SWEPT_SLOT);
    while (slot < ALL_SLOTS && this.#first(slots, slot) === 0) slot++;
    this.#setWord(wheel, SWEPT_SLOT, slot);
    return slot === ALL_SLOTS ? 0 : this.#pop(slots, slot);
  }

  #sweepBlock(wheel: number, block: number, owner: WheelOwner): void {
    const parity = this.#word(wheel, PARITY);
    for (let i = this.#blockCount(block) - 1; i >= 0; i--) {
      const deadline = owner.keep(this.#itemHash(block, i), this.#itemLow(block, i), parity);
      this.#setWord(wheel, ITEMS, this.#word(wheel, ITEMS) - 1);
      if (deadline !== 0) this.add(wheel, this.#itemHash(block, i), deadline);
    }
    this.#arena.release(block, BLOCK_UNITS);
  }

  #endSweep(wheel: number): void {
    this.#arena.release(this.#word(wheel, SWEPT_SLOTS), SLOTS_UNITS);
    this.#setWord(wheel, SWEPT_SLOTS, 0);
    this.#setWord(wheel, SWEPT_SLOT, 0);
  }

  /** Frees a wheel that nobody uses any more, one block a call. True when the wheel itself is gone. */
  reap(wheel: number): boolean {
    const isSwept = this.#word(wheel, SWEPT_SLOTS) !== 0;
    const block = isSwept
      ? this.#takeSwept(wheel)
      : this.#takeNext(wheel, (wheel + HEADER_UNITS) | 0);
    if (block !== 0) this.#arena.release(block, BLOCK_UNITS);
    else if (isSwept) this.#endSweep(wheel);
    else {
      this.#arena.release(wheel, WHEEL_UNITS);
      return true;
    }
    return false;
  }

  // ---- words and blocks ----

  #word(wheel: number, index: number): number {
    return this.#arena.ints[wheel >>> CHUNK_SHIFT][((wheel & UNIT_MASK) << 1) + index];
  }

  #setWord(wheel: number, index: number, value: number): void {
    const unit = (wheel + (index >> 1)) | 0;
    this.#arena.editInts(unit, 1)[((wheel & UNIT_MASK) << 1) + index] = value;
  }

  #tick(wheel: number): number {
    return this.#arena.doubles[wheel >>> CHUNK_SHIFT][(wheel & UNIT_MASK) + TICK];
  }

  #setTick(wheel: number, tick: number): void {
    this.#arena.editDoubles((wheel + TICK) | 0, 1)[(wheel & UNIT_MASK) + TICK] = tick;
  }

  /** First block of a slot's chain. */
  #first(slots: number, slot: number): number {
    return this.#arena.ints[slots >>> CHUNK_SHIFT][((slots & UNIT_MASK) << 1) + slot];
  }

  #setFirst(slots: number, slot: number, block: number): void {
    const ints = this.#arena.editInts((slots + (slot >> 1)) | 0, 1);
    ints[((slots & UNIT_MASK) << 1) + slot] = block;
  }

  #next(block: number): number {
    return this.#arena.ints[block >>> CHUNK_SHIFT][(block & UNIT_MASK) << 1];
  }

  #blockCount(block: number): number {
    return this.#arena.ints[block >>> CHUNK_SHIFT][((block & UNIT_MASK) << 1) + 1];
  }

  #itemHash(block: number, i: number): number {
    return this.#arena.ints[block >>> CHUNK_SHIFT][((block & UNIT_MASK) << 1) + 2 + 2 * i];
  }

  #itemLow(block: number, i: number): number {
    return this.#arena.ints[block >>> CHUNK_SHIFT][((block & UNIT_MASK) << 1) + 3 + 2 * i];
  }

  /** Takes the first block out of a slot's chain. */
  #pop(slots: number, slot: number): number {
    const block = this.#first(slots, slot);
    this.#setFirst(slots, slot, this.#next(block));
    return block;
  }

  #push(wheel: number, slot: number, hash: number, low: number): void {
    const slots = (wheel + HEADER_UNITS) | 0;
    let block = this.#first(slots, slot);
    if (block === 0 || this.#blockCount(block) === BLOCK_ITEMS) {
      const fresh = this.#arena.allocate(BLOCK_UNITS);
      const words = this.#arena.editInts(fresh, BLOCK_UNITS);
      words[(fresh & UNIT_MASK) << 1] = block;
      words[((fresh & UNIT_MASK) << 1) + 1] = 0;
      this.#setFirst(slots, slot, fresh);
      block = fresh;
    }
    const ints = this.#arena.editInts(block, BLOCK_UNITS);
    const at = (block & UNIT_MASK) << 1;
    const count = ints[at + 1];
    ints[at + 2 + 2 * count] = hash;
    ints[at + 3 + 2 * count] = low;
    ints[at + 1] = count + 1;
  }
}

/** Slot of the tick `due`, seen from `tick`: the lowest level that reaches so far. */
function slotFor(due: number, tick: number): number {
  for (let level = 0; level < LEVELS; level++) {
    const span = SLOTS ** level;
    const slot = Math.floor(due / span);
    if (slot - Math.floor(tick / span) < SLOTS) return level * SLOTS + (slot % SLOTS);
  }
  const top = LEVELS - 1;
  return top * SLOTS + ((Math.floor(tick / SLOTS ** top) + SLOTS - 1) % SLOTS);
}

/** The low 32 bits of a whole number of milliseconds, as a signed integer. */
export function low32(ms: number): number {
  return (ms % 2 ** 32) | 0;
}
