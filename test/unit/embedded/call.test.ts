/** Commands in a program: what they are given, and what their answers become. */
import { expect, test } from "bun:test";
import { AnswerRecorder } from "../../../src/client/answer-recorder.ts";
import type { Reply } from "../../../src/commands/reply.ts";
import { plainAnswer } from "../../../src/embedded/plain-answer.ts";
import { KvdbError } from "../../../src/errors.ts";
import { definePlugin } from "../../../src/plugin.ts";
import { Folder, failureOf, openInMemory } from "./opened.ts";

function plain(write: (reply: Reply) => void): unknown {
  const recorder = new AnswerRecorder();
  write(recorder);
  return plainAnswer(recorder.take());
}

test("answers become plain values", () => {
  const cases: [write: (reply: Reply) => void, value: unknown][] = [
    [(reply) => reply.ok(), "OK"],
    [(reply) => reply.integer(5), 5],
    [(reply) => reply.integer(2n ** 62n), 2n ** 62n],
    [(reply) => reply.double(1.5), 1.5],
    [(reply) => reply.boolean(true), true],
    [(reply) => reply.null(), null],
    [(reply) => reply.nullArray(), null],
    [(reply) => reply.text("é"), "é"],
    [(reply) => reply.bulk(Buffer.from([0xff]), 0, 1), new Uint8Array([0xff])],
    [(reply) => reply.json(Buffer.from("[1.0]"), 0, 5), "[1.0]"],
    [(reply) => reply.verbatim("a:1", "txt"), "a:1"],
  ];
  for (const [write, value] of cases) expect(plain(write)).toEqual(value);
});

test("containers, and an error within one", () => {
  const value = plain((reply) => {
    reply.array(3);
    reply.set(1);
    reply.text("member");
    reply.map(1);
    reply.text("constructor");
    reply.integer(1);
    reply.error("WRONGTYPE", "no");
  });
  expect(value).toEqual([["member"], new Map([["constructor", 1]]), expect.any(KvdbError)]);
  expect((value as KvdbError[])[2]).toMatchObject({ code: "COMMAND", reply: "WRONGTYPE" });
});

test("parts are text, numbers and bytes", async () => {
  await using db = await openInMemory();
  expect(await db.call("set", "n", 2n ** 60n)).toBe("OK");
  expect(await db.call("INCRBY", Buffer.from("n"), 1)).toBe(2n ** 60n + 1n);
  expect(await db.call("MGET", "n", "none")).toEqual([String(2n ** 60n + 1n), null]);
  for (const part of [undefined, null, true, {}, Number.NaN, "\ud800"]) {
    expect((await failureOf(() => db.call("GET", part as string))).code).toBe("USAGE");
  }
  expect((await failureOf(() => db.call(...([] as unknown as ["PING"])))).code).toBe("USAGE");
});

test("error replies reject, and change nothing", async () => {
  await using db = await openInMemory();
  await db.set("doc", {});
  const unknown = await failureOf(() => db.call("NOSUCH", "x"));
  expect(unknown).toMatchObject({ code: "COMMAND", reply: "ERR" });
  const wrongType = await failureOf(() => db.call("APPEND", "doc", "x"));
  expect(wrongType).toMatchObject({ code: "COMMAND", reply: "WRONGTYPE" });
  expect(wrongType.message).toStartWith("WRONGTYPE ");
  expect(wrongType.prefix("here").reply).toBe("WRONGTYPE");
  expect(db.get("doc")).toEqual({});
});

test("SELECT concerns later calls, and no typed method", async () => {
  await using db = await openInMemory();
  await db.call("SELECT", 1);
  await db.call("SET", "key", "one");
  expect(db.get("key")).toBeUndefined();
  expect(db.select(1).get("key")).toBe("one");
});

test("no password is asked for, and none stays in the way", async () => {
  await using db = await openInMemory();
  await db.call("CONFIG", "SET", "requirepass", "secret");
  await db.set("key", 1);
  expect(await db.call("GET", "key")).toBe("1");
});

test("SHUTDOWN closes the database", async () => {
  await using db = await openInMemory();
  await db.call("SHUTDOWN");
  expect((await failureOf(() => db.get("key"))).code).toBe("UNAVAILABLE");
});

test("CLIENT REPLY OFF, which is not answered either, closes nothing", async () => {
  await using db = await openInMemory();
  expect(await db.call("CLIENT", "REPLY", "OFF")).toBeNull();
  await db.set("key", 1);
  expect(await db.call("GET", "key")).toBe("1");
});

test("a plugin's command that calls the database it runs in is refused, and its reply stays whole", async () => {
  const refusals: Promise<KvdbError>[] = [];
  const nosy = definePlugin({
    name: "nosy",
    apiVersion: 1,
    commands: () => [
      {
        ...{ name: "NOSY", arity: 2, flags: ["readonly"], group: "plugin", since: "1" },
        ...{ summary: "Comes back by the program's own way.", syntax: "text" },
        run(_session, args, reply) {
          reply.array(2);
          reply.text("first");
          refusals.push(failureOf(() => db.call("GET", "key")));
          reply.text(args.text(1));
        },
      },
    ],
  });
  await using db = await openInMemory({ plugins: [nosy] });
  expect(await db.call("NOSY", "second")).toEqual(["first", "second"]);
  expect((await refusals[0])?.code).toBe("COMMAND");
  expect(await db.call("GET", "key")).toBeNull();
});

test("commands of a plugin, handed over as an object with its options", async () => {
  const slug = definePlugin<{ readonly separator: string }>({
    name: "slug",
    apiVersion: 1,
    schema: { properties: { separator: { type: "string", default: "-" } } },
    commands: ({ separator }) => [
      {
        name: "SLUG",
        arity: 2,
        flags: ["readonly"],
        group: "plugin",
        since: "slug 1.0.0",
        summary: "Makes a text fit for a URL.",
        syntax: "text",
        run: (_session, args, reply) => reply.text(args.text(1).replaceAll(" ", separator)),
      },
    ],
  });
  await using plainly = await openInMemory({ plugins: [slug] });
  expect(await plainly.call("SLUG", "a b")).toBe("a-b");
  await using db = await openInMemory({ plugins: [{ use: slug, separator: "_" }] });
  expect(await db.call("SLUG", "a b")).toBe("a_b");
  const wrong = await failureOf(() => openInMemory({ plugins: [{ use: slug, separatr: "_" }] }));
  expect(wrong.code).toBe("CONFIG");
  expect(wrong.message).toContain("separator");
  const none = { name: "none at all" } as unknown as typeof slug;
  expect((await failureOf(() => openInMemory({ plugins: [none] }))).code).toBe("CONFIG");
  const twice = await failureOf(() => openInMemory({ plugins: [slug, slug] }));
  expect(twice.message).toContain("taken");
});

test("a command that takes its time is waited for; calls behind it run after it, keys do not wait", async () => {
  await using folder = await Folder.create();
  await using db = await folder.open({ persistence: { use: "wal", fsync: "everysec" } });
  const order: string[] = [];
  const calls = [db.call("INCR", "n"), db.call("WAITAOF", 1, 0, 0), db.call("INCR", "n")].map(
    async (call, index) => {
      order.push(`${index}: ${JSON.stringify(await call)}`);
    },
  );
  expect(db.get("n")).toBe("1");
  await db.set("other", 1);
  await Promise.all(calls);
  expect(order).toEqual(["0: 1", "1: [1,0]", "2: 2"]);
});

test("one that still waits when the database is closed is told, and what was called behind it is kept", async () => {
  await using folder = await Folder.create();
  const db = await folder.open();
  const waits = failureOf(() => db.call("WAITAOF", 0, 1, 0));
  const behind = db.call("SET", "k", "1");
  await db.close();
  expect((await waits).reply).toBe("UNBLOCKED");
  expect(await behind).toBe("OK");
  await using again = await folder.open();
  expect(again.get("k")).toBe("1");
});
