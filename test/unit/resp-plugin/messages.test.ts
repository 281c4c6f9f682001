/**
 * What is pushed to a client that did not ask: where it stands among the client's own replies, what it waits for, that it is
 * encoded once for many, and what becomes of a client that does not read it.
 */
import { describe, expect, test } from "bun:test";
import { parseOutputLimits } from "../../../src/commands/output-limits-text.ts";
import type { Session } from "../../../src/session/session.ts";
import { arrayOf } from "../resp/protocol-cases.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { FrontendHarness, type FrontendOptions } from "./frontend-harness.ts";

const MIB = 1024 * 1024;
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const push2 = (text: string): string => `*1\r\n${bulk(text)}`;
const push3 = (text: string): string => `>1\r\n${bulk(text)}`;

/** Messages that were written, so that a test can count how often. */
let written = 0;

/**
 * A frontend with the command `TELL text hold id …`, which pushes the text to those sessions and then answers OK. Hold `last`
 * is the revision of the last change.
 */
async function open(options: FrontendOptions = {}): Promise<FrontendHarness> {
  const harness = await FrontendHarness.open(options);
  harness.db.addCoreCommand(
    "TELL",
    (session, args, reply) => {
      const text = args.text(1);
      const hold = args.text(2) === "last" ? harness.db.engine.disk.lastRevision : args.integer(2);
      const write = (to: typeof reply) => {
        written++;
        to.push(1);
        to.text(text);
      };
      for (let i = 3; i < args.count; i++) {
        session.server.sessions.get(args.integer(i))?.client.push?.(write, hold);
      }
      reply.ok();
    },
    { flags: ["loading"] },
  );
  return harness;
}

function idOf(harness: FrontendHarness, socket: FakeSocket): number {
  return Number(harness.exchange(socket, "CLIENT ID\r\n").slice(1, -2));
}

function sessionOf(harness: FrontendHarness, id: number): Session {
  return harness.db.engine.sessions.get(id) as Session;
}

function allow({ db }: FrontendHarness, limits: string): void {
  const { outputLimits } = db.engine;
  outputLimits.byClass = parseOutputLimits(limits, outputLimits.byClass);
}

describe("a message stands among the replies of its client", () => {
  test("behind those before it, before those after it, all in one write", async () => {
    const harness = await open();
    const [one, other] = [harness.connect(), harness.connect()];
    const id = idOf(harness, one);
    one.deliver(bytes("ECHO a\r\n"));
    other.deliver(bytes(`TELL m 0 ${id}\r\n`));
    one.deliver(bytes("ECHO b\r\n"));
    let writes = 0;
    one.takes = (offered) => {
      writes++;
      return offered;
    };
    harness.endTurn();
    expect(one.read()).toBe(`${bulk("a")}${push2("m")}${bulk("b")}`);
    expect(writes).toBe(1);
  });

  test("behind the reply in hand, when it is to the one who runs it", async () => {
    const harness = await open();
    const socket = harness.connect();
    const id = idOf(harness, socket);
    const input = `ECHO a\r\nTELL m 0 ${id} ${id}\r\nECHO b\r\nTELL n 0 ${id}\r\nECHO c\r\n`;
    expect(harness.exchange(socket, input)).toBe(
      `${bulk("a")}+OK\r\n${push2("m").repeat(2)}${bulk("b")}+OK\r\n${push2("n")}${bulk("c")}`,
    );
  });

  test("in the middle of a pipeline larger than a buffer", async () => {
    const harness = await open();
    const socket = harness.connect();
    const id = idOf(harness, socket);
    const large = "x".repeat(400_000);
    const echo = arrayOf("ECHO", large);
    const text = harness.exchange(socket, `${echo}${echo}TELL m 0 ${id}\r\n${echo}`);
    expect(text === `${bulk(large).repeat(2)}+OK\r\n${push2("m")}${bulk(large)}`).toBe(true);
  });

  test("to a client that waits for its own reply", async () => {
    const harness = await open();
    const [one, other] = [harness.connect(), harness.connect()];
    const id = idOf(harness, one);
    harness.exchange(one, "BLPOP list 0\r\n");
    harness.exchange(other, `TELL m 0 ${id}\r\n`);
    expect(one.read()).toBe(push2("m"));
    harness.exchange(other, "RPUSH list a\r\n");
    harness.endTurn();
    expect(one.read()).toBe(`*2\r\n${bulk("list")}${bulk("a")}`);
  });

  test("though the client silenced its replies", async () => {
    const harness = await open();
    const socket = harness.connect();
    const id = idOf(harness, socket);
    const input = `CLIENT REPLY OFF\r\nECHO a\r\nTELL m 0 ${id}\r\nECHO b\r\nCLIENT REPLY ON\r\n`;
    expect(harness.exchange(socket, input)).toBe(`${push2("m")}+OK\r\n`);
  });

  test("not behind QUIT, and not once the client is gone", async () => {
    const harness = await open();
    const [quits, gone, other] = [harness.connect(), harness.connect(), harness.connect()];
    const ids = [idOf(harness, quits), idOf(harness, gone)];
    quits.takes = () => 0;
    harness.exchange(quits, "QUIT\r\n");
    const { client } = sessionOf(harness, ids[1] as number);
    gone.break();
    client.push?.((reply) => reply.push(0), 0);
    harness.exchange(other, `TELL m 0 ${ids.join(" ")}\r\n`);
    quits.takes = (offered) => offered;
    quits.drain();
    expect([quits.read(), quits.closed, gone.read()]).toEqual(["+OK\r\n", "end", ""]);
    expect(harness.bufferedBytes()).toBe(0);
  });
});

describe("a message to many", () => {
  test("is written once for each protocol, and everybody gets it in his own", async () => {
    const harness = await open();
    const sockets = Array.from({ length: 100 }, () => harness.connect());
    sockets.forEach((socket, index) => {
      if (index % 2 === 0) harness.exchange(socket, "HELLO 3\r\n");
    });
    const ids = sockets.map((socket) => idOf(harness, socket)).join(" ");
    const publisher = harness.connect();
    written = 0;
    harness.exchange(publisher, `TELL m 0 ${ids}\r\nTELL n 0 ${ids}\r\n`);
    expect(written).toBe(4);
    sockets.forEach((socket, index) => {
      const push = index % 2 === 0 ? push3 : push2;
      expect(socket.read()).toBe(push("m") + push("n"));
    });
  });

  test("that is larger than a buffer arrives whole", async () => {
    const harness = await open();
    const sockets = [harness.connect(), harness.connect()];
    const ids = sockets.map((socket) => idOf(harness, socket));
    const large = "x".repeat(3 * MIB);
    const message = arrayOf("TELL", large, "0", ...ids.map(String));
    harness.exchange(harness.connect(), `${message}TELL m 0 ${ids.join(" ")}\r\n`);
    for (const socket of sockets) expect(socket.read() === push2(large) + push2("m")).toBe(true);
  });
});

describe("a message that tells of what is not durable", () => {
  test("waits for it, as do the replies and messages behind it", async () => {
    const harness = await open({ durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    const [writer, reader] = [harness.connect(), harness.connect()];
    const id = idOf(harness, reader);
    harness.exchange(writer, `SET k 1\r\nTELL m last ${id}\r\nTELL n 0 ${id}\r\n`);
    expect(harness.exchange(reader, "ECHO a\r\n")).toBe("");
    await harness.sync();
    expect(reader.read()).toBe(`${push2("m")}${push2("n")}${bulk("a")}`);
  });

  test("goes on to wait when the disk refuses, and replies behind it do not", async () => {
    const harness = await open({ durability: "always" });
    const { persistence } = harness.db;
    persistence.holdsSyncs = true;
    const [writer, reader] = [harness.connect(), harness.connect()];
    const id = idOf(harness, reader);
    harness.exchange(writer, `SET k 1\r\nTELL m last ${id} ${idOf(harness, writer)}\r\n`);
    persistence.refuse(new Error("no space left"));
    await harness.sync();
    expect(harness.exchange(reader, "PING\r\n")).toBe("+PONG\r\n");
    expect(writer.read()).toMatch(/^-MISCONF [^\r]+\r\n\+OK\r\n$/);
    harness.db.advance(1000); // the disk is asked again, and works
    await harness.sync();
    expect(reader.read()).toBe(push2("m"));
    expect(writer.read()).toBe(push2("m"));
  });
});

describe("a client that does not read its messages", () => {
  async function subscriber(options: FrontendOptions = {}) {
    const warnings: string[] = [];
    const harness = await open({ ...options, onWarning: (text) => warnings.push(text) });
    const socket = harness.connect();
    const id = idOf(harness, socket);
    harness.exchange(socket, "SUBSCRIBE c\r\n");
    socket.takes = () => 0;
    const tell = (size: number) => {
      harness.exchange(harness.connect(), arrayOf("TELL", "x".repeat(size), "0", String(id)));
    };
    return { harness, socket, id, tell, warnings };
  }

  test("is disconnected beyond the hard limit, logged and counted", async () => {
    const { harness, socket, tell, warnings } = await subscriber();
    allow(harness, "pubsub 4mb 0 0");
    for (let i = 0; i < 3; i++) tell(MIB);
    expect(socket.closed).toBe("no");
    tell(MIB);
    expect(socket.closed).toBe("terminate");
    expect(warnings.length).toBe(1);
    expect(harness.db.engine.statistics.outputLimitDisconnections).toBe(1);
    expect(harness.bufferedBytes()).toBe(0);
  });

  test("is disconnected when it was beyond the soft limit for too long, also when nothing more comes", async () => {
    for (const comesMore of [true, false]) {
      const { harness, socket, tell } = await subscriber();
      allow(harness, "pubsub 0 1mb 10");
      harness.db.advance(1);
      tell(MIB);
      for (let second = 0; second < 10; second++) harness.db.advance(1000);
      if (comesMore) tell(1);
      expect(socket.closed).toBe("no");
      harness.db.advance(1000);
      expect(socket.closed).toBe("terminate");
    }
  });

  test("stays when it fell below the soft limit in between", async () => {
    const { harness, socket, tell } = await subscriber();
    allow(harness, "pubsub 0 1mb 10");
    harness.db.advance(1);
    for (let round = 0; round < 5; round++) {
      tell(MIB);
      harness.db.advance(6000);
      socket.takes = (offered) => (offered + 1) >> 1;
      while (harness.bufferedBytes() > MIB / 2) socket.drain();
      tell(1);
      socket.takes = () => 0;
    }
    expect(socket.closed).toBe("no");
  });

  test("gets thousands of small ones in order once it reads", async () => {
    const { harness, socket, id } = await subscriber();
    const publisher = harness.connect();
    let expected = "";
    for (let i = 0; i < 5000; i++) {
      harness.exchange(publisher, `TELL message-${i} 0 ${id}\r\n`);
      expected += push2(`message-${i}`);
    }
    let text = "";
    socket.takes = (offered) => Math.min(offered, 7000);
    while (socket.wantsDrain) {
      socket.drain();
      text += socket.read();
    }
    expect(text).toBe(expected);
    expect(harness.bufferedBytes()).toBe(0);
  });
});
