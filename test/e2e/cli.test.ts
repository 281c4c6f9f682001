/**
 * The command line as a user has it: the compiled executable in an empty folder, with
 * `node_modules` out of reach. Rows K1 to K5, K11, K12, R14 and V11.
 */
import { afterEach, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json";
import { until } from "./support/poll.ts";

const executable = join(import.meta.dir, "../../dist/kvdb");

/** "At most ten times the time named" of the acceptance rows, for a machine that does much else. */
const WAIT_MS = 20_000;

beforeAll(() => {
  if (!existsSync(executable)) throw new Error("dist/kvdb is missing: bun scripts/build.ts");
});

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function emptyFolder(files: Record<string, string> = {}): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "kvdb-cli-")));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, ".git")); // no configuration of the machine is found from here
  for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text);
  return folder;
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type Options = { readonly cwd: string; readonly env?: Record<string, string> };

async function kvdb({ cwd, env = {} }: Options, ...argv: string[]): Promise<Outcome> {
  const child = Bun.spawn([executable, ...argv], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, out, err };
}

interface Server {
  readonly pid: number;
  readonly exited: Promise<number>;
  signal(name: "SIGTERM" | "SIGINT" | "SIGKILL"): void;
  /** Everything written to standard error so far. */
  text(): string;
  until(fact: string | RegExp): Promise<void>;
}

/** A unix socket instead of a port: tests run beside one another. */
async function serve({ cwd, env = {} }: Options, ...argv: string[]): Promise<Server> {
  const child = Bun.spawn([executable, "serve", "--port", "0", "--unixsocket", "s", ...argv], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  cleanUp.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  const log = new LogReader(child.stderr);
  const server = {
    pid: child.pid,
    exited: child.exited,
    signal: (name: "SIGTERM" | "SIGINT" | "SIGKILL") => child.kill(name),
    text: () => log.text,
    until: (fact: string | RegExp) => log.until(fact),
  };
  await server.until("is ready");
  return server;
}

class LogReader {
  text = "";
  readonly #reading: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reading = this.#read(stream);
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text += decoder.decode(chunk, { stream: true });
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  async until(fact: string | RegExp): Promise<void> {
    const late = AbortSignal.timeout(WAIT_MS);
    while (!(typeof fact === "string" ? this.text.includes(fact) : fact.test(this.text))) {
      if (late.aborted) throw new Error(`no "${fact}" in: ${this.text}`);
      const more = new Promise<"more">((resolve) => this.#waiting.push(() => resolve("more")));
      const ended = this.#reading.then(() => "ended" as const);
      const expired = new Promise<"late">((resolve) =>
        late.addEventListener("abort", () => resolve("late"), { once: true }),
      );
      if ((await Promise.race([more, ended, expired])) === "ended") {
        throw new Error(`it ended without "${fact}": ${this.text}`);
      }
    }
  }
}

/** Somebody at the other end of the server's unix socket. */
class Client {
  text = "";
  readonly closed: Promise<void>;
  readonly #wake: { run: () => void } = { run: () => {} };
  #socket: Bun.Socket | undefined;

  private constructor(closed: Promise<void>) {
    this.closed = closed;
  }

  static async connect(path: string): Promise<Client> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const client = new Client(promise);
    client.#socket = await Bun.connect({
      unix: path,
      socket: {
        data: (_socket, chunk) => {
          client.text += chunk.toString();
          client.#wake.run();
        },
        close: () => resolve(),
      },
    });
    return client;
  }

  send(text: string): void {
    this.#socket?.write(text);
  }

  until(holds: (text: string) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.run = () => {
        if (holds(this.text)) resolve();
      };
      this.#wake.run();
    });
  }
}

test("K1 K2 K3 K4: set, get, delete, get", async () => {
  const cwd = await emptyFolder();
  expect(await kvdb({ cwd }, "set", "name", "Jaya Krishna")).toMatchObject({ code: 0, err: "" });
  expect(existsSync(join(cwd, ".kvdb"))).toBe(true);
  expect(await kvdb({ cwd }, "get", "name")).toEqual({ code: 0, out: '"Jaya Krishna"\n', err: "" });
  expect(await kvdb({ cwd }, "delete", "name")).toEqual({ code: 0, out: "1\n", err: "" });
  expect(await kvdb({ cwd }, "get", "name")).toEqual({ code: 0, out: "null\n", err: "" });
  expect((await kvdb({ cwd }, "--exit-status", "get", "name")).code).toBe(1);
  expect((await kvdb({ cwd }, "del", "name")).out).toBe("0\n");
});

test("JSON comes back as it was given", async () => {
  const cwd = await emptyFolder();
  for (const json of ['{"a":[1,2,{"b":null}],"x":true}', "1.0", '""', "null", '{"ü":"😀"}']) {
    expect((await kvdb({ cwd }, "set", "u", json)).code).toBe(0);
    expect((await kvdb({ cwd }, "get", "u")).out).toBe(`${json}\n`);
  }
});

test("K5: all files lie in .kvdb; --dir and KVDB_DIR change it", async () => {
  const cwd = await emptyFolder();
  await kvdb({ cwd }, "set", "k", "default");
  await kvdb({ cwd }, "--dir", "by-flag", "set", "k", "flag");
  await kvdb({ cwd, env: { KVDB_DIR: "by-variable" } }, "set", "k", "variable");
  expect(readdirSync(cwd).sort()).toEqual([".git", ".kvdb", "by-flag", "by-variable"]);
  const both = { cwd, env: { KVDB_DIR: "by-variable" } };
  expect((await kvdb(both, "get", "k")).out).toBe('"variable"\n');
  expect((await kvdb(both, "--dir", "by-flag", "get", "k")).out).toBe('"flag"\n');
  expect((await kvdb({ cwd }, "get", "k")).out).toBe('"default"\n');
});

test("R1: persistence none leaves no file", async () => {
  const cwd = await emptyFolder({ "kvdb.config.json": '{ "persistence": "none" }' });
  expect((await kvdb({ cwd }, "set", "k", "v")).code).toBe(0);
  expect((await kvdb({ cwd }, "get", "k")).out).toBe("null\n");
  expect(readdirSync(cwd).sort()).toEqual([".git", "kvdb.config.json"]);
});

test("K11: help, usage, suggestions, and no folder for what cannot run", async () => {
  const cwd = await emptyFolder();
  const help = await kvdb({ cwd }, "--help");
  expect(help).toMatchObject({ code: 0, err: "" });
  expect(help.out).toContain("serve");
  expect(await kvdb({ cwd }, "help")).toMatchObject({ code: 0, out: help.out });
  expect((await kvdb({ cwd }, "help", "set")).out).toContain("kvdb set key");
  expect(await kvdb({ cwd }, "--version")).toMatchObject({ code: 0, out: `${version}\n` });
  const unknown = await kvdb({ cwd }, "gett", "k");
  expect(unknown).toMatchObject({ code: 2, out: "" });
  expect(unknown.err).toContain('did you mean "get"?');
  expect((await kvdb({ cwd }, "serve", "--prot", "1")).err).toContain("--port");
  expect((await kvdb({ cwd }, "serve", "--cluster-enabled", "1")).code).toBe(2);
  expect((await kvdb({ cwd }, "get")).code).toBe(2);
  expect((await kvdb({ cwd }, "help", "nonesuch")).code).toBe(2);
  expect(readdirSync(cwd)).toEqual([".git"]);
});

test("K11: no colours, whatever the environment asks for", async () => {
  const cwd = await emptyFolder();
  const env = { FORCE_COLOR: "1", CLICOLOR_FORCE: "1" };
  for (const argv of [["--help"], ["help", "set"], ["gett", "k"], ["info"]]) {
    const { out, err } = await kvdb({ cwd, env }, ...argv);
    expect(out + err).not.toContain("\u001b");
  }
});

test("K11: an error reply is exit code 1 with its message on standard error", async () => {
  const cwd = await emptyFolder();
  await kvdb({ cwd }, "set", "k", "text");
  const { code, out, err } = await kvdb({ cwd }, "incr", "k");
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toBe("ERR value is not an integer or out of range\n");
});

test("K12: config check names file, line, key, and the nearest name, and opens nothing", async () => {
  const cwd = await emptyFolder({
    "kvdb.config.json": '{\n  "databses": 1,\n  "frontends": [{ "use": "resp", "port": "x" }]\n}',
  });
  const wrong = await kvdb({ cwd }, "config", "check");
  expect({ code: wrong.code, out: wrong.out }).toEqual({ code: 78, out: "" });
  const [first, second] = wrong.err.split("\n");
  expect(first).toStartWith("kvdb.config.json:2: databses: ");
  expect(first).toContain('"databases"');
  expect(second).toStartWith("kvdb.config.json:3: frontends[0].port: ");
  await Bun.write(join(cwd, "kvdb.config.json"), '{ "frontends": ["resp"] }');
  const right = await kvdb({ cwd }, "config", "check");
  expect(right).toEqual({ code: 0, out: "kvdb.config.json: ok\n", err: "" });
  expect(readdirSync(cwd).sort()).toEqual([".git", "kvdb.config.json"]);
});

test("K12: file, environment, flags: later wins", async () => {
  const cwd = await emptyFolder({ "kvdb.config.toml": 'dir = "from-file"' });
  const env = { KVDB_DIR: "from-environment" };
  await kvdb({ cwd }, "set", "k", "1");
  await kvdb({ cwd, env }, "set", "k", "2");
  await kvdb({ cwd, env }, "--dir", "from-flag", "set", "k", "3");
  expect(readdirSync(cwd).sort()).toEqual([
    ".git",
    "from-environment",
    "from-file",
    "from-flag",
    "kvdb.config.toml",
  ]);
});

test("K12: every kind of configuration file works in the executable", async () => {
  const files: Record<string, string> = {
    "kvdb.config.json": '{ "dir": "here" } // comment',
    "kvdb.config.jsonc": '{ "dir": "here", }',
    "kvdb.config.ts": 'const dir: string = "here"; export default { dir };',
    "kvdb.config.yaml": "dir: here",
    "kvdb.config.yml": "dir: here",
    "kvdb.config.toml": 'dir = "here"',
    "package.json": '{ "kvdb": { "dir": "here" } }',
  };
  for (const [name, text] of Object.entries(files)) {
    const cwd = await emptyFolder({ [name]: text, "sub/.keep": "" });
    expect(await kvdb({ cwd: join(cwd, "sub") }, "set", "k", "v")).toMatchObject({
      code: 0,
      err: "",
    });
    expect([name, existsSync(join(cwd, "here"))]).toEqual([name, true]);
  }
});

test("R14: a plugin in a .ts file adds a command, by configuration alone", async () => {
  const cwd = await emptyFolder({
    "kvdb.config.json": '{ "plugins": ["./shout.ts"] }',
    "words.ts": "export const loud = (text: string): string => text.toUpperCase();",
    "shout.ts": `import { definePlugin } from "kvdb";
import { loud } from "./words.ts";
export default definePlugin({
  name: "shout",
  apiVersion: 1,
  commands: () => [{
    name: "SHOUT", arity: 2, flags: ["readonly"], group: "plugin", since: "1.0.0",
    summary: "Says it louder.", syntax: "text",
    run: (_session, args, reply) => reply.text(loud(args.text(1))),
  }],
});`,
  });
  expect(await kvdb({ cwd }, "shout", "hello")).toEqual({ code: 0, out: '"HELLO"\n', err: "" });
  expect((await kvdb({ cwd }, "help", "shout")).out).toContain("kvdb shout text");
  expect((await kvdb({ cwd }, "shuot", "x")).err).toContain('did you mean "shout"?');
});

test("R14: a plugin that is a package, with a package of its own", async () => {
  const cwd = await emptyFolder({
    "kvdb.config.json": '{ "plugins": ["kvdb-plugin-loud"], "frontends": ["loud"] }',
    "node_modules/kvdb-plugin-loud/package.json":
      '{ "name": "kvdb-plugin-loud", "main": "index.ts" }',
    "node_modules/kvdb-plugin-loud/index.ts": `import { definePlugin } from "kvdb";
import { limit } from "inner";
export default definePlugin({ name: "loud", apiVersion: 1,
  frontend: (_options, context) => ({ async open() { context.log.info("limit " + limit); }, async close() {} }) });`,
    "node_modules/inner/package.json": '{ "name": "inner", "main": "index.js", "type": "module" }',
    "node_modules/inner/index.js": "export const limit = 42;",
  });
  expect(await kvdb({ cwd }, "config", "check")).toMatchObject({ code: 0, err: "" });
});

test("a missing plugin is exit code 78, a plugin that throws is 70, each with its name", async () => {
  const cwd = await emptyFolder({ "kvdb.config.json": '{ "plugins": ["./nowhere.ts"] }' });
  const missing = await kvdb({ cwd }, "get", "k");
  expect(missing.code).toBe(78);
  expect(missing.err).toContain('plugin "./nowhere.ts"');
  await Bun.write(join(cwd, "nowhere.ts"), 'throw new Error("not today");');
  const throwing = await kvdb({ cwd }, "get", "k");
  expect(throwing.code).toBe(70);
  expect(throwing.err).toContain('plugin "./nowhere.ts"');
  expect(throwing.err).toContain("not today");
  expect(existsSync(join(cwd, ".kvdb"))).toBe(false);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`V11: ${signal} stops a server in order, with exit code 0`, async () => {
    const cwd = await emptyFolder();
    const server = await serve({ cwd });
    const client = await Client.connect(join(cwd, "s"));
    const wanted = 1000;
    for (let i = 0; i < wanted; i++) client.send(`SET key:${i} ${i}\r\n`);
    await client.until((text) => text.includes("+OK"));
    const begunMs = performance.now();
    server.signal(signal);
    expect(await server.exited).toBe(0);
    expect(performance.now() - begunMs).toBeLessThan(10_000);
    await client.closed;
    const acknowledged = client.text.split("+OK\r\n").length - 1;
    expect(client.text).toBe("+OK\r\n".repeat(acknowledged)); // no reply was cut
    expect(existsSync(join(cwd, "s"))).toBe(false);
    const { code, out } = await kvdb({ cwd }, "dbsize"); // the folder is free again
    expect(code).toBe(0);
    expect(Number(out)).toBeGreaterThanOrEqual(acknowledged);
    expect(Number(out)).toBeLessThanOrEqual(wanted);
  });
}

test("V11: a second signal does not wait", async () => {
  const cwd = await emptyFolder({
    "kvdb.config.json": '{ "plugins": ["./slow.ts"], "frontends": ["slow"] }',
    "slow.ts": `import { definePlugin } from "kvdb";
export default definePlugin({ name: "slow", apiVersion: 1,
  frontend: () => ({ async open() {}, close: () => new Promise(() => {}) }) });`,
  });
  const child = Bun.spawn([executable], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  cleanUp.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  const log = new LogReader(child.stderr);
  await log.until("is ready");
  child.kill("SIGTERM");
  await log.until("stopping");
  await until("one that is no echo of the first", () => {
    child.kill("SIGTERM");
    return child.exitCode !== null;
  });
  expect(await child.exited).toBe(1);
});

test("a port that is taken ends the start with its exit code, and frees the folder", async () => {
  const cwd = await emptyFolder();
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  cleanUp.push(async () => taken.stop(true));
  const { code, err } = await kvdb({ cwd }, "serve", "--port", String(taken.port));
  expect(code).toBe(69);
  expect(err).toContain('plugin "resp"');
  expect((await kvdb({ cwd }, "get", "k")).code).toBe(0);
});

test("SHUTDOWN of a client stops the server in order", async () => {
  const cwd = await emptyFolder();
  const server = await serve({ cwd });
  const client = await Client.connect(join(cwd, "s"));
  client.send("SHUTDOWN\r\n");
  expect(await server.exited).toBe(0);
  await client.closed;
});
