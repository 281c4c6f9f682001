/** `changes` of a program's database: what is told, from where, and how it ends. */
import { expect, test } from "bun:test";
import type { Change, Database } from "../../../src/plugin.ts";
import { Folder, failureOf, openInMemory } from "./opened.ts";

async function take(changes: AsyncGenerator<Change, void>, count: number): Promise<Change[]> {
  const taken: Change[] = [];
  while (taken.length < count) {
    const { value } = await changes.next();
    if (value === undefined) break;
    taken.push(value);
  }
  return taken;
}

const told = (changes: Change[]) => changes.map(({ key, event }) => [key, event]);

async function write(db: Database<unknown>, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await db.set(`k${i}`, `v${i}`);
}

test("what is changed from the call on, in order, and what comes while it waits", async () => {
  await using db = await openInMemory();
  await db.set("before", "1");
  const changes = db.changes();
  await db.set("a", "1");
  await db.batch([
    { type: "put", key: "doc", value: { n: 1 } },
    { type: "del", key: "a" },
  ]);
  const first = await take(changes, 3);
  expect(told(first)).toEqual([
    ["a", "set"],
    ["doc", "value.batch"],
    ["a", "value.batch"],
  ]);
  expect(first[1]?.revision).toBe(first[2]?.revision as number);
  expect(first[0]).toMatchObject({ database: 0, command: ["SET", "a", "1"] });
  const next = changes.next();
  await db.select(3).set("later", "1");
  expect((await next).value).toMatchObject({ database: 3, key: "later" });
  await changes.return();
});

test("goes on behind what was seen, in another life and after a checkpoint", async () => {
  await using folder = await Folder.create();
  const seen: Change[] = [];
  for (let life = 0; life < 3; life++) {
    await using db = await folder.open();
    const last = seen.at(-1)?.revision;
    const changes = db.changes({ from: last === undefined ? "oldest" : last + 1 });
    await write(db, life * 300, life * 300 + 300);
    seen.push(...(await take(changes, 150)));
    await changes.return();
    await db.call("BGREWRITEAOF");
  }
  await using db = await folder.open();
  const rest = db.changes({ from: (seen.at(-1)?.revision ?? 0) + 1 });
  seen.push(...(await take(rest, 450)));
  await rest.return();
  expect(seen.map(({ key }) => key)).toEqual(Array.from({ length: 900 }, (_, i) => `k${i}`));
});

test("a prefix, and keys that are no text", async () => {
  await using db = await openInMemory();
  const changes = db.changes({ prefix: "user:" });
  await db.set("other", "1");
  await db.set("user:1", "1");
  await db.call("FLUSHDB");
  const all = db.changes({ from: "oldest" });
  await db.setBytes(new Uint8Array([255, 0]), new Uint8Array([254]));
  expect(told(await take(changes, 2))).toEqual([
    ["user:1", "set"],
    [undefined, "flushdb"],
  ]);
  const [, , , binary] = await take(all, 4);
  expect(binary).toMatchObject({ key: new Uint8Array([255, 0]), event: "set" });
  expect(binary?.command?.[2]).toEqual(new Uint8Array([254]));
  for (const one of [changes, all]) await one.return();
});

test("a signal ends it, while it waits or between two changes, and nothing is left open", async () => {
  await using db = await openInMemory();
  const waiting = new AbortController();
  const changes = db.changes({ signal: waiting.signal });
  const next = changes.next();
  waiting.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  const between = new AbortController();
  const more = db.changes({ signal: between.signal });
  await write(db, 0, 3);
  for await (const { key } of more) {
    expect(key).toBe("k0");
    between.abort();
  }
  expect(told(await take(db.changes({ signal: AbortSignal.abort() }), 1))).toEqual([]);
  expect(
    String(await db.call("CLIENT", "LIST"))
      .trim()
      .split("\n").length,
  ).toBeLessThan(5);
});

test("what the log has no more, and a revision that is not there yet, reject", async () => {
  await using db = await openInMemory();
  await write(db, 0, 5);
  expect(await failureOf(() => db.changes({ from: 2 }).next())).toMatchObject({
    code: "COMMAND",
    reply: "LOGGAP",
  });
  expect(await failureOf(() => db.changes({ from: 1000 }).next())).toMatchObject({ reply: "ERR" });
});

test("ends with an error when the database is closed", async () => {
  const db = await openInMemory();
  const changes = db.changes();
  const failure = failureOf(() => changes.next());
  await db.close();
  expect(await failure).toMatchObject({ code: "UNAVAILABLE" });
});

test.each([
  [{ from: 0 }, "changes.from"],
  [{ from: "yesterday" }, "changes.from"],
  [{ prefix: 5 }, "changes.prefix"],
  [{ signal: {} }, "changes.signal"],
  [{ form: 1 }, "changes.form"],
])("%j is refused", async (options, place) => {
  await using db = await openInMemory();
  const { code, message } = await failureOf(() => db.changes(options as never));
  expect(code).toBe("USAGE");
  expect(message).toContain(place);
});
