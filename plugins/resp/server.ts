/**
 * The listening side of the resp frontend: sockets, how many clients and which, who is idle, an orderly end. All
 * connections share one decoder and one encoder: a turn handles what every socket brought, then the journal is written,
 * then the replies leave, with one write per connection.
 */
import { CommandError, type Frontend, type FrontendContext, KvdbError } from "kvdb";
import { Decoder, RespEncoder } from "kvdb/resp";
import { type Address, addressOf, isMissing } from "./addresses.ts";
import { Batch } from "./batch.ts";
import { Connection } from "./connection.ts";
import { Messages } from "./messages.ts";
import { isLoopback, type RespSettings } from "./options.ts";
import { addParameters } from "./parameters.ts";
import type { Shared, Socket } from "./shared.ts";
import { bunTls, hasWrongCertificate, requireRightFiles, type TlsSocket } from "./tls.ts";
import { WaitingSpans } from "./waiting-spans.ts";

/** How often idle and stalled clients are looked for. */
const SWEEP_INTERVAL_MS = 1000;
/** A client that has not taken a byte for so long while replies wait for it is disconnected. */
const OUTPUT_STALL_MS = 60_000;
/** A TLS handshake that takes longer is none. */
const HANDSHAKE_LIMIT_MS = 10_000;
/** Who ends only its own side (`printf … | nc`) still gets its replies, also those that wait for the disk. */
const HALF_OPEN = { allowHalfOpen: true } as const;
const NOTHING = Buffer.alloc(0);
/** How often an orderly end looks whether all replies have left. */
const CLOSING_POLL_MS = 5;

const DENIED =
  "-DENIED kvdb is running in protected mode because no password is set. In this mode connections are only " +
  "accepted from the loopback interface. Set a password (requirepass) to accept them from other computers.\r\n";

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

interface Listener {
  stop(closeConnections?: boolean): void;
  readonly port?: number;
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
  #tlsListeners: readonly Listener[] = [];
  /** Where these listen; 0: there are none. */
  #tlsPort = 0;
  /** Clients whose TLS handshake is not over, and since when. */
  readonly #shaking = new Map<BunSocket, number>();
  readonly #unsubscribe: (() => void)[] = [];
  #sweeping: { cancel(): void } | null = null;
  #open = false;

  constructor(settings: RespSettings, context: FrontendContext) {
    this.settings = settings;
    this.#context = context;
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
    if (tls["tls-port"] !== 0) requireTls(tls);
    this.#fitMaxClients();
    this.#open = true;
    // One after the other: should the second fail, the first is known to `close`.
    this.#unsubscribe.push(this.#context.onTurnEnd(() => this.#endTurn()));
    this.#unsubscribe.push(this.#context.onDurable(() => this.#release()));
    this.#unsubscribe.push(this.#context.onDiskFailure(() => this.#release()));
    // Certificates are renewed in their files.
    this.#unsubscribe.push(this.#context.onReload(() => this.applyTls()));
    if (port !== 0) for (const word of bind) this.#listenTcp(addressOf(word), port);
    this.#listenTls();
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

  #listenTcp({ hostname, isOptional }: Address, port: number): void {
    try {
      const options = { hostname, port, ipv6Only: true, ...HALF_OPEN, socket: this.#handlers() };
      this.#listeners.push(Bun.listen<Connection | null>(options));
    } catch (cause) {
      if (isOptional && isMissing(cause)) {
        this.#context.log.info(`not listening on ${hostname}: this machine has no such address`);
        return;
      }
      throw cannotListen("port", `${hostname}:${port}`, cause);
    }
    this.#context.log.info(`listening on ${hostname}:${port}`);
  }

  // ---- TLS ----

  /**
   * The files are read, and what they say holds for who connects from now on; who is connected notices nothing. Throws a
   * CommandError, and listens as before, when they are not right or the port is taken.
   */
  applyTls(): void {
    if (!this.#open) return;
    const port = this.settings.tls["tls-port"];
    if (port !== 0) requireRightFiles(this.settings.tls);
    const before = this.#tlsListeners;
    // Another port is listened on first, so that one that is taken changes nothing.
    const moves = port !== this.#tlsPort;
    if (!moves) for (const listener of before) listener.stop();
    try {
      this.#listenTls();
    } catch (error) {
      throw new CommandError("ERR", error instanceof Error ? error.message : String(error));
    }
    if (moves) for (const listener of before) listener.stop();
  }

  #listenTls(): void {
    const { tls, bind } = this.settings;
    const port = tls["tls-port"];
    const listeners: Listener[] = [];
    try {
      if (port !== 0)
        for (const word of bind) listeners.push(...this.#listenWithTls(addressOf(word), port));
    } catch (error) {
      for (const listener of listeners) listener.stop();
      throw error;
    }
    this.#tlsListeners = listeners;
    this.#tlsPort = port;
  }

  /** None where the address may be missing, and is. */
  #listenWithTls({ hostname, isOptional }: Address, port: number): Listener[] {
    const socket = { ...this.#handlers(), open: this.#awaitHandshake, handshake: this.#handshake };
    try {
      const tls = bunTls(this.settings.tls);
      const options = { hostname, port, tls, ipv6Only: true, ...HALF_OPEN, socket };
      const listener = Bun.listen<Connection | null>(options);
      this.#context.log.info(`listening on ${hostname}:${port} with TLS`);
      return [listener];
    } catch (cause) {
      if (isOptional && isMissing(cause)) return [];
      throw cannotListen("tlsPort", `${hostname}:${port}`, cause);
    }
  }

  /** Until it has proved itself a client costs a socket, and that not for long. */
  readonly #awaitHandshake = (socket: unknown): void => {
    const client = socket as BunSocket;
    client.data = null;
    if (this.#clientsAndShaking < this.settings.maxclients) {
      this.#shaking.set(client, this.#context.clock.monotonicMs());
      return;
    }
    this.#context.statistics.connectionsRejected++;
    client.terminate();
  };

  readonly #handshake = (socket: unknown, succeeded: boolean, error: Error | null): void => {
    const client = socket as BunSocket & TlsSocket;
    if (!this.#shaking.delete(client)) return;
    const isOptional = this.settings.tls["tls-auth-clients"] === "optional";
    if (succeeded && !(isOptional && hasWrongCertificate(client))) {
      this.#accept(client);
      return;
    }
    this.#context.statistics.connectionsRejected++;
    this.#context.log.debug("a TLS handshake failed", { error: error?.message ?? "" });
    client.terminate();
  };

  async #listenUnix(unix: string): Promise<void> {
    // A socket that nobody serves any more, left behind by a crash, is in the way; a served one is not touched.
    if ((await this.#context.files.exists(unix)) && !(await isServed(unix))) {
      await this.#context.files.remove(unix);
    }
    const listen = () =>
      Bun.listen<Connection | null>({ unix, ...HALF_OPEN, socket: this.#handlers() });
    const { ownerOnly } = this.settings;
    try {
      const listener = ownerOnly ? asOwnersOnly(listen) : listen();
      this.#listeners.push(listener);
      // The folder's own socket serves whoever holds the folder, and keeps no process alive by itself.
      if (ownerOnly) listener.unref();
    } catch (cause) {
      throw cannotListen("socket", unix, cause);
    }
    if (!ownerOnly) this.#context.log.info(`listening on ${unix}`);
  }

  #handlers() {
    return {
      open: (socket: unknown) => this.#accept(socket as BunSocket),
      data: (socket: unknown, chunk: Buffer) => (socket as BunSocket).data?.receive(chunk),
      drain: (socket: unknown) => (socket as BunSocket).data?.drain(),
      end: (socket: unknown) => (socket as BunSocket).data?.ended(),
      close: (socket: unknown) => {
        this.#shaking.delete(socket as BunSocket);
        (socket as BunSocket).data?.closed();
      },
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
    for (const listener of [...this.#listeners, ...this.#tlsListeners]) listener.stop();
    this.#listeners = [];
    this.#tlsListeners = [];
    for (const socket of this.#shaking.keys()) socket.terminate();
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

  get #clientsAndShaking(): number {
    return this.#connections.size + this.#shaking.size;
  }

  #accept(socket: BunSocket): void {
    socket.data = null;
    if (this.settings.ownerOnly) socket.unref();
    const remote = socket.remoteAddress;
    if (this.#clientsAndShaking >= this.settings.maxclients) {
      this.#refuse(socket, "-ERR max number of clients reached\r\n");
      return;
    }
    if (remote !== undefined && !isLoopback(remote) && !this.#context.protectedByPassword) {
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
    for (const [socket, sinceMs] of this.#shaking) {
      if (nowMs - sinceMs > HANDSHAKE_LIMIT_MS) socket.terminate();
    }
    for (const connection of this.#connections) {
      if (connection.isActive) {
        connection.isActive = false;
        connection.activeAtMs = nowMs;
      }
      const isIdle = connection.session.later === null && nowMs - connection.activeAtMs > idleMs;
      connection.closeIfOverLimit();
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

/** Mode 0600 from the first moment: changed afterwards, there would be a moment in which others can connect. */
function asOwnersOnly<Result>(make: () => Result): Result {
  const mask = process.umask(0o177);
  try {
    return make();
  } finally {
    process.umask(mask);
  }
}

function join(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

type Place = "port" | "tlsPort" | "socket";

/** Where the start can still say it as a fault of the configuration. */
function requireTls(tls: RespSettings["tls"]): void {
  try {
    requireRightFiles(tls);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new KvdbError("CONFIG", error.message, { cause: error });
  }
}

/** As people call it. */
const placeNames: Readonly<Record<Place, string>> = {
  port: "port",
  tlsPort: "port",
  socket: "socket",
};

/** What the system's words mean, and the option that mends it. */
const listenFaults: Readonly<Record<string, (place: Place) => readonly [string, option?: string]>> =
  {
    EADDRINUSE: (place) => [`the ${placeNames[place]} is taken`, options[place]],
    EACCES: (place) => [`no permission for the ${placeNames[place]}`, options[place]],
    EADDRNOTAVAIL: () => ["this machine has no such address", "--bind"],
    ENOENT: () => ["its folder does not exist"],
  };

const options: Readonly<Record<Place, string>> = {
  port: "--port",
  tlsPort: "--tls-port",
  socket: "--unixsocket",
};

function cannotListen(place: Place, where: string, cause: unknown): KvdbError {
  const { code = String(cause) } = cause as { code?: string };
  const [reason, option] = listenFaults[code]?.(place) ?? [];
  const what = reason === undefined ? code : `${reason} (${code})`;
  const remedy = option === undefined ? "" : `; choose another with ${option}`;
  return new KvdbError("UNAVAILABLE", `cannot listen on ${where}: ${what}${remedy}`, { cause });
}

async function isServed(unix: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix, socket: { data() {} } });
    socket.end();
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ECONNREFUSED";
  }
}
