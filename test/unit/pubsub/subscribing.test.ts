/**
 * Subscribers through the resp frontend: what they hear and when, what is told of them, and what remains of those who are
 * gone. That Redis does the same is proved by test/oracle/pubsub.test.ts; here is what it cannot be asked.
 */
import { describe, expect, test } from "bun:test";
import { MAX_SUBSCRIPTION_BYTES } from "../../../src/limits.ts";
import { arrayOf } from "../resp/protocol-cases.ts";
import type { FakeSocket } from "../resp-plugin/fake-socket.ts";
import { FrontendHarness, type FrontendOptions } from "../resp-plugin/frontend-harness.ts";

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const message = (channel: string, text: string): string =>
  `*3\r\n${bulk("message")}${bulk(channel)}${bulk(text)}`;
const patternMessage = (pattern: string, channel: string, text: string): string =>
  `*4\r\n${bulk("pmessage")}${bulk(pattern)}${bulk(channel)}${bulk(text)}`;

/** A frontend and a client of it that subscribes to these channels. */
async function open(channels: string[], options: FrontendOptions = {}) {
  const harness = await FrontendHarness.open(options);
  const subscriber = harness.connect();
  if (channels.length > 0) harness.exchange(subscriber, arrayOf("SUBSCRIBE", ...channels));
  return { harness, subscriber, publisher: harness.connect() };
}

function fieldsOf(harness: FrontendHarness, socket: FakeSocket): Record<string, string> {
  const line = harness.exchange(socket, "CLIENT INFO\r\n").split("\r\n")[1] as string;
  return Object.fromEntries(line.split(" ").map((field) => field.split(/=(.*)/s)));
}

describe("what a subscriber hears", () => {
  test("a message for its channel, and for each of its patterns", async () => {
    const { harness, subscriber, publisher } = await open(["news"]);
    harness.exchange(subscriber, "PSUBSCRIBE n* *s x*\r\n");
    expect(harness.exchange(publisher, "PUBLISH news hello\r\n")).toBe(":3\r\n");
    const patterns = ["n*", "*s"].map((pattern) => patternMessage(pattern, "news", "hello"));
    expect(subscriber.read()).toBe(message("news", "hello") + patterns.join(""));
  });

  test("the bytes as they are, though the publisher's input is gone", async () => {
    const { harness, subscriber, publisher } = await open(["a\0\r\n\xff"]);
    const text = "\0\xff\r\n".repeat(100);
    const input = Buffer.from(arrayOf("PUBLISH", "a\0\r\n\xff", text), "latin1");
    publisher.deliver(input);
    input.fill(0xee);
    harness.endTurn();
    const heard = subscriber.read();
    expect(heard.endsWith(`$${text.length}\r\n${text}\r\n`)).toBe(true);
  });

  test("nothing once it has unsubscribed, is reset or gone, and nothing remains of it", async () => {
    const { harness, publisher } = await open([]);
    const endings = [
      (socket: FakeSocket) =>
        harness.exchange(socket, "UNSUBSCRIBE\r\nPUNSUBSCRIBE\r\nSUNSUBSCRIBE\r\n"),
      (socket: FakeSocket) => harness.exchange(socket, "RESET\r\n"),
      (socket: FakeSocket) => harness.exchange(socket, "QUIT\r\n"),
      (socket: FakeSocket) => socket.break(),
    ];
    for (const end of endings) {
      const socket = harness.connect();
      harness.exchange(socket, "SUBSCRIBE a b\r\nPSUBSCRIBE a*\r\nSSUBSCRIBE a\r\n");
      end(socket);
      socket.read();
      expect(harness.exchange(publisher, "PUBLISH a x\r\nSPUBLISH a x\r\nPUBSUB NUMPAT\r\n")).toBe(
        ":0\r\n:0\r\n:0\r\n",
      );
      expect(harness.exchange(publisher, "PUBSUB CHANNELS\r\nPUBSUB SHARDCHANNELS\r\n")).toBe(
        "*0\r\n*0\r\n",
      );
      expect(socket.read()).toBe("");
    }
    expect(harness.db.engine.pubsub.clientCount).toBe(0);
  });

  test("a message that was published after a write no sooner than the write is durable", async () => {
    const { harness, subscriber, publisher } = await open(["c"], { durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    harness.exchange(publisher, "SET k 1\r\n");
    harness.exchange(publisher, "PUBLISH c written\r\n");
    const other = harness.connect();
    harness.exchange(other, "PUBLISH c other\r\n");
    expect(subscriber.read()).toBe("");
    await harness.sync();
    expect(subscriber.read()).toBe(message("c", "written") + message("c", "other"));
    harness.exchange(publisher, "PUBLISH c later\r\n");
    expect(subscriber.read()).toBe(message("c", "later"));
  });

  test("of a publisher that has written nothing at once, whatever others have written", async () => {
    const { harness, subscriber, publisher } = await open(["c"], { durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    harness.exchange(harness.connect(), "SET k 1\r\n");
    harness.exchange(publisher, "PUBLISH c x\r\n");
    expect(subscriber.read()).toBe(message("c", "x"));
  });
});

describe("a command of a plugin that publishes", () => {
  test("is heard when it is over, with what happened to keys in between, in that order", async () => {
    const { harness, subscriber, publisher } = await open(["c", "__keyevent@0__:set"], {
      durability: "always",
    });
    harness.db.engine.events.setFlags("EA");
    harness.db.persistence.holdsSyncs = true;
    harness.db.addCommand("BOTH", (session, _args, reply) => {
      session.call("PUBLISH", "c", "first");
      session.call("SET", "k", "1");
      session.call("PUBLISH", "c", "second");
      session.call("SET", "l", "1");
      expect(subscriber.read()).toBe("");
      reply.status("DONE");
    });
    harness.exchange(publisher, "BOTH\r\n");
    expect(subscriber.read()).toBe("");
    await harness.sync();
    const event = (key: string) => message("__keyevent@0__:set", key);
    expect(subscriber.read()).toBe(
      message("c", "first") + event("k") + message("c", "second") + event("l"),
    );
    expect(publisher.read()).toBe("+DONE\r\n");
  });

  test("cannot subscribe for its client", async () => {
    const { harness, publisher } = await open([]);
    harness.db.addCommand("LISTEN", (session, _args, reply) => {
      reply.answer(session.tryCall("SUBSCRIBE", "c"));
    });
    expect(harness.exchange(publisher, "LISTEN\r\n")).toMatch(/^-ERR SUBSCRIBE cannot be called/);
  });
});

describe("a transaction that publishes", () => {
  test("is heard when it is durable, behind nothing of it", async () => {
    const { harness, subscriber, publisher } = await open(["c"], { durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    harness.exchange(publisher, "MULTI\r\nPUBLISH c a\r\nSET k 1\r\nEXEC\r\n");
    expect(subscriber.read()).toBe("");
    await harness.sync();
    expect(subscriber.read()).toBe(message("c", "a"));
  });

  test("and is undone is not heard; one that stands is", async () => {
    const { harness, subscriber, publisher } = await open(["c"]);
    const run = (last: string) =>
      harness.exchange(
        publisher,
        `MULTI ROLLBACK\r\nPUBLISH c ${last}\r\nSET k ${last}\r\nINCR k\r\nEXEC\r\n`,
      );
    expect(run("x")).toContain("-EXECABORT");
    expect(subscriber.read()).toBe("");
    expect(run("1")).toContain("*3\r\n:1\r\n+OK\r\n:2\r\n");
    expect(subscriber.read()).toBe(message("c", "1"));
  });
});

describe("what is told of subscribers", () => {
  test("by CLIENT LIST, its flags, types and memory", async () => {
    const { harness, publisher } = await open([]);
    const socket = harness.connect();
    harness.exchange(socket, "HELLO 3\r\nSUBSCRIBE a b\r\nPSUBSCRIBE a*\r\nSSUBSCRIBE x y z\r\n");
    const fields = fieldsOf(harness, socket);
    expect(fields).toMatchObject({ sub: "2", psub: "1", ssub: "3", flags: "P" });
    expect(Number(fields["tot-mem"])).toBeGreaterThan(1000);
    const count = (type: string) =>
      harness.exchange(publisher, `CLIENT LIST TYPE ${type}\r\n`).split("id=").length - 1;
    expect([count("pubsub"), count("normal")]).toEqual([1, 3]);
    harness.exchange(socket, "UNSUBSCRIBE\r\nPUNSUBSCRIBE\r\nSUNSUBSCRIBE\r\n");
    expect(fieldsOf(harness, socket)).toMatchObject({ sub: "0", psub: "0", ssub: "0", flags: "N" });
  });

  test("by INFO", async () => {
    const { harness, publisher } = await open(["a", "b"]);
    harness.exchange(harness.connect(), "PSUBSCRIBE a*\r\n");
    harness.exchange(harness.connect(), "SSUBSCRIBE a b c\r\n");
    const info = harness.exchange(publisher, "INFO stats\r\n");
    expect(info).toContain(
      "\r\npubsub_channels:2\r\npubsub_patterns:1\r\npubsubshard_channels:3\r\n",
    );
  });

  test("what they subscribe to counts as used memory, until they are gone", async () => {
    const { harness, subscriber } = await open([]);
    const { memory } = harness.db.engine;
    memory.clients.countAll();
    const before = memory.usedBytes;
    const names = Array.from({ length: 1000 }, (_, index) => `channel-${index}`);
    harness.exchange(subscriber, arrayOf("SUBSCRIBE", ...names));
    memory.clients.countAll();
    expect(memory.usedBytes - before).toBeGreaterThan(1000 * 100);
    subscriber.break();
    memory.clients.countAll();
    expect(memory.usedBytes).toBe(before);
  });
});

describe("who cannot subscribe", () => {
  test("a client that nothing can be pushed to", async () => {
    const { harness } = await open([]);
    const session = harness.db.connect();
    expect(harness.db.runIn(session, "SUBSCRIBE", "a")).toEqual({
      error: expect.stringMatching(/^ERR messages come at any time/),
    });
    expect(harness.db.engine.pubsub.hasSubscribers).toBe(false);
  });

  test("a client that subscribes to very much already", async () => {
    const { db } = (await open([])).harness;
    const session = db.connect({ push: () => {} });
    const name = "x".repeat(MAX_SUBSCRIPTION_BYTES / 5);
    const refused = { error: expect.stringMatching(/^ERR this client subscribes to too much/) };
    expect(db.runIn(session, "PSUBSCRIBE", `${name}1`)).toEqual(["psubscribe", `${name}1`, 1]);
    expect(db.runIn(session, "SUBSCRIBE", `${name}2`)).toEqual(["subscribe", `${name}2`, 2]);
    expect(db.runIn(session, "SUBSCRIBE", `${name}3`)).toEqual(refused);
    expect(db.runIn(session, "SSUBSCRIBE", ...Array(250_000).fill("x"))).toEqual(refused);
    db.runIn(session, "UNSUBSCRIBE");
    expect(db.runIn(session, "SUBSCRIBE", `${name}3`)).toEqual(["subscribe", `${name}3`, 2]);
  });
});

test("who speaks RESP2 may run again what he could as soon as he subscribes to nothing", async () => {
  const { harness, subscriber } = await open(["a"]);
  expect(harness.exchange(subscriber, "GET k\r\n")).toMatch(/^-ERR Can't execute 'get'/);
  harness.exchange(subscriber, "UNSUBSCRIBE a\r\n");
  expect(harness.exchange(subscriber, "GET k\r\n")).toBe("$-1\r\n");
});
