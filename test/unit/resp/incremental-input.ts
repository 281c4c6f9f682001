/**
 * The decoder as a connection uses it: bytes come in chunks, whole commands are taken off, the rest is kept and looked
 * at again when the decoder said it would pay. Counts the looks. `eagerly` is the naive way to compare it with: a fresh
 * decoder, over everything there is.
 *
 * Behind the bytes that are there lie misleading ones, so that whoever reads past the limit is found out.
 */
import { Arguments } from "../../../src/commands/arguments.ts";
import { Decoder, INCOMPLETE, MALFORMED } from "../../../src/resp/decoder.ts";

export interface Read {
  readonly commands: readonly (readonly string[])[];
  /** Null: none. */
  readonly error: string | null;
}

const MISLEADING = Buffer.from(`\n\r\n$1\r\na\r\n"'*1\r\n`);

export class IncrementalInput {
  readonly commands: string[][] = [];
  error: string | null = null;
  /** Whole looks, and looks that went on where another one stopped. */
  decodeCount = 0;
  skimCount = 0;
  /** Where the last look that told nothing new stopped, from the start of the kept input. */
  resumeAt = 0;
  readonly #decoder = new Decoder();
  readonly #args = new Arguments();
  readonly #keepsCommands: boolean;
  #kept: Buffer = Buffer.alloc(0);
  #size = 0;
  #needed = 0;
  #resumeCount = 0;

  constructor(options: { readonly restricted?: boolean; readonly keepsCommands?: boolean } = {}) {
    this.#decoder.restricted = options.restricted ?? false;
    this.#keepsCommands = options.keepsCommands ?? true;
  }

  get read(): Read {
    return { commands: this.commands, error: this.error };
  }

  get keptBytes(): number {
    return this.#size;
  }

  receive(chunk: Uint8Array): void {
    if (this.error !== null) return;
    this.#append(chunk);
    if (this.#size < this.#needed || this.#size === 0) return;
    if (this.resumeAt > 0 && this.#skim() === INCOMPLETE) return;
    this.#decode();
  }

  #append(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size + MISLEADING.length > this.#kept.length) {
      const larger = Buffer.alloc(2 * size + MISLEADING.length);
      this.#kept.copy(larger, 0, 0, this.#size);
      this.#kept = larger;
    }
    this.#kept.set(chunk, this.#size);
    this.#size = size;
    MISLEADING.copy(this.#kept, size);
  }

  #skim(): number {
    this.skimCount++;
    this.#decoder.resumeAt = this.resumeAt;
    this.#decoder.resumeCount = this.#resumeCount;
    const result = this.#decoder.skim(this.#kept, 0, this.#size);
    if (result === INCOMPLETE) this.#note();
    return result;
  }

  #note(): void {
    this.#needed = this.#decoder.needed;
    this.resumeAt = this.#decoder.resumeAt;
    this.#resumeCount = this.#decoder.resumeCount;
  }

  #decode(): void {
    let at = 0;
    this.#needed = 0;
    this.resumeAt = 0;
    while (at < this.#size) {
      this.decodeCount++;
      const next = this.#decoder.decode(this.#args, this.#kept, at, this.#size);
      if (next === MALFORMED) this.error = this.#decoder.problem;
      else if (next === INCOMPLETE) this.#note();
      if (next < 0) break;
      at = next;
      if (this.#args.count > 0) this.commands.push(this.#keepsCommands ? words(this.#args) : []);
    }
    this.#kept.copyWithin(0, at, this.#size);
    this.#size -= at;
    MISLEADING.copy(this.#kept, this.#size);
  }
}

/** What is in `input`, in chunks of the sizes given; the last one takes what is left. */
export function readInChunks(
  input: Uint8Array,
  sizes: readonly number[],
  restricted = false,
): Read {
  const incremental = new IncrementalInput({ restricted });
  let at = 0;
  for (const size of sizes) {
    incremental.receive(input.subarray(at, at + size));
    at += size;
  }
  if (at < input.length) incremental.receive(input.subarray(at));
  return incremental.read;
}

/** What is in `input`, by a decoder that has seen nothing before. */
export function readEagerly(input: Uint8Array, restricted = false): Read {
  return readInChunks(input, [], restricted);
}

function words(args: Arguments): string[] {
  return Array.from({ length: args.count }, (_, index) => args.latin(index));
}
