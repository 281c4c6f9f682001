/**
 * Questions that take more than a turn, and what others do meanwhile: they end, with an answer that
 * is right for what stayed, and what is asked next is answered.
 */
import { beforeEach, expect, test } from "bun:test";
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

test.each([
  ["INDEX DROP", ["INDEX", "DROP", "n"]],
  ["INDEX REBUILD", ["INDEX", "REBUILD", "n"]],
  ["FLUSHALL", ["FLUSHALL"]],
  ["SWAPDB", ["SWAPDB", "0", "1"]],
])("%s while an index is gone through", async (_, command) => {
  db.run("INDEX", "CREATE", "n", "USING", "ordered", "FIELD", "n");
  const asked = db.ask("FIND", 'n >= 0 and s = "3"', "USING", "n", "COUNT");
  expect(db.session.later).not.toBeNull();
  other(...command);
  const answer = (await asked) as number | { error: string };
  if (typeof answer === "object") expect(answer.error).toStartWith("ERR");
  else expect(answer).toBeLessThanOrEqual(Math.ceil(COUNT / 7));
  expect(await db.ask("PING")).toBe("PONG");
  expect(other("INDEX", "LIST")).toBeArray();
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
