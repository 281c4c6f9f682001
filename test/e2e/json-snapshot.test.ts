/** The persistence `json-snapshot` through the executable: one file for people, saved as a whole. */
import { describe, expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { Random } from "../oracle/random.ts";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { kvdb, run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const DAMAGE = 65;
const CONFIG = 78;
const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const ROUNDS = process.env["KVDB_TEST_LONG"] === "1" ? 100 : 8;

/** A folder whose configuration names the file beside it. */
async function create(options: object = {}): Promise<Workspace> {
  const workspace = await Workspace.create();
  const persistence = { use: "json-snapshot", file: "database.json", ...options };
  await workspace.write("kvdb.config.json", { persistence });
  return workspace;
}

function textOf(workspace: Workspace): Promise<string> {
  return readFile(workspace.path("database.json"), "utf8");
}

/** What is printed, when nothing is wrong. */
async function printed(workspace: Workspace, ...words: readonly string[]): Promise<string> {
  const { code, stdout } = await kvdb(workspace, words);
  expect({ words, code }).toEqual({ words, code: 0 });
  return stdout.trimEnd();
}

test.skipIf(Bun.which("jq") === null)(
  "R2: save in a shell, read by jq, and there in the next shell",
  async () => {
    await using workspace = await create();
    const shell = await kvdb(workspace, [], { input: 'set name "Alice"\nsave\nexit\n' });
    expect(shell).toMatchObject({ code: 0, stdout: "OK\nOK\n" });
    const jq = (filter: string) => run(workspace, ["jq", "-c", filter, "database.json"]);
    expect(await jq(".")).toMatchObject({ code: 0, stdout: expect.stringContaining("Alice") });
    expect((await jq('.databases["0"]')).stdout).toBe('{"name":"Alice"}\n');
    const next = await kvdb(workspace, [], { input: "get name\n" });
    expect(next).toMatchObject({ code: 0, stdout: '"Alice"\n' });
  },
);

test("R8: what was saved is there after kill -9, what was not is lost", async () => {
  await using workspace = await create();
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("SET", "saved", "yes");
    expect(await client.call("SAVE")).toBe("OK");
    await client.call("SET", "late", "yes");
    await server.kill();
  }
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("MGET", "saved", "late")).toEqual(["yes", null]);
});

test("an orderly stop saves, and one without changes leaves the file as it is", async () => {
  await using workspace = await create();
  for (const stop of ["SIGTERM", "SHUTDOWN", "exit"] as const) {
    if (stop === "exit") await kvdb(workspace, [], { input: "set by exit\nexit\n" });
    else {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await client.call("SET", "by", stop);
      if (stop === "SIGTERM") server.signal(stop);
      else client.socket.write("SHUTDOWN\r\n");
      expect(await server.ended()).toBe(0);
    }
    expect(JSON.parse(await textOf(workspace)).databases).toEqual({ "0": { by: stop } });
  }
  const before = await textOf(workspace);
  expect(await printed(workspace, "get", "by")).toBe('"exit"');
  expect(await textOf(workspace)).toBe(before);
});

test("revisions go on one by one after orderly stops, and far above what a kill took away", async () => {
  await using workspace = await create();
  const savedRevision = async () => JSON.parse(await textOf(workspace)).kvdb.revision as number;
  for (const value of ["1", "2", "3"]) await printed(workspace, "set", "name", value);
  expect(await savedRevision()).toBe(3);
  expect(await printed(workspace, "get", "name")).toBe("3");
  {
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("SET", "name", "seen in revision 4, and lost");
    await server.kill();
  }
  await printed(workspace, "set", "name", "4");
  expect(await savedRevision()).toBe(3 + 2 ** 24);
  await printed(workspace, "set", "name", "5");
  expect(await savedRevision()).toBe(4 + 2 ** 24);
});

test("V5: what was deleted is gone from the file", async () => {
  await using workspace = await create();
  await printed(workspace, "set", "name", "Alice");
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("DEL", "name");
  await client.call("SAVE");
  await server.kill();
  expect(await textOf(workspace)).not.toContain("Alice");
  expect(await printed(workspace, "get", "name")).toBe("null");
});

describe("saves by themselves", () => {
  test("come by the rules, which CONFIG shows and changes as Redis's", async () => {
    await using workspace = await create({ save: "3600 1" });
    await using server = await Server.start(workspace);
    const client = await server.connect();
    expect(await client.call("CONFIG", "GET", "save")).toEqual(["save", "3600 1"]);
    const [, name] = (await client.call("CONFIG", "GET", "dbfilename")) as string[];
    const [, folder] = (await client.call("CONFIG", "GET", "dir")) as string[];
    await client.call("SET", "name", "Alice");
    const wrong = await client.ask("CONFIG", "SET", "save", "soon");
    expect(String(wrong)).toContain("'save') - Invalid save parameters");
    expect(await client.call("CONFIG", "SET", "save", "1 1")).toBe("OK");
    await until("the file is there", async () =>
      (await readdir(workspace.folder)).includes("database.json"),
    );
    await server.kill();
    expect(await readFile(`${folder}/${name}`, "utf8")).toContain("Alice");
  });

  test("of a configuration that is wrong are told with their place", async () => {
    for (const [options, path] of [
      [{ save: "60" }, "persistence.save"],
      [{ save: ["60 1", "x"] }, "persistence.save[1]"],
      [{ every: 0 }, "persistence.every"],
      [{ files: "x" }, "persistence.files"],
    ] as const) {
      await using workspace = await create(options);
      const { code, stderr } = await kvdb(workspace, ["get", "name"]);
      expect({ options, code }).toEqual({ options, code: CONFIG });
      expect(stderr).toContain(path);
    }
  });
});

describe("V9: kill -9 while it is saved", () => {
  /** All keys get the same number, so that halves of two saves would show. */
  async function setAll(client: Client, number: number): Promise<void> {
    const pairs = Array.from({ length: 3000 }, (_, i) => [`key:${i}`, String(number)]).flat();
    await client.call("MSET", ...pairs);
  }

  test(`leaves the old or the new file, never half, seed ${SEED}`, async () => {
    const random = new Random(SEED);
    await using workspace = await create({ save: "" });
    let number = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await using server = await Server.start(workspace);
      const client = await server.connect();
      await setAll(client, ++number);
      await client.call("SAVE");
      const saved = number;
      await setAll(client, ++number);
      client.socket.write("SAVE\r\n");
      await Bun.sleep(random.below(60)); // the moment is what is tried
      await server.kill();
      const { databases } = JSON.parse(await textOf(workspace));
      const values = new Set(Object.values(databases["0"]));
      expect(Object.keys(databases["0"])).toHaveLength(3000);
      expect([[String(saved)], [String(number)]]).toContainEqual([...values] as string[]);
    }
    expect(await printed(workspace, "dbsize")).toBe("3000");
    const names = await readdir(workspace.folder);
    expect(names.filter((name) => name.startsWith("database.json"))).toEqual(["database.json"]);
  });
});

describe("by hand", () => {
  test("a file that somebody wrote or edited loads", async () => {
    await using workspace = await create();
    await workspace.write("database.json", '{"databases":{"0":{"name":"Alice"}}}');
    expect(await printed(workspace, "get", "name")).toBe('"Alice"');
    await printed(workspace, "set", "city", "Oslo");
    await writeFile(
      workspace.path("database.json"),
      (await textOf(workspace)).replace('"Oslo"', '{"name": "Oslo", "population": 717710}'),
    );
    expect(await printed(workspace, "get", "city")).toBe('{"name":"Oslo","population":717710}');
  });

  test("a wrong one is refused with file, line and column, until it is corrected", async () => {
    await using workspace = await create();
    const wrong = '{"databases": {"0": {\n  "name": "Alice",\n  "city": Oslo\n}}}';
    const path = await workspace.write("database.json", wrong);
    const { code, stdout, stderr } = await kvdb(workspace, ["get", "name"]);
    expect({ code, stdout }).toEqual({ code: DAMAGE, stdout: "" });
    expect(stderr).toContain(`${path}:3:11: expected a value`);
    expect(await textOf(workspace)).toBe(wrong);
    await writeFile(path, wrong.replace("Oslo", '"Oslo"'));
    expect(await printed(workspace, "get", "city")).toBe('"Oslo"');
  });

  test("what is edited while kvdb runs is kept beside", async () => {
    await using workspace = await create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await client.call("SET", "name", "Alice");
    await client.call("SAVE");
    const edited = (await textOf(workspace)).replace("Alice", "Carol");
    await writeFile(workspace.path("database.json"), edited);
    await client.call("SET", "name", "Bob");
    await client.call("SAVE");
    expect(await textOf(workspace)).toContain("Bob");
    expect(await readFile(workspace.path("database.json.changed"), "utf8")).toBe(edited);
    expect(server.log).toContain("database.json.changed");
  });
});

describe("damage", () => {
  test("is found by a check, and repaired as far as can be", async () => {
    await using workspace = await create();
    const lines = ["set a 1", "set b 2", "set c 3"];
    await kvdb(workspace, ["--force"], { input: `${lines.join("\n")}\n` });
    expect((await kvdb(workspace, ["check"])).code).toBe(0);
    const damaged = (await textOf(workspace)).replace('"b": 2', '"b": \0');
    const path = await workspace.write("database.json", damaged);
    const found = await kvdb(workspace, ["check"]);
    expect(found.code).toBe(DAMAGE);
    expect(found.stdout).toContain("6:12: expected a value");
    expect((await kvdb(workspace, ["get", "a"])).code).toBe(DAMAGE);
    expect((await kvdb(workspace, ["check", "--repair"])).code).toBe(0);
    expect(await readFile(`${path}.damaged`, "utf8")).toBe(damaged);
    expect((await kvdb(workspace, ["check"])).code).toBe(0);
    expect(await printed(workspace, "mget", "a", "b", "c")).toContain("3");
    expect(await printed(workspace, "dbsize")).toBe("2");
  });

  test("by hand is found by a check too, until something is saved", async () => {
    await using workspace = await create();
    await printed(workspace, "set", "name", "Alice");
    for (const [name, save] of [
      ["Bob", ["set", "city", "Oslo"]],
      ["Carol", ["check", "--repair"]],
    ] as const) {
      const edited = (await textOf(workspace)).replace(/(?<="name": ")\w+/, name);
      await workspace.write("database.json", edited);
      expect((await kvdb(workspace, ["check"])).code).toBe(DAMAGE);
      expect(await printed(workspace, "get", "name")).toBe(`"${name}"`);
      expect((await kvdb(workspace, save)).code).toBe(0);
      expect((await kvdb(workspace, ["check"])).code).toBe(0);
    }
    expect(await printed(workspace, "get", "name")).toBe('"Carol"');
  });

  test("with --recover: a server keeps what can be read, and saves it by itself", async () => {
    await using workspace = await create({ save: "" });
    const content = '{"databases": {"0": {\n      "a": 1,\n      "b": x,\n      "c": 3\n}}}';
    const path = await workspace.write("database.json", content);
    await using server = await Server.start(workspace, { flags: ["--recover"] });
    const client = await server.connect();
    expect(await client.call("MGET", "a", "b", "c")).toEqual(["1", null, "3"]);
    await until("it is saved", async () => (await textOf(workspace)).includes('"kvdb"'));
    await server.kill();
    expect(await readFile(`${path}.damaged`, "utf8")).toBe(content);
    expect(await printed(workspace, "dbsize")).toBe("2");
  });
});

test("CHECK compares what is saved with the memory", async () => {
  await using workspace = await create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  await client.call("MSET", "a", "1", "b", Buffer.from([0, 255]));
  await client.call("VALUE.SET", "c", '{"$d":[1.0]}');
  await client.call("SET", "e", "f", "PX", 3_600_000);
  await client.call("SAVE");
  expect(JSON.stringify(await client.call("CHECK"))).toContain('"problems",[]');
  const content = await textOf(workspace);
  await writeFile(workspace.path("database.json"), content.replace('"a": "1"', '"a": "2"'));
  expect(JSON.stringify(await client.call("CHECK"))).toContain("another value on disk");
});

test("a folder whose data is another persistence's is refused, the other way round as well", async () => {
  await using workspace = await create();
  await printed(workspace, "set", "name", "Alice");
  await workspace.write("kvdb.config.json", { persistence: "wal" });
  const { code, stderr } = await kvdb(workspace, ["get", "name"]);
  expect(code).toBe(CONFIG);
  expect(stderr).toContain("json-snapshot");
});
