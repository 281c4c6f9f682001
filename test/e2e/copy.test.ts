/** `kvdb copy` through the executable: from a live redis-server and back, between kvdbs, and what can go wrong in between. */
import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { resealPayload, sealPayload } from "../../src/rdb/dump-payload.ts";
import { RdbOutput } from "../../src/rdb/rdb-output.ts";
import { fill } from "./support/every-type.ts";
import { OldRedis } from "./support/old-redis.ts";
import { until } from "./support/poll.ts";
import { REDIS, Redis } from "./support/redis.ts";
import { kvdb } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { TerminalRun } from "./support/terminal.ts";
import { Workspace } from "./support/workspace.ts";

const timeless = (text: string) => text.replace(/ in [\d.]+ m?s/, "");

async function digest(workspace: Workspace, ...flags: string[]): Promise<string> {
  return (await kvdb(workspace, [...flags, "debug", "digest"])).stdout.trim();
}

describe.skipIf(REDIS === null)("with redis-server", () => {
  test("every type comes as it is, with deadlines and databases, and goes back", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    const client = await redis.connect();
    await fill(client);
    const digestThere = await client.call("DEBUG", "DIGEST");
    const copied = await kvdb(workspace, ["copy", redis.url]);
    expect(copied).toMatchObject({ code: 0, stderr: "" });
    expect(timeless(copied.stdout)).toBe(`copied 17 keys from 127.0.0.1:${redis.port}\n`);
    expect(await digest(workspace)).toBe(String(digestThere));
    const deadline = await client.call("PEXPIRETIME", "expires");
    expect((await kvdb(workspace, ["pexpiretime", "expires"])).stdout.trim()).toBe(
      String(deadline),
    );
    await client.call("FLUSHALL");
    const back = await kvdb(workspace, ["copy", "--to", redis.url]);
    expect(back).toMatchObject({ code: 0, stderr: "" });
    expect(await client.call("DEBUG", "DIGEST")).toBe(digestThere);
    expect(await client.call("PEXPIRETIME", "expires")).toBe(deadline);
  });

  test("of a kvdb documents become strings, which is told; deadlines of fields do not fit", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    const script = `set doc '{"a":1}'\nset text x\nhset h f v\nhexpire h 100 FIELDS 1 f\n`;
    expect((await kvdb(workspace, [], { input: script })).code).toBe(0);
    const refused = await kvdb(workspace, ["copy", "--to", redis.url]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain('key "h": its fields have deadlines');
    const copied = await kvdb(workspace, ["copy", "--to", redis.url, "--continue"]);
    expect(copied.code).toBe(1);
    expect(timeless(copied.stdout)).toStartWith("copied 2 keys from ");
    expect(copied.stderr).toContain("1 document is a string there");
    const client = await redis.connect();
    expect(await client.call("MGET", "doc", "text", "h")).toEqual(['{"a":1}', "x", null]);
  });

  test("from one server to another; not to itself", async () => {
    await using workspace = await Workspace.create();
    await using from = await Redis.start(workspace);
    await using to = await Redis.start(workspace);
    const client = await from.connect();
    await fill(client);
    expect((await kvdb(workspace, ["copy", from.url, "--to", to.url])).code).toBe(0);
    const other = await to.connect();
    expect(await other.call("DEBUG", "DIGEST")).toBe(await client.call("DEBUG", "DIGEST"));
    const itself = await kvdb(workspace, ["copy", from.url, "--to", from.url]);
    expect(itself).toMatchObject({ code: 2, stdout: "" });
    expect(itself.stderr).toContain("are the same server");
    expect(await readdir(workspace.folder)).toEqual([]);
  });

  test("one database, some keys, into another database, over what is there", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    await fill(await redis.connect());
    await kvdb(workspace, [], { input: "SELECT 5\nRPUSH text old\n" });
    const into = ["--database", "5"];
    const one = await kvdb(workspace, ["copy", `${redis.url}/3`, ...into]);
    expect(one).toMatchObject({ code: 0, stderr: "" });
    expect(timeless(one.stdout)).toStartWith("copied 2 keys from ");
    const some = await kvdb(workspace, ["copy", `${redis.url}/0`, "--prefix", "set:", ...into]);
    expect(timeless(some.stdout)).toStartWith("copied 1 key from ");
    const matched = await kvdb(workspace, ["copy", `${redis.url}/0`, "--match", "z*l?ng", ...into]);
    expect(timeless(matched.stdout)).toStartWith("copied 1 key from ");
    const listed = await kvdb(workspace, [], { input: "SELECT 5\nlist\nGET text\n" });
    expect(listed.stdout.trim().split("\n").slice(1)).toEqual([
      '"set:numbers"',
      '"text"',
      '"zset"',
      '"zset:long"',
      '"of another database"',
    ]);
    const both = await kvdb(workspace, ["copy", redis.url, ...into]);
    expect(both).toMatchObject({ code: 2, stdout: "" });
    expect(both.stderr).toContain("databases 0, 3");
  });

  test("a dry run reads everything, and makes no key", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    await fill(await redis.connect());
    const outcome = await kvdb(workspace, ["copy", redis.url, "--dry-run"]);
    expect(timeless(outcome.stdout)).toStartWith("would copy 17 keys from ");
    expect((await kvdb(workspace, ["dbsize"])).stdout.trim()).toBe("0");
  });

  test("a password: asked for, wrong, right, and never shown", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace, "--requirepass", "s3cret");
    const missing = await kvdb(workspace, ["copy", redis.url]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toContain("wants a password");
    const at = (password: string) => `redis://:${password}@127.0.0.1:${redis.port}`;
    const wrong = await kvdb(workspace, ["copy", at("n0t")]);
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toContain("WRONGPASS");
    expect(wrong.stderr).not.toContain("n0t");
    expect((await kvdb(workspace, ["copy", at("s3cret")])).code).toBe(0);
  });

  test("a server that dies in the middle is told; what came stays, and a second copy completes it", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const held = await server.connect();
    const count = 200_000;
    {
      await using redis = await Redis.start(workspace);
      const client = await redis.connect();
      await client.call("DEBUG", "POPULATE", count, "key", 100);
      const copying = kvdb(workspace, ["copy", redis.url]);
      await until("some keys have come", async () => Number(await held.call("DBSIZE")) > 1000);
      redis.signal("SIGKILL");
      const outcome = await copying;
      expect(outcome).toMatchObject({ code: 69, stdout: "" });
      expect(outcome.stderr).toContain(`127.0.0.1:${redis.port} closed the connection`);
      const told = /\(([\d ]+) keys had been copied, which stay\)/.exec(outcome.stderr)?.[1];
      const stay = Number(told?.replaceAll(" ", ""));
      expect(stay).toBeGreaterThanOrEqual(1000);
      expect(Number(await held.call("DBSIZE"))).toBeGreaterThanOrEqual(stay);
    }
    await using again = await Redis.start(workspace);
    const client = await again.connect();
    await client.call("DEBUG", "POPULATE", count, "key", 100);
    expect((await kvdb(workspace, ["copy", again.url])).code).toBe(0);
    expect(await held.call("DBSIZE")).toBe(count);
    expect(await held.call("DEBUG", "DIGEST")).toBe(await client.call("DEBUG", "DIGEST"));
    expect(await server.stop()).toBe(0);
  }, 60_000);

  test("a bar shows how far it is; Ctrl-C ends it also when the server has stopped", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    const client = await redis.connect();
    await client.call("DEBUG", "POPULATE", 1_000_000, "key", 20);
    await using terminal = new TerminalRun(workspace, [workspace.executable, "copy", redis.url]);
    await terminal.until(/copying \[#* *\] \d+ %, \d+ keys/);
    redis.signal("SIGSTOP");
    terminal.type("\x03");
    await terminal.until(/stopped: [\d ]+ keys are copied/);
    expect(await terminal.exited).toBe(130);
  }, 60_000);
});

describe("from one kvdb to another", () => {
  test("documents, deadlines of fields and indexes come as they are", async () => {
    await using workspace = await Workspace.create();
    const script = `
set user:1 '{"name":"Ada","age":36}'
value.set user:2 '{"name":"Cy"}' PX 3600000
hset hash f v g w
hexpire hash 3600 FIELDS 1 g
index create byname USING hash FIELD name PREFIX user: UNIQUE
select 2
set other 1.50
index create early USING ordered FIELD age WHERE 'age > 3'
`;
    expect((await kvdb(workspace, [], { input: script })).code).toBe(0);
    const before = await digest(workspace);
    {
      await using from = await Server.start(workspace);
      const copied = await kvdb(workspace, [
        "--dir",
        "b",
        "copy",
        `redis://127.0.0.1:${from.port}`,
      ]);
      expect(copied).toMatchObject({ code: 0, stderr: "" });
      expect(timeless(copied.stdout)).toStartWith("copied 4 keys and 2 indexes from ");
    }
    expect(await digest(workspace, "--dir", "b")).toBe(before);
    const info = (await kvdb(workspace, ["--dir", "b", "index", "info", "byname"])).stdout;
    expect(info).toContain("user:");
    expect((await kvdb(workspace, ["--dir", "b", "find", "name = 'Cy'"])).stdout).toContain(
      "user:2",
    );
    const listed = await kvdb(workspace, ["--dir", "b"], { input: "SELECT 2\nindex list\n" });
    expect(listed.stdout).toContain("early");
  });

  test("a key that is refused ends it, or is left out with --continue", async () => {
    await using workspace = await Workspace.create();
    await kvdb(workspace, ["set", "u:1", '{"mail":"a@x"}']);
    await kvdb(workspace, ["set", "u:2", '{"mail":"b@x"}']);
    await using from = await Server.start(workspace);
    await kvdb(workspace, ["--dir", "b", "set", "taken", '{"mail":"a@x"}']);
    const index = ["index", "create", "mail", "USING", "hash", "FIELD", "mail", "UNIQUE"];
    await kvdb(workspace, ["--dir", "b", ...index]);
    const words = ["--dir", "b", "copy", `redis://127.0.0.1:${from.port}`];
    const refused = await kvdb(workspace, words);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/key "u:1": .*"a@x" is taken.*--continue leaves it out/);
    const gone = await kvdb(workspace, [...words, "--continue"]);
    expect(gone.code).toBe(1);
    expect(timeless(gone.stdout)).toStartWith("copied 1 key from ");
    expect(gone.stderr).toContain('key "u:1": ');
    expect(gone.stderr).toContain("left out 1 problem\n");
    expect((await kvdb(workspace, ["--dir", "b", "list"])).stdout).toBe('"taken"\n"u:2"\n');
  });
});

/** Type 7 and the ID of a module's type, which names it in nine characters of six bits. */
function modulePayload(name: string): Buffer {
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const id =
    [...name].reduce((sum, one) => (sum << 6n) | BigInt(characters.indexOf(one)), 0n) << 10n;
  return payload((output) => {
    output.byte(7);
    output.length64(id);
    output.byte(0);
  });
}

function payload(write: (output: RdbOutput) => void, version = 9): Buffer {
  const output = new RdbOutput();
  write(output);
  sealPayload(output, { isDocument: false, isTimed: false });
  const bytes = Buffer.from(output.bytes.subarray(0, output.end));
  resealPayload(bytes, version);
  return bytes;
}

function text(value: string, version?: number): Buffer {
  return payload((output) => {
    output.byte(0);
    output.string(Buffer.from(value), 0, value.length);
  }, version);
}

function list(...elements: string[]): Buffer {
  return payload((output) => {
    output.byte(1);
    output.length(elements.length);
    for (const one of elements) output.string(Buffer.from(one), 0, one.length);
  }, 80);
}

describe("from servers that are not here to be tried", () => {
  test("an old one without HELLO and PEXPIRETIME: values, and deadlines by its clock", async () => {
    await using workspace = await Workspace.create();
    using old = new OldRedis({
      a: { payload: text("x") },
      b: { payload: text("12"), leftMs: 5000 },
    });
    const outcome = await kvdb(workspace, ["copy", old.url]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect((await kvdb(workspace, ["--raw", "GET", "a"])).stdout.trim()).toBe("x");
    expect((await kvdb(workspace, ["pexpiretime", "b"])).stdout.trim()).toBe("1900000005123");
  });

  test("a newer one: known types are taken, others are told by key and type", async () => {
    await using workspace = await Workspace.create();
    using future = new OldRedis({
      text: { payload: text("x", 80) },
      list: { payload: list("a", "b") },
      odd: { payload: payload((output) => output.byte(60), 80) },
      bloom: { payload: modulePayload("MBbloom--") },
      doc: { payload: modulePayload("ReJSON-RL"), leftMs: 9000, json: '{"a":[1,2]}' },
      broken: { payload: Buffer.from("\x00\x01xgarbage---", "latin1") },
    });
    const refused = await kvdb(workspace, ["copy", future.url]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    const outcome = await kvdb(workspace, ["copy", future.url, "--continue"]);
    expect(outcome.code).toBe(1);
    expect(timeless(outcome.stdout)).toStartWith("copied 3 keys from ");
    const told = outcome.stderr.split("\n").map((line) => line.replace(/^127[\d.:]+: /, ""));
    expect(told).toEqual([
      'key "odd": a value of type 60 of RDB version 80, which kvdb does not know',
      'key "bloom": a value of the module type MBbloom--, which kvdb does not have',
      'key "broken": what the server answered is no value',
      "left out 3 problems",
      "",
    ]);
    expect((await kvdb(workspace, ["--raw", "get", "doc"])).stdout.trim()).toBe('{"a":[1,2]}');
    expect((await kvdb(workspace, ["pexpiretime", "doc"])).stdout.trim()).toBe("1900000009123");
    expect((await kvdb(workspace, ["lrange", "list", "0", "-1"])).stdout).toBe('"a"\n"b"\n');
  });

  test.each([
    [["copy"], 2],
    [["copy", "localhost:6379"], 2],
    [["copy", "redis://127.0.0.1:1"], 69],
    [["copy", "--to", "redis://127.0.0.1:1"], 78],
    [["copy", "redis://127.0.0.1:1", "--prefix", "a", "--match", "b"], 2],
    [["copy", "redis://127.0.0.1:1", "--database", "x"], 2],
    [["copy", "redis://127.0.0.1:1", "redis://127.0.0.1:2"], 2],
  ])("%j ends with %d, and makes nothing", async (words, code) => {
    await using workspace = await Workspace.create();
    expect(await kvdb(workspace, words)).toMatchObject({ code, stdout: "" });
    expect(await readdir(workspace.folder)).toEqual([]);
  });
});
