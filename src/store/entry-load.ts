/**
 * Puts the entries of a checkpoint into a keyspace: keys, values, deadlines, versions; definitions of indexes. It is no change: nothing is counted
 * for the journal, and nothing expires on the way.
 *
 * Each entry belongs to a place in the table that is in no cache, and waiting for it took most of the time. So entries
 * gather: their blocks are made at once, the slots of a batch are loaded together, and then the table takes them in, twice
 * as fast. Before anybody looks a key up, `finish` must have been called.
 */
import { isUtf8 } from "node:buffer";
import { KvdbError } from "../errors.ts";
import type { StoredEntry } from "../plugin.ts";
import { CHUNK_SHIFT, copyBytes, UNIT_MASK } from "./arena.ts";
import type { Database } from "./database.ts";
import { D_ACCOUNT } from "./database-record.ts";
import { SEGMENT_SLOTS } from "./dictionary.ts";
import { bytesBeforeValue, ENTRY_TYPES, JSON_TEXT, PACKED, STRING, typeOf } from "./entry.ts";
import { stamp, writeKey } from "./entry-block.ts";
import { hashBytes } from "./hash.ts";
import { definitionProblem } from "./index-definitions.ts";
import type { Keyspace } from "./keyspace.ts";
import { shownKey } from "./shown-key.ts";
import { type Elements, InlineValue } from "./value-types.ts";

/** Enough that many loads are under way at once, few enough that what they load is still there when it is needed. */
const BATCH = 256;

export class EntryLoad {
  readonly #keyspace: Keyspace;
  /** Undefined: each has its own. */
  readonly #version: number | undefined;
  /** The batch: entries of one database that the table does not hold yet. */
  #database: Database;
  readonly #entries = new Int32Array(BATCH);
  readonly #hashes = new Int32Array(BATCH);
  readonly #slots = new Int32Array(BATCH);
  #count = 0;
  /** What the entry in hand has behind its key. */
  readonly #value = new InlineValue();
  /** The entry that was added last, when it goes on in the next one; else 0. */
  #continued = 0;
  /** Names it in errors. */
  #continuedName = "";
  /** What was read ahead, for nobody: kept, so that the reading is not optimized away. */
  sink = 0;

  /** `version`: what all entries get as theirs. */
  constructor(keyspace: Keyspace, version?: number) {
    this.#keyspace = keyspace;
    this.#version = version;
    this.#database = keyspace.databases[0];
  }

  /**
   * Adds an entry; one with the same key goes. The keyspace's next revision is the version of the last key afterwards. Throws
   * a KvdbError("DAMAGE") when its elements are none, or are not those of the key that the entry before began; when a
   * definition is none.
   */
  add(database: Database, entry: Readonly<StoredEntry>): void {
    if (entry.type !== "string" && entry.type !== "json") {
      if (entry.type === "index") this.#addDefinition(database, entry);
      else this.#addElements(database, entry);
      return;
    }
    if (this.#continued !== 0) throw this.#unfinished();
    const { valueBytes, valueStart, valueEnd } = entry;
    const kind = entry.type === "json" ? JSON_TEXT : STRING;
    this.#value.set(kind, valueEnd - valueStart, valueBytes, valueStart, valueEnd);
    this.#gather(database, entry);
  }

  /** An entry with the inline value in hand. */
  #gather(database: Database, entry: Readonly<StoredEntry>): void {
    if (database !== this.#database || this.#count === BATCH) {
      this.#adopt();
      this.#database = database;
    }
    const keyspace = this.#keyspace;
    const { hashKey0, hashKey1 } = keyspace;
    const hash = hashBytes(hashKey0, hashKey1, entry.keyBytes, entry.keyStart, entry.keyEnd);
    keyspace.setNextRevision(this.#version ?? entry.version);
    this.#entries[this.#count] = prepare(database, entry, hash, this.#value);
    this.#hashes[this.#count++] = hash;
  }

  #addDefinition(database: Database, stored: Readonly<StoredEntry>): void {
    if (this.#continued !== 0) throw this.#unfinished();
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = stored;
    const name = keyBytes.toString("latin1", keyStart, keyEnd);
    const bytes = (valueBytes as Buffer).subarray(valueStart, valueEnd);
    const text = bytes.toString();
    let problem = definitionProblem(name, text);
    if (!isUtf8(bytes)) problem ||= "its definition is no UTF-8";
    if (stored.isContinued) problem = "its definition is in parts";
    if (problem !== "") throw damage(nameOf(stored), problem);
    this.#keyspace.setDefinition(database, name, text);
    this.#keyspace.changes = 0;
  }

  #addElements(database: Database, stored: Readonly<StoredEntry>): void {
    const { valueBytes, valueStart, valueEnd, isTimed } = stored;
    const type = ENTRY_TYPES.indexOf(stored.type);
    const elements = { run: valueBytes, at: valueStart, end: valueEnd, isTimed };
    const isWhole = this.#continued === 0 && !stored.isContinued;
    if (isWhole && this.#isInline(stored, type, elements)) this.#gather(database, stored);
    else this.#addPart(database, stored, type, elements);
  }

  /** Whether the value lies in its entry; then it is the one in hand. */
  #isInline(stored: Readonly<StoredEntry>, type: number, elements: Elements): boolean {
    try {
      const valueType = this.#keyspace.collections.types.of(type);
      return valueType.toInline?.(elements, this.#value) ?? false;
    } catch (error) {
      throw error instanceof RangeError ? damage(nameOf(stored), error.message) : error;
    }
  }

  #addPart(
    database: Database,
    stored: Readonly<StoredEntry>,
    type: number,
    elements: Elements,
  ): void {
    this.#adopt();
    const { keyBytes, keyStart, keyEnd } = stored;
    const keyspace = this.#keyspace;
    keyspace.setNextRevision(this.#version ?? stored.version);
    let entry = database.find(keyBytes, keyStart, keyEnd);
    if (this.#continued === 0) {
      const kind = type | (PACKED << 4);
      entry = database.put(entry, keyBytes, keyStart, keyEnd, kind, 0, stored.deadlineMs, 0);
    } else if (entry !== this.#continued || typeOf(database.arena, entry) !== type) {
      throw this.#unfinished();
    } else if (elements.at === elements.end && !stored.isContinued) {
      // Who has lost the last parts ends the value like this.
      this.#continued = 0;
      keyspace.changes = 0;
      return;
    }
    try {
      entry = keyspace.collections.types.of(type).readPart(database, entry, elements);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // No half of a value stays, if somebody goes on behind it.
      database.remove(database.find(keyBytes, keyStart, keyEnd));
      this.#continued = 0;
      keyspace.changes = 0;
      throw damage(nameOf(stored), error.message);
    }
    this.#continued = stored.isContinued ? entry : 0;
    if (stored.isContinued) this.#continuedName = nameOf(stored);
    keyspace.changes = 0;
  }

  /** All entries were added. Throws a KvdbError("DAMAGE") when the last one should go on. */
  finish(): void {
    this.#adopt();
    if (this.#continued !== 0) throw this.#unfinished();
  }

  #unfinished(): KvdbError {
    return damage(this.#continuedName, "its further elements are missing");
  }

  /** Puts what has gathered into the table. */
  #adopt(): void {
    const count = this.#count;
    this.#count = 0;
    this.#readAhead(count);
    for (let i = 0; i < count; i++) this.#database.adopt(this.#entries[i], this.#hashes[i]);
  }

  /** Reads the slots where the table will look first, and the headers of their segments. */
  #readAhead(count: number): void {
    const { arena, entries } = this.#keyspace;
    const { ints } = arena;
    const slots = this.#slots;
    entries.slotsOf(this.#database.record, this.#hashes, count, slots);
    let sink = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i];
      const head = slot === 0 ? 0 : slot - (this.#hashes[i] & (SEGMENT_SLOTS - 1)) - 1;
      sink ^= ints[slot >>> CHUNK_SHIFT][(slot & UNIT_MASK) << 1];
      sink ^= ints[head >>> CHUNK_SHIFT][(head & UNIT_MASK) << 1];
    }
    this.sink = sink;
  }
}

function nameOf({ database, type, keyBytes, keyStart, keyEnd }: Readonly<StoredEntry>): string {
  const what = type === "index" ? "index" : "key";
  return `database ${database}, ${what} ${shownKey(keyBytes, keyStart, keyEnd)}`;
}

function damage(name: string, reason: string): KvdbError {
  return new KvdbError("DAMAGE", `${name}: ${reason}`);
}

/**
 * Makes the block of an entry whose value is inline, stamped with the next revision; nothing finds it before the database
 * adopts it.
 */
function prepare(
  database: Database,
  stored: Readonly<StoredEntry>,
  hash: number,
  value: Readonly<InlineValue>,
): number {
  const { arena, keyspace, deadlines, record } = database;
  const { keyBytes, keyStart, keyEnd, deadlineMs } = stored;
  const size = value.end - value.start;
  const before = bytesBeforeValue(keyEnd - keyStart, deadlineMs !== 0);
  const units = (before + size + 7) >>> 3;
  arena.account = record + D_ACCOUNT;
  const entry = arena.allocate(units);
  const clock = keyspace.access.fresh;
  writeKey(arena, entry, units, keyBytes, keyStart, keyEnd, deadlineMs !== 0, clock);
  stamp(keyspace, entry, value.kind, value.word);
  const bytes = arena.edit(entry, units);
  copyBytes(value.bytes, value.start, bytes, ((entry & UNIT_MASK) << 3) + before, size);
  if (deadlineMs !== 0) {
    deadlines.remind(entry, hash, deadlineMs);
    deadlines.add(1);
  }
  return entry;
}
