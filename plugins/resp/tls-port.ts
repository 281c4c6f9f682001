/**
 * The port with TLS: its listeners, and clients whose handshake is not over. Files and port may change while it listens; who is
 * connected notices nothing of it (tls.ts says why that works).
 */
import { CommandError, type FrontendContext, KvdbError } from "kvdb";
import { addressOf } from "./addresses.ts";
import { type Listener, listenAt, type SocketHandlers } from "./listening.ts";
import type { RespSettings } from "./options.ts";
import type { Socket } from "./shared.ts";
import { bunTls, hasWrongCertificate, requireRightFiles, type TlsSocket } from "./tls.ts";

/** A TLS handshake that takes longer is none. */
const HANDSHAKE_LIMIT_MS = 10_000;

export interface TlsPortParts {
  readonly settings: RespSettings;
  readonly context: FrontendContext;
  /** Of a client that has been let in, and what ends one that has not. */
  readonly handlers: SocketHandlers;
  /** There is room for no further client. */
  isFull(): boolean;
  accept(socket: unknown): void;
}

export class TlsPort {
  readonly #parts: TlsPortParts;
  #listeners: readonly Listener[] = [];
  /** Where these listen; 0: there are none. */
  #port = 0;
  #isOpen = false;
  /** Clients whose handshake is not over, and since when. */
  readonly #shaking = new Map<Socket, number>();

  constructor(parts: TlsPortParts) {
    this.#parts = parts;
  }

  /** Clients whose handshake is not over. */
  get shakingCount(): number {
    return this.#shaking.size;
  }

  // ---- listening ----

  /** Throws a KvdbError CONFIG for files that are not right, before anything listens. */
  requireRightSettings(): void {
    const { tls } = this.#parts.settings;
    try {
      if (tls["tls-port"] !== 0) requireRightFiles(tls);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new KvdbError("CONFIG", error.message, { cause: error });
    }
  }

  open(): void {
    this.#isOpen = true;
    this.#listen();
  }

  /**
   * The files are read, and what they say holds for who connects from now on; who is connected notices nothing. Throws a
   * CommandError, and listens as before, when they are not right or the port is taken.
   */
  apply(): void {
    if (!this.#isOpen) return;
    const { tls } = this.#parts.settings;
    const port = tls["tls-port"];
    if (port !== 0) requireRightFiles(tls);
    const before = this.#listeners;
    // Another port is listened on first, so that one that is taken changes nothing.
    const moves = port !== this.#port;
    if (!moves) for (const listener of before) listener.stop();
    try {
      this.#listen();
    } catch (error) {
      throw new CommandError("ERR", error instanceof Error ? error.message : String(error));
    }
    if (moves) for (const listener of before) listener.stop();
  }

  #listen(): void {
    const { settings, context, handlers } = this.#parts;
    const port = settings.tls["tls-port"];
    const listeners: Listener[] = [];
    const socket = { ...handlers, open: this.#begin, handshake: this.#end, close: this.#close };
    try {
      for (const word of port === 0 ? [] : settings.bind) {
        const [address, tls] = [addressOf(word), bunTls(settings.tls)];
        listeners.push(...listenAt({ address, port, socket, tls, log: context.log }));
      }
    } catch (error) {
      for (const listener of listeners) listener.stop();
      throw error;
    }
    this.#listeners = listeners;
    this.#port = port;
  }

  close(): void {
    this.#isOpen = false;
    for (const listener of this.#listeners) listener.stop();
    this.#listeners = [];
    for (const socket of this.#shaking.keys()) socket.terminate();
  }

  // ---- handshakes ----

  /** Until it has proved itself a client costs a socket, and that not for long. */
  readonly #begin = (opened: unknown): void => {
    const socket = opened as Socket;
    if (!this.#parts.isFull()) {
      this.#shaking.set(socket, this.#parts.context.clock.monotonicMs());
      return;
    }
    this.#refuse(socket);
  };

  readonly #end = (shaken: unknown, succeeded: boolean, error: Error | null): void => {
    const socket = shaken as Socket & TlsSocket;
    if (!this.#shaking.delete(socket)) return;
    const { settings, context, accept } = this.#parts;
    const isOptional = settings.tls["tls-auth-clients"] === "optional";
    if (succeeded && !(isOptional && hasWrongCertificate(socket))) {
      accept(socket);
      return;
    }
    context.log.debug("a TLS handshake failed", { error: error?.message ?? "" });
    this.#refuse(socket);
  };

  #refuse(socket: Socket): void {
    this.#parts.context.statistics.connectionsRejected++;
    socket.terminate();
  }

  readonly #close = (socket: unknown): void => {
    this.#shaking.delete(socket as Socket);
    this.#parts.handlers.close(socket);
  };

  /** Once a second. */
  sweep(nowMs: number): void {
    for (const [socket, sinceMs] of this.#shaking) {
      if (nowMs - sinceMs > HANDSHAKE_LIMIT_MS) socket.terminate();
    }
  }
}
