/**
 * A walk through all databases of an arena, live or image, in the order of the tables: one entry at a time in a reused
 * object, without a look-up and without allocation. A live arena must not change until the walk is over.
 *
 * Entries lie anywhere, so each would cost a wait for memory; those of one segment of the table are loaded together
 * first, which makes the waits overlap (prefetch.ts does the same for commands).
 */
import type { EntryReader } from "../plugin.ts";
import {
  type Arena,
  CHUNK_SHIFT,
  D_OVER,
  D_REVISION,
  D_TIME,
  I_DATABASE_TABLE,
  I_DATABASES,
  I_HASH_KEY,
  UNIT_MASK,
} from "./arena.ts";
import { Collections, defaultLimits } from "./collections.ts";
import { RECORD_UNITS } from "./database-record.ts";
import { Dictionary, SEGMENT_SLOTS } from "./dictionary.ts";
import { ElementPart } from "./element-part.ts";
import {
  deadlineOf,
  ENTRY_TYPES,
  HEADER_BYTES,
  isText,
  keyAt,
  keySize,
  typeOf,
  valueWord,
  versionOf,
} from "./entry.ts";
import { DefinitionCursor } from "./index-definitions.ts";
import { newStoredEntry } from "./stored-entry.ts";
import type { ValueTypes } from "./value-types.ts";

/**
 * `live`: what is over is left out. `stored`: unless it is another server's to delete, or others follow and are to hear of it.
 * That one may have given it more time, and what says so has not come yet: it is not over for who goes on from these entries.
 * `all`: nothing is left out, for who is told of each deletion.
 */
export type EntriesTaken = "live" | "stored" | "all";

export class EntryWalk implements EntryReader {
  /** As `Keyspace.noteRevision` noted them last: at the end of a turn, so an image has those of its cut. */
  readonly revision: number;
  readonly timeMs: number;
  readonly entryCount: number;
  readonly keyCount: number;
  readonly entry = newStoredEntry();
  readonly #arena: Arena;
  /** What is over by then is left out. */
  readonly #overMs: number;
  /** Of the values with elements. */
  readonly types: ValueTypes;
  readonly #part = new ElementPart();
  readonly #entries: Dictionary;
  /** Address of the first record, and how many there are. */
  readonly #table: number;
  readonly #databaseCount: number;
  /** The segment that comes next: its database, and its index in the directory there. */
  #database = 0;
  #index = 0;
  /** The definitions of that database: shown before its first segment. */
  readonly #definitions: DefinitionCursor;
  /** The entries of the segment in hand. */
  readonly #found = new Int32Array(SEGMENT_SLOTS);
  #count = 0;
  #at = 0;
  /** What was read ahead, for nobody: kept, so that the reading is not optimized away. */
  sink = 0;

  constructor(arena: Arena, taken: EntriesTaken = "live") {
    this.#arena = arena;
    this.#overMs = taken === "all" ? 0 : arena.doubles[0][taken === "live" ? D_TIME : D_OVER];
    this.#entries = new Dictionary(arena, HEADER_BYTES);
    const [hashKey0, hashKey1] = [arena.ints[0][I_HASH_KEY], arena.ints[0][I_HASH_KEY + 1]];
    this.types = new Collections({ arena, hashKey0, hashKey1, limits: defaultLimits() }).types;
    this.#table = arena.ints[0][I_DATABASE_TABLE];
    this.#databaseCount = arena.ints[0][I_DATABASES];
    this.revision = arena.doubles[0][D_REVISION];
    this.timeMs = arena.doubles[0][D_TIME];
    this.#definitions = new DefinitionCursor(arena);
    let [keys, definitions] = [0, 0];
    for (let index = 0; index < this.#databaseCount; index++) {
      keys += this.#entries.count(this.#recordOf(index));
      definitions += this.#definitions.begin(this.#recordOf(index));
    }
    this.keyCount = keys;
    this.entryCount = keys + definitions;
    this.#definitions.begin(this.#table);
  }

  #recordOf(database: number): number {
    return this.#table + database * RECORD_UNITS;
  }

  get elementCount(): number {
    const { type } = this.entry;
    if (type === "string" || type === "json" || type === "index") return 0;
    return this.types.of(ENTRY_TYPES.indexOf(type)).count(this.#found[this.#at - 1]);
  }

  next(): boolean {
    if (this.entry.isContinued) {
      this.#showElements(this.#found[this.#at - 1]);
      return true;
    }
    for (;;) {
      while (this.#at < this.#count) {
        const entry = this.#found[this.#at++];
        const deadlineMs = deadlineOf(this.#arena, entry);
        if (deadlineMs !== 0 && deadlineMs <= this.#overMs) continue;
        this.#show(entry, deadlineMs);
        return true;
      }
      if (this.#database === this.#databaseCount) return false;
      if (this.#definitions.next()) {
        this.#showDefinition();
        return true;
      }
      this.#loadSegment();
    }
  }

  #show(entry: number, deadlineMs: number): void {
    const arena = this.#arena;
    const type = typeOf(arena, entry);
    const shown = this.entry;
    shown.type = ENTRY_TYPES[type];
    const bytes = arena.bytes[entry >>> CHUNK_SHIFT];
    const keyStart = keyAt(arena, entry);
    const keyEnd = keyStart + keySize(arena, entry);
    shown.keyBytes = bytes;
    shown.keyStart = keyStart;
    shown.keyEnd = keyEnd;
    shown.deadlineMs = deadlineMs;
    shown.version = versionOf(arena, entry);
    if (!isText(type)) {
      this.#part.beginValue();
      this.#showElements(entry);
      return;
    }
    shown.valueBytes = bytes;
    shown.valueStart = keyEnd;
    shown.valueEnd = keyEnd + valueWord(arena, entry);
    shown.isTimed = false;
    shown.isContinued = false;
  }

  /** The next of the entry's elements. */
  #showElements(entry: number): void {
    const shown = this.entry;
    const part = this.#part;
    part.beginPart();
    const isLast = this.types.of(typeOf(this.#arena, entry)).writePart(entry, part);
    shown.valueBytes = part.run;
    shown.valueStart = part.start;
    shown.valueEnd = part.end;
    shown.isTimed = part.isTimed;
    shown.isContinued = !isLast;
  }

  #showDefinition(): void {
    const { bytes, nameStart, nameEnd, textEnd } = this.#definitions;
    const shown = this.entry;
    shown.database = this.#database;
    shown.type = "index";
    shown.keyBytes = bytes;
    shown.keyStart = nameStart;
    shown.keyEnd = nameEnd;
    shown.valueBytes = bytes;
    shown.valueStart = nameEnd;
    shown.valueEnd = textEnd;
    shown.deadlineMs = 0;
    shown.version = 0;
    shown.isTimed = false;
    shown.isContinued = false;
  }

  #loadSegment(): void {
    const root = this.#recordOf(this.#database);
    this.entry.database = this.#database;
    this.#index = this.#entries.entriesOfSegment(root, this.#index, this.#found);
    this.#count = this.#entries.foundCount;
    this.#at = 0;
    if (this.#index === 0 && ++this.#database < this.#databaseCount) {
      this.#definitions.begin(this.#recordOf(this.#database));
    }
    this.#readAhead();
  }

  /** The first words of each entry: as short a loop as can be, so that many loads are under way at once. */
  #readAhead(): void {
    const { ints } = this.#arena;
    const found = this.#found;
    let sink = 0;
    for (let i = 0; i < this.#count; i++) {
      const entry = found[i];
      sink ^= ints[entry >>> CHUNK_SHIFT][(entry & UNIT_MASK) << 1];
    }
    this.sink = sink;
  }
}
