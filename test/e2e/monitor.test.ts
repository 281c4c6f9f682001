/** MONITOR and CLIENT PAUSE through sockets, beside redis-server where it is there. */
import { expect, test } from "bun:test";
import type { Client } from "./support/client.ts";
import { until, within } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { cleanEnvironment } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { SlowSocket } from "./support/slow-socket.ts";
import { Workspace } from "./support/workspace.ts";

const COMMANDS: readonly (readonly (string | Uint8Array)[])[] = [
  ["set", 'a"\\\n\r\t\u0007\b', Buffer.from([0, 31, 32, 126, 127, 128, 255])],
  ["GET", ""],
  ["GET"],
  ["NOPE"],
  ["LPUSH", "list", "a", "b"],
  ["INCR", "list"],
  ["AUTH", "name", "secret"],
  ["HELLO", "3", "AUTH", "default", "secret"],
  ["CONFIG", "GET", "port"],
  ["CLIENT", "SETNAME", "x"],
  ["CLIENT", "LIST"],
  ["MULTI"],
  ["incr", "n"],
  ["GET", "list"],
  ["EXEC"],
  ["MULTI"],
  ["DISCARD"],
  ["select", "3"],
  ["PING", "hello"],
  ["ECHO", "the end"],
];

/** Lines without their time and address. */
async function linesOf(monitor: Client, client: Client): Promise<string[]> {
  expect(await monitor.call("MONITOR")).toBe("OK");
  for (const command of COMMANDS) await client.ask(...command);
  const isLast = (line: unknown) => String(line).includes("the end");
  await until("the last line", () => monitor.unasked.some(isLast));
  return monitor.unasked.map((line) => {
    expect(String(line)).toMatch(/^\d{10}\.\d{6} \[\d 127\.0\.0\.1:\d+\] "/);
    return String(line).replace(/^\S+ \[(\d) \S+\]/, "[$1]");
  });
}

test("MONITOR shows what redis-server shows", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const lines = await linesOf(await server.connect(), await server.connect());
  expect(lines).toContain('[0] "LPUSH" "list" "a" "b"');
  expect(lines.join("\n")).not.toContain("secret");
  if (REDIS === null) return;
  await using redis = await Redis.start(workspace);
  expect(lines).toEqual(await linesOf(await redis.connect(), await redis.connect()));
});

test("who monitors and does not read is disconnected", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
  using slow = new SlowSocket(server.port);
  slow.send(Buffer.from("MONITOR\r\n"));
  const monitors = async () => String(await client.call("CLIENT", "LIST")).includes("flags=O");
  await until("it monitors", monitors);
  const value = "x".repeat(100_000);
  await until("it is disconnected", async () => {
    await client.pipeline(Array.from({ length: 10 }, () => ["SET", "key", value]));
    return !(await monitors());
  });
});

test("CLIENT PAUSE holds a pipeline where it stands, and it goes on in order", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const [admin, client] = [await server.connect(), await server.connect()];
  await admin.call("CLIENT", "PAUSE", "60000", "WRITE");
  const seen: unknown[] = [];
  const replies = client.pipeline(
    [
      ["GET", "a"],
      ["SET", "a", "1"],
      ["INCR", "a"],
      ["GET", "a"],
      ["BLPOP", "list", "0.01"],
      ["PING"],
    ],
    (reply) => seen.push(reply),
  );
  await until("the write waits", async () =>
    String(await admin.call("INFO", "clients")).includes("blocked_clients:1"),
  );
  await until("the read before it was answered", () => seen.length > 0);
  expect(seen).toEqual([null]);
  expect(await admin.call("GET", "a")).toBe(null);
  await admin.call("CLIENT", "UNPAUSE");
  expect(await replies).toEqual([null, "OK", 2, "2", null, "PONG"]);
});

test("CLIENT PAUSE keeps what CLIENT REPLY silences silent, and QUIT in its place", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const [admin, client] = [await server.connect(), await server.connect()];
  await admin.call("CLIENT", "PAUSE", "100");
  const replies = client.send(
    "CLIENT REPLY SKIP\r\nSET a 1\r\nINCR a\r\nCLIENT REPLY OFF\r\nINCR a\r\nCLIENT REPLY ON\r\nGET a\r\nQUIT\r\n",
    4,
  );
  expect(await replies).toEqual([2, "OK", "3", "OK"]);
  await client.closed;
});

test("kvdb monitor prints until Ctrl-C", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const child = Bun.spawn([workspace.executable, "monitor"], {
    cwd: workspace.folder,
    env: cleanEnvironment(workspace),
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  });
  const monitors = async () => String(await client.call("CLIENT", "LIST")).includes("flags=O");
  await until("it monitors", monitors);
  await client.call("SET", "key", "a value");
  await client.call("GET", "key");
  const reader = child.stdout.getReader();
  let text = "";
  while (text.split("\n").length <= 2) {
    const { value } = await within("a line", reader.read());
    text += Buffer.from(value ?? []).toString();
  }
  child.kill("SIGINT");
  expect(await within("its end", child.exited)).toBe(0);
  expect(text.replace(/^\S+ \[0 \S+\] /gm, "")).toBe('"SET" "key" "a value"\n"GET" "key"\n');
});
