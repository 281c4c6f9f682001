/**
 * A snapshot of a program: reads in an image of the data (kernel/read-views.ts) without the engine, which knows the present
 * alone. Nothing expires in it; what had expired when it was taken is left out.
 */
import { KvdbError } from "../errors.ts";
import { openIndexImage } from "../index/index-images.ts";
import { keyOrder } from "../index/key-order.ts";
import type { LiveIndex } from "../index/live-index.ts";
import type { ReadView } from "../kernel/read-views.ts";
import { isWithin, type KeyBounds } from "../session/key-order.ts";
import { CHUNK_SHIFT } from "../store/arena.ts";
import type { Database } from "../store/database.ts";
import { eachEntry } from "../store/database-walk.ts";
import {
  deadlineOf,
  JSON_TEXT,
  keyAt,
  keySize,
  STRING,
  typeOf,
  valueAt,
  valueWord,
} from "../store/entry.ts";
import { Keyspace } from "../store/keyspace.ts";
import { requireKey } from "./checked-options.ts";
import type { Json, Key } from "./database.ts";
import { type KeyRange, readRange, withKey } from "./key-range.ts";
import { keyText } from "./key-steps.ts";
import type { RangeOptions, Snapshot } from "./store-types.ts";
import { ValueReader } from "./value-reader.ts";

/** Entries read ahead. */
const PAGE = 1024;
const NO_PREFIX = Buffer.alloc(0);

export class OpenSnapshot<Value = Json> implements Snapshot<Value> {
  readonly #view: ReadView;
  readonly #database: Database;
  readonly #indexes: readonly LiveIndex[];
  readonly #reader = new ValueReader();
  readonly #onClose: () => void;
  #size: number | undefined;
  #closing: Promise<void> | undefined;

  /** Of the numbered database. */
  constructor(view: ReadView, number: number, onClose: () => void) {
    const keyspace = Keyspace.ofImage(view.image.arena, view.nowMs);
    this.#view = view;
    this.#database = keyspace.databases[number] as Database;
    this.#indexes = view.keyIndexes
      .filter(({ database }) => database === number)
      .map((index) => openIndexImage(index, this.#database));
    this.#onClose = onClose;
  }

  get size(): number {
    this.#requireOpen();
    if (this.#size === undefined) {
      let size = 0;
      eachEntry(this.#database, (entry) => {
        if (this.#isLive(entry)) size++;
      });
      this.#size = size;
    }
    return this.#size;
  }

  get<Result = Value>(key: Key): Result | undefined {
    return this.#valueOf(this.#find(key), false) as Result | undefined;
  }

  getBytes(key: Key): Uint8Array | undefined {
    return this.#valueOf(this.#find(key), true) as Uint8Array | undefined;
  }

  has(key: Key): boolean {
    return this.#find(key) !== 0;
  }

  iterate(options?: RangeOptions): IteratorObject<[key: string, value: Value], undefined> {
    const range = readRange(options, NO_PREFIX);
    return this.#entries(range).map((entry) => {
      const key = this.#shown(entry);
      try {
        return [key, this.#valueOf(entry, false) as Value] as [string, Value];
      } catch (error) {
        throw withKey(error, key);
      }
    });
  }

  keys(options?: RangeOptions): IteratorObject<string, undefined> {
    const range = readRange(options, NO_PREFIX);
    return this.#entries(range).map((entry) => this.#shown(entry));
  }

  values(options?: RangeOptions): IteratorObject<Value, undefined> {
    return this.iterate(options).map(([, value]) => value);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#onClose();
    await this.#view.image.close();
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) {
      throw new KvdbError("UNAVAILABLE", "the snapshot is closed");
    }
  }

  /** 0: there is none. */
  #find(key: Key): number {
    this.#requireOpen();
    requireKey("key", key);
    const bytes = Buffer.from(key as string);
    const entry = this.#database.find(bytes, 0, bytes.length);
    return entry !== 0 && this.#isLive(entry) ? entry : 0;
  }

  #isLive(entry: number): boolean {
    const deadline = deadlineOf(this.#database.arena, entry);
    return deadline === 0 || deadline > this.#view.nowMs;
  }

  #valueOf(entry: number, asBytes: boolean): unknown {
    this.#requireOpen();
    if (entry === 0) return undefined;
    const { arena } = this.#database;
    const type = typeOf(arena, entry);
    if (type !== STRING && type !== JSON_TEXT) {
      const text = "WRONGTYPE Operation against a key holding the wrong kind of value";
      throw new KvdbError("COMMAND", text, { reply: "WRONGTYPE" });
    }
    const start = valueAt(arena, entry);
    const end = start + valueWord(arena, entry);
    const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
    const reader = this.#reader;
    reader.asBytes = asBytes;
    if (type === STRING) reader.bulk(bytes, start, end);
    else reader.json(bytes, start, end);
    return reader.take();
  }

  #keyOf(entry: number): Buffer {
    const { arena } = this.#database;
    const at = keyAt(arena, entry);
    return (arena.bytes[entry >>> CHUNK_SHIFT] as Buffer).subarray(at, at + keySize(arena, entry));
  }

  #shown(entry: number): string {
    this.#requireOpen();
    return keyText(this.#keyOf(entry));
  }

  /** Entries stay where they are: none is looked up again. */
  *#entries({ bounds, isReverse, limit }: KeyRange): Generator<number, undefined> {
    let left = limit;
    if (left === 0) return;
    for (const page of this.#pages(bounds, isReverse)) {
      for (const entry of page) {
        yield entry;
        this.#requireOpen();
        if (--left === 0) return;
      }
    }
    return undefined;
  }

  *#pages(bounds: KeyBounds, isReverse: boolean): Generator<readonly number[]> {
    this.#requireOpen();
    for (let rest = bounds; ; ) {
      const order = keyOrder(this.#indexes, this.#database, rest);
      if (order === undefined) {
        yield this.#sorted(rest, isReverse);
        return;
      }
      const page: number[] = [];
      let seen = 0;
      let last = 0;
      order.walk(isReverse, (entry) => {
        if (this.#isLive(entry)) page.push(entry);
        last = entry;
        return ++seen < PAGE;
      });
      yield page;
      if (seen < PAGE) return;
      const key = Buffer.from(this.#keyOf(last));
      rest = isReverse
        ? { ...rest, high: key, includesHigh: false }
        : { ...rest, low: key, includesLow: false };
    }
  }

  /** Without an index: all entries within the bounds, as numbers. */
  #sorted(bounds: KeyBounds, isReverse: boolean): number[] {
    const found: number[] = [];
    eachEntry(this.#database, (entry) => {
      if (this.#isLive(entry) && isWithin(this.#keyOf(entry), bounds)) found.push(entry);
    });
    const direction = isReverse ? -1 : 1;
    return found.sort((a, b) => direction * Buffer.compare(this.#keyOf(a), this.#keyOf(b)));
  }
}
