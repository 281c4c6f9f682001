/**
 * All indexes of all databases, kept true within each write: the observer of the keyspace. Definitions lie in the arena
 * (store/index-definitions.ts) and are changed by commands alone; an index at work exists only here, and is made of its
 * definition when the data is loaded.
 *
 * Invariant: between two commands every index that is ready has the keys of all documents that belong into it, one that is
 * being built those of the documents up to `builtUpTo`.
 */
import { assert } from "../assert.ts";
import { compareValues } from "../query/value.ts";
import { runWhole, type SlicedWork } from "../session/sliced-work.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import type { ComingDocument, EntryObserver } from "../store/entry-observer.ts";
import { findAt, type KeyPlace } from "../store/key-place.ts";
import type { Keyspace } from "../store/keyspace.ts";
import { suggestion } from "../suggest.ts";
import type { IndexKind } from "./contract.ts";
import { checkDefinition, DefinitionError, type IndexDefinition } from "./definition.ts";
import { type KeyDifference, keyDifference, without } from "./document-change.ts";
import { documentAt, type IndexedDocument, keyAsDocument, numberOf } from "./documents.ts";
import { type ChangedValues, LiveIndex } from "./live-index.ts";

/** What a document that is about to be written means to one index. */
interface Pending {
  readonly index: LiveIndex;
  readonly difference: KeyDifference;
  /** Read ahead: the old text is gone when the new one stands. */
  readonly values: ChangedValues;
}

/** To fill indexes with so many takes some ten milliseconds each: no longer than people notice. */
const FEW_ENTRIES = 50_000;

const NO_VALUES: ChangedValues = { valuesBefore: [], valuesAfter: [] };

export class Indexes implements EntryObserver {
  readonly #keyspace: Keyspace;
  readonly #kinds = new Map<string, IndexKind>();
  /** By the number of the database. */
  readonly #lists: LiveIndex[][];
  readonly #onFailure: (index: LiveIndex, thrown: unknown) => void;
  /** What would fill indexes that nobody has needed yet. */
  #deferred: SlicedWork[] = [];
  #pending: Pending[] = [];
  #pendingNumber = 0;

  constructor(keyspace: Keyspace, onFailure: (index: LiveIndex, thrown: unknown) => void) {
    this.#keyspace = keyspace;
    this.#onFailure = onFailure;
    this.#lists = keyspace.databases.map(() => []);
  }

  // ---- kinds ----

  addKind(kind: IndexKind): void {
    assert(!this.#kinds.has(kind.name), "the host has checked that names of kinds differ");
    this.#kinds.set(kind.name, kind);
  }

  get kinds(): ReadonlyMap<string, IndexKind> {
    return this.#kinds;
  }

  // ---- the list ----

  /** Those of a database that are ready or failed, in the order of their making. */
  of(database: Database): readonly LiveIndex[] {
    return this.#lists[database.index] ?? [];
  }

  /** Those that answer. */
  usable(database: Database): readonly LiveIndex[] {
    if (database.size <= FEW_ENTRIES) this.complete();
    return this.of(database).filter(
      ({ state, isReplacement }) => state === "ready" && !isReplacement,
    );
  }

  named(database: Database, name: string): LiveIndex | undefined {
    this.complete();
    return this.of(database).find((index) => index.name === name && !index.isReplacement);
  }

  /** Whoever will take the place of the index. */
  replacementOf({ database, name, kind }: LiveIndex): LiveIndex | undefined {
    return this.of(database).find(
      (other) => other.name === name && other.isReplacement && other.kind === kind,
    );
  }

  /**
   * The indexes that `build` would fill wait until somebody needs them: a process that runs one command rarely does. Until
   * then writes pass them by; a unique one is needed by each.
   */
  defer(build: SlicedWork): void {
    this.#deferred.push(build);
  }

  /** Nothing is deferred any longer. */
  complete(): void {
    for (const build of this.#deferred.splice(0)) runWhole(build);
  }

  /**
   * An empty index at work; nobody hears of it before `add`. Throws a DefinitionError, a QueryError, or what the kind's
   * factory throws.
   */
  make(database: Database, definition: IndexDefinition): LiveIndex {
    const kind = this.#kinds.get(definition.use);
    if (kind === undefined) {
      const names = [...this.#kinds.keys()];
      throw new DefinitionError(
        `unknown kind of index "${definition.use}", expected one of ${names.join(", ")}${suggestion(definition.use, names)}`,
        "use",
      );
    }
    checkDefinition(definition, kind);
    return new LiveIndex({ definition, kind, database, onFailure: this.#onFailure });
  }

  /** From now on its database tells it of changes. */
  add(index: LiveIndex): void {
    this.#lists[index.database.index]?.push(index);
    this.#keyspace.entryObserver = this;
  }

  /** Its contents are freed in the background. Those that are made beside it (to replace it, to check it) go with it. */
  remove(index: LiveIndex): void {
    const goes = (other: LiveIndex) =>
      other === index || (!index.isReplacement && other.isReplacement && other.name === index.name);
    const list = this.#lists[index.database.index] ?? [];
    for (const one of list.filter(goes)) one.drop();
    this.#lists[index.database.index] = list.filter((other) => !goes(other));
    if (this.#lists.every(({ length }) => length === 0)) this.#keyspace.entryObserver = null;
  }

  /** None is left: other data with other definitions comes, in another arena. */
  forgetAll(): void {
    this.#deferred = [];
    this.#pending = [];
    for (const [number, list] of this.#lists.entries()) {
      for (const index of list) index.drop(true);
      this.#lists[number] = [];
    }
    this.#keyspace.entryObserver = null;
  }

  get all(): readonly LiveIndex[] {
    return this.#lists.flat();
  }

  // ---- documents ----

  documentComes(coming: ComingDocument): void {
    // What a write that was refused has left.
    this.#pending = [];
    const { database } = coming;
    const indexes = this.of(database);
    if (indexes.length === 0) return;
    if (this.#deferred.length > 0 && indexes.some(({ isUnique }) => isUnique)) this.complete();
    const { keyBytes, keyStart, keyEnd } = coming;
    const number = numberOf(database, keyBytes, keyStart, keyEnd);
    const before = documentAt(database, findKey(coming));
    this.#pendingNumber = number;
    for (const index of indexes) {
      if (index.isKeyIndex || !index.maintains(number)) continue;
      const difference = keyDifference(
        before === undefined ? [] : index.keysOf(before),
        index.keysOf(coming),
      );
      if (difference.added.length > 0) this.#check(index, difference, coming);
      const hasSameKeys = difference.added.length + difference.removed.length === 0;
      if (hasSameKeys && index.kind.readsValues !== true) continue;
      const values = { valuesBefore: index.valuesOf(before), valuesAfter: index.valuesOf(coming) };
      if (hasSameKeys && (difference.after === 0 || areSame(values))) continue;
      this.#pending.push({ index, difference, values });
    }
    // Whoever was in the way and had expired was looked up last.
    findKey(coming);
  }

  /** What a document that is about to leave its key has is no hindrance. */
  #check(index: LiveIndex, { removed, added }: KeyDifference, coming: ComingDocument): void {
    const { from } = coming;
    const leaving =
      from?.database === coming.database ? documentAt(from.database, findAt(from)) : undefined;
    const left = leaving === undefined ? [] : index.keysOf(leaving);
    index.check({ removed, added: without(added, left) });
  }

  documentCame(): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    this.#pending = [];
    for (const { index, difference, values } of pending) {
      index.apply(this.#pendingNumber, difference, values);
    }
  }

  documentsCome(
    database: Database,
    documents: readonly ComingDocument[],
    leaving: readonly KeyPlace[],
  ): void {
    const indexes = this.of(database);
    if (this.#deferred.length > 0 && indexes.some(({ isUnique }) => isUnique)) this.complete();
    for (const index of indexes) {
      if (index.isKeyIndex || index.state === "failed") continue;
      const removed: Uint8Array[] = [];
      const added: Uint8Array[] = [];
      for (const place of leaving) {
        if (!index.maintains(numberOf(database, place.bytes, place.start, place.end))) continue;
        const before = documentAt(database, findAt(place));
        if (before !== undefined) removed.push(...index.keysOf(before));
      }
      for (const coming of documents) {
        const { keyBytes, keyStart, keyEnd } = coming;
        if (!index.maintains(numberOf(database, keyBytes, keyStart, keyEnd))) continue;
        added.push(...index.keysOf(coming));
      }
      if (added.length > 0) index.checkTogether(removed, added);
    }
  }

  documentGoes(database: Database, hash: number, entry: number): void {
    const number = hash >>> 0;
    for (const index of this.of(database)) {
      if (index.isKeyIndex || !index.maintains(number)) continue;
      const before = documentAt(database, entry);
      const difference = keyDifference(before === undefined ? [] : index.keysOf(before), []);
      if (difference.removed.length === 0) continue;
      index.apply(number, difference, { valuesBefore: index.valuesOf(before), valuesAfter: [] });
    }
  }

  // ---- keys ----

  keyComes(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    const key = { keyBytes: bytes, keyStart: start, keyEnd: end };
    this.#keyChanges(database, hash, { ...key, bytes, start: end, end }, true);
  }

  keyGoes(database: Database, hash: number, entry: number): void {
    this.#keyChanges(database, hash, keyAsDocument(database, entry), false);
  }

  #keyChanges(database: Database, hash: number, key: IndexedDocument, isThere: boolean): void {
    const number = hash >>> 0;
    for (const index of this.of(database)) {
      if (!index.isKeyIndex || !index.maintains(number)) continue;
      const keys = index.keysOf(key);
      const difference = isThere ? keyDifference([], keys) : keyDifference(keys, []);
      if (difference.removed.length + difference.added.length === 0) continue;
      index.apply(number, difference, NO_VALUES);
    }
  }

  // ---- whole databases ----

  databaseEmpties(database: Database): void {
    for (const index of this.of(database)) if (index.state !== "failed") index.clear();
  }

  arenaEmptied(): void {
    for (const index of this.#lists.flat()) if (index.state !== "failed") index.clear(true);
  }

  databasesSwapped(a: Database, b: Database): void {
    const [first, second] = [this.of(a), this.of(b)];
    this.#lists[a.index] = [...second];
    this.#lists[b.index] = [...first];
    for (const index of first) index.database = b;
    for (const index of second) index.database = a;
  }

  /**
   * An index that has failed meanwhile stays so, and the one that is made in its place stays in the list: what was undone is
   * no reason to trust it.
   */
  memorize(): () => void {
    this.complete();
    const lists = this.#lists.map((list) => [...list]);
    const restorers = lists.flat().map((index) => index.memorize());
    return () => {
      const known = new Set(lists.flat());
      for (const [number, list] of lists.entries()) {
        const made = this.#lists[number]?.filter((index) => !known.has(index)) ?? [];
        this.#lists[number] = [...list, ...made];
      }
      for (const restore of restorers) restore();
      this.#pending = [];
    };
  }
}

function areSame({ valuesBefore, valuesAfter }: ChangedValues): boolean {
  return compareValues(valuesBefore, valuesAfter) === 0;
}

function findKey({ database, keyBytes, keyStart, keyEnd }: ComingDocument): number {
  return database.find(keyBytes, keyStart, keyEnd);
}
