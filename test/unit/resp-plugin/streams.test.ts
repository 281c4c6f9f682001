/**
 * Bytes that are no reply, sent to one client: where they stand among its replies, that a client which does not read makes its
 * sender wait, and what becomes of it as a replica.
 */
import { describe, expect, test } from "bun:test";
import { parseOutputLimits } from "../../../src/commands/output-limits-text.ts";
import type { Session } from "../../../src/session/session.ts";
import type { FakeSocket } from "./fake-socket.ts";
import { FrontendHarness, type FrontendOptions } from "./frontend-harness.ts";

interface Streamed {
  readonly harness: FrontendHarness;
  readonly socket: FakeSocket;
  readonly session: Session;
  send(text: string): void;
  /** How often all had left. */
  sent(): number;
}

async function stream(options: FrontendOptions = {}): Promise<Streamed> {
  const harness = await FrontendHarness.open(options);
  const socket = harness.connect();
  const id = Number(harness.exchange(socket, "CLIENT ID\r\n").slice(1, -2));
  const session = harness.db.engine.sessions.get(id) as Session;
  let count = 0;
  const send = session.client.beginStream?.(() => {
    count++;
  });
  return {
    ...{ harness, socket, session },
    send: (text) => send?.(Buffer.from(text), 0, text.length),
    sent: () => count,
  };
}

describe("a stream to a client", () => {
  test("leaves with the turn, behind what was replied", async () => {
    const { harness, socket, send, sent } = await stream();
    socket.deliver(Buffer.from("ECHO a\r\n"));
    send("one");
    send("two");
    expect(socket.read()).toBe("");
    harness.endTurn();
    expect(socket.read()).toBe("$1\r\na\r\nonetwo");
    expect(sent()).toBe(1);
  });

  test("leaves behind a reply that waits for the disk", async () => {
    const { harness, socket, send, sent } = await stream({ durability: "always" });
    socket.deliver(Buffer.from("SET a 1\r\n"));
    harness.endTurn();
    send("one");
    harness.endTurn();
    expect(socket.read()).toBe("");
    expect(sent()).toBe(0);
    await harness.sync();
    harness.endTurn();
    expect(socket.read()).toBe("+OK\r\none");
    expect(sent()).toBe(1);
  });

  test("is told when a slow client has taken all of it, and not before", async () => {
    const { harness, socket, session, send, sent } = await stream();
    socket.takes = () => 2;
    send("first");
    harness.endTurn();
    expect(session.client.outputBytes()).toBe(3);
    expect(sent()).toBe(0);
    socket.takes = (offered) => offered;
    socket.drain();
    expect(socket.read()).toBe("first");
    expect(session.client.outputBytes()).toBe(0);
    expect(sent()).toBe(1);
  });

  test("sends nothing to a client that is gone", async () => {
    const { harness, socket, send, session } = await stream();
    socket.break();
    send("late");
    harness.endTurn();
    expect(socket.read()).toBe("");
    expect(session.client.outputBytes()).toBe(0);
  });
});

describe("a client that is a replica", () => {
  test("has the limit on output of its class", async () => {
    const warnings: string[] = [];
    const options = { onWarning: (text: string) => warnings.push(text) };
    const { harness, socket, session, send } = await stream(options);
    const { outputLimits } = harness.db.engine;
    outputLimits.byClass = parseOutputLimits("replica 10 0 0", outputLimits.byClass);
    socket.takes = () => 0;
    send("0123456789");
    expect(socket.closed).toBe("no");
    session.isReplica = true;
    send("x");
    expect(socket.closed).toBe("terminate");
    expect(warnings).toEqual([expect.stringContaining("client-output-buffer-limit")]);
  });

  test("is told as one by CLIENT LIST, and is no ordinary client", async () => {
    const { harness, session } = await stream();
    session.isReplica = true;
    const other = harness.connect();
    const list = harness.exchange(other, "CLIENT LIST TYPE replica\r\n");
    expect(list).toContain(` flags=S `);
    expect(list).toContain(`id=${session.id} `);
    expect(harness.exchange(other, "CLIENT LIST TYPE normal\r\n")).not.toContain(
      `id=${session.id} `,
    );
    expect(harness.exchange(other, "CLIENT KILL TYPE replica\r\n")).toBe(":1\r\n");
  });

  test("may be silent for longer than others", async () => {
    const { harness, socket, session } = await stream({ settings: { timeoutSeconds: 5 } });
    const other = harness.connect();
    session.isReplica = true;
    for (let second = 0; second < 8; second++) harness.db.clock.advance(1000);
    expect(other.closed).toBe("terminate");
    expect(socket.closed).toBe("no");
  });
});
