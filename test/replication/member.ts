/**
 * A server of a test of replication, of either kind: kvdb's executable or redis-server. It keeps its port and its folder when
 * it is killed and started again, and it follows whom it is told to, also from its start.
 *
 * Whatever a test does, its process and its folder are gone at the end.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { Client, type Reply } from "../e2e/support/client.ts";
import { until, within } from "../e2e/support/poll.ts";
import { REDIS } from "../e2e/support/redis.ts";
import { cleanEnvironment } from "../e2e/support/run.ts";
import { Workspace } from "../e2e/support/workspace.ts";
import { freePort } from "../suites/free-port.ts";

export type Kind = "kvdb" | "redis";

/** What is to be there after a stop; of redis-server `aof`, `rdb` and `none`. */
export type Keeping = "wal" | "wal everysec" | "aof" | "json-snapshot" | "none" | "rdb";

export interface MemberOptions {
  readonly kind: Kind;
  readonly keeping: Keeping;
  /** For `--requirepass`; whoever connects authenticates by it. */
  readonly password?: string;
  /** More options of the start. */
  readonly args?: readonly string[];
}

/** What a server would rather wait for than a test. */
const PARAMETERS = {
  "repl-ping-replica-period": "1",
  "repl-diskless-sync-delay": "0",
};
/**
 * So that a copy is needed for no other reason than the one of the test, a replica that lags on a busy machine included: of
 * redis-server in memory, of kvdb in its log, which otherwise ends at the last checkpoint.
 */
const HISTORY = "256mb";

const KVDB_PERSISTENCE: Readonly<Partial<Record<Keeping, object>>> = {
  wal: { use: "wal", fsync: "always", keep: HISTORY },
  "wal everysec": { use: "wal", fsync: "everysec", keep: HISTORY },
  aof: { use: "aof", fsync: "always", keep: HISTORY },
  "json-snapshot": { use: "json-snapshot" },
  none: { use: "none" },
};

const REDIS_ARGS: Readonly<Partial<Record<Keeping, readonly string[]>>> = {
  aof: ["--appendonly", "yes", "--appendfsync", "always"],
  rdb: ["--save", "3600 1"],
  none: ["--save", ""],
};

export class Member implements AsyncDisposable {
  readonly kind: Kind;
  readonly keeping: Keeping;
  readonly port = freePort();
  readonly workspace: Workspace;
  readonly #args: readonly string[];
  readonly #password: string | undefined;
  #child: Bun.Subprocess | null = null;
  #control: Client | null = null;
  #followed: number | null = null;
  #starts = 0;

  private constructor(workspace: Workspace, options: MemberOptions) {
    this.workspace = workspace;
    this.kind = options.kind;
    this.keeping = options.keeping;
    this.#password = options.password;
    const password = options.password === undefined ? [] : ["--requirepass", options.password];
    this.#args = [...password, ...(options.args ?? [])];
  }

  static async start(options: MemberOptions): Promise<Member> {
    const workspace = await Workspace.create();
    const member = new Member(workspace, options);
    try {
      if (options.kind === "kvdb") {
        const persistence = KVDB_PERSISTENCE[options.keeping];
        if (persistence === undefined) throw new Error(`kvdb has no ${options.keeping}`);
        await workspace.write("kvdb.config.json", { persistence, parameters: PARAMETERS });
      }
      await member.start();
      return member;
    } catch (error) {
      await member[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Again, in the same folder and on the same port; follows whom it followed. Resolves when it answers. */
  async start(): Promise<void> {
    const output = openSync(this.#logPath(++this.#starts), "w");
    this.#child = Bun.spawn(this.#commandLine(), {
      cwd: this.workspace.folder,
      env: cleanEnvironment(this.workspace),
      stdin: "ignore",
      stdout: output,
      stderr: output,
    });
    closeSync(output);
    await until(`${this.name} answers`, async () => {
      if (this.exitCode !== null) throw new Error(`${this.name} ended: ${this.log}`);
      using client = await this.#tryConnect();
      return client !== undefined && !String(await client.ask("PING")).includes("LOADING");
    });
  }

  get name(): string {
    return `${this.kind} (${this.keeping}) on ${this.port}`;
  }

  get pid(): number {
    return this.#running().pid;
  }

  /** null while it runs. */
  get exitCode(): number | null {
    const child = this.#running();
    return child.exitCode ?? (child.signalCode === null ? null : -1);
  }

  /** What it has said since its latest start. */
  get log(): string {
    return readFileSync(this.#logPath(this.#starts), "utf8");
  }

  /** One command, on a connection that is made when it is needed. Throws the error when the reply is one. */
  async call(...command: readonly (string | number)[]): Promise<Reply> {
    return (await this.#connection()).call(...command);
  }

  /** The reply may be an error. */
  async ask(...command: readonly (string | number)[]): Promise<Reply> {
    return (await this.#connection()).ask(...command);
  }

  /** A connection of the caller's. */
  async connect(): Promise<Client> {
    const client = await Client.connect({ host: "127.0.0.1", port: this.port });
    if (this.#password !== undefined) await client.call("AUTH", this.#password);
    return client;
  }

  /** The lines of a section of INFO. */
  async info(section: string): Promise<ReadonlyMap<string, string>> {
    const text = String(await this.call("INFO", section));
    const lines = text.split("\r\n").filter((line) => line.includes(":"));
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), afterColon(line)]));
  }

  async infoNumber(section: string, field: string): Promise<number> {
    const value = (await this.info(section)).get(field);
    if (value === undefined) throw new Error(`${this.name}: INFO ${section} has no ${field}`);
    return Number(value);
  }

  /** Becomes the replica of who listens on this port. */
  async follow(port: number): Promise<void> {
    this.#followed = port;
    await this.call("REPLICAOF", "127.0.0.1", port);
  }

  /** Becomes a primary. */
  async lead(): Promise<void> {
    this.#followed = null;
    await this.call("REPLICAOF", "NO", "ONE");
  }

  /** It was told by another way (FAILOVER) whom to follow at its next start. */
  noteFollowed(port: number | null): void {
    this.#followed = port;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** In order; fails when the exit code is another than 0. */
  async stop(): Promise<void> {
    const code = await this.#end("SIGTERM");
    if (code !== 0) throw new Error(`${this.name} ended with ${code}: ${this.log}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== null && this.exitCode === null) await this.kill();
    this.#control?.close();
    await this.workspace[Symbol.asyncDispose]();
  }

  async #end(signal: NodeJS.Signals): Promise<number> {
    const child = this.#running();
    child.kill(signal);
    const code = await within(`the end of ${this.name}`, child.exited);
    this.#control?.close();
    this.#control = null;
    return code;
  }

  #running(): Bun.Subprocess {
    if (this.#child === null) throw new Error(`${this.name} was never started`);
    return this.#child;
  }

  async #connection(): Promise<Client> {
    if (this.#control === null || this.#control.socket.destroyed) {
      this.#control = await this.connect();
    }
    return this.#control;
  }

  async #tryConnect(): Promise<Client | undefined> {
    try {
      return await this.connect();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") throw error;
      return undefined;
    }
  }

  #commandLine(): string[] {
    const following =
      this.#followed === null ? [] : ["--replicaof", "127.0.0.1", String(this.#followed)];
    const shared = ["--port", String(this.port), ...this.#args, ...following];
    if (this.kind === "kvdb") return [this.workspace.executable, "serve", ...shared];
    const keeping = REDIS_ARGS[this.keeping];
    if (keeping === undefined) throw new Error(`redis-server has no ${this.keeping}`);
    return [
      ...[REDIS ?? "redis-server", "--bind", "127.0.0.1", "--dir", this.workspace.folder],
      ...["--enable-debug-command", "yes", ...keeping],
      ...["--repl-backlog-size", HISTORY],
      ...Object.entries(PARAMETERS).flatMap(([name, value]) => [`--${name}`, value]),
      ...shared,
    ];
  }

  #logPath(number: number): string {
    return `${this.workspace.root}/log-${number}`;
  }
}

function afterColon(line: string): string {
  return line.slice(line.indexOf(":") + 1);
}
