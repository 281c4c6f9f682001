/**
 * Standard input, output and error, for one command: a `kvdb get` that made process.stdout into a
 * stream would take 9 ms longer, a third of the whole, and node:tty costs 3. So what is short is
 * written to the descriptor itself; what could wait for its reader goes through the stream.
 */
import { ptr } from "bun:ffi";
import * as fs from "node:fs";
import { KvdbError } from "../errors.ts";
import { libc } from "./libc.ts";

export const STANDARD_INPUT = 0;
export const STANDARD_OUTPUT = 1;
export const STANDARD_ERROR = 2;

export type OutputDescriptor = typeof STANDARD_OUTPUT | typeof STANDARD_ERROR;

/**
 * What an empty pipe takes at least without its reader (POSIX's atomic writes have less, every system
 * of today far more): up to it a write cannot block the thread, and with it signals.
 */
const MAX_DIRECT_BYTES = 16 * 1024;

/** Written to each descriptor so far. */
const written = [0, 0, 0];

export function isTerminal(descriptor: number): boolean {
  const library = libc();
  if (library !== null) return library.isatty(descriptor) === 1;
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/**
 * What stands behind standard input: bytes that somebody prepared, a folder, or what services are
 * started with (/dev/null, a socket, nothing at all).
 */
export type InputKind = "pipe-or-file" | "folder" | "other";

export function inputKind(): InputKind {
  try {
    const stat = fs.fstatSync(STANDARD_INPUT);
    if (stat.isDirectory()) return "folder";
    return stat.isFIFO() || stat.isFile() ? "pipe-or-file" : "other";
  } catch (error) {
    // It is closed.
    if ((error as NodeJS.ErrnoException).code === "EBADF") return "other";
    throw error;
  }
}

/**
 * Resolves when everything was taken; to false when the reader went away. Rejects with a KvdbError IO.
 * One call at a time for each descriptor.
 */
export async function writeAll(descriptor: OutputDescriptor, bytes: Uint8Array): Promise<boolean> {
  let at = 0;
  try {
    while (at < bytes.length && written[descriptor] + bytes.length - at <= MAX_DIRECT_BYTES) {
      const count = fs.writeSync(descriptor, bytes, at);
      written[descriptor] += count;
      at += count;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EPIPE") return false;
    // A descriptor that somebody made non-blocking: the stream waits for room.
    if (code !== "EAGAIN") throw cannotWrite(error);
  }
  return at === bytes.length || writeToStream(streamOf(descriptor), bytes.subarray(at));
}

/** POLLERR, POLLHUP and POLLNVAL: of a pipe, that nobody reads it any more. */
const GONE = 0x8 | 0x10 | 0x20;

/** False when whoever read it went away; where nobody can tell, the next write will. */
export function hasReader(descriptor: OutputDescriptor): boolean {
  const library = libc();
  if (library === null) return true;
  // struct pollfd: the descriptor, then 16 bits of what is asked for and 16 of what is told.
  const entry = new Int32Array([descriptor, 0]);
  if (library.poll(ptr(entry), 1, 0) <= 0) return true;
  return ((entry[1] >>> 16) & GONE) === 0;
}

function writeToStream(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error?: NodeJS.ErrnoException | null) => {
      if (error === undefined || error === null) resolve(true);
      else if (error.code === "EPIPE") resolve(false);
      else reject(cannotWrite(error));
    });
  });
}

/** A line for whoever reads standard error; one that cannot be written is lost. Waits for nobody. */
export function writeLogLine(line: string): void {
  streamOf(STANDARD_ERROR).write(line);
}

/** Streams that are listened to. */
const heard = new WeakSet<NodeJS.WriteStream>();

/**
 * Without a listener Bun turns a failed write (a reader that went away) into a rejection that nobody
 * can handle. Who wants to know of it takes the callback of `write`.
 */
function streamOf(descriptor: OutputDescriptor): NodeJS.WriteStream {
  const stream = descriptor === STANDARD_OUTPUT ? process.stdout : process.stderr;
  if (!heard.has(stream)) stream.on("error", () => {});
  heard.add(stream);
  return stream;
}

function cannotWrite(cause: unknown): KvdbError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KvdbError("IO", `writing the answer: ${reason}`, { cause });
}
