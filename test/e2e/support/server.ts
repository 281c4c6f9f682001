/**
 * `kvdb serve` as a process: started on a free port, ready when it answers PING, stopped by its process. Whatever a test
 * does, its process and its connections are gone at the end.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../suites/free-port.ts";
import { Client, ReplyError } from "./client.ts";
import { until, within } from "./poll.ts";
import { cleanEnvironment } from "./run.ts";
import type { Workspace } from "./workspace.ts";

export { freePort };

/** EX_UNAVAILABLE: somebody took the port between our look and the start. */
const PORT_TAKEN = 69;
const ATTEMPTS = 3;

export interface ServerOptions {
  /** Options of `serve`, behind `--port`. */
  readonly args?: readonly string[];
  /** kvdb's own flags, before `serve`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** For `--requirepass`; whoever connects authenticates by it. */
  readonly password?: string;
  /** What runs the executable: `["strace", "-f"]`. */
  readonly through?: readonly string[];
  /** A port of one's own instead of a free one; `default`: without `--port`. */
  readonly port?: number | "default";
  /** No word at all: the frontends are those of the configuration, whose resp listens on `port`. */
  readonly fromConfig?: boolean;
  /** False: resolves as soon as the process runs. */
  readonly awaitReady?: boolean;
}

type Child = Bun.Subprocess<"ignore", number, number>;

interface Place {
  readonly workspace: Workspace;
  readonly port: number;
  readonly logPath: string;
  readonly password: string | undefined;
}

export class Server implements AsyncDisposable {
  readonly port: number;
  readonly workspace: Workspace;
  readonly #child: Child;
  readonly #logPath: string;
  readonly #password: string | undefined;
  readonly #clients = new Set<Client>();

  private constructor(child: Child, place: Place) {
    this.workspace = place.workspace;
    this.port = place.port;
    this.#child = child;
    this.#logPath = place.logPath;
    this.#password = place.password;
  }

  static async start(workspace: Workspace, options: ServerOptions = {}): Promise<Server> {
    for (let attempt = 1; ; attempt++) {
      const server = Server.#spawn(workspace, options);
      if (options.awaitReady === false) return server;
      try {
        await server.ready();
        return server;
      } catch (error) {
        await server[Symbol.asyncDispose]();
        const mayRetry = options.port === undefined && attempt < ATTEMPTS;
        if (!mayRetry || server.exitCode !== PORT_TAKEN) throw error;
      }
    }
  }

  static #spawn(workspace: Workspace, options: ServerOptions): Server {
    const port = options.port === "default" ? 6379 : (options.port ?? freePort());
    const logPath = join(workspace.root, `server-${++started}.log`);
    const output = openSync(logPath, "w");
    const command = [
      ...(options.through ?? []),
      ...[workspace.executable, ...(options.flags ?? [])],
      ...(options.fromConfig ? [] : ["serve"]),
      ...(options.fromConfig || options.port === "default" ? [] : ["--port", String(port)]),
      ...(options.password === undefined ? [] : ["--requirepass", options.password]),
      ...(options.args ?? []),
    ];
    try {
      const child = Bun.spawn(command, {
        cwd: workspace.folder,
        env: { ...cleanEnvironment(workspace), ...options.env },
        stdin: "ignore",
        stdout: output,
        stderr: output,
      });
      return new Server(child, { workspace, port, logPath, password: options.password });
    } finally {
      closeSync(output);
    }
  }

  /** Of the process that was started: of `through`, where there is one. */
  get pid(): number {
    return this.#child.pid;
  }

  /** null while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode ?? (this.#child.signalCode === null ? null : -1);
  }

  /** What it has written to standard output and error so far. */
  get log(): string {
    return readFileSync(this.#logPath, "utf8");
  }

  /** Resolves when commands are answered with anything but LOADING. */
  async ready(): Promise<void> {
    await until("the server is ready", async () => {
      if (this.exitCode !== null) {
        throw new Error(`the server ended with ${this.#child.exitCode}: ${this.log}`);
      }
      using client = await this.#tryConnect();
      if (client === undefined) return false;
      if (this.#password !== undefined) await client.call("AUTH", this.#password);
      const reply = await client.ask("PING");
      return !(reply instanceof ReplyError && reply.code === "LOADING");
    });
  }

  async #tryConnect(): Promise<Client | undefined> {
    try {
      return await Client.connect({ host: "127.0.0.1", port: this.port });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") throw error;
      return undefined;
    }
  }

  /** A connection that is closed with the server at the latest. */
  async connect(): Promise<Client> {
    const client = await Client.connect({ host: "127.0.0.1", port: this.port });
    this.#clients.add(client);
    if (this.#password !== undefined) await client.call("AUTH", this.#password);
    return client;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves to the exit code when the process has ended. */
  ended(limitMs?: number): Promise<number> {
    return within("the end of the server", this.#child.exited, limitMs);
  }

  /** An orderly stop; resolves to the exit code. */
  stop(): Promise<number> {
    this.signal("SIGTERM");
    return this.ended();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    if (this.exitCode === null) await this.kill();
  }
}

let started = 0;

/** A line of INFO as a number. */
export async function infoNumber(client: Client, field: string): Promise<number> {
  const text = String(await client.call("INFO", "everything"));
  const line = new RegExp(`^${field}:(.*)$`, "m").exec(text);
  if (line === null) throw new Error(`INFO has no field ${field}`);
  return Number(line[1]);
}
