/**
 * Makes the arguments of a command out of strings and bytes, in one buffer that is used again: a
 * `get` allocates nothing for them. The buffer begins with the name of the command, which stays
 * when the next command has the same.
 *
 *   GETuser:42        name in [0, 3), key in [3, 10)
 */
import { Arguments } from "../commands/arguments.ts";
import { KvdbError } from "../errors.ts";
import { MAX_BULK_BYTES } from "../limits.ts";

const FIRST_BYTES = 4096;
/** A buffer that grew beyond this for one large value is given back. */
const KEPT_BYTES = 1 << 20;
/** Bytes of UTF-8 that one UTF-16 unit needs at most. */
const MAX_BYTES_PER_UNIT = 3;

export class Request {
  readonly args = new Arguments();
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #name = "";
  #at = 0;

  /** Begins a command; its name is ASCII. */
  begin(name: string): this {
    if (this.#buffer.length > KEPT_BYTES) {
      this.#buffer = Buffer.allocUnsafe(FIRST_BYTES);
      this.#name = "";
    }
    if (name !== this.#name) this.#buffer.write(name, 0, "latin1");
    this.#name = name;
    this.args.buffer = this.#buffer;
    this.#at = 0;
    this.args.count = 0;
    this.#end(name.length);
    return this;
  }

  /** Adds an argument; `what` is what messages call it. */
  add(part: string | Uint8Array, what: string): this {
    if (typeof part === "string") this.#text(part, what);
    else if (part instanceof Uint8Array) this.#bytes(part, what);
    else throw new KvdbError("USAGE", `${what}: expected a string or bytes, found ${typeof part}`);
    return this;
  }

  #text(text: string, what: string): void {
    // What has no UTF-8 would be stored as something else.
    if (!text.isWellFormed()) {
      throw new KvdbError("USAGE", `${what}: half of a surrogate pair has no UTF-8`);
    }
    this.#room(text.length * MAX_BYTES_PER_UNIT);
    const size = this.#buffer.write(text, this.#at);
    requireSize(size, what);
    this.#end(size);
  }

  #bytes(bytes: Uint8Array, what: string): void {
    requireSize(bytes.length, what);
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#end(bytes.length);
  }

  /** The argument that was written at the position is so long. */
  #end(size: number): void {
    const { args } = this;
    const index = args.count++;
    args.reserve(args.count);
    args.start[index] = this.#at;
    this.#at += size;
    args.end[index] = this.#at;
  }

  #room(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
    this.args.buffer = larger;
  }
}

function requireSize(sizeBytes: number, what: string): void {
  if (sizeBytes <= MAX_BULK_BYTES) return;
  throw new KvdbError(
    "USAGE",
    `${what}: ${sizeBytes} bytes are more than the ${MAX_BULK_BYTES} that a string may have`,
  );
}
