/**
 * Streams against a naive model: entries, ranges both ways, deletions, trimming, groups with what is pending; what memory is
 * counted is what walking the blocks gives, and all of it is freed in the end.
 */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/platform/random.ts";
import type { Database } from "../../../src/store/database.ts";
import { ElementPart } from "../../../src/store/element-part.ts";
import { kindOf, valueWord } from "../../../src/store/entry.ts";
import { findAt, type KeyPlace } from "../../../src/store/key-place.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { StreamCursor } from "../../../src/store/stream-cursor.ts";
import { UNKNOWN } from "../../../src/store/stream-groups.ts";
import { compareIds, StreamId } from "../../../src/store/stream-id.ts";
import { STREAM_KIND, type Streams } from "../../../src/store/streams.ts";
import { unitsOf } from "../../../src/store/structure.ts";
import { copyValue } from "../../../src/store/value-copy.ts";
import { PageAudit } from "../../suites/page-audit.ts";
import { seeds } from "../../suites/seeds.ts";

interface ModelEntry {
  readonly id: StreamId;
  readonly words: readonly string[];
}

interface ModelPending {
  readonly id: StreamId;
  readonly consumer: string;
  readonly deliveredMs: number;
  readonly count: number;
}

function id(ms: number, seq: number): StreamId {
  return new StreamId().setNumbers(ms, seq);
}

class Model {
  readonly keyspace: Keyspace;
  readonly audit: PageAudit;
  readonly streams: Streams;
  readonly place: KeyPlace;
  readonly random: Random;
  readonly startBytes: number;
  entries: ModelEntry[] = [];
  readonly last = new StreamId();
  readonly groups = new Map<string, Map<string, ModelPending>>();
  readonly consumers = new Map<string, Set<string>>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const options = { databases: 2, hashKey: [1, 2] as const, random: this.random, nowMs: 1000 };
    this.keyspace = new Keyspace(options);
    this.audit = new PageAudit(this.keyspace.arena);
    this.streams = this.keyspace.collections.streams;
    this.startBytes = this.keyspace.arena.usedBytes;
    this.place = this.at("stream", 0);
    this.streams.create(this.database, this.place.bytes, 0, this.find(0));
  }

  at(key: string, database: number): KeyPlace {
    const bytes = Buffer.from(key);
    const place = this.keyspace.databases[database] as Database;
    return { database: place, bytes, start: 0, end: bytes.length };
  }

  /** Misses the key; answers its end. */
  find(expected: number): number {
    expect(findAt(this.place)).toBe(expected);
    return this.place.end;
  }

  get database(): Database {
    return this.place.database;
  }

  get root(): number {
    return valueWord(this.keyspace.arena, findAt(this.place));
  }

  change<T>(work: (root: number) => T): T {
    const entry = findAt(this.place);
    const root = valueWord(this.keyspace.arena, entry);
    this.streams.begin(this.database);
    const result = work(root);
    this.streams.end(this.database, entry, root);
    return result;
  }

  append(words: readonly string[]): void {
    const steps = [
      [0, 1],
      [1, 0],
      [2 ** 33, 5],
      [3, 2 ** 40],
    ] as const;
    const [ms, seq] = steps[
      this.random.below(30) === 0 ? this.random.below(4) : this.random.below(2)
    ] as readonly [number, number];
    const next = new StreamId().copy(this.last);
    if (ms > 0) {
      const number = Number(next.toString().split("-")[0]);
      next.setNumbers(number + ms, seq);
    } else for (let i = 0; i < seq; i++) next.increment();
    this.last.copy(next);
    const buffer = Buffer.from(words.join(""));
    const start: number[] = [];
    const end: number[] = [];
    let at = 0;
    for (const word of words) {
      start.push(at);
      at += Buffer.byteLength(word);
      end.push(at);
    }
    this.change((root) => {
      this.streams.append(root, next, { buffer, start, end }, 0, words.length / 2);
    });
    this.entries.push({ id: next, words });
  }

  someId(): StreamId {
    const entry = this.entries[this.random.below(Math.max(this.entries.length, 1))];
    const some = new StreamId().copy(entry?.id ?? id(this.random.below(100), 0));
    const change = this.random.below(4);
    if (change === 0) some.increment();
    if (change === 1) some.decrement();
    return some;
  }

  delete(wanted: StreamId): void {
    const index = this.entries.findIndex((entry) => compareIds(entry.id, wanted) === 0);
    expect(this.change((root) => this.streams.delete(root, wanted))).toBe(index >= 0);
    if (index >= 0) this.entries.splice(index, 1);
  }

  trim(): void {
    const isByLength = this.random.below(2) === 0;
    const length = isByLength ? Math.max(0, this.entries.length - this.random.below(150)) : -1;
    const leastId = this.someId();
    const isApproximate = this.random.below(2) === 0;
    const kept = isByLength
      ? this.entries.slice(Math.max(0, this.entries.length - length))
      : this.entries.filter((entry) => compareIds(entry.id, leastId) >= 0);
    const options = { length, leastId, isApproximate, limit: 0 };
    const deleted = this.change((root) => this.streams.trim(root, options));
    const most = this.entries.length - kept.length;
    if (!isApproximate) expect(deleted).toBe(most);
    expect(deleted).toBeLessThanOrEqual(most);
    this.entries = this.entries.slice(deleted);
  }

  // ---- groups ----

  groupStep(): void {
    const name = `g${this.random.below(4)}`;
    const consumer = `c${this.random.below(40)}`;
    const { groups } = this.streams;
    const bytes = Buffer.from(name);
    const group = groups.names.find(this.root, bytes, 0, bytes.length);
    const model = this.groups.get(name);
    expect(group !== 0).toBe(model !== undefined);
    if (model === undefined) {
      const created = this.change((root) => groups.create(root, bytes, 0, bytes.length, id(1, 2)));
      expect(groups.entriesRead(created)).toBe(UNKNOWN);
      this.groups.set(name, new Map());
      this.consumers.set(name, new Set());
      return;
    }
    const kind = this.random.below(40);
    const consumerBytes = Buffer.from(consumer);
    const names = this.consumers.get(name) as Set<string>;
    const find = () => groups.consumers.find(group, consumerBytes, 0, consumerBytes.length);
    expect(find() !== 0).toBe(names.has(consumer));
    if (kind === 0 && this.random.below(5) === 0) {
      this.change((root) => groups.destroy(root, group));
      this.groups.delete(name);
    } else if (kind === 1 && names.has(consumer)) {
      this.change(() => groups.deleteConsumer(group, find()));
      names.delete(consumer);
      for (const [key, pending] of model) if (pending.consumer === consumer) model.delete(key);
    } else if (kind < 25) {
      const some = this.someId();
      const deliveredMs = this.random.below(1000) + 0.5;
      const count = 2 ** 40 + this.random.below(9);
      this.change(() => {
        const owner =
          find() || groups.createConsumer(group, consumerBytes, 0, consumerBytes.length, 7);
        groups.assign(group, owner, some, deliveredMs, count);
      });
      names.add(consumer);
      model.set(some.toString(), { id: some, consumer, deliveredMs, count });
    } else {
      const some = this.someId();
      const is = this.change(() => groups.acknowledge(group, some));
      expect(is).toBe(model.delete(some.toString()));
    }
  }

  // ---- comparing ----

  show(from: StreamId, to: StreamId, isReverse: boolean): string[] {
    const cursor = new StreamCursor(this.streams);
    const lines: string[] = [];
    cursor.begin(this.root, from, to, isReverse);
    while (cursor.next()) {
      cursor.open();
      lines.push(entryLine(cursor));
    }
    return lines;
  }

  check(): void {
    const { arena } = this.keyspace;
    const from = this.random.below(2) === 0 ? this.someId() : new StreamId();
    const to = this.random.below(2) === 0 ? this.someId() : new StreamId().setGreatest();
    const expected = this.entries
      .filter((entry) => compareIds(entry.id, from) >= 0 && compareIds(entry.id, to) <= 0)
      .map((entry) => [entry.id, ...entry.words].join(" "));
    expect(this.show(from, to, false)).toEqual(expected);
    expect(new StreamCursor(this.streams).count(this.root, from, to, 1e9)).toBe(expected.length);
    expect(new StreamCursor(this.streams).count(this.root, from, to, 5)).toBe(
      Math.min(5, expected.length),
    );
    expect(this.show(from, to, true)).toEqual(expected.reverse());
    expect(this.streams.length(this.root)).toBe(this.entries.length);
    const first = this.streams.readFirstId(this.root, new StreamId());
    expect(first.toString()).toBe(String(this.entries[0]?.id ?? "0-0"));
    const elements = elementsOf(this.keyspace, findAt(this.place));
    for (const [name, model] of this.groups) this.#checkGroup(name, model);
    expect(unitsOf(arena, this.root)).toBe(this.streams.countUnits(this.root));
    this.#checkCopy(elements);
    this.audit.check();
  }

  #checkGroup(name: string, model: Map<string, ModelPending>): void {
    const { groups } = this.streams;
    const bytes = Buffer.from(name);
    const group = groups.names.find(this.root, bytes, 0, bytes.length);
    expect(groups.pendingCount(group)).toBe(model.size);
    for (const pending of model.values()) {
      expect(groups.findPending(group, pending.id)).toBe(true);
      expect([groups.deliveredMs, groups.deliveryCount]).toEqual([
        pending.deliveredMs,
        pending.count,
      ]);
    }
    const names = [...(this.consumers.get(name) as Set<string>)];
    expect(groups.consumers.count(group)).toBe(names.length);
    for (const consumer of names) {
      const consumerBytes = Buffer.from(consumer);
      const block = groups.consumers.find(group, consumerBytes, 0, consumerBytes.length);
      const own = [...model.values()].filter((pending) => pending.consumer === consumer);
      expect(groups.pendingCount(block)).toBe(own.length);
    }
  }

  /** The stream leaves the engine and comes in again, in parts. */
  #checkCopy(elements: string): void {
    const copy = this.at("copy", 1);
    copyValue(findAt(this.place), copy, findAt(copy));
    const entry = findAt(copy);
    expect(kindOf(this.keyspace.arena, entry)).toBe(STREAM_KIND);
    expect(elementsOf(this.keyspace, entry)).toBe(elements);
    const root = valueWord(this.keyspace.arena, entry);
    expect(unitsOf(this.keyspace.arena, root)).toBe(this.streams.countUnits(root));
    copy.database.remove(entry);
    while (!this.keyspace.reapSlice());
  }
}

function entryLine({ entry }: StreamCursor): string {
  const words = [entry.id.toString()];
  const { bytes } = entry;
  const text = (at: number) => bytes.toString("latin1", at + 1, at + 1 + (bytes[at] as number));
  for (let left = entry.fieldCount; left > 0; left--) {
    words.push(text(entry.fieldAt), text(entry.valueAt));
    if (left > 1) entry.nextPair();
  }
  return words.join(" ");
}

function elementsOf(keyspace: Keyspace, entry: number): string {
  const part = new ElementPart();
  part.beginValue();
  let text = "";
  for (let isLast = false; !isLast; ) {
    part.beginPart();
    isLast = keyspace.collections.streams.writePart(entry, part);
    text += part.run.toString("latin1", part.start, part.end);
  }
  return text;
}

describe.each(seeds(3))("seed %d", (seed) => {
  test.each([
    { entries: 100, bytes: 4096, steps: 4000 },
    { entries: 3, bytes: 0, steps: 3000 },
    { entries: 0, bytes: 200, steps: 3000 },
  ])("nodes of $entries entries, $bytes bytes", ({ entries, bytes, steps }) => {
    const model = new Model(seed);
    const { random } = model;
    model.streams; // made before the limits change
    model.keyspace.collections.limits.streamNodeEntries = entries;
    model.keyspace.collections.limits.streamNodeBytes = bytes;
    for (let step = 0; step < steps; step++) {
      const kind = random.below(20);
      if (kind < 11) model.append(words(random));
      else if (kind < 14) model.delete(model.someId());
      else if (kind < 19) model.groupStep();
      else if (random.below(20) === 0) model.trim();
      if (step % 250 === 249) model.check();
    }
    expect(model.entries.length).toBeGreaterThan(20);
    model.database.remove(findAt(model.place));
    while (!model.keyspace.reapSlice());
    // The table of the other database has grown by the copies and stays.
    expect(model.keyspace.databases[0]?.usedUnits ?? -1).toBeLessThanOrEqual(20);
    model.keyspace.flush(0);
    model.keyspace.flush(1);
    while (!model.keyspace.reapSlice());
    expect(model.keyspace.arena.usedBytes).toBe(model.startBytes);
    model.audit.check();
  });
});

function words(random: Random): string[] {
  if (random.below(3) > 0) return ["temperature", String(random.below(100)), "unit", "C"];
  const count = 2 * (1 + random.below(3));
  return Array.from({ length: count }, () => "x".repeat(random.below(60)));
}
