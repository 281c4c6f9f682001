/**
 * One numbered database: find a key, give it a value or a deadline, remove it. All state is in its record of the arena
 * (keyspace.ts draws it); this object is a view. A change works on the entry that `find` found last: find first, then
 * change, and look at the entry's new address, since any change may move it.
 *
 * Invariant: every change stamps the entry with the next revision and counts in `keyspace.changes`. This file is longer than
 * usual: it is what every command is made of, and all of it moves entries. Going through all entries is in database-walk.ts,
 * who is told of a change in database-telling.ts, deadlines in database-deadlines.ts, choosing what to evict in eviction.ts,
 * moving what lies badly in defragmentation.ts, taking in a checkpoint in entry-load.ts.
 */
import { type Arena, CHUNK_SHIFT, copyBytes, type ReadonlyBytes, UNIT_MASK } from "./arena.ts";
import { DatabaseDeadlines } from "./database-deadlines.ts";
import { D_ACCOUNT } from "./database-record.ts";
import { tellGoing, tellPut, tellRemoval, tellTouched } from "./database-telling.ts";
import type { Dictionary } from "./dictionary.ts";
import {
  bytesBeforeValue,
  clockIn,
  clockOf,
  deadlineOf,
  encodingOf,
  entryUnits,
  FLAG_DEADLINE,
  FLAG_FIELDS,
  FLAG_FIELDS_SWEPT,
  flagsOf,
  hasStructure,
  inlineSize,
  isText,
  keyAt,
  keyCopy,
  keySize,
  kindOf,
  runWord,
  typeOf,
  valueAt,
  valueWord,
  versionOf,
} from "./entry.ts";
import { fits, stamp, stampVersion, writeKey } from "./entry-block.ts";
import { hashBytes } from "./hash.ts";
import type { Keyspace } from "./keyspace.ts";

/** Deadline argument of `put`: leave the one there is. */
export const KEEP_DEADLINE = -1;

export class Database {
  readonly keyspace: Keyspace;
  readonly arena: Arena;
  readonly index: number;
  /** Address of the record; it is in chunk 0, so it is also the index of its first double. */
  readonly record: number;
  readonly #entries: Dictionary;
  readonly deadlines: DatabaseDeadlines;
  /** After `find` or `put` of an entry: where its inline value begins in the chunk of the entry. */
  valueStart = 0;
  /** The hash of the last `find`. */
  #hash = 0;
  /** What the last `find` of a key that neighbours in a pipeline share (KeyHint) answered, and when that was. */
  #group = 0;
  #groupEntry = 0;
  #groupSegment = 0;
  #groupSlot = 0;
  #groupChanges = -1;

  constructor(keyspace: Keyspace, index: number, record: number) {
    this.keyspace = keyspace;
    this.arena = keyspace.arena;
    this.#entries = keyspace.entries;
    this.index = index;
    this.record = record;
    this.deadlines = new DatabaseDeadlines(this);
  }

  get size(): number {
    return this.#entries.count(this.record);
  }

  /** How many entries have a deadline. */
  get expires(): number {
    return this.deadlines.count;
  }

  /** Of the table of its keys. Costs a walk over the directory. */
  get tableBytes(): number {
    return this.#entries.tableBytes(this.record);
  }

  get usedUnits(): number {
    return this.arena.doubles[0][this.record + D_ACCOUNT];
  }

  // ---- finding ----

  /** The live entry with the key bytes[start, end), or 0. One whose deadline has passed is removed on the way. */
  find(bytes: ReadonlyBytes, start: number, end: number): number {
    const keyspace = this.keyspace;
    const hint = keyspace.hint;
    const isHinted = start === hint.start && end === hint.end && bytes === hint.bytes;
    const group = isHinted ? hint.group : 0;
    if (group !== 0 && group === this.#group && this.#entries.changes === this.#groupChanges) {
      const again = this.#findAgain(hint.hash, end - start);
      if (again !== 0) return again;
    }
    const hash = isHinted
      ? hint.hash
      : hashBytes(keyspace.hashKey0, keyspace.hashKey1, bytes, start, end);
    this.#hash = hash;
    let entry = this.#entries.find(this.record, hash, bytes, start, end);
    if (entry !== 0) {
      const words = this.arena.ints[entry >>> CHUNK_SHIFT];
      const at = (entry & UNIT_MASK) << 1;
      const hasDeadline = ((words[at] >>> 16) & FLAG_DEADLINE) !== 0;
      if (hasDeadline && this.isOver(entry)) {
        if (keyspace.keepsExpired) return 0;
        this.#expire(entry);
        entry = this.#entries.find(this.record, hash, bytes, start, end);
      } else {
        this.valueStart = (at << 2) + bytesBeforeValue(end - start, hasDeadline);
        const { access } = keyspace;
        if (clockIn(words[at], words[at + 2]) !== access.now) access.note(this.arena, entry);
      }
    }
    if (keyspace.tracking) this.note(entry);
    if (group !== 0) this.#keepFound(group, entry);
    return entry;
  }

  #keepFound(group: number, entry: number): void {
    this.#group = group;
    this.#groupEntry = entry;
    this.#groupSegment = this.#entries.segment;
    this.#groupSlot = this.#entries.slot;
    this.#groupChanges = this.#entries.changes;
  }

  /** The same key again, and no table has changed: the entry is where it was. 0: `find` must look. */
  #findAgain(hash: number, keyBytes: number): number {
    const entry = this.#groupEntry;
    if (entry === 0 || (flagsOf(this.arena, entry) & FLAG_DEADLINE) !== 0) return 0;
    const { access } = this.keyspace;
    if (access.countsFrequency) access.note(this.arena, entry);
    this.#hash = hash;
    this.#entries.segment = this.#groupSegment;
    this.#entries.slot = this.#groupSlot;
    this.valueStart = ((entry & UNIT_MASK) << 3) + bytesBeforeValue(keyBytes, false);
    if (this.keyspace.tracking) this.note(entry);
    return entry;
  }

  /** `find` for a command that reads: counts a hit or a miss. */
  read(bytes: ReadonlyBytes, start: number, end: number): number {
    const entry = this.find(bytes, start, end);
    if (entry === 0) {
      this.keyspace.statistics.misses++;
      this.keyspace.onMiss?.(this, bytes, start, end);
    } else this.keyspace.statistics.hits++;
    return entry;
  }

  /** `find` for who asks about a key and does not use it: when it was used last stays. */
  peek(bytes: ReadonlyBytes, start: number, end: number): number {
    const { access } = this.keyspace;
    access.rest();
    const entry = this.find(bytes, start, end);
    access.resume();
    return entry;
  }

  /** The same of `read`. */
  look(bytes: ReadonlyBytes, start: number, end: number): number {
    const { access } = this.keyspace;
    access.rest();
    const entry = this.read(bytes, start, end);
    access.resume();
    return entry;
  }

  /** As if `find` had just answered this entry, whose key has this hash. */
  locate(entry: number, hash: number): void {
    this.#hash = hash;
    this.#entries.locate(this.record, hash, entry);
  }

  /** Its time is over, and it may go. */
  isOver(entry: number): boolean {
    if ((flagsOf(this.arena, entry) & FLAG_DEADLINE) === 0 || !this.keyspace.expiring) return false;
    return deadlineOf(this.arena, entry) <= this.keyspace.nowMs;
  }

  /** Whoever reads waits for the record that made the entry what it is; 0: for that of the last key that went. */
  note(entry: number): void {
    const keyspace = this.keyspace;
    const seen = entry === 0 ? keyspace.lastDeletion : versionOf(this.arena, entry);
    if (seen > keyspace.readVersion) keyspace.readVersion = seen;
    if (keyspace.lastSwap > keyspace.readVersion) keyspace.readVersion = keyspace.lastSwap;
  }

  /** The live entries whose keys have this hash, with their addresses: as a rule one. Nothing may be changed meanwhile. */
  eachWithHash(hash: number, visit: (entry: number) => void): void {
    this.#entries.eachWithHash(this.record, hash, (entry) => {
      if (!this.isOver(entry)) {
        if (this.keyspace.tracking) this.note(entry);
        visit(entry);
      }
      return false;
    });
  }

  // ---- changing ----

  /**
   * Gives the key, which `find` just answered with `entry` (0: none), an inline value: `valueSize` bytes that the caller
   * writes at `valueAt` of the entry that is returned. `deadlineMs`: 0 none, KEEP_DEADLINE, or milliseconds since 1970.
   * `word`: for what is no text, as entry.ts draws it.
   */
  put(
    entry: number,
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
    kind: number,
    valueSize: number,
    deadlineMs: number,
    word = valueSize,
  ): number {
    this.keyspace.changes++;
    if (this.keyspace.isObserved) tellPut(this, this.#hash, entry, key, keyStart, keyEnd, kind);
    if (entry !== 0 && this.#keepsShape(entry, valueSize, deadlineMs)) {
      stamp(this.keyspace, entry, kind, word);
      return entry;
    }
    const { keyListener } = this.keyspace;
    if (keyListener !== null) keyListener.keyChanged(this, this.#hash, key, keyStart, keyEnd);
    if (entry !== 0) this.#dropValue(entry);
    const had = entry !== 0 && (flagsOf(this.arena, entry) & FLAG_DEADLINE) !== 0;
    const keeps = deadlineMs === KEEP_DEADLINE;
    const has = keeps ? had : deadlineMs !== 0;
    const before = bytesBeforeValue(keyEnd - keyStart, has);
    const units = (before + valueSize + 7) >>> 3;
    let target = entry;
    if (entry === 0 || had !== has || !fits(this.arena, entry, before, units)) {
      this.arena.account = this.record + D_ACCOUNT;
      target = this.arena.allocate(units);
      const clock = entry === 0 ? this.keyspace.access.fresh : clockOf(this.arena, entry);
      writeKey(this.arena, target, units, key, keyStart, keyEnd, has, clock);
      if (entry === 0) {
        this.keyspace.onNewKey?.(this, key, keyStart, keyEnd);
        this.#entries.insert(this.record, this.#hash, target);
      } else {
        if (keeps && had) this.deadlines.copy(entry, target);
        else if (had) this.deadlines.sum(-deadlineOf(this.arena, entry));
        this.#entries.replace(target);
        this.#free(entry);
      }
    }
    if (had !== has) this.deadlines.add(has ? 1 : -1);
    stamp(this.keyspace, target, kind, word);
    this.valueStart = ((target & UNIT_MASK) << 3) + before;
    if (has && !keeps) this.deadlines.remind(target, this.#hash, deadlineMs);
    return target;
  }

  /** The frequent case of `put`: the value keeps its length and there is no deadline to think of. */
  #keepsShape(entry: number, valueSize: number, deadlineMs: number): boolean {
    const ints = this.arena.ints[entry >>> CHUNK_SHIFT];
    const at = (entry & UNIT_MASK) << 1;
    if (ints[at + 3] !== valueSize || !isText((ints[at] >>> 8) & 15)) return false;
    if (deadlineMs === KEEP_DEADLINE) return true;
    return deadlineMs === 0 && ((ints[at] >>> 16) & FLAG_DEADLINE) === 0;
  }

  #free(entry: number): void {
    this.arena.account = this.record + D_ACCOUNT;
    this.arena.release(entry, entryUnits(this.arena, entry));
  }

  /**
   * Changes the length of the inline value of the entry that was found last; its first bytes stay, what is added is for
   * the caller to write. Answers the entry, perhaps moved.
   */
  resize(entry: number, kind: number, valueSize: number): number {
    const hasDeadline = (flagsOf(this.arena, entry) & FLAG_DEADLINE) !== 0;
    const before = bytesBeforeValue(keySize(this.arena, entry), hasDeadline);
    const units = (before + valueSize + 7) >>> 3;
    this.keyspace.changes++;
    if (this.keyspace.changeListener !== null) tellTouched(this, entry);
    let target = entry;
    if (!fits(this.arena, entry, before, units)) {
      const kept = before + Math.min(valueWord(this.arena, entry), valueSize);
      target = this.move(entry, units, kept);
    }
    stamp(this.keyspace, target, kind, valueSize);
    return target;
  }

  /** Moves the entry that was found last to a block of `units`, with its first `bytes` bytes. */
  move(entry: number, units: number, bytes: number): number {
    this.arena.account = this.record + D_ACCOUNT;
    const target = this.arena.allocate(units);
    const source = this.arena.bytes[entry >>> CHUNK_SHIFT];
    copyBytes(
      source,
      (entry & UNIT_MASK) << 3,
      this.arena.edit(target, units),
      (target & UNIT_MASK) << 3,
      bytes,
    );
    this.#entries.replace(target);
    this.#free(entry);
    return target;
  }

  // ---- collections ----

  /**
   * Makes an entry with a packed run for the key that `find` has just missed: `size` bytes, which the caller writes at
   * `valueStart`, of `count` elements.
   */
  create(
    key: ReadonlyBytes,
    keyStart: number,
    keyEnd: number,
    kind: number,
    size: number,
    count: number,
  ): number {
    return this.put(0, key, keyStart, keyEnd, kind, size, 0, runWord(size, count));
  }

  /**
   * In the packed run of the entry that was found last, puts a gap of `inserted` bytes, for the caller to write, in the place
   * of the `removed` bytes at offset `at` of the run; it has `count` elements then. Answers the entry, perhaps moved;
   * `valueStart` is where its run begins.
   */
  splice(
    entry: number,
    kind: number,
    at: number,
    removed: number,
    inserted: number,
    count: number,
  ): number {
    const arena = this.arena;
    const old = inlineSize(arena, entry);
    const size = old - removed + inserted;
    const hasDeadline = (flagsOf(arena, entry) & FLAG_DEADLINE) !== 0;
    const before = bytesBeforeValue(keySize(arena, entry), hasDeadline);
    const units = (before + size + 7) >>> 3;
    this.keyspace.changes++;
    if (this.keyspace.changeListener !== null) tellTouched(this, entry);
    let target = entry;
    if (fits(this.arena, entry, before, units)) {
      const bytes = arena.edit(entry, units);
      const start = ((entry & UNIT_MASK) << 3) + before;
      if (removed !== inserted) {
        bytes.copyWithin(start + at + inserted, start + at + removed, start + old);
      }
    } else {
      arena.account = this.record + D_ACCOUNT;
      target = arena.allocate(units);
      const source = arena.bytes[entry >>> CHUNK_SHIFT];
      const from = (entry & UNIT_MASK) << 3;
      const bytes = arena.edit(target, units);
      const to = (target & UNIT_MASK) << 3;
      copyBytes(source, from, bytes, to, before + at);
      const tail = before + at + removed;
      copyBytes(source, from + tail, bytes, to + before + at + inserted, before + old - tail);
      this.#entries.replace(target);
      this.#free(entry);
    }
    stamp(this.keyspace, target, kind, runWord(size, count));
    this.valueStart = ((target & UNIT_MASK) << 3) + before;
    return target;
  }

  /**
   * Gives the entry that was found last a structure instead of what it had, or another one; the caller has freed or kept the
   * old one. Answers the entry, perhaps moved.
   */
  setStructure(entry: number, kind: number, root: number): number {
    const arena = this.arena;
    const hasDeadline = (flagsOf(arena, entry) & FLAG_DEADLINE) !== 0;
    const before = bytesBeforeValue(keySize(arena, entry), hasDeadline);
    const units = (before + 7) >>> 3;
    this.keyspace.changes++;
    if (this.keyspace.changeListener !== null) tellTouched(this, entry);
    const target = fits(this.arena, entry, before, units) ? entry : this.move(entry, units, before);
    stamp(this.keyspace, target, kind, root);
    return target;
  }

  /** The structure of the entry has changed: its version is that of the next record. */
  touch(entry: number): void {
    this.keyspace.changes++;
    if (this.keyspace.changeListener !== null) tellTouched(this, entry);
    stampVersion(this.keyspace, entry);
  }

  /** The value of the entry goes: what there is of it outside. */
  #dropValue(entry: number): void {
    this.#forgetFields(entry);
    const kind = kindOf(this.arena, entry);
    if (!hasStructure(kind)) return;
    this.arena.account = this.record + D_ACCOUNT;
    this.keyspace.graves.dropStructure(kind, valueWord(this.arena, entry));
  }

  // ---- removing ----

  /** Removes the entry that was found last, with its value. */
  remove(entry: number): void {
    this.#dropValue(entry);
    this.removeKey(entry);
  }

  /** Removes the entry that was found last; a structure that it has goes on to live elsewhere. */
  removeKey(entry: number): void {
    const keyspace = this.keyspace;
    keyspace.changes++;
    keyspace.lastDeletion = keyspace.nextRevision;
    if (keyspace.keyListener !== null) tellRemoval(this, this.#hash, entry);
    if (keyspace.isObserved) tellGoing(this, this.#hash, entry);
    this.#forgetFields(entry);
    if ((flagsOf(this.arena, entry) & FLAG_DEADLINE) !== 0) this.deadlines.forget(entry);
    this.arena.account = this.record + D_ACCOUNT;
    this.#entries.remove(this.record);
    this.#free(entry);
  }

  // ---- loading ----

  /**
   * Puts an entry that nothing finds yet into the table, in the place of the one with its key if there is one. No change:
   * nothing is counted for the journal.
   */
  adopt(entry: number, hash: number): void {
    const arena = this.arena;
    if (this.keyspace.changeListener !== null) tellTouched(this, entry);
    const from = keyAt(arena, entry);
    const end = from + keySize(arena, entry);
    const bytes = arena.bytes[entry >>> CHUNK_SHIFT];
    const old = this.#entries.find(this.record, hash, bytes, from, end);
    arena.account = this.record + D_ACCOUNT;
    if (old === 0) {
      this.#entries.insert(this.record, hash, entry);
      return;
    }
    if ((flagsOf(arena, old) & FLAG_DEADLINE) !== 0) this.deadlines.forget(old);
    this.#dropValue(old);
    this.#entries.replace(entry);
    this.#free(old);
  }

  // ---- deadlines ----

  /** Gives the entry that was found last a deadline (0: none). Answers the entry, perhaps moved. */
  setDeadline(entry: number, deadlineMs: number): number {
    const old = deadlineOf(this.arena, entry);
    let target = entry;
    if ((old === 0) !== (deadlineMs === 0)) target = this.#reshape(entry, deadlineMs !== 0);
    this.keyspace.changes++;
    if (this.keyspace.changeListener !== null) tellTouched(this, target);
    stampVersion(this.keyspace, target);
    if (deadlineMs !== 0) this.deadlines.remind(target, this.#hash, deadlineMs);
    return target;
  }

  /** Moves the entry to a block with, or without, room for a deadline. */
  #reshape(entry: number, hasDeadline: boolean): number {
    const arena = this.arena;
    const value = valueWord(arena, entry);
    const kind = typeOf(arena, entry) | (encodingOf(arena, entry) << 4);
    const inlineBytes = inlineSize(arena, entry);
    const units = (bytesBeforeValue(keySize(arena, entry), hasDeadline) + inlineBytes + 7) >>> 3;
    arena.account = this.record + D_ACCOUNT;
    const target = arena.allocate(units);
    const from = keyAt(arena, entry);
    writeKey(
      this.arena,
      target,
      units,
      arena.bytes[entry >>> CHUNK_SHIFT],
      from,
      from + keySize(arena, entry),
      hasDeadline,
      clockOf(arena, entry),
    );
    copyBytes(
      arena.bytes[entry >>> CHUNK_SHIFT],
      valueAt(arena, entry),
      arena.edit(target, units),
      valueAt(arena, target),
      inlineBytes,
    );
    stamp(this.keyspace, target, kind, value);
    this.deadlines.setFlags(target, flagsOf(arena, entry) & (FLAG_FIELDS | FLAG_FIELDS_SWEPT));
    if (hasDeadline) this.deadlines.add(1);
    else this.deadlines.forget(entry);
    this.#entries.replace(target);
    this.#free(entry);
    return target;
  }

  /**
   * Before `deadlineMs` no field of the hash that was found last is over; 0: none has a deadline any more. Called whenever
   * that moment is another one than before.
   */
  remindOfFields(entry: number, deadlineMs: number): void {
    this.deadlines.remindOfFields(entry, this.#hash, deadlineMs);
  }

  /** No field of the entry has a deadline any more, or it is no hash any more. */
  #forgetFields(entry: number): void {
    if ((flagsOf(this.arena, entry) & FLAG_FIELDS) !== 0) this.deadlines.forgetFields(entry);
  }

  /** Removes an entry, whose key has this hash, because its time is over. What was found last has to be found again. */
  expire(entry: number, hash: number): void {
    this.locate(entry, hash);
    this.#expire(entry);
  }

  /**
   * Removes the entry that was found last, because its time is over; the journal hears of it first. That it is gone depends
   * on its last change alone: once that is durable so is its deadline, whatever becomes of this deletion.
   */
  #expire(entry: number): void {
    const arena = this.arena;
    const lastDeletion = Math.max(this.keyspace.lastDeletion, versionOf(arena, entry));
    this.keyspace.onExpired(this, keyCopy(arena, entry));
    this.keyspace.statistics.expired++;
    this.keyspace.goesByItself = true;
    this.remove(entry);
    this.keyspace.goesByItself = false;
    this.keyspace.lastDeletion = lastDeletion;
  }
}
