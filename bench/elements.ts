// Fills collections: commands of any length, pipelined over one connection, each of which has a
// reply of one line. load.ts is for keys, where only digits change and the loader must be as fast
// as the server; here one command brings hundreds of elements.

import type { Socket } from "bun";
import type { Server } from "./servers.ts";

const LINE_FEED = 10;
const ERROR_SIGN = "-".charCodeAt(0);

/** Commands under way at a time. */
const WINDOW = 20;

export type Words = readonly (string | number)[];

/** Elements of a command that fills: as many as keep it well under a millisecond. */
export const CHUNK = 500;

/** Commands with the numbers of [0, count) in chunks: `words` gives those of one number. */
export function* chunks(
  front: readonly string[],
  count: number,
  words: (number: number) => Words,
): Generator<Words> {
  for (let at = 0; at < count; at += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, count - at) }, (_, index) => at + index);
    yield [...front, ...numbers.flatMap((number) => [...words(number)])];
  }
}

export function digits(number: number): string {
  return String(number).padStart(12, "0");
}

/** Resolves when all are answered; rejects on an error reply or a lost connection. */
export function sendAll(server: Server, commands: Iterable<Words>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = new CommandStream(commands[Symbol.iterator](), resolve, reject);
    Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
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

class CommandStream {
  private readonly commands: Iterator<Words>;
  private readonly done: () => void;
  private readonly fail: (error: Error) => void;
  private bytes = Buffer.alloc(0);
  private taken = 0;
  private underWay = 0;
  private isAtEnd = false;

  constructor(commands: Iterator<Words>, done: () => void, fail: (error: Error) => void) {
    this.commands = commands;
    this.done = done;
    this.fail = fail;
  }

  pump(socket: Socket): void {
    for (;;) {
      if (this.taken === this.bytes.length && !this.next()) break;
      this.taken += socket.write(this.bytes, this.taken, this.bytes.length - this.taken);
      if (this.taken < this.bytes.length) return;
    }
    if (!this.isAtEnd || this.underWay > 0) return;
    this.done();
    socket.end();
  }

  private next(): boolean {
    if (this.isAtEnd || this.underWay >= WINDOW) return false;
    const { value, done } = this.commands.next();
    this.isAtEnd = done === true;
    if (this.isAtEnd) return false;
    const words = (value as Words).map(String);
    const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("");
    this.bytes = Buffer.from(`*${words.length}\r\n${text}`);
    this.taken = 0;
    this.underWay++;
    return true;
  }

  acknowledge(socket: Socket, chunk: Buffer): void {
    if (chunk[0] === ERROR_SIGN) {
      this.fail(new Error(`the server answered ${chunk.toString("latin1", 0, 200).trimEnd()}`));
      socket.terminate();
      return;
    }
    for (const byte of chunk) if (byte === LINE_FEED) this.underWay--;
    this.pump(socket);
  }
}
