// The key loader: SETs each key of a range exactly once over one connection, pipelined.
// redis-benchmark cannot do this, its keys are random. Keys are its keys all the same, so that both
// tools meet: "key:" and the number in 12 digits, 16 bytes; values are 32 bytes.
//
//   *3\r\n $3\r\nSET\r\n $16\r\nkey:000000000042\r\n $32\r\nxxxx…\r\n     (spaces only for reading)
//   *5\r\n … as above … $4\r\nPXAT\r\n $13\r\n1735689600000\r\n          (with a deadline)
//
// All commands have the same length: a batch is laid out once and only its digits change.

import type { Socket } from "bun";

import type { Server } from "./servers.ts";

const KEY_DIGITS = 12;
const OK_BYTES = "+OK\r\n".length;
const ERROR_SIGN = "-".charCodeAt(0);
const DIGIT_ZERO = "0".charCodeAt(0);

export interface Load {
  /** Keys number 0 to count - 1. */
  count: number;
  /** Commands sent in one piece. Two batches are under way, so that the server never waits. */
  batch: number;
  /** The same deadline for every key, in Unix milliseconds. */
  expireAtMs?: number;
}

/**
 * Fills an empty server. Resolves when every key is acknowledged and counted by DBSIZE: a server
 * that only says OK would win every race. A program without DBSIZE (a prototype) is believed.
 */
export async function loadKeys(server: Server, load: Load): Promise<void> {
  await send(server.port, load);
  const held = await server.ask("DBSIZE");
  if (/^\d+$/.test(held) && Number(held) !== load.count) {
    throw new Error(`${server.side} holds ${held} keys after ${load.count} were set`);
  }
}

/** Rejects on an error reply or a lost connection. */
function send(port: number, load: Load): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = new KeyStream(load, resolve, reject);
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => stream.pump(socket),
        drain: (socket) => stream.pump(socket),
        data: (socket, chunk) => stream.acknowledge(socket, chunk),
        close: () => reject(new Error("the server closed the loader's connection")),
        error: (_socket, error) => reject(error),
      },
    }).catch(reject);
  });
}

class KeyStream {
  private readonly load: Load;
  private readonly done: () => void;
  private readonly fail: (error: Error) => void;
  private readonly bytes: Buffer;
  private readonly commandBytes: number;
  private readonly digitsAt: number;
  /** Of the batch in `bytes`: what the socket has taken, and where the batch ends. */
  private taken = 0;
  private end = 0;
  private sent = 0;
  private repliedBytes = 0;

  constructor(load: Load, done: () => void, fail: (error: Error) => void) {
    this.load = load;
    this.done = done;
    this.fail = fail;
    const command = commandText(load.expireAtMs);
    this.commandBytes = command.length;
    this.digitsAt = command.indexOf("key:") + "key:".length;
    this.bytes = Buffer.from(command.repeat(load.batch));
  }

  /** Writes until the socket takes no more or two batches are unanswered. */
  pump(socket: Socket): void {
    for (;;) {
      if (this.taken === this.end && !this.nextBatch()) return;
      this.taken += socket.write(this.bytes, this.taken, this.end - this.taken);
      if (this.taken < this.end) return;
    }
  }

  acknowledge(socket: Socket, chunk: Buffer): void {
    const errorAt = chunk.indexOf(ERROR_SIGN);
    if (errorAt >= 0) {
      const reply = chunk.toString("latin1", errorAt, errorAt + 200).split("\r\n")[0];
      this.fail(new Error(`the server answered a SET with ${reply}`));
      socket.terminate();
      return;
    }
    this.repliedBytes += chunk.length;
    if (this.repliedBytes === this.load.count * OK_BYTES) {
      this.done();
      socket.end();
      return;
    }
    this.pump(socket);
  }

  private nextBatch(): boolean {
    const { batch, count } = this.load;
    const unanswered = this.sent - this.repliedBytes / OK_BYTES;
    const size = Math.min(batch, count - this.sent);
    if (size === 0 || unanswered > batch) return false;
    for (let index = 0; index < size; index++) {
      this.writeDigits(index * this.commandBytes + this.digitsAt, this.sent + index);
    }
    this.sent += size;
    this.taken = 0;
    this.end = size * this.commandBytes;
    return true;
  }

  private writeDigits(at: number, number: number): void {
    let rest = number;
    for (let digit = at + KEY_DIGITS - 1; digit >= at; digit--) {
      this.bytes[digit] = DIGIT_ZERO + (rest % 10);
      rest = (rest / 10) | 0;
    }
  }
}

function commandText(expireAtMs: number | undefined): string {
  const words = ["SET", `key:${"0".repeat(KEY_DIGITS)}`, "x".repeat(32)];
  if (expireAtMs !== undefined) words.push("PXAT", String(expireAtMs));
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}
