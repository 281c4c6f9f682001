/**
 * A TCP connection that reads only what it is told to, byte by byte: Bun's and Node's sockets read ahead as much as the
 * system has. Its receive buffer is as small as the system allows, so that what it does not read stays with the server.
 * Linux alone.
 */
import { dlopen, ptr } from "bun:ffi";

/** sys/socket.h, fcntl.h */
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

const RECEIVE_BUFFER_BYTES = 2048;

function openLibc() {
  return dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
    connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
    send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  }).symbols;
}

let libc: ReturnType<typeof openLibc> | undefined;

export class SlowSocket implements Disposable {
  readonly #descriptor: number;
  readonly #byte = Buffer.alloc(1);

  constructor(port: number) {
    libc ??= openLibc();
    this.#descriptor = libc.socket(AF_INET, SOCK_STREAM, 0);
    const size = Buffer.alloc(4);
    size.writeInt32LE(RECEIVE_BUFFER_BYTES);
    libc.setsockopt(this.#descriptor, SOL_SOCKET, SO_RCVBUF, ptr(size), size.length);
    const address = Buffer.alloc(16); // struct sockaddr_in
    address.writeUInt16LE(AF_INET, 0);
    address.writeUInt16BE(port, 2);
    address.set([127, 0, 0, 1], 4);
    if (libc.connect(this.#descriptor, ptr(address), address.length) !== 0) {
      throw new Error(`cannot connect to port ${port}`);
    }
  }

  /** How many of the bytes the system took. */
  send(bytes: Buffer): number {
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const sent = libc?.send(this.#descriptor, ptr(bytes), bytes.length, flags) ?? -1n;
    return Math.max(0, Number(sent));
  }

  /** One byte; undefined when none is there or the connection is gone. */
  readByte(): number | undefined {
    const count = libc?.recv(this.#descriptor, ptr(this.#byte), 1, MSG_DONTWAIT);
    return Number(count) === 1 ? this.#byte[0] : undefined;
  }

  [Symbol.dispose](): void {
    libc?.close(this.#descriptor);
  }
}
