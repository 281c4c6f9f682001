/**
 * Indexes when something befalls the server: kill -9 while documents change and while an index is being made, a signal, no
 * memory left, snapshots meanwhile. Afterwards an index is there whole or not at all, and leads to exactly what the documents
 * say. KVDB_TEST_LONG=1 runs more rounds; KVDB_TEST_SEED=N repeats the choices of a run (not its timing).
 */
import { describe, expect, test } from "bun:test";
import { Random } from "../oracle/random.ts";
import { type Client, ConnectionLost, type Reply, ReplyError } from "./support/client.ts";
import {
  damagesOf,
  fillWithPeople,
  foundKeys,
  INDEXES,
  indexInfo,
  problemsOfIndexes,
  randomPerson,
} from "./support/people.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { infoNumber, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const IS_LONG = process.env["KVDB_TEST_LONG"] === "1";
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const ROUNDS = IS_LONG ? 30 : 4;
const LONGEST_ROUND_MS = 400;
const WRITERS = 6;
const KEYS = 300;
const PEOPLE = 100_000;

const createCommands = INDEXES.map((words) => ["INDEX", "CREATE", ...words]);

async function workspaceWith(persistence: object): Promise<Workspace> {
  const workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", { dir: "data", persistence });
  return workspace;
}

/** A reply, or undefined when the connection was lost before it came. */
function unlessLost(reply: Promise<Reply>): Promise<Reply | undefined> {
  return reply.catch((error) => {
    if (error instanceof ConnectionLost) return undefined;
    throw error;
  });
}

function randomChanges(random: Random): (string | number)[][] {
  const key = `person:${random.below(KEYS)}`;
  const other = `person:${random.below(KEYS)}`;
  const text = JSON.stringify(randomPerson(random));
  return random.pick([
    [["JSON.SET", key, "$", text]],
    [["JSON.MSET", key, "$", text, other, "$", text]],
    [["JSON.MERGE", key, "$", '{"city":"Rome","tags":null}']],
    [["JSON.NUMINCRBY", key, "$.age", 1]],
    [
      ["JSON.SET", key, "$", text],
      ["PEXPIRE", key, random.integer(1, 60)],
    ],
    [
      ["SET", key, '"no document"'],
      ["DEL", key],
    ],
    [["COPY", key, other, "REPLACE"]],
    [["RENAME", key, other]],
    [["DEL", key, other]],
  ]);
}

/** Errors are answers like others: a key may be gone. What may not be is told by what is there afterwards. */
async function changeUntilLost(server: Server, random: Random): Promise<void> {
  using client = await server.connect();
  for (;;) {
    const changes = Array.from({ length: 8 }, () => randomChanges(random)).flat();
    const replies = await unlessLost(client.pipeline(changes));
    if (replies === undefined) return;
  }
}

async function saveUntilLost(server: Server, random: Random): Promise<void> {
  using client = await server.connect();
  for (;;) {
    await Bun.sleep(random.below(40)); // so that they begin at all kinds of moments
    if ((await unlessLost(client.ask("BGSAVE"))) === undefined) return;
  }
}

describe.each([
  ["wal, fsync always", { use: "wal", fsync: "always", segmentBytes: 65_536 }],
  ["wal, fsync everysec", { use: "wal", fsync: "everysec", segmentBytes: 65_536 }],
  ["json-snapshot", { use: "json-snapshot" }],
] as const)("%s", (_name, persistence) => {
  test(
    `indexes lead to what is there after kill -9, ${ROUNDS} rounds, seed ${SEED}`,
    async () => {
      await using workspace = await workspaceWith(persistence);
      const random = new Random(SEED);
      let survivors = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await using server = await Server.start(workspace);
        const client = await server.connect();
        await fillWithPeople(client, KEYS);
        for (const reply of await client.pipeline(createCommands)) expect(reply).toBeNumber();
        await client.call("SAVE");
        const busy = Array.from({ length: WRITERS }, () =>
          changeUntilLost(server, new Random(random.below(2 ** 31))),
        );
        busy.push(saveUntilLost(server, random));
        await Bun.sleep(random.integer(20, LONGEST_ROUND_MS)); // the random moment that this is about
        await server.kill();
        await Promise.all(busy);

        await using again = await Server.start(workspace);
        const reader = await again.connect();
        expect({ round, problems: await problemsOfIndexes(reader) }).toEqual({
          ...{ round, problems: [] },
        });
        survivors += (await reader.call("DBSIZE")) as number;
        const throughIndex = await foundKeys(reader, "city = Rome", "city");
        await reader.call("INDEX", "DROP", "city");
        expect(await foundKeys(reader, "city = Rome")).toEqual(throughIndex);
        await again.kill();
      }
      expect(survivors).toBeGreaterThan(0);
    },
    IS_LONG ? 300_000 : 60_000,
  );
});

describe("while an index of many documents is being made", () => {
  const LOG = { use: "wal", fsync: "always" };

  async function filled(persistence: object = LOG, count = PEOPLE): Promise<Workspace> {
    const workspace = await workspaceWith(persistence);
    await using server = await Server.start(workspace);
    await fillWithPeople(await server.connect(), count);
    expect(await server.stop()).toBe(0);
    return workspace;
  }

  const create = (client: Client) =>
    client.ask("INDEX", "CREATE", "age", "USING", "ordered", "FIELD", "age");

  /** Resolves while it is under way. */
  async function untilBuilding(client: Client): Promise<void> {
    await until("it is being made", async () => {
      const names = (await client.call("INDEX", "LIST")) as string[];
      return names.includes("age") && (await indexInfo(client, "age", "state")) === "building";
    });
  }

  test(
    `kill -9: it is there whole or not at all, seed ${SEED}`,
    async () => {
      await using workspace = await filled();
      const random = new Random(SEED);
      for (let round = 0; round < (IS_LONG ? 20 : 3); round++) {
        await using server = await Server.start(workspace);
        const [maker, other] = [await server.connect(), await server.connect()];
        const created = unlessLost(create(maker));
        await untilBuilding(other);
        await Bun.sleep(random.below(120)); // the random moment that this is about
        await server.kill();
        const reply = await created;

        await using again = await Server.start(workspace);
        const client = await again.connect();
        const names = (await client.call("INDEX", "LIST")) as string[];
        // Who was answered has it; who was not has all of it or nothing.
        if (reply !== undefined)
          expect({ reply, names }).toEqual({ reply: PEOPLE, names: ["age"] });
        if (names.length === 0) expect(await create(client)).toBe(PEOPLE);
        expect(await indexInfo(client, "age", "entries")).toBe(String(PEOPLE));
        expect(await damagesOf(client, "age")).toEqual([]);
        await client.call("INDEX", "DROP", "age");
        expect(await again.stop()).toBe(0);
      }
    },
    IS_LONG ? 300_000 : 90_000,
  );

  test("kill -9 while it is made anew: it is there", async () => {
    await using workspace = await filled();
    {
      await using server = await Server.start(workspace);
      const [maker, other] = [await server.connect(), await server.connect()];
      expect(await create(maker)).toBe(PEOPLE);
      const rebuilt = unlessLost(maker.ask("INDEX", "REBUILD", "age"));
      // The old one answers meanwhile.
      expect((await foundKeys(other, "age = 7", "age")).length).toBeGreaterThan(1000);
      const second = await other.ask("INDEX", "REBUILD", "age");
      expect(second).toBeInstanceOf(ReplyError);
      await server.kill();
      expect(await rebuilt).toBeUndefined();
    }
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("INDEX", "LIST")).toEqual(["age"]);
    expect(await damagesOf(client, "age")).toEqual([]);
    expect(await client.call("INDEX", "REBUILD", "age")).toBe(PEOPLE);
    expect(await damagesOf(client, "age")).toEqual([]);
  }, 60_000);

  test("SIGTERM ends it in order, and the next start knows nothing of it", async () => {
    await using workspace = await filled();
    {
      await using server = await Server.start(workspace);
      const [maker, other] = [await server.connect(), await server.connect()];
      const created = unlessLost(create(maker));
      await untilBuilding(other);
      expect(await server.stop()).toBe(0);
      expect(await created).not.toBe(PEOPLE);
    }
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("DBSIZE")).toBe(PEOPLE);
    expect(await client.call("INDEX", "LIST")).toEqual([]);
  }, 60_000);

  test("memory that runs out is an error, and leaves nothing", async () => {
    await using workspace = await filled({ use: "none" });
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await fillWithPeople(client, PEOPLE);
    const before = await infoNumber(client, "used_memory");
    await client.call("CONFIG", "SET", "maxmemory", before + 600_000);
    const reply = await create(client);
    expect(reply).toBeInstanceOf(ReplyError);
    expect((reply as ReplyError).code).toBe("OOM");
    expect(await client.call("INDEX", "LIST")).toEqual([]);
    await until("its memory is back", async () => {
      return (await infoNumber(client, "used_memory")) < before + 50_000;
    });
    expect(await client.call("JSON.SET", "person:0", "$", '{"age":1}')).toBe("OK");
    await client.call("CONFIG", "SET", "maxmemory", 0);
    expect(await create(client)).toBe(PEOPLE);
    expect(await damagesOf(client, "age")).toEqual([]);
  }, 60_000);

  test("snapshots, checkpoints and writes go on, and all of it is right", async () => {
    await using workspace = await filled({ use: "wal", fsync: "everysec" }, PEOPLE / 5);
    const random = new Random(SEED);
    let digest: Reply;
    {
      await using server = await Server.start(workspace);
      const clients = await Promise.all(createCommands.map(() => server.connect()));
      let isOver = false;
      const made = clients.map((client, at) => client.call(...(createCommands[at] as string[])));
      const saver = await server.connect();
      const saving = async () => {
        for (let round = 0; !isOver; round++) {
          const command = ["SAVE", "BGSAVE", "COMPACT"][round % 3] as string;
          await saver.ask(command);
        }
      };
      const writer = await server.connect();
      const writing = async () => {
        while (!isOver)
          await writer.pipeline(Array.from({ length: 50 }, () => randomChanges(random)).flat());
      };
      const background = Promise.all([saving(), writing()]);
      for (const entries of await Promise.all(made)) expect(entries).toBeNumber();
      for (const [name = ""] of INDEXES) await saver.call("INDEX", "REBUILD", name);
      isOver = true;
      await background;
      await until("what expires is gone", async () => {
        const keyspace = String(await saver.call("INFO", "keyspace"));
        return keyspace.includes("expires=0");
      });
      expect(await problemsOfIndexes(saver)).toEqual([]);
      expect(await saver.call("CHECK")).toMatchObject({ 1: "ok" });
      digest = await saver.call("DEBUG", "DIGEST");
      await server.kill();
    }
    const check = await kvdb(workspace, ["check", "--json"]);
    expect({ code: check.code, stderr: check.stderr }).toEqual({ code: 0, stderr: "" });
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("DEBUG", "DIGEST")).toBe(digest);
    expect(await problemsOfIndexes(client)).toEqual([]);
  }, 120_000);
});
