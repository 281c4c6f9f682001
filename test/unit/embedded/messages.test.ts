/** `db.subscribe` and `db.publish`: what a program hears, in which order, and how it ends. */
import { expect, test } from "bun:test";
import type { Message, Subscription } from "../../../src/plugin.ts";
import { failureOf, openInMemory } from "./opened.ts";

async function take(messages: Subscription, count: number): Promise<Message[]> {
  const taken: Message[] = [];
  while (taken.length < count) {
    const { value, done } = await messages.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

const shown = ({ channel, text, pattern }: Message) => [channel, text, pattern];

test("messages come in their order, by name and by pattern, to everybody who listens", async () => {
  await using db = await openInMemory();
  const all = db.subscribe([], { patterns: ["*"] });
  const some = db.subscribe(["a", "b"], { patterns: ["a*"] });
  expect(await db.publish("a", "1")).toBe(3);
  expect(await db.publish("b", Buffer.from([0xff, 0x00]))).toBe(2);
  expect(await db.publish("nobody", "2")).toBe(1);
  expect((await take(all, 3)).map(shown)).toEqual([
    ["a", "1", "*"],
    ["b", "\ufffd\0", "*"],
    ["nobody", "2", "*"],
  ]);
  const heard = await take(some, 3);
  expect(heard.map(shown)).toEqual([
    ["a", "1", undefined],
    ["a", "1", "a*"],
    ["b", "\ufffd\0", undefined],
  ]);
  expect([...(heard[2]?.bytes ?? [])]).toEqual([0xff, 0x00]);
});

test("who waits is told; commands of other ways in publish as well", async () => {
  await using db = await openInMemory();
  const messages = db.subscribe("a");
  const [first, second] = [messages.next(), messages.next()];
  await db.call("PUBLISH", "a", "1");
  await db.publish("a", "2");
  expect([(await first).value?.text, (await second).value?.text]).toEqual(["1", "2"]);
});

test("a loop that is left listens no longer", async () => {
  await using db = await openInMemory();
  const messages = db.subscribe("a");
  await db.publish("a", "1");
  for await (const { text } of messages) {
    expect(text).toBe("1");
    break;
  }
  expect(await db.publish("a", "2")).toBe(0);
  expect(await messages.next()).toEqual({ done: true, value: undefined });
  {
    await using other = db.subscribe("a");
    expect(await db.publish("a", "3")).toBe(1);
    expect((await other.next()).value?.text).toBe("3");
  }
  expect(await db.publish("a", "4")).toBe(0);
});

test("closing the database ends it, with what had come before", async () => {
  const db = await openInMemory();
  const [heard, waiting] = [db.subscribe("a"), db.subscribe("b")];
  await db.publish("a", "1");
  const next = waiting.next();
  await db.close();
  expect((await take(heard, 2)).map(({ text }) => text)).toEqual(["1"]);
  expect((await next).done).toBe(true);
  expect((await failureOf(() => db.subscribe("a"))).code).toBe("UNAVAILABLE");
});

test("a program that does not take its messages loses the subscription, not memory", async () => {
  await using db = await openInMemory();
  const messages = db.subscribe("a");
  const payload = Buffer.alloc(4 * 1024 * 1024);
  for (let i = 0; i < 10; i++) {
    await db.publish("a", payload);
  }
  expect(await db.publish("a", "later")).toBe(0);
  const heard: unknown[] = [];
  const failure = await failureOf(async () => {
    for await (const { bytes } of messages) heard.push(bytes.length);
  });
  expect(failure.code).toBe("UNAVAILABLE");
  expect(heard.length).toBe(8);
});

test("what makes no sense is refused", async () => {
  await using db = await openInMemory();
  const wrong = [
    () => db.subscribe([]),
    () => db.subscribe(1 as unknown as string),
    () => db.subscribe(["a", 2 as unknown as string]),
    () => db.subscribe("\ud800"),
    () => db.subscribe("a", { pattern: ["b"] } as never),
    () => db.subscribe("a", { patterns: "b" as unknown as string[] }),
    () => db.publish("a", 1 as unknown as string),
    () => db.publish(undefined as unknown as string, "a"),
  ];
  for (const run of wrong) expect((await failureOf(run)).code).toBe("USAGE");
  expect((await failureOf(() => db.call("SUBSCRIBE", "a"))).code).toBe("COMMAND");
});
