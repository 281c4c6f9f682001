/**
 * Indexes at the start: those of the configuration are made before anybody is served, one that cannot be made ends the start,
 * and a definition whose kind is not there is kept, shown, and served again when the kind is back.
 */
import { describe, expect, test } from "bun:test";
import { type Client, ReplyError } from "./support/client.ts";
import { damagesOf, fillWithPeople, foundKeys, indexInfo } from "./support/people.ts";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const CONFIG = 78;
const PEOPLE = 50_000;
const LOG = { dir: "data", persistence: "wal" };

async function withServer(workspace: Workspace, run: (client: Client) => Promise<void>) {
  await using server = await Server.start(workspace);
  await run(await server.connect());
  expect(await server.stop()).toBe(0);
  return server.log;
}

test("those of the configuration are made of what is there, and clients are told LOADING meanwhile", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", LOG);
  await withServer(workspace, async (client) => {
    await fillWithPeople(client, PEOPLE);
    await client.call("SAVE");
  });
  const indexes = {
    email: { use: "hash", field: "email", unique: true },
    age: { use: "ordered", field: "age" },
  };
  await workspace.write("kvdb.config.json", { ...LOG, indexes });
  {
    await using server = await Server.start(workspace, { awaitReady: false });
    const client = await until("somebody listens", () =>
      server.connect().catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ECONNREFUSED") throw error;
        return undefined;
      }),
    );
    const question = ["FIND", "age = 7", "COUNT"] as const;
    let toldLoading = 0;
    let toldIndexes = 0;
    const count = await until("it is ready", async () => {
      const reply = await client.ask(...question);
      if (!(reply instanceof ReplyError)) return reply as number;
      expect(reply.code).toBe("LOADING");
      toldLoading++;
      const progress = String(await client.call("INFO", "persistence"));
      if (/^loading_indexes_perc:\d+\.\d\d\r$/m.test(progress)) toldIndexes++;
      return undefined;
    });
    expect(toldLoading).toBeGreaterThan(1);
    expect(toldIndexes).toBeGreaterThan(0);
    expect(count).toBe((await foundKeys(client, "age = 7")).length);
    expect(count).toBeGreaterThan(500);
    expect(await client.call("EXPLAIN", ...question)).toContain("age");
    for (const name of Object.keys(indexes)) {
      expect(await indexInfo(client, name, "entries")).toBe(String(PEOPLE));
      expect(await damagesOf(client, name)).toEqual([]);
    }
    expect(await server.stop()).toBe(0);
  }
  // They are of the data from then on, whatever the configuration says.
  await workspace.write("kvdb.config.json", LOG);
  await withServer(workspace, async (client) => {
    expect(await client.call("INDEX", "LIST")).toEqual(["age", "email"]);
  });
}, 60_000);

test("a unique one whose values are not ends the start, and names both keys", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", LOG);
  await withServer(workspace, async (client) => {
    await client.call("JSON.SET", "ada", "$", '{"email":"a@example.org"}');
    await client.call("JSON.SET", "bob", "$", '{"email":"a@example.org"}');
  });
  const indexes = { email: { use: "hash", field: "email", unique: true } };
  await workspace.write("kvdb.config.json", { ...LOG, indexes });
  await using server = await Server.start(workspace, { awaitReady: false });
  expect(await server.ended()).toBe(CONFIG);
  for (const part of ["indexes.email", "a@example.org", "ada", "bob"]) {
    expect(server.log).toContain(part);
  }
  // Nothing has happened to the data.
  await workspace.write("kvdb.config.json", LOG);
  expect(await kvdb(workspace, ["dbsize"])).toMatchObject({ code: 0, stdout: "2\n" });
});

test("a document whose time is over is in nobody's way", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", LOG);
  await withServer(workspace, async (client) => {
    await client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0");
    await client.call("JSON.SET", "ada", "$", '{"email":"a@example.org"}');
    await client.call("PEXPIREAT", "ada", String(Date.now() + 1));
    await client.call("JSON.SET", "bob", "$", '{"email":"a@example.org"}');
  });
  const indexes = { email: { use: "hash", field: "email", unique: true } };
  await workspace.write("kvdb.config.json", { ...LOG, indexes });
  for (let start = 0; start < 2; start++) {
    await withServer(workspace, async (client) => {
      expect(await client.call("INDEX", "LIST")).toEqual(["email"]);
      expect(await client.call("FIND", "email exists", "COUNT")).toBe(1);
      expect(await client.call("DBSIZE")).toBe(1);
    });
  }
});

const SHELF = `
import { definePlugin } from "kvdb";

export default definePlugin({
  name: "shelf",
  apiVersion: 1,
  indexes: () => [
    {
      name: "shelf",
      summary: "Equality.",
      supports: { unique: false, compound: false, databaseKeys: false },
      create: (host) => {
        const map = host.multimap();
        return {
          apply: ({ document, removed, added }) => {
            for (const key of removed) map.remove(key, document);
            for (const key of added) map.add(key, document);
          },
          has: (key, document) => map.has(key, document),
          answer: ({ ranges }) => {
            if (ranges === undefined || !ranges.every(({ isPoint }) => isPoint)) return undefined;
            const keys = ranges.map(({ low }) => low);
            const count = keys.reduce((total, key) => total + map.count(key), 0);
            return { count, isExact: true, isOrdered: false, open: () => map.cursor(keys) };
          },
        };
      },
    },
  ],
});
`;

describe.each(["wal", "json-snapshot"])(
  "an index whose plugin is gone, with %s,",
  (persistence) => {
    const plain = { dir: "data", persistence };
    const withPlugin = { ...plain, plugins: ["./shelf.ts"] };
    const definition = '{"use":"shelf","field":"city"}';
    const reason = 'unknown kind of index "shelf"';

    async function workspaceWithIndex(): Promise<Workspace> {
      const workspace = await Workspace.create();
      await workspace.write("shelf.ts", SHELF);
      await workspace.write("kvdb.config.json", withPlugin);
      await withServer(workspace, async (client) => {
        await client.call("JSON.SET", "ada", "$", '{"city":"Oslo"}');
        await client.call("JSON.SET", "bob", "$", '{"city":"Rome"}');
        await client.call("INDEX", "CREATE", "city", "USING", "shelf", "FIELD", "city");
        expect(await foundKeys(client, "city = Oslo", "city")).toEqual(["ada"]);
        await client.call("SAVE");
      });
      return workspace;
    }

    test("is told, shown and kept, and works when it is back", async () => {
      await using workspace = await workspaceWithIndex();
      await workspace.write("kvdb.config.json", plain);
      const log = await withServer(workspace, async (client) => {
        expect(await client.call("INDEX", "LIST")).toEqual(["city"]);
        expect(await indexInfo(client, "city", "state")).toBe("unusable");
        expect(await indexInfo(client, "city", "failure")).toStartWith(reason);
        expect(await indexInfo(client, "city", "definition")).toBe(definition);
        expect(await client.call("INDEX", "INFO")).toHaveLength(1);
        const refused = [
          ["FIND", "city = Oslo", "USING", "city"],
          ["INDEX", "CHECK", "city"],
          ["INDEX", "REBUILD", "city"],
          ["INDEX", "CREATE", "city", "USING", "hash", "FIELD", "city"],
        ];
        for (const command of refused) {
          expect(String(await client.ask(...command))).toContain(
            `the index "city" cannot be used: ${reason}`,
          );
        }
        expect(await foundKeys(client, "city = Oslo")).toEqual(["ada"]);
        await client.call("JSON.SET", "cy", "$", '{"city":"Oslo"}');
        await client.call("SWAPDB", 0, 1);
        expect(await client.call("INDEX", "LIST")).toEqual([]);
        await client.call("SWAPDB", 0, 1);
        await client.call("SAVE");
      });
      expect(log).toContain("an index cannot be used");
      expect(log).toContain("unknown kind of index");
      await workspace.write("kvdb.config.json", withPlugin);
      await withServer(workspace, async (client) => {
        expect(await foundKeys(client, "city = Oslo", "city")).toEqual(["ada", "cy"]);
        expect(await damagesOf(client, "city")).toEqual([]);
      });
    }, 30_000);

    test("can be dropped, and stays so", async () => {
      await using workspace = await workspaceWithIndex();
      await workspace.write("kvdb.config.json", plain);
      await withServer(workspace, async (client) => {
        expect(await client.call("INDEX", "DROP", "city")).toBe("OK");
        expect(await client.call("INDEX", "LIST")).toEqual([]);
        expect(String(await client.ask("INDEX", "DROP", "city"))).toContain('no index "city"');
        expect(await client.call("INDEX", "CREATE", "city", "USING", "hash", "FIELD", "city")).toBe(
          2,
        );
        await client.call("INDEX", "DROP", "city");
      });
      await workspace.write("kvdb.config.json", withPlugin);
      await withServer(workspace, async (client) => {
        expect(await client.call("INDEX", "LIST")).toEqual([]);
      });
    }, 30_000);
  },
);
