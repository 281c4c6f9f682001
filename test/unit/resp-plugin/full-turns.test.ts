/** Turns that are full: the rest of the input waits for the next one, in order; and times in which no writes are accepted. */
import { describe, expect, test } from "bun:test";
import { arrayOf } from "../resp/protocol-cases.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { FrontendHarness, type FrontendOptions } from "./frontend-harness.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const MIB = 1024 * 1024;

/** A frontend whose turns are full after so many commands. */
async function open(most: number) {
  const turn = { most, commands: 0 };
  const order: string[] = [];
  const harness: FrontendHarness = await FrontendHarness.open({
    context: {
      get turnIsFull() {
        return turn.commands >= turn.most;
      },
      dispatch: (session, args, reply) => {
        turn.commands++;
        order.push(args.text(1));
        harness.db.engine.dispatch(session, args, reply);
      },
    },
  });
  const endTurn = () => {
    turn.commands = 0;
    harness.endTurn();
  };
  return { harness, order, turn, endTurn };
}

const echoes = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `ECHO ${name}${index}\r\n`).join("");

const repliesOf = (socket: FakeSocket) =>
  socket
    .read()
    .split("\r\n")
    .filter((line) => !line.startsWith("$") && line !== "");

describe("a turn that is full", () => {
  test("leaves the rest of a pipeline to the next ones", async () => {
    const { harness, endTurn } = await open(3);
    const socket = harness.connect();
    socket.deliver(bytes(echoes("a", 8)));
    const turns: string[][] = [];
    for (let count = 0; count < 4; count++) {
      endTurn();
      turns.push(repliesOf(socket));
    }
    expect(turns).toEqual([["a0", "a1", "a2"], ["a3", "a4", "a5"], ["a6", "a7"], []]);
    expect(socket.paused).toBe(false);
    expect(harness.bufferedBytes()).toBe(0);
  });

  test("who has waited goes first, who fills it again goes last", async () => {
    const { harness, order, endTurn } = await open(3);
    const [a, b, c] = [harness.connect(), harness.connect(), harness.connect()];
    a.deliver(bytes(echoes("a", 10)));
    b.deliver(bytes(echoes("b", 4)));
    c.deliver(bytes(echoes("c", 1)));
    a.deliver(bytes("ECHO a-more\r\n"));
    for (let count = 0; count < 10; count++) endTurn();
    expect(order).toEqual([
      ...["a0", "a1", "a2", "a3", "a4", "a5"],
      ...["b0", "b1", "b2", "c0", "a6", "a7"],
      ...["b3", "a8", "a9", "a-more"],
    ]);
  });

  test("what comes meanwhile is kept, within a bound, and runs later", async () => {
    const { harness, turn, endTurn } = await open(0);
    const socket = harness.connect();
    const chunk = bytes("ECHO x\r\n".repeat(5000));
    let count = 0;
    for (; !socket.paused && count < 1000; count++) {
      socket.deliver(chunk);
      endTurn();
    }
    expect(socket.read()).toBe("");
    expect(harness.bufferedBytes()).toBeLessThan(MIB + 2 * chunk.length);
    turn.most = 1_000_000;
    let replies = 0;
    for (let turns = 0; turns < 1000 && replies < 5000 * count; turns++) {
      endTurn();
      replies += repliesOf(socket).length;
    }
    expect([replies, socket.paused]).toEqual([5000 * count, false]);
  });

  test("commands in pieces are put together", async () => {
    const { harness, endTurn } = await open(1);
    const socket = harness.connect();
    const input = echoes("a", 3);
    for (const byte of bytes(input)) socket.deliver(Uint8Array.of(byte));
    const replies: string[] = [];
    for (let count = 0; count < 4; count++) {
      endTurn();
      replies.push(...repliesOf(socket));
    }
    expect(replies).toEqual(["a0", "a1", "a2"]);
  });

  test("a client that sends nothing more gets its replies, then the end", async () => {
    const { harness, endTurn } = await open(1);
    const socket = harness.connect();
    socket.deliver(bytes(echoes("a", 3)));
    socket.deliverEnd();
    const replies: string[] = [];
    for (let count = 0; count < 4; count++) {
      expect(socket.closed).toBe(count < 3 ? "no" : "end");
      endTurn();
      replies.push(...repliesOf(socket));
    }
    expect(replies).toEqual(["a0", "a1", "a2"]);
  });

  test("a client that is gone is forgotten, and the next in line goes on", async () => {
    const { harness, order, endTurn } = await open(1);
    const [gone, other] = [harness.connect(), harness.connect()];
    gone.deliver(bytes(echoes("a", 3)));
    other.deliver(bytes(echoes("b", 1)));
    gone.break();
    endTurn();
    expect(order).toEqual(["a0", "b0"]);
    expect(harness.server.clientCount).toBe(1);
  });

  test("a command that answers later stands before all that was kept", async () => {
    const { harness, order, endTurn } = await open(1);
    const socket = harness.connect();
    harness.db.addCoreCommand("SLOW", (session) => {
      session.answerLater().settle((reply) => reply.text("slow"));
    });
    socket.deliver(bytes(`ECHO a\r\nSLOW x\r\nECHO b\r\n`));
    const replies: string[] = [];
    for (let count = 0; count < 6; count++) {
      endTurn();
      replies.push(...repliesOf(socket));
    }
    expect(replies).toEqual(["a", "slow", "b"]);
    expect(order).toEqual(["a", "x", "b"]);
  });
});

describe("while no writes are accepted", () => {
  async function refusing(options: FrontendOptions = {}) {
    let accepts = false;
    const harness = await FrontendHarness.open({
      ...options,
      context: {
        get acceptsWrites() {
          return accepts;
        },
      },
    });
    const accept = (now: boolean) => {
      accepts = now;
      harness.endTurn();
    };
    return { harness, accept };
  }

  test.each(["none", "always"] as const)(
    "mode %s: who writes pauses, who reads goes on",
    async (durability) => {
      const { harness, accept } = await refusing({ durability });
      const [writer, reader] = [harness.connect(), harness.connect()];
      writer.deliver(bytes("GET k\r\nSET k 1\r\nGET k\r\nSET k 2\r\n"));
      harness.endTurn();
      await harness.sync();
      expect(writer.read()).toBe("$-1\r\n+OK\r\n$1\r\n1\r\n+OK\r\n"); // what it had sent runs
      expect(writer.paused).toBe(true);
      for (let count = 0; count < 3; count++) {
        expect(harness.exchange(reader, "GET k\r\nDEL none\r\n")).toBe("$1\r\n2\r\n:0\r\n");
      }
      expect([writer.paused, reader.paused]).toEqual([true, false]);
      accept(true);
      expect(writer.paused).toBe(false);
      expect(harness.exchange(writer, "GET k\r\n")).toBe("$1\r\n2\r\n");
      accept(false);
      expect(harness.exchange(writer, "GET k\r\n")).toBe("$1\r\n2\r\n");
      expect(writer.paused).toBe(false); // it has not written since
      harness.exchange(writer, "DEL k\r\n");
      expect(writer.paused).toBe(true);
    },
  );

  test("a client that is silent writes too", async () => {
    const { harness } = await refusing();
    const socket = harness.connect();
    harness.exchange(socket, "CLIENT REPLY OFF\r\nSET k 1\r\n");
    expect(socket.paused).toBe(true);
  });

  test("a writer whose replies nobody reads goes on when both are over", async () => {
    const { harness, accept } = await refusing();
    const socket = harness.connect();
    socket.takes = () => 0;
    socket.deliver(bytes(`SET k 1\r\n${arrayOf("ECHO", "x".repeat(2 * MIB))}`));
    harness.endTurn();
    expect(socket.paused).toBe(true);
    accept(true);
    expect(socket.paused).toBe(true);
    socket.takes = (offered) => offered;
    socket.drain();
    expect(socket.paused).toBe(false);
  });
});
