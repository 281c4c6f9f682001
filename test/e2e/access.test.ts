/** U18: users and passwords, through the executable: configuration, the file of users, and what is written where. */
import { describe, expect, test } from "bun:test";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ReplyError } from "./support/client.ts";
import { kvdb } from "./support/run.ts";
import { Terminal } from "./support/screen.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const CONFIG = 78;

/** The error, or what came instead of one. */
function errorOf(reply: unknown): string {
  return reply instanceof ReplyError ? reply.message : `no error: ${JSON.stringify(reply)}`;
}

test("U18: requirepass asks everybody, an application user is kept to app:* and reads", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { password: "admin-secret" });
  const stranger = await server.connect();
  await stranger.call("RESET");
  expect(errorOf(await stranger.ask("GET", "app:1"))).toBe("NOAUTH Authentication required.");
  expect(await stranger.call("AUTH", "admin-secret")).toBe("OK");
  await stranger.call("MSET", "app:1", "a", "other", "b");
  const rules = ["on", ">app-secret", "~app:*", "+@read", "-@dangerous"];
  expect(await stranger.call("ACL", "SETUSER", "app", ...rules)).toBe("OK");

  const app = await server.connect();
  await app.call("HELLO", 3, "AUTH", "app", "app-secret");
  expect(await app.call("GET", "app:1")).toBe("a");
  for (const words of [
    ["GET", "other"],
    ["SET", "app:1", "x"],
    ["KEYS", "*"],
    ["CONFIG", "GET", "*"],
  ]) {
    expect(errorOf(await app.ask(...words))).toStartWith("NOPERM ");
  }
  expect(await stranger.call("GET", "app:1")).toBe("a");

  expect(await stranger.call("ACL", "DELUSER", "app")).toBe(1);
  await app.closed;
  // Who may open the folder's own socket needs no password.
  expect((await kvdb(workspace, ["get", "app:1"])).stdout).toContain("a");
});

test("a CONFIG SET that is refused as a whole leaves the default user its own passwords", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const admin = await server.connect();
  await admin.call("ACL", "SETUSER", "default", "resetpass", ">own-secret");
  const users = await admin.call("ACL", "LIST");
  for (const password of ["", "new"]) {
    const set = ["CONFIG", "SET", "requirepass", password, "maxmemory", "nonsense"];
    expect(errorOf(await admin.ask(...set))).toContain("'maxmemory'");
    expect(await admin.call("ACL", "LIST")).toEqual(users);
  }
  const stranger = await server.connect();
  expect(errorOf(await stranger.ask("GET", "x"))).toBe("NOAUTH Authentication required.");
  expect(await stranger.call("AUTH", "own-secret")).toBe("OK");
});

test("and the logs of what was refused and what was slow their entries", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace);
  const admin = await server.connect();
  await admin.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
  await admin.ask("AUTH", "nobody", "x");
  const told = async () => [
    ((await admin.call("ACL", "LOG")) as unknown[]).length,
    Number(await admin.call("SLOWLOG", "LEN")) > 1,
  ];
  const sizes = ["acllog-max-len", "0", "slowlog-max-len", "0"];
  expect(await told()).toEqual([1, true]);
  await admin.ask("CONFIG", "SET", ...sizes, "maxmemory", "nonsense");
  expect(await told()).toEqual([1, true]);
  expect(await admin.call("CONFIG", "SET", ...sizes)).toBe("OK");
  expect(await told()).toEqual([0, false]);
});

test("who has not logged in may send little", async () => {
  await using workspace = await Workspace.create();
  await using server = await Server.start(workspace, { password: "secret" });
  const stranger = await server.connect();
  await stranger.call("RESET");
  const long = await stranger.send(`*2\r\n$4\r\nAUTH\r\n$20000\r\n`, 1);
  expect(errorOf(long[0])).toContain("unauthenticated bulk length");
  await stranger.closed;
  // A user with few rights has said who he is.
  const admin = await server.connect();
  await admin.call("ACL", "SETUSER", "app", "on", ">pw", "~app:*", "+set");
  const app = await server.connect();
  await app.call("AUTH", "app", "pw");
  expect(await app.call("SET", "app:1", "x".repeat(20_000))).toBe("OK");
});

describe("users of the configuration", () => {
  test("are there from the start", async () => {
    await using workspace = await Workspace.create();
    const port = freePort();
    const config = {
      frontends: [{ use: "resp", port }],
      users: { app: "on >app-secret ~app:* +@all", guest: ["on", "nopass", "%R~*", "+get"] },
    };
    await writeFile(workspace.path("kvdb.config.json"), JSON.stringify(config));
    await using server = await Server.start(workspace, { port, fromConfig: true });
    const client = await server.connect();
    expect(await client.call("ACL", "USERS")).toEqual(["app", "default", "guest"]);
    expect(await client.call("AUTH", "app", "app-secret")).toBe("OK");
    expect(errorOf(await client.ask("SET", "x", "1"))).toStartWith("NOPERM ");
    const shown = await kvdb(workspace, ["config", "show"]);
    expect(shown.stdout).toContain("users.app");
    expect(shown.stdout).not.toContain("app-secret");
  });

  test("get there by CONFIG REWRITE, their passwords as hashes, with every comment elsewhere", async () => {
    await using workspace = await Workspace.create();
    const port = freePort();
    const file = workspace.path("kvdb.config.json");
    const text = `{
  // who serves
  "frontends": [{ "use": "resp", "port": ${port} }],
  "users": { "app": "on >app-secret ~app:* +get" }
}
`;
    await writeFile(file, text);
    const start = () => Server.start(workspace, { port, fromConfig: true });
    const lines = async (server: Server) => (await server.connect()).call("ACL", "LIST");
    await using first = await start();
    const client = await first.connect();
    await client.call("ACL", "SETUSER", "app", "-get", "+@read");
    await client.call("ACL", "SETUSER", "new", "on", "nopass", "(~a +get)");
    await client.call("ACL", "SETUSER", "default", "-flushall");
    expect(await client.call("CONFIG", "REWRITE")).toBe("OK");
    const before = await lines(first);
    await first.stop();
    const after = await readFile(file, "utf8");
    expect(after).toContain("// who serves");
    expect(after).not.toContain("app-secret");
    await using second = await start();
    expect(await lines(second)).toEqual(before);
  });
});

test("a password that CONFIG SET took away stays away behind CONFIG REWRITE", async () => {
  await using workspace = await Workspace.create();
  const port = freePort();
  const config = {
    frontends: [{ use: "resp", port }],
    users: { default: "on >old ~* &* +@all", app: "on nopass ~app:* +get" },
  };
  await writeFile(workspace.path("kvdb.config.json"), JSON.stringify(config));
  const start = () => Server.start(workspace, { port, fromConfig: true });
  await using first = await start();
  const admin = await first.connect();
  expect(await admin.call("AUTH", "old")).toBe("OK");
  await admin.call("CONFIG", "SET", "requirepass", "new");
  const users = await admin.call("ACL", "LIST");
  expect(await admin.call("CONFIG", "REWRITE")).toBe("OK");
  await first.stop();
  await using second = await start();
  const client = await second.connect();
  expect(await client.call("AUTH", "new")).toBe("OK");
  expect(await client.call("ACL", "LIST")).toEqual(users);
  expect(errorOf(await client.ask("AUTH", "old"))).toStartWith("WRONGPASS ");
});

describe("the file of users", () => {
  const users = "users.acl";
  const args = ["--aclfile", users, "--appendonly", "no"];

  test("is read at the start and by LOAD, written by SAVE", async () => {
    await using workspace = await Workspace.create();
    const path = workspace.path(users);
    await writeFile(
      path,
      "# who may do what\nuser app on >pw ~app:* +@read\nuser old on nopass ~* +@all\n",
    );
    await using server = await Server.start(workspace, { args });
    const admin = await server.connect();
    expect(await admin.call("ACL", "USERS")).toEqual(["app", "default", "old"]);
    const old = await server.connect();
    const app = await server.connect();
    await old.call("AUTH", "old", "x");
    await app.call("AUTH", "app", "pw");

    expect(await admin.call("ACL", "SETUSER", "new", "on", ">new-secret", "+get")).toBe("OK");
    expect(await admin.call("ACL", "SAVE")).toBe("OK");
    const saved = await readFile(path, "utf8");
    expect(saved.split("\n").map((line) => line.split(" ", 2).join(" "))).toEqual([
      ...["user app", "user default", "user new", "user old", ""],
    ]);
    expect(saved).not.toContain("new-secret");

    await writeFile(path, saved.replace(/user old.*\n/, "").replace("~app:*", "~moved:*"));
    expect(await admin.call("ACL", "LOAD")).toBe("OK");
    await old.closed;
    expect(await app.call("GET", "moved:1")).toBe(null);

    await writeFile(path, "user app on +nosuch\nuser app on\nnonsense\n");
    const refused = errorOf(await admin.ask("ACL", "LOAD"));
    expect(refused).toContain(`${path}:1: Error in applying operation '+nosuch'`);
    expect(refused).toContain("Duplicate user 'app' found on line 2");
    expect(refused).toContain(`${path}:3 should start with user keyword`);
    expect(await admin.call("ACL", "USERS")).toEqual(["app", "default", "new"]);
    expect(await app.call("GET", "moved:1")).toBe(null);
  });

  test("has every byte of a line, but for the blanks around it", async () => {
    await using workspace = await Workspace.create();
    const path = workspace.path(users);
    await writeFile(path, " user app on >pw +@all ~à\t\r\nuser other on +ping >motà\n");
    await using server = await Server.start(workspace, { args });
    const app = await server.connect();
    expect(await app.call("AUTH", "app", "pw")).toBe("OK");
    expect(await app.call("SET", "à", "1")).toBe("OK");
    expect(await app.call("AUTH", "other", "motà")).toBe("OK");
  });

  test("keeps the configured password when it does not name the default user", async () => {
    await using workspace = await Workspace.create();
    await writeFile(workspace.path(users), "user app on >pw +get ~*\n");
    await using server = await Server.start(workspace, { args, password: "secret" });
    const client = await server.connect();
    await client.call("RESET");
    expect(errorOf(await client.ask("PING"))).toStartWith("NOAUTH ");
  });

  test("that is wrong, or not there, is no start", async () => {
    await using workspace = await Workspace.create();
    const start = () => kvdb(workspace, ["serve", "--port", String(freePort()), ...args]);
    expect(await start()).toMatchObject({ code: CONFIG, stdout: "" });
    await writeFile(workspace.path(users), "user app on +nosuch\n");
    const outcome = await start();
    expect(outcome.code).toBe(CONFIG);
    expect(outcome.stderr).toContain("+nosuch");
  });
});

describe("secrets", () => {
  const SECRETS = [
    "pass-of-default",
    "pass-of-app",
    "pass-guessed",
    "pass-of-config",
    "pass-typed",
  ];

  /** Everything in the folder and below, file by file. */
  async function allFiles(folder: string): Promise<readonly { path: string; text: string }[]> {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
    return Promise.all(files.map(async (path) => ({ path, text: await readFile(path, "latin1") })));
  }

  test("are in no log, no history, no data, no answer about others", async () => {
    await using workspace = await Workspace.create();
    const env = { KVDB_LOGLEVEL: "debug" };
    const options = { args: ["--aclfile", "users.acl"], env, password: SECRETS[0] as string };
    await writeFile(workspace.path("users.acl"), "");
    await using server = await Server.start(workspace, options);
    const client = await server.connect();
    const watcher = await server.connect();
    await watcher.ask("MONITOR");
    await client.ask("SLOWLOG", "RESET");
    await client.ask("CONFIG", "SET", "slowlog-log-slower-than", "0");
    await client.call("HELLO", 3, "AUTH", "default", SECRETS[0] as string);
    await client.call("ACL", "SETUSER", "app", "on", `>${SECRETS[1]}`, "~*", "+@all");
    await client.ask("AUTH", "app", SECRETS[2] as string);
    await client.ask("AUTH", SECRETS[2] as string);
    await client.call("CONFIG", "SET", "requirepass", SECRETS[3] as string);
    await client.call("SET", "written", "1");
    await client.call("ACL", "SAVE");
    const told = [
      await client.call("ACL", "LIST"),
      await client.call("ACL", "LOG"),
      await client.call("CLIENT", "LIST"),
      await client.ask("SLOWLOG", "GET", 100),
      await client.call("INFO", "everything"),
      watcher.unasked,
    ];
    const shellOptions = {
      args: ["shell", `redis://127.0.0.1:${server.port}`],
      env: { KVDB_HISTORY: workspace.path("kvdb.history"), REDISCLI_AUTH: SECRETS[3] as string },
    };
    await using terminal = new Terminal(workspace, shellOptions);
    await terminal.line(`127.0.0.1:${server.port}>`);
    terminal.enter("exists written");
    await terminal.row("1");
    terminal.enter(`acl setuser typed on >${SECRETS[4]}`);
    await terminal.row("OK");
    terminal.enter(`auth typed ${SECRETS[4]}`);
    await terminal.row("OK");
    terminal.enter("exit");
    await terminal.ended();
    await server.stop();

    const files = await allFiles(workspace.root);
    expect(files.some(({ path }) => path.endsWith("kvdb.history"))).toBe(true);
    for (const secret of SECRETS) {
      expect(JSON.stringify(told)).not.toContain(secret);
      expect(files.filter(({ text }) => text.includes(secret)).map(({ path }) => path)).toEqual([]);
    }
  });
});
