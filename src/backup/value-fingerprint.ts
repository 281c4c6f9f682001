/**
 * A number for the elements of a value, the same wherever they lie: handed over part by part, however they were parted, and
 * in any order where the type has none. Unlike a digest of DEBUG DIGEST it tells any two values apart, the deadlines of
 * fields included.
 */
import { Digest } from "../commands/digest.ts";
import type { ReadonlyBytes } from "../store/arena.ts";
import { ElementReader } from "../store/element-reader.ts";
import { HASH, SET } from "../store/entry.ts";

export class ValueFingerprint {
  readonly #reader = new ElementReader();
  readonly #sum = new Digest();
  readonly #pair = new Digest();
  readonly #number = Buffer.alloc(8);
  #inOrder = new Bun.SHA1();
  #type = 0;

  /** The elements of another value follow; `type` as entries store it. */
  begin(type: number): void {
    this.#type = type;
    this.#sum.clear();
    this.#inOrder = new Bun.SHA1();
  }

  add(isTimed: boolean, run: ReadonlyBytes, at: number, end: number): void {
    const bytes = run as Buffer;
    if (this.#type !== SET && this.#type !== HASH) {
      this.#inOrder.update(bytes.subarray(at, end));
      return;
    }
    const reader = this.#reader;
    reader.beginRun(this.#type, isTimed, run, at, end);
    while (reader.next()) {
      this.#pair.clear();
      this.#pair.mix(bytes.subarray(reader.start, reader.end));
      if (this.#type === HASH) {
        this.#pair.mix(bytes.subarray(reader.valueStart, reader.valueEnd));
        this.#number.writeDoubleLE(reader.number);
        this.#pair.mix(this.#number);
      }
      this.#sum.xorDigest(this.#pair);
    }
  }

  take(): string {
    return `${this.#sum.hex} ${this.#inOrder.digest("hex")}`;
  }
}
