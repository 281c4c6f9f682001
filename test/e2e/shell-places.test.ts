/**
 * The same session with the shell on its own engine, on a folder that another process holds, on a
 * kvdb server and on a redis-server by URL: what a person sees must not depend on who answers.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "./support/poll.ts";
import { kvdb } from "./support/run.ts";
import { keys, Terminal } from "./support/screen.ts";
import { freePort, Server } from "./support/server.ts";
import { Workspace } from "./support/workspace.ts";

const PASSWORD = "s3cr:t@/";

let workspace: Workspace;
let server: Server;

beforeAll(async () => {
  workspace = await Workspace.create();
  const args = ["--dir", "served"];
  server = await Server.start(workspace, { args, password: PASSWORD });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await workspace[Symbol.asyncDispose]();
});

interface Way {
  readonly args: readonly string[];
  /** The prompt before `> `: what stands before the chosen database, and behind it. */
  readonly prompt: string;
  readonly holder?: string;
  /** What `get` prints of a document: a Redis has strings alone. */
  readonly document: string;
}

const asJson = '{"a": [1, null]}';
const asString = String.raw`"{\"a\": [1, null]}"`;

async function session({ args, prompt: place, holder = "", document }: Way): Promise<void> {
  const prompt = `${place}${holder}`;
  const history = { KVDB_HISTORY: workspace.path("places.history") };
  await using terminal = new Terminal(workspace, { args, env: history });
  await terminal.line(`${prompt}>`);
  terminal.enter("flushdb");
  await terminal.line("[y/N]");
  terminal.enter("y");
  await terminal.row("OK");
  terminal.enter('set doc {"a": [1, null]}');
  terminal.enter("get doc");
  await terminal.row(document);
  terminal.enter("incrby count 41");
  terminal.enter("list");
  await terminal.row('2) "doc"');
  terminal.enter("gte doc");
  await terminal.row('unknown command "gte"; did you mean "get"?');
  terminal.enter("incr doc");
  await terminal.until("an error", (screen) => screen.some((row) => /^(ERR|WRONGTYPE)/.test(row)));
  terminal.type("setra");
  await terminal.line("setra");
  terminal.type(keys.tab);
  await terminal.until("the hint", (screen) => /^setrange key offset/.test(screen.at(-1) ?? ""));
  terminal.type("do", keys.tab);
  await terminal.line(`${prompt}> setrange doc`);
  terminal.type(keys.ctrlU);
  terminal.enter("select 3");
  await terminal.line(`${place}[3]${holder}>`);
  terminal.enter("peek doc");
  await terminal.row("null");
  terminal.enter("select 99");
  await terminal.row("ERR DB index is out of range");
  terminal.type(keys.ctrlD);
  expect(await terminal.ended()).toBe(0);
}

function urlOf(port: number, database = ""): string {
  return `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}${database}`;
}

describe("R13: one session", () => {
  test("on its own engine", () =>
    session({ args: ["--dir", "own"], prompt: "own", document: asJson }));

  test("on a folder that another process holds", async () => {
    const holder = ` (pid ${server.pid})`;
    await session({ args: ["--dir", "served"], prompt: "served", holder, document: asJson });
  });

  test("on a kvdb server by URL", async () => {
    const args = ["shell", urlOf(server.port)];
    await session({ args, prompt: `127.0.0.1:${server.port}`, document: asJson });
  });

  test.skipIf(Bun.which("redis-server") === null)("on a redis-server by URL", async () => {
    await using redis = await RedisServer.start(workspace);
    const args = ["shell", `redis://127.0.0.1:${redis.port}`];
    await session({ args, prompt: `127.0.0.1:${redis.port}`, document: asString });
  });
});

describe("R13: a folder that another process holds", () => {
  test("the prompt names whoever holds it now", async () => {
    const options = { args: ["--dir", "handed-on"] };
    let holder = await Server.start(workspace, options);
    try {
      const history = { KVDB_HISTORY: workspace.path("handed-on.history") };
      await using terminal = new Terminal(workspace, { ...options, env: history });
      await terminal.line(`handed-on (pid ${holder.pid})>`);
      await holder.kill();
      terminal.enter("dbsize");
      await terminal.line("handed-on (not connected)>");
      terminal.enter("dbsize");
      await terminal.until("the way out", (screen) =>
        screen.join(" ").includes("leave and start kvdb again"),
      );
      holder = await Server.start(workspace, options);
      terminal.enter("dbsize");
      await terminal.line(`handed-on (pid ${holder.pid})>`);
      expect(terminal.screen.at(-2)).toBe("0");
    } finally {
      await holder[Symbol.asyncDispose]();
    }
  });
});

describe("R13: a server far away", () => {
  test("the URL chooses the database", async () => {
    await using terminal = new Terminal(workspace, { args: ["shell", urlOf(server.port, "/2")] });
    await terminal.line(`127.0.0.1:${server.port}[2]>`);
  });

  test.each([
    ["redis://127.0.0.1:1/", 69],
    ["redis://:wrong@127.0.0.1:PORT", 1],
    ["redis://:RIGHT@127.0.0.1:PORT/99", 1],
    ["http://127.0.0.1:PORT", 2],
    ["redis://127.0.0.1:PORT/x", 2],
  ])("%s is refused", async (pattern, code) => {
    const url = pattern
      .replace("PORT", String(server.port))
      .replace("RIGHT", encodeURIComponent(PASSWORD));
    await using terminal = new Terminal(workspace, { args: ["shell", url] });
    expect(await terminal.ended()).toBe(code);
    expect(terminal.output).not.toContain(encodeURIComponent(PASSWORD));
  });

  test("without a terminal nobody is sent to the data folder", async () => {
    const input = "get a\n";
    const far = await kvdb(workspace, ["shell", urlOf(server.port)], { input });
    expect(far).toEqual({ code: 2, stdout: "", stderr: "the shell needs a terminal\n" });
    const near = await kvdb(workspace, ["--dir", "near", "shell"], { input });
    expect(near).toMatchObject({ code: 2, stdout: "" });
    expect(near.stderr).toContain("kvdb < script");
  });

  test("a connection that is lost is told, and made again", async () => {
    const port = freePort();
    const options = { port, args: ["--dir", "lost"] };
    let far = await Server.start(workspace, options);
    try {
      const prompt = `127.0.0.1:${port}`;
      await using terminal = new Terminal(workspace, { args: ["shell", `redis://${prompt}`] });
      await terminal.line(`${prompt}>`);
      terminal.enter("set a 1");
      await terminal.row("OK");
      terminal.enter("select 1");
      await terminal.line(`${prompt}[1]>`);
      terminal.enter("shutdown");
      await terminal.row("the server stops");
      expect(await far.ended()).toBe(0);
      terminal.enter("get a");
      await terminal.line(`${prompt}[1] (not connected)>`);
      far = await Server.start(workspace, options);
      terminal.enter("dbsize");
      await terminal.line(`${prompt}[1]>`);
      expect(terminal.screen.at(-2)).toBe("0");
    } finally {
      await far[Symbol.asyncDispose]();
    }
  });

  test.skipIf(Bun.which("redis-server") === null)(
    "Ctrl-C gives up on a command that does not answer",
    async () => {
      await using redis = await RedisServer.start(workspace);
      const prompt = `127.0.0.1:${redis.port}`;
      await using terminal = new Terminal(workspace, { args: ["shell", `redis://${prompt}`] });
      await terminal.line(`${prompt}>`);
      terminal.enter("blpop queue 0");
      await until("the command is waiting", async () => (await redis.blockedClients()) === 1);
      terminal.type(keys.ctrlC);
      await terminal.row("interrupted; the connection was closed, the command may have run");
      terminal.enter("ping");
      await terminal.row("PONG");
    },
  );
});

/** A redis-server of the test's own. */
class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #child: Bun.Subprocess;

  private constructor(port: number, child: Bun.Subprocess) {
    this.port = port;
    this.#child = child;
  }

  static async start({ folder }: Workspace): Promise<RedisServer> {
    const port = freePort();
    const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
    const child = Bun.spawn(["redis-server", ...options], {
      cwd: folder,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    const redis = new RedisServer(port, child);
    await until("redis-server answers", () => redis.#ask("PING"));
    return redis;
  }

  async blockedClients(): Promise<number> {
    const info = await this.#ask("INFO clients");
    return Number(/^blocked_clients:(\d+)/m.exec(info ?? "")?.[1]);
  }

  async #ask(line: string): Promise<string | undefined> {
    const answer = Promise.withResolvers<string>();
    try {
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port: this.port,
        socket: { data: (_socket, bytes) => answer.resolve(bytes.toString()) },
      });
      socket.write(`${line}\r\n`);
      const text = await answer.promise;
      socket.end();
      return text;
    } catch (error) {
      if ((error as { code?: string }).code === "ECONNREFUSED") return undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
