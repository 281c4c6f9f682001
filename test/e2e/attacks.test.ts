/**
 * What an attacker, or a client with a defect, can do to a server: each is answered or sent home, memory stays within the
 * bounds of docs/limits.md, and others are served meanwhile. Clients that do not read: slow-clients.test.ts.
 */
import { expect, test } from "bun:test";
import { type Client, ReplyError } from "./support/client.ts";
import { Crowd } from "./support/crowd.ts";
import { until } from "./support/poll.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
/** A server that has nothing to keep of what it was sent grows by buffers and connections alone. */
const FEW_BYTES = 100 * MEBIBYTE;
const UNSYNCED = ["--appendfsync", "no"];

async function start(
  workspace: Workspace,
  args: readonly string[] = [],
): Promise<[Server, Client]> {
  const server = await Server.start(workspace, { args: [...UNSYNCED, ...args] });
  return [server, await server.connect()];
}

/** Whoever behaves is answered, while the others do what they do. */
async function expectService(client: Client): Promise<void> {
  for (let i = 0; i < 100; i++) {
    expect(await client.call("SET", `served:${i}`, i)).toBe("OK");
    expect(await client.call("GET", `served:${i}`)).toBe(String(i));
  }
}

const resident = (client: Client) => infoNumber(client, "used_memory_rss");

test("10 000 connections with half a command each, which then send a byte at a time", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await start(workspace);
  await using server = started;
  const before = await resident(client);
  using crowd = await Crowd.open(server.port, 9_990);
  for (const part of ["*2\r\n$3\r\nGET\r\n$1", "0", "\r", "\n", "k"]) {
    crowd.say(part);
    await expectService(client);
  }
  expect(await infoNumber(client, "connected_clients")).toBe(9_991);
  expect((await resident(client)) - before).toBeLessThan(2 * FEW_BYTES);
  crowd.say("ey:123456\r\n");
  await until("each is answered", () => crowd.heardBytes === 9_990 * "$-1\r\n".length);
});

test("more connections than maxclients: told so and closed, those inside are served", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await start(workspace, ["--maxclients", "50"]);
  await using server = started;
  using crowd = await Crowd.open(server.port, 200);
  await until("the others are closed", () => crowd.closedCount === 151);
  expect(crowd.firstWords).toBe("-ERR max number of clients reached\r\n");
  await expectService(client);
});

test("more connections than the system lets a process have: the same, and files can still be opened", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, {
    through: ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"],
    args: UNSYNCED,
  });
  expect(server.log).toContain("maxclients is lowered");
  const client = await server.connect();
  expect(await client.call("CONFIG", "GET", "maxclients")).toEqual(["maxclients", "192"]);
  const asked = await client.ask("CONFIG", "SET", "maxclients", "500");
  expect(String(asked)).toContain("try with 192");
  using crowd = await Crowd.open(server.port, 300);
  await until("the others are closed", () => crowd.closedCount === 300 - 191);
  await expectService(client);
  expect(await client.call("SAVE")).toBe("OK");
});

test("values announced by hundreds that never come take no memory", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await start(workspace);
  await using server = started;
  const before = await resident(client);
  using crowd = await Crowd.open(server.port, 500);
  crowd.say("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$536870912\r\n");
  await expectService(client);
  crowd.say("some of it");
  await expectService(client);
  using many = await Crowd.open(server.port, 500);
  many.say("*2147483647\r\n$3\r\nDEL\r\n");
  await expectService(client);
  expect((await resident(client)) - before).toBeLessThan(FEW_BYTES);
});

test("more than may be announced is an error, and the end of the connection", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await start(workspace);
  await using server = started;
  using tooLong = await Crowd.open(server.port, 100);
  tooLong.say("*2\r\n$3\r\nGET\r\n$1073741824\r\n");
  await until("all are closed", () => tooLong.closedCount === 100);
  expect(tooLong.firstWords).toBe("-ERR Protocol error: invalid bulk length\r\n");
  using tooMany = await Crowd.open(server.port, 100);
  tooMany.say("*2147483648\r\n");
  await until("all are closed", () => tooMany.closedCount === 100);
  expect(tooMany.firstWords).toBe("-ERR Protocol error: invalid multibulk length\r\n");
  await expectService(client);
});

test("lines without an end", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await start(workspace);
  await using server = started;
  using crowd = await Crowd.open(server.port, 100);
  for (let sent = 0; sent < 70; sent++) crowd.say("x".repeat(KIBIBYTE));
  await until("all are closed", () => crowd.closedCount === 100);
  expect(crowd.firstWords).toBe("-ERR Protocol error: too big inline request\r\n");
  await expectService(client);
});

test("a command of a million arguments is one like others", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await start(workspace);
  await using _ = started;
  const pairs = Array.from({ length: 500_000 }, (_, i) => [`key:${i}`, String(i)]).flat();
  expect(await client.pipeline([["MSET", ...pairs]])).toEqual(["OK"]);
  expect(await client.call("DBSIZE")).toBe(500_000);
  const keys = Array.from({ length: 1_000_000 }, (_, i) => `key:${i}`);
  expect(await client.pipeline([["DEL", ...keys]])).toEqual([500_000]);
  await expectService(client);
});

test("values, filters and paths within one another without end are errors", async () => {
  await using workspace = await Workspace.create();
  const [started, client] = await start(workspace);
  await using _ = started;
  const depth = 1_000_000;
  const attempts = [
    ["JSON.SET", "doc", "$", "[".repeat(depth) + "]".repeat(depth)],
    ["VALUE.SET", "doc", `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`],
    ["JSON.GET", "doc", `$${"[?(@.a".repeat(50_000)}`],
    ["JSON.GET", "doc", `$${"..a".repeat(500_000)}`],
    ["FIND", `${"(".repeat(depth)}a = 1${")".repeat(depth)}`],
    ["FIND", `${"not ".repeat(depth)}a = 1`],
  ];
  await client.call("JSON.SET", "doc", "$", '{"a":1}');
  for (const attempt of attempts) {
    expect(await client.ask(...(attempt as [string, ...string[]]))).toBeInstanceOf(ReplyError);
  }
  expect(await client.call("JSON.GET", "doc")).toBe('{"a":1}');
  await expectService(client);
});

test("who has not given the password can neither send much nor stay with it", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, {
    password: "a secret",
    args: UNSYNCED,
  });
  const client = await server.connect();
  const before = await resident(client);
  using long = await Crowd.open(server.port, 1_000);
  long.say("*2\r\n$4\r\nAUTH\r\n$536870912\r\n");
  using many = await Crowd.open(server.port, 1_000);
  many.say("*1000000\r\n");
  await until("all are closed", () => long.closedCount + many.closedCount === 2_000);
  expect(long.firstWords).toBe("-ERR Protocol error: unauthenticated bulk length\r\n");
  expect(many.firstWords).toBe("-ERR Protocol error: unauthenticated multibulk length\r\n");
  using guessing = await Crowd.open(server.port, 100);
  for (let guess = 0; guess < 100; guess++) {
    guessing.say(`*2\r\n$4\r\nAUTH\r\n$5\r\n${10_000 + guess}\r\n*1\r\n$4\r\nPING\r\n`);
  }
  await expectService(client);
  const answer =
    "-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH Authentication required.\r\n";
  await until("each guess is answered", () => guessing.heardBytes === 100 * 100 * answer.length);
  expect((await resident(client)) - before).toBeLessThan(FEW_BYTES);
});
