/**
 * One connection in each state it can be in: replies that wait for the disk, a client that does not read, one that only
 * reads, one that is told to go, silence on demand, and what must not go wrong between two clients.
 */
import { describe, expect, test } from "bun:test";
import { arrayOf } from "../resp/protocol-cases.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { FrontendHarness } from "./frontend-harness.ts";

const MIB = 1024 * 1024;
const none = () => 0;
const all = (offered: number) => offered;

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** Lets a socket take everything, until nothing more comes. */
function readAll(harness: FrontendHarness, socket: FakeSocket): string {
  let text = "";
  socket.takes = all;
  for (;;) {
    socket.drain();
    harness.endTurn();
    const more = socket.read();
    if (more === "") return text;
    text += more;
  }
}

describe("replies that wait for the disk", () => {
  async function open() {
    const harness = await FrontendHarness.open({ durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    return harness;
  }

  test("leave when it has synced, in order, with all that came after them", async () => {
    const harness = await open();
    const socket = harness.connect();
    expect(harness.exchange(socket, "PING\r\nSET a 1\r\n")).toBe("");
    expect(harness.exchange(socket, "PING\r\n")).toBe("");
    expect(harness.exchange(socket, "SET b 2\r\n")).toBe("");
    await harness.sync();
    expect(socket.read()).toBe("+PONG\r\n+OK\r\n+PONG\r\n");
    await harness.sync();
    expect(socket.read()).toBe("+OK\r\n");
    expect(harness.exchange(socket, "GET b\r\n")).toBe("$1\r\n2\r\n");
    expect(harness.bufferedBytes()).toBe(0);
  });

  test("other clients wait only for what they have seen of it", async () => {
    const harness = await open();
    const writer = harness.connect();
    const reader = harness.connect();
    harness.exchange(writer, "SET old 1\r\n");
    await harness.sync();
    writer.read();
    harness.exchange(writer, "SET new 1\r\n");
    expect(harness.exchange(reader, "GET old\r\nPING\r\n")).toBe("$1\r\n1\r\n+PONG\r\n");
    expect(harness.exchange(reader, "GET new\r\n")).toBe("");
    await harness.sync();
    expect(reader.read()).toBe("$1\r\n1\r\n");
  });

  test("do not overtake what was said earlier in the turn", async () => {
    const harness = await open();
    const writer = harness.connect();
    const reader = harness.connect();
    harness.exchange(writer, "SET new 1\r\n");
    reader.deliver(bytes("PING\r\n"));
    reader.deliver(bytes("GET new\r\n"));
    await harness.sync(); // within the turn
    harness.endTurn();
    expect(reader.read()).toBe("+PONG\r\n$1\r\n1\r\n");
  });

  test("a closing connection waits for them, then ends", async () => {
    for (const last of ["QUIT\r\n", "*1\r\n$x\r\n"]) {
      const harness = await open();
      const socket = harness.connect();
      expect(harness.exchange(socket, `SET a 1\r\n${last}SET a 2\r\n`)).toBe("");
      expect(socket.closed).toBe("no");
      await harness.sync();
      const reply =
        last === "QUIT\r\n" ? "+OK\r\n" : "-ERR Protocol error: invalid bulk length\r\n";
      expect(socket.read()).toBe(`+OK\r\n${reply}`);
      expect(socket.closed).toBe("end");
      expect(harness.db.run("GET", "a")).toBe("1");
    }
  });
});

/** Times that a client sends something before the test takes it that it may for ever: it must be told to stop before. */
const MOST_DELIVERIES = 200_000;
/** For what has no reply, and so may come for ever. */
const UNANSWERED_DELIVERIES = 10_000;

describe("replies that wait for the disk, of several clients", () => {
  test("one is lost with replies held: those of the others stay theirs", async () => {
    const harness = await FrontendHarness.open({ durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    const [lost, kept, other] = [harness.connect(), harness.connect(), harness.connect()];
    harness.exchange(lost, "SET a 1\r\n");
    lost.isDead = true;
    await harness.sync();
    expect(lost.closed).toBe("terminate");
    // As many are held as were lost: what was held must not be written over.
    harness.exchange(kept, arrayOf("GETSET", "a", "2"));
    for (let turn = 0; turn < 3; turn++) harness.exchange(other, "ECHO xxxxxxxxxxxx\r\n");
    await harness.sync();
    expect(kept.read()).toBe(bulk("1"));
  });

  test("held and unread together are too much: the rest of the input is not forgotten", async () => {
    const harness = await FrontendHarness.open({ durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    const [writer, reader] = [harness.connect(), harness.connect()];
    const [most, some] = ["x".repeat(900_000), "y".repeat(200_000)];
    reader.takes = none;
    harness.exchange(reader, arrayOf("ECHO", most)); // unread, and nearly too much
    harness.exchange(writer, "SET a 1\r\n");
    reader.deliver(bytes(`GET a\r\n${arrayOf("ECHO", some).repeat(3)}`)); // held, too much with that
    harness.endTurn();
    const first = readAll(harness, reader);
    await harness.sync();
    const second = readAll(harness, reader);
    expect([first, second]).toEqual([bulk(most), bulk("1") + bulk(some).repeat(3)]);
  });
});

describe("a client that never reads", () => {
  const kinds: readonly (readonly [string, string, "none" | "always", boolean])[] = [
    ["a small command at a time", "PING\r\n", "none", true],
    ["small commands by the thousand", "PING\r\n".repeat(10_000), "none", true],
    ["middling replies", arrayOf("ECHO", "x".repeat(5000)), "none", true],
    ["a reply beyond the bound", arrayOf("ECHO", "x".repeat(3 * MIB)), "none", true],
    ["many large replies to one chunk", arrayOf("GET", "large").repeat(5000), "none", true],
    ["small writes that wait for the disk", arrayOf("SET", "k", "v"), "always", true],
    ["a thousand such writes at a time", arrayOf("SET", "k", "v").repeat(1000), "always", true],
    [
      "large reads that wait for the disk",
      arrayOf("GETSET", "large", "x").repeat(10),
      "always",
      true,
    ],
    ["nothing but line ends", "\r\n".repeat(100), "none", false],
    ["an inline command without end", "x".repeat(50_000), "none", false],
    ["a count without end", `*${"1".repeat(50_000)}`, "none", false],
  ];

  test.each(kinds)("%s", async (_name, chunk, durability, isRepliedTo) => {
    const harness = await FrontendHarness.open({ durability });
    harness.db.run("SET", "large", "x".repeat(100_000));
    harness.db.persistence.holdsSyncs = true;
    const socket = harness.connect();
    socket.takes = none;
    const input = bytes(chunk);
    const replyBytes = Math.max(100_100, chunk.length);
    let most = 0;
    let deliveries = 0;
    const enough = isRepliedTo ? MOST_DELIVERIES : UNANSWERED_DELIVERIES;
    while (!socket.paused && deliveries < enough) {
      socket.deliver(input);
      deliveries++;
      if (deliveries % 7 === 0) harness.endTurn();
      most = Math.max(most, harness.bufferedBytes());
    }
    harness.endTurn();
    expect(most).toBeLessThanOrEqual(MIB + replyBytes + input.length);
    // Small replies that wait share blocks, so 1 MiB of them is what the bound says: 150 000 to a PING.
    if (isRepliedTo) expect(deliveries).toBeLessThan(enough);
    else expect(harness.bufferedBytes()).toBeLessThan(100);
  });

  test("gets everything once it reads, and the other clients never noticed", async () => {
    const harness = await FrontendHarness.open();
    harness.db.run("SET", "large", "x".repeat(100_000));
    const lazy = harness.connect();
    const other = harness.connect();
    lazy.takes = none;
    lazy.deliver(bytes(`${arrayOf("GET", "large").repeat(50)}ECHO end\r\n`));
    expect(harness.exchange(other, "PING\r\n")).toBe("+PONG\r\n");
    harness.endTurn();
    expect(lazy.paused).toBe(true);
    expect(readAll(harness, lazy)).toBe(bulk("x".repeat(100_000)).repeat(50) + bulk("end"));
    expect(lazy.paused).toBe(false);
    expect(harness.bufferedBytes()).toBe(0);
  });

  test("is disconnected after a minute without taking a byte; one that takes a little is not", async () => {
    const harness = await FrontendHarness.open();
    const [stalled, slow] = [harness.connect(), harness.connect()];
    harness.db.advance(5000);
    for (const socket of [stalled, slow]) {
      socket.takes = none;
      socket.deliver(bytes(arrayOf("ECHO", "x".repeat(1000))));
    }
    harness.endTurn();
    for (let second = 0; second < 70; second++) {
      slow.takes = (offered) => Math.min(offered, 1);
      slow.drain();
      harness.db.advance(1000);
    }
    expect(stalled.closed).toBe("terminate");
    expect(slow.closed).toBe("no");
    expect(harness.server.clientCount).toBe(1);
  });
});

describe("a pipeline with more replies than wait at once", () => {
  test("goes on by itself when the socket takes them", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    const reply = bulk("x".repeat(300_000));
    socket.deliver(bytes(arrayOf("ECHO", "x".repeat(300_000)).repeat(20)));
    expect(readAll(harness, socket)).toBe(reply.repeat(20));
  });

  test("goes on when part was taken at once, and the rest later", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    const reply = bulk("x".repeat(300_000));
    socket.takes = (offered) => offered >> 1;
    socket.deliver(bytes(arrayOf("ECHO", "x".repeat(300_000)).repeat(20)));
    harness.endTurn();
    expect(socket.read() + readAll(harness, socket)).toBe(reply.repeat(20));
  });

  test("whatever another client has announced meanwhile", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    harness.connect().deliver(bytes("*2\r\n$4\r\nECHO\r\n$500000000\r\n"));
    socket.takes = none;
    socket.deliver(bytes(arrayOf("ECHO", "x".repeat(600_000)).repeat(4)));
    harness.endTurn();
    expect(readAll(harness, socket)).toBe(bulk("x".repeat(600_000)).repeat(4));
  });
});

describe("a client that only reads from now on", () => {
  test("gets the replies to what it sent, then the end", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    socket.deliver(bytes("PING\r\nECHO a\r\nPI"));
    socket.deliverEnd();
    expect(socket.closed).toBe("no");
    harness.endTurn();
    expect(socket.read()).toBe("+PONG\r\n$1\r\na\r\n");
    expect(socket.closed).toBe("end");
    expect(harness.server.clientCount).toBe(0);
  });

  test("also those that wait for the disk", async () => {
    const harness = await FrontendHarness.open({ durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    const socket = harness.connect();
    socket.deliver(bytes("SET a 1\r\n"));
    socket.deliverEnd();
    harness.endTurn();
    expect([socket.read(), socket.closed]).toEqual(["", "no"]);
    await harness.sync();
    expect([socket.read(), socket.closed]).toEqual(["+OK\r\n", "end"]);
  });

  test("also those to commands that have not run yet", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    socket.deliver(bytes(arrayOf("ECHO", "x".repeat(600_000)).repeat(5)));
    socket.paused = false; // its end was on the way already
    socket.deliverEnd();
    expect(readAll(harness, socket)).toBe(bulk("x".repeat(600_000)).repeat(5));
    expect(socket.closed).toBe("end");
  });

  test("goes at once when it has nothing to get", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    socket.deliverEnd();
    expect(socket.closed).toBe("end");
  });
});

describe("the end of a connection", () => {
  test("after a protocol error, once all replies have left", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    socket.takes = none;
    socket.deliver(bytes("PING\r\nECHO a\r\n'\r\nSET a 1\r\n"));
    socket.deliver(bytes("SET a 1\r\n"));
    harness.endTurn();
    expect(socket.closed).toBe("no");
    let text = "";
    socket.takes = () => 3;
    while (socket.closed === "no") {
      socket.drain();
      text += socket.read();
    }
    expect(text).toBe("+PONG\r\n$1\r\na\r\n-ERR Protocol error: unbalanced quotes in request\r\n");
    expect(socket.closed).toBe("end");
    expect(harness.db.run("EXISTS", "a")).toBe(0);
  });

  test("after QUIT, without what follows", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    expect(harness.exchange(socket, "PING\r\nQUIT\r\nSET a 1\r\n")).toBe("+PONG\r\n+OK\r\n");
    expect(socket.closed).toBe("end");
    expect(harness.db.run("EXISTS", "a")).toBe(0);
  });

  test("by its own CLIENT KILL, which is answered", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    const id = harness.exchange(socket, "CLIENT ID\r\n").slice(1, -2);
    expect(harness.exchange(socket, `CLIENT KILL ID ${id} SKIPME no\r\nPING\r\n`)).toBe(":1\r\n");
    expect(socket.closed).not.toBe("no");
  });

  test("by the client, with replies of this turn and waiting ones on the way", async () => {
    for (const durability of ["none", "always"] as const) {
      const harness = await FrontendHarness.open({ durability });
      harness.db.persistence.holdsSyncs = true;
      const socket = harness.connect();
      socket.takes = none;
      socket.deliver(bytes(`${arrayOf("ECHO", "x".repeat(2 * MIB))}SET a 1\r\n`));
      socket.break();
      harness.endTurn();
      await harness.sync();
      harness.endTurn();
      expect(harness.server.clientCount).toBe(0);
      expect(harness.db.engine.sessions.size).toBe(1); // the test's own
    }
  });

  test("by a reset that only a write reveals", async () => {
    for (const isDraining of [false, true]) {
      const harness = await FrontendHarness.open();
      const socket = harness.connect();
      socket.takes = none;
      socket.deliver(bytes(arrayOf("ECHO", "x".repeat(MIB)).repeat(3)));
      if (isDraining) harness.endTurn();
      socket.isDead = true;
      if (isDraining) socket.drain();
      else harness.endTurn();
      expect(socket.closed).toBe("terminate");
      expect([harness.server.clientCount, harness.bufferedBytes()]).toEqual([0, 0]);
    }
  });

  test("by a page of the web: no word, nothing run", async () => {
    for (const head of ["POST / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: 127.0.0.1:6379\r\n"]) {
      const warnings: string[] = [];
      const harness = await FrontendHarness.open({ onWarning: (text) => warnings.push(text) });
      const socket = harness.connect();
      socket.deliver(bytes(`${head}SET a 1\r\n`));
      harness.endTurn();
      expect([socket.read(), socket.closed]).toEqual(["", "terminate"]);
      expect(harness.db.run("EXISTS", "a")).toBe(0);
      expect(warnings.length).toBe(1);
    }
  });
});

describe("silence on demand, as in Redis", () => {
  test.each([
    ["CLIENT REPLY OFF\r\nPING a\r\nCLIENT REPLY ON\r\nPING b\r\n", `+OK\r\n${bulk("b")}`],
    ["CLIENT REPLY SKIP\r\nPING a\r\nPING b\r\n", bulk("b")],
    ["CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING a\r\nPING b\r\n", bulk("b")],
    ["CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING b\r\n", `+OK\r\n${bulk("b")}`],
    ["CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nPING a\r\nPING b\r\nCLIENT REPLY ON\r\n", "+OK\r\n"],
    ["CLIENT REPLY SKIP\r\nnope\r\nPING b\r\n", bulk("b")],
    ["CLIENT REPLY OFF\r\n'\r\n", ""],
    ["CLIENT REPLY SKIP\r\n*1\r\nX\r\n", ""],
  ])("%j", async (request, reply) => {
    const harness = await FrontendHarness.open();
    for (const eachAlone of [false, true]) {
      const socket = harness.connect();
      const parts = eachAlone ? request.split(/(?<=\n)/) : [request];
      expect(parts.map((part) => harness.exchange(socket, part)).join("")).toBe(reply);
    }
  });

  test("of replies that take several buffers: what was said before stays", async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    const request = `PING\r\nCLIENT REPLY SKIP\r\n${arrayOf("ECHO", "x".repeat(3 * MIB))}PING b\r\n`;
    expect(harness.exchange(socket, request)).toBe(`+PONG\r\n${bulk("b")}`);
  });
});

describe("a password", () => {
  test("given in the same pipeline lifts the small limits", async () => {
    const harness = await FrontendHarness.open({ password: "secret" });
    const socket = harness.connect();
    const value = "x".repeat(100_000);
    const request = arrayOf("AUTH", "secret") + arrayOf("ECHO", value) + arrayOf("PING");
    expect(harness.exchange(socket, request)).toBe(`+OK\r\n${bulk(value)}+PONG\r\n`);
  });

  test("not given: the limits hold, also for what comes in pieces", async () => {
    for (const pieces of [1, 7]) {
      const harness = await FrontendHarness.open({ password: "secret" });
      const socket = harness.connect();
      const request = `PING\r\n*2\r\n$4\r\nECHO\r\n$16385\r\n`;
      for (let at = 0; at < request.length; at += request.length / pieces) {
        socket.deliver(bytes(request.slice(at, at + request.length / pieces)));
      }
      harness.endTurn();
      expect(socket.read()).toBe(
        "-NOAUTH Authentication required.\r\n-ERR Protocol error: unauthenticated bulk length\r\n",
      );
      expect(socket.closed).toBe("end");
    }
  });
});

describe("between two clients", () => {
  test("a defect in one's command is not heard by the other", async () => {
    let fails = true;
    const harness = await FrontendHarness.open({
      context: {
        dispatch: (session, args, reply) => {
          reply.bulk(Buffer.alloc(3 * MIB), 0, 3 * MIB);
          if (fails) throw new Error("a defect");
          reply.ok();
          void [session, args];
        },
      },
    });
    const [one, other] = [harness.connect(), harness.connect()];
    expect(() => one.deliver(bytes("PING\r\n"))).toThrow("a defect");
    fails = false;
    const text = harness.exchange(other, "PING\r\n");
    expect(text === `${bulk("\0".repeat(3 * MIB))}+OK\r\n`).toBe(true);
  });

  test("large inputs in pieces do not mix", async () => {
    const harness = await FrontendHarness.open();
    const sockets = ["a", "b", "c"].map((letter) => ({ letter, socket: harness.connect() }));
    const inputs = sockets.map(({ letter }) => bytes(arrayOf("ECHO", letter.repeat(200_000))));
    for (let at = 0; at < 200_100; at += 997) {
      sockets.forEach(({ socket }, index) => {
        const chunk = (inputs[index] as Buffer).subarray(at, at + 997);
        if (chunk.length > 0) socket.deliver(chunk);
      });
    }
    for (const { letter, socket } of sockets) {
      expect(readAll(harness, socket)).toBe(bulk(letter.repeat(200_000)));
    }
  });

  test("a disk that is behind pauses who writes, and lets go on when it has caught up", async () => {
    let accepts = true;
    let durable: () => void = () => {};
    const harness = await FrontendHarness.open({
      context: {
        get acceptsInput() {
          return accepts;
        },
        onDurable: (listener) => {
          durable = listener;
          return () => {};
        },
      },
    });
    const socket = harness.connect();
    accepts = false;
    expect(harness.exchange(socket, "SET a 1\r\n")).toBe("+OK\r\n");
    expect(socket.paused).toBe(true);
    accepts = true;
    durable();
    expect(socket.paused).toBe(false);
    expect(harness.exchange(socket, "GET a\r\n")).toBe("$1\r\n1\r\n");
  });
});

test.skipIf(process.env["KVDB_TEST_LONG"] !== "1")(
  "a command of over 1 GiB ends the connection (only with KVDB_TEST_LONG=1)",
  async () => {
    const harness = await FrontendHarness.open();
    const socket = harness.connect();
    const header = "*4\r\n$4\r\nMSET\r\n";
    socket.deliver(bytes(header));
    const argument = Buffer.concat([bytes("$536870912\r\n"), Buffer.alloc(2 ** 29), bytes("\r\n")]);
    for (let count = 0; count < 3; count++) {
      for (let at = 0; at < argument.length; at += 8 * MIB) {
        socket.deliver(argument.subarray(at, at + 8 * MIB));
      }
    }
    expect(socket.closed).toBe("terminate");
    expect(harness.bufferedBytes()).toBe(0);
  },
);
