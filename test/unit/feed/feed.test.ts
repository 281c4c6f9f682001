/**
 * The feed in memory: where it begins and ends, what is durable, who waits, and that it keeps within its bound. What comes out
 * of the log is in log-feed.test.ts.
 */
import { describe, expect, test } from "bun:test";
import type { BatchPlace } from "../../../src/feed/log-cursor.ts";
import { PageReading } from "../../../src/feed/page-reading.ts";
import type { RecordBatch } from "../../../src/plugin.ts";
import { payloadOf, RecordWay } from "../../../src/replication/record-way.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";
import type { Value } from "../../suites/value-reply.ts";

type Page = [next: number, changes: [revision: number, ...rest: unknown[]][]];

const ask = (db: EngineHarness, ...words: (string | number)[]) =>
  db.ask("CHANGES", ...words) as Promise<Value> as Promise<Page>;
const revisions = ([, changes]: Page) => changes.map(([revision]) => revision);

const failure = (code: string) => ({ error: expect.stringMatching(new RegExp(`^${code} `)) });

/** Lets flushes, slices and replies come about. */
async function turns(db: EngineHarness, count = 6): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    db.endTurn();
  }
}

async function* noBatches(): AsyncGenerator<RecordBatch> {}

const question = (from: number) => ({ from, count: 1000, prefix: null, mayRead: null });

describe("from where", () => {
  test("$ is behind the last change, 0 is the oldest, and next leads on", async () => {
    const db = new EngineHarness();
    db.run("SET", "before", "1");
    expect(await ask(db, "FROM", "$")).toEqual([2, []]);
    db.run("SET", "a", "1");
    db.run("SET", "b", "1");
    db.run("SET", "c", "1");
    await turns(db);
    const first = await ask(db, "FROM", 2, "COUNT", 2);
    expect([first[0], revisions(first)]).toEqual([4, [2, 3]]);
    expect(revisions(await ask(db, "FROM", first[0], "COUNT", 2))).toEqual([4]);
    expect(revisions(await ask(db, "FROM", 0))).toEqual([2, 3, 4]);
    expect(await ask(db, "FROM", 5)).toEqual([5, []]);
  });

  test("what is older than is kept, and what is not there yet, are errors", async () => {
    const db = new EngineHarness();
    db.run("SET", "before", "1");
    await ask(db, "FROM", "$");
    expect(await ask(db, "FROM", 1)).toMatchObject(failure("LOGGAP"));
    expect(await ask(db, "FROM", 1)).toMatchObject({ error: expect.stringMatching(/is 2$/) });
    expect(await ask(db, "FROM", 3)).toMatchObject(failure("ERR"));
  });

  test("next passes what the filter has held back", async () => {
    const db = new EngineHarness();
    await ask(db, "FROM", "$");
    for (let i = 0; i < 10; i++) db.run("SET", `other:${i}`, i);
    await turns(db);
    expect(await ask(db, "FROM", 1, "PREFIX", "mine:")).toEqual([11, []]);
  });

  test("a transaction is in one page, however few changes were asked for", async () => {
    const db = new EngineHarness();
    await ask(db, "FROM", "$");
    db.run("MSET", "a", 1, "b", 2, "c", 3);
    db.run("SET", "d", 4);
    await turns(db);
    const page = await ask(db, "FROM", 1, "COUNT", 1);
    expect([page[0], revisions(page)]).toEqual([2, [1, 1, 1]]);
  });

  test.each([
    [["TO", 1]],
    [["FROM", "x"]],
    [["FROM", -1]],
    [["FROM", 1, "COUNT", 0]],
    [["FROM", 1, "COUNT"]],
    [["FROM", 1, "BLOCK", -1]],
    [["FROM", 1, "WHATEVER", 1]],
  ])("CHANGES %j is refused", async (words) => {
    const db = new EngineHarness();
    expect(await ask(db, ...(words as string[]))).toMatchObject(failure("ERR"));
  });
});

describe("what is durable", () => {
  test("a change is told when its sync is over, and not before", async () => {
    const db = new EngineHarness();
    await ask(db, "FROM", "$");
    db.persistence.holdsSyncs = true;
    db.run("SET", "a", "1");
    await turns(db);
    expect(await ask(db, "FROM", 1)).toEqual([1, []]);
    const waiting = ask(db, "FROM", 1, "BLOCK", 0);
    db.persistence.sync();
    await turns(db);
    expect(revisions(await waiting)).toEqual([1]);
  });

  test("where nothing is kept, it is told at the end of the turn, from the first question on", async () => {
    const db = new EngineHarness({ durability: "none" });
    db.run("SET", "before", "1");
    const session = db.connect();
    const waiting = db.askIn(session, "CHANGES", "FROM", "$", "BLOCK", 0) as Promise<Page>;
    db.run("SET", "a", "1");
    db.run("SET", "b", "1");
    await turns(db);
    const page = await waiting;
    expect(revisions(page)[0]).toBe(2);
    expect(revisions(await ask(db, "FROM", 2))).toEqual([2, 3]);
    expect(db.persistence.batches).toEqual([]);
    expect(await ask(db, "FROM", 1)).toMatchObject(failure("LOGGAP"));
  });
});

describe("who waits", () => {
  test("is told when his time is over, with the revision to ask from next", async () => {
    const db = new EngineHarness();
    const waiting = ask(db, "FROM", "$", "PREFIX", "mine:", "BLOCK", 100);
    const other = db.connect();
    db.runIn(other, "SET", "other", "1");
    await turns(db);
    db.advance(200);
    await turns(db);
    expect(await waiting).toEqual([2, []]);
  });

  test("each of many is told once, in one turn or several", async () => {
    const db = new EngineHarness();
    const waiting = Array.from({ length: 30 }, () => {
      const session = db.connect();
      return db.askIn(session, "CHANGES", "FROM", "$", "BLOCK", 0) as Promise<Page>;
    });
    db.run("SET", "a", "1");
    await turns(db, 40);
    for (const page of await Promise.all(waiting)) expect(revisions(page)).toEqual([1]);
  });

  test("who is gone is not served, and CLIENT UNBLOCK answers him", async () => {
    const db = new EngineHarness();
    const session = db.connect();
    const waiting = db.askIn(session, "CHANGES", "FROM", "$", "BLOCK", 0);
    expect(db.run("CLIENT", "UNBLOCK", session.id)).toBe(1);
    await turns(db);
    expect(await waiting).toEqual([1, []]);
    const gone = db.connect();
    void db.askIn(gone, "CHANGES", "FROM", "$", "BLOCK", 0);
    db.engine.disconnect(gone);
    db.run("SET", "a", "1");
    await turns(db);
    expect(gone.later).toBeNull();
  });

  test("who cannot wait is answered at once", () => {
    const db = new EngineHarness();
    expect(db.run("CHANGES", "FROM", "$", "BLOCK", 0)).toEqual([1, []]);
  });
});

describe("memory", () => {
  test("keeps within the bound, and the oldest go first", async () => {
    const db = new EngineHarness({ auditEvery: 0 });
    db.engine.changes.recentBytes = 64 * 1024;
    await ask(db, "FROM", "$");
    for (let i = 0; i < 2000; i++) db.run("SET", `k${i}`, "x".repeat(100));
    await turns(db);
    expect(db.engine.changes.usedBytes).toBeLessThanOrEqual(64 * 1024);
    const { oldest } = db.engine.changes;
    expect(oldest).toBeGreaterThan(1000);
    expect(oldest).toBeLessThan(2000);
    expect(revisions(await ask(db, "FROM", 0))).toEqual(
      Array.from({ length: 2001 - oldest }, (_, i) => oldest + i),
    );
    expect(await ask(db, "FROM", oldest - 1)).toMatchObject(failure("LOGGAP"));
  });

  test("counts as used memory, with no more than an eighth of the limit", async () => {
    const db = new EngineHarness({ auditEvery: 0 });
    await ask(db, "FROM", "$");
    const { memory, keyspace, changes } = db.engine;
    const write = (count: number) => {
      for (let i = 0; i < count; i++) db.run("SET", "k", "x".repeat(1000));
    };
    write(1000);
    expect(changes.usedBytes).toBeGreaterThan(1_000_000);
    expect(memory.usedBytes).toBe(keyspace.arena.usedBytes + changes.usedBytes);
    memory.maxBytes = 2_000_000;
    expect(changes.usedBytes).toBeLessThanOrEqual(250_000);
    write(3000);
    expect(changes.usedBytes).toBeLessThanOrEqual(250_000);
    expect(db.run("GET", "k")).toHaveLength(1000);
    memory.maxBytes = 0;
    write(1000);
    expect(changes.usedBytes).toBeGreaterThan(1_000_000);
  });

  test("of what is in the log little is kept, until somebody reads it as it comes", async () => {
    const log = { read: () => noBatches(), readableFrom: 1 };
    const db = new EngineHarness({ auditEvery: 0 });
    Object.assign(db.persistence, log);
    const { changes } = db.engine;
    changes.begin();
    const write = () => {
      for (let i = 0; i < 2000; i++) db.run("SET", "k", "x".repeat(1000));
    };
    write();
    expect(changes.usedBytes).toBeLessThanOrEqual(1024 * 1024);
    expect(changes.oldest).toBe(1);
    changes.feedsReplicas = true;
    write();
    expect(changes.usedBytes).toBeGreaterThan(2_000_000);
    changes.feedsReplicas = false;
    expect(changes.usedBytes).toBeLessThanOrEqual(1024 * 1024);
    await ask(db, "FROM", "$");
    write();
    expect(changes.usedBytes).toBeGreaterThan(2_000_000);
  });

  test("who goes on in a batch that was forgotten meanwhile is told, and not given what took its room", async () => {
    const db = new EngineHarness({ auditEvery: 0, durability: "none" });
    const { changes } = db.engine;
    changes.recentBytes = 600 * 1024;
    changes.begin();
    const write = (value: string) => {
      for (let i = 0; i < 1000; i++) db.run("SET", "k", value.repeat(1000));
    };
    write("a");
    const way = new RecordWay(changes, changes.oldest);
    const place = (await way.find(changes.lastReadable)) as BatchPlace;
    expect(payloadOf(place).bytes.toString("latin1", place.at, place.at + 500)).toContain("aaaa");
    place.pass();
    way.next = place.revision;
    for (let i = 0; i < 3; i++) write("b");
    await expect(way.find(changes.lastReadable)).rejects.toMatchObject({ reply: "LOGGAP" });
    const reading = new PageReading(changes, question(changes.oldest));
    expect(reading.step(() => true)).toBe("more");
    for (let i = 0; i < 3; i++) write("c");
    expect(() => reading.step(() => true)).toThrow(/revision/);
  });

  test("its pages are used again", async () => {
    const db = new EngineHarness({ auditEvery: 0, durability: "none" });
    const { changes } = db.engine;
    changes.recentBytes = 600 * 1024;
    const pages = new Set<Buffer>();
    for (let i = 0; i < 10_000; i++) {
      db.run("SET", "k", "x".repeat(1000));
      pages.add(changes.recent.find(changes.lastReadable)?.bytes as Buffer);
    }
    expect(pages.size).toBeLessThan(10);
  });

  test("keeps more for who is late, where there is no log, and gives it back", async () => {
    const db = new EngineHarness({ auditEvery: 0, durability: "none" });
    const { changes } = db.engine;
    changes.recentBytes = 64 * 1024;
    await ask(db, "FROM", "$");
    const write = () => {
      for (let i = 0; i < 2000; i++) db.run("SET", `k${i}`, "x".repeat(100));
    };
    changes.keepForLate(1024 * 1024);
    write();
    await turns(db);
    expect(changes.oldest).toBe(1);
    expect(changes.usedBytes).toBeGreaterThan(200_000);
    changes.keepForLate(0);
    expect(changes.usedBytes).toBeLessThanOrEqual(64 * 1024);
  });

  test("what waits for who is far behind is kept beyond that, counts no more, and makes no key go", async () => {
    const db = new EngineHarness({ auditEvery: 0, durability: "none", maxMemoryBytes: 2_000_000 });
    db.run("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await ask(db, "FROM", "$");
    const { memory, keyspace, changes } = db.engine;
    const { oldest } = changes;
    changes.keepForLate(10_000_000);
    for (let i = 0; i < 5000; i++) db.run("SET", `k${i % 100}`, "x".repeat(1000));
    expect(changes.usedBytes).toBeGreaterThan(5_000_000);
    expect(changes.oldest).toBe(oldest);
    expect(memory.usedBytes).toBe(keyspace.arena.usedBytes + 250_000);
    expect(db.run("DBSIZE")).toBe(100);
    changes.keepForLate(0);
    expect(changes.usedBytes).toBeLessThanOrEqual(250_000);
  });

  test("records of any time and size come back as they were", async () => {
    const db = new EngineHarness({ auditEvery: 0, durability: "none" });
    await ask(db, "FROM", "$");
    const times: number[] = [];
    const sizes = [0, 1, 5000, 20_000, 300_000, 10, 1_200_000, 3];
    for (const [i, size] of sizes.entries()) {
      times.push(db.now());
      db.run("SET", `k${i}`, "v".repeat(size));
      db.advance(i === 3 ? 100_000 : i);
    }
    await turns(db);
    const found: [size: number, timeMs: number][] = [];
    for (let next = 1, pages = 0; next <= sizes.length && pages < 10; pages++) {
      const [after, changes] = (await ask(db, "FROM", next)) as [number, unknown[][]];
      for (const [, timeMs, , , , command] of changes)
        found.push([(command as string[])[2]?.length ?? -1, timeMs as number]);
      next = after;
    }
    expect(found).toEqual(sizes.map((size, i) => [size, times[i] as number]));
  });
});
