/** What options of `kvdb serve` and keys of the configuration do to clients. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { Client, encodeCommand, type Reply, ReplyError } from "./support/client.ts";
import { until, within } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

function messageOf(reply: Reply | undefined): string {
  return reply instanceof ReplyError ? reply.message : `no error but ${JSON.stringify(reply)}`;
}

/** What somebody is told who connects and says nothing, and that the connection then ends. */
async function turnedAway(client: Client): Promise<string> {
  await within("the connection ends", client.closed);
  return messageOf(client.unasked[0]);
}

test("maxclients: one too many is told and disconnected, until somebody leaves", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--maxclients", "2"] });
  const first = await server.connect();
  await until("the ones before have left", async () => {
    return (await infoNumber(first, "connected_clients")) === 1;
  });
  const second = await server.connect();
  expect(await second.call("PING")).toBe("PONG");
  const third = await server.connect();
  expect(await turnedAway(third)).toBe("ERR max number of clients reached");
  second.close();
  await until("there is room again", async () => {
    const client = await server.connect();
    const reply = await client.ask("PING").catch(() => undefined);
    client.close();
    return reply === "PONG";
  });
});

/** Tells whether the connection has ended. */
function endOf(client: Client): () => boolean {
  let hasEnded = false;
  void client.closed.then(() => {
    hasEnded = true;
  });
  return () => hasEnded;
}

test("timeout: who is idle is disconnected, who speaks is not", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--timeout", "1"] });
  const hasEnded = endOf(await server.connect());
  const busy = await server.connect();
  await until("the idle one is disconnected", async () => {
    await busy.call("PING");
    return hasEnded();
  });
  expect(await busy.call("PING")).toBe("PONG");
});

test("timeout: who sends a command slowly is not idle", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--timeout", "1"] });
  const slow = await server.connect();
  const command = encodeCommand(["SET", "key", "x".repeat(1000)]);
  const reply = slow.send(command.subarray(0, 1), 1);
  let sent = 1;
  // As long as it takes to disconnect one who is idle, and that long again.
  for (const who of ["one", "another"]) {
    const hasEnded = endOf(await server.connect());
    await until(`${who} who is idle is disconnected`, () => {
      slow.socket.write(command.subarray(sent, ++sent));
      return hasEnded();
    });
  }
  slow.socket.write(command.subarray(sent));
  expect(await reply).toEqual(["OK"]);
});

describe("U18: requirepass", () => {
  const NOAUTH = "NOAUTH Authentication required.";
  const WRONGPASS = "WRONGPASS invalid username-password pair or user is disabled.";

  /** Somebody who has not given the password yet. */
  function stranger(server: Server): Promise<Client> {
    return Client.connect({ host: "127.0.0.1", port: server.port });
  }

  test("nothing but AUTH, HELLO and QUIT before, everything after", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { password: "secret" });
    using client = await stranger(server);
    expect(messageOf(await client.ask("GET", "key"))).toBe(NOAUTH);
    expect(messageOf(await client.ask("SET", "key", "value"))).toBe(NOAUTH);
    expect(messageOf(await client.ask("PING"))).toBe(NOAUTH);
    expect(messageOf(await client.ask("AUTH", "wrong"))).toBe(WRONGPASS);
    expect(messageOf(await client.ask("AUTH", "somebody", "secret"))).toBe(WRONGPASS);
    expect(messageOf(await client.ask("HELLO", 3, "AUTH", "default", "wrong"))).toBe(WRONGPASS);
    expect(messageOf(await client.ask("GET", "key"))).toBe(NOAUTH);
    expect(await client.call("AUTH", "secret")).toBe("OK");
    expect(await client.call("GET", "key")).toBeNull();
    using other = await stranger(server);
    expect(await other.call("AUTH", "default", "secret")).toBe("OK");
    using third = await stranger(server);
    expect(await third.call("HELLO", 3, "AUTH", "default", "secret")).toBeArray();
    expect(server.log).not.toContain("secret");
    expect(server.log).not.toContain("wrong");
  });

  test.each([
    [
      "many arguments",
      encodeCommand(["SET", ...Array.from({ length: 10 }, () => "x")]),
      "multibulk",
    ],
    ["a long one", encodeCommand(["AUTH", "x".repeat(20_000)]), "bulk"],
  ])("a stranger may not send %s", async (_, command, what) => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { password: "secret" });
    using client = await stranger(server);
    const [reply] = await client.send(command, 1);
    expect(messageOf(reply)).toBe(`ERR Protocol error: unauthenticated ${what} length`);
    await within("the connection ends", client.closed);
  });

  test.each([
    ["the configuration file", { config: { requirepass: "secret" }, env: {} }],
    ["the environment", { config: {}, env: { KVDB_REQUIREPASS: "secret" } }],
  ])("can stand in %s", async (_, { config, env }) => {
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", config);
    await using server = await Server.start(workspace, { env });
    using client = await stranger(server);
    expect(messageOf(await client.ask("GET", "key"))).toBe(NOAUTH);
    expect(await client.call("AUTH", "secret")).toBe("OK");
  });

  test("CONFIG SET changes it for those who come", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const early = await server.connect();
    expect(messageOf(await early.ask("AUTH", "x"))).toStartWith("ERR AUTH <password> called");
    await early.call("CONFIG", "SET", "requirepass", "secret");
    expect(await early.call("PING")).toBe("PONG");
    using late = await stranger(server);
    expect(messageOf(await late.ask("PING"))).toBe(NOAUTH);
  });
});

const outsideAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

describe.skipIf(outsideAddress === undefined)("an address that others reach", () => {
  const host = outsideAddress ?? "";

  test("protected mode: without a password only this machine's loopback is served", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { args: ["--bind", "0.0.0.0"] });
    expect(await (await server.connect()).call("PING")).toBe("PONG");
    using client = await Client.connect({ host, port: server.port });
    expect(await turnedAway(client)).toStartWith("DENIED ");
  });

  test("protected mode: with a password everybody is", async () => {
    await using workspace = await Workspace.create();
    const args = ["--bind", "127.0.0.1", host];
    await using server = await Server.start(workspace, { args, password: "secret" });
    using client = await Client.connect({ host, port: server.port });
    expect(await client.call("AUTH", "secret")).toBe("OK");
    expect(await (await server.connect()).call("PING")).toBe("PONG");
  });

  test("protected mode off: everybody is, until CONFIG SET says otherwise", async () => {
    await using workspace = await Workspace.create();
    const args = ["--bind", "* -::*", "--protected-mode", "no"];
    await using server = await Server.start(workspace, { args });
    using client = await Client.connect({ host, port: server.port });
    expect(await client.call("PING")).toBe("PONG");
    expect(await client.call("CONFIG", "SET", "protected-mode", "yes")).toBe("OK");
    using late = await Client.connect({ host, port: server.port });
    expect(await turnedAway(late)).toStartWith("DENIED ");
  });

  test("bind: by default nobody listens there", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { password: "secret" });
    const refused = Client.connect({ host, port: server.port });
    await expect(refused).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("unixsocket", () => {
  test("serves as the port does, also alone", async () => {
    await using workspace = await Workspace.create();
    const path = workspace.path("kvdb-test.sock");
    await using server = await Server.start(workspace, {
      ...{ port: 0, args: ["--unixsocket", "kvdb-test.sock"], awaitReady: false },
    });
    await until("the socket is there", () => existsSync(path));
    using client = await Client.connect({ path });
    await until("it is ready", async () => (await client.ask("PING")) === "PONG");
    expect(await client.call("SET", "key", "value")).toBe("OK");
    expect(await server.stop()).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test("one that a crash left behind is in nobody's way", async () => {
    await using workspace = await Workspace.create();
    const args = ["--unixsocket", "kvdb-test.sock"];
    {
      await using server = await Server.start(workspace, { args });
      await server.kill();
    }
    expect(existsSync(workspace.path("kvdb-test.sock"))).toBe(true);
    await using _server = await Server.start(workspace, { args });
    using client = await Client.connect({ path: workspace.path("kvdb-test.sock") });
    expect(await client.call("PING")).toBe("PONG");
  });

  test("one that somebody serves is left to him, with exit code 69", async () => {
    await using workspace = await Workspace.create();
    const args = ["--unixsocket", "kvdb-test.sock"];
    await using _server = await Server.start(workspace, { args });
    await using second = await Server.start(workspace, {
      ...{ args: [...args, "--dir", "other"], awaitReady: false },
    });
    expect(await second.ended()).toBe(69);
    using client = await Client.connect({ path: workspace.path("kvdb-test.sock") });
    expect(await client.call("PING")).toBe("PONG");
  });
});

test("databases: so many can be selected, and each has its own keys", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--databases", "3"] });
  const client = await server.connect();
  for (const index of [0, 1, 2]) {
    expect(await client.call("SELECT", index)).toBe("OK");
    expect(await client.call("GET", "key")).toBeNull();
    await client.call("SET", "key", index);
  }
  expect(messageOf(await client.ask("SELECT", 3))).toBe("ERR DB index is out of range");
  expect(await client.call("GET", "key")).toBe("2");
});

test("U6: memory.max: writes that do not fit get Redis's OOM error, reads and DEL go on", async () => {
  await using workspace = await Workspace.create();
  const max = 20 * 1_048_576;
  await workspace.write("kvdb.config.json", {
    ...{ memory: { max: "20mb" }, persistence: "none" },
  });
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
  let stored = 0;
  let refusal: Reply = null;
  while (refusal === null && stored < 10_000) {
    const reply = await client.ask("SET", `key:${stored}`, "x".repeat(10_000));
    if (reply === "OK") stored++;
    else refusal = reply;
  }
  expect(messageOf(refusal)).toBe(OOM);
  expect(stored * 10_000).toBeGreaterThan(max / 2);
  expect(await infoNumber(client, "used_memory")).toBeLessThanOrEqual(max * 1.05);
  expect(messageOf(await client.ask("APPEND", "key:0", "x".repeat(1_000_000)))).toBe(OOM);
  expect(await client.call("STRLEN", "key:0")).toBe(10_000);
  expect(await client.call("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", String(max)]);
  const removed = Array.from({ length: stored / 2 }, (_, i) => ["DEL", `key:${i}`]);
  await client.pipeline(removed);
  await until("there is room again", async () => (await client.ask("SET", "new", "1")) === "OK");
});

test("U6: memory.max: also what comes in one huge pipeline stays under it", async () => {
  await using workspace = await Workspace.create();
  const max = 20 * 1_048_576;
  await workspace.write("kvdb.config.json", { memory: { max: "20mb" }, persistence: "none" });
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const sets = Array.from({ length: 8000 }, (_, i) => ["SET", `key:${i}`, "x".repeat(10_000)]);
  const replies = await client.pipeline(sets);
  expect(replies.filter((reply) => reply === "OK").length).toBeGreaterThan(1000);
  expect(replies.some((reply) => reply instanceof ReplyError && reply.code === "OOM")).toBe(true);
  expect(await infoNumber(client, "used_memory")).toBeLessThanOrEqual(max * 1.05);
});

test("a file of keys may name the frontend instead of `serve`", async () => {
  await using workspace = await Workspace.create();
  const config = { frontends: [{ use: "resp", port: 6379 }], log: { level: "warn" } };
  await workspace.write("kvdb.config.json", config);
  const { code, stdout } = await kvdb(workspace, ["config", "check"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "kvdb.config.json: ok\n" });
  await using server = await Server.start(workspace); // --port wins over the file
  expect(await (await server.connect()).call("PING")).toBe("PONG");
  expect(server.log).toBe("");
});

test("auto-aof-rewrite-…: Redis's words for compaction are what CONFIG GET says", async () => {
  await using workspace = await Workspace.create();
  const args = ["--auto-aof-rewrite-percentage", "150", "--auto-aof-rewrite-min-size", "64mb"];
  await using server = await Server.start(workspace, { args });
  const client = await server.connect();
  expect(await client.call("CONFIG", "GET", "auto-aof-rewrite-*")).toEqual([
    "auto-aof-rewrite-percentage",
    "150",
    "auto-aof-rewrite-min-size",
    "67108864",
  ]);
});
