/**
 * V-T14: the read-through cache of the examples, through the executable, with clients of three libraries that all ask at once, and
 * with more values than memory may hold.
 */
import { expect, test } from "bun:test";
import { cp, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Caller, readThrough } from "../../examples/commands/cache/read-through.ts";
import { connectBunClient, connectIoredis, connectNodeRedis } from "./support/client-libraries.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const EXAMPLE = resolve(import.meta.dir, "../../examples/commands/cache");
const MAX = 24 * 1_048_576;

async function copyOfExample(): Promise<Workspace> {
  const workspace = await Workspace.create();
  await cp(EXAMPLE, workspace.folder, { recursive: true });
  return workspace;
}

/** Three libraries, each with its own connection: what they have in common is the server. */
async function connectAll(server: Server, stack: AsyncDisposableStack): Promise<Caller[]> {
  const ioredis = stack.use(await connectIoredis(server));
  const nodeRedis = stack.use(await connectNodeRedis(server, 3));
  const bun = stack.use(await connectBunClient(server));
  return [
    ioredis,
    { call: (command, ...args) => nodeRedis.sendCommand([command, ...args.map(String)]) },
    { call: (command, ...args) => bun.send(command, args.map(String)) },
  ];
}

test("V-T14: clients that miss at once load once, and again after a drop", async () => {
  await using workspace = await copyOfExample();
  await using server = await Server.start(workspace);
  await using stack = new AsyncDisposableStack();
  const clients = await connectAll(server, stack);
  let loads = 0;
  const load = async () => {
    await Bun.sleep(20); // so that all the others come while it lasts
    return { load: ++loads };
  };
  const readAll = () => {
    const callers = Array.from({ length: 99 }, (_, i) => clients[i % 3] as Caller);
    const options = { key: "page", ttlMs: 60_000, tags: ["blog"], load };
    return Promise.all(callers.map((client) => readThrough(client, options)));
  };
  expect(await readAll()).toEqual(Array(99).fill({ load: 1 }));
  await clients[0]?.call("CACHE.DROPTAG", "blog");
  expect(await readAll()).toEqual(Array(99).fill({ load: 2 }));
  await server.kill();
  await using again = await Server.start(workspace);
  await using others = new AsyncDisposableStack();
  const [client] = (await connectAll(again, others)) as [Caller, ...Caller[]];
  const late = { key: "page", ttlMs: 60_000, load: () => "not asked" as unknown };
  expect(await readThrough(client, late)).toEqual({ load: 2 });
});

test.each(["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru"])(
  "V-T14: with %s memory stays bounded, and what made room is loaded again, never out of date",
  async (policy) => {
    await using workspace = await copyOfExample();
    const config = JSON.parse(await readFile(workspace.path("kvdb.config.json"), "utf8"));
    const memory = { max: MAX, policy };
    await workspace.write("kvdb.config.json", { ...config, memory, persistence: "none" });
    await using server = await Server.start(workspace);
    await using stack = new AsyncDisposableStack();
    const clients = await connectAll(server, stack);
    const source = new Map<string, number>();
    const body = "x".repeat(20_000);
    let loads = 0;
    const read = (client: Caller, id: number) => {
      const [key, tag] = [`page:${id}`, `group:${id % 100}`];
      const load = () => {
        loads++;
        return { version: source.get(tag) ?? 0, body };
      };
      return readThrough(client, { key, ttlMs: 600_000, tags: [tag], load });
    };
    const admin = await server.connect();
    let highest = 0;
    const readers = clients.map(async (client, at) => {
      for (let i = 0; i < 1500; i++) {
        const id = at * 700 + i;
        const tag = `group:${id % 100}`;
        if (i % 10 === 0) {
          source.set(tag, (source.get(tag) ?? 0) + 1);
          await client.call("CACHE.DROPTAG", tag);
        }
        const least = source.get(tag) ?? 0;
        expect((await read(client, id)).version).toBeGreaterThanOrEqual(least);
        if (i % 50 === 0) highest = Math.max(highest, await infoNumber(admin, "used_memory"));
      }
    });
    await Promise.all(readers);
    expect(highest).toBeLessThan(MAX * 1.05);
    expect(await infoNumber(admin, "evicted_keys")).toBeGreaterThan(100);

    // More than fits was loaded, so some of it is loaded again; what was used last is still there.
    const before = loads;
    for (let id = 0; id < 1500; id++) await read(clients[0] as Caller, id);
    expect(loads - before).toBeGreaterThan(100);
    const loaded = loads;
    for (let id = 1490; id < 1500; id++) await read(clients[1] as Caller, id);
    if (policy.endsWith("lru")) expect(loads - loaded).toBeLessThanOrEqual(3);
  },
  60_000,
);
