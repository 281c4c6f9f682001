/**
 * One copy of all data on its way to replicas: an RDB that the snapshot worker writes into a file which has lost its name, so
 * that nothing of it stays behind, whatever happens. It is read while it grows, by as many replicas as share it, each at its
 * own pace; the file goes when the last of them lets it go.
 *
 * Invariant: nobody is given a byte of it that is not in the file yet.
 */
import { assert } from "../assert.ts";
import { KvdbError } from "../errors.ts";
import type { OpenFile } from "../platform/files.ts";
import type { StreamCut } from "./stream.ts";

export type CopyFile = Pick<OpenFile, "read" | "close">;

export class FullCopy {
  /** What it stands for: the stream goes on behind it. */
  readonly cut: StreamCut;
  readonly #file: CopyFile;
  readonly #onClosed: (closing: Promise<void>) => void;
  /** Whoever writes it, and whoever reads it. */
  #holders = 1;
  #bytes = 0;
  #isWhole = false;
  #failure: KvdbError | null = null;
  #waiting = new Set<() => void>();

  /** `onClosed` is given the end of the file, which may fail. */
  constructor(cut: StreamCut, file: CopyFile, onClosed: (closing: Promise<void>) => void) {
    this.cut = cut;
    this.#file = file;
    this.#onClosed = onClosed;
  }

  // ---- who writes it ----

  /** So many bytes are in the file. */
  grow(bytes: number): void {
    this.#bytes = Math.max(this.#bytes, bytes);
    this.#wake();
  }

  /** All of it is. */
  finish(bytes: number): void {
    this.#isWhole = true;
    this.grow(bytes);
    this.release();
  }

  /** There will be no more. */
  fail(failure: KvdbError): void {
    this.#failure = failure;
    this.#wake();
    this.release();
  }

  /** Nobody reads it. */
  get isUnwanted(): boolean {
    return this.#holders === 1;
  }

  // ---- who reads it ----

  hold(): void {
    assert(this.#holders > 0, "a copy is held before it is closed");
    this.#holders++;
  }

  release(): void {
    if (--this.#holders === 0) this.#onClosed(this.#file.close());
  }

  /** How long it is; undefined: it still grows. */
  get totalBytes(): number | undefined {
    return this.#isWhole ? this.#bytes : undefined;
  }

  /**
   * Reads into all of `target` from `position` on, waiting for more as long as there is nothing. Resolves to the count; 0: that
   * was all. Rejects when the copy fails.
   */
  async read(target: Buffer, position: number): Promise<number> {
    while (position >= this.#bytes && !this.#isWhole) await this.more();
    const length = Math.min(target.length, this.#bytes - position);
    if (length === 0) return 0;
    const count = await this.#file.read(target, 0, length, position);
    if (count === length) return count;
    throw new KvdbError("IO", "the file of a full copy is shorter than what was written to it");
  }

  /** Resolves when it has grown, or is whole. Rejects when it fails. */
  async more(): Promise<void> {
    if (this.#failure === null) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    if (this.#failure !== null) throw this.#failure;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }
}
