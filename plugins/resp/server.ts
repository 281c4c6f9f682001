/**
 * The listening side of the resp frontend: sockets, how many clients and which, who is idle, an orderly end. All
 * connections share one decoder and one encoder: a turn handles what every socket brought, then the journal is written,
 * then the replies leave, with one write per connection.
 */
import { type Frontend, type FrontendContext, KvdbError } from "kvdb";
import { Decoder, RespEncoder } from "kvdb/resp";
import { addressOf } from "./addresses.ts";
import { Batch } from "./batch.ts";
import { Connection } from "./connection.ts";
import {
  isServed,
  type Listener,
  listenAt,
  listenAtPath,
  type SocketHandlers,
} from "./listening.ts";
import { Messages } from "./messages.ts";
import { isLoopback, type RespSettings } from "./options.ts";
import { addParameters } from "./parameters.ts";
import type { Shared, Socket } from "./shared.ts";
import { TlsPort } from "./tls-port.ts";
import { WaitingSpans } from "./waiting-spans.ts";

/** How often idle and stalled clients are looked for. */
const SWEEP_INTERVAL_MS = 1000;
/** A client that has not taken a byte for so long while replies wait for it is disconnected. */
const OUTPUT_STALL_MS = 60_000;
const NOTHING = Buffer.alloc(0);
/** How often an orderly end looks whether all replies have left. */
const CLOSING_POLL_MS = 5;

const DENIED =
  "-DENIED kvdb is running in protected mode because no password is set. In this mode connections are only " +
  "accepted from the loopback interface. Set a password (requirepass) to accept them from other computers, or " +
  "--protected-mode no, where nobody but yours can reach it.\r\n";

interface BunSocket extends Socket {
  data: Connection | null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  setNoDelay(on: boolean): boolean;
  setKeepAlive(on: boolean, initialDelayMs: number): boolean;
  unref(): void;
}

export class RespServer implements Frontend {
  readonly settings: RespSettings;
  readonly #context: FrontendContext;
  readonly #shared: Shared;
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Set<Connection>();
  /** Of the waiting: those that can perhaps go on once the replies of this turn have left. */
  #afterTurn: Connection[] = [];
  /** Those whose input was too much for a turn, in the order in which they go on. */
  #nextTurn: Connection[] = [];
  /** Some of the waiting wait for writes to be accepted. */
  #writersWait = false;
  /** Who spoke in this turn, and the stretch of the encoder's output that is theirs; the arrays keep their length. */
  readonly #speakers: Connection[] = [];
  readonly #buffers: Buffer[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #spoke = 0;
  #listeners: Listener[] = [];
  readonly #tlsPort: TlsPort;
  readonly #unsubscribe: (() => void)[] = [];
  #sweeping: { cancel(): void } | null = null;
  #open = false;

  constructor(settings: RespSettings, context: FrontendContext) {
    this.settings = settings;
    this.#context = context;
    this.#tlsPort = new TlsPort({
      settings,
      context,
      handlers: this.#handlers(),
      isFull: () => this.#isFull,
      accept: (socket) => this.#accept(socket as BunSocket),
    });
    // The folder's own socket is no setting of anybody: CONFIG and INFO speak of the server.
    if (!settings.ownerOnly) addParameters(this, context);
    this.#shared = {
      context,
      batch: new Batch(),
      decoder: new Decoder(),
      encoder: new RespEncoder(),
      spans: new WaitingSpans(),
      messages: new Messages(),
      held: 0,
      speak: (connection, buffer, start, end) => this.#speak(connection, buffer, start, end),
      prolong: (stretch, buffer, start, end) => this.#prolong(stretch, buffer, start, end),
      wait: (connection) => this.#waiting.add(connection),
      releaseAfterTurn: (connection) => this.#afterTurn.push(connection),
      goOnNextTurn: (connection) => this.#goOnNextTurn(connection),
      awaitWrites: () => {
        this.#writersWait = true;
      },
      closed: (connection) => this.#closed(connection),
    };
  }

  // ---- life ----

  async open(): Promise<void> {
    const { port, bind, unixsocket, tls } = this.settings;
    if (port === 0 && unixsocket === "" && tls["tls-port"] === 0) {
      const text = "port and tls-port are 0 and there is no unixsocket: nothing to listen on";
      throw new KvdbError("CONFIG", text);
    }
    this.#tlsPort.requireRightSettings();
    this.#fitMaxClients();
    this.#open = true;
    // One after the other: should the second fail, the first is known to `close`.
    this.#unsubscribe.push(this.#context.onTurnEnd(() => this.#endTurn()));
    this.#unsubscribe.push(this.#context.onDurable(() => this.#release()));
    this.#unsubscribe.push(this.#context.onDiskFailure(() => this.#release()));
    // Certificates are renewed in their files.
    this.#unsubscribe.push(this.#context.onReload(() => this.applyTls()));
    const { log } = this.#context;
    const socket = this.#handlers();
    for (const word of port === 0 ? [] : bind) {
      this.#listeners.push(...listenAt({ address: addressOf(word), port, socket, log }));
    }
    this.#tlsPort.open();
    if (unixsocket !== "") await this.#listenUnix(unixsocket);
    this.#sweepLater();
  }

  /** The system may allow fewer: better to refuse a client in words than to leave it waiting. */
  #fitMaxClients(): void {
    const { maxclients } = this.settings;
    const { maxConnections } = this.#context;
    if (maxclients <= maxConnections || this.settings.ownerOnly) return;
    this.settings.maxclients = Math.max(1, maxConnections);
    this.#context.log.warn("maxclients is lowered: the system allows no more open files", {
      asked: maxclients,
      maxclients: this.settings.maxclients,
      remedy: "raise `ulimit -n`",
    });
  }

  async #listenUnix(unix: string): Promise<void> {
    // A socket that nobody serves any more, left behind by a crash, is in the way; a served one is not touched.
    if ((await this.#context.files.exists(unix)) && !(await isServed(unix))) {
      await this.#context.files.remove(unix);
    }
    const { ownerOnly } = this.settings;
    const listener = listenAtPath(unix, this.#handlers(), { ownerOnly });
    this.#listeners.push(listener);
    // The folder's own socket serves whoever holds the folder, and keeps no process alive by itself.
    if (ownerOnly) listener.unref();
    if (!ownerOnly) this.#context.log.info(`listening on ${unix}`);
  }

  /** See TlsPort.apply. */
  applyTls(): void {
    this.#tlsPort.apply();
  }

  #handlers(): SocketHandlers {
    return {
      open: (socket: unknown) => this.#accept(socket as BunSocket),
      data: (socket: unknown, chunk: Buffer) => (socket as BunSocket).data?.receive(chunk),
      drain: (socket: unknown) => (socket as BunSocket).data?.drain(),
      end: (socket: unknown) => (socket as BunSocket).data?.ended(),
      close: (socket: unknown) => (socket as BunSocket).data?.closed(),
      error: (socket: unknown, error: NodeJS.ErrnoException) => {
        // Bun hands over what the handlers above threw as well, which would be a defect: it costs this connection alone.
        const { log } = this.#context;
        if (error.errno !== undefined) log.debug("a connection failed", { error: error.message });
        else log.error("a connection ended by a defect", { error: error.stack ?? error.message });
        (socket as BunSocket).terminate();
      },
    };
  }

  async close(deadlineMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.stop();
    this.#listeners = [];
    this.#tlsPort.close();
    this.#sweeping?.cancel();
    for (const connection of this.#connections) connection.close("afterReplies");
    const end = this.#context.clock.monotonicMs() + deadlineMs;
    while (this.#connections.size > 0 && this.#context.clock.monotonicMs() < end) {
      await new Promise<void>((resolve) => this.#context.clock.after(CLOSING_POLL_MS, resolve));
    }
    for (const connection of this.#connections) connection.close("now");
    this.#open = false;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  // ---- clients ----

  get clientCount(): number {
    return this.#connections.size;
  }

  get #isFull(): boolean {
    const count = this.#connections.size + this.#tlsPort.shakingCount;
    return count >= this.settings.maxclients;
  }

  #accept(socket: BunSocket): void {
    socket.data = null;
    if (this.settings.ownerOnly) socket.unref();
    const remote = socket.remoteAddress;
    if (this.#isFull) {
      this.#refuse(socket, "-ERR max number of clients reached\r\n");
      return;
    }
    const isStranger = remote !== undefined && !isLoopback(remote);
    if (isStranger && this.settings.isProtected && !this.#context.protectedByPassword) {
      this.#refuse(socket, DENIED);
      return;
    }
    const isTcp = remote !== undefined;
    if (isTcp) {
      socket.setNoDelay(true);
      const seconds = this.settings.keepaliveSeconds;
      if (seconds > 0) socket.setKeepAlive(true, seconds * 1000);
    }
    socket.data = new Connection(this.#shared, socket, {
      address: isTcp ? join(remote, socket.remotePort) : `${this.settings.unixsocket}:0`,
      localAddress: isTcp
        ? join(socket.localAddress, socket.localPort)
        : `${this.settings.unixsocket}:0`,
      trusted: this.settings.ownerOnly,
    });
    this.#connections.add(socket.data);
  }

  #refuse(socket: BunSocket, reason: string): void {
    this.#context.statistics.connectionsRejected++;
    const bytes = Buffer.from(reason);
    socket.write(bytes, 0, bytes.length);
    socket.end();
  }

  #closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#waiting.delete(connection);
  }

  // ---- turns ----

  #speak(connection: Connection, buffer: Buffer, start: number, end: number): number {
    const index = this.#spoke++;
    this.#speakers[index] = connection;
    this.#buffers[index] = buffer;
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#context.endTurnSoon();
    return index;
  }

  #prolong(stretch: number, buffer: Buffer, start: number, end: number): boolean {
    if (this.#buffers[stretch] !== buffer || this.#ends[stretch] !== start) return false;
    this.#ends[stretch] = end;
    return true;
  }

  #endTurn(): void {
    const spoke = this.#spoke;
    this.#spoke = 0;
    for (let i = 0; i < spoke; i++) {
      const connection = this.#speakers[i] as Connection;
      const buffer = this.#buffers[i] as Buffer;
      this.#buffers[i] = NOTHING; // else a huge reply would stay until another turn has as many speakers
      connection.send(buffer, this.#starts[i] as number, this.#ends[i] as number);
    }
    if (this.#spoke === 0 && this.#shared.held === 0) {
      this.#shared.encoder.reset();
      this.#shared.messages.reset();
    }
    if (this.#afterTurn.length > 0) this.#releaseAfterTurn();
    if (this.#writersWait && this.#context.acceptsWrites) {
      this.#writersWait = false;
      this.#release();
    }
    if (this.#nextTurn.length > 0) this.#goOn();
  }

  #goOnNextTurn(connection: Connection): void {
    this.#nextTurn.push(connection);
    this.#context.endTurnSoon();
  }

  /** Who has waited longest goes on first; who fills the turn again goes on last. */
  #goOn(): void {
    const waited = this.#nextTurn;
    this.#nextTurn = [];
    let at = 0;
    while (at < waited.length && !this.#context.turnIsFull) (waited[at++] as Connection).goOn();
    if (at === waited.length) return;
    this.#nextTurn = [...waited.slice(at), ...this.#nextTurn];
    this.#context.endTurnSoon();
  }

  #releaseAfterTurn(): void {
    const durable = this.#context.durableRevision;
    for (const connection of this.#afterTurn.splice(0)) {
      if (connection.release(durable)) this.#waiting.delete(connection);
    }
  }

  /** More is durable, or nothing will be: replies that waited leave, and connections that were paused may go on. */
  #release(): void {
    const durable = this.#context.durableRevision;
    for (const connection of this.#waiting) {
      if (connection.release(durable)) this.#waiting.delete(connection);
    }
  }

  // ---- the idle and the stalled ----

  #sweepLater(): void {
    this.#sweeping = this.#context.clock.after(SWEEP_INTERVAL_MS, () => {
      if (!this.#open) return;
      this.#sweep();
      this.#sweepLater();
    });
  }

  #sweep(): void {
    const idleMs = this.settings.timeoutSeconds * 1000;
    const nowMs = this.#context.clock.monotonicMs();
    this.#tlsPort.sweep(nowMs);
    for (const connection of this.#connections) {
      if (connection.isActive) {
        connection.isActive = false;
        connection.activeAtMs = nowMs;
      }
      connection.closeIfOverLimit();
      // It may be busy with all the data for a while; who feeds it knows how long to wait for it.
      if (connection.session.isReplica) continue;
      const isIdle = connection.session.later === null && nowMs - connection.activeAtMs > idleMs;
      if (idleMs > 0 && isIdle) connection.close("now");
      else if (connection.stalledSince > 0 && nowMs - connection.stalledSince > OUTPUT_STALL_MS) {
        this.#context.log.warn("a client does not read its replies: disconnected", {
          address: connection.address,
        });
        connection.close("now");
      }
    }
  }
}

function join(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
