/**
 * The commands that took long, the latest first, each with who sent it and what, as far as Redis keeps it: 32 arguments, 128
 * bytes of each, secrets redacted. So an entry has at most 5 KiB or so, and `maxLength` of them are kept, on the heap.
 */
import type { Arguments } from "../commands/arguments.ts";
import { REDACTED, redactedArguments } from "../commands/redacted-arguments.ts";
import type { Session } from "../session/session.ts";

const MAX_ARGUMENTS = 32;
const MAX_ARGUMENT_BYTES = 128;

export interface SlowCommand {
  /** Unique since the start. */
  readonly id: number;
  readonly timeMs: number;
  readonly usec: number;
  readonly arguments: readonly Buffer[];
  readonly address: string;
  readonly clientName: string;
}

export class Slowlog {
  #maxLength = 128;
  #nextId = 0;
  /** The oldest first. More than are kept, since taking away one at a time costs as much as they are. */
  #entries: SlowCommand[] = [];

  get maxLength(): number {
    return this.#maxLength;
  }

  set maxLength(length: number) {
    this.#maxLength = length;
    this.#forgetOldest();
  }

  /** Answers the function that puts back what there is now. */
  keep(): () => void {
    const [maxLength, entries] = [this.#maxLength, [...this.#entries]];
    return () => {
      this.#maxLength = maxLength;
      this.#entries = entries;
    };
  }

  get length(): number {
    return Math.min(this.#entries.length, this.#maxLength);
  }

  /** `name`: that of the command table. */
  add(usec: number, name: string, session: Session, args: Arguments): void {
    this.#entries.push({
      id: this.#nextId++,
      timeMs: session.server.keyspace.nowMs,
      usec: Math.floor(usec),
      arguments: shortened(name, args),
      address: session.client.address,
      clientName: session.name,
    });
    if (this.#entries.length > this.#maxLength * 2) this.#forgetOldest();
  }

  #forgetOldest(): void {
    this.#entries.splice(0, this.#entries.length - this.length);
  }

  /** At most `count`, the latest first. */
  latest(count: number): readonly SlowCommand[] {
    const first = this.#entries.length - Math.min(count, this.length);
    return this.#entries.slice(first).reverse();
  }

  clear(): void {
    this.#entries = [];
  }
}

/** Copies: the arguments belong to the next command soon. What is left out is counted in words. */
function shortened(name: string, args: Arguments): Buffer[] {
  const redacted = redactedArguments(name, args);
  const isCut = args.count > MAX_ARGUMENTS;
  const shown = isCut ? MAX_ARGUMENTS - 1 : args.count;
  const kept: Buffer[] = [];
  for (let i = 0; i < shown; i++) {
    kept.push(redacted.has(i) ? Buffer.from(REDACTED) : shortArgument(args, i));
  }
  if (isCut) kept.push(Buffer.from(`... (${args.count - shown} more arguments)`));
  return kept;
}

function shortArgument(args: Arguments, index: number): Buffer {
  const more = args.size(index) - MAX_ARGUMENT_BYTES;
  if (more <= 0) return args.bytes(index);
  const start = args.start[index];
  const head = args.buffer.subarray(start, start + MAX_ARGUMENT_BYTES);
  return Buffer.concat([head, Buffer.from(`... (${more} more bytes)`)]);
}
