/**
 * The keyspace beside a naive one (a Map per database), for keyspace.test.ts and expiry-wheel.test.ts. Each change is
 * done on both sides; `requireSame` compares everything. What the keyspace says expired must be over in the model, which
 * forgets it then, so the two always hold the same keys.
 */
import { expect } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { CHUNK_SHIFT, UNIT_BYTES } from "../../../src/store/arena.ts";
import { type Database, KEEP_DEADLINE } from "../../../src/store/database.ts";
import { eachEntry } from "../../../src/store/database-walk.ts";
import {
  deadlineOf,
  entryUnits,
  keyAt,
  keySize,
  STRING,
  typeOf,
  valueAt,
  valueWord,
  versionOf,
} from "../../../src/store/entry.ts";
import type { KeyPlace } from "../../../src/store/key-place.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { copyValue, moveValue } from "../../../src/store/value-copy.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import type { StoredEntries } from "./stored-entries.ts";

/** Superblock double: units of what belongs to no database (ACCOUNT_SHARED of keyspace.ts). */
const D_SHARED = 10;

interface ModelEntry {
  type: number;
  value: Buffer;
  deadlineMs: number;
  version: number;
}

export class KeyspaceModel {
  readonly random: Random;
  readonly keyspace: Keyspace;
  readonly audit: PageAudit;
  readonly startBytes: number;
  /** By database. */
  readonly maps: Map<string, ModelEntry>[];
  /** Of indexes, by database. */
  readonly definitions: Map<string, string>[];
  expiredCount = 0;

  constructor(seed: number, databases = 3) {
    this.random = seededRandom(seed);
    this.keyspace = new Keyspace({
      databases,
      hashKey: [seed, ~seed],
      random: this.random,
      nowMs: Date.UTC(2026, 0, 1) + this.random.below(1000),
    });
    this.audit = new PageAudit(this.keyspace.arena);
    this.startBytes = this.keyspace.arena.usedBytes;
    this.maps = Array.from({ length: databases }, () => new Map());
    this.definitions = this.maps.map(() => new Map());
    this.keyspace.onExpired = (database, key) => this.#noteExpired(database, key);
  }

  #noteExpired(database: Database, key: Buffer): void {
    const map = this.maps[database.index];
    const entry = map?.get(key.toString("latin1"));
    if (entry === undefined || entry.deadlineMs === 0 || entry.deadlineMs > this.keyspace.nowMs) {
      throw new Error(`"${key}" expired, but its deadline is ${entry?.deadlineMs}`);
    }
    map?.delete(key.toString("latin1"));
    this.expiredCount++;
  }

  database(index: number): Database {
    return this.keyspace.databases[index] as Database;
  }

  place(index: number, key: string): KeyPlace {
    const bytes = Buffer.from(key, "latin1");
    return { database: this.database(index), bytes, start: 0, end: bytes.length };
  }

  /** The entry of the keyspace, compared with the model's. */
  find(index: number, key: string): number {
    const { database, bytes, start, end } = this.place(index, key);
    const entry = database.find(bytes, start, end);
    expect(entry !== 0).toBe(this.maps[index]?.has(key) as boolean);
    return entry;
  }

  #done(index: number, key: string, type: number, value: Buffer, deadlineMs: number): void {
    this.maps[index]?.set(key, { type, value, deadlineMs, version: this.keyspace.nextRevision });
    this.keyspace.advanceRevision();
  }

  #get(index: number, key: string): ModelEntry {
    return this.maps[index]?.get(key) as ModelEntry;
  }

  // ---- changes ----

  put(index: number, key: string, value: Buffer, deadlineMs: number, type = STRING): void {
    const entry = this.find(index, key);
    const { database, bytes } = this.place(index, key);
    const target = database.put(entry, bytes, 0, bytes.length, type, value.length, deadlineMs);
    this.#write(target, value, 0);
    const kept = entry === 0 ? 0 : this.#get(index, key).deadlineMs;
    this.#done(index, key, type, value, deadlineMs === KEEP_DEADLINE ? kept : deadlineMs);
  }

  resize(index: number, key: string, size: number): void {
    const entry = this.find(index, key);
    if (entry === 0) return;
    const { type, value, deadlineMs } = this.#get(index, key);
    const changed = Buffer.alloc(size, this.random.below(256));
    value.copy(changed);
    const target = this.database(index).resize(entry, type, size);
    this.#write(target, changed, Math.min(value.length, size));
    this.#done(index, key, type, changed, deadlineMs);
  }

  #write(entry: number, value: Buffer, from: number): void {
    const { arena } = this.keyspace;
    const bytes = arena.edit(entry, entryUnits(arena, entry));
    value.copy(bytes, valueAt(arena, entry) + from, from);
  }

  setDeadline(index: number, key: string, deadlineMs: number): void {
    const entry = this.find(index, key);
    if (entry === 0) return;
    this.database(index).setDeadline(entry, deadlineMs);
    const { type, value } = this.#get(index, key);
    this.#done(index, key, type, value, deadlineMs);
  }

  remove(index: number, key: string): void {
    const entry = this.find(index, key);
    if (entry === 0) return;
    this.database(index).remove(entry);
    this.maps[index]?.delete(key);
    this.keyspace.advanceRevision();
  }

  /** RENAME and MOVE (`moves`) or COPY to another key, perhaps of another database. */
  transfer(index: number, key: string, toIndex: number, toKey: string, moves: boolean): void {
    if (index === toIndex && key === toKey) return;
    const source = this.find(index, key);
    if (source === 0) return;
    const from = this.place(index, key);
    const to = this.place(toIndex, toKey);
    const target = this.find(toIndex, toKey);
    const { type, value, deadlineMs } = this.#get(index, key);
    if (moves) moveValue(source, from, to, target);
    else copyValue(source, to, target);
    if (moves) this.maps[index]?.delete(key);
    this.#done(toIndex, toKey, type, value, deadlineMs);
  }

  swap(one: number, other: number): void {
    if (one === other) return;
    this.keyspace.swap(one, other);
    const map = this.maps[one] as Map<string, ModelEntry>;
    this.maps[one] = this.maps[other] as Map<string, ModelEntry>;
    this.maps[other] = map;
    const definitions = this.definitions[one] as Map<string, string>;
    this.definitions[one] = this.definitions[other] as Map<string, string>;
    this.definitions[other] = definitions;
    this.keyspace.advanceRevision();
  }

  define(index: number, name: string, text: string): void {
    this.keyspace.setDefinition(this.database(index), name, text);
    this.definitions[index]?.set(name, text);
    this.keyspace.advanceRevision();
  }

  undefine(index: number, name: string): void {
    const wasThere = this.definitions[index]?.delete(name) as boolean;
    expect(this.keyspace.deleteDefinition(this.database(index), name)).toBe(wasThere);
  }

  flush(index: number): void {
    this.keyspace.flush(index);
    this.maps[index]?.clear();
    this.keyspace.advanceRevision();
  }

  flushAll(): void {
    this.keyspace.flushAll();
    for (const map of this.maps) map.clear();
    this.keyspace.advanceRevision();
  }

  /** Takes all that the other one has, which was made with the same seed and is not used any more. */
  exchange(other: KeyspaceModel): void {
    const revision = Math.max(this.keyspace.nextRevision, other.keyspace.nextRevision);
    this.keyspace.setNextRevision(revision);
    this.keyspace.exchange(other.keyspace.contents);
    this.keyspace.advanceRevision();
    this.keyspace.nowMs = Math.max(this.keyspace.nowMs, other.keyspace.nowMs);
    this.maps.forEach((map, index) => {
      map.clear();
      for (const [key, entry] of other.maps[index] ?? []) map.set(key, entry);
    });
    this.definitions.forEach((definitions, index) => {
      definitions.clear();
      for (const [name, text] of other.definitions[index] ?? []) definitions.set(name, text);
    });
  }

  /** Expiry on time, in slices of so many blocks of the wheel. */
  expireDue(budget = Number.POSITIVE_INFINITY): boolean {
    return this.keyspace.expireDue(() => --budget < 0);
  }

  reap(): void {
    while (!this.keyspace.reapSlice());
  }

  /** What an image taken now holds: everything but what is over. */
  stored(): StoredEntries {
    const entries: StoredEntries = new Map();
    this.maps.forEach((map, database) => {
      for (const [key, { type, value, deadlineMs, version }] of map) {
        if (deadlineMs !== 0 && deadlineMs <= this.keyspace.nowMs) continue;
        const kept = { type: type === STRING ? "string" : "json", value, deadlineMs, version };
        entries.set(`${database} ${key}`, kept);
      }
    });
    this.definitions.forEach((definitions, database) => {
      for (const [name, text] of definitions) {
        const kept = { type: "index", value: Buffer.from(text), deadlineMs: 0, version: 0 };
        entries.set(`${database} index ${name}`, kept);
      }
    });
    return entries;
  }

  // ---- comparing ----

  requireSame(): void {
    this.maps.forEach((map, index) => {
      this.#requireDatabase(map, this.database(index));
      const definitions = [...(this.definitions[index] as Map<string, string>)];
      const inOrder = definitions.sort(([one], [other]) => (one < other ? -1 : 1));
      expect([...this.keyspace.definitionsOf(this.database(index))]).toEqual(inOrder);
    });
    const { arena, databases } = this.keyspace;
    const units = databases.reduce((sum, database) => sum + database.usedUnits, 0);
    const shared = arena.doubles[0]?.[D_SHARED] as number;
    expect(arena.usedBytes).toBe((units + shared) * UNIT_BYTES);
    this.audit.check();
  }

  #requireDatabase(map: ReadonlyMap<string, ModelEntry>, database: Database): void {
    const { arena, nowMs } = this.keyspace;
    expect(database.size).toBe(map.size);
    const expiring = [...map.values()].filter((entry) => entry.deadlineMs !== 0);
    expect(database.expires).toBe(expiring.length);
    const sumMs = expiring.reduce((sum, entry) => sum + entry.deadlineMs, 0);
    const meanMs = expiring.length === 0 ? 0 : sumMs / expiring.length;
    // The sum is a double, so it is rounded again and again.
    expect(Math.abs(database.deadlines.meanMs - meanMs)).toBeLessThanOrEqual(meanMs * 1e-12);
    let seen = 0;
    eachEntry(database, (entry) => {
      seen++;
      const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as unknown as Buffer;
      const at = keyAt(arena, entry);
      const expected = map.get(bytes.toString("latin1", at, at + keySize(arena, entry)));
      const from = valueAt(arena, entry);
      const value = bytes.subarray(from, from + valueWord(arena, entry));
      if (expected === undefined || !expected.value.equals(value)) throw new Error("wrong value");
      if (deadlineOf(arena, entry) !== expected.deadlineMs) throw new Error("wrong deadline");
      if (versionOf(arena, entry) !== expected.version) throw new Error("wrong version");
      if (typeOf(arena, entry) !== expected.type) throw new Error("wrong type");
    });
    const over = expiring.filter((entry) => entry.deadlineMs <= nowMs);
    expect(seen).toBe(map.size - over.length);
  }

  /** Reminders in the wheel of a database, useless ones included. */
  reminders(index: number): number {
    const { arena, wheel } = this.keyspace;
    const address = arena.ints[0]?.[(this.database(index).record << 1) + 5] as number;
    return address === 0 ? 0 : wheel.items(address);
  }
}
