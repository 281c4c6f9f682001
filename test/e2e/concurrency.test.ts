/** Many clients at once: nothing is lost, nothing is mixed up. */
import { expect, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const CONNECTIONS = 1000;
const DEPTH = 100;
const COUNTING_CLIENTS = 20;
const INCREMENTS = 1000;
const MIXING_CLIENTS = 50;
const MIXING_ROUNDS = 100;

function connectAll(server: Server, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => server.connect()));
}

test("U5: 1 000 connections, each with 100 commands at once, get their own replies", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const clients = await connectAll(server, CONNECTIONS);
  expect(await infoNumber(clients[0] as Client, "connected_clients")).toBe(CONNECTIONS);
  const replies = await Promise.all(
    clients.map((client, number) => {
      const pairs = Array.from({ length: DEPTH / 2 }, (_, i) => [
        ["SET", `${number}:${i}`, `value ${number} ${i}`],
        ["GET", `${number}:${i}`],
      ]);
      return client.pipeline(pairs.flat());
    }),
  );
  const expected = clients.map((_, number) =>
    Array.from({ length: DEPTH / 2 }, (_, i) => ["OK", `value ${number} ${i}`]).flat(),
  );
  expect(replies).toEqual(expected);
  expect(await clients[0]?.call("DBSIZE")).toBe((CONNECTIONS * DEPTH) / 2);
});

test("V12: 20 clients that increment 1 000 times make 20 000, each number told once", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const clients = await connectAll(server, COUNTING_CLIENTS);
  const told = await Promise.all(
    clients.map(async (client) => {
      const numbers: number[] = [];
      for (let i = 0; i < INCREMENTS; i++) numbers.push(Number(await client.call("INCR", "n")));
      return numbers;
    }),
  );
  const total = COUNTING_CLIENTS * INCREMENTS;
  expect(await clients[0]?.call("GET", "n")).toBe(String(total));
  expect(new Set(told.flat()).size).toBe(total);
  for (const numbers of told) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
});

test("V12: the same by pipelines of 1 000", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const clients = await connectAll(server, COUNTING_CLIENTS);
  const commands = Array.from({ length: INCREMENTS }, () => ["INCR", "n"]);
  const told = await Promise.all(clients.map((client) => client.pipeline(commands)));
  const total = COUNTING_CLIENTS * INCREMENTS;
  expect(await clients[0]?.call("GET", "n")).toBe(String(total));
  expect(new Set(told.flat()).size).toBe(total);
});

test("R18: 50 clients that read and write at once lose no update, and see none go back", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const clients = await connectAll(server, MIXING_CLIENTS);
  await Promise.all(
    clients.map(async (client, number) => {
      let seen = 0;
      for (let round = 0; round < MIXING_ROUNDS; round++) {
        const replies = await client.pipeline([
          ["INCR", "shared"],
          ["RPUSH", "list", `${number}:${round}`],
          ["SET", `own:${number}`, String(round)],
          ["GET", "shared"],
          ["GET", `own:${number}`],
        ]);
        const [increased, , , shared, own] = replies.map(Number);
        expect(increased).toBeGreaterThan(seen);
        expect(shared).toBeGreaterThanOrEqual(increased as number);
        expect(own).toBe(round);
        seen = shared as number;
      }
    }),
  );
  const [client] = clients as [Client];
  expect(await client.call("GET", "shared")).toBe(String(MIXING_CLIENTS * MIXING_ROUNDS));
  const list = (await client.call("LRANGE", "list", "0", "-1")) as string[];
  for (let number = 0; number < MIXING_CLIENTS; number++) {
    const own = list.filter((item) => item.startsWith(`${number}:`));
    expect(own).toEqual(Array.from({ length: MIXING_ROUNDS }, (_, round) => `${number}:${round}`));
  }
  expect(list).toHaveLength(MIXING_CLIENTS * MIXING_ROUNDS);
});
