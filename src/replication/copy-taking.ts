/**
 * The taking of full copies: a copy that has come in whole replaces all data, one at a time, and whoever wants to connect, or to
 * lead, waits until that is decided. How it comes in is pursuit.ts's, and how it replaces the data the host's.
 *
 * Invariant: a copy that is being loaded goes on, whatever becomes of who has sent it; every other one can be dropped. No two are
 * open, for the file of each has the same name.
 */
import { asKvdbError } from "../errors.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { CopyFile } from "./copy-file.ts";
import type { CopyPlace, FollowingHost } from "./following-parts.ts";

export interface CopyTakingParts {
  readonly host: Pick<FollowingHost, "openCopy" | "takeCopy">;
  readonly clock: Clock;
  readonly log: Log;
  /** kvdb stops: none is taken any more. */
  isStopped(): boolean;
}

export class CopyTaking {
  readonly #parts: CopyTakingParts;
  /** What is under way with the whole data; the next copy waits for it. Never rejects. */
  #taking: Promise<unknown> = Promise.resolve();
  /** Ends when no file is being opened, and those of copies that nobody wants are gone. Never rejects. */
  #closing: Promise<unknown> = Promise.resolve();

  constructor(parts: CopyTakingParts) {
    this.#parts = parts;
  }

  /** For one that is to come in; undefined: nobody wants it any more. */
  open(isWanted: () => boolean): Promise<CopyFile | undefined> {
    const opening = this.#closing.then(() => this.#open(isWanted));
    this.#closing = Promise.allSettled([opening]);
    return opening;
  }

  async #open(isWanted: () => boolean): Promise<CopyFile | undefined> {
    if (!isWanted()) return undefined;
    const copy = await this.#parts.host.openCopy();
    if (isWanted()) return copy;
    await this.#close(copy);
    return undefined;
  }

  /** Resolves when the data and the stream are the copy's. `taken` is called before anybody who waits goes on. */
  take(copy: CopyFile, place: CopyPlace, taken: () => void): Promise<void> {
    const taking = this.#taking.then(() => this.#take(copy, place, taken));
    this.#taking = Promise.allSettled([taking]);
    return taking;
  }

  async #take(copy: CopyFile, place: CopyPlace, taken: () => void): Promise<void> {
    const { host, log, clock, isStopped } = this.#parts;
    const begunMs = clock.monotonicMs();
    try {
      if (isStopped()) throw new Error("kvdb stops");
      await host.takeCopy(await copy.whole(), place);
    } finally {
      await this.#close(copy);
    }
    taken();
    const tookMs = Math.round(clock.monotonicMs() - begunMs);
    log.info("the copy has replaced all data", { ...place, tookMs });
  }

  /** Nobody wants it any more. */
  drop(copy: CopyFile): void {
    this.#closing = Promise.all([this.#closing, this.#close(copy)]);
  }

  async #close(copy: CopyFile): Promise<void> {
    try {
      await copy.close();
    } catch (error) {
      this.#parts.log.error("the file of a copy cannot be closed", {
        error: asKvdbError(error).message,
      });
    }
  }

  /** Resolves when none is being loaded. */
  async loaded(): Promise<void> {
    await this.#taking;
  }

  /** Resolves when the files of those that were dropped are gone as well. */
  async settled(): Promise<void> {
    await this.#taking;
    await this.#closing;
  }
}
