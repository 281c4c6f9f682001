/**
 * A link through a socket: to the process that holds a data folder (`kvdb.sock`), or to a server, kvdb
 * or Redis, far away. One connection; calls are pipelined. It does not reconnect by itself: who calls
 * knows whether a command may run twice.
 */
import { KvdbError } from "../errors.ts";
import type { Answer } from "../resp/answer.ts";
import { ReplyDecoder } from "../resp/reply-decoder.ts";
import { Confirmations } from "./confirmations.ts";
import type { Link, LinkMessages, Part } from "./link.ts";
import { UnsentBytes } from "./unsent-bytes.ts";

/** Where a server listens. */
export type SocketAddress =
  | { readonly unix: string }
  | { readonly hostname: string; readonly port: number; readonly tls: false | ClientTls };

/** A connection through TLS. Whom the server's certificate must come from, and what it is shown. */
export interface ClientTls {
  /** Authorities that are trusted, a PEM file; default: those of the system. */
  readonly caFile?: string;
  /** The client's own certificate and its key. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Of the key, if it is encrypted. */
  readonly passphrase?: string;
  /** False: the server may be anybody. */
  readonly rejectUnauthorized: boolean;
}

export interface Credentials {
  /** Undefined: the default user. */
  readonly user?: string | undefined;
  /** Undefined: none is given. */
  readonly password?: string | undefined;
}

/** Of Bun's socket, what is used here. */
interface Socket {
  write(bytes: Buffer, offset: number, length: number): number;
  end(): void;
}

interface Waiting {
  /** How many confirmations it waits for, instead of an answer. */
  confirmations: number;
  resolve(answer: Answer): void;
  reject(error: KvdbError): void;
}

export class SocketLink implements Link {
  /** How messages name the other side. */
  readonly peer: string;
  /** What HELLO told of the server; empty for one that does not know HELLO. */
  greeting: ReadonlyMap<string, Answer> = new Map();
  readonly #decoder = new ReplyDecoder();
  readonly #waiting: Waiting[] = [];
  /** Bytes that the socket did not take yet. */
  readonly #unsent = new UnsentBytes();
  #socket: Socket | undefined;
  #failure: KvdbError | undefined;
  readonly #messages: LinkMessages;
  readonly #confirmations = new Confirmations();

  private constructor(peer: string, messages: LinkMessages) {
    this.peer = peer;
    this.#messages = messages;
  }

  /**
   * Rejects with UNAVAILABLE when nobody answers there before `patience` is aborted, COMMAND when the
   * credentials are wrong. A stopped process accepts connections and says nothing, for ever.
   */
  static async connect(
    address: SocketAddress,
    credentials: Credentials = {},
    patience?: AbortSignal,
    messages: LinkMessages = {},
  ): Promise<SocketLink> {
    const link = new SocketLink(nameOf(address), messages);
    await link.#open(address);
    const giveUp = () => link.#fail(`${link.peer} does not answer`);
    patience?.addEventListener("abort", giveUp);
    try {
      await link.#greet(credentials);
    } catch (error) {
      await link.close();
      throw error;
    } finally {
      patience?.removeEventListener("abort", giveUp);
    }
    return link;
  }

  call(parts: readonly Part[]): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ confirmations: this.#confirmations.expectedOf(parts), resolve, reject });
    this.#unsent.send(this.#socket, encodeCommands([parts]));
    return promise;
  }

  /** What a `call` of each would resolve to, sent in one go. */
  callAll(commands: readonly (readonly Part[])[]): Promise<readonly Answer[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (commands.length === 0) return Promise.resolve([]);
    const { promise, resolve, reject } = Promise.withResolvers<readonly Answer[]>();
    const answers: Answer[] = [];
    const waiting: Waiting = {
      confirmations: 0,
      resolve: (answer) => {
        if (answers.push(answer) === commands.length) resolve(answers);
      },
      reject,
    };
    for (let i = 0; i < commands.length; i++) this.#waiting.push(waiting);
    this.#unsent.send(this.#socket, encodeCommands(commands));
    return promise;
  }

  async close(): Promise<void> {
    this.#fail(`the connection to ${this.peer} was closed`);
  }

  // ---- the connection ----

  async #open(address: SocketAddress): Promise<void> {
    const socket = {
      data: (_socket: unknown, chunk: Buffer) => this.#receive(chunk),
      drain: () => this.#unsent.drain(this.#socket),
      handshake: (_socket: unknown, succeeded: boolean, error: NodeJS.ErrnoException | null) => {
        if (!succeeded)
          this.#fail(`the TLS handshake with ${this.peer} failed: ${reasonOf(error)}`);
      },
      close: () => this.#fail(`${this.peer} closed the connection`),
      error: (_socket: unknown, error: Error) => this.#fail(`${this.peer}: ${error.message}`),
    };
    try {
      this.#socket =
        "unix" in address
          ? await Bun.connect({ unix: address.unix, socket })
          : await Bun.connect({ ...address, socket });
    } catch (cause) {
      const reason = reasonOf(cause as NodeJS.ErrnoException);
      throw new KvdbError("UNAVAILABLE", `cannot connect to ${this.peer}: ${reason}`, { cause });
    }
  }

  /** RESP3 where the server has it; one of old that does not know HELLO is spoken to in RESP2. */
  async #greet({ user, password }: Credentials): Promise<void> {
    const login = password === undefined ? [] : ["AUTH", user ?? "default", password];
    const answer = await this.call(["HELLO", "3", ...login]);
    if (answer.kind === "map") {
      this.greeting = new Map(answer.entries.map(([key, value]) => [textOf(key), value]));
      return;
    }
    if (answer.kind !== "error") throw this.#strange();
    const isOld = /^unknown command/i.test(answer.text) || answer.code === "NOPROTO";
    // Without a password it is the next command that says NOAUTH: a user may still type AUTH.
    if (answer.code === "NOAUTH" && password === undefined) return;
    if (!isOld) throw refused(this.peer, answer);
    if (password === undefined) return;
    const old = await this.call(user === undefined ? ["AUTH", password] : ["AUTH", user, password]);
    if (old.kind === "error") throw refused(this.peer, old);
  }

  #strange(): KvdbError {
    return new KvdbError("UNAVAILABLE", `${this.peer} does not answer as a Redis server does`);
  }

  #receive(chunk: Buffer): void {
    let answers: Answer[];
    try {
      answers = this.#decoder.push(chunk);
    } catch (error) {
      this.#fail(error instanceof KvdbError ? error.message : String(error));
      return;
    }
    for (const answer of answers) {
      const expected = this.#waiting[0]?.confirmations ?? 0;
      if (this.#confirmations.isMessage(answer, expected)) this.#takeMessage(answer);
      // A line of MONITOR looks like an answer that nobody waits for.
      else if (this.#waiting.length === 0) this.#messages.onMessage?.(answer);
      else this.#waiting.shift()?.resolve(answer);
    }
  }

  #takeMessage(message: Answer): void {
    this.#messages.onMessage?.(message);
    const isConfirmation = this.#confirmations.note(message);
    const waiting = this.#waiting[0];
    if (!isConfirmation || waiting === undefined || waiting.confirmations === 0) return;
    if (--waiting.confirmations > 0) return;
    this.#waiting.shift();
    waiting.resolve(message);
  }

  #fail(message: string): void {
    if (this.#failure !== undefined) return;
    const failure = new KvdbError("UNAVAILABLE", message);
    this.#failure = failure;
    this.#socket?.end();
    this.#socket = undefined;
    this.#unsent.forget();
    for (const { reject } of this.#waiting.splice(0)) reject(failure);
    this.#messages.onLost?.(failure);
  }
}

/** Of a socket's failure: a code that people know, or look up; where that says nothing, the words. */
export function reasonOf(error: NodeJS.ErrnoException | null): string {
  const { code, message } = error ?? {};
  return code === undefined || VAGUE_CODES.has(code) ? (message ?? "no reason given") : code;
}

/** Of files that cannot be read, and of whatever the other side has against our TLS. */
const VAGUE_CODES: ReadonlySet<string> = new Set(["ERR_INVALID_ARG_TYPE", "EPROTO"]);

function refused(peer: string, answer: { code: string; text: string }): KvdbError {
  return new KvdbError("COMMAND", `${peer}: ${answer.code} ${answer.text}`);
}

function nameOf(address: SocketAddress): string {
  if ("unix" in address) return address.unix;
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  return `${host}:${address.port}`;
}

function textOf(answer: Answer): string {
  if (answer.kind === "bulk") return answer.bytes.toString();
  return answer.kind === "status" ? answer.text : "";
}

/** Into one buffer: a command may have millions of parts, and there may be thousands of commands. */
function encodeCommands(commands: readonly (readonly Part[])[]): Buffer {
  let size = 0;
  for (const parts of commands) size += commandSize(parts);
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const parts of commands) at = writeCommand(parts, bytes, at);
  return bytes;
}

function commandSize(parts: readonly Part[]): number {
  let size = headSize(parts.length);
  for (const part of parts) {
    const bytes = partSize(part);
    size += bytes + headSize(bytes) + LINE_END_BYTES;
  }
  return size;
}

function writeCommand(parts: readonly Part[], bytes: Buffer, start: number): number {
  let at = writeHead(bytes, start, STAR, parts.length);
  for (const part of parts) {
    at = writeHead(bytes, at, DOLLAR, partSize(part));
    if (typeof part === "string") at += bytes.write(part, at);
    else {
      bytes.set(part, at);
      at += part.length;
    }
    bytes[at++] = CR;
    bytes[at++] = LF;
  }
  return at;
}

/** Digit by digit: a call for a text of five characters takes longer than all else of a short command. */
function writeHead(bytes: Buffer, start: number, marker: number, count: number): number {
  const end = start + headSize(count);
  bytes[start] = marker;
  let rest = count;
  let at = end - LINE_END_BYTES;
  do {
    bytes[--at] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  } while (rest > 0);
  bytes[end - 2] = CR;
  bytes[end - 1] = LF;
  return end;
}

/** Of `*12\r\n`. */
function headSize(count: number): number {
  let digits = 1;
  for (let above = 10; above <= count; above *= 10) digits++;
  return 1 + digits + LINE_END_BYTES;
}

function partSize(part: Part): number {
  return typeof part === "string" ? Buffer.byteLength(part) : part.length;
}

const LINE_END_BYTES = 2;
const [CR, LF, STAR, DOLLAR, ZERO] = [13, 10, 42, 36, 48] as const;
