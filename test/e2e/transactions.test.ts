/**
 * V-T1, V-T4: transactions, versions and locks over the executable: kill -9 leaves all of a transaction or nothing, of two
 * writers with one version exactly one wins, one holds a lock at a time; and MULTI in scripts, files of commands, and alone.
 */
import { describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { Random } from "../oracle/random.ts";
import { type Client, ReplyError } from "./support/client.ts";
import { kvdb } from "./support/run.ts";
import { keys, Terminal } from "./support/screen.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const SEED = Number(process.env["KVDB_TEST_SEED"] ?? Date.now() % 2 ** 32);
const ROUNDS = process.env["KVDB_TEST_LONG"] === "1" ? 50 : 6;
const LONGEST_ROUND_MS = 150;
const KEYS = 20;

/** Transactions one behind the other until the connection is lost: each gives all keys the same new value. */
async function transactUntilLost(client: Client, begin: number, words: string[]): Promise<number> {
  let acknowledged = 0;
  try {
    for (let n = begin; ; n++) {
      const sets = Array.from({ length: KEYS }, (_, key) => ["SET", `k${key}`, String(n)]);
      const replies = await client.pipeline([words, ...sets, ["EXEC"]]);
      expect(replies.at(-1)).toHaveLength(KEYS);
      acknowledged = n;
    }
  } catch {
    return acknowledged;
  }
}

test.each(["wal", "aof"])(
  `V-T1: all of a transaction or nothing after kill -9, %s, seed ${SEED}`,
  async (use) => {
    const random = new Random(SEED);
    await using workspace = await Workspace.create();
    await workspace.write("kvdb.config.json", { persistence: { use, fsync: "always" } });
    let last = 0;
    for (let round = 0; round < ROUNDS; round++) {
      {
        await using server = await Server.start(workspace);
        const words = round % 2 === 0 ? ["MULTI"] : ["MULTI", "ROLLBACK"];
        const writing = transactUntilLost(await server.connect(), last + 1, words);
        await Bun.sleep(random.integer(1, LONGEST_ROUND_MS)); // the random moment that this is about
        await server.kill();
        last = Math.max(last, await writing);
      }
      await using server = await Server.start(workspace);
      const client = await server.connect();
      const names = Array.from({ length: KEYS }, (_, key) => `k${key}`);
      const values = (await client.call("MGET", ...names)) as (string | Buffer | null)[];
      const found = new Set(values.map((value) => String(value)));
      expect([round, [...found]]).toEqual([round, [[...found][0] as string]]);
      const value = values[0] === null ? 0 : Number(values[0]);
      expect(value === last || value === last + 1).toBe(true);
      last = value;
    }
    expect(last).toBeGreaterThan(0);
  },
  60_000,
);

describe("V-T4: at once, by real clients", () => {
  test("of the writers with one version exactly one wins", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const clients = Array.from({ length: 8 }, () => new Redis(server.port));
    try {
      await clients[0]?.set("k", "0");
      for (let round = 0; round < 50; round++) {
        const version = await clients[0]?.call("VERSION", "k");
        const answers = await Promise.all(
          clients.map((client, at) =>
            client.call("SET", "k", `${round}:${at}`, "IFVERSION", String(version)),
          ),
        );
        expect(answers.filter((answer) => answer === "OK")).toHaveLength(1);
        const winner = answers.indexOf("OK");
        expect(await clients[0]?.get("k")).toBe(`${round}:${winner}`);
      }
    } finally {
      for (const client of clients) client.disconnect();
    }
  }, 30_000);

  test("WATCH: a counter that all read and write loses nothing", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const increment = async () => {
      const client = new Redis(server.port);
      for (let done = 0; done < 25; ) {
        await client.watch("n");
        const next = Number((await client.get("n")) ?? 0) + 1;
        if ((await client.multi().set("n", next).exec()) !== null) done++;
      }
      client.disconnect();
    };
    await Promise.all(Array.from({ length: 6 }, increment));
    using client = await server.connect();
    expect(String(await client.call("GET", "n"))).toBe("150");
  }, 30_000);

  test("one holds a lock at a time, tokens grow, and an old one writes nothing", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    const tokens: number[] = [];
    let holders = 0;
    const work = async () => {
      const client = new Redis(server.port);
      for (let done = 0; done < 10; ) {
        const token = (await client.call("LOCK", "job", "PX", "10000")) as number | null;
        if (token === null) continue;
        expect(++holders).toBe(1);
        tokens.push(token);
        expect(await client.call("SET", "job", String(token), "IFTOKEN", String(token))).toBe("OK");
        holders--;
        expect(await client.call("UNLOCK", "job", String(token))).toBe(1);
        expect(await client.call("SET", "job", "late", "IFTOKEN", String(token))).toBeNull();
        done++;
      }
      client.disconnect();
    };
    await Promise.all(Array.from({ length: 4 }, work));
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    expect(tokens).toHaveLength(40);
  }, 30_000);
});

describe("MULTI", () => {
  test("in a script is one change; without EXEC nothing of it is done, and the line is told", async () => {
    await using workspace = await Workspace.create();
    const done = await kvdb(workspace, [], { input: "multi\nset a 1\nincr a\nexec\n" });
    expect([done.code, done.stdout]).toEqual([0, "OK\nQUEUED\nQUEUED\nOK\n2\n"]);
    const left = await kvdb(workspace, [], { input: "set b 1\nmulti\nset a 9\n" });
    expect(left.code).toBe(1);
    expect(left.stderr).toContain("line 2");
    const undone = await kvdb(workspace, [], {
      input: "multi rollback\nset a 9\nlpush a x\nexec\n",
    });
    expect(undone.code).toBe(1);
    expect(undone.stderr).toContain("line 4");
    expect((await kvdb(workspace, ["get", "a"])).stdout).toBe("2\n");
  });

  test("alone on the command line is refused, before anything is opened", async () => {
    await using workspace = await Workspace.create();
    for (const words of [["multi"], ["exec"], ["watch", "a"], ["discard"], ["unwatch"]]) {
      const refused = await kvdb(workspace, words);
      expect([words, refused.code]).toEqual([words, 2]);
      expect(refused.stderr).toContain("kvdb < file");
    }
  });

  test("in a script that is sent to who holds the folder, and in a file of commands", async () => {
    await using workspace = await Workspace.create();
    await using server = await Server.start(workspace);
    using client = await server.connect();
    const script = await kvdb(workspace, [], { input: "multi\nincr n\nincr n\nexec\n" });
    expect([script.code, script.stdout]).toEqual([0, "OK\nQUEUED\nQUEUED\n1\n2\n"]);
    await workspace.write("all.resp", "MULTI\r\nINCR n\r\nSET m 1\r\nEXEC\r\nINCR n\r\n");
    const imported = await kvdb(workspace, ["import", "all.resp"]);
    expect([imported.code, imported.stderr]).toEqual([0, ""]);
    expect(String(await client.call("GET", "n"))).toBe("4");
    await workspace.write("bad.resp", "MULTI\r\nINCR n\r\nNOSUCH\r\nEXEC\r\n");
    expect((await kvdb(workspace, ["import", "bad.resp"])).code).toBe(1);
    expect(String(await client.call("GET", "n"))).toBe("4");
    await client.call("MULTI");
    expect(await client.ask("NOSUCH")).toBeInstanceOf(ReplyError);
    expect(((await client.ask("EXEC")) as ReplyError).code).toBe("EXECABORT");
  });

  test("at the prompt, which tells of it, and knows the database behind EXEC", async () => {
    await using workspace = await Workspace.create();
    await using terminal = new Terminal(workspace, { args: ["--dir", "tx"] });
    await terminal.line("tx>");
    terminal.enter("multi");
    await terminal.line("tx (in MULTI)>");
    terminal.enter("set a text");
    await terminal.row("QUEUED");
    terminal.enter("select 3");
    await terminal.line("tx (in MULTI)>");
    terminal.enter("exec");
    await terminal.line("tx[3]>");
    terminal.enter("multi rollback");
    await terminal.line("tx[3] (in MULTI)>");
    terminal.enter("select 0");
    terminal.enter("incr a");
    terminal.enter("exec");
    await terminal.line("tx[3]>");
    terminal.type(keys.ctrlD);
    expect(await terminal.ended()).toBe(0);
  });
});
