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
import type { ElementPart } from "./element-part.ts";
import {
  encodingOf,
  FLAG_FIELDS,
  flagsOf,
  HASH,
  keyCopy,
  MAX_RUN_BYTES,
  MAX_RUN_COUNT,
  PACKED,
  runBytes,
  STRUCTURE,
  TIMED,
  valueAt,
  valueWord,
} from "./entry.ts";
import { HashElements } from "./hash-elements.ts";
import { HashExpiry, isOver, noteExpired } from "./hash-expiry.ts";
import { HashField } from "./hash-field.ts";
import { HashWalk } from "./hash-walk.ts";
import { PackedHash } from "./packed-hash.ts";
import { NUMBER_BYTES, stringSpan } from "./packed-run.ts";
import type { Elements, InlineValue, ValueType } from "./value-types.ts";

const PACKED_KIND = HASH | (PACKED << 4);
const BIG_KIND = HASH | (STRUCTURE << 4);

export class Hashes implements ValueType {
  readonly #arena: Arena;
  readonly #limits: CollectionLimits;
  readonly #packed: PackedHash;
  readonly #big: BigHash;
  /** What `find` found. */
  readonly field = new HashField();
  readonly walk: HashWalk;
  readonly #expiry: HashExpiry;
  readonly #elements: HashElements;
  /** Whether the last `set` brought a field that was not there, and the last `remove` took one away. */
  wasAdded = false;
  wasRemoved = false;

  constructor(host: CollectionHost) {
    this.#arena = host.arena;
    this.#limits = host.limits;
    this.#packed = new PackedHash(host.arena);
    this.#big = new BigHash(host);
    this.walk = new HashWalk(host.arena, this.#packed, this.#big);
    this.#expiry = new HashExpiry(host.arena, this.#packed, this.#big);
    this.#elements = new HashElements(host, this, this.#packed, this.#big);
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
    return this.#isTimed(entry) && isOver(database, this.reminder(entry));
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
    return field.deadlineMs === 0 || !isOver(database, field.deadlineMs);
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
    if (!isOver(database, deadlineMs)) return;
    this.wasAdded = true;
    database.keyspace.changes++;
    noteExpired(database, entry, bytes, start, end);
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
    this.wasRemoved = !isOver(database, big.deadline(element));
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
    this.wasRemoved = !isOver(database, this.#packed.deadline(entry, at));
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
    // Whoever looks for one that is over does not find it; that it goes is somebody else's to say.
    if (!this.mayHoldOver(database, entry) || database.keyspace.keepsExpired) return entry;
    const reminder = this.reminder(entry);
    return this.#tellExpired(database, entry, () => {
      const target = this.#expiry.expireOver(database, entry);
      if (target !== 0) this.#remind(database, target, reminder);
      return target;
    });
  }

  /**
   * Behind `expireOver`, for who goes on to change up to `changed` fields: where all that are left are over, the hash goes. The
   * record of a field that is over and set anew says first that it went: of all of them it would say that the hash went.
   */
  expireRest(database: Database, entry: number, changed: number): number {
    if (!this.mayHoldOver(database, entry) || database.keyspace.keepsExpired) return entry;
    if (this.count(entry) > changed || this.liveCount(database, entry) > 0) return entry;
    return this.#tellExpired(database, entry, () => this.#expiry.expireAll(database, entry));
  }

  #tellExpired(database: Database, entry: number, expire: () => number): number {
    const { keyspace } = database;
    const { statistics, onFieldsExpired } = keyspace;
    const key = onFieldsExpired === null ? null : keyCopy(this.#arena, entry);
    const before = statistics.expiredFields;
    keyspace.goesByItself = true;
    const target = expire();
    keyspace.goesByItself = false;
    if (key !== null && statistics.expiredFields > before) {
      onFieldsExpired?.(database, key, target === 0);
    }
    return target;
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
      if (!isOver(database, this.#big.deadline(element))) found[kept++] = element;
    }
    found.length = kept;
    return next;
  }

  // ---- what every type does (value-types.ts) ----

  reap(root: number): boolean {
    return this.#big.reap(root);
  }

  writePart(entry: number, part: ElementPart): boolean {
    return this.#elements.write(entry, part);
  }

  toInline(elements: Elements, value: InlineValue): boolean {
    return this.#elements.toInline(elements, value);
  }

  readPart(database: Database, entry: number, elements: Elements): number {
    return this.#elements.read(database, entry, elements);
  }
}
