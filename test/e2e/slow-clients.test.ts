/** U13: clients that read slowly, or not at all, delay nobody and cost little. */
import { expect, test } from "bun:test";
import { type Client, encodeCommand } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { infoNumber, Server } from "./support/server.ts";
import { SlowSocket } from "./support/slow-socket.ts";
import { Workspace } from "./support/workspace.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const MEBIBYTE = 1_048_576;
const SLOW_CLIENTS = 20;
const VALUE = "v".repeat(100_000);
const REQUESTS = Buffer.concat(Array.from({ length: 200 }, () => encodeCommand(["GET", "key"])));
/** What a client that does not read may have waiting: replies up to the bound, and one more. */
const MOST_BYTES_PER_CLIENT = 2 * MEBIBYTE;
/** Of a whole server beside its data; the replies that were asked for are 20 times as much. */
const MOST_GROWTH_BYTES = 200 * MEBIBYTE;
/** Kept by the server: a client that takes nothing for so long is disconnected. */
const STALL_MS = 60_000;

const isLinux = process.platform === "linux";

/** A busy day of another client; each command waits for the reply of the one before. */
async function roundTrips(client: Client, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    expect(await client.call("SET", `other:${i % 100}`, i)).toBe("OK");
    expect(await client.call("GET", `other:${i % 100}`)).toBe(String(i));
  }
}

async function startWithValue(workspace: Workspace): Promise<[Server, Client]> {
  const server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("SET", "key", VALUE);
  return [server, client];
}

test.skipIf(!isLinux)("U13: clients that read 1 byte a second do not delay others", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await startWithValue(workspace);
  await using server = started;
  const residentBefore = await infoNumber(client, "used_memory_rss");
  using slow = new DisposableStack();
  const sockets = Array.from({ length: SLOW_CLIENTS }, () => slow.use(new SlowSocket(server.port)));
  for (const socket of sockets) expect(socket.send(REQUESTS)).toBe(REQUESTS.length);
  let text = "";
  const reading = setInterval(() => {
    const bytes = sockets.map((socket) => socket.readByte());
    if (new Set(bytes).size === 1) text += String.fromCharCode(bytes[0] ?? 0);
  }, 1000);
  try {
    // 3 bytes of a reply: all that the slow ones get while the other one does hundreds of round trips.
    while (text.length < 3) await roundTrips(client, 100);
  } finally {
    clearInterval(reading);
  }
  expect(text).toBe("$10"); // of $100000
  expect(await infoNumber(client, "connected_clients")).toBe(SLOW_CLIENTS + 1);
  const waiting = await infoNumber(client, "mem_clients_normal");
  expect(waiting).toBeLessThan(SLOW_CLIENTS * MOST_BYTES_PER_CLIENT);
  const grown = (await infoNumber(client, "used_memory_rss")) - residentBefore;
  expect(grown).toBeLessThan(MOST_GROWTH_BYTES);
});

test.skipIf(!isLinux)("U13: who sends without end and never reads is read no more", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await startWithValue(workspace);
  await using server = started;
  using deaf = new SlowSocket(server.port);
  let taken = 0;
  let refused = 0;
  // Each time the system's buffers are full the server gets a chance to read; after enough of them it does not.
  while (refused < 100 && taken < 200 * MEBIBYTE) {
    const sent = deaf.send(REQUESTS);
    taken += sent;
    refused = sent === 0 ? refused + 1 : 0;
    await client.call("PING");
  }
  expect(refused).toBe(100);
  expect(await infoNumber(client, "mem_clients_normal")).toBeLessThan(MOST_BYTES_PER_CLIENT);
  await roundTrips(client, 200);
});

test.skipIf(!isLinux || !IS_LONG)(
  "U13: who never reads is disconnected in the end",
  async () => {
    await using workspace = await Workspace.create();
    const [started, client] = await startWithValue(workspace);
    await using server = started;
    using deaf = new SlowSocket(server.port);
    deaf.send(REQUESTS);
    const clients = () => infoNumber(client, "connected_clients");
    await until("it is connected", async () => (await clients()) === 2);
    await until("it is disconnected", async () => (await clients()) === 1, 3 * STALL_MS);
    expect(await infoNumber(client, "mem_clients_normal")).toBeLessThan(MEBIBYTE);
  },
  4 * STALL_MS,
);
