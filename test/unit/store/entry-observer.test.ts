/** What an observer of a keyspace is told, change by change, and that one who refuses a document is obeyed. */
import { describe, expect, test } from "bun:test";
import { CHUNK_SHIFT, copyBytes, type ReadonlyBytes } from "../../../src/store/arena.ts";
import type { Database } from "../../../src/store/database.ts";
import {
  entryUnits,
  JSON_TEXT,
  keyAt,
  keySize,
  STRING,
  valueAt,
  valueWord,
} from "../../../src/store/entry.ts";
import type { ComingDocument, EntryObserver } from "../../../src/store/entry-observer.ts";
import { Keyspace } from "../../../src/store/keyspace.ts";
import { copyValue, moveValue } from "../../../src/store/value-copy.ts";

class Told implements EntryObserver {
  lines: string[] = [];
  refuse = "";

  documentComes({ keyBytes, keyStart, keyEnd, bytes, start, end, from }: ComingDocument): void {
    const text = latin(bytes, start, end);
    if (text === this.refuse) throw new RangeError("refused");
    const moved = from === undefined ? "" : ` from ${latin(from.bytes, from.start, from.end)}`;
    this.lines.push(`comes ${latin(keyBytes, keyStart, keyEnd)} ${text}${moved}`);
  }
  documentCame(): void {
    this.lines.push("came");
  }
  documentsCome(): void {
    this.lines.push("together");
  }
  documentGoes(database: Database, _hash: number, entry: number): void {
    this.lines.push(`goes ${keyOf(database, entry)} ${valueTextOf(database, entry)}`);
  }
  keyComes(
    _database: Database,
    _hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    this.lines.push(`key comes ${latin(bytes, start, end)}`);
  }
  keyGoes(database: Database, _hash: number, entry: number): void {
    this.lines.push(`key goes ${keyOf(database, entry)}`);
  }
  databaseEmpties(database: Database): void {
    this.lines.push(`empties ${database.index}`);
  }
  arenaEmptied(): void {
    this.lines.push("emptied");
  }
  databasesSwapped(a: Database, b: Database): void {
    this.lines.push(`swapped ${a.index} ${b.index}`);
  }
  memorize(): () => void {
    return () => {};
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

const latin = (bytes: ReadonlyBytes, start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => String.fromCharCode(bytes[start + i])).join("");

function keyOf({ arena }: Database, entry: number): string {
  const at = keyAt(arena, entry);
  return latin(arena.bytes[entry >>> CHUNK_SHIFT], at, at + keySize(arena, entry));
}

function valueTextOf({ arena }: Database, entry: number): string {
  const at = valueAt(arena, entry);
  return latin(arena.bytes[entry >>> CHUNK_SHIFT], at, at + valueWord(arena, entry));
}

function setUp() {
  const keyspace = new Keyspace({
    databases: 2,
    hashKey: [1, 2],
    random: { below: () => 0 },
    nowMs: 1000,
  });
  const told = new Told();
  keyspace.entryObserver = told;
  const [database, other] = keyspace.databases as [Database, Database];
  const put = (key: string, kind: number, value: string, deadlineMs = 0) => {
    const bytes = Buffer.from(key);
    const found = database.find(bytes, 0, bytes.length);
    const entry = database.put(found, bytes, 0, bytes.length, kind, value.length, deadlineMs);
    const { arena } = database;
    const target = arena.edit(entry, entryUnits(arena, entry));
    copyBytes(Buffer.from(value), 0, target, database.valueStart, value.length);
    return entry;
  };
  const find = (key: string, where = database) =>
    where.find(Buffer.from(key), 0, Buffer.byteLength(key));
  const place = (key: string, where = database) => {
    const bytes = Buffer.from(key);
    return { database: where, bytes, start: 0, end: bytes.length };
  };
  return { keyspace, told, database, other, put, find, place };
}

describe("an observer", () => {
  test("is told of keys that come and go, and not of their values", () => {
    const { told, database, put, find } = setUp();
    put("k", STRING, "one");
    put("k", STRING, "three");
    expect(told.take()).toEqual(["key comes k"]);
    database.remove(find("k"));
    expect(told.take()).toEqual(["key goes k"]);
  });

  test("is told of a document that another value replaces, whatever its length", () => {
    const { told, put } = setUp();
    put("k", JSON_TEXT, "[1]");
    told.take();
    put("k", STRING, "abc");
    expect(told.take()).toEqual(["goes k [1]"]);
    put("k", JSON_TEXT, "[2]");
    put("k", STRING, "a longer string than that");
    expect(told.take()).toEqual(["goes k [2]"]);
  });

  test("is told of a document that is removed, or expires", () => {
    const { told, database, keyspace, put, find } = setUp();
    put("k", JSON_TEXT, "[1]");
    put("t", JSON_TEXT, "[2]", 2000);
    told.take();
    database.remove(find("k"));
    expect(told.take()).toEqual(["goes k [1]", "key goes k"]);
    keyspace.nowMs = 3000;
    expect(find("t")).toBe(0);
    expect(told.take()).toEqual(["goes t [2]", "key goes t"]);
  });

  test("hears of copies and moves of documents before they are made", () => {
    const { told, other, put, find, place } = setUp();
    put("a", JSON_TEXT, "[1]");
    told.take();
    copyValue(find("a"), place("b"), find("b"));
    expect(told.take()).toEqual(["comes b [1]", "key comes b", "came"]);
    const source = find("a");
    moveValue(source, place("a"), place("c", other), find("c", other));
    expect(told.take()).toEqual([
      "comes c [1] from a",
      "key comes c",
      "came",
      "goes a [1]",
      "key goes a",
    ]);
  });

  test("may refuse a copy, and nothing is changed", () => {
    const { told, keyspace, database, put, find, place } = setUp();
    put("a", JSON_TEXT, "[1]");
    put("b", STRING, "old");
    told.take();
    const { changes } = keyspace;
    told.refuse = "[1]";
    expect(() => copyValue(find("a"), place("b"), find("b"))).toThrow("refused");
    expect(valueTextOf(database, find("b"))).toBe("old");
    expect(keyspace.changes).toBe(changes);
    expect(told.take()).toEqual([]);
  });

  test("is told of what happens to whole databases", () => {
    const { told, keyspace, put } = setUp();
    put("k", STRING, "v");
    told.take();
    keyspace.swap(0, 1);
    keyspace.flush(1);
    keyspace.flush(0);
    keyspace.flushAll();
    expect(told.take()).toEqual(["swapped 0 1", "empties 1", "emptied"]);
  });
});
