/**
 * `kvdb export` and `kvdb import` through the executable: round trips, errors by their lines, all or nothing also across
 * `kill -9`, held folders, pipes, a terminal.
 */
import { describe, expect, test } from "bun:test";
import { readdir, readFile, stat } from "node:fs/promises";
import type { Client } from "./support/client.ts";
import { until } from "./support/poll.ts";
import { cleanEnvironment, kvdb, outcomeOf, run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { TerminalRun } from "./support/terminal.ts";
import { Workspace } from "./support/workspace.ts";

/** Keys of every type, in a script. */
const EVERYTHING = `
set user:1 '{"name":"Ada","age":36,"tags":["a"],"address":{"city":"London"}}'
set user:2 '{"name":"Bob, Jr.","age":1.50,"address":{"city":"Oslo"}}'
value.set user:3 '{"name":"Cy"}' PX 3600000
set text hi
set "bin\\xff" "\\x00\\xff"
rpush list a b a
sadd set 1 2 x
zadd zset -inf a 1.5 b
hset hash f v g w
hexpire hash 3600 FIELDS 1 g
xadd stream 5-1 f v
xgroup create stream g 0
xreadgroup GROUP g me STREAMS stream >
`;

async function filled(): Promise<Workspace> {
  const workspace = await Workspace.create();
  const { code, stderr } = await kvdb(workspace, [], { input: EVERYTHING });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return workspace;
}

async function digest(workspace: Workspace, ...flags: string[]): Promise<string> {
  return (await kvdb(workspace, [...flags, "debug", "digest"])).stdout;
}

const sorted = (text: string) => text.trimEnd().split("\n").sort();
const timeless = (text: string) => text.replace(/ in [\d.]+ m?s/, "");

describe("a whole database", () => {
  test.each(["all.jsonl", "all.json"])("goes through %s and comes back as it was", async (file) => {
    await using workspace = await filled();
    const exported = await kvdb(workspace, ["export", file]);
    expect(exported).toMatchObject({ code: 0, stderr: "" });
    expect(timeless(exported.stdout)).toBe(`exported 10 keys to ${file}\n`);
    const imported = await kvdb(workspace, ["--dir", "other", "import", file]);
    expect(imported).toMatchObject({ code: 0, stderr: "" });
    expect(timeless(imported.stdout)).toBe("imported 10 keys\n");
    expect(await digest(workspace, "--dir", "other")).toBe(await digest(workspace));
    const ttl = await kvdb(workspace, ["--dir", "other", "httl", "hash", "FIELDS", "1", "g"]);
    expect(Number(JSON.parse(ttl.stdout))).toBeGreaterThan(3000);
    expect((await stat(workspace.path(file))).mode & 0o777).toBe(0o600);
  });

  test("goes from one kvdb to another, each a server's, through a pipe and databases", async () => {
    await using workspace = await filled();
    await using from = await Server.start(workspace);
    await using to = await Server.start(workspace, { flags: ["--dir", "other"] });
    const pipe = `"$0" export - | "$0" --dir other import - --database 3`;
    const piped = await run(workspace, ["sh", "-c", pipe, workspace.executable]);
    expect(piped).toMatchObject({ code: 0, stderr: "" });
    const back = `"$0" --dir other export --database 3 | "$0" --dir third import -`;
    expect(await run(workspace, ["sh", "-c", back, workspace.executable])).toMatchObject({
      code: 0,
    });
    expect(await digest(workspace, "--dir", "third")).toBe(await digest(workspace));
    const client = await to.connect();
    expect(await client.call("DBSIZE")).toBe(0);
    expect([await from.stop(), await to.stop()]).toEqual([0, 0]);
  });
});

describe("export", () => {
  test("takes keys by prefix and by filter, and of documents some fields alone", async () => {
    await using workspace = await filled();
    const lines = async (...words: string[]) =>
      sorted((await kvdb(workspace, ["export", ...words])).stdout);
    const fields = ["--fields", "name,address.city", "--bare"];
    expect(await lines("--prefix", "user:", ...fields)).toEqual([
      '{"name":"Ada","address":{"city":"London"}}',
      '{"name":"Bob, Jr.","address":{"city":"Oslo"}}',
      '{"name":"Cy"}',
    ]);
    expect(await lines("--filter", "age >= 30")).toEqual([
      '{"key":"user:1","value":{"name":"Ada","age":36,"tags":["a"],"address":{"city":"London"}}}',
    ]);
    expect(await lines("--filter", "age > 0", "--prefix", "user:2", "--fields", "age")).toEqual([
      '{"key":"user:2","value":{"age":1.50}}',
    ]);
    expect((await kvdb(workspace, ["export", "--filter", "age >"])).code).toBe(1);
  });

  test("writes a CSV of the objects, and tells what it cannot have", async () => {
    await using workspace = await filled();
    const fields = ["--fields", "name,age,address.city,tags"];
    const { code, stdout, stderr } = await kvdb(workspace, ["export", "--format=csv", ...fields]);
    expect(code).toBe(0);
    const [header, ...records] = stdout.trimEnd().split("\n");
    expect(header).toBe("key,name,age,address.city,tags");
    expect(records.sort()).toEqual([
      'user:1,Ada,36,London,"[""a""]"',
      'user:2,"Bob, Jr.",1.50,Oslo,',
      "user:3,Cy,,,",
    ]);
    expect(stderr).toMatch(/^left out 7 keys: .*\n$/);
  });

  test("overwrites nothing without --force, and leaves no half file", async () => {
    await using workspace = await filled();
    await workspace.write("out.jsonl", "mine");
    const refused = await kvdb(workspace, ["export", "out.jsonl"]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("--force");
    expect((await kvdb(workspace, ["export", "none/out.jsonl"])).code).toBe(2);
    // A filter that is none fails when the file is open already.
    const failed = ["export", "out.jsonl", "--force", "--filter", "age >"];
    expect((await kvdb(workspace, failed)).code).toBe(1);
    expect(await readFile(workspace.path("out.jsonl"), "utf8")).toBe("mine");
    expect((await kvdb(workspace, ["export", "out.jsonl", "--force"])).code).toBe(0);
    expect((await readFile(workspace.path("out.jsonl"), "utf8")).split("\n")).toHaveLength(11);
    expect((await readdir(workspace.folder)).sort()).toEqual([".kvdb", "out.jsonl"]);
  });

  test("ends when nobody reads it", async () => {
    await using workspace = await Workspace.create();
    await manyLines(workspace, "many.jsonl", 50_000);
    expect((await kvdb(workspace, ["import", "many.jsonl", "--key", "id"])).code).toBe(0);
    const command = `{ "$0" export; echo "code $?" >&2; } | head -n 1`;
    const { stdout, stderr } = await run(workspace, ["sh", "-c", command, workspace.executable]);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toContain("code 74");
  });

  test("of a folder that is not there is refused, and makes none", async () => {
    await using workspace = await Workspace.create();
    expect(await kvdb(workspace, ["export"])).toMatchObject({ code: 78, stdout: "" });
    expect(await readdir(workspace.folder)).toEqual([]);
  });

  test("a signal leaves no half file, and what was there", async () => {
    await using workspace = await Workspace.create();
    await manyLines(workspace, "many.jsonl", 100_000);
    expect((await kvdb(workspace, ["import", "many.jsonl", "--key", "id"])).code).toBe(0);
    await workspace.write("out.jsonl", "mine");
    const child = Bun.spawn([workspace.executable, "export", "out.jsonl", "--force"], {
      cwd: workspace.folder,
      env: cleanEnvironment(workspace),
      stdout: "pipe",
      stderr: "pipe",
    });
    await until("it has begun", async () =>
      (await readdir(workspace.folder)).includes("out.jsonl.new"),
    );
    // Who starts several programs passes on what the terminal has told already.
    child.kill("SIGINT");
    child.kill("SIGTERM");
    expect(await outcomeOf(child)).toEqual({
      ...{ code: 130, stdout: "" },
      stderr: "stopped: no file was made\n",
    });
    expect(await readFile(workspace.path("out.jsonl"), "utf8")).toBe("mine");
    const left = (await readdir(workspace.folder)).sort();
    expect(left).toEqual([".kvdb", "many.jsonl", "out.jsonl"]);
  });

  test.each([
    [["export", "a", "b"]],
    [["export", "--fromat", "csv"]],
    [["export", "--format", "xml"]],
    [["export", "--prefix"]],
    [["export", "--force=yes"]],
    [["export", "--fields", "a..b"]],
    [["export", "--database", "x"]],
    [["import"]],
    [["import", "missing.jsonl"]],
    [["import", "-", "--key", "@key"]],
    [["import", "-", "--text"]],
  ])("%j is refused", async (words) => {
    await using workspace = await Workspace.create();
    const outcome = await kvdb(workspace, words, { input: "" });
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(await readdir(workspace.folder)).toEqual([]);
  });
});

/** Documents with numbers for keys, from 1 on. */
async function manyLines(workspace: Workspace, name: string, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, i) => `{"id":${i + 1},"name":"user ${i + 1}"}`);
  await workspace.write(name, `${lines.join("\n")}\n`);
}

describe("import", () => {
  test("takes the key from a field, and cells of a CSV as what they look like", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("people.csv", "id,name,address.city,ok\r\n1,Ada,London,true\r\n2,,,\r\n");
    const imported = await kvdb(workspace, [
      "import",
      "people.csv",
      "--key",
      "id",
      "--prefix",
      "u:",
    ]);
    expect(timeless(imported.stdout)).toBe("imported 2 documents\n");
    expect((await kvdb(workspace, ["--raw", "get", "u:1"])).stdout).toBe(
      '{"id":1,"name":"Ada","address":{"city":"London"},"ok":true}',
    );
    expect((await kvdb(workspace, ["--raw", "get", "u:2"])).stdout).toBe('{"id":2}');
  });

  test("tells each wrong line, the first 20 of them, and changes nothing", async () => {
    await using workspace = await Workspace.create();
    const wrong = Array.from({ length: 25 }, () => "{").join("\r\n");
    await workspace.write(
      "a.jsonl",
      `\ufeff{"key":"k","value":1}\r\n\r\n${wrong}\r\n{"key":"k","value":2}`,
    );
    const outcome = await kvdb(workspace, ["import", "a.jsonl"]);
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    const lines = outcome.stderr.trimEnd().split("\n");
    expect(lines.slice(0, 2)).toEqual([
      "a.jsonl: line 3, column 2: invalid JSON: unexpected end",
      "a.jsonl: line 4, column 2: invalid JSON: unexpected end",
    ]);
    expect(lines).toHaveLength(22);
    expect(lines.slice(20)).toEqual([
      "… and 6 more",
      "26 problems: nothing was imported; --continue leaves out what is wrong",
    ]);
    // The data was not even opened.
    expect(await readdir(workspace.folder)).toEqual(["a.jsonl"]);
  });

  test("with --continue leaves out what is wrong, tells it, and ends with 1", async () => {
    await using workspace = await Workspace.create();
    const lines = ["key,a", "1,x", '2,y"', "3,z,z", '4,"multi', 'line"', "5,v"];
    await workspace.write("a.csv", lines.join("\n"));
    const outcome = await kvdb(workspace, ["import", "a.csv", "--continue"]);
    expect(outcome.code).toBe(1);
    expect(timeless(outcome.stdout)).toBe("imported 3 documents\n");
    expect(outcome.stderr.split("\n").map((line) => line.replace(/: (a|expected) .*/, ""))).toEqual(
      [...["a.csv: line 3, record 2", "a.csv: line 4, record 3", "left out 2 problems", ""]],
    );
    expect((await kvdb(workspace, ["list"])).stdout).toBe('"1"\n"4"\n"5"\n');
  });

  test("a dry run reads everything and changes nothing", async () => {
    await using workspace = await Workspace.create();
    await manyLines(workspace, "many.jsonl", 1200);
    const outcome = await kvdb(workspace, ["import", "many.jsonl", "--key", "id", "--dry-run"]);
    expect(timeless(outcome.stdout)).toBe("would import 1 200 documents\n");
    await workspace.write("bad.json", '[{"id":1},\n{"id":1},\n{"n":1}');
    const bad = await kvdb(workspace, ["import", "bad.json", "--key", "id", "--dry-run"]);
    expect(bad.code).toBe(1);
    expect(bad.stderr.split("\n").slice(0, 3)).toEqual([
      'bad.json: line 2: the key "1" is in line 1 as well',
      "bad.json: line 3, column 8: the file ends before the array does: it was cut",
      "2 problems: nothing would be changed",
    ]);
    expect((await readdir(workspace.folder)).sort()).toEqual(["bad.json", "many.jsonl"]);
  });

  test("a value that a unique index has already refuses all, or with --continue its own line", async () => {
    await using workspace = await Workspace.create();
    await kvdb(workspace, ["set", "u:1", '{"mail":"a@x"}']);
    const index = ["index", "create", "mail", "USING", "hash", "FIELD", "mail", "UNIQUE"];
    expect((await kvdb(workspace, index)).code).toBe(0);
    const mails = ["b@x", "a@x", "c@x"].map((mail, i) => `{"id":${i + 2},"mail":"${mail}"}`);
    await workspace.write("mails.jsonl", mails.join("\n"));
    const words = ["import", "mails.jsonl", "--key", "id", "--prefix", "u:"];
    const refused = await kvdb(workspace, words);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('"a@x" is taken, key "u:1" has it');
    expect((await kvdb(workspace, ["list"])).stdout).toBe('"u:1"\n');
    const gone = await kvdb(workspace, [...words, "--continue"]);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("mails.jsonl: line 2: ");
    expect((await kvdb(workspace, ["list"])).stdout).toBe('"u:1"\n"u:2"\n"u:4"\n');
  });

  test("is all or nothing across kill -9", async () => {
    await using workspace = await Workspace.create();
    const count = 20_000;
    await manyLines(workspace, "many.jsonl", count);
    const words = ["import", "many.jsonl", "--key", "id"];
    const begunMs = performance.now();
    expect((await kvdb(workspace, words)).code).toBe(0);
    const wholeMs = performance.now() - begunMs;
    const found = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const dir = `d${round}`;
      const child = Bun.spawn([workspace.executable, "--dir", dir, ...words], {
        cwd: workspace.folder,
        env: cleanEnvironment(workspace),
        stdout: "ignore",
        stderr: "ignore",
      });
      // From before the folder is there to behind the end of the import.
      await Promise.race([child.exited, Bun.sleep((wholeMs * (round + 1)) / 6)]);
      child.kill("SIGKILL");
      await child.exited;
      found.add((await kvdb(workspace, ["--dir", dir, "dbsize"])).stdout.trim());
    }
    expect([...found].filter((size) => size !== "0" && size !== String(count))).toEqual([]);
    expect(found).toContain(String(count));
  }, 60_000);

  test("a server's clients see all of it at once, and it is there after kill -9", async () => {
    await using workspace = await Workspace.create();
    await manyLines(workspace, "many.jsonl", 20_000);
    const seen = new Set<number>();
    {
      await using server = await Server.start(workspace);
      const client: Client = await server.connect();
      const importing = kvdb(workspace, ["import", "many.jsonl", "--key", "id"]);
      let isOver = false;
      void importing.then(() => {
        isOver = true;
      });
      while (!isOver) seen.add(Number(await client.call("DBSIZE")));
      expect((await importing).code).toBe(0);
      seen.add(Number(await client.call("DBSIZE")));
      await server.kill();
    }
    expect([...seen].sort()).toEqual([0, 20_000]);
    expect((await kvdb(workspace, ["dbsize"])).stdout).toBe("20000\n");
  });
});

describe("at a terminal", () => {
  test("a bar shows how far it is, and goes; Ctrl-D ends the input", async () => {
    await using workspace = await Workspace.create();
    const command = [workspace.executable, "import", "-", "--key", "id"];
    await using terminal = new TerminalRun(workspace, command);
    let lines = 0;
    await until("a bar", () => {
      terminal.type(`{"id":${++lines}}\n`);
      return /importing \d+ keys?, .* a second/.test(terminal.text);
    });
    terminal.type("\x04");
    expect(await terminal.exited).toBe(0);
    expect(terminal.text).toContain(`imported ${lines} documents in`);
  });

  test("Ctrl-C stops an import, and nothing has changed", async () => {
    await using workspace = await Workspace.create();
    const command = [workspace.executable, "import", "-", "--key", "id"];
    await using terminal = new TerminalRun(workspace, command);
    let lines = 0;
    await until("a bar", () => {
      terminal.type(`{"id":${++lines}}\n`);
      return terminal.text.includes("importing ");
    });
    terminal.type("\x03");
    await terminal.until("stopped: nothing was imported");
    expect(await terminal.exited).toBe(130);
    expect(await readdir(workspace.folder)).toEqual([]);
  });
});

test("a signal stops an import in steps between two of them, and says what is done", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  const child = Bun.spawn([workspace.executable, "import", "-", "--key", "id", "--continue"], {
    cwd: workspace.folder,
    env: cleanEnvironment(workspace),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  for (let id = 1; id <= 1500; id++) child.stdin.write(`{"id":${id}}\n`);
  await child.stdin.flush();
  await until("a step is done", async () => Number(await client.call("DBSIZE")) >= 1000);
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  const size = Number(await client.call("DBSIZE"));
  const digits = String(size).replace(/(?=\d{3}$)/, " ");
  expect(await child.stderr.text()).toBe(`stopped: ${digits} documents are imported\n`);
  expect(await server.stop()).toBe(0);
});
