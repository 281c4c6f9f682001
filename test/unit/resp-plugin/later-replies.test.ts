/**
 * A connection whose command answers later: what it sends meanwhile, how it may end, and what it must not be taken for.
 * That nothing overtakes and nothing is lost is the suite's (conformance.test.ts).
 */
import { describe, expect, test } from "bun:test";
import type { LaterReply, Reply } from "../../../src/plugin.ts";
import type { LaterOptions } from "../../../src/session/later-reply.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { FrontendHarness, type FrontendOptions } from "./frontend-harness.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

interface Late {
  readonly harness: FrontendHarness;
  readonly socket: FakeSocket;
  /** The commands that wait, in the order they began. */
  readonly waiting: readonly LaterReply[];
  abandoned(): number;
  /** The one that has waited longest answers; what then comes back. */
  answer(write?: (reply: Reply) => void): string;
}

/** A frontend with a command SLOW, and a client of it. */
async function open(later: LaterOptions = {}, options: FrontendOptions = {}): Promise<Late> {
  const harness = await FrontendHarness.open(options);
  const waiting: LaterReply[] = [];
  let abandoned = 0;
  harness.db.addCoreCommand("SLOW", (session) => {
    const one = session.answerLater(later);
    waiting.push(one);
    one.onAbandoned = () => abandoned++;
  });
  const socket = harness.connect();
  const answer = (write = (reply: Reply) => reply.status("SLOW")) => {
    waiting.shift()?.settle(write);
    harness.endTurn();
    return socket.read();
  };
  return { harness, socket, waiting, abandoned: () => abandoned, answer };
}

describe("what comes behind it", () => {
  test("waits, whole commands or parts of one, and then runs in order", async () => {
    for (const cut of [1, 5, 1000]) {
      const { harness, socket, waiting, answer } = await open();
      const input = "ECHO a\r\nSLOW\r\nSET k 1\r\nGET k\r\nSLOW\r\nECHO b\r\n";
      for (let at = 0; at < input.length; at += cut) {
        socket.deliver(bytes(input.slice(at, at + cut)));
        harness.endTurn();
      }
      expect(socket.read()).toBe("$1\r\na\r\n");
      expect([waiting.length, harness.db.run("EXISTS", "k")]).toEqual([1, 0]);
      expect(answer()).toBe("+SLOW\r\n+OK\r\n$1\r\n1\r\n");
      expect(answer()).toBe("+SLOW\r\n$1\r\nb\r\n");
      expect(harness.bufferedBytes()).toBe(0);
    }
  });

  test("is read up to a bound, then no more, and all of it runs in the end", async () => {
    const { harness, socket, answer } = await open();
    socket.deliver(bytes("SLOW\r\n"));
    const chunk = bytes("PING\r\n".repeat(5000));
    let count = 0;
    for (; !socket.paused && count < 1000; count++) socket.deliver(chunk);
    expect(harness.bufferedBytes()).toBeLessThan(1.5 * 1024 * 1024);
    let replies = answer();
    expect(socket.paused).toBe(false);
    for (let more = replies; more !== ""; replies += more) {
      harness.endTurn();
      more = socket.read();
    }
    expect(replies).toBe(`+SLOW\r\n${"+PONG\r\n".repeat(5000 * count)}`);
  });

  test("is held back with replies that wait for the disk, before and behind", async () => {
    const { harness, socket, answer } = await open({}, { durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    harness.exchange(socket, "SET a 1\r\nSLOW\r\nSET b 1\r\n");
    expect(answer()).toBe("");
    await harness.sync();
    expect(socket.read()).toBe("+OK\r\n+SLOW\r\n");
    await harness.sync();
    expect(socket.read()).toBe("+OK\r\n");
  });
});

describe("silence on demand", () => {
  test.each([
    ["CLIENT REPLY SKIP\r\nSLOW\r\nECHO a\r\n", "$1\r\na\r\n"],
    ["CLIENT REPLY OFF\r\nSLOW\r\nECHO a\r\nCLIENT REPLY ON\r\n", "+OK\r\n"],
    ["SLOW\r\nCLIENT REPLY SKIP\r\nECHO a\r\nECHO b\r\n", "+SLOW\r\n$1\r\nb\r\n"],
  ])("%j", async (input, replies) => {
    const { harness, socket, answer } = await open();
    expect(harness.exchange(socket, input)).toBe("");
    expect(answer()).toBe(replies);
    expect(harness.exchange(socket, "CLIENT REPLY ON\r\nECHO c\r\n")).toEndWith("$1\r\nc\r\n");
  });
});

describe("the end of the connection", () => {
  test("the client is gone: the command is told, and its answer goes nowhere", async () => {
    const { harness, socket, abandoned, answer } = await open();
    harness.exchange(socket, "SLOW\r\nSET k 1\r\n");
    socket.break();
    expect([abandoned(), harness.server.clientCount]).toEqual([1, 0]);
    expect(answer()).toBe("");
    expect(harness.db.run("EXISTS", "k")).toBe(0);
  });

  test("the client sends nothing more: it may be gone, so what was replied leaves and that is all", async () => {
    const { harness, socket, abandoned } = await open();
    socket.deliver(bytes("ECHO a\r\nSLOW\r\nSET k 1\r\n"));
    socket.deliverEnd();
    harness.endTurn();
    expect([socket.read(), socket.closed, abandoned()]).toEqual(["$1\r\na\r\n", "end", 1]);
    expect(harness.db.run("EXISTS", "k")).toBe(0);
  });

  test("the same for a command that ends by itself: it and all behind it is answered first", async () => {
    const { harness, socket, abandoned, answer } = await open({ outlivesInput: true });
    socket.deliver(bytes("SLOW\r\nSET k 1\r\nSLOW\r\nGET k\r\n"));
    socket.deliverEnd();
    harness.endTurn();
    expect([socket.read(), socket.closed]).toEqual(["", "no"]);
    expect([answer(), socket.closed]).toEqual(["+SLOW\r\n+OK\r\n", "no"]);
    expect([answer(), socket.closed]).toEqual(["+SLOW\r\n$1\r\n1\r\n", "end"]);
    expect(abandoned()).toBe(0);
  });

  test("CLIENT KILL ends it at once", async () => {
    const { harness, socket, abandoned } = await open();
    harness.exchange(socket, "SLOW\r\n");
    const [, session] = [...harness.db.engine.sessions.values()];
    harness.db.run("CLIENT", "KILL", "ID", session?.id ?? 0);
    expect([socket.closed, abandoned()]).toEqual(["terminate", 1]);
  });

  test("kvdb stops: UNBLOCKED, then what was sent behind it, then the end", async () => {
    const { harness, socket, abandoned } = await open();
    harness.exchange(socket, "SLOW\r\nSET k 1\r\n");
    await harness.db.engine.beginStop();
    const closing = harness.server.close(1000);
    expect([socket.read(), socket.closed]).toEqual([
      "-UNBLOCKED force unblock from blocking operation, the server stops\r\n+OK\r\n",
      "end",
    ]);
    harness.db.advance(10);
    await closing;
    expect([abandoned(), harness.db.run("EXISTS", "k")]).toEqual([1, 1]);
  });

  test("who waits is not idle", async () => {
    const { harness, socket, answer } = await open({}, { settings: { timeoutSeconds: 10 } });
    harness.exchange(socket, "SLOW\r\n");
    for (let second = 0; second < 30; second++) harness.db.advance(1000);
    expect(socket.closed).toBe("no");
    expect(answer()).toBe("+SLOW\r\n");
    for (let second = 0; second < 5; second++) harness.db.advance(1000);
    expect(socket.closed).toBe("no");
    for (let second = 0; second < 10; second++) harness.db.advance(1000);
    expect(socket.closed).toBe("terminate");
  });
});

test("two that become ready in one turn are written apart, also when one wakes the other", async () => {
  const { harness, socket, waiting } = await open();
  const other = harness.connect();
  harness.exchange(socket, "SLOW\r\n");
  harness.exchange(other, "SLOW\r\n");
  harness.db.addCoreCommand("WAKE", (_session, _args, reply) => {
    reply.array(2);
    for (const one of waiting) one.settle((to) => to.text("awake"));
    reply.text("x".repeat(100));
    reply.text("y");
  });
  const third = harness.connect();
  expect(harness.exchange(third, "WAKE\r\n")).toBe(
    `*2\r\n$100\r\n${"x".repeat(100)}\r\n$1\r\ny\r\n`,
  );
  expect([socket.read(), other.read()]).toEqual(["$5\r\nawake\r\n", "$5\r\nawake\r\n"]);
});
