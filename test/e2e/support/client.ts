/**
 * A Redis client of few words, for tests: sends commands, alone or many at once, and gives replies back as plain values.
 * It reads replies with the oracle's own reader, not with kvdb's codec, so that one mistake cannot hide in both.
 *
 * Invariant: each reply goes to the oldest command that has none; a connection that ends fails all that wait.
 */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { type ReplyNode, readReply } from "../../oracle/resp-reply.ts";
import { within } from "./poll.ts";

export type Argument = string | number | Uint8Array;

/** Strings are UTF-8 text, or bytes with `binary`; an error within replies is a ReplyError. */
export type Reply = string | number | boolean | null | Buffer | ReplyError | Reply[];

/** An error that the server replied. */
export class ReplyError extends Error {
  /** The first word: `WRONGTYPE`. */
  readonly code: string;

  constructor(text: string) {
    super(text);
    this.name = "ReplyError";
    this.code = text.split(" ", 1)[0] ?? "";
  }
}

export class ConnectionLost extends Error {}

export type OnReply = (reply: Reply, index: number) => void;

interface Waiting {
  readonly replies: Reply[];
  readonly count: number;
  readonly onReply: OnReply | undefined;
  resolve(replies: Reply[]): void;
  reject(error: Error): void;
}

export class Client implements Disposable {
  readonly socket: Socket;
  /** Replies give bytes instead of text. */
  binary = false;
  /** What came and is no whole reply yet, and how many bytes must be there before another look pays. */
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #needed = 0;
  #waiting: Waiting[] = [];
  readonly #closed = Promise.withResolvers<void>();
  /** What came that no command waited for: the words before a connection is refused, pushes. */
  readonly unasked: Reply[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk as Buffer));
    socket.on("error", () => this.#end());
    socket.on("close", () => this.#end());
  }

  static connect(options: NetConnectOpts): Promise<Client> {
    const socket = connect(options);
    const connected = new Promise<Client>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Client(socket));
      });
    });
    return within("connecting", connected);
  }

  /** Resolves when the connection has ended. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** One command. Throws the ReplyError when the answer is one. */
  async call(...command: readonly Argument[]): Promise<Reply> {
    const [reply = null] = await this.pipeline([command]);
    if (reply instanceof ReplyError) throw reply;
    return reply;
  }

  /** One command whose answer may be an error. */
  async ask(...command: readonly Argument[]): Promise<Reply> {
    const [reply = null] = await this.pipeline([command]);
    return reply;
  }

  /** All at once, before any reply is read. */
  pipeline(commands: readonly (readonly Argument[])[], onReply?: OnReply): Promise<Reply[]> {
    return this.send(Buffer.concat(commands.map(encodeCommand)), commands.length, onReply);
  }

  /** Bytes as they are, with the number of replies that they will have. */
  send(bytes: Uint8Array | string, replyCount: number, onReply?: OnReply): Promise<Reply[]> {
    if (replyCount === 0) return Promise.resolve([]);
    const replies = new Promise<Reply[]>((resolve, reject) => {
      this.#waiting.push({ replies: [], count: replyCount, onReply, resolve, reject });
    });
    if (this.socket.destroyed) this.#end();
    else this.socket.write(bytes);
    return within(`${replyCount} replies`, replies);
  }

  /** Ends the connection without a word. */
  close(): void {
    this.socket.destroy();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < this.#needed) return;
    const bytes = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
    let at = 0;
    while (at < bytes.length) {
      const node = readReply(bytes, at);
      if (node === null) break;
      at = node.end;
      this.#take(this.#valueOf(node));
    }
    const rest = bytes.subarray(at);
    this.#received = rest.length === 0 ? [] : [rest];
    this.#receivedBytes = rest.length;
    this.#needed = bytesOfString(rest);
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting[0];
    if (waiting === undefined) {
      this.unasked.push(reply);
      return;
    }
    waiting.onReply?.(reply, waiting.replies.length);
    waiting.replies.push(reply);
    if (waiting.replies.length < waiting.count) return;
    this.#waiting.shift();
    waiting.resolve(waiting.replies);
  }

  #valueOf({ type, text, items }: ReplyNode): Reply {
    switch (type) {
      case "-":
        return new ReplyError(text ?? "");
      case ":":
        return Number(text);
      case "_":
        return null;
      case "#":
        return text === "t";
      case ",":
        return Number(text);
      case "$":
      case "=":
        return text === null ? null : this.#stringOf(Buffer.from(text, "latin1"), type);
      case "+":
        return text;
      default:
        return text === "-1" ? null : items.map((item) => this.#valueOf(item));
    }
  }

  #stringOf(bytes: Buffer, type: string): string | Buffer {
    const content = type === "=" ? bytes.subarray(4) : bytes;
    return this.binary ? content : content.toString("utf8");
  }

  #end(): void {
    this.#closed.resolve();
    const error = new ConnectionLost("the connection has ended");
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

/** How long the string is that begins here, by its header; 0: no string, or no whole header. */
function bytesOfString(bytes: Buffer): number {
  const header = /^\$(\d+)\r\n/.exec(bytes.toString("latin1", 0, 20));
  return header === null ? 0 : header[0].length + Number(header[1]) + 2;
}

/** As clients send it: an array of bulk strings. */
export function encodeCommand(command: readonly Argument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${command.length}\r\n`)];
  for (const argument of command) {
    const bytes = argument instanceof Uint8Array ? argument : Buffer.from(String(argument));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from("\r\n");
