/**
 * Hashes: fields with values, and perhaps deadlines of their own. Small ones are packed runs (packed-hash.ts), big ones
 * dictionaries (big-hash.ts); here is one set of operations for both, the way from small to big, and what the rest of
 * kvdb asks of every type.
 *
 * Operations take the entry that `database.find` answered last, and answer it, perhaps moved; 0: its last field is gone, and
 * the key with it. A field whose time is over but that is still there is not found, and nobody can tell it from a field
 * that is gone.
 */
import type { Arena, ReadonlyBytes } from "./arena.ts";
import { BigHash } from "./big-hash.ts";
import type { CollectionHost, CollectionLimits } from "./collections.ts";
import type { Database } from "./database.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import type { ElementPart } from "./element-part.ts";
import {
  encodingOf,
  entryUnits,
  FLAG_FIELDS,
  flagsOf,
  HASH,
  MAX_RUN_BYTES,
  MAX_RUN_COUNT,
  PACKED,
  runBytes,
  STRUCTURE,
  TIMED,
  valueAt,
  valueWord,
} from "./entry.ts";
import { HashField } from "./hash-field.ts";
import { HashWalk } from "./hash-walk.ts";
import { PackedHash } from "./packed-hash.ts";
import {
  afterString,
  contentAt,
  findInRun,
  lengthAt,
  NUMBER_BYTES,
  stringSpan,
} from "./packed-run.ts";
import type { Elements, ValueType } from "./value-types.ts";

const PACKED_KIND = HASH | (PACKED << 4);
const TIMED_KIND = HASH | (TIMED << 4);
const BIG_KIND = HASH | (STRUCTURE << 4);

export class Hashes implements ValueType {
  readonly #arena: Arena;
  readonly #limits: CollectionLimits;
  readonly #packed: PackedHash;
  readonly #big: BigHash;
  /** What `find` found. */
  readonly field = new HashField();
  readonly walk: HashWalk;
  /** Whether the last `set` brought a field that was not there, and the last `remove` took one away. */
  wasAdded = false;
  wasRemoved = false;
  /** Elements of a segment, while a part is written. */
  readonly #found = new Int32Array(SEGMENT_SLOTS);

  constructor(host: CollectionHost) {
    this.#arena = host.arena;
    this.#limits = host.limits;
    this.#packed = new PackedHash(host.arena);
    this.#big = new BigHash(host);
    this.walk = new HashWalk(host.arena, this.#packed, this.#big);
  }

  isBig(entry: number): boolean {
    return encodingOf(this.#arena, entry) === STRUCTURE;
  }

  #root(entry: number): number {
    return valueWord(this.#arena, entry);
  }

  /** Fields, with those that are over but still there. */
  count(entry: number): number {
    return this.isBig(entry) ? this.#big.count(this.#root(entry)) : this.#packed.count(entry);
  }

  /** Fields that are not over. */
  liveCount(database: Database, entry: number): number {
    if (!this.mayHoldOver(database, entry)) return this.count(entry);
    let count = 0;
    for (this.walk.begin(database, entry); this.walk.next(); ) count++;
    return count;
  }

  /** Whether fields may be there whose time is over. */
  mayHoldOver(database: Database, entry: number): boolean {
    return this.#isTimed(entry) && this.#isOver(database, this.reminder(entry));
  }

  #isOver(database: Database, deadlineMs: number): boolean {
    const { nowMs, expiring } = database.keyspace;
    return deadlineMs !== 0 && deadlineMs <= nowMs && expiring;
  }

  /** Whether a field has a deadline. */
  #isTimed(entry: number): boolean {
    return (flagsOf(this.#arena, entry) & FLAG_FIELDS) !== 0;
  }

  // ---- fields ----

  /** Whether the hash has the field; then it is in `field`. */
  find(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): boolean {
    const field = this.field;
    if (this.isBig(entry)) {
      const element = this.#big.find(this.#root(entry), bytes, start, end);
      if (element === 0) return false;
      field.readElement(this.#arena, element);
    } else {
      const at = this.#packed.find(entry, bytes, start, end);
      if (at < 0) return false;
      field.readRun(this.#packed.run(entry), at, encodingOf(this.#arena, entry) === TIMED);
    }
    return field.deadlineMs === 0 || !this.#isOver(database, field.deadlineMs);
  }

  /** Makes an empty hash for the key that `find` has just missed; a field must follow. */
  create(database: Database, key: ReadonlyBytes, start: number, end: number): number {
    return database.create(key, start, end, PACKED_KIND, 0, 0);
  }

  /** Gives the field a value; what deadline it had goes, unless `keepsDeadline`. */
  set(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    value: ReadonlyBytes,
    valueStart: number,
    valueEnd: number,
    keepsDeadline = false,
  ): number {
    let target = entry;
    let at = -1;
    let isBig = this.isBig(entry);
    if (!isBig) {
      at = this.#packed.find(entry, bytes, start, end);
      isBig = !this.#mayBePacked(entry, end - start, valueEnd - valueStart);
      if (isBig) target = this.#convert(database, entry);
      else if (at >= 0 && this.#packed.overwrite(entry, at, value, valueStart, valueEnd)) {
        this.wasAdded = false;
        database.touch(entry);
        return this.#packed.count(entry) > this.#limits.hashEntries
          ? this.#convert(database, entry)
          : entry;
      }
    }
    const reminder = this.#isTimed(target) ? this.reminder(target) : 0;
    if (isBig) {
      this.#setBig(database, target, bytes, start, end, value, valueStart, valueEnd, keepsDeadline);
    } else {
      target = this.#setPacked(
        database,
        target,
        at,
        bytes,
        start,
        end,
        value,
        valueStart,
        valueEnd,
        keepsDeadline,
      );
    }
    if (reminder !== 0) this.#remind(database, target, reminder);
    return target;
  }

  /** Whether a field and a value of such lengths may stand in the run. */
  #mayBePacked(entry: number, fieldSize: number, valueSize: number): boolean {
    const { hashValueBytes } = this.#limits;
    if (fieldSize > hashValueBytes || valueSize > hashValueBytes) return false;
    const added = stringSpan(fieldSize) + stringSpan(valueSize) + NUMBER_BYTES;
    return (
      runBytes(valueWord(this.#arena, entry)) + added <= MAX_RUN_BYTES &&
      this.#packed.count(entry) < MAX_RUN_COUNT
    );
  }

  #setBig(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    value: ReadonlyBytes,
    valueStart: number,
    valueEnd: number,
    keepsDeadline: boolean,
  ): void {
    const big = this.#big;
    const root = this.#root(entry);
    const element = big.find(root, bytes, start, end);
    this.wasAdded = element === 0;
    if (element === 0) {
      big.add(database, root, bytes, start, end, value, valueStart, valueEnd);
    } else {
      const deadlineMs = big.deadline(element);
      if (deadlineMs !== 0) {
        this.#replaceOver(database, entry, deadlineMs, bytes, start, end);
        if (!keepsDeadline || this.wasAdded) big.setDeadline(database, root, element, 0);
      }
      big.replace(database, root, element, value, valueStart, valueEnd);
    }
    database.touch(entry);
  }

  /** `at`: where the field stands, -1: nowhere. */
  #setPacked(
    database: Database,
    entry: number,
    at: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    value: ReadonlyBytes,
    valueStart: number,
    valueEnd: number,
    keepsDeadline: boolean,
  ): number {
    const packed = this.#packed;
    let target = entry;
    this.wasAdded = at < 0;
    if (at < 0) {
      target = packed.add(database, entry, bytes, start, end, value, valueStart, valueEnd);
    } else {
      const deadlineMs = packed.deadline(entry, at);
      if (deadlineMs !== 0) {
        this.#replaceOver(database, entry, deadlineMs, bytes, start, end);
        if (!keepsDeadline || this.wasAdded) packed.setDeadline(database, entry, at, 0);
      }
      target = packed.replace(database, entry, at, value, valueStart, valueEnd);
    }
    return packed.count(target) > this.#limits.hashEntries
      ? this.#convert(database, target)
      : target;
  }

  /** The field is about to be set. If its time is over, it has expired first, as the record must say, and is a new one. */
  #replaceOver(
    database: Database,
    entry: number,
    deadlineMs: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    if (!this.#isOver(database, deadlineMs)) return;
    this.wasAdded = true;
    database.keyspace.changes++;
    this.#noteExpired(database, entry, bytes, start, end);
  }

  /** Makes a dictionary of the run. */
  #convert(database: Database, entry: number): number {
    const { field } = this;
    const big = this.#big;
    const packed = this.#packed;
    const run = packed.run(entry);
    const end = packed.end(entry);
    const isTimed = encodingOf(this.#arena, entry) === TIMED;
    const root = big.create(database);
    for (let at = valueAt(this.#arena, entry); at < end; ) {
      at = field.readRun(run, at, isTimed);
      const { fieldStart, fieldEnd, valueStart, valueEnd, deadlineMs } = field;
      big.find(root, run, fieldStart, fieldEnd);
      big.add(database, root, run, fieldStart, fieldEnd, run, valueStart, valueEnd);
      if (deadlineMs === 0) continue;
      const element = big.find(root, run, fieldStart, fieldEnd);
      big.setDeadline(database, root, element, deadlineMs);
    }
    return database.setStructure(entry, BIG_KIND, root);
  }

  remove(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    this.wasRemoved = false;
    const reminder = this.#isTimed(entry) ? this.reminder(entry) : 0;
    const target = this.isBig(entry)
      ? this.#removeBig(database, entry, bytes, start, end)
      : this.#removePacked(database, entry, bytes, start, end);
    if (reminder !== 0 && target !== 0) this.#remind(database, target, reminder);
    return target;
  }

  #removeBig(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const big = this.#big;
    const root = this.#root(entry);
    const element = big.find(root, bytes, start, end);
    if (element === 0) return entry;
    this.wasRemoved = !this.#isOver(database, big.deadline(element));
    if (big.count(root) === 1) {
      database.remove(entry);
      return 0;
    }
    big.remove(database, root, element);
    database.touch(entry);
    return entry;
  }

  #removePacked(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): number {
    const at = this.#packed.find(entry, bytes, start, end);
    if (at < 0) return entry;
    this.wasRemoved = !this.#isOver(database, this.#packed.deadline(entry, at));
    return this.#packed.remove(database, entry, at);
  }

  // ---- deadlines ----

  /** Gives the field, which `find` finds, a deadline; 0: none. */
  setDeadline(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
    deadlineMs: number,
  ): number {
    const reminder = this.#isTimed(entry) ? this.reminder(entry) : 0;
    let target = entry;
    if (encodingOf(this.#arena, entry) === PACKED) {
      const size = runBytes(valueWord(this.#arena, entry));
      const isTooLong = size + this.#packed.count(entry) * NUMBER_BYTES > MAX_RUN_BYTES;
      target = isTooLong ? this.#convert(database, entry) : this.#packed.makeTimed(database, entry);
    }
    if (this.isBig(target)) {
      const element = this.#big.find(this.#root(target), bytes, start, end);
      this.#big.setDeadline(database, this.#root(target), element, deadlineMs);
      database.touch(target);
    } else {
      const at = this.#packed.find(target, bytes, start, end);
      target = this.#packed.setDeadline(database, target, at, deadlineMs);
    }
    this.#remind(database, target, reminder);
    return target;
  }

  /** Before it no field of the entry is over; 0: none has a deadline. */
  reminder(entry: number): number {
    return this.isBig(entry)
      ? this.#big.reminder(this.#root(entry))
      : this.#packed.firstDeadline(entry);
  }

  /** Lets the database have a reminder, unless it has that one already. */
  #remind(database: Database, entry: number, before: number): void {
    const reminder = this.reminder(entry);
    if (reminder !== before) database.remindOfFields(entry, reminder);
  }

  settle(database: Database, entry: number): void {
    this.#remind(database, entry, 0);
  }

  /** Removes fields whose time is over: of a big hash a bounded number, the rest at the next call. */
  expireOver(database: Database, entry: number): number {
    if (!this.#isTimed(entry)) return entry;
    const reminder = this.reminder(entry);
    if (!this.#isOver(database, reminder)) return entry;
    const target = this.isBig(entry)
      ? this.#expireBig(database, entry)
      : this.#expirePacked(database, entry);
    if (target !== 0) this.#remind(database, target, reminder);
    return target;
  }

  #expirePacked(database: Database, entry: number): number {
    const { field } = this;
    let target = entry;
    while (target !== 0) {
      const at = this.#packed.findOver(target, database.keyspace.nowMs);
      if (at < 0) break;
      field.readRun(this.#packed.run(target), at, true);
      this.#noteExpired(database, target, field.bytes, field.fieldStart, field.fieldEnd);
      target = this.#packed.remove(database, target, at);
    }
    return target;
  }

  #expireBig(database: Database, entry: number): number {
    const root = this.#root(entry);
    let expired = 0;
    this.#big.expire(database, root, ({ bytes, fieldStart, fieldEnd }) => {
      this.#noteExpired(database, entry, bytes, fieldStart, fieldEnd);
      expired++;
    });
    if (expired === 0) return entry;
    // Each counts as one change; the last is counted with what becomes of the entry.
    database.keyspace.changes += expired - 1;
    if (this.#big.count(root) > 0) {
      database.touch(entry);
      return entry;
    }
    database.remove(entry);
    return 0;
  }

  #noteExpired(
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    database.keyspace.statistics.expiredFields++;
    database.keyspace.onFieldExpired(database, entry, bytes, start, end);
  }

  // ---- some of the fields ----

  /** Puts a random field of a hash in which none is over into `field`. */
  random(entry: number, below: (n: number) => number): void {
    if (this.isBig(entry)) this.read(entry, this.#big.random(this.#root(entry), below));
    else this.read(entry, this.#place(entry, below(this.#packed.count(entry))));
  }

  /** A random element of a big hash, as `read` takes it. */
  randomElement(entry: number, below: (n: number) => number): number {
    return this.#big.random(this.#root(entry), below);
  }

  #place(entry: number, index: number): number {
    const run = this.#packed.run(entry);
    const isTimed = encodingOf(this.#arena, entry) === TIMED;
    let at = valueAt(this.#arena, entry);
    for (let i = 0; i < index; i++) at = this.field.readRun(run, at, isTimed);
    return at;
  }

  /** Puts a field into `field`, by the place that `walk` or `scan` gave it. */
  read(entry: number, place: number): void {
    if (this.isBig(entry)) this.field.readElement(this.#arena, place);
    else {
      const isTimed = encodingOf(this.#arena, entry) === TIMED;
      this.field.readRun(this.#packed.run(entry), place, isTimed);
    }
  }

  /**
   * A step of a walk through a big hash in hash order: see Dictionary.scan. `found` gets places for `read`; fields that are
   * over are left out.
   */
  scan(database: Database, entry: number, cursor: number, wanted: number, found: number[]): number {
    const next = this.#big.scan(this.#root(entry), cursor, wanted, found);
    if (!this.mayHoldOver(database, entry)) return next;
    let kept = 0;
    for (const element of found) {
      if (!this.#isOver(database, this.#big.deadline(element))) found[kept++] = element;
    }
    found.length = kept;
    return next;
  }

  // ---- what every type does (value-types.ts) ----

  reap(root: number): boolean {
    return this.#big.reap(root);
  }

  writePart(entry: number, part: ElementPart): boolean {
    if (this.isBig(entry)) return this.#writeElements(this.#root(entry), part);
    part.isTimed = encodingOf(this.#arena, entry) === TIMED;
    part.borrow(this.#packed.run(entry), valueAt(this.#arena, entry), this.#packed.end(entry));
    return true;
  }

  /** The part's place is the segment, its subplace how many elements of it were written. */
  #writeElements(root: number, part: ElementPart): boolean {
    const { field } = this;
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

  readPart(database: Database, entry: number, elements: Elements): number {
    const count = requireFields(elements);
    if (count === 0) return entry;
    if (this.count(entry) === 0 && !this.isBig(entry) && this.#fitsAsItIs(elements, count)) {
      return this.#takeRun(database, entry, elements, count);
    }
    const read = new HashField();
    const { run, isTimed } = elements;
    let target = entry;
    for (let at = elements.at; at < elements.end; ) {
      at = read.readRun(run, at, isTimed);
      const { fieldStart, fieldEnd, valueStart, valueEnd, deadlineMs } = read;
      target = this.set(database, target, run, fieldStart, fieldEnd, run, valueStart, valueEnd);
      if (!this.wasAdded) throw new RangeError("a field of a hash appears twice");
      if (deadlineMs === 0) continue;
      target = this.setDeadline(database, target, run, fieldStart, fieldEnd, deadlineMs);
    }
    return target;
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
    const kind = isTimed ? TIMED_KIND : PACKED_KIND;
    const old = runBytes(valueWord(this.#arena, entry));
    const target = database.splice(entry, kind, 0, old, end - at, count);
    const bytes = this.#arena.edit(target, entryUnits(this.#arena, target));
    run.copy(bytes, database.valueStart, at, end);
    if (isTimed) this.#remind(database, target, 0);
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
  for (let next = at; next < end; ) {
    const [from, to] = [contentAt(run, next), afterString(run, next)];
    if (findInRun(run, at, next, 2, tail, run, from, to) >= 0) {
      throw new RangeError("a field of a hash appears twice");
    }
    next = afterString(run, to) + tail;
  }
}
