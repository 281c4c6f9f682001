/** WAITAOF, a command that answers later, by every way in: what was sent behind it, who goes, and a stop meanwhile. */
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { type Client, encodeCommand, ReplyError } from "./support/client.ts";
import { until, within } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { keys, Terminal } from "./support/screen.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

/** Waits for a replica that there never is. */
const FOR_EVER = ["WAITAOF", "0", "1", "0"];

async function untilBlocked(client: Client, count = 1): Promise<void> {
  await until(`${count} wait`, async () => (await infoNumber(client, "blocked_clients")) === count);
}

test.each(["always", "everysec", "no"])(
  "appendfsync %s: it answers when all is synced",
  async (mode) => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace, { args: ["--appendfsync", mode] });
    const client = await server.connect();
    const syncs = await infoNumber(client, "wal_syncs");
    const commands = [
      ["SET", "a", "1"],
      ["WAITAOF", "1", "0", "0"],
      ["GET", "a"],
    ];
    expect(await client.pipeline(commands)).toEqual(["OK", [1, 0], "1"]);
    expect(await infoNumber(client, "wal_syncs")).toBeGreaterThan(syncs);
    expect(await client.call("WAITAOF", "1", "1", "20")).toEqual([1, 0]);
  },
);

test("without records it is refused as by a Redis without appendonly", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--appendonly", "no"] });
  const client = await server.connect();
  expect(await client.ask("WAITAOF", "1", "0", "0")).toBeInstanceOf(ReplyError);
  expect(await client.call("WAITAOF", "0", "0", "0")).toEqual([0, 0]);
});

test("others are served meanwhile, and what came behind it runs when the client's time is over", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const [client, other] = [await server.connect(), await server.connect()];
  const replies = client.pipeline([
    ["WAITAOF", "0", "1", "300"],
    ["INCR", "n"],
  ]);
  await untilBlocked(other);
  expect(await other.call("EXISTS", "n")).toBe(0);
  expect(String(await other.call("CLIENT", "LIST"))).toMatch(/flags=b .*cmd=waitaof/);
  expect(await replies).toEqual([[1, 0], 1]);
});

test("who goes, or sends nothing more, is not waited for", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const other = await server.connect();
  const gone = await server.connect();
  void gone.ask(...FOR_EVER).catch((error: unknown) => error);
  await untilBlocked(other);
  gone.close();
  await untilBlocked(other, 0);
  const socket = connect({ host: "127.0.0.1", port: server.port });
  socket.end(Buffer.concat([encodeCommand(["SET", "k", "1"]), encodeCommand(FOR_EVER)]));
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  await within(
    "the end of the connection",
    new Promise((resolve) => socket.once("close", resolve)),
  );
  expect(text).toBe("+OK\r\n");
  await untilBlocked(other, 0);
});

test("a stop answers who waits, and takes no longer for it", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const [client, other] = [await server.connect(), await server.connect()];
  const replies = client.pipeline([["SET", "k", "1"], FOR_EVER, ["SET", "k", "2"]]);
  await untilBlocked(other);
  other.socket.write(encodeCommand(["SHUTDOWN"]));
  const [first, second, third] = await replies;
  expect([first, third]).toEqual(["OK", "OK"]);
  expect(second).toMatchObject({ code: "UNBLOCKED" });
  // Politeness alone would last 6 s.
  expect(await server.ended(4000)).toBe(0);
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe('"2"\n');
});

test("as one command, in a script, and through the process that holds the folder", async () => {
  await using workspace = await Workspace.create();
  const once = await kvdb(workspace, ["waitaof", "1", "0", "0"]);
  expect(once).toMatchObject({ code: 0, stdout: "1\n0\n" });
  const script = "set k 1\nwaitaof 1 0 0\nwaitaof 0 1 50\nget k\n";
  const answers = "OK\n1\n0\n1\n0\n1\n";
  expect(await kvdb(workspace, [], { input: script })).toMatchObject({ code: 0, stdout: answers });
  await using server = await Server.start(workspace);
  expect(await kvdb(workspace, [], { input: script })).toMatchObject({ code: 0, stdout: answers });
  expect(await server.stop()).toBe(0);
});

test("Ctrl-C in the shell gives up the wait, and not the shell", async () => {
  await using workspace = await Workspace.create();
  await using terminal = new Terminal(workspace, { env: { KVDB_HISTORY: "" } });
  await terminal.line(".kvdb>");
  terminal.enter(FOR_EVER.join(" "));
  await terminal.row("waiting for the answer, 1 s; Ctrl-C gives up");
  terminal.type(keys.ctrlC);
  await terminal.row("interrupted; the connection was closed, the command may have run");
  terminal.enter("waitaof 1 0 0");
  await terminal.row("1) 1");
  terminal.enter("exit");
  expect(await terminal.ended()).toBe(0);
});
