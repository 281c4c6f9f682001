/**
 * The frontend over real sockets: what only the system's own can show. A client that ends its side at once, one that is
 * told to go, one that sends and never reads, one that is gone.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../../src/platform/log.ts";
import { arrayOf } from "../resp/protocol-cases.ts";
import { FrontendHarness } from "./frontend-harness.ts";
import { converse } from "./raw-client.ts";

const MIB = 1024 * 1024;
/** Until something that must happen has happened; far more than it takes on a machine under heavy load. */
const PATIENCE_MS = 20_000;
const POLL_MS = 5;

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it did not happen");
    await Bun.sleep(POLL_MS);
  }
}

let harness: FrontendHarness;
const clients: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await harness.close();
});

async function listen(options: Parameters<typeof FrontendHarness.listen>[0] = {}): Promise<number> {
  harness = await FrontendHarness.listen(options);
  return harness.port;
}

function connectTo(port: number): Socket {
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  client.on("error", () => client.destroy());
  clients.push(client);
  return client;
}

describe("a client that sends its end with its commands", () => {
  test("gets all replies", async () => {
    const port = await listen();
    const value = "x".repeat(700_000);
    const request = `PING\r\n${arrayOf("SET", "k", value)}${arrayOf("GET", "k").repeat(10)}`;
    const { output, closed } = await converse(port, bytes(request), true);
    expect(output === `+PONG\r\n+OK\r\n${`$700000\r\n${value}\r\n`.repeat(10)}`).toBe(true);
    expect(closed).toBe(true);
    await until(() => harness.server.clientCount === 0);
  });

  test("also those that wait for the disk", async () => {
    const port = await listen({ durability: "always" });
    harness.db.persistence.holdsSyncs = true;
    const conversation = converse(port, bytes("SET a 1\r\nGET a\r\n"), true);
    // The reply is held before the turn ends, and only then the sync is asked for.
    await until(() => harness.bufferedBytes() > 0 && harness.db.persistence.waiting > 0);
    harness.db.persistence.sync();
    expect(await conversation).toEqual({ output: "+OK\r\n$1\r\n1\r\n", closed: true });
  });
});

describe("a client that is told to go", () => {
  test.each([
    ["PING\r\nQUIT\r\n", "+PONG\r\n+OK\r\n"],
    ["PING\r\n*1\r\n$x\r\n", "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n"],
    ["PING\r\nPOST / HTTP/1.1\r\n\r\n", ""],
  ])("%j: hears why", async (request, reply) => {
    const port = await listen();
    expect(await converse(port, bytes(request), false)).toEqual({ output: reply, closed: true });
    await until(() => harness.server.clientCount === 0);
  });
});

describe("a client that sends and never reads", () => {
  test("is not read from any more; others are served; it gets everything in the end", async () => {
    const port = await listen();
    const lazy = connectTo(port);
    lazy.pause();
    const value = "x".repeat(100_000);
    const request = bytes(arrayOf("ECHO", value));
    const count = 600;
    for (let sent = 0; sent < count; sent++) lazy.write(request);
    await until(() => harness.bufferedBytes() > MIB);
    for (let count = 0; count < 50; count++) {
      const { output } = await converse(port, bytes("PING\r\n"), true);
      expect(output).toBe("+PONG\r\n");
      expect(harness.bufferedBytes()).toBeLessThan(2 * MIB);
    }
    expect(lazy.writableLength).toBeGreaterThan(0);

    let received = 0;
    lazy.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    lazy.resume();
    await until(() => received === count * (value.length + 11));
    expect(harness.bufferedBytes()).toBe(0);
  });

  test("and is gone then: nothing of it stays", async () => {
    const port = await listen();
    const lazy = connectTo(port);
    lazy.pause();
    const request = bytes(arrayOf("ECHO", "x".repeat(100_000)));
    for (let sent = 0; sent < 200; sent++) lazy.write(request);
    await until(() => harness.bufferedBytes() > MIB);
    lazy.resetAndDestroy();
    await until(() => harness.server.clientCount === 0);
    expect(harness.bufferedBytes()).toBe(0);
  });

  test("the turn of one that asks for much does not wait for it: 100 clients, one lazy", async () => {
    const port = await listen();
    const lazy = connectTo(port);
    lazy.pause();
    lazy.write(bytes(arrayOf("ECHO", "x".repeat(MIB)).repeat(20)));
    const replies = Array.from({ length: 100 }, () => converse(port, bytes("PING\r\n"), true));
    for (const { output } of await Promise.all(replies)) expect(output).toBe("+PONG\r\n");
  });
});

test("a command of 10 MB, and one of 100 000 arguments", async () => {
  const port = await listen();
  const large = "x".repeat(10_000_000);
  const { output } = await converse(
    port,
    bytes(arrayOf("SET", "k", large) + arrayOf("STRLEN", "k")),
    true,
  );
  expect(output).toBe("+OK\r\n:10000000\r\n");
  const keys = Array.from({ length: 100_000 }, (_, index) => `key${index}`);
  expect((await converse(port, bytes(arrayOf("EXISTS", ...keys)), true)).output).toBe(":0\r\n");
});

test("a unix socket, also over one that a crash left behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kvdb-resp-"));
  try {
    const path = join(folder, "kvdb.sock");
    harness = await FrontendHarness.listen({ settings: { port: 0, unixsocket: path } });
    const client = connect({ path, allowHalfOpen: true });
    clients.push(client);
    let output = "";
    client.on("data", (chunk: Buffer) => {
      output += chunk.toString("latin1");
    });
    client.end("PING\r\nQUIT\r\n");
    await until(() => output === "+PONG\r\n+OK\r\n");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("an orderly stop: replies leave, also those that wait for the disk, then everybody is sent home", async () => {
  const port = await listen({ durability: "always" });
  harness.db.persistence.holdsSyncs = true;
  const conversation = converse(port, bytes("SET a 1\r\n"), false);
  await until(() => harness.bufferedBytes() > 0 && harness.db.persistence.waiting > 0);
  const closing = harness.close(1000);
  harness.db.persistence.sync();
  await until(() => {
    harness.db.clock.advance(1);
    return harness.server.clientCount === 0;
  });
  harness.db.clock.advance(10);
  await closing;
  expect(await conversation).toEqual({ output: "+OK\r\n", closed: true });
});

describe("a defect on the way of a command", () => {
  test("costs its connection alone, and is told", async () => {
    const lines: string[] = [];
    const error = (message: string, fields: object = {}) => {
      lines.push(`${message} ${JSON.stringify(fields)}`);
    };
    const dispatch = () => {
      throw new TypeError("a way that nobody thought of");
    };
    const port = await listen({ context: { dispatch, log: { ...silentLog, error } } });
    const { output, closed } = await converse(port, bytes("PING\r\n"), false);
    expect(output).toBe("");
    expect(closed).toBe(true);
    expect(lines).toEqual([expect.stringContaining("a way that nobody thought of")]);
    await until(() => harness.server.clientCount === 0);
  });
});
