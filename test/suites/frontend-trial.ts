/**
 * One test of a frontend: the instances, clients and sockets it uses, all gone at its end, and the
 * waiting for what must happen. Nothing waits a time of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Frontend } from "../../src/plugin.ts";
import { freePort } from "./free-port.ts";
import type { Address, FrontendAnswer, FrontendCase, FrontendClient } from "./frontend-case.ts";
import { FrontendHost, type HostOptions } from "./frontend-host.ts";

/** Until what must happen has happened; far more than it takes on a machine under heavy load. */
const PATIENCE_MS = 10_000;
const POLL_MS = 5;

export const MIB = 1024 * 1024;

export interface Running {
  readonly host: FrontendHost;
  readonly frontend: Frontend;
  readonly address: Address;
}

/** A socket without a protocol. It reads nothing until `resume`. */
export interface RawSocket {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  receivedBytes(): number;
}

export interface LazyClient extends RawSocket {
  /** Commands that had run before he came. */
  readonly countBefore: number;
  readonly valueBytes: number;
  /** Of the values he asked for. */
  readonly allBytes: number;
}

export class Trial implements AsyncDisposable {
  readonly #subject: FrontendCase;
  readonly #endings: (() => unknown)[] = [];
  readonly #open = new Set<Frontend>();
  #folder: string | undefined;
  #addressCount = 0;

  constructor(subject: FrontendCase) {
    this.#subject = subject;
  }

  get patienceMs(): number {
    return this.#subject.patienceMs ?? PATIENCE_MS;
  }

  // ---- instances ----

  /** A host and an instance that is open. */
  async start(options: HostOptions = {}): Promise<Running> {
    return this.open(new FrontendHost(options), await this.newAddress());
  }

  async open(host: FrontendHost, address: Address): Promise<Running> {
    const frontend = this.make(host, address);
    this.#open.add(frontend);
    await this.within("opening", frontend.open());
    return { host, frontend, address };
  }

  /** An instance that is not opened. */
  make(host: FrontendHost, address: Address): Frontend {
    return this.#subject.make(host.context, address);
  }

  /** Once: what is still open at the end is closed then. */
  async close({ frontend }: Pick<Running, "frontend">, deadlineMs: number): Promise<void> {
    this.#open.delete(frontend);
    await this.within("closing", frontend.close(deadlineMs));
  }

  /** Where nobody listens. */
  async newAddress(): Promise<Address> {
    if (this.#subject.listensOn === "tcp") return { on: "tcp", port: freePort() };
    this.#folder ??= await mkdtemp(join(tmpdir(), "kvdb-suite-"));
    return { on: "unix", path: join(this.#folder, `${++this.#addressCount}.sock`) };
  }

  /** Somebody else listens there until the function is called. */
  occupy(address: Address): () => void {
    const listener = listen(address);
    const free = () => listener.stop(true);
    this.atEnd(free);
    return free;
  }

  /** Resolves when the address can be taken. */
  async expectFree(address: Address): Promise<void> {
    await this.until("the address is free", () => isFree(address));
  }

  // ---- clients ----

  async connect({ address }: Pick<Running, "address">, password?: string): Promise<FrontendClient> {
    const client = await this.within("connecting", this.#subject.connect(address, password));
    this.atEnd(() => client.close());
    return client;
  }

  /**
   * Somebody who asks for more than any buffer on the way can take, and reads nothing: many answers,
   * or a large one. Resolves when the first is on its way.
   */
  async askLazily({ host, address }: Running, writer: FrontendClient): Promise<LazyClient> {
    const { getRequest, supports } = this.#subject;
    const [count, valueBytes] = supports.pipelining ? [100, MIB] : [1, 32 * MIB];
    await this.within("writing", writer.set("large", "x".repeat(valueBytes)));
    const countBefore = host.commandCount;
    const raw = await this.rawSocket(address);
    const request = Buffer.from(getRequest("large", address));
    raw.socket.write(Buffer.concat(new Array<Buffer>(count).fill(request)));
    await this.until("some is answered", () => host.commandCount > countBefore);
    return { ...raw, countBefore, valueBytes, allBytes: count * valueBytes };
  }

  /** He reads, and gets everything he asked for; however long it takes, as long as something comes. */
  async readAll(lazy: LazyClient): Promise<void> {
    lazy.socket.resume();
    while (lazy.receivedBytes() < lazy.allBytes) {
      const before = lazy.receivedBytes();
      await this.until("more arrives", () => lazy.receivedBytes() > before);
    }
  }

  /** A client that has sent the first half of a request. */
  async askHalf({ address }: Running, key: string): Promise<RawSocket> {
    const raw = await this.rawSocket(address);
    const request = Buffer.from(this.#subject.getRequest(key, address));
    raw.socket.write(request.subarray(0, request.length / 2));
    return raw;
  }

  async rawSocket(address: Address): Promise<RawSocket> {
    const socket = connect(connectOptions(address));
    this.atEnd(() => socket.destroy());
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    await this.within("connecting", new Promise((resolve) => socket.once("connect", resolve)));
    // Whoever is sent home may find the connection reset: that is an end like another.
    socket.on("error", () => socket.destroy());
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    socket.pause();
    return { socket, closed, receivedBytes: () => received };
  }

  // ---- waiting ----

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + this.patienceMs;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`not within ${this.patienceMs} ms: ${what}`);
      await Bun.sleep(POLL_MS);
    }
  }

  async within<Value>(what: string, promise: Promise<Value>): Promise<Value> {
    let timer: Timer | undefined;
    const limit = new Promise<never>((_, reject) => {
      const late = () => reject(new Error(`not within ${this.patienceMs} ms: ${what}`));
      timer = setTimeout(late, this.patienceMs);
    });
    try {
      return await Promise.race([promise, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What became of an answer by the time it is looked at. */
  watch(answer: Promise<FrontendAnswer>): { state(): "pending" | "lost" | FrontendAnswer } {
    let state: "pending" | "lost" | FrontendAnswer = "pending";
    answer.then(
      (value) => {
        state = value;
      },
      () => {
        state = "lost";
      },
    );
    return { state: () => state };
  }

  // ---- the end ----

  /** Called at the end, in reverse. */
  atEnd(run: () => unknown): void {
    this.#endings.push(run);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const endings = [...this.#open].map((frontend) => () => frontend.close(0));
    const errors: unknown[] = [];
    for (const run of [...this.#endings.reverse(), ...endings]) {
      try {
        await this.within("the end of the test", Promise.resolve(run()));
      } catch (error) {
        errors.push(error);
      }
    }
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    if (errors.length > 0) throw new AggregateError(errors, "what the test used did not close");
  }
}

function connectOptions(address: Address): NetConnectOpts {
  return address.on === "unix" ? { path: address.path } : { host: "127.0.0.1", port: address.port };
}

function listen(address: Address): { stop(closeConnections: boolean): void } {
  const socket = { data() {} };
  return address.on === "unix"
    ? Bun.listen({ unix: address.path, socket })
    : Bun.listen({ hostname: "127.0.0.1", port: address.port, socket });
}

async function isFree(address: Address): Promise<boolean> {
  const socket = connect(connectOptions(address));
  return new Promise((resolve) => {
    socket.once("error", () => resolve(true));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}
