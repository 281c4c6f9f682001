/** Entries of a checkpoint on their way to VALUE.IMPORT: whatever their parts, the value is the same. */
import { expect, test } from "bun:test";
import type { StoredEntry } from "../../../src/plugin.ts";
import type { TransferEntry } from "../../../src/transfer/entry.ts";
import { type Arrival, StoredEntries } from "../../../src/transfer/stored-entries.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

function copyOf(entry: Readonly<StoredEntry>): StoredEntry {
  const key = Buffer.from(
    entry.keyBytes.toString("latin1", entry.keyStart, entry.keyEnd),
    "latin1",
  );
  const value = Buffer.alloc(entry.valueEnd - entry.valueStart);
  entry.valueBytes.copy(value, 0, entry.valueStart, entry.valueEnd);
  const keySpan = { keyBytes: key, keyStart: 0, keyEnd: key.length };
  return { ...entry, ...keySpan, valueBytes: value, valueStart: 0, valueEnd: value.length };
}

function arrivals(db: EngineHarness, prefix = ""): Arrival[] {
  const entries = new StoredEntries(Buffer.from(prefix));
  const reader = db.engine.readEntries();
  const found: Arrival[] = [];
  while (reader.next()) {
    const entry = copyOf(reader.entry);
    const arrival = entries.take(entry);
    // What was handed in may be written over from now on.
    (entry.valueBytes as Buffer).fill(0xee);
    (entry.keyBytes as Buffer).fill(0xee);
    if (arrival !== undefined) found.push(arrival);
  }
  return found;
}

const keysOf = (found: readonly Arrival[]): readonly TransferEntry[] =>
  found.flatMap((one) => (one.kind === "key" ? [one.entry] : []));

function imported(found: readonly Arrival[]): EngineHarness {
  const db = new EngineHarness(RARELY);
  for (const { key, kind, deadlineMs, value } of keysOf(found)) {
    expect(db.run("VALUE.IMPORT", key, kind, deadlineMs, value)).toBe(1);
  }
  return db;
}

/** Audits of all pages: there are many commands, and other tests have them after each. */
const RARELY = { auditEvery: 100 };

const texts = (count: number) => Array.from({ length: count }, (_, i) => `element ${i}`);

test("every type comes as it was, short and in parts", () => {
  const db = new EngineHarness(RARELY);
  db.run("SET", "text", Buffer.from("\x00\xff", "latin1"));
  db.run("VALUE.SET", "doc", '{"a":1.50}');
  db.run("RPUSH", "list", "a", "", "b");
  db.run("RPUSH", "long list", ...texts(8000));
  db.run("SADD", "set", ...texts(8000));
  db.run("ZADD", "zset", ...texts(8000).flatMap((text, i) => [String(i / 7), text]));
  db.run("ZADD", "ends", "-inf", "a", "inf", "b");
  db.run("HSET", "hash", ...texts(8000).flatMap((text) => [text, "v"]));
  db.run("HSET", "timed", ...texts(8000).flatMap((text) => [text, "v"]));
  db.run("HPEXPIREAT", "timed", 1_900_000_000_000, "FIELDS", 2, "element 5", "element 7900");
  for (let i = 1; i < 300; i++) db.run("XADD", "stream", `${i}-1`, "f", `${i}`.repeat(200));
  db.run("XGROUP", "CREATE", "stream", "g", "0");
  db.run("XREADGROUP", "GROUP", "g", "me", "COUNT", 20, "STREAMS", "stream", ">");
  db.run("PEXPIREAT", "list", 1_900_000_000_000);
  const other = imported(arrivals(db));
  expect(other.run("DEBUG", "DIGEST")).toEqual(db.run("DEBUG", "DIGEST"));
  for (const words of [
    ["XINFO", "STREAM", "stream", "FULL"],
    ["HPEXPIRETIME", "timed", "FIELDS", 3, "element 5", "element 6", "element 7900"],
    ["PEXPIRETIME", "list"],
    ["TYPE", "doc"],
  ]) {
    expect(other.run(...(words as [string]))).toEqual(db.run(...(words as [string])));
  }
});

test("a prefix stands before keys; definitions of indexes come with their database", () => {
  const db = new EngineHarness(RARELY);
  db.run("SET", "a", "1");
  db.run("SELECT", 2);
  db.run("RPUSH", "b", "1");
  const found = arrivals(db, "p:");
  expect(keysOf(found).map(({ key }) => String(key))).toEqual(["p:a", "p:b"]);
  expect(found.map(({ database }) => database)).toEqual([0, 2]);
  const bytes = Buffer.from('by{"use":"hash"}');
  const definition: StoredEntry = {
    ...{ database: 1, type: "index", keyBytes: bytes, keyStart: 0, keyEnd: 2 },
    ...{ valueBytes: bytes, valueStart: 2, valueEnd: bytes.length },
    ...{ deadlineMs: 0, version: 0, isTimed: false, isContinued: false },
  };
  expect(new StoredEntries(Buffer.from("p:")).take(definition)).toEqual({
    ...{ kind: "index", database: 1, name: "by", definition: '{"use":"hash"}' },
  });
});

test("elements that are none are a problem of their key", () => {
  const bytes = Buffer.from("k\xfe\x01", "latin1");
  const broken: StoredEntry = {
    ...{ database: 0, type: "list", keyBytes: bytes, keyStart: 0, keyEnd: 1 },
    ...{ valueBytes: bytes, valueStart: 1, valueEnd: 3 },
    ...{ deadlineMs: 0, version: 0, isTimed: false, isContinued: false },
  };
  const arrival = new StoredEntries(Buffer.alloc(0)).take(broken);
  expect(arrival).toMatchObject({ kind: "problem", database: 0, key: Buffer.from("k") });
});
