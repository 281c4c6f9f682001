/**
 * Questions that take more than a turn, and what others do meanwhile: they end, with an answer that
 * is right for what stayed, and what is asked next is answered.
 */
import { beforeEach, describe, expect, test } from "bun:test";
import { EngineHarness } from "../../suites/engine-harness.ts";

/** So many that the first steps of a scan leave some. */
const COUNT = 5000;

let db: EngineHarness;

beforeEach(() => {
  db = new EngineHarness({ auditEvery: 0 });
  for (let n = 0; n < COUNT; n++) db.run("VALUE.SET", `k${n}`, `{"n":${n},"s":"${n % 7}"}`);
});

const other = (...words: string[]) => db.runIn(db.connect(), ...words);

test.each([
  ["FLUSHALL", ["FLUSHALL"]],
  ["FLUSHDB", ["FLUSHDB"]],
  ["SWAPDB", ["SWAPDB", "0", "1"]],
])("%s during a scan", async (_, command) => {
  const counted = db.ask("FIND", "n >= 0", "COUNT");
  expect(db.session.later).not.toBeNull();
  other(...command);
  const count = (await counted) as number;
  expect(count).toBeLessThanOrEqual(COUNT);
  expect(await db.ask("FIND", "n >= 0", "COUNT")).toBe(0);
});

describe("an index that is gone through", () => {
  const threes = Array.from({ length: COUNT }, (_, n) => n).filter((n) => n % 7 === 3).length;

  beforeEach(() => {
    db.run("INDEX", "CREATE", "s", "USING", "ordered", "FIELD", "s,n");
    const filler = "x".repeat(100);
    for (let n = 0; n < COUNT; n++) {
      db.run("VALUE.SET", `more${n}`, `{"n":${n},"s":"3","filler":"${filler}"}`);
    }
  });

  test("and dropped hides nothing: another way is taken", async () => {
    const asked = db.ask("FIND", 's = "3"');
    expect(db.session.later).not.toBeNull();
    other("INDEX", "DROP", "s");
    expect(((await asked) as unknown[]).length).toBe(COUNT + threes);
  });

  test("and dropped is an error where it was to be used", async () => {
    const asked = db.ask("FIND", 's = "3"', "USING", "s", "FIELDS", "n");
    other("INDEX", "DROP", "s");
    expect(await asked).toEqual({ error: expect.stringContaining('no index "s"') });
  });

  test("and rebuilt answers everything", async () => {
    const asked = db.ask("FIND", 's = "3"', "FIELDS", "n");
    other("INDEX", "REBUILD", "s");
    expect(((await asked) as unknown[]).length).toBe(COUNT + threes);
  });

  test("and emptied ends", async () => {
    const asked = db.ask("FIND", 's = "3"', "FIELDS", "n");
    other("FLUSHALL");
    expect(((await asked) as unknown[]).length).toBeLessThan(COUNT + threes);
    expect(await db.ask("FIND", 's = "3"', "COUNT")).toBe(0);
  });

  test("and swapped shows nothing of the other database that does not pass", async () => {
    const second = db.connect();
    db.runIn(second, "SELECT", "1");
    for (let n = 0; n < COUNT; n++) db.runIn(second, "VALUE.SET", `more${n}`, '{"s":"4"}');
    const asked = db.ask("FIND", 's = "3"');
    expect(db.session.later).not.toBeNull();
    other("SWAPDB", "0", "1");
    expect(await asked).toEqual([]);
    expect(await db.ask("FIND", 's = "4"', "COUNT")).toBe(COUNT);
  });
});

test("what is written and deleted meanwhile hides nothing that stays", async () => {
  const asked = db.ask("FIND", "n < 2000", "FIELDS", "n");
  for (let n = 2000; n < COUNT; n++) other("DEL", `k${n}`);
  for (let n = 0; n < 3000; n++) other("VALUE.SET", `new${n}`, `{"n":5000}`);
  const rows = (await asked) as [string, string][];
  const keys = new Set(rows.map(([key]) => key));
  expect([rows.length, keys.size]).toEqual([2000, 2000]);
});

test("a plugin's command that calls it has the answer at once", () => {
  db.addCommand(
    "ASKS",
    (session, _, reply) => {
      const answer = session.call("FIND", "n >= 0", "COUNT");
      reply.text(JSON.stringify(answer));
    },
    { flags: ["readonly"] },
  );
  expect(String(db.run("ASKS"))).toContain(String(COUNT));
});

test("questions of many clients are answered each with its own", async () => {
  const clients = Array.from({ length: 20 }, () => db.connect());
  const counts = await Promise.all(
    clients.map((client, i) => db.askIn(client, "FIND", `n < ${i}`, "COUNT")),
  );
  expect(counts).toEqual(clients.map((_, i) => i));
});
