// A cache's client: asks for keys in batches, and stores those that are missed, as a program with a
// database behind would. What it counts is hits; its own speed does not matter.

import type { Socket } from "bun";

const VALUE_BYTES = 100;
const CR = 13;
const MINUS = 45;
const DOLLAR = 36;
const PLUS = 43;

/** Seconds to live of what is stored under a key; 0: for ever. */
export type LifeTime = (key: number) => number;

export class CacheClient {
  private readonly socket: Socket<undefined>;
  private input = Buffer.alloc(0);
  private waiting: { count: number; hits: boolean[]; resolve(): void } | null = null;
  private failure: Error | null = null;
  private reject: (error: Error) => void = () => {};

  private constructor(socket: Socket<undefined>) {
    this.socket = socket;
  }

  static async connect(port: number): Promise<CacheClient> {
    let client: CacheClient | undefined;
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => client?.receive(chunk),
        close: () => client?.fail(new Error("the server closed the connection")),
      },
    });
    client = new CacheClient(socket);
    return client;
  }

  /** Asks for the keys, stores what is missed; answers how many were there. */
  async look(keys: readonly number[], lifeTime: LifeTime): Promise<number> {
    const hits = await this.send(keys.map((key) => ["GET", nameOf(key)]));
    const missed = keys.filter((_, index) => !hits[index]);
    const stores = missed.map((key) => {
      const seconds = lifeTime(key);
      const store = ["SET", nameOf(key), "x".repeat(VALUE_BYTES)];
      return seconds === 0 ? store : [...store, "EX", String(seconds)];
    });
    if (stores.length > 0) await this.send(stores);
    return keys.length - missed.length;
  }

  close(): void {
    this.waiting = null;
    this.socket.end();
  }

  /** Whether each command was answered by anything but null. */
  private send(commands: readonly (readonly string[])[]): Promise<boolean[]> {
    const text = commands
      .map((words) => `*${words.length}\r\n${words.map(bulk).join("")}`)
      .join("");
    return new Promise((resolve, reject) => {
      if (this.failure !== null) throw this.failure;
      const hits: boolean[] = [];
      this.reject = reject;
      this.waiting = { count: commands.length, hits, resolve: () => resolve(hits) };
      // A batch fits into the socket's buffer.
      const bytes = Buffer.from(text);
      if (this.socket.write(bytes) < bytes.length) this.fail(new Error("a batch is too long"));
    });
  }

  private fail(error: Error): void {
    if (this.waiting === null) return;
    this.failure = error;
    this.reject(error);
  }

  private receive(chunk: Buffer): void {
    this.input = Buffer.concat([this.input, chunk]);
    let at = 0;
    for (let next = this.reply(at); next > 0; next = this.reply(at)) at = next;
    this.input = this.input.subarray(at);
    const { waiting } = this;
    if (waiting === null || waiting.hits.length < waiting.count) return;
    this.waiting = null;
    waiting.resolve();
  }

  /** Reads the reply at `at`; answers where the next begins, 0: it is not whole. */
  private reply(at: number): number {
    const end = this.input.indexOf(CR, at);
    if (end < 0) return 0;
    const type = this.input[at];
    if (type === PLUS) {
      this.waiting?.hits.push(true);
      return end + 2 <= this.input.length ? end + 2 : 0;
    }
    if (type !== DOLLAR) {
      this.fail(new Error(`the server answered ${this.input.toString("latin1", at, end)}`));
      return 0;
    }
    const isHit = this.input[at + 1] !== MINUS;
    const next = isHit ? end + 2 + Number(this.input.toString("latin1", at + 1, end)) + 2 : end + 2;
    if (next > this.input.length) return 0;
    this.waiting?.hits.push(isHit);
    return next;
  }
}

function nameOf(key: number): string {
  return `key:${String(key).padStart(12, "0")}`;
}

function bulk(word: string): string {
  return `$${word.length}\r\n${word}\r\n`;
}
