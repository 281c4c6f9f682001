/**
 * The keyspace: the arena, the numbered databases in it, and what all of them share: the clock of the turn, the
 * revision that changes are stamped with, lazy freeing, the count of changes that tells the gate whether to journal.
 * It is not a Redis command: those are in commands/.
 */
import { assert } from "../assert.ts";
import { AccessClock } from "./access-clock.ts";
import {
  Arena,
  type ArenaMemory,
  D_OVER,
  D_REVISION,
  D_TIME,
  I_DATABASE_TABLE,
  I_DATABASES,
  I_HASH_KEY,
  type ReadonlyBytes,
  UNIT_MASK,
} from "./arena.ts";
import { type ChangeListener, ChangeListeners } from "./change-listener.ts";
import { Collections, defaultLimits } from "./collections.ts";
import { Database } from "./database.ts";
import { I_WHEEL, RECORD_UNITS } from "./database-record.ts";
import { Dictionary } from "./dictionary.ts";
import { HEADER_BYTES } from "./entry.ts";
import type { EntryObserver } from "./entry-observer.ts";
import { ExpiryWheel } from "./expiry-wheel.ts";
import { ACCOUNT_SHARED, Graves } from "./graves.ts";
import { hashBytes } from "./hash.ts";
import { IndexDefinitions } from "./index-definitions.ts";
import { KeyHint, Prefetch } from "./prefetch.ts";

export interface KeyspaceOptions {
  readonly databases: number;
  /** 64 secret bits: who does not know them cannot choose keys that collide. */
  readonly hashKey: readonly [number, number];
  /** For random picks. */
  readonly random: { below(bound: number): number };
  readonly nowMs: number;
  /** What is in it, for reading alone; `databases` and `hashKey` are its own then. */
  readonly image?: Arena;
}

/** All that a keyspace keeps of its data: plain data and shared memory, which can be posted. */
export interface KeyspaceContents {
  readonly memory: ArenaMemory;
  /** What waits to be freed. */
  readonly graves: number;
}

/** Who hears of keys that get a value, or lose it: whoever waits for one. */
export interface KeyListener {
  /** The key is bytes[start, end); the value may not be written yet. */
  keyChanged(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void;
  /** All of its keys, by exchange or by a flush. */
  databaseChanged(database: Database): void;
}

/** Who is told of something about the key bytes[start, end). */
export type KeyWitness = (
  database: Database,
  bytes: ReadonlyBytes,
  start: number,
  end: number,
) => void;

export interface KeyspaceStatistics {
  hits: number;
  misses: number;
  expired: number;
  expiredFields: number;
  evicted: number;
  /** Keys that were looked at by those who look for keys: KEYS, SCAN, lists. */
  examined: number;
}

export function newKeyspaceStatistics(): KeyspaceStatistics {
  return { hits: 0, misses: 0, expired: 0, expiredFields: 0, evicted: 0, examined: 0 };
}

export class Keyspace {
  readonly arena: Arena;
  readonly entries: Dictionary;
  readonly wheel: ExpiryWheel;
  readonly collections: Collections;
  readonly graves: Graves;
  readonly statistics: KeyspaceStatistics = newKeyspaceStatistics();
  readonly random: KeyspaceOptions["random"];
  databases: readonly Database[] = [];
  readonly #databaseCount: number;
  readonly #definitions: IndexDefinitions;
  #expiringDatabase = 0;

  /** The time of the turn in ms: one reading serves all commands of it. */
  nowMs: number;
  /** False while loading: nothing expires by itself then, the records say what did. */
  expiring = true;
  /** True while nothing may change by itself: what is over is not found, and stays. For commands that write it is false. */
  keepsExpired = false;
  /** True while a key or a field goes that no command has removed: its time is over, or it makes room. */
  goesByItself = false;
  /** Told of each deadline that an entry is given; null: nobody wants to know. */
  onDeadline: ((database: Database, entry: number, deadlineMs: number) => void) | null = null;
  /** Others have this data, and hear by a record alone what is over: so a later life is to have it, and to record that it goes. */
  isFollowed = false;
  /** Changes since the gate last looked; every mutation adds to it. */
  changes = 0;
  /** The revision that the next record will have, in two words as entries keep it. */
  versionLow = 1;
  versionHigh = 0;
  /** True while records are not yet as durable as promised: then reads note what they saw. */
  tracking = false;
  /** Highest version among the entries read since it was last reset; a miss counts as the latest deletion. */
  readVersion = 0;
  /** Revision of the last deletion; of a key that expired: that of its last change, on which alone it depends. */
  lastDeletion = 0;
  /** Revision of the last exchange of databases: since then every entry is under another name, whatever its version. */
  lastSwap = 0;
  /** Exchanges of databases so far: a walk that rests between two steps does not go on in the other one. */
  swaps = 0;
  readonly hashKey0: number;
  readonly hashKey1: number;
  /** The hash of the key of the command in hand, if it was worked out ahead. */
  hint: KeyHint = new KeyHint();
  readonly prefetch: Prefetch;
  readonly access: AccessClock;
  /** Null while nobody waits: then a change costs one comparison more. */
  keyListener: KeyListener | null = null;
  #entryObserver: EntryObserver | null = null;
  #changeListeners: readonly ChangeListener[] = [];
  /** All who listen to changes, as one; null while nobody does. */
  changeListener: ChangeListener | null = null;
  /** Somebody observes entries or listens to changes: while nobody does, a write costs this one comparison more. */
  isObserved = false;
  /** Called before an entry is removed because it expired: the key is bytes[start, end). */
  onExpired: (database: Database, key: Buffer) => void = () => {};
  /** Called before an entry is removed to make room. */
  onEvicted: (database: Database, key: Buffer) => void = () => {};
  /** Called before a field, bytes[start, end), of the hash `entry` is removed because it expired. */
  onFieldExpired: (
    database: Database,
    entry: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ) => void = () => {};
  /** Called after fields of the hash `key` were removed because they expired; `isGone`: and with the last one the key. */
  onFieldsExpired: ((database: Database, key: Buffer, isGone: boolean) => void) | null = null;
  /** Called for a key that there was not, before it gets its value. */
  onNewKey: KeyWitness | null = null;
  /** Called for a key that somebody looked for to read it, and that is not there. */
  onMiss: KeyWitness | null = null;
  /** Called when something was queued for freeing, so that slices get scheduled. */
  onGrave: () => void = () => {};

  constructor(options: KeyspaceOptions) {
    this.arena = options.image ?? new Arena();
    this.entries = new Dictionary(this.arena, HEADER_BYTES);
    this.wheel = new ExpiryWheel(this.arena);
    this.#definitions = new IndexDefinitions(this.arena);
    this.random = options.random;
    this.nowMs = options.nowMs;
    this.access = new AccessClock(options.random, options.nowMs);
    this.#databaseCount = options.databases;
    this.hashKey0 = options.hashKey[0];
    this.hashKey1 = options.hashKey[1];
    this.collections = new Collections({
      arena: this.arena,
      hashKey0: this.hashKey0,
      hashKey1: this.hashKey1,
      limits: defaultLimits(),
    });
    this.graves = new Graves({
      arena: this.arena,
      entries: this.entries,
      wheel: this.wheel,
      types: this.collections.types,
      onGrave: () => this.onGrave(),
    });
    this.prefetch = new Prefetch(this.arena, this.entries, options.hashKey);
    if (options.image === undefined) this.#format();
    else {
      // Nothing expires by itself: that would be a change.
      this.expiring = false;
      this.access.rest();
      this.databases = this.#databasesAt(options.image.ints[0][I_DATABASE_TABLE]);
    }
  }

  /** An image for reading. It says how many databases there are, and under which key they hash. */
  static ofImage(image: Arena, nowMs: number): Keyspace {
    const head = image.ints[0];
    return new Keyspace({
      databases: head[I_DATABASES],
      hashKey: [head[I_HASH_KEY], head[I_HASH_KEY + 1]],
      random: { below: () => 0 },
      nowMs,
      image,
    });
  }

  #databasesAt(table: number): Database[] {
    return Array.from(
      { length: this.#databaseCount },
      (_, index) => new Database(this, index, table + index * RECORD_UNITS),
    );
  }

  #format(): void {
    this.arena.account = ACCOUNT_SHARED;
    const table = this.arena.allocate(this.#databaseCount * RECORD_UNITS);
    const units = this.#databaseCount * RECORD_UNITS;
    const at = (table & UNIT_MASK) << 1;
    this.arena.editInts(table, units).fill(0, at, at + 2 * units);
    const head = this.arena.editInts(0, 1);
    head[I_DATABASES] = this.#databaseCount;
    head[I_DATABASE_TABLE] = table;
    head[I_HASH_KEY] = this.hashKey0;
    head[I_HASH_KEY + 1] = this.hashKey1;
    this.graves.format();
    if (this.databases.length > 0) {
      assert(
        this.databases[0].record === table,
        "the table stands where it stood before the reset",
      );
      return;
    }
    this.databases = this.#databasesAt(table);
  }

  // ---- who hears of changes ----

  get entryObserver(): EntryObserver | null {
    return this.#entryObserver;
  }

  set entryObserver(observer: EntryObserver | null) {
    this.#entryObserver = observer;
    this.isObserved = observer !== null || this.changeListener !== null;
  }

  /** From now on this one hears of every change too, until the function that is returned is called. */
  listenToChanges(listener: ChangeListener): () => void {
    this.#listeners([...this.#changeListeners, listener]);
    return () => this.#listeners(this.#changeListeners.filter((other) => other !== listener));
  }

  #listeners(listeners: readonly ChangeListener[]): void {
    const [first = null] = listeners;
    this.#changeListeners = listeners;
    this.changeListener = listeners.length > 1 ? new ChangeListeners(listeners) : first;
    this.isObserved = this.#entryObserver !== null || first !== null;
  }

  /** The revision that the next record will have. */
  get nextRevision(): number {
    return this.versionHigh * 2 ** 32 + (this.versionLow >>> 0);
  }

  setNextRevision(revision: number): void {
    this.versionHigh = Math.floor(revision / 2 ** 32);
    this.versionLow = (revision % 2 ** 32) | 0;
  }

  /** A record was made: the next change belongs to the following revision. */
  advanceRevision(): void {
    this.versionLow = (this.versionLow + 1) | 0;
    if (this.versionLow === 0) this.versionHigh++;
  }

  /** Writes the last revision and the time into the superblock, where readers of an image find them: once a turn. */
  noteRevision(): void {
    const head = this.arena.editDoubles(D_REVISION, 3);
    head[D_REVISION] = this.nextRevision - 1;
    head[D_TIME] = this.nowMs;
    head[D_OVER] = this.keepsExpired || this.isFollowed ? 0 : this.nowMs;
  }

  /** A reply shows more than single entries (a walk, a count): it waits for everything that was recorded. */
  noteAll(): void {
    if (this.tracking) this.readVersion = this.nextRevision - 1;
  }

  /** The value of the key bytes[start, end) has grown: who waits for more of it may look. */
  signal(database: Database, bytes: ReadonlyBytes, start: number, end: number): void {
    if (this.keyListener === null) return;
    const hash = hashBytes(this.hashKey0, this.hashKey1, bytes, start, end);
    this.keyListener.keyChanged(database, hash, bytes, start, end);
  }

  /** What it keeps beside the arena of what changes are; answers the function that puts it back (undo.ts). */
  memorize(): () => void {
    const { changes, lastDeletion, lastSwap } = this;
    const statistics = { ...this.statistics };
    const { pending } = this.graves;
    return () => {
      this.graves.pending = pending;
      Object.assign(this, { changes, lastDeletion, lastSwap });
      Object.assign(this.statistics, statistics);
      // What was read may have had the revision of a change that is none: the reply waits for all there is.
      this.readVersion = 0;
      this.noteAll();
    };
  }

  // ---- whole databases ----

  swap(a: number, b: number): void {
    this.changeListener?.databasesSwapped(this.databases[a], this.databases[b]);
    const first = this.databases[a].record;
    const second = this.databases[b].record;
    const ints = this.arena.editInts(first, RECORD_UNITS);
    this.arena.editInts(second, RECORD_UNITS);
    for (let i = 0; i < 2 * RECORD_UNITS; i++) {
      const word = ints[(first << 1) + i];
      ints[(first << 1) + i] = ints[(second << 1) + i];
      ints[(second << 1) + i] = word;
    }
    this.changes++;
    this.entries.changes++;
    this.lastSwap = this.nextRevision;
    this.swaps++;
    this.entryObserver?.databasesSwapped(this.databases[a], this.databases[b]);
    for (const index of [a, b]) this.keyListener?.databaseChanged(this.databases[index]);
  }

  /**
   * Empties every database at once: the arena starts anew, the old memory goes back whole. Indexes stay defined, as with
   * `flush`. While it may be undone, each is emptied by itself.
   */
  flushAll(): void {
    if (this.arena.isHolding) {
      for (const { index } of this.databases) this.flush(index);
      return;
    }
    this.#tellFlush();
    const definitions = this.databases.map(({ record }) => this.#definitions.of(record));
    this.arena.reset();
    this.#format();
    this.entryObserver?.arenaEmptied();
    this.databases.forEach(({ record }, index) => {
      this.#definitions.write(record, definitions[index]);
    });
    this.noteFlush();
    for (const database of this.databases) this.keyListener?.databaseChanged(database);
  }

  /**
   * Takes the contents of a keyspace that has as many databases and the same key of the hash, in the place of its own: a copy
   * that was loaded beside it. Nothing may be under way that keeps an address, and nothing is recorded. Its next revision is
   * that of the exchange.
   */
  exchange({ memory, graves }: KeyspaceContents): void {
    const [{ record }] = this.databases;
    this.#tellFlush();
    this.arena.exchange(memory);
    const head = this.arena.ints[0];
    const isAlike =
      head[I_DATABASES] === this.#databaseCount &&
      head[I_DATABASE_TABLE] === record &&
      head[I_HASH_KEY] === this.hashKey0 &&
      head[I_HASH_KEY + 1] === this.hashKey1;
    assert(isAlike, "what is taken over was made for this keyspace");
    this.graves.pending = graves;
    this.entryObserver?.arenaEmptied();
    this.noteFlush();
    // Every key may have another value under any version, and walks that rest have nothing to go on with.
    this.lastSwap = this.nextRevision;
    this.swaps++;
    // Who watches a key that was not there, and is now.
    this.#tellFlush();
    for (const database of this.databases) this.keyListener?.databaseChanged(database);
    if (graves > 0) this.onGrave();
  }

  /** For `exchange`, in another keyspace or in another thread; this one is not used any more. */
  get contents(): KeyspaceContents {
    return { memory: this.arena.memory, graves: this.graves.pending };
  }

  #tellFlush(): void {
    for (const database of this.databases) this.changeListener?.databaseFlushed(database);
  }

  /** Empties one database: its contents become a grave. */
  flush(index: number): void {
    const record = this.databases[index].record;
    const ints = this.arena.editInts(record, RECORD_UNITS);
    if (this.entries.count(record) === 0 && ints[(record << 1) + I_WHEEL] === 0) return;
    this.changeListener?.databaseFlushed(this.databases[index]);
    this.entryObserver?.databaseEmpties(this.databases[index]);
    const definitions = this.#definitions.detach(record);
    this.graves.buryDatabase(record);
    ints.fill(0, record << 1, (record + RECORD_UNITS) << 1);
    this.#definitions.attach(record, definitions);
    this.noteFlush();
    this.keyListener?.databaseChanged(this.databases[index]);
  }

  noteFlush(): void {
    this.changes++;
    this.entries.changes++;
    this.lastDeletion = this.nextRevision;
  }

  /** Frees a little of what is queued; true when nothing is left. */
  reapSlice(): boolean {
    return this.graves.reapSlice();
  }

  // ---- definitions of indexes ----

  /** Texts by name, in the order of the names: a copy. */
  definitionsOf({ record }: Database): ReadonlyMap<string, string> {
    return this.#definitions.of(record);
  }

  /** In the place of the one with the name, if there is one. `definitionProblem` must find nothing wrong with it. */
  setDefinition({ record }: Database, name: string, text: string): void {
    this.#definitions.set(record, name, text);
    this.changes++;
  }

  /** False: there was none. */
  deleteDefinition({ record }: Database, name: string): boolean {
    const wasThere = this.#definitions.delete(record, name);
    if (wasThere) this.changes++;
    return wasThere;
  }

  // ---- expiry on time ----

  /**
   * Expires what is due in every database until `exhausted`; sweeps a wheel that is mostly stale. True when nothing is
   * left to do now.
   */
  expireDue(exhausted: () => boolean): boolean {
    const count = this.databases.length;
    for (let i = 0; i < count; i++) {
      const index = (this.#expiringDatabase + i) % count;
      if (this.databases[index]?.deadlines.expireDue(exhausted)) continue;
      // The next turn begins with the following one, so that a flood in one database does not starve the others.
      this.#expiringDatabase = (index + 1) % count;
      return false;
    }
    return true;
  }

  /** Whether any key has a deadline, or a wheel has items to drop. */
  get hasDeadlines(): boolean {
    return this.databases.some((database) => database.deadlines.hasReminders);
  }
}
