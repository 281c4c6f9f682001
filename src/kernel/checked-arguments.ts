/**
 * The arguments as a plugin's command sees them. Spans behind the last argument are what earlier
 * commands left there: to read one would answer bytes of somebody else's command, so it throws, also
 * when the command has ended. kvdb's own commands read without a check: their arity and tests prove
 * what is there.
 */
import { Arguments } from "../commands/arguments.ts";

const NO_BYTES = Buffer.alloc(0);

export class CheckedArguments extends Arguments {
  /** Becomes a view of these arguments. They are not copied. */
  show(source: Arguments): this {
    this.buffer = source.buffer;
    this.start = source.start;
    this.end = source.end;
    this.count = source.count;
    return this;
  }

  /** The command has ended. */
  close(): void {
    this.buffer = NO_BYTES;
    this.count = 0;
  }

  override size(index: number): number {
    return super.size(this.#present(index));
  }

  override is(index: number, word: string): boolean {
    return super.is(this.#present(index), word);
  }

  override integer(index: number): number {
    return super.integer(this.#present(index));
  }

  override int64(index: number): bigint | null {
    return super.int64(this.#present(index));
  }

  override float(index: number): number {
    return super.float(this.#present(index));
  }

  override text(index: number): string {
    return super.text(this.#present(index));
  }

  override latin(index: number): string {
    return super.latin(this.#present(index));
  }

  override bytes(index: number): Buffer {
    return super.bytes(this.#present(index));
  }

  #present(index: number): number {
    if (Number.isInteger(index) && index >= 0 && index < this.count) return index;
    throw new RangeError(`there is no argument ${index}: args.count is ${this.count}`);
  }
}
