/** `kvdb export` and `kvdb import` in the formats of Redis, through the executable: to redis-server, from it, and back as it was. */
import { describe, expect, test } from "bun:test";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fill } from "./support/every-type.ts";
import { until } from "./support/poll.ts";
import { REDIS, REDIS_CHECK, Redis } from "./support/redis.ts";
import { cleanEnvironment, kvdb, outcomeOf, run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const timeless = (text: string) => text.replace(/ in [\d.]+ m?s/, "");

async function digest(workspace: Workspace, ...flags: string[]): Promise<string> {
  return (await kvdb(workspace, [...flags, "debug", "digest"])).stdout.trim();
}

/** What Redis has no word for; and a score of minus zero, which ZADD gives to members of large sorted sets alone. */
const OWN = `
zadd minus ${Array.from({ length: 200 }, (_, i) => `${i + 1} m${i}`).join(" ")}
zadd minus -0 zero
set user:1 '{"name":"Ada","age":1.50}'
value.set user:2 '{"name":"Cy"}' PX 3600000
hset timed f v g w "h h" ""
hpexpireat timed 1900000000000 FIELDS 2 g "h h"
index create byname USING hash FIELD name PREFIX user: UNIQUE
SELECT 3
set user:1 '[1,2]'
`;

/** A folder with every type in two databases, and what is kvdb's own. */
async function filled(): Promise<Workspace> {
  const workspace = await Workspace.create();
  {
    await using server = await Server.start(workspace);
    await fill(await server.connect());
    expect(await server.stop()).toBe(0);
  }
  const { code, stderr } = await kvdb(workspace, [], { input: OWN });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return workspace;
}

describe("a whole database, and what is kvdb's own,", () => {
  test.each(["all.resp", "all.rdb"])(
    "goes through %s and comes back as it was",
    async (file) => {
      await using workspace = await filled();
      const exported = await kvdb(workspace, ["export", file]);
      expect(exported).toMatchObject({ code: 0, stderr: "" });
      expect(timeless(exported.stdout)).toBe(`exported 22 keys to ${file}\n`);
      const imported = await kvdb(workspace, ["--dir", "b", "import", file]);
      expect(imported).toMatchObject({ code: 0, stderr: "" });
      expect(await digest(workspace, "--dir", "b")).toBe(await digest(workspace));
      for (const words of [
        ["xinfo", "stream", "stream", "FULL"],
        ["zscore", "minus", "zero"],
        ["hpexpiretime", "timed", "FIELDS", "3", "f", "g", "h h"],
        ["pexpiretime", "expires"],
        ["pexpiretime", "hash"],
        ["pexpiretime", "user:2"],
        ["index", "info", "byname"],
      ]) {
        // As in Redis's own files of commands, a consumer was seen when it was made.
        const told = (text: string) =>
          file.endsWith(".resp") ? text.replace(/"seen-time": \d+/, "") : text;
        const here = await kvdb(workspace, ["--dir", "b", ...words]);
        const there = await kvdb(workspace, words);
        expect([words, told(here.stdout)]).toEqual([words, told(there.stdout)]);
      }
      // Once more, over what is there: the same.
      expect((await kvdb(workspace, ["--dir", "b", "import", file])).code).toBe(0);
      expect(await digest(workspace, "--dir", "b")).toBe(await digest(workspace));
    },
    30_000,
  );

  test.each(["--resp", "--rdb"])(
    "in parts with %s: a database, a prefix, a filter",
    async (format) => {
      await using workspace = await filled();
      const count = async (...words: string[]) => {
        const { stdout, stderr } = await kvdb(workspace, [
          "export",
          "part",
          format,
          "--force",
          ...words,
        ]);
        return stderr || timeless(stdout).trim();
      };
      expect(await count("--database", "3")).toBe("exported 3 keys to part");
      expect(await count("--prefix", "user:")).toBe("exported 3 keys to part");
      expect(await count("--filter", "name = 'Ada'", "--database", "0")).toBe(
        "exported 1 key to part",
      );
      expect((await kvdb(workspace, ["--dir", "b", "import", format, "part"])).code).toBe(0);
      expect((await kvdb(workspace, ["--dir", "b", "list"])).stdout).toBe('"user:1"\n');
      for (const option of [["--bare"], ["--fields", "name"]]) {
        const refused = await kvdb(workspace, ["export", "other", format, ...option]);
        expect(refused).toMatchObject({ code: 2, stdout: "" });
      }
      expect(await readdir(workspace.folder)).not.toContain("other");
    },
  );

  test("a server that holds the folder takes commands from a file and from a pipe", async () => {
    await using workspace = await filled();
    expect((await kvdb(workspace, ["export", "all.resp"])).code).toBe(0);
    const before = await digest(workspace);
    await using server = await Server.start(workspace, { flags: ["--dir", "b"] });
    expect((await kvdb(workspace, ["--dir", "b", "import", "all.resp"])).code).toBe(0);
    const client = await server.connect();
    expect(await client.call("DEBUG", "DIGEST")).toBe(before);
    await client.call("FLUSHALL");
    const piped = ["--dir", "b", "import", "-", "--format", "resp"];
    const input = await readFile(workspace.path("all.resp"));
    expect(await kvdb(workspace, piped, { input })).toMatchObject({ code: 0, stderr: "" });
    expect(await client.call("DEBUG", "DIGEST")).toBe(before);
    expect(await server.stop()).toBe(0);
  });
});

describe.skipIf(REDIS === null)("with redis-server", () => {
  test("redis-check-rdb accepts the file, redis-server has the same data, and its own file comes back", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await fill(client);
    await using redis = await Redis.start(workspace);
    const path = join(redis.folder, "dump.rdb");
    expect((await kvdb(workspace, ["export", "--rdb", path])).code).toBe(0);
    const checked = await run(workspace, [REDIS_CHECK ?? "redis-check-rdb", path]);
    expect(checked.code).toBe(0);
    expect(checked.stdout).toContain("RDB looks OK");
    const other = await redis.connect();
    await other.call("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH");
    const digestHere = await client.call("DEBUG", "DIGEST");
    expect(await other.call("DEBUG", "DIGEST")).toBe(digestHere);
    expect(await other.call("PEXPIRETIME", "hash")).toBe(await client.call("PEXPIRETIME", "hash"));
    await other.call("SAVE");
    const imported = await kvdb(workspace, ["--dir", "b", "import", path]);
    expect(imported).toMatchObject({ code: 0, stderr: "" });
    expect(await digest(workspace, "--dir", "b")).toBe(String(digestHere));
    expect(await server.stop()).toBe(0);
  });

  test("a signal stops an import between two steps, and says what is in", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    const other = await redis.connect();
    await other.call("DEBUG", "POPULATE", 300_000, "key", 50);
    await other.call("SAVE");
    await using server = await Server.start(workspace);
    const client = await server.connect();
    const path = join(redis.folder, "dump.rdb");
    const child = Bun.spawn([workspace.executable, "import", path], {
      cwd: workspace.folder,
      env: cleanEnvironment(workspace),
      stdout: "pipe",
      stderr: "pipe",
    });
    await until("a step is done", async () => Number(await client.call("DBSIZE")) >= 1000);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await outcomeOf(child);
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    const size = Number(await client.call("DBSIZE"));
    expect(size).toBeLessThan(300_000);
    const told = /^stopped: ([\d ]+) keys are imported\n$/.exec(stderr)?.[1];
    expect(Number(told?.replaceAll(" ", ""))).toBe(size);
    // Once more, to its end.
    expect((await kvdb(workspace, ["import", path])).code).toBe(0);
    expect(await client.call("DEBUG", "DIGEST")).toBe(await other.call("DEBUG", "DIGEST"));
    expect(await server.stop()).toBe(0);
  }, 60_000);

  test("keys that had expired are told, and not there", async () => {
    await using workspace = await Workspace.create();
    await using redis = await Redis.start(workspace);
    const other = await redis.connect();
    await other.call("DEBUG", "SET-ACTIVE-EXPIRE", 0);
    await other.call("SET", "stays", "1");
    await other.call("SET", "gone", "1", "PX", 1);
    await other.call("SAVE");
    await until("its time is over", async () => Number(await other.call("PTTL", "gone")) < 0);
    const imported = await kvdb(workspace, ["import", join(redis.folder, "dump.rdb")]);
    expect(imported.code).toBe(0);
    expect(timeless(imported.stdout)).toBe("imported 1 key\n");
    expect(imported.stderr).toEndWith("dump.rdb: 1 key had expired already\n");
    expect((await kvdb(workspace, ["list"])).stdout).toBe('"stays"\n');
  });

  test("redis-cli --pipe takes the commands, and redis-server has the same data", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const client = await server.connect();
    await fill(client);
    expect((await kvdb(workspace, ["export", "--resp", "all.resp"])).code).toBe(0);
    await using redis = await Redis.start(workspace);
    const piped = await redis.pipe(workspace, await readFile(workspace.path("all.resp")));
    expect(piped.stdout).toMatch(/^errors: 0, replies: \d+$/m);
    const other = await redis.connect();
    expect(await other.call("DEBUG", "DIGEST")).toBe(await client.call("DEBUG", "DIGEST"));
    expect(await other.call("PEXPIRETIME", "hash")).toBe(await client.call("PEXPIRETIME", "hash"));
    for (const words of [
      ["STREAM", "stream"],
      ["GROUPS", "stream"],
      ["STREAM", "stream:empty"],
    ]) {
      const told = await client.call("XINFO", ...words);
      // How a stream lies in memory is each server's own matter.
      const own = (reply: unknown) => JSON.stringify(reply).replace(/"radix-tree-\w+",\d+,/g, "");
      expect(own(await other.call("XINFO", ...words))).toBe(own(told));
    }
    expect(await server.stop()).toBe(0);
  });
});

describe("a file of commands", () => {
  test("tells what is wrong by number and offset, and what has run", async () => {
    await using workspace = await Workspace.create();
    await workspace.write("bad.resp", 'set a 1\nincr "a b" 5\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n');
    const stopped = await kvdb(workspace, ["import", "bad.resp"]);
    expect(stopped.code).toBe(1);
    expect(stopped.stderr.split("\n")[0]).toBe(
      "bad.resp: command 2 at offset 8: ERR wrong number of arguments for 'incr' command",
    );
    expect(timeless(stopped.stdout)).toMatch(/^ran [12] commands?\n$/);
    const whole = await kvdb(workspace, ["import", "bad.resp", "--continue"]);
    expect(whole.code).toBe(1);
    expect(timeless(whole.stdout)).toBe("ran 2 commands\n");
    expect((await kvdb(workspace, ["--raw", "GET", "a"])).stdout.trim()).toBe("2");
  });

  test("that is cut off, or would wait, or leaves the data alone, runs not at all", async () => {
    await using workspace = await Workspace.create();
    for (const [text, reason] of [
      ["set a 1\n*2\r\n$3\r\nGET\r\n$4\r\nab", "command 2 at offset 8: the file ends within"],
      ["set a 1\nmulti\nset a 2\n", "command 2 at offset 8: the transaction has no EXEC"],
      ["set a 1\nblpop b 0\n", "command 2 at offset 8: BLPOP may wait for ever"],
      ["set a 1\nsubscribe b\n", "command 2 at offset 8: SUBSCRIBE is for a connection"],
      ["set a 1\n*1\r\n:1\r\n", "command 2 at offset 8: Protocol error"],
    ] as const) {
      await workspace.write("bad.resp", text);
      const outcome = await kvdb(workspace, ["import", "bad.resp"]);
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toContain(`bad.resp: ${reason}`);
      expect(outcome.stderr).toContain("1 problem: nothing was run\n");
      expect(await readdir(workspace.folder)).toEqual(["bad.resp"]);
    }
  });

  test("a transaction in it comes whole or not, and DISCARD takes it back", async () => {
    await using workspace = await Workspace.create();
    await workspace.write(
      "all.resp",
      "multi\nset a 1\nselect 2\nset b 2\nexec\nmulti\nset b 3\ndiscard\nset c 4\n",
    );
    const dry = await kvdb(workspace, ["import", "all.resp", "--dry-run"]);
    expect(timeless(dry.stdout)).toBe("would run 9 commands\n");
    expect(await readdir(workspace.folder)).toEqual(["all.resp"]);
    expect((await kvdb(workspace, ["import", "all.resp"])).code).toBe(0);
    const asked = await kvdb(workspace, [], { input: "mget a b c\nselect 2\nmget a b c\n" });
    expect(asked.stdout.trim().split("\n")).toEqual([
      '"1"',
      "null",
      "null",
      "OK",
      "null",
      '"2"',
      '"4"',
    ]);
  });

  test.each([[["--key", "id"]], [["--prefix", "a"]], [["--text"]]])(
    "takes no %j",
    async (option) => {
      await using workspace = await Workspace.create();
      await workspace.write("all.resp", "set a 1\n");
      const refused = await kvdb(workspace, ["import", "all.resp", ...option]);
      expect(refused).toMatchObject({ code: 2, stdout: "" });
    },
  );
});

describe("a file of RDB", () => {
  /** Of five keys in two databases, as bytes. */
  async function small(workspace: Workspace): Promise<Buffer> {
    const script = "set a 1\nrpush b x y\nSET c text PX 900000\nSELECT 2\nset d 4\nset e 5\n";
    expect((await kvdb(workspace, ["--dir", "s"], { input: script })).code).toBe(0);
    await kvdb(workspace, ["--dir", "s", "export", "small.rdb"]);
    return readFile(workspace.path("small.rdb"));
  }

  test("is known by its first bytes, and read in whole or not at all", async () => {
    await using workspace = await Workspace.create();
    const bytes = await small(workspace);
    await copyFile(workspace.path("small.rdb"), workspace.path("any-name"));
    const dry = await kvdb(workspace, ["import", "any-name", "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    expect(timeless(dry.stdout)).toBe("would import 5 keys\n");
    const broken = Buffer.from(bytes);
    broken[broken.length - 12] ^= 1;
    for (const [damaged, where] of [
      [bytes.subarray(0, -20), /small\.rdb: the RDB at offset \d+.*: nothing was imported/],
      [broken, /small\.rdb: the RDB at offset \d+.*: nothing was imported/],
      [Buffer.concat([bytes, Buffer.from("*1\r\n")]), /behind the RDB, from offset \d+ on/],
    ] as const) {
      await writeFile(workspace.path("small.rdb"), damaged);
      const outcome = await kvdb(workspace, ["import", "small.rdb"]);
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toMatch(where);
    }
    expect((await readdir(workspace.folder)).sort()).toEqual(["any-name", "s", "small.rdb"]);
  });

  test("of several databases: all where they were, or one of them elsewhere", async () => {
    await using workspace = await Workspace.create();
    await small(workspace);
    const both = await kvdb(workspace, ["import", "small.rdb", "--database", "7"]);
    expect(both).toMatchObject({ code: 2, stdout: "" });
    expect(both.stderr).toContain("databases 0, 2");
    const one = ["--from-database", "2", "--database", "7", "--prefix", "p:"];
    const taken = await kvdb(workspace, ["import", "small.rdb", ...one]);
    expect(timeless(taken.stdout)).toBe("imported 2 keys\n");
    const listed = await kvdb(workspace, [], { input: "list\nSELECT 7\nlist\n" });
    expect(listed.stdout.trim().split("\n")).toEqual(["OK", '"p:d"', '"p:e"']);
    const beyond = await kvdb(workspace, ["import", "small.rdb", ...one, "--database", "999"]);
    expect(beyond).toMatchObject({ code: 1, stdout: "" });
    expect(beyond.stderr).toContain("database 999");
  });

  test("what a unique index refuses ends it, or is left out with --continue", async () => {
    await using workspace = await Workspace.create();
    const script = `set u:1 '{"mail":"a@x"}'\nset u:2 '{"mail":"b@x"}'\n`;
    await kvdb(workspace, ["--dir", "s"], { input: script });
    expect((await kvdb(workspace, ["--dir", "s", "export", "u.rdb"])).code).toBe(0);
    const own = `index create mail USING hash FIELD mail UNIQUE\nset taken '{"mail":"a@x"}'\n`;
    await kvdb(workspace, [], { input: own });
    const refused = await kvdb(workspace, ["import", "u.rdb"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/u\.rdb: key "u:1": .*"a@x" is taken.*--continue leaves it out/);
    const gone = await kvdb(workspace, ["import", "u.rdb", "--continue"]);
    expect(gone.code).toBe(1);
    expect(timeless(gone.stdout)).toBe("imported 1 key\n");
    expect(gone.stderr).toContain("left out 1 problem\n");
    expect((await kvdb(workspace, ["list"])).stdout).toBe('"taken"\n"u:2"\n');
  });

  test.each([
    [["import", "-", "--rdb"]],
    [["import", "missing.rdb"]],
    [["import", "small.rdb", "--key", "id"]],
    [["import", "small.rdb", "--from-database", "x"]],
  ])("%j is refused", async (words) => {
    await using workspace = await Workspace.create();
    await small(workspace);
    const outcome = await kvdb(workspace, words, { input: "" });
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
  });
});
