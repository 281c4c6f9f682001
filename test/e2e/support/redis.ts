/** redis-server as a process of a test: on a free port of the loopback, without files of its own but in the workspace. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../suites/free-port.ts";
import { Client } from "./client.ts";
import { until } from "./poll.ts";
import { type Outcome, run } from "./run.ts";
import type { Workspace } from "./workspace.ts";

/** Null where it is not installed. */
export const REDIS = Bun.which("redis-server");
export const REDIS_CLI = Bun.which("redis-cli");
export const REDIS_CHECK = Bun.which("redis-check-rdb");

export class Redis implements AsyncDisposable {
  readonly port: number;
  /** Its files. */
  readonly folder: string;
  readonly #child: Bun.Subprocess;
  readonly #clients: Client[] = [];

  private constructor(port: number, folder: string, child: Bun.Subprocess) {
    this.port = port;
    this.folder = folder;
    this.#child = child;
  }

  static async start(workspace: Workspace, ...args: readonly string[]): Promise<Redis> {
    const port = freePort();
    const folder = await mkdtemp(join(workspace.root, "redis-"));
    const child = Bun.spawn(
      [
        ...[REDIS ?? "redis-server", "--port", String(port), "--bind", "127.0.0.1"],
        ...["--dir", folder, "--save", "", "--enable-debug-command", "yes", ...args],
      ],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
    );
    const redis = new Redis(port, folder, child);
    try {
      await until("redis-server answers", async () => {
        if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
        const [client] = await Promise.allSettled([Client.connect({ host: "127.0.0.1", port })]);
        if (client.status === "rejected") return false;
        using connected = client.value;
        return !String(await connected.ask("PING")).includes("LOADING");
      });
    } catch (error) {
      await redis[Symbol.asyncDispose]();
      throw error;
    }
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async connect(): Promise<Client> {
    const client = await Client.connect({ host: "127.0.0.1", port: this.port });
    this.#clients.push(client);
    return client;
  }

  /** `redis-cli --pipe` with these commands. */
  pipe(workspace: Workspace, input: Uint8Array): Promise<Outcome> {
    return run(workspace, [REDIS_CLI ?? "redis-cli", "-p", String(this.port), "--pipe"], { input });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
