/**
 * An index at work: the host of one instance of a kind. It says which documents belong into it and under which keys, keeps
 * count, and guards the rest of kvdb from an instance that fails: then the index answers nothing until it is built anew.
 *
 *   building   has the documents up to `builtUpTo` in the order of hashes; changes of others wait for the builder
 *   ready      has all
 *   failed     has who knows what; `failure` says why
 */
import { assert } from "../assert.ts";
import { CommandError } from "../commands/command-error.ts";
import { asKvdbError } from "../errors.ts";
import { MAX_KEYS_OF_DOCUMENT } from "../limits.ts";
import { type FieldPath, KEY_PATH, parseFieldPaths } from "../query/field-path.ts";
import { FieldValues } from "../query/field-values.ts";
import { ALL, and, type Filter } from "../query/filter.ts";
import { NOTHING_TAG, NULL_TAG } from "../query/index-key.ts";
import { describeKey } from "../query/index-key-text.ts";
import { IndexKeys } from "../query/index-keys.ts";
import { compileFilter, type Matcher } from "../query/matcher.ts";
import { parseFilter } from "../query/parse-filter.ts";
import type { Value } from "../query/value.ts";
import { CHUNK_SHIFT } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { keyAt, keySize } from "../store/entry.ts";
import { shownKey } from "../store/shown-key.ts";
import type {
  Index,
  IndexAnswer,
  IndexHost,
  IndexKind,
  IndexQuestion,
  KeyChange,
  Multimap,
  OrderedMap,
} from "./contract.ts";
import { type IndexDefinition, isKeyIndex } from "./definition.ts";
import { type KeyDifference, without } from "./document-change.ts";
import type { IndexedDocument } from "./documents.ts";
import { DigestStructure, OrderedStructure } from "./structures.ts";

export type IndexState = "building" | "ready" | "failed";

/** Hashes are below it. */
export const ALL_HASHES = 2 ** 32;

const NO_KEYS: readonly Uint8Array[] = [];
const NO_VALUES: readonly Value[] = [];

/** All that an index knows: plain data, which can be posted. */
export interface IndexContents {
  /** Of its structures, in the order in which the instance asked for them. */
  readonly roots: readonly number[];
  readonly entries: number;
  readonly documents: number;
  readonly multiKeyDocuments: number;
  readonly hasCutKeys: boolean;
}

export interface ChangedValues {
  readonly valuesBefore: readonly Value[];
  readonly valuesAfter: readonly Value[];
}

export class LiveIndex implements IndexHost {
  readonly definition: IndexDefinition;
  readonly kind: IndexKind;
  /** Another one after SWAPDB. */
  database: Database;
  state: IndexState = "building";
  failure = "";
  /** While it is being built: the documents whose hash is below are in it. */
  builtUpTo = 0;
  /** Pairs of key and document; documents that have any; documents that have several. */
  entries = 0;
  documents = 0;
  multiKeyDocuments = 0;
  /** There is, or was, a key that is only the beginning of a value: answers are not exact. */
  hasCutKeys = false;
  /** It will take the place of another one of its name, once it is ready. */
  isReplacement = false;
  /** Nobody refers to it any more. */
  isDropped = false;
  readonly isKeyIndex: boolean;
  readonly paths: readonly FieldPath[];
  /** Only documents that fulfil it are in the index; of the prefix of keys as well. */
  readonly where: Filter;
  readonly #keys: IndexKeys;
  #values: FieldValues | undefined;
  readonly #where: Matcher | null;
  readonly #prefix: Buffer;
  readonly #onFailure: (index: LiveIndex, thrown: unknown) => void;
  #structures: OrderedStructure[] = [];
  /** Of the value that a change was refused for. */
  #holder: number | undefined;
  #instance: Index;

  /** Throws what the kind's `create` throws, and a QueryError for a path or a filter that is none. */
  constructor(options: {
    definition: IndexDefinition;
    kind: IndexKind;
    database: Database;
    onFailure: (index: LiveIndex, thrown: unknown) => void;
  }) {
    const { definition, kind, database, onFailure } = options;
    this.definition = definition;
    this.kind = kind;
    this.database = database;
    this.isKeyIndex = isKeyIndex(definition);
    this.paths = parseFieldPaths(definition.fields.join(","));
    this.#keys = new IndexKeys({ paths: this.paths, isSparse: definition.isSparse });
    const where = parseFilter(definition.where);
    this.#where = where.kind === "all" ? null : compileFilter(where);
    this.where = and([where, prefixFilter(definition.prefix)]);
    this.#prefix = Buffer.from(definition.prefix);
    this.#onFailure = onFailure;
    this.#instance = kind.create(this);
  }

  // ---- for the instance ----

  get name(): string {
    return this.definition.name;
  }

  get fields(): readonly string[] {
    return this.definition.fields;
  }

  get isUnique(): boolean {
    return this.definition.isUnique;
  }

  get options(): Readonly<Record<string, string>> {
    return this.definition.options;
  }

  orderedMap(): OrderedMap {
    const structure = new OrderedStructure(this);
    this.#structures.push(structure);
    return structure;
  }

  multimap(): Multimap {
    const structure = new OrderedStructure(this);
    this.#structures.push(structure);
    return new DigestStructure(structure, this.database.keyspace);
  }

  duplicate(key: Uint8Array, holder: number | undefined): Error {
    this.#holder = holder;
    const value = describeKey(key);
    const holders = holder === undefined ? [] : this.keysOfDocument(holder);
    const by = holders.length === 0 ? "" : `, key ${holders.join(" or ")} has it`;
    return new CommandError("DUPLICATE", `index "${this.name}" is unique: ${value} is taken${by}`);
  }

  /** The keys of the database that have this number, as messages show them. */
  keysOfDocument(document: number): string[] {
    const found: string[] = [];
    this.database.eachWithHash(document | 0, (entry) =>
      found.push(shownEntryKey(this.database, entry)),
    );
    return found;
  }

  // ---- contents ----

  /** The keys of a document, each once; none: it does not belong into the index. */
  keysOf(document: IndexedDocument): readonly Uint8Array[] {
    if (!this.#takes(document)) return NO_KEYS;
    const keys = this.#keys;
    const { keyBytes, keyStart, keyEnd, bytes, start, end } = document;
    try {
      keys.read(bytes, start, end, keyBytes, keyStart, keyEnd);
    } catch (error) {
      throw this.#refusal(asKvdbError(error).message);
    }
    if (keys.count > MAX_KEYS_OF_DOCUMENT) {
      throw this.#refusal(`a document has at most ${MAX_KEYS_OF_DOCUMENT} different values`);
    }
    if (keys.isCut) this.#noteCut();
    return keys.copies();
  }

  /** What is longer than a key can be is in the index by its beginning. */
  #noteCut(): void {
    if (this.isUnique) throw this.#refusal("is unique, so values have at most 1024 bytes");
    this.hasCutKeys = true;
  }

  #refusal(reason: string): CommandError {
    return new CommandError("ERR", `index "${this.name}": ${reason}`);
  }

  #takes({ keyBytes, keyStart, keyEnd, bytes, start, end }: IndexedDocument): boolean {
    const prefix = this.#prefix;
    if (keyEnd - keyStart < prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) if (keyBytes[keyStart + i] !== prefix[i]) return false;
    return (
      this.#where === null || this.#where.matches(bytes, start, end, keyBytes, keyStart, keyEnd)
    );
  }

  /** Whether changes of a document with this number are for the index now. */
  maintains(document: number): boolean {
    return this.state === "ready" || (this.state === "building" && document < this.builtUpTo);
  }

  /** The whole values of the first field, for a kind that reads them. */
  valuesOf(document: IndexedDocument | undefined): readonly Value[] {
    if (document === undefined || this.kind.readsValues !== true) return NO_VALUES;
    if (!this.#takes(document)) return NO_VALUES;
    this.#values ??= new FieldValues(this.paths[0]);
    return this.#values.of(document.bytes, document.start, document.end);
  }

  /**
   * Throws what the instance refuses the change with. A document that has the value, but whose time is over, is removed on
   * the way: what was found last has to be found again.
   */
  check({ removed, added: all }: KeyChange): void {
    if (this.#instance.check === undefined) return;
    const added = all.some(isOfNothing) ? all.filter((key) => !isOfNothing(key)) : all;
    if (added.length === 0) return;
    for (;;) {
      this.#holder = undefined;
      try {
        this.#instance.check({ removed, added });
        return;
      } catch (refusal) {
        if (this.#holder === undefined) throw refusal;
        if (!this.database.deadlines.expireWithHash(this.#holder | 0)) throw refusal;
      }
    }
  }

  /** The same for documents that are stored together: the keys of those that go first, and of those that come. */
  checkTogether(removed: readonly Uint8Array[], added: readonly Uint8Array[]): void {
    const twice = this.isUnique ? findTwice(added.filter((key) => !isOfNothing(key))) : undefined;
    if (twice !== undefined) {
      const text = `index "${this.name}" is unique: ${describeKey(twice)} comes twice in the same change`;
      throw new CommandError("DUPLICATE", text);
    }
    this.check({ removed: without(removed, added), added: without(added, removed) });
  }

  apply(document: number, difference: KeyDifference, values: ChangedValues): void {
    const { removed, added, before: keysBefore, after: keysAfter } = difference;
    const { valuesBefore, valuesAfter } = values;
    try {
      this.#instance.apply({ document, removed, added, valuesBefore, valuesAfter });
    } catch (thrown) {
      this.#failBy(thrown);
      return;
    }
    this.entries += keysAfter - keysBefore;
    this.documents += Number(keysAfter > 0) - Number(keysBefore > 0);
    this.multiKeyDocuments += Number(keysAfter > 1) - Number(keysBefore > 1);
  }

  answer(question: IndexQuestion): IndexAnswer | undefined {
    assert(this.state === "ready", "only an index that has everything answers");
    try {
      return this.#instance.answer(question);
    } catch (thrown) {
      // The question is answered by others, or by looking at all documents.
      this.#failBy(thrown);
      return undefined;
    }
  }

  /** Whether its cursors can be told which of several documents with one number they stand at. */
  get hasPlaces(): boolean {
    return this.#instance.placeOf !== undefined;
  }

  /** Whether a cursor that stands at `place` stands there for this document, and not for another one of its number. */
  isAt(place: Uint8Array, document: IndexedDocument): boolean {
    return this.keysOf(document).some((key) => {
      const own = this.#instance.placeOf?.(key);
      return own !== undefined && Buffer.compare(own, place) === 0;
    });
  }

  // ---- for INDEX CHECK and INDEX INFO ----

  has(key: Uint8Array, document: number): boolean {
    return this.state !== "failed" && (this.#instance.has?.(key, document) ?? true);
  }

  /** For a kind that reads values. */
  hasValues(values: readonly Value[], document: number): boolean {
    return this.state !== "failed" && (this.#instance.hasValues?.(values, document) ?? true);
  }

  get size(): number | undefined {
    return this.state === "failed" ? undefined : this.#instance.size;
  }

  describe(): Readonly<Record<string, string | number>> {
    return this.#instance.describe?.() ?? {};
  }

  /** How much of it has been built: between 0 and 1. */
  get progress(): number {
    return this.state === "ready" ? 1 : this.builtUpTo / ALL_HASHES;
  }

  get bytes(): number {
    return this.#structures.reduce((total, structure) => total + structure.bytes, 0);
  }

  // ---- for an image, and for data that was loaded elsewhere ----

  get contents(): IndexContents {
    const { entries, documents, multiKeyDocuments, hasCutKeys } = this;
    return { roots: this.#roots, entries, documents, multiKeyDocuments, hasCutKeys };
  }

  /** Takes the contents of one with the same definition, whose arena this one is over: it is ready. */
  adopt({ roots, entries, documents, multiKeyDocuments, hasCutKeys }: IndexContents): void {
    for (const [at, structure] of this.#structures.entries()) structure.root = roots[at] ?? 0;
    Object.assign(this, { entries, documents, multiKeyDocuments, hasCutKeys });
    this.state = "ready";
  }

  get #roots(): readonly number[] {
    return this.#structures.map(({ root }) => root);
  }

  // ---- beginning anew ----

  /** Everything goes; a new instance begins. `isArenaNew`: there is nothing left to free. */
  clear(isArenaNew = false): void {
    this.#release(isArenaNew);
    this.entries = 0;
    this.documents = 0;
    this.multiKeyDocuments = 0;
    try {
      this.#instance = this.kind.create(this);
    } catch (thrown) {
      // What empties the database stands.
      this.#failBy(thrown);
    }
  }

  #failBy(thrown: unknown): void {
    this.fail(thrown instanceof Error ? thrown.message : String(thrown));
    this.#onFailure(this, thrown);
  }

  /** It answers nothing any more. */
  fail(reason: string): void {
    this.#release(false);
    this.state = "failed";
    this.failure = reason;
    this.entries = 0;
    this.documents = 0;
    this.multiKeyDocuments = 0;
  }

  /** Answers the function that puts it back to how it is now (EntryObserver.memorize). */
  memorize(): () => void {
    const { database, state, builtUpTo, entries, documents, multiKeyDocuments, hasCutKeys } = this;
    const structures = this.#structures;
    const roots = this.#roots;
    const instance = this.#instance;
    return () => {
      const failure = this.state === "failed" && state !== "failed" ? this.failure : undefined;
      Object.assign(this, { database, state, builtUpTo, entries, documents, multiKeyDocuments });
      this.hasCutKeys = hasCutKeys;
      this.#structures = structures;
      this.#instance = instance;
      for (const [at, structure] of structures.entries()) structure.restore(roots[at] ?? 0);
      if (failure !== undefined) this.fail(failure);
    };
  }

  /** `isArenaNew`: there is nothing left to free. */
  drop(isArenaNew = false): void {
    this.isDropped = true;
    this.#release(isArenaNew);
  }

  #release(isArenaNew: boolean): void {
    for (const structure of this.#structures) {
      if (isArenaNew) structure.forget();
      else structure.drop();
    }
    this.#structures = [];
  }
}

function prefixFilter(prefix: string): Filter {
  return prefix === "" ? ALL : { kind: "prefix", path: KEY_PATH, prefix };
}

function findTwice(keys: Uint8Array[]): Uint8Array | undefined {
  keys.sort(Buffer.compare);
  return keys.find((key, at) => at > 0 && Buffer.compare(key, keys[at - 1] as Uint8Array) === 0);
}

/** Of a document that has none of the fields, or null in them: it is like no other, as in SQL. */
export function isOfNothing(key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) {
    if (key[i] !== NULL_TAG && key[i] !== NOTHING_TAG) return false;
  }
  return true;
}

function shownEntryKey({ arena }: Database, entry: number): string {
  const start = keyAt(arena, entry);
  return shownKey(arena.bytes[entry >>> CHUNK_SHIFT], start, start + keySize(arena, entry));
}
