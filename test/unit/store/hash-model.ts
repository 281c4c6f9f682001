/**
 * Hashes beside naive ones (a Map of Maps): each change is done on both sides, what expires must be over in the model, and
 * `requireSame` compares everything, the memory that structures say they take included.
 */
import { expect } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import { CHUNK_SHIFT, roundUnits, UNIT_BYTES } from "../../../src/store/arena.ts";
import type { Database } from "../../../src/store/database.ts";
import { I_WHEEL } from "../../../src/store/database-record.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { hasStructure, keyAt, keySize, kindOf, valueWord } from "../../../src/store/entry.ts";
import { HashField } from "../../../src/store/hash-field.ts";
import type { Hashes } from "../../../src/store/hashes.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { unitsOf } from "../../../src/store/structure.ts";
import { copyValue, moveValue } from "../../../src/store/value-copy.ts";
import { PageAudit } from "../../suites/page-audit.ts";

export interface ModelField {
  value: string;
  deadlineMs: number;
}

/** Superblock double: units of what belongs to no database (graves.ts). */
const D_SHARED = 10;

export class HashModel {
  readonly random: Random;
  readonly keyspace: Keyspace;
  readonly database: Database;
  readonly hashes: Hashes;
  readonly audit: PageAudit;
  readonly startBytes: number;
  readonly map = new Map<string, Map<string, ModelField>>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const nowMs = Date.UTC(2026, 0, 1);
    const hashKey: [number, number] = [seed, ~seed];
    this.keyspace = new Keyspace({ databases: 2, hashKey, random: this.random, nowMs });
    this.database = this.keyspace.databases[0] as Database;
    this.hashes = this.keyspace.collections.hashes;
    this.audit = new PageAudit(this.keyspace.arena);
    this.startBytes = this.keyspace.arena.usedBytes;
    this.keyspace.onFieldExpired = (_database, entry, bytes, start, end) => {
      const field = bytes.toString("latin1", start, end);
      this.#noteExpired(this.keyOf(entry), field);
    };
  }

  keyOf(entry: number): string {
    const { arena } = this.keyspace;
    const at = keyAt(arena, entry);
    const bytes = arena.bytes[entry >>> CHUNK_SHIFT] as Buffer;
    return bytes.toString("latin1", at, at + keySize(arena, entry));
  }

  #noteExpired(key: string, field: string): void {
    const deadlineMs = this.map.get(key)?.get(field)?.deadlineMs ?? 0;
    if (deadlineMs === 0 || deadlineMs > this.keyspace.nowMs) {
      throw new Error(`${key} ${field} expired, but its deadline is ${deadlineMs}`);
    }
    this.#forget(key, field);
  }

  #forget(key: string, field: string): void {
    const fields = this.map.get(key);
    fields?.delete(field);
    if (fields?.size === 0) this.map.delete(key);
  }

  /** Looks the key up as commands do. */
  find(key: string): number {
    const bytes = Buffer.from(key, "latin1");
    const entry = this.database.find(bytes, 0, bytes.length);
    return entry === 0 ? 0 : this.hashes.expireOver(this.database, entry);
  }

  #isLive(field: ModelField | undefined): boolean {
    return (
      field !== undefined && (field.deadlineMs === 0 || field.deadlineMs > this.keyspace.nowMs)
    );
  }

  set(key: string, field: string, value: string, keepsDeadline = false): void {
    const keyBytes = Buffer.from(key, "latin1");
    const name = Buffer.from(field, "latin1");
    const content = Buffer.from(value, "latin1");
    let entry = this.find(key);
    if (entry === 0) entry = this.hashes.create(this.database, keyBytes, 0, keyBytes.length);
    const old = this.map.get(key)?.get(field);
    const { length } = name;
    const size = content.length;
    this.hashes.set(this.database, entry, name, 0, length, content, 0, size, keepsDeadline);
    expect(this.hashes.wasAdded).toBe(!this.#isLive(old));
    const fields = this.map.get(key) ?? new Map<string, ModelField>();
    const deadlineMs = keepsDeadline && this.#isLive(old) ? (old?.deadlineMs ?? 0) : 0;
    fields.set(field, { value, deadlineMs });
    this.map.set(key, fields);
    this.keyspace.advanceRevision();
  }

  remove(key: string, field: string): void {
    const entry = this.find(key);
    if (entry === 0) return;
    const name = Buffer.from(field, "latin1");
    const isLive = this.#isLive(this.map.get(key)?.get(field));
    const target = this.hashes.remove(this.database, entry, name, 0, name.length);
    expect(this.hashes.wasRemoved).toBe(isLive);
    this.#forget(key, field);
    expect(target !== 0).toBe(this.map.has(key));
  }

  setDeadline(key: string, field: string, deadlineMs: number): void {
    const entry = this.find(key);
    if (entry === 0) return;
    const name = Buffer.from(field, "latin1");
    const found = this.hashes.find(this.database, entry, name, 0, name.length);
    const model = this.map.get(key)?.get(field);
    expect(found).toBe(this.#isLive(model));
    if (!found || model === undefined) return;
    this.hashes.setDeadline(this.database, entry, name, 0, name.length, deadlineMs);
    model.deadlineMs = deadlineMs;
  }

  /** RENAME or COPY. */
  transfer(key: string, toKey: string, moves: boolean): void {
    if (key === toKey || this.find(key) === 0) return;
    const to = this.#place(toKey);
    const from = this.#place(key);
    const target = this.find(toKey);
    const source = this.database.find(from.bytes, 0, from.end);
    this.database.find(to.bytes, 0, to.end);
    if (moves) moveValue(source, from, to, target);
    else copyValue(source, to, target);
    const fields = this.map.get(key) as Map<string, ModelField>;
    this.map.set(toKey, new Map([...fields].map(([name, field]) => [name, { ...field }])));
    if (moves) this.map.delete(key);
  }

  #place(key: string) {
    const bytes = Buffer.from(key, "latin1");
    return { database: this.database, bytes, start: 0, end: bytes.length };
  }

  removeKey(key: string): void {
    const entry = this.find(key);
    if (entry === 0) return;
    this.database.remove(entry);
    this.map.delete(key);
  }

  /** Expiry on time, in slices of so many blocks of the wheel. */
  expireDue(budget = Number.POSITIVE_INFINITY): boolean {
    let rest = budget;
    return this.keyspace.expireDue(() => --rest < 0);
  }

  /** Items in the wheel of the database, useless ones included. */
  reminders(): number {
    const { arena, wheel } = this.keyspace;
    const address = arena.ints[0]?.[(this.database.record << 1) + I_WHEEL] as number;
    return address === 0 ? 0 : wheel.items(address);
  }

  requireNoneLate(tickMs: number): void {
    for (const [key, fields] of this.map) {
      for (const [field, { deadlineMs }] of fields) {
        const lateMs = this.keyspace.nowMs - deadlineMs;
        if (deadlineMs !== 0 && lateMs >= tickMs) {
          throw new Error(`${key} ${field} is ${lateMs} ms late`);
        }
      }
    }
  }

  reap(): void {
    while (!this.keyspace.reapSlice());
  }

  // ---- comparing ----

  requireSame(): void {
    expect(this.database.size).toBe(this.map.size);
    const timed = [...this.map.values()].filter((fields) =>
      [...fields.values()].some(({ deadlineMs }) => deadlineMs !== 0),
    );
    expect(this.database.deadlines.timedHashes).toBe(timed.length);
    for (const [key, fields] of this.map) {
      const bytes = Buffer.from(key, "latin1");
      const entry = this.database.find(bytes, 0, bytes.length);
      this.#requireFields(entry, fields);
    }
    const { arena, databases } = this.keyspace;
    const units = databases.reduce((sum, database) => sum + database.usedUnits, 0);
    expect(arena.usedBytes).toBe((units + (arena.doubles[0]?.[D_SHARED] as number)) * UNIT_BYTES);
    this.audit.check();
  }

  #requireFields(entry: number, fields: ReadonlyMap<string, ModelField>): void {
    expect(this.hashes.count(entry)).toBe(fields.size);
    const live = [...fields].filter(([, field]) => this.#isLive(field));
    expect(this.hashes.liveCount(this.database, entry)).toBe(live.length);
    const { walk } = this.hashes;
    const seen = new Map<string, ModelField>();
    for (walk.begin(this.database, entry); walk.next(); ) {
      const { field, value, deadlineMs } = textOf(walk.field);
      seen.set(field, { value, deadlineMs });
      const name = Buffer.from(field, "latin1");
      expect(this.hashes.find(this.database, entry, name, 0, name.length)).toBe(true);
      expect(textOf(this.hashes.field)).toEqual({ field, value, deadlineMs });
    }
    expect(seen).toEqual(new Map(live));
    const first = Math.min(...[...fields.values()].map((field) => field.deadlineMs || Infinity));
    const reminder = this.hashes.reminder(entry) || Number.POSITIVE_INFINITY;
    expect(reminder).toBeLessThanOrEqual(first);
    if (first === Number.POSITIVE_INFINITY) expect(reminder).toBe(first);
  }

  /** The fields as they leave the engine. */
  written(entry: number): Map<string, ModelField> {
    const part = new ElementPart();
    const fields = new Map<string, ModelField>();
    const read = new HashField();
    part.beginValue();
    for (let isLast = false; !isLast; ) {
      part.beginPart();
      isLast = this.hashes.writePart(entry, part);
      for (let at = part.start; at < part.end; ) {
        at = read.readRun(part.run, at, part.isTimed);
        const { field, value, deadlineMs } = textOf(read);
        expect(fields.has(field)).toBe(false);
        fields.set(field, { value, deadlineMs });
      }
    }
    return fields;
  }

  /** Units of a structure as it says, and as the database's account says when it is freed. */
  requireUnits(key: string): void {
    const { arena } = this.keyspace;
    this.reap();
    const entry = this.find(key);
    if (entry === 0 || !hasStructure(kindOf(arena, entry))) return;
    const root = valueWord(arena, entry);
    const units = unitsOf(arena, root);
    const before = this.keyspace.arena.usedBytes;
    const bytes = Buffer.from(key, "latin1");
    const block = roundUnits((16 + bytes.length + 7) >>> 3);
    this.database.remove(this.database.find(bytes, 0, bytes.length));
    this.map.delete(key);
    this.reap();
    const freed = (before - this.keyspace.arena.usedBytes) / UNIT_BYTES;
    // The segment of the few keys goes with the last one, and the first one's 16 slots halve.
    expect(freed - units).toBeGreaterThanOrEqual(block);
    expect(freed - units - block).toBeLessThan(16);
  }
}

function textOf(field: HashField): { field: string; value: string; deadlineMs: number } {
  const { bytes, fieldStart, fieldEnd, valueStart, valueEnd, deadlineMs } = field;
  return {
    field: bytes.toString("latin1", fieldStart, fieldEnd),
    value: bytes.toString("latin1", valueStart, valueEnd),
    deadlineMs,
  };
}
