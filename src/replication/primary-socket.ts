/**
 * The connection to a primary, as the link needs it: what is written leaves in order, and what comes can be told to wait. Bun
 * keeps nothing that a socket does not take at once, so it is kept here; it is little, for a replica says little.
 */

import { type ClientTls, reasonOf } from "../client/socket-link.ts";
import { UnsentBytes } from "../client/unsent-bytes.ts";
import { KvdbError } from "../errors.ts";
import type { PrimaryAddress } from "./primary-address.ts";

/** Where a connection goes to and from, as CLIENT LIST shows it: `127.0.0.1:6379`. */
export interface SocketEnds {
  readonly address: string;
  readonly localAddress: string;
}

export interface PrimarySocket extends SocketEnds {
  write(bytes: Buffer): void;
  /** Nothing more is handed over until `resume`; what comes waits in the system, and then at the primary. */
  pause(): void;
  resume(): void;
  /** At once. `closed` is not told of it. */
  close(): void;
}

export interface PrimarySocketEvents {
  /** The chunk may be kept. */
  data(chunk: Buffer): void;
  /** By the other side, or by the network. */
  closed(reason: string): void;
}

/** Rejects with a KvdbError UNAVAILABLE. */
export type ConnectPrimary = (
  address: PrimaryAddress,
  tls: ClientTls | undefined,
  events: PrimarySocketEvents,
) => Promise<PrimarySocket>;

export const connectPrimary: ConnectPrimary = async ({ host, port }, tls, events) => {
  const connection = new BunSocket(events);
  try {
    const options = { hostname: host, port, socket: connection.handlers };
    await Bun.connect(tls === undefined ? options : { ...options, tls: { ...tls } });
  } catch (cause) {
    throw new KvdbError("UNAVAILABLE", reasonOf(cause as NodeJS.ErrnoException), { cause });
  }
  return connection;
};

/** Of Bun's socket, what is used here. */
interface Socket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  write(bytes: Buffer, offset: number, length: number): number;
  pause(): void;
  resume(): void;
  terminate(): void;
  setNoDelay(on: boolean): boolean;
  setKeepAlive(on: boolean, delayMs: number): boolean;
}

class BunSocket implements PrimarySocket {
  readonly handlers;
  readonly #events: PrimarySocketEvents;
  #socket: Socket | undefined;
  readonly #unsent = new UnsentBytes();
  #isClosed = false;

  constructor(events: PrimarySocketEvents) {
    this.#events = events;
    this.handlers = {
      open: (socket: Socket) => this.#opened(socket),
      data: (_socket: Socket, chunk: Buffer) => {
        if (!this.#isClosed) events.data(chunk);
      },
      drain: () => this.#unsent.drain(this.#socket),
      handshake: (_socket: Socket, succeeded: boolean, error: Error | null) => {
        if (!succeeded) this.#lost(`the TLS handshake failed: ${reasonOf(error)}`);
      },
      end: () => this.#lost("it closed the connection"),
      close: () => this.#lost("it closed the connection"),
      error: (_socket: Socket, error: NodeJS.ErrnoException) => this.#lost(reasonOf(error)),
    };
  }

  get address(): string {
    const socket = this.#socket;
    return socket === undefined ? "" : endText(socket.remoteAddress, socket.remotePort);
  }

  get localAddress(): string {
    const socket = this.#socket;
    return socket === undefined ? "" : endText(socket.localAddress, socket.localPort);
  }

  #opened(socket: Socket): void {
    this.#socket = socket;
    if (this.#isClosed) {
      socket.terminate();
      return;
    }
    socket.setNoDelay(true);
    this.#unsent.drain(this.#socket);
  }

  write(bytes: Buffer): void {
    this.#unsent.send(this.#socket, bytes);
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#unsent.forget();
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  #lost(reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.closed(reason);
  }
}

function endText(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
