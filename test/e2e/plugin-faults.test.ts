/**
 * Plugins from outside that misbehave while kvdb serves: whatever they do, their own client gets one error that names
 * them, the log names them, and everybody else is served on. A defect of kvdb itself ends the process in order.
 */
import { describe, expect, test } from "bun:test";
import { type Client, ReplyError } from "./support/client.ts";
import { until, within } from "./support/poll.ts";
import { cleanEnvironment, kvdb, run } from "./support/run.ts";
import { Terminal } from "./support/screen.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const INTERNAL = 70;

/** A plugin "faulty" with a command for each fault. */
const FAULTY = `
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { definePlugin } from "kvdb";
import { explode } from "./lib/explode.ts";

const command = (name, run) => ({
  name, arity: -1, flags: ["write"], group: "plugin", since: "1.0.0", summary: "Fails.", syntax: "", run,
});
const after = (act) => (_session, _args, reply) => {
  setTimeout(act, 1);
  reply.ok();
};

export default definePlugin({
  name: "faulty",
  apiVersion: 1,
  commands: () => [
    command("PROMISE", async (session, _args, reply) => {
      session.call("SET", "before", "1");
      await Bun.sleep(1);
      try { reply.ok(); } catch { }
      session.call("SET", "after", "1");
    }),
    command("NOTHING", () => {}),
    command("TWO", (_session, _args, reply) => { reply.ok(); reply.ok(); }),
    command("HALF", (_session, _args, reply) => { reply.array(3); reply.integer(1); }),
    command("THROW", (_session, _args, reply) => { reply.array(3); reply.integer(1); throw new Error("a\\r\\n+OK"); }),
    command("AGAIN", (session, _args, reply) => reply.answer(session.call("AGAIN"))),
    command("TIMER", after(() => { throw new Error("in a timer"); })),
    command("IMPORTED", after(() => explode())),
    command("TEXT", after(() => { throw "only text"; })),
    command("REJECT", after(() => { Promise.reject(new Error("nobody waits")); })),
    command("UNREAD", after(() => { readFile("/does/not/exist"); })),
    command("REFUSED", after(() => { connect(1, "127.0.0.1"); })),
    command("FETCH", after(() => { fetch("http://127.0.0.1:1/"); })),
    command("BREAK", (_session, _args, reply) => {
      // What is native and called by kvdb alone leaves only kvdb in the stack.
      const now = Date.now;
      process.prependOnceListener("uncaughtException", () => { Date.now = now; });
      Date.now = JSON.parse.bind(null, "{");
      reply.ok();
    }),
  ],
});
`;

async function faultyWorkspace(): Promise<Workspace> {
  const workspace = await Workspace.create();
  await workspace.write("faulty.ts", FAULTY);
  await workspace.write(
    "lib/explode.ts",
    'export const explode = () => { throw new Error("in a file beside it"); };',
  );
  await workspace.write("kvdb.config.json", { plugins: ["./faulty.ts"] });
  return workspace;
}

/** Two connections: one that misbehaves, one that must not notice. */
async function startFaulty(workspace: Workspace): Promise<[Server, Client, Client]> {
  const server = await Server.start(workspace);
  return [server, await server.connect(), await server.connect()];
}

describe("a command that misbehaves", () => {
  test("is one error that names plugin and command, and the next reply is the next command's", async () => {
    await using workspace = await faultyWorkspace();
    const [server, client, other] = await startFaulty(workspace);
    await using _ = server;
    for (const [name, fault] of [
      ["PROMISE", "returned a promise: run must be synchronous"],
      ["NOTHING", "wrote no reply"],
      ["TWO", "wrote more than one reply"],
      ["HALF", "wrote a reply that lacks 2 of its values"],
      ["THROW", "threw: a +OK"],
      ["AGAIN", "is called over 16 deep"],
    ] as const) {
      const replies = await client.pipeline([
        ["SET", "key", name],
        [name],
        ["GET", "key"],
        ["PING"],
      ]);
      expect(replies).toEqual(["OK", expect.any(ReplyError), name, "PONG"]);
      expect((replies[1] as ReplyError).message).toBe(
        `ERR plugin "faulty": command ${name} ${fault}`,
      );
      expect(await other.call("GET", "key")).toBe(name);
    }
    // What the promise did before its first wait stays; what it does later is refused, and told.
    await until("the rejection is logged", () => server.log.includes("until run returns"));
    expect(await other.call("EXISTS", "before", "after")).toBe(1);
    expect(await server.stop()).toBe(0);
  });
});

test("what a command throws at the prompt is one line, then the answer", async () => {
  await using workspace = await faultyWorkspace();
  const env = { KVDB_HISTORY: workspace.path("faulty.history") };
  await using terminal = new Terminal(workspace, { columns: 200, env });
  await terminal.line(".kvdb>");
  terminal.enter("throw");
  await terminal.row('ERR plugin "faulty": command THROW threw: a +OK');
  await terminal.line(".kvdb>");
  const rows = terminal.screen;
  const typed = rows.indexOf(".kvdb> throw");
  expect(rows.slice(typed + 1, -1)).toEqual([
    expect.stringMatching(/^\S+ error .*faulty.*THROW.* error="Error: a"$/),
    'ERR plugin "faulty": command THROW threw: a +OK',
  ]);
});

describe("what a plugin throws by itself", () => {
  test.each([
    ["TIMER", "in a timer"],
    ["IMPORTED", "in a file beside it"],
    ["TEXT", "only text"],
    ["REJECT", "nobody waits"],
    ["UNREAD", "/does/not/exist"],
    ["REFUSED", "ECONNREFUSED"],
    ["FETCH", "Unable to connect"],
  ])("%s is logged with its name, and everybody is served on", async (name, text) => {
    await using workspace = await faultyWorkspace();
    const [server, client, other] = await startFaulty(workspace);
    await using _ = server;
    expect(await client.call(name)).toBe("OK");
    await until("it is logged", () => server.log.includes(text));
    const line = server.log.split("\n").find((one) => one.includes(text));
    expect(line).toContain('plugin "faulty"');
    expect(await client.call("SET", "key", "1")).toBe("OK");
    expect(await other.call("GET", "key")).toBe("1");
    expect(await server.stop()).toBe(0);
  });

  test("does not take away a one-shot command's answer either", async () => {
    await using workspace = await Workspace.create();
    await workspace.write(
      "eager.ts",
      `setImmediate(() => { throw new Error("too early"); });
      Promise.reject(new Error("not caught"));
      export default { name: "eager", apiVersion: 1, commands: () => [] };`,
    );
    await workspace.write("kvdb.config.json", { plugins: ["./eager.ts"] });
    const outcome = await kvdb(workspace, ["set", "key", "1"]);
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain('plugin "eager"');
    expect(outcome.stderr).toContain("too early");
    expect(await kvdb(workspace, ["get", "key"])).toMatchObject({ code: 0, stdout: "1\n" });
  });
});

test("a defect of kvdb ends it in order: exit 70, and what was written is there", async () => {
  await using workspace = await faultyWorkspace();
  const [server, client] = await startFaulty(workspace);
  await using _ = server;
  // With a deadline around, a timer of kvdb's own looks at the clock.
  expect(await client.call("SET", "key", "1", "EX", 1000)).toBe("OK");
  expect(await client.call("BREAK")).toBe("OK");
  expect(await server.ended()).toBe(INTERNAL);
  expect(server.log).toContain("nobody caught this: a defect of kvdb");
  expect(server.log).toContain('stopping asked="a defect"');
  expect(server.log).toContain("ended by a defect of kvdb: JSON Parse error");
  await workspace.write("kvdb.config.json", {});
  expect(await kvdb(workspace, ["exists", "key"])).toMatchObject({ code: 0, stdout: "1\n" });
});

describe("a reader that goes away is no defect", () => {
  test("of an answer", async () => {
    await using workspace = await Workspace.create();
    expect(await kvdb(workspace, ["setrange", "big", "1000000", "x"])).toMatchObject({ code: 0 });
    const line = `{ ${workspace.executable} get big; echo $? > code; } | head -c 4`;
    const read = await run(workspace, ["sh", "-c", line]);
    expect(read).toEqual({ code: 0, stdout: '"\\u0', stderr: "" });
    expect(await Bun.file(workspace.path("code")).text()).toBe("0\n");
  });

  test("of the log", async () => {
    await using workspace = await Workspace.create();
    const child = Bun.spawn([workspace.executable, "serve", "--port", String(freePort())], {
      cwd: workspace.folder,
      env: cleanEnvironment(workspace),
      stdio: ["ignore", "ignore", "pipe"],
    });
    try {
      for await (const chunk of child.stderr) if (Buffer.from(chunk).includes("is ready")) break;
      child.kill("SIGTERM");
      expect(await within("the end", child.exited)).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

/** A frontend that lets its clients in and fails at every turn, in its listeners and in its sockets. */
const FRONTEND = `
import { definePlugin } from "kvdb";

export default definePlugin({
  name: "nervous",
  apiVersion: 1,
  schema: { type: "object", properties: { port: { type: "integer" } } },
  frontend: ({ port }, context) => {
    let listener;
    const fail = (where) => () => { throw new Error("nervous " + where); };
    context.addInfo("nervous", fail("lines"));
    context.addParameter({ name: "nervous", get: fail("get"), set: fail("set") });
    return {
      async open() {
        context.onTurnEnd(fail("turn"));
        context.onDurable(fail("sync"));
        context.clock.after(1, fail("timer"));
        listener = Bun.listen({ hostname: "127.0.0.1", port, socket: {
          open(socket) {
            context.connect({ address: "nervous:1", localAddress: "nervous:2",
              inputBytes: fail("input"), outputBytes: fail("output"), close: fail("close") });
            socket.write("welcome");
          },
          data: fail("data"),
        } });
      },
      async close() { listener.stop(true); CLOSE },
    };
  },
});
`;

async function startNervous(workspace: Workspace, close = ""): Promise<[Server, number]> {
  const port = freePort();
  const own = freePort();
  await workspace.write("nervous.ts", FRONTEND.replace("CLOSE", close));
  await workspace.write("kvdb.config.json", {
    memory: { max: "1gb" },
    plugins: ["./nervous.ts"],
    frontends: [
      { use: "resp", port },
      { use: "nervous", port: own },
    ],
  });
  return [await Server.start(workspace, { fromConfig: true, port }), own];
}

/** Speaks to the frontend, until it has said its welcome. */
async function provoke(port: number): Promise<void> {
  const welcome = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: { data: () => welcome.resolve() },
  });
  await welcome.promise;
  socket.write("hello");
}

describe("a frontend that misbehaves", () => {
  test("is named by where it fails, and the other one serves on", async () => {
    await using workspace = await Workspace.create();
    const [server, own] = await startNervous(workspace);
    await using _ = server;
    const client = await server.connect();
    await provoke(own);
    const replies = await client.pipeline([
      ["SET", "key", "1"],
      ["GET", "key"],
      ["CONFIG", "GET", "nervous"],
      ["CONFIG", "SET", "nervous", "1"],
      ["CLIENT", "KILL", "ADDR", "nervous:1"],
    ]);
    expect(replies).toEqual(["OK", "1", [], expect.any(ReplyError), 1]);
    expect(String(await client.call("INFO", "everything"))).toContain("# Nervous");
    for (const where of ["turn", "sync", "timer", "data", "lines", "get", "output", "close"]) {
      await until(`"${where}" is logged`, () => server.log.includes(`nervous ${where}`));
      const line = server.log.split("\n").find((one) => one.includes(`nervous ${where}`));
      expect(line).toContain('plugin "nervous"');
    }
    expect(await client.call("PING")).toBe("PONG");
    expect(await server.stop()).toBe(0);
  });

  test("that throws when it is closed: exit 70, its name, and what was written is there", async () => {
    await using workspace = await Workspace.create();
    const [server] = await startNervous(workspace, 'throw new Error("no end");');
    await using _ = server;
    const client = await server.connect();
    expect(await client.call("SET", "key", "1")).toBe("OK");
    expect(await server.stop()).toBe(INTERNAL);
    const line = server.log.split("\n").find((one) => one.includes("no end"));
    expect(line).toContain('plugin "nervous": closing the frontend');
    await workspace.write("kvdb.config.json", {});
    expect(await kvdb(workspace, ["exists", "key"])).toMatchObject({ code: 0, stdout: "1\n" });
  });
});

test("commands of a plugin that the table cannot take: exit 78, all of them, with what to change", async () => {
  await using workspace = await Workspace.create();
  await workspace.write(
    "odd.ts",
    `export default { name: "odd", apiVersion: 1, commands: () => [
      { name: "slug", arity: "2", flags: ["readonly"], group: "plugin", since: "1", summary: "", syntax: "", run() {} },
      { name: "GET", arity: 2, flags: ["raedonly"], group: "plugin", since: "1", summary: "", syntax: "" },
    ] };`,
  );
  await workspace.write("kvdb.config.json", { plugins: ["./odd.ts"] });
  const { code, stderr } = await kvdb(workspace, ["config", "check"]);
  expect(code).toBe(78);
  for (const fault of [
    'plugin "odd": command slug: a name is written in upper case: "SLUG"',
    'plugin "odd": command slug: expected as arity',
    'plugin "odd": command GET: the name is taken',
    'plugin "odd": command GET: unknown flag "raedonly"; did you mean "readonly"?',
    'plugin "odd": command GET: expected a function as run, found none',
  ]) {
    expect(stderr).toContain(fault);
  }
});
