/** V11: what a signal does: nothing new is taken, what was begun is finished, all is on disk, the folder is free. */
import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "../oracle/random.ts";
import { type Client, ConnectionLost, encodeCommand } from "./support/client.ts";
import { Ledger } from "./support/ledger.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { SlowSocket } from "./support/slow-socket.ts";
import { callsOf, mayTrace, Trace } from "./support/strace.ts";
import { Workspace } from "./support/workspace.ts";

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
/** From the signal to the end of the process. */
const LIMIT_MS = 10_000;
const WINDOWS = [1, 1, 8, 64];

/** Writes until the connection ends; true when the server, and not the test, ended it. */
async function write(client: Client, ledger: Ledger, window: number): Promise<boolean> {
  try {
    for (;;) {
      const operations = Array.from({ length: window }, () => ledger.next());
      const commands = operations.map(({ command }) => command);
      await client.pipeline(commands, (reply, i) => operations[i]?.acknowledge(reply));
    }
  } catch (error) {
    if (error instanceof ConnectionLost) return true;
    throw error;
  }
}

describe.each(["SIGTERM", "SIGINT"] as const)("%s", (signal) => {
  test.each(["always", "everysec", "no"])(
    `V11: while clients write with appendfsync %s: exit 0, nothing is lost, seed ${SEED}`,
    async (mode) => {
      await using workspace = await Workspace.create();
      const random = new Random(SEED);
      const ledgers = WINDOWS.map((_, index) => new Ledger(`w${index}`, random));
      {
        await using server = await Server.start(workspace, { args: ["--appendfsync", mode] });
        const clients = await Promise.all(WINDOWS.map(() => server.connect()));
        const ended = clients.map((client, index) =>
          write(client, ledgers[index] as Ledger, WINDOWS[index] as number),
        );
        const count = () => Math.min(...ledgers.map((ledger) => ledger.acknowledgedCount));
        await until("everybody has written", () => count() > 20);
        server.signal(signal);
        expect(await server.ended(LIMIT_MS)).toBe(0);
        expect(await Promise.all(ended)).toEqual(WINDOWS.map(() => true));
      }
      await using server = await Server.start(workspace);
      const client = await server.connect();
      for (const ledger of ledgers) expect(await ledger.check(client)).toEqual([]);
    },
  );
});

test("V11: what was run was replied, though more was sent", async () => {
  await using workspace = await Workspace.create();
  let acknowledged = 0;
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const batch = Array.from({ length: 50 }, () => ["INCR", "n"]);
    const lost = (async () => {
      for (;;) await client.pipeline(batch, () => acknowledged++);
    })().catch((error: unknown) => error);
    await until("it has begun", () => acknowledged > 500);
    expect(await server.stop()).toBe(0);
    expect(await lost).toBeInstanceOf(ConnectionLost);
  }
  expect((await kvdb(workspace, ["get", "n"])).stdout).toBe(`"${acknowledged}"\n`);
});

test("V11: afterwards the folder is free, and the next start has nothing to repair", async () => {
  await using workspace = await Workspace.create();
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("SET", "key", "value");
    expect(await readFile(workspace.path(".kvdb/kvdb.lock"), "utf8")).toContain(`${server.pid}`);
    expect(await server.stop()).toBe(0);
    expect(server.log.trimEnd().split("\n").at(-1)).toMatch(/ info +stopped$/);
  }
  // Nobody holds it. Whose files these are stays known: another persistence is refused.
  const lock = JSON.parse(await readFile(workspace.path(".kvdb/kvdb.lock"), "utf8"));
  expect(lock).toEqual({ persistence: "wal" });
  await using server = await Server.start(workspace);
  expect(server.log).toMatch(/dropped=0\b/);
  const client = await server.connect();
  expect(await client.call("GET", "key")).toBe("value");
});

test("V11: SHUTDOWN is the same for clients: no reply, exit 0, the folder is free", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const ending = client.pipeline([["SET", "key", "value"], ["SHUTDOWN"]]);
  await expect(ending).rejects.toBeInstanceOf(ConnectionLost);
  expect(await server.ended(LIMIT_MS)).toBe(0);
  expect((await kvdb(workspace, ["get", "key"])).stdout).toBe('"value"\n');
});

const canTrace = await mayTrace();

test.skipIf(!canTrace)("V11: what was only written is synced before the end", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { args: ["--appendfsync", "no"] });
  const client = await server.connect();
  await client.call("SET", "first", "this one is synced in any mode");
  await using trace = await Trace.attach(server.pid, join(workspace.root, "strace.txt"));
  const sets = Array.from({ length: 100 }, (_, index) => ["SET", `key:${index}`, "value"]);
  for (const set of sets) await client.call(...set);
  expect(await server.stop()).toBe(0);
  const calls = (await trace?.callsUnder(workspace.path(".kvdb/wal-"))) ?? [];
  const names = callsOf(calls, /write|sync/).map((line) => (/sync/.test(line) ? "sync" : "write"));
  // What comes within a millisecond or two shares a write.
  expect(names.filter((name) => name === "write").length).toBeGreaterThan(1);
  expect(names.at(-1)).toBe("sync");
});

const isLinux = process.platform === "linux";

/** A server that cannot finish politely: somebody who does not read has replies to come. */
async function startWithDeafClient(workspace: Workspace, stack: DisposableStack): Promise<Server> {
  const server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("SET", "key", "v".repeat(100_000));
  const deaf = stack.use(new SlowSocket(server.port));
  deaf.send(Buffer.concat(Array.from({ length: 100 }, () => encodeCommand(["GET", "key"]))));
  // The system's buffer for what is sent grows for a while: only what stays has no room in it.
  let waiting = "0";
  let seen = 0;
  await until("its replies wait", async () => {
    const list = String(await client.call("CLIENT", "LIST"));
    const [, found = "0"] = /\bomem=([1-9]\d{5,})/.exec(list) ?? [];
    seen = found !== "0" && found === waiting ? seen + 1 : 0;
    waiting = found;
    return seen === 10;
  });
  return server;
}

async function isRefused(server: Server): Promise<boolean> {
  try {
    (await server.connect()).close();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  }
}

test.skipIf(!isLinux)(
  "V11: nobody is let in any more, and who does not read is not waited for",
  async () => {
    await using workspace = await Workspace.create();
    using stack = new DisposableStack();
    await using server = await startWithDeafClient(workspace, stack);
    server.signal("SIGTERM");
    await until("it accepts nobody", () => isRefused(server));
    expect(server.exitCode).toBeNull();
    expect(await server.ended(LIMIT_MS)).toBe(0);
    expect((await kvdb(workspace, ["strlen", "key"])).stdout).toBe("100000\n");
  },
);

test.skipIf(!isLinux)(
  "V11: a second signal ends it at once, and what was replied is there",
  async () => {
    await using workspace = await Workspace.create();
    using stack = new DisposableStack();
    await using server = await startWithDeafClient(workspace, stack);
    server.signal("SIGTERM");
    await until("it accepts nobody", () => isRefused(server));
    expect(server.exitCode).toBeNull();
    await until("one that is no echo of the first", () => {
      server.signal("SIGINT");
      return server.exitCode !== null;
    });
    // Politeness alone would last longer.
    expect(await server.ended(LIMIT_MS / 5)).not.toBe(0);
    expect((await kvdb(workspace, ["strlen", "key"])).stdout).toBe("100000\n");
  },
);

test("one wish in two signals, as timeout(1) sends it, is one", async () => {
  await using workspace = await Workspace.create();
  const persistence = { use: "json-snapshot", save: "" };
  await workspace.write("kvdb.config.json", JSON.stringify({ persistence }));
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(String(await client.call("SET", "name", "Ada"))).toBe("OK");
    server.signal("SIGTERM");
    server.signal("SIGINT");
    expect(await server.ended(LIMIT_MS)).toBe(0);
  }
  // It is saved by a stop in order, and by nothing else.
  expect((await kvdb(workspace, ["get", "name"])).stdout).toBe('"Ada"\n');
});
