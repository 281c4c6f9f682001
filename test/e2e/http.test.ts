/** V-T8: the frontend http: /metrics, which promtool finds right, and /health; nothing else, and no way to hold it up. */
import { expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { freePort } from "../suites/free-port.ts";
import { until, within } from "./support/poll.ts";
import { run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const PROMTOOL = Bun.which("promtool");

async function start(workspace: Workspace, options: object = {}) {
  const port = freePort();
  const frontends = [{ use: "resp" }, { use: "http", port, ...options }];
  await workspace.write("kvdb.config.json", { frontends });
  const server = await Server.start(workspace);
  const get = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { keepalive: false, ...init });
  return { server, port, get };
}

/** By name and labels, as the text has it. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test("/metrics says what was done, by database and command", async () => {
  await using workspace = await Workspace.create();
  const { server, get } = await start(workspace);
  await using _ = server;
  const client = await server.connect();
  for (let i = 0; i < 7; i++) await client.call("SET", `key${i}`, "value");
  await client.call("GET", "key1");
  await client.call("GET", "nothing");
  await client.call("SELECT", 3);
  await client.call("SET", "other", "value", "EX", 1000);
  await client.ask("HSET", "other", "field", "value");
  const response = await get("/metrics");
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  const text = await response.text();
  const found = samples(text);
  const told = (name: string) => [name, found.get(name)];
  const expected = {
    'kvdb_database_keys{database="0"}': 7,
    'kvdb_database_keys{database="3"}': 1,
    'kvdb_database_expiring_keys{database="3"}': 1,
    'kvdb_command_calls_total{command="set"}': 8,
    kvdb_keyspace_hits_total: 1,
    kvdb_keyspace_misses_total: 1,
    kvdb_connected_clients: found.get("kvdb_connected_clients"),
    kvdb_loading: 0,
    kvdb_persistence_last_write_ok: 1,
  };
  expect(Object.fromEntries(Object.keys(expected).map(told))).toEqual(expected);
  const ttl = found.get('kvdb_database_average_ttl_seconds{database="3"}') ?? 0;
  expect(ttl).toBeGreaterThan(900);
  expect(ttl).toBeLessThanOrEqual(1000);
  expect(found.get("kvdb_memory_used_bytes")).toBeGreaterThan(100);
  if (PROMTOOL === null) return;
  const checked = await run(workspace, [PROMTOOL, "check", "metrics"], { input: text });
  expect(checked).toMatchObject({ code: 0, stdout: "", stderr: "" });
});

test("the time that commands took, as histograms", async () => {
  await using workspace = await Workspace.create();
  const { server, get } = await start(workspace);
  await using _ = server;
  const client = await server.connect();
  for (let i = 0; i < 200; i++) await client.call("INCR", "count");
  const found = samples(await (await get("/metrics")).text());
  const bucket = (le: string) =>
    found.get(`kvdb_command_duration_seconds_bucket{command="incr",le="${le}"}`);
  expect(found.get('kvdb_command_calls_total{command="incr"}')).toBe(200);
  // The last few calls of a fast command may not be among those that a timed one stands for.
  expect(bucket("+Inf")).toBeGreaterThanOrEqual(168);
  expect(bucket("+Inf")).toBeLessThanOrEqual(200);
  expect(bucket("1.08213")).toBe(bucket("+Inf"));
  expect(found.get('kvdb_command_duration_seconds_count{command="incr"}')).toBe(bucket("+Inf"));
  expect(found.get('kvdb_command_duration_seconds_sum{command="incr"}')).toBeGreaterThan(0);
});

/** A persistence that loads when the file `go` is there, and refuses writes while `full` is. */
const MOODY = `
import { definePlugin } from "kvdb";
export default definePlugin({
  name: "moody",
  apiVersion: 1,
  persistence: (_options, { files, clock }) => ({
    supports: { records: true, checkpoints: false },
    durability: "always",
    async open() {},
    async load() {
      while (!(await files.exists("go"))) {
        await new Promise((resolve) => clock.after(10, () => resolve(undefined)));
      }
      return { records: 0, bytes: 0, lastRevision: 0, clean: true, dropped: [] };
    },
    append() {},
    async flush() {
      if (await files.exists("full")) throw new Error("ENOSPC: no space left");
    },
    async close() {},
  }),
});
`;

test("/health: 503 while the data is loaded and while the disk refuses, else 200", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("moody.ts", MOODY);
  const port = freePort();
  await workspace.write("kvdb.config.json", {
    ...{ plugins: ["./moody.ts"], persistence: "moody" },
    frontends: ["resp", { use: "http", port }],
  });
  await using server = await Server.start(workspace, { awaitReady: false });
  const health = async () => {
    const [answer] = await Promise.allSettled([fetch(`http://127.0.0.1:${port}/health`)]);
    if (answer.status === "rejected") return "nobody listens";
    const { status, reason = "" } = (await answer.value.json()) as Record<string, string>;
    return `${answer.value.status} ${status} ${reason}`.trim();
  };
  const becomes = (expected: string) =>
    until(expected, async () => (await health()).startsWith(expected));
  await becomes("503 loading");
  expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain(
    "\nkvdb_loading 1\n",
  );
  await workspace.write("go", "");
  await becomes("200 ok");
  await workspace.write("full", "");
  const client = await server.connect();
  await client.ask("SET", "a", "1");
  await becomes("503 disk");
  expect(await health()).toContain("ENOSPC");
  await rm(workspace.path("full"));
  await becomes("200 ok");
});

test("other paths and methods are refused, and nobody answers after the end", async () => {
  await using workspace = await Workspace.create();
  const { server, get, port } = await start(workspace);
  await using _ = server;
  const health = await get("/health");
  expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
  expect((await get("/")).status).toBe(404);
  expect((await get("/health", { method: "POST", body: "x" })).status).toBe(405);
  expect((await get("/metrics", { method: "HEAD" })).status).toBe(200);
  expect((await get("/metrics", { method: "PUT", body: "x".repeat(5000) })).status).toBe(413);
  expect(await server.stop()).toBe(0);
  const [after] = await Promise.allSettled([fetch(`http://127.0.0.1:${port}/health`)]);
  expect(after.status).toBe("rejected");
});

test("who names no host, or one that is none, is answered; nothing of it is an error in the log", async () => {
  await using workspace = await Workspace.create();
  const { server, port } = await start(workspace);
  await using _ = server;
  const answers = async (request: string) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = await Bun.connect({
      ...{ hostname: "127.0.0.1", port },
      socket: {
        open: (opened) => void opened.write(`${request}\r\n\r\n`),
        data: (_socket, chunk) => resolve(chunk.toString()),
        close: () => resolve("closed"),
      },
    });
    const answer = await promise;
    socket.end();
    return answer.split("\r\n")[0];
  };
  // As a load balancer asks.
  expect(await answers("GET /health HTTP/1.0")).toEndWith("200 OK");
  expect(await answers("GET /health?a=b HTTP/1.1\r\nHost: a b<>")).toEndWith("200 OK");
  expect(await answers("GET /health HTTP/1.1\r\nHost: [::")).toEndWith("200 OK");
  expect(await answers("GET //health HTTP/1.0")).toEndWith("404 Not Found");
  expect(server.log).not.toContain("error");
});

test("the token is asked for by /metrics, in full", async () => {
  await using workspace = await Workspace.create();
  const { server, get } = await start(workspace, { token: "geheim" });
  await using _ = server;
  const status = async (authorization?: string) =>
    (await get("/metrics", authorization === undefined ? {} : { headers: { authorization } }))
      .status;
  expect(await status()).toBe(401);
  expect(await status("Bearer gehei")).toBe(401);
  expect(await status("Bearer geheimx")).toBe(401);
  expect(await status("Basic geheim")).toBe(401);
  expect(await status("Bearer geheim")).toBe(200);
  expect((await get("/health")).status).toBe(200);
});

test("who says nothing, says it slowly or does not read is let go; others are served meanwhile", async () => {
  await using workspace = await Workspace.create();
  const { server, get, port } = await start(workspace);
  await using _ = server;
  const closed: string[] = [];
  const speak = (name: string, words: string) =>
    Bun.connect({
      ...{ hostname: "127.0.0.1", port },
      socket: {
        open: (socket) => void socket.write(words),
        data() {},
        close: () => void closed.push(name),
        error: () => void closed.push(name),
      },
    });
  await speak("silent", "");
  await speak("half", "GET /metrics HTTP/1.1\r\n");
  const slow = await speak("slow", "GET /metrics HTTP/1.1\r\nHost: x\r\nX: ");
  const drip = setInterval(() => slow.write("a"), 500);
  try {
    expect((await get("/metrics")).status).toBe(200);
    await until("all of them are let go", () => closed.length === 3, 30_000);
    expect((await get("/metrics")).status).toBe(200);
  } finally {
    clearInterval(drip);
  }
}, 60_000);

test("a port that is taken is told, and nothing stays behind", async () => {
  await using workspace = await Workspace.create();
  const { server, port } = await start(workspace);
  await using _ = server;
  await using second = await Workspace.create();
  await second.write("kvdb.config.json", { frontends: [{ use: "http", port }] });
  await using other = await Server.start(second, { awaitReady: false });
  expect(await within("the end", other.ended())).toBe(69);
  expect(other.log).toContain(`127.0.0.1:${port}`);
});
