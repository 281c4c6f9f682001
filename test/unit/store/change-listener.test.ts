/**
 * Who listens to changes is told of every key that changes: against what the keys hold before and after each of many
 * generated commands, with time passing; and of whole databases that go or are exchanged.
 */
import { describe, expect, test } from "bun:test";
import type { ReadonlyBytes } from "../../../src/store/arena.ts";
import type { ChangeListener } from "../../../src/store/change-listener.ts";
import type { Database } from "../../../src/store/database.ts";
import { hashBytes } from "../../../src/store/hash.ts";
import { toBytes } from "../../oracle/byte-text.ts";
import { documents } from "../../oracle/generate/documents.ts";
import { GROUPS, sequence } from "../../oracle/generate/sequence.ts";
import { Random } from "../../oracle/random.ts";
import { commandsOf } from "../../oracle/step.ts";
import { type Argument, EngineHarness } from "../../suites/engine-harness.ts";
import { seeds } from "../../suites/seeds.ts";

/** What was told since the last `take`, each thing once: `database key`, in the order it came. */
class Told implements ChangeListener {
  readonly #hashKey: readonly [number, number];
  #lines = new Set<string>();

  constructor({ keyspace }: EngineHarness["engine"]) {
    this.#hashKey = [keyspace.hashKey0, keyspace.hashKey1];
  }

  keyTouched(
    database: Database,
    hash: number,
    bytes: ReadonlyBytes,
    start: number,
    end: number,
  ): void {
    expect(hash).toBe(hashBytes(...this.#hashKey, bytes, start, end));
    this.#lines.add(`${database.index} ${bytes.toString("latin1", start, end)}`);
  }
  databaseFlushed(database: Database): void {
    this.#lines.add(`flushed ${database.index} of ${database.size}`);
  }
  databasesSwapped(a: Database, b: Database): void {
    this.#lines.add(`swapped ${a.index} ${b.index}`);
  }

  take(): string[] {
    const lines = [...this.#lines];
    this.#lines.clear();
    return lines;
  }
}

function setUp(databases = 4) {
  const db = new EngineHarness({ databases, auditEvery: 0 });
  const told = new Told(db.engine);
  const stop = db.engine.keyspace.listenToChanges(told);
  return { db, told, stop };
}

/** The keys of all databases, each with its value and its deadline as texts. */
function contentOf(db: EngineHarness): Map<string, string> {
  const session = db.connect();
  const content = new Map<string, string>();
  const all: [number, string][] = db.engine.keyspace.databases.flatMap(({ index }) => {
    db.runIn(session, "SELECT", index);
    const keys = db.runIn(session, "KEYS", "*") as (string | Buffer)[];
    return keys.map((key): [number, string] => [index, Buffer.from(key).toString("latin1")]);
  });
  for (const [index, key] of all) {
    db.runIn(session, "SELECT", index);
    const bytes = toBytes(key);
    const value = db.runIn(session, "DUMP", bytes);
    const text = value === null ? "none" : Buffer.from(value as string | Buffer).toString("base64");
    const deadline = db.runIn(session, "PEXPIRETIME", bytes);
    content.set(`${index} ${key}`, `${text} ${deadline}`);
  }
  db.engine.disconnect(session);
  return content;
}

/** Keys that differ and that nobody has told of. */
function untold(before: Map<string, string>, after: Map<string, string>, told: string[]): string[] {
  const isWhole = (database: string) =>
    told.some((line) =>
      new RegExp(`^(flushed ${database} |swapped .*\\b${database}\\b)`).test(line),
    );
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => {
    if (before.get(key) === after.get(key) || told.includes(key)) return false;
    return !isWhole(key.split(" ")[0] as string);
  });
}

const DATA_GROUPS = [
  ...GROUPS.filter(({ name }) => !/^(connection|unknown)$/.test(name)),
  documents,
];

test.each(seeds(3))("no change goes untold, whatever makes it: seed %d", (seed) => {
  let changed = 0;
  for (let round = 0; round < 60; round++) {
    const { db, told } = setUp();
    const random = new Random(seed * 1000 + round);
    let before = contentOf(db);
    const steps = sequence(seed * 1000 + round, 40, DATA_GROUPS).flatMap(commandsOf);
    for (const { words } of steps.filter(({ wire, words }) => !wire && words.length > 0)) {
      db.run(...words.map(toBytes));
      const draw = random.integer(0, 29);
      if (draw < 10) db.advance(draw === 0 ? 2_000_000 : draw);
      const after = contentOf(db);
      const lines = told.take();
      changed += lines.length;
      expect([words, untold(before, after, lines)]).toEqual([words, []]);
      before = after;
    }
  }
  expect(changed).toBeGreaterThan(500);
});

describe("each way a key changes is told", () => {
  const after = (setup: readonly Argument[][], ...command: Argument[]) => {
    const { db, told } = setUp();
    for (const words of setup) expect(db.run(...words)).not.toHaveProperty("error");
    told.take();
    expect(db.run(...command)).not.toHaveProperty("error");
    return told.take();
  };

  test("a value of the same length, which changes no shape", () => {
    expect(after([["SET", "k", "1"]], "SET", "k", "2")).toEqual(["0 k"]);
    expect(after([["SET", "k", "1"]], "INCR", "k")).toEqual(["0 k"]);
  });

  test("both keys of those that move a value, in the databases where they are", () => {
    expect(after([["SET", "k", "1"]], "RENAME", "k", "n").sort()).toEqual(["0 k", "0 n"]);
    expect(after([["SADD", "k", "1", "a"]], "MOVE", "k", 2).sort()).toEqual(["0 k", "2 k"]);
    expect(after([["SET", "k", "1"]], "COPY", "k", "n", "DB", 1)).toEqual(["1 n"]);
  });

  test("a deadline that comes, and that goes", () => {
    expect(after([["SET", "k", "1"]], "EXPIRE", "k", 10)).toEqual(["0 k"]);
    expect(after([["SET", "k", "1", "EX", 10]], "PERSIST", "k")).toEqual(["0 k"]);
  });

  test("a database that is emptied, while it still has its keys; all of them", () => {
    expect(after([["SET", "k", "1"]], "FLUSHDB")).toEqual(["flushed 0 of 1"]);
    expect(after([["SET", "k", "1"]], "FLUSHALL")).toEqual([
      ...["flushed 0 of 1", "flushed 1 of 0", "flushed 2 of 0", "flushed 3 of 0"],
    ]);
    expect(after([], "FLUSHDB")).toEqual([]);
  });

  test("two databases that are exchanged", () => {
    expect(after([["SET", "k", "1"]], "SWAPDB", 0, 2)).toEqual(["swapped 0 2"]);
  });

  test("a key that expires on time, and one that is found expired", () => {
    const { db, told } = setUp();
    db.run("SET", "onTime", "1", "PX", 10);
    told.take();
    db.advance(200);
    expect(told.take()).toEqual(["0 onTime"]);
    db.run("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    db.run("SET", "late", "1", "PX", 10);
    told.take();
    db.advance(200);
    expect(told.take()).toEqual([]);
    expect(db.run("GET", "late")).toBeNull();
    expect(told.take()).toEqual(["0 late"]);
  });

  test("a field that expires on time changes its hash", () => {
    const { db, told } = setUp();
    db.run("HSET", "h", "f", "1", "g", "2");
    db.run("HPEXPIRE", "h", 10, "FIELDS", 1, "f");
    told.take();
    db.advance(200);
    expect(told.take()).toEqual(["0 h"]);
  });
});

describe("several listen", () => {
  test("each hears, until it ends; then a change asks nobody", () => {
    const { db, told, stop } = setUp();
    const other = new Told(db.engine);
    const stopOther = db.engine.keyspace.listenToChanges(other);
    db.run("SET", "k", "1");
    expect([told.take(), other.take()]).toEqual([["0 k"], ["0 k"]]);
    stop();
    db.run("FLUSHDB");
    expect([told.take(), other.take()]).toEqual([[], ["flushed 0 of 1"]]);
    stopOther();
    expect(db.engine.keyspace.changeListener).toBeNull();
    expect(db.engine.keyspace.isObserved).toBe(false);
  });

  test("an index beside them goes on hearing when they end", () => {
    const { db, stop } = setUp();
    db.run("INDEX", "CREATE", "i", "USING", "hash", "FIELD", "a");
    stop();
    expect(db.engine.keyspace.isObserved).toBe(true);
    db.run("JSON.SET", "doc", "$", '{"a":1}');
    expect(db.run("FIND", "a = 1", "COUNT")).toBe(1);
  });
});
