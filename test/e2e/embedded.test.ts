/**
 * The embedded API beside other processes: killed, holding a folder and finding it held, at the end
 * of a program that forgot to close, and inside a plugin that the executable runs.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InstalledPackage } from "./support/installed-package.ts";
import { until, within } from "./support/poll.ts";
import { kvdb, outcomeOf } from "./support/run.ts";
import { Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await InstalledPackage.create();
});
afterAll(() => installed[Symbol.asyncDispose]());

let programs = 0;

/** Starts a program that may import kvdb, in a folder of its own unless one is given. */
async function start(text: string, folder?: string) {
  const name = `program-${++programs}`;
  const path = await installed.write(`${name}/program.ts`, text);
  const cwd = folder ?? join(installed.folder, name);
  await mkdir(cwd, { recursive: true });
  return installed.spawn(["bun", path], cwd);
}

/** Whole lines of its standard output, as they come. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

test("what a program awaited is there after kill -9", async () => {
  await using workspace = await Workspace.create();
  for (const round of [1, 2, 3, 4, 5]) {
    const writer = await start(
      `import { open } from "kvdb";
      const db = await open<{ n: number }>("./data");
      const write = async (worker: number) => {
        for (let n = 0; ; n++) {
          await db.set(\`round-${round}:\${worker}:\${n}\`, { n });
          process.stdout.write(\`\${worker}:\${n}\\n\`);
        }
      };
      await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(write));`,
      workspace.folder,
    );
    const acknowledged: string[] = [];
    for await (const line of linesOf(writer.stdout)) {
      acknowledged.push(line);
      if (acknowledged.length === 150 * round) writer.kill("SIGKILL");
    }
    await writer.exited;
    const found = await kvdb(workspace, ["--dir", "data", "list", "prefix", `round-${round}:`]);
    const keys = new Set(found.stdout.trimEnd().split("\n"));
    expect(acknowledged.length).toBeGreaterThanOrEqual(150 * round);
    expect(acknowledged.filter((key) => !keys.has(`"round-${round}:${key}"`))).toEqual([]);
  }
});

test("K16: a batch is there as a whole or not at all after kill -9, and a snapshot leaves nothing", async () => {
  await using workspace = await Workspace.create();
  for (const round of [1, 2, 3]) {
    const writer = await start(
      `import { open } from "kvdb";
      const db = await open<number>("./data");
      await using snapshot = await db.snapshot();
      for (let n = 0; ; n++) {
        const batch = db.batch();
        for (let i = 0; i < 200; i++) batch.put(\`round-${round}:\${i}\`, n);
        batch.put(\`extra-${round}:\${n}\`, n).del(\`extra-${round}:\${n - 1}\`);
        await batch.write();
        process.stdout.write(\`\${n}\\n\`);
      }`,
      workspace.folder,
    );
    let acknowledged = -1;
    for await (const line of linesOf(writer.stdout)) {
      acknowledged = Number(line);
      if (acknowledged === 20 * round) writer.kill("SIGKILL");
    }
    await writer.exited;
    const reader = await start(
      `import { open } from "kvdb";
      await using db = await open<number>("./data");
      const values = [...db.values({ prefix: "round-${round}:" })];
      const extras = [...db.iterate({ prefix: "extra-${round}:" })];
      console.log(JSON.stringify([values.length, [...new Set(values)], extras]));`,
      workspace.folder,
    );
    const found: unknown = JSON.parse(await new Response(reader.stdout).text());
    const [, [n = -1]] = found as [number, number[]];
    expect(found).toEqual([200, [n], [[`extra-${round}:${n}`, n]]]);
    expect(n).toBeGreaterThanOrEqual(acknowledged);
    const names = await readdir(join(workspace.folder, "data"));
    expect(names.filter((name) => name.includes("image"))).toEqual([]);
  }
});

test("a folder that a server holds is refused with the server's pid, and is free afterwards", async () => {
  await using workspace = await Workspace.create();
  const program = `import { KvdbError, open } from "kvdb";
    try {
      await using db = await open("./.kvdb");
      process.stdout.write(\`opened \${db.get("key")}\`);
    } catch (error) {
      if (!(error instanceof KvdbError)) throw error;
      process.stdout.write(\`\${error.code} \${error.message}\`);
    }`;
  {
    await using server = await Server.start(workspace);
    await (await server.connect()).call("SET", "key", "Ada");
    const refused = await outcomeOf(await start(program, workspace.folder));
    expect(refused.stdout).toStartWith("HELD ");
    expect(refused.stdout).toContain(`pid ${server.pid})`);
    expect(await server.stop()).toBe(0);
  }
  const opened = await outcomeOf(await start(program, workspace.folder));
  expect(opened).toEqual({ code: 0, stdout: "opened Ada", stderr: "" });
});

test("while a program holds the folder, commands from a terminal reach it there", async () => {
  await using workspace = await Workspace.create();
  const program = await start(
    `import { open } from "kvdb";
    const db = await open("./.kvdb");
    await db.set("from", "program");
    process.stdout.write("ready\\n");
    while (!db.has("stop")) await Bun.sleep(5);
    process.stdout.write(JSON.stringify([db.get("doc"), process.listenerCount("SIGTERM")]) + "\\n");
    await db.close();`,
    workspace.folder,
  );
  const lines = linesOf(program.stdout);
  expect((await lines.next()).value).toBe("ready");
  expect((await kvdb(workspace, ["get", "from"])).stdout).toBe('"program"\n');
  await kvdb(workspace, ["set", "doc", '{"a":1}']);
  await kvdb(workspace, ["set", "stop", "true"]);
  expect((await lines.next()).value).toBe('[{"a":1},0]');
  expect(await program.exited).toBe(0);
  expect((await kvdb(workspace, ["get", "doc"])).stdout).toBe('{"a":1}\n');
});

test("SHUTDOWN from a terminal closes a program's database, and the program goes on", async () => {
  await using workspace = await Workspace.create();
  const program = await start(
    `import { KvdbError, open } from "kvdb";
    const db = await open("./.kvdb");
    process.stdout.write("ready\\n");
    const isOpen = () => {
      try {
        return db.size >= 0;
      } catch (error) {
        if (error instanceof KvdbError && error.code === "UNAVAILABLE") return false;
        throw error;
      }
    };
    while (isOpen()) await Bun.sleep(5);
    await db.close();
    process.stdout.write("closed\\n");`,
    workspace.folder,
  );
  const lines = linesOf(program.stdout);
  expect((await lines.next()).value).toBe("ready");
  await kvdb(workspace, ["shutdown"]);
  expect((await lines.next()).value).toBe("closed");
  expect(await program.exited).toBe(0);
});

test("a program that forgets to close and to await ends by itself, its writes written", async () => {
  await using workspace = await Workspace.create();
  for (const fsync of ["always", "everysec", "no"]) {
    const program = await start(
      `import { open } from "kvdb";
      const db = await open({ dir: "./${fsync}", persistence: { use: "wal", fsync: "${fsync}" } });
      for (let i = 0; i < 100; i++) void db.set(String(i), i);`,
      workspace.folder,
    );
    expect(await outcomeOf(program)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await kvdb(workspace, ["--dir", fsync, "dbsize"])).stdout).toBe("100\n");
  }
});

test("a client that stays connected to the folder's socket keeps no program alive", async () => {
  await using workspace = await Workspace.create();
  const program = await start(
    `import { open } from "kvdb";
    const db = await open("./data");
    process.stdout.write("open\\n");
    const isAlone = async () => !/cmd=ping/.test(await db.call("CLIENT", "LIST"));
    while (await isAlone()) await new Promise((resolve) => setTimeout(resolve, 5));`,
    workspace.folder,
  );
  const outcome = (async () => {
    for await (const _line of linesOf(program.stdout)) break;
    const closed = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      unix: workspace.path("data/kvdb.sock"),
      socket: { data() {}, close: () => closed.resolve() },
    });
    socket.write("PING\r\n");
    await closed.promise; // by the end of the program alone
    return program.exited;
  })();
  try {
    expect(await within("the program", outcome)).toBe(0);
  } finally {
    program.kill("SIGKILL");
  }
});

test("a program that waits for a write stays until it is durable, and ends after close", async () => {
  const program = await start(
    `import { open } from "kvdb";
    const db = await open("./data");
    await db.set("a", 1);
    await db.close();
    process.stdout.write("done");`,
  );
  expect(await outcomeOf(program)).toEqual({ code: 0, stdout: "done", stderr: "" });
});

test("a plugin and a configuration that the executable runs can open a database", async () => {
  await using workspace = await Workspace.create();
  await workspace.write(
    "kvdb.config.ts",
    `import { open } from "kvdb";
    await using db = await open<string>("./settings");
    await db.set("dir", "chosen");
    export default { dir: db.get("dir"), plugins: ["./count.ts"] };`,
  );
  await workspace.write(
    "count.ts",
    `import { definePlugin, open } from "kvdb";
    const counters = await open<number>({ persistence: "none" });
    export default definePlugin({
      name: "count",
      apiVersion: 1,
      commands: () => [{
        name: "COUNT", arity: 1, flags: ["readonly"], group: "plugin", since: "count 1",
        summary: "Counts.", syntax: "",
        run(_session, _args, reply) {
          void counters.set("n", (counters.get("n") ?? 0) + 1);
          reply.integer(counters.get("n") ?? 0);
        },
      }],
    });`,
  );
  expect(await kvdb(workspace, ["count"])).toEqual({ code: 0, stdout: "1\n", stderr: "" });
  expect((await kvdb(workspace, ["set", "a", "1"])).code).toBe(0);
  await until("the folder is there", () => Bun.file(workspace.path("chosen/kvdb.lock")).exists());
});

test("what find has shown is there after kill -9, and its types hold in a program", async () => {
  await using workspace = await Workspace.create();
  const asker = await start(
    `import { open } from "kvdb";
    interface Account { owner: string; balance: number }
    const db = await open<Account>("./data");
    await db.index.create("owner", { use: "hash", field: "owner" });
    for (let n = 0; ; n++) {
      void db.set(\`account:\${n}\`, { owner: "ada", balance: n });
      const rows = await db.find({ owner: "ada", balance: { $gte: n } });
      process.stdout.write(rows.map(({ key }) => key + "\\n").join(""));
    }`,
    workspace.folder,
  );
  const shown: string[] = [];
  for await (const line of linesOf(asker.stdout)) {
    shown.push(line);
    if (shown.length === 50) asker.kill("SIGKILL");
  }
  await asker.exited;
  const reader = await start(
    `import { open } from "kvdb";
    await using db = await open<{ owner: string }>("./data");
    for await (const { key } of db.findEach({ owner: "ada" })) console.log(key);
    console.log((await db.explain({ owner: "ada" }, { using: "owner" })).index);`,
    workspace.folder,
  );
  const outcome = await outcomeOf(reader);
  const found = outcome.stdout.trimEnd().split("\n");
  expect(found.pop()).toBe("owner");
  expect(found).toEqual(expect.arrayContaining(shown));
});
