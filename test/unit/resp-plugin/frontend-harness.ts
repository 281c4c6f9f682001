/**
 * The resp frontend over a real engine, with sockets that the test plays the other side of, a clock and a disk that do
 * only what the test says. A turn ends when the test ends it.
 */
import { spyOn } from "bun:test";
import type { RespSettings } from "../../../plugins/resp/options.ts";
import { RespServer } from "../../../plugins/resp/server.ts";
import { tlsSettingsOf } from "../../../plugins/resp/tls.ts";
import { frontendContext } from "../../../src/kernel/context.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { FrontendContext } from "../../../src/plugin.ts";
import { EngineHarness, type HarnessOptions } from "../../suites/engine-harness.ts";
import { freePort } from "../../suites/free-port.ts";
import { createTestHost } from "../../suites/test-host.ts";
import { FakeSocket, type SocketHandlers } from "./fake-socket.ts";

export interface FrontendOptions extends HarnessOptions {
  /** Warnings that the frontend logs. */
  readonly onWarning?: (message: string) => void;
  /** Replaces parts of what the kernel gives the frontend. */
  readonly context?: Partial<FrontendContext>;
  readonly settings?: Partial<RespSettings>;
  /** Given what could not be opened, which is to be closed all the same. */
  readonly onFailure?: (harness: FrontendHarness) => void;
}

export class FrontendHarness {
  readonly db: EngineHarness;
  readonly server: RespServer;
  readonly context: FrontendContext;
  #handlers: SocketHandlers | null = null;
  #closed = false;

  private constructor(options: FrontendOptions) {
    this.db = new EngineHarness({
      auditEvery: 0,
      background: false,
      durability: "none",
      ...options,
    });
    this.context = contextOf(this.db, options);
    this.server = new RespServer(
      {
        port: 6379,
        bind: ["127.0.0.1"],
        unixsocket: "",
        maxclients: 10_000,
        timeoutSeconds: 0,
        keepaliveSeconds: 0,
        isProtected: true,
        tls: tlsSettingsOf({}),
        ownerOnly: false,
        ...options.settings,
      },
      this.context,
    );
  }

  /** A frontend that listens, on nothing but the test. */
  static async open(options: FrontendOptions = {}): Promise<FrontendHarness> {
    const harness = new FrontendHarness(options);
    const listen = spyOn(Bun, "listen").mockImplementation(((listening: {
      socket: SocketHandlers;
    }) => {
      harness.#handlers = listening.socket;
      return { stop() {} };
    }) as unknown as typeof Bun.listen);
    try {
      await harness.server.open();
    } finally {
      listen.mockRestore();
    }
    return harness;
  }

  /** A frontend on a free port of the loopback interface. Turns end by themselves. */
  static async listen(options: FrontendOptions = {}): Promise<FrontendHarness> {
    const settings = { port: freePort(), ...options.settings };
    const harness = new FrontendHarness({ ...options, settings });
    try {
      await harness.server.open();
    } catch (error) {
      options.onFailure?.(harness);
      throw error;
    }
    return harness;
  }

  get port(): number {
    return this.server.settings.port;
  }

  /** Ends the frontend. Its clock is the test's: without a deadline in it, at once. */
  async close(deadlineMs = 0): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.server.close(deadlineMs);
  }

  /** A client connects. */
  connect(remoteAddress = "127.0.0.1"): FakeSocket {
    if (this.#handlers === null) throw new Error("the frontend does not listen");
    return new FakeSocket(this.#handlers, remoteAddress);
  }

  endTurn(): void {
    this.db.engine.endTurn();
  }

  /** What was handed to the disk becomes durable, and whoever waited for it is told. */
  async sync(): Promise<void> {
    this.db.persistence.sync();
    for (let step = 0; step < 8; step++) await Promise.resolve();
  }

  /** Bytes of input and output that the server keeps for its clients. */
  bufferedBytes(): number {
    let total = 0;
    for (const { client } of this.db.engine.sessions.values()) {
      total += client.inputBytes() + client.outputBytes();
    }
    return total;
  }

  /** Sends all of it in one turn, and answers what comes back. */
  exchange(socket: FakeSocket, request: string): string {
    socket.deliver(Buffer.from(request, "latin1"));
    this.endTurn();
    return socket.read();
  }
}

function contextOf(db: EngineHarness, options: FrontendOptions): FrontendContext {
  const warn = options.onWarning ?? (() => {});
  const log = { ...silentLog, warn, child: () => ({ ...silentLog, warn }) };
  const host = createTestHost({ engine: db.engine, clock: db.clock, log });
  const context = frontendContext(host, "resp");
  // The getters of the kernel's context must stay getters.
  return Object.create(context, Object.getOwnPropertyDescriptors(options.context ?? {}));
}
