/**
 * Commands on a folder that another process holds: they are sent to it, and whoever typed them notices
 * nothing. Row K17.
 */
import { expect, test } from "bun:test";
import { readdir, stat, writeFile } from "node:fs/promises";
import { until } from "./support/poll.ts";
import { kvdb, run } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const ok = { code: 0, stdout: "OK\n", stderr: "" };

test("K17: set from another terminal works while a server runs, and the server sees it", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const client = await server.connect();
  expect(await kvdb(workspace, ["set", "k", '{"a": 1.0}'])).toEqual(ok);
  expect(await client.call("GET", "k")).toBe('{"a":1.0}');
  await client.call("SET", "from-server", "1");
  expect((await kvdb(workspace, ["get", "from-server"])).stdout).toBe('"1"\n');
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe('{"a":1.0}\n');
  expect((await kvdb(workspace, ["mget", "k", "none"])).stdout).toBe('"{\\"a\\":1.0}"\nnull\n');
  expect((await kvdb(workspace, ["list"])).stdout).toBe('"from-server"\n"k"\n');
  expect(await kvdb(workspace, ["--exit-status", "get", "none"])).toMatchObject({ code: 1 });
  expect(await kvdb(workspace, ["incr", "k"])).toMatchObject({ code: 1, stdout: "" });
  expect(await kvdb(workspace, ["sett", "k"])).toMatchObject({ code: 2, stdout: "" });
  expect(await server.stop()).toBe(0);
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe('{"a":1.0}\n');
});

test("K17: twenty terminals at once count to twenty, beside a server and without one", async () => {
  await using workspace = await Workspace.create();
  const twenty = () =>
    Promise.all(Array.from({ length: 20 }, () => kvdb(workspace, ["incr", "n"])));
  for (const { code, stderr } of await twenty())
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  await using server = await Server.start(workspace);
  for (const { code, stderr } of await twenty())
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  await server.kill();
  expect((await kvdb(workspace, ["get", "n"])).stdout).toBe('"40"\n');
});

test("K17: commands go on while the server stops and starts again", async () => {
  await using workspace = await Workspace.create();
  let acknowledged = 0;
  let stopping = false;
  const caller = (async () => {
    while (!stopping) {
      const outcome = await kvdb(workspace, ["incr", "n"]);
      // A server that ends in the middle may or may not have run it: the caller is told so.
      if (outcome.code === 0) acknowledged++;
      else expect(outcome).toMatchObject({ code: 69, stdout: "" });
    }
  })();
  for (let round = 0; round < 5; round++) {
    await using server = await Server.start(workspace);
    const before = acknowledged;
    await until("somebody was answered", () => acknowledged > before + 2);
    expect(await server.stop()).toBe(0);
  }
  stopping = true;
  await caller;
  const found = Number(JSON.parse((await kvdb(workspace, ["get", "n"])).stdout));
  expect(found).toBeGreaterThanOrEqual(acknowledged);
});

test("the socket belongs to its owner alone, needs no password, and goes with the server", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { password: "secret" });
  const path = workspace.path(".kvdb", "kvdb.sock");
  expect(((await stat(path)).mode & 0o777).toString(8)).toBe("600");
  expect(await kvdb(workspace, ["set", "k", "1"])).toEqual(ok);
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe("1\n");
  expect(await server.stop()).toBe(0);
  expect(await stat(path).catch(({ code }) => code)).toBe("ENOENT");
});

test("a socket that a crash left behind is in nobody's way", async () => {
  await using workspace = await Workspace.create();
  const server = await Server.start(workspace);
  expect(await kvdb(workspace, ["set", "k", "1"])).toEqual(ok);
  await server.kill();
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe("1\n");
  await using again = await Server.start(workspace);
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe("1\n");
  expect(await (await again.connect()).call("GET", "k")).toBe("1");
});

test("where the socket cannot be made the server starts all the same, and says so", async () => {
  await using workspace = await Workspace.create();
  await workspace.write(".kvdb/kvdb.sock/in-the-way", "");
  await using server = await Server.start(workspace);
  expect(server.log).toContain("other processes cannot send commands");
  expect(await (await server.connect()).call("SET", "k", "1")).toBe("OK");
  expect(await server.stop()).toBe(0);
});

test("a folder whose path is longer than a socket's may be", async () => {
  await using workspace = await Workspace.create();
  const dir = `${"deep/".repeat(40)}data`;
  await using server = await Server.start(workspace, { flags: ["--dir", dir] });
  expect(await kvdb(workspace, ["--dir", dir, "set", "k", "1"])).toEqual(ok);
  expect(await (await server.connect()).call("GET", "k")).toBe("1");
});

test("shutdown from another terminal stops the server in order", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  expect(await kvdb(workspace, ["shutdown"])).toMatchObject({ code: 0, stderr: "" });
  expect(await server.ended()).toBe(0);
});

test.each(["", "beside a server"])(
  "a script ends at shutdown, and client reply is refused, alone and in a script %s",
  async (beside) => {
    await using workspace = await Workspace.create();
    await using server = beside === "" ? undefined : await Server.start(workspace);
    expect(await kvdb(workspace, ["client", "reply", "off"])).toMatchObject({
      code: 2,
      stdout: "",
    });
    const input = "client reply skip\nset k 1\nshutdown\nset k 2\n";
    const outcome = await kvdb(workspace, ["--force"], { input });
    expect(outcome).toMatchObject({ code: 1, stdout: "OK\nOK\n" });
    expect(outcome.stderr).toStartWith("line 1: ");
    expect(await server?.ended()).toBe(beside === "" ? undefined : 0);
    expect((await kvdb(workspace, ["get", "k"])).stdout).toBe("1\n");
    const ending = await kvdb(workspace, [], { input: "shutdown abort\nset k 2\n" });
    expect(ending).toMatchObject({ code: 1, stdout: "" });
    expect(await kvdb(workspace, [], { input: "shutdown" })).toEqual(ok);
  },
);

test("shutdown where no server is: exit 1, which folder, and no folder is made", async () => {
  await using workspace = await Workspace.create();
  const alone = await kvdb(workspace, ["shutdown"]);
  expect(alone).toMatchObject({ code: 1, stdout: "" });
  expect(alone.stderr).toContain(workspace.path(".kvdb"));
  expect(await readdir(workspace.folder)).toEqual([]);
  {
    await using server = await Server.start(workspace);
    await server.kill();
  }
  expect(await kvdb(workspace, ["shutdown"])).toEqual(alone);
});

test("--recover opens the folder itself: a held one is exit code 75 with the holder's pid", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const { code, stderr } = await kvdb(workspace, ["--recover", "get", "k"]);
  expect(code).toBe(75);
  expect(stderr).toContain(String(server.pid));
});

test("what is odd or wrong about the configuration is told beside a server as without one", async () => {
  await using workspace = await Workspace.create();
  await workspace.write("kvdb.config.json", {});
  await workspace.write("kvdb.config.yaml", "");
  const told = expect.stringContaining("kvdb.config.yaml is not used");
  const alone = await kvdb(workspace, ["get", "k"]);
  expect(alone).toMatchObject({ code: 0, stdout: "null\n", stderr: told });
  await using server = await Server.start(workspace);
  expect(await kvdb(workspace, ["get", "k"])).toMatchObject({ ...alone, stderr: told });
  await workspace.write("kvdb.config.json", { persistence: "wall" });
  const refused = await kvdb(workspace, ["get", "k"]);
  expect(refused).toMatchObject({ code: 78, stderr: expect.stringContaining('"wal"') });
  expect(server.exitCode).toBeNull();
});

test("a command of a plugin is forwarded too", async () => {
  await using workspace = await Workspace.create();
  await workspace.write(
    "twice.ts",
    `import { definePlugin } from "kvdb";
     export default definePlugin({ name: "twice", apiVersion: 1, commands: () => [{
       name: "TWICE", arity: 2, flags: ["readonly"], group: "plugin", since: "1", summary: "", syntax: "text",
       run: (_session, args, reply) => reply.text(args.text(1).repeat(2)) }] });`,
  );
  await workspace.write("kvdb.config.json", { plugins: ["./twice.ts"] });
  await using server = await Server.start(workspace);
  expect((await kvdb(workspace, ["twice", "ab"])).stdout).toBe('"abab"\n');
  expect(server.exitCode).toBeNull();
});

test("V6: list_keys lists live keys alone, by pattern, prefix, limit and cursor", async () => {
  await using workspace = await Workspace.create();
  for (const beside of [false, true]) {
    await using server = beside ? await Server.start(workspace) : undefined;
    for (const key of ["a:1", "a:2", "b:1", "a*x"]) await kvdb(workspace, ["set", key, "1"]);
    await kvdb(workspace, ["set", "a:gone", "1", "--ttl", "1ms"]);
    await until("a:gone expires", async () => {
      return (await kvdb(workspace, ["get", "a:gone"])).stdout === "null\n";
    });
    const listed = async (...words: string[]) => {
      const { code, stdout, stderr } = await kvdb(workspace, ["list_keys", ...words]);
      expect(code).toBe(0);
      return {
        keys: stdout
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line)),
        stderr,
      };
    };
    expect((await listed()).keys).toEqual(["a*x", "a:1", "a:2", "b:1"]);
    expect((await listed("a:*")).keys).toEqual(["a:1", "a:2"]);
    expect((await listed("prefix", "a*")).keys).toEqual(["a*x"]);
    const page = await listed("limit", "3");
    expect(page.keys).toEqual(["a*x", "a:1", "a:2"]);
    expect(page.stderr).toContain("cursor a:2");
    expect(await listed("limit", "3", "cursor", "a:2")).toEqual({ keys: ["b:1"], stderr: "" });
    expect(server?.exitCode ?? null).toBeNull();
  }
});

test("V3: set --ttl writes the entry with its deadline; when it is over get prints null", async () => {
  await using workspace = await Workspace.create();
  expect(await kvdb(workspace, ["set", "k", "value-on-disk", "--ttl", "2s"])).toEqual(ok);
  const log = Buffer.from(await Bun.file(workspace.path(".kvdb", "wal-00000001.log")).bytes());
  expect(log.includes("value-on-disk")).toBe(true);
  expect(log.includes("PXAT")).toBe(true);
  const left = Number((await kvdb(workspace, ["pttl", "k"])).stdout);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(2000);
  expect((await kvdb(workspace, ["get", "k"])).stdout).toBe('"value-on-disk"\n');
  await until("the key expires", async () => {
    return (await kvdb(workspace, ["get", "k"])).stdout === "null\n";
  });
  expect((await kvdb(workspace, ["list"])).stdout).toBe("");
});

const canLimitUser = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
test.skipIf(!canLimitUser)(
  "another user is refused by the socket (needs root, setpriv)",
  async () => {
    await using workspace = await Workspace.create();
    await using _server = await Server.start(workspace);
    await writeFile(workspace.path("probe.ts"), PROBE);
    const other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    await run(workspace, [
      "chmod",
      "755",
      workspace.root,
      workspace.folder,
      workspace.path(".kvdb"),
    ]);
    const env = { BUN_BE_BUN: "1" };
    const probe = [
      workspace.executable,
      workspace.path("probe.ts"),
      workspace.path(".kvdb", "kvdb.sock"),
    ];
    expect((await run(workspace, [...other, ...probe], { env })).stdout).toBe("EACCES\n");
    expect((await run(workspace, probe, { env })).stdout).toBe("connected\n");
  },
);

const PROBE = `
try {
  await Bun.connect({ unix: process.argv[2], socket: { data() {} } });
  console.log("connected");
} catch (error) {
  console.log(error.code);
}
process.exit(0);
`;

test("K17: CONFIG SET that was sent to a server stays; SELECT is gone with the command", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  expect(await kvdb(workspace, ["config", "set", "maxmemory", "64mb"])).toEqual(ok);
  expect(await kvdb(workspace, ["acl", "setuser", "ada", "on"])).toEqual(ok);
  const client = await server.connect();
  expect(await client.call("CONFIG", "GET", "maxmemory")).toContain("67108864");
  const select = await kvdb(workspace, ["select", "3"]);
  expect(select).toMatchObject({ code: 0, stdout: "OK\n" });
  expect(select.stderr).toContain("this lasted for this command alone");
});
