/** U7, V-T3: CONFIG REWRITE puts what CONFIG SET changed into the file that kvdb was started from. */
import { describe, expect, test } from "bun:test";
import { chmod, readFile, rm, stat, symlink } from "node:fs/promises";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const FILE = `{
  // the cache of the shop
  "databases": 4, // not more
  "memory": { "max": "1gb" },
  "frontends": [
    // for the clients
    { "use": "resp", "timeout": 0 },
  ],
}
`;

/** A server, changed and its file rewritten; what the file then is. */
async function rewritten(
  workspace: Workspace,
  file: string,
  changes: readonly string[],
): Promise<string> {
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("CONFIG", "SET", ...changes)).toBe("OK");
  expect(await client.call("CONFIG", "REWRITE")).toBe("OK");
  await server.stop();
  return readFile(file, "utf8");
}

/** What a server that is started anew says of these. */
async function settingsOf(workspace: Workspace, ...names: readonly string[]) {
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const answer = (await client.call("CONFIG", "GET", ...names)) as string[];
  const text = answer.map(String);
  return Object.fromEntries(names.map((name) => [name, text[text.indexOf(name) + 1]]));
}

test("U7: intervals of the persistence hold over a restart, in the default configuration too", async () => {
  await using workspace = await Workspace.create();
  const file = await workspace.write("kvdb.config.json", "{}\n");
  const text = await rewritten(workspace, file, ["save", "1 1", "appendfsync", "everysec"]);
  expect(text).toBe(
    '{\n  "persistence": { "use": "wal", "save": "1 1", "fsync": "everysec" }\n}\n',
  );
  const held = await settingsOf(workspace, "save", "appendfsync");
  expect(held).toEqual({ save: "1 1", appendfsync: "everysec" });
});

test("comments, order and layout stay; each parameter goes where its key is", async () => {
  await using workspace = await Workspace.create();
  const file = await workspace.write("kvdb.config.jsonc", FILE);
  await chmod(file, 0o640);
  const changes = {
    ...{ maxmemory: "50mb", timeout: "60", loglevel: "warning", "list-max-listpack-size": "-1" },
    "auto-aof-rewrite-percentage": "50",
  };
  const text = await rewritten(workspace, file, Object.entries(changes).flat());
  expect(text).toBe(
    FILE.replace('"1gb"', "52428800")
      .replace('"timeout": 0', '"timeout": 60')
      .replace(
        "  ],\n}",
        [
          "  ],",
          '  "log": { "level": "warn" },',
          '  "parameters": { "list-max-listpack-size": -1 },',
          '  "persistence": { "use": "wal", "compaction": { "ratio": 0.5 } },',
          "}",
        ].join("\n"),
      ),
  );
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  const held = await settingsOf(workspace, ...Object.keys(changes));
  expect(held).toEqual({ ...changes, maxmemory: "52428800" });
});

test("a parameter of the server that the file has no entry for; an older name is written as the new one", async () => {
  await using workspace = await Workspace.create();
  const file = await workspace.write("kvdb.config.json", '{ "databases": 2 }\n');
  const text = await rewritten(workspace, file, ["timeout", "9", "hash-max-ziplist-entries", "7"]);
  expect(JSON.parse(text)).toEqual({
    databases: 2,
    parameters: { timeout: 9, "hash-max-listpack-entries": 7 },
  });
  const held = await settingsOf(workspace, "timeout", "hash-max-ziplist-entries");
  expect(held).toEqual({ timeout: "9", "hash-max-ziplist-entries": "7" });
});

test("package.json: only the key kvdb is changed", async () => {
  await using workspace = await Workspace.create();
  const before = '{\n  "name": "shop",\n  "kvdb": { "databases": 2 },\n  "type": "module"\n}\n';
  const file = await workspace.write("package.json", before);
  const text = await rewritten(workspace, file, ["maxmemory", "1mb"]);
  const after = '"kvdb": { "databases": 2, "memory": { "max": 1048576 } }';
  expect(text).toBe(before.replace('"kvdb": { "databases": 2 }', after));
});

test("a link stays one, and what options set is not written", async () => {
  await using workspace = await Workspace.create();
  const real = await workspace.write("elsewhere/real.json", "{}\n");
  await symlink(real, workspace.path("kvdb.config.json"));
  await using server = await Server.start(workspace, {
    args: ["--timeout", "5", "--dbfilename", "data.rdb"],
  });
  const client = await server.connect();
  await client.call("CONFIG", "SET", "save", "100 1");
  expect(await client.call("CONFIG", "REWRITE")).toBe("OK");
  expect(JSON.parse(await readFile(real, "utf8"))).toEqual({
    persistence: { use: "aof", appendonly: false, save: "100 1" },
  });
});

describe("nothing is written", () => {
  test("of what is always so, although somebody said it", async () => {
    await using workspace = await Workspace.create();
    const file = await workspace.write("kvdb.config.json", "{}");
    expect(await rewritten(workspace, file, ["daemonize", "no"])).toBe("{}");
  });

  test("without a file, in Redis's words", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(String(await client.ask("CONFIG", "REWRITE"))).toStartWith(
      "ReplyError: ERR The server is running without a config file",
    );
  });

  test("into another language: the keys are told", async () => {
    await using workspace = await Workspace.create();
    const file = await workspace.write("kvdb.config.yaml", "databases: 3\n");
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("CONFIG", "SET", "maxmemory", "1mb", "appendfsync", "no");
    const answer = String(await client.ask("CONFIG", "REWRITE"));
    expect(answer).toContain("memory.max = 1048576");
    expect(answer).toContain('"fsync":"no"');
    expect(await readFile(file, "utf8")).toBe("databases: 3\n");
  });

  test("into a file that is wrong meanwhile: the place is told", async () => {
    await using workspace = await Workspace.create();
    const file = await workspace.write("kvdb.config.json", "{}\n");
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("CONFIG", "SET", "maxmemory", "1mb");
    for (const broken of ['{\n  "databasse": 3\n}\n', '{\n  "databases": \n}\n']) {
      await workspace.write("kvdb.config.json", broken);
      const answer = String(await client.ask("CONFIG", "REWRITE"));
      expect(answer).toMatch(/kvdb\.config\.json:[23]: /);
      expect(await readFile(file, "utf8")).toBe(broken);
    }
  });

  test("into what is no file any more", async () => {
    await using workspace = await Workspace.create();
    const file = await workspace.write("kvdb.config.json", "{}\n");
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("CONFIG", "SET", "timeout", "5");
    await rm(file);
    expect(Bun.spawnSync(["mkfifo", file]).exitCode).toBe(0);
    const answer = String(await client.ask("CONFIG", "REWRITE"));
    expect(answer).toContain("no ordinary file");
    await rm(file);
    await workspace.write("kvdb.config.json", "{}\n");
    expect(await client.call("CONFIG", "REWRITE")).toBe("OK");
  });
});
