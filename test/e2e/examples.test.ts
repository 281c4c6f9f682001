/**
 * The examples as a reader uses them: each folder copied to where no node_modules is in reach, and
 * run by the executable. What their documentation shows is run by test/readme.
 */
import { describe, expect, test } from "bun:test";
import { cp, readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const EXAMPLES = resolve(import.meta.dir, "../../examples");

async function copyOf(example: string): Promise<Workspace> {
  const workspace = await Workspace.create();
  await cp(resolve(EXAMPLES, example), workspace.folder, { recursive: true });
  return workspace;
}

describe("U8: commands", () => {
  test("hello: reads and writes, and what it wrote is there without it", async () => {
    await using workspace = await copyOf("commands/hello");
    for (const count of [1, 2]) {
      const greeted = await kvdb(workspace, ["hello.greet", "Ada"]);
      expect(greeted).toEqual({ code: 0, stdout: `"Hello, Ada! (${count})"\n`, stderr: "" });
    }
    await workspace.write("kvdb.config.json", {});
    expect((await kvdb(workspace, ["get", "Ada"])).stdout).toBe(`"2"\n`);
  });

  test("rate-limit: over a server, and again after kill -9", async () => {
    await using workspace = await copyOf("commands/rate-limit");
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const attempt = () => client.call("RATE.LIMIT", "login:ada", 2, 60_000);
    expect(await attempt()).toEqual([1, 1, expect.any(Number)]);
    expect(await attempt()).toEqual([1, 0, expect.any(Number)]);
    expect(await attempt()).toEqual([0, 0, expect.any(Number)]);
    await server.kill();
    await using again = await Server.start(workspace);
    const [allowed, left, ms] = (await (
      await again.connect()
    ).call(...(["RATE.LIMIT", "login:ada", 2, 60_000] as const))) as number[];
    expect([allowed, left]).toEqual([0, 0]);
    expect(ms).toBeLessThanOrEqual(60_000);
    expect(ms).toBeGreaterThan(0);
  });
});

test("U8: the folder of one persistence is refused to another: exit 78, and nothing changes", async () => {
  await using workspace = await copyOf("persistence/json-lines");
  const ofExample = await workspace.write("example.config.json", {
    plugins: ["./json-lines.ts"],
    persistence: "json-lines",
  });
  await workspace.write("kvdb.config.json", {});
  expect((await kvdb(workspace, ["set", "key", "1"])).code).toBe(0);
  const names = await readdir(workspace.path(".kvdb"));
  const refused = await kvdb(workspace, ["--config", ofExample, "get", "key"]);
  expect(refused).toMatchObject({ code: 78, stdout: "" });
  for (const named of [workspace.path(".kvdb"), "wal", "json-lines"]) {
    expect(refused.stderr).toContain(named);
  }
  expect(await readdir(workspace.path(".kvdb"))).toEqual(names);
  expect((await kvdb(workspace, ["get", "key"])).stdout).toBe("1\n");

  // The other way round; what belongs to nobody yet is whose it becomes first.
  const other = ["--dir", "other"];
  expect((await kvdb(workspace, ["--config", ofExample, ...other, "set", "key", "2"])).code).toBe(
    0,
  );
  expect((await kvdb(workspace, [...other, "get", "key"])).code).toBe(78);
  const found = await kvdb(workspace, ["--config", ofExample, ...other, "get", "key"]);
  expect(found.stdout).toBe("2\n");
});

test("U8: a persistence: json-lines keeps what was acknowledged over kill -9", async () => {
  await using workspace = await copyOf("persistence/json-lines");
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await client.call("SET", "name", "Ada")).toBe("OK");
  expect(await client.call("SET", "bytes", Buffer.from([0, 255, 10, 13]))).toBe("OK");
  await server.kill();
  await using again = await Server.start(workspace);
  const reader = await again.connect();
  expect(await reader.call("GET", "name")).toBe("Ada");
  reader.binary = true;
  expect(await reader.call("GET", "bytes")).toEqual(Buffer.from([0, 255, 10, 13]));
  expect(await again.stop()).toBe(0);
  const lines = (await readFile(workspace.path(".kvdb/changes.jsonl"), "utf8")).split("\n");
  for (const line of lines.filter((one) => one !== "")) JSON.parse(line);
});

test("U8: a frontend: http-json, with a password, beside the command line", async () => {
  await using workspace = await copyOf("frontend/http-json");
  const port = freePort();
  const config = JSON.parse(await readFile(workspace.path("kvdb.config.json"), "utf8"));
  config.frontends[0].port = port;
  await workspace.write("kvdb.config.json", { ...config, requirepass: "secret" });
  const child = Bun.spawn([workspace.executable], {
    cwd: workspace.folder,
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    const ask = (method: string, password: string, body?: string) =>
      fetch(`http://127.0.0.1:${port}/key/user`, {
        ...{ method, headers: { authorization: `Bearer ${password}` } },
        ...(body === undefined ? {} : { body }),
      });
    const isUp = () => ask("GET", "secret").catch(() => undefined);
    await until("the frontend answers", async () => (await isUp())?.status === 404);
    expect((await ask("PUT", "wrong", "1")).status).toBe(401);
    expect((await ask("PUT", "secret", '{"age": 36}')).status).toBe(204);
    const got = await ask("GET", "secret");
    expect([got.headers.get("content-type"), await got.json()]).toEqual([
      "application/json",
      { age: 36 },
    ]);
    const posted = await fetch(`http://127.0.0.1:${port}/key/user`, {
      headers: { host: "evil.example", authorization: "Bearer secret" },
    });
    expect(posted.status).toBe(403);
    // The data folder's own socket lets the command line in beside it.
    expect((await kvdb(workspace, ["get", "user"])).stdout).toBe('{"age":36}\n');
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  } finally {
    child.kill("SIGKILL");
  }
});

test("U8: a kind of index: trigram, from the configuration alone, again after kill -9", async () => {
  await using workspace = await copyOf("index/trigram");
  const ask = async (server: Server) => {
    const client = await server.connect();
    const explained = await client.call("EXPLAIN", "FIND", "text matches /apple.*pie/");
    const lines = new Map(pairsOf(explained as unknown[]));
    const found = await client.call("FIND", "text matches /apple.*pie/", "COUNT");
    return [lines.get("kind"), lines.get("rows examined"), found];
  };
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const texts = ["plum", "pineapple pie", "apple", "pie", "fig", "quince", "pear", "cherry"];
  for (let at = 0; at < 200; at++) {
    const text = texts[at % texts.length];
    await client.call("JSON.SET", `k${at}`, "$", JSON.stringify({ text: `${text} ${at}` }));
  }
  expect(await ask(server)).toEqual(["trigram", 25, 25]);
  await client.call("JSON.SET", "k0", "$.text", '"apple and pie"');
  await client.call("DEL", "k1");
  expect(await ask(server)).toEqual(["trigram", 25, 25]);
  await server.kill();
  await using again = await Server.start(workspace);
  expect(await ask(again)).toEqual(["trigram", 25, 25]);
  const checked = await (await again.connect()).call("INDEX", "CHECK", "by_text");
  expect(new Map(pairsOf(checked as unknown[])).get("status")).toBe("ok");
  const rows = (await kvdb(workspace, ["plugins"])).stdout.split("\n");
  const row = rows.find((line) => line.startsWith("trigram"))?.split(/ {2,}/);
  expect(row).toEqual(["trigram", "indexes: trigram", "./trigram.ts", "1", "indexes: by_text"]);
});

test("U8: without its plugin a kind of index is missing, and the data is there", async () => {
  await using workspace = await copyOf("index/trigram");
  expect((await kvdb(workspace, ["set", "k", '{"text":"pineapple"}'])).code).toBe(0);
  await workspace.write("kvdb.config.json", {});
  const got = await kvdb(workspace, ["get", "k"]);
  expect(got).toMatchObject({ code: 0, stdout: '{"text":"pineapple"}\n' });
  expect(got.stderr).toContain("by_text");
});

/** A map as RESP2 has it. */
function pairsOf(flat: readonly unknown[]): [unknown, unknown][] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : []));
}
